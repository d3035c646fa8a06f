"""The launch forecast: a calendar worked by hand, and what must hold whatever the members."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.clear_days import is_notice_valid
from groupings.rules.launch import Forecast, MemberState, SessionDates, first_usable_session, forecast
from tests.groupings.rules.calendars import day, days

TODAY = day("20/07/2026")
#: Enforceable and signed.
READY = MemberState("Castries", executory_on=day("01/06/2026"), signed_on=day("10/06/2026"))
COORDINATOR = MemberState("Métropole", executory_on=day("02/06/2026"), signed_on=day("01/07/2026"), can_leave=False)
#: 11 August, plus 7 days and 15 days: 2 September.
LATTES = MemberState("Lattes", next_session_on=day("11/08/2026"))
#: 22 September, plus 7 days and 15 days: 14 October.
SAUSSAN = MemberState("Saussan", next_session_on=day("22/09/2026"))
UNKNOWN = MemberState("Pignan")


def launch_of(*members: MemberState, **margins: int) -> Forecast:
    return forecast(members, today=TODAY, **margins)


def names(lines) -> list[str]:
    return [line.member.name for line in lines]


def test_the_last_member_blocks_and_leaving_gains_the_days_between():
    launch = launch_of(COORDINATOR, READY, LATTES, SAUSSAN)
    assert launch.launch_on == day("14/10/2026")
    assert names(launch.blocking) == ["Saussan"]
    assert [(names(e.members), e.launch_on, e.days_gained) for e in launch.exclusions] == [
        (["Lattes"], day("14/10/2026"), 0),
        (["Saussan"], day("02/09/2026"), 42),  # 28 days of September from the 2nd, 14 of October
    ]
    assert launch.without_blocking == launch.exclusions[1]
    assert launch.sentence == "Lancement possible le 14/10/2026\u202f; sans Saussan\u00a0: le 02/09/2026."


def test_members_keep_their_order_and_say_why():
    launch = launch_of(SAUSSAN, READY, UNKNOWN)
    assert names(launch.members) == ["Saussan", "Castries", "Pignan"]
    assert [line.reason for line in launch.members] == [
        "Séance du 22/09/2026, puis 7 jours pour transmettre et publier, puis 15 jours pour signer\u00a0: 14/10/2026.",
        "Exécutoire le 01/06/2026, convention signée le 10/06/2026.",
        "Aucune séance connue\u00a0: la date reste inconnue.",
    ]


def test_everybody_ready_launches_today():
    launch = launch_of(COORDINATOR, READY)
    assert (launch.launch_on, launch.blocking, launch.exclusions, launch.without_blocking) == (TODAY, (), (), None)
    assert launch.sentence == "Lancement possible dès aujourd’hui."


def test_unknown_date_stays_unknown_and_says_what_leaving_gives():
    launch = launch_of(COORDINATOR, READY, LATTES, UNKNOWN)
    assert launch.launch_on is None
    assert names(launch.blocking) == ["Pignan"]
    assert [(names(e.members), e.launch_on, e.days_gained) for e in launch.exclusions] == [
        (["Lattes"], None, None),
        (["Pignan"], day("02/09/2026"), None),
    ]
    assert launch.sentence == (
        "Lancement à une date inconnue, en attente de Pignan\u202f; sans Pignan\u00a0: le 02/09/2026."
    )


def test_two_unknown_members_leave_together_or_not_at_all():
    launch = launch_of(COORDINATOR, LATTES, UNKNOWN, dataclasses.replace(UNKNOWN, name="Saint-Brès"))
    assert all(exclusion.launch_on is None for exclusion in launch.exclusions)
    assert names(launch.without_blocking.members) == ["Pignan", "Saint-Brès"]
    assert launch.without_blocking.launch_on == day("02/09/2026")
    assert "en attente de Pignan et Saint-Brès\u202f; sans Pignan et Saint-Brès\u00a0: le 02/09/2026" in launch.sentence


def test_two_members_of_the_same_session_gain_nothing_alone():
    twin = dataclasses.replace(SAUSSAN, name="CCAS de Saussan")
    launch = launch_of(COORDINATOR, LATTES, SAUSSAN, twin)
    assert names(launch.blocking) == ["Saussan", "CCAS de Saussan"]
    assert [exclusion.days_gained for exclusion in launch.exclusions] == [0, 0, 0]
    assert launch.without_blocking.days_gained == 42


def test_members_out_of_the_tender_are_not_waited_for():
    launch = launch_of(COORDINATOR, READY, dataclasses.replace(SAUSSAN, in_tender=False))
    assert launch.launch_on == TODAY
    assert launch.members[2].ready_on == day("14/10/2026")
    assert launch.exclusions == ()


@pytest.mark.parametrize("members", [(), (dataclasses.replace(READY, in_tender=False),)])
def test_without_needs_there_is_no_launch(members):
    launch = launch_of(*members)
    assert (launch.launch_on, launch.blocking, launch.exclusions) == (None, (), ())
    assert launch.sentence == "Aucun membre n’a de besoin dans la consultation."


def test_coordinator_blocks_but_cannot_be_excluded():
    launch = launch_of(dataclasses.replace(SAUSSAN, name="Métropole", can_leave=False), READY, LATTES)
    assert names(launch.blocking) == ["Métropole"]
    assert [names(exclusion.members) for exclusion in launch.exclusions] == [["Lattes"]]
    assert launch.without_blocking is None
    assert launch.sentence == "Lancement possible le 14/10/2026."


def test_a_grouping_keeps_two_members():
    launch = launch_of(COORDINATOR, SAUSSAN)
    assert names(launch.blocking) == ["Saussan"]
    assert (launch.exclusions, launch.without_blocking) == ((), None)


def test_last_member_with_needs_cannot_leave():
    others = [dataclasses.replace(member, in_tender=False) for member in (COORDINATOR, READY)]
    assert launch_of(*others, SAUSSAN).exclusions == ()


@pytest.mark.parametrize(
    ("state", "ready", "is_known"),
    [
        # enforceable on 15 July, 15 days to sign
        ({"executory_on": "15/07/2026"}, "30/07/2026", False),
        # enforceable on 5 July, signature due today: assumed today, and not ready for all that
        ({"executory_on": "05/07/2026"}, "20/07/2026", False),
        # due yesterday: 15 days again from today
        ({"executory_on": "04/07/2026"}, "04/08/2026", False),
        # voted on 16 July: 23 July, then 7 August
        ({"voted_on": "16/07/2026"}, "07/08/2026", False),
        # voted on 13 July: the week ends today, then 4 August
        ({"voted_on": "13/07/2026"}, "04/08/2026", False),
        # voted on 12 July, not enforceable on the 19th: 7 days again from today, 27 July, then 11 August
        ({"voted_on": "12/07/2026"}, "11/08/2026", False),
        # signed before the act is enforceable: no margin to sign
        ({"voted_on": "16/07/2026", "signed_on": "17/07/2026"}, "23/07/2026", False),
        ({"executory_on": "01/07/2026", "signed_on": "25/06/2026"}, "01/07/2026", True),
        ({"executory_on": "01/07/2026", "signed_on": "19/07/2026"}, "19/07/2026", True),
        # a session held today
        ({"next_session_on": "20/07/2026"}, "11/08/2026", False),
        # gone by without a recorded vote
        ({"next_session_on": "19/07/2026"}, None, False),
        # the fact prevails over the calendar
        ({"executory_on": "15/07/2026", "next_session_on": "22/09/2026"}, "30/07/2026", False),
        ({"voted_on": "16/07/2026", "next_session_on": "22/09/2026"}, "07/08/2026", False),
        # across the end of the year, and 29 February 2028
        ({"next_session_on": "15/12/2026"}, "06/01/2027", False),
        ({"next_session_on": "15/02/2028"}, "08/03/2028", False),
    ],
)
def test_ready_date(state, ready, is_known):
    member = MemberState("Lattes", **{name: day(text) for name, text in state.items()})
    (line,) = launch_of(member).members
    assert (line.ready_on, line.is_known) == (ready and day(ready), is_known)


def test_session_gone_by_is_named():
    (line,) = launch_of(MemberState("Lattes", next_session_on=day("19/07/2026"))).members
    assert line.reason == ("La séance du 19/07/2026 est passée sans vote enregistré\u00a0: la date reste inconnue.")


def test_assumption_that_falls_today_still_blocks():
    launch = launch_of(COORDINATOR, READY, MemberState("Lattes", executory_on=day("05/07/2026")))
    assert launch.launch_on == TODAY
    assert names(launch.blocking) == ["Lattes"]
    assert launch.sentence.startswith("Lancement possible le 20/07/2026")


def test_no_vote_required_waits_for_the_signature_only():
    unsigned = MemberState("Lattes", needs_vote=False)
    (line,) = launch_of(unsigned).members
    assert (line.ready_on, line.is_known) == (day("04/08/2026"), False)
    (line,) = launch_of(dataclasses.replace(unsigned, signed_on=day("01/07/2026"))).members
    assert (line.ready_on, line.is_known) == (day("01/07/2026"), True)


def test_margins_are_the_callers():
    launch = launch_of(COORDINATOR, READY, SAUSSAN, transmission_days=1, signature_days=0)
    assert launch.launch_on == day("23/09/2026")
    assert "puis 1 jour pour transmettre et publier, puis 0 jour pour signer" in launch.members[2].reason


@pytest.mark.parametrize("margins", [{"transmission_days": -1}, {"signature_days": -1}])
def test_negative_margin_is_refused(margins):
    with pytest.raises(ValueError, match="négative"):
        launch_of(READY, **margins)


def test_many_names_are_cut_short():
    launch = launch_of(COORDINATOR, *(MemberState(name) for name in "ABCDE"))
    assert "en attente de A, B, C et 2 autres." in launch.sentence
    launch = launch_of(COORDINATOR, *(MemberState(name) for name in "ABCD"))
    assert "en attente de A, B, C et D." in launch.sentence


# --- First session that can still take the text ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("14/09/2026", "18/09/2026"),  # three clear days: 15, 16 and 17 September
        ("15/09/2026", "12/10/2026"),
        ("30/09/2026", "12/10/2026"),  # the agenda closes that day
        ("01/10/2026", "14/12/2026"),
        ("10/12/2026", "14/12/2026"),
        ("11/12/2026", None),
    ],
)
def test_first_usable_session(today, expected):
    calendar = [
        SessionDates(day("14/12/2026")),
        SessionDates(day("18/09/2026")),
        SessionDates(day("12/10/2026"), agenda_closes_on=day("30/09/2026")),
    ]
    assert first_usable_session(calendar, today=day(today), notice_days=3) == (expected and day(expected))


def test_agenda_closing_after_the_last_dispatch_gives_no_more_time():
    late = [SessionDates(day("18/09/2026"), agenda_closes_on=day("17/09/2026"))]
    assert first_usable_session(late, today=day("15/09/2026"), notice_days=3) is None


@given(st.lists(st.builds(SessionDates, days), max_size=6), days, st.sampled_from([3, 5]))
def test_usable_session_can_still_be_lawfully_convened_and_none_earlier_could(sessions, today, notice):
    found = first_usable_session(sessions, today=today, notice_days=notice)
    lawful = [s.meeting_on for s in sessions if is_notice_valid(today, s.meeting_on, notice)]
    assert found in lawful if lawful else found is None
    assert all(found <= meeting for meeting in lawful)


# --- Whatever the members ---------------------------------------------------------------------------------------------

near = st.integers(-120, 240).map(lambda shift: TODAY + timedelta(days=shift))
past = st.integers(-400, 0).map(lambda shift: TODAY + timedelta(days=shift))
states = st.builds(
    MemberState,
    name=st.sampled_from(["Castries", "Lattes", "Pignan", "Saussan"]),
    executory_on=st.none() | past,
    signed_on=st.none() | past,
    voted_on=st.none() | past,
    next_session_on=st.none() | near,
    in_tender=st.booleans(),
    needs_vote=st.sampled_from([True, True, True, False]),
    can_leave=st.booleans(),
)
groups = st.lists(states, max_size=6)
margins = st.integers(0, 40)


@given(groups, margins, margins)
def test_launch_is_never_before_today_nor_before_a_member_is_ready(members, transmission, signature):
    launch = launch_of(*members, transmission_days=transmission, signature_days=signature)
    waited = [line for line in launch.members if line.member.in_tender]
    assert (launch.launch_on is None) == (not waited or any(line.ready_on is None for line in waited))
    if launch.launch_on is not None:
        assert launch.launch_on >= TODAY
        assert all(line.ready_on <= launch.launch_on for line in waited)
        assert launch.launch_on == TODAY or any(line.ready_on == launch.launch_on for line in waited)


@given(states, margins, margins)
def test_assumptions_are_never_in_the_past_nor_earlier_than_the_steps_left(member, transmission, signature):
    (line,) = launch_of(member, transmission_days=transmission, signature_days=signature).members
    if line.ready_on is None:
        assert member.needs_vote
        assert member.executory_on is None
        assert member.voted_on is None
        assert member.next_session_on is None or member.next_session_on < TODAY
        return
    assert line.is_known or line.ready_on >= TODAY
    for fact in (member.executory_on, member.signed_on):
        assert fact is None or not member.needs_vote or line.ready_on >= fact
    if member.needs_vote and member.executory_on is None and member.voted_on is None:
        steps = transmission + (0 if member.signed_on else signature)
        assert line.ready_on == member.next_session_on + timedelta(days=steps)


@given(groups)
def test_somebody_blocks_exactly_when_the_facts_do_not_allow_the_launch(members):
    launch = launch_of(*members)
    waited = [line for line in launch.members if line.member.in_tender]
    assert bool(launch.blocking) == any(not line.is_known for line in waited)


@given(groups)
def test_leaving_never_delays_and_gives_what_the_others_would_get_alone(members):
    launch = launch_of(*members)
    for exclusion in launch.exclusions:
        (gone,) = exclusion.members
        assert gone.member.can_leave
        others = [line.member for line in launch.members if line is not gone]
        alone = launch_of(*others)
        assert exclusion.launch_on == alone.launch_on
        if launch.launch_on is not None:
            assert exclusion.days_gained == (launch.launch_on - alone.launch_on).days >= 0


@given(groups, margins, margins, margins)
def test_longer_margins_never_launch_earlier(members, transmission, signature, extra):
    short = launch_of(*members, transmission_days=transmission, signature_days=signature)
    longer = launch_of(*members, transmission_days=transmission + extra, signature_days=signature + extra)
    if short.launch_on is not None:
        assert longer.launch_on >= short.launch_on or _restarted(short)


def _restarted(launch: Forecast) -> bool:
    """A step overdue under short margins takes them again from today; under longer ones it may not be overdue yet."""
    return any("comptés d’aujourd’hui" in line.reason for line in launch.members)


@given(groups, st.integers(0, 60))
def test_time_that_passes_without_news_never_brings_the_launch_closer(members, passed):
    now = launch_of(*members)
    later = forecast(members, today=TODAY + timedelta(days=passed))
    if now.launch_on is None:
        assert later.launch_on is None
    elif later.launch_on is not None:
        assert later.launch_on >= now.launch_on
