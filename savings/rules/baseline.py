"""When a reference price is late, and what its index is worth."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

#: The places of ``Baseline.index_factor``.
_PLACES = 8


def is_late(at: datetime, due_at: datetime | None) -> bool:
    """Whether a reference frozen ``at`` that moment comes too late: the offers were due. Without deadline, never."""
    return due_at is not None and at >= due_at


def index_factor(base_value: Decimal, value: Decimal, fixed_part: Decimal = Decimal(0)) -> Decimal:
    """k = a + (1 − a) × I1 / I0 (domain.md §6.2, 2), eight decimals, half up, of the exact quotient.

    ``base_value`` is I0, ``value`` I1, ``fixed_part`` a. Raises ValueError, with the French sentence to show, for an
    index that is not above zero or a fixed part outside [0 ; 1[.
    """
    if base_value <= 0 or value <= 0:
        raise ValueError("La valeur d’un indice est supérieure à zéro.")
    if not 0 <= fixed_part < 1:
        raise ValueError("La part fixe va de 0 à 1.")
    fixed = Fraction(fixed_part)
    exact = fixed + (1 - fixed) * Fraction(value) / Fraction(base_value)
    # A quotient of decimals may never end: rounded once, on whole numbers, not after a first rounding of its digits.
    doubled = exact * 2 * 10**_PLACES
    units = (doubled.numerator // doubled.denominator + 1) // 2
    return Decimal(units).scaleb(-_PLACES).quantize(Decimal(1).scaleb(-_PLACES), rounding=ROUND_HALF_UP)
