"""Jobs: claimed once, resumed, each item done once, whatever happens to the worker or to the broker."""

import os
import socket
import threading
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction
from django.utils import timezone

from procurement.core import tasks
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job, JobItem
from tests.support.factories import make_affiliation, make_metropole, make_organisation

pytestmark = pytest.mark.django_db
HERE = socket.gethostname()
#: Linux never gives this number: its limit is 4,194,304.
DEAD_PID = 4_200_000


class Counting:
    """A job of three items that remembers what it made and kept."""

    def __init__(self):
        self.made, self.kept, self.finished = [], [], 0
        self.on_make = self.on_keep = lambda job, key: None

    def items(self, job):
        return ["a", "b", "c"]

    def begin(self, job, pending):
        return tuple(pending)

    def make(self, job, shared, key):
        self.made.append(key)
        self.on_make(job, key)
        return key.upper()

    def keep(self, job, shared, key, made):
        self.on_keep(job, key)
        self.kept.append(made)

    def finish(self, job, shared):
        self.finished += 1
        return "Trois éléments faits."


@pytest.fixture
def kind(monkeypatch):
    counting = Counting()
    monkeypatch.setitem(runner._KINDS, "test.counting", counting)
    return counting


@pytest.fixture
def actor():
    return make_affiliation(make_metropole())


@pytest.fixture
def enqueue(kind, actor):
    def enqueue(dedupe_key="clé", **options):
        options.setdefault("organisation_id", actor.organisation_id)
        return runner.enqueue(
            kind="test.counting", label="Compter", actor=actor, parameters={}, dedupe_key=dedupe_key, **options
        )

    return enqueue


def hold(job, *, claimed_by, lease=runner.LEASE, attempts=1):
    """The job as another worker left it."""
    Job.objects.filter(pk=job.pk).update(
        status="running", claimed_by=claimed_by, lease_until=timezone.now() + lease, attempts=attempts
    )


def test_a_job_runs_to_its_end(enqueue, kind):
    progress = []
    job = runner.run(enqueue().pk, on_progress=lambda done, total: progress.append((done, total)))
    assert (job.status, job.message, job.done, job.total) == ("done", "Trois éléments faits.", 3, 3)
    assert (kind.made, kind.kept, kind.finished) == (["a", "b", "c"], ["A", "B", "C"], 1)
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert job.finished_at and job.lease_until is None and job.dedupe_key is None


