"""A convention in Word, to negotiate with: the text of the PDF, word for word, in real styles and free to be changed.

Nothing protects the file: tracked changes, comments and comparison work as in any letter. It is a draft by nature; the
PDF is what assemblies approve and members sign.
"""

from copy import deepcopy
from typing import Any

from groupings.clauses.articles import Texts
from groupings.conventions import render
from groupings.conventions.blocks import Block, Cell, Document, Heading, PageBreak, Paragraph, Room, Run, read_document
from groupings.conventions.blocks import Table as Grid
from groupings.conventions.values import ConventionValues
from procurement.core.documents.docx import LANGUAGE, finished_docx, printable

_FONT = "Arial"
_BLUE, _LINE = "163A5F", "B8C4D1"
_TWIPS_PER_MM = 56.7
_HEADINGS = {1: "Title", 2: "Heading1", 3: "Heading2"}
#: Class of the templates -> (style, points before, points after, left indent mm, first line mm, size, bold, colour).
_STYLES = {
    "item": ("Enumeration", 0, 2, 6, -4, 10, False, ""),
    "party": ("Partie", 0, 4, 8, -8, 10, False, ""),
    "visa": ("Visa", 0, 2, 0, 0, 10, False, ""),
    "fact": ("Engagement", 2, 2, 0, 0, 10, False, ""),
    "note": ("Observation", 8, 4, 0, 0, 9, False, "444C56"),
    "small": ("Mention", 0, 2, 0, 0, 9, False, "444C56"),
    "between": ("Formule", 8, 6, 0, 0, 10, True, _BLUE),
    "keyword": ("Nature", 0, 2, 0, 0, 9, False, _BLUE),
    "subtitle": ("Objet", 0, 8, 0, 0, 13, True, ""),
    "cell": ("Cellule", 1, 1, 0, 0, 9, False, ""),
}
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word_member(values: ConventionValues, texts: Texts, siren: str) -> bytes:
    """The convention of one member as a Word file. Same values and texts, same bytes.

    Raises KeyError for a SIREN outside the grouping.
    """
    return word_document(
        read_document(render.member_html(values, texts, siren)), is_draft=values.is_draft, **render.identity(values)
    )


def word_document(document: Document, *, is_draft: bool, title: str, author: str, issued_at: Any) -> bytes:
    """``document`` as a Word file dated ``issued_at`` (aware); ``is_draft`` marks the head of every page."""
    import docx  # a fifth of a second at the first document
    from docx.oxml import parse_xml

    word = docx.Document()
    _set_styles(word)
    _set_page(word, document, is_draft)
    body = word.element.body
    last_section = body.sectPr
    for child in parse_xml(f"<w:body {_W}>{_body(document.blocks)}</w:body>"):
        last_section.addprevious(child)
    for mark in body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}sectPr"):
        if mark is not last_section:
            _fill_section(mark, last_section)
    return finished_docx(word, title=title, author=author, created_at=issued_at)


def _body(blocks: tuple[Block, ...]) -> str:
    """The pieces one after the other. A sheet that turns ends a section, whose page is told by its last paragraph."""
    xml: list[str] = []
    on_new_page, landscape, after_table = False, False, False
    for block in blocks:
        if isinstance(block, PageBreak):
            turned = block.turn == "landscape" if block.turn else landscape
            if turned != landscape:
                side = "landscape" if landscape else "portrait"
                xml.append(_tiny(f'<w:sectPr w:rsidR="{side}"/>'))
                after_table = False
                landscape, on_new_page = turned, False
            else:
                on_new_page = True
            continue
        if isinstance(block, Grid):
            if after_table:  # Word would make one table of two that touch
                xml.append(_tiny())
            xml.append(_table(block, landscape))
            after_table = True
            continue
        xml.append(_piece(block, on_new_page=on_new_page))
        on_new_page = after_table = False
    if after_table:
        xml.append(_tiny())
    return "".join(xml)


