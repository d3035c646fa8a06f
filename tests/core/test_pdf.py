"""The PDF engine: faithful or refused, the same bytes for the same input, nothing read outside the assets folder."""

import io
import logging
import os
from datetime import UTC, datetime, timedelta, timezone

import pypdf
import pytest

from procurement.core.documents import pdf
from procurement.core.documents.pdf import PdfError

PAGE = "<html><head><title>Titre</title><meta name='author' content='Auteur'></head><body>{}</body></html>"


@pytest.fixture
def template(settings, tmp_path):
    """Write a template and return its name."""
    options = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}
    settings.TEMPLATES = [options]

    def write(source: str) -> str:
        (tmp_path / "document.html").write_text(source, encoding="utf-8")
        return "document.html"

    return write


def read(document: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(document))


def text_of(document: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(document).pages).split())


def layout(body: str, **options) -> bytes:
    return pdf.render_html(PAGE.format(body), **options)[0]


def test_title_author_language_and_date_are_set(template):
    name = template(PAGE.format("<p>Œuvre, ÿ, É, « œ », 12,00 €</p>"))
    document = pdf.render(name, {"issued_at": datetime(2027, 3, 15, 12, tzinfo=UTC)})
    reader = read(document)
    assert (reader.metadata.title, reader.metadata.author) == ("Titre", "Auteur")
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    assert reader.metadata.creation_date == datetime(2027, 3, 15, 12, tzinfo=UTC)
    assert "Œuvre, ÿ, É, « œ », 12,00 €" in text_of(document)


def test_the_context_names_the_document_before_the_template(template):
    name = template(PAGE.format("<p>texte</p>"))
    reader = read(pdf.render(name, {"title": "A & B <C>", "author": 'Ville "du" Crès'}))
    assert (reader.metadata.title, reader.metadata.author) == ("A & B <C>", 'Ville "du" Crès')


def test_a_template_in_another_language_is_still_declared_french(template):
    name = template(PAGE.replace("<html>", "<!DOCTYPE html><html lang='en'>").format("<p>texte</p>"))
    assert read(pdf.render(name, {})).trailer["/Root"]["/Lang"] == "fr"


UNNAMED = ["<p>rien</p>", "<html><head><title>T</title></head><body><p>x</p></body></html>"]


@pytest.mark.parametrize("page", UNNAMED)
def test_html_without_title_or_author_is_refused(page):
    with pytest.raises(PdfError, match="titre"):
        pdf.render_html(page)


@pytest.mark.parametrize(("page", "title"), [(UNNAMED[0], "document"), (UNNAMED[1], "T")])
def test_a_template_that_names_nobody_still_gets_a_title_and_an_author(template, page, title):
    metadata = read(pdf.render(template(page), {})).metadata
    assert (metadata.title, metadata.author) == (title, "Groupements de commandes")


def test_same_input_same_bytes_and_the_date_is_the_caller_s(template):
    name = template(PAGE.format("<p>{{ word }}</p>"))
    first = pdf.render(name, {"word": "un"})
    assert pdf.render(name, {"word": "un"}) == first
    assert pdf.render(name, {"word": "deux"}) != first
    dated = {"word": "un", "issued_at": datetime(2027, 1, 1, tzinfo=UTC)}
    same_instant = {"word": "un", "issued_at": datetime(2027, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))}
    assert pdf.render(name, dated) == pdf.render(name, same_instant) != first


def test_a_naive_date_is_refused():
    with pytest.raises(ValueError, match="fuseau"):
        layout("<p>x</p>", issued_at=datetime(2027, 1, 1))  # noqa: DTZ001


def test_autoescape_is_on_even_when_the_settings_turn_it_off(settings, template):
    name = template(PAGE.format("<p>{{ name }}</p>"))
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {"autoescape": False}}]
    document = pdf.render(name, {"name": "</p><h1>Injecté</h1> <b>&\"'"})
    assert "</p><h1>Injecté</h1> <b>&\"'" in text_of(document)


@pytest.mark.parametrize(
    "body",
    [
        "<img src='absente.png'>",
        "<img src='http://127.0.0.1:9/logo.png'>",
        "<img src='https://example.org/logo.png'>",
        "<img src='/etc/hostname'>",
        "<img src='../settings.py'>",
        "<style>@font-face { font-family: x; src: url('http://127.0.0.1:9/x.ttf'); }</style><p>a</p>",
        "<pdf:insertpdf src='/etc/hostname'></pdf:insertpdf>",
    ],
)
def test_a_missing_or_forbidden_resource_is_refused(body):
    with pytest.raises(PdfError):
        layout(body)


def test_an_asset_of_the_product_may_be_drawn():
    layout(f"<p>{'a' * 3}</p><style>@font-face {{ font-family: b; src: url(fonts/DejaVuSans-Bold.ttf); }}</style>")
    outside = pdf.ASSETS.parent / "settings.py"
    assert outside.exists()  # what the policy refuses above is there to be read


def test_a_missing_glyph_is_refused_and_named():
    with pytest.raises(PdfError, match=r"U\+4E2D"):
        layout("<p>中</p>")


def test_a_cell_the_engine_would_shrink_is_refused():
    lines = "<p>ligne</p>" * 12
    with pytest.raises(PdfError, match="rétréci"):
        layout(f"<table><tr><td style='height: 20pt'>{lines}</td></tr></table>")
    layout(f"<table><tr><td>{lines}</td></tr></table>")


@pytest.mark.parametrize("body", ["<p{}>{}</p>", "<h1{}>{}</h1>", "<table><tr><td{}>{}</td><td>b</td></tr></table>"])
def test_a_word_that_would_run_off_its_column_is_refused(body):
    with pytest.raises(PdfError, match="coupé"):
        layout(body.format("", "W" * 200))
    layout(body.format(" style='word-wrap: break-word'", "W" * 200))


