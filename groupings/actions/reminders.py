"""The reminders of one day: planned, stored, then sent by the mail kernel."""

import logging
from datetime import date, datetime

from groupings import reminders
from groupings.actions.signature_reminders import signatures_remind_due
from groupings.models import Grouping
from members.roles import require
from procurement.core.actors import Actor, SystemActor
from procurement.core.errors import BusinessError

logger = logging.getLogger(__name__)


def reminders_send(*, today: date, now: datetime) -> tuple[int, int]:
    """Store every reminder and digest of ``today`` that is not known yet. Returns how many mails of each.

    Each member is its own transaction: one that fails is logged, and tried again the next day.
    """
    actor = SystemActor("Relances automatiques")
    sent = sum(_send(reminder, actor, now) for reminder in reminders.plan(today))
    sent += signatures_remind_due(actor=actor, today=today, now=now)
    digests = sum(
        reminders.send_digest(buyer, key, text, today=today, now=now) for buyer, key, text in reminders.digests(today)
    )
    return sent, digests


def _send(reminder: reminders.Reminder, actor: Actor, now: datetime) -> int:
    try:
        return reminders.send(reminder, actor=actor, now=now)
    except Exception:
        logger.exception("Relance de la délibération %s", reminder.deliberation.pk)
        return 0


def reminders_ask(*, grouping: Grouping, actor: Actor, today: date, now: datetime) -> int:
    """Remind now every member of ``grouping`` that has something to do. Returns how many mails were stored.

    Raises BusinessError when nobody has anything to do, or when they were all reminded today already.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    planned = reminders.plan_now(grouping, today)
    if not planned:
        raise BusinessError("Aucun membre n’est à relancer\u00a0: tous ont fait ce qui leur revenait.")
    sent = sum(reminders.send(reminder, actor=actor, now=now) for reminder in planned)
    if not sent:
        raise BusinessError("Les membres ont déjà été relancés aujourd’hui, ou n’ont pas d’adresse électronique.")
    return sent
