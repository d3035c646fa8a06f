"""Which law governs a convention constitutive, by the date it bears.

The texts are rows of ``tables/legal_basis.toml``, dated and sourced, that a jurist can read and correct. The row in
force is copied into the convention's frozen values: a later change of the law never rewrites a signed document.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).parent / "tables" / "legal_basis.toml"


@dataclass(frozen=True)
class LegalBasis:
    """The texts of one period, each as it follows a preposition-less noun group (« l’article 8 du… »).

    ``joint_liability`` cites the text that makes members jointly liable, and is empty when none did.
    ``coordinator_committee_needs_integration``: the coordinator's committee may act only when it signs for all.
    """

    code: str
    article: str
    visas: tuple[str, ...]
    rules: str
    tender_committee: str
    coordinator_committee: str
    coordinator_committee_needs_integration: bool
    joint_liability: str
    data_protection: str
    source: str


def legal_basis_on(day: date) -> LegalBasis:
    """The texts in force on ``day``, the date of the convention.

    Raises LookupError, with a French sentence, for a day before the oldest row.
    """
    basis = _row_on("basis", day)
    return LegalBasis(
        code=basis["code"],
        article=basis["article"],
        visas=tuple(basis["visas"]),
        rules=basis["rules"],
        tender_committee=basis["tender_committee"],
        coordinator_committee=basis["coordinator_committee"],
        coordinator_committee_needs_integration=basis["coordinator_committee_needs_integration"],
        joint_liability=basis["joint_liability"],
        data_protection=_row_on("data_protection", day)["citation"],
        source=basis["source"],
    )


def _row_on(table: str, day: date) -> dict:
    for row in table_rows()[table]:
        if row["valid_from"] <= day <= row.get("valid_to", date.max):
            return row
    raise LookupError(f"Aucun texte enregistré ne régit un groupement de commandes à la date du {day:%d/%m/%Y}.")


@lru_cache(maxsize=1)
def table_rows() -> dict[str, list[dict]]:
    """The rows as written in the table, in the order of their dates."""
    with _TABLE.open("rb") as file:
        return tomllib.load(file)
