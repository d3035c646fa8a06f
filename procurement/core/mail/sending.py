"""Sending mail: stored with the act, sent after the commit, by one worker, until the server takes it.

Never twice: the key is unique in the database, and a worker takes a row by a conditional update before it sends. One
window is left, as with any mail: a worker that dies (or stays frozen for longer than its lease) between the server's
« 250 » and the update that records it. The next one then sends again, under the same Message-ID, by which mail servers
and readers recognise a duplicate. The other choice, recording first, would lose a reminder without anybody knowing.
"""

import contextlib
import hashlib
import logging
import re
import smtplib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email import encoders
from email.mime.base import MIMEBase
from email.utils import parseaddr
from enum import Enum
from typing import TypedDict

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from procurement.core.mail.models import ERROR_MAX, SUBJECT_MAX, OutgoingMessage

logger = logging.getLogger(__name__)

#: Longer than one sending: a dozen exchanges with the server, each stopped after EMAIL_TIMEOUT (20 s).
LEASE = timedelta(minutes=10)
#: After each failure; once they are used up, two days later, the message is given up. A refused address (550) is tried
#: again like the rest: a relay badly set says 550 too, and the reminders of that night must leave once it is mended.
RETRY_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 120, 240, 480, 480, 480, 480, 480))
MAX_ATTEMPTS = len(RETRY_AFTER) + 1
#: A broker that is down takes a second to say so: fifty reminders do not ask it fifty times.
BROKER_PAUSE = 30

_broker_is_down_until = 0.0
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Attachment(TypedDict):
    """A stored file: the name the reader sees, its path in the default storage, its type, the hash of its bytes."""

    name: str
    path: str
    content_type: str
    sha256: str


class _Outcome(Enum):
    SENT = "sent"
    NOT_MINE = "another worker has it, or nothing is left to do"
    FAILED = "this message did not leave, it is tried again"
    SERVER_DOWN = "no message can leave just now"
    HOPELESS = "this message will never leave"


class _Undeliverable(Exception):
    """The message itself cannot be sent; the text says why, in French."""

    def __init__(self, sentence: str, outcome: _Outcome = _Outcome.FAILED):
        super().__init__(sentence)
        self.outcome = outcome


def queue(
    *,
    key: str,
    recipient: str,
    subject: str,
    text: str,
    territory_id: int,
    thread: str,
    now: datetime,
    organisation_id: int | None = None,
    attachments: Sequence[Attachment] = (),
) -> OutgoingMessage | None:
    """Store one message inside the caller's transaction; it is sent once that is committed, not before ``now``.

    ``key`` tells what it is for, address included ("reminder:12:2026-12-01:j-7:mairie@x.fr"): when it is already known,
    whatever became of that message, nothing is written and None is returned. ``organisation_id`` is the body it is
    about. Files are read when sending: they must still be in the storage, unchanged.
    """
    values = {
        "recipient": _cut(_one_line(recipient), 254),
        "subject": _cut(_one_line(subject), SUBJECT_MAX),
        "text": text,
        "attachments": [
            {field: attachment[field] for field in Attachment.__annotations__} for attachment in attachments
        ],
        "organisation_id": organisation_id,
        "territory_id": territory_id,
        "thread": thread,
        "created_at": now,
        "next_attempt_at": now,
    }
    # Two transactions with one key: the second waits for the first, then finds its row (savepoint and IntegrityError).
    message, created = OutgoingMessage.objects.get_or_create(key=key, defaults=values)
    if not created:
        return None
    transaction.on_commit(lambda: ring(message.pk))
    return message


def ring(pk: int | None = None) -> bool:
    """Ask a worker to send one message, or all that wait. When the broker is down, the next sweep sends them."""
    global _broker_is_down_until
    from procurement.core.tasks import send_mail

    if time.monotonic() < _broker_is_down_until:
        return False
    try:
        send_mail.delay(pk)
    except Exception:
        _broker_is_down_until = time.monotonic() + BROKER_PAUSE
        logger.warning("Le courtier de messages ne répond pas\u202f; les courriels attendent.", exc_info=True)
        return False
    return True


def send_waiting(now: datetime) -> int:
    """Send everything due at ``now``, the longest due first; returns how many were sent.

    Stops when the server cannot be reached: the others would wait for it one after the other, and are still due.
    """
    started, sent = time.monotonic(), 0
    for pk in list(OutgoingMessage.objects.waiting(now).values_list("pk", flat=True)):
        # The clock moves on while we send: a lease counted from the start would already be over for the last ones.
        outcome = _attempt(pk, now + timedelta(seconds=time.monotonic() - started))
        sent += outcome is _Outcome.SENT
        if outcome is _Outcome.SERVER_DOWN:
            break
    return sent


def send_message(pk: int, *, now: datetime | None = None) -> bool:
    """Send one message, outside any transaction. False when it is not due, another worker has it, or it failed."""
    return _attempt(pk, now or timezone.now()) is _Outcome.SENT


