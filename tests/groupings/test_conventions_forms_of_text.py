"""One text, three forms: what the PDF prints, Word and the reading on screen say, word for word and in its order."""

import io
import re
import zipfile

import docx
import pypdf
import pytest
from lxml import etree
from lxml import html as lxml_html

from groupings.clauses.articles import shipped_texts
from groupings.conventions import blocks, reading, render, word
from tests.support.conventions import sample_values

TEXTS = shipped_texts()
MONTPELLIER = "213401722"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def squeezed(text: str) -> str:
    """Without any space: where a line is cut is not part of the text."""
    return re.sub(r"\s+", "", text)


def word_texts(content: bytes, part: str = "word/document.xml") -> list[str]:
    """Every paragraph of a part of a Word file, those of tables included, in order."""
    tree = etree.fromstring(zipfile.ZipFile(io.BytesIO(content)).read(part))
    return [
        "".join(piece.text or "" if piece.tag == f"{_W}t" else "\n" for piece in paragraph.iter(f"{_W}t", f"{_W}br"))
        for paragraph in tree.iter(f"{_W}p")
    ]


@pytest.fixture(scope="module", params=["ad_hoc", "permanent"])
def forms(request):
    """The values, the PDF, the Word file and the reading of one member."""
    permanent = request.param == "permanent"
    options = {"committee_mode": "SPECIFIC", "kind": "permanent", "voted": False} if permanent else {}
    values = sample_values(members=5, lots=9 if permanent else 2, **options)
    pdf = render.render_member(values, render.render_common(values, TEXTS), MONTPELLIER)
    return (
        values,
        pdf,
        word.word_member(values, TEXTS, MONTPELLIER),
        reading.read_member(values, TEXTS, MONTPELLIER),
    )


