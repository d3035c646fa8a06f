"""Outgoing mail: written with the act, sent after it, once, again until it leaves, and only to whom may read it."""

import hashlib
import smtplib
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from procurement.core import tasks
from procurement.core.mail import sending
from procurement.core.mail.models import OutgoingMessage
from tests.support.factories import make_affiliation, make_metropole, make_organisation

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = "reminder:12:2026-12-01:j-7:mairie@example.org"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    """What the broker was told; and a broker that failed in another test is not remembered in this one."""
    rung = []
    monkeypatch.setattr(tasks.send_mail, "delay", rung.append)
    monkeypatch.setattr(sending, "_broker_is_down_until", 0.0)
    return rung


@pytest.fixture
def metropole():
    return make_metropole()


@pytest.fixture
def queue(metropole):
    def queue(**values):
        values = {
            "key": KEY,
            "recipient": "mairie@example.org",
            "subject": "Délibération à inscrire avant le 1er décembre",
            "text": "Bonjour,\n\nLe conseil se réunit le 8\u00a0décembre\u202f: œuvrons.\n",
            "territory_id": metropole.pk,
            "thread": "grouping:12",
            "now": NOW,
            **values,
        }
        return sending.queue(**values)

    return queue


@pytest.fixture
def server(monkeypatch):
    """A mail server that answers what its list says, one item per message, then accepts."""
    answers = []
    accept = EmailBackend.send_messages

    def send_messages(backend, messages):
        answer = answers.pop(0) if answers else None
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None:
            answer()
        return accept(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)
    return answers


def stored(content: bytes, **values) -> dict:
    path = default_storage.save("mail/annexe.bin", ContentFile(content))
    return {
        "name": "Délibération.pdf",
        "path": path,
        "content_type": "application/pdf",
        "sha256": hashlib.sha256(content).hexdigest(),
        **values,
    }


# Stored first, sent after


def test_a_message_is_stored_and_waits(queue):
    message = queue()
    assert (message.status, message.status.label) == ("waiting", "En attente")
    assert (message.created_at, message.next_attempt_at, message.attempts) == (NOW, NOW, 0)
    assert mail.outbox == []


