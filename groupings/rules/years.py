"""An amount of the whole contract, year by year: civil years once its beginning is planned, else contract years."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from procurement.core.calendar import add_months
from procurement.core.money import split_exactly

MONTHS_IN_A_YEAR = 12


@dataclass(frozen=True)
class Year:
    """One year of the contract: « 2027 », or « année 1 » when no beginning is planned, and its months of contract."""

    label: str
    months: int


def contract_years(starts_on: date | None, months: int) -> list[Year]:
    """The years over which a contract of ``months`` runs; their months add up to ``months``.

    A month of contract counts for the civil year in which it begins: that of 15 December counts for December's year.
    """
    if starts_on is None:
        return [
            Year(f"année {rank}", min(MONTHS_IN_A_YEAR, months - first))
            for rank, first in enumerate(range(0, months, MONTHS_IN_A_YEAR), start=1)
        ]
    counted: dict[int, int] = {}
    for month in range(months):
        year = add_months(starts_on, month).year
        counted[year] = counted.get(year, 0) + 1
    return [Year(str(year), count) for year, count in counted.items()]


def spread(amount: Decimal, years: Sequence[Year]) -> list[Decimal]:
    """``amount`` (€ excl. tax) by months over ``years``: the parts add up to it to the cent."""
    return split_exactly(amount, [Decimal(year.months) for year in years])
