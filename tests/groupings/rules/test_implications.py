"""What a procedure implies: every line of domain.md §4.3 and §4.4, and its source."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.rules.implications import implications
from groupings.rules.thresholds import procedure

TODAY = date(2026, 9, 1)
CATEGORIES = ["supplies", "services", "works", "social_services"]


def found(amount, category="supplies", on=TODAY):
    amount = Decimal(amount)
    return {line.code: line for line in implications(procedure(amount, category, on), amount, category, on)}


def test_a_formalised_procedure():
    lines = found("240000")
    assert "BOAMP" in lines["publicity"].text
    assert "JOUE" in lines["publicity"].text
    assert "commission d’appel d’offres (CAO)" in lines["choice"].text
    assert lines["choice"].source == "CGCT, L1414-2 et L1414-3"
    assert "30 jours" in lines["delay"].text
    assert "35 sinon" in lines["delay"].text
    assert "11 jours par voie électronique, 16 sinon" in lines["standstill"].text
    assert lines["standstill"].source == "CCP, R2182-1 et R2182-2"
    assert lines["legality"].from_amount == Decimal(216000)
    assert {"written", "profile", "essential_data", "award_notice", "short_delay"} <= set(lines)


def test_an_adapted_procedure_with_a_notice():
    lines = found("90000")
    assert "BOAMP ou dans un journal d’annonces légales" in lines["publicity"].text
    assert "JOUE" not in lines["publicity"].text
    assert "CAO n’est pas compétente" in lines["choice"].text
    assert "20 jours conseillés" in lines["delay"].text
    assert lines["standstill"].text.startswith("Pas obligatoire")
    assert "legality" not in lines


def test_a_free_publicity_and_none():
    assert found("60000")["publicity"].text.startswith("Publicité libre")
    assert found("59999.99")["publicity"].text.startswith("Aucun avis obligatoire")
    assert "profile" not in found("59999.99")


@pytest.mark.parametrize(
    ("amount", "on", "code", "is_owed"),
    [
        ("25000", TODAY, "written", True),
        ("24999.99", TODAY, "written", False),
        ("40000", TODAY, "essential_data", True),
        ("39999.99", TODAY, "essential_data", False),
        ("25000", date(2019, 12, 31), "essential_data", True),
        ("40000", date(2026, 3, 31), "profile", True),
        ("60000", date(2026, 4, 1), "profile", True),
        ("216000", TODAY, "legality", True),
        ("215999.99", TODAY, "legality", False),
        ("215000", date(2025, 12, 15), "legality", False),  # 221 000 until the end of 2025
    ],
)
def test_what_comes_with_the_amount(amount, on, code, is_owed):
    assert (code in found(amount, on=on)) is is_owed


def test_works_are_sent_to_the_prefect_from_the_threshold_of_supplies():
    assert "legality" in found("216000", "works")


def test_social_services_may_stay_adapted():
    assert "R2123-1, 3°" in found("750000", "social_services")["social"].source
    assert "social" not in found("750000")


@pytest.mark.parametrize("on", [date(2019, 3, 31), date(2028, 1, 1)])
def test_a_day_outside_the_tables_is_not_guessed(on):
    with pytest.raises(LookupError, match="ne sont pas enregistrées"):
        implications(procedure(Decimal(1), "supplies", TODAY), Decimal(1), "supplies", on)


@given(
    amount=st.decimals(0, 10_000_000, places=2),
    category=st.sampled_from(CATEGORIES),
    on=st.dates(date(2019, 4, 1), date(2027, 12, 31)),
)
def test_each_subject_is_told_once_with_its_source(amount, category, on):
    lines = implications(procedure(amount, category, on), amount, category, on)
    codes = [line.code for line in lines]
    assert len(codes) == len(set(codes))
    assert {"publicity", "choice", "delay", "standstill"} <= set(codes)
    assert all(line.source and line.text.endswith(".") for line in lines)
