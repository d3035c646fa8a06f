"""How long a jurist waits for the preview of an article, and a member for its convention on screen, on one core.

    python -m tests.benchmarks.bench_preview [ROUNDS]

31 members, 6 lots, in an empty database of its own; the whole request by the views, the first one in a new process told
apart. Exit code 0 when each warm request takes at most 1.5 s of processor (median), 1 otherwise.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

WANTED_SECONDS, MEMBERS, LOTS = 1.5, 31, 6


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    rounds = int(arguments[0]) if arguments else 11
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "procurement.settings"}
        requests = prepared()
        say(f"Aperçu : {MEMBERS} membres, {LOTS} lots, {rounds} tours, un cœur.")
        slowest = max(timed(label, request, rounds) for label, request in requests.items())
    holds = slowest <= WANTED_SECONDS
    say(f"Objectif de {WANTED_SECONDS} s : {'atteint' if holds else 'NON ATTEINT'}.")
    return 0 if holds else 1


def prepared() -> dict[str, Callable[[], int]]:
    """What is asked for, each answering its status."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from groupings.actions.convention import convention_freeze
    from members.roles import Role
    from procurement.core.actors import SystemActor
    from tests.support.factories import make_affiliation, make_territory

    call_command("migrate", verbosity=0)
    metropole, grouping = make_territory(members=MEMBERS - 1, lots=LOTS)
    convention_freeze(grouping=grouping, actor=SystemActor("Mesure"), now=timezone.now())
    client = Client(headers={"host": "localhost"})
    client.force_login(make_affiliation(metropole, Role.JURIST).user)
    preview = reverse("clause_preview", args=["responsabilite"])
    page = reverse("clause_preview_pdf", args=["responsabilite"])
    reading = reverse("convention_reading", args=[grouping.pk, 1])
    return {
        "Aperçu à l’écran": lambda: client.get(preview, {"groupement": grouping.pk}).status_code,
        "Aperçu en PDF": lambda: client.get(page, {"groupement": grouping.pk}).status_code,
        "Convention entière à l’écran": lambda: client.get(reading).status_code,
    }


def timed(label: str, request: Callable[[], int], rounds: int) -> float:
    """The median of the warm requests, in seconds of processor."""
    taken = []
    for _ in range(rounds + 1):
        started = time.process_time()
        status = request()
        taken.append(time.process_time() - started)
        if status != 200:
            raise SystemExit(f"{label} : réponse {status}.")
    first, *warm = taken
    median = statistics.median(warm)
    say(f"  {label} : {median:.2f} s de processeur (médiane), {max(warm):.2f} au plus, {first:.2f} la première fois")
    return median


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
