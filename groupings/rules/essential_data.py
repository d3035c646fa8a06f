"""From which amount the essential data of a contract are published, by the day it was notified.

The amounts are rows of ``tables/essential_data.toml``, dated and sourced.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from procurement.core.calendar import add_months

_TABLE = Path(__file__).parent / "tables" / "essential_data.toml"


@dataclass(frozen=True)
class PublicationThreshold:
    """``amount`` (€ excl. tax) is reached or passed by the contracts to publish; in force ``since`` that day."""

    amount: Decimal
    since: date
    source: str


def publication_threshold(notified_on: date) -> PublicationThreshold:
    """The threshold for a contract notified that day.

    Raises LookupError, with a French sentence, for a day the table does not hold: nothing is guessed.
    """
    for row in _rows():
        if row["valid_from"] <= notified_on <= row.get("valid_to", date.max):
            return PublicationThreshold(Decimal(row["amount"]), row["valid_from"], row["source"])
    raise LookupError(f"Aucun seuil de publication n’est enregistré pour une notification du {notified_on:%d/%m/%Y}.")


def publication_deadline(notified_on: date) -> date:
    """The last day to publish: within two months of the notification (CCP, R2196-1)."""
    return add_months(notified_on, 2)


@lru_cache(maxsize=1)
def _rows() -> list[dict]:
    with _TABLE.open("rb") as file:
        return tomllib.load(file)["publication"]
