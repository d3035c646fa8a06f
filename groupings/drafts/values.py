"""What the model délibération of one member says: every sentence, ready to print, readable as JSON.

The Word file and the PDF are laid out from these same words. Nothing here reads the database or the clock:
``assemble.py`` reads, ``texts.py`` writes, ``render.py`` lays out.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Literal

SCHEMA = 1
#: What the secretary fills by hand or in Word; both files highlight it.
BLANK = "………"

Maker = Literal["council", "bureau", "president"]


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and the words it opens with, printed in bold: « Vu », « Article 1 », « Calendrier »."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class NeedRow:
    """What the member expects of one lot, as printed: € excluding tax over the whole duration, and per year."""

    lot: str
    whole: str
    yearly: str


@dataclass(frozen=True, slots=True)
class DraftValues:
    """One member's model, block by block in the order of the document. ``dated_on`` is the convention's date.

    ``maker`` is who decides: the assembly, or an EPCI's bureau or president by delegation; a president has no ``votes``
    and signs alone. ``guidance`` is for the person who adapts the model, who deletes it. ``needs`` is empty when no
    amount is known, else its last row is the total. ``convention_sha256`` is that of the member's annexed PDF.
    """

    siren: str
    body_name: str
    body_kind: str
    assembly: str
    maker: Maker
    coordinator_name: str
    reference: str
    version: int
    dated_on: date
    session_on: date | None
    title: str
    heading: str
    taken_by: str
    guidance: tuple[str, ...]
    header: tuple[Line, ...]
    purpose: Line
    rapporteur: Line
    note_title: str
    background: tuple[Line, ...]
    needs: tuple[NeedRow, ...]
    terms: tuple[Line, ...]
    act_title: str
    visas: tuple[Line, ...]
    recitals: tuple[Line, ...]
    enacting: str
    decisions: tuple[Line, ...]
    votes: tuple[Line, ...]
    signatures: tuple[Line, ...]
    transmission: tuple[Line, ...]
    challenge: str
    annex: Line
    matter_code: str
    matter_label: str
    convention_sha256: str
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA

    @property
    def sha256(self) -> str:
        """The fingerprint of the values, from their canonical JSON."""
        text = json.dumps(to_json(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


_LINES = {"header", "background", "terms", "visas", "recitals", "decisions", "votes", "signatures", "transmission"}


def to_json(values: DraftValues) -> dict[str, Any]:
    """``values`` as JSON types; dates are ISO."""
    data = asdict(values)
    for name in ("dated_on", "session_on"):
        data[name] = data[name].isoformat() if data[name] else None
    return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}


def from_json(data: Mapping[str, Any]) -> DraftValues:
    """The reverse of ``to_json``. Raises ValueError for another schema, KeyError or TypeError for missing values."""
    if data.get("schema") != SCHEMA:
        raise ValueError(f"Schéma de modèle inconnu\u00a0: {data.get('schema')!r}.")
    return DraftValues(**{f.name: _typed(f.name, data[f.name]) for f in fields(DraftValues)})


def _typed(name: str, value: Any) -> Any:
    if name in _LINES:
        return tuple(Line(**line) for line in value)
    if name in ("purpose", "rapporteur", "annex"):
        return Line(**value)
    if name == "needs":
        return tuple(NeedRow(**row) for row in value)
    if name in ("dated_on", "session_on"):
        return date.fromisoformat(value) if value else None
    return tuple(value) if isinstance(value, list) else value
