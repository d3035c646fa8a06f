"""The tracker's page, exports and PDF: the same cells, in a fixed number of queries, whatever the size."""

import csv
import io
import re
from datetime import date
from itertools import chain

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pypdf import PdfReader

from groupings.models import Deliberation, Membership, Signature
from members.models import Organisation
from members.roles import Role
from procurement.core.calendar import add_months
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
)

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12
URL = "/deliberations/"


def sign_in(client, organisation, role=Role.BUYER):
    affiliation = make_affiliation(organisation, role)
    client.force_login(affiliation.user)
    return affiliation


def make_matrix(members: int, groupings: int) -> Organisation:
    """A métropole whose ``members`` bodies take part in every one of its ``groupings``; one in three has voted."""
    metropole = make_metropole(name="Métropole")
    bodies = [make_organisation(parent=metropole, name=f"Commune {number:03}") for number in range(members)]
    for body in bodies:
        make_session(body, add_months(timezone.localdate(), 1))
    for number in range(groupings):
        grouping = make_grouping(metropole, reference=f"GC-{number:02}", title=f"Achat {number}", status="convention")
        joined = Membership.objects.bulk_create(Membership(grouping=grouping, organisation=body) for body in bodies)
        Deliberation.objects.bulk_create(
            Deliberation(membership=membership, status="adopted", decided_on=date(2026, 1, 5))
            if membership.pk % 3 == 0
            else Deliberation(membership=membership)
            for membership in joined
        )
    return metropole


@pytest.fixture
def small(client):
    """Two groupings, three bodies: an enforceable and signed act, a late one, one to schedule."""
    metropole = make_metropole(name="Métropole de Valrive")
    commune = make_organisation(parent=metropole, name="Aubrac")
    late = make_grouping(
        metropole, reference="GC-1", title="Papier", status="deliberations", deliberations_due_on=date(2020, 1, 31)
    )
    other = make_grouping(metropole, reference="GC-2", title="Sel", status="deliberations")
    signed = make_membership(late, metropole)
    act = adopt(signed, date(2020, 1, 6), number="2020-07")
    act.actes_id = "034-243400017-20200106-2020_07-DE"
    act.save()
    Signature.objects.create(membership=signed, signed_on=date(2020, 1, 20), signatory="Mme Œuvrard")
    make_membership(late, commune)
    make_membership(other, commune)
    sign_in(client, metropole)
    return metropole, commune


# The page


@pytest.mark.parametrize("members", [2, 55])
@pytest.mark.parametrize("role", [Role.BUYER, Role.MEMBER_AGENT])
def test_twelve_queries_at_any_size(client, members, role):
    metropole = make_matrix(members, 20)
    body = metropole if role == Role.BUYER else metropole.children.first()
    sign_in(client, body, role)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(URL)
    assert len(captured) <= MAX_QUERIES
    assert len(list(response.context["matrix"].cells())) == members * 20
    assert response.content.decode().count('class="state') == members * 20 + len(response.context["matrix"].legend)


def test_every_cell_says_its_state_and_opens_its_deliberation(client, small):
    page = client.get(URL).content.decode()
    for deliberation in Deliberation.objects.all():
        assert f'href="{reverse("deliberation_detail", args=[deliberation.pk])}"' in page
    days = (timezone.localdate() - date(2020, 1, 31)).days
    assert f"En retard {days}\u00a0j" in page
    assert "Exécutoire" in page
    assert "signée le 20/01/2020" in page
    assert page.count("Ne participe pas") == 2  # the métropole for the salt, and the legend
    assert re.search(r"1/2<span class=\"visually-hidden\"> exécutoires</span>", page)


def test_compact_keeps_the_words_for_those_who_listen(client, small):
    page = client.get(URL, {"affichage": "compact"}).content.decode()
    sentence = "Exécutoire le 06/01/2020, convention signée le 20/01/2020"
    assert f'<span class="visually-hidden">{sentence}</span>' in page
    assert f'title="{sentence}"' in page


