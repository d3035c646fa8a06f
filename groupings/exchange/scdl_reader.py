"""Reading SCDL deliberations as portals and spreadsheets really publish them: csv, xlsx, JSON exports.

Every row is read whatever its defects: what cannot be understood is None, with a warning. The file is refused as a
whole only when it is no table, or not of deliberations. Variants seen in the field: separators ``;`` ``,`` tab,
lower-case or misspelt headings, columns in excess, dates with an hour, numbers instead of texts, ``_x0001_`` in texts.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from groupings.exchange import matters
from groupings.exchange.scdl import COLUMNS, HEADER, REQUIRED, VOTES, date_problems, vote_problems
from groupings.exchange.scdl_table import read_published_table
from procurement.core import cell_parsers as parse
from procurement.core.documents.tabular import SPREADSHEET_ERRORS, Cell, UnreadableFile

T = TypeVar("T")

PUBLISHED = "PUBLICATION_DATE"  # a column of Mégalis Bretagne, in excess of the schema
#: Without one of these, the table is not of deliberations.
_TELLING = {"DELIB_ID", "DELIB_DATE", "DELIB_OBJET"}
_ALIASES = {
    "VOTE_EFFFECTIF": "VOTE_EFFECTIF",  # Le Plessis-Trévise
    "VOTE_ABST": "VOTE_ABSTENTION",
    "VOTE_ABSTENTIONS": "VOTE_ABSTENTION",
    "COLL_SIREN": "COLL_SIRET",
    PUBLISHED: PUBLISHED,
    "DATE_PUBLICATION": PUBLISHED,
}
#: heading without case nor punctuation → column of SCDL
_HEADINGS = (
    {parse.normalise(title): column for column, (_, title) in COLUMNS.items()}
    | {parse.normalise(alias): column for alias, column in _ALIASES.items()}
    | {parse.normalise(column): column for column in HEADER}
)

# Excel writes a character it cannot hold by its code; some exports leave it. Bidirectional marks change what is read.
_ESCAPED_CONTROL = re.compile(r"_x00[01][0-9A-Fa-f]_")
_BIDIRECTIONAL = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?E\+?([0-9]{1,2})", re.IGNORECASE)
_ZERO_DECIMALS = re.compile(r"(?<=[0-9])[.,]0+$")
_TIME = r"(?:[T ]\s*([0-9]{1,2}):([0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
_ISO_DATE = re.compile(rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}")
_COMPACT_DATE = re.compile("([0-9]{4})([0-9]{2})([0-9]{2})")
_FRENCH_DATE = re.compile(rf"([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{4}}){_TIME}")
_PARIS = ZoneInfo("Europe/Paris")
#: A message quotes the cell, which may hold a page.
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 the plain name is Python's own
    """One thing a person should look at. ``line`` is None when the whole file is concerned."""

    line: int | None
    column: str
    message: str

    def __str__(self) -> str:
        place = [f"Ligne {self.line}"] if self.line is not None else []
        if self.column:
            place.append(f"{'colonne' if place else 'Colonne'} «\u00a0{self.column}\u00a0»")
        return f"{', '.join(place)}\u00a0: {self.message}" if place else self.message


@dataclass(frozen=True, slots=True)
class ScdlVotes:
    """The numbers of a vote as published. ``present`` is VOTE_REEL: with or without the proxies, files differ."""

    in_office: int | None
    present: int | None
    votes_for: int | None
    votes_against: int | None
    abstained: int | None


@dataclass(frozen=True, slots=True)
class ScdlRow:
    """One deliberation as read. ``line`` is the row of the file (header 1), or the rank of the object in a JSON file.

    ``raw`` gives the texts as found, by SCDL column, or by heading for a column in excess. ``siren`` may be known when
    ``siret`` is not. ``matter_code`` has the form of a code (``7.10``) without always being one of the nomenclature.
    """

    line: int
    raw: Mapping[str, str]
    body_name: str | None
    siret: str | None
    siren: str | None
    number: str | None
    decided_on: dt.date | None
    matter_code: str | None
    matter_name: str | None
    subject: str | None
    budget_year: str | None
    budget_name: str | None
    prefecture_id: str | None
    received_on: dt.date | None
    votes: ScdlVotes | None
    url: str | None
    published_on: dt.date | None


@dataclass(frozen=True, slots=True)
class ScdlFile:
    """What a file holds: every row, and the warnings, those of the whole file first."""

    rows: tuple[ScdlRow, ...]
    warnings: tuple[Warning_, ...]


def read_deliberations(content: bytes, filename: str) -> ScdlFile:
    """Read the bytes of a csv, xlsx or JSON file; what it is, its content says, not ``filename``.

    Raises UnreadableFile, with a French sentence, when it is empty, above 10 MB or 20,000 rows, no table, or a table
    without any of the columns DELIB_ID, DELIB_DATE, DELIB_OBJET.
    """
    table = read_published_table(content, filename)
    columns = _columns(table.headings)
    if not _TELLING & set(columns):
        raise UnreadableFile(
            "Ce fichier n’est pas au format SCDL des délibérations\u00a0: aucune des colonnes DELIB_ID, DELIB_DATE "
            "et DELIB_OBJET n’y figure."
        )
    warnings = [Warning_(None, "", table.note)] if table.note else []
    for column in REQUIRED:
        if column not in columns:
            warnings.append(Warning_(None, column, "Cette colonne manque dans le fichier."))
    rows = []
    for line, cells in table.rows:
        reading = _Reading(line, columns, cells, warnings)
        if reading.cells.keys() & COLUMNS.keys():
            rows.append(reading.row())
        else:
            reading.warn("", "Aucune colonne du format SCDL n’est remplie\u00a0: la ligne n’est pas retenue.")
    return ScdlFile(tuple(rows), tuple(warnings))


def _columns(headings: list[str]) -> list[str]:
    """The column of SCDL each heading stands for, or the heading; its proper name goes before what stands for it."""
    proper = {column for column in HEADER if parse.normalise(column) in map(parse.normalise, headings)}
    columns = []
    for heading in headings:
        key = parse.normalise(heading)
        column = _HEADINGS.get(key, heading)
        columns.append(heading if column in proper and key != parse.normalise(column) else column)
    return columns


class _Reading:
    """One row under way: its cells by column, and the list its warnings go to."""

    def __init__(self, line: int, columns: list[str], cells: list[Cell], warnings: list[Warning_]):
        self.line, self.columns, self.warnings = line, columns, warnings
        self.cells: dict[str, Cell] = {}
        for column, cell in zip(columns, cells, strict=False):
            if isinstance(cell, str):
                cell = _mend(cell) or None
            if cell is not None and column:
                self.cells.setdefault(column, cell)
        if len(cells) > len(columns):
            self.warn(
                "", "La ligne a plus de cellules que l’en-tête\u00a0: un texte contient sans doute un séparateur."
            )

    def warn(self, column: str, message: str) -> None:
        shown = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
        self.warnings.append(Warning_(self.line, column, shown))

    def get(self, column: str, read: Callable[[Cell], T]) -> T | None:
        """The cell of ``column`` through ``read``; None, with a warning, when it refuses it (ValueError)."""
        cell = self.cells.get(column)
        if cell is None:
            if column in REQUIRED and column in self.columns:
                self.warn(column, parse.EMPTY)
            return None
        try:
            if isinstance(cell, str) and cell in SPREADSHEET_ERRORS:
                raise ValueError(f"La cellule contient l’erreur {cell} du tableur.")
            return read(cell)
        except ValueError as error:
            self.warn(column, str(error))
            return None

    def row(self) -> ScdlRow:
        body_name = self.get("COLL_NOM", _text)
        siret, siren = self.get("COLL_SIRET", self._identifiers) or (None, None)
        number = self.get("DELIB_ID", _text)
        decided_on = self.get("DELIB_DATE", _date)
        matter_code = self.get("DELIB_MATIERE_CODE", self._matter_code)
        matter_name = self.get("DELIB_MATIERE_NOM", _text)
        subject = self.get("DELIB_OBJET", _text)
        received_on = self.get("PREF_DATE", _date)
        for column, message in date_problems(decided_on, received_on):
            self.warn(column, message)
        return ScdlRow(
            line=self.line,
            raw={column: _text(cell) for column, cell in self.cells.items()},
            body_name=body_name,
            siret=siret,
            siren=siren,
            number=number,
            decided_on=decided_on,
            matter_code=matter_code,
            matter_name=matter_name,
            subject=subject,
            budget_year=self.get("BUDGET_ANNEE", _text),
            budget_name=self.get("BUDGET_NOM", _text),
            prefecture_id=self.get("PREF_ID", _text),
            received_on=received_on,
            votes=self._votes(),
            url=self.get("DELIB_URL", _text),
            published_on=self.get(PUBLISHED, _date),
        )

    def _identifiers(self, cell: Cell) -> tuple[str | None, str | None]:
        """SIRET and SIREN, or the SIREN alone when the establishment is missing, wrong, or lost by a spreadsheet."""
        shown = _ZERO_DECIMALS.sub("", _text(cell)).lstrip("'")
        rounded = _SCIENTIFIC.fullmatch(str(cell) if _is_number(cell) else shown)
        digits = re.sub(r"[\s.\u200b]", "", shown)
        if rounded:
            written = rounded[1] + (rounded[2] or "")
            digits = written.ljust(int(rounded[3]) + 1, "0")
            # A number may end with a zero or two, no more: the others stand for digits that were lost.
            if len(written) < len(digits) - 2:
                self.warn("COLL_SIRET", f"«\u00a0{shown}\u00a0» a été arrondi par un tableur\u00a0: il est perdu.")
                return None, _siren(written[:9])
        try:
            if len(digits) != 9:
                siret = parse.siret(Decimal(digits) if _is_number(cell) else digits)
                return siret, siret[:9]
            siren = parse.siren(digits)
        except ValueError as error:
            self.warn("COLL_SIRET", str(error))
            return None, _siren(digits[:9]) if len(digits) == 14 else None
        self.warn("COLL_SIRET", f"«\u00a0{siren}\u00a0» est un SIREN\u00a0: l’établissement n’est pas dit.")
        return None, siren

    def _matter_code(self, cell: Cell) -> str:
        name_cell = self.cells.get("DELIB_MATIERE_NOM")
        name = "" if name_cell is None else _text(name_cell)
        column, written = "DELIB_MATIERE_CODE", matters.normalise(_text(cell))
        code = matters.normalise(written, name)
        if not matters.is_known(code):
            self.warn(column, f"La matière {code} n’est pas dans la nomenclature ACTES.")
        elif code != written:
            self.warn(column, f"La matière {written}, nommée «\u00a0{name[:60]}\u00a0», est lue {code}.")
        elif _is_number(cell) and code == matters.BUDGET and not matters.has_name(code, name):
            self.warn(column, "7.1 est écrit comme un nombre\u00a0: ce peut être 7.1 ou 7.10.")
        return code

    def _votes(self) -> ScdlVotes | None:
        votes = {column: self.get(column, _count) for column in VOTES}
        if all(count is None for count in votes.values()):
            return None
        in_office, present, *results = votes.values()
        cast = sum(results) if None not in results else None
        if None not in (cast, present, in_office) and present < cast <= in_office:
            self.warn(
                "VOTE_REEL",
                f"Les voix font {cast} pour {present} votants\u00a0: elles comptent sans doute les pouvoirs.",
            )
        else:
            for column, message in vote_problems(votes):
                self.warn(column, message)
        return ScdlVotes(in_office, present, *results)


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, Decimal)


def _text(cell: Cell) -> str:
    """A cell as the file shows it: numbers with a point, dates in ISO; texts are already mended."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Decimal):
        return _ZERO_DECIMALS.sub("", f"{cell:f}")
    if isinstance(cell, dt.date):
        return str(cell)
    return parse.as_text(cell)


