"""The survey of one grouping as its coordinator reads it: who answered, how much, over which years, what is unusual.

An unknown amount is told « inconnu » and counted apart: no total takes it for zero. A member's people read their own
line alone, without what would tell the figures of the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from groupings.choices import Badge, survey_badge
from groupings.models import Grouping, Lot, Membership, NeedLine, NeedsDraft, NeedsSubmission
from groupings.needs_remarks import Remark, remarks_of
from groupings.needs_state import last_submissions, says_no_need
from groupings.rules.framework import Bounds, lacks, suggested_bounds
from groupings.rules.needs import quantity_told
from groupings.rules.years import Year, contract_years, spread
from procurement.core.journal.models import JournalEntry
from procurement.core.money import ZERO, format_euros, round_half_up


@dataclass(frozen=True)
class Total:
    """A sum over the whole duration, € excl. tax: the known amounts (None when none is known), the unknown counted."""

    amount: Decimal | None
    unknown: int  # members

    @property
    def sentence(self) -> str:
        """« 240 000,00 € HT, montant inconnu pour 2 membres »; a dash when nothing was said."""
        missing = f"montant inconnu pour {self.unknown} membre{'s' * (self.unknown > 1)}" if self.unknown else ""
        if self.amount is None:
            return missing or "—"
        return f"{format_euros(self.amount)} HT" + (f", {missing}" if missing else "")


@dataclass
class Cell:
    """What one member says of one lot. Without ``line``: that it needs nothing (``has_no_need``), or nothing at all."""

    line: NeedLine | None = None
    has_no_need: bool = False

    @property
    def amount(self) -> Decimal | None:
        """€ excl. tax over the whole duration."""
        money = self.line and self.line.estimated_amount_excl_tax
        return None if money is None else money.amount

    @property
    def is_unknown(self) -> bool:
        """A need whose amount nobody knows."""
        return self.line is not None and self.amount is None

    @property
    def quantity(self) -> str:
        """A year's quantity with its unit; empty when unknown."""
        line = self.line
        return "" if line is None or line.quantity is None else quantity_told(line.quantity, line.unit)


@dataclass
class Row:
    """One member: its state, then one cell per lot in the order of the lots. ``may_edit`` is the view's to say."""

    membership: Membership
    badge: Badge
    notes: list[str]
    is_sent: bool
    has_answered: bool
    has_draft: bool
    cells: list[Cell]
    may_edit: bool = False

    @property
    def total(self) -> Total:
        return total_of(self.cells, members=1)


@dataclass
class LotTotal:
    """One lot: its total, its quantities unit by unit, its total year by year, what its needs suggest as bounds."""

    lot: Lot
    total: Total
    quantities: list[str]
    by_year: list[Decimal]
    bounds: Bounds | None
    lacks: str

    @property
    def is_kept(self) -> bool:
        """Whether the lot already bears these very bounds."""
        kept = (self.lot.minimum_excl_tax, self.lot.maximum_excl_tax)
        return self.bounds is not None and [money and money.amount for money in kept] == [
            self.bounds.minimum,
            self.bounds.maximum,
        ]


