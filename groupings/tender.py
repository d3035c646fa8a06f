"""Where each lot of a launched grouping stands: its consultation, what was decided, who holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, DecimalField, Exists, OuterRef, Subquery
from django.utils import timezone

from groupings.choices import LAUNCHED, GroupingStatus
from groupings.contract_choices import Outcome
from groupings.models import Award, AwardHolder, AwardShare, Consultation, Grouping, Lot
from groupings.rules.gate import closing_refusal, notification_refusal, still_open_refusal

#: A lot that one of these left without a contract may be put out again.
RELAUNCHED = (Outcome.UNSUCCESSFUL, Outcome.DROPPED)


@dataclass(frozen=True)
class LotState:
    """One lot. ``consultation``: the last that holds it. ``award``: its decision in it, else None; None too when the
    reader may not see it. ``earlier``: what was decided in the former ones, the latest first."""

    lot: Lot
    consultation: Consultation | None
    award: Award | None
    earlier: tuple[Award, ...] = ()

    @property
    def may_relaunch(self) -> bool:
        return self.award is not None and self.award.outcome in RELAUNCHED


def consultations_of(grouping: Grouping) -> list[Consultation]:
    """The consultations, the latest first, each with its ``lots`` read: two queries, none before the launch."""
    if grouping.status not in LAUNCHED and grouping.launched_on is None:
        return []
    found = list(grouping.consultations.prefetch_related("lots"))
    for consultation in found:
        consultation.grouping = grouping
    return found


def lot_states(
    grouping: Grouping, affiliation, *, lots: Sequence[Lot], consultations: Sequence[Consultation]
) -> list[LotState]:
    """One state per lot, in two queries; a member reads no decision before its notification."""
    if not consultations:
        return [LotState(lot, None, None) for lot in lots]
    shares = AwardShare.objects.filter(award=OuterRef("pk"))
    awards = (
        Award.objects.visible_to(affiliation)
        .filter(lot__grouping=grouping)
        .annotate(is_shared_out=Exists(shares))
        .prefetch_related("holders")
    )
    by_lot: dict[int, list[Award]] = {}
    numbered = {consultation.pk: consultation for consultation in consultations}
    for award in awards:
        award.consultation = numbered[award.consultation_id]
        by_lot.setdefault(award.lot_id, []).append(award)
    return [_state(lot, consultations, by_lot.get(lot.pk, [])) for lot in lots]


def _state(lot: Lot, consultations: Sequence[Consultation], awards: list[Award]) -> LotState:
    for award in awards:
        award.lot = lot
    last = next((c for c in consultations if any(held.pk == lot.pk for held in c.lots.all())), None)
    awards.sort(key=lambda award: -award.consultation.number)
    current = next((award for award in awards if last is not None and award.consultation_id == last.pk), None)
    return LotState(lot, last, current, tuple(award for award in awards if award is not current))


@dataclass(frozen=True)
class LotSummary:
    """One lot on the page of its grouping. ``award`` carries ``holder_name`` (the lead), ``holder_count`` and
    ``own_part`` (the reader's body, € excl. tax)."""

    lot: Lot
    award: Award | None


@dataclass(frozen=True)
class TenderSummary:
    """What the page of a launched grouping says. ``first``: its consultation while nothing can be decided yet."""

    first: Consultation | None
    lots: tuple[LotSummary, ...]

    @property
    def has_own_part(self) -> bool:
        return any(row.award is not None and row.award.own_part is not None for row in self.lots)

    def closing_refusal(self) -> str:
        due_at = self.first.offers_due_at if self.first else None
        return closing_refusal(has_consultation=self.first is not None, offers_due_at=due_at)

    def still_open(self, now: datetime) -> str:
        """As the action that closes it says: not before the hour given to everybody. ``now`` at Paris time."""
        due_at = self.first.offers_due_at if self.first else None
        return "" if due_at is None else still_open_refusal(offers_due_at=timezone.localtime(due_at), now=now)

    def notification_refusal(self) -> str:
        """As ``award_readiness``, from what is already read by one of the coordinator's people."""
        decided = [row for row in self.lots if row.award is not None and row.award.outcome != Outcome.POSTPONED]
        awarded = [row for row in decided if row.award.is_awarded]
        return notification_refusal(
            undecided=[row.lot.number for row in self.lots if row not in decided],
            not_notified=[row.lot.number for row in awarded if row.award.notified_on is None],
            awarded=len(awarded),
        )


def tender_summary(grouping: Grouping, affiliation, *, lots: Sequence[Lot]) -> TenderSummary | None:
    """In one query: the consultation while it is open, the decisions after. None before the launch."""
    if grouping.status not in LAUNCHED:
        return None
    if grouping.status == GroupingStatus.CONSULTATION:
        first = grouping.consultations.filter(number=1).first()
        return TenderSummary(first, tuple(LotSummary(lot, None) for lot in lots))
    holders = AwardHolder.objects.filter(award=OuterRef("pk"))
    own = AwardShare.objects.filter(award=OuterRef("pk"), membership__organisation=affiliation.organisation_id)
    amount = DecimalField(max_digits=14, decimal_places=2)
    awards = (
        Award.objects.visible_to(affiliation)
        .filter(lot__grouping=grouping)
        .select_related("consultation")
        .annotate(
            holder_name=Subquery(holders.values("name")[:1]),
            holder_count=Count("holders", distinct=True),
            own_part=Subquery(own.values("amount_excl_tax")[:1], output_field=amount),
        )
        .order_by("consultation__number")
    )
    last: dict[int, Award] = {}
    for award in awards:
        # A lot put out again keeps its former decision until the next one is more than a postponement.
        if award.outcome != Outcome.POSTPONED or award.lot_id not in last:
            last[award.lot_id] = award
    return TenderSummary(None, tuple(LotSummary(lot, last.get(lot.pk)) for lot in lots))


def award_readiness(grouping: Grouping) -> dict:
    """What keeps « Notifier » waiting: the arguments of ``gate.notification_refusal``, in two queries.

    A postponed lot has no decision yet; one put out again keeps the decision of the former consultation.
    """
    awards = list(Award.objects.filter(lot__grouping=grouping).values_list("lot", "outcome", "notified_on"))
    decided = {lot for lot, outcome, _ in awards if outcome != Outcome.POSTPONED}
    awarded = {lot: notified_on for lot, outcome, notified_on in awards if outcome == Outcome.AWARDED}
    lots = list(grouping.lots.values_list("pk", "number"))
    return {
        "undecided": [number for pk, number in lots if pk not in decided],
        "not_notified": [number for pk, number in lots if pk in awarded and awarded[pk] is None],
        "awarded": len(awarded),
    }
