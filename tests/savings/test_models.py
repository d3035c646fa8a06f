"""What the database itself refuses in the ledger, one test per constraint, each with its French sentence."""

from datetime import date
from decimal import Decimal
from itertools import chain

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from djmoney.money import Money

from groupings.models import Meeting
from savings.choices import EntryKind, GainStage, LineStatus
from savings.models import AnnualSheet, Baseline, CoordinationCost, LedgerEntry, OffContractSpend, PriceLine, YearLock
from tests.support.contracts import make_scene
from tests.support.factories import make_affiliation
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TEN = Money(10, "EUR")


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture
def lot(scene):
    return scene.grouping.lots.get(number=1)


@pytest.fixture
def baseline(scene, lot):
    return make_baseline(scene.membership, lot)


@pytest.fixture
def draft(baseline):
    return make_line(baseline, status=LineStatus.DRAFT)


def assert_refused(obj, sentence):
    """By the form with its French sentence, and by the database when the form is gone around."""
    with pytest.raises(ValidationError) as caught:
        obj.full_clean()
    assert sentence in chain.from_iterable(caught.value.message_dict.values())
    with pytest.raises(IntegrityError), transaction.atomic():
        obj.save()


def changed(obj, changes):
    for name, value in changes.items():
        setattr(obj, name, value)
    return obj


def twin(obj, **changes):
    """A new row like ``obj``."""
    fields = {field.attname: getattr(obj, field.attname) for field in obj._meta.concrete_fields if field.name != "id"}
    return type(obj)(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quantity": Decimal(0)}, "La quantité est supérieure à zéro."),
        ({"quantity": Decimal(-1)}, "La quantité est supérieure à zéro."),
        ({"price_before": Decimal(0)}, "Un prix de référence est supérieur à zéro\u202f; inconnu, laissez-le vide."),
        ({"price_before": Decimal(-1)}, "Un prix ne peut pas être négatif."),
        ({"index_factor": Decimal(0)}, "Un coefficient d’indexation est supérieur à zéro\u00a0: 1 sans indexation."),
        ({"index_fixed_part": Decimal(1)}, "La part fixe va de 0 à 1."),
        ({"index_fixed_part": Decimal("-0.1")}, "La part fixe va de 0 à 1."),
        ({"index_factor": Decimal("1.03")}, "Nommez l’indice (série, source) dont vient le coefficient."),
        ({"is_lump_sum": True}, "Un forfait a la quantité 1."),
        ({"late_reason": "Facture retrouvée"}, "Une référence tardive a la fiabilité D."),
        ({"evidence": None}, "Une fiabilité A ou B demande une preuve."),
        ({"grade": "B", "evidence": None}, "Une fiabilité A ou B demande une preuve."),
        ({"frozen_at": None, "frozen_label": ""}, "Un prix de référence est figé avant d’être confirmé."),
        ({"objection": "Ce n’est pas notre prix."}, "Un prix de référence est figé avant d’être confirmé."),
        ({"frozen_label": ""}, "Dites qui a figé ce prix de référence."),
        ({"frozen_at": None, "confirmed_at": None}, "Dites qui a figé ce prix de référence."),
        (
            {"period_starts_on": date(2025, 2, 1), "period_ends_on": date(2025, 1, 31)},
            "La période finit après avoir commencé.",
        ),
    ],
)
def test_a_reference_price(baseline, changes, sentence):
    assert_refused(changed(baseline, changes), sentence)


def test_a_reference_price_is_written_once_until_it_is_replaced(baseline):
    sentence = "Ce membre a déjà un prix de référence de cette désignation pour ce lot."
    assert_refused(twin(baseline), sentence)
    Baseline.objects.filter(pk=baseline.pk).update(is_replaced=True)
    twin(baseline, replaces_id=baseline.pk).save()
    assert Baseline.objects.current().count() == 1


