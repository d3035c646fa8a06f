"""Council calendars of the demonstration: fictitious, and possible."""

from datetime import date, timedelta
from random import Random

from members.bodies import Kind
from members.models import CouncilSession, Organisation
from procurement.core.calendar import is_working_day

#: Days before the meeting: agenda closes, convocation leaves (beyond the legal 3 or 5 clear days).
AGENDA_DAYS, CONVOCATION_DAYS = 14, 7
REACH = timedelta(days=210)


def create_sessions(organisations: list[Organisation], random: Random, today: date) -> None:
    """A meeting every five to eleven weeks around ``today``, on working days, never in August."""
    rows = []
    for organisation in organisations:
        day = today - REACH + timedelta(days=random.randint(0, 40))
        while day < today + REACH:
            rows.append(_session(organisation, day, today))
            weeks = (
                random.randint(5, 8) if organisation.kind in (Kind.METROPOLE, Kind.COMMUNE) else random.randint(8, 11)
            )
            day += timedelta(weeks=weeks)
    for row in rows:
        row.full_clean()
    CouncilSession.objects.bulk_create(rows)


def create_session(organisation: Organisation, day: date, today: date) -> CouncilSession:
    """One more meeting, on ``day`` or the first working day after it."""
    session = _session(organisation, day, today)
    session.full_clean()
    session.save()
    return session


def _session(organisation: Organisation, day: date, today: date) -> CouncilSession:
    meeting_on = _working_evening(day)
    convened_on = meeting_on - timedelta(days=CONVOCATION_DAYS)
    return CouncilSession(
        organisation=organisation,
        meeting_on=meeting_on,
        agenda_closes_on=meeting_on - timedelta(days=AGENDA_DAYS),
        convened_on=convened_on if convened_on <= today else None,
        source="calendrier fictif",
    )


def _working_evening(day: date) -> date:
    while day.month == 8 or not is_working_day(day):
        day += timedelta(days=1)
    return day
