"""The report as a workbook a controller can take apart: every total is a live formula over the lines.

Written row after row (``constant_memory``): a hundred thousand lines take no more memory than a hundred. Beside each
formula stands our own value, for the readers that do not compute. Texts are written as texts, never as formulas.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from textwrap import wrap
from typing import Any, BinaryIO

import xlsxwriter
from django.utils import timezone
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from procurement.core.errors import BusinessError
from procurement.core.exports import Column, clean_text
from procurement.core.money import format_number
from savings.ledger import Totals
from savings.reports import method
from savings.reports.asked import CUTS
from savings.reports.columns import LINE_COLUMNS
from savings.reports.data import SavingsReport

LINES, SUMMARY, EVIDENCE, METHOD, JOURNAL = "lignes", "synthèse", "preuves", "méthode", "journal"
KEY_HEADING = "Clé de regroupement"

_EUROS = '#,##0.00"\u00a0€";[Red]-#,##0.00"\u00a0€"'
_NUMBER_FORMATS = {
    "euros": _EUROS,
    "integer": "0",
    "decimal": "#,##0.00######",
    "date": "dd/mm/yyyy",
    "instant": "dd/mm/yyyy hh:mm",
    "percent": '0.00"\u00a0"%;[Red]-0.00"\u00a0"%',
}
#: The amounts of the summary, in its order: (amount of ``Totals``, heading, column of the lines).
_SUMS = (
    ("baseline_budget", "Référence (€ HT)", "reference_ht"),
    ("baseline_purchase", "Référence indexée (€ HT)", "reference_indexee_ht"),
    ("obtained", "Obtenu (€ HT)", "obtenu_ht"),
    ("budget_gain", "Gain budgétaire (€ HT)", "gain_budgetaire_ht"),
    ("purchase_gain", "Gain achat (€ HT)", "gain_achat_ht"),
)
_RATES = (("budget_rate", "Taux budgétaire", "budget_gain", "baseline_budget"),)
_RATES += (("purchase_rate", "Taux achat", "purchase_gain", "baseline_purchase"),)
#: Rows of a sheet, the headings' left out.
_MOST_ROWS = 1_048_575
_METHOD_WIDTH = 72  # characters
#: The letter of each column of the lines.
_LETTERS = {column.name: xl_col_to_name(place) for place, column in enumerate(LINE_COLUMNS)}
_KEY_PLACE = len(LINE_COLUMNS)
_KEY_LETTER = xl_col_to_name(_KEY_PLACE)


def write_xlsx(report: SavingsReport, out: BinaryIO) -> None:
    """Write the workbook. The same report gives the same bytes. Raises BusinessError for more than a sheet can hold."""
    if report.found.count() > _MOST_ROWS:
        raise BusinessError(
            f"Un classeur ne tient pas plus de {format_number(Decimal(_MOST_ROWS))} lignes\u00a0: demandez ce rapport "
            "en CSV ou en JSON."
        )
    with tempfile.TemporaryDirectory() as folder:  # its rows, until it is closed; gone with it when that fails
        workbook = xlsxwriter.Workbook(out, {"constant_memory": True, "tmpdir": folder})
        made_at = report.made_at.astimezone(UTC).replace(tzinfo=None)
        workbook.set_properties({"title": report.title, "subject": report.provenance, "created": made_at})
        sheets = {name: workbook.add_worksheet(name) for name in (LINES, SUMMARY, EVIDENCE, METHOD, JOURNAL)}
        writer = _Writer(workbook, report)
        last = writer.lines(sheets[LINES])
        writer.summary(sheets[SUMMARY], last)
        writer.evidence(sheets[EVIDENCE])
        writer.method(sheets[METHOD])
        writer.journal(sheets[JOURNAL])
        sheets[SUMMARY].activate()
        workbook.close()


class _Writer:
    def __init__(self, workbook: xlsxwriter.Workbook, report: SavingsReport):
        self.report = report
        self.formats: dict[str, Format] = {
            kind: workbook.add_format({"num_format": code, "valign": "top"}) for kind, code in _NUMBER_FORMATS.items()
        }
        self.bold = {
            kind: workbook.add_format({"num_format": code, "valign": "top", "bold": True})
            for kind, code in _NUMBER_FORMATS.items()
        }
        self.text = workbook.add_format({"text_wrap": True, "valign": "top"})
        self.bold_text = workbook.add_format({"bold": True, "valign": "top"})
        heading = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E9ECEF"}
        self.heading = workbook.add_format({**heading, "indent": 1})
        self.number_heading = workbook.add_format({**heading, "align": "right"})
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self.plain = workbook.add_format({"valign": "top", "indent": 1})  # a figure may stand just before

    def lines(self, sheet: Worksheet) -> int:
        """Every line, its gains as formulas. Returns the number of its last row, as a spreadsheet counts."""
        headings = [(column.heading, column.kind, column.width or 14) for column in LINE_COLUMNS]
        self._begin(sheet, [*headings, (KEY_HEADING, "text", 16)], height=62)
        sheet.set_paper(8)  # A3: what is printed of forty columns
        sheet.fit_to_pages(2, 0)
        sheet.repeat_columns(0)
        readers = [
            (place, Column(column.name, column.value, column.kind).reader(), column.kind, column.minus)
            for place, column in enumerate(LINE_COLUMNS)
        ]
        row = 0
        for row, line in enumerate(self.report.lines(), start=1):
            for place, read, kind, minus in readers:
                value = read(line)
                if minus:
                    base, obtained = (_LETTERS[name] for name in minus)
                    # Rounded: the difference of two doubles may hold a millionth of a cent.
                    formula = f"=ROUND({base}{row + 1}-{obtained}{row + 1},2)"
                    sheet.write_formula(row, place, formula, self.formats[kind], value)
                else:
                    self._write(sheet, row, place, value, kind)
            sheet.write_string(row, _KEY_PLACE, self.report.key_of(line), self.plain)
        sheet.autofilter(0, 0, row, _KEY_PLACE)
        sheet.freeze_panes(1, 1)
        return row + 1

    def summary(self, sheet: Worksheet, last: int) -> None:
        """What is said first, then the groups, then all of it: sums over the lines, at every opening of the file."""
        report = self.report
        first_amount = len(report.asked.by) + 1
        places = {name: first_amount + place for place, (name, *_) in enumerate(_SUMS)}
        rates = {name: first_amount + len(_SUMS) + place for place, (name, *_) in enumerate(_RATES)}
        key_place = first_amount + len(_SUMS) + len(_RATES)
        for place, width in enumerate([52, *(44 for _ in report.asked.by[1:]), 20, *(20 for _ in _SUMS), 12, 12, 16]):
            sheet.set_column(place, place, width)
        self._page(sheet)

        sheet.write_string(0, 0, clean_text(f"{report.title} – {report.whose}"), self.title)
        sheet.write_string(1, 0, clean_text(report.provenance))
        sheet.write_string(2, 0, clean_text(f"{report.coverage_told}. {method.TITLE}, {method.VERSION_LABEL}."))
        grade, gain = _range("fiabilite", last), _range("gain_budgetaire_ht", last)
        proven = f'=ROUND(SUMIFS({gain},{grade},"A")+SUMIFS({gain},{grade},"B"),2)'
        base = _range("reference_ht", last)
        headline: Sequence[tuple[str, str, str, Decimal | None]] = (
            ("Gain budgétaire (€ HT)", f"=ROUND(SUM({gain}),2)", "euros", report.totals.budget_gain),
            ("dont fiabilité A et B (€ HT)", proven, "euros", report.proven.budget_gain),
            (
                "Gain achat (€ HT)",
                f"=ROUND(SUM({_range('gain_achat_ht', last)}),2)",
                "euros",
                report.totals.purchase_gain,
            ),
            ("Référence, base du taux (€ HT)", f"=ROUND(SUM({base}),2)", "euros", report.totals.baseline_budget),
            ("Taux budgétaire", '=IF(B7=0,"",ROUND(B4/B7,4))', "percent", report.totals.budget_rate),
        )
        for row, (label, formula, kind, value) in enumerate(headline, start=3):
            sheet.write_string(row, 0, label, self.bold_text)
            self._formula(sheet, row, 1, formula, kind, value, self.bold)

        top = 9
        headings = [*(CUTS[name] for name in report.asked.by), "Lignes", *(heading for _, heading, _ in _SUMS)]
        headings += [*(heading for _, heading, *_ in _RATES), KEY_HEADING]
        for place, heading in enumerate(headings):
            is_figure = first_amount - 1 <= place < key_place
            sheet.write_string(top, place, heading, self._heading("euros" if is_figure else "text"))
        sheet.set_row(top, 32)
        row = top
        for row, group in enumerate(report.groups, start=top + 1):
            for place, label in enumerate(group.labels):
                sheet.write_string(row, place, clean_text(label), self.plain)
            sheet.write_number(row, first_amount - 1, group.totals.lines, self.formats["integer"])
            key = f"${xl_col_to_name(key_place)}{row + 1}"

            def of_group(name: str, key: str = key) -> str:
                return f"=ROUND(SUMIFS({_range(name, last)},{_key_range(last)},{key}),2)"

            self._sums(sheet, row, of_group, group.totals, places, rates, self.formats)
            sheet.write_string(row, key_place, group.key, self.plain)
        sheet.autofilter(top, 0, row, key_place)
        sheet.freeze_panes(top + 1, 1)

        total = row + 2
        sheet.write_string(total, 0, "Ensemble", self.bold_text)
        sheet.write_number(total, first_amount - 1, report.totals.lines, self.bold["integer"])
        self._sums(
            sheet, total, lambda name: f"=ROUND(SUM({_range(name, last)}),2)", report.totals, places, rates, self.bold
        )
        sheet.write_string(total + 1, 0, "Contrôle\u00a0: groupes moins ensemble", self.plain)
        for place in places.values():
            letter = xl_col_to_name(place)
            formula = f"=ROUND(SUM({letter}{top + 2}:{letter}{row + 1})-{letter}{total + 1},2)"
            self._formula(sheet, total + 1, place, formula, "euros", Decimal(0), self.formats)

    def _sums(
        self,
        sheet: Worksheet,
        row: int,
        formula: Callable[[str], str],
        sums: Totals,
        places: dict[str, int],
        rates: dict[str, int],
        formats: dict[str, Format],
    ) -> None:
        for name, _, column in _SUMS:
            self._formula(sheet, row, places[name], formula(column), "euros", getattr(sums, name), formats)
        for name, _, gain, base in _RATES:
            gain_cell, base_cell = (f"{xl_col_to_name(places[part])}{row + 1}" for part in (gain, base))
            rate = f'=IF({base_cell}=0,"",ROUND({gain_cell}/{base_cell},4))'
            self._formula(sheet, row, rates[name], rate, "percent", getattr(sums, name), formats)

    def evidence(self, sheet: Worksheet) -> None:
        columns = (
            ("Pièce", "name", "text", 34),
            ("Type", "kind", "text", 8),
            ("Empreinte SHA-256", "sha256", "text", 68),
            ("Taille (octets)", "size", "integer", 14),
            ("Déposée par", "deposited_by", "text", 26),
            ("Déposée le", "deposited_at", "instant", 17),
            ("Groupement", "reference", "text", 16),
            ("Membre", "member_name", "text", 30),
            ("Fiabilité", "grade", "text", 10),
            ("Lignes prouvées", "lines", "integer", 11),
            ("Gain budgétaire prouvé (€ HT)", "budget_gain", "euros", 18),
        )
        self._table(sheet, columns, self.report.evidence())

    def journal(self, sheet: Worksheet) -> None:
        columns = (
            ("Date et heure", "at", "instant", 17),
            ("Auteur", "actor", "text", 28),
            ("Pour le compte de", "organisation", "text", 28),
            ("Acte", "sentence", "text", 60),
            ("Motif", "reason", "text", 36),
            ("Anciennes valeurs", "old_values", "text", 44),
            ("Nouvelles valeurs", "new_values", "text", 44),
        )
        self._table(sheet, columns, self.report.journal())

    def method(self, sheet: Worksheet) -> None:
        self._page(sheet)
        sheet.set_portrait()
        sheet.set_print_scale(100)
        sheet.set_column(0, 0, _METHOD_WIDTH)
        sheet.write_string(0, 0, f"{method.TITLE} – {method.VERSION_LABEL}", self.heading)
        sheet.freeze_panes(1, 0)
        row = 1
        for section in self.report.method:
            sheet.write_string(row, 0, section.title, self.bold_text)
            for paragraph in section.paragraphs:
                row += 1
                sheet.set_row(row, 15 * len(wrap(paragraph, _METHOD_WIDTH + 6)))
                sheet.write_string(row, 0, paragraph, self.text)
            row += 2

    def _table(self, sheet: Worksheet, columns: Sequence[tuple[str, str, str, float]], rows: Iterable[Any]) -> None:
        self._begin(sheet, [(heading, kind, width) for heading, _, kind, width in columns], height=32)
        row = 0
        for row, item in enumerate(rows, start=1):
            for place, (_, name, kind, _) in enumerate(columns):
                value = getattr(item, name)
                if isinstance(value, datetime):
                    value = timezone.localtime(value).replace(tzinfo=None, microsecond=0)
                self._write(sheet, row, place, clean_text(value) if isinstance(value, str) else value, kind)
        sheet.autofilter(0, 0, row, len(columns) - 1)
        sheet.freeze_panes(1, 0)

    def _begin(self, sheet: Worksheet, headings: Sequence[tuple[str, str, float]], *, height: float) -> None:
        self._page(sheet)
        sheet.repeat_rows(0)
        for place, (_, _, width) in enumerate(headings):
            sheet.set_column(place, place, width)
        sheet.set_row(0, height)
        for place, (heading, kind, _) in enumerate(headings):
            sheet.write_string(0, place, heading, self._heading(kind))

    def _heading(self, kind: str) -> Format:
        """Above its column: to the right over figures."""
        return self.number_heading if kind in ("euros", "integer", "decimal", "percent") else self.heading

    def _page(self, sheet: Worksheet) -> None:
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_header("&L" + clean_text(f"{self.report.title} – {self.report.whose}")[:100].replace("&", "&&"))
        sheet.set_footer("&L" + clean_text(self.report.provenance)[:120].replace("&", "&&") + "&RPage &P / &N")

    def _write(self, sheet: Worksheet, row: int, place: int, value: Any, kind: str) -> None:
        if value is None or value == "":
            return
        if kind in ("text", "boolean"):
            sheet.write_string(row, place, value, self.plain)  # never read as a formula nor as a link
        elif kind in ("date", "instant"):
            sheet.write_datetime(row, place, value, self.formats[kind])
        else:
            sheet.write_number(row, place, value, self.formats[kind])

    def _formula(
        self,
        sheet: Worksheet,
        row: int,
        place: int,
        formula: str,
        kind: str,
        value: Decimal | None,
        formats: dict[str, Format],
    ) -> None:
        """A formula with our own value beside it; a rate is kept as a fraction of one, an unknown one as no text."""
        shown = "" if value is None else value / 100 if kind == "percent" else value
        sheet.write_formula(row, place, formula, formats[kind], shown)


def _range(name: str, last: int) -> str:
    letter = _LETTERS[name]
    return f"{LINES}!${letter}$2:${letter}${last}"


def _key_range(last: int) -> str:
    return f"{LINES}!${_KEY_LETTER}$2:${_KEY_LETTER}${last}"
