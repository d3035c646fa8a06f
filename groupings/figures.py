"""The year's figures, as the bilan of the mutualisation scheme prints them."""

from dataclasses import dataclass
from decimal import Decimal

from groupings.models import Grouping, Membership, NeedLine
from members.bodies import Kind
from procurement.core.querysets import money_sum


@dataclass(frozen=True)
class AnnualFigures:
    """One civil year of one territory (or of all of them): counts of bodies, and € excl. tax over whole durations."""

    groupings: int
    communes: int
    ccas: int
    organisations: int
    estimated_total_excl_tax: Decimal
    participants_min: int
    participants_max: int


def annual_figures(groupings, year: int) -> AnnualFigures:
    """Count the ``groupings`` queryset followed at some moment of ``year``.

    A body taking part in several is counted once; a member withdrawn before the year is not. With no grouping every
    figure is zero.
    """
    followed = groupings.open_in(year)
    memberships = Membership.objects.filter(grouping__in=followed.values("pk")).exclude(
        withdrawn_on__lt=f"{year}-01-01"
    )
    kinds = list(memberships.order_by().values_list("organisation_id", "organisation__kind").distinct())
    sizes: dict[int, int] = {}
    for grouping_id in memberships.order_by().values_list("grouping_id", flat=True):
        sizes[grouping_id] = sizes.get(grouping_id, 0) + 1
    return AnnualFigures(
        groupings=followed.count(),
        communes=sum(kind == Kind.COMMUNE for _, kind in kinds),
        ccas=sum(kind == Kind.CCAS for _, kind in kinds),
        organisations=len(kinds),
        estimated_total_excl_tax=money_sum(
            NeedLine.objects.filter(membership__in=memberships.values("pk")), "estimated_amount_excl_tax"
        ),
        participants_min=min(sizes.values(), default=0),
        participants_max=max(sizes.values(), default=0),
    )


def all_groupings():
    """Every grouping of the database, for the command line."""
    return Grouping.objects.all()
