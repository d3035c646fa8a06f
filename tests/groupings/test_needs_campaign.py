"""The survey by its coordinator: its dates, the mails, opening it again for one; what each person must do today."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from groupings.actions.campaign import campaign_announce, campaign_open, needs_reopen
from groupings.links import link_token
from groupings.models import Grouping, Membership, NeedsCampaign, NeedsDraft, NeedsReopening, SignedLink
from groupings.reminders import _was_written as was_written
from groupings.todo import Subject, Urgency, todo_on, without_needs
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support.factories import make_affiliation, make_lot, make_membership, make_need, make_organisation
from tests.support.needs import in_days, make_survey, open_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey():
    return make_survey()


def open_survey(survey, actor=None, **fields):
    fields = {"opens_on": in_days(0), "due_on": in_days(30), "locks_when_due": False, "instructions": ""} | fields
    grouping = Grouping.objects.get(pk=survey.grouping.pk)
    return campaign_open(grouping=grouping, actor=actor or survey.buyer, today=in_days(0), **fields)


def announce(survey, actor=None, **later):
    grouping = Grouping.objects.get(pk=survey.grouping.pk)
    return campaign_announce(grouping=grouping, actor=actor or survey.buyer, now=timezone.now() + timedelta(**later))


def reopen(survey, until, actor=None):
    membership = Membership.objects.select_related("grouping__coordinator", "organisation").get(pk=survey.membership.pk)
    return needs_reopen(
        membership=membership, until=until, reason=" Panne ", actor=actor or survey.buyer, now=timezone.now()
    )


def needs_tasks(person, today):
    todo = todo_on(person, today)
    return [task for task in (*todo.late, *todo.soon, *todo.later) if task.subject == Subject.NEEDS]


# Its dates


def test_the_deadline_has_one_truth_and_the_journal_tells_it(survey):
    before = Grouping.objects.get().version
    open_survey(survey, due_on=in_days(40), locks_when_due=True, instructions="Comptez l’école.")
    grouping = Grouping.objects.get()
    assert (grouping.needs_due_on, grouping.version) == (in_days(40), before + 1)
    campaign = NeedsCampaign.objects.get()
    assert (campaign.opens_on, campaign.locks_when_due, campaign.instructions) == (in_days(0), True, "Comptez l’école.")
    told = list(JournalEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert told == ["campaign.open", "grouping.change"]
    open_survey(survey, due_on=in_days(40), locks_when_due=True, instructions="Comptez l’école.")
    assert JournalEntry.objects.count() == 2  # nothing changed, nothing to tell


def test_dates_out_of_order_or_past_are_refused(survey):
    with pytest.raises(ValidationError) as caught:
        open_survey(survey, opens_on=in_days(10), due_on=in_days(9))
    assert list(caught.value.error_dict) == ["due_on"]
    with pytest.raises(ValidationError):
        open_survey(survey, opens_on=in_days(-10), due_on=in_days(-1))
    Grouping.objects.update(needs_due_on=in_days(-1))
    assert open_survey(survey, opens_on=in_days(-10), due_on=in_days(-1), instructions="Plus que le lot 2.")


def test_a_closed_survey_or_another_s_change_is_refused(survey):
    with pytest.raises(BusinessError, match="modifié entre-temps"):
        open_survey(survey, expected_version=99)
    Grouping.objects.update(status="convention")
    with pytest.raises(BusinessError, match="pas ouvert à cette étape"):
        open_survey(survey)


def test_only_the_coordinator_s_buyers_and_jurists_survey(survey):
    for actor in (survey.agent, make_affiliation(survey.commune, Role.BUYER)):
        for write in (open_survey, announce):
            with pytest.raises(NotAllowed):
                write(survey, actor=actor)
        with pytest.raises(NotAllowed):
            reopen(survey, in_days(3), actor=actor)


# The mails


def test_every_silent_member_is_told_what_to_do_for_when_with_its_own_link(survey):
    make_need(survey.own, survey.lots[0])  # the coordinator has answered
    mute = make_membership(survey.grouping, make_organisation(parent=survey.metropole, name="Sans adresse"))
    open_survey(survey, instructions="Comptez aussi l’école.")
    assert announce(survey) == 2  # the town hall and its agent
    links = {link.membership_id: link for link in SignedLink.objects.all()}
    assert set(links) == {survey.membership.pk}
    assert mute.pk not in links
    message = OutgoingMessage.objects.get(recipient="mairie@saussan.example")
    assert message.subject == f"Avant le {in_days(30):%d/%m/%Y} – Indiquer vos besoins\u00a0: {survey.grouping.title}"
    address = reverse("signed_link_needs", args=[link_token(links[survey.membership.pk])])
    assert message.text.count("http") == 1  # one mail, one action
    for told in (address, "Comptez aussi l’école.", survey.buyer.user.email, "Pas de besoin pour ce lot"):
        assert told in message.text
    assert message.organisation_id == survey.commune.pk


def test_at_most_one_mail_a_day_then_a_reminder(survey):
    open_survey(survey)
    sent = announce(survey)
    with pytest.raises(BusinessError, match="déjà reçu un message aujourd’hui"):
        announce(survey)
    assert announce(survey, days=1) == sent
    assert JournalEntry.objects.filter(verb="campaign.announce", concerns_id=survey.commune.pk).count() == 2


def test_nobody_is_written_to_without_a_survey_a_lot_a_silence_or_before_its_day(survey):
    with pytest.raises(BusinessError, match="Ouvrez d’abord"):
        announce(survey)
    campaign = open_campaign(survey, opens_on=in_days(2))
    with pytest.raises(BusinessError, match="ouvre le"):
        announce(survey)
    campaign.opens_on = in_days(0)
    campaign.save()
    for membership in (survey.own, survey.membership):
        make_need(membership, survey.lots[0])
    with pytest.raises(BusinessError, match="Tous les membres ont répondu"):
        announce(survey)
    survey.own.needs.all().delete()
    Grouping.objects.update(status="convention")
    with pytest.raises(BusinessError, match="Le recensement est clos"):
        announce(survey)
    Grouping.objects.update(status="needs")
    Membership.objects.all().update(withdrawn_on=in_days(0))
    survey.membership.needs.all().delete()
    with pytest.raises(BusinessError, match="Tous les membres ont répondu"):
        announce(survey)
    for lot in survey.lots:
        lot.delete()
    with pytest.raises(BusinessError, match="Décrivez au moins un lot"):
        announce(survey)
    assert not OutgoingMessage.objects.exists()


def test_a_mail_about_needs_does_not_stand_for_one_about_the_vote(survey):
    open_survey(survey)
    announce(survey)
    deliberation = survey.membership.deliberations.get()
    assert not was_written(deliberation, in_days(1))
    message = OutgoingMessage.objects.first()
    message.key = "kit:1"
    message.save()
    assert was_written(deliberation, in_days(1))


# Opening again for one


def test_one_member_is_let_in_again_with_a_reason_and_told(survey):
    Grouping.objects.update(status="convention")
    reopening, sent = reopen(survey, in_days(5))
    assert (reopening.until, reopening.reason, sent) == (in_days(5), "Panne", 2)
    entry = JournalEntry.objects.get(verb="needs.reopen")
    assert (entry.concerns_id, entry.reason) == (survey.commune.pk, "Panne")
    assert OutgoingMessage.objects.first().subject.startswith(f"Avant le {in_days(5):%d/%m/%Y} – Indiquer vos besoins")
    assert reopen(survey, in_days(5))[1] == 0  # a double click
    assert reopen(survey, in_days(9))[1] == 2
    assert NeedsReopening.objects.count() == 1


def test_a_reopening_in_the_past_after_the_launch_or_for_who_left_is_refused(survey):
    with pytest.raises(BusinessError, match="jour à venir"):
        reopen(survey, in_days(-1))
    Membership.objects.filter(pk=survey.membership.pk).update(withdrawn_on=in_days(0))
    with pytest.raises(BusinessError, match="ne participe plus"):
        reopen(survey, in_days(1))
    Membership.objects.update(withdrawn_on=None)
    Grouping.objects.update(status="consultation", launched_on=in_days(0))
    with pytest.raises(BusinessError, match="la consultation est lancée"):
        reopen(survey, in_days(1))


# À faire


def test_a_member_s_task_by_what_it_has_done(survey):
    (task,) = needs_tasks(survey.agent, in_days(0))
    assert (task.what, task.badge, task.urgency) == ("Indiquer vos besoins, lot par lot", None, Urgency.LATER)
    draft = NeedsDraft.objects.create(membership=survey.membership, lines={}, saved_by="Essai")
    (task,) = needs_tasks(survey.agent, in_days(21))
    assert (task.badge.word, task.urgency) == ("Brouillon, non transmis", Urgency.LATE)
    assert survey.membership in without_needs(survey.agent)  # a draft is not an answer
    survey.membership.needs_submissions.create(
        number=1, lines={}, sha256="0" * 64, submitted_at=timezone.now(), submitted_by="Essai"
    )
    (task,) = needs_tasks(survey.agent, in_days(0))
    assert task.badge.word == "Modifications non transmises"
    draft.delete()
    assert needs_tasks(survey.agent, in_days(0)) == []  # « no need » everywhere has answered
    assert survey.membership not in without_needs(survey.agent)
    assert [task.membership for task in needs_tasks(survey.buyer, in_days(0))] == [survey.own]


def test_nothing_is_asked_before_the_survey_opens_and_a_member_let_in_again_has_its_own_day(survey):
    campaign = open_campaign(survey, opens_on=in_days(3))
    assert needs_tasks(survey.agent, in_days(0)) == []
    assert len(needs_tasks(survey.agent, in_days(3))) == 1
    campaign.delete()
    Grouping.objects.update(status="deliberations")
    assert needs_tasks(survey.agent, in_days(0)) == []
    NeedsReopening.objects.create(membership=survey.membership, until=in_days(4), reason="Oubli")
    (task,) = needs_tasks(survey.agent, in_days(0))
    assert (task.due_on, task.urgency) == (in_days(4), Urgency.SOON)
    assert needs_tasks(survey.agent, in_days(5)) == []


# The screen


def test_the_buyer_opens_writes_and_lets_in_again(client, survey):
    client.force_login(survey.buyer.user)
    url = reverse("campaign_open", args=[survey.grouping.pk])
    page = client.get(url).content.decode()
    assert "Ouvrir le recensement" in page
    version = str(Grouping.objects.get().version)
    dates = {"opens_on": f"{in_days(0)}", "due_on": f"{in_days(30):%d/%m/%Y}", "version": version}
    refused = client.post(url, dates | {"due_on": f"{in_days(-3)}"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["due_on"])
    assert client.post(url, dates | {"instructions": "Comptez l’école."}).status_code == 302
    stale = client.post(url, dates | {"instructions": "Autre chose"})
    assert "modifié entre-temps" in stale.content.decode()
    assert "Autre chose" in stale.content.decode()
    sent = client.post(reverse("campaign_announce", args=[survey.grouping.pk]), follow=True)
    assert "messages confiés à l’envoi" in sent.content.decode()
    again = client.post(reverse("campaign_announce", args=[survey.grouping.pk]))
    assert (again.status_code, "déjà reçu un message" in again.content.decode()) == (422, True)
    reopened = {"membership": survey.membership.pk, "until": f"{in_days(4)}", "reason": "Panne"}
    address = reverse("campaign_reopen", args=[survey.grouping.pk])
    late = client.post(address, reopened | {"until": f"{in_days(-4)}"})
    assert list(late.context["reopen_form"].errors) == ["until"]
    assert "Panne" in late.content.decode()
    assert "rouvert pour Saussan" in client.post(address, reopened, follow=True).content.decode()
    other = make_membership(make_survey_elsewhere(), make_organisation())
    stranger = client.post(address, reopened | {"membership": other.pk})
    assert list(stranger.context["reopen_form"].errors) == ["membership"]


def make_survey_elsewhere():
    return make_survey().grouping


def test_a_member_without_address_is_named_and_the_closing_warned(client, survey):
    make_membership(survey.grouping, make_organisation(parent=survey.metropole, name="Commune sans adresse"))
    client.force_login(survey.buyer.user)
    page = client.get(reverse("campaign_open", args=[survey.grouping.pk])).content.decode()
    assert "3 membres sans réponse" in page
    assert page.index("Sans adresse électronique") < page.rindex("Commune sans adresse")
    Grouping.objects.update(status="convention")
    page = client.get(reverse("campaign_open", args=[survey.grouping.pk])).content.decode()
    assert "Le recensement est clos" in page
    assert "Rouvrir pour un membre" in page


@pytest.mark.parametrize("members", [2, 50])
def test_few_queries_whatever_the_members(client, survey, django_assert_max_num_queries, members):
    open_campaign(survey)
    for _ in range(members):
        make_membership(survey.grouping, make_organisation(parent=survey.metropole))
    make_lot(survey.grouping, 3)
    client.force_login(survey.buyer.user)
    for url in (
        reverse("campaign_open", args=[survey.grouping.pk]),
        reverse("grouping_detail", args=[survey.grouping.pk]),
    ):
        with django_assert_max_num_queries(12):
            assert client.get(url).status_code == 200
