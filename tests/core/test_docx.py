"""The Word engine: what it is given is printed, escaped and never run; what it is not given is an error."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import docx
import pytest

from procurement.core.documents.docx import DocxError, Run, render_docx, runs

DAY = datetime(2027, 3, 15, 12, tzinfo=UTC)


def write_template(folder: Path, *paragraphs: str, header: str = "") -> Path:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    path = folder / "modele.docx"
    document.save(str(path))
    return path


def filled(path: Path, title: str = "Titre", **context) -> docx.document.Document:
    return docx.Document(io.BytesIO(render_docx(path, context, title=title, created_at=DAY)))


def text_of(document) -> str:
    return "\n".join(paragraph.text for paragraph in document.paragraphs)


@pytest.mark.parametrize(
    "name",
    [
        'A & B <C> "d\'Âne"',
        "{{ 7 * 7 }} {% raw %} {# x #}",
        "{_{ 7 }_} {_% x %_}",
        "</w:t></w:r></w:p>",
        "É œ ÿ € « 1\u202f234 » —",
        "W" * 200,
    ],
)
def test_a_value_is_printed_as_it_is(tmp_path, name):
    path = write_template(tmp_path, "Nom : {{ name }}.", header="{{ name }}")
    document = filled(path, title=name, name=name)
    assert text_of(document) == f"Nom : {name}."
    assert document.sections[0].header.paragraphs[0].text == name
    assert document.core_properties.title == name


def test_loops_and_tables(tmp_path):
    path = write_template(tmp_path, "{%p for visa in visas %}", "Vu {{ visa }}", "{%p endfor %}")
    assert text_of(filled(path, visas=["a", "b & c"])) == "Vu a\nVu b & c"


def test_runs_carry_their_aspect(tmp_path):
    path = write_template(tmp_path, "{{r line }}")
    pieces = [Run("Vu ", is_bold=True), Run("le code <1> {{ 2 }} "), Run("………", is_blank=True)]
    paragraph = filled(path, line=runs(pieces)).paragraphs[0]
    drawn = [(run.text, bool(run.bold), run.font.highlight_color is not None) for run in paragraph.runs if run.text]
    assert drawn == [("Vu ", True, False), ("le code <1> {{ 2 }} ", False, False), ("………", False, True)]


def test_what_no_document_may_hold_is_dropped(tmp_path):
    path = write_template(tmp_path, "[{{ name }}]")
    assert text_of(filled(path, name="a\x00\x0c\x07\u202eb\ufffe\u200b", title="t\x00\n\tu")) == "[ab]"
    assert text_of(filled(path, name="e\u0301")) == "[é]"


@pytest.mark.parametrize(
    ("paragraphs", "context"),
    [
        (["{{ missing }}"], {}),
        (["{{ known.missing }}"], {"known": {}}),
        (["{{ nothing }}"], {"nothing": None}),
        (["{{ amount }}"], {"amount": 1.1}),
        (["{{ flag }}"], {"flag": True}),
        (["{%p if known %}"], {"known": 1}),
        (["{{ known"], {"known": 1}),
        (["{{ ''.__class__.__mro__ }}"], {}),
        (["{{ known.__class__.__init__.__globals__ }}"], {"known": "x"}),
    ],
)
def test_a_field_without_its_value_is_an_error(tmp_path, paragraphs, context):
    with pytest.raises(DocxError, match=r"modele\.docx"):
        filled(write_template(tmp_path, *paragraphs), **context)


def test_a_tag_at_the_wrong_place_is_an_error(tmp_path):
    """The condition opens inside a paragraph and closes after it: docxtpl alone would mend the XML and lose « c »."""
    path = write_template(tmp_path, "a{% if shown %}b", "{%p endif %}", "c")
    assert text_of(filled(path, shown=1)) == "ab\nc"
    with pytest.raises(DocxError):
        filled(path, shown=0)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"PK\x03\x04 tronqu\xc3\xa9"])
def test_a_file_that_is_not_word_is_an_error(tmp_path, content):
    path = tmp_path / "modele.docx"
    path.write_bytes(content)
    with pytest.raises(DocxError, match="lisible"):
        filled(path)
    with pytest.raises(DocxError, match="lisible"):
        filled(tmp_path / "absent.docx")


def test_the_same_input_gives_the_same_bytes_whatever_the_clock(tmp_path, monkeypatch):
    path = write_template(tmp_path, "{{ name }}", header="{{ name }}")

    def made(**options) -> bytes:
        return render_docx(path, {"name": "Lattes"}, **{"title": "t", "created_at": DAY, **options})

    first = made()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert made() == first
    assert made(title="u") != first and made(created_at=DAY.replace(day=16)) != first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_properties_are_the_callers(tmp_path):
    path = write_template(tmp_path, "x")
    content = render_docx(path, {}, title="T" * 300, created_at=DAY, author="Métropole {{ 7 * 7 }}")
    properties = docx.Document(io.BytesIO(content)).core_properties
    assert properties.title == "T" * 255
    assert properties.author == properties.last_modified_by == "Métropole {{ 7 * 7 }}"
    assert properties.created == properties.modified == DAY
    assert properties.language == "fr-FR"


def test_a_template_corrected_on_disk_is_read_again(tmp_path):
    assert text_of(filled(write_template(tmp_path, "avant {{ name }}"), name="x")) == "avant x"
    assert text_of(filled(write_template(tmp_path, "après {{ name }}, corrigé"), name="x")) == "après x, corrigé"


def test_a_date_without_its_zone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fuseau"):
        render_docx(write_template(tmp_path, "x"), {}, title="t", created_at=datetime(2027, 3, 15))  # noqa: DTZ001