def test_the_bell_rings_once_the_transaction_is_committed(queue, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        message = queue()
        assert rung == []
    assert rung == [message.pk]


def test_a_transaction_undone_sends_nothing(queue, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        queue()
        raise RuntimeError
    assert rung == []
    assert sending.send_waiting(NOW) == 0
    assert not OutgoingMessage.objects.exists()


def test_the_same_key_is_one_message(queue, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first = queue()
        assert queue(text="Autre texte", recipient="autre@example.org") is None
    assert rung == [first.pk]
    kept = OutgoingMessage.objects.get()
    assert (kept.text, kept.recipient) == (first.text, "mairie@example.org")


def test_the_same_key_once_sent_is_still_the_same_message(queue):
    sending.send_message(queue().pk, now=NOW)
    assert queue(now=NOW + timedelta(days=400)) is None
    assert sending.send_waiting(NOW + timedelta(days=401)) == 0
    assert len(mail.outbox) == 1


def test_a_body_that_does_not_exist_is_an_error_and_not_a_known_key(queue):
    with pytest.raises(IntegrityError), transaction.atomic():
        queue(territory_id=None)


def test_an_attachment_without_its_hash_is_refused_at_once(queue):
    attachment = stored(b"x")
    del attachment["sha256"]
    with pytest.raises(KeyError):
        queue(attachments=[attachment])


def test_a_broker_that_is_down_leaves_the_message_waiting(
    queue, monkeypatch, django_capture_on_commit_callbacks, caplog
):
    asked = []

    def down(pk):
        asked.append(pk)
        raise ConnectionError

    monkeypatch.setattr(tasks.send_mail, "delay", down)
    with django_capture_on_commit_callbacks(execute=True):
        messages = [queue(key=str(number)) for number in range(50)]
    assert asked == [messages[0].pk]  # fifty refusals of one second would outlast the request
    assert "ne répond pas" in caplog.text
    assert sending.send_waiting(NOW) == 50


def test_a_broker_that_is_back_is_asked_again(monkeypatch, rung):
    monkeypatch.setattr(tasks.send_mail, "delay", lambda pk: 1 / 0)
    assert not sending.ring(1)
    monkeypatch.setattr(tasks.send_mail, "delay", rung.append)
    assert not sending.ring(2)
    clock = time.monotonic() + sending.BROKER_PAUSE + 1
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: clock))
    assert sending.ring(3)
    assert rung == [3]


def test_the_message_of_the_broker_sends_one_or_all(queue):
    first, _, _ = (queue(key=key, now=timezone.now()) for key in "abc")
    tasks.send_mail(first.pk)
    assert len(mail.outbox) == 1
    tasks.send_mail()
    assert len(mail.outbox) == 3


# Sent once


def test_a_sent_message_says_so(queue):
    message = queue()
    assert sending.send_message(message.pk, now=NOW + MINUTE)
    message.refresh_from_db()
    assert (message.status, message.sent_at, message.attempts) == ("sent", NOW + MINUTE, 1)
    assert (message.next_attempt_at, message.error) == (None, "")


def test_a_message_leaves_once(queue):
    message = queue()
    assert sending.send_message(message.pk, now=NOW)
    assert not sending.send_message(message.pk, now=NOW + timedelta(days=1))
    assert sending.send_waiting(NOW + timedelta(days=1)) == 0
    assert len(mail.outbox) == 1


def test_an_unknown_message_is_not_sent():
    assert not sending.send_message(0)


def test_a_message_does_not_leave_before_its_time(queue):
    queue()
    assert sending.send_waiting(NOW - timedelta(seconds=1)) == 0
    assert sending.send_waiting(NOW) == 1


def test_while_one_worker_sends_no_other_does(queue, server):
    message = queue()
    others = []

    def meanwhile():
        others.append(sending.send_message(message.pk, now=NOW + MINUTE))
        others.append(sending.send_waiting(NOW + sending.LEASE - timedelta(seconds=1)))

    server.append(meanwhile)
    assert sending.send_message(message.pk, now=NOW)
    assert others == [False, 0]
    assert len(mail.outbox) == 1


def test_a_claim_that_read_an_old_row_loses(queue, monkeypatch):
    """Both workers read the waiting row, then both write: the attempts they read decide."""
    message = queue()
    waiting = OutgoingMessage.objects.all().__class__.waiting

    def overtaken(messages, now):
        overtaken.calls += 1
        if overtaken.calls == 2:  # read by us, taken by the other, whose lease is even over already
            OutgoingMessage.objects.filter(pk=message.pk).update(attempts=1)
        return waiting(messages, now)

    overtaken.calls = 0
    monkeypatch.setattr(type(OutgoingMessage.objects.all()), "waiting", overtaken)
    monkeypatch.setattr(type(OutgoingMessage.objects), "waiting", lambda manager, now: overtaken(manager.all(), now))
    assert not sending.send_message(message.pk, now=NOW)
    assert overtaken.calls == 2
    assert mail.outbox == []


def test_a_long_sweep_counts_each_lease_from_its_own_start(queue, server, monkeypatch):
    """The first takes longer than a lease: the second is not free for another worker while it is being sent."""
    clock = [0.0]
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    queue(key="a")
    second = queue(key="b")
    leases = []

    def slow():
        clock[0] = 700.0

    server.append(slow)
    server.append(lambda: leases.append(OutgoingMessage.objects.get(pk=second.pk).next_attempt_at))
    assert sending.send_waiting(NOW) == 2
    assert leases == [NOW + timedelta(seconds=700) + sending.LEASE]


@pytest.mark.parametrize("death", [SystemExit(), SoftTimeLimitExceeded()])
def test_a_message_whose_worker_died_is_taken_up_after_the_lease(queue, server, death):
    message = queue()
    server.append(death)
    with pytest.raises(type(death)):
        sending.send_message(message.pk, now=NOW)
    message.refresh_from_db()
    assert (message.status, message.next_attempt_at) == ("waiting", NOW + sending.LEASE)
    assert sending.send_waiting(NOW + sending.LEASE) == 1


def test_a_worker_that_lost_its_lease_writes_no_failure(queue, server):
    """It was frozen, another sent the message: its own failure would send it a second time."""
    message = queue()

    def frozen():
        assert sending.send_message(message.pk, now=NOW + sending.LEASE)
        raise ConnectionResetError

    server.append(frozen)
    assert not sending.send_message(message.pk, now=NOW)
    message.refresh_from_db()
    assert (message.status, message.error, len(mail.outbox)) == ("sent", "", 1)


def test_what_the_server_took_is_sent_even_after_the_lease(queue, server):
    """The next worker fails after us: the message left all the same, and is not tried a third time."""
    message = queue()
    server.append(lambda: sending.send_message(message.pk, now=NOW + sending.LEASE))
    server.append(ConnectionResetError())
    assert sending.send_message(message.pk, now=NOW)
    message.refresh_from_db()
    assert (message.status, message.error) == ("sent", "")


def test_a_goodbye_that_fails_does_not_send_again(queue, monkeypatch):
    def close(backend):
        raise smtplib.SMTPResponseException(500, b"Line too long.")

    monkeypatch.setattr(EmailBackend, "close", close)
    assert sending.send_message(queue().pk, now=NOW)
    assert OutgoingMessage.objects.get().status == "sent"


# Tried again, then given up


def test_a_server_that_is_down_is_asked_less_and_less_often(queue, server):
    """Worked by hand: 1, 6, 21 minutes, 1 h 21, 3 h 21, 7 h 21, then every eight hours, up to 47 h 21."""
    message = queue()
    minutes = [0, 1, 6, 21, 81, 201, 441, 921, 1401, 1881, 2361, 2841]
    for number, after in enumerate(minutes, start=1):
        server[:] = [ConnectionRefusedError(111, "Connection refused")]
        message.refresh_from_db()
        assert (message.status, message.next_attempt_at) == ("waiting", NOW + after * MINUTE)
        assert not sending.send_message(message.pk, now=NOW + after * MINUTE - timedelta(seconds=1))
        assert not sending.send_message(message.pk, now=NOW + after * MINUTE)
        message.refresh_from_db()
        assert message.attempts == number
    assert (message.status, message.status.label, message.next_attempt_at) == ("failed", "Échec", None)
    assert message.error == "Le serveur de messagerie ne répond pas\u00a0: [Errno 111] Connection refused"
    server.clear()
    assert sending.send_waiting(NOW + timedelta(days=365)) == 0
    assert mail.outbox == []


def test_a_message_caught_up_forgets_its_error(queue, server):
    message = queue()
    server.append(TimeoutError("timed out"))
    sending.send_message(message.pk, now=NOW)
    assert sending.send_waiting(NOW + MINUTE) == 1
    message.refresh_from_db()
    assert (message.status, message.attempts, message.error) == ("sent", 2, "")


def test_a_dead_server_is_asked_once_per_sweep(queue, server):
    """Twenty seconds of silence for each of a hundred messages would hold the worker for half an hour."""
    for number in range(5):
        queue(key=str(number), now=NOW + number * MINUTE)
    server.append(TimeoutError("timed out"))
    assert sending.send_waiting(NOW + 5 * MINUTE) == 0
    assert list(OutgoingMessage.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0, 0, 0]
    # The one that failed lets the others go first: it cannot hold them back for ever.
    assert sending.send_waiting(NOW + 5 * MINUTE + timedelta(seconds=59)) == 4
    assert sending.send_waiting(NOW + 7 * MINUTE) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            smtplib.SMTPRecipientsRefused({"mairie@example.org": (550, b"5.1.1 Unknown\nuser")}),
            "Adresse refusée par le serveur de messagerie\u00a0: 550 5.1.1 Unknown user",
        ),
        (
            smtplib.SMTPDataError(552, b"Too big \xe9"),
            "Message refusé par le serveur de messagerie\u00a0: 552 Too big �",
        ),
        (
            smtplib.SMTPSenderRefused(550, b"Who?", "groupements@localhost"),
            "Message refusé par le serveur de messagerie\u00a0: 550 Who?",
        ),
        (RuntimeError("mot de passe : 1234"), "Une erreur technique a empêché l’envoi\u00a0: RuntimeError"),
    ],
)
def test_a_message_that_is_refused_lets_the_others_leave(queue, server, answer, sentence):
    refused = queue(key="a")
    queue(key="b", recipient="autre@example.org")
    server.append(answer)
    assert sending.send_waiting(NOW) == 1
    refused.refresh_from_db()
    assert (refused.status, refused.error) == ("waiting", sentence)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            smtplib.SMTPAuthenticationError(535, b"5.7.8 Bad credentials"),
            "Le serveur de messagerie refuse la connexion\u00a0: 535 5.7.8 Bad credentials",
        ),
        (
            smtplib.SMTPConnectError(421, "Too many connections"),
            "Le serveur de messagerie refuse la connexion\u00a0: 421 Too many connections",
        ),
        (
            smtplib.SMTPServerDisconnected("Connection unexpectedly closed"),
            "Le serveur de messagerie ne répond pas\u00a0: Connection unexpectedly closed",
        ),
    ],
)
def test_a_server_that_refuses_everybody_is_said_so(queue, server, answer, sentence):
    message = queue()
    server.append(answer)
    assert not sending.send_message(message.pk, now=NOW)
    message.refresh_from_db()
    assert message.error == sentence


