"""A calendar to subscribe to: all-day events in iCalendar (RFC 5545, RFC 7986). Pure: events in, bytes out.

An all-day event without an end lasts one day (RFC 5545, 3.6.1). DTSTAMP is when the file was made, since it carries a
METHOD (3.8.7.2). The library escapes and folds; it leaves NAME and the durations of the two refresh intervals to us.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Alarm, Calendar, vText
from icalendar import Event as Component

from procurement.core.exports import clean_text

ICS_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//Groupements de commandes//Calendrier//FR"
#: How often a calendar application should ask again.
REFRESH = timedelta(hours=12)
_REFRESH_TEXT = "PT12H"


@dataclass(frozen=True)
class Event:
    """One day of a calendar.

    ``uid`` never changes, ``sequence`` rises with each change of the event. ``is_busy``: the day is taken (a meeting of
    one's own assembly), and not only marked. ``alarm_days``: an alarm that many days before; None without.
    """

    uid: str
    sequence: int
    on: date
    summary: str
    description: str = ""
    url: str = ""
    is_busy: bool = False
    alarm_days: int | None = None


def write_calendar(events: Iterable[Event], *, name: str, made_at: datetime) -> bytes:
    """The calendar called ``name``, in UTF-8 with CRLF ends; ``made_at`` is an aware instant.

    Raises ValueError when ``made_at`` is naive.
    """
    if made_at.tzinfo is None:
        raise ValueError("made_at must be aware.")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # RFC 7986's own, then what Outlook, Google and Apple have read for longer.
    calendar.add("name", vText(clean_text(name)))
    calendar.add("x-wr-calname", vText(clean_text(name)))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", _REFRESH_TEXT)
    stamp = made_at.astimezone(UTC).replace(microsecond=0)
    for event in events:
        calendar.add_component(_component(event, stamp))
    return calendar.to_ical()


def _component(event: Event, stamp: datetime) -> Component:
    component = Component()
    component.add("uid", event.uid)
    component.add("dtstamp", stamp)
    component.add("sequence", event.sequence)
    component.add("dtstart", event.on)
    component.add("summary", clean_text(event.summary))
    if event.description:
        component.add("description", clean_text(event.description))
    if event.url:
        component.add("url", event.url)
    component.add("status", "CONFIRMED")
    component.add("transp", "OPAQUE" if event.is_busy else "TRANSPARENT")
    if event.alarm_days is not None:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", clean_text(event.summary))
        alarm.add("trigger", -timedelta(days=event.alarm_days))
        component.add_component(alarm)
    return component
