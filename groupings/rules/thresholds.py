"""Which procedure an amount calls for, by category and by the date the consultation is launched.

The amounts are rows of ``tables/thresholds.toml``, dated and sourced. The value to compare is that of all members, all
lots, over the whole duration with its extensions (CCP, R2121-1 and following): a grouping can push a small commune's
purchase over the European threshold.
"""

import tomllib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from procurement.core.money import format_euros

_TABLE = Path(__file__).parent / "tables" / "thresholds.toml"
EXEMPT, ADAPTED, ADAPTED_ADVERTISED, FORMAL = "exempt", "adapted", "adapted_advertised", "formal"
LABELS = {
    EXEMPT: "sans publicité ni mise en concurrence obligatoires",
    ADAPTED: "procédure adaptée",
    ADAPTED_ADVERTISED: "procédure adaptée avec avis publié",
    FORMAL: "procédure formalisée",
}


_CATEGORIES = {
    "supplies": "fournitures",
    "services": "services",
    "works": "travaux",
    "social_services": "services sociaux et spécifiques",
}


@dataclass(frozen=True)
class Procedure:
    """The procedure of one amount. ``threshold`` (€ excl. tax) is the one that decided, in force ``since`` that day."""

    code: str
    threshold: Decimal
    since: date
    source: str

    @property
    def label(self) -> str:
        return LABELS[self.code]

    @property
    def sentence(self) -> str:
        """« procédure formalisée, seuil de 216 000,00 € HT depuis le 01/01/2026 »."""
        return f"{self.label}, seuil de {format_euros(self.threshold)} HT depuis le {self.since:%d/%m/%Y}"


def procedure(amount: Decimal, category: str, launched_on: date) -> Procedure:
    """The procedure of a consultation of ``amount`` € excl. tax launched that day; a threshold reached is passed.

    ``category``: supplies, services, works or social_services. Raises ValueError for a negative amount, LookupError,
    with a French sentence, for a category or a date the tables do not hold: nothing is guessed.
    """
    if amount < 0:
        raise ValueError("Un montant ne peut pas être négatif.")
    exempt, advertised, formal = (_row(table, category, launched_on) for table in ("exempt", "advertised", "formal"))
    # In works the dispense stands above the amount of the compulsory notice: below it, nothing is compulsory.
    if amount < exempt["amount"]:
        return _procedure(EXEMPT, exempt)
    if amount >= formal["amount"]:
        return _procedure(FORMAL, formal)
    if amount >= advertised["amount"]:
        return _procedure(ADAPTED_ADVERTISED, advertised)
    return _procedure(ADAPTED, exempt)


@dataclass(frozen=True)
class NextThreshold:
    """The first amount above (€ excl. tax) that calls for a heavier procedure, and how far it is."""

    procedure: Procedure
    distance: Decimal


def next_threshold(amount: Decimal, category: str, launched_on: date) -> NextThreshold | None:
    """What a larger ``amount`` would reach first; None above the European threshold. Raises as ``procedure`` does."""
    here = procedure(amount, category, launched_on)
    above = sorted(
        row["amount"]
        for row in (_row(table, category, launched_on) for table in ("exempt", "advertised", "formal"))
        if row["amount"] > amount
    )
    for threshold in above:
        there = procedure(Decimal(threshold), category, launched_on)
        if there.code != here.code:
            return NextThreshold(replace(there, threshold=Decimal(threshold)), threshold - amount)
    return None


def threshold_on(table: str, category: str, day: date) -> Decimal:
    """The amount (€ excl. tax) of one table, « exempt », « advertised » or « formal ». Raises LookupError."""
    return Decimal(_row(table, category, day)["amount"])


def _procedure(code: str, row: dict) -> Procedure:
    return Procedure(code, Decimal(row["amount"]), row["valid_from"], row["source"])


def _row(table: str, category: str, day: date) -> dict:
    for row in _rows()[table]:
        if category in row["categories"] and row["valid_from"] <= day <= row.get("valid_to", date.max):
            return row
    told = _CATEGORIES.get(category, category)
    raise LookupError(f"Aucun seuil n’est enregistré pour la catégorie «\u00a0{told}\u00a0» au {day:%d/%m/%Y}.")


@lru_cache(maxsize=1)
def _rows() -> dict[str, list[dict]]:
    with _TABLE.open("rb") as file:
        return tomllib.load(file)
