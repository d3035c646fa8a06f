"""Running jobs: claimed by one worker, resumed by another, each item done once.

A job kind is a class registered by name. ``items`` lists keys, ``make`` does one of them and ``keep`` writes it
to the database together with the JobItem row; files are written aside and moved, so that a worker killed at
any instant leaves nothing half-done and the next one carries on after the last finished item.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.jobs.models import Job, JobItem

logger = logging.getLogger(__name__)

#: Longer than the slowest item (a PDF is stopped after 60 s); renewed at each item.
LEASE = timedelta(seconds=120)
#: A job that loses its worker this many times poisons workers: it stops, and says so.
MAX_ATTEMPTS = 5
#: A bell that rang this long ago without a worker answering is rung again.
RESEND_AFTER = timedelta(minutes=5)


class JobKind(Protocol):
    """What a long task must provide. A BusinessError ends the job with its sentence; anything else is a crash."""

    def items(self, job: Job) -> Sequence[str]:
        """The keys of the items, always the same for the same job."""

    def begin(self, job: Job, pending: Sequence[str]) -> Any:
        """What all items share, made once per run; the returned value is handed to the other three."""

    def make(self, job: Job, shared: Any, key: str) -> Any:
        """Do the slow part of one item, outside any transaction: SQLite has one writer and must not wait for a PDF."""

    def keep(self, job: Job, shared: Any, key: str, made: Any) -> None:
        """Write what ``make`` returned, inside the transaction that records the item as done."""

    def finish(self, job: Job, shared: Any) -> str:
        """Once all items are done; must be repeatable. Returns the French sentence of the result."""


_KINDS: dict[str, JobKind] = {}
#: The jobs this very process is running: its own number may be that of a dead worker, once the machine restarted.
_running_here: set[str] = set()


def register(name: str) -> Callable[[type], type]:
    """Class decorator: make the kind known under ``name``."""

    def decorate(kind: type) -> type:
        if name in _KINDS and type(_KINDS[name]).__qualname__ != kind.__qualname__:
            raise ValueError(f"Deux tâches s’appellent «\u00a0{name}\u00a0».")
        _KINDS[name] = kind()
        return kind

    return decorate


def enqueue(
    *,
    kind: str,
    label: str,
    actor: Actor,
    organisation_id: int,
    parameters: dict[str, Any],
    dedupe_key: str,
    ring_bell: bool = True,
) -> Job:
    """Save the job and ring the bell once the transaction is committed.

    Asked twice while unfinished, it returns the job already there. ``ring_bell`` False: the caller runs it itself.
    """
    if kind not in _KINDS:
        raise KeyError(kind)
    # The key is the organisation's own: nobody is ever handed the job of another body.
    job, created = _get_or_create(
        f"{organisation_id}:{dedupe_key}",
        kind=kind,
        label=label[:300],
        organisation_id=organisation_id,
        created_by_id=actor.user_id,
        parameters=parameters,
    )
    if created and ring_bell:
        transaction.on_commit(lambda: ring(job.pk))
    return job


def _get_or_create(dedupe_key: str, **defaults: Any) -> tuple[Job, bool]:
    for _ in range(2):
        try:
            with transaction.atomic():
                return Job.objects.get_or_create(dedupe_key=dedupe_key, defaults=defaults)
        except IntegrityError:  # another process created it, and finished it, in between
            continue
    with transaction.atomic():
        return Job.objects.get_or_create(dedupe_key=dedupe_key, defaults=defaults)


def ring(job_id: Any) -> bool:
    """Tell the broker that a job waits. When the broker is down the row stays: the sweeper rings again."""
    from procurement.core.tasks import run_job

    Job.objects.filter(pk=job_id).update(sent_at=timezone.now())
    try:
        run_job.delay(str(job_id))
    except Exception:
        logger.warning("Le courtier de messages ne répond pas\u202f; la tâche %s attend.", job_id, exc_info=True)
        Job.objects.filter(pk=job_id).update(sent_at=None)
        return False
    return True


def wait(job_id: Any, *, on_progress: Callable[[int, int], None] | None = None) -> Job:
    """Watch a job another process is running until it is finished; take it up when its worker is dead."""
    while True:
        job = Job.objects.get(pk=job_id)
        if on_progress:
            on_progress(job.done, job.total)
        if job.is_finished:
            return job
        now = timezone.now()
        nobody_holds_it = job.lease_until is None or job.lease_until < now or _free_of_the_dead(job, now)
        if nobody_holds_it and run(job_id, on_progress=on_progress):
            continue
        time.sleep(0.5)


def sweep() -> int:
    """Ring again for every unfinished job that no living worker holds. Returns how many were rung."""
    now = timezone.now()
    for job in Job.objects.filter(status=Job.Status.RUNNING).exclude(claimed_by=""):
        _free_of_the_dead(job, now)
    waiting = Q(status=Job.Status.QUEUED) & (Q(sent_at__isnull=True) | Q(sent_at__lte=now - RESEND_AFTER))
    orphaned = Q(status=Job.Status.RUNNING, lease_until__lte=now)
    return sum(ring(pk) for pk in Job.objects.filter(waiting | orphaned).values_list("pk", flat=True))


def _free_of_the_dead(job: Job, now: datetime) -> bool:
    """End the lease of a running job whose worker is a dead process of this machine; whether it was."""
    if job.status != Job.Status.RUNNING or not job.claimed_by or str(job.pk) in _running_here:
        return False
    if not _worker_is_dead(job.claimed_by):
        return False
    return bool(Job.objects.filter(pk=job.pk, claimed_by=job.claimed_by).update(lease_until=now, sent_at=None))


def run(job_id: Any, *, on_progress: Callable[[int, int], None] | None = None) -> Job | None:
    """Run one job to its end in this process. Returns the finished job, or None when another worker holds it."""
    token = f"{socket.gethostname()}:{os.getpid()}"
    if not _claim(job_id, token):
        return None
    job = Job.objects.get(pk=job_id)
    _running_here.add(str(job.pk))
    try:
        return _attempt(job, token, on_progress)
    finally:
        _running_here.discard(str(job.pk))


def _attempt(job: Job, token: str, on_progress: Callable[[int, int], None] | None) -> Job | None:
    if job.attempts > MAX_ATTEMPTS:
        sentence = "La tâche s’est interrompue à plusieurs reprises\u00a0: prévenez l’équipe technique."
        return _end(job, token, Job.Status.FAILED, sentence)
    try:
        return _run_items(job, token, on_progress)
    except BusinessError as error:
        return _end(job, token, Job.Status.FAILED, str(error))
    except SoftTimeLimitExceeded:
        # The worker's time is up, not the job's: the sweeper rings, and the next run starts after the last item.
        held = Job.objects.filter(pk=job.pk, claimed_by=token, attempts=job.attempts, status=Job.Status.RUNNING)
        held.update(lease_until=timezone.now(), sent_at=None)
        return None
    except Exception:
        logger.exception("Tâche %s (%s)", job.pk, job.kind)
        return _end(job, token, Job.Status.FAILED, "Une erreur technique a arrêté la tâche\u202f; elle a été signalée.")


def _run_items(job: Job, token: str, on_progress: Callable[[int, int], None] | None) -> Job | None:
    kind = _KINDS[job.kind]
    keys = list(kind.items(job))
    finished = set(job.items.values_list("key", flat=True))
    pending = [key for key in keys if key not in finished]
    done = len(keys) - len(pending)
    if not _renew(job, token, done=done, total=len(keys)):
        return None
    shared = kind.begin(job, pending)
    for key in pending:
        made = kind.make(job, shared, key)
        done += 1
        with transaction.atomic():
            # Renewing first locks the job: a worker that lost its lease while making writes nothing.
            if not _renew(job, token, done=done, total=len(keys)):
                return None
            if JobItem.objects.get_or_create(job=job, key=key)[1]:
                kind.keep(job, shared, key, made)
        if on_progress:
            on_progress(done, len(keys))
    return _end(job, token, Job.Status.DONE, kind.finish(job, shared))


def _claim(job_id: Any, token: str) -> bool:
    """Take the job by a conditional update: two workers that ask at once cannot both win."""
    now = timezone.now()
    free = Q(status=Job.Status.QUEUED) | Q(status=Job.Status.RUNNING, lease_until__lte=now)
    job = Job.objects.filter(pk=job_id).only("attempts").first()
    if job is None:
        return False
    return bool(
        Job.objects.filter(free, pk=job_id, attempts=job.attempts).update(
            status=Job.Status.RUNNING,
            claimed_by=token,
            lease_until=now + LEASE,
            attempts=job.attempts + 1,
        )
    )


def _renew(job: Job, token: str, **progress: int) -> bool:
    """Write progress and keep the lease; False when another worker has taken the job over."""
    held = Job.objects.filter(pk=job.pk, claimed_by=token, attempts=job.attempts, status=Job.Status.RUNNING)
    return bool(held.update(lease_until=timezone.now() + LEASE, **progress))


@contextmanager
def kept_alive(job: Job, *, every: timedelta = LEASE / 4) -> Iterator[None]:
    """Around an item that may take longer than the lease: a thread renews it, so that nobody takes a living worker's
    job over. With a connection of its own: SQLite refuses to write on one that is still reading."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every.total_seconds()):
            try:
                _renew(job, job.claimed_by)
            except DatabaseError:
                logger.warning("Le bail de la tâche %s n’a pas pu être prolongé.", job.pk, exc_info=True)
        connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(job: Job, token: str, status: str, message: str) -> Job | None:
    held = Job.objects.filter(pk=job.pk, claimed_by=token, attempts=job.attempts, status=Job.Status.RUNNING)
    ended = held.update(
        status=status, message=message[:500], finished_at=timezone.now(), dedupe_key=None, lease_until=None
    )
    if not ended:
        return None
    job.refresh_from_db()
    return job


def _worker_is_dead(token: str) -> bool:
    """A worker of this machine whose process is gone; one of another machine is judged by its lease alone."""
    host, _, pid = token.rpartition(":")
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
