"""The bulletin d'adhésion of one member, annex 5 of the convention filled in. Same values, same bytes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache

from groupings.conventions import wording
from groupings.conventions.render import _member_view
from groupings.conventions.values import ConventionValues, MemberValues
from procurement.core.documents import pdf


@dataclass(frozen=True, slots=True)
class JoiningValues:
    """What the bulletin prints besides the convention it refers to."""

    member: MemberValues
    subject: str
    family: str
    family_label: str
    needs_statement: str
    leaves_contract_on: date | None
    contact: str
    as_of: date


@lru_cache(maxsize=16)
def render_joining_form(values: JoiningValues, convention: ConventionValues) -> bytes:
    """The PDF. Raises PdfError when it cannot be drawn faithfully."""
    title = f"Bulletin d’adhésion – {convention.reference} – {wording.typographic(values.subject)}"
    leaves_on = values.leaves_contract_on
    context = {
        "v": convention,
        "f": values,
        "m": _member_view(convention, values.member, 1),
        "coordinator": _member_view(convention, convention.coordinator, 1),
        "document_title": title,
        "convention_on": wording.long_date(convention.as_of),
        "leaves_on": wording.long_date(leaves_on) if leaves_on else "",
        "needs": [part for part in values.needs_statement.splitlines() if part.strip()],
    }
    return pdf.render_paged(
        lambda total: pdf.template_html("amendments/joining_form.html", {**context, "total_pages": total}),
        guess=1,
        title=title,
        author=convention.coordinator.name,
        issued_at=datetime.combine(values.as_of, time(12), tzinfo=UTC),
    )[0]
