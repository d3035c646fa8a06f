"""Run by tests/groupings/test_convention_cycle.py in a process of its own: several people advance one convention."""

from tests.support.race import tell, together

THREADS = 6


def race() -> dict:
    """Each thread read the draft, then asks a step of its own; what each was told, and what is stored."""
    from groupings.actions.convention_life import convention_advance
    from groupings.models import Convention
    from procurement.core.journal.models import JournalEntry
    from tests.support import convention_life as scenes
    from tests.support.factories import make_affiliation

    scene = scenes.make_scene()
    people = [make_affiliation(scene.metropole) for _ in range(THREADS)]
    convention = scene.convention

    def advance(number: int) -> None:
        convention_advance(
            convention=convention,
            transition=("open_comments", "make_final")[number % 2],
            actor=people[number],
            today=scenes.TODAY,
            now=scenes.NOW,
            expected_status="draft",
        )

    answers = together(advance, THREADS)
    told = [(actor.actor_label, answer) for actor, answer in zip(people, answers, strict=True)]
    stored = Convention.objects.get(pk=convention.pk)
    steps = JournalEntry.objects.filter(verb__in=("convention.open_comments", "convention.make_final"))
    return {"told": told, "status": stored.status, "journal": [entry.actor_label for entry in steps]}


if __name__ == "__main__":
    tell(race)
