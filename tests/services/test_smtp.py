"""Mail against a real SMTP server: what arrives, what waits for it to be back, and what two workers send at once."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from procurement.core.mail import sending
from procurement.core.mail.models import OutgoingMessage
from tests.services.test_kill import ROOT, _output, _own_database
from tests.support.factories import make_metropole
from tests.support.smtp import Letterbox, free_port, serving

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SUBJECT = "Saint-Geniès-des-Mourgues\u00a0: délibération à inscrire avant le 1er\u00a0décembre\u202f! œuvrons"
TEXT = "Bonjour,\n\nLe conseil se réunit le «\u00a08\u00a0décembre\u00a0»\u202f; 1\u202f234,56\u00a0€.\n.\nFrom ici\n"


@pytest.fixture
def letterbox():
    return Letterbox()


@pytest.fixture
def port(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = free_port()
    settings.EMAIL_TIMEOUT = 5
    settings.DEFAULT_FROM_EMAIL = "Groupements de commandes <groupements@metropole.example>"
    return settings.EMAIL_PORT


@pytest.fixture
def queue():
    """Stored and committed; the tests are the workers."""
    territory = make_metropole()

    def queue(key="a", **values):
        values = {"recipient": "mairie@example.org", "subject": SUBJECT, "text": TEXT, **values}
        with transaction.atomic():
            return sending.queue(key=key, territory_id=territory.pk, thread="grouping:12", now=NOW, **values)

    return queue


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr(sending, "ring", lambda pk=None: True)


@pytest.mark.django_db(transaction=True)
def test_the_message_arrives_whole(letterbox, port, queue):
    """Read back by a parser that is not the one that wrote it: French, a line of one dot, a long line, the file."""
    content = b"%PDF-1.7\r\n.\r\n" + bytes(range(256)) * 200
    text = TEXT + "é" * 3000 + "\n"
    attachment = {
        "name": "Projet de délibération.pdf",
        "path": default_storage.save("mail/projet.pdf", ContentFile(content)),
        "content_type": "application/pdf",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    message = queue(text=text, attachments=[attachment])
    with serving(letterbox, port):
        assert sending.send_message(message.pk, now=NOW)
    ((recipients, received),) = letterbox.received
    assert recipients == ["mairie@example.org"]
    assert received["To"] == "mairie@example.org"
    assert received["Subject"].lstrip(" ") == SUBJECT  # folded after its name: this parser keeps the blank of the fold
    assert received["From"] == "Groupements de commandes <groupements@metropole.example>"
    assert (received["Auto-Submitted"], received["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert received["Message-ID"].endswith("@metropole.example>")
    assert received.get_body().get_content().replace("\r\n", "\n") == text
    (file,) = received.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("Projet de délibération.pdf", "application/pdf")
    assert file.get_payload(decode=True) == content


@pytest.mark.django_db(transaction=True)
def test_a_night_without_a_server_is_caught_up(letterbox, port, queue):
    messages = [queue(key) for key in "abc"]
    assert not sending.send_message(messages[0].pk, now=NOW)
    assert sending.send_waiting(NOW) == 0
    messages[0].refresh_from_db()
    assert messages[0].error.startswith("Le serveur de messagerie ne répond pas\u00a0: ")
    with serving(letterbox, port):
        assert sending.send_waiting(NOW + timedelta(hours=8)) == 3
        assert sending.send_waiting(NOW + timedelta(days=3)) == 0
    assert len({received["Message-ID"] for received in letterbox.messages}) == len(letterbox.messages) == 3
    assert {message.status for message in OutgoingMessage.objects.all()} == {"sent"}


@pytest.mark.django_db(transaction=True)
def test_a_refused_address_is_not_asked_for_ever(letterbox, port, queue):
    letterbox.refused.add("partie@example.org")
    refused, other = queue("a", recipient="partie@example.org"), queue("b")
    now = NOW
    with serving(letterbox, port):
        for _ in range(4 * sending.MAX_ATTEMPTS):
            sending.send_waiting(now)
            now += timedelta(hours=4)
    refused.refresh_from_db()
    other.refresh_from_db()
    assert (refused.status, other.status) == ("failed", "sent")
    assert refused.error == "Adresse refusée par le serveur de messagerie\u00a0: 550 5.1.1 Boîte inconnue"
    assert letterbox.asked == sending.MAX_ATTEMPTS + 1
    assert len(letterbox.received) == 1


@pytest.mark.django_db(transaction=True)
def test_a_server_that_says_later_is_obeyed(letterbox, port, queue):
    """Greylisting: the first answer is 451, the second attempt is the same message."""
    letterbox.answers.append("451 4.7.1 Greylisted")
    message = queue()
    with serving(letterbox, port):
        assert not sending.send_message(message.pk, now=NOW)
        message.refresh_from_db()
        assert message.error == "Message refusé par le serveur de messagerie\u00a0: 451 4.7.1 Greylisted"
        assert sending.send_waiting(NOW + MINUTE) == 1
    assert len(letterbox.received) == 1


@pytest.mark.services
@pytest.mark.slow
def test_two_workers_of_four_threads_send_one_mail(letterbox, tmp_path):
    """All eight write the same key, then send the same row: the database lets one do each."""
    with _own_database() as database:
        port = free_port()
        environment = {
            **os.environ,
            **database,
            "DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "procurement.settings",
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        }
        if not database:
            environment.pop("DATABASE_URL", None)
        _output(environment, "manage.py", "migrate", "--verbosity", "0")
        territory = _output(environment, "-m", "tests.support.smtp", "prepare")
        with serving(letterbox, port):
            workers = [_worker(environment, territory) for _ in range(2)]
            try:
                for worker in workers:
                    assert worker.stdout.readline() == "ready\n"
                counts = [json.loads(worker.communicate(timeout=120)[0]) for worker in _started(workers)]
            finally:
                for worker in workers:
                    worker.kill()
                    worker.wait()
    assert sum(count["queued"] for count in counts) == 1
    assert sum(count["sent"] for count in counts) == 1
    assert len(letterbox.received) == 1


def _worker(environment, territory):
    command = [sys.executable, "-m", "tests.support.smtp", "race", territory]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)


def _started(workers):
    """All told to start before the first is waited for."""
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return workers
