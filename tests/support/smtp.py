"""A real SMTP server for tests, and what its scenario does in processes of its own."""

import contextlib
import email
import json
import socket
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Letterbox:
    """What the server received; addresses in ``refused`` are answered 550, ``answers`` replace the next « 250 »."""

    def __init__(self):
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.refused: set[str] = set()
        self.answers: list[str] = []
        self.asked = 0

    @property
    def messages(self) -> list[EmailMessage]:
        return [message for _, message in self.received]

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        self.asked += 1
        if address in self.refused:
            return "550 5.1.1 Boîte inconnue"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        self.received.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@contextlib.contextmanager
def serving(letterbox: Letterbox, port: int) -> Iterator[None]:
    """The server answers on that port of 127.0.0.1 inside the block, and nobody does outside."""
    controller = Controller(letterbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


# -- run by tests/services/test_smtp.py as two workers: queue one key, then send one row, from four threads each --

KEY = "reminder:1:2026-12-01:j-7:mairie@example.org"
THREADS = 4


def prepare() -> int:
    from tests.support.factories import make_metropole

    return make_metropole().pk


def race(territory_id: int) -> dict[str, int]:
    """How many of the threads of this process wrote the message, and how many sent it."""
    from django.db import connection, transaction
    from django.utils import timezone

    from procurement.core.mail import sending
    from procurement.core.mail.models import OutgoingMessage

    sending.ring = lambda pk=None: False  # the threads are the workers
    start, counts, lock = threading.Barrier(THREADS), {"queued": 0, "sent": 0}, threading.Lock()

    def work() -> None:
        start.wait()
        with transaction.atomic():
            message = sending.queue(
                key=KEY,
                recipient="mairie@example.org",
                subject="Rappel",
                text="Bonjour",
                territory_id=territory_id,
                thread="grouping:1",
                now=timezone.now(),
            )
        start.wait()
        sent = sending.send_message(OutgoingMessage.objects.get(key=KEY).pk)
        connection.close()
        with lock:
            counts["queued"] += message is not None
            counts["sent"] += sent

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "prepare":
        print(prepare())  # noqa: T201
    else:
        print("ready", flush=True)  # noqa: T201 - both processes start together, once Django is loaded
        sys.stdin.readline()
        print(json.dumps(race(int(sys.argv[2]))))  # noqa: T201
