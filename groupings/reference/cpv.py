"""The Common Procurement Vocabulary of 2008: 9,454 codes with their French labels.

Source: règlement (CE) n° 213/2008; labels of the European Union, Publications Office (CC BY 4.0).
"""

import csv
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("cpv_2008_fr.csv")
_CODE = re.compile(r"(\d{8})(?:-(\d))?")


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[str, str]]:
    """code → (check digit, French label)."""
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return {row["code"]: (row["cle"], row["libelle_fr"]) for row in csv.DictReader(stream)}


def is_known(code: str) -> bool:
    """Whether the eight digits are in the list."""
    return code in _table()


def label(code: str) -> str:
    """The French label of a code; raises KeyError when the list has none."""
    return _table()[code][1]


def parse(text: str) -> str:
    """Read ``30192000`` or ``30192000-1`` and return the eight digits.

    Raises ValueError, with the French sentence to show, for an unknown code or a wrong check digit.
    """
    match = _CODE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"« {text} » n’est pas un code CPV : huit chiffres, par exemple 30192000.")
    code, digit = match.groups()
    if not is_known(code):
        raise ValueError(f"Le code CPV {code} n’est pas dans la nomenclature de 2008.")
    if digit and digit != _table()[code][0]:
        raise ValueError(f"La clé du code CPV {code} est {_table()[code][0]}, et non {digit}.")
    return code


def search(text: str, limit: int = 20) -> list[tuple[str, str]]:
    """Codes whose number starts with ``text`` or whose label holds all its words, accents ignored."""
    wanted = _plain(text).split()
    if not wanted:
        return []
    found = [
        (code, row[1])
        for code, row in _table().items()
        if code.startswith(wanted[0]) or all(word in _plain(row[1]) for word in wanted)
    ]
    return found[:limit]


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
