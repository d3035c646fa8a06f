"""The text of a convention where people read it, at a desk and on a phone; and a text brought in from outside."""

import io
import re
from itertools import pairwise

import docx
import pytest

from tests.browser.site import PROFILES, axe, checked, enter, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = (1280, 390)
#: Two groupings of the demonstration: some members of the first have signed, none of the second.
READ, UNSIGNED = "GC-2027-01", "GC-2027-03"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    prepare = (
        "from django.core.management import call_command; import tempfile; "
        f"[call_command('generate_conventions', r, out=tempfile.mkdtemp()) for r in {(READ, UNSIGNED)}]"
    )
    with serving(tmp_path_factory.mktemp("site"), prepare=prepare) as served:
        yield served


def open_documents(page, site, reference):
    """The card of the files of a grouping whose conventions are produced."""
    page.goto(f"{site.url}/groupements/?q={reference}")
    page.locator("tbody a").first.click()
    page.locator("#documents").wait_for()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_reading_is_accessible_and_its_anchors_hold(site, open_page, width, tmp_path):
    page = open_page(width)
    enter(page, site, PROFILES[0])
    open_documents(page, site, READ)
    assert axe(page) == []
    page.get_by_role("link", name=re.compile("Lire en ligne")).first.click()
    page.get_by_role("heading", level=1).wait_for()
    checked(page)
    levels = page.evaluate("[...document.querySelectorAll('main h1, main h2, main h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    page.get_by_role("link", name=re.compile("^Article.11 – ")).click()
    assert page.url.endswith("#article-11")
    assert page.locator("#article-11 h2").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Word").click()
    path = tmp_path / "convention.docx"
    download.value.save_as(path)
    headings = [p.text for p in docx.Document(path).paragraphs if p.style.name == "Heading 1"]
    assert "Parties" in headings and any(text.startswith("Article\xa019") for text in headings)


def test_a_negotiated_text_takes_the_place_of_the_tool_s_own(site, open_page):
    page = open_page()
    enter(page, site, PROFILES[0])
    open_documents(page, site, UNSIGNED)
    page.get_by_role("link", name="déposer un texte négocié").click()
    assert axe(page) == []
    out = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("Article 1 – Objet")
    document.save(out)
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    page.locator("[name=file]").set_input_files({"name": "négociée.docx", "mimeType": word, "buffer": out.getvalue()})
    page.locator("[name=reason]").fill("Accord des maires du 12 mars")
    page.get_by_role("button", name="Déposer ce texte").click()
    page.get_by_text("Texte négocié enregistré").wait_for()
    page.locator("#documents").get_by_text("Texte négocié hors de l’outil").first.wait_for()
    assert axe(page) == []
    page.get_by_role("link", name="déposer un texte négocié").click()
    assert axe(page) == []
    page.get_by_role("button", name="Revenir au texte produit").wait_for()
