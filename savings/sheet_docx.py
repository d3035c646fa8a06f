"""The annual sheet in Word: real styles and tables, the headings of the bilan in their order."""

from datetime import datetime

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table, _Cell, _Row

from procurement.core.documents.docx import clean_line, finished_docx
from savings.sheet import PROGRESS, PROJECT, PROSPECTS, THEME_HEADING, TITLE_HEADING, WORK
from savings.sheet_print import Content

FONT = "Arial"
BLUE = RGBColor(0x16, 0x3A, 0x5F)
_WIDTH = 180  # millimetres between the margins of an A4 sheet
#: Phase → the shade of its quarters.
_SHADES = {1: "FDEBC8", 2: "D9EAF7", 3: "BBD9B5", 4: "E4E0EE"}
_HEAD = "E6ECF3"


def lay_out(content: Content, *, watermark: str, title: str, author: str, created_at: datetime) -> bytes:
    """The Word file; ``watermark`` across every page when given. The same content gives the same bytes."""
    document = Document()
    _set_page(document)
    _set_styles(document)
    if watermark:
        _watermark(document, watermark)
    _facts(document, [(TITLE_HEADING, [content.title]), ("Année", [f"{content.sheet.year} – {content.body}"])])
    document.add_heading(PROJECT[0], 1)
    themes = [f"{'☒' if chosen else '☐'} {label}" for label, chosen in content.themes]
    _facts(document, [(THEME_HEADING, themes), *content.project])
    document.add_heading(WORK, 1)
    _paragraph(document, " ; ".join(f"{phase} – {label}" for phase, label in content.phases.items()))
    _quarters(document, content)
    document.add_heading(PROGRESS[0], 1)
    _figures(document, content)
    others = [("Autres groupements", content.others)] if content.others else []
    gains = ("Gains du registre des économies", content.gains)
    _facts(document, [*others, content.strengths, gains, content.difficulties])
    document.add_heading(PROSPECTS[0], 1)
    _prospects(document, content)
    note = _paragraph(document, content.state)
    note.paragraph_format.space_before = Pt(8)
    note.runs[0].font.size = Pt(8)
    return finished_docx(document, title=title, author=author, created_at=created_at)


def _set_page(document: WordDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(15)
    section.top_margin = section.bottom_margin = Mm(14)


def _set_styles(document: WordDocument) -> None:
    styles = document.styles
    language = styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr")).find(qn("w:lang"))
    language.set(qn("w:val"), "fr-FR")
    for name, points, before, after in (("Normal", 8.5, 0, 1), ("Heading 1", 11.5, 7, 3)):
        style = styles[name]
        fonts = style.element.get_or_add_rPr().find(qn("w:rFonts"))
        if fonts is not None:
            style.element.rPr.remove(fonts)
        style.font.name, style.font.size = FONT, Pt(points)
        style.paragraph_format.line_spacing = 1.0
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    styles["Heading 1"].font.color.rgb = BLUE


def _paragraph(where: WordDocument | _Cell, text: str):
    return where.add_paragraph(clean_line(text))


def _table(document: WordDocument, rows: int, widths: list[float]) -> Table:
    """A table of fixed columns, in millimetres, every cell framed."""
    table = document.add_table(rows, len(widths))
    table.style = document.styles["Table Grid"]
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)
    return table


def _write(cell: _Cell, lines: list[str], *, bold: bool = False, points: float | None = None) -> None:
    """One paragraph per line; a dash when nobody wrote anything."""
    for rank, line in enumerate(lines or ["—"]):
        paragraph = cell.paragraphs[0] if rank == 0 else cell.add_paragraph()
        run = paragraph.add_run(clean_line(line))
        run.bold = bold
        if points:
            run.font.size = Pt(points)


