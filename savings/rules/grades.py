"""The grade of a reference price: what its method is worth, less what weakens it (after the DAE's method, 2025)."""

_BY_METHOD = {
    "HISTORIC_PRICE": "A",
    "HISTORIC_PRICE_INDEXED": "A",
    "PEER_PRICE": "B",
    "MARKET_STUDY": "B",
    "MEAN_OF_OFFERS": "C",
    "BUDGET_ESTIMATE": "D",
}
_ORDER = "ABCD"
#: Without a file that proves it, a reference is worth no more than this.
_WITHOUT_EVIDENCE = "C"


def grade(method: str, *, has_evidence: bool, is_late: bool, same_perimeter: bool) -> str:
    """``A`` to ``D`` for a reference of that ``method``.

    A late one (frozen after the offers' deadline) is D whatever its method. Another perimeter (quantity or
    specification) costs one grade. Grades A and B ask for evidence: without it, C at best.
    Raises KeyError for an unknown method.
    """
    if is_late:
        return "D"
    rank = _ORDER.index(_BY_METHOD[method]) + (0 if same_perimeter else 1)
    if not has_evidence:
        rank = max(rank, _ORDER.index(_WITHOUT_EVIDENCE))
    return _ORDER[min(rank, len(_ORDER) - 1)]
