"""Figures worth a second look: shown beside what they are compared with, never judged.

A commune that opens a school canteen multiplies its need and is right. The limits are usages, without legal text.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median

#: Against one's own history: from twice, or down to half, the former yearly amount.
HISTORY_HIGH = Fraction(2)
HISTORY_LOW = Fraction(1, 2)
#: Against the other communes: beyond three times, or below a third of, their median per inhabitant.
POPULATION_HIGH = Fraction(3)
POPULATION_LOW = Fraction(1, 3)
#: Below that many communes a median says nothing.
COMMUNES_NEEDED = 5


def history_remark(yearly: Fraction, former: Fraction, of_what: str) -> str:
    """« 4,2 fois son besoin de 2016 » when ``yearly`` is far from ``former`` (€ excl. tax a year), else empty.

    ``of_what``: « son besoin de 2016 ». A former amount of zero compares with nothing.
    """
    if former <= 0:
        return ""
    ratio = yearly / former
    return "" if HISTORY_LOW < ratio < HISTORY_HIGH else told(ratio, of_what)


def population_remarks(yearly: Mapping[int, Fraction], population: Mapping[int, int]) -> dict[int, str]:
    """Commune → « 3,5 fois la médiane par habitant des communes », for those far from the median of one lot.

    ``yearly``: € excl. tax a year of each commune that needs the lot and knows how much; ``population``: inhabitants.
    A commune without inhabitants known, or that needs nothing, is neither compared nor counted.
    """
    by_inhabitant = {
        key: amount / population[key] for key, amount in yearly.items() if amount > 0 and population.get(key, 0) > 0
    }
    if len(by_inhabitant) < COMMUNES_NEEDED:
        return {}
    middle = median(by_inhabitant.values())
    return {
        key: told(value / middle, "la médiane par habitant des communes")
        for key, value in by_inhabitant.items()
        if not POPULATION_LOW <= value / middle <= POPULATION_HIGH
    }


def told(ratio: Fraction, of_what: str) -> str:
    """« 4,2 fois son besoin de 2016 »: one decimal, two below one, no zero that would tell nothing."""
    places = Decimal("0.1") if ratio >= 1 else Decimal("0.01")
    shown = (Decimal(ratio.numerator) / Decimal(ratio.denominator)).quantize(places, rounding=ROUND_HALF_UP)
    if shown == 0:
        return f"moins d’un centième de {of_what}"
    digits = f"{shown:f}".rstrip("0").rstrip(".").replace(".", ",")
    return f"{digits} fois {of_what}"
