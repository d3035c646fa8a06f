"""Many answers from one file: the checks of the form, every error at once, then a submission per member or nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from groupings.actions.needs import needs_submit, survey_refusal
from groupings.exchange.needs_workbook import COLUMNS, TO_CONFIRM, entry_of_row
from groupings.models import Grouping, Lot, Membership, NeedsSubmission
from groupings.needs_state import Entries, current_entries, entry_as_sent, former_figures, last_submissions, plain
from groupings.rules.needs import NeedEntry, entry_refusals
from members.roles import may
from procurement.core.actors import Actor
from procurement.core.documents.tabular import MAX_ROWS
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import clean_text
from procurement.core.imports import Checked, ImportError_, Row, check, read_table
from procurement.core.journal.record import record

#: A column the file may leave out: what was known of it stays.
_KEPT_BOXES = ("unit_price", "supplier", "contract_ends_on")


@dataclass
class NeedsImportReport:
    """What an import did: answers submitted (``members``), lines written, unchanged, or that say nothing."""

    members: int = 0
    lines: int = 0
    unchanged: int = 0
    empty: int = 0

    def __str__(self) -> str:
        if not self.members:
            return "Rien n’a changé\u00a0: le fichier dit ce qui est déjà enregistré"
        plural, lines = "s" * (self.members > 1), "s" * (self.lines > 1)
        return (
            f"{self.members} membre{plural} {'ont' if plural else 'a'} transmis ses besoins, {self.lines} ligne{lines} "
            f"changée{lines}, {self.unchanged} sans changement"
        ).replace("ont transmis ses", "ont transmis leurs")

    def as_json(self) -> dict:
        return asdict(self) | {"errors": []}


def error_json(error: ImportError_) -> dict:
    """One error for the machine: ``line`` is null when the whole file is wrong."""
    return {"line": error.line, "column": error.column, "message": error.message}


def needs_import(
    *,
    grouping: Grouping,
    file: str | Path | IO[bytes],
    filename: str = "",
    actor: Actor,
    now: datetime,
    max_rows: int = MAX_ROWS,
) -> NeedsImportReport:
    """Submit the answers of a csv or xlsx file, one per member whose figures change.

    The lots of a member that the file does not hold, or leaves empty, keep what was answered; a member who has never
    answered one of them is refused. Lines still « à confirmer », with the figures of the former grouping, say nothing.
    A member who has answered since the workbook was made keeps its figures: the line untouched says nothing, the line
    changed is refused. The workbook of another grouping, or of lots renumbered since, is refused line by line.
    Raises NotAllowed, or ImportRefused with every error of every line: nothing is then written.
    """
    if not _may_write_any(grouping, actor):
        raise NotAllowed("Votre rôle ne permet pas d’importer des besoins. Adressez-vous au coordonnateur.")
    table = read_table(file, filename, max_rows=max_rows)
    with transaction.atomic():
        locked = Grouping.objects.select_for_update().get(pk=grouping.pk)  # neither a launch nor an answer slips in
        checked = check(table, COLUMNS)
        reading = _Reading(locked, checked, actor, now)
        reading.check_rows()
        checked.raise_if_refused()
        reading.submit()
        checked.raise_if_refused()
        if reading.report.members:
            record(
                actor=actor,
                territory_id=locked.territory_id,
                thread=locked.thread,
                verb="needs.import",
                sentence=f"Besoins importés du fichier {checked.filename}, {reading.report.members} membre(s)",
                concerns_id=reading.only_body,
            )
    return reading.report


def _may_write_any(grouping: Grouping, actor: Actor) -> bool:
    if may(actor, "grouping.change", organisation_id=grouping.coordinator_id):
        return True
    own = actor.organisation_id if actor else None
    return (
        may(actor, "needs.change", organisation_id=own)
        and grouping.memberships.active().filter(organisation_id=own).exists()
    )


@dataclass
class _Answer:
    """What the file says of one member: the lines it fills, and where."""

    membership: Membership
    first: Row
    entries: dict[int, NeedEntry] = field(default_factory=dict)  # lot number → entry
    rows: dict[int, Row] = field(default_factory=dict)


class _Reading:
    """One import under way: what is known, what the file says, what it changes."""

    def __init__(self, grouping: Grouping, checked: Checked, actor: Actor, now: datetime):
        self.grouping, self.checked, self.actor, self.now = grouping, checked, actor, now
        self.months = grouping.total_months
        self.lots: dict[int, Lot] = {lot.number: lot for lot in grouping.lots.all()}
        found = grouping.memberships.select_related("organisation__parent", "needs_reopening")
        self.members: dict[str, Membership] = {}
        for membership in found:
            membership.grouping = grouping
            self.members[membership.organisation.siren] = membership
        self.sent = last_submissions(self.members.values())
        self.current: Entries = current_entries(self.members.values(), self.lots.values(), self.sent)
        former = former_figures(grouping, self.members.values())
        self.former: Entries = {key: figures.entry for key, figures in former.items()}
        self.answers: dict[int, _Answer] = {}
        self.lines: dict[tuple[int, int], int] = {}  # (membership, lot number) → line of the file
        self.asked: set[int] = set()  # members whose survey was asked whether it takes answers
        self.report = NeedsImportReport()

    def check_rows(self) -> None:
        """Every error of every line; what is right is kept in ``answers``."""
        for row in sorted([*self.checked.rows, *self.checked.refused_rows], key=lambda row: row.line):
            self._identify(row)
        wrong = {error.line for error in self.checked.errors}
        for row in self.checked.rows:
            if row.line not in wrong:
                self._read(row, self.members[row["siren"]], self.lots[row["lot"]])
        wrong = {error.line for error in self.checked.errors}
        for answer in self.answers.values():
            self._complete(answer, wrong)

    def _identify(self, row: Row) -> None:
        """Refuse what is not a member's lot, written once, that the importer may write."""
        membership, lot = self.members.get(row.values.get("siren")), self.lots.get(row.values.get("lot"))
        if "siren" in row.values and (refusal := self._member_refusal(row["siren"], membership)):
            self.checked.refuse(row.line, "siren", refusal)
        told = row.values.get("grouping") or ""
        if told and told != clean_text(self.grouping.reference):
            self.checked.refuse(
                row.line, "grouping", f"Ce classeur est celui de {told}, et non de {self.grouping.reference}."
            )
            return
        if "lot" in row.values and lot is None:
            self.checked.refuse(row.line, "lot", f"Ce groupement n’a pas de lot {row['lot']}.")
        if lot is not None and (title := row.values.get("title")) and _plain(title) != _plain(clean_text(lot.title)):
            self.checked.refuse(
                row.line,
                "title",
                f"Le lot {lot.number} est «\u00a0{lot.title}\u00a0», et non «\u00a0{title}\u00a0»\u00a0: téléchargez "
                "de nouveau le classeur.",
            )
        if membership is not None and lot is not None:
            former = self.lines.setdefault((membership.pk, lot.number), row.line)
            if former != row.line:
                self.checked.refuse(row.line, "lot", f"Ce membre et ce lot sont déjà à la ligne {former}.")

    def _member_refusal(self, siren: str, membership: Membership | None) -> str:
        """Why the importer may not write for that SIREN; the same sentence whether its body is a member or not."""
        coordinates = may(self.actor, "grouping.change", organisation_id=self.grouping.coordinator_id)
        own = membership is not None and membership.organisation_id == self.actor.organisation_id
        if not coordinates and not own:
            return "Vous n’importez que les besoins de votre organisme."
        if membership is None:
            return f"Le SIREN {siren} n’est celui d’aucun membre de ce groupement."
        if membership.pk in self.asked:
            return ""  # told once, on its first line
        self.asked.add(membership.pk)
        return survey_refusal(self.grouping, membership, self.actor, timezone.localtime(self.now).date())

    def _read(self, row: Row, membership: Membership, lot: Lot) -> None:
        key = membership.pk, lot.number
        entry, current = entry_of_row(row.values), self.current.get(key)
        if entry.is_empty or (row["confirmation"] == TO_CONFIRM and entry == self.former.get(key)):
            self.report.empty += 1
            return
        entry = self._with_kept_boxes(entry, current)
        if current is not None and plain(entry, self.months) == plain(current, self.months):
            self.report.unchanged += 1
            return
        last = self.sent.get(membership.pk)
        if last is not None and row["answer"] is not None and row["answer"] < last.number:
            if self._was_sent(entry, membership, row["answer"], lot):
                self.report.unchanged += 1
            else:
                self.checked.refuse(row.line, "answer", _answered_since(membership, last))
            return
        for box, sentence in entry_refusals(entry, self.months).items():
            self.checked.refuse(row.line, box, sentence)
        answer = self.answers.setdefault(membership.pk, _Answer(membership, row))
        answer.entries[lot.number], answer.rows[lot.number] = entry, row

    def _was_sent(self, entry: NeedEntry, membership: Membership, number: int, lot: Lot) -> bool:
        """Whether the line is what that former answer said: nobody has touched it since the workbook was made."""
        former = NeedsSubmission.objects.filter(membership=membership, number=number).first()
        sent = former and entry_as_sent(former, lot.number)
        return sent is not None and plain(entry, self.months) == plain(sent, self.months)

    def _with_kept_boxes(self, entry: NeedEntry, current: NeedEntry | None) -> NeedEntry:
        """A column the file does not have says nothing: what is known of it stays."""
        if current is None or entry.has_no_need:
            return entry
        absent = [name for name in _KEPT_BOXES if name not in self.checked.columns]
        if "total_amount" not in self.checked.columns and entry.yearly_amount is None:
            absent.append("total_amount")
        return NeedEntry(**{**vars(entry), **{name: getattr(current, name) for name in absent}})

    def _complete(self, answer: _Answer, wrong: set[int | None]) -> None:
        """The other lots keep what was answered; one never answered is missing, and told where the file has it."""
        for number in self.lots:
            key = answer.membership.pk, number
            line = self.lines.get(key, answer.first.line)
            if number in answer.entries or (key in self.lines and line in wrong):
                continue
            current = self.current.get(key)
            if current is None:
                name = answer.membership.organisation.name
                self.checked.refuse(line, "lot", f"{name}\u00a0: répondez aussi pour le lot {number}.")
            else:
                answer.entries[number] = current

    def submit(self) -> None:
        """One submission per member; a refusal of the action is told on the line it is about."""
        for answer in self.answers.values():
            try:
                with transaction.atomic():
                    needs_submit(membership=answer.membership, entries=answer.entries, actor=self.actor, now=self.now)
            except BusinessError as refusal:
                self.checked.refuse(answer.first.line, refusal.field or "", str(refusal))
            except ValidationError as refusal:
                self._refuse(answer, refusal)
            self.report.members += 1
            self.report.lines += len(answer.rows)

    def _refuse(self, answer: _Answer, refusal: ValidationError) -> None:
        """``refusal`` names « lot.box »: the line is that of the lot, or the member's first one."""
        by_box: Mapping[str, Iterable[str]] = (
            refusal.message_dict if hasattr(refusal, "error_dict") else {"": refusal.messages}
        )
        for name, sentences in by_box.items():
            number, _, box = name.partition(".")
            row = answer.rows.get(int(number)) if number.isdigit() else None
            for sentence in sentences:
                told = sentence if row or not number else f"Lot {number}\u00a0: {sentence}"
                self.checked.refuse((row or answer.first).line, box if row else "", told)

    @property
    def only_body(self) -> int | None:
        """The body the file is about when it is about one alone: the journal then shows it to that body."""
        bodies = {answer.membership.organisation_id for answer in self.answers.values()}
        return bodies.pop() if len(bodies) == 1 else None


def _plain(title: str) -> str:
    """A title to be compared: its spaces and its capitals do not make another lot."""
    return " ".join(title.split()).casefold()


def _answered_since(membership: Membership, last: NeedsSubmission) -> str:
    answered_on = timezone.localtime(last.submitted_at).date()
    return (
        f"{membership.organisation.name} a répondu depuis, le {answered_on:%d/%m/%Y} (réponse n° {last.number})\u00a0: "
        "téléchargez de nouveau le classeur."
    )
