"""The life cycle of a deliberation, row by row: what each state allows, to whom, and what it leaves behind."""

from datetime import date

import pytest

from groupings.actions import deliberation as actions
from groupings.choices import DeliberationStatus
from groupings.models import Deliberation
from groupings.steps import offered
from groupings.workflow import DELIBERATION_WORKFLOW
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from procurement.core.journal.models import JournalEntry
from tests.support import deliberations as scenes
from tests.support.deliberations import LATER_ON, MEETING_ON, REASON, SENT_ON, SYSTEM, TODAY
from tests.support.factories import make_affiliation, make_grouping, make_membership, make_organisation, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return scenes.make_scene()


#: Each row of the table, taken by its action.
TAKE = {
    "send_draft": lambda s, actor: actions.deliberation_draft_sent(deliberation=s.deliberation, actor=actor),
    "schedule": lambda s, actor: scenes.schedule(s, s.coming, today=TODAY, actor=actor),
    "convene": lambda s, actor: scenes.convene(s, actor=actor),
    "unschedule": lambda s, actor: actions.deliberation_unschedule(
        deliberation=s.deliberation, actor=actor, reason=REASON
    ),
    "adopt": lambda s, actor: scenes.vote(s, "adopted", actor=actor),
    "reject": lambda s, actor: scenes.vote(s, "rejected", actor=actor),
    "postpone": lambda s, actor: scenes.vote(s, "postponed", on=date(2026, 11, 19), actor=actor),
    "miss_quorum": lambda s, actor: scenes.vote(s, "no_quorum", on=date(2026, 11, 19), actor=actor),
    "record_effect": lambda s, actor: scenes.effect(s, published_on=date(2026, 11, 20), actor=actor),
    **{
        name: (lambda s, actor, step=name: scenes.reverse_step(s, step, actor=actor))
        for name in (
            "vote_again", "undo_vote", "challenge", "dismiss_challenge", "annul", "withdraw", "waive", "require",
        )
    },
}  # fmt: skip


def told_of(scene) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(after__deliberation=scene.deliberation.pk).order_by("pk"))


STATES = [status.value for status in DeliberationStatus]


def test_every_row_of_the_table_is_walked_here():
    assert set(TAKE) == {transition.name for transition in DELIBERATION_WORKFLOW.transitions}


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("name", list(TAKE))
def test_a_step_is_taken_from_its_states_and_refused_from_the_others(scene, name, status):
    scenes.bring_to(scene, status)
    before = Deliberation.objects.filter(pk=scene.deliberation.pk).values().get()
    entries = told_of(scene)
    transition = DELIBERATION_WORKFLOW.get(name)
    if status in transition.sources:
        TAKE[name](scene, SYSTEM)
        after = scene.deliberation
        assert after.status == (transition.target or status)
        assert after.version == before["version"] + 1
        *former, entry = told_of(scene)
        assert former == entries
        assert entry.verb == f"deliberation.{name}"
        assert entry.after["deliberation"] == after.pk
        assert entry.concerns_id == scene.commune.pk
    else:
        with pytest.raises(TransitionRefused, match="n’est pas possible depuis l’état"):
            TAKE[name](scene, SYSTEM)
        assert Deliberation.objects.filter(pk=scene.deliberation.pk).values().get() == before
        assert told_of(scene) == entries


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", list(TAKE))
def test_a_step_is_for_its_roles(scene, name, role):
    transition = DELIBERATION_WORKFLOW.get(name)
    scenes.bring_to(scene, str(transition.sources[0]))
    body = scene.commune if role == Role.MEMBER_AGENT else scene.metropole
    actor = make_affiliation(body, role)
    if role in transition.roles:
        TAKE[name](scene, actor)
    else:
        with pytest.raises(NotAllowed):
            TAKE[name](scene, actor)


COORDINATION = [t.name for t in DELIBERATION_WORKFLOW.transitions if Role.MEMBER_AGENT not in t.roles]


@pytest.mark.parametrize("name", COORDINATION)
def test_the_buyer_of_a_member_does_not_decide_for_the_coordinator(scene, name):
    """Its role is in the table, its body is not the coordinator: a commune does not dispense itself from voting."""
    scenes.bring_to(scene, str(DELIBERATION_WORKFLOW.get(name).sources[0]))
    own_buyer = make_affiliation(scene.commune, Role.BUYER)
    with pytest.raises(NotAllowed):
        TAKE[name](scene, own_buyer)
    assert name not in [step.name for step in offered(scene.deliberation, None, own_buyer)]


def test_the_people_of_another_member_change_nothing(scene):
    neighbour = make_organisation(parent=scene.metropole)
    make_membership(scene.grouping, neighbour)
    for role in (Role.MEMBER_AGENT, Role.BUYER, Role.JURIST):
        with pytest.raises(NotAllowed):
            scenes.vote(scene, actor=make_affiliation(neighbour, role))


