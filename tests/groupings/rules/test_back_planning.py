"""The back-planning: domain.md §5 as dates, late and tight stages, and what can still be proposed."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groupings.rules.back_planning import Assembly, State, back_planning
from procurement.core.calendar import add_months, is_working_day

WANTED = date(2028, 1, 3)
EARLY = date(2026, 1, 5)
PROCEDURES = ["exempt", "adapted", "adapted_advertised", "formal"]
ORDER = ["sourcing", "needs", "convention", "deliberations", "signature", "documents", "tender", "analysis"]


def plan(today=EARLY, wanted=WANTED, **options):
    return back_planning(wanted, today=today, **options)


def test_the_default_markers_of_a_formalised_procedure():
    """Launch at T−7 to T−8 months, deliberations closed at T−8, text at T−11, needs at T−13 (domain.md §5)."""
    found = plan()
    assert add_months(WANTED, -8) <= found.stage("tender").starts_on <= add_months(WANTED, -7)
    assert abs((found.stage("deliberations").ends_on - add_months(WANTED, -8)).days) <= 10
    assert abs((found.stage("convention").ends_on - add_months(WANTED, -11)).days) <= 15
    assert add_months(WANTED, -14) <= found.stage("needs").starts_on <= add_months(WANTED, -13)


def test_the_floor_is_four_and_a_half_to_five_months_from_the_text():
    """14 + 42 + 7 + 30 + 28 + 11 + 7 + 14 = 153 days."""
    floor = WANTED - plan().stage("needs").latest_end_on
    assert floor.days == 153


def test_every_stage_in_order_with_its_minimum_and_source():
    found = plan()
    assert [stage.code for stage in found.stages] == [*ORDER, "standstill", "notification", "preparation"]
    by_code = {stage.code: stage for stage in found.stages}
    assert (by_code["tender"].minimum_days, by_code["tender"].source) == (30, "CCP, R2161-3")
    assert (by_code["standstill"].minimum_days, by_code["standstill"].source) == (11, "CCP, R2182-1")
    assert by_code["needs"].source == "usage"
    assert by_code["preparation"].ends_on == WANTED


def test_on_paper_the_law_asks_for_more():
    found = plan(is_electronic=False)
    assert found.stage("tender").minimum_days == 35
    assert found.stage("standstill").minimum_days == 16
    assert found.stage("tender").starts_on < plan().stage("tender").starts_on


def test_an_adapted_procedure_is_shorter_and_an_exempt_one_shorter_still():
    starts = [plan(procedure=code).stage("tender").starts_on for code in ("formal", "adapted", "exempt")]
    assert starts == sorted(starts)
    assert plan(procedure="adapted").stage("standstill").minimum_days == 0
    with pytest.raises(KeyError):
        plan(procedure="exempt").stage("standstill")


def test_an_unknown_procedure_is_not_guessed():
    with pytest.raises(ValueError, match="inconnue"):
        plan(procedure="poetry")


def test_states_one_day_after_the_other():
    needs = plan().stage("needs")
    for today, state in [
        (needs.starts_on - timedelta(days=1), State.PLANNED),
        (needs.starts_on, State.RUNNING),
        (needs.ends_on, State.RUNNING),
        (needs.ends_on + timedelta(days=1), State.TIGHT),
        (needs.latest_end_on, State.TIGHT),
        (needs.latest_end_on + timedelta(days=1), State.LATE),
    ]:
        assert plan(today=today, done={"sourcing": None}).stage("needs").state == state, today


def test_no_stage_runs_before_those_ahead_of_it_but_the_parallel_one():
    today = plan().stage("tender").starts_on
    assert plan(today=today).stage("tender").state == State.PLANNED
    done = dict.fromkeys(["sourcing", "needs", "convention", "deliberations", "signature"])
    assert plan(today=today, done={**done, "documents": None}).stage("tender").state == State.RUNNING
    assert plan(today=today).stage("documents").state == State.RUNNING


def test_a_done_stage_keeps_its_real_date_and_is_never_late():
    found = plan(today=WANTED, done={"needs": date(2027, 1, 5), "sourcing": None})
    assert (found.stage("needs").state, found.stage("needs").done_on) == (State.DONE, date(2027, 1, 5))
    assert (found.stage("sourcing").state, found.stage("sourcing").done_on) == (State.DONE, None)
    assert found.stage("convention") in found.late


def test_the_earliest_start_counts_what_is_left():
    today = date(2027, 6, 1)
    done = {"sourcing": None, "needs": None, "convention": date(2027, 6, 1)}
    assert plan(today=today, done=done).earliest_start_on == today + timedelta(days=42 + 7 + 30 + 28 + 11 + 7 + 14)
    later = today + timedelta(days=10)  # ten days of the forty-two have run
    assert plan(today=later, done=done).earliest_start_on == today + timedelta(days=139)


def test_what_is_proposed_is_the_usual_calendar_while_it_holds():
    found = plan()
    assert found.proposed == {
        "needs_due_on": found.stage("needs").ends_on,
        "deliberations_due_on": found.stage("deliberations").ends_on,
        "launch_planned_on": found.stage("tender").starts_on,
        "award_planned_on": found.stage("notification").ends_on,
    }


def test_a_tight_calendar_shares_what_is_left():
    needs = plan().stage("needs")
    today = needs.ends_on + timedelta(days=40)
    found = plan(today=today, done={"sourcing": None})
    assert found.is_feasible
    days = list(found.proposed.values())
    assert today < days[0] < days[1] < days[2] < days[3] < WANTED
    tender_left = WANTED - found.proposed["launch_planned_on"]
    assert tender_left.days >= 30 + 28 + 11 + 7 + 14


def test_nothing_is_proposed_when_the_wanted_start_does_not_hold():
    found = plan(today=WANTED - timedelta(days=30), done={"sourcing": None})
    assert not found.is_feasible
    assert found.proposed == {}


def test_done_dates_are_not_proposed_again():
    assert "needs_due_on" not in plan(done={"sourcing": None, "needs": None}).proposed


def test_the_calendar_of_the_assemblies_is_an_assumption_while_unknown():
    assert plan().stage("deliberations").is_assumed
    partly = plan(assemblies=[Assembly("A", ()), Assembly("B", ())]).stage("deliberations")
    assert partly.is_assumed
    assert "2 assemblées" in partly.note


def test_the_known_calendar_decides_when_the_text_must_be_ready():
    end = plan().stage("deliberations").ends_on
    near = (end - timedelta(days=20), end - timedelta(days=35))
    far = (end - timedelta(days=60), end - timedelta(days=75))
    too_late = (end - timedelta(days=6), end - timedelta(days=20))  # not enforceable in time
    found = plan(assemblies=[Assembly("A", (far, near)), Assembly("B", (far, too_late))]).stage("deliberations")
    assert not found.is_assumed
    assert found.usual_days == 75
    assert found.starts_on <= end - timedelta(days=75)


def test_nobody_left_to_vote_needs_no_calendar():
    assert not plan(assemblies=[]).stage("deliberations").is_assumed


@given(
    wanted=st.dates(date(2015, 1, 1), date(2029, 12, 31)),
    ahead=st.integers(-200, 900),
    procedure=st.sampled_from(PROCEDURES),
    is_electronic=st.booleans(),
    done=st.integers(0, 11),
    meetings=st.lists(st.integers(50, 700), max_size=6),
)
@example(date(2015, 1, 1), 183, "formal", False, 5, [])  # the tender ends today, it had to start before
def test_order_minimums_and_latest_dates(wanted, ahead, procedure, is_electronic, done, meetings):
    """Over year ends and leap days: no overlap, minimum ≤ usual, the latest never before the usual."""
    today = wanted - timedelta(days=ahead)
    sessions = tuple((wanted - timedelta(days=n), wanted - timedelta(days=n + 15)) for n in meetings)
    codes = [*ORDER, "standstill", "notification", "preparation"][:done]
    found = back_planning(
        wanted,
        today=today,
        procedure=procedure,
        is_electronic=is_electronic,
        done=dict.fromkeys(codes),
        assemblies=[Assembly("A", sessions)],
    )
    line = [stage for stage in found.stages if not stage.is_parallel]
    for stage in found.stages:
        assert stage.starts_on <= stage.ends_on <= stage.latest_end_on <= wanted
        assert 0 <= stage.minimum_days <= stage.usual_days
        assert (stage.ends_on - stage.starts_on).days >= stage.usual_days
        assert is_working_day(stage.starts_on)
    for before, after in pairwise(line):
        assert before.ends_on == after.starts_on
        assert (after.latest_end_on - before.latest_end_on).days == after.minimum_days
    assert found.stage("documents").ends_on == found.stage("tender").starts_on
    assert line[-1].ends_on == line[-1].latest_end_on == wanted
    assert found.is_feasible == (found.earliest_start_on <= wanted or found.is_over)
    proposed = list(found.proposed.values())
    assert proposed == sorted(proposed)
    assert all(today <= day <= wanted for day in proposed)
