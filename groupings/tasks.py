"""What the clock starts."""

from celery import shared_task
from django.utils import timezone

from groupings.actions.amendments import amendments_enter_due
from groupings.actions.reminders import reminders_send


@shared_task(name="groupings.send_reminders")
def send_reminders() -> None:
    """Once a day; run twice, or the day after a missed night, it sends what is due and not yet sent."""
    reminders_send(today=timezone.localdate(), now=timezone.now())


@shared_task(name="groupings.enter_amendments")
def enter_amendments() -> None:
    """Once a day: the amendments voted and signed whose day has come. Twice is once; a missed night is caught up."""
    amendments_enter_due(today=timezone.localdate())
