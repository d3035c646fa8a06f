"""PDF from Django templates: one engine, one set of fonts, and no document with a flaw in it.

xhtml2pdf returns « no error » when an image is refused, a glyph missing or a cell shrunk to two points; here every one
of these raises ``PdfError``. The same input gives the same bytes, so that a SHA-256 is evidence: dates come from the
caller, never from the clock. The engine is imported at the first document (70 MB, more than a second), and one
document is laid out at a time in a process: ReportLab keeps its fonts in module globals.
"""

import io
import logging
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.template import Context
from django.template.loader import get_template

#: The only folder a document may read: images and fonts of the product.
ASSETS = Path(__file__).resolve().parents[2] / "static"
LANGUAGE = "fr"
#: The date of a document whose context gives none; never the clock.
DEFAULT_ISSUED_AT = datetime(2000, 1, 1, tzinfo=UTC)
FONT_FAMILY = "dejavu sans"
#: (bold, italic) -> file. The bold italic is drawn bold: one face less in each document.
_FACES = {
    (0, 0): "DejaVuSans.ttf",
    (1, 0): "DejaVuSans-Bold.ttf",
    (0, 1): "DejaVuSans-Oblique.ttf",
    (1, 1): "DejaVuSans-Bold.ttf",
}
_SMALLEST_SHRINK = 1.001
_FUZZ = 1.0  # points