def test_htmx_gets_the_matrix_alone(client, small):
    response = client.get(URL, {"retards": "on"}, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert "<html" not in page
    assert 'id="live" hx-swap-oob="innerHTML">1\u00a0membre, 1\u00a0groupement' in page
    assert "Hors filtre" in page
    assert "HX-Request" in response["Vary"]


def test_a_filter_that_is_not_offered_is_told_and_left_out(client, small):
    query = {"etat": "lancée", "annee": "deux", "groupement": ["x", "999999"], "affichage": "3d"}
    response = client.get(URL, query)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"etat", "annee", "groupement", "affichage"}
    assert len(list(response.context["matrix"].cells())) == 3


def test_empty_states(client):
    metropole = make_metropole()
    sign_in(client, metropole)
    page = client.get(URL).content.decode()
    assert "Aucun groupement. Créez le premier, ou chargez la démonstration." in page
    make_membership(make_grouping(metropole, status="performance", launched_on=date(2026, 1, 5)), metropole)
    assert "Voir les groupements lancés ou en exécution" in client.get(URL).content.decode()
    page = client.get(URL, {"q": "zzz"}).content.decode()
    assert "Aucun membre ne correspond." in page
    assert "Effacer les filtres" in page
    sign_in(client, make_organisation(parent=metropole), Role.MEMBER_AGENT)
    assert "Aucun groupement ne concerne encore votre organisme." in client.get(URL).content.decode()


def test_the_menu_leads_there(client, small):
    assert f'<a href="{URL}" aria-current="page">Délibérations</a>' in client.get(URL).content.decode()


# Exports


def read_csv(response) -> list[dict]:
    text = b"".join(response.streaming_content) if response.streaming else response.content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))


@pytest.mark.parametrize(
    "query", [{}, {"retards": "on"}, {"q": "aubrac"}, {"etat": "executory"}, {"affichage": "compact"}, {"q": "zzz"}]
)
def test_an_export_holds_the_cells_on_screen(client, small, query):
    shown = [
        (cell.membership.organisation.name, cell.membership.grouping.reference)
        for cell in client.get(URL, query).context["matrix"].cells()
    ]
    rows = read_csv(client.get(URL, {**query, "export": "csv"}))
    assert [(row["Membre"], row["Groupement"]) for row in rows] == shown
    sheet = load_workbook(io.BytesIO(client.get(URL, {**query, "export": "xlsx"}).content)).active
    assert [(name, reference) for name, _, reference, *_ in sheet.iter_rows(min_row=2, values_only=True)] == shown


def test_a_spreadsheet_has_real_dates_and_numbers(client, small):
    sheet = load_workbook(io.BytesIO(client.get(URL, {"export": "xlsx"}).content)).active
    heading, *rows = sheet.iter_rows(values_only=True)
    signed, late, quiet = (dict(zip(heading, row, strict=True)) for row in rows)
    assert signed["Exécutoire le"].date() == date(2020, 1, 6)
    assert signed["Convention signée le"].date() == date(2020, 1, 20)
    assert (signed["N°"], signed["Identifiant ACTES"]) == ("2020-07", "034-243400017-20200106-2020_07-DE")
    assert (signed["Retard"], signed["Jours de retard"]) == (None, None)
    assert (late["État"], late["Retard"]) == ("À inscrire", "En retard")
    assert late["Jours de retard"] == (timezone.localdate() - date(2020, 1, 31)).days
    assert late["Échéance"].date() == date(2020, 1, 31)
    assert quiet["Échéance"] is None


def test_a_member_exports_the_dates_of_the_others_not_their_evidence(client, small):
    _, commune = small
    sign_in(client, commune, Role.MEMBER_AGENT)
    rows = read_csv(client.get(URL, {"export": "csv"}))
    assert [row["Membre"] for row in rows] == ["Aubrac", "Aubrac", "Métropole de Valrive"]
    assert rows[2]["Exécutoire le"] == "06/01/2020"
    assert (rows[2]["Identifiant ACTES"], rows[2]["Convention signée le"]) == ("", "")


