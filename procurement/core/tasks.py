"""The two messages the broker carries: run this job, look for forgotten ones."""

from celery import shared_task

from procurement.core.jobs import runner


@shared_task(name="core.run_job")
def run_job(job_id: str) -> None:
    runner.run(job_id)


@shared_task(name="core.sweep_jobs")
def sweep_jobs() -> None:
    runner.sweep()
