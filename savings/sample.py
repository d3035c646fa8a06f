"""A sample of lines to check by hand, with what makes it drawn again."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from savings.choices import GainStage
from savings.ledger import entries
from savings.models import PriceLine, YearLock
from savings.models.ledger import euros_of
from savings.rules.sampling import draw


@dataclass(frozen=True)
class SampledLine:
    """``rank``: in the order drawn; ``gain``: what the line counts in the year, € excl. tax."""

    rank: int
    line: PriceLine
    gain: Decimal


@dataclass(frozen=True)
class Sample:
    """``population``: the lines that had a chance; ``weight``: the sum of their amounts, losses as positive ones."""

    year: int
    stage: GainStage
    seed: str
    lines: list[SampledLine]
    population: int
    weight: Decimal
    lock: YearLock | None

    @property
    def drawn_weight(self) -> Decimal:
        return sum((abs(sampled.gain) for sampled in self.lines), Decimal("0.00"))


def draw_sample(affiliation, *, year: int, stage: str, count: int, seed: str) -> Sample:
    """Draw ``count`` lines the affiliation may read in that year and stage, by the budget gain they count there.

    A line whose entries of the year come to zero, as those of a line reversed, has no chance. While the year is open
    the ledger moves, and the same seed may give other lines; once it is locked, never.
    """
    rows = entries(affiliation, stage=stage, year=year).order_by("line").values_list("line")
    cents = dict(rows.annotate(total=Sum("budget_gain_cents")).iterator())
    numbers = draw(list(cents.items()), count, seed)
    found = PriceLine.objects.select_related(
        "baseline__lot",
        "baseline__evidence",
        "baseline__membership__grouping",
        "baseline__membership__organisation",
    ).in_bulk(numbers)
    weighing = [abs(value) for value in cents.values() if value]
    return Sample(
        year=year,
        stage=GainStage(stage),
        seed=seed,
        lines=[
            SampledLine(rank, found[number], euros_of(cents[number])) for rank, number in enumerate(numbers, start=1)
        ],
        population=len(weighing),
        weight=euros_of(sum(weighing)),
        lock=YearLock.objects.visible_to(affiliation).filter(year=year).first(),
    )
