"""The subjects (matières) of the ACTES nomenclature: the 57 codes of its second level, in the order of the State.

A code is a text: ``7.10`` read as a number becomes ``7.1``, another subject. The third level belongs to each préfecture
and changes with its dates: it is not coded here. In the file beside this one, ``niveau1`` and ``niveau2`` are written
in full French; ``libelle_scdl_megalis`` is what the open data of Mégalis Bretagne write, accents lost.
"""

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from procurement.core.cell_parsers import normalise as bare_words
from procurement.core.documents.tabular import Cell

_FILE = Path(__file__).with_name("nomenclature_actes_niveau2.csv")
#: What a groupement's acts are filed under when nothing else is said; 1.1, 1.4 and 5.7 are seen as well.
DEFAULT = "1.7"
BUDGET, MISCELLANEOUS = "7.1", "7.10"

# Digits of a third level may follow: 1.7.2 is filed under 1.7.
_WRITTEN = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})(?:\.[0-9]{1,2})*\.?")


class _Matter(NamedTuple):
    level1: str
    level2: str
    seen_as: str


@cache
def _table() -> dict[str, _Matter]:
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return {
            row["code"]: _Matter(row["niveau1"], row["niveau2"], row["libelle_scdl_megalis"])
            for row in csv.DictReader(stream)
        }


def is_known(code: str) -> bool:
    """Whether ``code``, a text such as ``1.7``, is in the nomenclature."""
    return code in _table()


def label(code: str) -> str:
    """« Commande publique – Actes spéciaux et divers ». Raises KeyError for an unknown code."""
    return "{0.level1} – {0.level2}".format(_table()[code])


def scdl_name(code: str) -> str:
    """The DELIB_MATIERE_NOM of ``code``: « commande publique/actes spéciaux et divers ».

    SCDL wants both levels in lower case with their accents, without comma nor parenthesis, around a bare oblique.
    Raises KeyError for an unknown code.
    """
    return re.sub("[(),]", "", "{0.level1}/{0.level2}".format(_table()[code])).lower()


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices of a form field, grouped by first level: (group, [(code, « 1.7 Actes spéciaux et divers »)…])."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, matter in _table().items():
        group = groups.setdefault(f"{code.split('.')[0]} {matter.level1}", [])
        group.append((code, f"{code} {matter.level2}"))
    return list(groups.items())


def level1_names() -> frozenset[str]:
    """The nine names of the first level, in lower case without accents nor punctuation."""
    return frozenset(bare_words(matter.level1) for matter in _table().values())


def has_name(code: str, name: str) -> bool:
    """Whether ``name`` is the « level 1/level 2 » of ``code``; case, accents and punctuation do not matter."""
    return code in _table() and bare_words(name) in set(_known_names(code))


def _known_names(code: str) -> Iterator[str]:
    matter = _table()[code]
    yield bare_words(f"{matter.level1} {matter.level2}")
    yield bare_words(matter.seen_as)


def normalise(written: Cell, name: str = "") -> str:
    """The code as the nomenclature writes it: ``1,7`` and ``01.7`` give ``1.7``, ``1.7.2`` gives ``1.7``.

    ``name`` is the subject's name beside it: 7.1 (décisions budgétaires) called « Divers » was 7.10 before a tool read
    it as a number, and is 7.10 again. The code may be unknown: see ``is_known``. Raises ValueError, with a French
    sentence, when ``written`` has not the form of a code.
    """
    shown = "" if written is None else str(written).strip()
    parts = _WRITTEN.fullmatch(re.sub(r"\s", "", shown).replace(",", "."))
    if not parts:
        raise ValueError(
            f"«\u00a0{shown[:60]}\u00a0» n’est pas un code de matière\u00a0: il faut un chiffre, un point et un "
            "ou deux chiffres, comme 1.7 ou 7.10."
        )
    code = ".".join(str(int(part)) for part in parts.groups())
    if code != BUDGET:
        return code
    words = set(bare_words(name).split())
    return MISCELLANEOUS if "divers" in words and not {"decision", "decisions"} & words else BUDGET
