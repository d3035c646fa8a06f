"""The back-planning: from the wanted start of the contract, when each stage is usually done, and at the latest.

The stages are rows of ``tables/stages.toml``. Their ends are computed backwards: the usual ones fall on working days,
the latest ones count each following stage at its minimum (the law's where it sets one, else the shortest seen).
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from groupings.rules.launch import TRANSMISSION_DAYS
from groupings.rules.offer_delay import offer_delay
from groupings.rules.standstill import SOURCE as STANDSTILL_SOURCE
from groupings.rules.standstill import standstill_days
from procurement.core.calendar import ONE_DAY, is_working_day

_TABLE = Path(__file__).parent / "tables" / "stages.toml"
USAGE = "usage"
#: Date of the grouping's calendar ← stage, and which of its two ends.
CALENDAR = {
    "needs_due_on": ("needs", "ends_on"),
    "deliberations_due_on": ("deliberations", "ends_on"),
    "launch_planned_on": ("tender", "starts_on"),
    "award_planned_on": ("notification", "ends_on"),
}


class State(StrEnum):
    DONE = "done"
    LATE = "late"  # its latest date has passed
    TIGHT = "tight"  # its usual date has passed, the minimum still holds
    RUNNING = "running"
    PLANNED = "planned"


@dataclass(frozen=True)
class Assembly:
    """What is known of the meetings of one body that has still to vote: (meeting, last day to file a text) pairs."""

    name: str
    sessions: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True)
class Stage:
    """One stage. It lasts from ``starts_on`` to ``ends_on``, the day its evidence is there and the next one starts.

    ``minimum_days`` has its ``source``, an article or « usage »; ``usual_days`` is always of usage. ``done_on`` is the
    real date of a stage that is done, None when nobody knows it.
    """

    code: str
    label: str
    who: str
    evidence: str
    starts_on: date
    ends_on: date
    latest_end_on: date
    minimum_days: int
    usual_days: int
    source: str
    state: State
    note: str = ""
    is_parallel: bool = False
    is_assumed: bool = False
    done_on: date | None = None


@dataclass(frozen=True)
class BackPlanning:
    """The stages in their order. ``earliest_start_on``: the first day the contract could start if each stage left took
    its minimum from ``today`` on."""

    stages: tuple[Stage, ...]
    wanted_on: date
    today: date
    earliest_start_on: date

    @property
    def is_feasible(self) -> bool:
        return self.is_over or self.earliest_start_on <= self.wanted_on

    @property
    def is_over(self) -> bool:
        return all(stage.state == State.DONE for stage in self.stages)

    @property
    def late(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.state == State.LATE)

    @property
    def tight(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.state == State.TIGHT)

    def stage(self, code: str) -> Stage:
        """Raises KeyError when this procedure has no such stage."""
        for stage in self.stages:
            if stage.code == code:
                return stage
        raise KeyError(code)

    @property
    def proposed(self) -> dict[str, date]:
        """Date of the grouping's calendar → day proposed, for what is not done: the usual ones while they hold, else
        what is left until the wanted start, shared between the stages above their minimums. Empty when not feasible.
        """
        left = [stage for stage in self.stages if stage.state != State.DONE and not stage.is_parallel]
        if not left or not self.is_feasible:
            return {}
        ends = {stage.code: stage.ends_on for stage in left}
        starts = {stage.code: stage.starts_on for stage in left}
        usual = _proposals(starts, ends)
        # A stage may end today and have had to start before: its start would be proposed in the past.
        if any(day < self.today for day in (*ends.values(), *usual.values())):
            return _proposals(*self._squeezed(left))
        return usual

    def _squeezed(self, left: Sequence[Stage]) -> tuple[dict[str, date], dict[str, date]]:
        """Starts and ends of the stages ``left``, fitted between today and the wanted start."""
        minimums = _remaining(self.stages, self.today)
        spare = (self.wanted_on - self.today).days - sum(minimums[stage.code] for stage in left)
        stretch = sum(max(0, stage.usual_days - minimums[stage.code]) for stage in left)
        starts: dict[str, date] = {}
        ends: dict[str, date] = {}
        end = self.wanted_on
        for stage in reversed(left):
            more = max(0, stage.usual_days - minimums[stage.code])
            days = minimums[stage.code] + (more * min(spare, stretch) // stretch if stretch else 0)
            start = max(self.today, end - timedelta(days=days))
            ends[stage.code] = end
            starts[stage.code] = end = max(self.today, _working_day_before(start))
        return starts, ends


def back_planning(
    wanted_on: date,
    *,
    today: date,
    procedure: str = "formal",
    is_electronic: bool = True,
    done: Mapping[str, date | None] | None = None,
    assemblies: Sequence[Assembly] | None = None,
) -> BackPlanning:
    """The stages of a contract that should start on ``wanted_on``.

    ``procedure`` is a code of ``thresholds``. ``done``: code of a stage → its real date, None when it is done and the
    date unknown. ``assemblies``: the bodies that have still to vote; None when their calendars were not read, and the
    stage of the deliberations is then an assumption. Raises ValueError for an unknown procedure.
    """
    done = done or {}
    rows = [row for row in _rows() if procedure in row.get("procedures", (procedure,))]
    if "tender" not in {row["code"] for row in rows}:
        raise ValueError(f"Procédure inconnue\u00a0: {procedure}.")
    drafts = [_draft(row, is_electronic) for row in rows]
    stages: list[Stage] = []
    launch = latest_launch = end = latest_end = wanted_on
    for draft in reversed(drafts):
        if draft.is_parallel:
            start = _working_day_before(launch - timedelta(days=draft.usual_days))
            stage = replace(draft, starts_on=start, ends_on=launch, latest_end_on=latest_launch)
        else:
            stage = replace(draft, ends_on=end, latest_end_on=latest_end)
            if draft.code == "deliberations":
                stage = _in_the_calendar(stage, None if "deliberations" in done else assemblies)
            start = _working_day_before(end - timedelta(days=stage.usual_days))
            stage = replace(stage, starts_on=start)
            end, latest_end = start, latest_end - timedelta(days=stage.minimum_days)
            if draft.code == "tender":
                launch, latest_launch = end, latest_end
        stages.append(stage)
    ordered = _told(list(reversed(stages)), done, today)
    return BackPlanning(
        ordered, wanted_on, today, max(today, today + timedelta(days=sum(_remaining(ordered, today).values())))
    )


def _draft(row: dict, is_electronic: bool) -> Stage:
    """The row as a stage still without dates. A longer legal minimum lengthens the usual duration as much."""
    minimum, source, usual = row.get("minimum"), USAGE, row["usual"]
    if row.get("minimum_of") == "standstill":
        minimum, source = standstill_days(is_electronic), STANDSTILL_SOURCE
        usual += minimum - standstill_days(True)
    elif "minimum_of" in row:
        delay = offer_delay(row["minimum_of"], is_electronic)
        minimum, source = delay.days, delay.source
        usual += minimum - offer_delay(row["minimum_of"], True).days
    return Stage(
        code=row["code"],
        label=row["label"],
        who=row["who"],
        evidence=row["evidence"],
        starts_on=date.min,
        ends_on=date.min,
        latest_end_on=date.min,
        minimum_days=minimum,
        usual_days=usual,
        source=source,
        state=State.PLANNED,
        note=row.get("note", ""),
        is_parallel=row.get("is_parallel", False),
    )


def _in_the_calendar(stage: Stage, assemblies: Sequence[Assembly] | None) -> Stage:
    """The stage of the votes, in the real calendar of the assemblies when it reaches that far.

    Each body votes at its last meeting whose act is enforceable in time (a week for publication and transmission); the
    text is ready when the first of their agendas closes.
    """
    if assemblies is None:
        return replace(stage, is_assumed=True)
    if not assemblies:
        return stage
    closing, unknown = [], 0
    for assembly in assemblies:
        usable = [
            closes_on
            for meeting_on, closes_on in assembly.sessions
            if meeting_on + timedelta(days=TRANSMISSION_DAYS) <= stage.ends_on
        ]
        closing += [max(usable)] if usable else []
        unknown += not usable
    needed = max(((stage.ends_on - closes_on).days for closes_on in closing), default=0)
    if unknown:
        whose = f"de {unknown} assemblée{'s' if unknown > 1 else ''}"
        told = f"Hypothèse\u00a0: aucune séance connue {whose} assez tôt."
        return replace(
            stage,
            usual_days=max(stage.usual_days, needed),
            is_assumed=True,
            note=f"{told} {stage.note}".strip(),
        )
    told = f"Selon le calendrier connu des assemblées ({len(assemblies)})."
    return replace(stage, usual_days=max(stage.minimum_days, needed), note=f"{told} {stage.note}".strip())


def _told(stages: Sequence[Stage], done: Mapping[str, date | None], today: date) -> tuple[Stage, ...]:
    """The stages with their state. None runs before those ahead of it are done, but the parallel one."""
    told, is_free = [], True
    for stage in stages:
        if stage.code in done:
            told.append(replace(stage, state=State.DONE, done_on=done[stage.code]))
            continue
        if today > stage.latest_end_on:
            state = State.LATE
        elif today > stage.ends_on:
            state = State.TIGHT
        else:
            may_run = is_free or stage.is_parallel
            state = State.RUNNING if may_run and today >= stage.starts_on else State.PLANNED
        told.append(replace(stage, state=state))
        is_free = is_free and stage.is_parallel
    return tuple(told)


def _proposals(starts: dict[str, date], ends: dict[str, date]) -> dict[str, date]:
    """Date of the grouping's calendar → day, for the stages given."""
    return {
        field: (ends if end == "ends_on" else starts)[code] for field, (code, end) in CALENDAR.items() if code in ends
    }


def _remaining(stages: Sequence[Stage], today: date) -> dict[str, int]:
    """Code of each stage left → its minimum, what has already run of the first one taken off."""
    left = [stage for stage in stages if stage.state != State.DONE and not stage.is_parallel]
    remaining = {stage.code: stage.minimum_days for stage in left}
    ended = [stage.done_on for stage in stages if stage.state == State.DONE and stage.done_on is not None]
    if left and ended:
        elapsed = max(0, (today - max(ended)).days)
        remaining[left[0].code] = max(0, left[0].minimum_days - elapsed)
    return remaining


def _working_day_before(day: date) -> date:
    """``day`` itself when it is a working day, else the last one before it."""
    while not is_working_day(day):
        day -= ONE_DAY
    return day


@lru_cache(maxsize=1)
def _rows() -> list[dict]:
    with _TABLE.open("rb") as file:
        return tomllib.load(file)["stage"]