def test_an_endless_error_is_cut(queue, server):
    message = queue()
    server.append(OSError("x" * 5000))
    sending.send_message(message.pk, now=NOW)
    message.refresh_from_db()
    assert len(message.error) == 300
    assert message.error.endswith("x…")


def test_a_message_that_kills_its_workers_stops_and_says_so(queue):
    message = queue()
    OutgoingMessage.objects.update(attempts=sending.MAX_ATTEMPTS)
    assert not sending.send_message(message.pk, now=NOW)
    message.refresh_from_db()
    assert message.status == "failed"
    assert "à plusieurs reprises" in message.error
    assert mail.outbox == []


def test_the_last_attempt_allowed_is_made(queue):
    message = queue()
    OutgoingMessage.objects.update(attempts=sending.MAX_ATTEMPTS - 1)
    assert sending.send_message(message.pk, now=NOW)


@pytest.mark.parametrize(
    "recipient",
    [
        "mairie",
        "",
        "a@example.org, b@example.org",
        "a@example.org\nBcc: b@example.org",
        "a" * 300 + "@example.org",
    ],
)
def test_what_is_not_an_address_fails_at_once_and_alone(queue, recipient):
    wrong = queue(recipient=recipient)
    queue(key="b")
    assert sending.send_waiting(NOW) == 1
    wrong.refresh_from_db()
    assert (wrong.status, wrong.attempts) == ("failed", 1)
    assert wrong.error.endswith("\u00a0» n’est pas une adresse électronique.")
    assert [message.to for message in mail.outbox] == [["mairie@example.org"]]


