"""À faire, per role, and the groupings list with its filters and exports."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from members.models import User
from members.roles import Role
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_territory,
)

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12


def sign_in(client, organisation, role=Role.BUYER):
    affiliation = make_affiliation(organisation, role)
    client.force_login(affiliation.user)
    return affiliation


def in_days(days: int):
    return timezone.localdate() + timedelta(days=days)


# À faire


def test_the_buyer_reads_the_date_three_numbers_and_one_button_per_task(client):
    metropole, grouping = make_territory(members=2, status="deliberations", deliberations_due_on=in_days(-3))
    adopt(grouping.memberships.get(organisation=metropole), in_days(-10), executory=False)
    sign_in(client, metropole)
    response = client.get("/")
    page = response.content.decode()
    assert (
        "2 échéances en retard, 0 attendue sous 15\u00a0jours, 1 délibération à transmettre au contrôle de légalité."
        in page
    )
    assert [section["key"] for section in response.context["sections"]] == ["late", "transmit"]
    assert page.count("Mettre à jour") == 3
    membership = grouping.memberships.exclude(organisation=metropole).first()
    assert reverse("deliberation_detail", args=[membership.deliberations.get().pk]) in page
    assert '<progress aria-labelledby="bar-' in page


def test_a_member_is_told_what_to_do_by_when_and_only_that(client):
    metropole, grouping = make_territory(members=2, status="deliberations", deliberations_due_on=in_days(40))
    own, other = [m.organisation for m in grouping.memberships.exclude(organisation=metropole)]
    sign_in(client, own, Role.MEMBER_AGENT)
    page = client.get("/").content.decode()
    assert "Rien à faire aujourd’hui." in page
    assert "Inscrire la délibération à l’ordre du jour d’une séance" in page
    assert f"{in_days(40):%d/%m/%Y}" in page
    assert page.count("Mettre à jour") == 1
    assert other.name not in page


def test_a_member_is_led_to_its_needs(client):
    metropole, grouping = make_territory(members=1, needs_due_on=in_days(5))
    membership = grouping.memberships.exclude(organisation=metropole).get()
    membership.needs.all().delete()
    sign_in(client, membership.organisation, Role.MEMBER_AGENT)
    page = client.get("/").content.decode()
    assert reverse("needs_change", args=[grouping.pk, membership.pk]) in page


def test_finance_reads_the_totals_of_the_year(client):
    metropole, grouping = make_territory(members=2, lots=2, opened_on=in_days(-30))  # 3 bodies × 2 lots × 1 000 €
    make_grouping(metropole, opened_on=in_days(-30), is_declared_only=True, title="Suivi ailleurs")
    sign_in(client, metropole, Role.FINANCE)
    response = client.get("/")
    figures = response.context["figures"]
    assert (figures.groupings, figures.communes, figures.ccas, figures.organisations) == (1, 2, 0, 3)
    assert figures.estimated_total_excl_tax == Decimal("6000.00")
    assert "6\u202f000,00\u00a0€" in response.content.decode()
    assert [row.pk for row in response.context["rows"]] == [grouping.pk]


def test_the_finances_of_a_member_never_read_the_others_amounts(client):
    metropole, grouping = make_territory(members=1, lots=1, opened_on=in_days(-30), status="convention")
    member = grouping.memberships.exclude(organisation=metropole).get()
    grouping.memberships.get(organisation=metropole).needs.update(estimated_amount_excl_tax=Decimal("98765.43"))
    sign_in(client, member.organisation, Role.FINANCE)
    for path in ("/", "/groupements/", f"/groupements/{grouping.pk}/", f"/groupements/{grouping.pk}/besoins/"):
        page = client.get(path).content.decode()
        assert "98\u202f765,43" not in page
        assert "99\u202f765,43" not in page  # the total would tell as much


@pytest.mark.parametrize("role", Role.values)
def test_an_empty_database_says_something_useful(client, role):
    sign_in(client, make_metropole(), role)
    for path in ("/", "/groupements/"):
        response = client.get(path)
        assert response.status_code == 200
        assert "Aucun groupement" in response.content.decode() or "aucun groupement" in response.content.decode()


def test_a_person_without_affiliation_is_told_so(client):
    client.force_login(User.objects.create_user("personne@example.org"))
    assert "n’est rattaché à aucun organisme" in client.get("/").content.decode()
    assert client.get("/groupements/").context["count"] == 0


def test_long_lists_are_cut_and_can_be_seen_whole(client):
    metropole, _ = make_territory(members=24, lots=1, status="convention", deliberations_due_on=in_days(-1))
    sign_in(client, metropole)
    page = client.get("/").content.decode()
    assert page.count("Mettre à jour") == 20
    assert "Voir les 5 autres" in page
    assert client.get("/?tout=1").content.decode().count("Mettre à jour") == 25


# The list


@pytest.fixture
def territory(client):
    """Three groupings of one métropole, one of another, and the first one's buyer signed in."""
    metropole, paper = make_territory(
        members=1, lots=1, reference="GC-A", title="Papier recyclé", opened_on=in_days(-9)
    )
    make_grouping(
        metropole,
        reference="GC-B",
        title="Équipements d’éclairage",
        category="works",
        status="performance",
        launched_on=in_days(-100),
        opened_on=in_days(-800),
        closed_on=in_days(-730),
    )
    make_grouping(
        metropole,
        reference="GC-C",
        title="=SOMME(A1:A9)",
        category="services",
        is_declared_only=True,
        declared_participants=7,
        declared_amount_excl_tax=Decimal("1234.50"),
        declaring_department="Direction de l’eau",
        opened_on=in_days(-5),
    )
    foreign, _ = make_territory(members=1, reference="GC-LEAK", title="Papier leaked")
    sign_in(client, metropole)
    return metropole, paper, foreign


