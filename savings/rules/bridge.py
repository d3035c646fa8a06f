"""The bridge from one budget year to the next: why this year's gain is not last year's, in terms that add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from procurement.core.money import ZERO, round_half_up


@dataclass(frozen=True)
class YearPart:
    """What one line counts in one year, € excl. tax: ``budget`` and ``purchase`` gains, over so many ``months``.

    ``late_budget`` and ``late_purchase``: counted that year about an earlier one, already locked.
    """

    budget: Decimal = ZERO
    purchase: Decimal = ZERO
    months: int = 0
    late_budget: Decimal = ZERO
    late_purchase: Decimal = ZERO


@dataclass(frozen=True)
class Thread:
    """One reference price over two years; ``root``: the line each year's figure began as, corrections followed back
    to it (None: nothing that year). ``is_corrected``: the line was corrected in between."""

    before: YearPart
    after: YearPart
    root_before: int | None
    root_after: int | None
    is_corrected: bool = False


@dataclass(frozen=True)
class Bridge:
    """``prior`` + the seven terms = ``current``, to the cent. All € excl. tax, ``ended`` at most what it was."""

    prior: Decimal
    new: Decimal
    ended: Decimal
    corrected: Decimal
    prorata: Decimal
    remeasured: Decimal
    indexed: Decimal
    current: Decimal

    @property
    def terms(self) -> tuple[Decimal, ...]:
        return (self.new, self.ended, self.corrected, self.prorata, self.remeasured, self.indexed)


def bridge(threads: Iterable[Thread], *, reading: str = "budget") -> Bridge:
    """The bridge of ``reading`` ("budget", or "purchase").

    New and ended: lines of one year alone. Corrected: what a validated correction changed, late postings included
    (those of last year are not there again). Prorata: the same line over another number of months. Remeasured: another
    line of the same reference price (a realised one is measured again each year). The terms are those of the budget
    reading; ``indexed``, of the purchase reading alone, is how the part of the index changed.
    """
    new = ended = corrected = prorata = remeasured = indexed = prior = current = ZERO
    for thread in threads:
        before, after = thread.before, thread.after
        change = after.budget - before.budget
        corrected += after.late_budget - before.late_budget
        if thread.root_before is None:
            new += change
        elif thread.root_after is None:
            ended += change
        elif thread.root_before != thread.root_after:
            remeasured += change
        elif thread.is_corrected:
            by_months = _by_months(before, after)
            prorata += by_months
            corrected += change - by_months
        else:
            prorata += change
        counted_before = before.budget + before.late_budget
        counted_after = after.budget + after.late_budget
        if reading == "purchase":
            indexed_before = before.purchase + before.late_purchase - counted_before
            indexed_after = after.purchase + after.late_purchase - counted_after
            indexed += indexed_after - indexed_before
            counted_before, counted_after = counted_before + indexed_before, counted_after + indexed_after
        prior += counted_before
        current += counted_after
    return Bridge(prior, new, ended, corrected, prorata, remeasured, indexed, current)


def _by_months(before: YearPart, after: YearPart) -> Decimal:
    """What the number of months changed by itself, at this year's figure."""
    if not after.months:
        return ZERO
    return round_half_up(after.budget * (after.months - before.months) / after.months)
