"""The back-planning of a grouping, from the database to the rule: what is done, who still votes, which procedure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from groupings.choices import IN_FORCE, IN_PREPARATION, GroupingStatus
from groupings.contract_choices import Outcome
from groupings.contract_value import launch_day, procedure_of, value_of
from groupings.forecast import launch_states, notice_of
from groupings.models import Award, Consultation, Grouping, Lot, Membership, NeedLine
from groupings.reminders import filing_date
from groupings.rules.back_planning import Assembly, BackPlanning, back_planning
from groupings.rules.contract_value import ContractValue
from groupings.rules.thresholds import FORMAL, LABELS
from procurement.core.journal.models import JournalEntry

_ORDER = [status for status in GroupingStatus if status != GroupingStatus.CANCELLED]
#: Step of the life cycle, as the journal names it → the stage it ends.
_ENDS = {"grouping.close_needs": "needs", "grouping.start_votes": "convention"}


@dataclass(frozen=True)
class Basis:
    """What the durations depend on. ``is_assumed``: the procedure is not known, or not the reader's to know."""

    procedure: str
    is_electronic: bool = True
    is_assumed: bool = False

    @property
    def told(self) -> str:
        how = "par voie électronique" if self.is_electronic else "sans voie électronique"
        if self.is_assumed:
            return f"Hypothèse\u00a0: {LABELS[self.procedure]}, {how}."
        return f"{LABELS[self.procedure].capitalize()}, {how}."


def is_planned(grouping: Grouping) -> bool:
    """Whether it has a back-planning: a wanted start, followed here, not abandoned."""
    return (
        grouping.performance_planned_on is not None
        and not grouping.is_declared_only
        and grouping.status != GroupingStatus.CANCELLED
    )


def basis_of(
    grouping: Grouping, value: ContractValue | None, today: date, consultation: Consultation | None = None
) -> Basis:
    """The procedure of the ``consultation`` once there is one, else the one ``value`` calls for; a formalised one is
    assumed, the longest, when neither is known or worth anything yet."""
    if consultation is not None and (consultation.procedure_code or consultation.procedure):
        code = consultation.procedure_code if consultation.procedure_code in LABELS else ""
        return Basis(code or (FORMAL if consultation.is_formal else "adapted"), consultation.is_electronic)
    electronic = consultation.is_electronic if consultation is not None else True
    if value is None or not value.total:
        return Basis(FORMAL, electronic, is_assumed=True)
    found = procedure_of(value, grouping.category, launch_day(grouping, today))
    return Basis(FORMAL, electronic, is_assumed=True) if found is None else Basis(found.code, electronic)


def plan_of(
    grouping: Grouping,
    memberships: Sequence[Membership],
    basis: Basis,
    done: dict[str, date | None],
    today: date,
) -> BackPlanning:
    """The plan from rows already read; ``memberships`` by ``with_approval``. The grouping ``is_planned``."""
    return back_planning(
        grouping.performance_planned_on,
        today=today,
        procedure=basis.procedure,
        is_electronic=basis.is_electronic,
        done=done,
        assemblies=_assemblies(grouping, memberships, today),
    )


def reached(grouping: Grouping, memberships: Iterable[Membership], today: date) -> dict[str, date | None]:
    """The stages that are done by what the grouping and its members say, each with its real date when known."""
    done: dict[str, date | None] = {}
    place = _ORDER.index(grouping.status)
    if grouping.opened_on <= today:
        done["sourcing"] = grouping.opened_on
    if place >= _ORDER.index(GroupingStatus.CONVENTION):
        done["needs"] = None
    if place >= _ORDER.index(GroupingStatus.DELIBERATIONS):
        done["convention"] = None
    concerned = [state for state in launch_states(grouping, memberships, today) if state.in_tender]
    if concerned and place >= _ORDER.index(GroupingStatus.CONVENTION):
        acts = [state.executory_on for state in concerned if state.needs_vote]
        if all(on is not None and on <= today for on in acts):
            done["deliberations"] = max(acts, default=None)
            signed = [state.signed_on for state in concerned]
            if all(signed):
                done["signature"] = max(signed)
    if grouping.is_launched:
        done |= {"deliberations": done.get("deliberations"), "signature": done.get("signature")}
        done["documents"] = grouping.launched_on
    if place >= _ORDER.index(GroupingStatus.AWARD):
        done["tender"] = None
    if place >= _ORDER.index(GroupingStatus.PERFORMANCE):
        done |= dict.fromkeys(("analysis", "standstill", "notification"))
        if grouping.performance_planned_on and grouping.performance_planned_on <= today:
            done["preparation"] = grouping.performance_planned_on
    return done


