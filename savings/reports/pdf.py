"""The report on paper: what is said first, the drawing, the groups, what was lost or not measured, and the method."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import BinaryIO

from django.conf import settings

from procurement.core.documents import pdf
from savings.charts import Bar, band_label, data_uri, gain_bars
from savings.ledger import Totals, add_up
from savings.reports import method
from savings.reports.data import Group, SavingsReport

#: What a page or two can hold; the workbook has them all, and the total counts them all.
GROUPS_LISTED = 80
#: Bars of the drawing: the greatest gains and losses of the groupings.
BARS_DRAWN = 9
UNMEASURED_LISTED = 30
#: Pages of a report of a few groupings: the first guess of the layout.
_USUAL_PAGES = 3
_CHART_FONT = "savings chart"
_CHART_WIDTH = 180  # mm


@dataclass(frozen=True)
class PrintedGroup:
    """``name``: the labels of the cut, on one line."""

    name: str
    totals: Totals


def write_pdf(report: SavingsReport, out: BinaryIO) -> None:
    """Write the PDF, A4. Raises PdfError when it cannot be drawn faithfully."""
    out.write(pdf.render("savings/report_pdf.html", _context(report)))


def _context(report: SavingsReport) -> dict:
    listed = report.groups[:GROUPS_LISTED]
    left = report.groups[GROUPS_LISTED:]
    unmeasured = report.coverage.unmeasured
    image, height = _chart(report.groupings)
    return {
        "title": f"{report.title} – {report.whose}",
        "author": report.territory,
        "issued_at": report.made_at,
        "total_pages": _USUAL_PAGES,
        "report": report,
        "chart": image,
        "chart_size": (str(_CHART_WIDTH), height),
        "band": band_label(settings.SAVINGS_REFERENCE_BAND),
        "is_chart_partial": len(report.groupings) > BARS_DRAWN,
        "bars_drawn": BARS_DRAWN,
        "groups": [PrintedGroup(" / ".join(group.labels), group.totals) for group in listed],
        "left_count": len(left),
        "left": add_up(group.totals for group in left) if left else None,
        "other_losses": report.loss_count - len(report.losses),
        "unmeasured": unmeasured[:UNMEASURED_LISTED],
        "other_unmeasured": max(len(unmeasured) - UNMEASURED_LISTED, 0),
        "method_title": method.TITLE,
        "method_version": method.VERSION_LABEL,
    }


def _chart(groupings: tuple[Group, ...]) -> tuple[str, str]:
    """(the bars of the groupings as an image, its height in mm); the greatest gains first, losses last."""
    by_gain = sorted(groupings, key=lambda group: (-group.totals.budget_gain, group.labels))
    if len(by_gain) > BARS_DRAWN:
        by_gain = sorted(
            sorted(by_gain, key=lambda group: -abs(group.totals.budget_gain))[:BARS_DRAWN],
            key=lambda group: (-group.totals.budget_gain, group.labels),
        )
    bars = [Bar(group.labels[0], group.totals.budget_rate, group.totals.budget_gain) for group in by_gain]
    svg = str(gain_bars(bars, band=settings.SAVINGS_REFERENCE_BAND, ident="rapport"))
    if not svg:
        return "", "0"
    width, height = (Decimal(svg.split(f'{side}="')[1].split('"')[0]) for side in (" width", " height"))
    _register_chart_font()
    own = svg.replace("DejaVu Sans, Arial, sans-serif", _CHART_FONT)
    return data_uri(pdf.clean_text(own)), f"{_CHART_WIDTH * height / width:.1f}"


@lru_cache(maxsize=1)
def _register_chart_font() -> None:
    """Our own faces under a name of their own: for any other, the engine would ask the machine for its fonts."""
    from svglib.fonts import register_font

    for weight, file in (("normal", "DejaVuSans.ttf"), ("bold", "DejaVuSans-Bold.ttf")):
        register_font(_CHART_FONT, str(pdf.ASSETS / "fonts" / file), weight=weight)
