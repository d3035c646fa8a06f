"""The demonstration under ``manage.py serve``: web server, worker and clock, as a newcomer gets them."""

import contextlib
import email
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.policy import default
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "best-practice"]
PROFILES = ("Acheteuse de la métropole", "Secrétaire de mairie", "Finances")


@dataclass(frozen=True)
class Site:
    """A running site: its address, and its commands."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run one of its commands and return what it prints."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            timeout=120,
            capture_output=True,
            text=True,
        ).stdout


@contextlib.contextmanager
def serving(folder: Path, *, prepare: str = "", **variables: str) -> Iterator[Site]:
    """The demonstration in ``folder``, once ``prepare`` (Python, run by the shell command) has changed its data."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DATA_DIR": str(folder), "DEMONSTRATION": "true", "PORT": str(port), **variables}
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY"):
        environment.pop(name, None)
    site = Site(f"http://127.0.0.1:{port}", environment)
    shutil.copytree(_loaded(folder, site), folder, dirs_exist_ok=True)
    if prepare:
        site.manage("shell", "-v0", "-c", prepare)
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    try:
        yield site
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def _loaded(folder: Path, site: Site) -> Path:
    """The demonstration, loaded once per run and copied for each site: twenty seconds of processor each time."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    common = (folder.parent.parent if run else folder.parent) / f"demonstration{run}"
    with Path(f"{common}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not common.exists():
            loading = Path(f"{common}.loading")
            shutil.rmtree(loading, ignore_errors=True)
            loader = Site(site.url, {**site.environment, "DATA_DIR": str(loading)})
            loader.manage("migrate", "--verbosity", "0")
            loader.manage("load_demonstration", "--without-conventions")
            loading.rename(common)
    return common


def enter(page, site, profile):
    page.goto(site.url + "/")
    page.get_by_role("button", name=profile).click()
    page.wait_for_url(site.url + "/")


def axe(page):
    from axe_playwright_python.sync_playwright import Axe

    result = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
    return [f"{v['id']} : {v['help']} – {v['nodes'][0]['html'][:200]}" for v in result.response["violations"]]


def overflows(page) -> bool:
    """Whether something is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")


def checked(page, *widths: int) -> None:
    """No obstacle for anybody, and nothing wider than the screen: as it is, or at each of ``widths`` (px) in turn."""
    before = page.viewport_size
    for width in widths or (before["width"],):
        page.set_viewport_size({"width": width, "height": before["height"]})
        assert axe(page) == []
        assert not overflows(page)
    page.set_viewport_size(before)


def pages(page):
    """The links between the pages of a grouping."""
    return page.get_by_role("navigation", name="Pages du groupement")


def spaces(text: str) -> str:
    """``text`` on one line with plain spaces, as a test writes it."""
    return " ".join(text.split())


def wait_for_letter(letters, recipient):
    """The mail sent to that address, within a minute."""
    for _ in range(120):
        for path in letters.iterdir():
            for raw in path.read_bytes().split(b"-" * 79 + b"\n"):
                message = email.message_from_bytes(raw.strip() + b"\n", policy=default)
                if message["To"] == recipient and not raw.isspace():
                    return message
        time.sleep(0.5)
    raise AssertionError(f"Aucun courriel pour {recipient} : {[path.name for path in letters.iterdir()]}")
