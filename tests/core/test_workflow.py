"""Life cycles as tables: what is not in the table raises, and the object is untouched."""

from types import SimpleNamespace

import pytest

from procurement.core.errors import TransitionRefused
from procurement.core.workflow import Transition, Workflow

LABELS = {"draft": "Brouillon", "sent": "Envoyé", "closed": "Clos"}


def make_workflow(guard=None) -> Workflow:
    return Workflow(
        "state",
        LABELS,
        [
            Transition("send", "Envoyer", ("draft",), "sent", ("buyer",), guard),
            Transition("send_back", "Renvoyer", ("sent",), "draft", ("buyer", "jurist"), needs_reason=True),
            Transition("close", "Clore", ("draft", "sent"), "closed", ("jurist",)),
        ],
    )


def refusal(workflow, obj, step, **options) -> str:
    state = obj.state
    with pytest.raises(TransitionRefused) as caught:
        workflow.advance(obj, step, **options)
    assert obj.state == state
    return str(caught.value)


def test_a_step_of_the_table_moves_the_object():
    obj = SimpleNamespace(state="draft")
    assert make_workflow().advance(obj, "send", role="buyer").name == "send"
    assert obj.state == "sent"


@pytest.mark.parametrize("step", ["", "unknown", "Envoyer", "__class__"])
def test_a_step_out_of_the_table_is_refused(step):
    assert refusal(make_workflow(), SimpleNamespace(state="draft"), step, role="buyer") == "Cette étape n’existe pas."


def test_a_step_from_another_state_is_refused():
    message = refusal(make_workflow(), SimpleNamespace(state="closed"), "send", role="buyer")
    assert message == "«\u00a0Envoyer\u00a0» n’est pas possible depuis l’état «\u00a0Clos\u00a0»."


def test_a_step_of_another_role_is_refused():
    message = refusal(make_workflow(), SimpleNamespace(state="draft"), "send", role="jurist")
    assert message == "Votre rôle ne permet pas l’étape «\u00a0Envoyer\u00a0»."


def test_commands_and_tasks_hold_every_role():
    obj = SimpleNamespace(state="draft")
    make_workflow().advance(obj, "close", role="system")
    assert obj.state == "closed"


def test_a_guard_gives_its_reason():
    workflow = make_workflow(lambda obj: "Il manque une pièce." if obj.missing else "")
    assert (
        refusal(workflow, SimpleNamespace(state="draft", missing=True), "send", role="buyer") == "Il manque une pièce."
    )
    workflow.advance(SimpleNamespace(state="draft", missing=False), "send", role="buyer")


def test_the_role_is_checked_before_the_guard_speaks():
    def guard(obj):
        raise AssertionError("the guard tells what is missing: not to somebody who may not ask")

    refusal(make_workflow(guard), SimpleNamespace(state="draft"), "send", role="reader")


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_step_back_needs_a_written_reason(reason):
    obj = SimpleNamespace(state="sent")
    with pytest.raises(TransitionRefused) as caught:
        make_workflow().advance(obj, "send_back", role="buyer", reason=reason)
    assert (caught.value.field, obj.state) == ("reason", "sent")
    make_workflow().advance(obj, "send_back", role="buyer", reason="Erreur d’échéance")
    assert obj.state == "draft"


def test_the_steps_open_to_a_role():
    workflow = make_workflow()

    def open_to(state, role):
        return [step.name for step in workflow.open_to(SimpleNamespace(state=state), role)]

    assert open_to("draft", "buyer") == ["send"]
    assert open_to("sent", "jurist") == ["send_back", "close"]
    assert open_to("closed", "buyer") == []
    assert open_to("draft", "reader") == []


def test_an_incoherent_table_is_refused_at_start():
    with pytest.raises(ValueError, match="même nom"):
        Workflow("state", LABELS, [Transition("a", "A", ("draft",), "sent", ())] * 2)
    with pytest.raises(ValueError, match="inconnus"):
        Workflow("state", LABELS, [Transition("a", "A", ("draft",), "nowhere", ())])


def test_the_table_of_the_documentation():
    lines = make_workflow().markdown({"buyer": "Acheteur", "jurist": "Juriste"}).splitlines()
    assert lines[0] == "| Depuis | Étape | Vers | Qui | Motif écrit |"
    assert lines[3] == "| Envoyé | Renvoyer | Brouillon | Acheteur, Juriste | oui |"
    assert len(lines) == 2 + 3


def test_no_state_of_a_grouping_is_a_trap():
    """Every state is reached, and the last two alone are ends."""
    from groupings.choices import GroupingStatus
    from groupings.workflow import GROUPING_WORKFLOW

    targets = {t.target for t in GROUPING_WORKFLOW.transitions}
    sources = {source for t in GROUPING_WORKFLOW.transitions for source in t.sources}
    assert targets | {GroupingStatus.NEEDS} == set(GroupingStatus)
    assert set(GroupingStatus) - sources == {GroupingStatus.REVIEW, GroupingStatus.CANCELLED}
