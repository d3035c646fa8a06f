"""The value of a contract: an accord-cadre at its maximum, unknown amounts told, the sentence of the issue."""

from datetime import date
from decimal import Decimal

from groupings.rules.contract_value import ContractValue, LotValue, names
from groupings.rules.thresholds import procedure

TODAY = date(2026, 9, 1)


def lot(number=1, needs="0", **fields):
    if "maximum" in fields:
        fields |= {"is_framework": True, "maximum": Decimal(fields["maximum"])}
    return LotValue(number, number, f"Lot {number}", Decimal(needs), **fields)


def test_twelve_members_of_five_thousand_a_year_over_four_years():
    """domain.md §8: formal, though each of them buys 20 000 €."""
    value = ContractValue(12, (lot(needs=str(12 * 5000 * 4)),))
    assert value.total == Decimal(240000)
    assert value.told(procedure(value.total, "supplies", TODAY)) == (
        "240\u202f000\u00a0€ HT pour 12 membres\u00a0: procédure formalisée, "
        "seuil 216\u202f000\u00a0€ depuis le 01/01/2026"
    )


def test_the_example_of_the_doctrine_counts_four_years():
    """(600 000 + 120 000 + 240 000) × 4 = 3 840 000 € (domain.md §4.4)."""
    yearly = [600_000, 120_000, 240_000]
    value = ContractValue(3, tuple(lot(place, str(amount * 4)) for place, amount in enumerate(yearly, start=1)))
    assert value.total == Decimal(3_840_000)


def test_an_accord_cadre_counts_at_its_maximum_and_then_nothing_is_unknown():
    framework = lot(1, "100000", maximum="150000", unknown=("Sarlat",))
    assert framework.amount == Decimal(150000)
    value = ContractValue(2, (framework, lot(2, "50000.50")))
    assert value.total == Decimal("200000.50")
    assert value.is_known
    assert value.gaps == []


def test_without_its_maximum_it_counts_its_needs_and_the_page_says_so():
    framework = lot(3, "100000", is_framework=True)
    assert framework.amount == Decimal(100000)
    assert "le maximum manque" in framework.remarks(TODAY)[0]
    assert "R2162-4" in framework.remarks(TODAY)[0]
    assert framework.remarks(date(2021, 12, 31)) == []  # compulsory since 1 January 2022


def test_an_unknown_amount_is_told_and_is_not_zero():
    value = ContractValue(3, (lot(1, "10", unknown=("A", "B")), lot(2, "5", unknown=("B",))), silent=("C",))
    assert value.unknown == ("A", "B")
    assert value.gaps == ["montant inconnu pour 2 membres", "pas de réponse au recensement de 1 membre"]
    assert not value.is_known


def test_a_maximum_below_the_needs_or_made_for_those_who_left():
    assert "inférieur aux besoins" in lot(1, "200", maximum="150").remarks(TODAY)[0]
    left = lot(1, "200", maximum="300", departed=Decimal(100))
    assert "Réexaminez-le" in left.remarks(TODAY)[0]
    assert lot(1, "200", maximum="250", departed=Decimal(100)).remarks(TODAY) == []  # it was looked at since
    assert lot(1, "200", maximum="300").remarks(TODAY) == []


def test_an_exempt_value_is_under_its_threshold():
    value = ContractValue(1, (lot(needs="20000"),))
    assert value.told(procedure(value.total, "supplies", TODAY)) == (
        "20\u202f000\u00a0€ HT pour 1 membre\u00a0: sans publicité ni mise en concurrence obligatoires, "
        "sous le seuil 60\u202f000\u00a0€ depuis le 01/04/2026"
    )
    assert value.told(None) == "20\u202f000\u00a0€ HT pour 1 membre"


def test_no_lot_is_worth_zero():
    assert ContractValue(0, ()).total == Decimal("0.00")


def test_long_lists_of_names_are_cut():
    assert names("ABCDEFG") == "A, B, C, D, E et 2 autres"
    assert names(["A"]) == "A"
