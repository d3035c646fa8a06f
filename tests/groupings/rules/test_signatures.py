"""Who may sign, and when: refused, or confirmed with a reason."""

from dataclasses import replace
from datetime import date

import pytest

from groupings.rules.signatures import Mandate, SignatureFacts, capacity_on, cautions, named, refusal

MAYOR = Mandate("Madame Hélène Œuvrard", "Maire", date(2026, 3, 28))
DEPUTY = Mandate("Madame Hélène Œuvrard", "Adjointe au maire", date(2020, 7, 1), date(2026, 3, 27))
#: Enforceable on 18/11, frozen on 01/10, signed on 20/11 by the mayor: nothing to say.
RIGHT = SignatureFacts(
    signed_on=date(2026, 11, 20),
    today=date(2026, 12, 1),
    opened_on=date(2026, 9, 1),
    executory_on=date(2026, 11, 18),
    frozen_on=date(2026, 10, 1),
    signatory="Madame Hélène Œuvrard",
    mandate=MAYOR,
    has_register=True,
)


def test_a_signature_in_order_meets_nothing():
    assert refusal(RIGHT) == ""
    assert cautions(RIGHT) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"executory_on": None}, "L’acte n’est pas encore exécutoire"),
        (
            {"signed_on": date(2026, 11, 17)},
            "Signée le 17/11/2026, avant que la délibération ne soit exécutoire, le 18/11",
        ),
        ({"signed_on": date(2026, 12, 2)}, "Le 02/12/2026 n’est pas encore venu."),
        ({"frozen_on": date(2026, 11, 21)}, "avant que cette version ne soit figée, le 21/11/2026"),
        ({"executory_on": None, "is_waived": True, "frozen_on": None, "signed_on": date(2026, 8, 31)}, "01/09/2026"),
        ({"is_last": True, "others_unsigned": ["Lattes"]}, "il attend encore Lattes."),
        ({"is_last": True, "others_last_on": date(2026, 11, 21)}, "un membre a signé le 21/11/2026"),
    ],
)
def test_what_is_refused(change, told):
    assert told in refusal(replace(RIGHT, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"signed_on": date(2026, 11, 18)},  # the very day it is enforceable
        {"signed_on": date(2026, 12, 1)},  # today
        {"frozen_on": date(2026, 11, 20)},  # the day it was frozen
        {"executory_on": None, "is_waived": True},
        {"is_last": True, "others_last_on": date(2026, 11, 20)},
        {"is_last": False, "others_unsigned": ["Lattes"]},
    ],
)
def test_what_is_not_refused(change):
    assert refusal(replace(RIGHT, **change)) == ""


@pytest.mark.parametrize(
    ("change", "codes", "told"),
    [
        ({"mandate": replace(MAYOR, end_on=date(2026, 11, 19))}, ["mandate"], "a pris fin le 19/11/2026"),
        ({"mandate": replace(MAYOR, start_on=date(2026, 11, 21))}, ["mandate"], "ne commence que le 21/11/2026"),
        ({"mandate": None}, ["signatory"], "délégation de signature"),
        ({"mandate": None, "has_register": False}, [], ""),  # nobody is registered: nothing to compare with
        ({"executory_on": None, "is_waived": True}, ["power"], "dispensé de délibérer"),
        ({"voted_other_text": True}, ["text"], "un autre texte"),
        ({"mandate": None, "voted_other_text": True}, ["signatory", "text"], "un autre texte"),
        ({"mandate": None, "voted_other_text": True, "frozen_on": None}, [], ""),  # a text kept outside
    ],
)
def test_what_is_confirmed_with_a_reason(change, codes, told):
    found = cautions(replace(RIGHT, **change))
    assert [caution.code for caution in found] == codes
    assert told in " ".join(caution.sentence for caution in found)


@pytest.mark.parametrize(
    ("day", "title"),
    [
        (date(2026, 3, 27), "Adjointe au maire"),
        (date(2026, 3, 28), "Maire"),
        (date(2019, 1, 1), "Adjointe au maire"),  # before any: the first to come
    ],
)
def test_the_capacity_is_that_of_the_day(day, title):
    assert capacity_on([DEPUTY, MAYOR], day).title == title
    assert capacity_on([MAYOR, DEPUTY], day).title == title


def test_nobody_has_no_capacity():
    assert capacity_on([], date(2026, 1, 1)) is None
    between = [DEPUTY, replace(MAYOR, start_on=date(2027, 1, 1))]
    assert capacity_on(between, date(2026, 6, 1)) == DEPUTY  # the latest begun


def test_names_are_cut_after_three():
    assert named(["Lattes"]) == "Lattes"
    assert named(["Lattes", "Pérols"]) == "Lattes et Pérols"
    assert named(["A", "B", "C", "D", "E"]) == "A, B, C et 2 autres"
