"""What a convention says, piece after piece: headings, paragraphs, tables, changes of page.

Word and the reading on screen are made from the very HTML the PDF is laid out from (``render.member_html``): this is
its one reader. What only concerns a printed page (running heads, spacers) is set apart; a table cut in parts for the
PDF engine is one again.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from lxml import html as lxml_html

from procurement.core.documents.pdf import clean_text

_BLANK = re.compile(r"[ \t\r\n\f]+")  # what HTML folds: U+00A0 is not in it
_BOLD, _ITALIC = {"b", "strong", "th"}, {"i", "em"}
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3}
_MILLIMETRES = re.compile(r"(\d+)mm")
_PERCENT = re.compile(r"([\d.]+)%")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text of one aspect; a line break is ``\\n``."""

    text: str
    is_bold: bool = False
    is_italic: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 is the title of the document, 2 an article or an annex, 3 a part of one."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``style`` is the class the templates give: item, party, visa, fact, note, small… or nothing."""

    runs: tuple[Run, ...]
    style: str = ""

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Room:
    """A height left blank, in millimetres: for a hand to sign in."""

    millimetres: int


@dataclass(frozen=True, slots=True)
class Cell:
    content: tuple["Heading | Paragraph | Room", ...]
    is_amount: bool = False
    is_strong: bool = False

    @property
    def text(self) -> str:
        return " ".join(piece.text for piece in self.content if not isinstance(piece, Room))


@dataclass(frozen=True, slots=True)
class Table:
    """``widths``: the share of each column, which add up to 1. ``kind``: a grid of data, the facts under the title, or
    the frames of the signatures."""

    kind: Literal["grid", "facts", "signatures"]
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PageBreak:
    """``turn``: the sheet from here on lies or stands, empty when it stays as it is."""

    turn: Literal["", "landscape", "portrait"] = ""


Block = Heading | Paragraph | Room | Table | PageBreak


@dataclass(frozen=True, slots=True)
class Document:
    """A convention read: its pieces in order, and the two ends of its running head and foot."""

    blocks: tuple[Block, ...]
    header: tuple[str, str] = ("", "")
    footer: str = ""


def read_document(html: str) -> Document:
    """The pieces of a convention's HTML, in order, with the very characters the PDF prints."""
    body = lxml_html.document_fromstring(clean_text(html)).find("body")
    header, footer = (_running(body, name) for name in ("header", "footer"))
    blocks = tuple(_joined(_turned(_blocks(body))))
    return Document(blocks, (header[0], header[1]), footer[0])


def _running(body: Any, name: str) -> tuple[str, str]:
    found = body.xpath(f"./div[@id='{name}']")
    if not found:
        return "", ""
    cells = [_folded(cell.text_content()) for cell in found[0].iter("td")]
    found[0].drop_tree()
    return (*cells, "", "")[:2]


def _folded(text: str) -> str:
    return _BLANK.sub(" ", text).strip(" ")


def _blocks(element: Any) -> Iterator[Block]:
    """The pieces inside ``element``; text that no paragraph holds is one of its own."""
    loose: list[Run] = _runs_of_text(element.text)
    for child in element:
        if not isinstance(child.tag, str):  # a comment
            loose += _runs_of_text(child.tail)
            continue
        piece = list(_block(child))
        if piece or child.tag not in ("span", "br", *_BOLD, *_ITALIC, "sup"):
            yield from _paragraph(loose)
            loose = []
            yield from piece
        else:
            loose += list(_runs(child))
        loose += _runs_of_text(child.tail)
    yield from _paragraph(loose)


def _block(child: Any) -> Iterator[Block]:
    tag, style = child.tag, (child.get("class") or "").split(" ")[0]
    if tag in _HEADINGS:
        yield Heading(_HEADINGS[tag], _folded(child.text_content()))
    elif tag == "p":
        yield from _paragraph(list(_inner_runs(child)), style)
    elif tag in ("ul", "ol"):
        for number, item in enumerate(child.iter("li"), 1):
            mark = f"{number}. " if tag == "ol" else "– "
            yield from _paragraph([Run(mark), *_inner_runs(item)], "item")
    elif tag == "table" and style == "title":
        for cell in child.iter("td"):
            yield from _blocks(cell)
    elif tag == "table":
        yield _table(child, style)
    elif tag == "pdf:nextpage":
        yield PageBreak()
    elif tag == "pdf:nexttemplate":
        yield PageBreak("landscape" if child.get("name") == "landscape" else "portrait")
    elif tag == "pdf:spacer":
        found = _MILLIMETRES.match(child.get("height") or "")
        if found:
            yield Room(int(found[1]))
    elif tag in ("div", "section"):
        yield from _blocks(child)


