"""The annual sheet on paper: one content for the page, the PDF and Word; a draft wears « PROJET » across."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procurement.core.documents import pdf
from procurement.core.templatetags.fr import typo
from procurement.core.uploads import DOCX_TYPE, PDF_TYPE
from savings.models import AnnualSheet
from savings.sheet import (
    DEFAULT_TITLE,
    PHASES,
    PROGRESS,
    PROJECT,
    PROSPECTS,
    THEMES,
    figure_lines,
    gain_sentences,
    other_groupings,
    quarters,
    sheet_figures,
)

WATERMARK = "PROJET"


@dataclass(frozen=True)
class Content:
    """What a sheet says, ready to be laid out. ``themes``: (label, chosen); ``quarters``: (label, phase or None)."""

    sheet: AnnualSheet
    title: str
    #: The body at the head, by the name it bore when the sheet was frozen.
    body: str
    themes: list[tuple[str, bool]]
    project: list[tuple[str, list[str]]]
    quarters: list[tuple[str, int | None]]
    figures: list[tuple[str, str]]
    others: list[str]
    strengths: tuple[str, list[str]]
    gains: list[str]
    difficulties: tuple[str, list[str]]
    prospects: list[tuple[str, list[str]]]

    @property
    def phases(self) -> dict[int, str]:
        return PHASES

    @property
    def next_year(self) -> int:
        """The one the prospects are about."""
        return self.sheet.year + 1

    @property
    def state(self) -> str:
        """How far its figures can be quoted, as one sentence."""
        sheet = self.sheet
        if not sheet.is_frozen:
            return "Projet\u00a0: les chiffres ne sont pas arrêtés."
        return f"Chiffres arrêtés au {sheet.figures_on:%d/%m/%Y}. Empreinte SHA-256\u00a0: {sheet.sha256}"


def content_of(sheet: AnnualSheet) -> Content:
    """With the figures of its day when it is frozen, of today before."""
    figures, texts = sheet_figures(sheet), sheet.texts
    chosen = texts.get("themes", ())

    def written(part: tuple) -> list[tuple[str, list[str]]]:
        return [(heading, _lines(texts.get(name, ""))) for name, heading in part[1]]

    strengths, difficulties = written(PROGRESS)
    others = [line for line in (other_groupings(figures), *_lines(texts.get("others", ""))) if line]
    return Content(
        sheet=sheet,
        title=typo(texts.get("title") or DEFAULT_TITLE),
        body=figures["territory"],
        themes=[(label, theme in chosen) for theme, label in THEMES.items()],
        project=written(PROJECT),
        quarters=[(label, sheet.calendar.get(key)) for key, label in quarters(sheet.year)],
        figures=figure_lines(figures),
        others=others,
        strengths=strengths,
        gains=gain_sentences(sheet, figures),
        difficulties=difficulties,
        prospects=written(PROSPECTS),
    )


def _lines(text: str) -> list[str]:
    return [typo(line.strip()) for line in text.splitlines() if line.strip()]


def _described(content: Content) -> dict[str, Any]:
    sheet = content.sheet
    return {
        "title": f"Fiche «\u00a0Groupements d’achats\u00a0» {sheet.year}",
        "author": content.body,
        "watermark": "" if sheet.is_frozen else WATERMARK,
    }


def _instant(sheet: AnnualSheet, now: datetime) -> datetime:
    """A frozen sheet bears the instant of its freezing: the same bytes whenever it is asked for."""
    return sheet.frozen_at if sheet.is_frozen else now


def render_pdf(sheet: AnnualSheet, now: datetime) -> bytes:
    """A4 portrait. Raises PdfError when a text cannot be drawn faithfully."""
    content = content_of(sheet)
    return pdf.render(
        "savings/annual_sheet_pdf.html",
        {**_described(content), "issued_at": _instant(sheet, now), "content": content},
    )


def render_docx(sheet: AnnualSheet, now: datetime) -> bytes:
    """The same in Word, with real headings and tables."""
    from savings.sheet_docx import lay_out  # half a second to load: only where Word is asked for

    content = content_of(sheet)
    return lay_out(content, created_at=_instant(sheet, now), **_described(content))


#: Extension → (how it is made, its media type).
FORMATS = {"pdf": (render_pdf, PDF_TYPE), "docx": (render_docx, DOCX_TYPE)}