def pdf_body(pdf: bytes) -> str:
    """The text of each page between its running head and its running foot, one after the other, without spaces."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    said = ""
    for number, page in enumerate(pages, 1):
        text = squeezed(page.extract_text())
        text = text.replace("MontpellierMéditerranéeMétropoleGroupementdecommandesGC-2027-01", "", 1)
        foot = rf"Conventionconstitutive–Fournituresdebureauetpapier–version1(–projet)?Page{number}/{len(pages)}"
        text, removed = re.subn(foot, "", text, count=1)
        assert removed == 1
        said += text.removeprefix("PROJET")
    return said


def test_word_and_the_reading_say_the_very_same_words(forms):
    _, _, content, read = forms
    in_word = [w for text in word_texts(content) for w in text.split()]
    on_screen = lxml_html.fragment_fromstring(str(read.html), create_parent="div")
    for caption in on_screen.xpath("//caption"):
        caption.drop_tree()
    for line_break in on_screen.iter("br"):
        line_break.tail = f" {line_break.tail or ''}"
    shown = squeezed(on_screen.text_content())
    # On screen the title comes first, above the nature of the document that Word prints over it.
    assert sorted(squeezed("".join(in_word))) == sorted(shown)
    assert squeezed("".join(in_word)).split("Parties", 1)[1] == shown.split("Parties", 1)[1]


def test_no_text_of_the_pdf_is_absent_from_word(forms):
    _, pdf, content, _ = forms
    printed, written = pdf_body(pdf), squeezed("".join(word_texts(content)))
    cut = "Annexe1–Listedesmembres"
    assert printed.split(cut)[0] == written.split(cut)[0]
    # In the tables of annexes the PDF gives its text line by line: the same letters, as many times each.
    assert sorted(printed) == sorted(written)


def test_word_has_real_headings_in_order_and_numbers_as_text(forms):
    _, _, content, _ = forms
    found = [(p.style.name, p.text) for p in docx.Document(io.BytesIO(content)).paragraphs]
    headings = [text.replace("\xa0", " ") for style, text in found if style == "Heading 1"]
    assert [style for style, _ in found if style == "Title"] == ["Title"]
    assert headings[:3] == ["Parties", "Préambule", "Article 1 – Objet"]
    articles = [int(re.match(r"Article (\d+) –", text)[1]) for text in headings if text.startswith("Article")]
    assert articles == list(range(1, 20))
    assert any(text.startswith("11.1 ") for _, text in found)


def test_word_repeats_heading_rows_and_turns_the_page_of_the_needs(forms):
    document = docx.Document(io.BytesIO(forms[2]))
    turned = [section.page_width > section.page_height for section in document.sections]
    assert turned == [False, True, False]
    headed = [table for table in document.tables if table._tbl.findall(f".//{_W}tblHeader")]
    assert len(headed) >= 3
    for table in headed:
        assert table._tbl.tr_lst[0].find(f"{_W}trPr/{_W}tblHeader") is not None
    assert all(tr.find(f"{_W}trPr/{_W}cantSplit") is not None for table in document.tables for tr in table._tbl.tr_lst)


def test_word_frames_the_signatures_with_room_to_sign(forms):
    texts = word_texts(forms[2])
    assert sum(text.startswith("Signature et cachet") for text in texts) == 2
    assert any(text.startswith("Fait à Montpellier, le …") for text in texts)


def test_word_says_who_wrote_it_in_which_language_and_nothing_protects_it(forms):
    _, _, content, _ = forms
    properties = docx.Document(io.BytesIO(content)).core_properties
    assert properties.title.startswith("Convention constitutive du groupement de commandes GC-2027-01")
    assert (properties.author, properties.language) == ("Montpellier Méditerranée Métropole", "fr-FR")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert b"documentProtection" not in archive.read("word/settings.xml")
    assert b'w:val="fr-FR"' in archive.read("word/styles.xml")


def test_word_numbers_its_pages_and_marks_a_project_on_each(forms):
    values, _, content, _ = forms
    archive = zipfile.ZipFile(io.BytesIO(content))
    running = {
        name: archive.read(name).decode() for name in archive.namelist() if re.search(r"(header|footer)\d", name)
    }
    foot = next(xml for name, xml in running.items() if "footer" in name)
    head = next(xml for name, xml in running.items() if "header" in name)
    assert " PAGE " in foot and " NUMPAGES " in foot and "version 1" in foot
    assert ("PROJET" in head, "– projet" in foot) == (values.is_draft, values.is_draft)


def test_word_gives_the_same_bytes_twice():
    values = sample_values(members=2, lots=1)
    assert word.word_member(values, TEXTS, MONTPELLIER) == word.word_member(values, TEXTS, MONTPELLIER)


def test_a_name_with_markup_stays_a_name_in_every_form():
    values = sample_values(members=3, lots=1, title="Papier <b>A4</b> & « encre » {{ 7*7 }}")
    read = reading.read_member(values, TEXTS, MONTPELLIER)
    assert "&lt;b&gt;A4&lt;/b&gt; &amp;" in read.html and "<b>" not in read.html
    assert any(
        "Papier <b>A4</b> & « encre » {{ 7*7 }}" in t.replace("\xa0", " ")
        for t in word_texts(word.word_member(values, TEXTS, MONTPELLIER))
    )


def test_an_unknown_member_has_no_text():
    values = sample_values(members=2, lots=1)
    for make in (word.word_member, reading.read_member, render.member_html):
        with pytest.raises(KeyError):
            make(values, TEXTS, "000000000")


def test_the_reading_has_anchors_that_do_not_depend_on_titles(forms):
    values, _, _, read = forms
    keys = [section.key for section in read.sections]
    assert keys[:2] == ["parties", "preambule"]
    assert keys[2:21] == [f"article-{number}" for number in range(1, 20)]
    assert keys[21:23] == ["annexes", "signatures"]
    expected = ["1", "2", "3", *(["4", "5"] if values.kind == "permanent" else []), "6"]
    assert keys[23:] == [f"annexe-{number}" for number in expected]
    eleventh = read.sections[12]
    assert (eleventh.number, eleventh.title, eleventh.heading) == (
        "11",
        "Responsabilité",
        "Article\xa011 – Responsabilité",
    )


def test_the_reading_names_every_table_and_heads_its_rows_and_columns(forms):
    tree = lxml_html.fragment_fromstring(str(forms[3].html), create_parent="div")
    tables = tree.xpath("//table")
    assert len(tables) >= 4
    for table in tables:
        assert table.find("caption").text_content().strip()
        assert all(cell.get("scope") == "col" for cell in table.xpath("./thead//th"))
        assert all(len(row.xpath("./th[@scope='row']")) == 1 for row in table.xpath("./tbody/tr"))
    assert not [element for element in tree.iter() if str(element.tag).startswith("pdf")]
    assert [element.tag for element in tree.iter("h1")] == ["h1"]


def test_long_needs_are_one_table_on_screen_where_the_pdf_cuts_them():
    values = sample_values(members=31, lots=2)
    tables = [
        b
        for b in blocks.read_document(render.member_html(values, TEXTS, MONTPELLIER)).blocks
        if isinstance(b, blocks.Table)
    ]
    needs = next(table for table in tables if table.header and "Lot 1" in table.header[1].text.replace("\xa0", " "))
    assert len(needs.rows) == 32  # 31 members and the total


def test_what_comments_hang_on_is_the_same_for_every_member():
    values = sample_values(members=3, lots=1)
    sections = reading.shared_sections(values, TEXTS)
    assert [s.key for s in sections if s.is_article] == [f"article-{n}" for n in range(1, 20)]
    assert "signatures" not in [s.key for s in sections]
    eleventh = next(s for s in sections if s.key == "article-11")
    assert (eleventh.number, eleventh.title) == ("11", "Responsabilité") and "<strong>11.1</strong>" in eleventh.html


def test_free_html_of_a_clause_is_read_whole():
    """Lists, breaks and text outside any paragraph, as a clause of the library may hold them."""
    html = (
        "<html><body><h2>Article 3 – Besoins</h2>Avant <b>tout</b>.<p>Un<br/>deux</p>"
        "<ul><li>premier ;</li><li>second.</li></ul><ol><li>un</li></ol><!-- rien --><p> </p></body></html>"
    )
    found = blocks.read_document(html).blocks
    assert [block.text for block in found] == [
        "Article 3 – Besoins",
        "Avant tout.",
        "Un\ndeux",
        "– premier ;",
        "– second.",
        "1. un",
    ]
