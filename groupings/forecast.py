"""The launch of one grouping, from the database to the rule: who is ready, who blocks, by when."""

from collections.abc import Iterable
from datetime import date

from groupings.choices import IN_FORCE, ON_A_SESSION, DeliberationStatus
from groupings.models import Deliberation, Grouping, Lot, Membership
from groupings.rules.clear_days import notice_days
from groupings.rules.framework import is_maximum_compulsory
from groupings.rules.launch import MemberState, SessionDates, first_usable_session
from members.models import CouncilSession, Organisation


def launch_readiness(grouping: Grouping) -> dict[str, list[str]]:
    """Who keeps the launch waiting, by facts alone: the arguments of ``gate.launch_refusal``."""
    memberships = grouping.memberships.active().with_approval(date.max)
    return readiness(launch_states(grouping, memberships, date.max))


def readiness(states: list[MemberState]) -> dict[str, list[str]]:
    """The same from states already read. A member without needs in the tender keeps nobody waiting."""
    concerned = [state for state in states if state.in_tender]
    waiting = [state for state in concerned if state.needs_vote and state.executory_on is None]
    unsigned = [state for state in concerned if state not in waiting and state.signed_on is None]
    return {"waiting": [state.name for state in waiting], "unsigned": [state.name for state in unsigned]}


def unbounded_lots(lots: Iterable[Lot], launched_on: date) -> list[int]:
    """Numbers of the accords-cadres whose maximum a launch that day waits for."""
    if not is_maximum_compulsory(launched_on):
        return []
    return [lot.number for lot in lots if lot.is_framework and lot.maximum_excl_tax is None]


def launch_states(grouping: Grouping, memberships: Iterable[Membership], today: date) -> list[MemberState]:
    """What is known of the approval of each of ``memberships`` still active, read by ``with_approval``.

    ``MemberState.key`` is the membership's number.
    """
    return [_state(membership, grouping, today) for membership in memberships if membership.is_active]


def _state(membership: Membership, grouping: Grouping, today: date) -> MemberState:
    is_coordinator = membership.organisation_id == grouping.coordinator_id
    approval = membership.votes[0] if membership.votes else None
    return MemberState(
        key=membership.pk,
        name=membership.organisation.name,
        executory_on=approval.executory_on if approval else None,
        voted_on=approval.decided_on if approval and approval.status in IN_FORCE else None,
        signed_on=membership.signed_on,
        next_session_on=_next_session_on(membership, approval, today),
        # The coordinator is party to the convention even when it buys nothing for itself.
        in_tender=membership.has_needs or is_coordinator,
        can_leave=not is_coordinator,
        needs_vote=approval is None or approval.status != DeliberationStatus.NOT_REQUIRED,
    )


def _next_session_on(membership: Membership, approval: Deliberation | None, today: date) -> date | None:
    if approval and approval.status in ON_A_SESSION:
        return approval.session.meeting_on
    organisation = membership.organisation
    return next_usable_session(organisation, organisation.coming, today)


def next_usable_session(organisation: Organisation, sessions: list[CouncilSession], today: date) -> date | None:
    """The first of ``sessions`` whose agenda can still take a text today; None when there is none."""
    dates = [SessionDates(session.meeting_on, session.agenda_closes_on) for session in sessions]
    return first_usable_session(dates, today=today, notice_days=notice_of(organisation, today))


def notice_of(organisation: Organisation, on: date) -> int:
    """The clear days its convocation owes; 0 for a body whose own statutes decide."""
    try:
        return notice_days(organisation.kind, reference_population(organisation) or 0, on)
    except LookupError:
        return 0


def reference_population(organisation: Organisation) -> int | None:
    """That of the last general renewal when known, else today's (CGCT, R2151-4); its commune's for a CCAS."""
    body = organisation.parent if organisation.kind == Organisation.Kind.CCAS and organisation.parent else organisation
    return body.reference_population if body.reference_population is not None else body.population
