"""The files: every word in both, blanks visible, nothing run, the same bytes each time."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import date

import docx
import pypdf
import pytest

from groupings.conventions.values import LotValues
from groupings.drafts.assemble import draft
from groupings.drafts.make_template import make_template
from groupings.drafts.render import render_docx, render_pdf
from groupings.drafts.values import DraftValues, to_json
from procurement.core.documents.docx import DocxError
from procurement.core.documents.pdf import PdfError
from tests.groupings.test_drafts_texts import LATTES, make_draft, make_subject
from tests.support.conventions import CCAS, COORDINATOR, sample_values

#: What is not printed as such: keys and figures that the sentences hold already.
_NOT_PRINTED = {"siren", "body_kind", "assembly", "maker", "coordinator_name", "title", "schema", "version"}
_NOT_PRINTED |= {"dated_on", "session_on", "matter_label"}


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def word_text(content: bytes) -> str:
    """All the text of a Word file, its header and footer included, without spaces."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [name for name in archive.namelist() if re.fullmatch(r"word/(document|header\d|footer\d)\.xml", name)]
        root = [docx.oxml.parse_xml(archive.read(name)) for name in parts]
    return squeezed("".join(node.text or "" for tree in root for node in tree.iter(docx.oxml.ns.qn("w:t"))))


def pdf_pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def printed(values: DraftValues) -> list[str]:
    found: list[str] = []

    def gather(value) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for item in value.values():
                gather(item)
        elif isinstance(value, list | tuple):
            for item in value:
                gather(item)

    gather({name: value for name, value in to_json(values).items() if name not in _NOT_PRINTED})
    return [text for text in found if text.strip()]


VARIANTS = [
    (LATTES, {}),
    (LATTES, {"session_on": date(2027, 2, 4), "integration_level": "COORDINATED", "lots": 20}),
    (CCAS[0], {"kind": "ccas", "committee_mode": "SPECIFIC"}),
    (COORDINATOR, {"maker": "bureau"}),
    (COORDINATOR, {"maker": "president", "integration_level": "FULL"}),
    (LATTES, {"as_of": date(2016, 3, 15)}),
    (LATTES, {"needs": ()}),
]


@pytest.mark.parametrize(("siren", "options"), VARIANTS)
def test_every_word_is_in_both_files_and_nothing_is_left_of_the_templates(siren, options):
    values = make_draft(siren, **options)
    word, paper = word_text(render_docx(values)), squeezed("".join(pdf_pages(render_pdf(values))))
    # A sentence may be cut by the foot of a page and the header of the next: the PDF is compared word by word.
    for text in printed(values):
        assert squeezed(text) in word, text
        assert all(squeezed(part) in paper for part in text.split()), text
    for drawn in (word, paper):
        assert not re.search(r"\{\{|\}\}|\{%|%\}|\bNone\b|\[object|undefined", drawn)
        assert "MODÈLE–àadapter" in drawn


@pytest.mark.parametrize("siren", [LATTES, CCAS[0], COORDINATOR])
def test_the_same_values_give_the_same_bytes(siren, monkeypatch):
    values = make_draft(siren)
    first = render_docx(values), render_pdf(values)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert (render_docx(values), render_pdf(values)) == first
    other = replace(values, rapporteur=replace(values.rapporteur, text="Madame X"))
    assert render_docx(other) != first[0] and render_pdf(other) != first[1]


def test_the_files_are_dated_titled_and_in_french():
    values = make_draft()
    title = "Modèle de délibération de la commune de Lattes – groupement de commandes GC-2027-01"
    properties = docx.Document(io.BytesIO(render_docx(values))).core_properties
    assert (properties.title, properties.author) == (title, "Montpellier Méditerranée Métropole")
    assert properties.created.date() == properties.modified.date() == date(2027, 3, 15)
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(values)))
    assert (reader.metadata.title, reader.metadata.author) == (title, "Montpellier Méditerranée Métropole")
    assert reader.metadata.creation_date.date() == date(2027, 3, 15)
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    with zipfile.ZipFile(io.BytesIO(render_docx(values))) as archive:
        assert 'w:val="fr-FR"' in archive.read("word/styles.xml").decode()


