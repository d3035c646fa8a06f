"""The screens of a body's mandates and council sessions."""

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
    assert client.post(url + "modifier/", values | {"meeting_on": "16/12/2026"}).status_code == 302
    session.refresh_from_db()
    assert str(session.meeting_on) == "2026-12-16"
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
    from datetime import date

    make_session(metropole, date(2026, 12, 16))
    values = {"meeting_on": "2026-12-17", "agenda_closes_on": "", "convened_on": "", "source": ""} | changes
    response = client.post(f"/membres/{metropole.pk}/seances/ajouter/", values)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert CouncilSession.objects.count() == 1


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
