"""The back-planning of a grouping: its page, its calendar file, the dates taken over, and the feed of the buyer."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from groupings.actions.back_planning import calendar_adopt
from groupings.actions.grouping import grouping_advance
from groupings.feeds import events_of
from groupings.models import Grouping
from groupings.rules.back_planning import CALENDAR, back_planning
from groupings.timeline import NAMES, WIDTH, timeline
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_award,
    make_consultation,
    make_session,
    make_territory,
    sign,
)

TODAY = date(2026, 9, 1)
WANTED = TODAY + timedelta(days=500)


@pytest.fixture(autouse=True)
def day(monkeypatch):
    """The thresholds are dated: so is the day these tests are read on."""
    monkeypatch.setattr(timezone, "localdate", lambda *arguments: TODAY)


@pytest.fixture
def grouping(db):
    """Opened today, to start in five hundred days: the usual calendar holds. Three bodies, 2 × 100 000 € each."""
    _, made = make_territory(opened_on=TODAY, performance_planned_on=WANTED)
    for membership in made.memberships.all():
        membership.needs.update(estimated_amount_excl_tax=100_000)
    return made


@pytest.fixture
def buyer(grouping):
    return make_affiliation(grouping.coordinator)


@pytest.fixture
def agent(grouping):
    member = grouping.memberships.exclude(organisation=grouping.coordinator).first()
    return make_affiliation(member.organisation, Role.MEMBER_AGENT)


def page(client, grouping, person, status=200):
    client.force_login(person.user)
    response = client.get(reverse("back_planning", args=[grouping.pk]))
    assert response.status_code == status
    return response.content.decode()


def take(grouping, actor, today=TODAY, **options):
    return calendar_adopt(grouping=grouping, actor=actor, today=today, **options)


def test_the_page_draws_and_lists_the_same_stages(client, grouping, buyer):
    text = page(client, grouping, buyer)
    drawing = text[text.index("<svg xmlns") : text.index("</svg>", text.index("<svg xmlns"))]
    assert 'role="img"' in drawing
    assert "<title" in drawing
    assert "<desc" in drawing
    assert "style=" not in drawing
    listed = text[text.index('id="listed"') :]
    for stage in back_planning(WANTED, today=TODAY).stages:
        assert stage.label in drawing
        assert stage.label in listed
    assert "minimum 30 jours (CCP, R2161-3)" in listed
    assert "minimum 11 jours (CCP, R2182-1)" in listed
    assert "Hypothèse\u00a0: aucune séance connue de 3 assemblées assez tôt." in listed
    assert "Procédure formalisée, par voie électronique." in text


def test_a_smaller_value_makes_an_adapted_plan(client, grouping, buyer):
    for membership in grouping.memberships.all():
        membership.needs.update(estimated_amount_excl_tax=12_000)
    text = page(client, grouping, buyer)
    assert "Procédure adaptée, par voie électronique." in text
    assert "minimum 20 jours (usage)" in text


def test_a_member_reads_the_dates_and_learns_nothing_of_the_amounts(client, grouping, agent):
    """The duration would tell that the needs of the others are large, or small: a formalised procedure is assumed."""
    for amount in (12_000, 100_000):
        for membership in grouping.memberships.all():
            membership.needs.update(estimated_amount_excl_tax=amount)
        text = page(client, grouping, agent)
        assert "Hypothèse\u00a0: procédure formalisée, par voie électronique." in text
        assert "Reprendre ces dates" not in text


def test_everybody_in_the_grouping_finds_it_from_its_page(client, grouping, buyer, agent):
    url = reverse("back_planning", args=[grouping.pk])
    for person in (buyer, agent):
        client.force_login(person.user)
        assert f'href="{url}"' in client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()


def test_without_a_wanted_start(client, grouping, buyer):
    Grouping.objects.update(performance_planned_on=None)
    assert "Indiquer le début d’exécution" in page(client, grouping, buyer)
    with pytest.raises(BusinessError, match="début d’exécution prévu"):
        take(grouping, buyer)
    assert client.get(reverse("back_planning_ics", args=[grouping.pk])).status_code == 409


def test_late_stages_are_marked_by_a_word(client, grouping, buyer):
    Grouping.objects.update(performance_planned_on=TODAY + timedelta(days=100))
    text = page(client, grouping, buyer)
    assert "En retard" in text
    assert "Ne tient plus" in text
    assert "stage-late" in text


def test_what_is_done_has_its_real_date(client, grouping, buyer):
    grouping_advance(grouping=grouping, step="close_needs", actor=buyer, today=TODAY)
    closed_at = JournalEntry.objects.get(verb="grouping.close_needs").at
    text = page(client, grouping, buyer)
    listed = text[text.index('id="listed"') :]
    told = f"Fait le {timezone.localtime(closed_at):%d/%m/%Y}"
    assert told in listed.split("Recensement des besoins")[1].split("</li>")[0]


def test_votes_and_signatures_are_done_when_the_last_member_is(client, grouping, buyer):
    Grouping.objects.update(status="deliberations", opened_on=TODAY - timedelta(days=200))
    voted, signed = TODAY - timedelta(days=30), TODAY - timedelta(days=3)
    for place, membership in enumerate(grouping.memberships.all()):
        adopt(membership, voted, number=f"D{place}")
        sign(membership, signed)
    listed = page(client, grouping, buyer).split('id="listed"')[1]
    assert f"Fait le {voted:%d/%m/%Y}" in listed.split("Délibérations exécutoires")[1].split("</li>")[0]
    assert f"Fait le {signed:%d/%m/%Y}" in listed.split("Signature de la convention")[1].split("</li>")[0]


def test_the_calendar_of_the_assemblies_is_read(client, grouping, buyer):
    end = back_planning(WANTED, today=TODAY).stage("deliberations").ends_on
    for membership in grouping.memberships.all():
        make_session(membership.organisation, end - timedelta(days=20))
    assert "Selon le calendrier connu des assemblées (3)." in page(client, grouping, buyer)


def test_a_contract_in_use_is_over_for_the_coordinator_and_an_award_is_not_told_before(client, grouping, buyer, agent):
    launched_on = TODAY - timedelta(days=100)
    Grouping.objects.update(status="award", launched_on=launched_on, opened_on=TODAY - timedelta(days=400))
    grouping.refresh_from_db()
    consultation = make_consultation(grouping)
    for lot in grouping.lots.all():
        make_award(consultation, lot, decided_on=TODAY - timedelta(days=9))
    told = f"Fait le {TODAY - timedelta(days=9):%d/%m/%Y}"
    assert told in page(client, grouping, buyer)
    assert told not in page(client, grouping, agent)


# The dates taken over.


def test_the_dates_are_taken_and_journalled(client, grouping, buyer):
    client.force_login(buyer.user)
    url = reverse("back_planning_adopt", args=[grouping.pk])
    assert client.post(url, {"version": grouping.version}).status_code == 302
    changed = Grouping.objects.get(pk=grouping.pk)
    plan = back_planning(WANTED, today=TODAY, done={"sourcing": TODAY})
    assert {field: getattr(changed, field) for field in CALENDAR} == plan.proposed
    assert changed.version == grouping.version + 1
    assert JournalEntry.objects.get(verb="grouping.calendar").sentence.startswith(
        f"Calendrier repris du rétroplanning\u00a0: besoins le {changed.needs_due_on:%d/%m/%Y}, délibérations le "
    )
    text = page(client, grouping, buyer)
    assert "Reprendre ces dates" not in text  # nothing left to propose
    take(changed, buyer)
    assert JournalEntry.objects.filter(verb="grouping.calendar").count() == 1


def test_the_second_of_two_writers_is_told(client, grouping, buyer):
    client.force_login(buyer.user)
    response = client.post(reverse("back_planning_adopt", args=[grouping.pk]), {"version": grouping.version + 1})
    assert response.status_code == 422
    assert "modifié entre-temps" in response.content.decode()
    assert Grouping.objects.get(pk=grouping.pk).launch_planned_on is None


@pytest.mark.parametrize("version", ["", "abc", "-1", "9" * 30, "²"])
def test_a_tampered_version_is_refused(client, grouping, buyer, version):
    client.force_login(buyer.user)
    url = reverse("back_planning_adopt", args=[grouping.pk])
    assert client.post(url, {"version": version}).status_code == 422


@pytest.mark.parametrize(("status", "why"), [("consultation", "est lancée"), ("cancelled", "abandonné")])
def test_nothing_is_taken_after_the_launch_or_once_abandoned(grouping, buyer, status, why):
    Grouping.objects.update(status=status, launched_on=TODAY if status == "consultation" else None)
    with pytest.raises(BusinessError, match=why):
        take(grouping, buyer)


def test_nothing_is_taken_when_the_start_does_not_hold(grouping, buyer):
    with pytest.raises(BusinessError, match="ne tient plus"):
        take(grouping, buyer, today=WANTED - timedelta(days=60))


@pytest.mark.parametrize("role", [Role.FINANCE, Role.READER, Role.ADMINISTRATOR])
def test_only_who_may_change_the_grouping_takes_them(grouping, agent, role):
    for actor in (make_affiliation(grouping.coordinator, role), agent):
        with pytest.raises(NotAllowed):
            take(grouping, actor)


# The calendar file, and the feed.


def test_the_file_opens_in_a_calendar(client, grouping, buyer):
    client.force_login(buyer.user)
    response = client.get(reverse("back_planning_ics", args=[grouping.pk]))
    assert response["Content-Type"].startswith("text/calendar")
    assert f"retroplanning-{grouping.reference}.ics" in response["Content-Disposition"]
    events = {str(event["UID"]): event for event in Calendar.from_ical(response.content).walk("VEVENT")}
    assert len(events) == 11
    tender = next(event for uid, event in events.items() if uid.startswith(f"etape-{grouping.pk}-tender@"))
    assert tender["DTSTART"].dt == back_planning(WANTED, today=TODAY).stage("tender").ends_on
    assert str(tender["SUMMARY"]) == "Fournitures de bureau et papier\u00a0: avis et remise des offres"
    assert [alarm["TRIGGER"].dt for alarm in tender.walk("VALARM")] == [timedelta(days=-7)]
    sourcing = events[next(uid for uid in events if "-sourcing@" in uid)]
    assert sourcing.walk("VALARM") == []


def test_the_same_stage_keeps_its_uid_and_its_sequence_rises(client, grouping, buyer):
    client.force_login(buyer.user)
    url = reverse("back_planning_ics", args=[grouping.pk])

    def read():
        return {str(e["UID"]): int(e["SEQUENCE"]) for e in Calendar.from_ical(client.get(url).content).walk("VEVENT")}

    before = read()
    take(grouping, buyer)
    after = read()
    assert before.keys() == after.keys()
    assert all(after[uid] > before[uid] for uid in before)


def stages_in(affiliation):
    """Code of each stage in the feed of that person → its event."""
    events = (event for event in events_of(affiliation, TODAY) if event.uid.startswith("etape-"))
    return {event.uid.split("@")[0].split("-")[-1]: event for event in events}


def test_the_feed_of_the_buyer_holds_what_is_left(grouping, buyer, agent):
    found = stages_in(buyer)
    assert "sourcing" not in found  # done
    assert {"needs", "deliberations", "tender", "notification"} <= set(found)
    assert all(event.alarm_days for event in found.values() if event.on >= TODAY)
    assert stages_in(agent) == {}
    assert stages_in(make_affiliation(grouping.coordinator, Role.READER)) == {}
    take(grouping, buyer)
    assert not {"needs", "deliberations"} & set(stages_in(buyer))  # the grouping's own dates tell them
    assert any(event.uid.startswith(f"echeance-{grouping.pk}-besoins") for event in events_of(buyer, TODAY))


def test_a_day_gone_by_has_no_alarm(grouping, buyer):
    Grouping.objects.update(performance_planned_on=TODAY + timedelta(days=100))
    past = [event for event in stages_in(buyer).values() if event.on < TODAY]
    assert past
    assert all(event.alarm_days is None for event in past)


@pytest.mark.parametrize("count", [2, 50])
def test_few_queries_whatever_the_members(db, client, django_assert_max_num_queries, count):
    metropole, grouping = make_territory(members=count, lots=3, opened_on=TODAY, performance_planned_on=WANTED)
    member = grouping.memberships.exclude(organisation=metropole).first().organisation
    for person in (make_affiliation(metropole), make_affiliation(member, Role.MEMBER_AGENT)):
        client.force_login(person.user)
        for name in ("back_planning", "back_planning_ics"):
            with django_assert_max_num_queries(12):
                assert client.get(reverse(name, args=[grouping.pk])).status_code == 200
    with django_assert_max_num_queries(12):
        events_of(make_affiliation(metropole), TODAY)


def test_a_launched_grouping_is_read_in_few_queries(client, django_assert_max_num_queries, grouping, buyer):
    Grouping.objects.update(status="consultation", launched_on=TODAY)
    grouping.refresh_from_db()
    make_consultation(grouping, value_excl_tax=Money("600000", "EUR"))
    client.force_login(buyer.user)
    with django_assert_max_num_queries(12):
        assert client.get(reverse("back_planning", args=[grouping.pk])).status_code == 200


@given(st.dates(date(2015, 1, 1), date(2029, 12, 31)), st.integers(-400, 1200))
def test_the_drawing_stays_inside_its_frame(wanted, ahead):
    drawn = timeline(back_planning(wanted, today=wanted - timedelta(days=ahead)))
    for bar in drawn.bars:
        assert NAMES <= bar.x < bar.end <= WIDTH
        assert bar.end - 4 <= bar.latest <= WIDTH
        assert bar.word_x + 60 <= WIDTH
        assert 0 < bar.y < drawn.height
    told = [tick for tick in drawn.ticks if tick.label]
    assert 2 <= len(told) <= 9
    assert drawn.today is None or NAMES <= drawn.today <= WIDTH