# The PDF


def pdf_of(client, **query) -> PdfReader:
    response = client.get(URL, {**query, "export": "pdf"})
    assert response["Content-Type"] == "application/pdf"
    return PdfReader(io.BytesIO(response.content))


def test_the_pdf_is_landscape_dated_numbered_and_says_its_filters(client, small):
    reader = pdf_of(client, retards="on", q="aubrac")
    (page,) = reader.pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (842, 595)  # A4, landscape
    text = " ".join(page.extract_text().split())
    assert f"Édité le {timezone.localdate():%d/%m/%Y} à" in text
    assert "Page 1 / 1" in text
    assert "membre «\u00a0aubrac\u00a0» ; retards seulement" in text.replace("« ", "«\u00a0").replace(" »", "\u00a0»")
    assert "Aubrac" in text
    assert "En retard" in text
    assert "Métropole de Valrive" in text  # whose view it is; its own row is filtered out
    assert "Exécutoire" not in text
    assert reader.metadata.title == "Délibérations des membres"


@pytest.mark.parametrize(("display", "columns"), [("compact", 20), ("detaille", 8)])
def test_a_wide_matrix_repeats_its_members_on_every_page(client, display, columns):
    sign_in(client, make_matrix(3, columns + 1))
    pages = [page.extract_text() for page in pdf_of(client, affichage=display).pages]
    assert len(pages) == 2
    for number, text in enumerate(pages, start=1):
        assert all(f"Commune {member:03}" in text for member in range(3))
        assert f"Page {number} / 2" in " ".join(text.split())
    references = [re.findall(r"GC-\d\d", text) for text in pages]
    assert sorted(chain(*references)) == [f"GC-{number:02}" for number in range(columns + 1)]
    assert abs(len(references[0]) - len(references[1])) <= 1  # shared out, not twenty and one


def test_late_cells_are_told_in_black_and_white(client, small):
    """By a sign of their own and the number of days, not by the red alone."""
    days = (timezone.localdate() - date(2020, 1, 31)).days
    for display in ("compact", "detaille"):
        text = " ".join(pdf_of(client, affichage=display).pages[0].extract_text().split())
        assert re.search(rf"⚠ (En retard )?{days}\sj", text)


def test_the_pdf_of_nothing_and_of_hostile_names(client):
    metropole = make_metropole(name="M" * 200)
    sign_in(client, metropole)
    assert "Aucun membre ne correspond." in pdf_of(client).pages[0].extract_text()
    for number in range(9):
        grouping = make_grouping(
            metropole, reference=f"{'W' * 29}{number}", title=f"<b>{'W' * 100}</b> & fils", status="convention"
        )
        make_membership(grouping, metropole)
        make_membership(grouping, make_organisation(parent=metropole, name=f"{number} {'très long ' * 19}"))
    for display in ("compact", "detaille"):
        assert pdf_of(client, affichage=display).pages[0].extract_text()


def test_a_name_no_font_can_draw_is_refused_with_a_sentence(client, small):
    _, commune = small
    commune.name = "Aubrac 🐄"
    commune.save()
    response = client.get(URL, {"export": "pdf"})
    assert response.status_code == 409
    assert "Ce tableau ne tient pas dans un PDF" in response.content.decode()


# Isolation


@pytest.mark.parametrize("export", ["", "csv", "pdf"])
def test_another_metropole_leaks_nowhere(client, small, export):
    there = make_metropole(name="Zeugma")
    grouping = make_grouping(there, reference="GC-ZEUGMA", title="Zeugma", status="deliberations")
    make_membership(grouping, make_organisation(parent=there, name="Commune Zeugma"))
    for query in ({}, {"groupement": grouping.pk}, {"q": "zeugma"}, {"lances": "on"}):
        if export == "pdf":
            text = "".join(page.extract_text() for page in pdf_of(client, **query).pages)
        else:
            text = client.get(URL, {**query, "export": export}).content.decode()
        assert "Zeugma" not in text
        assert "ZEUGMA" not in text
