"""The identifier an act receives from @CTES, the State's application for the contrôle de légalité.

``034-213401722-20160526-D2016_123-DE``: department on three characters, SIREN of the body, date of the act, its
internal number, letters of its nature. The State's pattern allows the internal number letters, digits and underscores,
up to fifteen; hyphens are seen in real identifiers and tolerated on reading.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import stdnum.fr.siren

#: Letters of a nature → (its number in the XML messages, its French name), in the order of the State's table.
NATURES = {
    "DE": ("1", "délibération"),
    "AR": ("2", "acte réglementaire"),
    "AI": ("3", "acte individuel"),
    "CC": ("4", "contrat, convention ou avenant"),
    "BF": ("5", "document budgétaire ou financier"),
    "AU": ("6", "autre acte"),
}
EXAMPLE = "034-213401722-20160526-D2016_123-DE"
NUMBER_MAX_LENGTH = 15

#: 001 to 095 without 020, the two départements of Corsica, and the overseas collectivities.
_DEPARTMENTS = (
    frozenset(f"{number:03d}" for number in range(1, 96) if number != 20)
    | {"02A", "02B"}
    | {"971", "972", "973", "974", "975", "976", "977", "978", "986", "987", "988"}
)
#: The acts have been sent to the préfet since the loi n° 82-213 du 2 mars 1982: an older date is a typing error.
_OLDEST = date(1982, 3, 2)
#: Hyphens that a word processor or a PDF puts in the place of the plain one.
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | {"\u00ad": ""})


class ActesIdError(ValueError):
    """The text is not an ACTES identifier; ``str(error)`` says why in a French sentence."""


@dataclass(frozen=True)
class ActesId:
    """An identifier read and checked; ``str`` gives it back in its canonical form."""

    department: str
    siren: str
    decided_on: date
    number: str
    nature: str

    def __str__(self) -> str:
        return f"{self.department}-{self.siren}-{self.decided_on:%Y%m%d}-{self.number}-{self.nature}"


def parse_actes_id(text: str) -> ActesId:
    """Reads an identifier; spaces around it, typographic hyphens and lower-case letters of codes are forgiven.

    Raises ActesIdError with the reason, the first one met from left to right.
    """
    parts = text.strip().translate(_HYPHENS).split("-")
    if parts == [""]:
        raise ActesIdError("L’identifiant ACTES est vide.")
    if len(parts) < 5:
        raise ActesIdError(
            f"{_quoted(text)} n’a pas la forme d’un identifiant ACTES\u00a0: département, SIREN, date, numéro "
            f"et nature séparés par des tirets, par exemple {EXAMPLE}."
        )
    department, siren, day, *number, nature = parts
    return ActesId(_department(department), _siren(siren), _date(day), _number("-".join(number)), _nature(nature))


def mismatches(
    actes_id: ActesId, *, siren: str, session_on: date, natures: Collection[str] = ("DE",)
) -> tuple[str, ...]:
    """What an identifier contradicts in the act it should belong to, one French sentence each; empty when it fits.

    ``siren``: nine digits, of the body that voted. ``session_on``: the day it voted. ``natures``: those that are
    accepted; a decision of the bureau or of the president is often sent as ``AU`` or ``AR``.
    """
    found = []
    if actes_id.siren != siren:
        found.append(
            f"Cet identifiant est celui d’un acte d’un autre organisme\u00a0: SIREN {actes_id.siren}, et non {siren}."
        )
    if actes_id.decided_on != session_on:
        found.append(
            f"Cet identifiant est celui d’un acte du {actes_id.decided_on:%d/%m/%Y}, "
            f"et non de la séance du {session_on:%d/%m/%Y}."
        )
    if actes_id.nature not in natures:
        expected = " ou ".join(f"{nature} ({NATURES[nature][1]})" for nature in natures)
        found.append(
            f"Cet identifiant est d’une autre nature\u00a0: {actes_id.nature} ({NATURES[actes_id.nature][1]}), "
            f"et non {expected}."
        )
    return tuple(found)


def _department(text: str) -> str:
    department = text.strip().upper()
    if department not in _DEPARTMENTS:
        raise ActesIdError(
            f"Le département {_quoted(text)} n’existe pas\u00a0: il s’écrit sur trois caractères, "
            "par exemple 034, 02A ou 974."
        )
    return department


def _siren(text: str) -> str:
    if not re.fullmatch(r"[0-9]{9}", text):
        raise ActesIdError(f"Le SIREN {_quoted(text)} est faux\u00a0: il faut neuf chiffres.")
    if not stdnum.fr.siren.is_valid(text):
        raise ActesIdError(f"Le SIREN {_quoted(text)} est faux\u00a0: sa clé ne correspond pas.")
    return text


def _date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{8}", text):
        raise ActesIdError(f"La date {_quoted(text)} est fausse\u00a0: il faut huit chiffres, année, mois et jour.")
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise ActesIdError(f"La date {_quoted(text)} n’existe pas dans le calendrier.") from error
    if day < _OLDEST:
        raise ActesIdError(f"La date {_quoted(text)} est antérieure au contrôle de légalité (loi du 2 mars 1982).")
    return day


def _number(text: str) -> str:
    if not text.strip(" -"):
        raise ActesIdError("Le numéro interne de l’acte manque, entre la date et la nature.")
    if strange := re.search(r"[^A-Za-z0-9_-]", text):
        raise ActesIdError(
            f"Le numéro interne {_quoted(text)} contient {_character(strange.group())}\u00a0: "
            "seuls les lettres sans accent, les chiffres, le tiret et le tiret bas sont admis."
        )
    if len(text) > NUMBER_MAX_LENGTH:
        raise ActesIdError(
            f"Le numéro interne {_quoted(text)} compte {len(text)} caractères\u00a0: "
            f"il en faut {NUMBER_MAX_LENGTH} au plus."
        )
    return text


def _nature(text: str) -> str:
    nature = text.strip().upper()
    if nature not in NATURES:
        raise ActesIdError(
            f"La nature {_quoted(text)} est inconnue\u00a0: il faut {', '.join(list(NATURES)[:-1])} "
            f"ou {list(NATURES)[-1]}."
        )
    return nature


def _quoted(text: str) -> str:
    """The text between French quotes, on one line, cut when it is long."""
    line = " ".join(text.split())
    return f"«\u00a0{line if len(line) <= 60 else line[:59] + '…'}\u00a0»"


def _character(character: str) -> str:
    return "une espace" if character.isspace() else _quoted(character)
