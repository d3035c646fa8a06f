"""The annual sheet: the bilan's headings and figures, texts kept from last year, figures frozen for good."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from docx import Document
from pypdf import PdfReader

from groupings.models import Meeting
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from savings.actions.sheet import sheet_freeze, sheet_open, sheet_save
from savings.models import AnnualSheet
from savings.sheet import figure_lines, figures_of, gain_sentences, quarters
from tests.support.contracts import make_scene
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
)
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


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


# The life of a sheet


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture
def sheet(scene):
    return sheet_open(territory=scene.metropole, year=2026, actor=scene.buyer, today=TODAY)


@pytest.fixture
def finance(scene):
    return make_affiliation(scene.metropole, Role.FINANCE)


def test_twice_opened_is_once_and_no_year_to_come_nor_empty(scene, sheet):
    again = sheet_open(territory=scene.metropole, year=2026, actor=scene.buyer, today=TODAY)
    assert again.pk == sheet.pk
    for year, sentence in ((2027, "n’est pas commencée"), (2010, "Aucun groupement"), (26, "quatre chiffres")):
        with pytest.raises(BusinessError, match=sentence):
            sheet_open(territory=scene.metropole, year=year, actor=scene.buyer, today=TODAY)
    assert AnnualSheet.objects.count() == 1


def test_the_gains_of_the_year_with_their_base_and_coverage(scene, sheet):
    """domain.md §8: 1 200.00 + 540.00 − 10.00 = 1 730.00 of 6 770.00, 25.55 %; never the mean 18.49 %."""
    for membership, price, quantity, grade in (
        (scene.own, "4.80", "1000", "A"),
        (scene.membership, "5.40", "300", "A"),
        (scene.other, "3.50", "100", "D"),
    ):
        method = "HISTORIC_PRICE" if grade == "A" else "BUDGET_ESTIMATE"
        make_line(make_baseline(membership, scene.award.lot, price, quantity, grade=grade, method=method))
    gains = figures_of(scene.metropole, 2026)["gains"]
    assert (gains["budget_gain"], gains["baseline_budget"]) == ("1730.00", "6770.00")
    assert gains["budget_gain_proven"] == "1740.00"  # without the loss of 10.00, graded D
    assert (gains["lines"], gains["lots_measured"], gains["lots"]) == (3, 1, 2)
    said = plain(" ".join(gain_sentences(sheet, figures_of(scene.metropole, 2026))))
    assert "1 730,00 € HT" in said and "25,55 % d’une référence de 6 770,00 € HT" in said
    assert "1 lot mesuré sur 2 en vigueur dans l’année." in said and "non verrouillé" in said
    assert "18,49" not in said


def test_a_meeting_counts_in_its_civil_year_and_once_for_several_groupings(scene):
    second = make_grouping(scene.metropole, opened_on=date(2023, 1, 1))
    for grouping, day, subject in (
        (scene.grouping, date(2024, 2, 29), "Plénière"),
        (second, date(2024, 2, 29), "plénière "),
        (second, date(2024, 12, 31), "Clôture"),
        (second, date(2025, 1, 1), "Vœux"),
        (second, date(2023, 12, 31), "Fin d’année"),
    ):
        Meeting.objects.create(grouping=grouping, held_on=day, subject=subject)
    assert figures_of(scene.metropole, 2024)["meetings"] == 2
    assert figures_of(scene.metropole, 2025)["meetings"] == 1


def test_a_grouping_counts_from_its_first_day_to_its_last():
    metropole = make_metropole()
    first = make_grouping(metropole, opened_on=date(2024, 12, 31), closed_on=date(2026, 1, 1))
    make_grouping(metropole, opened_on=date(2024, 1, 1), is_declared_only=True)
    make_need(make_membership(first, metropole), make_lot(first), "1234.50")
    told = {year: figures_of(metropole, year) for year in (2023, 2024, 2026, 2027)}
    assert [told[year]["groupings"] for year in told] == [0, 1, 1, 0]
    assert told[2024]["declared_only"] == 1
    assert plain(dict(figure_lines(told[2024]))["Montants estimatifs"]) == "1 234,50 € HT"
    assert dict(figure_lines(told[2024]))["Nombre d’acteurs associés"] == "1 (métropole)"
    assert "impliquant 1 participant" in dict(figure_lines(told[2024]))["Nombre de groupements d’achats"]
    assert dict(figure_lines(told[2027]))["Nombre de groupements d’achats"] == "0"


def test_the_quarters_go_from_the_year_before_to_three_years_after():
    labels = [label for _, label in quarters(2016)]
    assert (labels[0], labels[-1], len(labels)) == ("Trim. 4 2015", "Trim. 4 2019", 17)


def test_a_frozen_sheet_never_changes_by_any_way(scene, sheet, finance):
    frozen = sheet_freeze(sheet=sheet, actor=finance, now=NOW, expected_version=1)
    assert (frozen.figures_on, frozen.frozen_label) == (TODAY, finance.actor_label)
    for write in (
        lambda: sheet_freeze(sheet=frozen, actor=finance, now=NOW, expected_version=2),
        lambda: sheet_save(sheet=frozen, texts={"title": "X"}, calendar={}, actor=finance, expected_version=2),
    ):
        with pytest.raises(BusinessError, match="ne change plus"):
            write()
    stored = AnnualSheet.objects.get(pk=sheet.pk)
    stored.texts = {"title": "Autre"}
    with pytest.raises(TypeError):
        stored.save()
    with pytest.raises(TypeError):
        stored.delete()
    assert JournalEntry.objects.filter(verb="sheet.freeze").count() == 1


def test_the_turn_of_the_year_is_that_of_paris(scene, sheet, finance):
    frozen = sheet_freeze(
        sheet=sheet, actor=finance, now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC), expected_version=1
    )
    assert frozen.figures_on == date(2027, 1, 1)


def test_the_second_of_two_writers_is_told(scene, sheet):
    sheet_save(sheet=sheet, texts={"strengths": "Un"}, calendar={}, actor=scene.buyer, expected_version=1)
    with pytest.raises(BusinessError, match="a changé pendant votre saisie"):
        sheet_save(sheet=sheet, texts={"strengths": "Deux"}, calendar={}, actor=scene.buyer, expected_version=1)
    assert AnnualSheet.objects.get().texts["strengths"] == "Un"


@pytest.mark.parametrize("calendar", [{"2020-T1": 1}, {"2026-T1": 5}])
def test_a_phase_or_a_quarter_that_does_not_exist_is_refused(scene, sheet, calendar):
    with pytest.raises(BusinessError, match="phase de 1 à 4"):
        sheet_save(sheet=sheet, texts={}, calendar=calendar, actor=scene.buyer, expected_version=1)


@pytest.mark.parametrize(
    ("text", "sentence"), [("a" * 2501, "2501 signes"), ("a\n" * 30 + "a", "31 lignes"), ("mot " * 625, "")]
)
def test_a_text_fits_in_the_sheet(scene, sheet, tmp_path, text, sentence):
    """The longest text allowed, in every heading, still makes a PDF."""
    texts = dict.fromkeys(("objectives", "expected", "strengths", "difficulties", "upcoming", "improvements"), text)

    def write():
        return sheet_save(sheet=sheet, texts=texts, calendar={}, actor=scene.buyer, expected_version=1)

    if sentence:
        with pytest.raises(BusinessError, match=sentence):
            write()
        return
    write()
    assert command(tmp_path, 2026, "pdf").startswith(b"%PDF")
    assert len(words_of(command(tmp_path, 2026, "docx"))) > 6 * 2400


def test_who_writes_and_who_freezes(scene, sheet):
    """Buyers, jurists and finance write; finance alone freezes; a commune's finance, nobody's business."""
    for role in (Role.BUYER, Role.JURIST):
        with pytest.raises(NotAllowed):
            sheet_freeze(sheet=sheet, actor=make_affiliation(scene.metropole, role), now=NOW, expected_version=1)
    commune = make_organisation(parent=scene.metropole)
    strangers = [make_affiliation(commune, Role.FINANCE), make_affiliation(make_metropole(), Role.FINANCE)]
    for person in (*strangers, make_affiliation(scene.metropole, Role.READER), scene.agent):
        with pytest.raises(NotAllowed):
            sheet_save(sheet=sheet, texts={}, calendar={}, actor=person, expected_version=1)


# The screens and the command


def test_from_the_first_click_to_the_frozen_sheet(client, scene, finance):
    client.force_login(finance.user)
    assert client.post(reverse("annual_sheets"), {"year": "2026"}).url == reverse("annual_sheet", args=[2026])
    data = {"title": "Groupements d’achats", "strengths": "Prix\r\nDélais", "quarter_2026-T1": "2", "version": "1"}
    response = client.post(reverse("annual_sheet_change", args=[2026]), data | {"themes": ["resources"]})
    assert response.status_code == 302
    stored = AnnualSheet.objects.get()
    assert (stored.texts["strengths"], stored.calendar) == ("Prix\nDélais", {"2026-T1": 2})
    assert "(retenu)" in client.get(reverse("annual_sheet", args=[2026])).content.decode()
    freeze = reverse("annual_sheet_freeze", args=[2026])
    assert "ne change plus" in client.get(freeze).content.decode()
    assert client.post(freeze, {"version": "1"}).status_code == 422
    assert client.post(freeze, {"version": "2"}).status_code == 302
    page = client.get(reverse("annual_sheet", args=[2026])).content.decode()
    assert AnnualSheet.objects.get().sha256 in page and "Modifier les textes" not in page
    for name in ("annual_sheet_change", "annual_sheet_freeze"):
        assert client.get(reverse(name, args=[2026])).status_code == 302
        assert client.post(reverse(name, args=[2026]), data | {"version": "3"}).status_code == 422


def test_nothing_is_leaked_to_a_member_nor_to_another_territory(client, scene, sheet):
    people = [scene.agent, make_affiliation(scene.neighbour, Role.FINANCE), make_affiliation(make_metropole())]
    for person in people:
        client.force_login(person.user)
        for url in (
            reverse("annual_sheet", args=[2026]),
            reverse("annual_sheet_document", args=[2026, "pdf"]),
            reverse("annual_sheet_document", args=[2026, "docx"]),
        ):
            assert client.get(url).status_code == 404, (person, url)


def test_a_draft_wears_its_word_across_in_both_formats(client, scene, sheet, tmp_path):
    client.force_login(scene.buyer.user)
    text = PdfReader(io.BytesIO(client.get(reverse("annual_sheet_document", args=[2026, "pdf"])).content))
    assert "PROJET" in text.pages[0].extract_text()
    response = client.get(reverse("annual_sheet_document", args=[2026, "docx"]))
    assert "fiche_groupements_2026.docx" in response["Content-Disposition"]
    header = Document(io.BytesIO(response.content)).sections[0].header
    assert header.paragraphs[0].text == "PROJET – chiffres non arrêtés" and "textpath" in header._element.xml
    assert client.get(reverse("annual_sheet_document", args=[2026, "odt"])).status_code == 404


@pytest.mark.parametrize("count", [2, 50])
def test_twelve_queries_whatever_the_groupings(client, scene, sheet, count, django_assert_max_num_queries):
    for number in range(count):
        grouping = make_grouping(scene.metropole, reference=f"G-{number}")
        make_need(make_membership(grouping, scene.commune), make_lot(grouping))
        Meeting.objects.create(grouping=grouping, held_on=TODAY, subject=f"{number}")
    make_line(make_baseline(scene.own, scene.award.lot))
    client.force_login(scene.buyer.user)
    for name in ("annual_sheet", "annual_sheet_freeze"):
        with django_assert_max_num_queries(12):
            client.get(reverse(name, args=[2026]))


def test_the_command_writes_a_draft_of_a_year_without_sheet_and_keeps_nothing(scene, tmp_path):
    assert "PROJET" in Document(io.BytesIO(command(tmp_path, 2026, "docx"))).sections[0].header.paragraphs[0].text
    assert not AnnualSheet.objects.exists()


def test_the_command_refuses_with_a_sentence_and_writes_nothing(scene, tmp_path):
    for year, sentence in ((2010, "aucun groupement n’était suivi"), (1789, "n’est pas une année")):
        with pytest.raises(CommandError, match=sentence):
            command(tmp_path, year, "pdf")
    with pytest.raises(CommandError, match="son dossier n’existe pas"):
        command(tmp_path / "absent", 2026, "pdf")
    other = make_metropole()
    with pytest.raises(CommandError, match="--territory"):
        command(tmp_path, 2026, "pdf")
    with pytest.raises(CommandError, match="rien n’a été écrit"):
        command(tmp_path, 2026, "pdf", territory=other.siren)
    assert list(tmp_path.iterdir()) == []
    assert command(tmp_path, 2026, "pdf", territory=scene.metropole.siren).startswith(b"%PDF")


def test_amounts_are_exact_texts(scene):
    make_line(make_baseline(scene.own, scene.award.lot, "0.333333", "3"), "0.1")
    for name in ("budget_gain", "purchase_gain", "baseline_budget", "baseline_purchase"):
        value = figures_of(scene.metropole, 2026)["gains"][name]
        assert isinstance(value, str) and Decimal(value).as_tuple().exponent == -2
