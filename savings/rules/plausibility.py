"""A gain far from what is usually seen asks for a comment: it is never refused, nor corrected."""

from decimal import Decimal


def is_outside(gain: Decimal, base: Decimal, band: tuple[int, int]) -> bool:
    """Whether ``gain`` over ``base`` (€) lies outside ``band`` (%, both ends included).

    Exact: 30.004 % is outside 0–30 though it is written 30.00 %. Nothing is outside on a zero base.
    """
    low, high = band
    return base > 0 and not base * low <= gain * 100 <= base * high
