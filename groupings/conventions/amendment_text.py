"""Lay an amendment out from its frozen values alone. Same values, same bytes."""

from datetime import UTC, datetime, time
from typing import Any

from groupings.conventions import wording
from groupings.conventions.amendment_values import AmendmentValues
from groupings.conventions.blocks import read_document
from groupings.conventions.render import _member_view
from groupings.conventions.word import word_document
from procurement.core.documents import pdf

_OBJECTS = {
    "join": "d’accueillir un nouveau membre",
    "leave": "de constater le retrait d’un membre",
    "coordinator": "de désigner un nouveau coordonnateur",
    "object": "de modifier l’objet du groupement",
    "duration": "de modifier la durée du groupement",
}


def amendment_html(values: AmendmentValues, *, total_pages: int = 1) -> str:
    """The whole text as the HTML the layouts start from."""
    return pdf.template_html("amendments/amendment.html", {**_context(values), "total_pages": total_pages})


def render_amendment(values: AmendmentValues) -> bytes:
    """The PDF/A-2b. Raises PdfError when it cannot be drawn faithfully."""
    identity = _identity(values)
    document, total = pdf.render_paged(lambda total: amendment_html(values, total_pages=total), guess=2, **identity)
    pages = pdf.Pages(document)
    named = f"{values.reference} avenant {values.number}"
    return pdf.assemble([(pages, page) for page in range(total)], identity=named, **identity)


def word_amendment(values: AmendmentValues) -> bytes:
    """The same text as a Word file. Same values, same bytes."""
    return word_document(read_document(amendment_html(values)), is_draft=False, **_identity(values))


def _identity(values: AmendmentValues) -> dict[str, Any]:
    return {
        "title": document_title(values),
        "author": values.coordinator.name,
        "issued_at": datetime.combine(values.as_of, time(12), tzinfo=UTC),
    }


def document_title(values: AmendmentValues) -> str:
    """« Avenant n° 1 à la convention constitutive du groupement de commandes GC-2027-01 – Papier »."""
    title = wording.typographic(values.title)
    return (
        f"Avenant n°\u00a0{values.number} à la convention constitutive du groupement de commandes {values.reference} – "
        f"{title}"
    )


def _context(values: AmendmentValues) -> dict[str, Any]:
    views = [_member_view(values, member, number) for number, member in enumerate(values.signatories, 1)]
    voters = set(values.voters)
    total = None
    if values.new_duration_months is not None:
        total = values.new_duration_months + values.new_extension_count * values.new_extension_months
    return {
        "v": values,
        "document_title": document_title(values),
        "short_title": wording.shortened(wording.typographic(values.title), 62),
        "coordinator": _member_view(values, values.coordinator, 1),
        "parties": [
            {"m": view, "votes": member.siren in voters} for view, member in zip(views, values.signatories, strict=True)
        ],
        "body": _member_view(values, values.body, 1) if values.body else None,
        "object": _OBJECTS[values.kind],
        "reason_parts": [part for part in values.reason.splitlines() if part.strip()],
        "convention_on": wording.long_date(values.convention_on),
        "as_of": wording.long_date(values.as_of),
        "effective_on": wording.long_date(values.effective_on) if values.effective_on else "",
        "total_months": total,
        "pairs": wording.parts(views, 2),
    }
