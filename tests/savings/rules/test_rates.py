"""The one rate, and what a change of spend owes to the price and to the volume."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurement.core.money import round_half_up
from savings.rules.rates import price_and_volume, rate


@pytest.mark.parametrize(
    ("gain", "base", "wanted"),
    [
        ("1730.00", "6770.00", "25.55"),
        ("10000.00", "200000.00", "5.00"),
        ("26000.00", "216000.00", "12.04"),
        ("1845.80", "25605.80", "7.21"),
        ("1100.00", "24860.00", "4.42"),
        ("-10.00", "350.00", "-2.86"),
        ("0.00", "350.00", "0.00"),
        ("1.00", "800.00", "0.13"),  # 0.125, half up
        ("-1.00", "800.00", "-0.13"),
        ("-50.00", "10.00", "-500.00"),
    ],
)
def test_a_rate_is_the_gain_over_its_base(gain, base, wanted):
    assert str(rate(Decimal(gain), Decimal(base))) == wanted


@pytest.mark.parametrize("base", ["0", "0.00", "-0.00"])
def test_a_zero_base_has_no_rate(base):
    assert rate(Decimal("10.00"), Decimal(base)) is None
    assert rate(Decimal(0), Decimal(base)) is None


def effects(before, forecast, obtained, actual):
    return price_and_volume(
        price_before=Decimal(before),
        forecast=Decimal(forecast),
        price_obtained=Decimal(obtained),
        actual=Decimal(actual),
    )


@pytest.mark.parametrize(
    ("before", "forecast", "obtained", "actual", "wanted"),
    [
        # 4.80 × 1 000 before, 3.60 × 900 paid: 1.20 × 900 by the price, 100 × 4.80 by buying less.
        ("4.80", "1000", "3.60", "900", ("1080.00", "480.00")),
        # Buying more costs: the volume effect is negative, the gain by the price is not.
        ("4.80", "1000", "3.60", "1100", ("1320.00", "-480.00")),
        ("3.55", "5000", "3.60", "5000", ("-250.00", "0.00")),
        ("4.80", "1000", "3.60", "0", ("0.00", "4800.00")),
    ],
)
def test_the_price_effect_is_the_gain_and_the_volume_effect_is_apart(before, forecast, obtained, actual, wanted):
    assert tuple(map(str, effects(before, forecast, obtained, actual))) == wanted


def test_both_effects_are_the_change_of_the_spend_to_the_cent():
    """0.335 × 2 was to be 0.67, one is 0.34 (0.335), paid 0.30: by the price 0.04, by the volume 0.33, in all 0.37.

    Rounded on its own the volume effect, 0.335, would be 0.34, and the two would miss the change by a cent.
    """
    assert effects("0.335", "2", "0.30", "1") == (Decimal("0.04"), Decimal("0.33"))


UNIT = st.integers(0, 10**10).map(lambda whole: Decimal(whole).scaleb(-6))
COUNT = st.integers(0, 10**8).map(lambda whole: Decimal(whole).scaleb(-3))


@given(UNIT, COUNT, UNIT, COUNT)
def test_the_two_effects_add_up_to_what_is_no_longer_spent(before, forecast, obtained, actual):
    price, volume = effects(before, forecast, obtained, actual)
    assert price + volume == round_half_up(before * forecast) - round_half_up(obtained * actual)
    assert price == round_half_up(before * actual) - round_half_up(obtained * actual)
