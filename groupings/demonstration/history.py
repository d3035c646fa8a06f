"""The sixteen groupings of 2016 as history: voted, signed, performed, closed, each under the law of its day."""

from datetime import date, timedelta
from random import Random

from groupings.choices import DeliberationStatus, GroupingStatus
from groupings.models import Deliberation, Grouping, Membership, Signature
from procurement.core.calendar import add_months, next_working_day


def make_history(groupings: list[Grouping], random: Random) -> None:
    """Give each grouping of the bilan its dates and its members' enforceable acts. Illustrative, all in 2015–2016.

    The first five conventions bear a date before 01/04/2016 (code des marchés publics, art. 8), the others are under
    the ordonnance of 2015.
    """
    for rank, grouping in enumerate(groupings):
        opened_on = date(2015, 10, 5) + timedelta(days=2 * rank) if rank < 5 else date(2016, 1, 4 + rank)
        convention_on = date(2016, 3, 7) + timedelta(days=4 * rank if rank < 5 else 30 + 6 * rank)
        vote_and_sign(grouping, convention_on, random)
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


def vote_and_sign(grouping: Grouping, convention_on: date, random: Random) -> None:
    """Every member's act adopted and enforceable before ``convention_on``, and its signature that day."""
    votes = Deliberation.objects.filter(membership__grouping=grouping).select_related("membership__organisation")
    for rank, deliberation in enumerate(votes, start=1):
        # Enforceable before the convention is signed: the vote is at least three weeks earlier.
        decided_on = next_working_day(convention_on - timedelta(days=random.randint(25, 55)))
        transmitted_on = next_working_day(decided_on + timedelta(days=random.randint(1, 6)))
        received_on = transmitted_on + timedelta(days=random.choice((0, 0, 1)))
        deliberation.status = DeliberationStatus.ADOPTED
        deliberation.number = f"{decided_on.year}-{rank + random.randint(10, 90):03d}"
        deliberation.decided_on = decided_on
        deliberation.transmitted_on = transmitted_on
        deliberation.received_on = received_on
        deliberation.published_on = decided_on + timedelta(days=random.randint(1, 7))
        count_votes(deliberation, random)
        deliberation.full_clean()
        deliberation.save()
        sign(deliberation.membership, convention_on)


def count_votes(deliberation: Deliberation, random: Random) -> None:
    """Plausible numbers of a vote that gave the state the deliberation is in."""
    in_office = random.choice((15, 19, 23, 27, 29, 33))
    present = in_office - random.randint(0, in_office // 4)
    proxies = min(in_office - present, random.randint(0, 3))
    abstained = random.randint(0, 3)
    cast = present + proxies - abstained
    votes_against = cast if deliberation.status == DeliberationStatus.REJECTED else random.randint(0, 2)
    deliberation.in_office, deliberation.present, deliberation.proxies = in_office, present, proxies
    deliberation.votes_for, deliberation.votes_against = cast - votes_against, votes_against
    deliberation.abstained = abstained


def sign(membership: Membership, signed_on: date) -> None:
    """By the body's executive of that day."""
    executive = membership.organisation.representatives.in_office(signed_on).first()
    signature = Signature(membership=membership, signed_on=signed_on, signatory=str(executive or "Non renseigné"))
    signature.full_clean()
    signature.save()
