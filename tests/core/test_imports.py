"""The import engine against files as people send them, and against files nobody should send."""

import datetime as dt
import io
import struct
import zipfile
from decimal import Decimal

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from procurement.core import cell_parsers as parse
from procurement.core.imports import Column, ImportRefused, check, read_table

COLUMNS = (
    Column("siren", "SIREN", parse.siren),
    Column("name", "Nom", parse.text(20)),
    Column("amount", "Montant estimé (€ HT)", parse.euros(), aliases=("montant",)),
    Column("on", "Date", parse.date, required=False),
)
HEADER = "SIREN;Nom;Montant;Date\n"
GOOD = "213401722;Montpellier;1 234,56 €;31/12/2026\n"
ROW = {"siren": "213401722", "name": "Montpellier", "amount": Decimal("1234.56"), "on": dt.date(2026, 12, 31)}


def read(content, name="fichier.csv", **options):
    data = content.encode() if isinstance(content, str) else content
    return read_table(io.BytesIO(data), name, **options)


def run(content, name="fichier.csv", columns=COLUMNS):
    return check(read(content, name), columns)


def told(checked):
    return [(error.line, error.column, error.message) for error in checked.errors]


def workbook(*rows, sheet="Feuille 1"):
    buffer = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def rewritten(data, **members):
    """The workbook ``data`` with some members of its zip replaced (None removes): keys are the ends of their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            key = info.filename.rsplit("/", 1)[-1].split(".")[0]
            content = members.get(key, source.read(info))
            if content is not None:
                target.writestr(info.filename, content)
    return buffer.getvalue()


def sheet_xml(body, before=""):
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{space}">{body}</worksheet>'.encode()


# --- csv as spreadsheets write it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_usual_csv(separator, encoding, line_end):
    text = line_end.join(
        (
            separator.join(("SIREN", "Nom", "Montant estimé (€ HT)", "Date")),
            separator.join(("213401722", "Saint-Brès", '"1234,56"', "2026-12-31")),
        )
    )
    checked = run(text.encode(encoding))
    assert told(checked) == []
    assert [row.values for row in checked.rows] == [ROW | {"name": "Saint-Brès"}]


def test_headings_by_name_label_or_alias_whatever_case_and_accents():
    for headings in ("siren;name;amount;on", "SIREN;NOM;montant ESTIME € ht;date", "Siren ;nom;Montant;"):
        assert run(f"{headings}\n213401722;Montpellier;1234.56\n").rows[0]["amount"] == Decimal("1234.56")


def test_a_column_that_is_not_required_may_be_missing_or_empty():
    missing = run("SIREN;Nom;Montant\n213401722;X;1\n")
    empty = run("SIREN;Nom;Montant;Date\n213401722;X;1;\n")
    assert missing.rows[0]["on"] is None is empty.rows[0]["on"]
    assert "on" not in missing.columns
    assert "on" in empty.columns


def test_the_separator_hint_of_excel_is_not_a_line():
    checked = run("sep=|\r\nSIREN|Nom|Montant\r\n213401722|X|abc\r\n")
    assert [error.line for error in checked.errors] == [2]


def test_lines_are_those_of_the_spreadsheet():
    """A cell of three lines is one row; blank rows count, and are skipped."""
    content = HEADER + '213401722;"a\nb\r\nc";1;\n\n;;;\n213401722;Pignan;-1;\n'
    checked = run(content)
    assert [(line, column) for line, column, _ in told(checked)] == [(2, "Nom"), (5, "Montant")]


def test_blank_lines_before_the_header():
    assert [error.line for error in run("\n\n" + HEADER + GOOD.replace("1 234,56", "x")).errors] == [4]


def test_quotes_and_separators_inside_cells():
    assert run(HEADER + '213401722;"A ""b""; c";"1,00";\n').rows[0]["name"] == 'A "b"; c'


def test_a_text_guarded_by_the_export_comes_back():
    assert run(HEADER + "213401722;'=1+1;1;\n").rows[0]["name"] == "=1+1"
    assert run(HEADER + "213401722;'s-Graven;1;\n").rows[0]["name"] == "'s-Graven"


# --- headers ----------------------------------------------------------------------------------------------------------


def test_missing_unknown_and_repeated_headings_are_each_named():
    checked = run("siren;SIREN;Couleur;\n213401722;213401722;vert;x\n")
    assert told(checked) == [
        (1, "SIREN", "Cette colonne répète la colonne n° 1."),
        (1, "Couleur", "Cette colonne n’est pas prévue\u00a0: retirez-la."),
        (1, "Nom", "Cette colonne manque (titre accepté\u00a0: name)."),
        (1, "Montant estimé (€ HT)", "Cette colonne manque (titre accepté\u00a0: amount)."),
    ]
    assert checked.rows == []


def test_a_column_without_heading_that_holds_something():
    assert [error.message for error in run("SIREN;;Nom;Montant\n213401722;x;Y;1\n").errors] == [
        "La colonne n° 2 n’a pas de titre."
    ]
    assert [str(error) for error in run(HEADER + "213401722;X;1;;;surplus\n").errors] == [
        "fichier.csv, ligne 2\u00a0: «\u00a0surplus\u00a0» est dans une colonne sans titre."
    ]


# --- every error of every row -----------------------------------------------------------------------------------------


def test_every_error_of_every_row_with_line_and_column():
    checked = run(
        HEADER + "213401723;;12,345;31/02/2026\n" + GOOD + "12;Un nom de plus de vingt caractères;-5;31/12/26\n"
    )
    assert [(line, column) for line, column, _ in told(checked)] == [
        (2, "SIREN"),
        (2, "Nom"),
        (2, "Montant"),
        (2, "Date"),
        (4, "SIREN"),
        (4, "Nom"),
        (4, "Montant"),
        (4, "Date"),
    ]
    messages = [message for _, _, message in told(checked)]
    for message, part in zip(
        messages,
        [
            "sa clé",
            "est vide",
            "ambigu",
            "n’existe pas",
            "neuf chiffres",
            "34 caractères",
            "négatif",
            "n’est pas une date",
        ],
        strict=True,
    ):
        assert part in message
    assert [row.line for row in checked.rows] == [3]
    with pytest.raises(ImportRefused) as refused:
        checked.raise_if_refused()
    assert len(refused.value.errors) == 8
    assert "8 erreurs sont à corriger" in str(refused.value)
    assert "Et 3 autres." in str(refused.value)
    assert "fichier.csv, ligne 2, colonne «\u00a0SIREN\u00a0»\u00a0: " in str(refused.value)


def test_repeated_rows_are_named_with_the_first_one():
    checked = run(HEADER + GOOD + GOOD.replace("Mont", "Font") + GOOD)
    checked.refuse_repeats("siren")
    assert told(checked) == [
        (3, "SIREN", "Cette ligne répète la ligne 2."),
        (4, "SIREN", "Cette ligne répète la ligne 2."),
    ]


@pytest.mark.parametrize("error", ["#DIV/0!", "#N/A", "#REF!", "#VALEUR!", "#NOM?"])
def test_spreadsheet_errors_are_told_as_such(error):
    (only,) = run(HEADER + f"213401722;{error};1;\n").errors
    assert (only.line, only.column) == (2, "Nom")
    assert f"l’erreur {error}" in only.message


# --- files refused as a whole -----------------------------------------------------------------------------------------

XLSX = workbook(["SIREN", "Nom", "Montant"], ["213401722", "Montpellier", 1234.56])
BOMB = rewritten(XLSX, sheet1=sheet_xml("<sheetData/>" + " " * 30_000_000))
HUGE = rewritten(XLSX, sheet1=sheet_xml("<sheetData/>" + " " * 70_000_000))
ENTITIES = rewritten(
    XLSX,
    sheet1=sheet_xml(
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ),
)
EXTERNAL = rewritten(
    XLSX,
    sheet1=sheet_xml(
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData>',
        '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    ),
)


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def lying_size():
    """A member that declares 10 bytes and holds 30 MB: nothing beyond what it declares is read."""
    data = bytearray(BOMB)
    real = zipfile.ZipFile(io.BytesIO(BOMB)).getinfo("xl/worksheets/sheet1.xml").file_size
    packed = struct.pack("<L", real)
    while (at := data.find(packed)) >= 0:
        data[at : at + 4] = struct.pack("<L", 10)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.csv", b"", "est vide"),
        ("x.csv", b"\xef\xbb\xbf", "est vide"),
        ("x.csv", b" \r\n;;\n", "est vide"),
        ("x.csv", HEADER.encode(), "qu’une ligne d’en-tête"),
        ("x.xlsx", workbook(), "est vide"),
        ("x.xlsx", workbook(["SIREN", "Nom"]), "qu’une ligne d’en-tête"),
        ("x.csv", (HEADER + '213401722;"Montpell').encode(), "un guillemet n’est pas fermé correctement à la ligne 2"),
        (
            "x.csv",
            (HEADER + GOOD + '213401722;"a"b;1;').encode(),
            "fermé correctement à la ligne 3",
        ),
        ("x.csv", (HEADER + GOOD).encode()[:-20] + b"\0" * 20, "caractère illisible (nul) à la ligne 2"),
        ("x.csv", (HEADER + GOOD).encode("utf-16-le"), "caractère illisible (nul)"),
        ("x.csv", (HEADER + GOOD).encode("utf-16")[:-1], "est tronqué"),
        ("x.csv", "Nom\nBrès\nVédas ".encode() + "é\n".encode("cp1252"), "mélange deux encodages"),
        ("x.csv", "Nom\nSaint-Brès".encode() + b"\xc3", "tronqué (ligne 2)"),
        ("x.csv", b"Nom\nabc\x81\x8d\n", "encodage du fichier n’est pas reconnu"),
        ("x.csv", XLSX, "renommé en .csv"),
        ("x.csv", b"%PDF-1.7\n...", "c’est un PDF"),
        ("x.xlsx", b"%PDF-1.7\n...", "c’est un PDF"),
        ("x.xlsx", b"\x89PNG\r\n\x1a\n....", "c’est une image"),
        ("x.csv", b"MZ\x90\x00", "c’est un programme"),
        ("x.csv", b"\x7fELF\x02", "c’est un programme"),
        ("x.csv", b"  <!DOCTYPE html><table>", "page web"),
        ("x.xlsx", b"<html><table>", "page web"),
        ("x.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "ancien format .xls"),
        ("x.xlsx", HEADER.encode(), "n’est pas un classeur"),
        ("x.xlsx", zipped(readme="x"), "n’est pas un classeur"),
        ("x.xlsx", b"PK\x03\x04", "tronqué ou abîmé"),
        ("x.xlsx", XLSX[:-200], "tronqué ou abîmé"),
        ("x.xlsx", XLSX[: len(XLSX) // 2], "tronqué ou abîmé"),
        ("x.xlsx", rewritten(XLSX, sheet1=b"<worksheet><sheetData><row>"), "tronqué ou abîmé"),
        ("x.xlsx", rewritten(XLSX, sheet1=None), "aucune feuille visible"),
        ("x.xlsx", rewritten(XLSX, workbook=b""), "tronqué ou abîmé"),
        ("x.xlsx", BOMB, "démesuré"),
        ("x.xlsx", HUGE, "démesuré"),
        ("x.xlsx", lying_size(), "tronqué ou abîmé"),
        ("x.xlsx", ENTITIES, "tronqué ou abîmé"),
        ("x.xlsx", EXTERNAL, "tronqué ou abîmé"),
        ("x.xls", b"x", "Seuls les fichiers .csv et .xlsx"),
        ("x", b"a;b", "Seuls les fichiers .csv et .xlsx"),
        ("x.csv", (";".join("abcdefghij" * 11) + "\n").encode() * 2, "plus de 100 colonnes"),
    ],
)
def test_refused_as_a_whole_with_one_sentence(name, data, message):
    with pytest.raises(ImportRefused) as refused:
        read(data, name)
    assert len(refused.value.errors) == 1
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"{name}\u00a0: ")
    assert str(refused.value).endswith(".")


def test_size_and_row_limits():
    with pytest.raises(ImportRefused, match="dépasse 1 Mo"):
        read(b"a;b\n" * 300_000, max_bytes=1024 * 1024)
    assert len(read("a\n" + "1\n" * 5, max_rows=5).rows) == 5
    for content, name in (("a\n" + "1\n" * 6, "x.csv"), (workbook(["a"], *[[1]] * 6), "x.xlsx")):
        with pytest.raises(ImportRefused, match="plus de 5 lignes"):
            read(content, name, max_rows=5)


def test_a_path_is_read_too_and_only_its_name_is_told(tmp_path):
    path = tmp_path / "besoins.csv"
    path.write_text(HEADER + GOOD, encoding="utf-8")
    assert read_table(path).filename == "besoins.csv"
    assert read("a\n1\n", "../../etc/passwd.csv").filename == "passwd.csv"


# --- workbooks --------------------------------------------------------------------------------------------------------


def test_a_workbook_gives_exact_numbers_and_real_dates():
    data = workbook(
        ["SIREN", "Nom", "Montant", "Date"],
        [213401722, "Montpellier", 1234.56, dt.date(2026, 12, 31)],
        ["213 401 722", 34172, 0.1 + 0.2, "31/12/2026"],  # Excel shows 0.3
        [213401722, "x", 12.345, dt.datetime(2026, 12, 31, 15, 30)],  # noqa: DTZ001 a workbook knows no time zone
        [213401722, "x", True, 46387],
    )
    checked = run(data, "x.xlsx")
    assert checked.rows[0].values == ROW
    assert checked.rows[1].values == ROW | {"name": "34172", "amount": Decimal("0.30")}
    assert [(error.line, error.column) for error in checked.errors] == [
        (4, "Montant"),
        (4, "Date"),
        (5, "Montant"),
        (5, "Date"),
    ]
    assert "plus de deux décimales" in checked.errors[0].message
    assert "porte une heure" in checked.errors[1].message


def test_only_the_first_visible_sheet_is_read():
    book = openpyxl.Workbook()
    book.active.append(["caché"])
    book.active.sheet_state = "hidden"
    visible = book.create_sheet("Besoins")
    visible.append(["Nom"])
    visible.append(["Pignan"])
    buffer = io.BytesIO()
    book.save(buffer)
    table = read(buffer.getvalue(), "x.xlsx")
    assert (table.headings, table.rows) == (["Nom"], [(2, ["Pignan"])])


def test_values_are_read_and_not_formulas():
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Nom", "Montant"])
    sheet.write_string(1, 0, "=1+1")
    sheet.write_formula(1, 1, "=40+2", None, 42)
    sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    book.close()
    assert read(buffer.getvalue(), "x.xlsx").rows == [(2, ["=1+1", Decimal(42)]), (3, [None, "#DIV/0!"])]


def test_a_formula_whose_result_is_the_empty_text_is_an_empty_cell():
    cells = '<c r="A2" t="str"><f>""</f><v></v></c><c r="B2"><v>7</v></c>'
    body = f'<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2">{cells}</row></sheetData>'
    assert read(rewritten(XLSX, sheet1=sheet_xml(body)), "x.xlsx").rows == [(2, [None, Decimal(7)])]


def test_a_formula_never_computed_is_refused_rather_than_read_as_empty():
    with pytest.raises(ImportRefused, match=r"résultat n’est pas enregistré \(cellule B2\)"):
        read(workbook(["Nom", "Montant"], ["Pignan", "=40+2"]), "x.xlsx")


def test_a_sheet_that_claims_a_million_rows_is_read_for_what_it_holds():
    body = (
        '<dimension ref="A1:XFD1048576"/><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Nom</t></is></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><t>Pignan</t></is></c><c r="XFD3"/></row>'
        '<row r="1048576"><c r="A1048576" s="0"/></row></sheetData>'
    )
    table = read(rewritten(XLSX, sheet1=sheet_xml(body)), "x.xlsx")
    assert table.rows == [(3, ["Pignan"])]


def test_a_sheet_that_claims_one_cell_is_read_whole():
    body = '<dimension ref="A1"/><sheetData>' + "".join(f'<row r="{n}"><c><v>{n}</v></c></row>' for n in (1, 2, 3))
    table = read(rewritten(XLSX, sheet1=sheet_xml(body + "</sheetData>")), "x.xlsx")
    assert table.rows == [(2, [Decimal(2)]), (3, [Decimal(3)])]


def test_numbers_are_those_the_spreadsheet_shows():
    """Excel keeps 17 digits and shows 15: =0,1+0,2 is 0,3 on screen."""
    stored = ["0.30000000000000004", "1234.5599999999999", "12.345", "1E+3", "21340172200011", "-0.5"]
    cells = "".join(f"<c><v>{number}</v></c>" for number in stored)
    body = f'<sheetData><row r="1"><c><v>1</v></c></row><row r="2">{cells}</row></sheetData>'
    ((_, numbers),) = read(rewritten(XLSX, sheet1=sheet_xml(body)), "x.xlsx").rows
    assert list(map(str, numbers)) == ["0.3", "1234.56", "12.345", "1000", "21340172200011", "-0.5"]


@pytest.mark.parametrize("rows", ['<row r="5"/><row r="3"/>', '<row r="2"/><row r="2"/>', '<row r="99999999999"/>'])
def test_rows_out_of_order_are_refused_rather_than_dropped(rows):
    with pytest.raises(ImportRefused, match="tronqué ou abîmé"):
        read(rewritten(XLSX, sheet1=sheet_xml(f"<sheetData>{rows}</sheetData>")), "x.xlsx")


def test_twenty_thousand_rows():
    line = "213401722;Montpellier;1234,56;31/12/2026\n"
    checked = run(HEADER + line * 20_000)
    assert len(checked.rows) == 20_000


@given(st.binary(max_size=400), st.sampled_from(["x.csv", "x.xlsx"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_table_or_a_sentence(data, name):
    try:
        assert read(data, name).rows
    except ImportRefused as refused:
        assert str(refused).endswith(".")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_workbook_gives_a_table_or_a_sentence(data):
    damaged = bytearray(XLSX)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(XLSX) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(damaged), "x.xlsx")
    except ImportRefused as refused:
        assert str(refused).endswith(".")
