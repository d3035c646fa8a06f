"""A convention read on screen: the text of the PDF, word for word, as a page a screen reader can walk through.

The PDF engine cannot tag what it draws; this is its accessible form. Sections have anchors (``#article-11``) that do
not depend on the wording of their headings, tables have a caption and headings for their rows and columns.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from groupings.clauses.articles import Texts
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
_LINE_BREAK = SafeString("<br>")
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
        parts = ((s.key, s.heading, s.html) for s in self.sections)
        sections = format_html_join("", '<h2 id="{}-titre">{}</h2>{}', parts)
        return format_html("<h1>{}</h1>{}{}", self.title, self.head, sections)


def read_member(values: ConventionValues, texts: Texts, siren: str) -> Reading:
    """The convention of one member. Raises KeyError for a SIREN outside the grouping."""
    return read_html(render.member_html(values, texts, siren))


def shared_sections(values: ConventionValues, texts: Texts) -> list[Section]:
    """The sections that every member shares, in order: what remarks hang on."""
    return [s for s in read_member(values, texts, values.coordinator_siren).sections if s.key != "signatures"]


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
    made: list[SafeString] = []
    items: list[SafeString] = []
    for block in [*blocks, None]:
        if isinstance(block, Paragraph) and block.style == "item":
            items.append(format_html("<li>{}</li>", _runs(block.runs)))
            continue
        if items:
            made.append(format_html('<ul class="dashes">{}</ul>', _joined(items)))
            items = []
        if isinstance(block, Table):
            made.append(_table(block, caption))
        elif block is not None:
            made.append(_piece(block))
            caption = block.text if isinstance(block, Heading) else caption
    return _joined(made)


def _joined(pieces: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _piece(block: Block) -> SafeString:
    if isinstance(block, Heading):
        return format_html("<h3>{}</h3>", block.text)
    if not isinstance(block, Paragraph):
        return SafeString()
    if block.style in _STYLES:
        return format_html('<p class="{}">{}</p>', block.style, _runs(block.runs))
    return format_html("<p>{}</p>", _runs(block.runs))


def _runs(runs: tuple[Run, ...]) -> SafeString:
    made = []
    for run in runs:
        text = format_html_join(_LINE_BREAK, "{}", ((line,) for line in run.text.split("\n")))
        text = format_html("<em>{}</em>", text) if run.is_italic else text
        made.append(format_html("<strong>{}</strong>", text) if run.is_bold else text)
    return _joined(made)


def _table(table: Table, caption: str) -> SafeString:
    if table.kind == "signatures":
        frames = (_joined(_piece(piece) for piece in cell.content) for row in table.rows for cell in row)
        framed = format_html_join("", '<div class="signature-frame">{}</div>', ((frame,) for frame in frames))
        return format_html('<div class="signature-frames">{}</div>', framed)
    name = 1 if table.header and table.header[0].text == "N°" else 0  # a number names no row
    head = format_html_join(
        "", '<th scope="col" class="{}">{}</th>', ((_alignment(cell), _content(cell)) for cell in table.header)
    )
    return format_html(
        '<div class="scroll" tabindex="0" role="region" aria-label="Tableau\u00a0: {caption}"><table class="{kind}">'
        '<caption class="visually-hidden">{caption}</caption>{head}<tbody>{rows}</tbody></table></div>',
        caption=caption,
        kind="facts" if table.kind == "facts" else "table table-read",
        head=format_html("<thead><tr>{}</tr></thead>", head) if head else "",
        rows=_joined(format_html("<tr>{}</tr>", _row(row, name)) for row in table.rows),
    )


def _row(row: tuple[Cell, ...], name: int) -> SafeString:
    """The cells of one row; that at ``name`` is its heading."""
    return _joined(
        format_html('<th scope="row">{}</th>', _content(cell))
        if position == name
        else format_html('<td class="{}">{}</td>', _alignment(cell), _content(cell, strong=cell.is_strong))
        for position, cell in enumerate(row)
    )


def _alignment(cell: Cell) -> str:
    return "amount" if cell.is_amount else "words"


def _content(cell: Cell, *, strong: bool = False) -> SafeString:
    lines = (_runs(piece.runs) for piece in cell.content if isinstance(piece, Paragraph))
    content = format_html_join(_LINE_BREAK, "{}", ((line,) for line in lines))
    return format_html("<strong>{}</strong>", content) if strong and content else content