def _attempt(pk: int, now: datetime) -> _Outcome:
    message = _claim(pk, now)
    if message is None:
        return _Outcome.NOT_MINE
    connection = get_connection()
    try:
        email = _email(message, connection)
        connection.open()
        email.send()
    except SoftTimeLimitExceeded:
        raise  # the worker's time is up: whether the server took it is unknown, the next try is at the end of the lease
    except Exception as error:
        return _failed(message, now, *_explain(error, pk))
    else:
        # Whoever holds the row by now, the server took the message: it is sent.
        unsent = OutgoingMessage.objects.filter(pk=pk, sent_at__isnull=True)
        unsent.update(sent_at=now, next_attempt_at=None, error="")
        return _Outcome.SENT
    finally:
        # Only now: a goodbye that fails, or lasts, would leave a message sent and not recorded.
        with contextlib.suppress(Exception):
            connection.close()


def _explain(error: Exception, pk: int) -> tuple[str, _Outcome]:
    """The French sentence of a failure, and whether it is the message's or the server's."""
    if isinstance(error, _Undeliverable):
        return str(error), error.outcome
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = ", ".join(_reply(*reply) for reply in error.recipients.values())
        return f"Adresse refusée par le serveur de messagerie\u00a0: {replies}", _Outcome.FAILED
    if isinstance(error, (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)):
        reply = _reply(error.smtp_code, error.smtp_error)
        return f"Le serveur de messagerie refuse la connexion\u00a0: {reply}", _Outcome.SERVER_DOWN
    if isinstance(error, smtplib.SMTPResponseException):
        reply = _reply(error.smtp_code, error.smtp_error)
        return f"Message refusé par le serveur de messagerie\u00a0: {reply}", _Outcome.FAILED
    if isinstance(error, OSError):  # SMTPException is one: unreachable, cut off, not secured as asked
        return f"Le serveur de messagerie ne répond pas\u00a0: {error}", _Outcome.SERVER_DOWN
    logger.error("Courriel %s", pk, exc_info=error)
    return f"Une erreur technique a empêché l’envoi\u00a0: {type(error).__name__}", _Outcome.FAILED


def _claim(pk: int, now: datetime) -> OutgoingMessage | None:
    """Take the message by a conditional update: two workers that ask at once cannot both win.

    The next attempt is put at the end of the lease: if this worker dies, another one then finds the message due again.
    """
    message = OutgoingMessage.objects.waiting(now).filter(pk=pk).first()
    if message is None:
        return None
    if message.attempts >= MAX_ATTEMPTS:  # the last attempt lost its worker
        sentence = "L’envoi s’est interrompu à plusieurs reprises\u00a0: prévenez l’équipe technique."
        _failed(message, now, sentence, _Outcome.HOPELESS)
        return None
    mine = OutgoingMessage.objects.waiting(now).filter(pk=pk, attempts=message.attempts).order_by()
    if not mine.update(attempts=message.attempts + 1, next_attempt_at=now + LEASE):
        return None
    message.attempts += 1
    return message


def _failed(message: OutgoingMessage, now: datetime, error: str, outcome: _Outcome) -> _Outcome:
    """Keep the reason, and the date of the next attempt if there is one left; nothing if the lease was lost."""
    gives_up = outcome is _Outcome.HOPELESS or message.attempts >= MAX_ATTEMPTS
    OutgoingMessage.objects.filter(pk=message.pk, attempts=message.attempts, sent_at__isnull=True).update(
        error=_cut(_one_line(error), ERROR_MAX),
        next_attempt_at=None if gives_up else now + RETRY_AFTER[message.attempts - 1],
    )
    if gives_up:
        logger.error("Courriel %s abandonné\u00a0: %s", message.pk, error)
    return outcome


def _email(message: OutgoingMessage, connection: BaseEmailBackend) -> EmailMessage:
    """The message as it leaves, marked automatic (RFC 3834): no absence notice answers it."""
    try:
        validate_email(message.recipient)
    except ValidationError:
        sentence = f"«\u00a0{message.recipient}\u00a0» n’est pas une adresse électronique."
        raise _Undeliverable(sentence, _Outcome.HOPELESS) from None
    email = EmailMessage(
        subject=message.subject,
        body=message.text,
        to=[message.recipient],
        connection=connection,
        headers={
            "Message-ID": _message_id(message.key),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    for attachment in message.attachments:
        email.attach(_part(attachment))
    return email


def _message_id(key: str) -> str:
    """The same at every attempt, and no other installation's, even with the same keys and the same sender."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{salted_hmac('core.mail', key, algorithm='sha256').hexdigest()[:40]}@{domain}>"


def _part(attachment: Attachment) -> MIMEBase:
    """The stored file, byte for byte: Django would send text files as text, whose line ends servers rewrite."""
    name = _one_line(attachment["name"])
    try:
        with default_storage.open(attachment["path"]) as file:
            content = file.read()
    except OSError as error:
        raise _Undeliverable(f"Pièce jointe «\u00a0{name}\u00a0» illisible\u00a0: {type(error).__name__}") from error
    if hashlib.sha256(content).hexdigest() != attachment["sha256"]:
        raise _Undeliverable(f"La pièce jointe «\u00a0{name}\u00a0» n’est plus celle qui a été enregistrée.")
    part = MIMEBase(*attachment["content_type"].split("/", 1))
    part.set_payload(content)
    encoders.encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name))
    return part


def _reply(code: int, text: bytes | str) -> str:
    """What the server answered: « 550 5.1.1 Unknown user »."""
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def _one_line(text: str) -> str:
    """No line end, which would start another header; the no-break spaces of French typography stay."""
    return re.sub(" {2,}", " ", _CONTROLS.sub(" ", text)).strip(" ")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
