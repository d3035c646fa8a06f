"""From a validated line to its entries: parts by year, reversals, and years that receive nothing more."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from savings.choices import EntryKind, GainStage, LineStatus
from savings.ledger import totals, totals_by
from savings.models import Baseline, LedgerEntry, PriceLine, YearLock
from savings.models.ledger import cents_of, euros_of
from savings.posting import SPLIT, compute, compute_all, first_open, parts_by_year
from savings.rules.budget_years import full_term
from tests.support.contracts import make_scene
from tests.support.factories import make_lot
from tests.support.savings import make_baseline, make_line


@pytest.fixture
def scene(db):
    return make_scene(cpv="09134100")


@pytest.fixture
def baseline(scene):
    """1 000 × 4.80, for 3.60: 1 200.00 a year."""
    return make_baseline(scene.membership, scene.grouping.lots.get(number=1))


def lock(scene, year):
    return YearLock.objects.create(
        territory=scene.metropole,
        year=year,
        sha256="0" * 64,
        entry_count=0,
        totals={},
        locked_at=timezone.now(),
        locked_label="Finances d’essai",
    )


def written(**filters):
    """(budget year, year it is about, kind, months, reference, obtained, budget gain), in order."""
    return [
        (
            entry.year,
            entry.origin_year,
            entry.kind,
            entry.months,
            *(
                str(euros_of(getattr(entry, f"{name}_cents")))
                for name in ("baseline_budget", "obtained", "budget_gain")
            ),
        )
        for entry in LedgerEntry.objects.filter(**filters).order_by("pk")
    ]


def test_twelve_months_of_one_year_are_one_entry(baseline):
    make_line(baseline)
    assert written() == [(2026, 2026, "posted", 12, "4800.00", "3600.00", "1200.00")]


def test_a_contract_of_four_years_from_march(baseline):
    """4 × 4 800 and 4 × 3 600 over 48 months, by 10, 12, 12, 12 and 2 of them: 400 and 300 a month."""
    make_line(baseline, starts_on=date(2026, 3, 15), months=48)
    assert written() == [
        (2026, 2026, "posted", 10, "4000.00", "3000.00", "1000.00"),
        (2027, 2027, "posted", 12, "4800.00", "3600.00", "1200.00"),
        (2028, 2028, "posted", 12, "4800.00", "3600.00", "1200.00"),
        (2029, 2029, "posted", 12, "4800.00", "3600.00", "1200.00"),
        (2030, 2030, "posted", 2, "800.00", "600.00", "200.00"),
    ]
    assert totals(LedgerEntry.objects.all()).budget_gain == Decimal("4800.00")


def test_parts_that_do_not_fall_on_a_cent_still_add_up(scene, baseline):
    """10.00 and 9.99 by halves, from July: 5.00 and 5.00, 5.00 and 4.99; the cent goes to the first."""
    other = make_baseline(scene.other, baseline.lot, "10.00", "1")
    make_line(other, "9.99", starts_on=date(2026, 7, 1))
    assert written() == [
        (2026, 2026, "posted", 6, "5.00", "5.00", "0.00"),
        (2027, 2027, "posted", 6, "5.00", "4.99", "0.01"),
    ]


def test_a_one_off_counts_once_in_the_year_it_takes_effect(scene, baseline):
    once = make_baseline(scene.other, baseline.lot, "50000", "1", is_one_off=True, designation="Logiciel")
    make_line(once, "42000", starts_on=date(2026, 11, 30), months=36)
    assert written() == [(2026, 2026, "posted", 36, "50000.00", "42000.00", "8000.00")]


def test_a_realised_line_is_of_its_year_whatever_its_contract(baseline):
    """900 bought: 1.20 × 900 by the price, and 100 × 4.80 not spent, in no total."""
    line = make_line(
        baseline, stage=GainStage.REALISED, year=2027, starts_on=date(2026, 3, 15), months=48, quantity=Decimal(900)
    )
    assert written() == [(2027, 2027, "posted", 12, "4320.00", "3240.00", "1080.00")]
    assert str(line.volume_effect) == "480.00"


def test_stages_are_entries_apart(baseline):
    make_line(baseline, "3.00", stage=GainStage.ESTIMATED)
    make_line(baseline)
    make_line(baseline, "3.70", stage=GainStage.REALISED, year=2026)
    gains = {stage: totals(LedgerEntry.objects.filter(stage=stage)).budget_gain for stage in GainStage}
    assert gains == {"ESTIMATED": Decimal("1800.00"), "AWARDED": Decimal("1200.00"), "REALISED": Decimal("1100.00")}


def test_an_entry_says_what_the_reports_group_by(scene, baseline):
    own = make_lot(scene.grouping, 9, cpv="30192000")
    line = make_line(make_baseline(scene.other, own, "4.20", index_factor="1.03", grade="C", method="MEAN_OF_OFFERS"))
    entry = line.entries.get()
    assert (entry.territory, entry.grouping, entry.lot) == (scene.metropole, scene.grouping, own)
    assert (entry.membership, entry.organisation) == (scene.other, scene.neighbour)
    assert (entry.family, entry.stage, entry.grade, entry.is_one_off) == ("30", "AWARDED", "C", False)
    assert (entry.baseline_purchase_cents, entry.purchase_gain_cents) == (432_600, 72_600)
    assert make_line(baseline).entries.get().family == "09"  # the lot has no code of its own: its grouping's


def correct(line, price_obtained, **fields):
    return make_line(
        line.baseline, price_obtained, corrects=line, starts_on=line.starts_on, months=line.months, **fields
    )


def test_a_correction_reverses_and_posts_its_own(baseline):
    line = make_line(baseline, starts_on=date(2026, 7, 1))
    correct(line, "3.80")
    assert written() == [
        (2026, 2026, "posted", 6, "2400.00", "1800.00", "600.00"),
        (2027, 2027, "posted", 6, "2400.00", "1800.00", "600.00"),
        (2026, 2026, "reversed", 6, "-2400.00", "-1800.00", "-600.00"),
        (2027, 2027, "reversed", 6, "-2400.00", "-1800.00", "-600.00"),
        (2026, 2026, "posted", 6, "2400.00", "1900.00", "500.00"),
        (2027, 2027, "posted", 6, "2400.00", "1900.00", "500.00"),
    ]
    line.refresh_from_db()
    assert line.is_superseded


def test_a_correction_of_a_correction_reverses_the_last_alone(baseline):
    line = make_line(baseline)
    second = correct(line, "3.80")
    correct(second, "3.70")
    assert totals(LedgerEntry.objects.all()).budget_gain == Decimal("1100.00")
    assert LedgerEntry.objects.filter(kind=EntryKind.REVERSED).count() == 2


def test_a_correction_may_move_the_contract_to_other_years(baseline):
    line = make_line(baseline)
    make_line(baseline, corrects=line, starts_on=date(2027, 1, 1))
    by_year = dict(totals_by(LedgerEntry.objects.all(), "year"))
    assert {year: row.budget_gain for (year,), row in by_year.items()} == {2026: Decimal(0), 2027: Decimal("1200.00")}


def test_nothing_is_posted_in_a_locked_year(scene, baseline):
    """A line validated once 2026 is closed counts in 2027, and says which year it is about."""
    lock(scene, 2026)
    make_line(baseline, starts_on=date(2026, 7, 1))
    assert [(entry[:2], entry[-1]) for entry in written()] == [((2027, 2026), "600.00"), ((2027, 2027), "600.00")]
    assert totals(LedgerEntry.objects.filter(year=2027)).lines == 1


def test_a_correction_after_the_lock_is_reversed_in_the_first_open_year(scene, baseline):
    line = make_line(baseline)
    lock(scene, 2026)
    lock(scene, 2027)
    correct(line, "3.80")
    assert [entry[:3] + entry[-1:] for entry in written()] == [
        (2026, 2026, "posted", "1200.00"),
        (2028, 2026, "reversed", "-1200.00"),
        (2028, 2026, "posted", "1000.00"),
    ]
    assert totals(LedgerEntry.objects.filter(year=2026)).budget_gain == Decimal("1200.00")


def test_the_lock_of_another_territory_holds_nothing(scene, baseline):
    lock(make_scene(reference="AILLEURS"), 2026)
    make_line(baseline)
    assert [entry[0] for entry in written()] == [2026]


@pytest.mark.parametrize(
    ("year", "locked", "wanted"), [(2026, {2025}, 2026), (2026, {2026}, 2027), (2026, {2026, 2027, 2029}, 2028)]
)
def test_the_first_open_year(year, locked, wanted):
    assert first_open(year, locked) == wanted


def test_the_same_line_is_not_posted_twice(baseline):
    from savings.posting import post

    line = make_line(baseline)
    with pytest.raises(IntegrityError), transaction.atomic():
        post(line)


def test_an_entry_is_never_changed_nor_removed(baseline):
    entry = make_line(baseline).entries.get()
    entry.year = 2027
    for attempt in (
        entry.save,
        entry.delete,
        LedgerEntry.objects.all().delete,
        lambda: LedgerEntry.objects.update(year=2027),
        lambda: LedgerEntry.objects.bulk_update([entry], ["year"]),
    ):
        with pytest.raises(TypeError, match="Une écriture du registre ne se"), transaction.atomic():
            attempt()
    assert [row[0] for row in written()] == [2026]


def test_a_line_that_is_not_measured_has_no_amount(baseline):
    line = make_line(baseline, None, status=LineStatus.DRAFT)
    assert [line.baseline_budget, line.obtained, line.budget_gain, line.volume_effect] == [None] * 4
    assert written() == []


def test_computing_again_forgets_what_is_no_longer_known(baseline):
    line = make_line(baseline, stage=GainStage.REALISED, status=LineStatus.DRAFT)
    assert (str(line.budget_gain), str(line.volume_effect)) == ("1200.00", "0.00")
    line.price_obtained = None
    compute(line)
    assert [line.baseline_budget, line.budget_gain, line.volume_effect] == [None] * 3


def test_many_lines_are_computed_as_each_would_be(scene, baseline):
    bought = [(GainStage.AWARDED, "3.60"), (GainStage.REALISED, "3.70"), (GainStage.ESTIMATED, None)]
    lines = [make_line(baseline, price, stage=stage, status=LineStatus.DRAFT) for stage, price in bought]
    wanted = [(line.budget_gain, line.purchase_gain, line.volume_effect) for line in lines]
    for line in lines:
        line.budget_gain = line.purchase_gain = line.volume_effect = Decimal(1)
    compute_all(lines)
    assert [(line.budget_gain, line.purchase_gain, line.volume_effect) for line in lines] == wanted
    assert [None if gain is None else str(gain) for gain, *_ in wanted] == ["1200.00", "1100.00", None]
    compute_all([])


def test_cents_and_euros_are_the_same_amount():
    assert [cents_of(Decimal(text)) for text in ("-10.00", "0.01", "1E+3")] == [-1000, 1, 100_000]
    assert [str(euros_of(cents)) for cents in (-1000, 1, 0)] == ["-10.00", "0.01", "0.00"]


def test_the_sums_are_exact_in_every_database(scene, baseline):
    """0.10 + 0.20, ten times: a float would say 2.9999999999999996."""
    for number in range(10):
        for price in ("0.10", "0.20"):
            make_line(make_baseline(scene.other, baseline.lot, price, "1", designation=f"{price} n° {number}"), "0.00")
    assert str(totals(LedgerEntry.objects.all()).budget_gain) == "3.00"
    assert LedgerEntry.objects.aggregate(sum=Sum("budget_gain_cents")) == {"sum": 300}


PRICES = st.integers(1, 10**9).map(lambda whole: Decimal(whole).scaleb(-6))


@given(
    PRICES,
    PRICES,
    st.integers(1, 10**7),
    st.dates(date(2000, 1, 1), date(2060, 12, 31)),
    st.integers(1, 360),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_parts_of_the_years_add_up_to_the_full_term(before, obtained, thousandths, starts_on, months, is_one_off):
    """Every amount, and the gains, which are differences of parts."""
    line = PriceLine(
        baseline=Baseline(quantity=Decimal(1)),
        stage=GainStage.AWARDED,
        quantity=Decimal(thousandths).scaleb(-3),
        price_before=before,
        index_factor=Decimal("1.03"),
        price_obtained=obtained,
        is_one_off=is_one_off,
        starts_on=starts_on,
        months=months,
    )
    compute(line)
    parts = parts_by_year(line)
    for name in SPLIT:
        whole = getattr(line, name) if is_one_off else full_term(getattr(line, name), months)
        assert sum(amounts[name] for _, amounts in parts.values()) == whole
    assert sum(count for count, _ in parts.values()) == months
    assert all(
        amount == amount.quantize(Decimal("0.01")) for _, amounts in parts.values() for amount in amounts.values()
    )
