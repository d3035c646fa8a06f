"""A worker killed with kill -9 in the middle of seventeen conventions, then started again: each exists exactly once."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/8")
DOCUMENTS = 17


def _redis():
    import redis

    client = redis.Redis.from_url(REDIS)
    try:
        client.ping()
    except redis.ConnectionError:
        if os.environ.get("CI"):
            raise
        pytest.skip("Redis ne répond pas : l’essai d’interruption sur Redis n’est PAS exécuté.")
    client.flushdb()
    return client


@contextlib.contextmanager
def _own_database():
    """The database of this test: SQLite, or one of its own on the PostgreSQL the suite runs on."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield {}
        return
    import psycopg

    name = f"kill_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
        try:
            yield {"DATABASE_URL": url.rsplit("/", 1)[0] + f"/{name}"}
        finally:
            connection.execute(f'drop database "{name}" with (force)')


def _worker(environment):
    command = [sys.executable, "-m", "celery", "-A", "procurement", "worker", "-P", "solo", "-l", "ERROR"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def _output(environment, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("broker", ["embedded", "redis"])
def test_killed_worker_leaves_each_convention_exactly_once(broker, tmp_path):
    with _own_database() as database:
        environment = {
            **os.environ,
            **database,
            "DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "procurement.settings",
        }
        environment.pop("CELERY_BROKER_URL", None)
        if not database:
            environment.pop("DATABASE_URL", None)
        if broker == "redis":
            _redis()
            environment["CELERY_BROKER_URL"] = REDIS
        _output(environment, "manage.py", "migrate", "--verbosity", "0")
        job_id = _output(environment, "-m", "tests.services.scenario", "ask")

        def produced():
            return len(list((tmp_path / "documents").rglob("*.pdf")))

        worker = _worker(environment)
        try:
            assert _wait(lambda: produced() >= 5, 90), "the worker produced nothing"
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        at_the_kill = produced()
        assert 5 <= at_the_kill < DOCUMENTS

        def finished():
            return json.loads(_output(environment, "-m", "tests.services.scenario", "status", job_id))

        interrupted = finished()
        assert interrupted["status"] == "running"
        worker = _worker(environment)
        try:
            _wait(lambda: produced() == DOCUMENTS, 90)
            _wait(lambda: finished()["status"] == "done", 30)
        finally:
            worker.terminate()
            worker.wait(timeout=30)
        after = finished()

    assert after["status"] == "done", after
    assert after["done"] == after["total"] == after["items"] == DOCUMENTS
    assert after["attempts"] == 2
    assert len({member for member, _, _ in after["documents"]}) == len(after["documents"]) == DOCUMENTS
    assert all(recorded == on_disk for _, recorded, on_disk in after["documents"])
    assert produced() == DOCUMENTS
    assert not list(tmp_path.rglob("*.partial"))
