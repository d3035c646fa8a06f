"""The workbook: its sheets, its formulas our values beside, and the totals LibreOffice computes again by itself."""

import io
import shutil
import subprocess
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
import xlsxwriter.worksheet

from procurement.core.errors import BusinessError
from procurement.core.money import round_half_up
from savings.reports import method
from savings.reports.columns import LINE_COLUMNS
from savings.reports.xlsx import KEY_HEADING, write_xlsx

pytestmark = pytest.mark.django_db

SHEETS = ["lignes", "synthèse", "preuves", "méthode", "journal"]


def workbook(report) -> bytes:
    out = io.BytesIO()
    write_xlsx(report, out)
    return out.getvalue()


def load(content: bytes, *, values: bool):
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def table(sheet, heading: str) -> tuple[dict[str, int], int]:
    """(heading → column, row of the headings) of the table that begins with ``heading``."""
    for row in sheet.iter_rows():
        if row[0].value == heading:
            return {cell.value: cell.column for cell in row if cell.value}, row[0].row
    raise AssertionError(heading)


def summary_of(content: bytes) -> dict[str, dict[str, object]]:
    """First label of each row of the summary's table → heading → value."""
    sheet = load(content, values=True)["synthèse"]
    columns, top = table(sheet, "Groupement")
    return {
        sheet.cell(row, 1).value: {heading: sheet.cell(row, place).value for heading, place in columns.items()}
        for row in range(top + 1, sheet.max_row + 1)
        if sheet.cell(row, 1).value
    }


def cents(value) -> Decimal:
    return round_half_up(Decimal(repr(value)))


def test_the_sheets_are_ready_to_be_read(year):
    content = workbook(year.report())
    assert content == workbook(year.report())  # the same report gives the same bytes
    book = load(content, values=False)
    assert book.sheetnames == SHEETS
    for name in SHEETS:
        assert book[name].freeze_panes, name
    for name in ("lignes", "synthèse", "preuves", "journal"):
        assert book[name].auto_filter.ref, name
    lines = book["lignes"]
    headings = [cell.value for cell in lines[1]]
    assert headings == [*(column.heading for column in LINE_COLUMNS), KEY_HEADING]
    first = dict(zip(headings, lines[2], strict=True))
    assert first["Quantité"].value == 1000 and first["Prix de référence (€ HT)"].value == 4.8  # real numbers
    assert first["Effet au"].value.date() == date(2026, 1, 1)  # real dates
    assert first["Gain budgétaire de l’exercice (€ HT)"].value.startswith("=ROUND(")


def test_our_values_stand_beside_the_formulas(year):
    content = workbook(year.report())
    rows = summary_of(content)
    assert rows["GC-1 – Papier"]["Gain budgétaire (€ HT)"] == 1730
    assert rows["GC-1 – Papier"]["Taux budgétaire"] == 0.2555
    assert rows["GC-2 – Gaz"]["Gain achat (€ HT)"] == 26000 and rows["GC-2 – Gaz"]["Taux achat"] == 0.1204
    assert rows["Ensemble"]["Gain budgétaire (€ HT)"] == 11730 and rows["Ensemble"]["Lignes"] == 4
    formulas = load(content, values=False)["synthèse"]
    columns, top = table(formulas, "Groupement")
    gain = formulas.cell(top + 1, columns["Gain budgétaire (€ HT)"]).value
    assert "SUMIFS(lignes!" in gain
    assert formulas.cell(top + 1, columns["Taux budgétaire"]).value.startswith("=IF(")


def test_a_text_is_never_a_formula(year):
    lines = load(workbook(year.report()), values=False)["lignes"]
    texts = [cell for row in lines.iter_rows(min_row=2) for cell in row if cell.value == "=1+1 gaz"]
    assert [cell.data_type for cell in texts] == ["s"] or [cell.data_type for cell in texts] == ["inlineStr"]


