"""One's own calendar: its secret address, what it holds and for whom, read again as an application would."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from groupings.actions.feeds import feed_open, feed_renew, feed_revoke
from groupings.actions.grouping import grouping_save
from groupings.feeds import events_of, feed_token, feed_url, find_feed
from groupings.models import CalendarFeed
from members.actions import session_remove, session_save
from members.models import User
from members.roles import Role
from procurement.core.errors import NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import SYSTEM
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_session,
)

pytestmark = pytest.mark.django_db
PAGE = "/calendrier/"
TODAY = date(2026, 11, 22)
HOST = "groupements.valrive.example"


@pytest.fixture(autouse=True)
def _site():
    with override_settings(SITE_URL=f"https://{HOST}"):
        yield


@pytest.fixture
def metropole():
    return make_metropole(name="Métropole de Valrive")


@pytest.fixture
def commune(metropole):
    return make_organisation(parent=metropole, name="Montferrier", population=1200)


@pytest.fixture
def grouping(metropole, commune):
    """At the vote: needs were due on 01/10, votes on 15/12/2026, launch on 01/02/2027."""
    found = make_grouping(
        metropole,
        reference="GC-1",
        title="Papier",
        status="deliberations",
        needs_due_on=date(2026, 10, 1),
        deliberations_due_on=date(2026, 12, 15),
        launch_planned_on=date(2027, 2, 1),
    )
    make_membership(found, metropole)
    make_membership(found, commune)
    return found


def plan_launch(grouping) -> None:
    """Around the real today: the address asks the clock, and leaves out what is older than a year."""
    grouping.launch_planned_on = timezone.localdate() + timedelta(days=60)
    grouping.save()


@pytest.fixture
def agent(commune):
    return make_affiliation(commune, Role.MEMBER_AGENT)


def told(affiliation, today=TODAY) -> dict[str, tuple[date, str]]:
    """UID without its host → (day, summary)."""
    return {event.uid.split("@")[0]: (event.on, event.summary) for event in events_of(affiliation, today)}


def get_events(client, feed) -> dict[str, dict]:
    """The events of the file as an application reads them, by UID."""
    response = client.get(reverse("calendar_ics", args=[feed_token(feed)]))
    assert response.status_code == 200
    return {str(event["uid"]): event for event in Calendar.from_ical(response.content).walk("VEVENT")}


# What it holds


def test_a_member_reads_its_own_meetings_and_the_deadlines_of_its_groupings(commune, grouping, agent):
    session = make_session(commune, date(2026, 12, 12), agenda_closes_on=date(2026, 11, 28))
    neighbour = make_organisation(parent=grouping.coordinator)
    make_membership(grouping, neighbour)
    make_session(neighbour, date(2026, 12, 13))
    make_session(grouping.coordinator, date(2026, 12, 14))
    assert told(agent) == {
        f"echeance-{grouping.pk}-besoins": (date(2026, 10, 1), "Papier\u00a0: besoins à indiquer"),
        f"ordre-du-jour-{session.pk}": (
            date(2026, 11, 28),
            "Montferrier\u00a0: clôture de l’ordre du jour de la séance du 12/12/2026",
        ),
        f"seance-{session.pk}": (date(2026, 12, 12), "Montferrier\u00a0: séance du conseil municipal"),
        f"echeance-{grouping.pk}-deliberations": (
            date(2026, 12, 15),
            "Papier\u00a0: délibérations exécutoires attendues",
        ),
        f"echeance-{grouping.pk}-lancement": (date(2027, 2, 1), "Papier\u00a0: lancement prévu de la consultation"),
    }


def test_the_coordinator_reads_the_meetings_of_the_members_of_groupings_in_preparation(metropole, commune, grouping):
    idle = make_organisation(parent=metropole)
    left = make_membership(grouping, make_organisation(parent=metropole), withdrawn_on=date(2026, 11, 9))
    performed = make_grouping(metropole, status="performance", launched_on=date(2026, 1, 5))
    make_membership(performed, elsewhere := make_organisation(parent=metropole))
    shown = [make_session(body, date(2026, 12, 12)) for body in (metropole, commune)]
    for body in (idle, left.organisation, elsewhere):
        make_session(body, date(2026, 12, 12))
    found = {uid for uid in told(make_affiliation(metropole)) if uid.startswith("seance-")}
    assert found == {f"seance-{session.pk}" for session in shown}


def test_a_commune_that_coordinates_reads_the_meetings_of_its_members(metropole, commune):
    own = make_grouping(commune, title="Vin d’honneur", status="deliberations")
    make_membership(own, other := make_organisation(parent=metropole))
    make_membership(own, third := make_organisation(parent=metropole))
    session = make_session(other, date(2026, 12, 12))
    assert f"seance-{session.pk}" in told(make_affiliation(commune, Role.BUYER))
    assert f"seance-{session.pk}" not in told(make_affiliation(third, Role.BUYER))


def test_who_left_a_grouping_is_told_nothing_of_it(commune, grouping, agent):
    membership = grouping.memberships.get(organisation=commune)
    membership.withdrawn_on = date(2026, 11, 9)
    membership.save()
    assert told(agent) == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "needs", "needs_due_on": date(2026, 12, 1)}, {"besoins", "deliberations", "lancement"}),
        ({"status": "deliberations", "needs_due_on": date(2026, 12, 1)}, {"deliberations", "lancement"}),
        ({"status": "consultation", "launched_on": date(2026, 11, 2)}, set()),
        ({"status": "cancelled"}, set()),
        ({"is_declared_only": True}, set()),
    ],
)
def test_a_deadline_leaves_with_the_stage_that_waits_for_it(grouping, agent, fields, expected):
    for name, value in fields.items():
        setattr(grouping, name, value)
    grouping.save()
    assert {uid.rsplit("-", 1)[1] for uid in told(agent)} == expected


def test_a_year_old_event_is_kept_and_an_older_one_left_out(commune, agent):
    kept = make_session(commune, TODAY - timedelta(days=365))
    make_session(commune, TODAY - timedelta(days=366))
    assert set(told(agent)) == {f"seance-{kept.pk}"}  # its agenda closed four days earlier: three clear days


def test_the_agenda_of_a_meeting_is_told_to_who_may_read_it(metropole, commune, grouping, agent):
    session = make_session(commune, date(2026, 12, 12))
    deliberation = grouping.memberships.get(organisation=commune).deliberations.get()
    deliberation.session, deliberation.status = session, "on_agenda"
    deliberation.save()
    neighbour = make_affiliation(make_organisation(parent=metropole), Role.MEMBER_AGENT)
    for reader in (agent, make_affiliation(metropole)):
        [event] = [e for e in events_of(reader, TODAY) if e.uid.startswith("seance-")]
        assert event.description == "À l’ordre du jour\u00a0:\nGC-1 – Papier"
    assert told(neighbour) == {}


# Busy days and alarms


def test_only_the_meetings_of_one_s_own_assembly_take_the_day(metropole, commune, grouping, agent):
    make_session(commune, date(2026, 12, 12))
    busy = {e.uid.split("-")[0]: e.is_busy for e in events_of(agent, TODAY)}
    assert busy == {"seance": True, "ordre": False, "echeance": False}
    assert not any(e.is_busy for e in events_of(make_affiliation(metropole), TODAY))


def alarms(affiliation) -> set[str]:
    return {event.uid.split("@")[0] for event in events_of(affiliation, TODAY) if event.alarm_days == 7}


def test_an_alarm_only_rings_for_what_is_left_to_do(metropole, commune, grouping, agent):
    session = make_session(commune, date(2026, 12, 12))
    launch, votes = f"echeance-{grouping.pk}-lancement", f"echeance-{grouping.pk}-deliberations"
    assert alarms(agent) == {launch, votes, f"ordre-du-jour-{session.pk}"}
    deliberation = grouping.memberships.get(organisation=commune).deliberations.get()
    deliberation.session, deliberation.status = session, "on_agenda"
    deliberation.save()
    assert alarms(agent) == {launch, votes}
    adopt(deliberation.membership, date(2026, 11, 12))
    assert alarms(agent) == {launch}
    assert f"echeance-{grouping.pk}-besoins" in told(agent)  # gone by, kept, and silent
    # The coordinator waits for all the others: its own alarms stay.
    assert votes in alarms(make_affiliation(metropole))


def test_needs_already_given_ring_no_more(commune, grouping, agent):
    grouping.status, grouping.needs_due_on = "needs", date(2026, 12, 1)
    grouping.save()
    needs = f"echeance-{grouping.pk}-besoins"
    assert needs in alarms(agent)
    make_need(grouping.memberships.get(organisation=commune), make_lot(grouping))
    assert needs in told(agent)
    assert needs not in alarms(agent)


# The file


def test_the_file_is_a_calendar_for_an_application_and_for_nobody_between(client, commune, grouping, agent):
    make_session(commune, timezone.localdate() + timedelta(days=20))
    feed = feed_open(actor=agent)
    assert feed_url(feed) == f"https://{HOST}/calendrier/{feed_token(feed)}.ics"
    response = client.get(reverse("calendar_ics", args=[feed_token(feed)]))
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert "private" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    calendar = Calendar.from_ical(response.content)
    assert (calendar["method"], calendar["version"]) == ("PUBLISH", "2.0")
    assert calendar["name"] == calendar["x-wr-calname"] == "Groupements de commandes – Montferrier"
    found = get_events(client, feed)
    assert all(uid.endswith(f"@{HOST}") for uid in found)
    assert {str(event["status"]) for event in found.values()} == {"CONFIRMED"}


def test_nothing_new_is_not_sent_twice(client, grouping, agent):
    plan_launch(grouping)
    address = reverse("calendar_ics", args=[feed_token(feed_open(actor=agent))])
    first = client.get(address)
    again = client.get(address, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    grouping.title = "Papier recyclé"
    grouping.save()
    assert client.get(address, headers={"if-none-match": first["ETag"]}).status_code == 200


def test_reading_writes_nothing(client, grouping, agent):
    address = reverse("calendar_ics", args=[feed_token(feed_open(actor=agent))])
    before = (JournalEntry.objects.count(), list(CalendarFeed.objects.values()))
    assert client.get(address).status_code == client.head(address).status_code == 200
    assert client.post(address).status_code == 405
    assert (JournalEntry.objects.count(), list(CalendarFeed.objects.values())) == before


def test_a_moved_meeting_keeps_its_uid_and_raises_its_sequence(client, commune, agent):
    session = session_save(session=make_session(commune, timezone.localdate() + timedelta(days=20)), actor=SYSTEM)
    feed, moved_on = feed_open(actor=agent), timezone.localdate() + timedelta(days=41)
    before = get_events(client, feed)
    session.meeting_on = moved_on
    session_save(session=session, actor=agent)
    after = get_events(client, feed)
    assert set(after) == set(before) == {f"seance-{session.pk}@{HOST}", f"ordre-du-jour-{session.pk}@{HOST}"}
    assert after[f"seance-{session.pk}@{HOST}"].decoded("dtstart") == moved_on
    for uid in before:
        assert after[uid]["sequence"] == before[uid]["sequence"] + 1
    session_remove(session=session, actor=agent)
    assert get_events(client, feed) == {}


def test_a_moved_deadline_keeps_its_uid_and_raises_its_sequence(client, metropole, grouping, agent):
    plan_launch(grouping)
    feed, uid = feed_open(actor=agent), f"echeance-{grouping.pk}-lancement@{HOST}"
    moved_on = timezone.localdate() + timedelta(days=300)
    before = get_events(client, feed)[uid]
    grouping.launch_planned_on = moved_on
    grouping_save(grouping=grouping, actor=make_affiliation(metropole))
    after = get_events(client, feed)[uid]
    assert (after.decoded("dtstart"), after["sequence"]) == (moved_on, before["sequence"] + 1)


def test_titles_as_hard_as_they_may_be_are_read_back(client, commune, grouping, agent):
    plan_launch(grouping)
    grouping.title = ("Vin, eau; « jus » \\n " + "é" * 200)[:200]
    grouping.save()
    uid = f"echeance-{grouping.pk}-lancement@{HOST}"
    found = get_events(client, feed_open(actor=agent))[uid]
    assert found["summary"] == f"{grouping.title}\u00a0: lancement prévu de la consultation"


def test_nothing_of_another_territory_nor_of_a_neighbour_is_leaked(client, metropole, commune, grouping, agent):
    plan_launch(grouping)
    lone = make_organisation(parent=metropole, name="Voisine leaked")
    make_membership(make_grouping(metropole, title="Denrées leaked", status="deliberations"), lone)
    foreign = make_metropole(name="Lointaine leaked")
    away = make_grouping(foreign, title="Papier leaked", status="deliberations", launch_planned_on=timezone.localdate())
    make_membership(away, foreign)
    for body in (lone, foreign):
        make_session(body, timezone.localdate() + timedelta(days=9), source="leaked")
    mine = client.get(reverse("calendar_ics", args=[feed_token(feed_open(actor=agent))])).content.decode()
    assert "Papier" in mine
    assert "leaked" not in mine
    buyer = make_affiliation(metropole)
    whole = client.get(reverse("calendar_ics", args=[feed_token(feed_open(actor=buyer))])).content.decode()
    assert "Voisine leaked" in whole
    assert "Papier leaked" not in whole
    assert "Lointaine" not in whole


def test_the_number_of_queries_does_not_grow(client, metropole, commune, grouping, agent):
    addresses = [
        reverse("calendar_ics", args=[feed_token(feed_open(actor=actor))])
        for actor in (make_affiliation(metropole), make_affiliation(commune, Role.BUYER), agent)
    ]

    def count() -> list[int]:
        found = []
        for address in addresses:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            found.append(len(captured))
        return found

    make_session(commune, timezone.localdate() + timedelta(days=1))
    few = count()
    for number in range(20):
        body = make_organisation("ccas", parent=commune)
        for other in (grouping, make_grouping(metropole, status="needs", needs_due_on=timezone.localdate())):
            make_membership(other, body)
        make_session(body, timezone.localdate() + timedelta(days=number))
        make_session(commune, timezone.localdate() + timedelta(days=number + 2))
    assert few == count()
    assert max(few) <= 9


# The address


@pytest.mark.parametrize("token", ["x", "1.2:3", "a" * 400, "1.abcdefghijklmnopqrstuv:" + "A" * 43])
def test_an_address_we_never_wrote_is_not_found(client, db, token):
    assert find_feed(token) is None
    assert client.get(f"/calendrier/{token}.ics").status_code == 404


def test_one_letter_changed_opens_nothing(client, agent):
    token = feed_token(feed_open(actor=agent))
    swapped = {"0": "1"}.get(token[-3], "0")
    assert client.get(f"/calendrier/{token[:-3]}{swapped}{token[-2:]}.ics").status_code == 404
    assert client.get(f"/calendrier/{token}.ics").status_code == 200


def test_renewing_closes_the_former_address(client, agent):
    former = feed_token(feed_open(actor=agent))
    renewed = feed_token(feed_renew(actor=agent, now=timezone.now()))
    assert client.get(reverse("calendar_ics", args=[former])).status_code == 404
    assert client.get(reverse("calendar_ics", args=[renewed])).status_code == 200


def test_a_revoked_address_stays_closed(client, agent):
    former = feed_token(feed_open(actor=agent))
    feed_revoke(actor=agent, now=timezone.now())
    feed_revoke(actor=agent, now=timezone.now())
    assert client.get(reverse("calendar_ics", args=[former])).status_code == 404
    assert feed_token(feed_open(actor=agent)) != former
    assert client.get(reverse("calendar_ics", args=[former])).status_code == 404
    assert list(JournalEntry.objects.order_by("pk").values_list("verb", flat=True)) == [
        "feed.open",
        "feed.revoke",
        "feed.open",
    ]


def test_the_address_closes_with_the_account_and_with_the_role(client, agent):
    address = reverse("calendar_ics", args=[feed_token(feed_open(actor=agent))])
    agent.user.is_active = False
    agent.user.save()
    assert client.get(address).status_code == 404
    agent.user.is_active = True
    agent.user.save()
    assert client.get(address).status_code == 200
    agent.delete()
    assert client.get(address).status_code == 404


def test_one_open_address_each_even_when_asked_twice(agent):
    assert feed_open(actor=agent) == feed_open(actor=agent)
    assert JournalEntry.objects.filter(verb="feed.open").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarFeed.objects.create(affiliation=agent)


def test_a_calendar_is_a_person_s(db):
    for act in (
        lambda actor: feed_open(actor=actor),
        lambda actor: feed_renew(actor=actor, now=timezone.now()),
        lambda actor: feed_revoke(actor=actor, now=timezone.now()),
    ):
        for actor in (None, SYSTEM):
            with pytest.raises(NotAllowed):
                act(actor)
    assert CalendarFeed.objects.count() == 0


# Its page


def test_the_page_opens_renews_and_closes(client, agent):
    client.force_login(agent.user)
    page = client.get(PAGE).content.decode()
    assert "Ouvrir mon adresse" in page
    assert ".ics" not in page

    page = client.post(PAGE, {"action": "open"}, follow=True).content.decode()
    first = feed_token(CalendarFeed.objects.get())
    assert f'value="https://{HOST}/calendrier/{first}.ics"' in page
    assert f'href="webcal://{HOST}/calendrier/{first}.ics"' in page

    page = client.post(PAGE, {"action": "renew"}, follow=True).content.decode()
    assert first not in page
    assert ".ics" in page

    page = client.post(PAGE, {"action": "revoke"}, follow=True).content.decode()
    assert ".ics" not in page
    assert client.get(f"/calendrier/{first}.ics").status_code == 404


def test_the_secret_is_kept_out_of_caches_and_of_the_other_roles(client, metropole, agent):
    feed = feed_open(actor=agent)
    client.force_login(agent.user)
    assert "no-store" in client.get(PAGE)["Cache-Control"]
    other = make_affiliation(metropole, Role.BUYER, user=agent.user)
    client.post(reverse("switch_affiliation"), {"affiliation": other.pk})
    assert feed_token(feed) not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("sent", [{}, {"action": ""}, {"action": "delete"}])
def test_a_button_that_does_not_exist_changes_nothing(client, agent, sent):
    client.force_login(agent.user)
    response = client.post(PAGE, sent)
    assert response.status_code == 422
    assert "Choisissez d’ouvrir l’adresse" in response.content.decode()
    assert not CalendarFeed.objects.exists()


def test_without_a_role_there_is_no_calendar(client, db):
    client.force_login(User.objects.create_user("personne@example.org"))
    assert "n’est rattaché à aucun organisme" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"action": "open"}).status_code == 403


def test_my_account_leads_there(client, agent):
    client.force_login(agent.user)
    assert f'href="{PAGE}"' in client.get(reverse("my_account")).content.decode()
