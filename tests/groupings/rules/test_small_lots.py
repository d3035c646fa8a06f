"""The exception of the small lots: less than 80 000 € (works 1 000 000 €), and 20 % of all lots at most."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.contract_value import LotValue
from groupings.rules.small_lots import small_lots

TODAY = date(2026, 9, 1)


def lots(*amounts, unknown=()):
    return [
        LotValue(place, place, f"Lot {place}", Decimal(amount), unknown=("A",) if place in unknown else ())
        for place, amount in enumerate(amounts, start=1)
    ]


def found(*amounts, category="supplies", on=TODAY, taken=(), unknown=()):
    return small_lots(lots(*amounts, unknown=unknown), category, on, taken=taken)


def test_out_of_a_formalised_procedure():
    """300 000 + 60 000 + 40 000 = 400 000: at most 80 000 together."""
    exception = found("300000", "60000", "40000")
    assert exception.allowance == Decimal(80000)
    assert exception.ceiling == Decimal(80000)
    assert exception.source == "CCP, R2123-1, 2°"
    assert [bool(line.refusal) for line in exception.lots] == [True, False, False]
    assert exception.remaining == Decimal(80000)


def test_the_twenty_percent_are_cumulated():
    exception = found("300000", "60000", "40000", taken={2})
    assert exception.taken == Decimal(60000)
    assert exception.percentage == Decimal(15)
    assert "100\u202f000\u00a0€, plus de 20\u00a0% de 400\u202f000\u00a0€" in exception.refusal_for(3)
    assert exception.refusal_for(2) == ""


def test_twenty_percent_exactly_is_lawful_and_one_cent_more_is_not():
    assert found("240000", "60000").refusal_for(2) == ""
    assert "plus de 20" in found("239999.99", "60000").refusal_for(2)


def test_eighty_thousand_is_too_much_and_one_cent_less_is_not():
    assert "moins de 80\u202f000" in found("1000000", "80000").refusal_for(2)
    assert found("1000000", "79999.99").refusal_for(2) == ""


def test_works_have_their_own_ceiling():
    exception = found("9000000", "999999.99", category="works")
    assert exception.ceiling == Decimal(1000000)
    assert exception.refusal_for(2) == ""


def test_below_the_dispense_it_could_go_without_publicity():
    exception = found("400000", "70000", "50000")
    assert [line.could_be_exempt for line in exception.lots] == [False, False, True]


def test_out_of_an_adapted_procedure_only_the_variant_without_publicity():
    exception = found("150000", "30000")
    assert exception.is_exempt_variant
    assert exception.source == "CCP, R2122-8"
    assert exception.ceiling == Decimal(60000)
    assert exception.refusal_for(2) == ""


def test_what_was_chosen_and_is_not_lawful_any_more_is_a_warning():
    exception = found("300000", "90000", taken={2})
    assert exception.lots[1].is_lost
    assert exception.warnings == ["Lot 2\u00a0: 90\u202f000\u00a0€, il faut moins de 80\u202f000\u00a0€."]


def test_an_unknown_amount_and_an_empty_lot_are_not_small_lots():
    assert "n’est pas connu" in found("300000", "10000", unknown={2}).refusal_for(2)
    assert "aucun besoin" in found("300000", "0").refusal_for(2)


def test_without_object():
    assert found("300000") is None  # a single lot
    assert found("10000", "20000") is None  # without publicity already


def test_a_date_outside_the_tables():
    with pytest.raises(LookupError):
        found("300000", "60000", on=date(2028, 1, 1))


@given(st.lists(st.decimals(0, 200_000, places=2), min_size=2, max_size=8), st.sets(st.integers(1, 8)))
def test_what_is_taken_lawfully_never_passes_a_fifth(amounts, taken):
    exception = small_lots(lots(*amounts), "supplies", TODAY, taken=taken)
    if exception is None or exception.warnings:
        return
    chosen = sum((line.lot.amount for line in exception.lots if line.is_taken), Decimal(0))
    assert chosen == exception.taken
    assert not chosen or chosen * 5 <= sum(amounts)


def test_before_the_code_there_was_no_variant_without_publicity():
    exception = found("400000", "20000", on=date(2018, 6, 1))
    assert exception.exempt_source == ""
    assert not exception.lots[1].could_be_exempt
    assert exception.refusal_for(2) == ""