def test_the_word_file_has_real_styles_a4_and_highlighted_blanks():
    document = docx.Document(io.BytesIO(render_docx(make_draft())))
    styles = {paragraph.style.name for paragraph in document.paragraphs}
    assert {"Title", "Heading 1", "Objet", "Note", "Visa", "Considérant", "Dispositif", "Article"} <= styles
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    cells = [cell for table in document.tables for row in table.rows for cell in row.cells]
    paragraphs = [*document.paragraphs, *(paragraph for cell in cells for paragraph in cell.paragraphs)]
    runs = [run for paragraph in paragraphs for run in paragraph.runs if run.text]
    blanks = [run for run in runs if run.font.highlight_color is not None]
    assert len(blanks) > 15
    assert all(re.fullmatch(r"…+|\[à compléter[^]]*\]", run.text) for run in blanks)
    assert not any("………" in run.text or "[à compléter" in run.text for run in runs if run not in blanks)
    assert all(document.styles[name].paragraph_format.keep_with_next for name in ("Title", "Heading 1", "Dispositif"))


def test_pages_are_numbered_with_their_total():
    pages = pdf_pages(render_pdf(make_draft(lots=24)))
    assert len(pages) >= 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} / {len(pages)}" in page.replace("\xa0", " ")
    with zipfile.ZipFile(io.BytesIO(render_docx(make_draft()))) as archive:
        footer = archive.read("word/footer1.xml").decode()
    assert 'w:instr="PAGE"' in footer and 'w:instr="NUMPAGES"' in footer


def test_a_president_s_decision_has_no_vote():
    content = render_docx(make_draft(COORDINATOR, maker="president"))
    headings = [p.text for p in docx.Document(io.BytesIO(content)).paragraphs if p.style.name == "Heading 1"]
    assert headings == ["Exposé des motifs", "Projet de décision", "Caractère exécutoire et recours"]


def test_a_heading_never_ends_a_page():
    """Whatever the length of the note, each heading is followed by some of its text on the same page."""
    headings = ("Note explicative de synthèse", "Projet de délibération", "Vote", "Caractère exécutoire et recours")
    values = make_draft()
    for extra in range(0, 50, 5):
        longer = replace(values, terms=(*values.terms, *([values.rapporteur] * extra)))
        for page in pdf_pages(render_pdf(longer)):
            lines = [line.strip() for line in page.splitlines() if line.strip()]
            body = [line for line in lines if not line.startswith(("Page ", "Groupement de commandes GC"))]
            assert body[-1] not in headings, f"{extra} : {body[-1]}"


HOSTILE = 'Établissement Œuvre & <b>gras</b> "d\'Âne" =1+1 {{ values.siren }} {% now "Y" %} {_{ [à compléter] … '


@pytest.mark.parametrize("name", [(HOSTILE * 3)[:200], "W" * 200, "=1+1", "<b>&\"'", "{{ 7 * 7 }}"])
def test_hostile_and_endless_names_are_printed_whole(name):
    values = sample_values(members=4, lots=2)
    member = values.members[1]
    named = replace(member, name=name, representative=replace(member.representative, name=name))
    lots = tuple(LotValues(lot.number, name) for lot in values.lots)
    values = replace(values, title=name, lots=lots, members=(values.members[0], named, *values.members[2:]))
    made = draft(make_subject(named.siren, convention=values))
    sought = squeezed(name).replace("'", "’")
    for drawn in (word_text(render_docx(made)), squeezed("".join(pdf_pages(render_pdf(made))))):
        assert drawn.replace("'", "’").count(sought) >= 6  # object, contexte, considérants, decisions, lots, signature


def test_a_name_no_font_can_draw_is_refused_on_paper():
    with pytest.raises(PdfError, match=r"U\+4E2D"):
        render_pdf(make_draft(title="中"))


def test_the_template_in_use_has_all_its_fields_and_a_new_one_prints_the_same_words(settings, tmp_path):
    """A jurist may edit the committed file: what matters is that a fresh one and it say the same."""
    values = make_draft()
    folder = tmp_path / "templates" / "deliberations"
    folder.mkdir(parents=True)
    before = word_text(render_docx(values))
    settings.BASE_DIR = tmp_path
    with pytest.raises(DocxError, match="lisible"):
        render_docx(values)
    make_template().save(str(folder / "deliberation.docx"))
    fresh = word_text(render_docx(values))
    assert all(squeezed(text) in fresh and squeezed(text) in before for text in printed(values))


def test_a_template_that_asks_for_an_unknown_field_is_refused(settings, tmp_path):
    folder = tmp_path / "templates" / "deliberations"
    folder.mkdir(parents=True)
    template = make_template()
    template.add_paragraph("{{ prix_unitaire }}")
    template.save(str(folder / "deliberation.docx"))
    settings.BASE_DIR = tmp_path
    with pytest.raises(DocxError, match="prix_unitaire"):
        render_docx(make_draft())