@pytest.mark.parametrize("status", STATES)
def test_the_page_offers_what_the_actions_allow(scene, status):
    """Nothing offered is refused for its state, and no step of the table is forgotten."""
    scenes.bring_to(scene, status)
    rows = {t.name for t in DELIBERATION_WORKFLOW.open_to(scene.deliberation, Role.JURIST)}
    named = {step.name for step in offered(scene.deliberation, None, scene.jurist) if step.name}
    votes = {"adopt", "reject", "postpone", "miss_quorum"}
    assert named == {"adopt" if name in votes else name for name in rows} - {"send_draft"}
    assert offered(scene.deliberation, None, None) == []


@pytest.mark.parametrize("status", ["on_agenda", "adopted"])
def test_nothing_moves_in_an_abandoned_grouping_nor_for_a_member_who_left(scene, status):
    scenes.bring_to(scene, status)
    scene.grouping.status = "cancelled"
    scene.grouping.save()
    for name in TAKE:
        with pytest.raises(BusinessError):
            TAKE[name](scene, SYSTEM)
    with pytest.raises(BusinessError, match="abandonné"):
        actions.deliberation_describe(deliberation=scene.deliberation, kind="council", matter_code="1.1", actor=SYSTEM)
    assert offered(scene.deliberation, None, scene.jurist) == []
    scene.grouping.status = "deliberations"
    scene.grouping.save()
    scene.membership.withdrawn_on = TODAY
    scene.membership.save()
    with pytest.raises(BusinessError, match="ne participe plus"):
        scenes.vote(scene) if status == "on_agenda" else scenes.effect(scene, published_on=TODAY)


@pytest.mark.parametrize(
    "name", [t.name for t in DELIBERATION_WORKFLOW.transitions if t.needs_reason and t.name != "unschedule"]
)
def test_a_step_that_goes_back_asks_for_its_reason(scene, name):
    scenes.bring_to(scene, str(DELIBERATION_WORKFLOW.get(name).sources[0]))
    with pytest.raises(TransitionRefused, match="Indiquez le motif"):
        scenes.reverse_step(scene, name, reason="  ")
    scenes.reverse_step(scene, name, reason="Recours d’un riverain")
    assert JournalEntry.objects.latest("pk").reason == "Recours d’un riverain"


# What each step leaves


def test_a_convocation_is_a_fact_of_the_session_and_of_every_text_on_its_agenda(scene):
    other = make_grouping(scene.metropole, status="deliberations", opened_on=scenes.OPENED_ON)
    gone = make_grouping(scene.metropole, status="cancelled", opened_on=scenes.OPENED_ON)
    siblings = [make_membership(grouping, scene.commune).deliberations.get() for grouping in (other, gone)]
    Deliberation.objects.filter(pk__in=[s.pk for s in siblings]).update(session=scene.past, status="on_agenda")
    scenes.schedule(scene)
    scenes.convene(scene, has_note=True, actor=scene.agent)
    scene.past.refresh_from_db()
    assert (scene.past.convened_on, scene.past.has_explanatory_note) == (SENT_ON, True)
    states = [Deliberation.objects.get(pk=s.pk).status for s in siblings]
    assert states == ["convened", "on_agenda"]  # an abandoned grouping does not move, and stops nobody
    assert JournalEntry.objects.filter(thread=other.thread, verb="deliberation.convene").count() == 1


def test_scheduling_twice_for_one_session_leaves_it_convened(scene):
    scenes.bring_to(scene, "convened")
    version = scene.deliberation.version
    scenes.schedule(scene)
    assert (scene.deliberation.status, scene.deliberation.version) == ("convened", version)
    scenes.schedule(scene, scene.coming, today=TODAY)
    assert scene.deliberation.status == "on_agenda"


def test_a_text_postponed_then_adopted_keeps_its_history(scene):
    scenes.bring_to(scene, "convened")
    scenes.vote(scene, "postponed", reason="Dossier incomplet")
    assert scene.deliberation.decided_on is None
    scenes.schedule(scene, scene.coming, today=TODAY)
    scenes.vote(scene, on=LATER_ON, today=date(2026, 12, 18), number="2026-77")
    done = scene.deliberation
    assert (done.status, done.decided_on, done.number, done.session) == ("adopted", LATER_ON, "2026-77", scene.coming)
    attempt = done.attempts.get()
    assert (attempt.outcome, attempt.meeting_on, attempt.reason) == ("postponed", MEETING_ON, "Dossier incomplet")
    told = list(JournalEntry.objects.filter(after__deliberation=done.pk).order_by("pk").values_list("verb", flat=True))
    assert [verb.split(".")[1] for verb in told] == ["schedule", "convene", "postpone", "schedule", "adopt"]


def test_two_postponements_are_two_attempts_and_one_told_twice_is_one(scene):
    scenes.vote(scene, "postponed", on=date(2026, 10, 1))
    scenes.vote(scene, "postponed", on=date(2026, 10, 1))
    assert scene.deliberation.attempts.count() == 1
    version = scene.deliberation.version
    scenes.vote(scene, "postponed", on=date(2026, 10, 29))
    assert scene.deliberation.attempts.count() == 2
    assert scene.deliberation.version == version + 1  # neither date is in the calendar: the row is alike, and yet told
    assert JournalEntry.objects.filter(verb="deliberation.postpone").count() == 2


