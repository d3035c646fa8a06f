"""Contracts about to end, put side by side: where several bodies buy the same kind of thing, a grouping is possible.

« The same kind » is the division of the CPV code, its first two digits (règlement (CE) n° 213/2008).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from procurement.core.calendar import add_months
from procurement.core.money import ZERO, round_half_up

#: Preparing a grouping takes a year and a half, from the survey to the first order.
HORIZON_MONTHS = 18
LEAST_BODIES = 2
NEEDS, PUBLISHED, AWARD = "needs", "published", "award"
WORKS_DIVISION, FIRST_SERVICES_DIVISION = "45", "50"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingContract:
    """One contract of one body. ``amount`` (whole duration) and ``yearly``: € excl. tax, None when not known.

    ``origin``: what the body said in a survey of needs, a published contract, or its part of one awarded here.
    ``cpv``: eight digits, "" when not known. ``grouping``: number and reference of the grouping it is read from.
    """

    body: int
    body_name: str
    cpv: str
    title: str
    supplier: str
    ends_on: date
    amount: Decimal | None
    yearly: Decimal | None
    origin: str
    reference: str
    grouping: int | None = None

    @property
    def division(self) -> str:
        return self.cpv[:2]


@dataclass(frozen=True, slots=True)
class Opportunity:
    """The contracts of one division that end within the horizon, first end first."""

    division: str
    contracts: tuple[EndingContract, ...]

    @property
    def bodies(self) -> list[str]:
        """The names of the different bodies, in the order of their first end."""
        return list({contract.body: contract.body_name for contract in self.contracts}.values())

    @property
    def first_end(self) -> date:
        return self.contracts[0].ends_on

    @property
    def last_end(self) -> date:
        return self.contracts[-1].ends_on

    @property
    def yearly_known(self) -> Decimal:
        """The known amounts of a year, € excl. tax."""
        return sum((contract.yearly for contract in self.contracts if contract.yearly is not None), ZERO)

    @property
    def unknown_count(self) -> int:
        """How many contracts have no known amount: they are not counted as zero."""
        return sum(contract.yearly is None for contract in self.contracts)

    @property
    def suppliers(self) -> list[str]:
        return list(dict.fromkeys(contract.supplier for contract in self.contracts if contract.supplier))

    @property
    def cpv(self) -> str:
        """The code they share, or that of the whole division."""
        codes = {contract.cpv for contract in self.contracts}
        return codes.pop() if len(codes) == 1 else f"{self.division}000000"


@dataclass(frozen=True, slots=True)
class Radar:
    """What ends within the horizon. ``alone``: divisions where a single body has contracts ending.

    ``unknown``: contracts whose CPV code is not known, first end first.
    """

    opportunities: tuple[Opportunity, ...]
    alone: tuple[Opportunity, ...]
    unknown: tuple[EndingContract, ...]


def last_watched_day(today: date, months: int = HORIZON_MONTHS) -> date:
    """The same day that many months later, clamped to the month's end; that day included."""
    return add_months(today, months)


def is_watched(ends_on: date, today: date, months: int = HORIZON_MONTHS) -> bool:
    """Whether a contract ends between today and the last watched day, both included; an expired one is out."""
    return today <= ends_on <= last_watched_day(today, months)


def radar(contracts: Iterable[EndingContract], today: date, months: int = HORIZON_MONTHS) -> Radar:
    """The watched ``contracts`` by division, in the order of their first end.

    What a body said in a survey is left out when a contract of the same body, division and end is known otherwise: it
    is the same one, told twice.
    """
    watched = [contract for contract in contracts if is_watched(contract.ends_on, today, months)]
    known = {(c.body, c.division, c.ends_on) for c in watched if c.origin != NEEDS}
    watched = [c for c in watched if c.origin != NEEDS or (c.body, c.division, c.ends_on) not in known]
    watched.sort(key=lambda c: (c.ends_on, c.body_name, c.title, c.reference))
    by_division: dict[str, list[EndingContract]] = {}
    for contract in watched:
        by_division.setdefault(contract.division, []).append(contract)
    unknown = tuple(by_division.pop("", ()))
    groups = [Opportunity(division, tuple(found)) for division, found in by_division.items()]
    groups.sort(key=lambda group: (group.first_end, group.division))
    return Radar(
        tuple(group for group in groups if len(group.bodies) >= LEAST_BODIES),
        tuple(group for group in groups if len(group.bodies) < LEAST_BODIES),
        unknown,
    )


def yearly_amount(amount: Decimal | None, months: int | None) -> Decimal | None:
    """The part of a year in ``amount`` (€ excl. tax for ``months``), to the cent; the whole for a year or less."""
    if amount is None or not months:
        return None
    return round_half_up(amount * 12 / months) if months > 12 else round_half_up(amount)


def category_of(division: str) -> str:
    """The category a grouping of that division most likely is: 45 works, below 50 supplies, the others services.

    A proposal: « services sociaux et spécifiques » are a list of codes of their own (avis du 31 mars 2019, JORF), which
    a person chooses.
    """
    if division == WORKS_DIVISION:
        return "works"
    return "supplies" if division < FIRST_SERVICES_DIVISION else "services"
