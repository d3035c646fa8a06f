"""The dates of a renewal, counted back from the end of the contract, and its reference."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.renewal import RenewalDates, next_reference, renewal_dates


def test_in_time():
    """The contract ends on 31/12/2027: the next begins on 01/01/2028; needs eleven months before, acts eight, launch
    seven, notification one."""
    assert renewal_dates(date(2027, 12, 31), date(2026, 11, 28)) == RenewalDates(
        starts_on=date(2028, 1, 1),
        needs_due_on=date(2027, 2, 1),
        deliberations_due_on=date(2027, 5, 1),
        launch_on=date(2027, 6, 1),
        award_on=date(2027, 12, 1),
        is_late=False,
    )


def test_after_a_leap_day():
    """Ended on 29/02/2028, the next begins on 1 March."""
    assert renewal_dates(date(2028, 2, 29), date(2026, 11, 28)).starts_on == date(2028, 3, 1)


def test_late_dates_come_to_today_and_say_so():
    dates = renewal_dates(date(2027, 5, 31), date(2026, 11, 28))
    assert dates.is_late
    assert dates.starts_on == date(2027, 6, 1)
    assert dates.needs_due_on == dates.deliberations_due_on == dates.launch_on == date(2026, 11, 28)
    assert dates.award_on == date(2027, 5, 1)


@pytest.mark.parametrize("today", [date(2026, 12, 31), date(2027, 1, 1)])
def test_a_contract_already_over_is_followed_next_month(today):
    ends_on = date(2026, 6, 30)
    dates = renewal_dates(ends_on, today)
    assert dates.is_late
    assert dates.starts_on == (date(2027, 1, 1) if today.year == 2026 else date(2027, 2, 1))


@given(st.dates(date(2015, 1, 1), date(2040, 1, 1)), st.dates(date(2015, 1, 1), date(2040, 1, 1)))
def test_always_in_order_and_never_before_today(ends_on, today):
    dates = renewal_dates(ends_on, today)
    in_order = [dates.needs_due_on, dates.deliberations_due_on, dates.launch_on, dates.award_on, dates.starts_on]
    assert in_order == sorted(in_order)
    assert min(in_order) >= today


@pytest.mark.parametrize(
    ("reference", "taken", "expected"),
    [
        ("GC-2022-03", set(), "GC-2026-03"),
        ("GC-2022-03", {"GC-2026-03"}, "GC-2022-03-R"),
        ("GC-2022-03", {"GC-2026-03", "GC-2022-03-R"}, "GC-2022-03-R2"),
        ("GC-2026-03", {"GC-2026-03"}, "GC-2026-03-R"),
        ("PAPIER", {"PAPIER"}, "PAPIER-R"),
        ("X" * 30, {"X" * 30}, "X" * 28 + "-R"),
    ],
)
def test_the_reference_proposed(reference, taken, expected):
    assert next_reference(reference, 2026, taken) == expected
