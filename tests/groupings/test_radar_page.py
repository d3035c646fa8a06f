"""The radar on screen: what the coordinator's people see, what a member sees, and what leaves in the export."""

import csv
import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse
from djmoney.money import Money

from groupings.models import ExternalContract
from tests.support.essential_data import make_complete_award, make_launched
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *args: TODAY)


@pytest.fixture
def metropole():
    return make_metropole(name="Métropole d’essai")


@pytest.fixture
def communes(metropole):
    return [make_organisation(parent=metropole, name=name) for name in ("Castries", "Lattes", "Pérols")]


def publish(body, ends_on=date(2027, 6, 1), cpv="30192000", amount="48000.00", **fields):
    number = ExternalContract.objects.count() + 1
    values = {
        "reference": f"X{number}",
        "buyer_siret": f"{body.siren}00017",
        "title": f"Papier de {body.name}",
        "notified_on": date(2023, 6, 1),
        "duration_months": 48,
        "holders": f"Papetier {number}",
        "source_name": "decp.json",
    }
    money = None if amount is None else Money(Decimal(amount), "EUR")
    return ExternalContract.objects.create(
        organisation=body, ends_on=ends_on, cpv=cpv, amount_excl_tax=money, **values | fields
    )


def opened(client, organisation, role="buyer", **query):
    client.force_login(make_affiliation(organisation, role).user)
    response = client.get(reverse("radar"), query)
    assert response.status_code == 200
    return response.content.decode()


def exported(client, organisation, role="buyer", **query):
    client.force_login(make_affiliation(organisation, role).user)
    response = client.get(reverse("radar"), {"export": "csv"} | query)
    content = response.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))


def test_an_opportunity_and_its_button(client, metropole, communes):
    publish(communes[0])
    publish(communes[1], date(2027, 3, 1), amount=None)
    page = opened(client, metropole)
    assert "1 groupement possible<" in page
    assert "<strong>2 membres</strong>\u00a0: Lattes, Castries" in page
    assert "Première fin le <strong>01/03/2027</strong>, dernière le 01/06/2027" in page
    assert "<strong>12\u202f000,00\u00a0€ HT par an</strong>, sans compter 1 contrat de montant inconnu" in page
    assert "Papetier 2, Papetier 1" in page
    prefix = f"{reverse('grouping_create')}?title=Machines%2C+mat%C3%A9riel"
    assert prefix in page
    assert "cpv=30192000&amp;category=supplies" in page


def test_the_button_fills_the_card_of_a_grouping(client, metropole, communes):
    client.force_login(make_affiliation(metropole, "buyer").user)
    query = {"title": "Papier & enveloppes", "cpv": "30192000", "category": "supplies", "reference": "VOLÉ"}
    page = client.get(reverse("grouping_create"), query).content.decode()
    assert 'value="Papier &amp; enveloppes"' in page
    assert 'value="30192000"' in page
    assert '<option value="supplies" selected>' in page
    assert "VOLÉ" not in page


def test_the_three_sources_meet(client, metropole, communes):
    """A need's current contract, a published contract, a part of an award of ours: same division, three bodies."""
    one, two, three = communes
    grouping = make_grouping(metropole, cpv="30192000", title="Papier en préparation")
    need = make_need(
        make_membership(grouping, one),
        make_lot(grouping),
        current_contract_ends_on=date(2027, 2, 1),
        current_supplier="Épicerie",
    )
    type(need).objects.update(yearly_amount_excl_tax=Decimal("500.00"))
    publish(two)
    launched, (membership,) = make_launched(metropole, three, cpv="30192000")
    make_complete_award(make_lot(launched), "40000.00", shares=[(membership, "40000.00")], starts_on=date(2023, 8, 1))
    rows = exported(client, metropole)
    assert [(row["Organisme"], row["Fin"], row["Montant annuel (€ HT)"], row["Source"]) for row in rows] == [
        ("Castries", "01/02/2027", "500,00", "Recensement"),
        ("Lattes", "01/06/2027", "12000,00", "Données publiées"),
        ("Pérols", "31/07/2027", "10000,00", "Marché du groupement"),
    ]
    page = opened(client, metropole)
    assert "22\u202f500,00\u00a0€ HT par an" in page
    assert "Déjà en préparation" in page and "Papier en préparation" in page


def test_what_the_coordinator_published_of_our_own_award_counts_once(client, metropole, communes):
    """Its essential data, read back from data.gouv.fr: the award tells it already, member by member. Another contract
    of the same number, of another buyer, is another contract."""
    grouping, memberships = make_launched(metropole, *communes[:2], cpv="30192000")
    shares = [(membership, "20000.00") for membership in memberships]
    award = make_complete_award(make_lot(grouping), "40000.00", shares=shares, starts_on=date(2023, 8, 1))
    publish(metropole, date(2027, 7, 31), reference=award.reference)
    publish(communes[2], reference=award.reference)
    assert [(row["Organisme"], row["Source"]) for row in exported(client, metropole)] == [
        ("Pérols", "Données publiées"),
        ("Castries", "Marché du groupement"),
        ("Lattes", "Marché du groupement"),
    ]
    type(award).objects.update(notified_on=None)
    assert len(exported(client, metropole)) == 2  # published, and not told by the award any more


def test_extensions_taken_push_the_end_and_an_award_not_notified_is_out(client, metropole, communes):
    grouping, memberships = make_launched(metropole, *communes[:2], cpv="30192000")
    shares = [(membership, "30000.00") for membership in memberships]
    award = make_complete_award(
        make_lot(grouping), shares=shares, starts_on=date(2022, 6, 1), extension_count=2, extension_months=6
    )
    assert exported(client, metropole) == []  # ended on 31 May 2026
    type(award).objects.update(extensions_taken=2)
    assert {row["Fin"] for row in exported(client, metropole)} == {"31/05/2027"}
    type(award).objects.update(notified_on=None)
    assert exported(client, metropole) == []


