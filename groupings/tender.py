"""Where each lot of a launched grouping stands: its consultation, what was decided, who holds it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone

from groupings.choices import LAUNCHED, GroupingStatus
from groupings.contract_choices import Outcome
from groupings.models import Award, AwardShare, Consultation, Grouping, Lot
from groupings.rules.award_dates import AwardFacts
from groupings.rules.gate import closing_refusal, notification_refusal, still_open_refusal
from groupings.rules.tender_steps import LotFacts, TenderFacts

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
    last = next((c for c in consultations if any(held.pk == lot.pk for held in c.lots.all())), None)
    awards.sort(key=lambda award: -award.consultation.number)
    return lot_state(lot, last, awards)


def lot_state(lot: Lot, last: Consultation | None, awards: Sequence[Award]) -> LotState:
    """The state from rows already read: ``last`` is the last consultation that holds the lot, ``awards`` its own."""
    current = None
    for award in awards:
        award.lot = lot
        if last is not None and award.consultation_id == last.pk:
            award.consultation, current = last, award
    return LotState(lot, last, current, tuple(award for award in awards if award is not current))


def award_facts(award: Award) -> AwardFacts:
    """What the dates of that award depend on."""
    return AwardFacts(
        decided_on=award.decided_on,
        is_formal=award.is_formal,
        is_electronic=award.consultation.is_electronic,
        offers_received=award.offers_received,
    )


def tender_facts(tender: Consultation, states: Iterable[LotState], *, now: datetime, tells_awards: bool) -> TenderFacts:
    """What the steps of that consultation depend on; ``states``: those of every lot of the grouping, ``now`` at Paris
    time. ``tells_awards``: for the coordinator's people."""
    every = list(states)
    states = [state for state in every if state.consultation is not None and state.consultation.pk == tender.pk]
    due_at = tender.offers_due_at
    # A lot taken out of the formalised procedure is out of the commission's hands too (CCP, R2123-1; CGCT, L1414-2).
    is_due = tender.needs_tender_committee and not (
        states and all(state.lot.takes_small_lot_exception for state in states)
    )
    return TenderFacts(
        launched_on=tender.launched_on,
        now=now,
        notice_sent_on=tender.notice_sent_on,
        offers_due_at=None if due_at is None else timezone.localtime(due_at),
        opened_on=tender.opened_on,
        closed_on=tender.closed_on,
        committee_is_due=is_due,
        committee_met_on=tender.committee_met_on,
        lots=[_lot_facts(state) for state in states],
        tells_awards=tells_awards,
        has_contract_elsewhere=any(
            state.award is not None and state.award.is_awarded for state in every if state not in states
        ),
    )


def _lot_facts(state: LotState) -> LotFacts:
    award = state.award
    if award is None:
        return LotFacts(state.lot.number)
    return LotFacts(
        number=state.lot.number,
        is_decided=award.outcome != Outcome.POSTPONED,
        is_awarded=award.is_awarded,
        earliest_signature_on=award_facts(award).earliest_signature_on(award.rejection_sent_on),
        signed_on=award.signed_on,
        notified_on=award.notified_on,
    )


@dataclass(frozen=True)
class LotSummary:
    """One lot on the page of its grouping. ``award`` is one of ``execution.page_awards``."""

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


def tender_summary(grouping: Grouping, *, lots: Sequence[Lot], awards: Iterable[Award]) -> TenderSummary | None:
    """The consultation while it is open, in one query; the decisions after (``execution.page_awards``). None before the
    launch."""
    if grouping.status not in LAUNCHED:
        return None
    if grouping.status == GroupingStatus.CONSULTATION:
        first = grouping.consultations.filter(number=1).first()
        return TenderSummary(first, tuple(LotSummary(lot, None) for lot in lots))
    last: dict[int, Award] = {}
    for award in sorted(awards, key=lambda award: award.consultation.number):
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
