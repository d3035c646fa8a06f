"""Standstill and time to answer: domain.md §5, rows 6 and 8."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.offer_delay import minimum_due_on, offer_delay
from groupings.rules.standstill import earliest_signature_on, standstill_days

DAYS = st.dates(date(2014, 1, 1), date(2027, 12, 31))


def test_eleven_days_electronically_sixteen_otherwise():
    assert standstill_days(True) == 11
    assert standstill_days(False) == 16


@pytest.mark.parametrize(
    ("sent_on", "is_electronic", "signed_on"),
    [
        (date(2026, 3, 2), True, date(2026, 3, 13)),
        (date(2026, 3, 2), False, date(2026, 3, 18)),
        (date(2028, 2, 20), True, date(2028, 3, 2)),  # over 29 February
        (date(2026, 12, 21), True, date(2027, 1, 1)),  # over the year's end
        (date(2026, 12, 21), False, date(2027, 1, 6)),
        (date(2010, 12, 28), False, date(2011, 1, 13)),  # runs until 12 January in the evening (DAJ's own example)
    ],
)
def test_the_first_day_to_sign(sent_on, is_electronic, signed_on):
    assert earliest_signature_on(sent_on, is_electronic=is_electronic) == signed_on


@pytest.mark.parametrize(
    ("procedure", "is_electronic", "due_on"),
    [
        ("open", True, date(2026, 4, 1)),  # the 3rd of March is the first day, the 1st of April the thirtieth
        ("open", False, date(2026, 4, 6)),
        ("restricted", True, date(2026, 4, 26)),  # 30 days, then 25
        ("restricted", False, date(2026, 5, 1)),
        ("negotiated", True, date(2026, 4, 26)),
        ("dialogue", True, date(2026, 4, 1)),
        ("adapted", True, None),
        ("without_notice", True, None),
        ("", True, None),
    ],
)
def test_the_first_lawful_day_for_tenders(procedure, is_electronic, due_on):
    assert minimum_due_on(date(2026, 3, 2), procedure, is_electronic) == due_on


def test_over_a_leap_day_and_a_year_end():
    assert minimum_due_on(date(2024, 2, 1), "open", True) == date(2024, 3, 2)
    assert minimum_due_on(date(2026, 12, 10), "open", True) == date(2027, 1, 9)


def test_the_reduced_delays_are_told_with_their_article():
    assert "15 jours" in offer_delay("open", True).shortened
    assert "R2161-3" in offer_delay("open", True).shortened


@given(sent_on=DAYS, procedure=st.sampled_from(["open", "restricted", "negotiated", "dialogue"]))
def test_paper_never_shortens(sent_on, procedure):
    electronic, paper = (minimum_due_on(sent_on, procedure, flag) for flag in (True, False))
    assert sent_on + timedelta(days=30) <= electronic <= paper
    assert earliest_signature_on(sent_on, is_electronic=True) < earliest_signature_on(sent_on, is_electronic=False)
