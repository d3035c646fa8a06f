"""What each kind of body calls its assembly and its executive: legal names, derived and never typed."""

from dataclasses import dataclass

from django.db import models


class Kind(models.TextChoices):
    METROPOLE = "metropole", "Métropole"
    EPCI = "epci", "Communauté ou autre EPCI"
    COMMUNE = "commune", "Commune"
    CCAS = "ccas", "CCAS ou CIAS"
    SYNDICATE = "syndicat", "Syndicat"
    OTHER = "other", "Autre organisme"


@dataclass(frozen=True)
class Body:
    """Titles of one kind of body.

    ``assembly`` with its article ("le conseil municipal"), ``of_assembly`` as it follows a noun ("du conseil
    municipal"); executive and deputy as (masculine, feminine).
    """

    assembly: str
    of_assembly: str
    head: tuple[str, str]
    deputy: tuple[str, str]
    source: str

    def title(self, capacity: str, *, feminine: bool) -> str:
        """The capacity in which a person signs, agreed in gender."""
        return (self.deputy if capacity == "deputy" else self.head)[feminine]


_PRESIDENT = ("Président", "Présidente")
_VICE_PRESIDENT = ("Vice-président", "Vice-présidente")

BODIES: dict[Kind, Body] = {
    Kind.METROPOLE: Body(
        "le conseil de métropole", "du conseil de métropole", _PRESIDENT, _VICE_PRESIDENT, "CGCT, L5211-1 et L5217-1"
    ),
    Kind.EPCI: Body(
        "le conseil communautaire", "du conseil communautaire", _PRESIDENT, _VICE_PRESIDENT, "CGCT, L5211-1"
    ),
    Kind.COMMUNE: Body(
        "le conseil municipal",
        "du conseil municipal",
        ("Maire", "Maire"),
        ("Adjoint au maire", "Adjointe au maire"),
        "CGCT, L2121-29",
    ),
    Kind.CCAS: Body(
        "le conseil d’administration",
        "du conseil d’administration",
        _PRESIDENT,
        _VICE_PRESIDENT,
        "CASF, R123-20 et L123-8",
    ),
    Kind.SYNDICATE: Body("le comité syndical", "du comité syndical", _PRESIDENT, _VICE_PRESIDENT, "CGCT, L5211-1"),
    Kind.OTHER: Body(
        "l’organe délibérant", "de l’organe délibérant", _PRESIDENT, _VICE_PRESIDENT, "statuts de l’organisme"
    ),
}
