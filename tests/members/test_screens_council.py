"""The screens of a body's mandates and council sessions."""

from datetime import date

import pytest
from django.utils import timezone

from members.models import CouncilSession, Representative
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    make_grouping,
    make_membership,
    make_organisation,
    make_representative,
    make_session,
)

pytestmark = pytest.mark.django_db


def mandate(**changes):
    values = {
        "civility": "mrs",
        "first_name": "Hélène",
        "last_name": "Œuvrard",
        "capacity": "head",
        "start_on": "2026-04-01",
        "end_on": "",
    }
    return {**values, **changes}


def test_a_mandate_is_added_then_ended(client, buyer, metropole):
    response = client.post(f"/membres/{metropole.pk}/representants/ajouter/", mandate())
    assert response.url == f"/membres/{metropole.pk}/#representants"
    person = Representative.objects.get()
    assert person.title == "Présidente"
    url = f"/membres/{metropole.pk}/representants/{person.pk}/modifier/"
    assert 'value="2026-04-01"' in client.get(url).content.decode()
    assert client.post(url, mandate(end_on="2026-10-31")).status_code == 302
    person.refresh_from_db()
    assert str(person.end_on) == "2026-10-31"
    assert JournalEntry.objects.filter(verb="representative.save").count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end_on": "2026-03-31"}, "end_on"),
        ({"start_on": "31/02/2026"}, "start_on"),
        ({"last_name": ""}, "last_name"),
        ({"capacity": "king"}, "capacity"),
        ({"first_name": "a\u0000b"}, "first_name"),
    ],
)
def test_a_wrong_mandate_says_where(client, buyer, metropole, changes, field):
    response = client.post(f"/membres/{metropole.pk}/representants/ajouter/", mandate(**changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Representative.objects.exists()


def test_a_session_is_added_changed_and_removed(client, buyer, metropole):
    values = {"meeting_on": "2026-12-15", "agenda_closes_on": "2026-12-01", "convened_on": "", "source": "site"}
    assert client.post(f"/membres/{metropole.pk}/seances/ajouter/", values).status_code == 302
    session = CouncilSession.objects.get()
    url = f"/membres/{metropole.pk}/seances/{session.pk}/"
    assert f'name="version" value="{session.version}"' in client.get(url + "modifier/").content.decode()
    changes = {"meeting_on": "16/12/2026", "has_explanatory_note": "false", "is_first_after_renewal": "on"}
    assert client.post(url + "modifier/", values | changes | {"version": session.version}).status_code == 302
    session.refresh_from_db()
    assert str(session.meeting_on) == "2026-12-16"
    assert (session.has_explanatory_note, session.is_first_after_renewal, session.version) == (False, True, 2)
    page = client.get(f"/membres/{metropole.pk}/").content.decode()
    assert "séance d’installation" in page
    assert "déplacée du 15/12/2026 au 16/12/2026" in page
    assert client.get(url + "retirer/").status_code == 405
    assert client.post(url + "retirer/").status_code == 302
    assert not CouncilSession.objects.exists()
    assert list(JournalEntry.objects.values_list("verb", flat=True)) == [
        "session.remove",
        "session.save",
        "session.save",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"meeting_on": "2026-12-16"}, "meeting_on"),  # already there
        ({"agenda_closes_on": "2026-12-18"}, "agenda_closes_on"),
        ({"convened_on": "2026-12-17"}, "convened_on"),
        ({"meeting_on": ""}, "meeting_on"),
    ],
)
def test_a_wrong_session_says_where(client, buyer, metropole, changes, field):
    make_session(metropole, date(2026, 12, 16))
    values = {"meeting_on": "2026-12-17", "agenda_closes_on": "", "convened_on": "", "source": ""} | changes
    response = client.post(f"/membres/{metropole.pk}/seances/ajouter/", values)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert CouncilSession.objects.count() == 1


def test_the_second_of_two_people_is_told_what_changed(client, buyer, metropole):
    session = make_session(metropole, date(2026, 12, 15), agenda_closes_on=date(2026, 12, 1))
    url = f"/membres/{metropole.pk}/seances/{session.pk}/modifier/"
    read = {"meeting_on": "2026-12-15", "agenda_closes_on": "2026-12-01", "source": "", "version": "1"}
    assert client.post(url, read | {"meeting_on": "2026-12-17", "has_explanatory_note": "true"}).status_code == 302

    mine = read | {"agenda_closes_on": "2026-12-03", "source": "courriel"}
    response = client.post(url, mine)
    assert response.status_code == 422
    assert "modifiée entre-temps par une autre personne" in response.content.decode()
    assert [(line["label"], line["stored"]) for line in response.context["conflicts"]] == [
        ("Séance du", "17/12/2026"),
        ("Clôture de l’ordre du jour", "01/12/2026"),
        ("Note de synthèse jointe à la convocation", "oui"),
        ("Source", "vide"),
    ]
    session.refresh_from_db()
    assert (session.meeting_on, session.source, session.version) == (date(2026, 12, 17), "", 2)

    # Saved again with the version the page now carries: a decision taken knowingly.
    assert response.context["form"]["version"].value() == "2"
    assert client.post(url, mine | {"version": "2"}).status_code == 302
    session.refresh_from_db()
    assert (session.meeting_on, session.source, session.version) == (date(2026, 12, 15), "courriel", 3)


@pytest.mark.parametrize("version", ["", "0", "abc", "-1", "99999999999999999999"])
def test_a_change_without_the_version_read_is_refused(client, buyer, metropole, version):
    session = make_session(metropole, date(2026, 12, 15))
    url = f"/membres/{metropole.pk}/seances/{session.pk}/modifier/"
    assert client.post(url, {"meeting_on": "2026-12-16", "version": version}).status_code == 422
    session.refresh_from_db()
    assert str(session.meeting_on) == "2026-12-15"


def test_a_session_with_a_deliberation_stays(client, buyer, metropole):
    session = make_session(metropole, timezone.localdate())
    deliberation = make_membership(make_grouping(metropole), metropole).deliberations.get()
    deliberation.session, deliberation.status = session, "on_agenda"
    deliberation.save()
    response = client.post(f"/membres/{metropole.pk}/seances/{session.pk}/retirer/")
    assert response.status_code == 422
    assert "Une délibération est inscrite à cette séance" in response.content.decode()
    assert CouncilSession.objects.exists()


def test_a_row_of_another_body_is_not_found_by_a_mixed_address(client, buyer, metropole):
    commune = make_organisation(parent=metropole)
    person, session = make_representative(commune), make_session(commune, timezone.localdate())
    for url in (
        f"/membres/{metropole.pk}/representants/{person.pk}/modifier/",
        f"/membres/{metropole.pk}/seances/{session.pk}/modifier/",
    ):
        assert client.get(url).status_code == 404
    assert client.post(f"/membres/{metropole.pk}/seances/{session.pk}/retirer/").status_code == 404
