"""Coordination costs and buying outside the contract: entered by who may, one origin per amount, refusals in words."""

from decimal import Decimal

import pytest
from django.urls import reverse
from djmoney.money import Money

from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from savings.actions.costs import CHANGED, cost_remove, cost_save, off_contract_save
from savings.models import CoordinationCost, OffContractSpend
from tests.support.factories import make_membership
from tests.support.world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world("ici")


def form(client, name: str, arguments: dict, **values):
    return client.post(reverse(name, kwargs=arguments), values)


def refusals(response) -> str:
    assert response.status_code == 422
    return " ".join(str(error) for errors in response.context["form"].errors.values() for error in errors)


def test_hours_at_their_rate_make_the_amount_half_up(client, world):
    client.force_login(world.people["buyer"].user)
    response = form(
        client,
        "cost_create",
        {"pk": world.launched.pk},
        year="2026",
        label="Temps de l’acheteur",
        hours="10,50",
        hourly_rate="38,33",
        amount_excl_tax="",
    )
    assert response.status_code == 302
    cost = CoordinationCost.objects.get(label="Temps de l’acheteur")
    # 10.50 × 38.33 = 402.465
    assert cost.amount_excl_tax == Money("402.47", "EUR") and cost.hours == Decimal("10.50")
    entry = JournalEntry.objects.latest("pk")
    assert entry.sentence.startswith("Coût de coordination 2026") and "402,47" in entry.sentence
    assert cost.entered_label == world.people["buyer"].actor_label
    assert "402,47" in client.get(reverse("savings_costs", args=[world.launched.pk])).content.decode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"amount_excl_tax": "10", "hours": "2", "hourly_rate": "5"}, "pas les deux"),
        ({"hours": "2"}, "Indiquez le coût d’une heure."),
        ({"hourly_rate": "20"}, "Indiquez le nombre d’heures"),
        ({}, "Indiquez le montant, ou les heures et leur coût."),
        ({"amount_excl_tax": "0"}, "Un coût est supérieur à zéro."),
        ({"amount_excl_tax": "-5"}, "ne peut pas être négatif"),
        ({"amount_excl_tax": "#DIV/0!"}, "n’est pas un montant"),
        ({"amount_excl_tax": "10", "year": "1850"}, "à partir de 2000"),
        ({"amount_excl_tax": "10", "year": "MMXXVI"}, "Saisissez une année"),
        ({"amount_excl_tax": "10", "label": "Annonce ici"}, "Ce coût est déjà saisi pour cette année."),
    ],
)
def test_a_wrong_cost_is_told_and_nothing_is_written(client, world, values, sentence):
    client.force_login(world.people["finance"].user)
    before = CoordinationCost.objects.count(), JournalEntry.objects.count()
    typed = {"year": "2026", "label": "Conseil"} | values
    assert sentence in refusals(form(client, "cost_create", {"pk": world.launched.pk}, **typed))
    assert (CoordinationCost.objects.count(), JournalEntry.objects.count()) == before


def test_who_comes_second_is_told(client, world):
    client.force_login(world.people["buyer"].user)
    arguments = {"pk": world.launched.pk, "cost_pk": world.cost.pk}
    shown = client.get(reverse("cost_change", kwargs=arguments)).context["form"].initial
    seen = shown["seen"]
    first = form(client, "cost_change", arguments, year="2026", label="Annonce ici", amount_excl_tax="95", seen=seen)
    assert first.status_code == 302
    second = form(client, "cost_change", arguments, year="2026", label="Annonce ici", amount_excl_tax="80", seen=seen)
    assert CHANGED in refusals(second)
    world.cost.refresh_from_db()
    assert world.cost.amount_excl_tax == Money("95", "EUR")
    # Removed in the meantime: told as well.
    stale = CoordinationCost.objects.get(pk=world.cost.pk)
    cost_remove(cost=world.cost, actor=world.people["buyer"])
    cost_remove(cost=stale, actor=world.people["buyer"])  # twice is once
    stale.pk = arguments["cost_pk"]
    with pytest.raises(BusinessError):
        cost_save(cost=stale, actor=world.people["buyer"], seen=stale.entered_at)
    assert not CoordinationCost.objects.filter(label="Annonce ici").exists()


