"""The minimum and the maximum of an accord-cadre: what the needs suggest, and when a maximum is compulsory.

The margins are a usage of buyers, without legal text: enough above the needs not to reach the maximum before the end
(beyond it nothing more may be ordered: CJUE, 17 June 2021, C-23/20), and a minimum that the members are sure to order,
since they owe it.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).parent / "tables" / "framework.toml"

#: Above the known needs, in percent.
MAXIMUM_MARGIN = Decimal(25)
#: Of the known needs, in percent: what the members commit to order.
MINIMUM_SHARE = Decimal(50)
#: Bounds are round figures, € excl. tax: the minimum down, the maximum up.
ROUNDED_TO = Decimal(1000)


@dataclass(frozen=True)
class Bounds:
    """€ excl. tax over the whole duration, extensions included; 0 ≤ minimum ≤ maximum."""

    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True)
class MaximumRule:
    """Whether a maximum is compulsory, ``since`` that day, and where it is written."""

    is_required: bool
    since: date
    source: str


def suggested_bounds(known: Decimal) -> Bounds | None:
    """From the known needs (€ excl. tax, whole duration); None when they are zero: there is nothing to bound.

    Raises ValueError for a negative amount.
    """
    if known < 0:
        raise ValueError("Un montant ne peut pas être négatif.")
    if known == 0:
        return None
    return Bounds(
        minimum=_round(known * MINIMUM_SHARE / 100, ROUND_FLOOR),
        maximum=_round(known * (100 + MAXIMUM_MARGIN) / 100, ROUND_CEILING),
    )


def lacks(unknown: int, unanswered: int) -> str:
    """What a suggestion does not hold: members whose amount is unknown, and members who have said nothing yet."""
    missing = []
    if unknown:
        missing.append(f"le montant de {unknown} membre{'s' * (unknown > 1)} qui ne le {_know(unknown)} pas")
    if unanswered:
        missing.append(f"le besoin de {unanswered} membre{'s' * (unanswered > 1)} sans réponse")
    return f"Il y manque {' et '.join(missing)}." if missing else ""


def maximum_rule(launched_on: date) -> MaximumRule:
    """For a consultation launched that day. Raises LookupError, with a French sentence, outside the table."""
    for row in _rows():
        if row["valid_from"] <= launched_on <= row.get("valid_to", date.max):
            return MaximumRule(row["is_required"], row["valid_from"], row["source"])
    raise LookupError(f"Aucune règle sur le maximum d’un accord-cadre n’est enregistrée au {launched_on:%d/%m/%Y}.")


def is_maximum_compulsory(launched_on: date) -> bool:
    """Whether an accord-cadre launched that day says a maximum; False where the table says nothing."""
    try:
        return maximum_rule(launched_on).is_required
    except LookupError:
        return False


def _know(count: int) -> str:
    return "connaissent" if count > 1 else "connaît"


def _round(amount: Decimal, rounding: str) -> Decimal:
    return ((amount / ROUNDED_TO).quantize(Decimal(1), rounding=rounding) * ROUNDED_TO).quantize(Decimal("0.01"))


@lru_cache(maxsize=1)
def _rows() -> list[dict]:
    with _TABLE.open("rb") as file:
        return tomllib.load(file)["maximum"]
