"""The grade of a reference price (users.md §3.2): its method, then what weakens it."""

import pytest

from savings.choices import BaselineMethod
from savings.rules.grades import grade

WHOLE = {"has_evidence": True, "is_late": False, "same_perimeter": True}
BY_METHOD = {
    "HISTORIC_PRICE": "A",
    "HISTORIC_PRICE_INDEXED": "A",
    "PEER_PRICE": "B",
    "MARKET_STUDY": "B",
    "MEAN_OF_OFFERS": "C",
    "BUDGET_ESTIMATE": "D",
}


@pytest.mark.parametrize(("method", "wanted"), BY_METHOD.items())
def test_by_its_method(method, wanted):
    """users.md §3.2: prix payé, autre acheteur, devis, moyenne des offres, budget are worth A, B, B, C, D."""
    assert grade(method, **WHOLE) == wanted


def test_every_method_of_the_product_has_its_grade():
    assert set(BY_METHOD) == set(BaselineMethod.values)


@pytest.mark.parametrize("method", BY_METHOD)
@pytest.mark.parametrize("has_evidence", [True, False])
def test_written_too_late_it_is_worth_d(method, has_evidence):
    assert grade(method, **WHOLE | {"is_late": True, "has_evidence": has_evidence}) == "D"


@pytest.mark.parametrize(("method", "wanted"), list(zip(BY_METHOD, "CCCCCD", strict=True)))
def test_without_evidence_it_is_worth_c_at_best(method, wanted):
    assert grade(method, **WHOLE | {"has_evidence": False}) == wanted


@pytest.mark.parametrize(("method", "wanted"), list(zip(BY_METHOD, "BBCCDD", strict=True)))
def test_another_perimeter_costs_one_grade(method, wanted):
    assert grade(method, **WHOLE | {"same_perimeter": False}) == wanted


@pytest.mark.parametrize(("method", "wanted"), list(zip(BY_METHOD, "CCCCDD", strict=True)))
def test_another_perimeter_without_evidence(method, wanted):
    """A falls to B for its perimeter, then to C for want of evidence: the worse of the two, not their sum."""
    assert grade(method, has_evidence=False, is_late=False, same_perimeter=False) == wanted


def test_an_unknown_method_is_no_grade():
    with pytest.raises(KeyError):
        grade("SITUATION", **WHOLE)