def test_zero_off_contract_is_said_and_unknown_is_not(client, world):
    client.force_login(world.people["buyer"].user)
    own = world.launched.memberships.get(organisation=world.metropole)
    typed = {"lot": world.award.lot_id, "membership": own.pk, "year": "2026", "source": "Mandats"}
    assert "obligatoire" in refusals(form(client, "off_contract_create", {"pk": world.launched.pk}, **typed))
    told = form(client, "off_contract_create", {"pk": world.launched.pk}, **typed, amount_excl_tax="0")
    assert told.status_code == 302
    assert OffContractSpend.objects.get(membership=own).amount_excl_tax == Money(0, "EUR")
    twice = form(client, "off_contract_create", {"pk": world.launched.pk}, **typed, amount_excl_tax="5")
    assert "déjà saisi pour cette année" in refusals(twice)


def test_a_lot_or_a_member_of_elsewhere_is_refused(client, world):
    there = make_world("leaked")
    client.force_login(world.people["buyer"].user)
    typed = {"year": "2027", "source": "Mandats", "amount_excl_tax": "5"}
    for lot, membership in (
        (there.award.lot_id, world.launched_membership.pk),
        (world.award.lot_id, there.launched_membership.pk),
        (world.award.lot_id, world.membership.pk),
    ):
        response = form(
            client, "off_contract_create", {"pk": world.launched.pk}, lot=lot, membership=membership, **typed
        )
        assert response.status_code == 422 and b"leaked" not in response.content
    spend = OffContractSpend(
        lot=world.award.lot,
        membership=make_membership(world.grouping, world.other_commune),
        year=2027,
        amount_excl_tax=Money(1, "EUR"),
        source="x",
    )
    with pytest.raises(BusinessError, match="n’appartient pas au groupement"):
        off_contract_save(spend=spend, actor=world.people["buyer"])


def test_the_amount_changes_and_goes_with_its_trace(client, world):
    client.force_login(world.people["jurist"].user)
    arguments = {"pk": world.launched.pk, "spend_pk": world.off_contract.pk}
    initial = client.get(reverse("off_contract_change", kwargs=arguments)).context["form"].initial
    changed = form(client, "off_contract_change", arguments, **initial | {"amount_excl_tax": "61,20"})
    assert changed.status_code == 302
    world.off_contract.refresh_from_db()
    assert world.off_contract.amount_excl_tax == Money("61.20", "EUR")
    assert b"61,20" in client.get(reverse("off_contract_remove", kwargs=arguments)).content
    assert form(client, "off_contract_remove", arguments).status_code == 302
    assert not OffContractSpend.objects.filter(pk=arguments["spend_pk"]).exists()
    entry = JournalEntry.objects.latest("pk")
    assert entry.verb == "savings.off_contract.remove" and entry.before["amount_excl_tax"]["amount"] == "61.20"


@pytest.mark.parametrize("person", ["reader", "administrator", "member_agent", "neighbour", "stranger"])
def test_only_the_coordinator_s_people_enter(world, person):
    actor = make_world("ailleurs").people["buyer"] if person == "stranger" else world.people[person]
    cost = CoordinationCost(
        grouping=world.launched, year=2026, label="Conseil", amount_excl_tax=Money(10, "EUR"), entered_label=""
    )
    with pytest.raises(NotAllowed):
        cost_save(cost=cost, actor=actor)


def test_a_member_reads_what_it_bought_elsewhere_itself_and_no_cost(client, world):
    own = world.launched.memberships.get(organisation=world.metropole)
    OffContractSpend.objects.create(
        lot=world.award.lot,
        membership=own,
        year=2026,
        amount_excl_tax=Money("777.77", "EUR"),
        source="Mandats",
        entered_label="x",
    )
    client.force_login(world.people["member_agent"].user)
    page = client.get(reverse("savings_costs", args=[world.launched.pk])).content.decode()
    assert "50,00" in page
    # Neither the coordinator's amount, nor the cost, nor a sum of both.
    for leaked in ("777,77", "827,77", "90,00", "Annonce ici", "Modifier"):
        assert leaked not in page
