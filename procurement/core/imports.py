"""The import engine: header check, then every error of every row, then one transaction or nothing.

    COLUMNS = (
        Column("siren", "SIREN", siren),
        Column("amount", "Montant estimé € HT", euros(), aliases=("estimated_amount_excl_tax",)),
    )
    checked = check(read_table(file, "besoins.xlsx"), COLUMNS)
    write_every_row(checked, lambda row: need_record(siren=row["siren"], amount=row["amount"], actor=actor))

Nothing is written unless the whole file is right; what is wrong is told in French with its line and column.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from procurement.core.cell_parsers import Parser, as_text, normalise, optional, text
from procurement.core.documents.delimited import read_delimited
from procurement.core.documents.tabular import MAX_BYTES, MAX_ROWS, SPREADSHEET_ERRORS, Cell, UnreadableFile
from procurement.core.documents.xlsx import NOT_A_WORKBOOK, read_xlsx
from procurement.core.errors import BusinessError

#: How many errors the message itself tells; the list holds them all.
ERRORS_IN_MESSAGE = 5

_TEXT_SUFFIXES = {".csv", ".tsv", ".txt"}
_NOT_TABLES = (
    (b"%PDF", "un PDF"),
    (b"\x89PNG", "une image"),
    (b"\xff\xd8\xff", "une image"),
    (b"GIF8", "une image"),
    (b"MZ", "un programme"),
    (b"\x7fELF", "un programme"),
    (b"\x1f\x8b", "une archive"),
    (b"Rar!", "une archive"),
    (b"7z\xbc\xaf", "une archive"),
    (b"{\\rtf", "un document de traitement de texte"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file.

    ``name`` is the key of the parsed row. The file may head the column with the name, the French ``label`` or one of
    the ``aliases``; case, accents and punctuation do not matter. When ``required`` is false the column may be missing
    from the file and its cells may be empty: both give None (``Checked.columns`` tells the two apart).
    """

    name: str
    label: str
    parse: Parser = field(default_factory=text)
    required: bool = True
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportError_:  # noqa: N801 the plain name is Python's own
    """One thing to correct. ``line`` is the row of the spreadsheet (header 1), None when the whole file is wrong."""

    line: int | None
    column: str
    message: str
    file: str = ""

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.line is not None:
            place.append(f"{'ligne' if place else 'Ligne'} {self.line}")
        if self.column:
            place.append(f"{'colonne' if place else 'Colonne'} «\u00a0{self.column}\u00a0»")
        return f"{', '.join(place)}\u00a0: {self.message}" if place else self.message


class ImportRefused(BusinessError):
    """Nothing was written. ``errors`` holds everything to correct; ``str()`` gives the first ones and the count."""

    def __init__(self, errors: Iterable[ImportError_]):
        self.errors = list(errors)
        shown = [str(error) for error in self.errors[:ERRORS_IN_MESSAGE]]
        if len(self.errors) == 1:
            message = shown[0]
        else:
            more = len(self.errors) - len(shown)
            message = f"Rien n’a été importé, {len(self.errors)} erreurs sont à corriger. " + " ".join(shown)
            if more:
                message += f" Et {more} autre{'s' if more > 1 else ''}."
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Table:
    """A file as read: its headings and their line, then (line, cells) for each filled row."""

    filename: str
    heading_line: int
    headings: list[Cell]
    rows: list[tuple[int, list[Cell]]]


