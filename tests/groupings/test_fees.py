"""The fees of a grouping, from the expense to the payment: who may, what is frozen, what is called, to the cent."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from djmoney.money import Money
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groupings.actions.fees import fee_expense_remove, fee_expense_save, fee_statement_approve
from groupings.actions.fund_calls import fund_call_follow, fund_calls_issue
from groupings.actions.grouping import grouping_save
from groupings.fees import draft_of
from groupings.models import FeeExpense, FeeStatement, FundCall
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.jobs import runner
from procurement.core.journal.models import JournalEntry
from tests.support.contracts import make_scene
from tests.support.factories import make_affiliation, make_membership, make_need, make_organisation

pytestmark = pytest.mark.django_db
TODAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
DUE = date(2027, 4, 1)
EUR = Decimal


@pytest.fixture
def scene():
    """Three members: the métropole, Ville d’Amont and Ville d’Aval, in equal shares; launched on 02/02/2026."""
    found = make_scene(fee_rule="EQUAL_SHARES")
    found.finance = make_affiliation(found.metropole, Role.FINANCE)
    return found


def spend(scene, amount: str = "1000.00", day: date = date(2026, 3, 1), *, actor=None, **fields) -> FeeExpense:
    fields = {"nature": "publication", "label": "Avis au BOAMP"} | fields
    expense = FeeExpense(grouping=scene.grouping, spent_on=day, amount_excl_tax=Money(Decimal(amount), "EUR"), **fields)
    return fee_expense_save(expense=expense, actor=actor or scene.buyer, today=TODAY)


def approve(scene, year: int = 2026, **options) -> FeeStatement:
    scene.grouping.refresh_from_db()
    options.setdefault("expected_sha256", draft_of(scene.grouping, year).sha256)
    return fee_statement_approve(
        grouping=scene.grouping, year=year, actor=options.pop("actor", scene.finance), now=NOW, **options
    )


def issue(statement: FeeStatement, actor, today: date = TODAY) -> list[FundCall]:
    fund_calls_issue(statement=statement, actor=actor, today=today, due_on=date(today.year, 12, 31), ring_bell=False)
    return list(statement.calls.order_by("number"))


def amounts(calls) -> list[tuple[str, Decimal]]:
    return [(call.membership.organisation.name, call.amount_excl_tax.amount) for call in calls]


def test_a_year_approved_is_called_of_every_member_but_the_coordinator(scene):
    """T-FEE: 1 000.00 € in three: 333.34 for the métropole, first of the convention, 333.33 for each commune."""
    spend(scene)
    statement = approve(scene)
    shares = {share["name"]: share["amount"] for share in statement.values["shares"]}
    assert shares == {"Métropole d’Essai": "333.34", "Ville d’Amont": "333.33", "Ville d’Aval": "333.33"}
    assert statement.total.amount == EUR("1000.00") == sum(EUR(amount) for amount in shares.values())
    calls = issue(statement, scene.buyer)
    assert amounts(calls) == [("Ville d’Amont", EUR("333.33")), ("Ville d’Aval", EUR("333.33"))]
    assert [call.reference for call in calls] == ["AF-2027-001", "AF-2027-002"]


def test_finance_approves_and_never_its_own_entries(scene):
    spend(scene)
    with pytest.raises(NotAllowed):
        approve(scene, actor=scene.buyer)
    with pytest.raises(NotAllowed):
        approve(scene, actor=scene.agent)
    own = spend(scene, "5.00", actor=scene.finance)
    with pytest.raises(BusinessError, match="une autre personne des finances"):
        approve(scene)
    # Who only changed an entry has written it too.
    own.entered_by = scene.buyer.user
    own.save()
    with pytest.raises(BusinessError, match="une autre personne des finances"):
        approve(scene)
    assert approve(scene, actor=make_affiliation(scene.metropole, Role.FINANCE)).total.amount == EUR("1005.00")


@pytest.mark.parametrize("role", [Role.READER, Role.ADMINISTRATOR])
def test_who_neither_buys_nor_pays_enters_nothing(scene, role):
    with pytest.raises(NotAllowed):
        spend(scene, actor=make_affiliation(scene.metropole, role))


def test_a_member_enters_nothing_and_another_territory_neither(scene):
    with pytest.raises(NotAllowed):
        spend(scene, actor=scene.agent)
    other = make_scene(reference="GC-AILLEURS")
    with pytest.raises(NotAllowed):
        spend(scene, actor=other.buyer)


@pytest.mark.parametrize(
    ("amount", "day", "fields", "sentence"),
    [
        ("10.00", date(2027, 3, 2), {}, "n’est pas encore venu"),
        ("10.00", date(2025, 8, 31), {}, "n’est ouvert que depuis le 01/09/2025"),
        ("0.00", date(2026, 3, 1), {}, "zéro euro"),
        ("10.00", date(2026, 3, 1), {"label": "A" * 201}, "200"),
        ("10.00", date(2026, 3, 1), {"label": ""}, "vide"),
        ("10.00", date(2026, 3, 1), {"nature": "voyage"}, "voyage"),
    ],
)
def test_an_expense_that_cannot_be_is_refused(scene, amount, day, fields, sentence):
    with pytest.raises((BusinessError, ValidationError), match=sentence):
        spend(scene, amount, day, **fields)
    assert not FeeExpense.objects.exists()


def test_a_free_grouping_shares_disputes_only(scene):
    scene.grouping.fee_rule = "FREE"
    scene.grouping.save()
    with pytest.raises(BusinessError, match="gratuit pour ses membres"):
        spend(scene)
    make_need(scene.membership, scene.award.lot, "300.00")
    make_need(scene.other, scene.award.lot, "100.00")
    spend(scene, "80.00", nature="litigation", lot=scene.award.lot)
    statement = approve(scene)
    assert (statement.operating_total.amount, statement.total.amount) == (EUR(0), EUR("80.00"))
    assert amounts(issue(statement, scene.buyer)) == [("Ville d’Amont", EUR("20.00")), ("Ville d’Aval", EUR("60.00"))]


def test_no_dispute_before_the_launch_and_no_lot_for_the_rest(scene):
    with pytest.raises(BusinessError, match="Seul un contentieux"):
        spend(scene, lot=scene.award.lot)
    scene.grouping.status, scene.grouping.launched_on = "convention", None
    scene.grouping.save()
    with pytest.raises(BusinessError, match="Aucune consultation n’est lancée"):
        spend(scene, nature="litigation")


def test_what_is_approved_does_not_change(scene):
    expense = spend(scene)
    statement = approve(scene)
    expense.refresh_from_db()
    expense.label = "Autre"
    with pytest.raises(BusinessError, match="ne change plus"):
        fee_expense_save(expense=expense, actor=scene.buyer, today=TODAY)
    with pytest.raises(BusinessError, match="ne change plus"):
        fee_expense_remove(expense=expense, actor=scene.buyer)
    call = issue(statement, scene.buyer)[0]
    for write in (
        statement.save,
        statement.delete,
        call.save,
        call.delete,
        lambda: FeeStatement.objects.update(year=2020),
        lambda: FundCall.objects.all().delete(),
    ):
        with pytest.raises(TypeError):
            write()


def test_what_changed_while_it_was_read_is_not_approved(scene):
    spend(scene)
    seen = draft_of(scene.grouping, 2026).sha256
    spend(scene, "1.00")
    with pytest.raises(BusinessError, match="ont changé pendant votre lecture"):
        approve(scene, expected_sha256=seen)


def test_a_copy_read_before_another_s_change_is_refused(scene):
    expense = spend(scene)
    seen = expense.changed_at
    fee_expense_save(expense=expense, actor=scene.buyer, today=TODAY, seen=seen)
    expense.label = "Deuxième"
    fee_expense_save(expense=expense, actor=scene.buyer, today=TODAY)
    expense.label = "Troisième"
    with pytest.raises(BusinessError, match="a changé pendant votre saisie"):
        fee_expense_save(expense=expense, actor=scene.buyer, today=TODAY, seen=seen)


def test_nothing_to_approve_and_nothing_to_correct_are_said(scene):
    with pytest.raises(BusinessError, match="Aucune dépense n’est saisie pour 2026"):
        approve(scene)
    with pytest.raises(BusinessError, match="n’est pas commencée"):
        approve(scene, 2028)
    spend(scene)
    approve(scene)
    with pytest.raises(BusinessError, match="rien n’a changé depuis"):
        approve(scene, reason="Pour voir")


def test_a_correction_calls_the_difference_and_gives_back_what_was_too_much(scene):
    """900.00 then a credit note of 90.00 and a new expense of 30.00: 300.00 becomes 280.00, 20.00 given back."""
    spend(scene, "900.00")
    first = approve(scene)
    assert amounts(issue(first, scene.buyer)) == [("Ville d’Amont", EUR("300.00")), ("Ville d’Aval", EUR("300.00"))]
    spend(scene, "-90.00", label="Avoir")
    spend(scene, "30.00", label="Copies")
    with pytest.raises(BusinessError, match="Indiquez le motif"):
        approve(scene)
    second = approve(scene, reason="Avoir du BOAMP")
    first.refresh_from_db()
    assert (first.status, second.number, second.total.amount) == ("replaced", 2, EUR("840.00"))
    calls = issue(second, scene.buyer)
    assert amounts(calls) == [("Ville d’Amont", EUR("-20.00")), ("Ville d’Aval", EUR("-20.00"))]
    assert calls[0].is_refund and calls[0].reference == "AF-2027-003"
    assert calls[0].values["former"] == [{"reference": "AF-2027-001", "amount": "300.00"}]
    assert first.calls.count() == 2  # the former ones stay
    with pytest.raises(BusinessError, match="n’est pas possible"):
        issue(first, scene.buyer)


def test_actual_spending_is_provisional_then_corrected_when_it_is_known(scene):
    """By needs 300 / 100, 40.00 gives 30.00 / 10.00; by invoices 100 / 300, 10.00 / 30.00."""
    scene.grouping.fee_rule = "ACTUAL_SPEND"
    scene.grouping.save()
    make_need(scene.membership, scene.award.lot, "300.00")
    make_need(scene.other, scene.award.lot, "100.00")
    spend(scene, "40.00")
    first = approve(scene)
    assert first.is_provisional
    assert amounts(issue(first, scene.buyer)) == [("Ville d’Amont", EUR("10.00")), ("Ville d’Aval", EUR("30.00"))]
    scene.consume(scene.membership, "100.00")
    scene.consume(scene.other, "300.00", "F-2")
    scene.consume(scene.other, "900.00", "F-3", invoiced_on=date(2027, 1, 4))  # of another year
    second = approve(scene, reason="Dépenses constatées")
    assert not second.is_provisional
    assert amounts(issue(second, scene.buyer)) == [("Ville d’Amont", EUR("20.00")), ("Ville d’Aval", EUR("-20.00"))]


def test_a_flat_fee_is_called_once_of_each_member_whenever_it_joined(scene):
    scene.grouping.fee_rule, scene.grouping.fee_base = "FLAT_FEE", Money("150.00", "EUR")
    scene.grouping.save()
    first = approve(scene, 2026)
    assert first.total.amount == EUR("450.00")
    assert [amount for _, amount in amounts(issue(first, scene.buyer))] == [EUR("150.00")] * 2
    newcomer = make_organisation(parent=scene.metropole, name="Ville Neuve")
    make_membership(scene.grouping, newcomer, joined_on=date(2027, 1, 10))
    second = approve(scene, 2027)
    assert amounts(issue(second, scene.buyer)) == [("Ville Neuve", EUR("150.00"))]
    with pytest.raises(BusinessError, match="rien n’a changé"):
        approve(scene, 2026, reason="Encore")


def test_once_called_a_year_keeps_its_rule_and_its_keys_whatever_the_card_becomes(scene):
    """Populations 1000, 1000 and 2000: 100.00 is 25.00 / 25.00 / 50.00; the credit note of 40.00 keeps that key."""
    scene.grouping.fee_rule = "POPULATION"
    scene.grouping.save()
    for body, population in ((scene.metropole, 1000), (scene.neighbour, 1000), (scene.commune, 2000)):
        body.population = population
        body.save()
    spend(scene, "100.00")
    first = approve(scene)
    assert amounts(issue(first, scene.buyer)) == [("Ville d’Amont", EUR("25.00")), ("Ville d’Aval", EUR("50.00"))]
    scene.commune.population = 9000
    scene.commune.save()
    scene.grouping.fee_rule = "EQUAL_SHARES"
    scene.grouping.save()
    with pytest.raises(BusinessError, match="rien n’a changé depuis"):
        approve(scene, reason="Recensement")
    spend(scene, "-40.00", label="Avoir")
    second = approve(scene, reason="Avoir")
    assert second.rule == "POPULATION"
    assert amounts(issue(second, scene.buyer)) == [("Ville d’Amont", EUR("-10.00")), ("Ville d’Aval", EUR("-20.00"))]
    spend(scene, "90.00", date(2027, 1, 4))
    assert approve(scene, 2027).rule == "EQUAL_SHARES"


def test_a_wrong_rule_is_mended_as_long_as_nobody_is_called(scene):
    scene.grouping.fee_rule = "POPULATION"
    scene.grouping.save()
    spend(scene, "90.00")
    approve(scene)
    scene.grouping.fee_rule = "EQUAL_SHARES"
    scene.grouping.save()
    second = approve(scene, reason="La convention dit parts égales")
    assert amounts(issue(second, scene.buyer)) == [("Ville d’Amont", EUR("30.00")), ("Ville d’Aval", EUR("30.00"))]


def test_a_population_not_known_is_asked_for_by_name(scene):
    scene.grouping.fee_rule = "POPULATION"
    scene.grouping.save()
    spend(scene)
    scene.commune.population = None
    scene.commune.save()
    with pytest.raises(BusinessError, match="La population de Ville d’Aval n’est pas connue"):
        approve(scene)


def test_the_ceiling_counts_every_year_and_needs_the_members_agreement(scene):
    scene.grouping.fee_ceiling = Money("1000.00", "EUR")
    scene.grouping.save()
    spend(scene, "800.00")
    approve(scene)
    spend(scene, "200.01", date(2027, 1, 15))
    with pytest.raises(BusinessError, match="dépasseraient leur plafond de 0,01") as refused:
        approve(scene, 2027)
    assert refused.value.field == "ceiling_agreement"
    agreed = approve(scene, 2027, ceiling_agreement="Avenant n°\u00a02 du 12/02/2027")
    assert agreed.ceiling_agreement == "Avenant n° 2 du 12/02/2027"
    # A dispute is not an operating fee: the ceiling does not stop it.
    make_need(scene.membership, scene.award.lot, "300.00")
    spend(scene, "500.00", nature="litigation")
    assert approve(scene, reason="Contentieux").total.amount == EUR("1300.00")


def test_numbers_have_no_gap_across_groupings_and_start_again_each_year(scene):
    second = make_scene(fee_rule="EQUAL_SHARES")
    assert second.metropole != scene.metropole
    spend(scene)
    calls = issue(approve(scene), scene.buyer, date(2026, 12, 31))
    spend(scene, "9.00", date(2027, 1, 4))
    calls += issue(approve(scene, 2027), scene.buyer, date(2027, 1, 5))
    assert [call.reference for call in calls] == ["AF-2026-001", "AF-2026-002", "AF-2027-001", "AF-2027-002"]
    second.finance = make_affiliation(second.metropole, Role.FINANCE)
    spend(second)
    assert issue(approve(second), second.buyer)[0].reference == "AF-2027-001"  # another coordinator, its own series


def test_asked_twice_the_calls_are_issued_once_and_their_pdfs_made_once(scene):
    spend(scene)
    statement = approve(scene)
    job = fund_calls_issue(statement=statement, actor=scene.buyer, today=TODAY, due_on=DUE, ring_bell=False)
    again = fund_calls_issue(statement=statement, actor=scene.buyer, today=TODAY, due_on=DUE, ring_bell=False)
    assert again == job and statement.calls.count() == 2
    runner.run(job.pk)
    made = list(statement.calls.order_by("number"))
    for call in made:
        with call.file.open() as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == call.sha256
    assert fund_calls_issue(statement=statement, actor=scene.buyer, today=TODAY, due_on=DUE) is None


def test_a_call_is_due_after_its_issue_and_is_not_sent_by_a_member(scene):
    spend(scene)
    statement = approve(scene)
    with pytest.raises(NotAllowed):
        fund_calls_issue(statement=statement, actor=scene.agent, today=TODAY, due_on=DUE)
    with pytest.raises(BusinessError, match="précéder l’émission"):
        fund_calls_issue(statement=statement, actor=scene.buyer, today=TODAY, due_on=date(2027, 2, 28))
    assert not statement.calls.exists()


def test_the_payment_follows_the_issue_and_bears_its_title(scene):
    spend(scene)
    call = issue(approve(scene), scene.buyer)[0]

    def follow(title: str, day: date | None, actor=scene.finance, today: date = date(2027, 5, 1)):
        return fund_call_follow(call=call, title_reference=title, paid_on=day, actor=actor, today=today)

    with pytest.raises(NotAllowed):
        follow("T-12", None, scene.buyer)
    with pytest.raises(BusinessError, match="numéro du titre de recettes"):
        follow("  ", date(2027, 4, 2))
    with pytest.raises(BusinessError, match="ne précède pas l’émission"):
        follow("T-12", date(2027, 2, 28))
    with pytest.raises(BusinessError, match="pas encore venu"):
        follow("T-12", date(2027, 5, 2))
    follow("T-12", None)
    assert follow("T-12", date(2027, 4, 2)).due == 0
    follow("T-12", date(2027, 4, 2))  # twice is once
    assert JournalEntry.objects.filter(verb="fees.follow").count() == 2


def test_a_leaver_keeps_its_part_of_what_was_committed_before_it_left(scene):
    scene.other.withdrawn_on = date(2026, 6, 1)
    scene.other.save()
    spend(scene, "90.00", date(2026, 3, 1))
    spend(scene, "90.00", date(2026, 9, 1))
    assert amounts(issue(approve(scene), scene.buyer)) == [
        ("Ville d’Amont", EUR("30.00")),
        ("Ville d’Aval", EUR("75.00")),
    ]


def test_a_declared_grouping_has_no_fees_here(scene):
    scene.grouping.is_declared_only = True
    scene.grouping.save()
    with pytest.raises(BusinessError, match="autre direction"):
        spend(scene)


def test_the_card_refuses_what_does_not_go_together(scene):
    grouping = scene.grouping

    def save(**fields):
        for name, value in fields.items():
            setattr(grouping, name, Money(value, "EUR") if name != "fee_rule" and value else value)
        grouping_save(grouping=grouping, actor=scene.buyer)

    for fields, field in (
        ({"fee_base": "100.01", "fee_ceiling": "100.00"}, "fee_ceiling"),
        ({"fee_rule": "FREE", "fee_ceiling": None}, "fee_base"),
        ({"fee_rule": "FLAT_FEE", "fee_base": None}, "fee_base"),
        # Three members owe the fee.
        ({"fee_rule": "FLAT_FEE", "fee_base": "40.00", "fee_ceiling": "119.99"}, "fee_ceiling"),
    ):
        with pytest.raises(ValidationError) as refused:
            save(**fields)
        assert list(refused.value.error_dict) == [field]
    save(fee_ceiling="120.00")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 10**7).map(lambda c: EUR(c).scaleb(-2)), st.sampled_from([2026, 2027])),
        min_size=1,
        max_size=5,
    )
)
def test_the_calls_of_all_the_years_and_the_coordinator_s_part_add_up_to_the_expenses(db, spent):
    """Each expense is approved and called as it comes: every one after the first of its year is a correction."""
    scene = make_scene(fee_rule="EQUAL_SHARES", reference=f"GC-{FeeStatement.objects.count()}")
    scene.finance = make_affiliation(scene.metropole, Role.FINANCE)
    for amount, year in spent:
        spend(scene, str(amount), date(year, 2, 1))
        issue(approve(scene, year, reason="Dépense de plus"), scene.buyer)
    called = sum((call.amount_excl_tax.amount for call in FundCall.objects.filter(coordinator=scene.metropole)), EUR(0))
    current = FeeStatement.objects.filter(grouping=scene.grouping).exclude(status="replaced")
    kept = sum((EUR(statement.values["shares"][0]["amount"]) for statement in current), EUR(0))
    assert called + kept == sum((amount for amount, _ in spent), EUR(0))
