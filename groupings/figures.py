"""The year's figures, as the bilan of the mutualisation scheme prints them."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from groupings.models import Grouping, Membership, NeedLine
from members.bodies import Kind
from procurement.core.money import ZERO, round_half_up
from procurement.core.querysets import money_subquery


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


@dataclass(frozen=True)
class FollowedYear:
    """The same year in more detail: how many bodies of each kind, and (title, € excl. tax) of each grouping, by
    reference."""

    figures: AnnualFigures
    kinds: dict[str, int]
    subjects: list[tuple[str, Decimal]]


def annual_figures(groupings, year: int) -> AnnualFigures:
    """Count the ``groupings`` queryset followed at some moment of ``year``.

    A body taking part in several is counted once; a member withdrawn before the year is not. With no grouping every
    figure is zero.
    """
    return followed_year(groupings, year).figures


def followed_year(groupings, year: int) -> FollowedYear:
    """``annual_figures`` and what they are made of, in two queries."""
    memberships = Membership.objects.exclude(withdrawn_on__lt=f"{year}-01-01")
    needs = NeedLine.objects.filter(membership__in=memberships.values("pk"))
    followed = groupings.open_in(year)
    estimates = followed.annotate(
        year_total=money_subquery(needs, "estimated_amount_excl_tax", outer="membership__grouping")
    ).order_by("reference", "pk")
    subjects = [(title, round_half_up(total)) for title, total in estimates.values_list("title", "year_total")]
    places = list(
        memberships.filter(grouping__in=followed.order_by().values("pk"))
        .order_by()
        .values_list("grouping_id", "organisation_id", "organisation__kind")
    )
    sizes = Counter(grouping_id for grouping_id, _, _ in places)
    kinds = Counter(kind for _, kind in {(organisation_id, kind) for _, organisation_id, kind in places})
    return FollowedYear(
        AnnualFigures(
            groupings=len(subjects),
            communes=kinds[Kind.COMMUNE],
            ccas=kinds[Kind.CCAS],
            organisations=kinds.total(),
            estimated_total_excl_tax=sum((total for _, total in subjects), ZERO),
            participants_min=min(sizes.values(), default=0),
            participants_max=max(sizes.values(), default=0),
        ),
        dict(kinds),
        subjects,
    )


def all_groupings():
    """Every grouping of the database, for the command line."""
    return Grouping.objects.all()
