"""A sample anybody can draw again, where the large amounts weigh more."""

import hashlib
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.roles import Role
from savings.rules.sampling import draw
from savings.sample import draw_sample
from tests.savings.review_world import make_review
from tests.support.factories import make_affiliation
from tests.support.savings import make_line

LINES = st.lists(st.integers(-(10**9), 10**9), max_size=15).map(lambda cents: list(enumerate(cents, start=1)))


@given(LINES, st.integers(0, 50), st.text(max_size=10))
def test_without_replacement_and_never_a_line_of_zero(lines, count, seed):
    drawn = draw(lines, count, seed)
    with_amount = {number for number, cents in lines if cents}
    assert len(drawn) == len(set(drawn)) == min(count, len(with_amount))
    assert set(drawn) <= with_amount


@given(LINES, st.randoms(use_true_random=False), st.text(max_size=10))
def test_the_same_seed_draws_the_same_lines_whatever_their_order(lines, random, seed):
    shuffled = lines[:]
    random.shuffle(shuffled)
    assert draw(shuffled, 10, seed) == draw(lines, 10, seed)
    assert draw(lines, 5, seed) == draw(lines, 10, seed)[:5]


@settings(max_examples=30)
@given(LINES, st.text(max_size=10))
def test_stepping_over_the_drawn_lines_is_taking_them_out(lines, seed):
    """The plain way: after each draw the line leaves the urn, and the others close up."""
    left = sorted((number, abs(cents)) for number, cents in lines if cents)
    plain = []
    for turn in range(min(10, len(left))):
        total = sum(cents for _, cents in left)
        # A bias would need a total near 2**256: the rule throws those values again, none of these totals meets one.
        point = int.from_bytes(hashlib.sha256(f"{seed}:{turn}".encode()).digest()) % total
        for place, (number, cents) in enumerate(left):
            if point < cents:
                plain.append(number)
                del left[place]
                break
            point -= cents
    assert draw(lines, 10, seed) == plain


def test_the_chance_of_the_first_draw_is_the_share_of_the_amount():
    """1, 2, 3 and −4 euros: over 4 000 seeds a tenth, two, three and four tenths, within four standard deviations."""
    lines = [(1, 100), (2, 200), (3, 300), (4, -400), (5, 0)]
    first = Counter(draw(lines, 1, f"graine {number}")[0] for number in range(4000))
    assert set(first) == {1, 2, 3, 4}
    for number, cents in lines[:4]:
        share = Fraction(abs(cents), 1000)
        assert (first[number] - 4000 * share) ** 2 <= 16 * 4000 * share * (1 - share)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="négatif"):
        draw([(1, 1)], -1, "")


@pytest.fixture
def review(db):
    return make_review()


def sample(review, **asked):
    reader = make_affiliation(review.metropole, Role.READER)
    return draw_sample(reader, **{"year": 2026, "stage": "AWARDED", "count": 30, "seed": "essai"} | asked)


def test_one_year_and_one_stage_by_what_each_line_counts_there(review):
    """48 months from June: 7/48 of 4 800.00 in 2026 = 700.00; a loss of 10.00 has its chance too."""
    spread = make_line(review.baseline(), starts_on=date(2026, 6, 1), months=48)
    loss = make_line(review.baseline("3.50", "100", designation="Perte"))
    make_line(review.baseline("3.60", designation="Sans gain"))
    make_line(spread.baseline, stage="REALISED")
    found = sample(review)
    assert {sampled.line: sampled.gain for sampled in found.lines} == {
        spread: Decimal("700.00"),
        loss: Decimal("-10.00"),
    }
    assert (found.population, found.weight, found.drawn_weight) == (2, Decimal("710.00"), Decimal("710.00"))
    assert [sampled.rank for sampled in found.lines] == [1, 2]
    assert sample(review, year=2031).lines == []


def test_a_reversed_line_has_no_chance(review):
    old = make_line(review.baseline())
    new = make_line(old.baseline, "3.80", corrects=old)
    assert [sampled.line for sampled in sample(review).lines] == [new]


def test_of_another_territory_nothing_is_drawn(review):
    make_line(make_review().baseline())
    assert sample(review).lines == []
