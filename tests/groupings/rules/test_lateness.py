"""Late, late soon, or not: on dates worked by hand."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.lateness import Lateness, lateness, needed_by

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2016, 1, 1), date(2032, 12, 31))
KNOWN_OR_NOT = st.none() | DAYS


@pytest.mark.parametrize(
    ("launch_planned_on", "due_on", "expected"),
    [
        (date(2027, 1, 16), date(2026, 12, 1), date(2027, 1, 1)),  # fifteen days to sign
        (date(2027, 3, 1), None, date(2027, 2, 14)),
        (None, date(2026, 12, 1), date(2026, 12, 1)),
        (None, None, None),
    ],
)
def test_the_last_useful_day(launch_planned_on, due_on, expected):
    assert needed_by(launch_planned_on, due_on) == expected


@pytest.mark.parametrize(
    ("is_voted", "due_on", "needed_on", "expected_on", "expected"),
    [
        (False, date(2026, 11, 21), date(2027, 1, 1), None, Lateness(1)),
        (False, date(2026, 11, 2), date(2027, 1, 1), date(2027, 2, 1), Lateness(20)),
        (False, date(2026, 11, 22), date(2027, 1, 1), None, None),  # the day itself is not late
        (False, date(2026, 11, 2), date(2026, 10, 2), None, Lateness(51)),  # counted from the first date missed
        (True, date(2026, 11, 2), date(2027, 1, 1), date(2026, 11, 29), None),  # voted, and in time for the launch
        (True, date(2026, 11, 2), date(2026, 11, 12), date(2026, 11, 29), Lateness(10)),  # voted, the launch is delayed
        (False, None, date(2026, 11, 12), None, Lateness(10)),
        (False, date(2026, 12, 1), date(2026, 12, 20), date(2026, 12, 20), None),
        (False, date(2026, 12, 1), date(2026, 12, 20), date(2026, 12, 21), Lateness(1, is_expected=True)),
        (False, date(2026, 12, 1), date(2026, 12, 20), None, None),  # an unknown date stays unknown
        (False, None, None, date(2027, 6, 1), None),  # nobody asked for a date
    ],
)
def test_how_late(is_voted, due_on, needed_on, expected_on, expected):
    found = lateness(is_voted=is_voted, due_on=due_on, needed_on=needed_on, expected_on=expected_on, today=TODAY)
    assert found == expected


@given(st.booleans(), KNOWN_OR_NOT, KNOWN_OR_NOT, KNOWN_OR_NOT, DAYS)
def test_a_delay_is_of_one_day_at_least_and_grows_day_by_day(is_voted, due_on, needed_on, expected_on, today):
    dates = {"is_voted": is_voted, "due_on": due_on, "needed_on": needed_on, "expected_on": expected_on}
    now, tomorrow = lateness(**dates, today=today), lateness(**dates, today=today + timedelta(days=1))
    if now is None:
        assert tomorrow in (None, Lateness(1))
        return
    assert now.days >= 1
    if not now.is_expected:
        assert tomorrow == Lateness(now.days + 1)


@pytest.mark.parametrize(
    ("late", "sentence"),
    [
        (Lateness(1), "en retard de 1\u00a0jour"),
        (Lateness(12), "en retard de 12\u00a0jours"),
        (Lateness(3, is_expected=True), "retard prévu de 3\u00a0jours"),
    ],
)
def test_a_delay_in_words(late, sentence):
    assert late.sentence == sentence
