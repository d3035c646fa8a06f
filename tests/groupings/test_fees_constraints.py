"""What the database itself refuses of the fees, with the sentence of each constraint."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from djmoney.money import Money

from groupings.models import FeeExpense, FeeStatement, FundCall
from tests.support.contracts import make_scene

pytestmark = pytest.mark.django_db


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def scene():
    return make_scene(fee_rule="EQUAL_SHARES")


@pytest.fixture
def expense(scene):
    return FeeExpense.objects.create(
        grouping=scene.grouping,
        nature="advice",
        label="Étude",
        amount_excl_tax=eur("10.00"),
        spent_on=date(2026, 3, 1),
        entered_label="Acheteur",
    )


def new_statement(scene, **fields) -> FeeStatement:
    return FeeStatement(
        **{
            "grouping": scene.grouping,
            "year": 2026,
            "number": 1,
            "rule": "EQUAL_SHARES",
            "values": {"shares": []},
            "sha256": "0" * 64,
            "total": eur("10.00"),
            "operating_total": eur("10.00"),
            "approved_at": datetime(2026, 9, 1, tzinfo=UTC),
            "approved_label": "Finances",
        }
        | fields
    )


def new_call(statement, scene, **fields) -> FundCall:
    return FundCall(
        **{
            "statement": statement,
            "membership": scene.membership,
            "coordinator": scene.metropole,
            "year": 2026,
            "number": 1,
            "amount_excl_tax": eur("5.00"),
            "issued_on": date(2026, 9, 2),
            "due_on": date(2026, 10, 2),
            "issued_label": "Acheteur",
            "values": {"member": {}},
        }
        | fields
    )


def refused(row, sentence: str = "") -> None:
    """By the form with its sentence, and by the database whatever writes there."""
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert any(sentence in message for message in caught.value.messages), caught.value.messages
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_an_expense_is_of_some_euros(scene, expense):
    refused(FeeExpense(**_copy(expense), amount_excl_tax=eur("0.00")), "zéro euro")
    refused(FeeExpense(**_copy(expense), amount_excl_tax=None), "Les montants sont connus")
    refused(FeeExpense(**_copy(expense), amount_excl_tax=eur("1.00"), lot=scene.award.lot), "Seul un contentieux")
    with pytest.raises(IntegrityError), transaction.atomic():
        FeeExpense.objects.filter(pk=expense.pk).update(amount_excl_tax_currency="USD")


def _copy(expense: FeeExpense) -> dict:
    names = ("grouping", "nature", "label", "spent_on", "entered_label")
    return {name: getattr(expense, name) for name in names}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"number": 2}, "motif de la correction"),
        ({"sha256": ""}, ""),
        ({"approved_label": ""}, ""),
        ({"operating_total": eur("11.00")}, "comprend ses frais de fonctionnement"),
        ({"operating_total": eur("-1.00")}, "comprend ses frais de fonctionnement"),
        ({"total": None}, "Les montants sont connus"),
    ],
)
def test_a_statement_is_whole(scene, fields, sentence):
    refused(new_statement(scene, **fields), sentence)


def test_a_year_has_one_statement_in_force(scene):
    new_statement(scene).save()
    refused(new_statement(scene, number=2, reason="Oubli"), "est déjà arrêté")
    refused(new_statement(scene, status="replaced"))  # the same number twice
    new_statement(scene, number=2, reason="Oubli", status="replaced").save()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"amount_excl_tax": eur("0.00")}, "zéro euro"),
        ({"amount_excl_tax": None}, "Les montants sont connus"),
        ({"due_on": date(2026, 9, 1)}, "précéder l’émission"),
        ({"paid_on": date(2026, 9, 1), "title_reference": "T-1"}, "suit l’émission"),
        ({"paid_on": date(2026, 9, 3)}, "numéro de son titre"),
        ({"file": "fees/1/AF.pdf"}, "Empreinte absente"),
        ({"sha256": "0" * 64}, "Empreinte absente"),
    ],
)
def test_a_call_is_whole(scene, fields, sentence):
    statement = new_statement(scene)
    statement.save()
    refused(new_call(statement, scene, **fields), sentence)


def test_a_call_is_numbered_in_the_year_of_its_issue(scene):
    statement = new_statement(scene)
    statement.save()
    with pytest.raises(ValidationError, match="numéroté dans l’année de son émission"):
        new_call(statement, scene, year=2027).full_clean()


def test_a_number_and_a_member_are_called_once(scene):
    statement = new_statement(scene)
    statement.save()
    new_call(statement, scene).save()
    refused(new_call(statement, scene, number=2), "déjà appelé pour cet état")
    refused(new_call(statement, scene, membership=scene.other))
    new_call(statement, scene, number=2, membership=scene.other).save()
