"""Write the Word template of the model délibération anew: ``python -m groupings.drafts.make_template FILE.docx``.

The template in use is the committed file, which a jurist may have edited in Word since: writing it again forgets that.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

FONT = "Arial"
BLUE = RGBColor(0x16, 0x3A, 0x5F)
GREY = RGBColor(0x55, 0x60, 0x6C)
LINE = "9DB2C9"
_FRAME = ("top", "left", "bottom", "right")
_WIDTH = 170  # millimetres between the margins of an A4 sheet
#: Parts of the library's own blank file that a délibération does not need: most of its 900 kB.
_NEEDLESS = ("stylesWithEffects", "customXml", "thumbnail")
_KEPT_STYLES = {"Normal", "Title", "Heading 1", "Header", "Footer", "Default Paragraph Font", "Normal Table", "No List"}
#: Name → (points, bold, space before, space after), of our own paragraph styles.
_STYLES = {
    "Organisme": (11.5, True, 0, 5),
    "Objet": (10.5, True, 7, 3),
    "Note": (9.5, False, 0, 3),
    "Visa": (9.5, False, 0, 2),
    "Considérant": (9.5, False, 0, 2),
    "Dispositif": (10.5, True, 10, 6),
    "Article": (9.5, False, 0, 4),
    "Consigne": (8, False, 2, 2),
    "Tableau": (9, False, 1, 1),
    "Mention": (8, False, 0, 2),
}


def make_template() -> WordDocument:
    """The template: A4, French, real styles, a table per block, fields in docxtpl's syntax."""
    document = Document()
    _lighten(document)
    _set_page(document)
    _set_styles(document)
    _write(document)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = "Modèle de délibération", "", ""
    return document


def _lighten(document: WordDocument) -> None:
    for relations in (document.part.rels, document.part.package.rels):
        for key in [key for key, rel in relations.items() if any(name in rel.reltype for name in _NEEDLESS)]:
            del relations[key]
    for style in list(document.styles):
        if style.name not in _KEPT_STYLES:
            style.delete()
    for link in document.styles.element.xpath("//w:link"):  # to the character styles just deleted
        link.getparent().remove(link)