# xhtml2pdf turns narrow and thin spaces into breakable ones: only U+00A0 keeps « 1 234 € » on one line. Text-direction
# marks reverse what is read (U+202E really does), the rest is invisible: none of them belongs in a legal document.
_SPACES = {0x202F: 0xA0, 0x2007: 0xA0, 0x2009: 0xA0}
_INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xAD, 0x061C, 0xFEFF)
_CONTROL = (*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_CLEANING: dict[int, int | None] = {**_SPACES, **dict.fromkeys((*_INVISIBLE, *_CONTROL))}
_MARKUP = re.compile(r"([<>&;])")

_lock = threading.RLock()


PRODUCT = "Groupements de commandes"
_TITLE_TAG = re.compile(r"<title>.*?</title>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*[^<\s].*?</title>", re.DOTALL | re.IGNORECASE)
_AUTHOR = re.compile(r"<meta name=.author.[^>]*>", re.IGNORECASE)


class PdfError(RuntimeError):
    """The document was not produced: the engine failed, or drew something else than what was asked."""


@dataclass
class _Render:
    """What the engine's hooks need to know, and what they report, for the document being laid out."""

    numbers: Sequence[tuple[int, int]] = ()
    watermark: str = ""
    pages: int = 0
    complaints: list[str] = field(default_factory=list)


_current = _Render()
_ready = False


class _Complaints(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _current.complaints.append(record.getMessage().strip().splitlines()[0][:300])


def clean_text(text: str) -> str:
    """``text`` as the engine can print it faithfully: NFC, U+00A0 for narrow spaces, nothing invisible.

    Works on HTML as well: each piece between ``<``, ``>``, ``&`` and ``;`` is composed apart, since U+0338 at the
    start of a value would otherwise merge with the ``>`` of the tag before it.
    """
    return "".join(unicodedata.normalize("NFC", piece.translate(_CLEANING)) for piece in _MARKUP.split(text))


def render(template_name: str, context: Mapping[str, Any]) -> bytes:
    """Lay a Django template out as a PDF.

    ``context`` may hold ``title`` and ``author`` (else the template's ``<title>`` and ``<meta name="author">``, else
    the template's name and the product's: a document always has both),
    ``issued_at`` (aware datetime, the document's date) and ``watermark`` (a word across every page). The template
    receives ``total_pages``, right in one pass for a document of a known length (``total_pages`` in ``context`` is
    then the first guess) and in two otherwise. Autoescape is always on, whatever the engine's setting.
    Raises PdfError on any error or warning of the engine.
    """

    def html(total: int) -> str:
        return template_html(template_name, {**context, "total_pages": total})

    guess = context.get("total_pages", 1)
    own = html(guess)
    pdf, _ = render_paged(
        html,
        guess=guess,
        title=context.get("title") or ("" if _TITLE.search(own) else Path(template_name).stem),
        author=context.get("author") or ("" if _AUTHOR.search(own) else PRODUCT),
        issued_at=context.get("issued_at") or DEFAULT_ISSUED_AT,
        watermark=context.get("watermark", ""),
    )
    return pdf


def template_html(template_name: str, context: Mapping[str, Any]) -> str:
    """The HTML of a template, always escaped and without context processors: the context alone decides."""
    return get_template(template_name).template.render(Context(dict(context), autoescape=True))


def render_paged(
    make_html: Callable[[int], str],
    *,
    guess: int,
    title: str = "",
    author: str = "",
    issued_at: datetime = DEFAULT_ISSUED_AT,
    watermark: str = "",
) -> tuple[bytes, int]:
    """Lay out ``make_html(total_pages)`` and return the PDF with its number of pages.

    The total is written as a literal, checked, and the document done again if it was wrong: the engine's own page
    count lays everything out twice, always. Raises PdfError when no total is right.
    """
    html = make_html(guess)
    for _ in range(3):
        pdf, pages = render_html(html, title=title, author=author, issued_at=issued_at, watermark=watermark)
        corrected = html if pages == guess else make_html(pages)
        if corrected == html:
            return pdf, pages
        html, guess = corrected, pages
    raise PdfError("Le nombre de pages du document ne se stabilise pas.")


def render_html(
    html: str,
    *,
    title: str = "",
    author: str = "",
    issued_at: datetime = DEFAULT_ISSUED_AT,
    numbers: Sequence[tuple[int, int]] = (),
    watermark: str = "",
) -> tuple[bytes, int]:
    """Lay ``html`` out once; return the PDF and its number of pages.

    ``numbers`` imposes page numbers, as (page, number shown) pairs: [(1, 8)] makes the first page show 8.
    Raises PdfError on any error or warning of the engine, and for a document without title or author.
    """
    if issued_at.tzinfo is None:
        raise ValueError("issued_at doit porter un fuseau horaire.")
    global _current
    with _lock:
        _prepare()
        _current = _Render(numbers=numbers, watermark=clean_text(watermark))
        try:
            pdf, meta = _convert(clean_text(html), clean_text(title), clean_text(author), issued_at)
            if _current.complaints:
                raise PdfError("Le document n’est pas fidèle\u00a0: " + " ; ".join(dict.fromkeys(_current.complaints)))
            if not (meta["title"].strip() and meta["author"].strip()):
                raise PdfError("Le document n’a pas de titre ou pas d’auteur.")
            return pdf, _current.pages
        finally:
            _current = _Render()


def _convert(html: str, title: str, author: str, issued_at: datetime) -> tuple[bytes, dict[str, str]]:
    from reportlab.platypus.doctemplate import LayoutError
    from xhtml2pdf import pisa
    from xhtml2pdf.config.resources import RenderLimitError, ResourceAccessError, ResourceAccessPolicy

    # Named failures only: a worker's time limit is an exception too, and must reach the worker as it is.
    failures = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError)
    out = io.BytesIO()
    with _watched_log(), _dated(issued_at):
        try:
            status = pisa.CreatePDF(
                _with_language(html, title, author),
                dest=out,
                path=str(ASSETS / "document.html"),
                encoding="utf-8",
                resource_policy=ResourceAccessPolicy.server(ASSETS, allow_remote=False),
            )
        except (*failures, ValueError, LayoutError, RenderLimitError, ResourceAccessError) as error:
            raise PdfError(f"Le document n’a pas pu être mis en page\u00a0: {error}") from error
    if status.err:
        _current.complaints.append(f"{status.err} erreur(s) du moteur")
    elif status.warn and not _current.complaints:
        _current.complaints.append(f"{status.warn} avertissement(s) du moteur")
    return out.getvalue(), status.meta


def _with_language(html: str, title: str, author: str) -> str:
    """The document with its language, and with the caller's title and author in place of the template's own."""
    from django.utils.html import escape

    head = f"<title>{escape(title)}</title>" if title else ""
    head += f'<meta name="author" content="{escape(author)}">' if author else ""
    if title:
        html = _TITLE_TAG.sub("", html, count=1)
    if author:
        html = _AUTHOR.sub("", html, count=1)
    html = re.sub(r"<!doctype[^>]*>|</?html[^>]*>", "", html, flags=re.IGNORECASE)
    html, found = re.subn(r"<head[^>]*>", lambda tag: tag[0] + head, html, count=1, flags=re.IGNORECASE)
    body = html if found else f"<head>{head}</head>{html}"
    return f'<!DOCTYPE html><html lang="{LANGUAGE}">{body}</html>'


class _watched_log:  # noqa: N801 - used as a statement
    """Collect the engine's warnings, whatever the level the settings give to logging."""

    def __enter__(self) -> None:
        self.logger, self.handler = logging.getLogger("xhtml2pdf"), _Complaints(logging.WARNING)
        self.before = self.logger.level, self.logger.propagate, self.logger.disabled
        self.logger.setLevel(logging.WARNING)
        self.logger.propagate, self.logger.disabled = False, False
        self.logger.addHandler(self.handler)

    def __exit__(self, *_: object) -> None:
        self.logger.removeHandler(self.handler)
        level, self.logger.propagate, self.logger.disabled = self.before
        self.logger.setLevel(level)


class _dated:  # noqa: N801 - used as a statement
    """ReportLab reads the document's date from the environment alone; set under the lock, put back after."""

    def __init__(self, issued_at: datetime) -> None:
        self.epoch = str(int(issued_at.timestamp()))

    def __enter__(self) -> None:
        self.before = os.environ.get("SOURCE_DATE_EPOCH")
        os.environ["SOURCE_DATE_EPOCH"] = self.epoch

    def __exit__(self, *_: object) -> None:
        if self.before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = self.before


def _prepare() -> None:
    """Import the engine, give it our fonts and our hooks; once per process."""
    global _ready
    if _ready:
        return
    import xhtml2pdf.default
    import xhtml2pdf.document
    import xhtml2pdf.xhtml2pdf_reportlab
    from reportlab import rl_config
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for (bold, italic), file in _FACES.items():
        name = f"{FONT_FAMILY}_{bold}{italic}"
        pdfmetrics.registerFont(TTFont(name, str(ASSETS / "fonts" / file)))
        addMapping("helvetica", bold, italic, name)
        addMapping(FONT_FAMILY, bold, italic, name)
    # ReportLab names Helvetica, which no file embeds, in each table cell and blank before any text: our face there.
    # Its registration maps the name to all four styles, the last being the bold italic: put back the plain one.
    pdfmetrics._fonts.pop("Helvetica", None)  # ReportLab keeps the first of a name: another drawing may have used it
    pdfmetrics.registerFont(TTFont("Helvetica", str(ASSETS / "fonts" / _FACES[0, 0])))
    addMapping("helvetica", 0, 0, "Helvetica")
    # Every family, named or generic, is ours: a PDF never asks the reader's machine for a font.
    for alias in [*xhtml2pdf.default.DEFAULT_FONT, FONT_FAMILY]:
        xhtml2pdf.default.DEFAULT_FONT[alias] = FONT_FAMILY
    rl_config.canvas_basefontname = f"{FONT_FAMILY}_00"
    rl_config.useA85 = 0  # binary streams: a tenth less bytes

    class Document(xhtml2pdf.document.PmlBaseDoc):
        def beforeDocument(self) -> None:  # noqa: N802 - ReportLab's own name
            if _current.numbers:
                self.pageNumberResets = list(_current.numbers)
            super().beforeDocument()

        def handle_pageBegin(self) -> None:  # noqa: N802 - ReportLab's own name
            if _current.watermark:
                _draw_watermark(self.canv, self.pageTemplate.pagesize or self.pagesize)
            super().handle_pageBegin()
            _current.pages = self.page

    xhtml2pdf.document.PmlBaseDoc = Document

    kept = xhtml2pdf.xhtml2pdf_reportlab.PmlKeepInFrame
    draw = kept.drawOn

    def draw_at_full_size(self, canv, x, y, _sW=0):  # noqa: N803 - ReportLab's own name
        if getattr(self, "_scale", 1.0) > _SMALLEST_SHRINK:
            _current.complaints.append("Le contenu d’une cellule est trop grand\u00a0: il serait rétréci.")
        return draw(self, canv, x, y, _sW)

    kept.drawOn = draw_at_full_size

    paragraph = xhtml2pdf.xhtml2pdf_reportlab.PmlParagraph
    draw_paragraph = paragraph.draw

    def draw_within_its_width(self):
        for line in getattr(getattr(self, "blPara", None), "lines", ()):
            room = line[0] if isinstance(line, tuple | list) else getattr(line, "extraSpace", 0)
            if room < -_FUZZ:
                _current.complaints.append("Un mot est plus large que sa colonne\u00a0: il serait coupé.")
        return draw_paragraph(self)

    paragraph.draw = draw_within_its_width
    _ready = True


def _draw_watermark(canvas, size: tuple[float, float]) -> None:
    """A light word across the page, drawn first so that everything else lies on it."""
    from math import atan2, degrees, hypot

    width, height = size
    font, word = f"{FONT_FAMILY}_10", _current.watermark
    canvas.saveState()
    points = 0.62 * hypot(width, height) / max(canvas.stringWidth(word, font, 1), 1)
    points = min(points, 150)
    canvas.setFillGray(0.93)
    canvas.setFont(font, points)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(degrees(atan2(height, width)))
    canvas.drawCentredString(0, -points / 3, word)
    canvas.restoreState()


def page_count(pdf: bytes) -> int:
    """The number of pages of a PDF."""
    from pypdf import PdfReader

    return len(PdfReader(io.BytesIO(pdf)).pages)


class Pages:
    """A PDF read once, whose pages can be used in many documents."""

    def __init__(self, pdf: bytes) -> None:
        from pypdf import PdfReader

        self.reader = PdfReader(io.BytesIO(pdf))
        self.pages = list(self.reader.pages)
        for page in self.pages:
            page.pop("/Trans", None)  # an empty transition of slides, which an archive (PDF/A) forbids
        self.bookmarks = list(self._bookmarks(self.reader.outline, 0))

    def _bookmarks(self, entries: list, depth: int) -> Iterable[tuple[int, str, int]]:
        """(page, title, depth) of each bookmark, in the order of the document."""
        for entry in entries:
            if isinstance(entry, list):
                yield from self._bookmarks(entry, depth + 1)
            else:
                yield self.reader.get_destination_page_number(entry), str(entry.title), depth

    def page_of(self, bookmark: str) -> int:
        """The page (from 0) a bookmark points to. Raises PdfError when there is none of that title."""
        for page, title, _ in self.bookmarks:
            if title == bookmark:
                return page
        raise PdfError(f"Le signet «\u00a0{bookmark}\u00a0» est introuvable.")


def assemble(
    order: Sequence[tuple[Pages, int]], *, title: str, author: str, issued_at: datetime, identity: str = ""
) -> bytes:
    """One PDF/A-2b from pages of several: ``order`` lists (source, page from 0).

    Bookmarks follow their pages; title, author and language are set; ``identity`` (the title when empty) sets the
    document apart from those of the same title. Same input, same bytes.
    """
    from pypdf import PdfWriter

    from procurement.core.documents.pdfa import make_archival

    writer = PdfWriter()
    place: dict[tuple[int, int], int] = {}
    for position, (source, page) in enumerate(order):
        writer.add_page(source.pages[page])
        place[id(source), page] = position
    sources = {id(source): source for source, _ in order}
    bookmarks = sorted(
        (
            (place[key, page], title, depth)
            for key, source in sources.items()
            for page, title, depth in source.bookmarks
            if (key, page) in place
        ),
        key=lambda bookmark: bookmark[0],
    )
    parents: dict[int, Any] = {}
    for position, name, depth in bookmarks:
        parent = parents.get(depth - 1) if depth else None
        parents[depth] = writer.add_outline_item(title=name, page_number=position, parent=parent)
    make_archival(
        writer, title=clean_text(title), author=clean_text(author), issued_at=issued_at, identity=identity or title
    )
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
