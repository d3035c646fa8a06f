"""The days every rule of dates is tried on."""

from datetime import date, timedelta

from hypothesis import strategies as st

FIRST, LAST = date(2016, 1, 1), date(2032, 12, 31)
#: Each of the 6 210 days from 2016 to 2032 (17 years, five of them leap).
EVERY_DAY = tuple(FIRST + timedelta(days=rank) for rank in range((LAST - FIRST).days + 1))

days = st.dates(min_value=FIRST, max_value=LAST)


def day(text: str) -> date:
    """``26/05/2016`` as a date: the tests are written like the calendars they were worked on."""
    number, month, year = text.split("/")
    return date(int(year), int(month), int(number))