def _paragraph(runs: list[Run], style: str = "") -> Iterator[Paragraph]:
    """Without the blanks at its ends; none when nothing is left."""
    folded: list[Run] = []
    for run in runs:
        text = run.text
        if not folded or folded[-1].text.endswith((" ", "\n")):
            text = text.lstrip(" ")
        if text.startswith("\n") and folded:
            folded[-1] = replace(folded[-1], text=folded[-1].text.rstrip(" "))
        if not text:
            continue
        if folded and (folded[-1].is_bold, folded[-1].is_italic) == (run.is_bold, run.is_italic):
            folded[-1] = replace(folded[-1], text=folded[-1].text + text)
        else:
            folded.append(replace(run, text=text))
    if folded:
        folded[-1] = replace(folded[-1], text=folded[-1].text.rstrip(" \n"))
    if any(run.text.strip(" \u00a0\n") for run in folded):
        yield Paragraph(tuple(run for run in folded if run.text), style)


def _inner_runs(element: Any, bold: bool = False, italic: bool = False) -> Iterator[Run]:
    yield from _runs_of_text(element.text, bold, italic)
    for child in element:
        if isinstance(child.tag, str):
            yield from _runs(child, bold, italic)
        yield from _runs_of_text(child.tail, bold, italic)


def _runs(element: Any, bold: bool = False, italic: bool = False) -> Iterator[Run]:
    if element.tag == "br":
        yield Run("\n", bold, italic)
        return
    yield from _inner_runs(element, bold or element.tag in _BOLD, italic or element.tag in _ITALIC)


def _runs_of_text(text: str | None, bold: bool = False, italic: bool = False) -> list[Run]:
    folded = _BLANK.sub(" ", text or "")
    return [Run(folded, bold, italic)] if folded else []


def _table(element: Any, style: str) -> Table:
    header: tuple[Cell, ...] = ()
    rows, widths = [], ()
    for line in element.iter("tr"):
        cells = [cell for cell in line if cell.tag in ("td", "th")]
        widths = widths or tuple(_width(cell) for cell in cells)
        made = tuple(_cell(cell) for cell in cells)
        if not header and not rows and all(cell.tag == "th" for cell in cells):
            header = made
        else:
            rows.append(made)
    kind: Any = style if style in ("facts", "signatures") else "grid"
    return Table(kind, header, tuple(rows), _shares(widths))


def _cell(element: Any) -> Cell:
    classes = (element.get("class") or "").split()
    content = tuple(piece for piece in _blocks(element) if isinstance(piece, Heading | Paragraph | Room))
    return Cell(
        content,
        is_amount=bool({"amount", "sum", "grandtotal"} & set(classes)),
        is_strong=element.tag == "th" or bool({"sum", "total", "grandtotal"} & set(classes)),
    )


def _width(element: Any) -> float:
    found = _PERCENT.match(element.get("width") or "")
    return float(found[1]) / 100 if found else 0.0


def _shares(widths: tuple[float, ...]) -> tuple[float, ...]:
    """Columns without a width share what is left; the whole is 1."""
    silent = widths.count(0.0)
    left = max(1 - sum(widths), 0.05 * silent) / silent if silent else 0
    known = [width or left for width in widths]
    return tuple(width / sum(known) for width in known)


def _turned(blocks: Iterable[Block]) -> Iterator[Block]:
    """A template chosen for the next page, and that page's beginning, are one change."""
    turn: Any = ""
    for block in blocks:
        if isinstance(block, PageBreak) and block.turn:
            turn = block.turn
        elif isinstance(block, PageBreak):
            yield PageBreak(turn)
            turn = ""
        else:
            yield block


def _joined(blocks: Iterable[Block]) -> Iterator[Block]:
    """Two tables that follow each other under the same heading row are one."""
    last: Block | None = None
    for block in blocks:
        if (
            isinstance(block, Table)
            and isinstance(last, Table)
            and block.header
            and (block.kind, block.header) == (last.kind, last.header)
        ):
            last = replace(last, rows=last.rows + block.rows)
            continue
        if last is not None:
            yield last
        last = block
    if last is not None:
        yield last
