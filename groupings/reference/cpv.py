"""The common procurement vocabulary (CPV 2008, règlement (CE) n° 213/2008): codes, French labels, search.

The list is the file beside this one, read once; its licence is in LICENCE.md.
"""

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("cpv_2008_fr.csv")
_WRITTEN = re.compile(r"([0-9]{8})(?:\s*-\s*([0-9]))?")


class CpvCode(NamedTuple):
    """One code: its eight digits and its French label."""

    code: str
    label: str


@cache
def _table() -> dict[str, tuple[str, str]]:
    """code → (check digit, French label)"""
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return {row["code"]: (row["cle"], row["libelle_fr"]) for row in csv.DictReader(stream)}


@cache
def _keys() -> list[tuple[str, CpvCode]]:
    # The space in front lets one search find the beginnings of words.
    return [(" " + _normalise(words), CpvCode(code, words)) for code, (_, words) in _table().items()]


def _normalise(words: str) -> str:
    bare = unicodedata.normalize("NFKD", words.casefold().replace("œ", "oe"))
    bare = "".join(character for character in bare if not unicodedata.combining(character))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())


def is_known(code: str) -> bool:
    """Whether ``code``, eight digits without check digit, is in the list."""
    return code in _table()


def label(code: str) -> str:
    """The French label of ``code`` (eight digits). Raises KeyError for an unknown code."""
    return _table()[code][1]


def parse(text: str) -> str:
    """The eight digits of a code typed as ``09130000`` or ``09130000-9``.

    Raises ValueError, with a French sentence, for another form, an unknown code, or a wrong check digit.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if not written:
        raise ValueError(f"«\u00a0{text.strip()[:60]}\u00a0» n’est pas un code CPV\u00a0: il faut huit chiffres.")
    code, check_digit = written.groups()
    if not is_known(code):
        raise ValueError(f"Le code CPV {code} n’est pas dans la nomenclature de 2008.")
    if check_digit is not None and check_digit != _table()[code][0]:
        raise ValueError(f"La clé du code CPV {code} est {_table()[code][0]}, et non {check_digit}.")
    return code


def search(text: str, limit: int = 20) -> list[CpvCode]:
    """At most ``limit`` codes whose label holds the beginning of every word of ``text``, or whose digits begin so.

    Accents and case do not matter. Labels that begin with the text come first, then the broader codes.
    """
    asked = _normalise(text)
    if not asked or limit < 1:
        return []
    if re.fullmatch(r"[0-9 ]+", asked):
        digits = asked.replace(" ", "")[:8]
        return [code for _, code in _keys() if code.code.startswith(digits)][:limit]
    words = [" " + word for word in asked.split()]
    found = [(key, code) for key, code in _keys() if all(word in key for word in words)]
    found.sort(key=lambda pair: (not pair[0].startswith(" " + asked), _depth(pair[1].code), pair[1].code))
    return [code for _, code in found[:limit]]


def _depth(code: str) -> int:
    """How precise a code is: the number of its digits before the closing zeros, divisions (two) first."""
    return max(2, len(code.rstrip("0")))
