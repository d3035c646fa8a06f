"""A launched grouping whose consultation is closed: what the tests of the award start from."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from djmoney.money import Money

from groupings.actions.award import HolderEntry, award_save
from groupings.actions.award_dates import award_follow
from groupings.models import Award, Consultation, Grouping, Lot, Membership
from members.models import Affiliation, Organisation
from members.roles import Role
from tests.support.factories import make_affiliation, make_consultation, make_siret, make_territory

LAUNCHED, NOTICE, DUE = date(2026, 2, 1), date(2026, 2, 8), datetime(2026, 3, 15, 11, tzinfo=UTC)
CLOSED, MET, TODAY = date(2026, 3, 15), date(2026, 4, 12), date(2026, 6, 30)


@dataclass
class Tender:
    """A métropole and two communes, each with a need of 1 000,00 € per lot; formalised procedure, CAO met on 12/04."""

    metropole: Organisation
    grouping: Grouping
    consultation: Consultation
    lots: list[Lot]
    members: list[Membership]
    buyer: Affiliation

    @property
    def agent(self) -> Affiliation:
        """Of the first commune."""
        return make_affiliation(self.members[1].organisation, Role.MEMBER_AGENT)


def make_tender(*, members: int = 2, lots: int = 2, consultation: dict | None = None, **fields) -> Tender:
    """``consultation``: what differs from a closed one; ``fields``: what differs of the grouping."""
    fields = {"status": "award", "launched_on": LAUNCHED, "opened_on": date(2025, 9, 1)} | fields
    metropole, grouping = make_territory(members=members, lots=lots, **fields)
    facts = {
        "launched_on": LAUNCHED,
        "notice_sent_on": NOTICE,
        "offers_due_at": DUE,
        "opened_on": CLOSED,
        "closed_on": CLOSED,
        "committee": "tender_committee",
        "committee_met_on": MET,
    }
    tender = make_consultation(grouping, **facts | (consultation or {}))
    own = grouping.memberships.get(organisation=metropole)
    others = list(grouping.memberships.exclude(pk=own.pk).order_by("pk"))
    return Tender(metropole, grouping, tender, list(grouping.lots.all()), [own, *others], make_affiliation(metropole))


def company(row: int = 1, **fields) -> HolderEntry:
    return HolderEntry(**{"row": row, "name": f"Papeterie {row}", "identifier": make_siret()} | fields)


def decide(tender: Tender, lot: Lot | None = None, *, holders=None, version=None, actor=None, today=TODAY, **fields):
    """Record a decision on ``lot`` (the first one), as the screen would: awarded for 3 000,00 € unless told."""
    lot = lot or tender.lots[0]
    stored = Award.objects.filter(consultation=tender.consultation, lot=lot).first()
    award = stored or Award(consultation=tender.consultation, lot=lot)
    award.consultation, award.lot = tender.consultation, lot
    if stored is None:
        fields = {"outcome": "awarded", "decided_on": MET, "offers_received": 3, "duration_months": 48} | fields
        if fields["outcome"] == "awarded" and "maximum_excl_tax" not in fields:
            fields.setdefault("amount_excl_tax", Money("3000.00", "EUR"))
    for name, value in fields.items():
        setattr(award, name, value)
    if holders is None and award.outcome == "awarded":
        kept = list(stored.holders.all()) if stored else []
        holders = [HolderEntry(n, h.name, h.identifier, h.identifier_type) for n, h in enumerate(kept, 1)] or [
            company()
        ]
    read = (stored.version if stored else 0) if version is None else version
    return award_save(
        award=award, holders=holders or [], actor=actor or tender.buyer, today=today, expected_version=read
    )


def follow(tender: Tender, award: Award, **fields) -> Award:
    """Record the dates of an award; those not told stay as stored."""
    stored = Award.objects.select_related("lot").get(pk=award.pk)
    stored.consultation = tender.consultation
    names = ("rejection_sent_on", "signed_on", "notified_on", "data_published_on")
    values = {name: getattr(stored, name) for name in names} | fields
    values.setdefault("expected_version", stored.version)
    return award_follow(award=stored, actor=values.pop("actor", tender.buyer), today=TODAY, **values)


def notify(tender: Tender, award: Award) -> Award:
    """Rejections on 13/04, signed on 24/04 after eleven days, notified on 26/04."""
    dates = {"rejection_sent_on": date(2026, 4, 13), "signed_on": date(2026, 4, 24), "notified_on": date(2026, 4, 26)}
    return follow(tender, award, **dates)
