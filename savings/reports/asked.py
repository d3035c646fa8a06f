"""What a report is asked for, read from words a person typed: year, stage, cut, format. Refusals are sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from members.models import sort_key
from procurement.core.errors import BusinessError
from savings.choices import GainStage

FIRST_YEAR, LAST_YEAR = 2000, 2100

#: What ``--by`` cuts by, in the order offered.
CUTS: Mapping[str, str] = {"grouping": "Groupement", "member": "Membre", "lot": "Lot", "family": "Famille d’achats"}

_STAGES = {
    "estimated": GainStage.ESTIMATED,
    "potentiel": GainStage.ESTIMATED,
    "awarded": GainStage.AWARDED,
    "notifie": GainStage.AWARDED,
    "realised": GainStage.REALISED,
    "realise": GainStage.REALISED,
}


@dataclass(frozen=True)
class Asked:
    """One report: ``stage`` is one of ``GainStage``, ``by`` the names of ``CUTS``, in the order asked."""

    year: int
    stage: str = GainStage.AWARDED
    by: tuple[str, ...] = ("grouping",)

    @property
    def stage_label(self) -> str:
        return GainStage(self.stage).label

    @property
    def by_label(self) -> str:
        """« groupement, puis membre »."""
        return ", puis ".join(CUTS[name].lower() for name in self.by)


def read_year(year: int) -> int:
    """``year``, once it is one of the ledger. Raises BusinessError (field ``year``)."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BusinessError(
            f"{year} n’est pas un exercice\u00a0: donnez une année entre {FIRST_YEAR} et {LAST_YEAR}.", field="year"
        )
    return year


def read_stage(text: str) -> str:
    """The stage typed, in English or in French, accents or not. Raises BusinessError (field ``stage``)."""
    stage = _STAGES.get(sort_key(text).strip())
    if stage is None:
        raise BusinessError(
            f"«\u00a0{text}\u00a0» n’est pas un stade\u00a0: estimated (potentiel), awarded (notifié) ou realised "
            "(réalisé).",
            field="stage",
        )
    return stage


def read_by(text: str) -> tuple[str, ...]:
    """The cut typed, « grouping,member », in its order. Raises BusinessError (field ``by``)."""
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if name not in CUTS:
            raise BusinessError(
                f"«\u00a0{name}\u00a0» n’est pas un regroupement\u00a0: {', '.join(CUTS)}, séparés par des virgules.",
                field="by",
            )
    if not names or len(set(names)) != len(names):
        raise BusinessError(
            f"Donnez un ou plusieurs regroupements, chacun une fois\u00a0: {', '.join(CUTS)}.", field="by"
        )
    return names
