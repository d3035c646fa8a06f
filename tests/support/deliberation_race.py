"""Run by tests/groupings/test_deliberation_race.py in a process of its own: several people from one version at once."""

from tests.support.race import tell, together

THREADS = 6


def race() -> dict:
    """Each thread read the same version, then records a vote of its own; what each was told, and what is stored."""
    from groupings.models import Deliberation
    from members.roles import Role
    from procurement.core.journal.models import JournalEntry
    from tests.support import deliberations as scenes
    from tests.support.factories import make_affiliation

    scene = scenes.make_scene()
    people = [make_affiliation(scene.metropole, Role.BUYER) for _ in range(THREADS)]
    version = scene.deliberation.version

    def vote(number: int) -> None:
        outcome = ("adopted", "rejected", "postponed")[number % 3]
        scenes.vote(scene, outcome, actor=people[number], number=f"N{number}", expected_version=version)

    answers = together(vote, THREADS)
    told = [(actor.actor_label, answer) for actor, answer in zip(people, answers, strict=True)]
    stored = Deliberation.objects.get(pk=scene.deliberation.pk)
    entries = JournalEntry.objects.filter(after__deliberation=stored.pk)
    return {"told": told, "version": stored.version, "journal": [entry.actor_label for entry in entries]}


if __name__ == "__main__":
    tell(race)
