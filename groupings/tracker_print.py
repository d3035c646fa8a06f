"""The tracker on paper and in a spreadsheet: the same cells as on screen.

The PDF is A4 landscape, cut into pages here: so many columns wide, so many lines high, the members and the heads
repeated on each. Every state has its own sign, so that a photocopy in black and white still tells them apart.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import ceil
from textwrap import wrap
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.text import Truncator

from groupings.choices import LATE_BADGE, DeliberationStatus
from groupings.tracker import EXPECTED_LATE_BADGE, Cell, Head, Matrix, Row
from groupings.tracker_filters import EXECUTORY
from procurement.core.documents import pdf
from procurement.core.exports import Column

EXPORT_COLUMNS = (
    Column("Membre", "membership.organisation.name", width=36),
    Column("SIREN", "membership.organisation.siren", width=12),
    Column("Groupement", "membership.grouping.reference", width=16),
    Column("Objet", "membership.grouping.title", width=44),
    Column("État", "state_badge.word", width=16),
    Column("Séance", lambda cell: _of_session(cell), "date"),
    Column("Votée le", lambda cell: _of_act(cell, "decided_on"), "date"),
    Column("N°", lambda cell: _of_act(cell, "number"), width=16),
    Column("Transmise le", lambda cell: _of_act(cell, "transmitted_on"), "date"),
    Column("Reçue le", lambda cell: _of_act(cell, "received_on"), "date"),
    Column("Publiée le", lambda cell: _of_act(cell, "published_on"), "date"),
    Column("Exécutoire le", lambda cell: _of_act(cell, "executory_on"), "date"),
    Column("Identifiant ACTES", lambda cell: _of_act(cell, "actes_id") if cell.is_own else None, width=40),
    Column("Échéance", "membership.grouping.deliberations_due_on", "date"),
    Column("Exécutoire attendu le", "expected_on", "date"),
    Column("Retard", lambda cell: cell.badge.word if cell.lateness else None, width=14),
    Column("Jours de retard", lambda cell: cell.lateness and cell.lateness.days, "integer"),
    Column("Convention signée le", "signed_on", "date"),
)


def _of_act(cell: Cell, name: str) -> Any:
    return getattr(cell.deliberation, name) if cell.deliberation else None


def _of_session(cell: Cell) -> date | None:
    """The meeting it stands, or was voted, on the agenda of; not the next one, which has decided nothing yet."""
    return cell.deliberation.session.meeting_on if cell.deliberation and cell.deliberation.session else None


#: A sign per state, drawn by our own font: a circle that fills up as the vote comes near.
_SIGNS = {
    DeliberationStatus.NOT_REQUIRED.value: "⊖",
    DeliberationStatus.TO_SCHEDULE.value: "○",
    DeliberationStatus.DRAFT_SENT.value: "✉",
    DeliberationStatus.ON_AGENDA.value: "◔",
    DeliberationStatus.CONVENED.value: "◑",
    DeliberationStatus.ADOPTED.value: "◕",
    EXECUTORY: "✔",
    DeliberationStatus.REJECTED.value: "✘",
    DeliberationStatus.POSTPONED.value: "↻",
    DeliberationStatus.NO_QUORUM.value: "∅",
    DeliberationStatus.CHALLENGED.value: "⚖",
    DeliberationStatus.WITHDRAWN.value: "↩",
    DeliberationStatus.ANNULLED.value: "⊗",
}
_LATE_SIGNS = {LATE_BADGE: "⚠", EXPECTED_LATE_BADGE: "△"}
_SIGNED_SIGN, _ABSENT_SIGN, _LEFT_OUT_SIGN = "✎", "–", "·"


@dataclass(frozen=True)
class Layout:
    """What fits on a page: ``columns`` of groupings, ``lines`` of text under the heads."""

    columns: int
    lines: int


_COMPACT = Layout(columns=20, lines=30)
_DETAILED = Layout(columns=8, lines=46)
#: Letters of the second line of a detailed cell that fit on one.
_CELL_LENGTH = 22
#: Percents of the page's width for the names and for the count of late ones; letters of a name that fit on a line.
_MEMBER_WIDTH, _COUNT_WIDTH, _NAME_LENGTH = 18, 3.5, 33
#: The vertical heads of the compact layout, in mm; letters in one line of them.
_HEAD_WIDTH, _HEAD_HEIGHT, _HEAD_LENGTH = 9.5, 42, 27
_HEAD_FONT, _HEAD_SIZE = "tracker head", 22
#: Letters of the running head, whatever their width.
_BODY_LENGTH = 60


@dataclass(frozen=True)
class PrintedCell:
    """``tone`` is the badge's; ``lines`` what is written in the cell."""

    tone: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class PrintedHead:
    """``image``: the vertical title as a ``data:`` address; empty when ``lines`` say it."""

    lines: tuple[str, ...]
    image: str
    due_on: date | None
    score: str


