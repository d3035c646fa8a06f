"""Run by tests/groupings/test_signing_race.py in a process of its own: one signature recorded by several, then the two
last ones at once."""

from tests.support.race import tell, together

THREADS = 6


def race() -> dict:
    """Each thread records the same member's signature on another day, then two members sign at once, none waiting."""
    from datetime import timedelta

    from groupings.actions.signatures import circuit_change
    from groupings.models import Signature
    from procurement.core.journal.models import JournalEntry
    from tests.support.signing import SIGNED_ON, SYSTEM, make_signing

    scene = make_signing()
    circuit_change(convention=scene.convention, coordinator_signs_last=False, actor=SYSTEM)
    first = together(lambda number: scene.record(scene.first, SIGNED_ON + timedelta(days=number)), THREADS)
    last = together(lambda number: scene.record((scene.second, scene.coordinator)[number]), 2)
    return {
        "first": first,
        "last": last,
        "signatures": Signature.objects.count(),
        "positions": sorted(Signature.objects.values_list("position", flat=True)),
        "status": scene.convention.status,
        "in_force": JournalEntry.objects.filter(verb="convention.enter_into_force").count(),
    }


if __name__ == "__main__":
    tell(race)
