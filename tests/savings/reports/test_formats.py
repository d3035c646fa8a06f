"""The csv and its published schema, the PDF, equal totals in every format, and the command that writes them."""

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdf
import pytest
from django.core.management import CommandError, call_command
from frictionless import Detector, Dialect, Resource, Schema
from frictionless.formats import CsvControl

from savings.models import PriceLine
from savings.reports import method, render
from savings.reports.columns import LINE_COLUMNS
from savings.reports.csv import write_csv
from savings.reports.pdf import write_pdf
from tests.support.factories import make_metropole

pytestmark = pytest.mark.django_db

SCHEMA = Path(__file__).parents[3] / "docs" / "schemas" / "savings-lines.json"


def written(write, report) -> bytes:
    out = io.BytesIO()
    write(report, out)
    return out.getvalue()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def test_the_csv_is_the_one_its_schema_describes(year, tmp_path):
    content = written(write_csv, year.report())
    assert content.startswith(b"\xef\xbb\xbfligne;nature;")
    fields = json.loads(SCHEMA.read_text(encoding="utf-8"))["fields"]
    assert [field["name"] for field in fields] == [column.name for column in LINE_COLUMNS]
    (tmp_path / "lignes.csv").write_bytes(content)

    def resource():
        return Resource(
            path="lignes.csv",
            basepath=str(tmp_path),
            schema=Schema.from_descriptor(json.loads(SCHEMA.read_text(encoding="utf-8"))),
            encoding="utf-8-sig",
            dialect=Dialect(controls=[CsvControl(delimiter=";")]),
            detector=Detector(schema_sync=False),
        )

    report = resource().validate()
    assert report.flatten(["fieldName", "message"]) == []
    spoilt = content.replace("Notifié".encode(), b"Tous")
    (tmp_path / "lignes.csv").write_bytes(spoilt)
    assert not resource().validate().valid


def test_the_csv_keeps_exact_values_and_no_formula(year):
    rows = rows_of(written(write_csv, year.report()))
    assert [row["gain_budgetaire_ht"] for row in rows] == ["1200,00", "540,00", "-10,00", "10000,00"]
    assert rows[3]["designation"] == "'=1+1 gaz" and rows[3]["coefficient_indexation"] == "1,08"
    assert rows[3]["preuve"] == "" and rows[0]["preuve"] == "facture.pdf"


