"""The people of the demonstration: three accounts to try, and plainly fictitious signatories."""

from datetime import date
from random import Random

from stdnum.luhn import calc_check_digit

from members.bodies import Kind
from members.models import Affiliation, Organisation, Representative, User
from members.roles import Role

#: e-mail, first name, last name, role, body (name); the sign-in page offers the first three.
ACCOUNTS = (
    ("acheteuse@demonstration.example", "Claire", "Morel", Role.BUYER, "Montpellier Méditerranée Métropole"),
    ("secretaire@demonstration.example", "Nadia", "Ferrand", Role.MEMBER_AGENT, "Prades-le-Lez"),
    ("finances@demonstration.example", "Paul", "Vidal", Role.FINANCE, "Montpellier Méditerranée Métropole"),
    ("juriste@demonstration.example", "Sami", "Haddad", Role.JURIST, "Montpellier Méditerranée Métropole"),
)

_FIRST_NAMES = (
    ("mrs", ("Anaïs", "Béatrice", "Chloé", "Élodie", "Françoise", "Hélène", "Inès", "Joëlle", "Léa", "Maïa", "Solène")),
    ("mr", ("Amédée", "Benoît", "Cédric", "Étienne", "François", "Gaël", "Hervé", "Jérôme", "Loïc", "Noé", "Rémi")),
)
_LAST_NAMES = (
    "Exemple", "Fictif", "Modèle", "Spécimen", "Témoin", "Essai", "Démo", "Gabarit", "Maquette", "Factice",
    "Imaginaire",
)  # fmt: skip

#: General renewals of the municipal councils, and the end of each mandate.
MANDATES = ((date(2014, 4, 1), date(2020, 6, 30)), (date(2020, 7, 1), date(2026, 3, 31)), (date(2026, 4, 1), None))


def complete_cards(organisations: list[Organisation]) -> None:
    """A shared mailbox each, in a domain that cannot exist (RFC 2606): no mail of the demonstration reaches anybody.
    A SIRET too, that of an assumed first establishment (0001)."""
    for organisation in organisations:
        stem = f"{organisation.siren}0001"
        organisation.siret = organisation.siret or stem + calc_check_digit(stem)
        box = {Kind.COMMUNE: "mairie", Kind.CCAS: "ccas"}.get(Kind(organisation.kind), "contact")
        organisation.email = f"{box}@{organisation.sort_name.replace(' ', '-')}.example"
        if organisation.kind == Kind.METROPOLE:
            # Its seat, public: the essential data name the département from it.
            organisation.address, organisation.postcode, organisation.city = "50 place Zeus", "34000", "Montpellier"
    Organisation.objects.bulk_update(organisations, ["email", "siret", "address", "postcode", "city"])


def create_accounts() -> dict[str, Affiliation]:
    """The accounts, by role. No password: the sign-in page of the demonstration opens them."""
    affiliations = {}
    for email, first_name, last_name, role, body in ACCOUNTS:
        user = User.objects.create_user(email, first_name=first_name, last_name=last_name)
        organisation = Organisation.objects.get(name=body, territory=None) if role != Role.MEMBER_AGENT else None
        organisation = organisation or Organisation.objects.get(name=body)
        affiliations[role] = Affiliation.objects.create(user=user, organisation=organisation, role=role)
    return affiliations


def create_representatives(organisations: list[Organisation], random: Random) -> None:
    """One signatory per body and mandate; every family name says that it is invented."""
    rows = []
    for organisation in organisations:
        for start_on, end_on in MANDATES:
            civility, first_names = random.choice(_FIRST_NAMES)
            capacity = "deputy" if organisation.kind == Kind.CCAS else "head"
            rows.append(
                Representative(
                    organisation=organisation,
                    civility=civility,
                    first_name=random.choice(first_names),
                    last_name=random.choice(_LAST_NAMES),
                    capacity=capacity,
                    start_on=start_on,
                    end_on=end_on,
                )
            )
    for row in rows:
        row.full_clean()
    Representative.objects.bulk_create(rows)
