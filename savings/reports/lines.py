"""The rows of a report: one per entry of the ledger, the proofs behind them, and who did what. Read one at a time."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet, Sum

from procurement.core.journal.models import JournalEntry
from savings.choices import BaselineMethod, EntryKind, GainStage
from savings.models import Baseline, LedgerEntry, PriceLine
from savings.models.ledger import euros_of
from savings.rules.budget_years import full_term

#: Rows fetched at a time: a report of a million lines holds no more of them in memory.
CHUNK = 2000

#: Field of ``Line`` → its path from an entry, in the order of the fields.
_PATHS = {
    "line": "line_id",
    "kind": "kind",
    "stage": "stage",
    "grouping": "grouping_id",
    "reference": "grouping__reference",
    "grouping_title": "grouping__title",
    "lot": "lot_id",
    "lot_number": "lot__number",
    "lot_title": "lot__title",
    "member": "organisation_id",
    "member_name": "organisation__name",
    "siren": "organisation__siren",
    "family": "family",
    "designation": "line__baseline__designation",
    "unit": "line__baseline__unit",
    "quantity": "line__quantity",
    "price_before": "line__price_before",
    "index_factor": "line__index_factor",
    "price_obtained": "line__price_obtained",
    "method": "line__baseline__method",
    "grade": "grade",
    "is_one_off": "is_one_off",
    "starts_on": "line__starts_on",
    "term_months": "line__months",
    "origin_year": "origin_year",
    "months": "months",
    "baseline_budget_cents": "baseline_budget_cents",
    "baseline_purchase_cents": "baseline_purchase_cents",
    "obtained_cents": "obtained_cents",
    "budget_gain_cents": "budget_gain_cents",
    "purchase_gain_cents": "purchase_gain_cents",
    "yearly_baseline_budget": "line__baseline_budget",
    "yearly_baseline_purchase": "line__baseline_purchase",
    "yearly_obtained": "line__obtained",
    "line_volume_effect": "line__volume_effect",
    "evidence_name": "line__baseline__evidence__original_name",
    "evidence_sha256": "line__baseline__evidence__sha256",
    "entered_by": "line__entered_label",
    "confirmed_by": "line__baseline__confirmed_label",
    "validated_by": "line__decided_label",
    "validated_at": "line__decided_at",
    "corrects": "line__corrects_id",
}


class Line(NamedTuple):
    """One line of the ledger in the year. Amounts in € excl. tax; prices per unit; ``line`` numbers the line itself,
    which has two rows in a year where it is posted and reversed."""

    line: int
    kind: str
    stage: str
    grouping: int
    reference: str
    grouping_title: str
    lot: int
    lot_number: int
    lot_title: str
    member: int
    member_name: str
    siren: str
    family: str
    designation: str
    unit: str
    quantity: Decimal
    price_before: Decimal
    index_factor: Decimal
    price_obtained: Decimal
    method: str
    grade: str
    is_one_off: bool
    starts_on: date
    term_months: int
    origin_year: int
    months: int
    baseline_budget_cents: int
    baseline_purchase_cents: int
    obtained_cents: int
    budget_gain_cents: int
    purchase_gain_cents: int
    yearly_baseline_budget: Decimal
    yearly_baseline_purchase: Decimal
    yearly_obtained: Decimal
    line_volume_effect: Decimal | None
    evidence_name: str | None
    evidence_sha256: str | None
    entered_by: str
    confirmed_by: str
    validated_by: str
    validated_at: datetime
    corrects: int | None

    @property
    def is_reversal(self) -> bool:
        return self.kind == EntryKind.REVERSED

    @property
    def kind_label(self) -> str:
        return EntryKind(self.kind).label

    @property
    def stage_label(self) -> str:
        return GainStage(self.stage).label

    @property
    def method_label(self) -> str:
        return BaselineMethod(self.method).label

    @property
    def baseline_budget(self) -> Decimal:
        return euros_of(self.baseline_budget_cents)

    @property
    def baseline_purchase(self) -> Decimal:
        return euros_of(self.baseline_purchase_cents)

    @property
    def obtained(self) -> Decimal:
        return euros_of(self.obtained_cents)

    @property
    def budget_gain(self) -> Decimal:
        return euros_of(self.budget_gain_cents)

    @property
    def purchase_gain(self) -> Decimal:
        return euros_of(self.purchase_gain_cents)

    @property
    def volume_effect(self) -> Decimal | None:
        """Of a realised line: what buying less than forecast spared, never a gain."""
        if self.line_volume_effect is None:
            return None
        return -self.line_volume_effect if self.is_reversal else self.line_volume_effect

    @property
    def yearly_budget_gain(self) -> Decimal | None:
        return self._yearly(self.yearly_baseline_budget)

    @property
    def yearly_purchase_gain(self) -> Decimal | None:
        return self._yearly(self.yearly_baseline_purchase)

    @property
    def full_budget_gain(self) -> Decimal | None:
        return self._full(self.yearly_baseline_budget)

    @property
    def full_purchase_gain(self) -> Decimal | None:
        return self._full(self.yearly_baseline_purchase)

    def _yearly(self, base: Decimal) -> Decimal | None:
        """Over twelve months; None for a one-off, for what was realised in one year, and for a reversal."""
        if self.is_one_off or self.is_reversal or self.stage == GainStage.REALISED:
            return None
        return base - self.yearly_obtained

    def _full(self, base: Decimal) -> Decimal | None:
        """Over the whole duration; None for what was realised in one year, and for a reversal."""
        if self.is_reversal or self.stage == GainStage.REALISED:
            return None
        if self.is_one_off:
            return base - self.yearly_obtained
        return full_term(base, self.term_months) - full_term(self.yearly_obtained, self.term_months)


def read_lines(found: QuerySet[LedgerEntry], order: tuple[str, ...]) -> Iterator[Line]:
    """The entries ``found`` by ``order``, then by lot, member and designation; one query, one chunk at a time."""
    last = ("grouping__reference", "lot__number", "organisation__sort_name", "line__baseline__designation", "pk")
    rows = found.order_by(*order, *(name for name in last if name not in order))
    return map(Line._make, rows.values_list(*_PATHS.values()).iterator(chunk_size=CHUNK))


class Evidence(NamedTuple):
    """One file that proves reference prices, and how much of the gain stands on it."""

    name: str
    kind: str
    sha256: str
    size: int
    deposited_by: str
    deposited_at: datetime
    reference: str
    member_name: str
    grade: str
    lines: int
    budget_gain_cents: int

    @property
    def budget_gain(self) -> Decimal:
        return euros_of(self.budget_gain_cents)


def read_evidence(found: QuerySet[LedgerEntry]) -> Iterator[Evidence]:
    """The files behind the entries, one row per file and grade, in one query."""
    at = "line__baseline__evidence"
    rows = (
        found.filter(line__baseline__evidence__isnull=False)
        .order_by("grouping__reference", "organisation__sort_name", f"{at}__original_name", f"{at}_id", "grade")
        .values_list(
            f"{at}__original_name",
            f"{at}__extension",
            f"{at}__sha256",
            f"{at}__size",
            f"{at}__deposited_by",
            f"{at}__deposited_at",
            "grouping__reference",
            "organisation__name",
            "grade",
        )
        .annotate(line_count=Count("line", distinct=True), gain=Sum("budget_gain_cents"))
    )
    return map(Evidence._make, rows.iterator(chunk_size=CHUNK))


class Loss(NamedTuple):
    """A line that costs more than its reference in the year."""

    line: int
    reference: str
    lot_number: int
    member_name: str
    designation: str
    budget_gain_cents: int
    purchase_gain_cents: int

    @property
    def budget_gain(self) -> Decimal:
        return euros_of(self.budget_gain_cents)

    @property
    def purchase_gain(self) -> Decimal:
        return euros_of(self.purchase_gain_cents)


def read_losses(found: QuerySet[LedgerEntry], most: int) -> tuple[list[Loss], int, Decimal]:
    """(the ``most`` greatest losses on the budget reading, how many there are, their sum in €).

    Of lines that stand: the reversal of a gain takes back an earlier figure, and loses nothing.
    """
    rows = (
        found.filter(line__is_superseded=False)
        .order_by()
        .values_list(
            "line_id", "grouping__reference", "lot__number", "organisation__name", "line__baseline__designation"
        )
        .annotate(budget=Sum("budget_gain_cents"), purchase=Sum("purchase_gain_cents"))
        .filter(budget__lt=0)
        .order_by("budget", "line_id")
    )
    kept, count, total = [], 0, 0
    for row in rows.iterator(chunk_size=CHUNK):
        loss = Loss._make(row)
        count, total = count + 1, total + loss.budget_gain_cents
        if len(kept) < most:
            kept.append(loss)
    return kept, count, euros_of(total)


class Act(NamedTuple):
    """One entry of the journal about references, lines and locks."""

    at: datetime
    actor: str
    organisation: str | None
    sentence: str
    reason: str
    before: dict
    after: dict

    @property
    def old_values(self) -> str:
        return _told(self.before)

    @property
    def new_values(self) -> str:
        return _told(self.after)


#: The acts that make the ledger, by the beginning of their verb.
_VERBS = ("baseline.", "price_line.", "price_lines.", "year.")


def read_acts(reader, territory_id: int, found: QuerySet[LedgerEntry], until: datetime) -> Iterator[Act]:
    """What was done to the references and lines of the groupings of ``found``, and to the years, the latest last."""
    groupings = found.order_by().values_list("grouping_id", flat=True).distinct()
    threads = [f"savings:{territory_id}", *(f"grouping:{pk}" for pk in groupings)]
    verbs = Q()
    for beginning in _VERBS:
        verbs |= Q(verb__startswith=beginning)
    entries = JournalEntry.objects.visible_to(reader).filter(verbs, thread__in=threads, at__lte=until)
    rows = entries.order_by("at", "pk").values_list(
        "at", "actor_label", "organisation__name", "sentence", "reason", "before", "after"
    )
    return map(Act._make, rows.iterator(chunk_size=CHUNK))


_NAMES = {
    field.attname: str(field.verbose_name) for model in (PriceLine, Baseline) for field in model._meta.concrete_fields
} | {"sha256": "empreinte SHA-256", "entry_count": "écritures"}
_NAMES |= {"created": "ajoutés", "updated": "modifiés", "unchanged": "sans changement", "references": "références"}


def _told(values: dict) -> str:
    """Stored values as a person reads them: « prix obtenu (€ HT)\u00a0: 3.60 »; what is empty is left out."""
    told = []
    for name, value in values.items():
        if value in (None, "", {}, []) or name.endswith("_id") or name in ("line", "version", "totals", "dry_run"):
            continue
        if isinstance(value, dict) and "amount" in value:
            value = value["amount"]
        elif isinstance(value, dict):  # what an import did, reference by reference
            value = f"({_told(value)})"
        if isinstance(value, bool):
            value = "oui" if value else "non"
        told.append(f"{_NAMES.get(name, name)}\u00a0: {value}")
    return "\u202f; ".join(told)


def order_of(*paths: str) -> tuple[str, ...]:
    """``paths`` without repetition."""
    return tuple(dict.fromkeys(paths))


def last_entry(territory_id: int) -> int:
    """The number of the territory's last entry: entries are only added, so that those up to it never change."""
    found = LedgerEntry.objects.filter(territory_id=territory_id).order_by("-pk").values_list("pk", flat=True)
    return found.first() or 0