@dataclass(frozen=True)
class Page:
    """One sheet; ``rows`` are (name of the member, its cells, late ones in its whole line)."""

    heads: tuple[PrintedHead, ...]
    rows: tuple[tuple[str, tuple[PrintedCell, ...], int], ...]
    column_width: str


def render_pdf(matrix: Matrix, asked: str, *, body: str, issued_at: datetime) -> bytes:
    """The matrix as a PDF, A4 landscape.

    ``asked``: the filters in French, empty without any; ``body``: whose view it is; ``issued_at``: aware, printed.
    Raises PdfError when a page cannot be drawn faithfully.
    """
    pages = list(_pages(matrix))
    return pdf.render(
        "groupings/tracker_pdf.html",
        {
            "title": "Délibérations des membres",
            "author": body,
            "issued_at": issued_at,
            "issued_local": timezone.localtime(issued_at),
            "body": Truncator(body).chars(_BODY_LENGTH),
            "asked": asked,
            "matrix": matrix,
            "legend": _legend(matrix),
            "pages": pages,
            "member_width": str(_MEMBER_WIDTH),  # a number would take a French comma
            "count_width": str(_COUNT_WIDTH),
            "head_size": (str(_HEAD_WIDTH), str(_HEAD_HEIGHT)),
            "total_pages": max(len(pages), 1),
        },
    )


def _legend(matrix: Matrix) -> list[tuple[str, str]]:
    """(sign, words) of what is in the cells, then of what is not a state."""
    signs = {cell.badge: _sign(cell) for cell in matrix.cells()}
    words = [(signs[badge], badge.word.replace(" ", "\u00a0")) for badge in matrix.legend]
    if matrix.has_signatures:
        words.append((_SIGNED_SIGN, "Convention\u00a0signée"))
    words.append((_ABSENT_SIGN, "Ne\u00a0participe\u00a0pas"))
    if matrix.filters.narrows_members:
        words.append((_LEFT_OUT_SIGN, "Hors\u00a0filtre"))
    return words


def _pages(matrix: Matrix) -> Iterator[Page]:
    """Every sheet: all the members of the first columns, then of the next ones."""
    layout = _COMPACT if matrix.is_compact else _DETAILED
    for first, last in _balanced(len(matrix.heads), layout.columns):
        heads = tuple(_head(head, matrix.is_compact) for head in matrix.heads[first:last])
        for rows in _sheets(matrix, layout):
            printed = tuple(
                (
                    row.organisation.name,
                    tuple(_cell(cell, matrix.is_compact) for cell in row.cells[first:last]),
                    row.late_count,
                )
                for row in rows
            )
            yield Page(heads, printed, f"{(100 - _MEMBER_WIDTH - _COUNT_WIDTH) / len(heads):.2f}")


