"""One line of the ledger, with everything that lets it be defended."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from procurement.core.journal.models import JournalEntry
from procurement.core.money import format_number
from savings.choices import EDITABLE, GainStage, LineStatus
from savings.four_eyes import budget_rate, needs_comment, own_part, purchase_rate, refusal
from savings.models import Baseline, LedgerEntry, PriceLine
from savings.models.ledger import euros_of
from savings.posting import SPLIT, parts_by_year
from savings.rules.amounts import AMOUNTS

JOURNAL_SHOWN = 30


@dataclass(frozen=True)
class Part:
    """What falls in one budget year, or in all (``year`` None); € excl. tax."""

    year: int | None
    months: int
    baseline_budget: Decimal
    baseline_purchase: Decimal
    obtained: Decimal

    @property
    def budget_gain(self) -> Decimal:
        return self.baseline_budget - self.obtained

    @property
    def purchase_gain(self) -> Decimal:
        return self.baseline_purchase - self.obtained


@dataclass(frozen=True)
class EntryRow:
    """One entry of the ledger, in euros."""

    entry: LedgerEntry

    @property
    def budget_gain(self) -> Decimal:
        return euros_of(self.entry.budget_gain_cents)

    @property
    def purchase_gain(self) -> Decimal:
        return euros_of(self.entry.purchase_gain_cents)

    @property
    def is_moved(self) -> bool:
        """Whether it counts later than the year it is about: that one was locked."""
        return self.entry.year != self.entry.origin_year


class LinePage:
    """What the page of ``line`` shows to the people of ``affiliation``; found by ``visible_to`` beforehand."""

    def __init__(self, line: PriceLine, affiliation):
        self.line, self.affiliation = line, affiliation
        self.baseline = line.baseline
        self.is_complete = line.is_measured and line.starts_on is not None and line.months is not None
        self.parts = self._parts() if self.is_complete else []
        self.entries = [EntryRow(entry) for entry in line.entries.order_by("origin_year", "pk")]

    def _parts(self) -> list[Part]:
        return [
            Part(year, months, **{name: amounts[name] for name in SPLIT})
            for year, (months, amounts) in parts_by_year(self.line).items()
        ]

    @property
    def full_term(self) -> Part | None:
        """The whole duration: the sum of its years, to the cent."""
        if not self.parts:
            return None
        sums = {name: sum((getattr(part, name) for part in self.parts), Decimal("0.00")) for name in SPLIT}
        return Part(None, sum(part.months for part in self.parts), **sums)

    @property
    def budget_rate(self) -> Decimal | None:
        return budget_rate(self.line)

    @property
    def purchase_rate(self) -> Decimal | None:
        return purchase_rate(self.line)

    @property
    def is_plausible(self) -> bool:
        return not needs_comment(self.line)

    @property
    def is_realised(self) -> bool:
        return self.line.stage == GainStage.REALISED

    @property
    def is_indexed(self) -> bool:
        return self.baseline.index_factor != 1

    @property
    def own_part(self) -> str:
        return own_part(self.line, self.affiliation.user_id)

    @property
    def refusal(self) -> str:
        """Why it cannot be validated as it is; told while it waits, or is being written."""
        return refusal(self.line) if self.line.status in (LineStatus.SUBMITTED, *EDITABLE) else ""

    @property
    def corrections(self) -> list[PriceLine]:
        """Those begun of it, that the reader may read."""
        return list(PriceLine.objects.visible_to(self.affiliation).filter(corrects=self.line).order_by("pk"))

    @property
    def journal(self) -> list["JournalRow"]:
        """What was done with this line and with its reference, the latest first, with the old values."""
        thread = self.baseline.membership.grouping.thread
        own = Q(verb__startswith="price_line.", sentence__endswith=line_tail(self.line)) & ~_of_another(self.line)
        reference = Q(verb__startswith="baseline.", sentence__endswith=baseline_tail(self.baseline))
        about = Q(after__line=self.line.pk) | own | reference
        entries = JournalEntry.objects.of_thread(thread, self.affiliation).filter(about)
        return [JournalRow(entry) for entry in entries[:JOURNAL_SHOWN]]


#: What the journal tells of a change: not what the sentence says already, nor what belongs to the machine.
_LABELS = {
    field.attname: str(field.verbose_name)
    for model in (Baseline, PriceLine)
    for field in model._meta.concrete_fields
    if not field.is_relation and field.name not in ("id", "version", "status", "is_superseded", "is_replaced")
    if not field.name.endswith(("_at", "_label", "_reason"))
}


@dataclass(frozen=True)
class JournalRow:
    """One act, and what it changed."""

    entry: JournalEntry

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """(what, old value, new value), as a person reads them; nothing for what was only created."""
        before, after = self.entry.before, self.entry.after
        return [
            (_LABELS[name], _told(before[name]), _told(after.get(name)))
            for name in before
            if name in _LABELS and name in after
        ]


def _told(value: object) -> str:
    """A value of the journal (JSON) for a French reader."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "oui" if value else "non"
    text = str(value)
    if re.fullmatch(r"-?\d+\.\d+", text):
        return format_number(Decimal(text))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return f"{date.fromisoformat(text):%d/%m/%Y}"
    return text


def line_tail(line: PriceLine) -> str:
    """How the journal names a line, at the end of its sentences: the journal of a grouping is one thread, and this
    finds in it what is about one line."""
    year = f" {line.year}" if line.year else ""
    baseline = line.baseline
    return (
        f", {line.get_stage_display().lower()}{year}, lot {baseline.lot.number}\u00a0: {baseline.designation}, "
        f"{baseline.membership.organisation.name}"
    )


def baseline_tail(baseline: Baseline) -> str:
    """How the journal names a reference, at the end of its sentences."""
    return f", lot {baseline.lot.number}, {baseline.membership.organisation.name}\u00a0: {baseline.designation}"


def _of_another(line: PriceLine) -> Q:
    """Said of another line of the same reference: one it corrects, or its correction."""
    return Q(after__has_key="line") & ~Q(after__line=line.pk)


def entry_totals(rows: list[EntryRow]) -> dict[str, Decimal]:
    """The sums of some entries: zero for a line that its correction reversed."""
    return {name: euros_of(sum(getattr(row.entry, f"{name}_cents") for row in rows)) for name in AMOUNTS}