@dataclass(frozen=True, slots=True)
class Row:
    """A parsed row: ``row["name"]`` is the value of the column, ``row.line`` where the user finds it."""

    line: int
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(slots=True)
class Checked:
    """A file after the check: ``rows`` without an error, and all ``errors``."""

    filename: str
    headings: dict[str, str]  # column name -> heading as the file writes it
    rows: list[Row] = field(default_factory=list)
    errors: list[ImportError_] = field(default_factory=list)
    refused_rows: list[Row] = field(default_factory=list)  # those with an error: what could be read of them

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns the file has."""
        return frozenset(self.headings)

    def refuse(self, line: int | None, column: str, message: str) -> None:
        """Add an error; ``column`` is a column's name, told to the user as his file heads it."""
        self.errors.append(ImportError_(line, self.headings.get(column, column), message, self.filename))

    def refuse_repeats(
        self,
        *names: str,
        message: str = "Cette ligne répète la ligne {line}.",
        alike: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        """Add an error for each row that repeats the values of the columns ``names`` of a former row, at ``line``.

        ``alike``: what of a value is compared, all of it by default.
        """
        first: dict[tuple, int] = {}
        for row in self.rows:
            key = tuple(alike(row[name]) for name in names)
            former = first.setdefault(key, row.line)
            if former != row.line:
                self.refuse(row.line, names[-1], message.format(line=former))

    def raise_if_refused(self) -> None:
        """Raise ImportRefused with every error, in the order of the file, when there is one."""
        raise_if_refused(self)


def read_table(
    file: str | Path | IO[bytes], filename: str = "", *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES
) -> Table:
    """Read a csv or xlsx file: a path, or an open binary file with the name the user gave it.

    ``max_rows`` counts filled rows without the header. Raises ImportRefused with one sentence when the file is empty,
    too large, truncated, not what its name says, or dangerous.
    """
    if isinstance(file, str | Path):
        filename = filename or Path(file).name
        with Path(file).open("rb") as stream:
            data = stream.read(max_bytes + 1)
    else:
        data = file.read(max_bytes + 1)
    filename = PurePath(filename).name
    try:
        if len(data) > max_bytes:
            raise UnreadableFile(f"Le fichier dépasse {max_bytes // (1024 * 1024)} Mo\u00a0: découpez-le.")
        reader = read_xlsx if _is_workbook(data, PurePath(filename).suffix.lower()) else read_delimited
        lines = list(reader(data, max_rows=max_rows))
        if not lines:
            raise UnreadableFile("Le fichier est vide.")
        if len(lines) == 1:
            raise UnreadableFile("Le fichier n’a qu’une ligne d’en-tête, sans aucune ligne à importer.")
    except UnreadableFile as error:
        raise ImportRefused([ImportError_(None, "", str(error), filename)]) from error
    (heading_line, headings), *rows = lines
    return Table(filename, heading_line, headings, rows)


def _is_workbook(data: bytes, suffix: str) -> bool:
    """Whether to read ``data`` as xlsx; refuses a content that is not what the suffix says."""
    if suffix not in _TEXT_SUFFIXES and suffix != ".xlsx":
        raise UnreadableFile(
            "Seuls les fichiers .csv et .xlsx sont acceptés\u00a0: enregistrez le vôtre dans ce format."
        )
    if not data.strip():
        raise UnreadableFile("Le fichier est vide.")
    for signature, what in _NOT_TABLES:
        if data.startswith(signature):
            raise UnreadableFile(f"Ce n’est pas un tableau\u00a0: c’est {what}, renommé en {suffix}.")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(
            "C’est un classeur à l’ancien format .xls, ou protégé par un mot de passe\u00a0: "
            "enregistrez-le en .xlsx sans protection."
        )
    if data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise UnreadableFile(
            f"C’est une page web ou un fichier XML renommé en {suffix}\u00a0: ouvrez-le dans votre tableur, "
            "puis enregistrez-le en .xlsx."
        )
    zipped = data.startswith(b"PK")
    if zipped and suffix != ".xlsx":
        raise UnreadableFile(f"C’est un classeur ou une archive renommé en {suffix}\u00a0: donnez-lui son vrai nom.")
    if suffix == ".xlsx" and not zipped:
        raise UnreadableFile(NOT_A_WORKBOOK)
    return zipped


def check(table: Table, columns: Sequence[Column]) -> Checked:
    """Check the header, then parse every cell of every row. Never raises for what the file holds: see ``errors``."""
    checked = Checked(table.filename, {})
    positions = _match_headings(table, columns, checked)
    if checked.errors:
        return checked
    width = len(table.headings)
    plan = [(c.name, positions.get(c.name), c.parse if c.required else optional(c.parse)) for c in columns]
    for line, cells in table.rows:
        before = len(checked.errors)
        values: dict[str, Any] = {}
        for name, position, parse in plan:
            cell = cells[position] if position is not None and position < len(cells) else None
            try:
                if isinstance(cell, str) and cell in SPREADSHEET_ERRORS:
                    raise ValueError(f"La cellule contient l’erreur {cell} du tableur\u00a0: corrigez-la.")
                values[name] = parse(cell)
            except ValueError as error:
                checked.refuse(line, name, str(error))
        for cell in cells[width:]:
            if cell is not None:
                shown = as_text(cell)[:60]
                checked.refuse(line, "", f"«\u00a0{shown}\u00a0» est dans une colonne sans titre.")
        rows = checked.rows if len(checked.errors) == before else checked.refused_rows
        rows.append(Row(line, values))
    return checked


def _match_headings(table: Table, columns: Sequence[Column], checked: Checked) -> dict[str, int]:
    """Position of each column in the file; adds to ``checked`` the missing, unknown and repeated headings."""
    accepted = {normalise(name): column for column in columns for name in (column.name, column.label, *column.aliases)}
    positions: dict[str, int] = {}
    for position, heading in enumerate(table.headings):
        shown = "" if heading is None else as_text(heading)
        column = accepted.get(normalise(shown))
        if not shown:
            if any(position < len(cells) and cells[position] is not None for _, cells in table.rows):
                checked.refuse(table.heading_line, "", f"La colonne n° {position + 1} n’a pas de titre.")
        elif column is None:
            checked.refuse(table.heading_line, shown[:60], "Cette colonne n’est pas prévue\u00a0: retirez-la.")
        elif column.name in positions:
            checked.refuse(
                table.heading_line, shown, f"Cette colonne répète la colonne n° {positions[column.name] + 1}."
            )
        else:
            positions[column.name] = position
            checked.headings[column.name] = shown
    for column in columns:
        if column.required and column.name not in positions:
            checked.refuse(
                table.heading_line, column.label, f"Cette colonne manque (titre accepté\u00a0: {column.name})."
            )
    return positions


def raise_if_refused(*files: Checked) -> None:
    """Raise ImportRefused with every error of every file, in the order of each, when there is one."""
    errors = [error for file in files for error in sorted(file.errors, key=lambda error: error.line or 0)]
    if errors:
        raise ImportRefused(errors)


def write_every_row(checked: Checked, write: Callable[[Row], object]) -> int:
    """Call ``write`` for each row in one transaction, and return how many rows were written.

    When ``write`` refuses a row (BusinessError or ValidationError) the others are still tried, to tell every error at
    once; then ImportRefused is raised and nothing remains of any of them. Any other exception undoes everything too.
    """
    checked.raise_if_refused()
    with transaction.atomic():
        try_every_row(checked, write)
        checked.raise_if_refused()
    return len(checked.rows)


def try_every_row(checked: Checked, write: Callable[[Row], object]) -> None:
    """Call ``write`` for each row and note what is refused. The caller holds the transaction and must then call
    ``raise_if_refused`` inside it: this is for several files written together."""
    for row in checked.rows:
        try:
            with transaction.atomic():
                write(row)
        except (BusinessError, ValidationError) as refusal:
            refuse_row(checked, row, refusal)


def refuse_row(checked: Checked, row: Row, refusal: BusinessError | ValidationError) -> None:
    """Add to ``checked`` the sentence, or each sentence, of an action that refused ``row``."""
    if isinstance(refusal, BusinessError):
        checked.refuse(row.line, refusal.field or "", str(refusal))
    elif hasattr(refusal, "error_dict"):
        for name, messages in refusal.message_dict.items():
            for message in messages:
                checked.refuse(row.line, "" if name == NON_FIELD_ERRORS else name, message)
    else:
        for message in refusal.messages:
            checked.refuse(row.line, "", message)


@dataclass(slots=True)
class Tally:
    """What became of the objects of one kind; ``noun`` is a French plural."""

    noun: str
    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        return (
            f"{self.noun}\u00a0: {self.created} création{'s' * (self.created > 1)}, "
            f"{self.changed} modification{'s' * (self.changed > 1)}, {self.unchanged} sans changement"
        )


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: one tally per kind of object."""

    tallies: tuple[Tally, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.tallies))
