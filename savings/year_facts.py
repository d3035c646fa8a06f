"""What one budget year of a territory holds: its fingerprint, its entries counted, its totals per stage."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from savings.choices import GainStage
from savings.models import LedgerEntry, PriceLine, YearLock
from savings.models.ledger import euros_of
from savings.rules.amounts import AMOUNTS
from savings.rules.locks import COLUMNS, YearHash

#: Rows read at a time: a year of a million entries is never in memory.
CHUNK = 5000


@dataclass(frozen=True)
class YearFacts:
    """``totals``: stage → name of the amount → € excl. tax, exact text with two decimals; and how many ``lines``."""

    sha256: str
    entry_count: int
    totals: dict[str, dict[str, str | int]]


@dataclass(frozen=True)
class Verification:
    """What a lock says, against what the year holds now."""

    lock: YearLock
    found: YearFacts

    @property
    def is_unchanged(self) -> bool:
        return (self.found.sha256, self.found.entry_count, self.found.totals) == (
            self.lock.sha256,
            self.lock.entry_count,
            self.lock.totals,
        )


def year_entries(territory_id: int, year: int) -> QuerySet[LedgerEntry]:
    """Every entry that counts in that year, all stages, in the order they are hashed."""
    return LedgerEntry.objects.filter(territory_id=territory_id, year=year).order_by("pk")


def year_facts(territory_id: int, year: int) -> YearFacts:
    """The year as it is now, in two queries and constant memory."""
    entries = year_entries(territory_id, year)
    hashed = YearHash(year)
    for row in entries.values_list(*COLUMNS).iterator(chunk_size=CHUNK):
        hashed.add(row)
    return YearFacts(hashed.hexdigest(), hashed.count, totals_per_stage(entries))


def totals_per_stage(entries: QuerySet[LedgerEntry]) -> dict[str, dict[str, str | int]]:
    """The sums of each of the three stages on its own: stages are never added together. A stage without entries is
    there with zero lines: a lock says that there was nothing."""
    sums = {name: Sum(f"{name}_cents") for name in AMOUNTS}
    rows = entries.order_by("stage").values("stage").annotate(line_count=Count("line", distinct=True), **sums)
    found = {row["stage"]: row for row in rows}
    nothing = {"line_count": 0} | dict.fromkeys(AMOUNTS, 0)
    return {stage: _exact(found.get(stage, nothing)) for stage in GainStage.values}


def _exact(row: dict[str, int]) -> dict[str, str | int]:
    return {"lines": row["line_count"]} | {name: str(euros_of(row[name])) for name in AMOUNTS}


def verify(lock: YearLock) -> Verification:
    """Compute the locked year again, and put it beside its lock."""
    return Verification(lock, year_facts(lock.territory_id, lock.year))


def waiting_lines(territory_id: int, year: int) -> QuerySet[PriceLine]:
    """The submitted lines that would have a part in ``year``: once it is locked, that part counts later."""
    submitted = PriceLine.objects.awaiting_finance().filter(
        of_territory("baseline__membership__grouping__", territory_id), starts_on__isnull=False, months__isnull=False
    )
    rows = submitted.values_list("pk", *_SPAN).iterator(chunk_size=CHUNK)
    return PriceLine.objects.filter(pk__in=[pk for pk, *line in rows if _touches(year, *line)])


def of_territory(grouping: str, territory_id: int) -> Q:
    """The rows whose grouping, at ``grouping`` ("lot__grouping__"…), belongs to that territory."""
    return Q(**{f"{grouping}coordinator_id": territory_id}) | Q(
        **{f"{grouping}coordinator__territory_id": territory_id}
    )


_SPAN = ("stage", "year", "is_one_off", "starts_on", "months")


def _touches(asked: int, stage: str, year: int | None, is_one_off: bool, starts_on, months: int) -> bool:
    if stage == "REALISED":
        return year == asked
    last = starts_on.year if is_one_off else starts_on.year + (starts_on.month - 1 + months - 1) // 12
    return starts_on.year <= asked <= last
