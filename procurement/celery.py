"""The Celery application: Redis or RabbitMQ in production, an SQLite file when there is no server."""

import os

from celery import Celery
from celery.signals import worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procurement.settings")
app = Celery("procurement")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

if settings.CELERY_BROKER_URL.startswith("sqla"):
    # The transport's default asks once a second; passing the option by the URL crashes create_engine (kombu 5.7).
    from kombu.transport import sqlalchemy

    sqlalchemy.Transport.polling_interval = 0.05


@worker_ready.connect
def resume_unfinished_work(**kwargs: object) -> None:
    """A worker that starts takes up what a killed one left, jobs and mail: the bell may be lost, the row is not."""
    from procurement.core.jobs.runner import sweep
    from procurement.core.mail.sending import ring

    sweep()
    ring()
