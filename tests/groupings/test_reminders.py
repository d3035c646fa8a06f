"""Reminders and the weekly digest: to whom, when, once."""

from datetime import date, timedelta
from io import StringIO

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from groupings import reminders
from groupings.actions.reminders import reminders_ask, reminders_send
from groupings.models import Deliberation, Grouping, SignedLink
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
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
#: The agenda closes on 31/12/2026: J-30 is 1 December, J-7 the 24th, J-2 the 29th.
CLOSES, MEETING = date(2026, 12, 31), date(2027, 1, 14)


@pytest.fixture
def vote():
    """One commune's vote in one grouping at the vote; the métropole itself is dispensed."""
    metropole = make_metropole()
    grouping = make_grouping(
        metropole, status="deliberations", title="Carburants", deliberations_due_on=date(2027, 2, 15)
    )
    make_membership(grouping, metropole).deliberations.update(status="not_required")
    commune = make_organisation(parent=metropole, name="Prades-le-Lez", email="mairie@prades.example")
    membership = make_membership(grouping, commune)
    make_session(commune, MEETING, agenda_closes_on=CLOSES)
    return membership.deliberations.get()


def send(today):
    """What leaves on that day: (address, subject) of each mail, oldest first."""
    before = OutgoingMessage.objects.values_list("pk", flat=True)
    known = set(before)
    reminders_send(today=today, now=timezone.now())
    new = OutgoingMessage.objects.exclude(pk__in=known).order_by("pk")
    return [(message.recipient, message.subject) for message in new]


ASKED = "Avant le 31/12/2026 – Inscrire la délibération à l’ordre du jour d’une séance\u00a0: Carburants"


def test_three_reminders_before_the_agenda_closes_and_never_twice(vote):
    sent = {}
    for offset in range(75):
        today = date(2026, 11, 1) + timedelta(days=offset)
        for mail in send(today) + send(today):
            sent.setdefault(today, []).append(mail)
    assert sent == {
        date(2026, 12, 1): [("mairie@prades.example", ASKED)],
        date(2026, 12, 24): [("mairie@prades.example", ASKED)],
        date(2026, 12, 29): [("mairie@prades.example", ASKED)],
    }


def test_a_missed_night_is_caught_up_once(vote):
    """Nothing ran from 1 to 25 December: one mail, the one of J-7, and not the one of J-30 as well."""
    assert send(date(2026, 12, 26)) == [("mairie@prades.example", ASKED)]
    assert "J-7" in JournalEntry.objects.get(verb="reminder.send").sentence
    assert send(date(2026, 12, 27)) == []


def test_without_a_closing_date_the_last_lawful_dispatch_is_the_deadline(vote):
    """A commune under 3 500 inhabitants: three clear days before 14 January, hence the 10th."""
    vote.membership.organisation.sessions.update(agenda_closes_on=None)
    vote.membership.organisation.population = 900
    vote.membership.organisation.save()
    assert send(date(2027, 1, 8))[0][1].startswith("Avant le 10/01/2027")


def test_a_session_that_moves_is_another_deadline(vote):
    assert len(send(date(2026, 12, 29))) == 1
    vote.membership.organisation.sessions.update(meeting_on=date(2027, 1, 28), agenda_closes_on=date(2027, 1, 7))
    assert [subject[:20] for _, subject in send(date(2026, 12, 31))] == ["Avant le 07/01/2027 "]


def test_an_agenda_closed_yesterday_leaves_room_to_the_next_council(vote):
    make_session(vote.membership.organisation, date(2027, 2, 4), agenda_closes_on=date(2027, 1, 28))
    assert send(date(2027, 1, 1))[0][1].startswith("Avant le 28/01/2027")


def test_without_any_known_session_the_date_is_asked_before_the_grouping_s_own_deadline(vote):
    vote.membership.organisation.sessions.all().delete()
    assert send(date(2027, 1, 15)) == []
    assert send(date(2027, 1, 16)) == [
        ("mairie@prades.example", "Avant le 15/02/2027 – Indiquer la date de votre prochaine séance\u00a0: Carburants")
    ]


def test_on_the_agenda_nobody_is_disturbed_until_the_result_is_awaited(vote):
    vote.session, vote.status = vote.membership.organisation.sessions.get(), "on_agenda"
    vote.save()
    assert send(date(2026, 12, 29)) == []
    assert send(MEETING + timedelta(days=1)) == []
    (mail,) = send(MEETING + timedelta(days=2))
    assert mail[1] == "Avant le 15/02/2027 – Saisir le résultat du vote de la séance du 14/01/2027\u00a0: Carburants"
    assert send(MEETING + timedelta(days=8)) == []
    assert len(send(MEETING + timedelta(days=9))) == 1


