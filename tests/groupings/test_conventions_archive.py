"""PDF/A-2b (ISO 19005-2): what each clause relied on asks of a member's document, read with another library."""

import io
import os
import re
import zlib
from datetime import UTC, datetime

import pikepdf
import pytest
from lxml import etree

from groupings.clauses.articles import shipped_texts
from groupings.conventions.render import render_common, render_member
from procurement.core.documents import pdfa
from tests.support.conventions import sample_values

MONTPELLIER = "213401722"
NAMES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}


@pytest.fixture(scope="module", params=["final", "draft"])
def made(request) -> bytes:
    """A document of each kind: signed text, and project with its word across the pages."""
    values = sample_values(members=3, lots=2, voted=request.param == "final", committee_mode="SPECIFIC")
    return render_member(values, render_common(values, shipped_texts()), MONTPELLIER)


@pytest.fixture
def document(made):
    with pikepdf.open(io.BytesIO(made)) as opened:
        yield opened


def test_the_file_says_it_is_binary_and_bears_an_identifier(made, document):
    """6.1.2 and 6.1.3."""
    first, second = made.split(b"\n")[:2]
    assert re.fullmatch(rb"%PDF-1\.[0-7]", first)
    assert second.startswith(b"%") and len([byte for byte in second[1:] if byte > 127]) >= 4
    assert [len(bytes(part)) for part in document.trailer.ID] == [16, 16]
    assert "/Encrypt" not in document.trailer


def test_the_metadata_say_pdf_a_and_agree_with_the_information_dictionary(document):
    """6.6.2 to 6.6.4: part 2, conformance B, and the same title, author and dates in both places."""
    packet = etree.fromstring(document.Root.Metadata.read_bytes())

    def said(path):
        return packet.xpath(f"string(//{path})", namespaces=NAMES)

    information = document.docinfo
    assert (said("pdfaid:part"), said("pdfaid:conformance")) == ("2", "B")
    assert said("dc:title/rdf:Alt/rdf:li") == str(information.Title)
    assert said("dc:title/rdf:Alt/rdf:li").startswith("Convention constitutive du groupement de commandes GC-2027-01")
    assert said("dc:creator/rdf:Seq/rdf:li") == str(information.Author) == "Montpellier Méditerranée Métropole"
    assert said("pdf:Producer") == str(information.Producer)
    assert str(information.CreationDate) == str(information.ModDate) == "D:20270315120000+00'00'"
    assert said("xmp:CreateDate") == said("xmp:ModifyDate") == "2027-03-15T12:00:00+00:00"


def test_it_says_its_language_and_shows_its_title_and_bookmarks(document):
    assert str(document.Root.Lang) == "fr-FR"
    assert document.Root.ViewerPreferences.DisplayDocTitle is True
    with document.open_outline() as outline:
        titles = [entry.title.replace("\xa0", " ") for entry in outline.root]
    assert titles[:3] == ["Parties", "Préambule", "Article 1 – Objet"]
    assert "Signatures" in titles and "Annexe 1 – Liste des membres" in titles


def test_every_colour_is_one_the_declared_profile_covers(document):
    """6.2.3: one RGB profile; 6.2.4.3: grey and RGB may then be written as they are, CMYK may not."""
    (intent,) = document.Root.OutputIntents
    assert (str(intent.S), int(intent.DestOutputProfile.N)) == ("/GTS_PDFA1", 3)
    profile = intent.DestOutputProfile.read_bytes()
    assert profile == pdfa.srgb_profile() and profile[16:20] == b"RGB " and profile[36:40] == b"acsp"
    assert int.from_bytes(profile[:4], "big") == len(profile)
    for page in document.pages:
        operators = {str(operator) for _, operator in pikepdf.parse_content_stream(page)}
        assert not operators & {"k", "K", "sh"}


def test_every_font_drawn_with_is_in_the_file(document):
    """6.2.11.4: embedded programs only; Helvetica, which no file holds, is named nowhere."""
    seen = 0
    for page in document.pages:
        fonts = page.obj.Resources.get("/Font", {})
        for font in dict(fonts).values():
            seen += 1
            assert "/FontFile2" in font.FontDescriptor and "DejaVu" in str(font.BaseFont)
            assert "/ToUnicode" in font
    assert seen >= 3
    assert not any(b"/Helvetica" in obj.unparse() for obj in document.objects if isinstance(obj, pikepdf.Dictionary))


def test_nothing_is_transparent_nor_runs_nor_moves(document):
    """6.2.10 and 6.4 (transparency), 6.5.1 (actions), 6.3 (annotations), 6.8 (embedded files)."""
    for page in document.pages:
        assert not {"/Trans", "/Group", "/Annots", "/AA"} & set(page.obj.keys())
        assert "/ExtGState" not in page.obj.Resources
    assert not {"/AA", "/OpenAction", "/AcroForm", "/Names", "/Requirements"} & set(document.Root.keys())
    for obj in document.objects:
        if isinstance(obj, pikepdf.Dictionary | pikepdf.Stream):
            assert obj.get("/S") not in ("/JavaScript", "/Launch", "/Movie") and "/SMask" not in obj
            assert obj.get("/Filter") not in ("/LZWDecode", "/Crypt")


def test_the_same_values_give_the_same_bytes_and_each_member_its_own_identifier():
    values = sample_values(members=2, lots=1)
    common = render_common(values, shipped_texts())
    first, again = (render_member(values, common, MONTPELLIER) for _ in range(2))
    assert first == again == render_member(values, render_common(values, shipped_texts()), MONTPELLIER)
    other = render_member(values, common, values.coordinator_siren)
    identifiers = {bytes(pikepdf.open(io.BytesIO(content)).trailer.ID[0]) for content in (first, other)}
    assert len(identifiers) == 2


def test_pikepdf_s_validator_finds_nothing(made):
    """It follows veraPDF's catalogue of rules for 2b; what it cannot prove, it reports."""
    try:
        import fontTools  # noqa: F401 - the validator reads the embedded fonts with it
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("fontTools (dépendance de développement) manque.")
    from pikepdf import pdfa as validator

    with pikepdf.open(io.BytesIO(made)) as opened:
        assert [
            (finding.rule, finding.where, finding.message) for finding in validator.check(opened, "2b").findings
        ] == []


def test_the_profile_is_always_the_same_and_its_tags_lie_inside():
    profile = pdfa.srgb_profile()
    assert len(profile) == 500 and zlib.crc32(profile) == zlib.crc32(pdfa.srgb_profile.__wrapped__())
    for index in range(int.from_bytes(profile[128:132], "big")):
        entry = profile[132 + 12 * index : 144 + 12 * index]
        offset, size = int.from_bytes(entry[4:8], "big"), int.from_bytes(entry[8:], "big")
        assert offset % 4 == 0 and offset + size <= len(profile)


def test_a_document_without_title_author_or_time_zone_is_not_archived():
    from pypdf import PdfWriter

    given = {"title": "Convention", "author": "Métropole", "issued_at": datetime(2027, 3, 15, tzinfo=UTC)}
    for wrong in ({"title": " "}, {"author": ""}, {"issued_at": datetime(2027, 3, 15)}):  # noqa: DTZ001
        with pytest.raises(ValueError):
            pdfa.make_archival(PdfWriter(), **{**given, **wrong}, identity="x")


def test_a_title_with_markup_stays_a_title():
    packet = pdfa.xmp_packet(title="A & B <C>", author="« D »", instant=datetime(2027, 3, 15, tzinfo=UTC))
    tree = etree.fromstring(packet)
    assert tree.xpath("string(//dc:title)", namespaces=NAMES) == "A & B <C>"
