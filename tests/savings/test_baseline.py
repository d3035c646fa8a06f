"""The reference prices: written, graded, frozen before the deadline, replaced, never edited once frozen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from groupings.models import Consultation
from members.roles import Role
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from savings.actions.baseline import (
    baseline_confirm,
    baseline_freeze,
    baseline_price_write,
    baseline_remove,
    baseline_replace,
    baseline_save,
)
from savings.actions.line import line_save, lines_submit
from savings.actions.review import line_correct, line_decide
from savings.checks import Scope, check_ledger
from savings.ledger import entries, totals
from savings.models import Baseline, PriceLine
from tests.support.factories import make_affiliation, make_metropole
from tests.support.price_lines import AFTER, BEFORE, DUE, make_entry
from tests.support.savings import make_baseline, make_evidence, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry():
    return make_entry()


def saved(entry, now=BEFORE, **fields) -> Baseline:
    return baseline_save(baseline=entry.reference(**fields), actor=entry.buyer, now=now)


def test_the_grade_is_computed_from_the_method_the_evidence_and_the_perimeter(entry):
    assert saved(entry).grade == "C"  # a price paid, without proof
    proof = make_evidence(entry.scene.membership, entry.lot)
    assert saved(entry, designation="Prouvé", evidence=proof).grade == "A"
    assert saved(entry, designation="Autre", evidence=proof, perimeter_note="Livraison en plus").grade == "B"
    assert saved(entry, designation="Budget", method="BUDGET_ESTIMATE", evidence=proof).grade == "D"


def test_the_coefficient_comes_from_the_values_of_the_index(entry):
    """domain.md §8: I0 104.2, I1 112.536 give 1.08; with a fixed part of 0.15, 0.15 + 0.85 × 1.08 = 1.068."""
    values = {"index_name": "INSEE 010534", "index_base_value": Decimal("104.2"), "index_value": Decimal("112.536")}
    one = saved(entry, method="HISTORIC_PRICE_INDEXED", **values)
    assert one.index_factor == Decimal("1.08000000")
    part = saved(entry, designation="Part fixe", index_fixed_part=Decimal("0.15"), **values)
    assert part.index_factor == Decimal("1.06800000")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"index_name": "INSEE", "index_base_value": Decimal(0), "index_value": Decimal(100)}, "index_value"),
        ({"index_name": "INSEE", "index_base_value": Decimal(100)}, "index_value"),
        ({"index_factor": Decimal(0), "index_name": "INSEE"}, "__all__"),
        ({"index_factor": Decimal("1.03")}, "__all__"),
        ({"method": "HISTORIC_PRICE_INDEXED"}, "index_name"),
        ({"price_before": Decimal(0)}, "__all__"),
        ({"price_before": Decimal(-1)}, "price_before"),
        ({"quantity": Decimal(0)}, "__all__"),
        ({"method": "DOIGT_MOUILLE"}, "method"),
        ({"designation": ""}, "designation"),
        ({"designation": "x" * 501}, "designation"),
    ],
)
def test_what_makes_no_sense_is_refused_in_french_and_nothing_is_written(entry, fields, field):
    with pytest.raises(ValidationError) as refused:
        saved(entry, **fields)
    assert field in refused.value.message_dict
    assert not Baseline.objects.exists() and not JournalEntry.objects.filter(verb__startswith="baseline").exists()


def test_the_proof_of_another_member_proves_nothing(entry):
    with pytest.raises(ValidationError, match="déposée pour ce membre"):
        saved(entry, evidence=make_evidence(entry.scene.other, entry.lot))


def test_only_the_coordinators_people_enter_prices(entry):
    strangers = [entry.agent, make_affiliation(entry.scene.metropole, Role.READER), make_affiliation(make_metropole())]
    strangers += [make_affiliation(entry.scene.neighbour, Role.BUYER)]
    for person in strangers[:2] + strangers[3:]:
        with pytest.raises(NotAllowed):
            baseline_save(baseline=entry.reference(), actor=person, now=BEFORE)
    assert not Baseline.objects.exists()


def test_frozen_before_the_deadline_it_keeps_its_grade_and_never_changes(entry):
    baseline = saved(entry, evidence=make_evidence(entry.scene.membership))
    (frozen,) = baseline_freeze(baselines=[baseline], actor=entry.buyer, now=DUE - timedelta(seconds=1))
    assert (frozen.grade, frozen.frozen_label) == ("A", entry.buyer.actor_label)
    assert baseline_freeze(baselines=[baseline], actor=entry.buyer, now=AFTER) == []  # the second click
    frozen.price_before = Decimal("9.00")
    with pytest.raises(BusinessError, match="figé"):
        baseline_save(baseline=frozen, actor=entry.buyer, now=BEFORE)
    assert Baseline.objects.get().price_before == Decimal("4.80")


def test_at_the_deadline_it_is_late_asks_for_a_reason_and_falls_to_d(entry):
    baseline = saved(entry, evidence=make_evidence(entry.scene.membership))
    with pytest.raises(BusinessError, match="16/03/2026 à 12\u00a0h\u00a000") as refused:
        baseline_freeze(baselines=[baseline], actor=entry.buyer, now=DUE)
    assert refused.value.field == "late_reason"
    (frozen,) = baseline_freeze(baselines=[baseline], actor=entry.buyer, now=DUE, late_reason="Facture reçue tard")
    assert (frozen.grade, frozen.late_reason) == ("D", "Facture reçue tard")
    assert JournalEntry.objects.get(verb="baseline.freeze").reason == "Facture reçue tard"


def test_a_lot_put_out_again_has_the_deadline_of_its_latest_consultation(entry):
    again = Consultation.objects.create(
        grouping=entry.scene.grouping, number=2, launched_on="2026-04-20", member_count=3, offers_due_at=AFTER
    )
    again.lots.add(entry.lot)
    (frozen,) = baseline_freeze(baselines=[saved(entry)], actor=entry.buyer, now=DUE + timedelta(days=30))
    assert (frozen.grade, frozen.late_reason) == ("C", "")


def test_without_consultation_nothing_is_late(entry):
    Consultation.objects.update(offers_due_at=None)
    (frozen,) = baseline_freeze(baselines=[saved(entry)], actor=entry.buyer, now=AFTER, late_reason="Inutile")
    assert (frozen.grade, frozen.late_reason) == ("C", "")


def test_several_are_frozen_together_or_none(entry):
    ready, priceless = saved(entry), saved(entry, designation="Sans prix", price_before=None)
    with pytest.raises(BusinessError, match=r"Sans prix.*son prix manque"):
        baseline_freeze(baselines=[ready, priceless], actor=entry.buyer, now=BEFORE)
    assert not Baseline.objects.filter(frozen_at__isnull=False).exists()


def test_the_mean_of_the_offers_is_frozen_without_a_price_then_written_once(entry):
    mean = saved(entry, method="MEAN_OF_OFFERS", price_before=None, evidence=make_evidence(entry.scene.membership))
    (frozen,) = baseline_freeze(baselines=[mean], actor=entry.buyer, now=BEFORE)
    with pytest.raises(BusinessError, match="attendues jusqu’au 16/03/2026"):
        baseline_price_write(baseline=frozen, price=Decimal("4.10"), actor=entry.buyer, now=BEFORE)
    with pytest.raises(ValidationError, match="supérieur à zéro"):
        baseline_price_write(baseline=frozen, price=Decimal(0), actor=entry.buyer, now=AFTER)
    written = baseline_price_write(baseline=frozen, price=Decimal("4.10"), actor=entry.buyer, now=AFTER)
    assert (written.price_before, written.grade) == (Decimal("4.10"), "C")
    with pytest.raises(BusinessError, match="déjà écrite"):
        baseline_price_write(baseline=written, price=Decimal("3.00"), actor=entry.buyer, now=AFTER)


def test_the_mean_of_offers_nobody_has_read_yet_is_refused(entry):
    mean = saved(entry, method="MEAN_OF_OFFERS")
    with pytest.raises(BusinessError, match="connue qu’après leur date limite"):
        baseline_freeze(baselines=[mean], actor=entry.buyer, now=BEFORE)


def test_two_writers_the_second_is_told_and_loses_nothing(entry):
    baseline = saved(entry)
    first, second = Baseline.objects.get(pk=baseline.pk), Baseline.objects.get(pk=baseline.pk)
    first.price_before = Decimal("5.00")
    baseline_save(baseline=first, actor=entry.buyer, now=BEFORE)
    second.price_before = Decimal("6.00")
    with pytest.raises(BusinessError, match="a changé pendant votre saisie"):
        baseline_save(baseline=second, actor=entry.buyer, now=BEFORE)
    assert Baseline.objects.get().price_before == Decimal("5.00")


def test_the_same_values_again_write_nothing(entry):
    baseline = saved(entry)
    count = JournalEntry.objects.count()
    baseline_save(baseline=Baseline.objects.get(pk=baseline.pk), actor=entry.finance, now=BEFORE)
    assert JournalEntry.objects.count() == count and Baseline.objects.get().version == 1


def test_who_writes_the_figures_is_who_entered_them(entry):
    baseline = saved(entry)
    baseline.source = "Marché 2022-14"
    baseline_save(baseline=baseline, actor=entry.finance, now=BEFORE)
    assert baseline.entered_by_id == entry.buyer.user_id
    baseline.price_before = Decimal("5.00")
    baseline_save(baseline=baseline, actor=entry.finance, now=BEFORE)
    assert baseline.entered_by_id == entry.finance.user_id


def test_a_replacement_cites_the_old_one_takes_its_drafts_and_is_late(entry):
    old = make_baseline(entry.scene.membership, entry.lot, designation="Gazole")
    line = line_save(line=entry.line(old), actor=entry.buyer)
    new = baseline_replace(
        baseline=old, values={"price_before": Decimal("4.50")}, reason="Avoir oublié", actor=entry.buyer, now=AFTER
    )
    old.refresh_from_db()
    assert (new.replaces, old.is_replaced, new.is_frozen) == (old, True, False)
    assert (new.grade, new.late_reason, new.evidence_id) == ("D", "Avoir oublié", old.evidence_id)
    moved = PriceLine.objects.get(pk=line.pk)
    assert (moved.baseline_id, moved.price_before, moved.budget_gain) == (new.pk, Decimal("4.50"), Decimal("900.00"))
    assert (old.price_before, JournalEntry.objects.get(verb="baseline.replace").reason) == (
        Decimal("4.80"),
        "Avoir oublié",
    )
    with pytest.raises(BusinessError, match="déjà remplacé"):
        baseline_replace(baseline=old, values={}, reason="Encore", actor=entry.buyer, now=AFTER)


def test_a_reference_under_a_submitted_line_is_not_replaced(entry):
    baseline = make_baseline(entry.scene.membership, entry.lot)
    line = line_save(line=entry.line(baseline), actor=entry.buyer)
    lines_submit(lines=[line], actor=entry.buyer, now=AFTER)
    with pytest.raises(BusinessError, match="reprenez-la"):
        baseline_replace(baseline=baseline, values={}, reason="Erreur", actor=entry.buyer, now=AFTER)
    assert not Baseline.objects.filter(is_replaced=True).exists()


def test_a_wrong_reference_under_a_validated_line_is_replaced_then_the_line_corrected(entry):
    """4.80 was 4.50: 1 000 × (4.80 − 3.60) = 1 200.00 counts until 1 000 × (4.50 − 3.60) = 900.00 is validated."""
    old = make_baseline(entry.scene.membership, entry.lot)
    Baseline.objects.filter(pk=old.pk).update(frozen_at=BEFORE)
    line = make_line(old)
    new = baseline_replace(
        baseline=old, values={"price_before": Decimal("4.50")}, reason="Facture relue", actor=entry.buyer, now=AFTER
    )
    with pytest.raises(BusinessError, match=f"n°\u00a0{line.pk}.*corrigez-la"):
        line_save(line=entry.line(new), actor=entry.buyer)
    finance = make_affiliation(entry.buyer.organisation, Role.FINANCE)
    counted = entries(finance, stage="AWARDED")
    assert totals(counted).budget_gain == Decimal("1200.00")
    correction = line_correct(line=line, values={}, reason="Référence remplacée", actor=entry.buyer)
    assert (correction.baseline, correction.budget_gain) == (new, Decimal("900.00"))
    baseline_freeze(baselines=[new], actor=entry.buyer, now=AFTER, late_reason="Facture relue")
    own = SystemActor("Agent", organisation_id=new.membership.organisation_id)
    baseline_confirm(baseline=Baseline.objects.get(pk=new.pk), actor=own, now=AFTER)
    lines_submit(lines=[correction], actor=entry.buyer, now=AFTER)
    line_decide(line=PriceLine.objects.get(pk=correction.pk), step="validate", actor=finance, now=AFTER)
    assert totals(counted).budget_gain == Decimal("900.00")
    assert check_ledger(Scope(), keep=10).findings == []


def test_a_replacement_says_why_and_concerns_a_frozen_price(entry):
    frozen, draft = make_baseline(entry.scene.membership, entry.lot), saved(entry)
    with pytest.raises(BusinessError, match="motif"):
        baseline_replace(baseline=frozen, values={}, reason=" ", actor=entry.buyer, now=BEFORE)
    with pytest.raises(BusinessError, match="modifiez-le"):
        baseline_replace(baseline=draft, values={}, reason="Erreur", actor=entry.buyer, now=BEFORE)


def test_what_is_not_frozen_goes_with_its_drafts_and_what_is_frozen_stays(entry):
    draft = saved(entry)
    line_save(line=entry.line(draft), actor=entry.buyer)
    baseline_remove(baseline=draft, actor=entry.buyer)
    baseline_remove(baseline=draft, actor=entry.buyer)  # the second click
    assert not Baseline.objects.exists() and not PriceLine.objects.exists()
    frozen = make_baseline(entry.scene.membership, entry.lot)
    with pytest.raises(BusinessError, match="figé"):
        baseline_remove(baseline=frozen, actor=entry.buyer)


def test_a_lump_sum_has_the_quantity_one(entry):
    lump = baseline_save(
        baseline=entry.reference(is_lump_sum=True, quantity=Decimal(12)), actor=SystemActor("Reprise"), now=BEFORE
    )
    assert (lump.quantity, lump.unit, lump.entered_by_id) == (Decimal(1), "", None)
