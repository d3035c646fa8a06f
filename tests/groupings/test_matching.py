"""Which deliberation an act belongs to: links only what is sure, proposes what looks like it, says why otherwise."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.exchange.subjects import similarity
from groupings.matching import ALIKE, Act, Awaited, certain, plausible, same_number, why_none

VOTE, TODAY = date(2026, 9, 24), date(2026, 11, 1)
RECEIPT = Act(
    decided_on=VOTE,
    numbers=("2026_00028",),
    subject="Groupement de commandes pour l’achat de papier",
    actes_id="034-213401722-20260924-2026_00028-DE",
    nature="DE",
)
ROW = replace(RECEIPT, actes_id="", nature="")
VOTED = Awaited(
    pk=1,
    title="Papier et enveloppes",
    opened_on=date(2026, 3, 1),
    status="adopted",
    decided_on=VOTE,
    number="2026.28",
)
WAITING = Awaited(pk=2, title="Papier et enveloppes", opened_on=date(2026, 3, 1), status="to_schedule")


def pks(act, *awaited, today=TODAY):
    return [candidate.pk for candidate in plausible(act, awaited, today)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2022.00028", "2022_00028", True),
        ("2022.00028", "2022_28", True),
        ("028", "28", True),
        ("D2016-123", "d2016_123", True),
        ("D2016123", "D2016_123", True),
        ("n° 12", "N-12", True),
        ("2022-1-1", "2022-11", False),
        ("2022-10", "2022-1", False),
        ("D28", "28", False),
        ("", "", False),
        ("--", "__", False),
        ("0", "00", True),
    ],
)
def test_one_number_written_in_several_ways(one, other, same):
    assert same_number(one, other) is same_number(other, one) is same


@given(st.lists(st.integers(1, 9999), min_size=2, max_size=4), st.sampled_from("._-/ "), st.sampled_from("._-/ "))
def test_punctuation_and_leading_zeros_never_part_two_numbers(parts, here, there):
    assert same_number(here.join(map(str, parts)), there.join(f"{part:05d}" for part in parts))


def test_the_number_of_that_day_is_enough():
    assert certain(RECEIPT, [VOTED, WAITING]) == VOTED


@pytest.mark.parametrize(
    "changes",
    [
        {"decided_on": date(2026, 9, 25)},
        {"number": ""},
        {"number": "2026.29"},
        {"actes_id": "034-213401722-20260924-OTHER-DE"},
        {"status": "withdrawn"},
        {"status": "rejected"},
    ],
)
def test_nothing_less_is_certain(changes):
    assert certain(RECEIPT, [replace(VOTED, **changes)]) is None


def test_two_deliberations_of_one_number_and_one_day_are_for_a_person():
    twin = replace(VOTED, pk=3, title="Carburants")
    assert certain(RECEIPT, [VOTED, twin]) is None
    assert pks(RECEIPT, VOTED, twin) == [1, 3]


def test_an_act_of_another_nature_is_not_a_deliberation_of_the_assembly():
    decree = replace(RECEIPT, nature="AR", actes_id="034-213401722-20260924-2026_00028-AR")
    assert (certain(decree, [VOTED]), pks(decree, VOTED)) == (None, [])
    assert "nature AR" in why_none(decree, [VOTED])
    bureau = replace(VOTED, kind="bureau")
    assert certain(decree, [bureau]) == bureau


def test_a_receipt_is_proposed_to_what_was_voted_that_day_without_number():
    unnumbered = replace(VOTED, number="")
    assert pks(replace(RECEIPT, subject=""), unnumbered) == [1]
    assert pks(replace(RECEIPT, subject="Tarifs de la cantine"), unnumbered) == [1]


def test_words_choose_between_several_votes_of_one_day():
    paper = replace(VOTED, number="")
    fuel = replace(VOTED, pk=3, title="Carburants", number="")
    assert pks(RECEIPT, paper, fuel) == [1]
    assert pks(replace(RECEIPT, subject="Adhésion au groupement de commandes"), paper, fuel) == [1, 3]


def test_a_short_number_is_proposed_for_a_long_one():
    assert pks(replace(RECEIPT, subject=""), replace(VOTED, number="28")) == [1]
    assert pks(replace(RECEIPT, subject=""), replace(VOTED, number="29")) == []
    assert "porte le numéro «\u00a029\u00a0», et cet acte le numéro «\u00a02026_00028\u00a0»" in why_none(
        RECEIPT, [replace(VOTED, number="29")]
    )


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("Achat de papier", True),
        ("Adhésion à un groupement de commandes et approbation de la convention constitutive", True),
        ("Groupement de commandes pour le papier toilette et le savon", True),
        ("Groupement de commandes pour l’électricité", False),
        ("Tarifs de la cantine", False),
        ("", False),
    ],
)
def test_the_words_of_a_vote_still_awaited(subject, found):
    assert pks(replace(ROW, subject=subject), WAITING) == [2] * found


def test_the_window_of_a_vote_still_awaited():
    """From the opening of the grouping to today, both included."""
    on = {day: pks(replace(ROW, decided_on=day), WAITING, today=TODAY) for day in (
        date(2026, 2, 28), date(2026, 3, 1), TODAY, date(2026, 11, 2),
    )}  # fmt: skip
    assert list(on.values()) == [[], [2], [2], []]


def test_a_stamp_without_object_needs_the_session_of_that_day():
    stamp = replace(RECEIPT, subject="")
    convened = replace(WAITING, status="convened", session_on=VOTE)
    assert pks(stamp, convened) == [2]
    assert pks(stamp, replace(convened, session_on=date(2026, 9, 25)), replace(WAITING, session_on=VOTE)) == []


def test_open_data_is_never_proposed_on_the_day_alone():
    unnumbered = replace(VOTED, number="")
    assert pks(replace(ROW, subject="Tarifs de la cantine"), unnumbered) == []
    assert pks(ROW, unnumbered) == [1]
    assert pks(ROW, replace(unnumbered, actes_id=RECEIPT.actes_id)) == []


SAID = ["papier", "dapier", "l’eau", "leau", "deau", "eaux", "dachat", "achats", "chevaux", "cheval", "d’encre"]
TITLED = ["papier", "eau", "achat", "cheval", "encre", "dencre", "lencre", "eaux"]


@given(st.lists(st.sampled_from(SAID)), st.lists(st.sampled_from(TITLED), min_size=1))
def test_objects_are_compared_as_their_similarity_says(subject, title):
    """Taking objects apart once loses no likeness."""
    expected = similarity(" ".join(subject), " ".join(title)) >= ALIKE
    row, awaited = replace(ROW, subject=" ".join(subject)), replace(WAITING, title=" ".join(title))
    assert pks(row, awaited) == [2] * expected


def test_the_best_comes_first_and_scores_stay_between_0_and_100():
    awaited = [WAITING, VOTED, replace(WAITING, pk=3, status="on_agenda", session_on=VOTE)]
    found = plausible(RECEIPT, awaited, TODAY)
    assert [candidate.pk for candidate in found] == [1, 3, 2]
    assert [candidate.score for candidate in found] == [100, 100, 80]  # 60 + 20, + 20 that day, + 40 the number


@pytest.mark.parametrize(
    ("awaited", "sentence"),
    [
        ([], "Aucune délibération attendue de cet organisme n’est du 24/09/2026."),
        ([replace(VOTED, actes_id="034-213401722-20260924-X1-DE")], "porte déjà un autre identifiant ACTES"),
        ([replace(VOTED, status="rejected", number="")], "est «\u00a0Rejetée\u00a0»"),
        ([replace(WAITING, status="on_agenda", session_on=VOTE, title="Carburants")], "ne ressemble"),
        ([replace(WAITING, title="Carburants")], "aucune délibération attendue de cet organisme."),
    ],
)
def test_why_nothing_was_found(awaited, sentence):
    assert pks(RECEIPT, *awaited) == []
    assert sentence in why_none(RECEIPT, awaited)


def test_a_receipt_without_object_needs_the_vote_first():
    assert pks(replace(RECEIPT, subject=""), WAITING) == []
    assert "saisissez d’abord le vote" in why_none(replace(RECEIPT, subject=""), [WAITING])