# What leaves


def test_the_message_is_marked_automatic(queue):
    message = queue()
    sending.send_message(message.pk, now=NOW)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == (["mairie@example.org"], message.subject, message.text)
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert sent.extra_headers["X-Auto-Response-Suppress"] == "All"


def test_every_attempt_has_the_same_identity_and_every_message_its_own(queue, settings):
    settings.DEFAULT_FROM_EMAIL = "Groupements <groupements@metropole.example>"
    identity = sending._message_id(KEY)
    assert identity == sending._message_id(KEY)
    assert identity.startswith("<") and identity.endswith("@metropole.example>")
    assert identity != sending._message_id(KEY + "x")
    settings.SECRET_KEY = "une autre installation, la même clé"
    assert identity != sending._message_id(KEY)


@pytest.mark.parametrize(
    ("subject", "sent"),
    [
        ("Rappel\r\nBcc: pirate@example.org", "Rappel Bcc: pirate@example.org"),
        ("  Rappel\t \n avant\u2028le 1er  ", "Rappel avant le 1er"),
        ("Avant le 1er\u00a0décembre\u202f!", "Avant le 1er\u00a0décembre\u202f!"),
        ("é" * 180, "é" * 180),
        ("é" * 181, "é" * 179 + "…"),
        ("a" * 178 + " bcd", "a" * 178 + "…"),
    ],
)
def test_a_subject_is_one_short_line(queue, subject, sent):
    assert sending.send_message(queue(subject=subject).pk, now=NOW)
    assert mail.outbox[0].subject == sent
    assert mail.outbox[0].message()["Bcc"] is None


@given(st.text(max_size=400))
def test_no_subject_can_write_a_header(subject):
    line = sending._cut(sending._one_line(subject), 180)
    assert len(line) <= 180
    assert len(line.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)


