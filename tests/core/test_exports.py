"""Exports are judged by what a spreadsheet reads in them: re-read with csv and openpyxl, and imported again."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import openpyxl
import pytest
from djmoney.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.core import cell_parsers as parse
from procurement.core import imports
from procurement.core.documents.tabular import SPREADSHEET_ERRORS
from procurement.core.exports import (
    Column,
    clean_text,
    download_response,
    export_csv,
    export_response,
    export_xlsx,
    safe_filename,
    stream_csv,
)

COLUMNS = (
    Column("Membre", "organisation.name", width=40),
    Column("Montant (€ HT)", "amount", "euros"),
    Column("Population", "population", "integer"),
    Column("Vote", "voted_on", "date"),
    Column("Gain", "rate", "percent"),
    Column("Exécutoire", lambda row: row.voted_on is not None, "boolean"),
)


def row(name="Saint-Brès", amount=Decimal("-1234.565"), population=3462, voted_on=date(2026, 3, 9), rate="25.553"):
    return SimpleNamespace(
        organisation=SimpleNamespace(name=name),
        amount=amount,
        population=population,
        voted_on=voted_on,
        rate=None if rate is None else Decimal(rate),
    )


EMPTY = row("", None, None, None, None)


def sheet_of(data):
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]


def names_only(*names):
    return [Column("Nom", lambda name: name)], names


def test_csv_as_french_excel_wants_it():
    assert export_csv(COLUMNS, [row(), EMPTY]).decode("utf-8") == (
        "\ufeffMembre;Montant (€ HT);Population;Vote;Gain;Exécutoire\r\n"
        "Saint-Brès;-1234,57;3462;09/03/2026;25,55%;oui\r\n"
        ";;;;;non\r\n"
    )


def test_xlsx_holds_real_numbers_and_dates():
    sheet = sheet_of(export_xlsx(COLUMNS, [row(), EMPTY], title="Besoins 2026"))
    heading, first, second = sheet.iter_rows()
    assert [cell.value for cell in heading][:2] == ["Membre", "Montant (€ HT)"]
    assert [cell.value for cell in first[:3]] == ["Saint-Brès", -1234.57, 3462]
    assert first[3].value.date() == date(2026, 3, 9)
    assert [cell.value for cell in first[4:]] == [0.2555, "oui"]
    assert [cell.value for cell in second] == [None, None, None, None, None, "non"]
    assert [cell.data_type for cell in first] == ["s", "n", "n", "d", "n", "s"]
    assert first[1].number_format == '#,##0.00"\u00a0€"'
    assert first[3].number_format == "dd/mm/yyyy"
    assert sheet.title == "Besoins 2026"


def test_xlsx_is_ready_to_read_and_to_print():
    sheet = sheet_of(export_xlsx(COLUMNS, [row()] * 3, title="Besoins & lots"))
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F4"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0  # one page wide, as many as needed high
    assert round(sheet.column_dimensions["A"].width) == 41  # Excel adds the cell's margins
    assert "Besoins && lots" in sheet.oddHeader.left.text


def test_the_same_rows_give_the_same_bytes():
    made = [export_xlsx(COLUMNS, [row()], title="X", created_at=datetime(2026, 3, 9, 12, tzinfo=UTC)) for _ in "ab"]
    assert made[0] == made[1]
    assert export_xlsx(COLUMNS, [row()], title="X") == export_xlsx(COLUMNS, [row()], title="X")
    properties = openpyxl.load_workbook(io.BytesIO(made[0])).properties
    assert (properties.title, properties.created.isoformat()) == ("X", "2026-03-09T12:00:00")


def test_no_row_at_all():
    assert export_csv(COLUMNS, []).count(b"\r\n") == 1
    sheet = sheet_of(export_xlsx(COLUMNS, [], title=""))
    assert (sheet.max_row, sheet.title, sheet.auto_filter.ref) == (1, "Export", "A1:F1")


HOSTILE = ["=1+1", "+33", "-2", "@SUM(A1)", "  =1+1", "\t=1+1", "\r=1", "\u00a0=1", "'=1+1", "\uff1d1+1", "\n@x"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_never_a_formula(text):
    data = export_csv(*names_only(text)).decode("utf-8-sig")
    cell = list(csv.reader(io.StringIO(data, newline=""), delimiter=";"))[1][0]
    assert cell.startswith("'")
    sheet = sheet_of(export_xlsx(*names_only(text), title="X"))
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value == clean_text(text)


def test_xlsx_holds_no_formula_nor_link():
    data = export_xlsx(*names_only(*HOSTILE, "http://example.org", "mailto:a@b.fr", "file:///x", "{=1}"), title="X")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in xml
        assert b"hyperlink" not in xml
        assert not any("rels" in name for name in archive.namelist() if "worksheets" in name)


def test_negative_numbers_are_numbers_and_not_guarded_texts():
    assert b";-1234,57;" in export_csv(COLUMNS, [row()])


def test_texts_hold_no_control_character_and_fit_in_a_cell():
    assert clean_text("a\x00b\x1bc\td\r\ne\rf\x7f\ud800") == "abc d\ne\nf"
    assert len(clean_text("é" * 40_000)) == 32_767
    assert clean_text("é" * 40_000).endswith("é…")
    assert clean_text("é" * 32_767) == "é" * 32_767
    wide = clean_text("\U0001f600" * 20_000)  # two units each for Excel
    assert len(wide.encode("utf-16-le")) // 2 <= 32_767
    sheet = sheet_of(export_xlsx(*names_only("\x01" + "x" * 50_000), title="X"))
    assert len(sheet["A2"].value) == 32_767


def test_markup_and_lookalike_escapes_come_back_as_typed():
    texts = ["<b>&\"'</b>", "_x0041_", "a;b,c\td", 'dit "oui"']
    sheet = sheet_of(export_xlsx(*names_only(*texts), title="X"))
    with zipfile.ZipFile(io.BytesIO(export_xlsx(*names_only(*texts), title="X"))) as archive:
        # Excel reads _x005F_ as an underscore, so the text stays what it was.
        assert b"_x005F_x0041_" in archive.read("xl/worksheets/sheet1.xml")
    assert sheet["A2"].value == texts[0]
    assert sheet["A5"].value == texts[3]
    table = imports.read_table(io.BytesIO(export_xlsx(*names_only(*texts), title="X")), "x.xlsx")
    assert [cells for _, cells in table.rows] == [[text.replace("\t", " ")] for text in texts]


def test_money_and_instants():
    columns = [Column("Montant", "amount", "euros"), Column("Le", "at", "date")]
    # 23:30 in London on 31 December is already the new year in Paris.
    value = SimpleNamespace(amount=Money("0.00", "EUR"), at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert export_csv(columns, [value]).decode().splitlines()[1] == "0,00;01/01/2027"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("euros", 12.5), ("euros", "12,50"), ("percent", 0.5), ("integer", 1.0), ("integer", Decimal("1.5"))],
)
def test_a_float_never_reaches_a_file(kind, value):
    with pytest.raises(TypeError):
        export_csv([Column("X", lambda row: row, kind)], [value])


def test_dates_before_excel_are_texts():
    sheet = sheet_of(export_xlsx([Column("Le", lambda day: day, "date")], [date(1789, 7, 14)], title="X"))
    assert sheet["A2"].value == "14/07/1789"


def test_csv_is_streamed_by_pieces():
    pieces = list(stream_csv(*names_only(*["x" * 100] * 5_000)))
    assert len(pieces) > 5
    assert b"".join(pieces).count(b"\r\n") == 5_001


# A text that is a spreadsheet's error word is refused on import on purpose: in a file, it is an error.
names = (
    st.text(max_size=60)
    .map(lambda text: clean_text(text).strip())
    .filter(lambda text: parse.normalise(text) and text.upper() not in SPREADSHEET_ERRORS)
)
euros = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_what_is_exported_is_imported_again(file_format):
    @given(st.lists(st.tuples(names, euros, st.dates(date(1900, 3, 1), date(2199, 12, 31))), min_size=1, max_size=8))
    @settings(max_examples=40, deadline=None)
    def round_trip(rows):
        columns = [
            Column("Nom", lambda item: item[0]),
            Column("Montant", lambda item: item[1], "euros"),
            Column("Le", lambda item: item[2], "date"),
        ]
        response = export_response(file_format, columns, rows, title="Essai")
        table = imports.read_table(io.BytesIO(response.content), f"x.{file_format}")
        checked = imports.check(
            table,
            [
                imports.Column("name", "Nom", lambda cell: cell),
                imports.Column("amount", "Montant", parse.euros(negative=True)),
                imports.Column("on", "Le", parse.date),
            ],
        )
        assert checked.errors == []
        assert [tuple(item.values.values()) for item in checked.rows] == [
            (name.strip("\ufeff\u200b"), amount, day) for name, amount, day in rows
        ]

    round_trip()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Besoins 2026.xlsx", "Besoins 2026.xlsx"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"b\r\nSet-Cookie: x.csv', "a-bSet-Cookie- x.csv"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "export"),
        ("..", "export"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_safe_filename(name, safe):
    assert safe_filename(name) == safe


def test_download_headers():
    response = download_response(b"x", filename="Besoins d’été.csv", content_type="text/csv; charset=utf-8")
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Besoins%20d%E2%80%99%C3%A9t%C3%A9.csv"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert export_response("csv", COLUMNS, [], title="T")["Content-Type"] == "text/csv; charset=utf-8"
    xlsx = export_response("xlsx", COLUMNS, [row()], title="T", filename="besoins")
    assert xlsx["Content-Disposition"] == 'attachment; filename="besoins.xlsx"'
    assert xlsx["Content-Type"].startswith("application/vnd.openxmlformats")
    with pytest.raises(ValueError, match="csv ou en xlsx"):
        export_response("pdf", COLUMNS, [], title="T")
