"""What a jurist would point at in a deliberation. Expected dates are worked by hand; domain.md §1.4, §3.1 to §3.3."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules import clear_days
from groupings.rules.remarks import Facts, makers, notice_owed, remarks

MEETING = date(2026, 11, 26)  # a Thursday


def codes(**facts) -> list[str]:
    return [remark.code for remark in remarks(Facts(**{"body": "commune", **facts}))]


def only(**facts):
    found = remarks(Facts(**{"body": "commune", **facts}))
    assert len(found) == 1
    return found[0]


def test_nothing_known_is_nothing_to_say():
    for body in ("commune", "ccas", "metropole", "epci", "syndicat", "other"):
        assert codes(body=body) == []


def test_a_mayor_cannot_decide_alone():
    remark = only(maker="president")
    assert remark.code == "delegation"
    assert "QE n° 1560" in remark.source
    assert "CASF, R123-20" in only(body="ccas", maker="president").source


def test_the_assemblies_of_epci_and_syndicats_may_delegate():
    for body in ("metropole", "epci", "syndicat", "other"):
        assert codes(body=body, maker="president") == []
        assert codes(body=body, maker="bureau") == []


def test_the_award_of_a_market_may_be_delegated_to_a_mayor():
    assert codes(maker="president", is_award=True) == []


def test_a_commune_and_a_ccas_have_no_bureau():
    assert makers("commune") == makers("ccas") == ("council", "president")
    assert "bureau" in makers("metropole")
    assert "bureau" in makers("syndicat")


@pytest.mark.parametrize(
    ("body", "population", "last_good"),
    [
        ("commune", 3499, date(2026, 11, 22)),  # three clear days: 23, 24, 25
        ("commune", 3500, date(2026, 11, 20)),  # five: 21 to 25
        ("metropole", 500_000, date(2026, 11, 20)),
        ("syndicat", None, date(2026, 11, 20)),
        ("ccas", 9000, date(2026, 11, 22)),
    ],
)
def test_the_notice_is_counted_in_clear_days(body, population, last_good):
    facts = {"body": body, "reference_population": population, "meeting_on": MEETING}
    assert codes(**facts, sent_on=last_good) == []
    late = only(**facts, sent_on=last_good + timedelta(days=1))
    assert late.code == "notice"
    assert f"le {last_good:%d/%m/%Y} au plus tard" in late.sentence


def test_an_emergency_may_cover_a_short_notice_but_not_in_a_ccas():
    short = {"meeting_on": MEETING, "sent_on": date(2026, 11, 24), "reference_population": 1000}
    assert "L’urgence" in only(**short).sentence
    assert "L’urgence" not in only(**short, body="ccas").sentence
    # The day before leaves no clear day at all: no emergency covers it.
    assert "L’urgence" not in only(**{**short, "sent_on": date(2026, 11, 25)}).sentence


def test_a_council_being_installed_has_three_days_whatever_its_size():
    installed = date(2026, 3, 20)  # the Friday after the first round of 15/03/2026
    facts = {"meeting_on": installed, "is_first_session": True, "reference_population": 9000}
    assert clear_days.can_be_first_session(installed)
    assert codes(**facts, sent_on=date(2026, 3, 16)) == []
    late = only(**facts, sent_on=date(2026, 3, 17))
    assert late.source == "CGCT, L2121-7"
    assert "3 jours francs" in late.sentence


def test_the_days_of_installation_are_those_of_the_communes_alone():
    later = {"meeting_on": date(2026, 4, 9), "is_first_session": True, "reference_population": 9000}
    assert codes(**later) == ["first_session"]
    assert codes(**later, body="metropole") == []
    # A métropole keeps its five days at its first session (CE, 22/07/2015, n° 383072).
    assert codes(**later, body="metropole", sent_on=date(2026, 4, 5)) == ["notice"]


def test_a_meeting_convened_again_needs_three_days_and_no_quorum():
    again = {"meeting_on": MEETING, "reference_population": 9000, "was_reconvened": True}
    assert codes(**again, sent_on=date(2026, 11, 22), in_office=29, present=5) == []
    late = only(**again, sent_on=date(2026, 11, 23))
    assert late.source == "CGCT, L2121-17"
    assert notice_owed(Facts(body="ccas", **again)).source.startswith("CASF, article R. 123-16")


def test_the_document_that_goes_with_the_agenda():
    facts = {"meeting_on": MEETING, "sent_on": date(2026, 11, 1), "note_sent": False}
    assert codes(**facts, reference_population=3500) == ["note"]
    assert "rapport explicatif" in only(**facts, body="ccas", reference_population=3500).sentence
    assert codes(**facts, reference_population=3499) == []
    assert codes(**{**facts, "note_sent": None}, reference_population=3500) == []  # nobody said
    assert codes(**{**facts, "note_sent": True}, reference_population=3500) == []


@pytest.mark.parametrize(("in_office", "needed"), [(15, 8), (27, 14), (1, 1), (2, 2)])
def test_the_quorum_is_more_than_half_of_those_in_office(in_office, needed):
    assert codes(in_office=in_office, present=needed) == []
    remark = only(in_office=in_office, present=needed - 1)
    assert f"le quorum est de {needed}" in remark.sentence
    assert only(body="ccas", in_office=in_office, present=needed - 1).source == "CASF, R123-17"


def test_a_signature_follows_the_enforceable_act():
    act = {"executory_on": date(2026, 12, 10)}
    assert codes(**act, signed_on=date(2026, 12, 10)) == []
    assert "10/06/1996" in only(**act, signed_on=date(2026, 12, 9)).source
    assert codes(signed_on=date(2026, 12, 9)) == []


def test_a_decision_of_the_executive_has_no_convocation():
    facts = {"body": "epci", "maker": "president", "meeting_on": MEETING}
    assert notice_owed(Facts(**facts)) is None
    assert codes(**facts, sent_on=MEETING, note_sent=False) == []


def test_a_body_outside_the_table_is_left_to_its_statutes():
    assert notice_owed(Facts(body="other", meeting_on=MEETING)) is None
    assert codes(body="other", meeting_on=MEETING, sent_on=MEETING) == []
    assert codes(meeting_on=date(1990, 1, 1), sent_on=date(1990, 1, 1)) == []  # before the oldest row


@given(
    body=st.sampled_from(["commune", "ccas", "metropole", "epci", "syndicat", "other"]),
    maker=st.sampled_from(["council", "bureau", "president"]),
    population=st.none() | st.integers(0, 600_000),
    meeting_on=st.none() | st.dates(date(2016, 1, 1), date(2032, 12, 31)),
    notice=st.integers(-3, 40),
    is_first_session=st.booleans(),
    was_reconvened=st.booleans(),
    note_sent=st.sampled_from([None, True, False]),
    in_office=st.none() | st.integers(0, 120),
    present=st.none() | st.integers(0, 120),
)
def test_remarks_are_sentences_with_a_source_and_an_earlier_convocation_never_adds_one(
    body, maker, population, meeting_on, notice, is_first_session, was_reconvened, note_sent, in_office, present
):
    def found(days: int):
        return remarks(
            Facts(
                body=body,
                maker=maker,
                reference_population=population,
                meeting_on=meeting_on,
                sent_on=meeting_on - timedelta(days=days) if meeting_on else None,
                is_first_session=is_first_session,
                was_reconvened=was_reconvened,
                note_sent=note_sent,
                in_office=in_office,
                present=present,
            )
        )

    told = found(notice)
    assert all(remark.sentence.rstrip().endswith(".") and remark.source for remark in told)
    assert len({remark.code for remark in told}) == len(told)
    assert {remark.code for remark in found(notice + 10)} <= {remark.code for remark in told}