def _tiny(more: str = "") -> str:
    """The paragraph that Word wants after a table, and that must not make a page of its own."""
    return f'<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>{more}</w:pPr></w:p>'


def _piece(
    block: Heading | Paragraph | Room, *, on_new_page: bool = False, in_cell: bool = False, **options: Any
) -> str:
    if isinstance(block, Heading):
        style = "Heading3" if in_cell else _HEADINGS[block.level]
        return _paragraph((Run(block.text),), style, on_new_page=on_new_page)
    if isinstance(block, Room):
        return (
            f'<w:p><w:pPr><w:spacing w:before="0" w:after="{round(block.millimetres * _TWIPS_PER_MM)}"/></w:pPr></w:p>'
        )
    style = _STYLES[block.style][0] if block.style in _STYLES else "Cellule" if in_cell else ""
    return _paragraph(block.runs, style, on_new_page=on_new_page, **options)


def _paragraph(
    runs: tuple[Run, ...],
    style: str,
    *,
    on_new_page: bool = False,
    align: str = "",
    bold: bool = False,
    colour: str = "",
) -> str:
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    properties += "<w:pageBreakBefore/>" * on_new_page
    properties += f'<w:jc w:val="{align}"/>' if align else ""
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(_run(run, bold, colour) for run in runs)}</w:p>"


def _run(run: Run, bold: bool, colour: str) -> str:
    aspect = "<w:b/>" * (run.is_bold or bold) + "<w:i/>" * run.is_italic
    aspect += f'<w:color w:val="{colour}"/>' if colour else ""
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{printable(line)}</w:t>' for line in run.text.split("\n"))
    return f"<w:r>{f'<w:rPr>{aspect}</w:rPr>' if aspect else ''}{lines}</w:r>"


def _table(grid: Grid, landscape: bool) -> str:
    width = (257 if landscape else 170) * _TWIPS_PER_MM
    columns = [round(width * share) for share in grid.widths]
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{_LINE}"/>'
        for side in (("top", "bottom", "insideH") if grid.kind == "facts" else _SIDES)
    )
    xml = [
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(columns)}" w:type="dxa"/><w:tblBorders>{borders}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="80" w:type="dxa"/><w:right w:w="80" w:type="dxa"/>'
        "</w:tblCellMar></w:tblPr><w:tblGrid>",
        *(f'<w:gridCol w:w="{column}"/>' for column in columns),
        "</w:tblGrid>",
    ]
    if grid.header:
        xml.append(_row(grid.header, columns, is_header=True))
    xml += [_row(row, columns) for row in grid.rows]
    return "".join([*xml, "</w:tbl>"])


_SIDES = ("top", "left", "bottom", "right", "insideH", "insideV")


def _row(cells: tuple[Cell, ...], columns: list[int], *, is_header: bool = False) -> str:
    """A row is never cut by the foot of a page; the heading row comes back on each page."""
    made = "".join(_cell(cell, column, is_header) for cell, column in zip(cells, columns, strict=False))
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' * is_header}</w:trPr>{made}</w:tr>"


def _cell(cell: Cell, width: int, is_header: bool) -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{_BLUE}"/>' * is_header
    options = {"align": "right" * cell.is_amount, "bold": cell.is_strong, "colour": "FFFFFF" * is_header}
    content = "".join(
        _piece(piece, in_cell=True, **({} if isinstance(piece, Heading | Room) else options)) for piece in cell.content
    )
    # Word opens no file whose cell ends otherwise than by a paragraph.
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>'
        f"{content or _paragraph((), 'Cellule')}</w:tc>"
    )