def _balanced(number: int, most: int) -> list[tuple[int, int]]:
    """Bounds of the fewest parts of at most ``most``, as equal as can be: 21 by 20 gives 11 and 10."""
    parts = ceil(number / most)
    return [(part * number // parts, (part + 1) * number // parts) for part in range(parts)]


def _sheets(matrix: Matrix, layout: Layout) -> Iterator[list[Row]]:
    """The rows that fit under one another; a long name takes several lines."""
    sheet: list[Row] = []
    used = 0
    for row in matrix.rows:
        lines = _lines(row, matrix.is_compact)
        if sheet and used + lines > layout.lines:
            yield sheet
            sheet, used = [], 0
        sheet.append(row)
        used += lines
    if sheet:
        yield sheet


def _lines(row: Row, is_compact: bool) -> int:
    name = len(wrap(row.organisation.name, _NAME_LENGTH))
    if is_compact:
        return name
    return max(name, 3 if any(len(_second_line(cell)) > _CELL_LENGTH for cell in row.shown) else 2)


def _sign(cell: Cell) -> str:
    return _LATE_SIGNS.get(cell.badge) or _SIGNS[cell.state]


def _cell(cell: Cell | None, is_compact: bool) -> PrintedCell:
    if cell is None:
        return PrintedCell("absent", (_ABSENT_SIGN,))
    if not cell.is_shown:
        return PrintedCell("absent", (_LEFT_OUT_SIGN,))
    signed = f" {_SIGNED_SIGN}" if cell.is_signed else ""
    if is_compact:
        return PrintedCell(cell.badge.tone, (f"{_sign(cell)}{signed}{_brief(cell)}",))
    late = f" {cell.lateness.days}\u00a0j" if cell.lateness else ""
    return PrintedCell(cell.badge.tone, (f"{_sign(cell)} {cell.badge.word}{late}{signed}", _second_line(cell)))


def _second_line(cell: Cell) -> str:
    """The state behind a delay, and the date that matters, shorter than on screen."""
    on = f"{cell.on:%d/%m/%Y}" if cell.on else ""
    if cell.lateness:
        return ", ".join(filter(None, (cell.state_badge.word, on)))
    return f"séance {on}" if on and "séance" in cell.on_label else on


def _brief(cell: Cell) -> str:
    """Days late, else the day and month awaited: what a narrow cell has room for."""
    if cell.lateness:
        return f" {cell.lateness.days}\u00a0j"
    return f" {cell.on:%d/%m}" if cell.on and cell.state != EXECUTORY else ""


def _head(head: Head, is_compact: bool) -> PrintedHead:
    score = f"{head.executory_count}/{head.member_count}"
    if not is_compact:
        return PrintedHead((head.grouping.reference, head.title), "", head.due_on, score)
    title = wrap(head.vertical_title, _HEAD_LENGTH)[:2]
    return PrintedHead((), _vertical([head.grouping.reference, *title]), head.due_on, score)


def _vertical(lines: Sequence[str]) -> str:
    """Lines of text read from bottom to top, as a vector image: the engine cannot turn a cell."""
    width, height = int(10 * _HEAD_WIDTH), 10 * _HEAD_HEIGHT
    texts = "".join(
        f'<text transform="translate({30 * place + 22} {height - 6}) rotate(-90)" font-family="{_HEAD_FONT}" '
        f'font-size="{_font_size(line, height - 10):.1f}" fill="#12365a">{escape(line)}</text>'
        for place, line in enumerate(map(pdf.clean_text, lines))
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "data:image/svg+xml;base64," + b64encode(f"{svg}{texts}</svg>".encode()).decode()


def _font_size(line: str, room: int) -> float:
    """The size of the heads, or less for a line of wide letters."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    _register_head_font()
    return min(_HEAD_SIZE, _HEAD_SIZE * room / max(stringWidth(line, _HEAD_FONT, _HEAD_SIZE), 1))


@lru_cache(maxsize=1)
def _register_head_font() -> None:
    """Our own face under a name of its own: for any other, the engine would ask the machine for its fonts."""
    from svglib.fonts import register_font

    register_font(_HEAD_FONT, str(pdf.ASSETS / "fonts" / "DejaVuSans-Bold.ttf"))
