"""Lay a model délibération out, as a Word file to edit and as a PDF to read: the same words in both.

The Word template is ``templates/deliberations/deliberation.docx``, that a jurist may edit in Word; the PDF's are beside
it. Same values, same bytes: both bear the date of the convention.
"""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from groupings.drafts.values import DraftValues, Line
from procurement.core.documents import docx, pdf

#: What the reader fills: dots, or words in square brackets that say what is expected.
_BLANK = re.compile(r"(…{3,}|\[à compléter[^\[\]]*\])")
_PAGE = 700.0  # points of text on a page of the PDF
_LINE_LENGTH = 98


def render_docx(values: DraftValues) -> bytes:
    """The editable file. Raises DocxError when the Word template no longer fits the values."""
    return docx.render_docx(
        Path(settings.BASE_DIR) / "templates" / "deliberations" / "deliberation.docx",
        _context(values, _as_runs),
        title=values.title,
        author=values.coordinator_name,
        created_at=_issued_at(values),
    )


def render_pdf(values: DraftValues) -> bytes:
    """The file to read and print. Raises PdfError when it cannot be drawn faithfully."""
    context = _context(values, _as_html)
    document, _ = pdf.render_paged(
        lambda total: pdf.template_html("deliberations/deliberation.html", {**context, "total_pages": total}),
        guess=_estimated_pages(values),
        title=values.title,
        author=values.coordinator_name,
        issued_at=_issued_at(values),
    )
    return document


def _context(values: DraftValues, show: Callable[[str, str], Any]) -> dict[str, Any]:
    """What the templates lay out. ``show(label, text)`` is a paragraph: its label in bold, its blanks highlighted."""

    def paragraphs(lines: tuple[Line, ...]) -> list[Any]:
        return [show(line.label, line.text) for line in lines]

    def cells(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
        return [{"label": line.label, "text": show("", line.text)} for line in lines]

    return {
        "body_name": values.body_name,
        "reference": values.reference,
        "guidance": list(values.guidance),
        "heading": show(values.heading, ""),
        "taken_by": values.taken_by,
        "header": cells(values.header),
        "purpose": show(values.purpose.label, values.purpose.text),
        "rapporteur": show(values.rapporteur.label, values.rapporteur.text),
        "note_title": values.note_title,
        "background": paragraphs(values.background),
        "needs": [asdict(row) for row in values.needs[:-1]],
        "total": asdict(values.needs[-1]) if values.needs else {},
        "terms": paragraphs(values.terms),
        "act_title": values.act_title,
        "visas": paragraphs(values.visas),
        "recitals": paragraphs(values.recitals),
        "enacting": values.enacting,
        "decisions": paragraphs(values.decisions),
        "votes": cells(values.votes),
        "signatures": cells(values.signatures),
        "transmission": cells(values.transmission),
        "challenge": values.challenge,
        "annex": show(values.annex.label, values.annex.text),
        "notes": list(values.notes),
    }


def _as_runs(label: str, text: str) -> Any:
    space = [docx.Run(" ", is_bold=True)] if label and text else []
    return docx.runs([*_pieces(label, is_bold=True), *space, *_pieces(text)])


def _as_html(label: str, text: str) -> SafeString:
    said = format_html_join(
        "",
        "{}",
        ((format_html('<span class="blank">{}</span>', p.text) if p.is_blank else p.text,) for p in _pieces(text)),
    )
    return format_html("<b>{}</b> {}", _as_html("", label), said) if label else said


def _pieces(text: str, *, is_bold: bool = False) -> list[docx.Run]:
    pieces = _BLANK.split(text)  # every other one is a blank
    return [docx.Run(piece, is_bold, place % 2 == 1) for place, piece in enumerate(pieces) if piece]


def _issued_at(values: DraftValues) -> datetime:
    return datetime.combine(values.dated_on, time(12), tzinfo=UTC)


def _estimated_pages(values: DraftValues) -> int:
    """A first guess of the total, by the lines of each paragraph; a wrong one costs a second layout, nothing else."""
    lines = [
        *(f"{line.label} {line.text}" for line in (*values.background, *values.terms, *values.visas, *values.recitals)),
        *(f"{line.label} {line.text}" for line in values.decisions),
    ]
    paragraphs = sum(-(-len(line) // _LINE_LENGTH) * 11.4 + 3.5 for line in lines)
    rows = sum(-(-len(row.lot) // 60) * 9.4 + 5 for row in values.needs)
    guidance = sum(-(-len(text) // 112) * 9.6 + 4 for text in (*values.guidance, *values.notes))
    facts = 15.0 * (len(values.header) + len(values.transmission))
    return 1 + int((paragraphs + rows + guidance + facts + 380) / _PAGE)
