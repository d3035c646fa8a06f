"""Reading an xlsx workbook that may be hostile: its first visible sheet, values and not formulas.

A workbook is a zip of XML. Before any of it is expanded, the sizes the zip declares are checked (Python reads no more
than a member declares), then each XML is refused if it declares a document type, the door of entity bombs.
"""

import io
import logging
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from typing import IO

import openpyxl
from defusedxml.ElementTree import iterparse

from procurement.core.documents.tabular import (
    LAST_SHEET_ROW,
    MAX_COLUMNS,
    Cell,
    UnreadableFile,
    blank_to_none,
    too_many_columns,
    too_many_rows,
)

#: 20,000 lines of 30 columns expand to about 25 MB.
MAX_EXPANDED_BYTES = 64 * 1024 * 1024
#: Measured: sheets of 20,000 lines compress 12 to 15 times, a bomb a thousand times.
MAX_RATIO = 200
MAX_MEMBERS = 2_000
_CHUNK = 1024 * 1024

DAMAGED = "Le classeur est tronqué ou abîmé\u00a0: ouvrez-le dans votre tableur, enregistrez-le, puis recommencez."
BOMB = (
    "Le classeur est refusé\u00a0: une fois décompressé, il serait démesuré. Copiez ses lignes dans un classeur neuf."
)
NOT_A_WORKBOOK = "Le fichier n’est pas un classeur Excel (.xlsx)."

# A formula without its cached result: written by a program and never opened in a spreadsheet. Its value is unknown.
_P = rb"(?:\w+:)?"
_UNCOMPUTED = re.compile(
    rb"<%(p)sc\b([^<>]*)>\s*<%(p)sf\b[^<>]*(?:/>|>[^<]*</%(p)sf>)\s*(?:<%(p)sv\s*/>|<%(p)sv>\s*</%(p)sv>)?\s*</%(p)sc>"
    % {b"p": _P}
)
_ROW = re.compile(rb"<%(p)srow\b[^<>]*?\br=[\"'](\d+)[\"']" % {b"p": _P})
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

logger = logging.getLogger(__name__)


def read_xlsx(data: bytes, *, max_rows: int) -> Iterator[tuple[int, list[Cell]]]:
    """Yield (row number in the sheet, cells) for each filled row of the first visible sheet of the workbook ``data``.

    Numbers come as Decimal of their fifteen significant digits, which is what Excel shows; dates as dates, or as
    datetimes when they hold a time. Raises UnreadableFile with a French sentence.
    """
    try:
        _check_archive(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and validations it drops: not our subject
            yield from _rows(data, max_rows)
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl meets a forged file with any exception; the user needs one sentence
        logger.info("Workbook refused: %r", error)
        raise UnreadableFile(DAMAGED) from error


def _check_archive(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_EXPANDED_BYTES:
            raise UnreadableFile(BOMB)
        for member in members:
            if member.flag_bits & 1:
                raise UnreadableFile(
                    "Le classeur est protégé par un mot de passe\u00a0: enregistrez-le sans protection."
                )
            if member.file_size > _CHUNK and member.file_size > MAX_RATIO * max(member.compress_size, 1):
                raise UnreadableFile(BOMB)
        if "[Content_Types].xml" not in archive.namelist() or not any("workbook" in m.filename for m in members):
            raise UnreadableFile(NOT_A_WORKBOOK)
        for member in members:
            if member.filename.endswith((".xml", ".rels", ".vml")):
                _refuse_document_type(archive, member)


def _refuse_document_type(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """A document type stands before the first element: reading up to there is enough, and defusedxml raises on it."""
    with archive.open(member) as stream:
        for _ in iterparse(stream, events=("start",), forbid_dtd=True):
            break


def _rows(data: bytes, max_rows: int) -> Iterator[tuple[int, list[Cell]]]:
    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        sheet = next((sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"), None)
        if sheet is None:
            raise UnreadableFile("Le classeur n’a aucune feuille visible.")
        with sheet._get_source() as stream:
            _check_sheet(stream)
        # A sheet may declare A1:XFD1048576 and hold three cells: trust the cells.
        sheet.reset_dimensions()
        filled, blank = 0, None
        for line, values in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True), start=1):
            if line > LAST_SHEET_ROW:
                raise UnreadableFile(DAMAGED)
            if values is blank:  # openpyxl gives one and the same tuple for the rows a sheet skips, perhaps a million
                continue
            width = next((i for i in range(len(values), 0, -1) if values[i - 1] is not None), 0)
            cells = [_cell(value) for value in values[:width]]
            while cells and cells[-1] is None:
                cells.pop()
            if not cells:
                blank = values
                continue
            if len(cells) > MAX_COLUMNS:
                raise too_many_columns()
            filled += 1
            if filled > max_rows + 1:
                raise too_many_rows(max_rows)
            yield line, cells
    finally:
        workbook.close()


def _check_sheet(stream: IO[bytes]) -> None:
    """Refuse what openpyxl would drop in silence: formulas without a result, rows out of order."""
    rest, last_row = b"", 0
    while chunk := stream.read(_CHUNK):
        buffer = rest + chunk
        end = max(buffer.rfind(b"</row>"), buffer.rfind(b":row>"))  # whole rows only; the rest waits for the next chunk
        if end < 0:
            rest = buffer
            continue
        last_row = _check_rows(buffer[:end], last_row)
        rest = buffer[end:]
    _check_rows(rest, last_row)


def _check_rows(xml: bytes, last_row: int) -> int:
    """Check a run of rows that follows ``last_row``; return the number of its own last one."""
    for match in _UNCOMPUTED.finditer(xml):
        if re.search(rb"\bt=[\"']str", match.group(1)):
            continue  # a formula whose result is the empty text
        reference = re.search(rb"\br=[\"']([A-Z]+\d+)", match.group(1))
        where = f" (cellule {reference.group(1).decode()})" if reference else ""
        raise UnreadableFile(
            f"Le classeur contient une formule dont le résultat n’est pas enregistré{where}\u00a0: "
            "ouvrez-le dans votre tableur, enregistrez-le, puis recommencez."
        )
    for match in _ROW.finditer(xml):
        row = int(match.group(1))
        if not last_row < row <= LAST_SHEET_ROW:
            raise UnreadableFile(DAMAGED)
        last_row = row
    return last_row


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return exact_number(value)
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, str):
        # Excel writes some characters by their code, and its own mark by _x005F_; openpyxl leaves them.
        return blank_to_none(_ESCAPE.sub(lambda match: chr(int(match[1], 16)), value) if "_x" in value else value)
    if value is None:
        return None
    if isinstance(value, time):
        return value
    return str(value)  # a duration: no column expects one, and its text says so in the refusal


def exact_number(value: float) -> Decimal:
    """The number a spreadsheet shows: fifteen significant digits, so 0.1+0.2 is 0.3 and not 0.30000000000000004."""
    number = Decimal(format(value, ".15g"))
    return number.quantize(Decimal(1)) if number == number.to_integral_value() and number.adjusted() < 15 else number
