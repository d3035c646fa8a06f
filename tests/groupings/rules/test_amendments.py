"""The rule of amendments, article by article of the model convention."""

from dataclasses import replace
from datetime import date

import pytest

from groupings.rules.amendments import (
    Situation,
    after_launch,
    is_bound,
    joining_refusal,
    refusal,
    signatories,
    signing_refusal,
    takes_effect_on,
    unjoined,
    voters,
)

AD_HOC = Situation(
    today=date(2027, 3, 1),
    convention_status="in_force",
    is_permanent=False,
    launched_on=None,
    members=(1, 2, 3),
    former=(9,),
    coordinator=1,
    coordinator_has_own_need=True,
    notice_months=3,
    title="Papier",
    months=(48, 0, 0),
)
PERMANENT = replace(AD_HOC, is_permanent=True)
LAUNCHED = date(2027, 2, 1)


@pytest.mark.parametrize(
    ("now", "kind", "options", "told", "field"),
    [
        (replace(AD_HOC, convention_status="signature"), "object", {"title": "x"}, "pas encore en vigueur", ""),
        (replace(AD_HOC, convention_status=""), "object", {"title": "x"}, "pas encore en vigueur", ""),
        (AD_HOC, "object", {"title": "x", "effective_on": date(2027, 2, 28)}, "passée", "effective_on"),
        (AD_HOC, "join", {"body": 2}, "déjà membre", "organisation"),
        (AD_HOC, "join", {"body": 9}, "a quitté le groupement", "organisation"),
        (replace(AD_HOC, launched_on=LAUNCHED), "join", {"body": 5}, "article 13.2", "organisation"),
        (AD_HOC, "leave", {"body": 5}, "n’est pas membre", "organisation"),
        (AD_HOC, "leave", {"body": 1}, "article 16.1", "organisation"),
        (replace(AD_HOC, members=(1, 2)), "leave", {"body": 2}, "au moins deux membres", "organisation"),
        (replace(AD_HOC, launched_on=LAUNCHED), "leave", {"body": 2}, "jusqu’au terme des marchés", "organisation"),
        (PERMANENT, "leave", {"body": 2}, "préavis est de 3 mois", "effective_on"),
        (PERMANENT, "leave", {"body": 2, "effective_on": date(2027, 5, 31)}, "avant le 01/06/2027", "effective_on"),
        (AD_HOC, "coordinator", {"body": 1}, "déjà le coordonnateur", "organisation"),
        (AD_HOC, "coordinator", {"body": 5}, "doit être membre", "organisation"),
        (replace(AD_HOC, coordinator_has_own_need=False), "coordinator", {"body": 2}, "L5211-4-4", "organisation"),
        (AD_HOC, "object", {"title": "Papier"}, "déjà l’objet", "new_title"),
        (replace(AD_HOC, launched_on=LAUNCHED), "object", {"title": "x"}, "ne change plus", "new_title"),
        (AD_HOC, "duration", {"months": (48, 0, 0)}, "déjà la durée", "new_duration_months"),
        (AD_HOC, "duration", {"months": (36, 1, 0)}, "durée d’une reconduction", "new_extension_months"),
    ],
)
def test_what_the_convention_or_the_law_forbids(now, kind, options, told, field):
    sentence, place = refusal(kind, now, **options)
    assert told in sentence
    assert place == field


@pytest.mark.parametrize(
    ("now", "kind", "options"),
    [
        (AD_HOC, "join", {"body": 5}),
        (replace(PERMANENT, launched_on=LAUNCHED), "join", {"body": 5}),
        (AD_HOC, "leave", {"body": 2}),
        (replace(PERMANENT, launched_on=LAUNCHED), "leave", {"body": 2, "effective_on": date(2027, 6, 1)}),
        (AD_HOC, "coordinator", {"body": 2}),
        (replace(AD_HOC, launched_on=LAUNCHED), "coordinator", {"body": 2}),
        (replace(PERMANENT, launched_on=LAUNCHED), "object", {"title": "Papier recyclé"}),
        (AD_HOC, "duration", {"months": (36, 2, 6)}),
    ],
)
def test_what_they_allow(now, kind, options):
    assert refusal(kind, now, **options) == ("", "")


def test_the_convention_does_not_end_before_the_contracts():
    now = replace(AD_HOC, starts_on=date(2027, 1, 1), contracts_end_on=date(2030, 12, 31))
    # 48 months from 01/01/2027 end on 31/12/2030, the very day of the last contract; 47 end a month before.
    assert refusal("duration", replace(now, months=(60, 0, 0)), months=(48, 0, 0)) == ("", "")
    assert "jusqu’au 31/12/2030" in refusal("duration", now, months=(47, 0, 0))[0]