@pytest.mark.parametrize(
    ("name", "content_type", "content"),
    [
        ("Délibération.pdf", "application/pdf", b"%PDF-1.7\r\n\x00\xff"),
        ("besoins.csv", "text/csv", "\ufefflot;quantité\n1;2\r\n".encode()),
        ("agenda.ics", "text/calendar; charset=utf-8", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        ("vide", "application/octet-stream", b""),
    ],
)
def test_an_attachment_leaves_byte_for_byte(queue, name, content_type, content):
    attachment = stored(content, name=name, content_type=content_type)
    assert sending.send_message(queue(attachments=[attachment]).pk, now=NOW)
    part = mail.outbox[0].message().get_payload()[1]
    assert (part.get_filename(), part.get_payload(decode=True)) == (name, content)


def test_a_message_never_leaves_without_its_attachment(queue):
    missing = queue(key="a", attachments=[stored(b"x", path="mail/absent.pdf")])
    outside = queue(key="b", attachments=[stored(b"x", path="../../etc/passwd")])
    changed = queue(key="c", attachments=[stored(b"x", sha256=hashlib.sha256(b"y").hexdigest())])
    whole = queue(key="d")
    assert sending.send_waiting(NOW) == 1
    for message in (missing, outside, changed, whole):
        message.refresh_from_db()
    assert missing.error == "Pièce jointe «\u00a0Délibération.pdf\u00a0» illisible\u00a0: FileNotFoundError"
    assert outside.error == "Une erreur technique a empêché l’envoi\u00a0: SuspiciousFileOperation"
    assert changed.error == "La pièce jointe «\u00a0Délibération.pdf\u00a0» n’est plus celle qui a été enregistrée."
    assert {missing.status, outside.status, changed.status} == {"waiting"}  # the storage may be back in an hour
    assert whole.status == "sent"


# Its row


@pytest.mark.parametrize(
    "values",
    [
        {"sent_at": NOW},  # sent, and waiting
        {"next_attempt_at": None},  # neither, and no reason
        {"sent_at": NOW, "next_attempt_at": None, "error": "Boîte pleine"},
    ],
)
def test_state_and_dates_agree(queue, values):
    message = queue()
    for field, value in values.items():
        setattr(message, field, value)
    with pytest.raises(ValidationError, match="Un courriel attend son prochain essai"):
        message.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        message.save()


def test_a_member_reads_its_own_mail_the_coordinator_all_of_its_territory(queue, metropole):
    commune, neighbour = make_organisation(parent=metropole), make_organisation(parent=metropole)
    about = queue(key="a", organisation_id=commune.pk)
    about_neighbour = queue(key="b", organisation_id=neighbour.pk, thread="grouping:13")
    about_nobody = queue(key="c")
    elsewhere = queue(key="d", territory_id=make_metropole().pk, organisation_id=commune.pk)

    def seen(organisation, role="buyer"):
        return set(OutgoingMessage.objects.visible_to(make_affiliation(organisation, role)))

    assert seen(metropole) == seen(metropole, "reader") == {about, about_neighbour, about_nobody}
    assert seen(commune) == seen(commune, "member_agent") == {about}
    assert seen(neighbour, "member_agent") == {about_neighbour}
    assert elsewhere not in seen(commune)
    assert not OutgoingMessage.objects.visible_to(None).exists()
    buyer = make_affiliation(metropole)
    assert set(OutgoingMessage.objects.visible_to(buyer).of_thread("grouping:13")) == {about_neighbour}


def test_the_log_of_a_thread_begins_with_the_latest(queue):
    first, second = queue(key="a"), queue(key="b", now=NOW + MINUTE)
    assert list(OutgoingMessage.objects.of_thread("grouping:12")) == [second, first]


def test_only_what_is_due_waits(queue, server):
    sent, failed, due, later = (queue(key=key) for key in "abcd")
    sending.send_message(sent.pk, now=NOW)
    OutgoingMessage.objects.filter(pk=failed.pk).update(next_attempt_at=None, error="Abandonné")
    OutgoingMessage.objects.filter(pk=later.pk).update(next_attempt_at=NOW + MINUTE)
    assert list(OutgoingMessage.objects.waiting(NOW)) == [due]
    assert list(OutgoingMessage.objects.waiting(NOW + MINUTE)) == [due, later]