def _set_page(document: WordDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(20), Mm(18)
    section.header_distance = section.footer_distance = Mm(10)
    for element in list(document.element.body):
        if element.tag != qn("w:sectPr"):
            document.element.body.remove(element)


def _set_styles(document: WordDocument) -> None:
    styles = document.styles
    defaults = styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    language = defaults.find(qn("w:lang"))
    for attribute in ("val", "eastAsia"):
        language.set(qn(f"w:{attribute}"), "fr-FR")
    fonts = defaults.find(qn("w:rFonts"))
    fonts.attrib.clear()
    for attribute in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{attribute}"), FONT)
    _set_style(styles["Normal"], 10, bold=False, before=0, after=4)
    _set_style(styles["Title"], 15, bold=True, before=6, after=0, color=BLUE)
    _set_style(styles["Heading 1"], 11.5, bold=True, before=9, after=4, color=BLUE)
    for name in ("Title", "Heading 1"):
        styles[name].paragraph_format.keep_with_next = True
        borders = styles[name].element.pPr.find(qn("w:pBdr"))
        if borders is not None:
            styles[name].element.pPr.remove(borders)
    _border(styles["Heading 1"].element.get_or_add_pPr(), ("bottom",))
    for name in ("Header", "Footer"):
        _set_style(styles[name], 8, bold=False, before=0, after=0, color=GREY)
        styles[name].paragraph_format.tab_stops.clear_all()
    for name, (points, bold, before, after) in _STYLES.items():
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.quick_style = styles["Normal"], True
        _set_style(style, points, bold=bold, before=before, after=after)
    styles["Organisme"].font.color.rgb = BLUE
    for name in ("Objet", "Dispositif"):
        styles[name].paragraph_format.keep_with_next = name == "Dispositif"
    styles["Consigne"].font.italic = True
    styles["Mention"].font.color.rgb = GREY


def _set_style(style, points: float, *, bold: bool, before: float, after: float, color: RGBColor | None = None) -> None:
    properties = style.element.get_or_add_rPr()
    for element in properties.findall(qn("w:rFonts")):
        properties.remove(element)
    style.font.name, style.font.size, style.font.bold = FONT, Pt(points), bold
    style.font.color.rgb = color
    spacing = style.paragraph_format
    spacing.space_before, spacing.space_after, spacing.line_spacing = Pt(before), Pt(after), 1.1
    spacing.widow_control = True


def _write(document: WordDocument) -> None:
    section = document.sections[0]
    _running(section.header.paragraphs[0], "{{ body_name }}\tMODÈLE – à adapter")
    footer = "Groupement de commandes {{ reference }}\tPage "
    _running(section.footer.paragraphs[0], footer, fields=("PAGE", "NUMPAGES"))

    box = _table(document, (_WIDTH,), borders=_FRAME, fill="FFF8DC")
    _loop(box.cell(0, 0), "guidance", "Consigne")
    _remove(box.cell(0, 0).paragraphs[0])

    document.add_paragraph("{{ body_name }}", style="Organisme").paragraph_format.space_before = Pt(10)
    _runs(document, "heading", "Title")
    document.add_paragraph("{{ taken_by }}", style="Organisme")
    facts = _table(document, (50, 120), borders=("top", "bottom", "insideH"))
    _rows(facts, "line", "header", ("{{ line.label }}", "{{r line.text }}"))
    _runs(document, "purpose", "Objet")
    _runs(document, "rapporteur", "Note")

    document.add_paragraph("{{ note_title }}", style="Heading 1")
    _loop(document, "background", "Note", is_runs=True)
    _tag(document, "if needs")
    needs = _table(document, (90, 40, 40), borders=("top", "bottom", "insideH"), rows=1)
    for cell, text in zip(needs.rows[0].cells, ("Lot", "Montant total (€\u00a0HT)", "Par an (€\u00a0HT)"), strict=True):
        cell.paragraphs[0].add_run(text).bold = True
        _shade(cell, "E6ECF3")
    _repeat(needs.rows[0])
    _rows(needs, "row", "needs", ("{{ row.lot }}", "{{ row.whole }}", "{{ row.yearly }}"))
    for cell, name in zip(needs.add_row().cells, ("lot", "whole", "yearly"), strict=True):
        cell.paragraphs[0].style = document.styles["Tableau"]
        cell.paragraphs[0].add_run(f"{{{{ total.{name} }}}}").bold = True
    for row in needs.rows:
        for cell in row.cells[1:]:
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph(style="Mention")
    _tag(document, "endif")
    _loop(document, "terms", "Note", is_runs=True)

    document.add_paragraph("{{ act_title }}", style="Heading 1")
    _loop(document, "visas", "Visa", is_runs=True)
    _loop(document, "recitals", "Considérant", is_runs=True)
    document.add_paragraph("{{ enacting }}", style="Dispositif")
    _loop(document, "decisions", "Article", is_runs=True)

    _tag(document, "if votes")
    document.add_paragraph("Vote", style="Heading 1")
    ballot = _table(document, (26, 26, 26, 32, 60), borders=(*_FRAME, "insideH", "insideV"), rows=2)
    for place, (heading, value) in enumerate(zip(*(row.cells for row in ballot.rows), strict=True)):
        heading.paragraphs[0].add_run(f"{{{{ votes[{place}].label }}}}").bold = True
        value.paragraphs[0].add_run(f"{{{{r votes[{place}].text }}}}")
        _shade(heading, "E6ECF3")
        for cell in (heading, value):
            cell.paragraphs[0].paragraph_format.keep_with_next = True
    _tag(document, "endif")
    document.add_paragraph(style="Mention").paragraph_format.keep_with_next = True
    _signatures(document)

    document.add_paragraph("Caractère exécutoire et recours", style="Heading 1")
    sent = _table(document, (70, 100), borders=("top", "bottom", "insideH"))
    _rows(sent, "line", "transmission", ("{{ line.label }}", "{{r line.text }}"), is_kept_together=True)
    document.add_paragraph("{{ challenge }}", style="Mention").paragraph_format.space_before = Pt(6)
    _runs(document, "annex", "Mention")
    _loop(document, "notes", "Mention")


def _signatures(document: WordDocument) -> None:
    table = _table(document, (85, 85), borders=())
    for place, cell in enumerate(table.rows[0].cells):
        paragraph = cell.paragraphs[0]
        paragraph.style = document.styles["Normal"]
        paragraph.add_run(f"{{%p if signatures|length > {place} %}}")
        cell.add_paragraph(f"{{{{ signatures[{place}].label }}}}").runs[0].bold = True
        cell.add_paragraph(f"{{{{r signatures[{place}].text }}}}")
        cell.add_paragraph("{%p endif %}")
        for space in (20, 0):
            cell.add_paragraph().paragraph_format.space_after = Pt(space)
    _keep_whole(table)


def _running(paragraph: Paragraph, text: str, fields: Iterable[str] = ()) -> None:
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(_WIDTH), WD_TAB_ALIGNMENT.RIGHT)
    paragraph.add_run(text)
    for place, name in enumerate(fields):
        if place:
            paragraph.add_run(" / ")
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), name)
        run = OxmlElement("w:r")
        shown = OxmlElement("w:t")
        shown.text = "1"
        run.append(shown)
        field.append(run)
        paragraph._p.append(field)