def test_a_text_put_off_is_followed_again_after_its_next_session(vote):
    first = vote.membership.organisation.sessions.get()
    Deliberation.objects.filter(pk=vote.pk).update(session=first, status="on_agenda")
    assert len(send(MEETING + timedelta(days=2))) == 1
    second = make_session(first.organisation, MEETING + timedelta(days=60))
    Deliberation.objects.filter(pk=vote.pk).update(session=second)
    (mail,) = send(second.meeting_on + timedelta(days=2))
    assert mail[1] == (
        "Échéance du 15/02/2027 dépassée – Saisir le résultat du vote de la séance du 15/03/2027\u00a0: Carburants"
    )
    assert "À faire dès maintenant, l’échéance du 15/02/2027 est dépassée\u00a0: Saisir" in last_text()


def test_without_a_deadline_none_is_made_up(vote):
    Grouping.objects.update(deliberations_due_on=None)
    adopt(vote.membership, date(2026, 12, 1), executory=False)
    (mail,) = send(date(2026, 12, 3))
    assert mail[1] == "Transmettre la délibération au contrôle de légalité\u00a0: Carburants"
    assert "À faire dès que possible\u00a0: Transmettre la délibération" in last_text()


def last_text():
    return OutgoingMessage.objects.order_by("pk").last().text


def test_an_adopted_act_is_followed_until_it_is_enforceable(vote):
    act = adopt(vote.membership, date(2026, 12, 1), executory=False)
    assert "Transmettre la délibération" in send(date(2026, 12, 3))[0][1]
    act.transmitted_on = date(2026, 12, 4)
    act.save()
    assert "Enregistrer l’accusé de réception" in send(date(2026, 12, 10))[0][1]
    adopt(vote.membership, date(2026, 12, 1))
    assert send(date(2026, 12, 30)) == []


@pytest.mark.parametrize("change", ["not_required", "rejected", "withdrawn_member", "launched", "cancelled", "needs"])
def test_who_has_nothing_to_do_receives_nothing(vote, change):
    membership, grouping = vote.membership, vote.membership.grouping
    if change == "not_required":
        membership.deliberations.update(status="not_required")
    elif change == "rejected":
        membership.deliberations.update(status="rejected", decided_on=date(2026, 11, 3))
    elif change == "withdrawn_member":
        membership.joined_on = membership.withdrawn_on = date(2026, 11, 3)
        membership.save()
    elif change == "launched":
        grouping.status, grouping.launched_on = "consultation", date(2026, 11, 3)
        grouping.save()
    else:
        grouping.status = change
        grouping.save()
    assert send(date(2026, 12, 29)) == []


def test_every_address_of_the_member_once_and_the_link_renewed(vote):
    agent = make_affiliation(vote.membership.organisation, Role.MEMBER_AGENT)
    vote.membership.contact_email = "MAIRIE@prades.example"
    vote.membership.save()
    assert {address for address, _ in send(date(2026, 12, 1))} == {"mairie@prades.example", agent.user.email}
    first = SignedLink.objects.get().expires_at
    text = OutgoingMessage.objects.first().text
    assert "/lien/" in text and "31/12/2026" in text
    send(date(2026, 12, 24))
    assert SignedLink.objects.get().expires_at > first


def test_who_has_just_received_a_mail_waits_for_the_next_step(vote):
    """The kit left today: no first reminder the same week, but the second comes."""
    OutgoingMessage.objects.create(
        key="kit",
        recipient="mairie@prades.example",
        subject="Kit",
        text="Kit",
        organisation=vote.membership.organisation,
        territory=vote.membership.grouping.coordinator,
        thread=vote.membership.grouping.thread,
        created_at=timezone.make_aware(timezone.datetime(2026, 12, 1, 9)),
        next_attempt_at=timezone.now(),
    )
    assert send(date(2026, 12, 2)) == []
    assert len(send(date(2026, 12, 24))) == 1


def test_a_member_without_address_is_planned_and_not_written(vote):
    vote.membership.organisation.email = ""
    vote.membership.organisation.save()
    assert [reminder.recipients for reminder in reminders.plan(date(2026, 12, 1))] == [()]
    assert send(date(2026, 12, 1)) == []
    assert not SignedLink.objects.exists()


def test_one_member_that_fails_keeps_nothing_from_the_others(vote, monkeypatch):
    grouping = vote.membership.grouping
    other = make_organisation(parent=grouping.coordinator, name="Assas", email="mairie@assas.example")
    make_membership(grouping, other)
    make_session(other, MEETING, agenda_closes_on=CLOSES)
    whole = reminders.link_open

    def fails_for_assas(*, membership, **options):
        if membership.organisation_id == other.pk:
            raise OSError("disque plein")
        return whole(membership=membership, **options)

    monkeypatch.setattr(reminders, "link_open", fails_for_assas)
    assert [address for address, _ in send(date(2026, 12, 1))] == ["mairie@prades.example"]
    monkeypatch.undo()
    assert [address for address, _ in send(date(2026, 12, 2))] == ["mairie@assas.example"]


