"""The calendar of every assembly on one screen: read by all, entered by one person, filtered, exported, imported."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from members.models import CouncilSession
from members.roles import Role
from members.session_imports import COLUMNS
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_metropole, make_organisation, make_session

pytestmark = pytest.mark.django_db
URL, IMPORT, TEMPLATE = "/membres/seances/", "/membres/seances/importer/", "/membres/seances/modele/"
MAX_QUERIES = 12


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def sign_in(client, organisation, role):
    affiliation = make_affiliation(organisation, role)
    client.force_login(affiliation.user)
    return affiliation


def lines(response) -> list[tuple]:
    return [(row.record.name, row.record.meeting_on) for row in response.context["table"].page.object_list]


@pytest.fixture
def communes(metropole):
    """Crès meets in 10 and 20 days, Lattes in 15, Pignan met yesterday; nobody knows when the métropole meets."""
    cres, lattes, pignan = (make_organisation(parent=metropole, name=name) for name in ("Le Crès", "Lattes", "Pignan"))
    for body, days in ((cres, 20), (cres, 10), (lattes, 15), (pignan, -1)):
        make_session(body, in_days(days))
    return {"cres": cres, "lattes": lattes, "pignan": pignan}


def test_the_unknown_on_top_then_the_next_of_each_then_the_later_ones(client, buyer, metropole, communes):
    response = client.get(URL)
    assert lines(response) == [
        (metropole.name, None),
        ("Pignan", None),
        ("Le Crès", in_days(10)),
        ("Lattes", in_days(15)),
        ("Le Crès", in_days(20)),
    ]
    page = response.content.decode()
    assert "<strong>5 lignes</strong>, dont 2 organismes sans séance connue" in page
    assert page.count("Aucune connue") == 2
    assert page.count(">prochaine<") == 2


def test_today_is_still_to_come(client, buyer, metropole):
    make_session(metropole, in_days(0))
    make_session(metropole, in_days(-1))
    assert lines(client.get(URL)) == [(metropole.name, in_days(0))]


def test_filters(client, buyer, metropole, communes):
    assert lines(client.get(URL, {"organisme": communes["cres"].pk})) == [
        ("Le Crès", in_days(10)),
        ("Le Crès", in_days(20)),
    ]
    assert lines(client.get(URL, {"lignes": "sans"})) == [(metropole.name, None), ("Pignan", None)]
    following = client.get(URL, {"lignes": "prochaines"})
    assert lines(following)[2:] == [("Le Crès", in_days(10)), ("Lattes", in_days(15))]
    assert "Effacer les filtres" in following.content.decode()
    nothing = client.get(URL, {"organisme": communes["lattes"].pk, "lignes": "sans"})
    assert "Aucune séance ne correspond à ces filtres." in nothing.content.decode()


def test_a_wrong_filter_says_so_and_hides_nothing(client, buyer, communes):
    elsewhere = make_organisation(parent=make_metropole(), name="Secret")
    for query in ({"lignes": "dragon"}, {"organisme": "dragon"}, {"organisme": elsewhere.pk}):
        response = client.get(URL, query)
        assert "Sélectionnez un choix valide" in response.content.decode()
        assert "Secret" not in response.content.decode()
        assert len(lines(response)) == 5


@pytest.mark.parametrize(
    ("sort", "days"),
    [
        ("meeting_on", [None, None, 10, 15, 20]),
        ("-meeting_on", [20, 15, 10, None, None]),
        ("name", [15, 10, 20, None, None]),  # Lattes, Le Crès, Montpellier…, Pignan
        ("agenda_closes_on", [15, 10, 20, None, None]),  # the known one first, either way
        ("-agenda_closes_on", [15, 10, 20, None, None]),
        ("-convened_on", [10, 15, 20, None, None]),
        ("x", [None, None, 10, 15, 20]),
    ],
)
def test_sorting(client, buyer, communes, sort, days):
    communes["lattes"].sessions.update(agenda_closes_on=in_days(1))
    found = [day for _, day in lines(client.get(URL, {"sort": sort}))]
    assert found == [day and in_days(day) for day in days]


def test_a_territory_sees_its_own_calendar_and_nothing_else(client, metropole, communes):
    theirs = make_metropole(name="Rennes")
    make_session(make_organisation(parent=theirs, name="Cesson"), in_days(3))
    for role, home in (("reader", metropole), ("member_agent", communes["lattes"])):
        sign_in(client, home, role)
        response = client.get(URL)
        assert len(lines(response)) == 5
        assert "Cesson" not in response.content.decode()
    assert "Ajouter une séance" in response.content.decode()  # the agent's own
    sign_in(client, metropole, "reader")
    page = client.get(URL).content.decode()
    assert "Ajouter une séance" not in page
    assert "Modifier" not in page


def test_only_one_s_own_lines_are_changed_by_a_member(client, communes):
    sign_in(client, communes["cres"], Role.MEMBER_AGENT)
    response = client.get(URL)
    assert response.content.decode().count(">Modifier<") == 2
    assert list(response.context["form"].fields["organisation"].queryset) == [communes["cres"]]


def test_htmx_gets_the_fragment(client, buyer, communes):
    fragment = client.get(URL, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]


@pytest.mark.parametrize("size", [2, 50])
def test_the_calendar_asks_the_database_as_often_for_2_bodies_as_for_50(client, buyer, metropole, size):
    for number in range(size):
        body = make_organisation(parent=metropole)
        for days in range(number % 3):
            make_session(body, in_days(1 + days))
    client.get(URL)  # the session is warm
    query = {"organisme": metropole.pk, "lignes": "prochaines"}
    for asked in ({}, query, {"export": "csv"}, {"sort": "name"}, {"pour": body.pk}):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(URL, asked).status_code == 200
        assert len(captured) <= MAX_QUERIES


# The export


def test_the_export_is_what_is_on_screen(client, buyer, metropole, communes):
    session = communes["lattes"].sessions.get()
    session.agenda_closes_on, session.has_explanatory_note, session.source = in_days(1), False, "=1+1"
    session.save()
    query = {"lignes": "prochaines", "sort": "-meeting_on"}
    shown = lines(client.get(URL, query))
    assert shown[0] == ("Lattes", in_days(15))

    text = client.get(URL, {**query, "export": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert [(row[0], row[3]) for row in rows[1:]] == [(name, (day and f"{day:%d/%m/%Y}") or "") for name, day in shown]
    assert rows[1][4:] == [f"{in_days(1):%d/%m/%Y}", "", "non", "non", "'=1+1"]

    response = client.get(URL, {**query, "export": "xlsx"})
    values = list(load_workbook(io.BytesIO(response.content)).active.iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[3] and row[3].date()) for row in values] == shown


def test_the_export_holds_every_page(client, buyer, metropole):
    for days in range(1, 31):
        make_session(metropole, in_days(days))
    assert len(lines(client.get(URL))) == 25
    assert len(lines(client.get(URL, {"page": 2}))) == 5
    assert len(client.get(URL, {"export": "csv"}).content.splitlines()) == 31


# The quick entry


def test_sessions_are_entered_one_after_the_other_without_leaving(client, buyer, metropole, communes):
    pignan = communes["pignan"]
    page = client.get(URL).content.decode()
    assert f'href="{URL}?pour={pignan.pk}"' in page
    form = client.get(URL, {"pour": pignan.pk}).context["form"]
    assert form["organisation"].value() == pignan.pk

    values = {"organisation": pignan.pk, "meeting_on": in_days(30), "agenda_closes_on": in_days(16)}
    response = client.post(f"{URL}?lignes=sans&pour={pignan.pk}", values)
    assert response.url == f"{URL}?lignes=sans&pour={pignan.pk}"
    response = client.get(response.url)
    assert f"Pignan\u00a0: séance du {in_days(30):%d/%m/%Y} enregistrée." in response.content.decode()
    assert lines(response) == [(metropole.name, None)]
    assert JournalEntry.objects.get(verb="session.save").actor == buyer.user

    again = client.post(URL, values)
    assert again.status_code == 422
    assert again.context["form"].errors == {"meeting_on": ["Une séance est déjà enregistrée ce jour-là."]}
    assert pignan.sessions.filter(meeting_on=in_days(30)).count() == 1


def test_a_past_session_is_accepted_and_says_where_it_is(client, buyer, metropole):
    response = client.post(URL, {"organisation": metropole.pk, "meeting_on": "29/02/2024"}, follow=True)
    assert "Elle est passée" in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"organisation": ""}, "organisation"),
        ({"organisation": "999999"}, "organisation"),
        ({"organisation": "", "agenda_closes_on": "2026-12-16"}, "organisation"),
        ({"meeting_on": ""}, "meeting_on"),
        ({"meeting_on": "29/02/2027"}, "meeting_on"),
        ({"agenda_closes_on": "2026-12-16"}, "agenda_closes_on"),
    ],
)
def test_a_wrong_entry_says_where_and_the_calendar_stays(client, buyer, metropole, communes, changes, field):
    values = {"organisation": metropole.pk, "meeting_on": "2026-12-15", "agenda_closes_on": ""} | changes
    response = client.post(URL, values)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert len(lines(response)) == 5
    assert not metropole.sessions.exists()


@pytest.mark.parametrize("pour", ["dragon", "999999", "²", "9" * 50, "-1"])
def test_a_body_asked_for_that_is_not_there(client, buyer, pour):
    assert client.get(URL, {"pour": pour}).status_code == 200


def test_nobody_enters_the_calendar_of_another(client, metropole, communes):
    elsewhere = make_organisation(parent=make_metropole(), name="Cesson")
    values = {"meeting_on": "2026-12-15"}
    for role, home, body in (
        ("buyer", metropole, elsewhere),
        ("member_agent", communes["cres"], communes["lattes"]),
        ("buyer", communes["cres"], communes["lattes"]),
    ):
        sign_in(client, home, role)
        response = client.post(URL, values | {"organisation": body.pk})
        assert response.status_code == 422
        assert list(response.context["form"].errors) == ["organisation"]
    sign_in(client, metropole, "reader")
    assert client.post(URL, values | {"organisation": metropole.pk}).status_code == 403
    assert not CouncilSession.objects.filter(meeting_on="2026-12-15").exists()


def test_names_are_escaped_and_two_hundred_characters_fit(client, buyer, metropole):
    body = make_organisation(parent=metropole, name="<b>" + "é" * 197)
    make_session(body, in_days(1), source="<script>alert(1)</script>")
    page = client.get(URL).content.decode()
    assert "<b>é" not in page
    assert "<script>alert" not in page


# The import


def upload(client, content: str | bytes, name="seances.csv"):
    data = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, data)}, follow=True)


def test_a_file_is_imported_then_changes_nothing(client, buyer, communes):
    content = f"Organisme;Séance du\nPignan;{in_days(30):%d/%m/%Y}\n"
    response = upload(client, content)
    assert response.redirect_chain == [(URL, 302)]
    assert "Séances\u00a0: 1 création, 0 modification, 0 sans changement." in response.content.decode()
    assert ("Pignan", in_days(30)) in lines(response)
    assert "0 création, 0 modification, 1 sans changement." in upload(client, content).content.decode()


def test_every_error_is_on_the_page_and_nothing_is_written(client, buyer, communes):
    content = "Organisme;Séance du\nPignan;15/12/2026\n<b>Inconnu</b>;15/12/2026\nLattes;31/02/2027\n"
    response = upload(client, content, name="<i>mes</i> séances.csv")
    page = response.content.decode()
    assert response.status_code == 422
    assert "2 points à corriger" in page
    assert "Ligne 3, colonne «\u00a0Organisme\u00a0»" in page
    assert "Ligne 4, colonne «\u00a0Séance du\u00a0»" in page
    assert "<b>Inconnu" not in page
    assert "<i>mes" not in page
    assert not CouncilSession.objects.filter(meeting_on="2026-12-15").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("seances.csv", b"", "Le fichier est vide."),
        ("seances.xlsx", b"MZ\x90", "un programme"),
        ("seances.doc", b"texte", "Seuls les fichiers .csv et .xlsx"),
        ("é" * 250 + ".csv", b"SIREN\n", "qu’une ligne d’en-tête"),
    ],
)
def test_a_file_that_is_no_calendar(client, buyer, name, content, sentence):
    response = upload(client, content, name)
    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_no_file_at_all(client, buyer):
    response = client.post(IMPORT)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["file"]


def test_the_page_names_every_column_expected(client, buyer):
    page = client.get(IMPORT).content.decode()
    assert all(column.label in page for column in COLUMNS)
    assert TEMPLATE in page


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_sample_goes_back_in_once_filled(client, buyer, metropole, communes, file_format):
    make_organisation(parent=metropole, name="=Égalité;\"'" + "é" * 188)
    response = client.get(TEMPLATE, {"export": file_format})
    if file_format == "csv":
        text = response.content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter=";"))
        filled = text.replace("Pignan;;;", "Pignan;15/12/2026;01/12/2026;").encode()
        assert [row[1] for row in rows[1:4]] == ["'=Égalité;\"'" + "é" * 188, "Lattes", "Le Crès"]
    else:
        workbook = load_workbook(io.BytesIO(response.content))
        for row in workbook.active.iter_rows(min_row=2):
            if row[1].value == "Pignan":
                row[2].value, row[3].value = date(2026, 12, 15), date(2026, 12, 1)
        buffer = io.BytesIO()
        workbook.save(buffer)
        filled = buffer.getvalue()
    page = upload(client, filled, name=f"modele.{file_format}").content.decode()
    assert "1 création, 0 modification, 0 sans changement, 4 lignes sans date laissées de côté." in page
    assert communes["pignan"].sessions.get(meeting_on="2026-12-15").agenda_closes_on == date(2026, 12, 1)


def test_a_member_s_sample_and_import_are_its_own(client, communes):
    sign_in(client, communes["cres"], Role.MEMBER_AGENT)
    text = client.get(TEMPLATE).content.decode("utf-8-sig")
    assert [row.split(";")[1] for row in text.splitlines()[1:]] == ["Le Crès"]
    assert "vous n’importez que ses séances" in client.get(IMPORT).content.decode()
    response = upload(client, "Organisme;Séance du\nLattes;15/12/2026\n")
    assert response.status_code == 422
    assert "Vous n’importez que les séances de votre organisme, Le Crès." in response.content.decode()


@pytest.mark.parametrize("role", ["reader", "finance"])
def test_who_only_reads_imports_nothing(client, metropole, role):
    sign_in(client, metropole, role)
    assert [client.get(IMPORT).status_code, client.post(IMPORT).status_code, client.get(TEMPLATE).status_code] == [
        403,
        403,
        403,
    ]


def test_urls_are_the_announced_ones():
    assert reverse("session_calendar") == URL
    assert reverse("sessions_import") == IMPORT
    assert reverse("sessions_template") == TEMPLATE
