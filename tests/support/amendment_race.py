"""Run by tests/groupings/test_amendment_race.py in a process of its own: several people freeze amendments at once."""

from tests.support.race import tell, together

THREADS = 5


def race() -> dict:
    """Five drafts, each of another paragraph or of the same one, frozen at once; then one entered by all."""
    from groupings.actions import amendments as actions
    from groupings.models import Amendment
    from members.roles import Role
    from tests.support.amendments import TODAY, draft, make_scene, sign_all, voted
    from tests.support.factories import make_affiliation

    scene = make_scene(members=2)
    people = [make_affiliation(scene.metropole, Role.BUYER) for _ in range(THREADS)]
    months = {"new_extension_count": 0, "new_extension_months": 0}
    drafts = [
        draft(scene, "object", new_title="Papier"),
        draft(scene, "duration", new_duration_months=60, **months),
        draft(scene, "coordinator", organisation=scene.members[1].organisation),
        draft(scene, "join", organisation=scene.newcomer),
        draft(scene, "object", new_title="Carton"),
    ]

    def freeze(number: int) -> None:
        actions.amendment_freeze(amendment=drafts[number], actor=people[number], today=TODAY)

    frozen = together(freeze, THREADS)
    numbers = sorted(Amendment.objects.filter(number__isnull=False).values_list("number", flat=True))
    other = make_scene(members=2)
    buyers = [make_affiliation(other.metropole, Role.BUYER) for _ in range(THREADS)]
    amendment = voted(other, "object", new_title="Papier")
    sign_all(other, amendment)

    def enter(number: int) -> None:
        actions.amendment_enter(amendment=amendment, actor=buyers[number], today=TODAY)

    return {"frozen": frozen, "numbers": numbers, "entered": together(enter, THREADS)}


if __name__ == "__main__":
    tell(race)
