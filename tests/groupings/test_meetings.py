"""The meetings of a grouping: held, counted, read by its members."""

from datetime import date

import pytest
from django.urls import reverse

from groupings.actions.meetings import meeting_remove, meeting_save
from groupings.models import Meeting
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_grouping, make_membership, make_metropole
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)


@pytest.fixture
def world():
    return make_world("ici")


def held(world, held_on=TODAY, **fields) -> Meeting:
    return Meeting(grouping=world.launched, held_on=held_on, **{"subject": "Point d’étape"} | fields)


def test_a_meeting_held_today_or_the_day_of_the_opening_is_kept(world):
    for day in (TODAY, world.launched.opened_on):
        meeting_save(meeting=held(world, day), actor=world.people["buyer"], today=TODAY)
    assert Meeting.objects.filter(subject="Point d’étape").count() == 2
    assert JournalEntry.objects.filter(verb="meeting.save", actor_id=world.people["buyer"].user_id).count() == 2


@pytest.mark.parametrize(
    ("day", "sentence"),
    [(date(2026, 11, 29), "une réunion tenue"), (date(2025, 8, 31), "ouvert depuis le 01/09/2025")],
)
def test_neither_the_future_nor_before_the_opening(world, day, sentence):
    with pytest.raises(BusinessError, match=sentence) as refused:
        meeting_save(meeting=held(world, day), actor=world.people["buyer"], today=TODAY)
    assert refused.value.field == "held_on"
    assert not Meeting.objects.filter(subject="Point d’étape").exists()


def test_the_same_meeting_is_written_once(client, world):
    client.force_login(world.people["buyer"].user)
    url = reverse("meeting_create", args=[world.launched.pk])
    data = {"held_on": "2026-06-09", "subject": world.meeting.subject}
    response = client.post(url, data)
    assert response.status_code == 422
    assert "déjà inscrite" in response.content.decode()
    assert client.post(url, data | {"subject": "Autre"}).status_code == 302


def test_the_form_refuses_the_future_by_its_field(client, world):
    client.force_login(world.people["jurist"].user)
    response = client.post(
        reverse("meeting_create", args=[world.launched.pk]), {"held_on": "2099-01-01", "subject": "Bientôt"}
    )
    assert response.status_code == 422
    assert "une réunion tenue" in response.context["form"].errors["held_on"][0]


def test_a_meeting_taken_off_meanwhile_is_said_and_twice_is_once(world):
    mine = Meeting.objects.select_related("grouping").get(pk=world.meeting.pk)
    buyer = world.people["buyer"]
    meeting_remove(meeting=world.meeting, actor=buyer)
    world.meeting.pk = mine.pk
    meeting_remove(meeting=world.meeting, actor=buyer)
    assert JournalEntry.objects.filter(verb="meeting.remove").count() == 1
    with pytest.raises(BusinessError, match="retirée pendant votre saisie"):
        meeting_save(meeting=mine, actor=buyer, today=TODAY)


def test_a_grouping_of_another_department_has_none():
    metropole = make_metropole()
    grouping = make_grouping(metropole, is_declared_only=True)
    meeting = Meeting(grouping=grouping, held_on=TODAY, subject="Réunion")
    with pytest.raises(BusinessError, match="autre direction"):
        meeting_save(meeting=meeting, actor=make_affiliation(metropole), today=TODAY)


@pytest.mark.parametrize("person", ["finance", "reader", "administrator", "member_agent", "neighbour", "commune_buyer"])
def test_the_coordinator_s_buyer_and_jurist_write(world, person):
    for write in (
        lambda: meeting_save(meeting=held(world), actor=world.people[person], today=TODAY),
        lambda: meeting_remove(meeting=world.meeting, actor=world.people[person]),
    ):
        with pytest.raises(NotAllowed):
            write()


def test_members_read_them_and_nothing_is_leaked_to_the_others(client, world):
    url = reverse("meetings", args=[world.launched.pk])
    client.force_login(world.people["member_agent"].user)
    page = client.get(url).content.decode()
    assert "Relevé ici" in page and "Inscrire une réunion" not in page and "Retirer" not in page
    for person in ("neighbour", "commune_buyer"):
        client.force_login(world.people[person].user)
        assert client.get(url).status_code == 404
    client.force_login(make_world("ailleurs").people["buyer"].user)
    assert client.get(url).status_code == 404


def test_a_meeting_is_not_found_under_another_grouping(client, world):
    client.force_login(world.people["buyer"].user)
    url = reverse("meeting_change", args=[world.grouping.pk, world.meeting.pk])
    assert client.get(url).status_code == 404
    assert client.post(reverse("meeting_remove", args=[world.grouping.pk, world.meeting.pk])).status_code == 302
    assert Meeting.objects.filter(pk=world.meeting.pk).exists()


@pytest.mark.parametrize("count", [2, 50])
def test_few_queries_whatever_the_meetings(client, world, count, django_assert_max_num_queries):
    make_membership(make_grouping(world.metropole), world.commune)
    for number in range(count):
        held(world, subject=f"Réunion {number}").save()
    client.force_login(world.people["buyer"].user)
    with django_assert_max_num_queries(12):
        client.get(reverse("meetings", args=[world.launched.pk]))
