"""The awarded lots as essential data: what is published, what is missing for it, what is left out, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q

from groupings.contract_choices import EnvironmentalConsideration, SocialConsideration
from groupings.conventions.wording import capital
from groupings.exchange.decp.companion import MemberRow
from groupings.exchange.decp.record import Contract, Holder, Problem, duplicates, problems
from groupings.models import Award, Consultation, Membership
from groupings.rules.courts import department_of
from groupings.rules.essential_data import publication_threshold
from members.models import Organisation
from procurement.core.money import ZERO, format_euros

#: Field of ``Contract`` → the box to fill: its place, and its label on screen.
BOXES = {
    "identifier": ("l’attribution du lot", "numéro du marché"),
    "buyer_siret": ("la fiche du coordonnateur", "SIRET du siège"),
    "subject": ("la fiche du lot", "intitulé"),
    "cpv": ("la fiche du lot", "code CPV"),
    "techniques": ("l’attribution du lot", "technique d’achat"),
    "modalities": ("l’attribution du lot", "modalité d’exécution"),
    "ccag": ("l’attribution du lot", "CCAG"),
    "offers_received": ("l’attribution du lot", "offres reçues"),
    "has_advance": ("l’attribution du lot", "avance attribuée"),
    "advance_rate": ("l’attribution du lot", "taux de l’avance (%)"),
    "operators_kind": ("l’attribution du lot", "groupement d’entreprises"),
    "procedure": ("la consultation", "procédure"),
    "place_department": ("la fiche du coordonnateur", "code postal"),
    "months": ("l’attribution du lot", "durée ferme (mois)"),
    "notified_on": ("les dates du lot", "notifié le"),
    "published_on": ("les dates du lot", "données essentielles publiées le"),
    "amount": ("l’attribution du lot", "montant (€ HT) ou maximum (€ HT)"),
    "price_types": ("l’attribution du lot", "type de prix"),
    "price_form": ("l’attribution du lot", "forme du prix"),
    "has_subcontracting": ("l’attribution du lot", "sous-traitance déclarée"),
    "is_innovative": ("l’attribution du lot", "achat innovant"),
    "holders": ("l’attribution du lot", "titulaire"),
    "social": ("l’attribution du lot", "considérations sociales"),
    "environmental": ("l’attribution du lot", "considérations environnementales"),
    "shares": ("les parts du lot", "part (€ HT)"),
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """Where what is missing is filled: a page (its name and arguments), and what the link says."""

    page: str
    arguments: tuple[int, ...]
    label: str


@dataclass(frozen=True, slots=True)
class LotPublication:
    """One lot that the essential data must hold. ``problems``: what to fill or correct before anything is written."""

    award: Award
    contract: Contract
    problems: tuple[Problem, ...]
    is_first_publication: bool

    @property
    def name(self) -> str:
        return name_of(self.award)

    @property
    def remedies(self) -> list[Remedy]:
        """The pages to open, each once, in the order of the problems."""
        lot = self.award.lot
        of_lot = (lot.grouping_id, lot.pk)
        pages = {
            "l’attribution du lot": Remedy("award_change", of_lot, f"Attribution du lot {lot.number}"),
            "les dates du lot": Remedy("award_dates", of_lot, f"Dates du lot {lot.number}"),
            "les parts du lot": Remedy("award_shares", of_lot, f"Parts du lot {lot.number}"),
            "la fiche du lot": Remedy("grouping_detail", of_lot[:1], f"Groupement {lot.grouping.reference}"),
            "la consultation": Remedy("consultation", of_lot[:1], "Consultation"),
            "la fiche du coordonnateur": Remedy(
                "organisation_detail", (lot.grouping.coordinator_id,), f"Fiche de {lot.grouping.coordinator.name}"
            ),
        }
        return [pages[place] for place in dict.fromkeys(BOXES[problem.field][0] for problem in self.problems)]

    def told(self) -> list[str]:
        """What to fill, one sentence for each place, then what to correct: every one names its boxes."""
        empty: dict[str, list[str]] = {}
        for problem in self.problems:
            if problem.is_missing:
                place, label = BOXES[problem.field]
                empty.setdefault(place, []).append(f"«\u00a0{label}\u00a0»")
        to_fill = [f"À remplir dans {place}\u00a0: {', '.join(labels)}." for place, labels in empty.items()]
        return to_fill + [told(problem) for problem in self.problems if not problem.is_missing]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A lot that is not published, and why, in French."""

    award: Award
    reason: str

    def __str__(self) -> str:
        return f"{name_of(self.award)}\u00a0: {self.reason}"


