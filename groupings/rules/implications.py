"""What a procedure implies: publicity, who chooses, time to answer, standstill, and what comes with the amount.

The rows of ``tables/implications.toml``, dated and sourced, those of the code de la commande publique. What an amount
brings (a written contract, essential data…) adds to what the procedure brings.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from groupings.rules.contract_value import euros
from groupings.rules.thresholds import Procedure, threshold_on

_TABLE = Path(__file__).parent / "tables" / "implications.toml"


@dataclass(frozen=True)
class Implication:
    """One line: its subject, what is asked, where it is written. ``from_amount`` (€ excl. tax) when one decides."""

    code: str
    label: str
    text: str
    source: str
    from_amount: Decimal | None = None

    @property
    def from_told(self) -> str:
        """« à partir de 25 000 € »; empty when no amount decides."""
        return f"à partir de {euros(self.from_amount)}" if self.from_amount is not None else ""


def implications(procedure: Procedure, amount: Decimal, category: str, launched_on: date) -> list[Implication]:
    """What a contract of ``amount`` € excl. tax owes, in the order of the table.

    Raises LookupError, with a French sentence, when the tables do not hold that day: nothing is guessed.
    """
    rows = [row for row in _rows() if row["valid_from"] <= launched_on <= row["valid_to"]]
    if not rows:
        raise LookupError(
            f"Les obligations d’une consultation lancée le {launched_on:%d/%m/%Y} ne sont pas enregistrées\u00a0: les "
            "tables suivent le code de la commande publique, du 01/04/2019 au 31/12/2027."
        )
    found = []
    for row in rows:
        if procedure.code not in row["procedures"] or category not in row.get("categories", (category,)):
            continue
        start = _start(row, launched_on)
        if start is None or amount >= start:
            found.append(Implication(row["code"], row["label"], row["text"], row["source"], start))
    return found


def _start(row: dict, day: date) -> Decimal | None:
    """The amount from which the row is owed, None without any."""
    if "threshold_of" in row:  # follows the European threshold of that category, whatever is bought
        return threshold_on("formal", row["threshold_of"], day)
    return Decimal(row["amount"]) if "amount" in row else None


@lru_cache(maxsize=1)
def _rows() -> list[dict]:
    with _TABLE.open("rb") as file:
        return tomllib.load(file)["implication"]
