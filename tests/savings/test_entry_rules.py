"""When a reference is late, what an index is worth, which gains ask for a comment: worked by hand."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savings.rules.baseline import index_factor, is_late
from savings.rules.plausibility import is_outside

DUE = datetime(2026, 3, 16, 11, tzinfo=UTC)


def test_a_reference_is_late_from_the_very_moment_the_offers_are_due():
    assert not is_late(DUE - timedelta(microseconds=1), DUE)
    assert is_late(DUE, DUE)
    assert is_late(datetime(2026, 3, 16, 12, tzinfo=timezone(timedelta(hours=1))), DUE)  # noon in Paris
    assert not is_late(DUE, None)


@pytest.mark.parametrize(
    ("base", "value", "fixed", "factor"),
    [
        ("104.2", "112.536", "0", "1.08000000"),  # domain.md §8
        ("104.2", "112.536", "0.15", "1.06800000"),  # 0.15 + 0.85 × 1.08
        ("3", "1", "0", "0.33333333"),
        ("3", "2", "0", "0.66666667"),
        ("1600000000", "8", "0", "0.00000001"),  # 0.000000005: half up
        ("100", "100", "0.999", "1.00000000"),
    ],
)
def test_the_coefficient_of_an_index(base, value, fixed, factor):

    assert index_factor(Decimal(base), Decimal(value), Decimal(fixed)) == Decimal(factor)


@pytest.mark.parametrize(
    "values", [("0", "1", "0"), ("1", "0", "0"), ("-1", "1", "0"), ("1", "1", "1"), ("1", "1", "-1")]
)
def test_an_index_of_zero_or_a_whole_fixed_part_is_refused(values):
    with pytest.raises(ValueError, match=r"indice|part fixe"):
        index_factor(*map(Decimal, values))


@given(
    base=st.decimals("0.0001", "9999999999", places=4),
    value=st.decimals("0.0001", "9999999999", places=4),
    fixed=st.decimals("0", "0.999", places=3),
)
def test_the_coefficient_is_never_further_than_half_of_its_last_place(base, value, fixed):
    exact = Fraction(fixed) + (1 - Fraction(fixed)) * Fraction(value) / Fraction(base)
    assert abs(Fraction(index_factor(base, value, fixed)) - exact) <= Fraction(1, 2 * 10**8)


@pytest.mark.parametrize(
    ("gain", "base", "outside"),
    [
        ("0", "100", False),
        ("30", "100", False),
        ("30.01", "100", True),
        ("-0.01", "100", True),
        ("300.04", "1000", True),  # 30.004 %, written 30.00 %
        ("5", "0", False),
    ],
)
def test_what_asks_for_a_comment(gain, base, outside):
    assert is_outside(Decimal(gain), Decimal(base), (0, 30)) is outside