@pytest.mark.parametrize(
    ("kind", "is_permanent", "body", "expected"),
    [
        ("join", False, 5, [1, 2, 3, 5]),
        ("join", True, 5, [5]),
        ("leave", False, 2, [2]),
        ("leave", True, 2, [2]),
        ("coordinator", True, 2, [1, 2, 3]),
        ("object", False, None, [1, 2, 3]),
        ("duration", True, None, [1, 2, 3]),
    ],
)
def test_who_votes(kind, is_permanent, body, expected):
    assert voters(kind, is_permanent=is_permanent, members=(1, 2, 3), body=body) == expected


def test_the_coordinator_signs_even_when_it_has_nothing_to_vote():
    assert signatories([5], coordinator=1) == [5, 1]
    assert signatories([1, 2], coordinator=1) == [1, 2]


def test_the_effect_waits_for_the_last_signature_the_day_asked_and_the_notice():
    signed = [date(2027, 3, 1), date(2027, 3, 9)]
    voted = [date(2027, 2, 20)]
    assert takes_effect_on(effective_on=None, signed_on=signed, decided_on=voted) == date(2027, 3, 9)
    asked = date(2027, 4, 1)
    assert takes_effect_on(effective_on=asked, signed_on=signed, decided_on=voted) == asked
    late = takes_effect_on(effective_on=asked, signed_on=signed, decided_on=voted, notice_months=3)
    assert late == date(2027, 5, 20)


def test_what_is_recorded_after_the_launch_takes_effect_after_it():
    assert after_launch(date(2027, 2, 1), LAUNCHED) == date(2027, 2, 2)
    assert after_launch(date(2027, 2, 5), LAUNCHED) == date(2027, 2, 5)
    assert after_launch(date(2027, 2, 5), None) == date(2027, 2, 5)


@pytest.mark.parametrize(
    ("joined_on", "withdrawn_on", "is_pending", "launched_on", "expected"),
    [
        (date(2027, 1, 1), None, False, None, True),
        (None, None, False, None, True),
        (None, None, True, None, False),
        (date(2027, 1, 1), date(2027, 1, 9), False, None, False),
        (date(2027, 2, 1), None, False, LAUNCHED, True),
        (date(2027, 2, 2), None, False, LAUNCHED, False),
        (date(2027, 1, 1), date(2027, 2, 1), False, LAUNCHED, False),
        (date(2027, 1, 1), date(2027, 2, 2), False, LAUNCHED, True),
    ],
)
def test_who_is_bound_by_a_tender(joined_on, withdrawn_on, is_pending, launched_on, expected):
    said = {"joined_on": joined_on, "withdrawn_on": withdrawn_on, "is_pending": is_pending}
    assert is_bound(**said, launched_on=launched_on) is expected


def test_signing_comes_after_the_enforceable_act():
    said = {"frozen_on": date(2027, 1, 1), "today": date(2027, 3, 1)}
    assert "pas encore exécutoire" in signing_refusal(signed_on=date(2027, 2, 1), executory_on=None, votes=True, **said)
    executory = {"executory_on": date(2027, 2, 10), "votes": True}
    assert "10/02/2027" in signing_refusal(signed_on=date(2027, 2, 9), **executory, **said)
    assert signing_refusal(signed_on=date(2027, 2, 10), **executory, **said) == ""
    assert signing_refusal(signed_on=date(2027, 1, 1), executory_on=None, votes=False, **said) == ""
    assert "arrêté" in signing_refusal(signed_on=date(2026, 12, 31), executory_on=None, votes=False, **said)


def test_a_bulletin_counts_for_what_is_launched_after_it():
    signed = date(2027, 1, 10)
    assert joining_refusal(accepted_on=date(2027, 1, 31), signed_on=signed, launched_on=LAUNCHED) == ""
    assert "100136" in joining_refusal(accepted_on=LAUNCHED, signed_on=signed, launched_on=LAUNCHED)
    assert joining_refusal(accepted_on=date(2027, 1, 10), signed_on=signed, launched_on=None) == ""
    assert "précéder" in joining_refusal(accepted_on=date(2027, 1, 9), signed_on=signed, launched_on=None)
    assert "pas signé" in joining_refusal(accepted_on=signed, signed_on=None, launched_on=None)


def test_the_launch_names_who_has_no_bulletin():
    assert unjoined(["Agde", "Lattes"], ["Lattes", "Agde"]) == ""
    assert "pour Agde." in unjoined(["Agde", "Lattes"], ["Lattes"])
