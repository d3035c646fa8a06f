"""The frozen values of a convention: exact, readable again, refused when they do not hold together."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from groupings.conventions.values import (
    FeesValues,
    MemberValues,
    NeedValues,
    canonical_json,
    from_json,
    share_fees,
    to_json,
)
from groupings.rules.legal_basis import legal_basis_on, table_rows
from tests.support.conventions import COORDINATOR, sample_values


def body(siren: str, population: int | None = None) -> MemberValues:
    return MemberValues(siren, siren, "commune", "du conseil municipal", "Maire", population=population)


def amounts(fees: FeesValues) -> list[Decimal | None]:
    return [share.amount for share in fees.shares]


def test_values_survive_json_and_keep_their_fingerprint():
    values = sample_values(members=5, lots=2, voted=False, committee_mode="SPECIFIC", notes=("Source : bilan 2016",))
    data = json.loads(json.dumps(to_json(values)))
    again = from_json(data)
    assert again == values and hash(again) == hash(values)
    assert again.sha256 == values.sha256
    assert data["as_of"] == "2027-03-15"
    # First member, first lot: 1 000 000 + 13 cents.
    assert data["needs"][0] == {"siren": COORDINATOR, "lot": 1, "estimated_amount_excl_tax": "10000.13"}
    assert data["members"][-1]["deliberation"] is None


def test_the_canonical_json_has_one_form():
    values = sample_values(members=3, lots=1)
    text = canonical_json(values)
    assert text == canonical_json(from_json(json.loads(text)))
    assert ": " not in text and "Métropole" in text
    assert replace(values, title="Autre").sha256 != values.sha256
    # 10 € and 10.00 € are the same amount
    needs = tuple(NeedValues(n.siren, n.lot, Decimal("10")) for n in values.needs)
    cents = tuple(NeedValues(n.siren, n.lot, Decimal("10.00")) for n in values.needs)
    assert replace(values, needs=needs).sha256 == replace(values, needs=cents).sha256


def test_another_schema_is_refused():
    with pytest.raises(ValueError, match="Schéma"):
        from_json({**to_json(sample_values(members=3, lots=1)), "schema": 99})


def test_draft_until_every_decision_is_enforceable():
    assert not sample_values(members=4).is_draft
    assert sample_values(members=4, voted=False).is_draft
    values = sample_values(members=4)
    voted = replace(values.members[1].deliberation, executory_on=None)
    members = [values.members[0], replace(values.members[1], deliberation=voted), *values.members[2:]]
    assert replace(values, members=tuple(members)).is_draft
    members[1] = replace(members[1], deliberation=None, is_deliberation_waived=True)
    assert not replace(values, members=tuple(members)).is_draft


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"legal_vehicle": "ugap"}, "ne s’établit que pour un groupement"),
        ({"coordinator_siren": "000000000"}, "coordonnateur doit être membre"),
        ({"needs": (NeedValues("999999999", 1, Decimal(1)),)}, "étranger au groupement"),
        ({"needs": (NeedValues(COORDINATOR, 9, Decimal(1)),)}, "étranger au groupement"),
        ({"needs": (NeedValues(COORDINATOR, 1, Decimal(-1)),)}, "négatif"),
        ({"needs": (NeedValues(COORDINATOR, 1, Decimal(1)),) * 2}, "deux besoins"),
        ({"coordinator_has_own_need": False}, "clause de ses statuts"),
        ({"coordinator_has_own_need": False, "statutes_clause_ref": "article 5"}, "à titre gratuit"),
        ({"fees": FeesValues("EQUAL_SHARES", Decimal(10))}, "somme des parts"),
        ({"fees": FeesValues("FLAT_FEE", None)}, "forfait"),
        ({"fees": FeesValues("FLAT_FEE", Decimal(0), (), Decimal(-1))}, "dépassent leur plafond"),
    ],
)
def test_what_forbids_a_convention_is_said_in_french(changes, sentence):
    assert sample_values(members=4, lots=2).problems() == []
    found = sample_values(members=4, lots=2, **changes).problems()
    assert any(sentence in problem for problem in found), found


def test_a_commune_whose_population_is_unknown_has_no_key_to_print():
    values = sample_values(members=3, lots=1, fee_rule="POPULATION", fee_base=None)
    assert values.problems() == []
    unknown = replace(values.members[1], population=None)
    problems = replace(values, members=(values.members[0], unknown, *values.members[2:])).problems()
    assert [p for p in problems if unknown.name in p and "annexe 3" in p]


def test_one_member_is_no_grouping_and_a_siren_counts_once():
    values = sample_values(members=2, lots=1)
    assert any("deux membres" in p for p in replace(values, members=values.members[:1], needs=()).problems())
    assert any("même SIREN" in p for p in replace(values, members=values.members[:1] * 2).problems())


def test_the_coordinator_s_committee_needs_integration_before_april_2016():
    changes = {"integration_level": "COORDINATED", "committee_mode": "COORDINATOR"}
    assert any("article 8, VII" in p for p in sample_values(as_of=date(2016, 3, 15), **changes).problems())
    assert sample_values(as_of=date(2016, 4, 15), **changes).problems() == []
    assert sample_values(as_of=date(2016, 3, 15), committee_mode="COORDINATOR").problems() == []


def test_fees_of_domain_md_section_8():
    three = [body("a", 2239), body("b", 6722), body("c", 9060)]
    base = Decimal("1000.00")
    thirds = [Decimal("333.34"), Decimal("333.33"), Decimal("333.33")]
    assert amounts(share_fees("EQUAL_SHARES", base=base, members=three)) == thirds
    by_population = [Decimal("124.24"), Decimal("373.01"), Decimal("502.75")]
    assert amounts(share_fees("POPULATION", base=base, members=three)) == by_population


def test_fees_by_estimated_amount_add_the_lots_of_each_member():
    needs = [NeedValues("a", 1, Decimal(100)), NeedValues("a", 2, Decimal(200)), NeedValues("b", 1, Decimal(100))]
    for rule in ("ESTIMATED_AMOUNT", "ACTUAL_SPEND"):
        fees = share_fees(rule, base=Decimal(10), members=[body("a"), body("b"), body("c")], needs=needs)
        assert amounts(fees) == [Decimal("7.50"), Decimal("2.50"), Decimal("0.00")]
        assert fees.total == Decimal("10.00")


def test_fees_free_flat_and_unknown():
    two = [body("a", 10), body("b")]
    assert share_fees("FREE", base=Decimal(10), members=two) == FeesValues("FREE")
    flat = share_fees("FLAT_FEE", base=Decimal("150"), ceiling=Decimal(400), members=two)
    assert amounts(flat) == [Decimal("150.00")] * 2
    assert (flat.total, flat.ceiling) == (Decimal(300), Decimal(400))
    unknown = share_fees("POPULATION", base=None, members=two)
    assert (amounts(unknown), unknown.total) == ([None, None], None)


def test_fees_without_any_key_are_refused():
    with pytest.raises(ValueError, match="clé"):
        share_fees("POPULATION", base=Decimal(10), members=[body("a"), body("b")])


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2016, 3, 31), "CMP_8"),
        (date(2016, 4, 1), "ORD_2015_899_28"),
        (date(2019, 3, 31), "ORD_2015_899_28"),
        (date(2019, 4, 1), "CCP_L2113_6"),
        (date(2027, 1, 1), "CCP_L2113_6"),
    ],
)
def test_the_law_of_the_day(day, code):
    assert legal_basis_on(day).code == code


def test_the_law_on_personal_data_changes_on_25_may_2018():
    assert "RGPD" not in legal_basis_on(date(2018, 5, 24)).data_protection
    assert "RGPD" in legal_basis_on(date(2018, 5, 25)).data_protection


def test_members_are_jointly_liable_since_2016_only():
    assert not legal_basis_on(date(2016, 3, 31)).joint_liability
    assert "article 28" in legal_basis_on(date(2016, 4, 1)).joint_liability
    assert "L. 2113-7" in legal_basis_on(date(2019, 4, 1)).joint_liability


def test_before_the_oldest_text_no_law_is_invented():
    with pytest.raises(LookupError, match="31/08/2006"):
        legal_basis_on(date(2006, 8, 31))


@pytest.mark.parametrize("table", ["basis", "data_protection"])
def test_dated_rows_follow_one_another_and_each_has_its_source(table):
    rows = table_rows()[table]
    for row, following in pairwise(rows):
        assert (following["valid_from"] - row["valid_to"]).days == 1
    assert "valid_to" not in rows[-1]
    assert all(row["source"].strip() for row in rows)
