"""The price list of a contract: read from a file, replaced in one transaction after saying what changes."""

import io
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from groupings.actions.price_list import list_mark, price_list_replace
from groupings.models import PriceItem
from groupings.price_file import Price, compare, decimals, kept_prices, unit_price
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.contracts import make_scene

pytestmark = pytest.mark.django_db
HEADINGS = "Référence;Désignation;Unité;Prix unitaire (€ HT)"
FIRST = (HEADINGS, "A1;Gazole;L;1,234567", "A2;Essence;L;1,5", "A3;Additif;bidon;12")


@pytest.fixture
def scene():
    return make_scene()


def upload(*lines: str, name: str = "bpu.csv") -> dict:
    return {"file": SimpleUploadedFile(name, "\n".join(lines).encode())}


def prices(*told: tuple[str, str]) -> list[Price]:
    return [Price(code, f"Article {code}", "U", Decimal(price)) for code, price in told]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("1,234567", "1.234567"),
        ("0,08", "0.08"),
        ("1 234,5", "1234.5"),
        ("1,234", "1.234"),
        ("0", "0"),
        ("12 €", "12"),
        (Decimal("1.2345"), "1.2345"),
    ],
)
def test_a_unit_price_has_six_decimals_at_most(typed, expected):
    assert unit_price(typed) == Decimal(expected)


@pytest.mark.parametrize("typed", ["1,2345678", "-1", "\u22121", "douze", "1.234,50", "", "1e5", "12345678901"])
def test_what_is_not_a_unit_price(typed):
    with pytest.raises(ValueError, match=r"prix|vide"):
        unit_price(typed or None)


@given(st.decimals(0, 10**9, places=6))
def test_a_price_written_is_read_again(value):
    """What the export writes, the import reads: nothing is lost on the way."""
    assert unit_price(decimals(value)) == value


def test_what_a_file_would_change():
    before, after = prices(("A", "1"), ("B", "2"), ("C", "3")), prices(("A", "1"), ("C", "3.000001"), ("D", "4"))
    changes = compare(before, after)
    assert (changes.added, changes.changed, changes.removed, changes.kept) == (("D",), ("C",), ("B",), 1)
    assert str(changes) == "1 prix ajouté, 1 prix modifié, 1 prix retiré, 1 sans changement"
    assert str(compare(before, before)) == "rien ne change"
    assert str(compare(before, [*before[1:], before[0]])) == "seul l’ordre change"


def test_the_list_is_replaced_whole_and_journalled(scene):
    price_list_replace(award=scene.award, prices=prices(("A", "1"), ("B", "2")), actor=scene.buyer, source="a.csv")
    price_list_replace(award=scene.award, prices=prices(("B", "2.5")), actor=scene.buyer, source="b.csv")
    assert [(item.code, item.price_excl_tax) for item in scene.award.price_items.all()] == [("B", Decimal("2.5"))]
    entry = JournalEntry.objects.filter(verb="prices.replace").latest("pk")
    assert "b.csv" in entry.sentence
    assert (entry.before, entry.after) == ({"A": "1.000000", "B": "2.000000"}, {"B": "2.5"})
    again = price_list_replace(award=scene.award, prices=prices(("B", "2.5")), actor=scene.buyer, source="c.csv")
    assert again.is_empty
    assert JournalEntry.objects.filter(verb="prices.replace").count() == 2


def test_the_second_of_two_people_is_told(scene):
    mark = list_mark(kept_prices(scene.award))
    price_list_replace(award=scene.award, prices=prices(("A", "1")), actor=scene.buyer, source="a", expected_mark=mark)
    with pytest.raises(BusinessError, match="changé entre-temps"):
        price_list_replace(
            award=scene.award, prices=prices(("B", "1")), actor=scene.buyer, source="b", expected_mark=mark
        )
    with pytest.raises(NotAllowed):
        price_list_replace(award=scene.award, prices=[], actor=scene.agent, source="c")