def _mend(text: str) -> str:
    """``text`` in NFC without what no reader sees: control characters (or their ``_x0001_``), direction marks."""
    if "_x" in text:
        text = _ESCAPED_CONTROL.sub(lambda match: chr(int(match[0][2:6], 16)), text)
    if not text.isprintable():
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
        text = _BIDIRECTIONAL.sub("", text)
    return unicodedata.normalize("NFC", text).strip()


def _siren(digits: str) -> str | None:
    try:
        return parse.siren(digits)
    except ValueError:
        return None


def _date(cell: Cell) -> dt.date:
    """A date, its hour forgotten: in Paris when the hour tells its offset (22:00 UTC is the day after in summer)."""
    if isinstance(cell, dt.datetime):
        return (cell.astimezone(_PARIS) if cell.tzinfo else cell).date()
    if isinstance(cell, dt.date):
        return parse.date(cell)
    shown = _text(cell)
    if match := _ISO_DATE.fullmatch(shown) or _COMPACT_DATE.fullmatch(shown):
        year, month, day, hour, minute, offset = (*match.groups(), None, None, None)[:6]
        value = parse.date(f"{year}-{month:0>2}-{day:0>2}")
    elif match := _FRENCH_DATE.fullmatch(shown):
        day, month, year, hour, minute, offset = match.groups()
        value = parse.date(f"{day}/{month}/{year}")
    else:
        return parse.date(shown)
    if not offset:
        return value
    try:
        instant = dt.datetime.fromisoformat(f"{value}T{hour:0>2}:{minute}{offset}")
    except ValueError as error:
        raise ValueError(f"L’heure de «\u00a0{shown}\u00a0» n’existe pas.") from error
    return instant.astimezone(_PARIS).date()


_whole = parse.integer(0, 9_999)


def _count(cell: Cell) -> int:
    return _whole(_ZERO_DECIMALS.sub("", cell) if isinstance(cell, str) else cell)
