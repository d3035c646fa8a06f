"""Taking in a file of reference prices and prices obtained: the whole file or nothing, the same file twice is once."""

import hashlib
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import IO, Any

from django.db import transaction

from groupings.choices import GroupingStatus
from groupings.models import Grouping
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.documents.tabular import MAX_BYTES
from procurement.core.errors import BusinessError
from procurement.core.imports import Checked, Row, read_table
from procurement.core.journal.record import json_value, record
from savings.choices import EDITABLE, GainStage, LineStatus
from savings.models import Baseline, PriceLine
from savings.posting import compute_all
from savings.price_lines_file import REFERENCE_COLUMNS, Book, check_price_lines, key_of
from savings.rules.amounts import AMOUNTS
from savings.rules.baseline import is_late
from savings.rules.grades import grade
from savings.stages import copy_reference, deadlines, notified_awards

_BATCH = 500
#: How many references the journal names; the counts are always whole.
_NAMED = 50
_LABELS = {
    "quantity": "la quantité",
    "unit": "l’unité",
    "price_before": "le prix de référence",
    "index_factor": "le coefficient d’indexation",
    "method": "la méthode",
}
_LINE_FIELDS = (
    *("quantity", "price_before", "index_factor", "price_obtained", "is_one_off", "starts_on", "months"),
    *("entered_by", "entered_label", "version"),
    *(*AMOUNTS, "volume_effect"),
)
_BASELINE_FIELDS = (
    *("quantity", "unit", "is_lump_sum", "price_before", "index_factor", "index_name", "method", "source", "grade"),
    *("late_reason", "entered_by", "entered_label", "version"),
)