def test_a_reference_price_may_be_unknown_or_late_or_without_evidence(scene, lot):
    make_baseline(scene.membership, lot, None, grade="D", method="BUDGET_ESTIMATE").full_clean(exclude=["entered_by"])
    make_baseline(scene.other, lot, grade="D", late_reason="Facture retrouvée").full_clean(exclude=["entered_by"])


def test_a_reference_price_is_of_one_grouping(scene, baseline):
    elsewhere = make_scene(reference="AILLEURS")
    baseline.membership = elsewhere.membership
    with pytest.raises(ValidationError, match="Ce membre n’appartient pas au groupement de ce lot"):
        baseline.full_clean()
    baseline.membership = scene.membership
    baseline.evidence = make_baseline(elsewhere.membership, elsewhere.grouping.lots.get(number=1)).evidence
    with pytest.raises(ValidationError, match="Cette pièce appartient à un autre groupement"):
        baseline.full_clean()


SUBMITTED = {"status": LineStatus.SUBMITTED, "submitted_at": NOW, "submitted_label": "Acheteur"}
DECIDED = SUBMITTED | {"decided_at": NOW, "decided_label": "Finances"}
VALIDATED = DECIDED | {"status": LineStatus.VALIDATED}
PRICES = "Un prix de référence est supérieur à zéro, un prix obtenu n’est pas négatif."
YEAR = "Une ligne réalisée, et elle seule, est celle d’une année."
COMPLETE = "Une ligne validée a ses prix, sa date d’effet et sa durée."
REASON = "Indiquez pourquoi la ligne est renvoyée ou rejetée."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quantity": Decimal(0)}, "La quantité est supérieure à zéro."),
        ({"index_factor": Decimal(0)}, "Un coefficient d’indexation est supérieur à zéro\u00a0: 1 sans indexation."),
        ({"price_before": Decimal(0)}, PRICES),
        ({"price_obtained": Decimal("-0.01")}, "Un prix ne peut pas être négatif."),
        ({"stage": GainStage.REALISED}, YEAR),
        ({"year": 2026}, YEAR),
        (SUBMITTED | {"submitted_at": None}, "Dites qui a soumis cette ligne."),
        (SUBMITTED | {"submitted_label": ""}, "Dites qui a soumis cette ligne."),
        (VALIDATED | {"decided_at": None}, "Dites qui a décidé de cette ligne."),
        (VALIDATED | {"decided_label": ""}, "Dites qui a décidé de cette ligne."),
        (VALIDATED | {"budget_gain": None}, COMPLETE),
        (VALIDATED | {"purchase_gain": None}, COMPLETE),
        (VALIDATED | {"starts_on": None}, COMPLETE),
        (VALIDATED | {"months": None}, COMPLETE),
        (DECIDED | {"status": LineStatus.RETURNED}, REASON),
        (DECIDED | {"status": LineStatus.REJECTED}, REASON),
    ],
)
def test_a_line(draft, changes, sentence):
    assert_refused(changed(draft, changes), sentence)


@pytest.mark.parametrize("own", ["entered_by", "submitted_by"])
def test_four_eyes(scene, draft, own):
    person, other = scene.buyer.user, make_affiliation(scene.metropole).user
    line = changed(draft, VALIDATED | {"decided_by": person, "entered_by": other, "submitted_by": other, own: person})
    assert_refused(line, "On ne valide pas ce que l’on a saisi ou soumis soi-même.")
    setattr(line, own, other)
    line.full_clean()
    line.save()


def test_a_reference_price_has_one_line_at_each_stage(baseline, draft):
    assert_refused(twin(draft), "Ce prix de référence a déjà une ligne à ce stade.")
    make_line(baseline, stage=GainStage.ESTIMATED)  # another stage is another line
    PriceLine.objects.filter(pk=draft.pk).update(
        **DECIDED | {"status": LineStatus.REJECTED, "decision_reason": "Hors périmètre"}
    )
    twin(draft).save()  # a rejected line holds no place


