"""When a renewal must do what: its dates counted back from the day it must begin.

Back-planning of the trade (domain notes, §5): the survey opens thirteen months before the first delivery and closes at
eleven, when the convention is written; acts enforceable at eight, launch at seven, notification at one.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from procurement.core.calendar import add_months

NEEDS_DUE, DELIBERATIONS_DUE, LAUNCH, AWARD = 11, 8, 7, 1


@dataclass(frozen=True)
class RenewalDates:
    """The planned dates of the next grouping; one that has already gone by is told as today, to be planned anew.
    ``is_late``: one of them at least has gone by."""

    starts_on: date
    needs_due_on: date
    deliberations_due_on: date
    launch_on: date
    award_on: date
    is_late: bool


def renewal_dates(ends_on: date, today: date) -> RenewalDates:
    """The dates of what must follow a contract that ends on ``ends_on``: it begins the day after, or, when that day has
    gone by, on the first of the next month."""
    starts_on = ends_on + timedelta(days=1)
    is_over = starts_on <= today
    if is_over:
        starts_on = add_months(today.replace(day=1), 1)
    usual = [add_months(starts_on, -months) for months in (NEEDS_DUE, DELIBERATIONS_DUE, LAUNCH, AWARD)]
    is_late = is_over or any(day < today for day in usual)
    return RenewalDates(starts_on, *(max(day, today) for day in usual), is_late=is_late)


def next_reference(reference: str, year: int, taken: frozenset[str] | set[str]) -> str:
    """A free reference for what renews ``reference``: « GC-2022-03 » opened in 2026 gives « GC-2026-03 », else the same
    with « -R », « -R2 »… Thirty characters at most."""
    parts = reference.split("-")
    years = [
        place for place, part in enumerate(parts) if len(part) == 4 and part.isdigit() and part[:2] in ("19", "20")
    ]
    if years:
        parts[years[0]] = str(year)
        if (same := "-".join(parts)) not in taken:
            return same
    number = 1
    while True:
        suffix = "-R" if number == 1 else f"-R{number}"
        proposed = f"{reference[: 30 - len(suffix)]}{suffix}"
        if proposed not in taken:
            return proposed
        number += 1