def test_from_the_screen_a_first_file_then_a_second_after_confirmation(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    page = client.post(url, upload(*FIRST), follow=True)
    assert "3 prix ajoutés" in page.content.decode()
    page = client.post(url, upload(*FIRST), follow=True)
    assert "rien ne change" in page.content.decode()
    page = client.post(url, upload(HEADINGS, "A1;Gazole;L;1,3", "A4;AdBlue;L;0,9", "A3;Additif;bidon;12"))
    text = page.content.decode()
    assert "1 prix ajouté, 1 prix modifié, 1 prix retiré, 1 sans changement" in text
    assert PriceItem.objects.get(code="A1").price_excl_tax == Decimal("1.234567")  # nothing yet
    payload = page.context["confirm"]["form"]["payload"].value()
    page = client.post(url, {"payload": payload}, follow=True)
    assert [item.code for item in scene.award.price_items.all()] == ["A1", "A4", "A3"]
    assert PriceItem.objects.get(code="A1").price_excl_tax == Decimal("1.3")
    # The second click: the list has changed since what was told.
    again = client.post(url, {"payload": payload})
    assert again.status_code == 422
    assert "changé entre-temps" in again.content.decode()
    assert client.post(url, {"payload": payload + "x"}).status_code == 422


def test_a_confirmation_of_another_contract_is_refused(client, scene):
    client.force_login(scene.buyer.user)
    first, second = (reverse("price_list", args=[scene.grouping.pk, a.pk]) for a in (scene.award, scene.second))
    client.post(first, upload(*FIRST))
    page = client.post(first, upload(HEADINGS, "Z;Autre;;1"))
    answer = client.post(second, {"payload": page.context["confirm"]["form"]["payload"].value()})
    assert answer.status_code == 422
    assert not scene.second.price_items.exists()


def test_every_error_of_a_file_is_told_with_line_and_column(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    page = client.post(url, upload(HEADINGS, "A1;Gazole;L;1,2345678", ";Essence;L;1", "A3;Additif;;-1", "A3;Bis;;1"))
    assert page.status_code == 422
    assert [(error.line, error.column) for error in page.context["errors"]] == [
        (2, "Prix unitaire (€ HT)"),
        (3, "Référence"),
        (4, "Prix unitaire (€ HT)"),
    ]
    assert not PriceItem.objects.exists()
    twice = client.post(url, upload(HEADINGS, "A3;Additif;;1", "A3;Bis;;1"))
    assert "Cette référence est déjà à la ligne 2." in twice.content.decode()


def test_a_member_searches_and_exports_the_prices(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    client.post(url, upload(*FIRST))
    client.force_login(scene.agent.user)
    text = client.get(url, {"q": "gaz"}).content.decode()
    assert "1,234567" in text
    assert "Essence" not in text
    assert "Importer un bordereau" not in text
    assert "Aucun prix ne contient" in client.get(url, {"q": "%"}).content.decode()
    exported = client.get(url, {"export": "csv", "q": "e"}).content.decode("utf-8-sig")
    assert exported.splitlines()[1:] == ["A1;Gazole;L;1,234567", "A2;Essence;L;1,5"]
    assert client.post(url, upload(*FIRST)).status_code == 403


def test_what_is_exported_is_imported_again_without_a_change(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    client.post(url, upload(*FIRST))
    for suffix in ("csv", "xlsx"):
        content = client.get(url, {"export": suffix}).content
        page = client.post(url, {"file": SimpleUploadedFile(f"bpu.{suffix}", content)}, follow=True)
        assert "rien ne change" in page.content.decode(), suffix


def test_a_spreadsheet_receives_numbers(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    client.post(url, upload(*FIRST))
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(url, {"export": "xlsx"}).content)).active
    assert [cell.value for cell in sheet["D"]][1:] == [1.234567, 1.5, 12]


def test_the_command(scene, tmp_path, capsys):
    path = tmp_path / "bpu.csv"
    path.write_text("\n".join(FIRST))
    call_command("import_price_list", "GC-2025-07", "1", str(path), "--dry-run")
    assert "rien n’est écrit" in capsys.readouterr().out
    assert not PriceItem.objects.exists()
    call_command("import_price_list", "GC-2025-07", "1", str(path))
    assert "3 prix ajoutés" in capsys.readouterr().out
    call_command("import_price_list", "GC-2025-07", "1", str(path))
    assert "rien ne change" in capsys.readouterr().out
    with pytest.raises(CommandError, match="n’est pas attribué"):
        call_command("import_price_list", "GC-2025-07", "3", str(path))
    path.write_text(f"{HEADINGS}\nA1;Gazole;L;cher")
    with pytest.raises(CommandError, match="ligne 2"):
        call_command("import_price_list", "GC-2025-07", "1", str(path))
    with pytest.raises(CommandError, match="ne peut pas être lu"):
        call_command("import_price_list", "GC-2025-07", "1", str(tmp_path / "absent.csv"))


def test_a_reference_twice_is_refused_in_capitals_or_not(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    page = client.post(url, upload(HEADINGS, "a1;Gazole;L;1,5", "A2;Essence;L;2", "A1;Gazole;L;1,6"))
    assert page.status_code == 422
    assert [(error.line, error.message) for error in page.context["errors"]] == [
        (4, "Cette référence est déjà à la ligne 2.")
    ]
    assert not PriceItem.objects.exists()


def test_a_search_no_keyboard_types_finds_nothing_and_breaks_nothing(client, scene):
    """PostgreSQL refuses a NUL in a text."""
    client.force_login(scene.buyer.user)
    url = reverse("price_list", args=[scene.grouping.pk, scene.award.pk])
    client.post(url, upload(*FIRST))
    assert len(client.get(url, {"q": "\0"}).context["rows"]) == 3
    assert len(client.get(url, {"q": "gaz\0ole"}).context["rows"]) == 1
    assert len(client.get(url, {"q": "%"}).context["rows"]) == 0
