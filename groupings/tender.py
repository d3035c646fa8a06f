"""Where each lot of a launched grouping stands: its consultation, what was decided, who holds it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from groupings.choices import LAUNCHED
from groupings.contract_choices import Outcome
from groupings.models import Award, AwardShare, Consultation, Grouping, Lot

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