def test_the_bell_rings_once_the_transaction_is_committed(enqueue, bell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue()
        assert bell == []
    assert bell == [str(job.pk)]
    assert Job.objects.get().sent_at


def test_asked_twice_it_is_one_job(enqueue, bell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert enqueue().pk == enqueue().pk
    assert (Job.objects.count(), len(bell)) == (1, 1)


def test_asked_again_once_finished_it_is_another_job(enqueue):
    first = enqueue()
    runner.run(first.pk)
    assert enqueue().pk != first.pk


def test_a_job_that_nobody_wants_to_ring_waits_in_silence(enqueue, bell, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        enqueue(ring_bell=False)
    assert bell == []


def test_an_unknown_kind_is_refused(actor):
    with pytest.raises(KeyError):
        runner.enqueue(kind="?", label="", actor=actor, organisation_id=1, parameters={}, dedupe_key="x")
    assert not Job.objects.exists()


def test_a_body_that_does_not_exist_fails_at_once(enqueue):
    # A row refused by the database is an error to see, not a reason to try for ever.
    with pytest.raises(IntegrityError), transaction.atomic():
        enqueue(organisation_id=None)


def test_only_one_of_two_workers_claims(enqueue):
    job = enqueue()
    assert runner._claim(job.pk, "one:1")
    assert not runner._claim(job.pk, "two:2")
    assert runner.run(job.pk) is None
    assert Job.objects.get().claimed_by == "one:1"


def test_a_claim_that_read_an_old_row_loses(enqueue, monkeypatch):
    """Both workers read the free row, then both write: the attempts they read decide."""
    job = enqueue()
    stale = Job.objects.get(pk=job.pk)
    assert runner._claim(job.pk, "one:1")
    Job.objects.filter(pk=job.pk).update(status="queued")  # freed again: only the attempts tell it was taken
    monkeypatch.setattr(runner.Job.objects.__class__, "filter", _first_read_is(stale), raising=False)
    assert not runner._claim(job.pk, "two:2")


def _first_read_is(stale):
    from django.db.models.manager import Manager

    class Stale:
        def only(self, *fields):
            return self

        def first(self):
            return stale

    reads = iter([Stale()])

    def filter_(self, *args, **kwargs):
        return next(reads, None) or Manager.get_queryset(self).filter(*args, **kwargs)

    return filter_


def test_a_finished_or_unknown_job_is_not_run(enqueue, kind):
    job = enqueue()
    runner.run(job.pk)
    assert runner.run(job.pk) is None
    assert runner.run("00000000-0000-0000-0000-000000000000") is None
    assert kind.finished == 1


def test_a_job_is_resumed_after_the_lease_where_it_stopped(enqueue, kind):
    job = enqueue()
    hold(job, claimed_by="elsewhere:1", lease=timedelta(seconds=-1))
    JobItem.objects.create(job=job, key="a")
    finished = runner.run(job.pk)
    assert (finished.status, finished.done, finished.attempts) == ("done", 3, 2)
    assert kind.made == ["b", "c"]


def test_a_job_is_not_taken_before_the_lease_ends(enqueue):
    job = enqueue()
    hold(job, claimed_by="elsewhere:1", lease=timedelta(seconds=1))
    assert runner.run(job.pk) is None


def test_a_worker_that_lost_its_lease_writes_nothing_more(enqueue, kind):
    job = enqueue()

    def overtaken(job, key):
        if key == "b":
            hold(job, claimed_by="other:1", attempts=2)

    kind.on_make = overtaken
    assert runner.run(job.pk) is None
    assert kind.kept == ["A"]
    assert list(job.items.values_list("key", flat=True)) == ["a"]
    assert (Job.objects.get().claimed_by, kind.finished) == ("other:1", 0)


def test_an_item_another_worker_finished_meanwhile_is_not_kept_twice(enqueue, kind):
    job = enqueue()
    kind.on_make = lambda job, key: key == "b" and JobItem.objects.create(job=job, key="b")
    assert runner.run(job.pk).status == "done"
    assert kind.kept == ["A", "C"]
    assert job.items.count() == 3


def test_an_item_is_recorded_with_what_it_wrote_or_not_at_all(enqueue, kind):
    job = enqueue()

    def crash(job, key):
        if key == "b":
            make_organisation(name="écrit à moitié")
            raise RuntimeError

    kind.on_keep = crash
    assert runner.run(job.pk).status == "failed"
    assert list(job.items.values_list("key", flat=True)) == ["a"]
    assert not job.organisation.__class__.objects.filter(name="écrit à moitié").exists()


def test_an_item_exists_once(enqueue):
    job = enqueue()
    JobItem.objects.create(job=job, key="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        JobItem.objects.create(job=job, key="a")


def test_a_refusal_ends_the_job_with_its_sentence(enqueue, kind):
    def refuse(job, key):
        raise BusinessError("Il manque la population de Lattes.")

    kind.on_make = refuse
    job = runner.run(enqueue().pk)
    assert (job.status, job.message) == ("failed", "Il manque la population de Lattes.")
    assert job.dedupe_key is None


def test_a_crash_ends_the_job_without_telling_its_secrets(enqueue, kind, caplog):
    def crash(job, key):
        raise RuntimeError("mot de passe : 1234")

    kind.on_make = crash
    job = runner.run(enqueue().pk)
    assert job.status == "failed"
    assert job.message == "Une erreur technique a arrêté la tâche\u202f; elle a été signalée."
    assert "1234" in caplog.text  # the technical team reads it in the log, with the trace


def test_a_stopped_worker_leaves_the_job_to_the_next(enqueue, kind, bell):
    def stop(job, key):
        raise SystemExit

    job = enqueue()
    kind.on_make = stop
    with pytest.raises(SystemExit):
        runner.run(job.pk)
    assert Job.objects.get().status == "running"
    assert runner.sweep() == 1
    assert bell == [str(job.pk)]
    kind.on_make = lambda job, key: None
    assert runner.run(job.pk).status == "done"


def test_a_job_longer_than_a_worker_may_run_is_resumed(enqueue, kind, bell):
    job = enqueue()

    def time_is_up(job, key):
        if key == "b":
            raise SoftTimeLimitExceeded

    kind.on_make = time_is_up
    assert runner.run(job.pk) is None
    assert Job.objects.get().status == "running"
    assert runner.sweep() == 1
    kind.on_make = lambda job, key: None
    assert runner.run(job.pk).status == "done"
    assert kind.kept == ["A", "B", "C"]


def test_waiting_for_a_job_nobody_took_runs_it(enqueue, kind):
    progress = []
    job = runner.wait(enqueue(ring_bell=False).pk, on_progress=lambda done, total: progress.append((done, total)))
    assert (job.status, progress[-1]) == ("done", (3, 3))


def test_a_job_that_kills_its_workers_stops_and_says_so(enqueue, kind):
    job = enqueue()
    hold(job, claimed_by="dead:1", lease=timedelta(seconds=-1), attempts=runner.MAX_ATTEMPTS)
    finished = runner.run(job.pk)
    assert finished.status == "failed"
    assert "à plusieurs reprises" in finished.message
    assert kind.made == []


def test_the_last_attempt_allowed_is_made(enqueue, kind):
    job = enqueue()
    hold(job, claimed_by="dead:1", lease=timedelta(seconds=-1), attempts=runner.MAX_ATTEMPTS - 1)
    assert runner.run(job.pk).status == "done"


def test_a_broker_that_is_down_leaves_the_job_queued(enqueue, monkeypatch, django_capture_on_commit_callbacks, caplog):
    def down(job_id):
        raise ConnectionError

    monkeypatch.setattr(tasks.run_job, "delay", down)
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue()
    job.refresh_from_db()
    assert (job.status, job.sent_at) == ("queued", None)
    assert "ne répond pas" in caplog.text
    rung = []
    monkeypatch.setattr(tasks.run_job, "delay", rung.append)
    assert runner.sweep() == 1
    assert rung == [str(job.pk)]


def test_the_sweeper_leaves_in_peace_what_is_on_its_way(enqueue, bell):
    job = enqueue()
    runner.ring(job.pk)
    bell.clear()
    assert runner.sweep() == 0
    Job.objects.update(sent_at=timezone.now() - runner.RESEND_AFTER)
    assert runner.sweep() == 1


@pytest.mark.parametrize(
    ("claimed_by", "lease", "rung"),
    [
        (f"{HERE}:{DEAD_PID}", runner.LEASE, 1),  # its process is gone: no need to wait for the lease
        (f"{HERE}:{os.getppid()}", runner.LEASE, 0),  # alive
        (f"{HERE}:{os.getpid()}", runner.LEASE, 1),  # our own number, and we are not running it: a dead worker's
        ("autre-machine:1", runner.LEASE, 0),  # cannot be asked: its lease decides
        ("autre-machine:1", timedelta(seconds=-1), 1),
    ],
    ids=["gone", "alive", "our own number", "elsewhere", "elsewhere, lease over"],
)
def test_dead_workers_are_found(enqueue, bell, claimed_by, lease, rung):
    hold(enqueue(), claimed_by=claimed_by, lease=lease)
    assert runner.sweep() == rung
    assert len(bell) == rung


def test_waiting_takes_up_the_job_of_a_dead_process_at_once(enqueue, kind):
    """A command killed and run again: its job stands, and its lease of a minute and a half is nobody's."""
    job = enqueue()
    hold(job, claimed_by=f"{HERE}:{DEAD_PID}")
    JobItem.objects.create(job=job, key="a")
    finished = runner.wait(job.pk)
    assert (finished.status, finished.done) == ("done", 3)
    assert kind.made == ["b", "c"]


def test_a_process_that_sweeps_while_running_does_not_call_itself_dead(enqueue, kind, bell):
    job = enqueue()
    kind.on_make = lambda job, key: runner.sweep()
    assert runner.run(job.pk).status == "done"
    assert bell == []


def test_finished_jobs_are_never_rung(enqueue, bell):
    runner.run(enqueue().pk)
    Job.objects.update(sent_at=None)
    assert runner.sweep() == 0


def test_a_finished_job_has_its_date(enqueue):
    job = enqueue()
    job.status = "done"
    with pytest.raises(IntegrityError), transaction.atomic():
        job.save()


def test_a_job_is_seen_by_the_body_that_asked(enqueue, actor):
    job = enqueue()
    neighbour = make_affiliation(make_organisation(parent=actor.organisation), "member_agent")
    assert list(Job.objects.visible_to(actor)) == [job]
    for stranger in (neighbour, make_affiliation(make_metropole()), None):
        assert not Job.objects.visible_to(stranger).exists()


def test_a_job_is_never_handed_to_another_body(enqueue):
    """One key asked by two bodies: nobody is given the other's job."""
    first = enqueue()
    second = enqueue(organisation_id=make_metropole().pk)
    assert first.pk != second.pk


def test_the_two_messages_of_the_broker(enqueue, kind, bell):
    job = enqueue()
    tasks.sweep_jobs()
    assert bell == [str(job.pk)]
    tasks.run_job(str(job.pk))
    assert Job.objects.get().status == "done"


@pytest.mark.django_db(transaction=True)
def test_an_item_longer_than_the_lease_keeps_it(monkeypatch):
    """The thread renews the lease of the very attempt that runs, and stops with it."""
    job = Job(claimed_by="ici:1", attempts=1)
    renewed = threading.Semaphore(0)
    monkeypatch.setattr(runner, "_renew", lambda held, token: renewed.release() or token == "ici:1")
    threads = threading.active_count()
    with runner.kept_alive(job, every=timedelta(milliseconds=1)):
        assert renewed.acquire(timeout=30) and renewed.acquire(timeout=30)
    assert threading.active_count() == threads
