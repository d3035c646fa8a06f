"""The geometry of the drawn back-planning: one bar per stage on an axis of months. Whole numbers; the template draws.

From left to right: the names, then the time. A thin line leads from the usual end of a stage to its latest one.
"""

from dataclasses import dataclass
from datetime import date

from groupings.rules.back_planning import BackPlanning, Stage, State
from procurement.core.calendar import add_months

WIDTH, NAMES, MARGIN, TOP, ROW = 1080, 330, 70, 52, 34
_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
#: Fill and ink of each state: those of the badges of the same meaning.
_COLOURS = {
    State.DONE: ("#2f7d43", "#0f4423"),
    State.LATE: ("#a3121f", "#a3121f"),
    State.TIGHT: ("#d9b44a", "#543d00"),
    State.RUNNING: ("#1b4b7a", "#0b3d6b"),
    State.PLANNED: ("#9cc4ea", "#3d4753"),
}
WORDS = {
    State.DONE: "Terminé",
    State.LATE: "En retard",
    State.TIGHT: "Serré",
    State.RUNNING: "En cours",
    State.PLANNED: "À venir",
}


@dataclass(frozen=True)
class Tick:
    """A month of the axis; ``label`` is empty between two told months."""

    x: int
    label: str


@dataclass(frozen=True)
class Bar:
    """One stage: its bar from ``x`` to ``end``, the line to ``latest``, its word written at ``word_x``."""

    stage: Stage
    y: int
    x: int
    width: int
    latest: int
    word: str
    word_x: int
    fill: str
    ink: str

    @property
    def end(self) -> int:
        return self.x + self.width

    @property
    def middle(self) -> int:
        return self.y + 10

    @property
    def baseline(self) -> int:
        return self.y + 15


@dataclass(frozen=True)
class Timeline:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    today: int | None
    height: int

    width = WIDTH
    names = NAMES
    top = TOP

    @property
    def bottom(self) -> int:
        return self.height - 12

    @property
    def label_x(self) -> int:
        return NAMES - 12

    @property
    def today_label(self) -> int | None:
        """Where « aujourd’hui » is centred, inside the picture."""
        return None if self.today is None else min(max(self.today, NAMES + 40), WIDTH - 44)

    @property
    def told(self) -> str:
        """The same in words, for who does not see the picture."""
        return "\u202f; ".join(f"{bar.stage.label}\u00a0: {_dates(bar.stage)}, {bar.word.lower()}" for bar in self.bars)


def timeline(plan: BackPlanning) -> Timeline:
    """The drawing of ``plan``: from its first stage (or today, when nearer than three months) to the wanted start."""
    first = min(stage.starts_on for stage in plan.stages)
    last = plan.wanted_on
    if first > plan.today >= add_months(first, -3):
        first = plan.today
    if last < plan.today <= add_months(last, 3):
        last = plan.today
    start = first.replace(day=1)
    end = add_months(last.replace(day=1), 1)
    span = (end - start).days
    room = WIDTH - NAMES - MARGIN

    def x(day: date) -> int:
        return NAMES + room * min(max((day - start).days, 0), span) // span

    bars = []
    for place, stage in enumerate(plan.stages):
        fill, ink = _COLOURS[stage.state]
        left, right = x(stage.starts_on), x(stage.ends_on)
        latest = right if stage.state == State.DONE else x(stage.latest_end_on)
        bars.append(
            Bar(
                stage=stage,
                y=TOP + 8 + ROW * place,
                x=left,
                width=max(4, right - left),
                latest=latest,
                word=WORDS[stage.state],
                word_x=max(latest, left + max(4, right - left)) + 8,
                fill=fill,
                ink=ink,
            )
        )
    return Timeline(
        tuple(bars),
        tuple(_ticks(start, end, x)),
        x(plan.today) if start <= plan.today <= end else None,
        TOP + 8 + ROW * len(bars) + 12,
    )


def _ticks(start: date, end: date, x) -> list[Tick]:
    """Every month, told often enough to be read and no more."""
    months = []
    day = start
    while day <= end:
        months.append(day)
        day = add_months(day, 1)
    step = max(1, -(-len(months) // 9))
    return [
        Tick(x(day), f"{_MONTHS[day.month - 1]} {day.year % 100:02d}" if place % step == 0 else "")
        for place, day in enumerate(months)
    ]


def _dates(stage: Stage) -> str:
    return f"du {stage.starts_on:%d/%m/%Y} au {stage.ends_on:%d/%m/%Y}"
