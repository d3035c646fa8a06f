"""How much of what was bought is measured: lot by lot, so that a headline never hides what nobody looked at.

The one definition of the product. Of a budget year, the base is every lot awarded and notified whose contract runs in
that year, all extensions included, in the groupings the reader sees; at the stage ESTIMATED, where nothing is awarded,
every lot whose survey of needs is closed. A lot is measured when at least one validated line of that stage is about
that year. For one member (the reader, or a filter) only the lots it has a need in are counted. Lots of the groupings of
another department (``is_declared_only``) and of abandoned ones are not: nobody here buys them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from groupings.choices import GroupingStatus
from groupings.models import Award, Lot, NeedLine
from procurement.core.calendar import add_months
from procurement.core.money import round_half_up
from savings.choices import GainStage
from savings.ledger import entries
from savings.rules.rates import rate


@dataclass(frozen=True)
class CoveredLot:
    """One lot of the base. ``estimated`` and ``awarded``: € excl. tax over the whole contract, None while unknown."""

    lot_id: int
    number: int
    title: str
    grouping_id: int
    reference: str
    grouping_title: str
    is_measured: bool
    estimated: Decimal | None
    awarded: Decimal | None

    @property
    def gap(self) -> Decimal | None:
        """The « écart à l’estimation »: the buyer sets the estimate, so that this is no gain."""
        return None if self.estimated is None or self.awarded is None else self.estimated - self.awarded


@dataclass(frozen=True)
class Coverage:
    """Lots measured out of all of them."""

    lots: tuple[CoveredLot, ...]

    @property
    def total(self) -> int:
        return len(self.lots)

    @property
    def measured(self) -> int:
        return sum(lot.is_measured for lot in self.lots)

    @property
    def unmeasured(self) -> list[CoveredLot]:
        return [lot for lot in self.lots if not lot.is_measured]

    @property
    def rate(self) -> Decimal | None:
        """% of the lots, two decimals; None when there is none."""
        return rate(Decimal(self.measured), Decimal(self.total))

    def of(self, grouping_id: int) -> "Coverage":
        return Coverage(tuple(lot for lot in self.lots if lot.grouping_id == grouping_id))


def coverage(
    affiliation,
    *,
    year: int,
    stage: str = GainStage.AWARDED,
    family: str = "",
    organisation_id: int | None = None,
    grouping_id: int | None = None,
) -> Coverage:
    """The lots of the base the affiliation may know of, in the order of groupings and lots. One query."""
    prefix, rows = ("", _surveyed(affiliation)) if stage == GainStage.ESTIMATED else ("lot__", _awarded(affiliation))
    rows = rows.filter(in_family(prefix, family))
    if grouping_id is not None:
        rows = rows.filter(**{f"{prefix}grouping_id": grouping_id})
    if not affiliation.sees_whole_territory or organisation_id is not None:
        needs = NeedLine.objects.visible_to(affiliation)
        if organisation_id is not None:
            needs = needs.filter(membership__organisation_id=organisation_id)
        rows = rows.filter(**{f"{prefix or 'pk'}{'id' if prefix else ''}__in": needs.values("lot_id")})
    asked = {"organisation": organisation_id} if organisation_id is not None else {}
    lot_id = OuterRef(f"{prefix}pk")
    measuring = entries(affiliation, stage=stage, origin_year=year, line__is_superseded=False, **asked)
    rows = rows.annotate(
        is_measured=Exists(measuring.filter(lot_id=lot_id)),
        estimate=Subquery(_estimates(lot_id).values("total")),
        estimate_known=Subquery(_estimates(lot_id).values("known")),
        estimate_asked=Subquery(_estimates(lot_id).values("asked")),
        lot_pk=F(f"{prefix}pk"),
        lot_number=F(f"{prefix}number"),
        lot_title=F(f"{prefix}title"),
        of_grouping=F(f"{prefix}grouping_id"),
        of_reference=F(f"{prefix}grouping__reference"),
        of_title=F(f"{prefix}grouping__title"),
    ).order_by(f"{prefix}grouping__reference", f"{prefix}grouping_id", f"{prefix}number")
    kept = [row for row in rows if row.is_measured or stage == GainStage.ESTIMATED or _runs_in(row, year)]
    return Coverage(tuple(_covered(row) for row in kept))


def in_family(prefix: str, family: str) -> Q:
    """The condition on a row whose lot is at ``prefix``: its CPV division, else that of its grouping; none for ""."""
    if not family:
        return Q()
    return Q(**{f"{prefix}cpv__startswith": family}) | Q(
        **{f"{prefix}cpv": "", f"{prefix}grouping__cpv__startswith": family}
    )


def _awarded(affiliation) -> QuerySet:
    found = Award.objects.visible_to(affiliation).awarded().filter(notified_on__isnull=False)
    return found.filter(lot__grouping__is_declared_only=False).exclude(lot__grouping__status=GroupingStatus.CANCELLED)


def _surveyed(affiliation) -> QuerySet:
    found = Lot.objects.visible_to(affiliation).filter(grouping__is_declared_only=False)
    return found.exclude(grouping__status__in=[GroupingStatus.NEEDS, GroupingStatus.CANCELLED])


def _estimates(lot_id: OuterRef) -> QuerySet:
    active = NeedLine.objects.active().filter(lot_id=lot_id).order_by()
    return active.values("lot_id").annotate(
        total=Sum("estimated_amount_excl_tax"), known=Count("estimated_amount_excl_tax"), asked=Count("pk")
    )


def _runs_in(award: Award, year: int) -> bool:
    starts_on = award.starts_on or award.notified_on
    if starts_on > date(year, 12, 31):
        return False
    return award.total_months is None or add_months(starts_on, award.total_months) > date(year, 1, 1)


def _covered(row) -> CoveredLot:
    is_known = row.estimate is not None and row.estimate_known == row.estimate_asked
    amount = getattr(row, "amount_excl_tax", None)
    return CoveredLot(
        lot_id=row.lot_pk,
        number=row.lot_number,
        title=row.lot_title,
        grouping_id=row.of_grouping,
        reference=row.of_reference,
        grouping_title=row.of_title,
        is_measured=row.is_measured,
        estimated=round_half_up(Decimal(row.estimate)) if is_known else None,
        awarded=None if amount is None else amount.amount,
    )