def test_proofs_and_method(year):
    book = load(workbook(year.report()), values=True)
    proofs = [[cell.value for cell in row] for row in book["preuves"].iter_rows(min_row=2)]
    assert len(proofs) == 3 and all(len(row[2]) == 64 and row[8] == "A" for row in proofs)
    texts = [row[0].value for row in book["méthode"].iter_rows()]
    assert method.VERSION_LABEL in texts[0]
    for section in method.SECTIONS:
        assert {section.title, *section.paragraphs} <= set(texts)


def test_an_open_year_says_so(year):
    book = load(workbook(year.report()), values=True)
    assert book["synthèse"]["A2"].value == "Exercice 2026 ouvert, chiffres au 28/11/2026"


def test_rows_are_written_as_they_are_read(year, monkeypatch):
    """Constant memory: no row but the current one is kept by the writer."""
    kept = []
    flush = xlsxwriter.worksheet.Worksheet._write_single_row

    def counted(self, *arguments):
        kept.append(len(self.table))
        return flush(self, *arguments)

    monkeypatch.setattr(xlsxwriter.worksheet.Worksheet, "_write_single_row", counted)
    workbook(year.report())
    assert kept and max(kept) <= 1


def test_more_lines_than_a_sheet_holds_are_refused_in_a_sentence(year, monkeypatch):
    monkeypatch.setattr("savings.reports.xlsx._MOST_ROWS", 3)
    with pytest.raises(BusinessError, match="Un classeur ne tient pas plus de 3 lignes"):
        workbook(year.report())


ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""


def recalculated(content: bytes, folder) -> bytes:
    """The workbook opened by LibreOffice, every formula computed again whatever value stands beside it, and saved."""
    (folder / "profile" / "user").mkdir(parents=True, exist_ok=True)
    (folder / "profile" / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    source = folder / "report.xlsx"
    source.write_bytes(content)
    command = [shutil.which("soffice"), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    command += ["--norestore", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out")]
    subprocess.run([*command, str(source)], check=True, capture_output=True, timeout=180)
    return (folder / "out" / "report.xlsx").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice est absent (paquet libreoffice-calc)")
def test_the_totals_libreoffice_computes_are_ours_to_the_cent(year, tmp_path):
    report = year.report(by=("grouping", "member"))
    content = workbook(report)
    computed = load(recalculated(content, tmp_path), values=True)["synthèse"]
    columns, top = table(computed, "Groupement")
    names = {
        "baseline_budget": "Référence (€ HT)",
        "baseline_purchase": "Référence indexée (€ HT)",
        "obtained": "Obtenu (€ HT)",
        "budget_gain": "Gain budgétaire (€ HT)",
        "purchase_gain": "Gain achat (€ HT)",
    }
    rows = [(row, group.totals) for row, group in enumerate(report.groups, start=top + 1)]
    total = top + len(report.groups) + 2
    assert computed.cell(total, 1).value == "Ensemble"
    for row, sums in [*rows, (total, report.totals)]:
        for name, heading in names.items():
            assert cents(computed.cell(row, columns[heading]).value) == getattr(sums, name), (row, heading)
        rate = computed.cell(row, columns["Taux budgétaire"]).value
        assert round_half_up(Decimal(repr(rate)) * 100) == sums.budget_rate
    for heading in names.values():
        assert computed.cell(total + 1, columns[heading]).value == 0  # groups less all of them
    assert cents(computed["B4"].value) == report.totals.budget_gain
    assert cents(computed["B5"].value) == report.proven.budget_gain

    # It really computes: one price obtained changed by a hundred euros in the lines moves every total above it.
    book = load(content, values=False)
    headings = {cell.value: cell.column for cell in book["lignes"][1]}
    book["lignes"].cell(2, headings["Obtenu de l’exercice (€ HT)"]).value = 3500
    out = io.BytesIO()
    book.save(out)
    moved = load(recalculated(out.getvalue(), tmp_path), values=True)["synthèse"]
    assert cents(moved.cell(total, columns["Gain budgétaire (€ HT)"]).value) == Decimal("11830.00")
    assert cents(moved.cell(top + 1, columns["Gain budgétaire (€ HT)"]).value) == Decimal("1300.00")