def _remove(paragraph: Paragraph) -> None:
    paragraph._p.getparent().remove(paragraph._p)


def _tag(where: WordDocument | _Cell, tag: str) -> None:
    where.add_paragraph(f"{{%p {tag} %}}")


def _runs(where: WordDocument | _Cell, field: str, style: str) -> None:
    where.add_paragraph(f"{{{{r {field} }}}}", style=style)


def _loop(where: WordDocument | _Cell, field: str, style: str, *, is_runs: bool = False) -> None:
    _tag(where, f"for line in {field}")
    where.add_paragraph("{{r line }}" if is_runs else "{{ line }}", style=style)
    _tag(where, "endfor")


def _table(
    document: WordDocument, widths: tuple[int, ...], *, borders: tuple[str, ...], rows: int = 1, fill: str = ""
) -> Table:
    """A table of fixed columns (millimetres), its paragraphs in the style « Tableau »."""
    table = document.add_table(rows, len(widths))
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)
            cell.paragraphs[0].style = document.styles["Tableau"]
            if fill:
                _shade(cell, fill)
    if borders:
        _border(table._tbl.tblPr, borders, tag="w:tblBorders")
    return table


def _rows(table: Table, name: str, field: str, texts: tuple[str, ...], *, is_kept_together: bool = False) -> None:
    """Three rows that docxtpl turns into one per item: the loop's two tags, and what is repeated between them."""
    has_heading = bool(table.rows[0].cells[0].text)
    opening = table.add_row() if has_heading else table.rows[0]
    opening.cells[0].paragraphs[0].add_run(f"{{%tr for {name} in {field} %}}")
    item, closing = table.add_row(), table.add_row()
    for cell, text in zip(item.cells, texts, strict=True):
        cell.paragraphs[0].add_run(text)
    closing.cells[0].paragraphs[0].add_run("{%tr endfor %}")
    style = table.part.document.styles["Tableau"]
    for row in (opening, item, closing):
        _do_not_split(row)
        for cell in row.cells:
            cell.paragraphs[0].style = style
            cell.paragraphs[0].paragraph_format.keep_with_next = is_kept_together


def _border(properties, sides: Iterable[str], *, tag: str = "w:pBdr") -> None:
    borders = OxmlElement(tag)
    for side in sides:
        border = OxmlElement(f"w:{side}")
        for attribute, value in (("val", "single"), ("sz", "4"), ("space", "1"), ("color", LINE)):
            border.set(qn(f"w:{attribute}"), value)
        borders.append(border)
    if tag == "w:pBdr":
        properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl")
    else:
        properties.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")


def _shade(cell: _Cell, fill: str) -> None:
    shade = OxmlElement("w:shd")
    for attribute, value in (("val", "clear"), ("color", "auto"), ("fill", fill)):
        shade.set(qn(f"w:{attribute}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _repeat(row) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _do_not_split(row) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _keep_whole(table: Table) -> None:
    """The signatures on one page, with what is signed."""
    for row in table.rows:
        _do_not_split(row)
        for cell in row.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.keep_with_next = True


if __name__ == "__main__":
    make_template().save(str(Path(sys.argv[1])))
