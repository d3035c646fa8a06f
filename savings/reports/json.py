"""The report as one JSON object, written piece by piece. Amounts are strings: a number would be read as a float."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

from django.utils import timezone

from savings.choices import PROVEN
from savings.ledger import Totals
from savings.reports import method
from savings.reports.data import SavingsReport
from savings.reports.lines import Act, Evidence, Line, Loss
from savings.rules.amounts import AMOUNTS

FORMAT_VERSION = "1.0"


def write_json(report: SavingsReport, out: BinaryIO) -> None:
    """Write the whole report; its lines, proofs and acts are never in memory together."""
    head = json.dumps(_head(report), ensure_ascii=False, indent=1)
    out.write(head.removesuffix("\n}").encode())
    for name, rows in (
        ("lines", map(line_values, report.lines())),
        ("evidence", map(_evidence, report.evidence())),
        ("journal", map(_act, report.journal())),
    ):
        out.write(f',\n "{name}": ['.encode())
        for piece in _joined(rows):
            out.write(piece)
        out.write(b"\n ]")
    out.write(b"\n}\n")


def _joined(rows: Iterable[dict]) -> Iterator[bytes]:
    separator = "\n  "
    for row in rows:
        yield f"{separator}{json.dumps(row, ensure_ascii=False)}".encode()
        separator = ",\n  "


def _head(report: SavingsReport) -> dict[str, Any]:
    asked, covered = report.asked, report.coverage
    return {
        "format_version": FORMAT_VERSION,
        "territory": {"siren": report.siren, "name": report.territory},
        "member": report.member or None,
        "year": asked.year,
        "stage": asked.stage.lower(),
        "by": list(asked.by),
        "made_at": _text(report.made_at),
        "lock": report.lock
        and {
            "sha256": report.lock.sha256,
            "locked_at": _text(report.lock.locked_at),
            "locked_by": report.lock.locked_by,
            "entries": report.lock.entry_count,
        },
        "totals": _totals(report.totals),
        "proven": {"grades": list(PROVEN), **_totals(report.proven)},
        "coverage": {
            "lots_measured": covered.measured,
            "lots": covered.total,
            "rate": _text(covered.rate),
            "unmeasured": [
                {"grouping": lot.reference, "lot": lot.number, "title": lot.title} for lot in covered.unmeasured
            ],
        },
        "losses": {
            "lines": report.loss_count,
            "budget_gain": _text(report.loss_total),
            "greatest": [_loss(loss) for loss in report.losses],
        },
        "method": {
            "version": method.VERSION,
            "date": _text(method.DATED),
            "sections": [{"title": section.title, "paragraphs": list(section.paragraphs)} for section in report.method],
        },
        "groups": [{**group.values, **_totals(group.totals)} for group in report.groups],
    }


def _totals(sums: Totals) -> dict[str, Any]:
    return {
        "lines": sums.lines,
        **{name: _text(getattr(sums, name)) for name in AMOUNTS},
        "budget_rate": _text(sums.budget_rate),
        "purchase_rate": _text(sums.purchase_rate),
    }


def line_values(line: Line) -> dict[str, Any]:
    """One line as JSON values, in English keys."""
    return {
        "line": line.line,
        "kind": line.kind,
        "grouping": line.reference,
        "grouping_title": line.grouping_title,
        "lot": line.lot_number,
        "lot_title": line.lot_title,
        "siren": line.siren,
        "member": line.member_name,
        "cpv_division": line.family,
        "designation": line.designation,
        "unit": line.unit,
        "quantity": _number(line.quantity),
        "price_before": _number(line.price_before),
        "index_factor": _number(line.index_factor),
        "price_obtained": _number(line.price_obtained),
        "method": line.method,
        "grade": line.grade,
        "is_one_off": line.is_one_off,
        "starts_on": _text(line.starts_on),
        "term_months": line.term_months,
        "origin_year": line.origin_year,
        "months": line.months,
        **{name: _text(getattr(line, name)) for name in AMOUNTS},
        "budget_gain_12_months": _text(line.yearly_budget_gain),
        "purchase_gain_12_months": _text(line.yearly_purchase_gain),
        "budget_gain_full_term": _text(line.full_budget_gain),
        "purchase_gain_full_term": _text(line.full_purchase_gain),
        "volume_effect": _text(line.volume_effect),
        "evidence_sha256": line.evidence_sha256,
        "entered_by": line.entered_by,
        "confirmed_by": line.confirmed_by or None,
        "validated_by": line.validated_by,
        "validated_at": _text(line.validated_at),
        "corrects": line.corrects,
    }


def _loss(loss: Loss) -> dict[str, Any]:
    return {
        "line": loss.line,
        "grouping": loss.reference,
        "lot": loss.lot_number,
        "member": loss.member_name,
        "designation": loss.designation,
        "budget_gain": _text(loss.budget_gain),
        "purchase_gain": _text(loss.purchase_gain),
    }


def _evidence(proof: Evidence) -> dict[str, Any]:
    return {
        "name": proof.name,
        "sha256": proof.sha256,
        "size": proof.size,
        "deposited_by": proof.deposited_by,
        "deposited_at": _text(proof.deposited_at),
        "grouping": proof.reference,
        "member": proof.member_name,
        "grade": proof.grade,
        "lines": proof.lines,
        "budget_gain": _text(proof.budget_gain),
    }


def _act(act: Act) -> dict[str, Any]:
    return {
        "at": _text(act.at),
        "actor": act.actor,
        "organisation": act.organisation,
        "sentence": act.sentence,
        "reason": act.reason or None,
        "before": act.before,
        "after": act.after,
    }


def _text(value: Decimal | date | datetime | None) -> str | None:
    """An amount or a rate with its two decimals, a date in ISO, an instant in ISO at Paris time; None stays null."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.2f}"


def _number(value: Decimal) -> str:
    """A quantity or a unit price, exact, without the zeros its column added."""
    return f"{value.normalize():f}"
