"""The legal remarks of one deliberation, from the database to the rule."""

from groupings.choices import DeliberationStatus
from groupings.forecast import reference_population
from groupings.models import Deliberation
from groupings.rules.remarks import Facts, Remark, remarks


def remarks_of(deliberation: Deliberation) -> list[Remark]:
    """What a jurist would point at, overridden or not. Reads the session, the organisation and its parent, and the
    former attempts (``attempts`` may be prefetched)."""
    organisation, session = deliberation.membership.organisation, deliberation.session
    meeting_on = session.meeting_on if session else deliberation.decided_on
    reconvened = any(
        attempt.outcome == DeliberationStatus.NO_QUORUM and attempt.meeting_on != meeting_on
        for attempt in deliberation.attempts.all()
    )
    return remarks(
        Facts(
            body=organisation.kind,
            maker=deliberation.kind,
            reference_population=reference_population(organisation),
            meeting_on=meeting_on,
            sent_on=session.convened_on if session else None,
            is_first_session=bool(session and session.is_first_after_renewal),
            note_sent=session.has_explanatory_note if session else None,
            in_office=deliberation.in_office,
            present=deliberation.present,
            was_reconvened=reconvened,
        )
    )
