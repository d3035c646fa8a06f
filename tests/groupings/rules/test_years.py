"""A contract told year by year: civil years, contract years, and not a cent lost."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.years import Year, contract_years, spread


def test_the_months_of_a_contract_fall_in_civil_years():
    """From 1 July 2027, 48 months: six of 2027, three whole years, six of 2031."""
    years = contract_years(date(2027, 7, 1), 48)
    assert years == [Year("2027", 6), Year("2028", 12), Year("2029", 12), Year("2030", 12), Year("2031", 6)]


def test_a_month_counts_for_the_year_in_which_it_begins():
    assert contract_years(date(2027, 12, 15), 2) == [Year("2027", 1), Year("2028", 1)]


def test_the_last_day_of_february_of_a_leap_year_is_a_start_like_another():
    assert sum(year.months for year in contract_years(date(2028, 2, 29), 49)) == 49


def test_without_a_beginning_the_years_are_those_of_the_contract():
    assert contract_years(None, 30) == [Year("année 1", 12), Year("année 2", 12), Year("année 3", 6)]


def test_an_amount_is_spread_by_months():
    """100.00 € over 7 months, 5 then 2: 71.428… and 28.571…, the cent left over to the larger remainder."""
    assert spread(Decimal("100.00"), contract_years(date(2027, 8, 1), 7)) == [Decimal("71.43"), Decimal("28.57")]


@given(
    cents=st.integers(0, 10**13),
    start=st.none() | st.dates(date(2000, 1, 1), date(2100, 12, 31)),
    months=st.integers(1, 480),
)
def test_the_years_add_back_to_the_total_to_the_cent(cents, start, months):
    amount = Decimal(cents).scaleb(-2)
    years = contract_years(start, months)
    assert sum(year.months for year in years) == months
    assert all(1 <= year.months <= 12 for year in years)
    parts = spread(amount, years)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)


@pytest.mark.parametrize("amount", ["0.00", "0.01"])
def test_the_smallest_amounts(amount):
    assert sum(spread(Decimal(amount), contract_years(None, 48))) == Decimal(amount)