@pytest.mark.parametrize("way", [("withdraw",), ("challenge", "annul")])
def test_an_act_undone_keeps_its_facts_when_the_assembly_votes_again(scene, way):
    scenes.make_executory(scene)
    actes_id = f"034-{scene.commune.siren}-20261112-N1-DE"
    scenes.effect(
        scene, received_on=date(2026, 11, 16), published_on=date(2026, 11, 18), actes_id=actes_id, number="N1"
    )
    for step in way:
        scenes.reverse_step(scene, step)
    assert scene.deliberation.executory_on is None
    scenes.reverse_step(scene, "vote_again")
    again = scene.deliberation
    assert (again.status, again.decided_on, again.actes_id, again.number) == ("to_schedule", None, None, "")
    facts = again.attempts.get().facts
    assert (facts["number"], facts["actes_id"], facts["received_on"]) == ("N1", actes_id, "2026-11-16")
    scenes.vote(scene, on=date(2026, 11, 26))
    assert scene.deliberation.status == "adopted"


def test_a_vote_typed_by_mistake_leaves_no_attempt(scene):
    scenes.vote(scene, "rejected")
    scenes.reverse_step(scene, "undo_vote")
    assert (scene.deliberation.status, scene.deliberation.attempts.count()) == ("to_schedule", 0)
    assert JournalEntry.objects.filter(verb="deliberation.reject").exists()  # the journal forgets nothing


@pytest.mark.parametrize("step", ["undo_vote", "vote_again"])
def test_the_vote_is_not_taken_back_under_a_signature(scene, step):
    scenes.make_executory(scene)
    sign(scene.membership, TODAY)
    if step == "vote_again":
        scenes.reverse_step(scene, "withdraw")
    with pytest.raises(BusinessError, match="signée"):
        scenes.reverse_step(scene, step)


def test_an_annulled_act_may_be_voted_again_after_the_launch(scene):
    scenes.make_executory(scene)
    sign(scene.membership, TODAY)
    scene.grouping.status, scene.grouping.launched_on = "consultation", TODAY
    scene.grouping.save()
    scenes.reverse_step(scene, "withdraw")
    scenes.reverse_step(scene, "vote_again")
    assert scene.deliberation.status == "to_schedule"


def test_a_president_decides_without_a_session(scene):
    actor = SYSTEM
    actions.deliberation_describe(deliberation=scene.deliberation, kind="president", matter_code="", actor=actor)
    with pytest.raises(BusinessError, match="aucune séance"):
        scenes.schedule(scene)
    for outcome in ("rejected", "postponed", "no_quorum"):
        with pytest.raises(BusinessError, match="sans vote ni quorum"):
            scenes.vote(scene, outcome)
    scenes.vote(scene, number="DEC-1")
    done = scene.deliberation
    assert (done.status, done.session, done.decided_on) == ("adopted", None, MEETING_ON)
    scenes.effect(scene, received_on=TODAY, published_on=TODAY, actes_id=f"034-{scene.commune.siren}-20261112-DEC_1-AR")
    assert scene.deliberation.executory_on == TODAY


def test_who_decides_does_not_change_under_a_session_nor_against_the_actes_id(scene):
    def describe(kind):
        actions.deliberation_describe(deliberation=scene.deliberation, kind=kind, matter_code="", actor=SYSTEM)

    with pytest.raises(BusinessError, match="pas de bureau"):
        describe("bureau")
    scenes.schedule(scene)
    with pytest.raises(BusinessError, match="inscrite à une séance"):
        describe("president")
    scene.commune.kind = "epci"
    scene.commune.save()
    scenes.vote(scene)
    describe("bureau")
    scenes.effect(scene, received_on=TODAY, actes_id=f"034-{scene.commune.siren}-20261112-B1-AU")
    with pytest.raises(BusinessError, match="autre nature"):
        describe("council")


def test_a_reception_without_a_date_of_sending_was_sent_that_day_at_the_latest(scene):
    scenes.vote(scene)
    scenes.effect(scene, received_on=date(2026, 11, 16))
    assert scene.deliberation.transmitted_on == date(2026, 11, 16)
    assert scene.deliberation.executory_on is None
    scenes.effect(scene, received_on=date(2026, 11, 16), published_on=date(2026, 11, 20))
    assert scene.deliberation.executory_on == date(2026, 11, 20)
    scenes.effect(scene, published_on=date(2026, 11, 20))  # the reception is cancelled
    assert scene.deliberation.executory_on is None


def test_doing_nothing_writes_nothing(scene):
    scenes.make_executory(scene)
    entries, version = JournalEntry.objects.count(), scene.deliberation.version
    scenes.effect(
        scene,
        transmitted_on=date(2026, 11, 16),
        received_on=date(2026, 11, 16),
        published_on=date(2026, 11, 18),
    )
    assert (JournalEntry.objects.count(), scene.deliberation.version) == (entries, version)
