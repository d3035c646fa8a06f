"""Unusual figures: at which ratio one is shown, and the words that never judge."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.outliers import history_remark, population_remarks, told


@pytest.mark.parametrize(
    ("now", "before", "sentence"),
    [
        (4200, 1000, "4,2 fois son besoin de 2016"),
        (2000, 1000, "2 fois son besoin de 2016"),  # twice: shown
        (1999, 1000, ""),
        (501, 1000, ""),
        (500, 1000, "0,5 fois son besoin de 2016"),  # half: shown
        (45, 1000, "0,05 fois son besoin de 2016"),  # half up
        (4, 1000, "moins d’un centième de son besoin de 2016"),
        (4200, 0, ""),  # nothing to compare with
    ],
)
def test_against_its_own_history(now, before, sentence):
    assert history_remark(Fraction(now), Fraction(before), "son besoin de 2016") == sentence


def communes(*amounts, inhabitants=1000):
    """Commune 1, 2, 3… with that need a year and as many inhabitants."""
    return (
        {key: Fraction(amount) for key, amount in enumerate(amounts, start=1)},
        dict.fromkeys(range(1, len(amounts) + 1), inhabitants),
    )


def test_beyond_three_times_the_median_per_inhabitant():
    """Median of 100, 100, 100, 100, 350 per thousand: 100. Three and a half times it is shown, three times is not."""
    found = population_remarks(*communes(100, 100, 100, 100, 350))
    assert found == {5: "3,5 fois la médiane par habitant des communes"}
    assert population_remarks(*communes(100, 100, 100, 100, 300)) == {}


def test_below_a_third_of_the_median_per_inhabitant():
    assert population_remarks(*communes(300, 300, 300, 300, 99)) == {
        5: "0,33 fois la médiane par habitant des communes"
    }
    assert population_remarks(*communes(300, 300, 300, 300, 100)) == {}  # a third exactly


def test_the_inhabitants_count():
    yearly, population = communes(100, 100, 100, 100, 1000)
    population[5] = 10_000  # ten times the need for ten times the inhabitants
    assert population_remarks(yearly, population) == {}


def test_four_communes_say_nothing():
    assert population_remarks(*communes(1, 1, 1, 1000)) == {}


def test_communes_without_need_or_inhabitants_are_neither_compared_nor_counted():
    yearly, population = communes(100, 100, 100, 100, 350, 0, 100)
    population[7] = 0
    assert population_remarks(yearly, population) == {5: "3,5 fois la médiane par habitant des communes"}
    del yearly[1], population[2]
    assert population_remarks(yearly, population) == {}  # three left


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9))
def test_a_sentence_never_says_zero_times_nor_error(ratio):
    sentence = told(ratio, "son besoin de 2016")
    assert not sentence.startswith("0 fois")
    assert sentence.endswith("son besoin de 2016")
    assert "erreur" not in sentence
