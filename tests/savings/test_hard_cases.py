"""What a controller tries on the ledger: figures that no column holds, hands in the database, chains, empty cells."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from savings.actions.baseline import baseline_replace, baseline_save
from savings.actions.line import line_save, lines_submit
from savings.actions.review import line_correct, line_decide
from savings.checks import Scope, check_ledger
from savings.entry import entry_of
from savings.models import AnnualSheet, Baseline, LedgerEntry, PriceLine
from savings.readers import TerritoryReader
from savings.reports.lines import Act, read_acts
from savings.sheet import digest
from tests.savings.review_world import NOW, make_review
from tests.savings.test_import_price_lines import HEADER, csv, row, run
from tests.support.corruption import corrupt
from tests.support.price_lines import AFTER, BEFORE, make_entry
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db
LINE, SHEET = "savings_priceline", "savings_annualsheet"


@pytest.fixture
def entry():
    return make_entry()


@pytest.fixture
def review():
    return make_review()


def decided(review) -> dict:
    return {
        "entered_by": review.buyer.user,
        "submitted_by": review.buyer.user,
        "decided_by": review.finance.user,
    }


def sentences(code: str) -> list[str]:
    report = check_ledger(Scope(), keep=10)
    return [
        finding.sentence for checked in report.checked if checked.check.code == code for finding in checked.findings
    ]


def test_an_amount_beyond_the_ledger_is_told_by_its_field(entry, client):
    """99 999 999 999 units at 99 999 999 € are 1e19 €: more than a column of euros holds."""
    baseline = make_baseline(entry.scene.membership, entry.lot, quantity="99999999999")
    client.force_login(entry.buyer.user)
    url = reverse("line_create", args=[entry.scene.grouping.pk, baseline.pk, "awarded"])
    refused = client.post(url, {"price_obtained": "99999999", "comment": "", "version": "0"})
    assert refused.status_code == 422
    assert "Un montant dépasse 99\u202f999\u202f999\u202f999\u202f999,99\u00a0€." in refused.content.decode()
    assert not PriceLine.objects.exists()


@pytest.mark.parametrize("change", ["price_obtained = NULL", "quantity = 99999999999, price_before = 99999999"])
def test_a_line_spoilt_behind_our_back_is_found_and_the_others_are_still_read(review, change):
    spoilt = make_line(review.baseline(), **decided(review))
    other = make_line(review.baseline("2.00", designation="Encre"), "1.9", **decided(review))
    corrupt(f"UPDATE {LINE} SET {change} WHERE id = {spoilt.pk}")
    corrupt(f"UPDATE {LINE} SET budget_gain = budget_gain + 1 WHERE id = {other.pk}")
    found = " ".join([*sentences("amounts"), *sentences("postings")])
    assert f"Ligne {spoilt.pk}\u00a0" in found
    assert f"Ligne {other.pk}\u00a0: ses montants ne sont pas ceux de ses prix." in sentences("amounts")


def test_a_chain_of_three_references_is_followed_to_its_end(review):
    """The first and the third count, under other names: the second, between them, has no line."""
    first = review.baseline()
    second = review.baseline("4.70", designation="Papier A4 blanc", replaces=first)
    third = review.baseline("4.60", designation="Papier blanc", replaces=second)
    old, new = make_line(first, **decided(review)), make_line(third, **decided(review))
    Baseline.objects.filter(pk__in=[first.pk, second.pk]).update(is_replaced=True)
    assert sentences("once") == [f"Ligne {old.pk}\u00a0: une référence qui remplace la sienne est comptée aussi."]
    make_line(third, stage="ESTIMATED", **decided(review))
    assert len(sentences("once")) == 1  # another stage counts for itself
    corrupt(f"UPDATE {LINE} SET is_superseded = TRUE WHERE id = {new.pk}")
    assert sentences("once") == []


def test_a_frozen_annual_sheet_that_somebody_changed_is_found(review):
    sheet = AnnualSheet(territory=review.metropole, year=2025, texts={"title": "Groupements d’achats"})
    sheet.figures, sheet.figures_on = {"communes": 23}, NOW.date()
    sheet.frozen_at, sheet.frozen_label = NOW, "Finances"
    sheet.sha256 = digest(sheet)
    sheet.save()
    assert sentences("sheets") == []
    corrupt(f"UPDATE {SHEET} SET figures = '{{\"communes\": 24}}'")
    (said,) = sentences("sheets")
    assert said.startswith("Fiche annuelle 2025 (") and said.endswith("l’empreinte ne correspond plus.")
    assert check_ledger(Scope(year=2026), keep=1).is_coherent


def test_no_second_line_beside_the_correction_of_the_first(entry):
    baseline = make_baseline(entry.scene.membership, entry.lot)
    corrected = make_line(baseline, "3.5", corrects=make_line(baseline))
    with pytest.raises(BusinessError, match=f"n°\u00a0{corrected.pk}, déjà validée, compte cet achat"):
        line_save(line=entry.line(baseline), actor=entry.buyer)
    again = line_correct(
        line=corrected, values={"price_obtained": Decimal("3.4")}, reason="Avoir reçu", actor=entry.buyer
    )
    assert (again.corrects, again.budget_gain) == (corrected, Decimal("1400.00"))


def test_a_correction_begun_follows_the_reference_that_replaces_its_own(entry):
    """4.50 × 1 000 against 3.40 × 1 000: 1 100.00. Its dates stay those it was given."""
    baseline = make_baseline(entry.scene.membership, entry.lot)
    line = make_line(baseline)
    draft = line_correct(line=line, values={"price_obtained": Decimal("3.4")}, reason="Avoir", actor=entry.buyer)
    values = {"price_before": Decimal("4.50")}
    new = baseline_replace(baseline=baseline, values=values, reason="Facture relue", actor=entry.buyer, now=BEFORE)
    draft.refresh_from_db()
    assert (draft.baseline, draft.price_before, draft.budget_gain) == (new, Decimal("4.50"), Decimal("1100.00"))
    assert (draft.starts_on, draft.months) == (line.starts_on, line.months)


def test_nothing_is_realised_in_a_year_to_come(entry):
    baseline = make_baseline(entry.scene.membership, entry.lot)
    line = line_save(line=entry.line(baseline, "3.5", "REALISED", year=2027, quantity=Decimal(3)), actor=entry.buyer)
    with pytest.raises(BusinessError, match="L’année 2027 n’est pas commencée"):
        lines_submit(lines=[line], actor=entry.buyer, now=AFTER)
    shown = entry_of(entry.scene.grouping, entry.buyer, AFTER, own=None)
    (row_,) = [one for lot in shown.lots for reference in lot.references for one in reference.lines]
    assert row_.refusal.startswith("L’année 2027 n’est pas commencée") and not shown.ready


@pytest.mark.parametrize("values", [{"index_factor": Decimal("1.2")}, {"is_one_off": True}, {"quantity": Decimal(9)}])
def test_whoever_changes_a_figure_of_the_reference_does_not_validate_its_line(review, values):
    baseline = review.baseline(is_frozen=False, index_factor="1.08")
    for name, value in values.items():
        setattr(baseline, name, value)
    baseline_save(baseline=baseline, actor=review.finance, now=NOW)
    Baseline.objects.update(frozen_at=NOW, frozen_label="B", confirmed_at=NOW, confirmed_label="M")
    baseline.refresh_from_db()
    line = review.line(baseline)
    with pytest.raises(BusinessError, match="référence saisie par vous"):
        line_decide(line=line, step="validate", actor=review.finance, now=NOW)
    line_decide(line=line, step="validate", actor=review.colleague, now=NOW)


def test_an_empty_cell_of_the_import_keeps_the_index_and_the_lump_sum(entry, tmp_path):
    run(csv(tmp_path, row(entry), row(entry, designation="Contrat", unit="forfait", quantity="1")))
    changed = {"price_before": "5", "index_factor": "", "unit": ""}
    run(csv(tmp_path, row(entry, **changed), row(entry, designation="Contrat", quantity="1", **changed)))
    litre, lump = Baseline.objects.order_by("-quantity")
    assert (litre.price_before, litre.unit, litre.index_factor) == (5, "litre", Decimal("1.03"))
    assert (lump.price_before, lump.is_lump_sum, lump.index_factor) == (5, True, Decimal("1.03"))
    assert litre.index_name == "Coefficient du fichier prix.csv"


def test_a_coefficient_computed_of_index_values_is_not_overwritten_by_a_file(entry, tmp_path):
    """112.536 / 104.2 = 1.08 (domain.md §8)."""
    values = {"index_base_value": Decimal("104.2"), "index_value": Decimal("112.536"), "index_name": "INSEE"}
    reference = baseline_save(baseline=entry.reference(**values), actor=entry.buyer, now=BEFORE)
    (error,) = run(csv(tmp_path, row(entry, index_factor="1,2")), refused=True)["errors"]
    assert (error["line"], error["column"]) == (2, "index_factor") and "valeurs de l’indice" in error["message"]
    assert run(csv(tmp_path, row(entry, index_factor="")))["updated"] == 1  # its price obtained
    reference.refresh_from_db()
    assert (reference.index_factor, reference.index_name) == (Decimal("1.08"), "INSEE")


def test_an_indexed_method_asks_for_its_coefficient(entry, tmp_path):
    told = run(csv(tmp_path, row(entry, method="HISTORIC_PRICE_INDEXED", index_factor="")), refused=True)
    assert told["errors"][0]["message"] == "Cette méthode demande un coefficient, ou le nom de son indice."


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8-sig", ";"), ("cp1252", ";"), ("utf-8", "\t")])
def test_the_encodings_and_marks_a_spreadsheet_writes(entry, tmp_path, encoding, mark):
    path = tmp_path / "prix.csv"
    text = f"{HEADER}\n{row(entry, designation='Épicerie à l’unité')}\n".replace(";", mark)
    path.write_bytes(text.encode(encoding))
    assert run(path)["created"] == 1
    assert Baseline.objects.get().designation == "Épicerie à l’unité"


def test_the_journal_of_a_report_tells_what_a_file_brought():
    act = Act(
        NOW, "Acheteur", None, "Prix importés", "", {}, {"created": 1, "references": {"Gazole": {"quantity": "9"}}}
    )
    assert (
        act.new_values == "ajoutés\u00a0: 1\u202f; références\u00a0: (Gazole\u00a0: (quantité prévue par an\u00a0: 9))"
    )


def test_a_report_holds_the_import_of_its_prices(entry, tmp_path):
    run(csv(tmp_path, row(entry)))
    make_line(make_baseline(entry.scene.membership, entry.lot, designation="Autre"))
    territory = entry.scene.metropole.pk
    until = JournalEntry.objects.latest("at").at
    acts = read_acts(TerritoryReader(territory), territory, LedgerEntry.objects.all(), until)
    assert any(act.sentence.startswith("Prix importés, prix.csv") for act in acts)


@pytest.mark.parametrize(
    "command", [("savings_report", "--year", "2026", "--format", "csv"), ("annual_sheet", "2026", "--format", "pdf")]
)
def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left(entry, tmp_path, command):
    make_line(make_baseline(entry.scene.membership, entry.lot))
    for out, said in (
        (tmp_path, "est un dossier"),
        (tmp_path / "absent" / "a", "son dossier n’existe pas"),
        (tmp_path / ("x" * 300), "son nom est trop long"),
        (tmp_path / ("x" * 250), "son nom est trop long"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command(*command, "--out", str(out))
    assert list(tmp_path.iterdir()) == []


def test_a_contract_longer_than_a_line_may_last_is_told_at_the_submission(entry, client, tmp_path):
    """360 months firm and an extension of 12: the file makes a draft, which finance is not handed."""
    entry.scene.award.duration_months = 360
    entry.scene.award.save()
    run(csv(tmp_path, row(entry)))
    Baseline.objects.update(frozen_at=BEFORE, frozen_label="Acheteur")
    line = PriceLine.objects.get()
    assert line.months == 372
    client.force_login(entry.buyer.user)
    answer = client.post(reverse("lines_submit", args=[entry.scene.grouping.pk]), {"line": line.pk})
    assert answer.status_code == 422 and "inférieure ou égale à 360" in answer.content.decode()
    assert PriceLine.objects.get().status == "DRAFT"
