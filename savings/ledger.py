"""What the ledger says: sums of entries, exact in every database, one stage at a time.

Every total of the screens and reports is made here, of validated lines only. A stage is always asked for: sums of
several stages do not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from procurement.core.money import ZERO
from savings.choices import GainStage
from savings.models import LedgerEntry
from savings.models.ledger import euros_of
from savings.rules.amounts import AMOUNTS
from savings.rules.rates import rate


@dataclass(frozen=True)
class Totals:
    """The sums of some entries, € excl. tax to the cent; ``lines``: how many lines they come from."""

    lines: int
    baseline_budget: Decimal
    baseline_purchase: Decimal
    obtained: Decimal
    budget_gain: Decimal
    purchase_gain: Decimal

    @property
    def budget_rate(self) -> Decimal | None:
        """% of the reference, weighted by it; None without reference."""
        return rate(self.budget_gain, self.baseline_budget)

    @property
    def purchase_rate(self) -> Decimal | None:
        """% of the indexed reference, weighted by it; None without reference."""
        return rate(self.purchase_gain, self.baseline_purchase)


def entries(
    affiliation, *, stage: str = GainStage.AWARDED, year: int | None = None, **filters
) -> QuerySet[LedgerEntry]:
    """The entries the affiliation may read, of one stage, of one budget year unless told otherwise.

    ``filters``: ``family``, ``organisation``, ``grouping``, ``lot``, ``membership``, ``grade__in``, ``is_one_off``…
    """
    found = LedgerEntry.objects.visible_to(affiliation).filter(stage=GainStage(stage), **filters)
    return found if year is None else found.filter(year=year)


def totals(found: QuerySet[LedgerEntry]) -> Totals:
    """Their sums, in one query."""
    return _totals(found.order_by().aggregate(**_sums()))


def totals_by(found: QuerySet[LedgerEntry], *fields: str) -> list[tuple[tuple, Totals]]:
    """(values of ``fields``, their sums), sorted by those values, in one query."""
    rows = found.order_by(*fields).values(*fields).annotate(**_sums())
    return [(tuple(row[name] for name in fields), _totals(row)) for row in rows]


def add_up(parts: Iterable[Totals]) -> Totals:
    """The sum of disjoint totals, exact; zeros for none."""
    parts = list(parts)
    amounts = {name: sum((getattr(part, name) for part in parts), ZERO) for name in AMOUNTS}
    return Totals(lines=sum(part.lines for part in parts), **amounts)


def _sums() -> dict:
    return {"line_count": Count("line", distinct=True)} | {
        f"total_{name}": Sum(f"{name}_cents", default=0) for name in AMOUNTS
    }


def _totals(row: dict) -> Totals:
    return Totals(lines=row["line_count"], **{name: euros_of(row[f"total_{name}"]) for name in AMOUNTS})
