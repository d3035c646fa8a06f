"""Reminders before a deadline and after a fact, worked by hand, then whatever the nights that are missed."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.reminders import AFTER, BEFORE, step_after, step_before
from tests.groupings.rules.calendars import day, days

DEADLINE = day("31/12/2026")


@pytest.mark.parametrize(
    ("today", "step"),
    [
        ("30/11/2026", None),
        ("01/12/2026", 30),
        ("23/12/2026", 30),
        ("24/12/2026", 7),
        ("28/12/2026", 7),
        ("29/12/2026", 2),
        ("31/12/2026", 2),
        ("01/01/2027", None),
    ],
)
def test_before_a_deadline(today, step):
    assert step_before(DEADLINE, day(today)) == step


@pytest.mark.parametrize(
    ("today", "step"),
    [
        ("29/02/2028", None),
        ("01/03/2028", 2),
        ("07/03/2028", 2),
        ("08/03/2028", 9),
        ("29/03/2028", 30),
        ("01/01/2030", 30),
    ],
)
def test_after_a_vote(today, step):
    """A vote of 28 February 2028: the 29th exists, so that two days later is 1 March."""
    assert step_after(day("28/02/2028"), day(today)) == step


@given(deadline=days, nights=st.sets(st.integers(-3, 40)))
def test_whatever_the_nights_missed_each_step_is_told_once_in_its_order(deadline, nights):
    told = []
    for before in sorted(nights, reverse=True):
        step = step_before(deadline, deadline - timedelta(days=before))
        if step is not None and step not in told:
            told.append(step)
    assert told == sorted(told, reverse=True)
    assert set(told) <= set(BEFORE)
    if 0 in nights:
        assert told[-1] == 2


@given(since=days, after=st.integers(0, 90))
def test_after_a_fact_the_steps_only_grow(since, after):
    step, next_step = (step_after(since, since + timedelta(days=n)) for n in (after, after + 1))
    assert (step or 0) <= (next_step or 0)
    assert step is None or (step in AFTER and step <= after)
