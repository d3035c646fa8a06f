"""The life cycle of a convention: every step from every state, its guards, its dates, and its grouping's own cycle."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from groupings.choices import ConventionStatus as C
from groupings.convention_workflow import CONVENTION_WORKFLOW, FOLLOWING
from groupings.models import Convention, Grouping, Signature
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support import convention_life as scenes
from tests.support.convention_race import THREADS
from tests.support.factories import make_affiliation
from tests.support.race import run_race

pytestmark = pytest.mark.django_db
#: What the table allows, written again by hand: state → the steps a person may ask for, with the state they lead to.
ALLOWED = {
    C.DRAFT: {"open_comments": C.COMMENTS, "make_final": C.FINAL},
    C.COMMENTS: {"back_to_draft": C.DRAFT, "make_final": C.FINAL},
    C.FINAL: {"back_to_draft": C.DRAFT, "start_votes": C.VOTES},
    C.VOTES: {"start_signature": C.SIGNATURE},
    C.SIGNATURE: {"enter_into_force": C.IN_FORCE},
    C.IN_FORCE: {"end": C.ENDED},
    C.ENDED: {},
    C.SUPERSEDED: {},
}
STEPS = [t.name for t in CONVENTION_WORKFLOW.transitions if t.name not in FOLLOWING]


@pytest.mark.parametrize("status", ALLOWED)
def test_each_state_takes_its_own_steps_and_refuses_every_other(status):
    scene = scenes.make_scene()
    convention = scenes.bring_to(scene, status)
    assert convention.status == status
    scenes.everybody_votes(scene) if status == C.VOTES else None
    scenes.everybody_signs(scene) if status == C.SIGNATURE else None
    for step in STEPS:
        stored = Convention.objects.get(pk=convention.pk)
        options = {
            "convention": stored, "transition": step, "actor": scene.jurist, "today": scenes.LATER, "now": scenes.NOW,
            "reason": "Essai",
        }  # fmt: skip
        if step in ALLOWED[status]:
            assert scenes.convention_advance(**options).status == ALLOWED[status][step], step
            Convention.objects.filter(pk=convention.pk).update(status=status, in_force_on=None, ended_on=None)
            Grouping.objects.filter(pk=scene.grouping.pk).update(status="convention")
        else:
            with pytest.raises(TransitionRefused, match="n’est pas possible depuis l’état"):
                scenes.convention_advance(**options)
            assert Convention.objects.get(pk=convention.pk).status == status


@pytest.mark.parametrize("step", FOLLOWING)
def test_a_step_that_follows_another_act_is_asked_by_nobody(step):
    scene = scenes.make_scene()
    for actor in (scene.buyer, scenes.SYSTEM):
        with pytest.raises(TransitionRefused, match="suit un autre acte"):
            scenes.advance(scene, step, actor=actor, reason="Essai")
    assert step not in {t.name for t in CONVENTION_WORKFLOW.open_to(scene.convention, Role.JURIST)}


@pytest.mark.parametrize("role", [Role.FINANCE, Role.READER, Role.ADMINISTRATOR])
def test_the_coordinator_s_buyer_and_jurist_alone_move_it(role):
    scene = scenes.make_scene()
    for actor in (make_affiliation(scene.metropole, role), scene.agent("Alpha"), scene.agent("Alpha", Role.JURIST)):
        with pytest.raises(NotAllowed):
            scenes.advance(scene, "make_final", actor=actor)
    assert scene.convention.status == C.DRAFT


def test_what_goes_back_or_ends_needs_a_written_reason():
    scene = scenes.make_scene()
    scenes.advance(scene, "make_final")
    with pytest.raises(TransitionRefused, match="Indiquez le motif"):
        scenes.advance(scene, "back_to_draft", reason="  ")
    scenes.advance(scene, "back_to_draft", reason="Article 11 à revoir", actor=scene.jurist)
    entry = JournalEntry.objects.filter(verb="convention.back_to_draft").get()
    assert (entry.reason, entry.actor_label) == ("Article 11 à revoir", scene.jurist.actor_label)
    assert entry.sentence == "Convention version 1\u00a0: Reprendre le projet (Projet)"


def test_each_state_keeps_the_day_it_was_entered_and_the_journal_the_fingerprint():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.ENDED)
    ended = scene.convention
    assert (ended.comments_on, ended.final_on, ended.votes_on) == (scenes.TODAY,) * 3
    assert (ended.signature_on, ended.in_force_on, ended.ended_on) == (scenes.LATER,) * 3
    final = JournalEntry.objects.get(verb="convention.make_final")
    assert final.after["text_sha256"] == ended.text_sha256 and len(ended.text_sha256) == 64


def test_a_text_is_final_only_while_the_grouping_says_the_same():
    scene = scenes.make_scene()
    scenes.rename(scene)
    with pytest.raises(TransitionRefused, match=r"ont changé depuis la version 1.*produisez une nouvelle version"):
        scenes.advance(scene, "make_final")
    scenes.freeze(scene)
    assert scenes.advance(scene, "make_final").version == 2


def test_a_final_text_goes_to_the_assemblies_only_while_it_is_still_current():
    scene = scenes.make_scene()
    scenes.advance(scene, "make_final")
    scenes.rename(scene)
    with pytest.raises(TransitionRefused, match="ont changé depuis la version 1"):
        scenes.advance(scene, "start_votes", actor=scene.buyer)
    assert Grouping.objects.get(pk=scene.grouping.pk).status == "convention"


def test_remarks_without_answer_do_not_keep_a_text_from_being_final():
    from groupings.actions.convention_comments import comment_add

    scene = scenes.make_scene()
    convention = scenes.advance(scene, "open_comments")
    comment_add(convention=convention, article_key="article-1", body="Objet flou", actor=scene.buyer, now=scenes.NOW)
    assert scenes.advance(scene, "make_final").status == C.FINAL


def test_the_signature_waits_for_every_act_and_names_who_is_missing():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.VOTES)
    scenes.vote(scene, "Métropole")
    scenes.vote(scene, "Alpha", executory=False)
    with pytest.raises(TransitionRefused) as refused:
        scenes.advance(scene, "start_signature", today=scenes.LATER)
    assert str(refused.value) == (
        "La signature ne s’ouvre pas encore\u00a0: la délibération n’est pas exécutoire pour Alpha et Bravo."
    )
    scene.member("Alpha").deliberations.update(received_on=scenes.VOTED_ON, transmitted_on=scenes.VOTED_ON)
    scene.member("Alpha").deliberations.update(published_on=scenes.VOTED_ON)
    scene.member("Bravo").deliberations.update(status="not_required")  # dispensed: nothing is waited for
    assert scenes.advance(scene, "start_signature", today=scenes.LATER).status == C.SIGNATURE


def test_a_member_that_left_is_waited_for_by_nobody():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.VOTES)
    scenes.vote(scene, "Métropole")
    scenes.vote(scene, "Alpha")
    bravo = scene.member("Bravo")
    bravo.withdrawn_on = scenes.VOTED_ON
    bravo.save()
    assert scenes.advance(scene, "start_signature", today=scenes.LATER).status == C.SIGNATURE


def test_it_is_in_force_once_all_have_signed_that_version():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.SIGNATURE)
    with pytest.raises(TransitionRefused, match="n’est pas signée par Alpha, Bravo et Métropole"):
        scenes.advance(scene, "enter_into_force", today=scenes.LATER)
    scenes.everybody_signs(scene)
    Signature.objects.filter(membership=scene.member("Bravo")).update(convention=None)  # kept outside this tool
    stored = scenes.advance(scene, "enter_into_force", today=scenes.LATER)
    assert (stored.status, stored.in_force_on) == (C.IN_FORCE, scenes.LATER)


def test_sending_to_the_assemblies_from_the_grouping_moves_both_at_once():
    for start in (C.DRAFT, C.COMMENTS, C.FINAL):
        scene = scenes.make_scene()
        scenes.bring_to(scene, start)
        assert scenes.advance_grouping(scene, "start_votes").status == "deliberations"
        assert scene.convention.status == C.VOTES
        assert scene.convention.final_on == scene.convention.votes_on == scenes.TODAY


def test_sending_to_the_assemblies_from_the_convention_moves_both_at_once():
    scene = scenes.make_scene()
    scenes.advance(scene, "make_final")
    assert scenes.advance(scene, "start_votes", actor=scene.buyer).status == C.VOTES
    assert Grouping.objects.get(pk=scene.grouping.pk).status == "deliberations"
    assert JournalEntry.objects.filter(verb="grouping.start_votes").count() == 1


def test_the_text_does_not_leave_before_the_needs_are_known():
    scene = scenes.make_scene(status="needs")
    scenes.advance(scene, "make_final")
    with pytest.raises(TransitionRefused, match="une fois les besoins recensés"):
        scenes.advance(scene, "start_votes")


def test_a_text_that_changed_keeps_the_grouping_where_it_is():
    scene = scenes.make_scene()
    scenes.rename(scene)
    with pytest.raises(BusinessError, match="produisez une nouvelle version"):
        scenes.advance_grouping(scene, "start_votes")
    assert Grouping.objects.get(pk=scene.grouping.pk).status == "convention"
    assert scene.convention.status == C.DRAFT


def test_going_back_to_the_draft_of_the_grouping_takes_its_convention_along():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.VOTES)
    scenes.advance_grouping(scene, "revise_convention", reason="Un lot de plus")
    stored = scene.convention
    assert (stored.status, stored.final_on, stored.votes_on) == (C.DRAFT, None, scenes.TODAY)
    assert JournalEntry.objects.get(verb="convention.revise").reason == "Un lot de plus"


def test_a_signed_text_is_not_taken_back_under_its_signatures():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.SIGNATURE)
    scenes.everybody_signs(scene)
    with pytest.raises(BusinessError, match="Alpha, Bravo et Métropole ont signé la version 1"):
        scenes.advance_grouping(scene, "revise_convention", reason="Un lot de plus")
    scenes.rename(scene)
    with pytest.raises(BusinessError, match="ont signé la version 1"):
        scenes.freeze(scene, reason="Un lot de plus")
    assert Grouping.objects.get(pk=scene.grouping.pk).status == "deliberations"


def test_the_launch_puts_in_force_what_all_have_signed():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.VOTES)
    scenes.everybody_votes(scene)
    scenes.everybody_signs(scene)
    scenes.advance_grouping(scene, "launch", today=scenes.LATER)
    assert (scene.convention.status, scene.convention.in_force_on) == (C.IN_FORCE, scenes.LATER)


@pytest.mark.parametrize("status", [C.DRAFT, C.COMMENTS, C.FINAL, C.VOTES, C.SIGNATURE])
def test_abandoning_the_grouping_ends_its_convention(status):
    scene = scenes.make_scene()
    scenes.bring_to(scene, status)
    scenes.advance_grouping(scene, "cancel", reason="Marché régional")
    assert (scene.convention.status, scene.convention.ended_on) == (C.ENDED, scenes.TODAY)


def test_a_grouping_without_convention_moves_as_before():
    scene = scenes.make_scene(status="deliberations", frozen=False)
    assert scenes.advance_grouping(scene, "cancel", reason="Marché régional").status == "cancelled"


def test_the_days_hold_across_the_turn_of_the_year():
    scene = scenes.make_scene()
    scenes.advance(scene, "open_comments", today=date(2026, 12, 31))
    scenes.advance(scene, "make_final", today=date(2027, 1, 1))
    assert (scene.convention.comments_on, scene.convention.final_on) == (date(2026, 12, 31), date(2027, 1, 1))


def test_the_second_of_two_people_is_told_who_moved_it():
    scene = scenes.make_scene()
    scenes.advance(scene, "open_comments", actor=scene.buyer, expected_status=C.DRAFT)
    sent = OutgoingMessage.objects.count()
    with pytest.raises(BusinessError) as refused:
        scenes.advance(scene, "open_comments", actor=scene.jurist, expected_status=C.DRAFT)
    assert "«\u00a0En relecture\u00a0»" in str(refused.value) and scene.buyer.actor_label in str(refused.value)
    assert OutgoingMessage.objects.count() == sent == 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ended_on": scenes.TODAY}, "Seule une convention terminée porte une date de fin"),
        ({"in_force_on": scenes.TODAY}, "Seule une convention entrée en vigueur porte cette date"),
        (
            {"status": C.ENDED, "in_force_on": scenes.LATER, "ended_on": scenes.TODAY},
            "La fin ne peut pas précéder l’entrée en vigueur",
        ),
    ],
)
def test_the_database_keeps_state_and_dates_in_agreement(wrong, told):
    convention = scenes.make_scene().convention
    with pytest.raises(IntegrityError), transaction.atomic():
        Convention.objects.filter(pk=convention.pk).update(**wrong)
    for name, value in wrong.items():
        setattr(convention, name, value)
    with pytest.raises(ValidationError, match=told):
        convention.validate_constraints()


@pytest.mark.services
@pytest.mark.slow
def test_of_six_people_at_once_one_moves_it_and_five_are_told(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.convention_race", tmp_path)
    winners = [name for name, answer in done["told"] if not answer]
    refusals = [answer for _, answer in done["told"] if answer]
    assert len(done["told"]) == THREADS and len(winners) == 1
    assert all(winners[0] in answer and "rien n’a été changé" in answer for answer in refusals)
    assert done["journal"] == winners and done["status"] in ("comments", "final")
