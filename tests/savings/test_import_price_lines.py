"""``manage.py import_price_lines`` and the same by button: the whole file or nothing, the same file twice is once."""

import io
import json
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from groupings.models import Award, Grouping, NeedLine
from procurement.core.journal.models import JournalEntry
from savings.actions.baseline import baseline_freeze
from savings.models import Baseline, PriceLine
from tests.support.factories import make_metropole, make_need, make_organisation
from tests.support.price_lines import BEFORE, make_entry

pytestmark = pytest.mark.django_db
HEADER = "lot;SIREN;designation;quantity;unit;price_before;price_obtained;index_factor;method"


@pytest.fixture
def entry():
    return make_entry()


def row(entry, **changes) -> str:
    """Lot 1, the commune: 1 000 litres at 4.80 €, 3.60 € obtained, indexed by 1.03."""
    values = {
        "lot": "1",
        "siren": entry.scene.commune.siren,
        "designation": "Gazole",
        "quantity": "1000",
        "unit": "litre",
        "price_before": "4,80",
        "price_obtained": "3,60",
        "index_factor": "1,03",
        "method": "HISTORIC_PRICE",
    }
    return ";".join((values | changes).values())


def csv(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "prix.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def run(path: Path, reference: str = "GC-2025-07", **options) -> dict:
    """What the command says in JSON; with ``refused`` its exit is 1."""
    out = io.StringIO()
    if options.pop("refused", False):
        with pytest.raises(CommandError) as refused:
            call_command("import_price_lines", reference, str(path), json=True, stdout=out, **options)
        assert refused.value.returncode == 1
    else:
        call_command("import_price_lines", reference, str(path), json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def nothing_written() -> bool:
    return not (
        Baseline.objects.exists()
        or PriceLine.objects.exists()
        or JournalEntry.objects.filter(verb="price_lines.import").exists()
    )


def test_a_file_makes_references_not_frozen_and_draft_lines_of_the_award(entry, tmp_path):
    """1 000 × (4.80 − 3.60) = 1 200.00; indexed, 4 944.00 − 3 600.00 = 1 344.00."""
    told = run(csv(tmp_path, row(entry)))
    assert told == {"created": 1, "updated": 0, "unchanged": 0, "dry_run": False, "errors": []}
    baseline, line = Baseline.objects.get(), PriceLine.objects.get()
    assert (baseline.is_frozen, baseline.price_before, baseline.index_factor) == (
        False,
        Decimal("4.80"),
        Decimal("1.03"),
    )
    assert baseline.index_name == "Coefficient du fichier prix.csv"
    assert baseline.grade == "D"  # the offers were due long ago
    assert (line.stage, line.status, line.months) == ("AWARDED", "DRAFT", 36)
    assert (line.budget_gain, line.purchase_gain) == (Decimal("1200.00"), Decimal("1344.00"))
    assert JournalEntry.objects.get(verb="price_lines.import").after["created"] == 1


def test_before_the_notification_the_line_is_of_the_potential_gain(entry, tmp_path):
    Award.objects.update(notified_on=None)
    run(csv(tmp_path, row(entry)))
    assert PriceLine.objects.get().stage == "ESTIMATED"


def test_the_same_file_twice_adds_nothing(entry, tmp_path):
    path = csv(tmp_path, row(entry), row(entry, siren=entry.scene.neighbour.siren))
    run(path)
    before = list(Baseline.objects.values()), list(PriceLine.objects.values())
    assert run(path) == {"created": 0, "updated": 0, "unchanged": 2, "dry_run": False, "errors": []}
    assert (list(Baseline.objects.values()), list(PriceLine.objects.values())) == before
    assert JournalEntry.objects.filter(verb="price_lines.import").count() == 1


def test_other_values_change_the_reference_and_its_draft(entry, tmp_path):
    run(csv(tmp_path, row(entry)))
    told = run(csv(tmp_path, row(entry, designation="GAZOLE", price_before="5", price_obtained="3,5")))
    assert (told["created"], told["updated"]) == (0, 1)
    line = PriceLine.objects.get()
    assert (Baseline.objects.get().price_before, line.budget_gain, line.version) == (5, Decimal("1500.00"), 2)
    entries = JournalEntry.objects.filter(verb="price_lines.import").order_by("-pk")
    (old,) = entries[0].before.values()
    assert old["price_before"] == "4.800000"


def test_an_empty_cell_erases_nothing_and_a_price_not_obtained_yet_makes_no_line(entry, tmp_path):
    run(csv(tmp_path, row(entry, price_obtained="")))
    assert not PriceLine.objects.exists()
    run(csv(tmp_path, row(entry)))
    assert run(csv(tmp_path, row(entry, price_obtained="")))["unchanged"] == 1
    assert PriceLine.objects.get().price_obtained == Decimal("3.60")


def test_a_dry_run_says_what_would_change_and_writes_nothing(entry, tmp_path):
    assert run(csv(tmp_path, row(entry)), dry_run=True)["created"] == 1
    assert nothing_written()


def test_the_french_headings_and_labels_of_the_template(entry, tmp_path):
    header = (
        "Lot;SIREN du membre;Désignation;Quantité par an;Unité;Prix de référence (€ HT);Prix obtenu (€ HT);"
        "Coefficient d’indexation;Méthode"
    )
    run(csv(tmp_path, row(entry, method="prix payé auparavant", index_factor="", lot="Lot 1"), header=header))
    assert (Baseline.objects.get().method, Baseline.objects.get().index_factor) == ("HISTORIC_PRICE", 1)
    run(csv(tmp_path, row(entry, designation="Forfait", unit="Forfait", quantity="1", index_factor="1"), header=header))
    assert Baseline.objects.get(designation="Forfait").is_lump_sum


@pytest.mark.parametrize(
    ("changes", "column", "said"),
    [
        ({"quantity": "0"}, "quantity", "est nul"),
        ({"quantity": "-5"}, "quantity", "est négatif"),
        ({"quantity": "douze"}, "quantity", "n’est pas un nombre"),
        ({"quantity": "#DIV/0!"}, "quantity", "#DIV/0!"),
        ({"quantity": "1,2345"}, "quantity", "plus de 3 décimales"),
        ({"quantity": ""}, "quantity", "vide"),
        ({"price_before": "0"}, "price_before", "Le prix de référence est nul"),
        ({"price_before": "-4,80"}, "price_before", "est négatif"),
        ({"price_before": "cher"}, "price_before", "n’est pas un prix"),
        ({"price_before": "#DIV/0!"}, "price_before", "#DIV/0!"),
        ({"price_before": ""}, "price_before", "manque"),
        ({"price_obtained": "-1"}, "price_obtained", "est négatif"),
        ({"price_obtained": "#N/A"}, "price_obtained", "#N/A"),
        ({"index_factor": "0"}, "index_factor", "est nul"),
        ({"index_factor": "-1"}, "index_factor", "est négatif"),
        ({"index_factor": "un"}, "index_factor", "n’est pas un nombre"),
        ({"method": "Au doigt mouillé"}, "method", "n’est pas prévu"),
        ({"lot": "9"}, "lot", "n’existe pas dans GC-2025-07"),
        ({"siren": "123456789"}, "SIREN", "sa clé ne correspond pas"),
        ({"designation": ""}, "designation", "vide"),
        ({"quantity": "99999999999", "price_before": "9999999999"}, "price_before", "plus grand montant"),
    ],
)
def test_bad_input_is_told_with_its_line_and_column_and_nothing_is_written(entry, tmp_path, changes, column, said):
    told = run(csv(tmp_path, row(entry, designation="Bonne ligne"), row(entry, **changes)), refused=True)
    assert [(error["line"], error["column"]) for error in told["errors"]] == [(3, column)]
    assert said in told["errors"][0]["message"] and told["created"] == 0
    assert nothing_written()


def test_a_member_of_another_grouping_or_without_need_on_the_lot_is_refused(entry, tmp_path):
    stranger = make_organisation(parent=entry.scene.metropole)
    told = run(csv(tmp_path, row(entry, siren=stranger.siren)), refused=True)
    assert "n’est celui d’aucun membre" in told["errors"][0]["message"]
    NeedLine.objects.all().delete()
    make_need(entry.scene.membership, entry.scene.award.lot)
    # Lot 2 is the commune's alone: its neighbour has neither need nor share of it.
    told = run(csv(tmp_path, row(entry, lot="2", siren=entry.scene.neighbour.siren)), refused=True)
    assert told["errors"][0]["message"] == "Ville d’Amont n’a pas de besoin sur le lot 2."
    assert nothing_written()


def test_the_same_line_twice_in_a_file_is_refused(entry, tmp_path):
    told = run(csv(tmp_path, row(entry), row(entry, designation=" gazole ", quantity="2")), refused=True)
    assert "répète la ligne 2" in told["errors"][0]["message"]
    assert nothing_written()


def test_a_frozen_reference_keeps_its_values_and_takes_its_price_obtained(entry, tmp_path):
    run(csv(tmp_path, row(entry, price_obtained="")))
    baseline_freeze(baselines=[Baseline.objects.get()], actor=entry.buyer, now=BEFORE)
    assert run(csv(tmp_path, row(entry)))["updated"] == 1
    told = run(csv(tmp_path, row(entry, price_before="9")), refused=True)
    assert told["errors"][0]["message"] == (
        "Ce prix de référence est figé\u00a0: remplacez-le pour changer le prix de référence."
    )
    PriceLine.objects.update(status="SUBMITTED", submitted_at=BEFORE, submitted_label="Acheteur")
    assert "déjà soumise" in run(csv(tmp_path, row(entry, price_obtained="1")), refused=True)["errors"][0]["message"]
    assert PriceLine.objects.get().price_obtained == Decimal("3.60")


def test_a_workbook_with_an_error_of_the_spreadsheet(entry, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(";"))
    book.active.append([1, entry.scene.commune.siren, "Gazole", "#DIV/0!", "litre", 4.8, 3.6, 1.03, "HISTORIC_PRICE"])
    book.active["D2"].data_type = "e"
    book.save(tmp_path / "prix.xlsx")
    (error,) = run(tmp_path / "prix.xlsx", refused=True)["errors"]
    assert (error["line"], error["column"]) == (2, "quantity") and "#DIV/0!" in error["message"]
    book.active["D2"] = 1000
    book.save(tmp_path / "prix.xlsx")
    assert run(tmp_path / "prix.xlsx")["created"] == 1
    assert PriceLine.objects.get().budget_gain == Decimal("1200.00")


def test_what_is_not_a_file_of_prices_is_said_in_json_too(entry, tmp_path):
    assert "Aucun groupement" in run(csv(tmp_path, row(entry)), "GC-INCONNU", refused=True)["errors"][0]["message"]
    assert "ne peut pas être lu" in run(tmp_path / "absent.csv", refused=True)["errors"][0]["message"]
    (tmp_path / "vide.csv").write_text("")
    assert "vide" in run(tmp_path / "vide.csv", refused=True)["errors"][0]["message"]
    missing = run(csv(tmp_path, row(entry), header=HEADER.replace("method", "methode_inconnue")), refused=True)
    assert {"methode_inconnue", "Méthode"} <= {error["column"] for error in missing["errors"]}
    Grouping.objects.update(is_declared_only=True)
    assert "seulement déclaré" in run(csv(tmp_path, row(entry)), refused=True)["errors"][0]["message"]


def test_two_coordinators_of_one_reference_are_told_apart(entry, tmp_path):
    make_entry_of_another = make_metropole()
    Grouping.objects.create(
        reference="GC-2025-07",
        title="Autre",
        category="supplies",
        cpv="30192000",
        duration_months=12,
        opened_on="2026-01-01",
        coordinator=make_entry_of_another,
    )
    path = csv(tmp_path, row(entry))
    assert "--coordinator" in run(path, refused=True)["errors"][0]["message"]
    assert run(path, coordinator=entry.scene.metropole.siren)["created"] == 1


def test_by_button_the_same_file_the_same_refusals(entry, client, tmp_path):
    client.force_login(entry.buyer.user)
    url = reverse("price_lines_upload", args=[entry.scene.grouping.pk])
    bad = client.post(
        url, {"file": SimpleUploadedFile("prix.csv", csv(tmp_path, row(entry, quantity="0")).read_bytes())}
    )
    assert bad.status_code == 422 and "Ligne 2" in bad.content.decode() and nothing_written()
    good = client.post(url, {"file": SimpleUploadedFile("prix.csv", csv(tmp_path, row(entry)).read_bytes())})
    assert good.status_code == 302 and Baseline.objects.get().entered_by_id == entry.buyer.user_id


def test_the_template_filled_by_the_product_comes_back_unchanged(entry, client, tmp_path):
    run(csv(tmp_path, row(entry), row(entry, designation="Forfait", unit="forfait", quantity="1")))
    client.force_login(entry.buyer.user)
    url = reverse("price_lines_template", args=[entry.scene.grouping.pk])
    for export in ("", "?export=xlsx"):
        response = client.get(f"{url}{export}")
        path = tmp_path / ("modele.xlsx" if export else "modele.csv")
        path.write_bytes(b"".join(response) if response.streaming else response.content)
        assert run(path) == {"created": 0, "updated": 0, "unchanged": 2, "dry_run": False, "errors": []}, export
