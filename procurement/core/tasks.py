"""The three messages the broker carries: run this job, look for forgotten ones, send the mail that waits."""

from celery import shared_task
from django.utils import timezone

from procurement.core.jobs import runner
from procurement.core.mail import sending


@shared_task(name="core.run_job")
def run_job(job_id: str) -> None:
    runner.run(job_id)


@shared_task(name="core.sweep_jobs")
def sweep_jobs() -> None:
    runner.sweep()


@shared_task(name="core.send_mail")
def send_mail(message_id: int | None = None) -> None:
    """One message, or everything that is due."""
    if message_id is None:
        sending.send_waiting(timezone.now())
    else:
        sending.send_message(message_id)
