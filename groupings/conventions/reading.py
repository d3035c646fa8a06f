"""A convention read on screen: the text of the PDF, word for word, as a page a screen reader can walk through.

The PDF engine cannot tag what it draws; this is its accessible form. Sections have anchors (``#article-11``) that do
not depend on the wording of their headings, tables have a caption and headings for their rows and columns.
"""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from groupings.conventions import render
from groupings.conventions.blocks import (
    Block,
    Cell,
    Heading,
    PageBreak,
    Paragraph,
    Room,
    Run,
    Table,
    read_document,
)
from groupings.conventions.values import ConventionValues

_NUMBERED = re.compile(r"^(Article|Annexe)[ \u00a0](\d+)[ \u00a0]+[–-][ \u00a0]+(.+)$", re.DOTALL)
#: Headings that close the articles and belong to none of them.
_APART = ("Annexes",)
_FACTS_CAPTION = "Références de la convention"
_STYLES = frozenset(["keyword", "subtitle", "party", "visa", "fact", "note", "small", "between"])


@dataclass(frozen=True, slots=True)
class Section:
    """One article, annex or part. ``key`` is its anchor; ``number`` is empty where it has none."""

    key: str
    number: str
    title: str
    html: SafeString

    @property
    def heading(self) -> str:
        kind = "Annexe" if self.key.startswith("annexe-") else "Article"
        return f"{kind}\u00a0{self.number} – {self.title}" if self.number else self.title

    @property
    def is_article(self) -> bool:
        return self.key.startswith("article-")


@dataclass(frozen=True, slots=True)
class Reading:
    """``head``: what stands above the first section, the title aside."""

    title: str
    head: SafeString
    sections: tuple[Section, ...]

    @property
    def html(self) -> SafeString:
        """The whole as one text, title included."""
        parts = (f'<h2 id="{s.key}-titre">{escape(s.heading)}</h2>{s.html}' for s in self.sections)
        return mark_safe(f"<h1>{escape(self.title)}</h1>{self.head}{''.join(parts)}")


def read_member(values: ConventionValues, siren: str) -> Reading:
    """The convention of one member. Raises KeyError for a SIREN outside the grouping."""
    return read_html(render.member_html(values, siren))


def articles_of(values: ConventionValues) -> list[tuple[str, str, str, SafeString]]:
    """(key, number, title, html) of each section that every member shares, in order: what comments hang on."""
    reading = read_member(values, values.coordinator_siren)
    return [(s.key, s.number, s.title, s.html) for s in reading.sections if s.key != "signatures"]


def read_html(html: str) -> Reading:
    """A convention's HTML, as laid out for print, as a title and sections."""
    title, head, sections = "", [], []
    current: list[Block] = head
    for block in read_document(html).blocks:
        if isinstance(block, PageBreak | Room):
            continue
        if isinstance(block, Heading) and block.level == 1 and not title:
            title = block.text
        elif isinstance(block, Heading) and (block.level == 2 or block.text in _APART):
            current = []
            sections.append((block.text, current))
        else:
            current.append(block)
    keys: set[str] = set()
    made = []
    for heading, blocks in sections:
        key, number, name = _named(heading)
        while key in keys:
            key += "-bis"
        keys.add(key)
        made.append(Section(key, number, name, _html(blocks, heading)))
    return Reading(title, _html(head, _FACTS_CAPTION), tuple(made))


def _named(heading: str) -> tuple[str, str, str]:
    """The anchor, the number and the title of a section, from its heading."""
    if found := _NUMBERED.match(heading):
        return f"{found[1].lower()}-{found[2]}", found[2], found[3]
    ascii_text = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-") or "partie", "", heading


def _html(blocks: list[Block], caption: str) -> SafeString:
    """The pieces of one section; its tables are named after it, or after the last heading above them."""
    xml: list[str] = []
    in_list = False
    for block in blocks:
        is_item = isinstance(block, Paragraph) and block.style == "item"
        if is_item != in_list:
            xml.append('<ul class="dashes">' if is_item else "</ul>")
            in_list = is_item
        if isinstance(block, Table):
            xml.append(_table(block, caption))
        elif is_item:
            xml.append(f"<li>{_runs(block.runs)}</li>")
        else:
            xml.append(_piece(block))
            if isinstance(block, Heading):
                caption = block.text
    return mark_safe("".join(xml) + "</ul>" * in_list)


def _piece(block: Block, *, level: int = 3) -> str:
    if isinstance(block, Heading):
        return f"<h{level}>{escape(block.text)}</h{level}>"
    if isinstance(block, Paragraph):
        style = f' class="{block.style}"' if block.style in _STYLES else ""
        return f"<p{style}>{_runs(block.runs)}</p>"
    return ""


def _runs(runs: tuple[Run, ...]) -> str:
    made = []
    for run in runs:
        text = str(escape(run.text)).replace("\n", "<br>")
        text = f"<em>{text}</em>" if run.is_italic else text
        made.append(f"<strong>{text}</strong>" if run.is_bold else text)
    return "".join(made)


def _table(table: Table, caption: str) -> str:
    if table.kind == "signatures":
        frames = "".join(
            f'<div class="signature-frame">{"".join(_piece(piece) for piece in cell.content)}</div>'
            for row in table.rows
            for cell in row
        )
        return f'<div class="signature-frames">{frames}</div>'
    name = 1 if table.header and table.header[0].text == "N°" else 0  # a number names no row
    head = "".join(f'<th scope="col"{_amount(cell)}>{_content(cell)}</th>' for cell in table.header)
    body = []
    for row in table.rows:
        cells = (
            f'<th scope="row">{_content(cell)}</th>' if position == name else f"<td{_amount(cell)}>{_strong(cell)}</td>"
            for position, cell in enumerate(row)
        )
        body.append(f"<tr>{''.join(cells)}</tr>")
    kind = "facts" if table.kind == "facts" else "table table-dense"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="{kind}">'
        f'<caption class="visually-hidden">{escape(caption)}</caption>'
        f"{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{''.join(body)}</tbody></table></div>"
    )


def _amount(cell: Cell) -> str:
    return ' class="amount"' if cell.is_amount else ""


def _strong(cell: Cell) -> str:
    return f"<strong>{_content(cell)}</strong>" if cell.is_strong else _content(cell)


def _content(cell: Cell) -> str:
    return "<br>".join(_runs(piece.runs) for piece in cell.content if isinstance(piece, Paragraph))
