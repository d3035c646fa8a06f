"""What the database itself refuses of lots, files, prices and consumption: one test per constraint, in French."""

from datetime import date
from decimal import Decimal
from itertools import chain

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from djmoney.money import Money

from groupings.models import (
    ConsumptionLine,
    ContractContact,
    ExternalContract,
    GroupingDocument,
    NeedsSubmission,
    PriceItem,
)
from tests.support.factories import make_award, make_consultation, make_lot, make_need, make_territory
from tests.support.world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def territory():
    return make_world("ici")


def assert_refused(obj, sentence):
    """By the form with its French sentence, and by the database when the form is gone around."""
    with pytest.raises(ValidationError) as caught:
        obj.full_clean()
    assert sentence in chain.from_iterable(caught.value.message_dict.values())
    assert_refused_by_database(obj)


def assert_refused_by_database(obj):
    with pytest.raises(IntegrityError), transaction.atomic():
        obj.save()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"maximum_excl_tax": Money(1000, "EUR")}, "Seul un accord-cadre a un minimum et un maximum."),
        (
            {"is_framework": True, "minimum_excl_tax": Money(2, "EUR"), "maximum_excl_tax": Money(1, "EUR")},
            "Le maximum ne peut pas être inférieur au minimum.",
        ),
        ({"is_framework": True, "maximum_excl_tax": Money(-1, "EUR")}, "Un montant ne peut pas être négatif."),
        ({"takes_small_lot_exception": True}, "Indiquez le motif de l’exception des petits lots."),
    ],
)
def test_a_lot(territory, changes, sentence):
    for name, value in changes.items():
        setattr(territory.lot, name, value)
    assert_refused(territory.lot, sentence)


def test_the_evidence_of_a_member_is_never_shared(territory):
    territory.file.is_shared = True
    assert_refused(territory.file, "Le justificatif d’un membre n’est pas montré aux autres.")


def test_a_file_has_its_fingerprint(territory):
    territory.file.sha256 = ""
    assert_refused_by_database(territory.file)
    assert GroupingDocument.objects.get(pk=territory.file.pk).sha256


def test_a_need_holds_no_negative_price(territory):
    line = make_need(territory.membership, make_lot(territory.grouping, 2))
    line.current_unit_price = Decimal("-0.000001")
    assert_refused(line, "Un prix ne peut pas être négatif.")


def test_an_answer_has_one_number(territory):
    first = NeedsSubmission.objects.filter(membership=territory.membership).get()
    twin = NeedsSubmission(
        membership=territory.membership,
        number=first.number,
        lines={},
        sha256="1" * 64,
        submitted_at=timezone.now(),
        submitted_by="x",
    )
    assert_refused_by_database(twin)


def test_a_reference_stands_once_in_a_price_list(territory):
    twin = PriceItem(award=territory.award, code="G1", designation="Gazole", price_excl_tax=Decimal("1"))
    assert_refused(twin, "Cette référence est déjà au bordereau de ce lot.")


def test_a_price_is_known_and_not_negative(territory):
    for price, sentence in (
        (None, "Un prix est connu, et n’est pas négatif."),
        (Decimal("-0.01"), "Un prix ne peut pas être négatif."),
    ):
        item = PriceItem(award=territory.award, code="G2", designation="Gazole", price_excl_tax=price)
        assert_refused(item, sentence)


def test_a_contact_can_be_reached(territory):
    nobody = ContractContact(award=territory.award, name="Personne")
    assert_refused(nobody, "Indiquez une adresse ou un téléphone.")


def test_a_consumption_line_is_taken_in_once_and_in_euros(territory):
    line = ConsumptionLine.objects.get(award=territory.award)
    line.pk = None
    assert_refused_by_database(line)
    line.fingerprint, line.amount_excl_tax = "autre", None
    assert_refused_by_database(line)


def test_a_published_contract_is_known_once(territory):
    known = ExternalContract.objects.get()
    known.pk = None
    assert_refused(known, "Ce marché est déjà connu.")


def test_the_value_of_an_award_is_that_of_its_shares_in_the_world():
    """The factory itself: an accord-cadre is worth its maximum, another contract its amount; ends are inclusive."""
    _, grouping = make_territory(lots=2, status="award", launched_on=date(2026, 9, 1))
    consultation = make_consultation(grouping)
    plain, framework = grouping.lots.all()
    award = make_award(consultation, plain, "1234.56", starts_on=date(2024, 2, 29), duration_months=12)
    assert (award.value, award.ends_on) == (Decimal("1234.56"), date(2025, 2, 27))
    wide = make_award(
        consultation,
        framework,
        maximum_excl_tax=Money("9000.00", "EUR"),
        starts_on=date(2027, 1, 1),
        duration_months=12,
        extension_count=2,
        extension_months=12,
        notice_months=3,
    )
    assert (wide.value, wide.ends_on, wide.total_months) == (Decimal("9000.00"), date(2027, 12, 31), 36)
    assert wide.notice_due_on == date(2027, 9, 30)
    wide.extensions_taken = 2
    assert (wide.ends_on, wide.notice_due_on) == (date(2029, 12, 31), None)