@dataclass(frozen=True, slots=True)
class Publication:
    """What a file of essential data would hold."""

    lots: tuple[LotPublication, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def contracts(self) -> list[Contract]:
        return [lot.contract for lot in self.lots]

    @property
    def incomplete(self) -> list[LotPublication]:
        return [lot for lot in self.lots if lot.problems]

    @property
    def is_ready(self) -> bool:
        """Something to publish, and nothing to correct."""
        return bool(self.lots) and not self.incomplete

    @property
    def first_published(self) -> list[LotPublication]:
        """Those published for the first time: the file gives them today as their date of publication."""
        return [lot for lot in self.lots if lot.is_first_publication]


def name_of(award: Award) -> str:
    return f"{award.lot.grouping.reference}, lot {award.lot.number} – {award.lot.title}"


def told(problem: Problem) -> str:
    """« La durée est d’un mois au moins. À corriger : « durée ferme (mois) », dans l’attribution du lot. »"""
    place, label = BOXES[problem.field]
    return f"{capital(problem.message)} À corriger\u00a0: «\u00a0{label}\u00a0», dans {place}."


def coordinated(affiliation):
    """The awards a person may publish: those of the groupings its own body coordinates, or of its whole territory."""
    awards = Award.objects.visible_to(affiliation)
    if affiliation is None or affiliation.sees_whole_territory:
        return awards
    return awards.filter(lot__grouping__coordinator_id=affiliation.organisation_id)


def of_year(awards, year: int):
    """The lots notified in that civil year, and those decided in it that are not notified."""
    return awards.filter(Q(notified_on__year=year) | Q(notified_on=None, decided_on__year=year))


def years_of(awards, today: date) -> list[int]:
    """The years to offer: those of a notification or a decision, and this one, newest first."""
    days = awards.order_by().values_list("notified_on", "decided_on")
    return sorted({today.year, *((notified or decided).year for notified, decided in days)}, reverse=True)


def publication(awards, today: date) -> Publication:
    """What is published of ``awards``, in the order of the notifications; four queries."""
    rows = (
        awards.select_related("lot__grouping__coordinator__parent", "consultation")
        .prefetch_related("holders", "shares")
        .order_by(F("notified_on").asc(nulls_last=True), "lot__grouping__reference", "lot__number", "pk")
    )
    lots: list[tuple[Award, Contract, list[Problem]]] = []
    left_out = []
    for award in rows:
        try:
            reason = _why_left_out(award)
        except LookupError as error:
            reason = str(error)
        if reason:
            left_out.append(LeftOut(award, reason))
            continue
        contract = _contract(award, today)
        lots.append((award, contract, [*problems(contract, today), *_share_problems(award)]))
    for position, other in duplicates([contract for _, contract, _ in lots]).items():
        for one, two in ((position, other), (other, position)):
            number, twin = lots[one][1].identifier, name_of(lots[two][0])
            lots[one][2].append(Problem("identifier", f"le numéro {number} est aussi celui de {twin}."))
    return Publication(
        tuple(
            LotPublication(award, contract, tuple(found), award.data_published_on is None)
            for award, contract, found in lots
        ),
        tuple(left_out),
    )


def _why_left_out(award: Award) -> str:
    """Raises LookupError for a notification before the first threshold known."""
    if not award.is_awarded:
        return f"lot non attribué ({award.get_outcome_display().lower()})."
    if award.notified_on is None:
        return "le marché n’est pas encore notifié."
    threshold = publication_threshold(award.notified_on)
    if award.value < threshold.amount:
        amount = f"{format_euros(award.value)} HT, sous le seuil de {format_euros(threshold.amount)} HT"
        return f"{amount} ({threshold.source})."
    return ""


def subject_of(award: Award) -> str:
    """« objet »: the only place where the format can say that it is a groupement de commandes, and which lot."""
    grouping, lot = award.lot.grouping, award.lot
    return f"Groupement de commandes – {grouping.title} – lot n° {lot.number} : {lot.title}"


def _contract(award: Award, today: date) -> Contract:
    lot, coordinator = award.lot, award.lot.grouping.coordinator
    return Contract(
        identifier=award.reference,
        buyer_siret=coordinator.siret,
        subject=subject_of(award),
        cpv=lot.cpv or lot.grouping.cpv,
        techniques=_spelt(award.get_technique_display()),
        modalities=_spelt(award.get_modality_display()),
        ccag=award.get_ccag_display(),
        offers_received=award.offers_received,
        has_advance=award.has_advance,
        advance_rate=award.advance_rate,
        operators_kind=award.get_operators_kind_display(),
        procedure=_procedure(award),
        place_department=_department(coordinator),
        months=award.total_months,
        notified_on=award.notified_on,
        published_on=award.data_published_on or today,
        amount=award.value,
        price_types=_spelt(award.get_price_type_display()),
        price_form=award.get_price_form_display(),
        has_subcontracting=award.has_subcontracting,
        is_innovative=award.is_innovative,
        holders=tuple(
            Holder(holder.identifier, holder.get_identifier_type_display()) for holder in award.holders.all()
        ),
        social=_labels(SocialConsideration, award.social_considerations),
        environmental=_labels(EnvironmentalConsideration, award.environmental_considerations),
    )


def _spelt(label: str) -> tuple[str, ...]:
    return (label,) if label else ()


def _labels(choices, keys: list[str]) -> tuple[str, ...]:
    return tuple(str(choices(key).label) for key in keys)


def _procedure(award: Award) -> str:
    """With the straight apostrophe of the schema. A small lot taken out of a formalised procedure is an adapted one
    (CCP, R2123-1)."""
    if award.consultation.is_formal and award.lot.takes_small_lot_exception:
        return str(Consultation.Procedure.ADAPTED.label)
    return award.consultation.get_procedure_display().replace("’", "'")


def _department(coordinator: Organisation) -> str:
    commune = coordinator.parent.insee_code if coordinator.parent and coordinator.kind == "ccas" else ""
    return department_of(coordinator.insee_code, commune, coordinator.postcode)


def _share_problems(award: Award) -> list[Problem]:
    """The companion tells the shares: entered, they make the amount of the lot."""
    shares = [share.amount_excl_tax.amount for share in award.shares.all()]
    total = sum(shares, ZERO)
    if shares and total != award.value:
        return [
            Problem(
                "shares",
                f"les parts des membres font {format_euros(total)} HT, et le marché {format_euros(award.value)} HT.",
            )
        ]
    return []


def member_rows(lots: Iterable[LotPublication]) -> list[MemberRow]:
    """The companion of ``lots``: those who have a share, or every present member when no share was entered."""
    lots = list(lots)
    members = _members_of([lot.award for lot in lots])
    rows = []
    for lot in lots:
        grouping = lot.award.lot.grouping
        shares = {share.membership_id: share.amount_excl_tax.amount for share in lot.award.shares.all()}
        for membership in members.get(grouping.pk, ()):
            if membership.pk not in shares if shares else not membership.is_bound:
                continue
            body = membership.organisation
            rows.append(
                MemberRow(
                    contract=lot.contract.identifier,
                    buyer_siret=lot.contract.buyer_siret,
                    siren=body.siren,
                    siret=body.siret,
                    name=body.name,
                    kind=body.kind,
                    share=shares.get(membership.pk),
                    is_coordinator=body.pk == grouping.coordinator_id,
                )
            )
    return rows


def _members_of(awards: list[Award]) -> dict[int, list[Membership]]:
    found: dict[int, list[Membership]] = {}
    memberships = Membership.objects.filter(grouping_id__in={award.lot.grouping_id for award in awards})
    for membership in memberships.select_related("organisation", "grouping").order_by("organisation__sort_name", "pk"):
        found.setdefault(membership.grouping_id, []).append(membership)
    return found
