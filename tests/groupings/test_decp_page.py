"""« Données essentielles »: what a year publishes, what is missing, and who may have the files."""

import json
from datetime import date

import pytest
from django.urls import reverse

from groupings.models import Award
from tests.groupings.exchange.test_decp_writer import official_json, official_xml
from tests.support.essential_data import make_complete_award, make_launched, make_published_lot
from tests.support.factories import make_affiliation, make_lot, make_metropole, make_organisation

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *args: TODAY)


@pytest.fixture
def metropole():
    return make_metropole(name="Métropole d’essai", siren="243400017", siret="24340001700022", postcode="34000")


def get(client, organisation, role="buyer", **query):
    client.force_login(make_affiliation(organisation, role).user)
    return client.get(reverse("decp_export"), query)


def test_the_year_shows_what_will_be_published_and_gives_it(client, metropole):
    award = make_published_lot(metropole, metropole, reference="M2026")
    page = get(client, metropole).content.decode()
    assert "Données essentielles des marchés notifiés en 2026" in page
    assert "M2026" in page
    assert award.holders.get().name in page
    assert "60\u202f000,00\u00a0€" in page
    response = get(client, metropole, format="json", annee="2026")
    assert official_json(response.content) == []
    assert response["Content-Disposition"] == 'attachment; filename="decp_2026.json"'
    assert response["Content-Type"] == "application/json"
    assert official_xml(get(client, metropole, format="xml").content)
    assert b"M2026,24340001700022,243400017," in get(client, metropole, format="membres").content


def test_what_is_missing_is_listed_and_no_file_is_given(client, metropole):
    grouping, _ = make_launched(metropole, metropole)
    make_complete_award(make_lot(grouping), ccag="")
    make_complete_award(make_lot(grouping, 2))
    page = get(client, metropole).content.decode()
    assert "À compléter avant tout fichier" in page
    assert "À remplir dans l’attribution du lot\u00a0: «\u00a0CCAG\u00a0»." in page
    assert reverse("grouping_detail", args=[grouping.pk]) in page
    assert "format=json" not in page
    for file_format in ("json", "xml", "membres"):
        response = get(client, metropole, format=file_format)
        assert response.status_code == 422
        assert "Content-Disposition" not in response
        assert "Aucun fichier tant qu’une valeur manque" in response.content.decode()


def test_the_coordinators_card_is_linked_when_its_siret_is_missing(client, metropole):
    make_published_lot(metropole, metropole)
    type(metropole).objects.update(siret="")
    page = get(client, metropole).content.decode()
    assert "«\u00a0SIRET du siège\u00a0»" in page
    assert reverse("organisation_detail", args=[metropole.pk]) in page


def test_an_empty_year_says_so(client, metropole):
    assert "Aucun marché à publier pour cette année." in get(client, metropole).content.decode()
    response = get(client, metropole, format="json")
    assert response.status_code == 422
    assert "Aucun marché à publier en 2026" in response.content.decode()


@pytest.mark.parametrize("wrong", ["", "abc", "1800", "99999999999", "2026'"])
def test_a_wrong_year_is_this_year(client, metropole, wrong):
    assert "notifiés en 2026" in get(client, metropole, annee=wrong).content.decode()


def test_years_are_those_of_the_notifications(client, metropole):
    make_published_lot(metropole, metropole, reference="ANCIEN")
    Award.objects.update(notified_on=date(2024, 5, 5), signed_on=date(2024, 5, 4), decided_on=date(2024, 5, 1))
    page = get(client, metropole).content.decode()
    assert '<option value="2024">' in page
    assert '<option value="2026" selected>' in page
    assert "ANCIEN" not in page
    assert "ANCIEN" in get(client, metropole, annee="2024").content.decode()


@pytest.mark.parametrize("role", ["buyer", "jurist", "finance", "reader", "administrator"])
def test_the_coordinators_people_have_the_files(client, metropole, role):
    make_published_lot(metropole, metropole)
    assert get(client, metropole, role, format="membres").status_code == 200


@pytest.mark.parametrize("role", ["buyer", "member_agent", "reader"])
def test_a_member_has_neither_the_page_nor_the_shares_of_the_others(client, metropole, role):
    """Notified, the award is told to its members; the companion, with every share, never is."""
    commune = make_organisation(parent=metropole)
    grouping, (own, other) = make_launched(metropole, metropole, commune)
    make_complete_award(make_lot(grouping), shares=[(own, "45000.00"), (other, "15000.00")])
    for query in ({}, {"format": "json"}, {"format": "membres"}):
        response = get(client, commune, role, **query)
        assert response.status_code == 403
        assert "45" not in response.content.decode().split("<main", 1)[1].split("</main>")[0]


def test_a_commune_that_coordinates_publishes_its_own_groupings_alone(client, metropole):
    commune = make_organisation(parent=metropole, siren="213401722", siret="21340172201787", insee_code="34172")
    make_published_lot(commune, commune, metropole, reference="COMMUNE1")
    make_published_lot(metropole, metropole, commune, reference="METRO1")
    marches = json.loads(get(client, commune, format="json").content)["marches"]["marche"]
    assert [marche["id"] for marche in marches] == ["COMMUNE1"]
    assert "METRO1" not in get(client, commune).content.decode()
    both = json.loads(get(client, metropole, format="json").content)["marches"]["marche"]
    assert {marche["id"] for marche in both} == {"COMMUNE1", "METRO1"}


def test_another_territory_is_not_in_the_file(client, metropole):
    make_published_lot(metropole, metropole, reference="ICI")
    stranger = make_metropole(postcode="69000")
    make_published_lot(stranger, stranger, reference="AILLEURS")
    assert b"AILLEURS" not in get(client, metropole, format="json").content


def test_the_list_of_groupings_links_both_pages(client, metropole):
    client.force_login(make_affiliation(metropole).user)
    page = client.get(reverse("grouping_list")).content.decode()
    assert reverse("radar") in page and reverse("decp_export") in page
    commune = make_organisation(parent=metropole)
    client.force_login(make_affiliation(commune, "member_agent").user)
    page = client.get(reverse("grouping_list")).content.decode()
    assert reverse("radar") in page and reverse("decp_export") not in page


@pytest.mark.parametrize("count", [2, 30])
def test_queries(client, metropole, count, django_assert_max_num_queries):
    grouping, _ = make_launched(metropole, metropole)
    for number in range(1, count + 1):
        make_complete_award(make_lot(grouping, number), ccag="" if number % 2 else "works")
    client.force_login(make_affiliation(metropole).user)
    client.get(reverse("decp_export"))
    with django_assert_max_num_queries(12):
        client.get(reverse("decp_export"))


def test_each_missing_value_leads_to_the_page_where_it_is_typed(client, metropole):
    """CCAG on the decision, a publication before the notification on the dates, procedure on the consultation."""
    grouping, _ = make_launched(metropole, metropole)
    lot = make_lot(grouping)
    award = make_complete_award(lot, ccag="", data_published_on=date(2026, 5, 1))
    award.consultation.procedure = ""
    award.consultation.save()
    page = get(client, metropole).content.decode()
    for name, arguments in (
        ("award_change", [grouping.pk, lot.pk]),
        ("award_dates", [grouping.pk, lot.pk]),
        ("consultation", [grouping.pk]),
    ):
        address = reverse(name, args=arguments)
        assert f'<a href="{address}">' in page
        assert client.get(address).status_code == 200
    assert "«\u00a0données essentielles publiées le\u00a0», dans les dates du lot." in page