def journalled(grouping: Grouping, done: dict[str, date | None]) -> dict[str, date | None]:
    """``done`` with the days the journal says the survey was closed and the convention sent. One query."""
    entries = JournalEntry.objects.filter(thread=grouping.thread, verb__in=_ENDS).order_by()
    days = {
        _ENDS[verb]: timezone.localtime(at).date() for verb, at in entries.values_list("verb").annotate(at=Max("at"))
    }
    return {code: on or days.get(code) for code, on in done.items()}


def contracted(grouping: Grouping, consultation: Consultation, affiliation) -> dict[str, date | None]:
    """What the latest consultation, and the awards the reader may see, say is done: the steps of ``tender_steps``, with
    their real dates. Two queries, one while nothing is decided."""
    done: dict[str, date | None] = {}
    if consultation.closed_on or consultation.opened_on:
        due_at = consultation.offers_due_at
        done["tender"] = timezone.localtime(due_at).date() if due_at else consultation.opened_on
    visible = Award.objects.visible_to(affiliation).filter(lot__grouping=grouping)
    decided = {
        award.lot_id: award
        for award in visible.exclude(outcome=Outcome.POSTPONED).order_by("consultation__number", "pk")
    }
    if not decided:
        return done
    # What a former consultation decided of a lot put out again is decided again.
    again = Exists(Consultation.lots.through.objects.filter(consultation=consultation, lot=OuterRef("pk")))
    waited = [
        pk
        for pk, is_again in grouping.lots.order_by().annotate(is_again=again).values_list("pk", "is_again")
        if pk not in decided or (is_again and decided[pk].consultation_id != consultation.pk)
    ]
    if waited and not _is_over(grouping):
        return done
    contracts = [award for award in decided.values() if award.is_awarded]
    done["analysis"] = max(award.decided_on for award in decided.values())
    if contracts and all(award.signed_on for award in contracts):
        done["standstill"] = max(award.signed_on for award in contracts)
        if all(award.notified_on for award in contracts):
            done["notification"] = max(award.notified_on for award in contracts)
    return done


def reopened(grouping: Grouping, consultation: Consultation) -> bool:
    """Whether lots are out again while the grouping stands at the award: its offers are awaited once more."""
    return grouping.status == GroupingStatus.AWARD and consultation.number > 1 and not consultation.closed_on


def _is_over(grouping: Grouping) -> bool:
    """All is decided and notified, though a member does not read what was not awarded."""
    return _ORDER.index(grouping.status) >= _ORDER.index(GroupingStatus.PERFORMANCE)


def plans_of(groupings: Iterable[Grouping], today: date) -> list[tuple[Grouping, BackPlanning]]:
    """The plans of several groupings in preparation, for those who may know all their needs: five queries."""
    planned = [grouping for grouping in groupings if is_planned(grouping) and grouping.status in IN_PREPARATION]
    if not planned:
        return []
    memberships: dict[int, list[Membership]] = defaultdict(list)
    for membership in Membership.objects.filter(grouping__in=planned).with_approval(today):
        memberships[membership.grouping_id].append(membership)
    lots: dict[int, list[Lot]] = defaultdict(list)
    for lot in Lot.objects.filter(grouping__in=planned):
        lots[lot.grouping_id].append(lot)
    needs: dict[int, list[NeedLine]] = defaultdict(list)
    owner = {lot.pk: pk for pk, own in lots.items() for lot in own}
    for need in NeedLine.objects.filter(lot__grouping__in=planned):
        needs[owner[need.lot_id]].append(need)
    plans = []
    for grouping in planned:
        members = memberships[grouping.pk]
        value = value_of(grouping, members, lots[grouping.pk], needs[grouping.pk])
        basis = basis_of(grouping, value, today)
        plans.append((grouping, plan_of(grouping, members, basis, reached(grouping, members, today), today)))
    return plans


def _assemblies(grouping: Grouping, memberships: Iterable[Membership], today: date) -> list[Assembly]:
    """The bodies that take part in the tender and have not voted yet, with their coming sessions."""
    found = []
    states = launch_states(grouping, memberships, today)
    waiting = {state.key for state in states if state.in_tender and state.needs_vote}
    for membership in memberships:
        approval = membership.votes[0] if membership.votes else None
        if membership.pk not in waiting or (approval is not None and approval.status in IN_FORCE):
            continue
        body = membership.organisation
        sessions = tuple(
            (session.meeting_on, filing_date(session, notice_of(body, session.meeting_on))) for session in body.coming
        )
        found.append(Assembly(body.name, sessions))
    return found
