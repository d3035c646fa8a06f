"""The sixteen groupings of 2016 as history: voted, signed, performed, closed, each under the law of its day."""

from datetime import date, timedelta
from random import Random

from groupings.choices import DeliberationStatus, GroupingStatus
from groupings.models import Deliberation, Grouping
from procurement.core.calendar import add_months, next_working_day


def make_history(groupings: list[Grouping], random: Random) -> None:
    """Give each grouping of the bilan its dates and its members' enforceable acts. Illustrative, all in 2015–2016.

    The first five conventions bear a date before 01/04/2016 (code des marchés publics, art. 8), the others are under
    the ordonnance of 2015.
    """
    for rank, grouping in enumerate(groupings):
        opened_on = date(2015, 10, 5) + timedelta(days=2 * rank) if rank < 5 else date(2016, 1, 4 + rank)
        convention_on = date(2016, 3, 7) + timedelta(days=4 * rank if rank < 5 else 30 + 6 * rank)
        _vote(grouping, convention_on, random)
        launched_on = next_working_day(convention_on + timedelta(days=75))
        starts_on = date(2017, 1, 1)
        Grouping.objects.filter(pk=grouping.pk).update(
            status=GroupingStatus.REVIEW,
            opened_on=opened_on,
            convention_on=convention_on,
            needs_due_on=opened_on + timedelta(days=45),
            deliberations_due_on=launched_on - timedelta(days=15),
            launch_planned_on=launched_on,
            launched_on=launched_on,
            award_planned_on=date(2016, 12, 1),
            performance_planned_on=starts_on,
            closed_on=add_months(starts_on, grouping.duration_months) - timedelta(days=1),
        )
        grouping.memberships.update(joined_on=convention_on)


def _vote(grouping: Grouping, convention_on: date, random: Random) -> None:
    for rank, deliberation in enumerate(Deliberation.objects.filter(membership__grouping=grouping), start=1):
        # Enforceable before the convention is signed: the vote is at least three weeks earlier.
        decided_on = next_working_day(convention_on - timedelta(days=random.randint(25, 55)))
        transmitted_on = next_working_day(decided_on + timedelta(days=random.randint(1, 6)))
        received_on = transmitted_on + timedelta(days=random.choice((0, 0, 1)))
        deliberation.status = DeliberationStatus.ADOPTED
        deliberation.number = f"2016-{rank + random.randint(10, 90):03d}"
        deliberation.decided_on = decided_on
        deliberation.transmitted_on = transmitted_on
        deliberation.received_on = received_on
        deliberation.published_on = decided_on + timedelta(days=random.randint(1, 7))
        deliberation.full_clean()
        deliberation.save()
