"""The embedded mode: one web server, one worker and the clock under one command, for a single machine."""

import os
import signal
import socket
import subprocess
import sys
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

#: Seconds left to a child to finish what it does before it is killed.
PATIENCE = 10


class Command(BaseCommand):
    help = "Sert l’application sur 127.0.0.1 et exécute les tâches longues, jusqu’à Ctrl-C."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--web-workers", type=int, default=2)

    def handle(self, *, port: int, web_workers: int, **options) -> None:
        _refuse_busy_port(port)
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "procurement.settings", "PORT": str(port)}
        commands = {
            "worker": [
                sys.executable,
                "-m",
                "celery",
                "-q",
                "-A",
                "procurement",
                "worker",
                "-P",
                "solo",
                "-l",
                "WARNING",
            ],
            "clock": [sys.executable, "-m", "celery", "-q", "-A", "procurement", "beat", "-l", "WARNING"],
            "web": [
                *(sys.executable, "-m", "gunicorn", "procurement.wsgi", "--bind", f"127.0.0.1:{port}"),
                *("--workers", str(web_workers), "--timeout", "60", "--log-level", "warning"),
            ],
        }
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, _interrupt)
        children = {name: _start(command, environment) for name, command in commands.items()}
        try:
            _wait_until_answering(port, children["web"])
            self.stdout.write(_welcome(port))
            self.stdout.flush()
            self._watch(commands, children, environment)
        except KeyboardInterrupt:
            self.stdout.write("\nArrêt…")
        finally:
            _stop(children)

    def _watch(self, commands: dict, children: dict, environment: dict) -> None:
        """Restart the worker or the clock that died; stop with the web server."""
        while children["web"].poll() is None:
            time.sleep(1)
            for name, label in (("worker", "des tâches"), ("clock", "de l’horloge")):
                if children[name].poll() is not None:
                    self.stderr.write(f"Le processus {label} s’est arrêté\u202f; il est relancé.")
                    children[name] = _start(commands[name], environment)
        raise CommandError("Le serveur web s’est arrêté.")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _start(command: list[str], environment: dict) -> subprocess.Popen:
    # In a session of its own, so that Ctrl-C reaches only the supervisor, which stops the children in order.
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)  # noqa: S603


def _stop(children: dict[str, subprocess.Popen]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + PATIENCE
    for child in children.values():
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def _refuse_busy_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"Le port {port} est déjà pris\u00a0: choisissez-en un autre, par exemple PORT={port + 1} make run."
            ) from None


def _wait_until_answering(port: int, web: subprocess.Popen, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if web.poll() is not None:
            raise CommandError("Le serveur web n’a pas démarré\u00a0: voir les messages ci-dessus.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise CommandError("Le serveur web ne répond pas.")


def _welcome(port: int) -> str:
    lines = ["", f"  Groupements de commandes\u00a0: http://127.0.0.1:{port}/", ""]
    if settings.DEMONSTRATION:
        lines.append("  Entrez d’un clic\u00a0: acheteuse, secrétaire de mairie ou finances. Ctrl-C pour arrêter.")
    else:
        lines.append("  Entrez avec votre adresse électronique. Ctrl-C pour arrêter.")
    return "\n".join([*lines, ""])
