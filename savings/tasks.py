"""What the clock starts in the ledger."""

from celery import shared_task
from django.utils import timezone

from savings.actions.checks import ledger_check


@shared_task(name="savings.check_ledger")
def check_ledger() -> None:
    """Once a night; run twice in a day, it tells the finance people once."""
    ledger_check(today=timezone.localdate(), now=timezone.now())
