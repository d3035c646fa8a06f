"""Months by budget year, and the parts of an amount: always the whole, to the cent."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.core.calendar import add_months
from savings.rules.budget_years import full_term, months_by_year, split_by_year


@pytest.mark.parametrize(
    ("starts_on", "months", "wanted"),
    [
        (date(2026, 3, 15), 12, {2026: 10, 2027: 2}),
        (date(2026, 3, 1), 12, {2026: 10, 2027: 2}),
        (date(2026, 3, 31), 12, {2026: 10, 2027: 2}),
        (date(2026, 1, 1), 12, {2026: 12}),
        (date(2026, 12, 1), 12, {2026: 1, 2027: 11}),
        (date(2026, 12, 31), 1, {2026: 1}),
        (date(2026, 12, 31), 2, {2026: 1, 2027: 1}),
        (date(2024, 2, 29), 12, {2024: 11, 2025: 1}),
        (date(2024, 2, 29), 48, {2024: 11, 2025: 12, 2026: 12, 2027: 12, 2028: 1}),
        (date(2026, 7, 1), 30, {2026: 6, 2027: 12, 2028: 12}),
        (date(2026, 6, 1), 1, {2026: 1}),
    ],
)
def test_months_are_whole_and_of_their_calendar_year(starts_on, months, wanted):
    """Twelve months from 15/03/2026: ten of 2026, two of 2027."""
    found = months_by_year(starts_on, months)
    assert found == wanted
    assert list(found) == sorted(found)


def test_thirty_years_are_three_hundred_and_sixty_months():
    found = months_by_year(date(2026, 1, 1), 360)
    assert found == dict.fromkeys(range(2026, 2056), 12)


@pytest.mark.parametrize("months", [0, -1])
def test_a_duration_has_one_month_at_least(months):
    with pytest.raises(ValueError, match="Une durée compte au moins un mois"):
        months_by_year(date(2026, 1, 1), months)


@pytest.mark.parametrize(
    ("yearly", "months", "wanted"),
    [
        ("1730.00", 48, "6920.00"),
        ("1730.00", 12, "1730.00"),
        ("1730.00", 1, "144.17"),  # 144.1666…
        ("-10.00", 48, "-40.00"),
        ("0.06", 1, "0.01"),  # 0.005, half up
        ("-0.06", 1, "-0.01"),
        ("100.00", 7, "58.33"),
        ("1845.80", 18, "2768.70"),
    ],
)
def test_the_full_term_of_an_amount_for_twelve_months(yearly, months, wanted):
    assert str(full_term(Decimal(yearly), months)) == wanted


def test_the_parts_of_a_year_by_its_months():
    """1 730.00 € from 15/03/2026: 10/12 are 1 441.67 (1 441.666…), the rest 288.33."""
    assert split_by_year(Decimal("1730.00"), date(2026, 3, 15), 12) == {
        2026: Decimal("1441.67"),
        2027: Decimal("288.33"),
    }


def test_a_loss_is_split_like_a_gain():
    assert split_by_year(Decimal("-250.00"), date(2026, 12, 1), 12) == {
        2026: Decimal("-20.83"),
        2027: Decimal("-229.17"),
    }


def test_a_cent_goes_where_the_largest_part_is():
    assert split_by_year(Decimal("0.01"), date(2026, 3, 15), 12) == {2026: Decimal("0.01"), 2027: Decimal("0.00")}


def test_an_amount_not_to_the_cent_is_refused():
    with pytest.raises(ValueError, match="exact au centime"):
        split_by_year(Decimal("0.001"), date(2026, 1, 1), 12)


DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(st.integers(-(10**14), 10**14), DAYS, st.integers(1, 360))
@settings(max_examples=300, deadline=None)
def test_the_parts_always_add_up_to_the_whole(cents, starts_on, months):
    total = Decimal(cents).scaleb(-2)
    parts = split_by_year(total, starts_on, months)
    counts = months_by_year(starts_on, months)
    assert sum(parts.values()) == total
    assert list(parts) == list(counts)
    for year, part in parts.items():
        assert abs(part * months - total * counts[year]) < Decimal("0.01") * months  # within one cent of its share


@given(DAYS, st.integers(1, 360))
@settings(deadline=None)
def test_the_months_go_from_the_first_to_the_last(starts_on, months):
    counts = months_by_year(starts_on, months)
    last = add_months(starts_on.replace(day=1), months - 1)
    assert sum(counts.values()) == months
    assert (min(counts), max(counts)) == (starts_on.year, last.year)
    assert all(count == 12 for year, count in counts.items() if starts_on.year < year < last.year)
