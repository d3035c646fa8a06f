"""When a reminder is due: before a deadline, or after a fact that something should have followed.

Usage, and not law: thirty, seven and two days before the day the council's agenda closes (users asked for more than
one mail, and not for one a day). What matters is that a missed night loses nothing and nobody is told twice.
"""

from datetime import date, timedelta

#: Days before the deadline.
BEFORE = (30, 7, 2)
#: Days after a vote whose result, transmission or publication is not known.
AFTER = (2, 9, 16, 30)


def step_before(deadline: date, today: date, offsets: tuple[int, ...] = BEFORE) -> int | None:
    """The reminder that should have left by ``today``: the last offset reached, in days before ``deadline``.

    None before the first one, and once the deadline has passed. Several missed nights give one reminder, the last.
    """
    reached = [days for days in offsets if deadline - timedelta(days=days) <= today <= deadline]
    return min(reached, default=None)


def step_after(since: date, today: date, offsets: tuple[int, ...] = AFTER) -> int | None:
    """The same after a fact: the last offset reached, in days after ``since``; None before the first one."""
    reached = [days for days in offsets if since + timedelta(days=days) <= today]
    return max(reached, default=None)
