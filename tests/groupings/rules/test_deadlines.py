"""The challenge period: published examples, month ends, holidays, and the property on every day."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given

from groupings.rules.deadlines import challenge_ends_on
from groupings.rules.executory import executory_on
from procurement.core.calendar import is_working_day
from tests.groupings.rules.calendars import EVERY_DAY, day, days


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("09/01/2017", "10/03/2017"),  # domain.md §8, source S13
        ("13/03/2026", "15/05/2026"),  # 14 May is Ascension
        ("29/12/2025", "02/03/2026"),  # 28 February, then Sunday 1 March
        ("28/12/2025", "02/03/2026"),  # the four last days of December end together
        ("31/12/2025", "02/03/2026"),
        ("30/12/2027", "01/03/2028"),  # leap year: 29 February, then Wednesday 1 March
        ("29/12/2027", "01/03/2028"),
        ("28/12/2027", "29/02/2028"),  # 28 February, then Tuesday 29
        ("29/02/2028", "02/05/2028"),  # 29 April, then Sunday 30, Labour Day on Monday, Tuesday
        ("31/07/2026", "01/10/2026"),  # 30 September
        ("30/06/2026", "31/08/2026"),
        ("24/10/2026", "28/12/2026"),  # Christmas on a Friday, then a weekend
        ("31/10/2026", "04/01/2027"),  # 31 December; New Year on a Friday, then a weekend
        ("12/05/2026", "13/07/2026"),  # a Monday
        ("13/05/2026", "15/07/2026"),  # 14 July
        ("05/02/2026", "07/04/2026"),  # 6 April 2026 is Easter Monday
        ("24/03/2026", "26/05/2026"),  # 25 May 2026 is Whit Monday
        ("02/03/2026", "04/05/2026"),  # Sunday 3 May
        ("10/09/2026", "12/11/2026"),  # 11 November
    ],
)
def test_last_day(start, end):
    assert challenge_ends_on(day(start)) == day(end)


def test_every_day_ends_on_a_working_day_after_two_whole_months_and_no_later_than_needed():
    for start in EVERY_DAY:
        end = challenge_ends_on(start)
        assert is_working_day(end)
        # Two months are 59 days at least (January and February) and 62 at most (July and August, December and January).
        assert 60 <= (end - start).days <= 62 + 1 + 3
        month, number = (end.year - start.year) * 12 + end.month - start.month, end.day
        assert month > 2 or (month == 2 and number > start.day)
        # Whatever lies between the end of the two months and the last day is closed.
        skipped = end - timedelta(days=1)
        while not is_working_day(skipped):
            skipped -= timedelta(days=1)
        assert (skipped - start).days <= 62


def test_later_start_never_ends_earlier():
    for start, following in pairwise(EVERY_DAY):
        assert challenge_ends_on(start) <= challenge_ends_on(following)


@pytest.mark.parametrize(
    ("published", "received", "expected"),
    [
        ("17/03/2026", "12/03/2026", "17/03/2026"),  # domain.md §8
        ("12/03/2026", "17/03/2026", "17/03/2026"),
        ("17/03/2026", None, None),  # published only
        (None, "12/03/2026", None),
        (None, None, None),
        ("31/12/2025", "01/01/2026", "01/01/2026"),
    ],
)
def test_executory(published, received, expected):
    result = executory_on(published and day(published), received and day(received))
    assert result == (expected and day(expected))


@given(days, days)
def test_executory_is_one_of_the_two_and_before_neither(published, received):
    result = executory_on(published, received)
    assert result in (published, received)
    assert result >= published
    assert result >= received