@dataclass
class Overview:
    """Everything the page and its export show of one grouping to one affiliation, in a fixed number of queries."""

    grouping: Grouping
    affiliation: object
    sees_all: bool
    lots: list[Lot] = field(init=False)
    rows: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.lots = list(self.grouping.lots.all())
        drafts = NeedsDraft.objects.filter(membership=OuterRef("pk"))
        memberships = self.grouping.memberships.active().select_related("organisation__parent", "needs_reopening")
        memberships = memberships.annotate(has_draft=Exists(drafts))
        if not self.sees_all:
            memberships = memberships.filter(organisation_id=self.affiliation.organisation_id)
        self.memberships = list(memberships)
        needs = NeedLine.objects.visible_to(self.affiliation).filter(membership__grouping=self.grouping).active()
        self.lines = {(need.membership_id, need.lot_id): need for need in needs}
        answers = last_submissions(self.memberships)
        self.entered = self._entered_for()
        self.rows = [self._row(membership, answers.get(membership.pk)) for membership in self.memberships]

    def _entered_for(self) -> dict[int, str]:
        """The answers that others than the member sent for it, submission → by whom: the journal says who acted. A
        command acts for the coordinator."""
        bodies = [membership.organisation_id for membership in self.memberships]
        entries = JournalEntry.objects.filter(
            thread=self.grouping.thread, verb="needs.submit", concerns_id__in=bodies
        ).exclude(organisation_id=F("concerns_id"))
        coordination = (None, self.grouping.coordinator_id)
        return {
            after["submission"]: "saisi par le coordonnateur" if by in coordination else "saisi pour le membre"
            for after, by in entries.values_list("after", "organisation_id")
            if "submission" in after
        }

    def _row(self, membership: Membership, answer: NeedsSubmission | None) -> Row:
        cells = [Cell(self.lines.get((membership.pk, lot.pk)), says_no_need(answer, lot.number)) for lot in self.lots]
        has_lines = any(cell.line for cell in cells)
        is_coordinator = membership.organisation_id == self.grouping.coordinator_id
        notes: list[str] = []
        if answer is not None:
            notes += ["hors délai"] * answer.is_late
            if answer.pk in self.entered and not is_coordinator:
                notes.append(self.entered[answer.pk])
        if membership.has_draft and (answer is not None or has_lines):
            notes.append("une correction en brouillon, non transmise")
        sent_on = None if answer is None else timezone.localtime(answer.submitted_at).date()
        badge = survey_badge(sent_on=sent_on, is_known=has_lines, has_draft=membership.has_draft)
        is_sent = answer is not None
        return Row(membership, badge, notes, is_sent, is_sent or has_lines, membership.has_draft, cells)

    @property
    def answered_sentence(self) -> str:
        """« 9 membres sur 12 ont répondu ; 2 brouillons non transmis »."""
        answered = sum(row.has_answered for row in self.rows)
        drafts = sum(row.has_draft for row in self.rows)
        told = f"{answered or 'Aucun'} membre{'s' * (answered > 1)} sur {len(self.rows)} {_have(answered)} répondu"
        return told + (f"\u202f; {drafts} brouillon{'s' * (drafts > 1)} non transmis" if drafts else "")

    @property
    def awaited_first(self) -> list[Row]:
        """The rows by name, those still to be heard before the others."""
        return sorted(self.rows, key=lambda row: row.has_answered)

    @property
    def unanswered(self) -> int:
        return sum(not row.has_answered for row in self.rows)

    @property
    def grand_total(self) -> Total:
        """All members, all lots; a member counts once among the unknown."""
        unknown = sum(any(cell.is_unknown for cell in row.cells) for row in self.rows)
        return Total(total_of([cell for row in self.rows for cell in row.cells], members=0).amount, unknown)

    @cached_property
    def starts_on(self):
        """The day from which years are counted: the planned beginning, else the launch, done or planned."""
        grouping = self.grouping
        return grouping.performance_planned_on or grouping.launched_on or grouping.launch_planned_on

    @property
    def starts_sentence(self) -> str:
        """From where the years are counted, for the reader."""
        grouping = self.grouping
        if grouping.performance_planned_on:
            return f"Années civiles, à partir du début d’exécution prévu le {self.starts_on:%d/%m/%Y}."
        if self.starts_on:
            return (
                f"Années civiles, à partir du lancement du {self.starts_on:%d/%m/%Y}\u00a0: le début d’exécution n’est "
                "pas encore prévu."
            )
        return "Aucun début n’est prévu\u00a0: les années sont celles du marché, et non des années civiles."

    @cached_property
    def years(self) -> list[Year]:
        return contract_years(self.starts_on, self.grouping.total_months)

    @cached_property
    def lot_totals(self) -> list[LotTotal]:
        return [self._lot_total(place, lot) for place, lot in enumerate(self.lots)]

    def _lot_total(self, place: int, lot: Lot) -> LotTotal:
        cells = [row.cells[place] for row in self.rows]
        total = total_of(cells, members=len(cells))
        silent = sum(not (row.cells[place].line or row.cells[place].has_no_need) for row in self.rows)
        known = ZERO if total.amount is None else total.amount
        return LotTotal(
            lot=lot,
            total=total,
            quantities=quantities_of(cells),
            by_year=spread(known, self.years),
            bounds=suggested_bounds(known),
            lacks=lacks(total.unknown, silent),
        )

    @property
    def years_total(self) -> list[Decimal]:
        """Year by year over all lots: they add up to the grand total to the cent."""
        return [sum(amounts, ZERO) for amounts in zip(*(item.by_year for item in self.lot_totals), strict=True)]

    @property
    def bounds_total(self) -> Bounds | None:
        found = [item.bounds for item in self.lot_totals if item.bounds]
        if not found:
            return None
        return Bounds(sum((b.minimum for b in found), ZERO), sum((b.maximum for b in found), ZERO))

    @cached_property
    def remarks(self) -> list[Remark]:
        """The unusual figures, for the coordinator's people alone: a median tells of the others."""
        return remarks_of(self.grouping, self.memberships, self.lots, self.lines, self.affiliation)


def total_of(cells: Iterable[Cell], *, members: int) -> Total:
    """The sum of ``cells``; when they are those of several members, one cell each, the unknown are counted.

    ``members``: 1 when all the cells are those of one member, who then counts once.
    """
    cells = list(cells)
    known = [cell.amount for cell in cells if cell.amount is not None]
    unknown = sum(cell.is_unknown for cell in cells)
    return Total(round_half_up(sum(known, ZERO)) if known else None, min(unknown, members))


def quantities_of(cells: Iterable[Cell]) -> list[str]:
    """A year's quantities added up unit by unit, told as the first member wrote it: a pallet is no ream."""
    sums: dict[str, Decimal] = {}
    spelled: dict[str, str] = {}
    for cell in cells:
        if cell.line is not None and cell.line.quantity is not None:
            key = " ".join(cell.line.unit.split()).casefold()
            spelled.setdefault(key, cell.line.unit)
            sums[key] = sums.get(key, Decimal(0)) + cell.line.quantity
    return [quantity_told(total, spelled[key]) for key, total in sums.items()]


def _have(count: int) -> str:
    return ("n’a", "a")[count] if count < 2 else "ont"