def test_a_header_too_small_for_its_content_is_refused():
    style = (
        "<style>@page { @frame top { -pdf-frame-content: top; left: 20mm; width: 170mm; top: 5mm; height: 4mm; }"
        "@frame body { left: 20mm; width: 170mm; top: 20mm; height: 200mm; } }</style>"
    )
    with pytest.raises(PdfError, match="static frame"):
        layout(style + "<div id='top'><p>un</p><p>deux</p><p>trois</p></div><p>texte</p>")


def test_warnings_are_caught_whatever_the_logging_settings():
    logger = logging.getLogger("xhtml2pdf")
    before = logger.level, logger.disabled
    logger.setLevel(logging.CRITICAL)
    logger.disabled = True
    try:
        with pytest.raises(PdfError):
            layout("<img src='absente.png'>")
        assert (logger.level, logger.disabled) == (logging.CRITICAL, True)
    finally:
        logger.level, logger.disabled = before[0], before[1]
        logger.setLevel(before[0])


def test_a_failure_leaves_nothing_behind():
    handlers, epoch = list(logging.getLogger("xhtml2pdf").handlers), os.environ.get("SOURCE_DATE_EPOCH")
    clean = layout("<p>texte</p>")
    with pytest.raises(PdfError):
        layout("<p>中</p>", watermark="PROJET", numbers=[(1, 9)])
    assert layout("<p>texte</p>") == clean
    assert logging.getLogger("xhtml2pdf").handlers == handlers
    assert os.environ.get("SOURCE_DATE_EPOCH") == epoch


def test_every_font_is_embedded_whatever_the_template_asks():
    body = "<p style='font-family: Arial'>un</p><table><tr><td style='font-family: serif'><b>deux</b></td></tr></table>"
    for page in read(layout(body, watermark="PROJET")).pages:
        for font in page["/Resources"]["/Font"].values():
            assert "/FontFile2" in font.get_object()["/FontDescriptor"], font.get_object()["/BaseFont"]


def test_text_is_composed_and_invisible_characters_removed():
    assert pdf.clean_text("e\u0301\u202f;\u2009x\u202e\u200b\x07\u00ad") == "é\u00a0;\u00a0x"
    assert pdf.clean_text("a\tb\nc\r") == "a\tb\nc\r"
    # U+0338 composes with « > » into « ≯ »: the tag before a value must survive it
    assert pdf.clean_text("<b>\u0338</b>&gt;\u0338") == "<b>\u0338</b>&gt;\u0338"


def test_a_reversing_mark_does_not_reverse_the_text():
    assert "Lattes 1234" in text_of(layout("<p>Lattes \u202e1234</p>"))


def test_total_pages_is_right_from_any_guess(template):
    body = "<p>page {{ total_pages }}</p>" + "<pdf:nextpage></pdf:nextpage><p>suite</p>" * 2
    name = template(PAGE.format(body))
    documents = {pdf.render(name, {"total_pages": guess}) for guess in (1, 3, 40)} | {pdf.render(name, {})}
    assert len(documents) == 1
    assert "page 3" in text_of(documents.pop())


def test_a_total_that_never_settles_is_refused():
    """A document one page longer each time it is told its length: no total is ever right."""
    with pytest.raises(PdfError, match="stabilise"):
        pdf.render_paged(
            lambda total: PAGE.format("<p>a</p>" + "<pdf:nextpage></pdf:nextpage><p>b</p>" * total),
            guess=1,
        )


def test_page_numbers_can_be_imposed():
    body = "<p>numéro <pdf:pagenumber></pdf:pagenumber></p><pdf:nextpage></pdf:nextpage><p>fin</p>"
    assert "numéro 8" in text_of(layout(body, numbers=[(1, 8)]))
    assert "numéro 1" in text_of(layout(body))


def test_the_watermark_is_on_every_page_and_behind_the_text():
    body = "<p>premier</p><pdf:nextpage></pdf:nextpage><p>second</p>"
    pages = read(layout(body, watermark="PROJET")).pages
    assert len(pages) == 2
    for page, word in zip(pages, ("premier", "second"), strict=True):
        drawn = page.extract_text()
        assert drawn.index("PROJET") < drawn.index(word)
    assert "PROJET" not in text_of(layout(body))


def test_assembled_pages_keep_order_bookmarks_and_language():
    first = pdf.Pages(layout("<h2>Un</h2><p>a</p><pdf:nextpage></pdf:nextpage><h2>Deux</h2><p>b</p>"))
    second = pdf.Pages(layout("<h2>Milieu</h2><p>c</p>"))
    order = [(first, 0), (second, 0), (first, 1)]
    issued_at = datetime(2027, 3, 15, tzinfo=UTC)
    document = pdf.assemble(order, title="Tout « œ »", author="Métropole", issued_at=issued_at)
    reader = read(document)
    assert [page.extract_text().split()[-1] for page in reader.pages] == ["a", "c", "b"]
    assert [(mark.title, reader.get_destination_page_number(mark)) for mark in reader.outline] == [
        ("Un", 0),
        ("Milieu", 1),
        ("Deux", 2),
    ]
    assert (reader.metadata.title, reader.metadata.author) == ("Tout « œ »", "Métropole")
    assert reader.trailer["/Root"]["/Lang"] == "fr-FR"
    assert pdf.assemble(order, title="Tout « œ »", author="Métropole", issued_at=issued_at) == document
    assert pdf.page_count(document) == 3
    assert first.page_of("Deux") == 1
    with pytest.raises(PdfError, match="introuvable"):
        first.page_of("Trois")
