"""From the bytes of a published file to headings and rows of cells: csv, xlsx, and the JSON exports of the portals."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from procurement.core.cell_parsers import as_text
from procurement.core.documents.delimited import decode, find_separator, read_delimited
from procurement.core.documents.tabular import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    Cell,
    UnreadableFile,
    too_many_columns,
    too_many_rows,
)
from procurement.core.documents.xlsx import read_xlsx

_NOT_TABLES = {
    b"%PDF": "un PDF",
    b"\x89PNG": "une image",
    b"\xff\xd8\xff": "une image",
    b"MZ": "un programme",
    b"\x7fELF": "un programme",
    b"\x1f\x8b": "une archive",
    b"\xd0\xcf\x11\xe0": "un ancien classeur .xls, à enregistrer en .xlsx ou en .csv",
    b"<": "une page web ou un fichier XML",
}
#: Where portals put the list (OpenDataSoft v1 and v2, CKAN, data4citizen, GeoJSON), then the values of one object.
_LISTS = ("results", "result", "records", "features", "data", "rows")
_VALUES = ("record", "fields", "properties")
_NOT_JSON = "Le fichier JSON est tronqué ou mal formé\u00a0: exportez-le de nouveau depuis le portail."


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """``headings`` as written, then (line, cells) for each filled row; ``note`` warns of how the file was read.

    ``line`` is the row of the spreadsheet (header 1), or the rank of the object in a JSON list.
    """

    headings: list[str]
    rows: list[tuple[int, list[Cell]]]
    note: str = ""


def read_published_table(content: bytes, filename: str) -> PublishedTable:
    """Read the bytes of a csv, xlsx or JSON file: its content says which, ``filename`` serves the refusals.

    Raises UnreadableFile, with a French sentence: empty, above 10 MB, 20,000 rows or 100 columns, or no table.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"Le fichier dépasse {MAX_BYTES // (1024 * 1024)}\u00a0Mo\u00a0: découpez-le.")
    head = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise UnreadableFile("Le fichier est vide.")
    for signature, what in _NOT_TABLES.items():
        if head.startswith(signature):
            raise UnreadableFile(f"«\u00a0{PurePath(filename).name}\u00a0» n’est pas un tableau\u00a0: c’est {what}.")
    if content.startswith(b"PK\x03\x04"):
        return _with_headings(list(read_xlsx(content, max_rows=MAX_ROWS)))
    if b"\0" in content[:2]:  # UTF-16 whose mark was lost
        content = (b"\xfe\xff" if content[:1] == b"\0" else b"\xff\xfe") + content
    text = decode(content)
    if text.lstrip()[:1] in ("[", "{"):
        return _read_json(text)
    try:
        return _with_headings(list(read_delimited(content, max_rows=MAX_ROWS)))
    except UnreadableFile as error:
        if not isinstance(error.__cause__, csv.Error):
            raise
    note = "Des guillemets sont mal fermés\u00a0: chaque ligne du fichier a été lue seule."
    return _with_headings(list(read_delimited(_line_by_line(text), max_rows=MAX_ROWS)), note)


def _with_headings(lines: list[tuple[int, list[Cell]]], note: str = "") -> PublishedTable:
    if not lines:
        raise UnreadableFile("Le fichier est vide.")
    (_, headings), *rows = lines
    return PublishedTable(["" if heading is None else as_text(heading) for heading in headings], rows, note)


def _line_by_line(text: str) -> bytes:
    """The csv again, each line closed upon itself: a stray quote cannot swallow the lines that follow it."""
    separator = find_separator(text)
    stream = io.StringIO(newline="")
    stream.write("sep=;\r\n")
    writer = csv.writer(stream, delimiter=";")
    width = 0
    for line in re.split(r"\r\n|\r|\n", text):
        try:
            fields = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:  # a field of more than 128 KB
            fields = []
        bare = [field.strip().strip('"') for field in line.split(separator)]
        width = width or len(fields)
        writer.writerow(bare if len(fields) != width and len(bare) == width else fields)
    return stream.getvalue().encode()


def _read_json(text: str) -> PublishedTable:
    try:
        return _json_table(_list(_parsed(text)))
    except RecursionError as error:
        raise UnreadableFile(_NOT_JSON) from error


def _json_table(objects: list[Any]) -> PublishedTable:
    if len(objects) > MAX_ROWS:
        raise too_many_rows(MAX_ROWS)
    columns: dict[str, int] = {}
    rows: list[tuple[int, dict[str, Cell]]] = []
    for rank, item in enumerate(objects, start=1):
        values = {str(name): _cell(value) for name, value in _values(item).items()}
        for name in values:
            columns.setdefault(name, len(columns))
        if len(columns) > MAX_COLUMNS:
            raise too_many_columns()
        if any(cell is not None for cell in values.values()):
            rows.append((rank, values))
    return PublishedTable(list(columns), [(rank, [values.get(name) for name in columns]) for rank, values in rows])


def _parsed(text: str) -> Any:
    """The JSON value of ``text``, or the list of its lines when each is an object. Numbers keep their digits."""
    options: dict[str, Callable[[str], Cell]] = {
        "parse_int": _number,
        "parse_float": _number,
        "parse_constant": lambda _: None,
    }
    try:
        return json.loads(text, **options)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
    try:
        return [json.loads(line, **options) for line in lines]
    except ValueError as error:
        raise UnreadableFile(_NOT_JSON) from error


def _number(written: str) -> Cell:
    """A Decimal as written, so that 7.10 stays 7.10; a text when spelling its exponent out would fill the memory."""
    if len(written) > 40:
        return written
    number = Decimal(written)
    return number if abs(number.adjusted()) < 40 else written


def _list(value: Any) -> list[Any]:
    """The list of objects, wherever the portal put it; a lone object is a list of one."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    for name in _LISTS:
        if isinstance(value.get(name), list):
            return _named(value[name], value.get("fields"))
        if isinstance(value.get(name), dict):
            return _list(value[name])
    return [value]


def _named(items: list[Any], fields: Any) -> list[Any]:
    """CKAN may give each object as a bare list, and the names aside in ``fields``."""
    if not isinstance(fields, list):
        return items
    names = [field.get("id") or field.get("name") for field in fields if isinstance(field, dict)]
    return [dict(zip(names, item, strict=False)) if isinstance(item, list) else item for item in items]


def _values(item: Any) -> dict[Any, Any]:
    if not isinstance(item, dict):
        return {}
    for name in _VALUES:
        if isinstance(item.get(name), dict):
            return _values(item[name])
    return item


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        value = "\u00a0; ".join(str(part) for part in value if part is not None)
    elif isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return (value.strip() or None) if isinstance(value, str) else value
