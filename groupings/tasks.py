"""What the clock starts."""

from celery import shared_task
from django.utils import timezone

from groupings.actions.reminders import reminders_send


@shared_task(name="groupings.send_reminders")
def send_reminders() -> None:
    """Once a day; run twice, or the day after a missed night, it sends what is due and not yet sent."""
    reminders_send(today=timezone.localdate(), now=timezone.now())
