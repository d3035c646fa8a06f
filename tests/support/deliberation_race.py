"""Run by tests/groupings/test_deliberation_race.py in a process of its own: several people from one version at once."""

import json
import threading

THREADS = 6


def race() -> dict:
    """Each thread read the same version, then records a vote of its own; what each was told, and what is stored."""
    from django.db import connection

    from groupings.models import Deliberation
    from members.roles import Role
    from procurement.core.errors import BusinessError
    from procurement.core.journal.models import JournalEntry
    from tests.support import deliberations as scenes
    from tests.support.factories import make_affiliation

    scene = scenes.make_scene()
    people = [make_affiliation(scene.metropole, Role.BUYER) for _ in range(THREADS)]
    version = scene.deliberation.version
    start, lock = threading.Barrier(THREADS), threading.Lock()
    told: list[tuple[str, str]] = []

    def work(number: int) -> None:
        actor, outcome = people[number], ("adopted", "rejected", "postponed")[number % 3]
        start.wait()
        try:
            scenes.vote(scene, outcome, actor=actor, number=f"N{number}", expected_version=version)
            answer = ""
        except BusinessError as error:
            answer = str(error)
        finally:
            connection.close()
        with lock:
            told.append((actor.actor_label, answer))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = Deliberation.objects.get(pk=scene.deliberation.pk)
    entries = JournalEntry.objects.filter(after__deliberation=stored.pk)
    return {"told": told, "version": stored.version, "journal": [entry.actor_label for entry in entries]}


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(race()))  # noqa: T201