@dataclass
class PriceImportReport:
    """What became of the lines of a file: a new reference, something changed, nothing to do."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    is_dry_run: bool = False

    def __str__(self) -> str:
        told = [
            f"{count} {word}{'s' if count > 1 else ''}"
            for count, word in ((self.created, "prix ajouté"), (self.updated, "prix modifié"))
            if count
        ]
        told.append(f"{self.unchanged} sans changement")
        return ", ".join(told) + (" (rien n’est écrit)" if self.is_dry_run else "")

    def as_json(self) -> dict[str, Any]:
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "dry_run": self.is_dry_run,
        }


@dataclass
class _Writing:
    """The rows to write, gathered before anything is."""

    actor: Actor
    report: PriceImportReport
    new_baselines: list[Baseline] = field(default_factory=list)
    changed_baselines: list[Baseline] = field(default_factory=list)
    new_lines: list[PriceLine] = field(default_factory=list)
    changed_lines: list[PriceLine] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def sign(self, row: Baseline | PriceLine) -> None:
        row.entered_by_id, row.entered_label = self.actor.user_id, self.actor.actor_label[:200]

    def tell(self, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        if len(self.after) < _NAMED:
            self.after[name] = json_value(new)
            if old:
                self.before[name] = json_value(old)


def price_lines_import(
    *, grouping: Grouping, file: IO[bytes], filename: str, actor: Actor, now: datetime, dry_run: bool = False
) -> PriceImportReport:
    """Write the references of a file, not frozen, and their draft lines: of the award once it is notified, potential
    before. A reference already frozen is left as it is, and refuses other values.

    Raises ImportRefused with every error of the file, NotAllowed or BusinessError; nothing is then written, nor with
    ``dry_run``.
    """
    require(actor, "savings.enter", organisation_id=grouping.coordinator_id)
    content = file.read(MAX_BYTES + 1)
    table = read_table(io.BytesIO(content), filename)
    with transaction.atomic():
        # Two people, or the same file twice at once: the second waits, then finds what the first wrote.
        stored = Grouping.objects.select_for_update(of=("self",)).select_related("coordinator").get(pk=grouping.pk)
        if stored.status == GroupingStatus.CANCELLED or stored.is_declared_only:
            raise BusinessError(
                "Ce groupement est abandonné ou seulement déclaré\u00a0: ses prix ne se saisissent pas."
            )
        checked = check_price_lines(table, Book.of(stored))
        checked.raise_if_refused()
        writing = _Writing(actor, PriceImportReport(is_dry_run=dry_run))
        _gather(checked, stored, now, writing)
        checked.raise_if_refused()
        if not dry_run:
            _write(writing)
            _record(writing, stored, PurePath(filename).name, hashlib.sha256(content).hexdigest())
    return writing.report


def _gather(checked: Checked, grouping: Grouping, now: datetime, writing: _Writing) -> None:
    lots = {row["lot_row"].pk for row in checked.rows}
    due, awards = deadlines(lots), notified_awards(lots)
    kept: dict[tuple, Baseline] = {}
    baselines = Baseline.objects.current().filter(lot__in=lots).select_for_update(of=("self",))
    for baseline in baselines.select_related("lot", "membership__organisation"):
        baseline.membership.grouping = grouping
        kept[key_of(baseline.lot.number, baseline.membership.organisation.siren, baseline.designation)] = baseline
    lines: dict[int, list[PriceLine]] = defaultdict(list)
    standing = PriceLine.objects.current().filter(baseline__lot__in=lots)
    for line in standing.select_for_update(of=("self",)).order_by("pk"):
        lines[line.baseline_id].append(line)
    for row in checked.rows:
        lot, award = row["lot_row"], awards.get(row["lot_row"].pk)
        baseline = kept.get(key_of(row["lot"], row["siren"], row["designation"]))
        is_new = baseline is None
        if is_new:
            baseline = Baseline(lot=lot, membership=row["membership"], designation=row["designation"])
        changed = _reference(checked, row, baseline, is_late(now, due.get(lot.pk)), writing)
        stage = GainStage.ESTIMATED if award is None else GainStage.AWARDED
        moved = _line(checked, row, baseline, award, stage, [] if is_new else lines[baseline.pk], changed, writing)
        if is_new:
            writing.report.created += 1
        elif changed or moved:
            writing.report.updated += 1
        else:
            writing.report.unchanged += 1


def _reference(checked: Checked, row: Row, baseline: Baseline, late: bool, writing: _Writing) -> bool:
    """Set the values of ``row`` on its reference; whether it is to be written."""
    is_new = baseline.pk is None
    old = {} if is_new else {name: getattr(baseline, name) for name in REFERENCE_COLUMNS}
    new = {name: row[name] for name in REFERENCE_COLUMNS}
    is_lump_sum = row["is_lump_sum"]
    if not is_new:  # an empty cell erases nothing
        if not row["has_index"]:
            new["index_factor"] = baseline.index_factor
        if not row["has_unit"]:
            new["unit"], is_lump_sum = baseline.unit, baseline.is_lump_sum and row["quantity"] == 1
        if row["price_before"] is None:
            new["price_before"] = baseline.price_before
    if old == new and not (row["source"] and row["source"] != baseline.source and not baseline.is_frozen):
        return False
    if baseline.is_frozen:
        name = next(name for name in REFERENCE_COLUMNS if old[name] != new[name])
        checked.refuse(
            row.line, name, f"Ce prix de référence est figé\u00a0: remplacez-le pour changer {_LABELS[name]}."
        )
        return False
    if not is_new and baseline.index_value is not None and old["index_factor"] != new["index_factor"]:
        checked.refuse(
            row.line,
            "index_factor",
            "Ce coefficient est calculé des valeurs de l’indice saisies\u00a0: changez-les sur la page des prix.",
        )
        return False
    for name, value in new.items():
        setattr(baseline, name, value)
    baseline.is_lump_sum = is_lump_sum
    if (row["has_index"] and baseline.index_factor != 1 and baseline.index_value is None) or is_new:
        baseline.index_name = row["index_name"]
    baseline.source = row["source"] or baseline.source
    baseline.late_reason = baseline.late_reason if late else ""
    baseline.grade = grade(
        baseline.method,
        has_evidence=baseline.evidence_id is not None,
        is_late=late,
        same_perimeter=not baseline.perimeter_note.strip(),
    )
    writing.sign(baseline)
    baseline.version += 0 if is_new else 1
    (writing.new_baselines if is_new else writing.changed_baselines).append(baseline)
    writing.tell(f"lot {row['lot']}, {row['siren']}, {baseline.designation}"[:200], old, new)
    return True


def _line(
    checked: Checked,
    row: Row,
    baseline: Baseline,
    award,
    stage: str,
    standing: list[PriceLine],
    reference_changed: bool,
    writing: _Writing,
) -> bool:
    """The draft of ``stage`` with the price of ``row``; drafts of other stages follow their reference. An empty cell
    erases nothing. Whether a line is to be written."""
    obtained = row["price_obtained"]
    line = next((one for one in standing if one.stage == stage), None)
    price_changed = obtained is not None and (line is None or line.price_obtained != obtained)
    if price_changed and line is not None and line.status not in EDITABLE:
        state = LineStatus(line.status).label.lower()
        checked.refuse(row.line, "price_obtained", f"La ligne de ce prix est déjà {state}\u00a0: elle ne change plus.")
        return False
    if price_changed and line is None:
        line = PriceLine(baseline=baseline, stage=stage)
        writing.new_lines.append(line)
    for one in {id(found): found for found in (*standing, line) if found is not None}.values():
        own_price = one is line and price_changed
        if one.status not in EDITABLE or not (own_price or reference_changed):
            continue
        one.baseline = baseline
        if own_price:
            one.price_obtained = obtained
            writing.sign(one)
        copy_reference(one, award)
        if one.pk is not None:
            one.version += 1
            writing.changed_lines.append(one)
    return price_changed


def _write(writing: _Writing) -> None:
    Baseline.objects.bulk_create(writing.new_baselines, batch_size=_BATCH)
    Baseline.objects.bulk_update(writing.changed_baselines, _BASELINE_FIELDS, batch_size=_BATCH)
    for line in writing.new_lines:
        line.baseline = line.baseline  # its number is known now
    compute_all([*writing.new_lines, *writing.changed_lines])
    PriceLine.objects.bulk_create(writing.new_lines, batch_size=_BATCH)
    PriceLine.objects.bulk_update(writing.changed_lines, _LINE_FIELDS, batch_size=_BATCH)


def _record(writing: _Writing, grouping: Grouping, filename: str, sha256: str) -> None:
    report = writing.report
    if not (report.created or report.updated):
        return
    record(
        actor=writing.actor,
        territory_id=grouping.territory_id,
        thread=grouping.thread,
        concerns_id=grouping.coordinator_id,  # what the others paid is not the members' to read
        verb="price_lines.import",
        sentence=f"Prix importés, {filename[:200]}\u00a0: {report}",
        before=writing.before,
        after={"sha256": sha256, **report.as_json(), "references": writing.after},
    )
