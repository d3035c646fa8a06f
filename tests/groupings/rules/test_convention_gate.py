"""The sentences that keep a convention where it is, word by word."""

import pytest

from groupings.rules import convention_gate as gate


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A et B"),
        (["A", "B", "C"], "A, B et C"),
        (list("ABCDE"), "A, B, C, D et E"),
        (list("ABCDEF"), "A, B, C, D, E et 1 autre"),
        (list("ABCDEFG"), "A, B, C, D, E et 2 autres"),
    ],
)
def test_five_names_are_told_and_the_others_counted(names, told):
    assert gate.named(names) == told


def test_nothing_missing_is_no_refusal():
    assert gate.open_refusal(is_cancelled=False) == ""
    assert gate.text_refusal(version=1, is_current=True) == ""
    assert gate.sending_refusal(is_surveyed=True) == ""
    assert gate.signature_refusal(waiting=[], voted_other=[], version=1) == ""
    assert gate.force_refusal(unsigned=[]) == ""
    assert gate.unsigning_refusal(signed=[], version=1) == ""


def test_the_signature_tells_both_causes_at_once():
    assert gate.signature_refusal(waiting=["A"], voted_other=["B"], version=3) == (
        "La signature ne s’ouvre pas encore\u00a0: la délibération n’est pas exécutoire pour A\u00a0; B a voté un "
        "autre texte que la version 3 et doit délibérer de nouveau."
    )


def test_one_voter_is_told_in_the_singular():
    told = gate.new_text_refusal(voted=["A"], version=1)
    assert told.startswith("A a déjà voté la convention") and "ce membre devra délibérer de nouveau" in told


@pytest.mark.parametrize(
    ("is_ended", "told"),
    [
        (False, "La convention (version 2) est en vigueur\u00a0: modifiez-la par un avenant."),
        (True, "La convention (version 2) est terminée\u00a0: elle ne change plus."),
    ],
)
def test_a_convention_in_force_changes_by_an_amendment_alone(is_ended, told):
    assert gate.amendment_refusal(version=2, is_ended=is_ended) == told