def _set_page(word: Any, document: Document, is_draft: bool) -> None:
    """A4, the margins of the PDF, its running head and foot; Word itself counts the pages."""
    from docx.oxml import parse_xml
    from docx.shared import Mm

    section = word.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(24), Mm(22)
    section.header_distance, section.footer_distance = Mm(10), Mm(10)
    left, right = document.header
    mark = (Run("PROJET – ", is_bold=True),) if is_draft else ()
    for part, pieces in (
        (section.header, ((*mark, Run(left)), (Run(right),), False)),
        (section.footer, ((Run(document.footer),), (Run("Page "),), True)),
    ):
        part.is_linked_to_previous = False
        paragraph = part.paragraphs[0]._p
        paragraph.addprevious(parse_xml(_running(*pieces)))
        paragraph.addprevious(parse_xml(f'<w:p {_W}><w:pPr><w:pStyle w:val="Mention"/></w:pPr></w:p>'))
        paragraph.getparent().remove(paragraph)


def _running(left: tuple[Run, ...], right: tuple[Run, ...], with_pages: bool) -> str:
    """Two cells on one line, a share of the page's width each, whatever way the page lies."""
    fields = "".join(
        f'{between}<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> {name} '
        '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        for between, name in (("", "PAGE"), ('<w:r><w:t xml:space="preserve"> / </w:t></w:r>', "NUMPAGES"))
    )
    last = _paragraph(right, "Mention", align="right")
    if with_pages:
        last = last.replace("</w:p>", f"{fields}</w:p>")
    cells = (
        ((3750, _paragraph(left, "Mention")), (1250, last))
        if with_pages
        else (
            (3000, _paragraph(left, "Mention")),
            (2000, last),
        )
    )
    made = "".join(f'<w:tc><w:tcPr><w:tcW w:w="{w}" w:type="pct"/></w:tcPr>{content}</w:tc>' for w, content in cells)
    grid = "".join(f'<w:gridCol w:w="{round(170 * _TWIPS_PER_MM * w / 5000)}"/>' for w, _ in cells)
    return (
        f'<w:tbl {_W}><w:tblPr><w:tblW w:w="5000" w:type="pct"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
        f"<w:tr>{made}</w:tr></w:tbl>"
    )


def _fill_section(mark: Any, model: Any) -> None:
    """The page of a section that ends: that of the document, lying where its mark says so."""
    from docx.oxml.ns import qn

    lies = mark.attrib.pop(qn("w:rsidR")) == "landscape"
    for child in model:
        mark.append(deepcopy(child))
    if lies:
        size = mark.find(qn("w:pgSz"))
        width, height = size.get(qn("w:w")), size.get(qn("w:h"))
        size.set(qn("w:w"), height)
        size.set(qn("w:h"), width)
        size.set(qn("w:orient"), "landscape")


def _set_styles(word: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    def dress(style: Any, size: float, bold: bool, colour: str) -> None:
        style.font.name, style.font.size, style.font.bold = _FONT, Pt(size), bold
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name in list(fonts.attrib):  # the theme's own faces would win
            del fonts.attrib[name]
        for name in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{name}"), _FONT)
        if colour:
            style.font.color.rgb = RGBColor.from_string(colour)

    styles = word.styles
    defaults = styles.element.find(qn("w:docDefaults"))
    for tag in defaults.iter(qn("w:lang")):
        tag.set(qn("w:val"), LANGUAGE)
    dress(styles["Normal"], 10, False, "")
    styles["Normal"].paragraph_format.space_after = Pt(5)
    for name, size, before, after in (("Title", 18, 0, 4), ("Heading 1", 12, 12, 4), ("Heading 2", 10.5, 8, 3)):
        style = styles[name]
        dress(style, size, True, _BLUE)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        style.paragraph_format.keep_with_next = True
    for border in list(styles["Title"].element.iter(qn("w:pBdr"))):
        border.getparent().remove(border)
    dress(styles["Heading 3"], 10, True, _BLUE)
    for name, before, after, indent, first, size, bold, colour in _STYLES.values():
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.quick_style = styles["Normal"], True
        dress(style, size, bold, colour)
        shape = style.paragraph_format
        shape.space_before, shape.space_after = Pt(before), Pt(after)
        shape.left_indent, shape.first_line_indent = Mm(indent), Mm(first)
