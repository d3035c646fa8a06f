"""Worked numbers of domain.md §8, then properties: the parts always add up, nothing is rounded twice."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.core.money import LARGEST_AMOUNT, format_euros, parse_euros, round_half_up, split_exactly

D = Decimal
amounts = st.decimals(min_value=-LARGEST_AMOUNT, max_value=LARGEST_AMOUNT, places=2)
weights = st.lists(st.decimals(min_value=0, max_value=10**9, places=3), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("2.665", "2.67"),  # half-even, and a binary float, both give 2.66
        ("-2.665", "-2.67"),
        ("0.005", "0.01"),
        ("2.675", "2.68"),
        ("1.004999", "1.00"),
        ("-0.004", "0.00"),
        ("1", "1.00"),
        ("999999999999.995", "1000000000000.00"),
    ],
)
def test_round_half_up(value, rounded):
    assert str(round_half_up(D(value))) == rounded


def test_round_half_up_takes_whole_numbers_and_refuses_floats():
    assert str(round_half_up(3)) == "3.00"
    for wrong in (2.665, True, "2.665", None):
        with pytest.raises(TypeError):
            round_half_up(wrong)
    for wrong in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(ValueError, match="pas un nombre"):
            round_half_up(D(wrong))


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_rounding_is_within_half_a_cent_and_stable(value):
    rounded = round_half_up(value)
    assert abs(Fraction(rounded) - Fraction(value)) <= Fraction(1, 200)
    assert round_half_up(rounded) == rounded
    assert round_half_up(-value) == -rounded


def test_fees_in_equal_shares():
    """domain.md §8: 1 000.00 € among three."""
    assert split_exactly(D("1000.00"), [D(1)] * 3) == [D("333.34"), D("333.33"), D("333.33")]


def test_fees_by_population():
    """domain.md §8: 1 000.00 € among 2 239, 6 722 and 9 060 inhabitants."""
    assert split_exactly(D("1000.00"), [D(2239), D(6722), D(9060)]) == [D("124.24"), D("373.01"), D("502.75")]


@pytest.mark.parametrize(
    ("total", "keys", "shares"),
    [
        ("-1000.00", [1, 1, 1], ["-333.34", "-333.33", "-333.33"]),
        ("0.01", [1, 1, 1], ["0.01", "0.00", "0.00"]),
        ("0.02", [0, 1, 1, 1], ["0.00", "0.01", "0.01", "0.00"]),  # nothing for a zero weight
        ("100.00", [0, 5, 0], ["0.00", "100.00", "0.00"]),
        ("0.00", [3, 4], ["0.00", "0.00"]),
        # exact shares 0.9, 4.5 and 4.6 cents: the two cents left go to .9 then .6
        ("0.10", [9, 45, 46], ["0.01", "0.04", "0.05"]),
        # exact shares 6.25 and 3.75 cents: one cent left, to .75
        ("0.10", [5, 3], ["0.06", "0.04"]),
    ],
)
def test_split_worked_by_hand(total, keys, shares):
    assert [str(share) for share in split_exactly(D(total), [D(key) for key in keys])] == shares


@pytest.mark.parametrize(
    ("total", "keys", "message"),
    [
        ("10.00", [], "au moins une clé"),
        ("10.00", ["0", "0"], "au moins une clé"),
        ("10.00", ["2", "-1"], "négative"),
        ("10.005", ["1"], "exact au centime"),
        ("NaN", ["1"], "pas un nombre"),
    ],
)
def test_split_refusals(total, keys, message):
    with pytest.raises(ValueError, match=message):
        split_exactly(D(total), [D(key) for key in keys])


@pytest.mark.parametrize("weight", [0.1, D("NaN"), D("Infinity")])
def test_a_weight_is_an_exact_number(weight):
    with pytest.raises((TypeError, ValueError)):
        split_exactly(D("10.00"), [D(1), weight])


@given(amounts, weights)
@settings(max_examples=300, deadline=None)
def test_split_always_adds_up_and_stays_within_a_cent(total, keys):
    if not sum(keys):
        with pytest.raises(ValueError, match="au moins une clé"):
            split_exactly(total, keys)
        return
    shares = split_exactly(total, keys)
    assert len(shares) == len(keys)
    assert sum(shares) == total
    whole = sum(Fraction(key) for key in keys)
    for share, key in zip(shares, keys, strict=True):
        assert share.as_tuple().exponent == -2
        assert abs(Fraction(share) - Fraction(total) * Fraction(key) / whole) < Fraction(1, 100)
        if key == 0:
            assert share == 0
    assert split_exactly(-total, keys) == [-share for share in shares]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 234,56 €", "1234.56"),
        ("1234,56", "1234.56"),
        ("1234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1\u00a0234,56\u00a0€", "1234.56"),
        ("1\u202f234\u202f567,8", "1234567.80"),
        ("1.234.567", "1234567.00"),
        ("12 345", "12345.00"),
        ("0", "0.00"),
        ("-0,00", "0.00"),
        ("-12,5", "-12.50"),
        ("\u221212,50 €", "-12.50"),
        (" 178740.00 ", "178740.00"),
        ("12 000 EUR HT", "12000.00"),
        ("12 000 euros", "12000.00"),
        ("999999999999,99", "999999999999.99"),
    ],
)
def test_parse_euros(text, value):
    assert str(parse_euros(text)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12,345", "ambigu"),
        ("1.234", "ambigu"),
        ("-1.234 €", "ambigu"),
        ("0,123", "plus de deux décimales"),
        ("1234.567", "plus de deux décimales"),
        ("1 234,567", "pas un montant"),
        ("1 23", "pas un montant"),
        ("12 34,50", "pas un montant"),
        ("1,23,45", "pas un montant"),
        ("1e5", "pas un montant"),
        ("0x10", "pas un montant"),
        ("", "pas un montant"),
        ("€", "pas un montant"),
        ("--5", "pas un montant"),
        ("1_000", "pas un montant"),
        ("12 k€", "pas un montant"),
        ("\u0661\u0662", "pas un montant"),  # Arabic digits
        ("NaN", "pas un montant"),
        ("1000000000000", "dépasse"),
        (None, "Saisissez un montant"),
        (12.5, "Saisissez un montant"),
    ],
)
def test_parse_euros_refuses_what_is_not_plain(text, why):
    with pytest.raises(ValueError, match=why):
        parse_euros(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234.56", "1\u202f234,56\u00a0€"),
        ("0", "0,00\u00a0€"),
        ("-0.001", "0,00\u00a0€"),
        ("-1234567.895", "-1\u202f234\u202f567,90\u00a0€"),
        ("21214690", "21\u202f214\u202f690,00\u00a0€"),
        ("999.995", "1\u202f000,00\u00a0€"),
    ],
)
def test_format_euros(value, text):
    assert format_euros(D(value)) == text


@given(amounts)
def test_what_is_written_is_read_back(value):
    assert parse_euros(format_euros(value)) == value
    assert parse_euros(f"{value:f}") == value
