"""The directory's screens: list, export, page of a body, cards."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from members.models import Organisation
from members.roles import Role
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_representative,
    make_session,
    make_siren,
)

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12


def sign_in(client, organisation, role):
    affiliation = make_affiliation(organisation, role)
    client.force_login(affiliation.user)
    return affiliation


def names(response) -> list[str]:
    return [row.record.name for row in response.context["table"].page.object_list]


# The list


def test_the_list_is_in_french_order(client, buyer, metropole):
    for name in ("Éguilles", "Castelnau-le-Lez", "Zeugma", "L’Étang"):
        make_organisation(parent=metropole, name=name)
    make_organisation("ccas", parent=metropole, name="CCAS de Lattes")
    response = client.get("/membres/")
    assert names(response) == [
        "Castelnau-le-Lez",
        "CCAS de Lattes",
        "Éguilles",
        "L’Étang",
        "Montpellier Méditerranée Métropole",
        "Zeugma",
    ]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("cres", ["Le Crès"]),
        ("CRÈS", ["Le Crès"]),
        ("jean vedas", ["Saint-Jean-de-Védas"]),
        ("védas saint", ["Saint-Jean-de-Védas"]),
        ("34090", ["Le Crès"]),
        ("243400017", ["Montpellier Méditerranée Métropole"]),
        ("inconnu", []),
        ("  ", ["Le Crès", "Montpellier Méditerranée Métropole", "Saint-Jean-de-Védas"]),
        ("!!", []),
        ("%", []),
        ("_", []),
    ],
)
def test_the_search_knows_no_accent(client, buyer, metropole, typed, found):
    make_organisation(parent=metropole, name="Le Crès", insee_code="34090")
    make_organisation(parent=metropole, name="Saint-Jean-de-Védas", insee_code="34270")
    assert names(client.get("/membres/", {"q": typed})) == found


def test_filters_by_kind_and_by_number_of_groupings(client, buyer, metropole):
    none = make_organisation(parent=metropole, name="Aucune")
    one = make_organisation("ccas", parent=metropole, name="Une")
    five = make_organisation(parent=metropole, name="Cinq")
    for number in range(5):
        grouping = make_grouping(metropole)
        make_membership(grouping, five)
        if number == 0:
            make_membership(grouping, one)
            make_membership(grouping, none, withdrawn_on=grouping.opened_on)
    assert names(client.get("/membres/", {"groupements": "aucun"})) == ["Aucune", metropole.name]
    assert names(client.get("/membres/", {"groupements": "1-4"})) == ["Une"]
    assert names(client.get("/membres/", {"groupements": "5"})) == ["Cinq"]
    assert names(client.get("/membres/", {"nature": "ccas"})) == ["Une"]
    assert names(client.get("/membres/", {"nature": "commune", "groupements": "5"})) == ["Cinq"]
    rows = client.get("/membres/").context["table"].page.object_list
    assert {row.record.name: row.record.grouping_count for row in rows}["Cinq"] == 5


def test_a_wrong_filter_says_so_and_hides_nothing(client, buyer):
    response = client.get("/membres/", {"nature": "dragon"})
    assert response.status_code == 200
    assert "dragon" in response.content.decode()


def test_an_empty_search_says_so(client, buyer):
    response = client.get("/membres/", {"q": "inconnu"})
    assert "Aucun organisme ne correspond à ces filtres." in response.content.decode()


def test_htmx_gets_the_fragment_and_the_cache_knows(client, buyer):
    full = client.get("/membres/")
    fragment = client.get("/membres/", headers={"HX-Request": "true"})
    history = client.get("/membres/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in full.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "<html" in history.content.decode()
    assert "HX-Request" in full["Vary"]


@pytest.mark.parametrize("sort", ["-name", "kind", "parent", "-population", "next_session_on", "-grouping_count", "x"])
def test_every_column_sorts(client, buyer, metropole, sort):
    make_organisation(parent=metropole)
    assert client.get("/membres/", {"sort": sort}).status_code == 200


def test_the_export_is_what_is_on_screen(client, buyer, metropole):
    make_organisation(parent=metropole, name="=cmd|'/c calc'!A1", insee_code="34001", population=1234)
    make_organisation(parent=metropole, name="Bérange", insee_code="34002", population=2345)
    make_organisation("ccas", parent=metropole, name="CCAS exclu")
    query = {"nature": "commune", "sort": "-population"}
    shown = names(client.get("/membres/", query))
    assert shown == ["Bérange", "=cmd|'/c calc'!A1"]

    response = client.get("/membres/", {**query, "export": "csv"})
    text = response.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0][:3] == ["Organisme", "Nature", "SIREN"]
    assert [row[0].lstrip("'") for row in rows[1:]] == shown
    assert not rows[2][0].startswith("=")

    response = client.get("/membres/", {**query, "export": "xlsx"})
    sheet = load_workbook(io.BytesIO(response.content)).active
    values = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in values] == shown
    assert [row[6] for row in values] == [2345, 1234]
    assert sheet.cell(3, 1).data_type == "s"
    assert "attachment" in response["Content-Disposition"]


def test_the_export_holds_every_page(client, buyer, metropole):
    for _ in range(30):
        make_organisation(parent=metropole)
    assert len(names(client.get("/membres/"))) == 25
    rows = client.get("/membres/", {"export": "csv"}).content.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + 31


@pytest.mark.parametrize("size", [2, 50])
def test_lists_and_pages_ask_the_database_as_often_for_2_rows_as_for_50(
    client, buyer, metropole, size, django_assert_max_num_queries
):
    body = make_organisation(parent=metropole)
    today = timezone.localdate()
    for number in range(size):
        other = make_organisation(parent=metropole)
        make_organisation("ccas", parent=body)
        make_session(body, today + timedelta(days=number + 1))
        make_representative(body)
        make_affiliation(metropole, Role.READER)
        make_membership(make_grouping(metropole), body)
        make_session(other, today)
    client.get("/membres/")  # the session is warm
    for url in ("/membres/", f"/membres/{body.pk}/", f"/membres/{metropole.pk}/", "/mon-compte/", "/membres/?q=a"):
        with django_assert_max_num_queries(MAX_QUERIES):
            assert client.get(url).status_code == 200
    for url in ("/membres/nouveau/?commune=saint", f"/membres/{body.pk}/modifier/"):
        with django_assert_max_num_queries(MAX_QUERIES):
            assert client.get(url).status_code == 200
    administrator = sign_in(client, metropole, Role.ADMINISTRATOR)
    with django_assert_max_num_queries(MAX_QUERIES):
        assert str(administrator.user) in client.get("/personnes/").content.decode()


# The page of a body


def test_who_signs_today_and_when_the_council_meets(client, buyer, metropole):
    today = timezone.localdate()
    commune = make_organisation(parent=metropole, name="Lattes")
    make_representative(commune, last_name="Passée", end_on=today - timedelta(days=1))
    make_representative(commune, last_name="Présente", start_on=today)
    make_representative(commune, last_name="Adjointe", start_on=today, capacity="deputy")
    make_representative(commune, last_name="Future", start_on=today + timedelta(days=1))
    yesterday = make_session(commune, today - timedelta(days=1))
    coming = [make_session(commune, today + timedelta(days=days)) for days in (0, 30)]
    context = client.get(f"/membres/{commune.pk}/").context
    assert [person.last_name for person in context["signatories"]] == ["Présente", "Adjointe"]
    assert (context["coming"], context["past"]) == (coming, [yesterday])


def test_nobody_to_sign_is_said(client, buyer, metropole):
    commune = make_organisation(parent=metropole)
    page = client.get(f"/membres/{commune.pk}/").content.decode()
    assert "Personne n’est enregistré pour signer aujourd’hui" in page
    assert "Aucune séance à venir n’est connue." in page


def test_a_page_shows_only_the_groupings_its_reader_may_see(client, metropole):
    commune, neighbour = (make_organisation(parent=metropole) for _ in range(2))
    shared, hidden = make_grouping(metropole, title="Commun"), make_grouping(metropole, title="Secret")
    make_membership(shared, commune)
    make_membership(shared, neighbour)
    make_membership(hidden, neighbour)

    def titles(organisation):
        lines = client.get(f"/membres/{organisation.pk}/").context["participations"]
        return [line.title.partition(" – ")[2] for line in lines]

    sign_in(client, commune, Role.MEMBER_AGENT)
    assert titles(neighbour) == ["Commun"]
    rows = client.get("/membres/").context["table"].rows
    assert {row.record.pk: row.record.grouping_count for row in rows}[neighbour.pk] == 1
    sign_in(client, metropole, Role.READER)
    assert sorted(titles(neighbour)) == ["Commun", "Secret"]


def test_names_are_escaped(client, buyer, metropole):
    name = "<b>&\"' Commune"
    commune = make_organisation(parent=metropole, name=name, source="<script>alert(1)</script>")
    make_representative(commune, last_name="<i>Nom</i>")
    for url in ("/membres/", f"/membres/{commune.pk}/", f"/membres/{commune.pk}/modifier/", "/membres/nouveau/"):
        page = client.get(url).content.decode()
        assert "<b>&" not in page
        assert "<script>alert" not in page
        assert "<i>Nom" not in page


# Cards


def card(**changes):
    values = {
        "kind": "commune",
        "name": "Lattes",
        "siren": make_siren(),
        "siret": "",
        "insee_code": "34129",
        "population": "17 000",
        "reference_population": "",
        "address": "1 avenue de Montpellier",
        "postcode": "34970",
        "city": "Lattes",
        "email": "mairie@lattes.example",
        "phone": "04 67 00 00 00",
    }
    return {**values, **changes}


def test_a_card_is_created_and_journalled(client, buyer, metropole):
    response = client.post("/membres/nouveau/", card(parent=metropole.pk, population="17000"))
    organisation = Organisation.objects.get(name="Lattes")
    assert response.url == f"/membres/{organisation.pk}/"
    assert (organisation.territory, organisation.population) == (metropole, 17_000)
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.actor, entry.concerns) == ("organisation.create", buyer.user, organisation)
    page = client.get(response.url).content.decode()
    assert "Fiche de Lattes créée" in page
    assert "la fiche est créée" in page


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"siren": "123456789"}, "siren", "neuf chiffres, clé comprise"),
        ({"siren": ""}, "siren", "obligatoire"),
        ({"siren": "243400017"}, "siren", "porte déjà ce SIREN"),
        ({"siret": "24340001700022"}, "siret", "Le SIRET commence par le SIREN"),
        ({"insee_code": "3417"}, "insee_code", "Cinq caractères"),
        ({"postcode": "3400"}, "postcode", "Cinq chiffres"),
        ({"email": "mairie"}, "email", "valide"),
        ({"name": "a" * 201}, "name", "200"),
        ({"name": "La\u202ette"}, "name", "invisible"),
        ({"population": "-1"}, "population", "0"),
        ({"parent": ""}, "parent", "obligatoire"),
        ({"kind": "dragon"}, "kind", "dragon"),
    ],
)
def test_a_wrong_card_says_where_and_keeps_the_input(client, buyer, metropole, changes, field, sentence):
    response = client.post("/membres/nouveau/", card(parent=metropole.pk) | changes)
    assert response.status_code == 422
    assert sentence in " ".join(response.context["form"].errors[field])
    page = response.content.decode()
    assert f'href="#id_{field}"' in page
    assert "04 67 00 00 00" in page
    assert Organisation.objects.count() == 1
    assert not JournalEntry.objects.exists()


def test_a_siren_is_read_with_its_spaces(client, buyer, metropole):
    response = client.post(
        "/membres/nouveau/", card(parent=metropole.pk, siren="213 401 722", siret="213 401 722 00011", population="")
    )
    assert response.status_code == 302
    organisation = Organisation.objects.get(name="Lattes")
    assert (organisation.siren, organisation.siret) == ("213401722", "21340172200011")


def test_a_card_is_never_attached_to_another_territory(client, buyer):
    elsewhere = make_metropole()
    response = client.post("/membres/nouveau/", card(parent=elsewhere.pk))
    assert response.status_code == 422
    assert "parent" in response.context["form"].errors
    assert elsewhere.name not in response.content.decode()


def test_a_siren_held_in_another_territory_is_neither_refused_nor_told(client, buyer, metropole):
    siren = make_organisation(parent=make_metropole(), name="Fiche d’à côté").siren
    response = client.post("/membres/nouveau/", card(parent=metropole.pk, siren=siren, population=""))
    assert response.status_code == 302


def test_a_commune_is_found_without_accents_and_fills_the_card(client, buyer, metropole):
    response = client.get("/membres/nouveau/", {"commune": "cres"})
    found = {row.commune.name: row for row in response.context["found"]}
    assert found["Le Crès"].commune.insee_code == "34090"
    assert 'href="/membres/nouveau/?insee=34090"' in response.content.decode()

    form = client.get("/membres/nouveau/", {"insee": "34090"}).context["form"]
    siren = form["siren"].value()
    assert (form["name"].value(), form["kind"].value(), form["parent"].value()) == ("Le Crès", "commune", metropole.pk)
    assert siren == found["Le Crès"].commune.siren
    assert form["population"].value() == found["Le Crès"].commune.population

    card_of_it = make_organisation(parent=metropole, name="Le Crès", siren=siren)
    page = client.get("/membres/nouveau/", {"commune": "cres"}).content.decode()
    assert f'href="/membres/{card_of_it.pk}/"' in page
    assert 'href="/membres/nouveau/?insee=34090"' not in page


@pytest.mark.parametrize("query", [{"commune": "xyzxyz"}, {"commune": "%"}, {"insee": "99999"}, {"insee": "<b>"}])
def test_a_search_that_finds_nothing_is_an_empty_card(client, buyer, query):
    response = client.get("/membres/nouveau/", query)
    assert response.status_code == 200
    assert response.context["found"] == []
    assert not response.context["form"]["siren"].value()


def test_a_body_cannot_depend_on_its_own(client, buyer, metropole):
    commune = make_organisation(parent=metropole, name="Lattes", insee_code="34129")
    ccas = make_organisation("ccas", parent=commune)
    response = client.post(
        f"/membres/{commune.pk}/modifier/", card(siren=commune.siren, parent=ccas.pk, population="17000")
    )
    assert response.status_code == 422
    assert "qui en dépend" in " ".join(response.context["form"].errors["parent"])


def test_the_head_of_the_territory_stays_attached_to_nobody(client, buyer, metropole):
    commune = make_organisation(parent=metropole)
    values = card(kind="metropole", name="Métropole", siren=metropole.siren, population="", parent=commune.pk)
    assert client.post(f"/membres/{metropole.pk}/modifier/", values).status_code == 302
    metropole.refresh_from_db()
    assert (metropole.name, metropole.parent, metropole.territory) == ("Métropole", None, None)


def test_a_secretary_changes_its_contact_details_and_nothing_else(client, metropole):
    commune = make_organisation(parent=metropole, name="Lattes", population=17_000)
    sign_in(client, commune, Role.MEMBER_AGENT)
    form = client.get(f"/membres/{commune.pk}/modifier/").context["form"]
    assert list(form.fields) == ["address", "postcode", "city", "email", "phone", "actes_matter"]
    # Population is the key of fee shares: sent all the same, it changes nothing.
    values = card(name="Autre nom", population="10", city="Maurin", siren=metropole.siren)
    assert client.post(f"/membres/{commune.pk}/modifier/", values).status_code == 302
    commune.refresh_from_db()
    assert (commune.city, commune.name, commune.population) == ("Maurin", "Lattes", 17_000)


def test_the_whole_epci_in_one_action(client, buyer, metropole):
    # 31 communes: the métropole's own figure (bilan 2016 and arrêté préfectoral).
    make_organisation(parent=metropole, name="Montpellier, déjà là", siren="213401722")
    page = client.get(f"/membres/{metropole.pk}/").content.decode()
    assert "Ajouter les 30 communes qui manquent" in page
    response = client.post(f"/membres/{metropole.pk}/ajouter-communes/", follow=True)
    assert "30 communes ajoutées." in response.content.decode()
    assert Organisation.objects.filter(territory=metropole, kind="commune").count() == 31
    assert "qui manquent" not in response.content.decode()
    assert JournalEntry.objects.filter(verb="organisation.create").count() == 30
    client.post(f"/membres/{metropole.pk}/ajouter-communes/")
    assert Organisation.objects.filter(territory=metropole).count() == 31


def test_an_epci_that_is_not_in_the_reference_data(client):
    metropole = make_metropole(name="Métropole inventée")
    sign_in(client, metropole, Role.BUYER)
    response = client.post(f"/membres/{metropole.pk}/ajouter-communes/")
    assert response.status_code == 422
    assert "Métropole inventée n’est pas dans la liste des EPCI" in response.content.decode()


def test_urls_are_the_announced_ones():
    assert reverse("organisation_list") == "/membres/"
    assert reverse("organisation_create") == "/membres/nouveau/"
    assert reverse("epci_add_communes", args=[1]) == "/membres/1/ajouter-communes/"
    assert reverse("my_account") == "/mon-compte/"
    assert reverse("switch_affiliation") == "/changer-affectation/"
    assert reverse("people") == "/personnes/"
