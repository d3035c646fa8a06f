"""The bilan of 2016 as the demonstration tells it, frozen; the next sheet takes up its texts."""

import io
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from docx import Document
from pypdf import PdfReader

from groupings.demonstration.load import load
from groupings.models import Grouping, Meeting
from members.models import Affiliation
from members.roles import Role
from procurement.core.errors import BusinessError
from savings.actions.sheet import sheet_freeze, sheet_open, sheet_save
from savings.demonstration.load import load_bilan
from savings.models import AnnualSheet
from savings.sheet import digest, figure_lines, figures_of, gain_sentences
from savings.sheet_print import content_of

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
#: The fiche « Action existante 5 » of the bilan, heading by heading.
HEADINGS = (
    "1 - Le projet",
    "Thème de rattachement de la coopération / mutualisation",
    "Rappel des objectifs",
    "Résultats attendus",
    "2 - La mise en œuvre",
    "3 - Le niveau d’avancement de l’action",
    "Nombre de communes",
    "Nombre d’acteurs associés",
    "Montants estimatifs",
    "Nombre de réunions",
    "Nombre de groupements d’achats",
    "Points forts identifiés de l’action / amélioration notable constatée",
    "Difficultés rencontrées",
    "4 - Les perspectives",
    "Résultats à venir",
    "Axes d’amélioration et perspectives",
)


@pytest.fixture(scope="module")
def bilan(django_db_setup, django_db_blocker):
    """The demonstration, loaded once for the tests that ask for it."""
    from django.db import connection, transaction

    with django_db_blocker.unblock(), transaction.atomic():
        load(today=TODAY)
        load_bilan(now=NOW)
        yield
        transaction.set_rollback(True, using=connection.alias)


@pytest.fixture
def sheet_2016(bilan, db):
    return AnnualSheet.objects.select_related("territory").get(year=2016)


def plain(text: str) -> str:
    return " ".join(text.split())


def words_of(content: bytes) -> str:
    """Everything a Word file says, in its order."""
    document = Document(io.BytesIO(content))
    said = []
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            said += [cell.text for row in block.rows for cell in row.cells]
        else:
            said.append(block.text)
    return plain(" ".join(said))


def command(tmp_path, year, extension, **options) -> bytes:
    out = tmp_path / f"fiche.{extension}"
    call_command("annual_sheet", str(year), format=extension, out=out, **options)
    return out.read_bytes()


# 2016


def test_2016_is_the_bilan_to_the_letter(sheet_2016):
    """Bilan d’étape 2016, action existante 5."""
    figures = dict(figure_lines(sheet_2016.figures))
    assert figures["Nombre de communes"] == "23"
    assert figures["Nombre d’acteurs associés"] == "27 (métropole, 23 communes, 3 CCAS)"
    assert plain(figures["Montants estimatifs"]) == "21 214 690 € HT"
    assert figures["Nombre de réunions"] == "4"
    groupings = figures["Nombre de groupements d’achats"]
    assert groupings.startswith("16 (fourniture de carburants, ")
    assert groupings.endswith(") impliquant de 7 à 18 participants")
    phases = ["1", "2", "2", "3", "3", "3", "3", "3", "3", "4", "4", "4", "4", "4", "4", "4", "4"]
    assert [str(phase) for _, phase in content_of(sheet_2016).quarters] == phases
    assert sheet_2016.is_frozen and sheet_2016.sha256 == digest(sheet_2016)


def test_the_percentage_of_2016_is_said_not_to_come_from_the_ledger(sheet_2016):
    said = gain_sentences(sheet_2016, sheet_2016.figures)
    assert said[0] == "Aucun gain n’est validé pour 2016 dans le registre des économies."
    assert said[-1].startswith("Les pourcentages cités dans les textes")


@pytest.mark.parametrize("extension", ["docx", "pdf"])
def test_the_headings_come_in_the_order_of_the_bilan(sheet_2016, tmp_path, extension):
    content = command(tmp_path, 2016, extension)
    if extension == "docx":
        text = words_of(content)
    else:
        reader = PdfReader(io.BytesIO(content))
        text = plain(" ".join(page.extract_text() for page in reader.pages))
        assert len(reader.pages) == 1
    if extension == "docx":  # the cells of a PDF row are read line by line
        start = 0
        for heading in HEADINGS:
            start = text.index(heading, start)
        assert "27 (métropole, 23 communes, 3 CCAS)" in text and "21 214 690 € HT" in text
        assert "Sécuriser les procédures d’achat" in text and "Trim. 4 2015" in text
    sections = [heading for heading in HEADINGS if heading[0].isdigit()]
    assert sorted(sections, key=text.index) == sections
    assert "PROJET" not in text
    assert f"Chiffres arrêtés au 28/11/2026. Empreinte SHA-256 : {sheet_2016.sha256}" in text


def test_a_frozen_sheet_gives_the_same_bytes_whenever_it_is_asked_for(sheet_2016, tmp_path, monkeypatch):
    first = {extension: command(tmp_path, 2016, extension) for extension in ("docx", "pdf")}
    sheet_2016.territory.name = "Autre nom"
    sheet_2016.territory.save()
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2031, 2, 3, tzinfo=UTC))
    assert {extension: command(tmp_path, 2016, extension) for extension in first} == first


def test_frozen_figures_do_not_move_when_a_grouping_changes(sheet_2016):
    before, grouping = sheet_2016.figures, Grouping.objects.get(reference="GC-2016-01")
    Meeting.objects.create(grouping=grouping, held_on=date(2016, 12, 31), subject="Oubliée")
    grouping.memberships.first().needs.all().delete()
    Grouping.objects.filter(pk=grouping.pk).update(status="cancelled")
    assert figures_of(sheet_2016.territory, 2016)["groupings"] == 15
    stored = AnnualSheet.objects.get(pk=sheet_2016.pk)
    assert stored.figures == before
    assert dict(content_of(stored).figures)["Nombre de réunions"] == "4"


def test_the_next_sheet_begins_with_the_texts_of_the_latest(sheet_2016):
    buyer = Affiliation.objects.get(role=Role.BUYER)
    sheet = sheet_open(territory=sheet_2016.territory, year=2018, actor=buyer, today=TODAY)
    assert sheet.texts == sheet_2016.texts | {"taken_from": "2016"}
    assert sheet.calendar == {"2017-T4": 3} | {f"{y}-T{q}": 4 for y in (2018, 2019) for q in range(1, 5)}
    finance = Affiliation.objects.get(role=Role.FINANCE)
    with pytest.raises(BusinessError, match="encore ceux de 2016"):
        sheet_freeze(sheet=sheet, actor=finance, now=NOW, expected_version=1)
    read_again = sheet_save(sheet=sheet, texts=sheet.texts, calendar=sheet.calendar, actor=buyer, expected_version=1)
    assert "taken_from" not in read_again.texts and read_again.version == 2
    assert read_again.texts == sheet_2016.texts
    assert sheet_freeze(sheet=read_again, actor=finance, now=NOW, expected_version=2).is_frozen