def references(response) -> list[str]:
    return [row.record.reference for row in response.context["table"].rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["GC-C", "GC-A", "GC-B"]),  # the last opened first
        ("q=papier", ["GC-A"]),
        ("q=equipements+ECLAIRAGE", ["GC-B"]),
        ("q=gc-c", ["GC-C"]),
        ("q=leaked", []),
        ("q=%25", []),  # a sign is not a word: nothing is found, and not everything
        ("etape=performance", ["GC-B"]),
        ("categorie=services", ["GC-C"]),
        ("declares=on", ["GC-C"]),
        ("q=papier&etape=performance", []),
        ("sort=reference", ["GC-A", "GC-B", "GC-C"]),
        ("sort=title", ["GC-B", "GC-A", "GC-C"]),  # É between E and F; the sign is not a letter: « somme » is last
        ("sort=-amount", ["GC-A", "GC-C", "GC-B"]),  # 2 000, 1 234,50, unknown
        ("sort=amount", ["GC-C", "GC-A", "GC-B"]),
        ("sort=status", ["GC-A", "GC-C", "GC-B"]),  # in the order of the life cycle
        ("sort=nothing", ["GC-C", "GC-A", "GC-B"]),
        ("page=99", ["GC-C", "GC-A", "GC-B"]),
        ("etape=inconnue", ["GC-C", "GC-A", "GC-B"]),
    ],
)
def test_filters_and_sorts_and_their_export(client, territory, query, expected):
    """The export holds exactly the rows of the screen, in their order."""
    response = client.get(f"/groupements/?{query}")
    assert references(response) == expected
    assert response.context["count"] == len(expected)
    content = client.get(f"/groupements/?{query}&export=csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content), delimiter=";"))
    assert [row["Référence"] for row in rows] == expected


def test_the_year_is_the_one_a_grouping_was_open_in(client, territory):
    closed = in_days(-730).year
    assert "GC-B" in references(client.get(f"/groupements/?annee={closed}"))
    assert "GC-B" not in references(client.get(f"/groupements/?annee={in_days(0).year}"))


def test_the_workbook_holds_numbers_dates_and_no_formula(client, territory):
    response = client.get("/groupements/?export=xlsx&sort=reference")
    assert response["Content-Disposition"].startswith("attachment")
    sheet = load_workbook(io.BytesIO(response.content)).active
    rows = [dict(zip([c.value for c in sheet[1]], [c.value for c in row], strict=True)) for row in sheet.iter_rows(2)]
    assert [row["Total estimé (€ HT)"] for row in rows] == [2000, None, 1234.5]  # nobody said a need for GC-B
    assert rows[2]["Membres"] == 7
    assert rows[2]["Objet"] == "=SOMME(A1:A9)"
    assert sheet.cell(4, 2).data_type == "s"
    assert rows[0]["Ouvert le"].date() == in_days(-9)
    assert "leaked" not in str(rows)


def test_the_member_reads_and_exports_its_own_amounts(client, territory):
    metropole, paper, _ = territory
    member = paper.memberships.exclude(organisation=metropole).get()
    member.needs.update(estimated_amount_excl_tax=Decimal("321.00"))
    sign_in(client, member.organisation, Role.MEMBER_AGENT)
    response = client.get("/groupements/")
    page = response.content.decode()
    assert references(response) == ["GC-A"]
    assert "Vos besoins (€\u00a0HT)" in page
    assert "321,00" in page
    assert "1\u202f321,00" not in page
    assert "Créer un groupement" not in page
    sheet = load_workbook(io.BytesIO(client.get("/groupements/?export=xlsx").content)).active
    assert [c.value for c in sheet[1]][7] == "Vos besoins (€ HT)"
    assert [c.value for c in sheet[2]][7] == 321


def test_htmx_gets_the_results_alone_and_going_back_the_page(client, territory):
    fragment = client.get("/groupements/?q=papier", headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert "HX-Request" in fragment["Vary"]
    back = client.get("/groupements/?q=papier", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert b"<html" in back.content


def test_no_result_says_how_to_come_back(client, territory):
    page = client.get("/groupements/?q=introuvable").content.decode()
    assert "Aucun groupement ne correspond à ces filtres." in page
    assert "Effacer les filtres" in page


def test_pages_of_twenty_five(client):
    metropole = make_metropole()
    for _ in range(30):
        make_grouping(metropole)
    sign_in(client, metropole)
    response = client.get("/groupements/?page=2")
    assert len(response.context["table"].page.object_list) == 5
    assert response.context["count"] == 30
    content = client.get("/groupements/?page=2&export=csv").content.decode("utf-8-sig")
    assert len(content.strip().splitlines()) == 31


@pytest.mark.parametrize("count", [2, 50])
@pytest.mark.parametrize("role", [Role.BUYER, Role.MEMBER_AGENT, Role.FINANCE])
def test_few_queries_whatever_the_rows(client, django_assert_max_num_queries, count, role):
    metropole = make_metropole()
    member = make_organisation(parent=metropole)
    for number in range(count):
        grouping = make_grouping(
            metropole,
            title=f"Groupement {number}",
            opened_on=in_days(-20),
            needs_due_on=in_days(3),
            deliberations_due_on=in_days(-2) if number % 2 else in_days(9),
            status="deliberations" if number % 2 else "needs",
        )
        for body in (metropole, member):
            make_membership(grouping, body)
        make_need(grouping.memberships.get(organisation=metropole), make_lot(grouping))
    sign_in(client, member if role == Role.MEMBER_AGENT else metropole, role)
    for path in ("/", "/groupements/", "/groupements/?q=groupement&annee=2026&sort=title", "/groupements/?export=xlsx"):
        with django_assert_max_num_queries(MAX_QUERIES):
            client.get(path)
