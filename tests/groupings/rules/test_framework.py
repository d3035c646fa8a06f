"""The bounds that the needs suggest, and since when a maximum is compulsory."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.framework import Bounds, lacks, maximum_rule, suggested_bounds


def test_half_of_the_needs_and_a_quarter_above_to_the_thousand():
    """240 400 €: half is 120 200, down to 120 000; and 1.25 times is 300 500, up to 301 000."""
    assert suggested_bounds(Decimal("240400.00")) == Bounds(Decimal("120000.00"), Decimal("301000.00"))


def test_small_needs_have_no_minimum_to_speak_of():
    assert suggested_bounds(Decimal("900.00")) == Bounds(Decimal("0.00"), Decimal("2000.00"))


def test_nothing_known_suggests_nothing():
    assert suggested_bounds(Decimal("0.00")) is None
    with pytest.raises(ValueError, match="négatif"):
        suggested_bounds(Decimal("-1.00"))


@given(st.integers(1, 10**13))
def test_the_bounds_are_ordered_and_hold_the_needs(cents):
    known = Decimal(cents).scaleb(-2)
    bounds = suggested_bounds(known)
    assert Decimal(0) <= bounds.minimum <= known <= bounds.maximum
    assert bounds.minimum % 1000 == bounds.maximum % 1000 == 0


@pytest.mark.parametrize(
    ("unknown", "unanswered", "sentence"),
    [
        (0, 0, ""),
        (1, 0, "Il y manque le montant de 1 membre qui ne le connaît pas."),
        (2, 0, "Il y manque le montant de 2 membres qui ne le connaissent pas."),
        (0, 1, "Il y manque le besoin de 1 membre sans réponse."),
        (2, 3, "Il y manque le montant de 2 membres qui ne le connaissent pas et le besoin de 3 membres sans réponse."),
    ],
)
def test_what_a_suggestion_lacks_is_told(unknown, unanswered, sentence):
    assert lacks(unknown, unanswered) == sentence


@pytest.mark.parametrize(
    ("launched_on", "is_required", "source"),
    [
        (date(2014, 1, 1), False, "code des marchés publics"),
        (date(2016, 4, 1), False, "décret n° 2016-360"),
        (date(2019, 4, 1), False, "R2162-4"),
        (date(2021, 12, 31), False, "R2162-4"),
        (date(2022, 1, 1), True, "2021-1111"),  # décret n° 2021-1111 du 23 août 2021, R2162-4
        (date(2027, 9, 1), True, "2021-1111"),
    ],
)
def test_a_maximum_is_compulsory_since_2022(launched_on, is_required, source):
    rule = maximum_rule(launched_on)
    assert rule.is_required is is_required
    assert source in rule.source
    assert rule.since <= launched_on


def test_a_date_outside_the_table_is_refused():
    with pytest.raises(LookupError, match="31/12/2013"):
        maximum_rule(date(2013, 12, 31))
