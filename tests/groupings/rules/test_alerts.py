"""The alerts of a contract in use, by dates and amounts worked by hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.alerts import AlertKind, ContractState, Part, alerts, horizon, level, percent

K = AlertKind
PLAIN = ContractState(
    ends_on=date(2026, 12, 31),
    last_end_on=date(2026, 12, 31),
    notice_due_on=None,
    ceiling=Decimal("2000.00"),
    consumed=Decimal("0.00"),
)


def kinds(state: ContractState, today: date) -> list[tuple[AlertKind, bool]]:
    return [(alert.kind, alert.is_urgent) for alert in alerts(state, today)]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2025, 12, 30), []),
        (date(2025, 12, 31), [(K.RENEWAL, False)]),  # twelve months before the end of a year
        (date(2026, 9, 29), [(K.RENEWAL, False)]),
        (date(2026, 9, 30), [(K.END, True)]),  # 31 December less three months: the 30th, September has no 31st
        (date(2026, 12, 31), [(K.END, True)]),  # the last day is still the contract's
        (date(2027, 1, 1), [(K.END, True)]),
    ],
)
def test_twelve_months_then_three_months_before_the_end(today, expected):
    assert kinds(PLAIN, today) == expected


def test_a_contract_that_ends_on_a_leap_day():
    """29/02/2024 less twelve months is 28/02/2023: the month has no 29th; less three months, 29/11/2023."""
    leap = replace(PLAIN, ends_on=date(2024, 2, 29), last_end_on=date(2024, 2, 29))
    assert kinds(leap, date(2023, 2, 27)) == []
    assert kinds(leap, date(2023, 2, 28)) == [(K.RENEWAL, False)]
    assert kinds(leap, date(2023, 11, 28)) == [(K.RENEWAL, False)]
    assert kinds(leap, date(2023, 11, 29)) == [(K.END, True)]


def test_an_ended_contract_says_since_when():
    (alert,) = alerts(PLAIN, date(2027, 3, 1))
    assert alert.sentence == ("Le marché est terminé depuis le 31/12/2026. Aucun renouvellement n’est en préparation.")


def test_a_renewal_under_way_silences_the_first_alert_and_calms_the_second():
    renewed = replace(PLAIN, renewed_by="GC-2027-01")
    assert kinds(renewed, date(2026, 1, 1)) == []
    (alert,) = alerts(renewed, date(2026, 10, 1))
    assert not alert.is_urgent
    assert alert.sentence.endswith("Son renouvellement, GC-2027-01, est en préparation.")


def test_a_reader_who_does_not_follow_the_renewal_is_told_nothing_of_it():
    member = replace(PLAIN, renewed_by=None)
    assert kinds(member, date(2026, 1, 1)) == []
    (alert,) = alerts(member, date(2026, 10, 1))
    assert (alert.sentence, alert.is_urgent) == ("Le marché se termine le 31/12/2026.", False)


#: A year renewable once: it ends on 31/05/2027 or, extended, on 31/05/2028; three months of notice.
YEARLY = replace(PLAIN, ends_on=date(2027, 5, 31), last_end_on=date(2028, 5, 31), notice_due_on=date(2027, 2, 28))


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 12, 29), []),  # the end that counts is the last possible one: 31/05/2028
        (date(2026, 12, 30), [(K.NOTICE, False)]),  # 28/02/2027 less sixty days
        (date(2027, 2, 12), [(K.NOTICE, False)]),
        (date(2027, 2, 13), [(K.NOTICE, True)]),  # less fifteen days
        (date(2027, 2, 28), [(K.NOTICE, True), (K.END, True)]),  # and three months before 31/05/2027
        (date(2027, 3, 1), [(K.NOTICE, True), (K.END, True)]),  # the notice has passed
        (date(2027, 6, 1), [(K.END, True)]),
    ],
)
def test_sixty_then_fifteen_days_before_the_notice(today, expected):
    assert kinds(YEARLY, today) == expected


def test_once_the_notice_has_passed_the_present_end_is_the_last():
    assert horizon(YEARLY, date(2027, 2, 28)) == date(2028, 5, 31)
    assert horizon(YEARLY, date(2027, 3, 1)) == date(2027, 5, 31)


def test_the_renewal_of_an_extensible_contract_counts_from_its_last_end():
    early = replace(YEARLY, notice_due_on=date(2027, 5, 1))
    assert (K.RENEWAL, False) not in kinds(early, date(2027, 5, 30))
    four_years = ContractState(date(2026, 5, 31), date(2026, 9, 30), date(2026, 4, 30), None, None)
    assert kinds(four_years, date(2025, 9, 29)) == []
    (alert,) = alerts(four_years, date(2025, 9, 30))
    assert alert.sentence.startswith("Le marché se termine le 30/09/2026")


@pytest.mark.parametrize(
    ("consumed", "expected"),
    [
        ("1599.80", []),  # 79.99 %
        ("1599.99", []),  # 79.9995 %, shown as 80,00 %: nothing is rounded before it is compared
        ("1600.00", [(K.CEILING, False)]),
        ("1999.99", [(K.CEILING, False)]),
        ("2000.00", [(K.CEILING, True)]),
        ("2000.01", [(K.CEILING, True)]),
        ("-50.00", []),  # more credit notes than invoices
    ],
)
def test_eighty_and_a_hundred_per_cent_of_the_maximum(consumed, expected):
    state = replace(PLAIN, consumed=Decimal(consumed))
    assert kinds(state, date(2025, 6, 1)) == expected


def test_the_sentences_of_a_ceiling():
    def told(consumed):
        return alerts(replace(PLAIN, consumed=Decimal(consumed)), date(2025, 6, 1))[0].sentence

    on = "2\u202f000,00\u00a0€ HT"
    assert told("1600.00") == f"80\u00a0% du maximum sont atteints\u00a0: 1\u202f600,00\u00a0€ consommés sur {on}."
    assert told("2000.00").startswith(f"Le maximum est atteint\u00a0: 2\u202f000,00\u00a0€ consommés sur {on}.")
    assert told("2000.01").startswith("Le maximum est dépassé")


def test_beyond_the_amount_of_a_contract_nothing_is_said_of_a_maximum():
    (alert,) = alerts(replace(PLAIN, consumed=Decimal("2100.00"), is_maximum=False), date(2025, 6, 1))
    assert alert.sentence.startswith("Le montant du marché est dépassé")
    assert "commande" not in alert.sentence


def test_a_framework_agreement_without_maximum_has_no_ceiling():
    state = replace(PLAIN, ceiling=None, consumed=Decimal("900000.00"))
    assert kinds(state, date(2025, 6, 1)) == []


def test_each_member_by_its_own_share():
    parts = [
        Part("Ville A", Decimal("1200.00"), Decimal("959.88")),  # 79.99 %
        Part("Ville B", Decimal("500.00"), Decimal("400.00")),  # 80 %
        Part("Ville C", Decimal("300.00"), Decimal("300.00")),
        Part("Ville D", Decimal("0.00"), Decimal("0.00")),  # nothing asked for, nothing taken
        Part("Ville E", Decimal("0.00"), Decimal("0.01")),
        Part("Ville F", None, Decimal("10.00")),  # no share was ever set
    ]
    found = alerts(replace(PLAIN, parts=parts), date(2025, 6, 1))
    assert [(alert.sentence.split(" ")[1], alert.is_urgent) for alert in found] == [
        ("B", False),
        ("C", True),
        ("E", True),
    ]
    assert found[1].sentence.startswith("Ville C a atteint sa part")
    assert found[2].sentence.startswith("Ville E a dépassé sa part")


def test_a_contract_whose_beginning_is_unknown_has_no_date():
    state = ContractState(None, None, None, Decimal("10.00"), Decimal("10.00"))
    assert kinds(state, date(2026, 1, 1)) == [(K.CEILING, True)]


@pytest.mark.parametrize(
    ("consumed", "ceiling", "expected"),
    [("1", "3", "33.33"), ("2", "3", "66.67"), ("1", "800", "0.13"), ("0", "10", "0.00"), ("1", "0", None)],
)
def test_a_percentage_has_two_decimals_half_up(consumed, ceiling, expected):
    """1/800 is 0.125 %: 0.13."""
    assert percent(Decimal(consumed), Decimal(ceiling)) == (None if expected is None else Decimal(expected))
    assert percent(Decimal(consumed), None) is None


cents = st.integers(0, 10**12).map(lambda n: Decimal(n) / 100)


@given(cents, cents, cents)
def test_a_level_never_goes_down_when_more_is_consumed(consumed, more, ceiling):
    assert level(consumed, ceiling) <= level(consumed + more, ceiling)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_a_contract_says_one_thing_at_most_about_its_end(ends_on, today):
    found = alerts(replace(PLAIN, ends_on=ends_on, last_end_on=ends_on), today)
    assert len([alert for alert in found if alert.kind in (K.END, K.RENEWAL)]) <= 1
