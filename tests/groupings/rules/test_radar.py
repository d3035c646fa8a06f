"""What ends within eighteen months, side by side by division: the calendar, the two bodies, what is not known."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.essential_data import publication_threshold
from groupings.rules.radar import (
    AWARD,
    NEEDS,
    PUBLISHED,
    EndingContract,
    category_of,
    is_watched,
    last_watched_day,
    radar,
    yearly_amount,
)

TODAY = date(2026, 11, 28)


def ending(body=1, ends_on=date(2027, 6, 1), cpv="30192000", yearly="1000.00", origin=PUBLISHED, **fields):
    values = {
        "body_name": f"Commune {body}",
        "title": "Papier",
        "supplier": f"Fournisseur {body}",
        "amount": None,
        "reference": "R1",
    }
    yearly = None if yearly is None else Decimal(yearly)
    return EndingContract(body=body, ends_on=ends_on, cpv=cpv, yearly=yearly, origin=origin, **values | fields)


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 11, 28), date(2028, 5, 28)),
        (date(2026, 8, 31), date(2028, 2, 29)),  # no 31 February: the last day of a leap year's
        (date(2025, 8, 31), date(2027, 2, 28)),
        (date(2028, 2, 29), date(2029, 8, 29)),
        (date(2026, 12, 31), date(2028, 6, 30)),
    ],
)
def test_eighteen_months_of_the_calendar_end_included(today, last):
    assert last_watched_day(today) == last
    assert is_watched(last, today)
    assert not is_watched(last + timedelta(days=1), today)
    assert is_watched(today, today)  # it ends today: it is still there
    assert not is_watched(today - timedelta(days=1), today)


def test_two_bodies_of_one_division_are_an_opportunity():
    contracts = [
        ending(1, date(2027, 9, 30), cpv="30192000", yearly="1000.10"),
        ending(2, date(2027, 3, 31), cpv="30197630", yearly=None),
        ending(2, date(2027, 3, 31), cpv="30197630", yearly="2000.20", title="Enveloppes"),
    ]
    found = radar(contracts, TODAY)
    (group,) = found.opportunities
    assert (group.division, group.bodies, len(group.contracts)) == ("30", ["Commune 2", "Commune 1"], 3)
    assert (group.first_end, group.last_end) == (date(2027, 3, 31), date(2027, 9, 30))
    assert (group.yearly_known, group.unknown_count) == (Decimal("3000.30"), 1)
    assert group.suppliers == ["Fournisseur 2", "Fournisseur 1"]
    assert group.cpv == "30000000"  # two codes: the division they share
    assert (found.alone, found.unknown) == ((), ())


def test_the_shared_code_is_proposed_whole():
    (group,) = radar([ending(1), ending(2)], TODAY).opportunities
    assert group.cpv == "30192000"


def test_one_body_twice_is_no_opportunity():
    found = radar([ending(1), ending(1, title="Enveloppes"), ending(2, cpv="90911200")], TODAY)
    assert found.opportunities == ()
    assert [group.division for group in found.alone] == ["30", "90"]


def test_expired_and_far_contracts_are_out():
    found = radar([ending(1, TODAY - timedelta(days=1)), ending(2), ending(3, date(2028, 5, 29))], TODAY)
    assert [group.bodies for group in found.alone] == [["Commune 2"]]


def test_a_shorter_horizon():
    assert radar([ending(1, date(2027, 5, 28)), ending(2, date(2027, 5, 29))], TODAY, 6).opportunities == ()
    assert len(radar([ending(1, date(2027, 5, 28)), ending(2, date(2027, 5, 28))], TODAY, 6).opportunities) == 1


def test_a_contract_without_a_code_is_listed_apart():
    found = radar([ending(1, cpv=""), ending(2, cpv="", ends_on=date(2027, 1, 1))], TODAY)
    assert found.opportunities == found.alone == ()
    assert [contract.body for contract in found.unknown] == [2, 1]


def test_what_is_told_twice_counts_once():
    """The survey and the published data speak of the same contract: same body, division and end."""
    published, told = ending(1), ending(1, origin=NEEDS, yearly="999.00")
    other_end = ending(1, date(2027, 7, 1), origin=NEEDS)
    found = radar([told, published, other_end, ending(2, origin=NEEDS), ending(2, origin=AWARD)], TODAY)
    (group,) = found.opportunities
    assert [(c.body, c.origin) for c in group.contracts] == [(1, PUBLISHED), (2, AWARD), (1, NEEDS)]


def test_opportunities_come_by_first_end():
    contracts = [
        ending(body, date(2027, month, 1), cpv=cpv)
        for cpv, month in (("90911200", 5), ("30192000", 4))
        for body in (1, 2)
    ]
    assert [group.division for group in radar(contracts, TODAY).opportunities] == ["30", "90"]


@given(
    st.lists(
        st.builds(
            ending,
            st.integers(1, 4),
            st.dates(date(2026, 1, 1), date(2029, 1, 1)),
            st.sampled_from(["", "30192000", "30197630", "90911200"]),
            st.sampled_from([None, "0.00", "0.01", "12.34"]),
            st.sampled_from([PUBLISHED, AWARD]),
        ),
        max_size=25,
    )
)
def test_every_watched_contract_is_somewhere_once(contracts):
    found = radar(contracts, TODAY)
    shown = [c for group in (*found.opportunities, *found.alone) for c in group.contracts] + list(found.unknown)
    assert sorted(map(id, shown)) == sorted(id(c) for c in contracts if is_watched(c.ends_on, TODAY))
    assert all(len({c.body for c in group.contracts}) >= 2 for group in found.opportunities)
    total = sum(group.yearly_known for group in (*found.opportunities, *found.alone))
    assert total == sum(c.yearly for c in shown if c.yearly is not None and c.cpv)


@pytest.mark.parametrize(
    ("amount", "months", "expected"),
    [("96000.00", 48, "24000.00"), ("100.00", 36, "33.33"), ("100.00", 6, "100.00"), ("0.00", 24, "0.00")],
)
def test_the_amount_of_a_year(amount, months, expected):
    assert yearly_amount(Decimal(amount), months) == Decimal(expected)


def test_an_unknown_amount_stays_unknown():
    assert yearly_amount(None, 48) is None
    assert yearly_amount(Decimal(1), None) is None


@pytest.mark.parametrize(
    ("division", "category"), [("03", "supplies"), ("45", "works"), ("48", "supplies"), ("50", "services")]
)
def test_the_category_proposed(division, category):
    assert category_of(division) == category


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2023, 12, 31), date(2024, 1, 1), date(2026, 11, 28)])
def test_essential_data_are_published_from_forty_thousand_euros(day):
    threshold = publication_threshold(day)
    assert threshold.amount == Decimal(40000)
    assert "R2196-1" in threshold.source
    assert threshold.since <= day


def test_before_the_first_threshold_nothing_is_guessed():
    with pytest.raises(LookupError, match="31/12/2019"):
        publication_threshold(date(2019, 12, 31))
