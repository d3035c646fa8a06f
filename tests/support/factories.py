"""Small builders for tests: real objects, valid by default, through the models and not through the actions."""

from datetime import date
from decimal import Decimal
from itertools import count

from djmoney.money import Money
from stdnum.luhn import calc_check_digit

from groupings.models import (
    Award,
    AwardHolder,
    AwardShare,
    Consultation,
    Deliberation,
    Grouping,
    Lot,
    Membership,
    NeedLine,
    Signature,
)
from members.models import Affiliation, CouncilSession, Organisation, Representative, User
from members.roles import Role

_numbers = count(1)


def make_siren(prefix: str = "21") -> str:
    """A SIREN with a right key, never twice the same."""
    body = f"{prefix}{next(_numbers):06d}"
    return body + calc_check_digit(body)


def make_organisation(kind: str = "commune", *, parent: Organisation | None = None, **fields) -> Organisation:
    number = next(_numbers)
    fields.setdefault("name", f"Organisme {number}")
    fields.setdefault("siren", make_siren("26" if kind == "ccas" else "21"))
    if kind == "commune":
        fields.setdefault("population", 3000 + number)
    return Organisation.objects.create(kind=kind, parent=parent, **fields)


def make_metropole(**fields) -> Organisation:
    fields.setdefault("name", f"Métropole {next(_numbers)}")
    fields.setdefault("population", 500_000)
    return make_organisation("metropole", **fields)


def make_affiliation(organisation: Organisation, role: str = Role.BUYER, **fields) -> Affiliation:
    number = next(_numbers)
    user = fields.pop("user", None) or User.objects.create_user(
        email=f"personne{number}@example.org", first_name="Camille", last_name=f"Durand {number}"
    )
    return Affiliation.objects.create(user=user, organisation=organisation, role=role)


def make_representative(organisation: Organisation, **fields) -> Representative:
    fields.setdefault("civility", "mrs")
    fields.setdefault("first_name", "Hélène")
    fields.setdefault("last_name", "Œuvrard")
    fields.setdefault("start_on", date(2014, 4, 1))
    return Representative.objects.create(organisation=organisation, **fields)


def make_session(organisation: Organisation, meeting_on: date, **fields) -> CouncilSession:
    return CouncilSession.objects.create(organisation=organisation, meeting_on=meeting_on, **fields)


def make_grouping(coordinator: Organisation, **fields) -> Grouping:
    number = next(_numbers)
    fields.setdefault("reference", f"GC-{number}")
    fields.setdefault("title", "Fournitures de bureau et papier")
    fields.setdefault("category", "supplies")
    fields.setdefault("cpv", "30192000")
    fields.setdefault("duration_months", 48)
    fields.setdefault("opened_on", date(2026, 9, 1))
    return Grouping.objects.create(coordinator=coordinator, **fields)


def make_membership(grouping: Grouping, organisation: Organisation, **fields) -> Membership:
    """A member with the deliberation it has to pass."""
    fields.setdefault("joined_on", grouping.opened_on)
    membership = Membership.objects.create(grouping=grouping, organisation=organisation, **fields)
    Deliberation.objects.create(membership=membership)
    return membership


def make_lot(grouping: Grouping, number: int = 1, **fields) -> Lot:
    fields.setdefault("title", f"Lot de fournitures {number}")
    return Lot.objects.create(grouping=grouping, number=number, **fields)


def make_need(membership: Membership, lot: Lot, amount: str | None = "1000.00", **fields) -> NeedLine:
    money = None if amount is None else Money(Decimal(amount), "EUR")
    return NeedLine.objects.create(membership=membership, lot=lot, estimated_amount_excl_tax=money, **fields)


def adopt(membership: Membership, decided_on: date, *, executory: bool = True, number: str = "2026-01") -> Deliberation:
    """The member has voted for; with ``executory``, the act is published and received the same day."""
    act = {"transmitted_on": decided_on, "received_on": decided_on, "published_on": decided_on} if executory else {}
    deliberation = membership.deliberations.approvals().get()
    for field, value in {"status": "adopted", "decided_on": decided_on, "number": number, **act}.items():
        setattr(deliberation, field, value)
    deliberation.save()
    return deliberation


def sign(membership: Membership, signed_on: date) -> Signature:
    """The member has signed the convention."""
    return Signature.objects.create(membership=membership, signed_on=signed_on, signatory="Madame Anne Essai")


def make_territory(*, members: int = 2, lots: int = 2, **fields) -> tuple[Organisation, Grouping]:
    """A métropole with ``members`` communes in one grouping of ``lots`` lots; each has a need of 1 000.00 € per lot."""
    metropole = make_metropole()
    make_representative(metropole)
    grouping = make_grouping(metropole, **fields)
    all_lots = [make_lot(grouping, number) for number in range(1, lots + 1)]
    bodies = [metropole]
    for _ in range(members):
        commune = make_organisation("commune", parent=metropole)
        make_representative(commune, civility="mr", first_name="Jérôme", last_name="Durand")
        bodies.append(commune)
    for body in bodies:
        membership = make_membership(grouping, body)
        for lot in all_lots:
            make_need(membership, lot)
    return metropole, grouping


def make_siret() -> str:
    """A SIRET with right keys, never twice the same."""
    root = make_siren("55") + "0001"
    return root + calc_check_digit(root)


def make_consultation(grouping: Grouping, *lots: Lot, **fields) -> Consultation:
    """A formalised consultation of ``lots`` (all of them by default), launched the day the grouping was."""
    launched_on = grouping.launched_on or grouping.opened_on
    fields.setdefault("launched_on", launched_on)
    fields.setdefault("member_count", grouping.memberships.count())
    fields.setdefault("procedure", "open")
    fields.setdefault("procedure_code", "formal")
    consultation = Consultation.objects.create(grouping=grouping, **fields)
    consultation.lots.set(lots or grouping.lots.all())
    return consultation


def make_award(consultation: Consultation, lot: Lot, amount: str = "1000.00", *, shares=(), **fields) -> Award:
    """The lot awarded to one company; ``shares`` is [(membership, "600.00"), …]. Signed and notified only if told."""
    fields.setdefault("outcome", "awarded")
    fields.setdefault("decided_on", consultation.launched_on)
    if fields["outcome"] == "awarded":
        fields.setdefault("reference", f"M{next(_numbers)}")
        fields.setdefault("duration_months", 48)
        fields.setdefault("offers_received", 3)
        if "maximum_excl_tax" not in fields:
            fields.setdefault("amount_excl_tax", Money(Decimal(amount), "EUR"))
    award = Award.objects.create(consultation=consultation, lot=lot, **fields)
    if award.outcome == "awarded":
        AwardHolder.objects.create(award=award, name=f"Entreprise {next(_numbers)}", identifier=make_siret())
    for membership, part in shares:
        AwardShare.objects.create(award=award, membership=membership, amount_excl_tax=Money(Decimal(part), "EUR"))
    return award
