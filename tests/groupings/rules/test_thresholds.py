"""Thresholds: domain.md §4 and the worked numbers of §8. A works dispense of 100 000 € passes the 90 000 € notice."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.thresholds import next_threshold, procedure

CODES = ["exempt", "adapted", "adapted_advertised", "formal"]


@pytest.mark.parametrize(
    ("amount", "category", "on", "code"),
    [
        ("215000", "supplies", date(2025, 12, 15), "adapted_advertised"),  # 221 000 until the end of 2025
        ("216000", "supplies", date(2026, 1, 2), "formal"),
        ("215999.99", "supplies", date(2026, 1, 2), "adapted_advertised"),
        ("240000", "services", date(2026, 5, 4), "formal"),  # 12 members × 5 000 € × 4 years
        ("20000", "services", date(2026, 5, 4), "exempt"),  # one member of them alone
        ("59999.99", "supplies", date(2026, 4, 1), "exempt"),
        ("59999.99", "supplies", date(2026, 3, 31), "adapted"),
        ("89999.99", "supplies", date(2026, 4, 1), "adapted"),
        ("90000", "supplies", date(2026, 4, 1), "adapted_advertised"),
        ("209000", "supplies", date(2016, 6, 1), "formal"),
        ("5404000", "works", date(2026, 6, 1), "formal"),
        ("5403999.99", "works", date(2026, 6, 1), "adapted_advertised"),
        ("99999.99", "works", date(2026, 6, 1), "exempt"),
        ("749999.99", "social_services", date(2026, 6, 1), "adapted_advertised"),
        ("24999.99", "services", date(2019, 12, 31), "exempt"),
        ("0", "services", date(2027, 12, 31), "exempt"),
    ],
)
def test_the_procedure_of_an_amount(amount, category, on, code):
    assert procedure(Decimal(amount), category, on).code == code


def test_the_sentence_says_the_threshold_and_its_date():
    assert procedure(Decimal("240000"), "supplies", date(2026, 5, 4)).sentence == (
        "procédure formalisée, seuil de 216\u202f000,00\u00a0€ HT depuis le 01/01/2026"
    )


@pytest.mark.parametrize("on", [date(2013, 12, 31), date(2028, 1, 1)])
def test_a_date_outside_the_tables_is_not_guessed(on):
    with pytest.raises(LookupError, match="Aucun seuil"):
        procedure(Decimal(1), "supplies", on)


def test_an_unknown_category_and_a_negative_amount_are_refused():
    with pytest.raises(LookupError):
        procedure(Decimal(1), "poetry", date(2026, 1, 1))
    with pytest.raises(ValueError, match="négatif"):
        procedure(Decimal(-1), "supplies", date(2026, 1, 1))


@given(
    low=st.decimals(0, 10_000_000, places=2),
    high=st.decimals(0, 10_000_000, places=2),
    category=st.sampled_from(["supplies", "services", "works", "social_services"]),
    on=st.dates(date(2014, 1, 1), date(2027, 12, 31)),
)
def test_more_money_never_means_a_lighter_procedure(low, high, category, on):
    low, high = sorted((low, high))
    assert CODES.index(procedure(low, category, on).code) <= CODES.index(procedure(high, category, on).code)


#: domain.md §4.1 and §4.2, row by row: (category, first day, last day, € excl. tax).
FORMAL = [
    ("supplies", (2014, 1, 1), (2015, 12, 31), 207_000),
    ("supplies", (2016, 1, 1), (2017, 12, 31), 209_000),
    ("supplies", (2018, 1, 1), (2019, 12, 31), 221_000),
    ("supplies", (2020, 1, 1), (2021, 12, 31), 214_000),
    ("services", (2022, 1, 1), (2023, 12, 31), 215_000),
    ("services", (2024, 1, 1), (2025, 12, 31), 221_000),
    ("services", (2026, 1, 1), (2027, 12, 31), 216_000),
    ("works", (2014, 1, 1), (2015, 12, 31), 5_186_000),
    ("works", (2016, 1, 1), (2017, 12, 31), 5_225_000),
    ("works", (2018, 1, 1), (2019, 12, 31), 5_548_000),
    ("works", (2020, 1, 1), (2021, 12, 31), 5_350_000),
    ("works", (2022, 1, 1), (2023, 12, 31), 5_382_000),
    ("works", (2024, 1, 1), (2025, 12, 31), 5_538_000),
    ("works", (2026, 1, 1), (2027, 12, 31), 5_404_000),
    ("social_services", (2014, 1, 1), (2027, 12, 31), 750_000),
]
EXEMPT = [
    ("supplies", (2015, 10, 1), (2019, 12, 31), 25_000),
    ("works", (2015, 10, 1), (2019, 12, 31), 25_000),
    ("supplies", (2020, 1, 1), (2026, 3, 31), 40_000),
    ("social_services", (2020, 1, 1), (2026, 3, 31), 40_000),
    ("works", (2020, 1, 1), (2020, 7, 23), 40_000),
    ("works", (2020, 7, 24), (2020, 12, 8), 70_000),
    ("works", (2020, 12, 9), (2025, 12, 31), 100_000),
    ("works", (2026, 1, 1), (2027, 12, 31), 100_000),
    ("services", (2026, 4, 1), (2027, 12, 31), 60_000),
]
CENT = Decimal("0.01")


@pytest.mark.parametrize(("category", "first", "last", "amount"), FORMAL)
def test_every_row_of_the_european_thresholds(category, first, last, amount):
    for on in (date(*first), date(*last)):
        assert procedure(Decimal(amount), category, on).code == "formal"
        assert procedure(Decimal(amount) - CENT, category, on).code == "adapted_advertised"


@pytest.mark.parametrize(("category", "first", "last", "amount"), EXEMPT)
def test_every_row_of_the_dispense(category, first, last, amount):
    for on in (date(*first), date(*last)):
        assert procedure(Decimal(amount) - CENT, category, on).code == "exempt"
        assert procedure(Decimal(amount), category, on).code in ("adapted", "adapted_advertised")


@pytest.mark.parametrize(
    ("amount", "category", "code", "threshold", "distance"),
    [
        ("0", "supplies", "adapted", 60_000, "60000"),
        ("60000", "supplies", "adapted_advertised", 90_000, "30000"),
        ("90000", "services", "formal", 216_000, "126000"),
        ("215999.99", "services", "formal", 216_000, "0.01"),
        ("95000", "works", "adapted_advertised", 100_000, "5000"),  # the dispense stands above the notice
    ],
)
def test_the_next_threshold_and_how_far_it_is(amount, category, code, threshold, distance):
    following = next_threshold(Decimal(amount), category, date(2026, 9, 1))
    assert (following.procedure.code, following.procedure.threshold) == (code, threshold)
    assert following.distance == Decimal(distance)


def test_nothing_stands_above_the_european_threshold():
    assert next_threshold(Decimal(216_000), "supplies", date(2026, 9, 1)) is None