def text_of(content: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_the_pdf_says_first_what_is_asked_first(year):
    content = written(write_pdf, year.report())
    assert content == written(write_pdf, year.report())
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert 2 <= len(reader.pages) <= 4
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    assert reader.metadata.title == "Gains 2026, stade «\u00a0Notifié\u00a0» – Métropole d’essai"
    text = text_of(content)
    places = [
        text.index(words)
        for words in (
            "Exercice 2026 ouvert",
            "11 730,00 € HT",
            "dont 1 730,00 € de fiabilité A et B",
            "27 730,00 € HT",
            "Soit 5,67 % d’une référence de 206 770,00 € HT",
            "2 lots mesurés sur 4",
            "GC-1 – Papier",
            "Ensemble",
            "Pertes",
            "Lots non mesurés",
            method.TITLE,
        )
    ]
    assert places == sorted(places)
    assert "25,55 %" in text and "18,49" not in text
    assert f"Page 1 / {len(reader.pages)}" in text and "Version 1.0 du 28/11/2026" in text


def test_a_pdf_of_many_groups_still_adds_up(year, monkeypatch):
    monkeypatch.setattr("savings.reports.pdf.GROUPS_LISTED", 1)
    text = text_of(written(write_pdf, year.report(by=("grouping", "member"))))
    assert "3 autres, dans le classeur" in text and "10 530,00 €" in text  # 540 − 10 + 10 000


def test_every_format_has_the_same_totals(year, tmp_path):
    for extension in render.FORMATS:
        call(extension, tmp_path / f"r.{extension}")
    read = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    rows = rows_of((tmp_path / "r.csv").read_bytes())
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx", data_only=True)["synthèse"]
    text = text_of((tmp_path / "r.pdf").read_bytes())
    assert read["totals"]["budget_gain"] == "11730.00" == str(sum(amount(row["gain_budgetaire_ht"]) for row in rows))
    assert read["totals"]["purchase_gain"] == "27730.00" == str(sum(amount(row["gain_achat_ht"]) for row in rows))
    assert (sheet["B4"].value, sheet["B6"].value) == (11730, 27730)
    assert "11 730,00 €" in text and "27 730,00 €" in text


def call(file_format: str, out, **options) -> str:
    stdout = io.StringIO()
    options.setdefault("year", 2026)
    call_command("savings_report", format=file_format, out=out, stdout=stdout, **options)
    return stdout.getvalue()


def test_the_command_says_what_it_wrote(year, tmp_path):
    told = call("csv", tmp_path / "gains.csv", by="member,family", stage="notifié")
    assert told.strip() == (
        f"Gains 2026, stade «\u00a0Notifié\u00a0», 4 lignes, dans {tmp_path / 'gains.csv'}. "
        "Exercice 2026 ouvert, chiffres au " + told.strip()[-11:]
    )
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["gains.csv"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"year": 2031}, "Aucun gain validé en 2031 au stade «\u00a0Notifié\u00a0»"),
        ({"year": 26}, "26 n’est pas un exercice"),
        ({"stage": "tous"}, "«\u00a0tous\u00a0» n’est pas un stade"),
        ({"by": "commune"}, "«\u00a0commune\u00a0» n’est pas un regroupement"),
        ({"territory": "000000000"}, "000000000"),
    ],
)
def test_a_refused_report_leaves_the_former_file(year, tmp_path, options, sentence):
    out = tmp_path / "gains.json"
    out.write_text("ancien", encoding="utf-8")
    with pytest.raises(CommandError, match=sentence):
        call("json", out, **options)
    assert out.read_text(encoding="utf-8") == "ancien"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["gains.json"]


def test_a_report_that_fails_on_the_way_leaves_the_former_file(year, tmp_path, monkeypatch):
    def broken(report, out):
        out.write(b"la moiti")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(render.FORMATS, "csv", render.Format("CSV", "text/csv", broken))
    (tmp_path / "gains.csv").write_text("ancien", encoding="utf-8")
    with pytest.raises(CommandError, match="le disque est plein"):
        call("csv", tmp_path / "gains.csv")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir() if path.is_file()] == [("gains.csv", "ancien")]


def test_where_the_file_goes_is_checked_first(year, tmp_path):
    with pytest.raises(CommandError, match="est un dossier"):
        call("csv", tmp_path)
    with pytest.raises(CommandError, match="son dossier n’existe pas"):
        call("csv", tmp_path / "absent" / "gains.csv")
    with pytest.raises(CommandError, match="Un XLSX s’écrit dans un fichier"):
        call("xlsx", "-")


def test_two_territories_ask_which(year, tmp_path):
    other = make_metropole()
    with pytest.raises(CommandError, match="plusieurs territoires"):
        call("csv", tmp_path / "gains.csv")
    call("csv", tmp_path / "gains.csv", territory=year.metropole.siren)
    with pytest.raises(CommandError, match="Aucun gain validé"):
        call("csv", tmp_path / "gains.csv", territory=other.siren)


def test_json_on_the_standard_output(year, capfdbinary):
    call_command("savings_report", year=2026, format="json", out="-")
    assert json.loads(capfdbinary.readouterr().out)["totals"]["budget_gain"] == "11730.00"


def test_only_validated_lines_count(year):
    line = PriceLine.objects.get(baseline__membership__organisation=year.bodies[1])
    PriceLine.objects.create(
        baseline=line.baseline,
        stage="ESTIMATED",
        quantity=1,
        price_before=Decimal("100"),
        price_obtained=Decimal("1"),
        entered_label="Acheteur",
    )
    assert len(rows_of(written(write_csv, year.report()))) == 4
