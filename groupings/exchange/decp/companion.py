"""Our companion of the essential data: which members a contract serves, and the share of each.

The essential data know nothing of a groupement de commandes: their only buyer is the coordinator. This csv says the
rest, one row per contract and member; published schema: ``docs/schemas/membres-des-marches.schema.json``.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from procurement.core.documents.delimited import guard_formula
from procurement.core.exports import clean_text
from procurement.core.money import round_half_up

COLUMNS = (
    "marche_id",
    "acheteur_siret",
    "membre_siren",
    "membre_siret",
    "membre_nom",
    "membre_type",
    "part_ht",
    "est_coordonnateur",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """One member of one contract. ``share``: € excl. tax, None when the shares were not entered."""

    contract: str
    buyer_siret: str
    siren: str
    siret: str
    name: str
    kind: str
    share: Decimal | None
    is_coordinator: bool


def write_members(rows: Iterable[MemberRow]) -> bytes:
    """The csv of ``rows``: UTF-8, commas, « 1200.00 », « true » and « false » (RFC 4180)."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            (
                row.contract,
                row.buyer_siret,
                row.siren,
                row.siret,
                guard_formula(clean_text(row.name).strip()),
                row.kind,
                "" if row.share is None else f"{round_half_up(row.share):f}",
                "true" if row.is_coordinator else "false",
            )
        )
    return stream.getvalue().encode()
