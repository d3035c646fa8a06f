"""The drawings: well-formed, accepted by the strict CSP and by the PDF, a loss told in words."""

import base64
import io
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from procurement.core.documents.pdf import render_html
from savings.charts import Bar, Step, band_label, data_uri, gain_bars, waterfall

NS = "{http://www.w3.org/2000/svg}"
ROWS = [
    Bar("Électricité des bâtiments & éclairage public", Decimal("25.55"), Decimal("1730.00")),
    Bar("Papier <script>", Decimal("-1.41"), Decimal("-250.00")),
    Bar("Assurances", None, None),
    Bar("Carburants", Decimal("-340.00"), Decimal("-34000.00")),
]


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in drawn(svg).iter(f"{NS}text")]


def test_the_drawing_is_read_aloud_and_needs_no_style():
    root = drawn(gain_bars(ROWS, band=(20, 30), ident="gains"))
    assert root.get("role") == "img" and root.get("aria-labelledby") == "gains-t gains-d"
    assert root.find(f"{NS}title").get("id") == "gains-t"
    description = root.find(f"{NS}desc").text
    assert "25,55\u00a0%" in description and "Assurances\u00a0: non mesuré." in description
    assert "-1,41\u00a0% (perte), 250,00\u00a0€ perdus" in description
    for element in root.iter():
        assert "style" not in element.attrib and "class" not in element.attrib
        assert element.tag.removeprefix(NS) in {"svg", "title", "desc", "rect", "line", "text"}


def test_the_band_is_a_mark_and_never_a_target():
    words = " ".join(texts(gain_bars(ROWS, band=(20, 30), ident="g")))
    assert "20–30\u00a0% annoncés au bilan 2016, sans base\u00a0: un repère, pas un objectif" in words
    assert words.lower().count("objectif") == 1
    without = gain_bars(ROWS, band=(), ident="g")
    assert "bilan" not in without and band_label(()) == ""


def test_a_loss_goes_left_of_zero_and_a_gain_right():
    root = drawn(gain_bars(ROWS, band=(20, 30), ident="g"))
    (zero,) = [float(line.get("x1")) for line in root.iter(f"{NS}line") if line.get("stroke-width") == "2"]
    gain, loss, huge = [rect for rect in root.iter(f"{NS}rect") if rect.get("rx")]
    assert float(gain.get("x")) == zero
    assert float(loss.get("x")) + float(loss.get("width")) == pytest.approx(zero, abs=0.2)
    assert loss.get("fill") == huge.get("fill") != gain.get("fill")
    # -340 % stops at the edge of the drawing, and is written in full.
    assert float(huge.get("x")) >= 300
    assert "-340,00\u00a0% (perte)" in texts(gain_bars(ROWS, band=(20, 30), ident="g"))


def test_nothing_to_draw_is_no_drawing():
    assert (
        gain_bars([], band=(20, 30), ident="g") == ""
        and data_uri("") == ""
        and waterfall([], ident="w", title="") == ""
    )
    only_unknown = gain_bars([Bar("Lot", None, None)], band=(), ident="g")
    assert "Non mesuré" in texts(only_unknown)


def test_each_step_begins_where_the_former_ended():
    steps = [Step("2025", Decimal(100), True), Step("Terminé", Decimal(-150)), Step("2026", Decimal(-50), True)]
    svg = waterfall(steps, ident="w", title="Passage")
    first, ended, last = drawn(svg).iter(f"{NS}rect")
    edge = float(first.get("x")) + float(first.get("width"))
    assert float(ended.get("x")) + float(ended.get("width")) == pytest.approx(edge, abs=0.2)
    assert float(last.get("x")) == float(ended.get("x"))
    assert "-150,00\u00a0€" in texts(svg) and "100,00\u00a0€" in texts(svg)


def test_the_same_drawing_goes_into_the_pdf():
    uri = data_uri(gain_bars(ROWS, band=(20, 30), ident="g"))
    assert base64.b64decode(uri.partition("base64,")[2]).decode().startswith("<svg")
    pdf, pages = render_html(f'<html><body><img src="{uri}" width="900"></body></html>', title="Gains", author="Essai")
    assert pages == 1 and "repère, pas un objectif" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
