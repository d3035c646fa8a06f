"""The bytes of a calendar, read again by the library and looked at line by line."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from groupings.exchange.ics import Event, write_calendar

MADE_AT = datetime(2026, 11, 22, 8, 30, 15, 999, tzinfo=UTC)
MEETING = Event(
    uid="seance-12@groupements.example.org", sequence=3, on=date(2026, 12, 12), summary="Lattes", is_busy=True
)
DEADLINE = Event(uid="echeance-4-besoins@x", sequence=1, on=date(2026, 12, 1), summary="Papier", alarm_days=7)


def write(*events, name="Groupements", made_at=MADE_AT) -> bytes:
    return write_calendar(events, name=name, made_at=made_at)


def lines_of(content: bytes) -> list[str]:
    """The content lines, unfolded (RFC 5545, 3.1)."""
    return content.decode().replace("\r\n ", "").split("\r\n")


def read_one(event: Event):
    [found] = Calendar.from_ical(write(event)).walk("VEVENT")
    return found


def test_the_head_says_what_applications_look_for():
    lines = lines_of(write(name="Groupements – Lattes, Pérols; et autres"))
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert sorted(lines[1:-2]) == [
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:Groupements – Lattes\\, Pérols\\; et autres",
        "PRODID:-//Groupements de commandes//Calendrier//FR",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "VERSION:2.0",
        "X-PUBLISHED-TTL:PT12H",
        "X-WR-CALNAME:Groupements – Lattes\\, Pérols\\; et autres",
    ]


def test_a_meeting_takes_its_day_and_rings_nothing():
    lines = lines_of(write(MEETING))
    event = lines[lines.index("BEGIN:VEVENT") : lines.index("END:VEVENT")]
    assert sorted(event[1:]) == [
        "DTSTAMP:20261122T083015Z",
        "DTSTART;VALUE=DATE:20261212",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
        "SUMMARY:Lattes",
        "TRANSP:OPAQUE",
        "UID:seance-12@groupements.example.org",
    ]


def test_a_deadline_leaves_the_day_free_and_rings_a_week_before():
    event = read_one(DEADLINE)
    assert event["transp"] == "TRANSPARENT"
    [alarm] = event.walk("VALARM")
    assert (alarm["action"], alarm["trigger"].dt) == ("DISPLAY", timedelta(days=-7))
    assert "TRIGGER:-P7D" in lines_of(write(DEADLINE))


def test_the_stamp_is_told_in_utc_whatever_the_clock():
    winter = timezone(timedelta(hours=1))
    content = write(MEETING, made_at=datetime(2026, 11, 22, 9, 30, 15, tzinfo=winter))
    assert content == write(MEETING)
    with pytest.raises(ValueError, match="aware"):
        write(MEETING, made_at=MADE_AT.replace(tzinfo=None))


def test_a_leap_day_is_a_day():
    event = read_one(Event(uid="a@b", sequence=1, on=date(2028, 2, 29), summary="Conseil"))
    assert event.decoded("dtstart") == date(2028, 2, 29)
    assert event.end == date(2028, 3, 1)  # without DTEND it lasts that day alone


HARD = "Fournitures, papier; « été » \\ œuvre – n° 1\nseconde ligne " + "é" * 200


def test_what_is_hard_to_write_is_read_back_as_it_was():
    event = read_one(
        Event(uid="a@b", sequence=1, on=date(2026, 12, 1), summary=HARD, description=HARD, url="https://x/?a=1")
    )
    assert event["summary"] == HARD
    assert event["description"] == HARD
    assert event["url"] == "https://x/?a=1"


def test_lines_are_folded_at_75_octets_and_end_with_crlf():
    content = write(Event(uid="a@b", sequence=1, on=date(2026, 12, 1), summary=HARD, alarm_days=7))
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 75
    content.decode()  # never folded inside a letter


def test_a_text_cannot_add_a_line_of_its_own():
    content = write(
        Event(uid="a@b", sequence=1, on=date(2026, 12, 1), summary="x\r\nATTENDEE:mailto:a@b\x00\x07", alarm_days=7)
    )
    assert not any(line.startswith("ATTENDEE") for line in lines_of(content))
    assert b"\x00" not in content
    assert b"\x07" not in content


@given(summary=st.text(max_size=300), on=st.dates(), sequence=st.integers(1, 10**6))
def test_any_text_and_any_day_make_a_calendar_that_reads(summary, on, sequence):
    found = read_one(Event(uid="a@b", sequence=sequence, on=on, summary=summary, alarm_days=7))
    assert found.decoded("dtstart") == on
    assert found["sequence"] == sequence


def test_no_event_is_still_a_calendar():
    assert Calendar.from_ical(write()).walk("VEVENT") == []
