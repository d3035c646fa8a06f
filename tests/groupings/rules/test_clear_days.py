"""Convocations: dates counted on a calendar, thresholds at their edges, and the property on every day."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules import clear_days
from groupings.rules.clear_days import (
    can_be_first_session,
    first_session_notice_days,
    is_notice_valid,
    last_renewal_on,
    latest_dispatch_on,
    notice_days,
    notice_rule,
)
from tests.groupings.rules.calendars import EVERY_DAY, day, days

notices = st.integers(0, 15)


@pytest.mark.parametrize(
    ("meeting", "notice", "latest"),
    [
        ("28/05/2026", 3, "24/05/2026"),  # domain.md §8: a Sunday, Whit Monday among the clear days
        ("18/05/2026", 5, "12/05/2026"),  # domain.md §8: Ascension, the 14th, counts like any day
        ("26/05/2016", 5, "20/05/2016"),
        ("03/03/2028", 3, "28/02/2028"),  # clear: 29 February, 1 and 2 March
        ("03/03/2027", 3, "27/02/2027"),  # clear: 28 February, 1 and 2 March
        ("04/01/2027", 5, "29/12/2026"),  # clear: 30 and 31 December, 1, 2 and 3 January
        ("01/01/2026", 3, "28/12/2025"),
        ("22/03/2026", 1, "20/03/2026"),  # an emergency: one clear day
    ],
)
def test_latest_dispatch(meeting, notice, latest):
    assert latest_dispatch_on(day(meeting), notice) == day(latest)
    assert is_notice_valid(day(latest), day(meeting), notice)
    assert not is_notice_valid(day(latest) + timedelta(days=1), day(meeting), notice)


def test_convocation_of_25_may_2026_is_refused():
    assert not is_notice_valid(day("25/05/2026"), day("28/05/2026"), 3)


def test_convocation_after_the_meeting_is_refused():
    assert not is_notice_valid(day("29/05/2026"), day("28/05/2026"), 0)


@pytest.mark.parametrize("notice", [3, 5])
def test_every_day_has_as_many_whole_days_as_the_law_asks(notice):
    """Counted one by one, and not by the subtraction of the rule."""
    for meeting in EVERY_DAY:
        sent = latest_dispatch_on(meeting, notice)
        whole_days, following = 0, sent + timedelta(days=1)
        while following < meeting:
            whole_days, following = whole_days + 1, following + timedelta(days=1)
        assert whole_days == notice


@given(days, days, notices)
def test_valid_exactly_until_the_latest_dispatch(sent, meeting, notice):
    assert is_notice_valid(sent, meeting, notice) == (sent <= latest_dispatch_on(meeting, notice))


@given(days, st.integers(0, 400), notices, st.integers(0, 5))
def test_later_meeting_never_asks_for_an_earlier_dispatch_and_longer_notice_never_for_a_later_one(
    meeting, shift, notice, extra
):
    latest = latest_dispatch_on(meeting, notice)
    assert latest_dispatch_on(meeting + timedelta(days=shift), notice) >= latest
    assert latest_dispatch_on(meeting, notice + extra) <= latest
    assert latest < meeting


def test_negative_notice_is_refused():
    with pytest.raises(ValueError, match="négatif"):
        latest_dispatch_on(day("28/05/2026"), -1)
    with pytest.raises(ValueError, match="négatif"):
        is_notice_valid(day("01/05/2026"), day("28/05/2026"), -1)


@pytest.mark.parametrize(
    ("kind", "population", "on", "expected"),
    [
        ("commune", 0, "26/05/2016", 3),
        ("commune", 3499, "26/05/2016", 3),
        ("commune", 3500, "26/05/2016", 5),
        ("commune", 3454, "25/02/2026", 3),  # Cournonsec on the figures of the renewal of 2020
        ("commune", 3583, "28/05/2026", 5),  # the same on those of 2026
        ("commune", 307101, "28/05/2026", 5),
        ("metropole", 0, "26/05/2016", 5),
        ("metropole", 436000, "28/05/2026", 5),
        ("epci", 3499, "29/02/2020", 3),  # no member commune of 3 500 inhabitants
        ("epci", 3500, "29/02/2020", 5),
        ("epci", 3499, "01/03/2020", 5),  # whatever its size from that day
        ("syndicat", 3499, "29/02/2020", 3),
        ("syndicat", 3500, "29/02/2020", 5),
        ("syndicat", 120, "01/03/2020", 5),
        ("ccas", 120, "28/05/2026", 3),
        ("ccas", 307101, "28/05/2026", 3),
    ],
)
def test_notice_days(kind, population, on, expected):
    assert notice_days(kind, population, day(on)) == expected


@pytest.mark.parametrize(
    ("kind", "population", "document", "urgent"),
    [
        ("commune", 3499, "", 1),
        ("commune", 3500, "note explicative de synthèse", 1),
        ("metropole", 436000, "note explicative de synthèse", 1),
        ("epci", 100, "note explicative de synthèse", 1),
        ("syndicat", 100, "note explicative de synthèse", 1),
        ("ccas", 3499, "", None),
        ("ccas", 3500, "rapport explicatif", None),
    ],
)
def test_what_goes_with_the_convocation_and_the_emergency(kind, population, document, urgent):
    rule = notice_rule(kind, population, day("28/05/2026"))
    assert (rule.document, rule.urgent_days) == (document, urgent)
    assert "article" in rule.source


@pytest.mark.parametrize("kind", ["commune", "metropole", "epci", "syndicat", "ccas"])
@pytest.mark.parametrize("population", [0, 3499, 3500, 500000])
def test_one_row_and_only_one_answers_on_every_day(kind, population):
    rows = clear_days._rows("notice_periods")["notice"]
    candidates = [
        (row["valid_from"], row.get("valid_to", day("31/12/9999")))
        for row in rows
        if row["kind"] == kind
        and row["population_from"] <= population
        and population < row.get("population_below", population + 1)
    ]
    assert all(sum(start <= moment <= end for start, end in candidates) == 1 for moment in EVERY_DAY)


def test_date_before_the_table_is_refused_in_french():
    with pytest.raises(LookupError, match=r"séance du 23/02/1996\.$"):
        notice_days("commune", 100, day("23/02/1996"))
    assert notice_days("commune", 100, day("24/02/1996")) == 3
    with pytest.raises(LookupError, match="séance du 17/12/2010"):
        notice_days("metropole", 500000, day("17/12/2010"))


def test_body_the_table_does_not_know_is_refused_in_french():
    with pytest.raises(LookupError, match="nature «\u00a0other\u00a0»\u00a0: consultez ses statuts"):
        notice_days("other", 100, day("28/05/2026"))


def test_negative_population_is_refused():
    with pytest.raises(ValueError, match="population"):
        notice_days("commune", -1, day("28/05/2026"))


@pytest.mark.parametrize(
    ("kind", "population", "expected"),
    [
        ("commune", 120, 3),
        ("commune", 307101, 3),  # CGCT, L2121-7
        ("metropole", 436000, 5),  # CE, 22/07/2015, n° 383072
        ("epci", 20000, 5),
        ("syndicat", 20000, 5),
        ("ccas", 307101, 3),
    ],
)
def test_first_session_after_a_renewal(kind, population, expected):
    assert first_session_notice_days(kind, population, day("27/03/2026")) == expected


def test_first_session_of_an_unknown_body_is_refused_too():
    with pytest.raises(LookupError):
        first_session_notice_days("other", 100, day("27/03/2026"))


@pytest.mark.parametrize(
    ("on", "first_round"),
    [
        ("23/03/2014", "23/03/2014"),
        ("14/03/2020", "23/03/2014"),
        ("15/03/2020", "15/03/2020"),
        ("14/03/2026", "15/03/2020"),
        ("15/03/2026", "15/03/2026"),
        ("31/12/2032", "15/03/2026"),  # the renewal of 2032 has no decree yet: not made up
    ],
)
def test_last_renewal(on, first_round):
    assert last_renewal_on(day(on)).first_round_on == day(first_round)


def test_renewal_before_the_table_is_refused():
    with pytest.raises(LookupError, match=r"22/03/2014\.$"):
        last_renewal_on(day("22/03/2014"))


def test_days_of_the_first_sessions():
    """Friday to Sunday after each round; 23 to 28 May 2020 for the councils elected in full on 15 March 2020."""
    possible = {moment for moment in EVERY_DAY if can_be_first_session(moment)}
    assert possible == {
        *(day(f"{number}/05/2020") for number in range(23, 29)),
        *(day(f"{number}/07/2020") for number in range(3, 6)),
        *(day(f"{number}/03/2026") for number in (20, 21, 22, 27, 28, 29)),
    }


def test_rounds_are_sundays_and_every_fact_has_its_source():
    for renewal in clear_days.renewals():
        assert renewal.first_round_on.weekday() == renewal.second_round_on.weekday() == 6
        assert renewal.first_round_on < renewal.second_round_on
        assert "Décret" in renewal.source
