"""Quorum and majority: the cases of domain.md §8, and every vote of a small assembly."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.vote import (
    ABSTAINED,
    ADOPTED,
    AGAINST,
    FOR,
    REJECTED,
    counts_refusal,
    is_tie_to_settle,
    outcome,
    quorum,
)

voices = st.integers(0, 200)


@pytest.mark.parametrize(
    ("in_office", "expected"), [(1, 1), (2, 2), (3, 2), (10, 6), (11, 6), (15, 8), (27, 14), (69, 35), (92, 47)]
)
def test_quorum(in_office, expected):
    assert quorum(in_office) == expected


@given(st.integers(1, 1000))
def test_quorum_is_the_smallest_majority(in_office):
    assert 2 * quorum(in_office) > in_office >= 2 * (quorum(in_office) - 1)


@pytest.mark.parametrize("in_office", [0, -1])
def test_quorum_of_nobody_is_refused(in_office):
    with pytest.raises(ValueError, match="au moins un membre"):
        quorum(in_office)


@pytest.mark.parametrize(
    ("votes_for", "votes_against", "president", "secret", "expected"),
    [
        (7, 7, FOR, False, ADOPTED),  # domain.md §8, one abstention
        (7, 7, FOR, True, REJECTED),  # domain.md §8, the same by secret ballot
        (7, 7, None, True, REJECTED),
        (7, 7, AGAINST, False, REJECTED),
        (7, 7, ABSTAINED, False, REJECTED),
        (8, 7, AGAINST, False, ADOPTED),  # the president's vote prevails on a tie only
        (7, 8, FOR, False, REJECTED),
        (1, 0, None, False, ADOPTED),  # everybody else abstains
        (0, 1, None, False, REJECTED),
        (0, 0, None, False, REJECTED),  # everybody abstains: no vote cast, no majority
        (0, 0, ABSTAINED, False, REJECTED),
        (15, 0, None, True, ADOPTED),
    ],
)
def test_outcome(votes_for, votes_against, president, secret, expected):
    assert outcome(votes_for, votes_against, president_vote=president, secret=secret) == expected


def test_a_tie_is_no_majority_and_only_a_public_one_asks_for_the_president():
    assert outcome(7, 7) == outcome(7, 7, secret=True) == REJECTED
    assert is_tie_to_settle(7, 7, president_vote=None, secret=False)
    assert not is_tie_to_settle(7, 7, president_vote=None, secret=True)
    assert not is_tie_to_settle(7, 7, president_vote=FOR, secret=False)
    assert not is_tie_to_settle(7, 6, president_vote=None, secret=False)
    assert not is_tie_to_settle(0, 0, president_vote=None, secret=False)


@pytest.mark.parametrize(
    ("votes_for", "votes_against", "president", "reason"),
    [
        (-1, 3, None, "négatif"),
        (3, -1, None, "négatif"),
        (3, 2, "pour", "abstenu"),
        (0, 7, FOR, "ne figure pas"),
        (7, 0, AGAINST, "ne figure pas"),
        (0, 0, FOR, "ne figure pas"),
    ],
)
def test_impossible_votes_are_refused(votes_for, votes_against, president, reason):
    with pytest.raises(ValueError, match=reason):
        outcome(votes_for, votes_against, president_vote=president)


def test_every_vote_of_an_assembly_of_five_follows_the_ballots_one_by_one():
    """The president is the first ballot; the expected result is recounted from the ballots themselves."""
    for ballots in itertools.product((FOR, AGAINST, ABSTAINED), repeat=5):
        balance = sum({FOR: 1, AGAINST: -1, ABSTAINED: 0}[ballot] for ballot in ballots)
        casting = {FOR: 0.5, AGAINST: -0.5, ABSTAINED: 0}[ballots[0]]
        votes_for, votes_against = ballots.count(FOR), ballots.count(AGAINST)
        public = outcome(votes_for, votes_against, president_vote=ballots[0])
        secret = outcome(votes_for, votes_against, president_vote=ballots[0], secret=True)
        assert public == (ADOPTED if balance + casting > 0 else REJECTED)
        assert secret == (ADOPTED if balance > 0 else REJECTED)


@given(voices, voices)
def test_one_more_vote_for_never_rejects(votes_for, votes_against):
    if outcome(votes_for, votes_against, secret=True) == ADOPTED:
        assert outcome(votes_for + 1, votes_against, secret=True) == ADOPTED


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((15, 9, 3, 12, 0, 0), ""),  # 9 present, 3 proxies, 12 for
        ((15, 9, 0, 12, 0, 0), "12 pour, 0 contre et 0 abstentions font 12 voix"),
        ((15, 9, 0, 5, 3, 1), ""),
        ((15, 9, 0, 5, 3, 2), "font 10 voix"),
        ((15, 9, 0, 5, 3, 0), ""),  # one member took no part in the vote
        ((15, 16, 0, 1, 0, 0), "dépassent les 15 membres"),
        ((15, 8, 8, 1, 0, 0), "dépassent les 15 membres"),
        ((27, 9, 10, 1, 0, 0), "ne peut en porter qu’un"),
        ((15, 9, 0, -1, 0, 0), "négatif"),
        ((15, 9, -1, 1, 0, 0), "négatif"),
    ],
)
def test_counts_refusal(numbers, reason):
    names = ("in_office", "present", "proxies", "votes_for", "votes_against", "abstained")
    refusal = counts_refusal(**dict(zip(names, numbers, strict=True)))
    assert reason in refusal
    assert bool(refusal) == bool(reason)
