"""The legal remarks of one deliberation, from the database to the rule."""

from datetime import date

from groupings.choices import IN_FORCE, ON_A_SESSION, WITHOUT_EFFECT, DeliberationStatus
from groupings.forecast import reference_population
from groupings.models import Deliberation
from groupings.rules.remarks import Facts, Remark, remarks


def remarks_of(deliberation: Deliberation) -> list[Remark]:
    """What a jurist would point at, overridden or not."""
    return remarks(facts_of(deliberation))


def facts_of(deliberation: Deliberation) -> Facts:
    """What the rules need to know. Reads the session, the organisation and its parent, the former attempts and the
    signatures (``attempts`` and ``membership.signatures`` may be prefetched)."""
    organisation = deliberation.membership.organisation
    # A meeting that postponed the text, or lacked its quorum, says nothing of the one that will vote.
    session = deliberation.session if deliberation.status in _AT_A_MEETING else None
    meeting_on = session.meeting_on if session else deliberation.decided_on
    if deliberation.amendment is not None:  # what it decides is signed apart from the convention
        signature = deliberation.amendment.signatures.filter(membership=deliberation.membership_id).first()
    else:
        signature = next(iter(deliberation.membership.signatures.all()), None)
    return Facts(
        body=organisation.kind,
        maker=deliberation.kind,
        is_award=deliberation.purpose == Deliberation.Purpose.AWARD,
        reference_population=reference_population(organisation),
        meeting_on=meeting_on,
        sent_on=session.convened_on if session else None,
        is_first_session=bool(session and session.is_first_after_renewal),
        note_sent=session.has_explanatory_note if session else None,
        in_office=deliberation.in_office,
        present=deliberation.present,
        was_reconvened=_was_reconvened(deliberation, meeting_on),
        signed_on=signature.signed_on if signature else None,
        executory_on=deliberation.executory_on,
    )


_AT_A_MEETING = (*ON_A_SESSION, *IN_FORCE, *WITHOUT_EFFECT)


def _was_reconvened(deliberation: Deliberation, meeting_on: date | None) -> bool:
    """Whether the meeting just before, among those that had this text on their agenda, lacked its quorum."""
    if meeting_on is None:
        return False
    former = [a for a in deliberation.attempts.all() if a.meeting_on and a.meeting_on < meeting_on]
    last = max(former, key=lambda attempt: (attempt.meeting_on, attempt.pk), default=None)
    return last is not None and last.outcome == DeliberationStatus.NO_QUORUM
