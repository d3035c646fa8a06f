"""The lines of gain by the buyer: the guard of each stage, what is copied, submission, taking back."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from groupings.models import Award, Grouping
from procurement.core.errors import BusinessError, NotAllowed
from savings.actions.baseline import baseline_object, baseline_save
from savings.actions.line import line_save, lines_submit, lines_take_back
from savings.models import PriceLine
from savings.stages import consumed_by_year
from tests.support.price_lines import AFTER, BEFORE, make_entry
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    return make_entry()


@pytest.fixture
def baseline(entry):
    return make_baseline(entry.scene.membership, entry.lot, index_factor="1.03")


def test_an_awarded_line_takes_its_prices_from_the_reference_and_its_dates_from_the_contract(entry, baseline):
    """4.80 × 1 000 = 4 800.00; indexed by 1.03, 4 944.00; obtained 3 600.00: gains of 1 200.00 and 1 344.00. The
    contract of the scene starts on 01/06/2026 for 24 months and one extension of 12."""
    line = line_save(line=entry.line(baseline), actor=entry.buyer)
    line.refresh_from_db()
    assert (line.price_before, line.quantity, line.index_factor) == (Decimal("4.80"), 1000, Decimal("1.03"))
    assert (line.baseline_budget, line.baseline_purchase, line.obtained) == (
        Decimal("4800.00"),
        Decimal("4944.00"),
        Decimal("3600.00"),
    )
    assert (line.budget_gain, line.purchase_gain) == (Decimal("1200.00"), Decimal("1344.00"))
    assert (line.starts_on, line.months, line.entered_label) == (date(2026, 6, 1), 36, entry.buyer.actor_label)


def test_each_stage_has_its_moment(entry, baseline):
    Award.objects.update(notified_on=None)
    for stage, year in (("AWARDED", None), ("REALISED", 2026)):
        with pytest.raises(BusinessError, match="n’est pas notifié"):
            line_save(line=entry.line(baseline, stage=stage, year=year, quantity=1), actor=entry.buyer)
    estimated = line_save(line=entry.line(baseline, stage="ESTIMATED", starts_on=date(2026, 6, 1)), actor=entry.buyer)
    assert estimated.months == entry.scene.grouping.total_months
    Grouping.objects.update(status="needs", launched_on=None)
    with pytest.raises(BusinessError, match="recensement des besoins clos"):
        fresh = make_baseline(entry.scene.other, entry.lot)
        line_save(line=entry.line(fresh, stage="ESTIMATED"), actor=entry.buyer)


def test_a_realised_line_is_of_one_year_from_the_beginning_of_the_contract(entry, baseline):
    """700 units at 3.50 against 4.80: 3 360.00 − 2 450.00 = 910.00; buying 300 fewer is 1 440.00 of volume, apart."""
    with pytest.raises(BusinessError, match="commence le 01/06/2026"):
        line_save(line=entry.line(baseline, stage="REALISED", year=2025, quantity=Decimal(700)), actor=entry.buyer)
    line = line_save(line=entry.line(baseline, "3.50", "REALISED", year=2026, quantity=Decimal(700)), actor=entry.buyer)
    assert (line.budget_gain, line.volume_effect) == (Decimal("910.00"), Decimal("1440.00"))
    assert (line.starts_on, line.months) == (date(2026, 1, 1), 12)
    line_save(line=entry.line(baseline, "3.50", "REALISED", year=2027, quantity=Decimal(700)), actor=entry.buyer)
    with pytest.raises(ValidationError, match="déjà une ligne réalisée cette année-là"):
        line_save(line=entry.line(baseline, "3.50", "REALISED", year=2027, quantity=Decimal(1)), actor=entry.buyer)
    with pytest.raises(ValidationError, match="quantité achetée"):
        line_save(line=entry.line(baseline, "3.50", "REALISED", year=2028, quantity=None), actor=entry.buyer)


def test_one_line_per_reference_and_stage(entry, baseline):
    line_save(line=entry.line(baseline), actor=entry.buyer)
    with pytest.raises(ValidationError, match="déjà une ligne à ce stade"):
        line_save(line=entry.line(baseline), actor=entry.buyer)


def test_a_line_without_price_is_kept_and_not_submitted(entry, baseline):
    line = line_save(line=entry.line(baseline, None), actor=entry.buyer)
    assert (line.budget_gain, line.obtained) == (None, None)
    with pytest.raises(BusinessError, match="non mesurée"):
        lines_submit(lines=[line], actor=entry.buyer, now=AFTER)


def test_the_reference_is_frozen_before_the_line_is_submitted_and_the_draft_follows_it(entry):
    baseline = baseline_save(baseline=entry.reference(), actor=entry.buyer, now=BEFORE)
    line = line_save(line=entry.line(baseline), actor=entry.buyer)
    baseline.price_before = Decimal("4.00")
    baseline_save(baseline=baseline, actor=entry.buyer, now=BEFORE)
    line.refresh_from_db()
    assert line.budget_gain == Decimal("400.00")
    with pytest.raises(BusinessError, match="Figez d’abord"):
        lines_submit(lines=[line], actor=entry.buyer, now=AFTER)


@pytest.mark.parametrize(
    ("price", "asks"),
    [("4.80", False), ("3.36", False), ("3.359", True), ("4.801", True)],
)
def test_beyond_the_plausible_band_the_submission_asks_for_a_comment_and_blocks_nothing_else(entry, price, asks):
    """4.80: 3.36 is exactly 30 % less, included; 3.359 is more than 30 %; 4.801 a loss."""
    baseline = make_baseline(entry.scene.membership, entry.lot)
    line = line_save(line=entry.line(baseline, price), actor=entry.buyer)
    if asks:
        with pytest.raises(BusinessError, match="de 0 à 30\u00a0%"):
            lines_submit(lines=[line], actor=entry.buyer, now=AFTER)
        line.comment = "Le marché précédent datait de 2014."
        line_save(line=line, actor=entry.buyer)
    assert len(lines_submit(lines=[line], actor=entry.buyer, now=AFTER)) == 1


def test_an_indexed_gain_beyond_the_band_asks_too(entry):
    """Budget gain 29.17 %, purchase gain 1 − 3.40 / (4.80 × 1.05) = 32.5 %."""
    baseline = make_baseline(entry.scene.membership, entry.lot, index_factor="1.05")
    line = line_save(line=entry.line(baseline, "3.40"), actor=entry.buyer)
    with pytest.raises(BusinessError, match="commentaire"):
        lines_submit(lines=[line], actor=entry.buyer, now=AFTER)


def test_several_are_submitted_together_or_none_and_twice_is_once(entry, baseline):
    ready = line_save(line=entry.line(baseline), actor=entry.buyer)
    other = make_baseline(entry.scene.other, entry.lot)
    unready = line_save(line=entry.line(other, None), actor=entry.buyer)
    with pytest.raises(BusinessError):
        lines_submit(lines=[ready, unready], actor=entry.buyer, now=AFTER)
    assert not PriceLine.objects.filter(status="SUBMITTED").exists()
    (submitted,) = lines_submit(lines=[ready], actor=entry.buyer, now=AFTER)
    assert (submitted.submitted_at, submitted.submitted_label) == (AFTER, entry.buyer.actor_label)
    assert lines_submit(lines=[ready], actor=entry.buyer, now=AFTER) == []
    ready.price_obtained = Decimal("1.00")
    ready.version = submitted.version
    with pytest.raises(BusinessError, match="ne se modifie pas"):
        line_save(line=ready, actor=entry.buyer)
    (draft,) = lines_take_back(lines=[submitted], actor=entry.buyer)
    assert (draft.status, draft.submitted_at) == ("DRAFT", None)
    assert lines_take_back(lines=[submitted], actor=entry.buyer) == []


def test_a_contested_reference_goes_nowhere(entry):
    baseline = make_baseline(entry.scene.membership, entry.lot, is_confirmed=False)
    line = line_save(line=entry.line(baseline), actor=entry.buyer)
    baseline_object(baseline=baseline, objection="Nous payions 4,20 €.", actor=entry.agent)
    with pytest.raises(BusinessError, match="conteste"):
        lines_submit(lines=[line], actor=entry.buyer, now=AFTER)


def test_a_validated_line_is_neither_changed_nor_submitted_again(entry, baseline):
    line = make_line(baseline)
    with pytest.raises(BusinessError, match="validée"):
        line_save(line=line, actor=entry.buyer)
    with pytest.raises(BusinessError, match="n’est pas possible"):
        lines_submit(lines=[line], actor=entry.buyer, now=AFTER)


def test_a_member_writes_no_line(entry, baseline):
    for act in (
        lambda: line_save(line=entry.line(baseline), actor=entry.agent),
        lambda: lines_submit(lines=[make_line(baseline, status="DRAFT")], actor=entry.agent, now=AFTER),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_two_writers_of_one_line(entry, baseline):
    line = line_save(line=entry.line(baseline), actor=entry.buyer)
    first, second = (PriceLine.objects.select_related("baseline__lot").get(pk=line.pk) for _ in range(2))
    first.price_obtained = Decimal("3.50")
    line_save(line=first, actor=entry.buyer)
    second.price_obtained = Decimal("3.40")
    with pytest.raises(BusinessError, match="a changé pendant votre saisie"):
        line_save(line=second, actor=entry.buyer)


def test_what_was_consumed_is_proposed_year_by_year_to_the_day(entry, baseline):
    """31/12/2026 is of 2026, 01/01/2027 of 2027: (300.00 + 100.01 − 30.00) / (100 + 30 − 10) = 3.083417 to six
    decimals; 2027: 33.00 / 10 = 3.30."""
    scene = entry.scene
    scene.consume(scene.membership, "300.00", "F-1", quantity=Decimal(100))
    scene.consume(scene.membership, "100.01", "F-2", quantity=Decimal(30), invoiced_on=date(2026, 12, 31))
    scene.consume(scene.membership, "-30.00", "A-1", quantity=Decimal(-10), invoiced_on=date(2026, 12, 31))
    scene.consume(scene.membership, "33.00", "F-3", quantity=Decimal(10), invoiced_on=date(2027, 1, 1))
    scene.consume(scene.other, "999.00", "F-4", quantity=Decimal(1))
    found = consumed_by_year(baseline)
    assert [(one.year, one.quantity, one.price) for one in found] == [
        (2026, Decimal(120), Decimal("3.083417")),
        (2027, Decimal(10), Decimal("3.300000")),
    ]
    scene.consume(scene.membership, "5.00", "F-5", invoiced_on=date(2027, 2, 1))  # without quantity: not known
    assert [one.year for one in consumed_by_year(baseline)] == [2026]
    make_baseline(scene.membership, entry.lot, designation="Additif")
    assert consumed_by_year(baseline) == []
