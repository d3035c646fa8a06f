"""Sharing the fees: article 10 of the convention, the numbers of domain.md §8, and what holds for any numbers."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.rules.fees import (
    Cost,
    Party,
    card_refusal,
    over_ceiling,
    owes,
    split,
    year_shares,
)

DAY, LAUNCH = date(2027, 3, 1), date(2027, 2, 1)
EUR = Decimal


def parties(*populations: int | None, **fields) -> list[Party]:
    return [Party(f"m{rank}", f"Ville {rank}", rank, population=p, **fields) for rank, p in enumerate(populations)]


def share(rule: str, members, *costs: Cost, **options):
    options.setdefault("launched_on", LAUNCH)
    found = year_shares(rule, parties=members, costs=costs, **options)
    return [one.amount for one in found.shares]


def test_the_worked_numbers_of_domain_md():
    three = parties(2239, 6722, 9060)
    assert share("EQUAL_SHARES", three, Cost(EUR("1000.00"), DAY)) == [EUR("333.34"), EUR("333.33"), EUR("333.33")]
    assert share("POPULATION", three, Cost(EUR("1000.00"), DAY)) == [EUR("124.24"), EUR("373.01"), EUR("502.75")]


def test_expenses_of_the_same_members_are_added_before_they_are_split():
    """Two bills of 500.00: 333.34 / 333.33 / 333.33, not twice 166.67 / 166.67 / 166.66."""
    costs = [Cost(EUR("500.00"), DAY), Cost(EUR("500.00"), date(2027, 6, 1))]
    assert share("EQUAL_SHARES", parties(1, 1, 1), *costs) == [EUR("333.34"), EUR("333.33"), EUR("333.33")]


def test_by_estimated_needs_and_by_what_was_really_spent():
    a = Party("a", "A", 0, estimated=EUR("300"), spent=EUR("100"))
    b = Party("b", "B", 1, estimated=EUR("100"), spent=EUR("300"))
    credited = Party("c", "C", 2, estimated=EUR("0"), spent=EUR("-20"))
    cost = Cost(EUR("10.00"), DAY)
    assert share("ESTIMATED_AMOUNT", [a, b, credited], cost) == [EUR("7.50"), EUR("2.50"), EUR("0.00")]
    assert share("ACTUAL_SPEND", [a, b, credited], cost) == [EUR("2.50"), EUR("7.50"), EUR("0.00")]


def test_actual_spending_not_yet_known_is_shared_by_the_needs_and_says_so():
    members = [Party("a", "A", 0, estimated=EUR("300")), Party("b", "B", 1, estimated=EUR("100"))]
    found = year_shares("ACTUAL_SPEND", parties=members, costs=[Cost(EUR(10), DAY)], launched_on=LAUNCH)
    assert [one.amount for one in found.shares] == [EUR("7.50"), EUR("2.50")] and found.is_provisional


def test_a_flat_fee_is_owed_by_those_not_asked_yet_whatever_was_spent():
    found = share("FLAT_FEE", parties(1, 1, 1), Cost(EUR(9), DAY), flat_fee=EUR(150), flat_owed_by=["m0", "m2"])
    assert found == [EUR("150.00"), EUR("0.00"), EUR("150.00")]
    with pytest.raises(ValueError, match="forfait dû par chaque membre"):
        share("FLAT_FEE", parties(1), flat_owed_by=["m0"])


def test_a_ccas_has_no_inhabitants_of_its_own_and_a_commune_without_population_is_named():
    town = Party("v", "Ville", 0, population=900)
    ccas = Party("c", "CCAS", 1, kind="ccas")
    assert share("POPULATION", [town, ccas], Cost(EUR(10), DAY)) == [EUR("10.00"), EUR("0.00")]
    with pytest.raises(ValueError, match=r"La population de Aubrac n’est pas connue.*sa fiche"):
        share("POPULATION", [town, Party("a", "Aubrac", 1)], Cost(EUR(10), DAY))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [("ESTIMATED_AMOUNT", "besoin estimé"), ("ACTUAL_SPEND", "ni dépense constatée ni besoin estimé")],
)
def test_without_any_key_the_sentence_says_which_is_missing(rule, sentence):
    with pytest.raises(ValueError, match=sentence):
        share(rule, parties(1, 1), Cost(EUR(10), DAY))
    with pytest.raises(ValueError, match="population"):
        share("POPULATION", parties(None, kind="ccas"), Cost(EUR(10), DAY))


def test_a_leaver_owes_what_was_committed_before_it_left_and_a_newcomer_nothing_of_before():
    """Article 14.2. 90.00 before leaving: three pay 30.00; 90.00 after: two pay 45.00."""
    members = [Party("a", "A", 0), Party("b", "B", 1), Party("c", "C", 2, left_on=date(2027, 6, 1))]
    costs = Cost(EUR(90), date(2027, 5, 31)), Cost(EUR(90), date(2027, 6, 1))
    assert share("EQUAL_SHARES", members, *costs) == [EUR("75.00"), EUR("75.00"), EUR("30.00")]
    newcomer = Party("n", "N", 3, joined_on=date(2027, 6, 1))
    assert [owes(newcomer, day, LAUNCH) for day in (date(2027, 5, 31), date(2027, 6, 1))] == [False, True]


def test_a_founder_bears_the_whole_year_it_joined_in_and_no_former_one():
    founder = Party("f", "F", 0, joined_on=date(2027, 1, 20))
    assert owes(founder, date(2027, 1, 4), LAUNCH) and not owes(founder, date(2026, 12, 31), LAUNCH)
    assert owes(founder, date(2027, 1, 4), None)


def test_a_dispute_is_shared_apart_on_the_needs_of_its_lot_even_when_the_fees_are_free():
    """Article 10.3: lot 2 concerns B and C, for 100 and 300; the coordinator has no need and bears nothing."""
    members = [
        Party("a", "Métropole", 0),
        Party("b", "B", 1, estimated=EUR(400), needs=((1, EUR(300)), (2, EUR(100)))),
        Party("c", "C", 2, estimated=EUR(300), needs=((2, EUR(300)),), left_on=date(2027, 5, 1)),
        Party("n", "N", 3, estimated=EUR(900), needs=((2, EUR(900)),), joined_on=date(2027, 4, 1)),
    ]
    dispute = Cost(EUR("1000.00"), date(2027, 9, 1), is_litigation=True, lot=2)
    # C left after the launch and stays bound; N was not there when the tender was launched.
    assert share("FREE", members, dispute) == [EUR(0), EUR("250.00"), EUR("750.00"), EUR(0)]
    found = year_shares("EQUAL_SHARES", parties=members, costs=[dispute], launched_on=LAUNCH)
    assert found.operating_total == 0 and found.total == EUR("1000.00")
    with pytest.raises(ValueError, match="contentieux du lot 9"):
        share("FREE", members, Cost(EUR(1), DAY, is_litigation=True, lot=9))


def test_free_asks_nothing_for_ordinary_expenses():
    assert share("FREE", parties(1, 1), Cost(EUR(10), DAY)) == [EUR(0), EUR(0)]


def test_a_credit_note_gives_back_to_those_who_paid_or_is_refused_by_name():
    members = [Party("a", "A", 0), Party("b", "B", 1, left_on=date(2027, 6, 1))]
    paid = Cost(EUR("100.00"), DAY)
    assert share("EQUAL_SHARES", members, paid, Cost(EUR("-20.00"), DAY)) == [EUR("40.00"), EUR("40.00")]
    with pytest.raises(ValueError, match="La part de A serait négative"):
        share("EQUAL_SHARES", members, paid, Cost(EUR("-60.00"), date(2027, 7, 1)))


def test_the_ceiling_bounds_the_whole_life_of_the_grouping():
    assert over_ceiling(EUR(1000), before=EUR(800), added=EUR(200)) == 0
    assert over_ceiling(EUR(1000), before=EUR(800), added=EUR("200.01")) == EUR("0.01")
    assert over_ceiling(None, before=EUR(800), added=EUR(200)) == 0


@pytest.mark.parametrize(
    ("rule", "base", "ceiling", "members", "refusal"),
    [
        ("FREE", None, None, 3, None),
        ("FREE", "0", None, 3, ("fee_base", "gratuité")),
        ("FREE", None, "10", 3, ("fee_ceiling", "gratuité")),
        ("FLAT_FEE", None, None, 3, ("fee_base", "forfait demande son montant")),
        ("FLAT_FEE", "100", "300", 3, None),
        ("FLAT_FEE", "100", "299.99", 3, ("fee_ceiling", "dépassent ce plafond de 0,01")),
        ("EQUAL_SHARES", "100", "100", 3, None),
        ("EQUAL_SHARES", "100.01", "100", 3, ("fee_ceiling", "dépassent ce plafond de 0,01")),
        ("POPULATION", None, "100", 3, None),
    ],
)
def test_rule_forecast_and_ceiling_go_together(rule, base, ceiling, members, refusal):
    found = card_refusal(rule, base=base and EUR(base), ceiling=ceiling and EUR(ceiling), members=members)
    if refusal is None:
        assert found is None
    else:
        assert found[0] == refusal[0] and refusal[1] in found[1]


cents = st.integers(1, 10_000_000).map(lambda value: EUR(value).scaleb(-2))
days = st.dates(date(2027, 1, 1), date(2027, 12, 31))


@st.composite
def years(draw):
    count = draw(st.integers(1, 6))
    members = [
        Party(
            f"m{rank}",
            f"Ville {rank}",
            rank,
            population=draw(st.integers(1, 90_000)),
            estimated=draw(cents),
            spent=draw(cents),
            # The first member, the coordinator, is there all the time.
            joined_on=draw(st.none() | days) if rank else None,
            left_on=draw(st.none() | days) if rank else None,
        )
        for rank in range(count)
    ]
    costs = draw(st.lists(st.builds(Cost, cents, days, st.booleans()), max_size=5))
    return members, costs


@settings(max_examples=60, deadline=None)
@given(years(), st.sampled_from(["EQUAL_SHARES", "POPULATION", "ESTIMATED_AMOUNT", "ACTUAL_SPEND"]), st.randoms())
def test_for_any_rule_the_shares_add_up_are_never_negative_and_do_not_depend_on_the_order(year, rule, random):
    members, costs = year
    found = year_shares(rule, parties=members, costs=costs, launched_on=LAUNCH)
    assert found.total == sum((cost.amount for cost in costs), EUR(0))
    assert found.operating_total == sum((cost.amount for cost in costs if not cost.is_litigation), EUR(0))
    assert all(one.operating >= 0 and one.litigation >= 0 for one in found.shares)
    random.shuffle(members)
    random.shuffle(costs)
    assert year_shares(rule, parties=members, costs=costs, launched_on=LAUNCH) == found


@settings(max_examples=40, deadline=None)
@given(cents, st.lists(cents, min_size=1, max_size=8))
def test_a_share_is_never_more_than_a_cent_away_from_its_exact_part(amount, needs):
    members = [Party(f"m{rank}", "V", rank, estimated=need) for rank, need in enumerate(needs)]
    for need, part in zip(needs, split("ESTIMATED_AMOUNT", amount, members), strict=True):
        assert abs(part - amount * need / sum(needs)) < EUR("0.01")
