"""The fingerprint of a budget year: one canonical text for its entries, one SHA-256 of that text.

The text is UTF-8, one line per entry, each ended by a line feed, after a heading line. A line is a JSON array without
spaces nor escapes, its values in the order of ``COLUMNS``: whole numbers as they are, prices and quantities as exact
decimal text without final zeros, an instant in UTC to the microsecond, an unknown value as null. Entries come in the
order of their number. Whoever holds the entries computes the same 64 characters, without this product.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

HEADING = "registre-des-gains/1"
#: What the ledger holds of an entry, then what proves it: the prices of its line, and the hash of its evidence.
COLUMNS = (
    "id",
    "line_id",
    "kind",
    "territory_id",
    "grouping_id",
    "lot_id",
    "membership_id",
    "organisation_id",
    "family",
    "stage",
    "grade",
    "is_one_off",
    "year",
    "origin_year",
    "months",
    "baseline_budget_cents",
    "baseline_purchase_cents",
    "obtained_cents",
    "budget_gain_cents",
    "purchase_gain_cents",
    "posted_at",
    "line__quantity",
    "line__price_before",
    "line__index_factor",
    "line__price_obtained",
    "line__baseline__evidence__sha256",
)


def canonical(value: object) -> object:
    """``value`` as JSON writes it, one way only. Raises TypeError for a float: it has no exact text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    raise TypeError(f"Valeur sans écriture exacte\u00a0: {type(value).__name__}.")


class YearHash:
    """The fingerprint of a year, fed entry by entry: memory does not grow with the year."""

    def __init__(self, year: int):
        self._hash = hashlib.sha256(f"{HEADING} {year} {','.join(COLUMNS)}\n".encode())
        self.count = 0

    def add(self, entry: Iterable[object]) -> None:
        """The values of one entry, in the order of ``COLUMNS``. Raises ValueError when some are missing."""
        values = [canonical(value) for value in entry]
        if len(values) != len(COLUMNS):
            raise ValueError("Une écriture n’a pas toutes ses colonnes.")
        self._hash.update(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self.count += 1

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
