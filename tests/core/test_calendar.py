"""Easter against published dates, the holidays of known years, and months that have no 31st."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurement.core.calendar import (
    add_months,
    easter_sunday,
    is_working_day,
    next_working_day,
    public_holidays,
)

days = st.dates(min_value=date(1900, 1, 1), max_value=date(2150, 12, 31))


# 1818 and 2285 have the earliest Easter possible, 1943 and 2038 the latest.
EASTERS = """1818-03-22 1943-04-25 1961-04-02 1999-04-04 2000-04-23 2008-03-23 2016-03-27 2017-04-16 2019-04-21
    2024-03-31 2025-04-20 2026-04-05 2027-03-28 2028-04-16 2038-04-25 2285-03-22"""


@pytest.mark.parametrize("easter", EASTERS.split())
def test_easter(easter):
    expected = date.fromisoformat(easter)
    assert easter_sunday(expected.year) == expected


def test_public_holidays_of_2026():
    expected = "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25"
    assert public_holidays(2026) == {date.fromisoformat(f"2026-{day}") for day in expected.split()}


def test_ascension_can_fall_on_the_first_of_may():
    assert len(public_holidays(2008)) == 10
    assert date(2008, 5, 1) in public_holidays(2008)


@given(st.integers(1583, 4000))
def test_easter_is_a_sunday_between_its_two_limits(year):
    easter = easter_sunday(year)
    assert easter.weekday() == 6
    assert date(year, 3, 22) <= easter <= date(year, 4, 25)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ("2026-05-13", "2026-05-13"),  # a Wednesday
        ("2026-05-14", "2026-05-15"),  # Ascension
        ("2026-03-01", "2026-03-02"),  # a Sunday
        ("2026-12-25", "2026-12-28"),  # Christmas on a Friday
        ("2027-12-31", "2027-12-31"),
        ("2028-01-01", "2028-01-03"),  # New Year on a Saturday
        ("2026-04-04", "2026-04-07"),  # Saturday, Easter, Easter Monday
    ],
)
def test_next_working_day(day, following):
    assert next_working_day(date.fromisoformat(day)) == date.fromisoformat(following)


@given(days)
def test_next_working_day_is_the_first_one(day):
    following = next_working_day(day)
    assert is_working_day(following)
    assert 0 <= (following - day).days <= 4
    assert not any(is_working_day(day + timedelta(days=n)) for n in range((following - day).days))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2025-12-31", 2, "2026-02-28"),
        ("2027-12-31", 2, "2028-02-29"),
        ("2025-12-29", 2, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-03-13", 2, "2026-05-13"),
        ("2026-11-15", 48, "2030-11-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -13, "2024-12-15"),
        ("2026-01-15", 0, "2026-01-15"),
    ],
)
def test_add_months(day, months, later):
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(later)


@given(days, st.integers(-600, 600))
def test_add_months_lands_in_the_right_month_and_never_later_in_it(day, months):
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert later.day == day.day or (later + timedelta(days=1)).day == 1