def test_the_edges_of_the_horizon(client, metropole, communes):
    publish(communes[0], date(2028, 5, 28))
    publish(communes[1], TODAY)
    publish(communes[2], date(2028, 5, 29))
    assert len(exported(client, metropole)) == 2
    publish(communes[2], date(2026, 11, 27))
    assert len(exported(client, metropole)) == 2


def test_filters(client, metropole, communes):
    for body in communes[:2]:
        publish(body, date(2027, 3, 1))
        publish(body, date(2028, 3, 1), cpv="90911200", title="Nettoyage")
    assert {row["Division CPV"] for row in exported(client, metropole)} == {"30", "90"}
    assert {row["Division CPV"] for row in exported(client, metropole, division="90")} == {"90"}
    assert {row["Division CPV"] for row in exported(client, metropole, horizon="6")} == {"30"}
    for wrong in ({"division": "77"}, {"horizon": "9999"}, {"horizon": "x"}, {"division": "<b>"}):
        assert len(exported(client, metropole, **wrong)) == 4
    assert "Effacer les filtres" in opened(client, metropole, division="90")
    assert "Aucun contrat ne correspond" in opened(client, metropole, division="90", horizon="6")


def test_the_fragment_for_htmx(client, metropole, communes):
    client.force_login(make_affiliation(metropole).user)
    response = client.get(reverse("radar"), headers={"HX-Request": "true"})
    assert "<h1>" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


def test_contracts_without_a_code_are_apart_and_single_bodies_told(client, metropole, communes):
    publish(communes[0], cpv="")
    publish(communes[1], cpv="90911200")
    page = opened(client, metropole)
    assert "Nature d’achat inconnue" in page
    assert "1 autre nature d’achat ne concerne qu’un seul membre\u00a0: CPV 90 (Lattes, 01/06/2027)." in page
    assert [row["Division CPV"] for row in exported(client, metropole)] == ["inconnue"]


def test_an_empty_territory(client, metropole):
    assert "Aucune nature d’achat n’a de contrats qui se terminent chez deux membres" in opened(client, metropole)
    assert reverse("radar_import") in opened(client, metropole)
    assert reverse("radar_import") not in opened(client, metropole, "reader")


@pytest.mark.parametrize("role", ["member_agent", "buyer"])
def test_a_member_sees_its_own_contracts_and_nothing_of_its_neighbours(client, metropole, communes, role):
    """Published, declared, awarded: its own alone, even in the groupings it shares."""
    one, two, _ = communes
    for body in (one, two):
        publish(body)
    grouping, memberships = make_launched(metropole, one, two, cpv="30192000")
    make_complete_award(
        make_lot(grouping), shares=[(membership, "30000.00") for membership in memberships], starts_on=date(2023, 8, 1)
    )
    for membership in memberships:
        make_need(membership, grouping.lots.get(), current_contract_ends_on=date(2027, 1, 1))
    rows = exported(client, one, role)
    assert {row["Organisme"] for row in rows} == {"Castries"}
    assert sorted(row["Source"] for row in rows) == ["Données publiées", "Marché du groupement", "Recensement"]
    page = opened(client, one, role)
    assert "Lattes" not in page
    assert "Préparer un groupement" not in page
    assert "3 contrats" in page


def test_a_commune_that_coordinates_sees_its_own_contracts_only(client, metropole, communes):
    one, two, _ = communes
    grouping, memberships = make_launched(one, one, two, cpv="30192000")
    make_complete_award(
        make_lot(grouping), shares=[(membership, "30000.00") for membership in memberships], starts_on=date(2023, 8, 1)
    )
    assert {row["Organisme"] for row in exported(client, one)} == {"Castries"}


def test_an_award_not_notified_is_not_told_to_a_member(client, metropole, communes):
    grouping, memberships = make_launched(metropole, *communes[:2], cpv="30192000")
    make_complete_award(
        make_lot(grouping), shares=[(memberships[0], "60000.00")], starts_on=date(2023, 8, 1), notified_on=None
    )
    assert exported(client, communes[0]) == []


def test_the_workbook_holds_what_is_on_screen(client, metropole, communes):
    publish(communes[0], title="=1+1", amount="0.01")
    publish(communes[1], amount=None)
    client.force_login(make_affiliation(metropole).user)
    response = client.get(reverse("radar"), {"export": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 3
    assert rows[1][3] == "=1+1"
    assert sheet["D2"].data_type == "s"
    assert (rows[1][6], rows[2][6]) == (0.01, None)


@pytest.mark.parametrize("count", [1, 12])
def test_queries(client, metropole, count, django_assert_max_num_queries):
    bodies = [make_organisation(parent=metropole) for _ in range(2 * count)]
    grouping, memberships = make_launched(metropole, *bodies, cpv="30192000")
    for number, membership in enumerate(memberships, start=1):
        publish(membership.organisation, cpv=f"{30 + number % 3}000000")
        lot = make_lot(grouping, number)
        make_need(membership, lot, current_contract_ends_on=date(2027, 1, number))
        make_complete_award(lot, shares=[(membership, "60000.00")], starts_on=date(2023, 8, 1))
    make_complete_award(make_lot(grouping, 99), starts_on=date(2023, 8, 1))
    for organisation in (metropole, bodies[0]):
        client.force_login(make_affiliation(organisation).user)
        client.get(reverse("radar"))
        with django_assert_max_num_queries(12):
            client.get(reverse("radar"))
