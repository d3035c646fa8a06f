"""How a gain spreads over budget years: by months, the choice made once for the whole product (domain.md §6.2, 6).

The months are whole calendar months, from the one in which the contract takes effect: twelve months from 15/03/2026 are
ten months of 2026 and two of 2027. The parts always add up to the full term, to the cent.
"""

from datetime import date
from decimal import Decimal

from procurement.core.money import round_half_up, split_exactly

MONTHS_PER_YEAR = 12


def months_by_year(starts_on: date, months: int) -> dict[int, int]:
    """Budget year → how many of the ``months`` fall in it, in order. Raises ValueError below one month."""
    if months < 1:
        raise ValueError("Une durée compte au moins un mois.")
    found: dict[int, int] = {}
    year, left, room = starts_on.year, months, MONTHS_PER_YEAR - starts_on.month + 1
    while left:
        found[year] = min(left, room)
        left -= found[year]
        year, room = year + 1, MONTHS_PER_YEAR
    return found


def full_term(yearly: Decimal, months: int) -> Decimal:
    """What ``yearly`` (€ for twelve months) comes to over ``months``, to the cent, half up."""
    return round_half_up(yearly * months / MONTHS_PER_YEAR)


def split_by_year(total: Decimal, starts_on: date, months: int) -> dict[int, Decimal]:
    """Budget year → its part of ``total`` (€ over the full term), in proportion to its months, to the cent."""
    years = months_by_year(starts_on, months)
    parts = split_exactly(total, [Decimal(count) for count in years.values()])
    return dict(zip(years, parts, strict=True))
