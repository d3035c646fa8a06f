"""``generate_conventions`` killed with kill -9 at the twelfth of 27 documents, then run again: 27 exist, once each."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS, KILLED_AT = 27, 12
#: The very command, whose process kills itself once its twelfth file is written: no clock decides.
KILLED = """
import os, signal, sys
import django
django.setup()
from django.core.management import execute_from_command_line
from groupings.actions import convention
write, written = convention.write_aside_and_move, []
def counted(*arguments):
    path = write(*arguments)
    written.append(path)
    if len(written) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return path
convention.write_aside_and_move = counted
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
#: The one core of a busy machine lays a document out in a tenth of a second.
PATIENCE = 90


@pytest.fixture
def environment(tmp_path):
    """A data folder and a SQLite base of its own, whatever the suite runs on."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    return {**kept, "DATA_DIR": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "procurement.settings"}


def _run(environment, *arguments) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_killed_at_document_12_of_27_then_run_again_leaves_each_once(environment, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    _run(environment, "manage.py", "migrate", "--verbosity", "0")
    _run(environment, "-m", "tests.services.scenario", "grouping", str(DOCUMENTS))
    command = [sys.executable, "manage.py", "generate_conventions", "GC-KILL", "--out", str(out)]

    def produced() -> list[Path]:
        return sorted((data / "documents").rglob("*.pdf"))

    killed = subprocess.run(
        [sys.executable, "-c", KILLED.format(at=KILLED_AT), *command[2:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    at_the_kill = {path.name: path.read_bytes() for path in produced()}
    assert len(at_the_kill) == KILLED_AT  # the last one lies on the disk, its row was not committed
    assert not out.exists() or not list(out.iterdir())  # nothing is handed over before all are made

    said = _run(environment, *command[1:])
    assert said.splitlines()[-1].startswith(f"{DOCUMENTS} conventions dans ")
    after = json.loads(_run(environment, "-m", "tests.services.scenario", "documents"))

    assert after["versions"] == after["jobs"] == 1  # the same version, the same job taken up where it stood
    assert after["items"] == DOCUMENTS
    assert len(after["documents"]) == len({member for member, *_ in after["documents"]}) == DOCUMENTS
    assert all(recorded == on_disk for _, recorded, on_disk in after["documents"])
    assert len(produced()) == DOCUMENTS
    handed = {path.name: path.read_bytes() for path in out.iterdir()}
    assert handed == {path.name: path.read_bytes() for path in produced()}
    assert at_the_kill.items() <= handed.items()  # what was made before the kill is what is handed over
    assert not list(tmp_path.rglob("*.partial"))
