"""What the tenders ask of the coordinator's people today: offers due, a consultation to close, a lot to decide, a
contract to sign or to notify, essential data to publish.

The sentence is the one of the page of the consultation (``rules.tender_steps``): one truth for what comes next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from groupings.choices import GroupingStatus
from groupings.contract_choices import Outcome
from groupings.models import Award, Consultation, Grouping
from groupings.rules.essential_data import publication_deadline, publication_threshold
from groupings.rules.tender_steps import is_over, is_waited_for, next_sentence
from groupings.tender import LotState, lot_state, tender_facts

#: The stages at which a tender still asks for something.
_FOLLOWED = (GroupingStatus.CONSULTATION, GroupingStatus.AWARD, GroupingStatus.PERFORMANCE)


@dataclass(frozen=True)
class TenderTask:
    """One thing to do after the launch. ``what``: a whole French sentence; ``data_year``: the year of the essential
    data to publish, None when the page of the consultation is where it is done."""

    grouping: Grouping
    what: str
    data_year: int | None = None


def watched_tenders(affiliation, now: datetime, soon: timedelta) -> tuple[list[TenderTask], bool]:
    """The tasks, and whether any tender is followed: two queries, one when none is; for those who see the whole
    territory alone, since a member does none of it."""
    if not affiliation.sees_whole_territory:
        return [], False
    consultations = _running(affiliation)
    if not consultations:
        return [], False
    now = timezone.localtime(now)
    awards: dict[int, list[Award]] = {}
    found = Award.objects.visible_to(affiliation).filter(lot__grouping__in={c.grouping_id for c in consultations})
    for award in found.order_by("pk"):
        awards.setdefault(award.lot_id, []).append(award)
    by_grouping: dict[Grouping, list[Consultation]] = {}
    for consultation in consultations:
        by_grouping.setdefault(consultation.grouping, []).append(consultation)
    tasks = []
    for grouping, tenders in by_grouping.items():
        tasks += _tender_tasks(grouping, tenders, awards, now, soon)
        tasks += _data_tasks(grouping, tenders, awards, now.date() + soon)
    return tasks, True


def _running(affiliation) -> list[Consultation]:
    """Those that may ask for something, the latest of each grouping first, each with its ``held``: one query."""
    awarded = Award.objects.filter(lot__grouping=OuterRef("consultation__grouping"), outcome=Outcome.AWARDED)
    unfinished = Exists(awarded.filter(Q(notified_on=None) | Q(data_published_on=None)))
    relaunched = Exists(Consultation.objects.filter(grouping=OuterRef("consultation__grouping"), closed_on=None))
    rows = (
        Consultation.lots.through.objects.filter(consultation__in=Consultation.objects.visible_to(affiliation))
        .filter(consultation__grouping__status__in=_FOLLOWED)
        .filter(~Q(consultation__grouping__status=GroupingStatus.PERFORMANCE) | unfinished | relaunched)
        .select_related("consultation__grouping__coordinator", "lot")
        .order_by("consultation__grouping__reference", "consultation__grouping", "-consultation__number", "lot__number")
    )
    found: dict[int, Consultation] = {}
    for row in rows:
        consultation = found.setdefault(row.consultation_id, row.consultation)
        consultation.held = [*getattr(consultation, "held", []), row.lot]
    return list(found.values())


def _tender_tasks(
    grouping: Grouping, tenders: list[Consultation], awards: dict[int, list[Award]], now: datetime, soon: timedelta
) -> Iterable[TenderTask]:
    """What comes next in each consultation that still decides of a lot; else, once, that the grouping goes on."""
    told, is_all_over = [], True
    states: dict[int, LotState] = {}
    for tender in tenders:  # the latest first: it is the one that decides of the lots it holds
        for lot in tender.held:
            states.setdefault(lot.pk, lot_state(lot, tender, awards.get(lot.pk, [])))
    for tender in tenders:
        if all(state.consultation is not tender for state in states.values()):
            continue  # all put out again
        if grouping.status == GroupingStatus.PERFORMANCE and tender.number == 1 and tender.closed_on is None:
            continue  # in use before its consultation was followed here: only lots put out again are still open
        facts = tender_facts(tender, states.values(), now=now, tells_awards=True)
        is_all_over = is_all_over and is_over(facts)
        if is_waited_for(facts, soon):
            again = f"Consultation n° {tender.number}\u00a0: " if len(tenders) > 1 else ""
            told.append(TenderTask(grouping, again + next_sentence(facts)))
    if is_all_over and grouping.status == GroupingStatus.AWARD:
        told.append(
            TenderTask(grouping, "Tous les marchés sont notifiés\u00a0: faites passer le groupement en exécution.")
        )
    return told


def _data_tasks(
    grouping: Grouping, tenders: list[Consultation], awards: dict[int, list[Award]], until: date
) -> Iterable[TenderTask]:
    """The notified lots whose essential data are due by ``until``, one sentence per year of notification."""
    lots = {lot.pk: lot for tender in tenders for lot in tender.held}
    due: dict[int, list[tuple[int, date]]] = {}
    for lot in lots.values():
        for award in awards.get(lot.pk, []):
            if award.is_awarded and award.notified_on and award.data_published_on is None and _is_published(award):
                deadline = publication_deadline(award.notified_on)
                if deadline <= until:
                    due.setdefault(award.notified_on.year, []).append((lot.number, deadline))
    for year, found in due.items():
        count = f"du lot {found[0][0]}" if len(found) == 1 else f"de {len(found)} lots"
        first = min(deadline for _, deadline in found)
        yield TenderTask(
            grouping, f"Publiez les données essentielles {count} avant le {first:%d/%m/%Y}, puis notez-le.", year
        )


def _is_published(award: Award) -> bool:
    """Whether the essential data must hold it; a day the table does not hold asks for nothing."""
    try:
        return award.value is not None and award.value >= publication_threshold(award.notified_on).amount
    except LookupError:
        return False
