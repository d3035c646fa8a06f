"""Every commune of France and every EPCI à fiscalité propre with its members, and how to find one by name.

The data is one compact file beside this one, written by ``manage.py compile_reference`` (README.md tells its source
and its licence) and read once per process, on first use.
"""

import gzip
import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

DATA_FILE = Path(__file__).with_name("territories.json.gz")

NATURES = {
    "METRO": "Métropole",
    "MET69": "Métropole de Lyon",
    "CU": "Communauté urbaine",
    "CA": "Communauté d’agglomération",
    "CC": "Communauté de communes",
}
_ABBREVIATIONS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}


class Commune(NamedTuple):
    """A commune: INSEE code, SIREN ("" for the few without), population (see README.md), SIREN of its EPCI or ""."""

    insee_code: str
    siren: str
    name: str
    population: int | None
    epci_siren: str

    @property
    def typographic_name(self) -> str:
        """Its name with the apostrophe of printed French: the file has the typewriter's."""
        return self.name.replace("'", "’")

    @property
    def department(self) -> str:
        """Its département, ``34``, ``2A`` or ``974``: the first characters of the INSEE code."""
        return self.insee_code[: 3 if self.insee_code.startswith(("97", "98")) else 2]


class Epci(NamedTuple):
    """An EPCI à fiscalité propre: ``nature`` is METRO, MET69, CU, CA or CC; members from the most populated down."""

    siren: str
    name: str
    nature: str
    population: int
    members: tuple[Commune, ...]

    @property
    def nature_label(self) -> str:
        """« Métropole », « Communauté de communes »…"""
        return NATURES[self.nature]


@cache
def _data() -> tuple[tuple[Commune, ...], dict[str, Epci]]:
    content = json.loads(gzip.decompress(DATA_FILE.read_bytes()))
    by_insee = {row[0]: Commune(*row) for row in content["communes"]}
    epcis = {
        siren: Epci(siren, name, nature, population, tuple(by_insee[code] for code in members))
        for siren, name, nature, population, members in content["epcis"]
    }
    return tuple(by_insee.values()), epcis


def communes() -> tuple[Commune, ...]:
    """The 34,969 communes, by INSEE code."""
    return _data()[0]


def epcis() -> tuple[Epci, ...]:
    """The 1,255 EPCI à fiscalité propre, by SIREN."""
    return tuple(_data()[1].values())


def epci_by_siren(siren: str) -> Epci:
    """The EPCI of this SIREN, with its members. Raises KeyError when there is none."""
    return _data()[1][siren]


def commune_by_insee_code(insee_code: str) -> Commune:
    """The commune of this INSEE code. Raises KeyError when there is none."""
    return _by_insee_code()[insee_code]


@cache
def _by_insee_code() -> dict[str, Commune]:
    return {commune.insee_code: commune for commune in communes()}


def normalise_name(name: str) -> str:
    """``name`` to compare: no case, accent, hyphen nor apostrophe, and « St » written « saint »."""
    bare = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    bare = "".join(character for character in bare if not unicodedata.combining(character))
    words = re.sub(r"[^a-z0-9]+", " ", bare).split()
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


@cache
def _commune_keys() -> tuple[tuple[str, Commune], ...]:
    # The space in front lets one search find the beginnings of words: " cres" is in " le cres".
    return tuple((" " + normalise_name(commune.name), commune) for commune in communes())


@cache
def _epci_keys() -> tuple[tuple[str, Epci], ...]:
    return tuple((" " + normalise_name(epci.name), epci) for epci in epcis())


def find_communes(text: str, limit: int = 20, department: str | None = None) -> list[Commune]:
    """At most ``limit`` communes for what a person types: the beginnings of the words of the name, or an INSEE code.

    The exact name comes first, then names that begin with the text, then those that hold it, then those that hold its
    words apart; within each, the most populated. ``department`` ("34", "2A", "974") keeps that one only.
    """
    asked = normalise_name(text)
    if not asked or limit < 1:
        return []
    if re.fullmatch(r"[0-9][0-9ab]\d*", asked):
        code = asked.upper()
        found = [(0, c) for c in communes() if c.insee_code.startswith(code) or c.siren == code]
    else:
        found = _ranked(asked, _commune_keys())
    if department is not None:
        found = [(rank, commune) for rank, commune in found if commune.department == department.upper()]
    found.sort(key=lambda pair: (pair[0], -(pair[1].population or 0), pair[1].insee_code))
    return [commune for _, commune in found[:limit]]


def find_epcis(text: str, limit: int = 20) -> list[Epci]:
    """At most ``limit`` EPCI by the beginnings of words of their name or by SIREN, as ``find_communes`` does."""
    asked = normalise_name(text)
    if not asked or limit < 1:
        return []
    if asked.replace(" ", "").isdigit():
        digits = asked.replace(" ", "")
        return [epci for epci in epcis() if epci.siren.startswith(digits)][:limit]
    found = _ranked(asked, _epci_keys())
    found.sort(key=lambda pair: (pair[0], -pair[1].population, pair[1].siren))
    return [epci for _, epci in found[:limit]]


def _ranked(asked: str, keys: tuple[tuple[str, NamedTuple], ...]) -> list[tuple[int, NamedTuple]]:
    start = " " + asked
    # Le Crès is exact for "cres": nobody types the article.
    exact = {start, *(f" {article}{start}" for article in ("le", "la", "les", "l"))}
    longest, *others = sorted((" " + word for word in asked.split()), key=len, reverse=True)
    found = []
    for key, item in keys:
        if longest not in key:
            continue
        if start in key:
            found.append((0 if key in exact else 1 if key.startswith(start) else 2, item))
        elif others and all(word in key for word in others):
            found.append((3, item))
    return found
