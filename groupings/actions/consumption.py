"""Taking in what the members have consumed: a whole file or nothing, never the same line twice, undone as a whole."""

import hashlib
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import IO, Any

from django.db import transaction
from djmoney.money import Money

from groupings.consumption_file import Book, check_lines
from groupings.models import ConsumptionImport, ConsumptionLine, Grouping
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.documents.tabular import MAX_BYTES
from procurement.core.errors import BusinessError
from procurement.core.imports import Row, read_table
from procurement.core.journal.record import record
from procurement.core.money import ZERO, format_euros
from procurement.core.querysets import money_sum

_BATCH = 1000
#: SQLite takes 32,766 parameters a query; PostgreSQL plans a long list badly.
_ASKED = 500


@dataclass(frozen=True)
class ConsumptionReport:
    """What an import did: lines added, their total (€ excl. tax), lines a former file had already brought."""

    added: int
    known: int
    total: Decimal
    taken: ConsumptionImport | None

    def __str__(self) -> str:
        s = "s" if self.added > 1 else ""
        told = f"{self.added} ligne{s} ajoutée{s}, {format_euros(self.total)} HT"
        return f"{told}, {self.known} déjà connue{'s' if self.known > 1 else ''}" if self.known else told

    def as_json(self) -> dict[str, Any]:
        return {"added": self.added, "known": self.known, "total_excl_tax": str(self.total)}


def consumption_import(
    *, grouping: Grouping, file: IO[bytes], filename: str, actor: Actor, today: date
) -> ConsumptionReport:
    """Take in one file of invoices or mandats. Lines already known are skipped and counted.

    Raises ImportRefused with every error of the file, and NotAllowed; nothing is then written.
    """
    require(actor, "consumption.import", organisation_id=grouping.coordinator_id)
    content = file.read(MAX_BYTES + 1)
    table = read_table(io.BytesIO(content), filename)
    checked = check_lines(table, Book.of(grouping), today)
    checked.raise_if_refused()
    with transaction.atomic():
        Grouping.objects.select_for_update().get(pk=grouping.pk)  # the same file sent twice at once adds it once
        fresh = _fresh(checked.rows)
        total = sum((row["amount"] for row in fresh), ZERO)
        report = ConsumptionReport(len(fresh), len(checked.rows) - len(fresh), total, None)
        if not fresh:
            return report
        taken = ConsumptionImport(
            grouping=grouping,
            filename=PurePath(filename).name[:200],
            sha256=hashlib.sha256(content).hexdigest(),
            line_count=len(fresh),
            imported_by=actor.actor_label[:200],
        )
        taken.full_clean()
        taken.save()
        _write(taken, fresh)
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            concerns_id=grouping.coordinator_id,  # what all have consumed is not the members' to read
            verb="consumption.import",
            sentence=f"Consommation importée, {taken.filename}\u00a0: {report}",
            after={"import": taken.pk, "sha256": taken.sha256, **report.as_json()},
        )
    return ConsumptionReport(report.added, report.known, total, taken)


def _fresh(rows: list[Row]) -> list[Row]:
    """The rows no former file brought."""
    known: set[tuple[int, str]] = set()
    marks = [row["fingerprint"] for row in rows]
    for start in range(0, len(marks), _ASKED):
        asked = ConsumptionLine.objects.filter(fingerprint__in=marks[start : start + _ASKED])
        known.update(asked.order_by().values_list("award_id", "fingerprint"))
    return [row for row in rows if (row["award"].pk, row["fingerprint"]) not in known]


def _write(taken: ConsumptionImport, rows: list[Row]) -> None:
    """In batches: twenty thousand lines are a few seconds, and never all objects at once."""
    for start in range(0, len(rows), _BATCH):
        ConsumptionLine.objects.bulk_create(
            ConsumptionLine(
                source=taken,
                award=row["award"],
                membership=row["membership"],
                reference=row["reference"],
                label=row["label"] or "",
                invoiced_on=row["invoiced_on"],
                quantity=row["quantity"],
                amount_excl_tax=Money(row["amount"], "EUR"),
                fingerprint=row["fingerprint"],
            )
            for row in rows[start : start + _BATCH]
        )


def consumption_import_undo(*, taken: ConsumptionImport, actor: Actor, reason: str) -> int:
    """Take back a whole import, with a reason. Returns how many lines went. Raises NotAllowed or BusinessError: no
    reason, or already undone by somebody else."""
    grouping = taken.grouping
    require(actor, "consumption.import", organisation_id=grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        Grouping.objects.select_for_update().get(pk=grouping.pk)
        stored = ConsumptionImport.objects.filter(pk=taken.pk).first()
        if stored is None:
            raise BusinessError("Cet import est déjà annulé.")
        lines = stored.lines.all()
        count, total = lines.count(), money_sum(lines, "amount_excl_tax")
        lines.delete()
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            concerns_id=grouping.coordinator_id,
            verb="consumption.undo",
            sentence=f"Import de consommation annulé, {stored.filename}\u00a0: {count} lignes retirées",
            before={"sha256": stored.sha256, "lines": count, "total_excl_tax": str(total)},
            reason=reason.strip(),
        )
        stored.delete()
    return count
