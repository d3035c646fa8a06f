"""Sharing a lot to the cent: exact whatever the needs, never a silent zero."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.shares import BY_AMOUNT, BY_QUANTITY, MemberNeed, gap_sentence, propose, spread_rest

CENTS = st.integers(min_value=0, max_value=10**11).map(lambda cents: Decimal(cents).scaleb(-2))
WEIGHTS = st.lists(CENTS, min_size=1, max_size=40).filter(any)


def needs(*amounts, quantities=None, unit="rame"):
    quantities = quantities or [None] * len(amounts)
    return [
        MemberNeed(place, f"Membre {place}", amount and Decimal(amount), quantity and Decimal(quantity), unit)
        for place, (amount, quantity) in enumerate(zip(amounts, quantities, strict=True), start=1)
    ]


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        # domain.md §8: 1 000 € in three equal shares, the cent left over to the first.
        ("1000.00", ["1", "1", "1"], ["333.34", "333.33", "333.33"]),
        # 2 239, 6 722 and 9 060 of 18 021: 124.2439…, 373.0092…, 502.7468… → the cent goes to the largest remainder.
        ("1000.00", ["2239", "6722", "9060"], ["124.24", "373.01", "502.75"]),
        ("0.02", ["5", "5", "5"], ["0.01", "0.01", "0.00"]),
    ],
)
def test_worked_numbers(total, weights, expected):
    proposal = propose(Decimal(total), needs(*weights))
    assert [str(part) for part in proposal.parts.values()] == expected
    assert proposal.is_complete
    assert proposal.basis == BY_AMOUNT


@given(CENTS, WEIGHTS)
def test_parts_are_exactly_the_lot_in_the_order_of_the_needs(total, weights):
    proposal = propose(total, needs(*weights))
    parts = list(proposal.parts.values())
    assert sum(parts) == total
    assert min(parts) >= 0
    ranked = sorted(zip(weights, parts, strict=True))
    for (weight, part), (next_weight, next_part) in pairwise(ranked):
        assert weight == next_weight or part <= next_part  # who needs more never has less


@given(CENTS, WEIGHTS, st.data())
def test_the_rest_is_spread_exactly_over_the_others(total, weights, data):
    given_away = data.draw(st.integers(0, int(total.scaleb(2))))
    fixed = {"adjusted": Decimal(given_away).scaleb(-2)}
    spread = spread_rest(total, fixed, dict(enumerate(weights)))
    assert fixed["adjusted"] + sum(spread.values()) == total
    assert min(spread.values()) >= 0


def test_quantities_of_one_unit_replace_an_unknown_amount():
    proposal = propose(Decimal("900.00"), needs("500", None, quantities=["100", "200"]))
    assert proposal.basis == BY_QUANTITY
    assert list(proposal.parts.values()) == [Decimal("300.00"), Decimal("600.00")]


def test_amounts_win_over_quantities_when_all_are_known():
    assert propose(Decimal("9.00"), needs("1", "2", quantities=["2", "1"])).basis == BY_AMOUNT


@pytest.mark.parametrize("units", [("rame", "carton"), ("", "")])
def test_quantities_of_two_units_or_of_none_say_nothing(units):
    mixed = [
        MemberNeed(1, "Brumeval", None, Decimal(10), units[0]),
        MemberNeed(2, "Clairac", Decimal(5), Decimal(10), units[1]),
    ]
    proposal = propose(Decimal("100.00"), mixed)
    assert proposal.parts == {1: None, 2: Decimal("100.00")}
    assert proposal.unknown == ("Brumeval",)
    assert not proposal.is_complete
    assert "Le besoin de Brumeval est inconnu\u00a0: saisissez sa part à la main" in proposal.sentence


def test_one_quantity_in_another_case_or_with_a_space_is_the_same_unit():
    same = [MemberNeed(1, "A", None, Decimal(1), "Rame"), MemberNeed(2, "B", None, Decimal(1), " rame ")]
    assert propose(Decimal("1.00"), same).basis == BY_QUANTITY


def test_nothing_known_proposes_nothing_and_names_them():
    proposal = propose(Decimal("100.00"), needs(None, None))
    assert set(proposal.parts.values()) == {None}
    assert "Le besoin de Membre 1, Membre 2 est inconnu" in proposal.sentence
    assert "leurs parts" in proposal.sentence


def test_a_known_zero_is_a_zero_and_all_zeros_propose_nothing():
    assert propose(Decimal("1.00"), needs("0", "3")).parts == {1: Decimal("0.00"), 2: Decimal("1.00")}
    nil = propose(Decimal("1.00"), needs("0", "0"))
    assert (set(nil.parts.values()), nil.is_complete) == ({None}, False)
    assert "nuls" in nil.sentence
    assert "Aucun membre n’a de besoin" in propose(Decimal("1.00"), []).sentence


def test_a_negative_lot_is_not_shared():
    with pytest.raises(ValueError, match="négatif"):
        propose(Decimal("-1.00"), needs("1"))


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (["333.33", "333.33", "333.33"], "Il manque 0,01\u00a0€"),
        (["333.34", "333.34", "333.33"], "Il y a 0,01\u00a0€ de trop"),
        (["333.34", "333.33", "333.33"], ""),
        ([], "Il manque 1\u202f000,00\u00a0€"),
    ],
)
def test_the_difference_is_told_to_the_cent(parts, sentence):
    told = gap_sentence(Decimal("1000.00"), [Decimal(part) for part in parts])
    assert told.startswith(sentence)
    assert bool(told) == bool(sentence)


@pytest.mark.parametrize(
    ("fixed", "weights", "sentence"),
    [
        ("100.01", {2: Decimal(1)}, "dépassent déjà le lot de 0,01"),
        ("99.99", {}, "Il manque 0,01.*libérez-en une"),
        ("50.00", {2: None}, "inconnu se saisit à la main"),
        ("50.00", {2: Decimal(0)}, "Il reste 50,00.*n’ont pas de besoin"),
    ],
)
def test_a_rest_that_cannot_be_spread_says_why(fixed, weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        spread_rest(Decimal("100.00"), {1: Decimal(fixed)}, weights)


def test_nothing_left_is_nothing_to_spread():
    assert spread_rest(Decimal("1.00"), {1: Decimal("1.00")}, {}) == {}
    assert spread_rest(Decimal("1.00"), {1: Decimal("1.00")}, {2: Decimal(0)}) == {2: Decimal("0.00")}