def test_a_reference_price_has_one_realised_line_a_year(baseline):
    line = make_line(baseline, stage=GainStage.REALISED, year=2026, status=LineStatus.DRAFT)
    assert_refused(twin(line), "Ce prix de référence a déjà une ligne réalisée cette année-là.")
    twin(line, year=2027).save()


def test_a_line_is_corrected_once(draft, baseline):
    line = make_line(baseline, stage=GainStage.ESTIMATED)
    correction = make_line(baseline, stage=GainStage.ESTIMATED, corrects=line, status=LineStatus.DRAFT)
    assert_refused(twin(correction), "Cette ligne a déjà une correction.")


ENTRY_TWICE = "ledger_entry_once"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"budget_gain_cents": 1}, "Le gain est la référence moins le prix obtenu."),
        ({"purchase_gain_cents": 1}, "Le gain est la référence moins le prix obtenu."),
        ({"year": 2024}, "Une écriture ne compte pas avant l’année qu’elle concerne."),
    ],
)
def test_an_entry(baseline, changes, sentence):
    entry = make_line(baseline).entries.get()
    new = twin(entry, kind=EntryKind.REVERSED, **changes)
    assert_refused(new, sentence)


def test_an_entry_is_written_once_for_a_line_and_a_year(baseline):
    entry = make_line(baseline).entries.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        twin(entry).save()


def make_lock(scene, **fields):
    fields = {"year": 2026, "sha256": "0" * 64, "entry_count": 0, "totals": {"AWARDED": {}}, "locked_at": NOW} | fields
    return YearLock(territory=scene.metropole, locked_label="Finances", locked_by=scene.buyer.user, **fields)


def test_a_year_is_locked_once(scene):
    make_lock(scene).save()
    assert_refused(make_lock(scene), "Cet exercice est déjà verrouillé.")
    make_lock(scene, year=2027).save()


def test_off_contract_spend(scene, lot):
    def spend(amount=TEN, **fields):
        fields = {"lot": lot, "membership": scene.membership, "year": 2026, "source": "Mandats"} | fields
        return OffContractSpend(amount_excl_tax=amount, entered_label="Acheteur", **fields)

    spend().save()
    sentence = "Le montant hors marché de ce membre est déjà saisi pour cette année."
    assert_refused(spend(), sentence)
    assert_refused(spend(None, year=2027), "Indiquez le montant.")
    assert_refused(spend(Money(-1, "EUR"), year=2027), "Un montant ne peut pas être négatif.")


def test_the_cost_of_coordinating(scene):
    def cost(amount=TEN, **fields):
        fields = {"grouping": scene.grouping, "year": 2026, "label": "Annonces légales"} | fields
        return CoordinationCost(amount_excl_tax=amount, entered_label="Acheteur", **fields)

    cost().save()
    assert_refused(cost(), "Ce coût est déjà saisi pour cette année.")
    assert_refused(cost(None, year=2027), "Indiquez le montant, ou les heures et leur coût.")
    assert_refused(cost(Money(-1, "EUR"), year=2027), "Un montant ne peut pas être négatif.")
    assert_refused(cost(year=2027, hourly_rate=Money(-1, "EUR")), "Un montant ne peut pas être négatif.")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (OffContractSpend, "off_contract_in_euros"),
        (CoordinationCost, "coordination_cost_in_euros"),
        (CoordinationCost, "coordination_rate_in_euros"),
    ],
)
def test_amounts_are_in_euros(scene, lot, model, name):
    """``save`` writes euros whatever it is given; gone around, the database refuses another currency."""
    common = {"year": 2026, "amount_excl_tax": Money(10, "EUR"), "entered_label": "Acheteur"}
    if model is OffContractSpend:
        row = model(lot=lot, membership=scene.membership, source="Mandats", **common)
    else:
        row = model(grouping=scene.grouping, label="Annonces", hourly_rate=Money(30, "EUR"), **common)
    row.save()
    field = "hourly_rate_currency" if "rate" in name else "amount_excl_tax_currency"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**{field: "USD"})


