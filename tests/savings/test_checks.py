"""Every check can fail: each is given a ledger that somebody changed behind the product's back."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from savings.actions.locks import year_lock
from savings.checks import CHECKS, Scope, check_ledger
from savings.models import Baseline, LedgerEntry, PriceLine
from tests.savings.review_world import NOW, make_review
from tests.support.corruption import corrupt
from tests.support.factories import make_consultation
from tests.support.savings import make_line

pytestmark = pytest.mark.django_db
EVERYTHING = Scope()
FROZEN = datetime(2026, 3, 1, tzinfo=UTC)
LINE, ENTRY, BASELINE = "savings_priceline", "savings_ledgerentry", "savings_baseline"


@pytest.fixture
def review():
    return make_review()


@pytest.fixture
def line(review):
    """48 months from June 2026, awarded, frozen before the offers were due."""
    reference = review.baseline()
    Baseline.objects.filter(pk=reference.pk).update(frozen_at=FROZEN)
    consultation = make_consultation(review.lot.grouping, offers_due_at=datetime(2026, 3, 16, 11, tzinfo=UTC))
    assert list(consultation.lots.all()) == [review.lot]
    return make_line(
        reference,
        starts_on=date(2026, 6, 1),
        months=48,
        entered_by=review.buyer.user,
        submitted_by=review.buyer.user,
        decided_by=review.finance.user,
    )


def found(scope: Scope = EVERYTHING) -> dict[str, list[str]]:
    report = check_ledger(scope, keep=10)
    return {checked.check.code: [f.sentence for f in checked.findings] for checked in report.checked if checked.count}


def test_a_sound_ledger_says_nothing(review, line):
    make_line(line.baseline, stage="REALISED", quantity=Decimal("950.5"))
    make_line(line.baseline, stage="ESTIMATED", price_obtained="4.10")
    make_line(review.baseline("120.00", "1", designation="Pont", is_one_off=True, is_lump_sum=True), "131.07")
    make_line(line.baseline, "3.80", corrects=line, starts_on=date(2026, 6, 1), months=48)
    make_line(review.baseline("2.00", designation="Encre", index_factor="1.08"), "1.9")
    Baseline.objects.update(frozen_at=FROZEN)
    year_lock(territory=review.metropole, year=2026, actor=review.finance, now=NOW)
    report = check_ledger(Scope(), keep=10)
    assert report.findings == []
    assert report.is_coherent
    assert (report.lines, report.entries) == (6, LedgerEntry.objects.count())
    # 5 years posted, 1 realised, 5 years estimated… the estimate is of twelve months: 1; 1 one-off; 5 reversed and 5
    # posted again; 1 indexed.
    assert report.entries == 5 + 1 + 1 + 1 + 10 + 1


def test_every_check_has_its_own_label():
    assert len({check.code for check in CHECKS}) == len({check.label for check in CHECKS}) == len(CHECKS) == 11


@pytest.mark.parametrize(
    "change",
    ["price_obtained = 3.5", "quantity = 999", "budget_gain = budget_gain + 1", "purchase_gain = 0", "obtained = 3601"],
)
def test_amounts_are_computed_again(line, change):
    corrupt(f"UPDATE {LINE} SET {change}")
    assert "amounts" in found()


def test_the_volume_effect_too(line):
    realised = make_line(line.baseline, stage="REALISED", quantity=Decimal(900))
    corrupt(f"UPDATE {LINE} SET volume_effect = 1 WHERE id = %s", realised.pk)
    assert found()["amounts"] == [f"Ligne {realised.pk}\u00a0: ses montants ne sont pas ceux de ses prix."]


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {ENTRY} SET obtained_cents = obtained_cents + 1, budget_gain_cents = budget_gain_cents - 1,"
        " purchase_gain_cents = purchase_gain_cents - 1 WHERE year = 2027",
        f"DELETE FROM {ENTRY} WHERE year = 2028",
        f"UPDATE {ENTRY} SET months = months - 1 WHERE year = 2026",
        f"UPDATE {ENTRY} SET origin_year = 2025 WHERE year = 2026",
        f"UPDATE {ENTRY} SET kind = 'reversed' WHERE year = 2026",
    ],
)
def test_entries_add_up_to_the_line_year_by_year(line, sql):
    corrupt(sql)
    assert list(found()) == ["postings"]


def test_a_line_put_aside_has_its_entries_reversed(line):
    make_line(line.baseline, "3.80", corrects=line, starts_on=date(2026, 6, 1), months=48)
    corrupt(f"DELETE FROM {ENTRY} WHERE kind = 'reversed' AND year = 2027")
    assert "contre-passées" in found()["postings"][0]


def test_only_validated_lines_have_entries(line):
    corrupt(f"UPDATE {LINE} SET status = 'SUBMITTED'")
    assert found() == {"postings": [f"Ligne {line.pk}\u00a0: elle a des écritures sans être validée."]}


@pytest.mark.parametrize("change", ["grade = 'B'", "is_one_off = NOT is_one_off", "stage = 'ESTIMATED'"])
def test_entries_say_the_same_as_their_line(line, change):
    corrupt(f"UPDATE {ENTRY} SET {change} WHERE year = 2027")
    assert len(found()["copies"]) == 1


@pytest.mark.parametrize("column", ["organisation_id", "territory_id"])
def test_nor_do_they_change_bodies(review, line, column):
    other = make_review().metropole
    corrupt(f"UPDATE {ENTRY} SET {column} = %s WHERE year = 2027", other.pk)
    assert len(found()["copies"]) == 1


def test_a_realised_line_is_of_its_year(line):
    realised = make_line(line.baseline, stage="REALISED")
    corrupt(f"UPDATE {LINE} SET year = 2025 WHERE id = %s", realised.pk)
    assert any("n’est pas de l’année" in sentence for sentence in found()["stages"])
    corrupt(f"UPDATE {LINE} SET year = NULL WHERE id = %s", realised.pk, without=f"{LINE}.price_line_year_of_realised")
    assert any("et elle seule" in sentence for sentence in found()["stages"])


def test_a_correction_is_of_the_same_stage(line):
    correction = make_line(line.baseline, "3.80", corrects=line, starts_on=date(2026, 6, 1), months=48)
    corrupt(f"UPDATE {LINE} SET stage = 'ESTIMATED' WHERE id = %s", correction.pk)
    assert any("autre stade" in sentence for sentence in found()["stages"])


def test_a_reference_frozen_after_the_offers_says_why_and_is_d(line):
    corrupt(f"UPDATE {BASELINE} SET frozen_at = %s", datetime(2026, 3, 16, 11, tzinfo=UTC))
    assert list(found()) == ["deadlines"]
    corrupt(f"UPDATE {BASELINE} SET late_reason = 'Facture retrouvée'", without=f"{BASELINE}.baseline_late_is_d")
    assert list(found()) == ["deadlines"]
    corrupt(f"UPDATE {BASELINE} SET grade = 'D'")
    corrupt(f"UPDATE {ENTRY} SET grade = 'D'")
    assert found() == {}


def test_a_reference_never_frozen_is_seen(line):
    corrupt(
        f"UPDATE {BASELINE} SET frozen_at = NULL, frozen_label = '', confirmed_at = NULL",
        without=f"{BASELINE}.baseline_confirmed_once_frozen",
    )
    assert list(found()) == ["deadlines"]


def test_the_evidence_is_there_and_intact(line):
    document = line.baseline.evidence
    with Path(document.file.path).open("ab") as stored:
        stored.write(b" retouche")
    assert "n’est plus celui" in found()["evidence"][0]
    document.file.storage.delete(document.file.name)
    assert "est introuvable" in found()["evidence"][0]
    corrupt(f"UPDATE {BASELINE} SET evidence_id = NULL", without=f"{BASELINE}.baseline_ab_has_evidence")
    assert found() == {"evidence": [f"Ligne {line.pk}\u00a0: sa référence de fiabilité A ou B n’a pas de preuve."]}


@pytest.mark.parametrize("column", ["entered_by_id", "submitted_by_id"])
def test_nobody_validated_its_own(review, line, column):
    corrupt(f"UPDATE {LINE} SET {column} = %s", review.finance.user_id, without=f"{LINE}.price_line_four_eyes")
    assert list(found()) == ["four_eyes"]


def test_nor_the_reference_it_entered(review, line):
    corrupt(f"UPDATE {BASELINE} SET entered_by_id = %s", review.finance.user_id)
    assert list(found()) == ["four_eyes"]


def test_without_persons_the_labels_are_compared(line):
    corrupt(
        f"UPDATE {LINE} SET entered_by_id = NULL, decided_by_id = NULL, decided_label = entered_label",
    )
    assert list(found()) == ["four_eyes"]


def test_a_locked_year_that_moved_is_seen(review, line):
    year_lock(territory=review.metropole, year=2026, actor=review.finance, now=NOW)
    corrupt(f"UPDATE {ENTRY} SET posted_at = %s WHERE year = 2026", FROZEN)
    assert list(found()) == ["locks"]
    assert review.metropole.name in found()["locks"][0]


def test_the_same_purchase_counts_once(review, line):
    second = review.baseline(designation="Papier recyclé")
    make_line(second, starts_on=date(2026, 6, 1), months=48)
    corrupt(f"UPDATE {BASELINE} SET frozen_at = %s", FROZEN)
    assert found() == {}
    corrupt(
        f"UPDATE {BASELINE} SET designation = 'Papier A4, ramette de 500 feuilles' WHERE id = %s",
        second.pk,
        without=f"{BASELINE}.baseline_once",
    )
    assert "compté 2 fois" in found()["once"][0]


def test_a_reference_and_the_one_that_replaces_it_count_once(review, line):
    old = line.baseline
    Baseline.objects.filter(pk=old.pk).update(is_replaced=True)
    new = review.baseline("4.70", designation="Ramette A4", replaces=old)
    make_line(new, starts_on=date(2026, 6, 1), months=48)
    corrupt(f"UPDATE {BASELINE} SET frozen_at = %s", FROZEN)
    assert list(found()) == ["once"]


def test_a_corrected_line_counts_no_more(line):
    make_line(line.baseline, "3.80", corrects=line, starts_on=date(2026, 6, 1), months=48)
    corrupt(f"UPDATE {LINE} SET is_superseded = NOT is_superseded")
    assert len(found()["corrections"]) == 2


def test_one_territory_and_one_year_are_looked_at_alone(review, line):
    other = make_review()
    make_line(other.baseline(), starts_on=date(2024, 1, 1))
    corrupt(f"UPDATE {LINE} SET budget_gain = 1 WHERE id <> %s", line.pk)
    assert found(Scope(review.metropole.pk)) == {}
    assert list(found(Scope(other.metropole.pk))) == ["amounts"]
    assert found(Scope(year=2026)) == {}
    assert list(found(Scope(year=2024))) == ["amounts"]
    assert check_ledger(Scope(year=2026), keep=1).lines == 1


def test_all_are_counted_and_the_first_are_kept(review):
    for number in range(4):
        make_line(review.baseline(designation=f"Article {number}"))
    corrupt(f"UPDATE {LINE} SET budget_gain = 1")
    checked = check_ledger(Scope(), keep=3).checked[0]
    assert (len(checked.findings), checked.count) == (3, 4)


@pytest.mark.parametrize("count", [2, 50])
def test_the_queries_do_not_grow_with_the_lines(review, count, django_assert_max_num_queries):
    for number in range(count):
        make_line(review.baseline(designation=f"Article {number}", grade="C"))
    with django_assert_max_num_queries(24):
        assert check_ledger(Scope(review.metropole.pk), keep=10).is_coherent
    assert PriceLine.objects.count() == count
