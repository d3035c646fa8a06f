"""The rival of the benchmark: the same convention as a Word template, merged by docxtpl and converted by LibreOffice.

The Word template is built from the very HTML our engine lays out: same words, same tables, same page breaks, a header
and a footer with page numbers, one landscape section. Only the member's own figures are merge fields.
"""

import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from groupings.clauses.articles import shipped_texts
from groupings.conventions import render
from groupings.conventions.values import ConventionValues
from procurement.core.documents import pdf

_FONT = "DejaVu Sans"
_FIELDS = (
    "the",
    "of",
    "e",
    "representative_e",
    "executive_or_representative",
    "signatory_title",
    "at_place",
    "of_assembly",
    "voted_on",
    "executory_on",
)


def build_template(values: ConventionValues, path: Path) -> None:
    """Write the Word template of the whole convention, with docxtpl fields where a member's own words go."""
    shared = render._context(values)
    articles = render.articles_context(values, shipped_texts())
    whole = {**shared, **articles, "reserved_pages": [0], "total_pages": 0}
    html = pdf.template_html("conventions/convention.html", whole)
    writer = _WordWriter(f"{values.reference} – {values.title}", shared["short_coordinator"])
    before, after = html.split("<h2>Signatures</h2>")
    writer.feed(before[before.index("<body>") :])
    member = SimpleNamespace(
        **{name: f"{{{{ m.{name} }}}}" for name in _FIELDS},
        is_coordinator=False,
        is_deliberation_waived=False,
        representative=SimpleNamespace(civility="{{ m.civility }}", name="{{ m.name }}"),
        deliberation=SimpleNamespace(number="{{ m.number }}", taken_by="council"),
    )
    fields = {
        "m": member,
        "member_needs": [{"number": "{{ need.number }}", "title": "{{ need.title }}", "amount": "{{ need.amount }}"}],
        "member_total": "{{ total }}",
        "member_fee": "{{ fee }}",
    }
    writer.feed(pdf.template_html("conventions/signature.html", {**shared, **fields}))
    writer.feed(after)
    writer.document.save(str(path))


def merge(values: ConventionValues, template: Path, folder: Path) -> list[Path]:
    """One .docx per member."""
    from docxtpl import DocxTemplate

    written = []
    for member in values.members:
        context = render._member_context(values, member)
        view = context["m"]
        own = {name: getattr(view, name) for name in _FIELDS}
        own |= {"civility": view.representative.civility, "name": view.representative.name}
        own |= {"number": view.deliberation.number}
        document = DocxTemplate(str(template))
        document.render(
            {
                "m": own,
                "needs": context["member_needs"],
                "total": context["member_total"],
                "fee": context["member_fee"],
            },
            autoescape=True,
        )
        written.append(folder / f"{values.reference}_{member.siren}.docx")
        document.save(str(written[-1]))
    return written


def convert(soffice: str, files: Sequence[Path], folder: Path, profile: Path) -> None:
    """All the .docx to PDF by one LibreOffice, the fastest way it has on a command line."""
    command = [soffice, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
    command += ["--convert-to", "pdf", "--outdir", str(folder), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)


class _WordWriter(HTMLParser):
    """The few tags the convention uses, written with python-docx."""

    def __init__(self, title: str, coordinator: str) -> None:
        super().__init__()
        self.document = Document()
        normal = self.document.styles["Normal"]
        normal.font.name, normal.font.size = _FONT, Pt(8.2)
        normal.paragraph_format.space_after = Pt(4.2)
        self._page(self.document.sections[0], wide=False)
        self._running(self.document.sections[0], title, coordinator)
        self.paragraph = self.table = self.row = self.cell = None
        self.is_bold = self.is_skipped = self.is_wide = False
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "div" and given.get("id") in ("header", "footer"):
            self.is_skipped = True
        if self.is_skipped:
            self.depth += tag == "div"
        elif tag in ("h1", "h2", "h3"):
            self.paragraph = self.document.add_heading("", level=int(tag[1]))
        elif tag == "p":
            self._start_paragraph()
        elif tag == "b":
            self.is_bold = True
        elif tag == "br" and self.paragraph is not None:
            self.paragraph.add_run().add_break()
        elif tag == "table":
            self.table = []
        elif tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.cell = [""]
        elif tag == "pdf:nexttemplate":
            self.is_wide = given["name"] == "landscape"
            section = self.document.add_section(WD_SECTION.NEW_PAGE)
            self._page(section, wide=self.is_wide)
            self.is_broken = True
        elif tag == "pdf:nextpage":
            if not getattr(self, "is_broken", False):
                self.document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
            self.is_broken = False
        elif tag == "pdf:spacer" and self.cell is not None:
            self.cell += [""] * 14

    def handle_endtag(self, tag: str) -> None:
        if self.is_skipped:
            self.depth -= tag == "div"
            self.is_skipped = self.depth > 0
        elif tag in ("h1", "h2", "h3", "p"):
            if self.paragraph is not None and "need." in self.paragraph.text:
                self.paragraph.insert_paragraph_before("{%p for need in needs %}")
                self.document.add_paragraph("{%p endfor %}")
            self.paragraph = None
        elif tag == "b":
            self.is_bold = False
        elif tag in ("td", "th"):
            self.row.append("\n".join(part for part in self.cell))
            self.cell = None
        elif tag == "tr":
            self.table.append(self.row)
        elif tag == "table":
            self._write_table()
            self.table = None

    def handle_data(self, data: str) -> None:
        text = " ".join(data.replace("\xa0", "¤").split()).replace("¤", "\xa0")
        if self.is_skipped or not text:
            return
        text = f"{' ' if data[0].isspace() else ''}{text}{' ' if data[-1].isspace() else ''}"
        if self.cell is not None:
            self.cell[-1] += text
        elif self.paragraph is not None:
            self.paragraph.add_run(text).bold = self.is_bold or None

    def _start_paragraph(self) -> None:
        if self.cell is None:
            self.paragraph = self.document.add_paragraph()
        elif self.cell[-1]:
            self.cell.append("")

    def _write_table(self) -> None:
        table = self.document.add_table(rows=0, cols=max(map(len, self.table)))
        table.style = "Table Grid"
        for number, row in enumerate(self.table):
            cells = table.add_row().cells
            for cell, text in zip(cells, row, strict=False):
                cell.text = text.strip("\n") if not text.endswith("\n\n") else text
                for paragraph in cell.paragraphs:
                    paragraph.paragraph_format.space_after = Pt(1.5)
                    for run in paragraph.runs:
                        run.font.size = Pt(7.3)
            if number == 0 and len(self.table) > 8:
                table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))

    @staticmethod
    def _page(section, *, wide: bool) -> None:
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (Mm(297), Mm(210)) if wide else (Mm(210), Mm(297))
        section.left_margin = section.right_margin = Mm(20)
        section.top_margin, section.bottom_margin = Mm(22), Mm(22)
        section.header_distance = section.footer_distance = Mm(10)

    @staticmethod
    def _running(section, title: str, coordinator: str) -> None:
        section.header.paragraphs[0].text = f"{coordinator}\t\t{title}"
        footer = section.footer.paragraphs[0]
        footer.add_run("Page ")
        for name in ("PAGE", "NUMPAGES"):
            run = footer.add_run()
            for kind, text in (("begin", ""), (None, name), ("end", "")):
                element = OxmlElement("w:fldChar" if kind else "w:instrText")
                if kind:
                    element.set(qn("w:fldCharType"), kind)
                else:
                    element.text = text
                run._r.append(element)
            if name == "PAGE":
                footer.add_run(" / ")
