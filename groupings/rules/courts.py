"""Which administrative court hears the disputes of a body, by the département of its seat."""

import tomllib
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).parent / "tables" / "courts.toml"
UNKNOWN = "tribunal administratif territorialement compétent"


@lru_cache(maxsize=1)
def _by_department() -> dict[str, str]:
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["courts"]
    return {department: place for place, departments in table.items() for department in departments}


def administrative_court(department: str) -> str:
    """« tribunal administratif de Montpellier » for ``34`` (CJA, R221-3); general words when not in the table."""
    place = _by_department().get(department)
    return f"tribunal administratif {place}" if place else UNKNOWN


def department_of(*codes: str) -> str:
    """The département of the first usable code among postcodes and INSEE codes; empty when none says it."""
    for code in codes:
        if len(code) == 5:
            if code[:2] == "20":  # a Corsican postcode
                return "2A" if code[2] in "01" else "2B"
            return code[:3] if code[:2] in ("97", "98") else code[:2]
    return ""
