"""What one lot of one answer may say: units and euros, either unknown, neither silently zero."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.gate import convention_refusal
from groupings.rules.needs import NeedEntry, entry_refusals, estimated_amount, whole_amount, yearly_amount

CENTS = st.integers(min_value=1, max_value=10**13).map(lambda cents: Decimal(cents).scaleb(-2))
MONTHS = st.integers(min_value=1, max_value=360)


def refused(**said) -> dict[str, str]:
    return entry_refusals(NeedEntry(**said), 48)


@pytest.mark.parametrize(
    "said",
    [
        {"yearly_amount": Decimal("1200.00")},
        {"total_amount": Decimal("0.01")},
        {"quantity": Decimal("12.5"), "unit": "rame"},
        {"yearly_amount": Decimal("1200.00"), "total_amount": Decimal("4800.00")},
        {"has_no_need": True},
        {"has_no_need": True, "supplier": "Lacoste", "contract_ends_on": date(2028, 2, 29)},
        {"quantity": Decimal("3"), "unit": "heure", "unit_price": Decimal("0")},
    ],
)
def test_an_amount_or_a_quantity_or_no_need_is_an_answer(said):
    assert refused(**said) == {}


@pytest.mark.parametrize("box", ["yearly_amount", "total_amount", "quantity"])
@pytest.mark.parametrize(("value", "sentence"), [("-0.01", "négatif"), ("0", "Zéro n’est pas un besoin")])
def test_neither_zero_nor_a_negative_figure_is_a_need(box, value, sentence):
    assert sentence in refused(**{box: Decimal(value), "unit": "rame"})[box]


def test_what_is_missing_is_told_by_its_box():
    assert set(refused()) == {"yearly_amount"}
    assert set(refused(supplier="Lacoste", unit_price=Decimal("4"))) == {"yearly_amount"}
    assert set(refused(quantity=Decimal("4"))) == {"unit"}
    assert set(refused(unit="rame", yearly_amount=Decimal("4"))) == {"quantity"}
    assert set(refused(unit_price=Decimal("-1"), yearly_amount=Decimal("4"))) == {"unit_price"}


def test_two_amounts_that_disagree_are_refused_with_what_the_yearly_one_makes():
    told = refused(yearly_amount=Decimal("1000.00"), total_amount=Decimal("4000.01"))
    assert set(told) == {"total_amount"}
    assert "4\u202f000,00\u00a0€ sur 48 mois" in told["total_amount"]


@pytest.mark.parametrize("box", ["yearly_amount", "total_amount", "quantity"])
def test_no_need_contradicts_a_figure(box):
    assert set(refused(has_no_need=True, **{box: Decimal("5")})) == {"has_no_need"}


def test_empty_is_not_no_need():
    assert NeedEntry().is_empty
    assert not NeedEntry(has_no_need=True).is_empty
    assert not NeedEntry(quantity=Decimal("0")).is_empty


def test_the_whole_is_rounded_once_half_up():
    assert whole_amount(Decimal("100.00"), 48) == Decimal("400.00")
    assert whole_amount(Decimal("0.01"), 18) == Decimal("0.02")  # 0.015
    assert whole_amount(Decimal("1234.56"), 7) == Decimal("720.16")
    assert estimated_amount(NeedEntry(quantity=Decimal("4"), unit="rame"), 48) is None
    assert estimated_amount(NeedEntry(total_amount=Decimal("55.50")), 48) == Decimal("55.50")


def test_a_yearly_figure_is_proposed_only_when_it_says_the_same():
    assert yearly_amount(Decimal("28840.00"), 48) == Decimal("7210.00")
    assert yearly_amount(Decimal("100.00"), 36) is None  # 33.333…
    assert yearly_amount(Decimal("0.01"), 12) == Decimal("0.01")


@given(whole=CENTS, months=MONTHS)
def test_the_yearly_figure_makes_the_whole_again(whole, months):
    yearly = yearly_amount(whole, months)
    if yearly is not None:
        assert yearly * months == whole * 12
        assert whole_amount(yearly, months) == whole


@given(yearly=CENTS, months=MONTHS)
def test_the_whole_is_within_half_a_cent(yearly, months):
    assert abs(whole_amount(yearly, months) * 12 - yearly * months) * 2 <= Decimal("0.12")


@given(
    st.builds(
        NeedEntry,
        yearly_amount=st.none() | CENTS,
        total_amount=st.none() | CENTS,
        quantity=st.none() | CENTS,
        unit=st.sampled_from(["", "rame"]),
        has_no_need=st.booleans(),
    ),
    MONTHS,
)
def test_a_complete_entry_says_one_thing(entry, months):
    """Never silently zero: what is accepted is « no need », or a figure above zero; and the estimate follows."""
    if entry_refusals(entry, months):
        return
    figures = [value for value in (entry.yearly_amount, entry.total_amount, entry.quantity) if value is not None]
    assert bool(figures) != entry.has_no_need
    assert all(value > 0 for value in figures)
    estimated = estimated_amount(entry, months)
    assert (estimated is None) == (entry.yearly_amount is None and entry.total_amount is None)


def test_closing_the_survey_counts_no_need_as_an_answer():
    ready = {"lots": 1, "members": 2}
    assert convention_refusal(**ready, members_answered=1, members_with_needs=1) == ""
    assert "n’a encore indiqué" in convention_refusal(**ready, members_answered=0, members_with_needs=0)
    assert "aucun besoin" in convention_refusal(**ready, members_answered=2, members_with_needs=0)