def run(*arguments):
    out = StringIO()
    call_command("send_reminders", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_rehearses_then_sends(vote):
    told = run("--dry-run", "--on", "2026-12-24")
    assert "J-7  Prades-le-Lez (mairie@prades.example)" in told
    assert "1 relance(s)" in told
    assert not OutgoingMessage.objects.exists()
    assert not SignedLink.objects.exists()
    assert "1 relance(s)" in run("--on", "24/12/2026")
    assert "0 relance(s)" in run("--on", "2026-12-24")
    with pytest.raises(CommandError, match="n’est pas une date"):
        run("--on", "24 décembre")


def test_the_clock_runs_it_every_day():
    entry = settings.CELERY_BEAT_SCHEDULE["send-reminders"]
    assert entry == {"task": "groupings.send_reminders", "schedule": crontab(hour=6, minute=30)}


def test_the_weekly_digest_reaches_the_buyers_once_a_week(vote):
    grouping = vote.membership.grouping
    grouping.deliberations_due_on = date(2026, 12, 10)
    grouping.save()
    vote.membership.organisation.sessions.all().delete()
    buyer = make_affiliation(grouping.coordinator)
    make_affiliation(grouping.coordinator, Role.FINANCE)
    make_affiliation(vote.membership.organisation, Role.MEMBER_AGENT)
    # Monday's run was missed: Tuesday's sends it, Wednesday's does not, the next week's does.
    digests = [[a for a, s in send(day) if s.startswith("Semaine")] for day in map(day_of_december, (1, 2, 7, 8))]
    assert digests == [[buyer.user.email], [], [buyer.user.email], []]
    text = OutgoingMessage.objects.filter(key__startswith="digest:").first().text
    assert "Prades-le-Lez, Carburants" in text
    assert "1 échéance" in text or "1 attendue" in text


def day_of_december(number):
    return date(2026, 12, number)


def test_a_buyer_with_nothing_to_do_receives_no_digest(vote):
    vote.membership.deliberations.update(status="not_required")
    vote.membership.grouping.memberships.all().delete()
    make_affiliation(vote.membership.grouping.coordinator)
    assert send(date(2026, 12, 1)) == []


def test_the_buyer_reminds_whoever_is_behind_once_a_day(vote, client):
    grouping = vote.membership.grouping
    buyer = make_affiliation(grouping.coordinator)
    today, now = date(2026, 11, 10), timezone.now()  # fifty days before the agenda closes
    assert reminders_ask(grouping=grouping, actor=buyer, today=today, now=now) == 1
    assert OutgoingMessage.objects.get().subject == ASKED
    assert "Relance du 10/11/2026" in JournalEntry.objects.get(verb="reminder.send").sentence
    with pytest.raises(BusinessError, match="déjà été relancés aujourd’hui"):
        reminders_ask(grouping=grouping, actor=buyer, today=today, now=now)
    with pytest.raises(NotAllowed):
        agent = make_affiliation(vote.membership.organisation, Role.MEMBER_AGENT)
        reminders_ask(grouping=grouping, actor=agent, today=today, now=now)
    adopt(vote.membership, date(2026, 11, 12))
    with pytest.raises(BusinessError, match="Aucun membre"):
        reminders_ask(grouping=grouping, actor=buyer, today=date(2026, 11, 13), now=now)


def test_the_log_of_mails_on_screen(vote, client):
    grouping = vote.membership.grouping
    other = make_organisation(parent=grouping.coordinator, name="Assas", email="mairie@assas.example")
    make_membership(grouping, other)
    make_session(other, MEETING, agenda_closes_on=CLOSES)
    send(date(2026, 12, 1))
    client.force_login(make_affiliation(grouping.coordinator, Role.READER).user)
    page = client.get(reverse("mail_list")).content.decode()
    assert "mairie@prades.example" in page and "mairie@assas.example" in page
    assert "/lien/" not in page  # whoever reads the log cannot answer for a member
    rows = client.get(reverse("mail_list"), {"export": "csv"}).content.decode("utf-8-sig")
    assert "mairie@prades.example" in rows and "/lien/" not in rows

    client.force_login(make_affiliation(vote.membership.organisation, Role.MEMBER_AGENT).user)
    page = client.get(reverse("mail_list")).content.decode()
    assert "mairie@prades.example" in page and "mairie@assas.example" not in page


def test_reminding_from_the_page_of_the_grouping(vote, client):
    grouping = vote.membership.grouping
    client.force_login(make_affiliation(grouping.coordinator).user)
    url = reverse("reminders_send", args=[grouping.pk])
    response = client.post(url, follow=True)
    assert "1 relance confiée à l’envoi" in response.content.decode()
    again = client.post(url)
    assert again.status_code == 422
    assert "déjà été relancés aujourd’hui" in again.content.decode()