def _shade(cell: _Cell, fill: str) -> None:
    shade = OxmlElement("w:shd")
    for attribute, value in (("val", "clear"), ("color", "auto"), ("fill", fill)):
        shade.set(qn(f"w:{attribute}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _facts(document: WordDocument, facts: list[tuple[str, list[str]]]) -> None:
    """Headings on the left, what stands under them on the right."""
    table = _table(document, len(facts), [50, _WIDTH - 50])
    for row, (heading, lines) in zip(table.rows, facts, strict=True):
        _write(row.cells[0], [heading], bold=True)
        _shade(row.cells[0], _HEAD)
        _write(row.cells[1], lines)
        _do_not_split(row)


def _do_not_split(row: _Row) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _heads(table: Table, headings: list[str], points: float | None = None) -> None:
    """The first row, on the same page as the next, and repeated when it goes on."""
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for cell, heading in zip(table.rows[0].cells, headings, strict=True):
        _write(cell, [heading], bold=True, points=points)
        _shade(cell, _HEAD)
        cell.paragraphs[0].paragraph_format.keep_with_next = True


def _quarters(document: WordDocument, content: Content) -> None:
    table = _table(document, 2, [_WIDTH / len(content.quarters)] * len(content.quarters))
    _heads(table, [label for label, _ in content.quarters], points=5.5)
    for cell, (_, phase) in zip(table.rows[1].cells, content.quarters, strict=True):
        _write(cell, [str(phase)] if phase else [], bold=True)
        if phase:
            _shade(cell, _SHADES[phase])
    for row in table.rows:
        for cell in row.cells:
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
            _narrow(cell)


def _narrow(cell: _Cell) -> None:
    """Half a millimetre on each side: seventeen columns leave no room for Word's own margins."""
    margins = OxmlElement("w:tcMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "28")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    cell._tc.get_or_add_tcPr().append(margins)


def _figures(document: WordDocument, content: Content) -> None:
    table = _table(document, 2, [26, 42, 34, 22, 56])
    _heads(table, [heading for heading, _ in content.figures])
    for cell, (_, value) in zip(table.rows[1].cells, content.figures, strict=True):
        _write(cell, [value], bold=True)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _prospects(document: WordDocument, content: Content) -> None:
    year = _paragraph(document, str(content.next_year))
    year.runs[0].bold = True
    year.paragraph_format.keep_with_next = True
    table = _table(document, 2, [_WIDTH / 2] * 2)
    _heads(table, [heading for heading, _ in content.prospects])
    for cell, (_, lines) in zip(table.rows[1].cells, content.prospects, strict=True):
        _write(cell, lines)
    _do_not_split(table.rows[1])


def _watermark(document: WordDocument, word: str) -> None:
    """A light word across every page, drawn by the header as Word itself does."""
    shape = (
        f"<w:r {nsdecls('w')} xmlns:v='urn:schemas-microsoft-com:vml' "
        "xmlns:o='urn:schemas-microsoft-com:office:office'>"
        "<w:pict><v:shapetype id='_x0000_t136' coordsize='21600,21600' o:spt='136' adj='10800' "
        "path='m@7,l@8,m@5,21600l@6,21600e'><v:formulas><v:f eqn='sum #0 0 10800'/><v:f eqn='prod #0 2 1'/>"
        "<v:f eqn='sum 21600 0 @1'/><v:f eqn='sum 0 0 @2'/><v:f eqn='sum 21600 0 @3'/><v:f eqn='if @0 @3 0'/>"
        "<v:f eqn='if @0 21600 @1'/><v:f eqn='if @0 0 @2'/><v:f eqn='if @0 @4 21600'/></v:formulas>"
        "<v:path textpathok='t' o:connecttype='rect'/><v:textpath on='t' fitshape='t'/></v:shapetype>"
        "<v:shape id='Filigrane' type='#_x0000_t136' style='position:absolute;width:440pt;height:130pt;rotation:315;"
        "z-index:-251658752;mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        "mso-position-vertical:center;mso-position-vertical-relative:margin' fillcolor='#d9d9d9' stroked='f'>"
        f"<v:textpath style='font-family:&quot;{FONT}&quot;;font-size:1pt' string='{word}'/></v:shape></w:pict></w:r>"
    )
    header = document.sections[0].header
    header.is_linked_to_previous = False
    header.paragraphs[0]._p.append(parse_xml(shape))
    header.paragraphs[0].add_run(f"{word} – chiffres non arrêtés").font.size = Pt(8)