def test_an_annual_sheet(scene):
    def sheet(**fields):
        return AnnualSheet(territory=scene.metropole, texts={"a": "b"}, calendar={"2026-T1": 1}, **fields)

    sheet(year=2026).save()
    assert_refused(sheet(year=2026), "La fiche de cette année existe déjà.")
    whole = {"frozen_at": NOW, "figures_on": date(2026, 12, 1), "frozen_label": "Finances", "sha256": "0" * 64}
    for missing, empty in {"frozen_at": None, "figures_on": None, "frozen_label": "", "sha256": ""}.items():
        assert_refused(
            sheet(year=2027, **whole | {missing: empty}), "Une fiche figée a sa date, son auteur et son empreinte."
        )
    sheet(year=2027, **whole).save()


def test_a_meeting_is_recorded_once(scene):
    meeting = {"grouping": scene.grouping, "held_on": date(2026, 2, 3), "subject": "Lancement"}
    Meeting.objects.create(**meeting)
    assert_refused(Meeting(**meeting), "Cette réunion est déjà inscrite.")
    Meeting(**meeting | {"subject": "Bilan"}).save()


def test_every_constraint_says_a_sentence():
    """No constraint of the ledger answers with Django's own words; an entry is written by no form."""
    for model in [*apps.get_app_config("savings").get_models(), Meeting]:
        for constraint in model._meta.constraints:
            own = constraint.violation_error_message != models.BaseConstraint.default_violation_error_message
            assert own or constraint.name == ENTRY_TWICE, constraint.name


ONE_LINE = "Une ligne validée ne change plus\u00a0: une correction est une nouvelle ligne."


def test_a_validated_line_never_changes(baseline):
    line = make_line(baseline)
    line.price_obtained = Decimal("3.00")
    lines = PriceLine.objects.filter(pk=line.pk)
    for attempt in (
        line.save,
        lambda: line.save(update_fields=["price_obtained"]),
        lambda: line.save(update_fields=["is_superseded", "status"]),
        lambda: lines.update(price_obtained=Decimal("3.00")),
        lambda: lines.update(status=LineStatus.DRAFT),
        lambda: PriceLine.objects.order_by("-pk").update(comment="Tout va bien"),
        lambda: PriceLine.objects.bulk_update([line], ["price_obtained"]),
        lambda: baseline.lines.update(is_superseded=True, comment="Autre"),
    ):
        with pytest.raises(TypeError) as refused, transaction.atomic():
            attempt()
        assert str(refused.value) == ONE_LINE
    assert lines.get().price_obtained == Decimal("3.60")


def test_a_validated_line_is_never_removed(baseline):
    line = make_line(baseline)
    pretending = PriceLine.objects.get(pk=line.pk)
    pretending.status = LineStatus.DRAFT
    for attempt in (line.delete, pretending.delete, PriceLine.objects.all().delete, baseline.lines.all().delete):
        with pytest.raises(TypeError, match="Une ligne validée ne se supprime pas"), transaction.atomic():
            attempt()
    with pytest.raises(models.ProtectedError), transaction.atomic():
        baseline.delete()
    assert not hasattr(PriceLine.objects, "delete")
    assert not hasattr(LedgerEntry.objects, "delete")


def test_its_correction_alone_marks_it(baseline):
    line = make_line(baseline)
    assert PriceLine.objects.filter(pk=line.pk).update(is_superseded=True) == 1
    line.refresh_from_db()
    line.is_superseded = False
    line.save(update_fields=["is_superseded"])
    assert not PriceLine.objects.get().is_superseded


def test_a_draft_is_free(draft):
    draft.price_obtained = Decimal("3.50")
    draft.save()
    assert PriceLine.objects.filter(pk=draft.pk).update(comment="Vu") == 1
    assert PriceLine.objects.filter(pk=draft.pk).delete()[0] == 1
