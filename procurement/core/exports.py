"""The export engine: columns declared once, a csv or an xlsx that a French spreadsheet opens as it should.

    COLUMNS = (
        Column("Membre", "organisation.name", width=40),
        Column("Montant estimé (€ HT)", "estimated_amount_excl_tax", "euros"),
    )
    return export_response("xlsx", COLUMNS, rows, title="Besoins")

Numbers and dates are real ones, texts can never be run as formulas, and the same rows give the same bytes.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from procurement.core.documents.delimited import guard_formula
from procurement.core.money import round_half_up

Kind = Literal["text", "euros", "integer", "decimal", "date", "percent", "boolean"]

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The longest text an Excel cell holds, counted as Excel does, in UTF-16 units.
LONGEST_TEXT = 32_767

_WIDTHS: dict[Kind, float] = {
    "text": 28,
    "euros": 16,
    "integer": 12,
    "decimal": 14,
    "date": 12,
    "percent": 10,
    "boolean": 8,
}
_NUMBER_FORMATS: dict[Kind, str] = {
    "euros": '#,##0.00"\u00a0€"',
    "integer": "#,##0",
    "decimal": "#,##0.00####",
    "date": "dd/mm/yyyy",
    "percent": '0.00"\u00a0"%',
}
# A workbook says when it was made. Without an instant given, a constant: the same rows give the same bytes.
_NO_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export.

    ``value`` is an attribute path of the row (``"organisation.name"``) or a function of the row. ``kind`` says what
    it gives: "euros" a Decimal or a Money, "integer" an int or a Decimal, "decimal" a Decimal with the places it
    has (a quantity, a unit price), "percent" a Decimal in points (25.55 is 25,55 %), "date" a date or an instant (told
    at Paris time), "boolean" true or false (oui, non); None is an empty cell. ``width`` is in characters.
    """

    heading: str
    value: str | Callable[[Any], Any]
    kind: Kind = "text"
    width: float | None = None

    def reader(self) -> Callable[[Any], Any]:
        """The function that takes a row and returns the exact value to write: str, int, Decimal, date or None."""
        get = attrgetter(self.value) if isinstance(self.value, str) else self.value
        convert = _CONVERSIONS[self.kind]

        def read(row: Any) -> Any:
            value = get(row)
            return None if value is None else convert(value)

        return read


def clean_text(value: object) -> str:
    """``value`` as a text a cell can hold: no control characters but line ends, at most 32,767 characters."""
    text = str(value)
    if not text.isprintable():
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
        text = text.replace("\ufffe", "").replace("\uffff", "")
    if len(text) > LONGEST_TEXT // 2:
        units = text.encode("utf-16-le")
        if len(units) > 2 * LONGEST_TEXT:
            text = units[: 2 * (LONGEST_TEXT - 1)].decode("utf-16-le", errors="ignore") + "…"
    return text


def _euros(value: Any) -> Decimal:
    return round_half_up(getattr(value, "amount", value))  # a Money has an amount; a float is refused


def _integer(value: Any) -> int:
    if isinstance(value, float) or value != int(value):
        raise TypeError(f"Nombre entier attendu, reçu {value!r}.")
    return int(value)


def _decimal(value: Any) -> Decimal:
    """Without the zeros its column added: 12.500 is 12.5."""
    if isinstance(value, float):
        raise TypeError("Decimal attendu, reçu float.")
    return Decimal(f"{Decimal(value).normalize():f}")


def _percent(value: Any) -> Decimal:
    if isinstance(value, float):
        raise TypeError("Decimal attendu, reçu float.")
    return Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _date(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return value


def _boolean(value: Any) -> str:
    return "oui" if value else "non"


_CONVERSIONS: dict[Kind, Callable[[Any], Any]] = {
    "text": clean_text,
    "euros": _euros,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "percent": _percent,
    "boolean": _boolean,
}


def _csv_cell(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "date":
        return f"{value.day:02}/{value.month:02}/{value.year:04}"
    if kind in ("euros", "decimal", "percent"):
        # "25,55%" without the no-break space of French: spreadsheets read it as a number only so.
        return f"{value:f}".replace(".", ",") + ("%" if kind == "percent" else "")
    return guard_formula(value) if kind == "text" else str(value)


def stream_csv(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[bytes]:
    """The csv piece by piece: ``;``, UTF-8 with BOM, decimal comma, 31/12/2026, CRLF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    readers = [(column.reader(), column.kind) for column in columns]
    buffer.write("\ufeff")
    writer.writerow([guard_formula(clean_text(column.heading)) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(read(row), kind) for read, kind in readers])
        if buffer.tell() > 65_536:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def export_csv(columns: Sequence[Column], rows: Iterable[Any]) -> bytes:
    """The whole csv; see ``stream_csv``."""
    return b"".join(stream_csv(columns, rows))


def export_xlsx(
    columns: Sequence[Column], rows: Iterable[Any], *, title: str, created_at: datetime | None = None
) -> bytes:
    """A workbook of one sheet named after ``title``, ready to print: landscape A4, heading repeated on every page.

    The heading row is frozen and filtered. ``created_at`` is the instant kept in the file's properties; without it a
    constant one, so that the same rows give the same bytes.
    """
    buffer = io.BytesIO()
    title = clean_text(title)
    # constant_memory writes row after row: 33 MB for 100,000 rows instead of 175 (measured).
    workbook = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    created_at = created_at or _NO_INSTANT
    if timezone.is_aware(created_at):
        created_at = created_at.astimezone(UTC).replace(tzinfo=None)
    workbook.set_properties({"title": title, "created": created_at})
    sheet = workbook.add_worksheet(_sheet_name(title))
    heading_format = workbook.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E9ECEF"}
    )
    formats = {kind: workbook.add_format({"num_format": code}) for kind, code in _NUMBER_FORMATS.items()}
    formats["text"] = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    if title:
        sheet.set_header("&L" + title[:100].replace("&", "&&"))  # Excel allows 255 characters
    sheet.set_footer("&RPage &P / &N")
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width or _WIDTHS[column.kind])
    for position, column in enumerate(columns):
        sheet.write_string(0, position, clean_text(column.heading), heading_format)
    readers = [(position, column.reader(), column.kind) for position, column in enumerate(columns)]
    last = 0
    for last, row in enumerate(rows, start=1):
        for position, read, kind in readers:
            _write_cell(sheet, last, position, read(row), kind, formats.get(kind))
    if columns:
        sheet.autofilter(0, 0, last, len(columns) - 1)
    workbook.close()
    return buffer.getvalue()


def _write_cell(sheet: Any, row: int, position: int, value: Any, kind: Kind, cell_format: Any) -> None:
    if value is None or value == "":
        return
    if kind == "date":
        if value.year < 1900:  # before Excel's calendar begins
            sheet.write_string(row, position, _csv_cell(value, kind))
        else:
            sheet.write_datetime(row, position, value, cell_format)
    elif kind == "percent":
        sheet.write_number(row, position, value / 100, cell_format)
    elif kind in ("euros", "integer", "decimal"):
        sheet.write_number(row, position, value, cell_format)
    else:
        sheet.write_string(row, position, value, cell_format)  # never read as a formula nor as a link


def _sheet_name(title: str) -> str:
    name = re.sub(r"[\[\]:*?/\\\n]", " ", title)[:31].strip(" '")
    return name if name and name.casefold() not in ("history", "historique") else "Export"


def safe_filename(name: str) -> str:
    """``name`` as a file name every system accepts: no path, no invisible character, at most 120 characters."""
    name = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    name = re.sub(r'[/\\:*?"<>|]+', "-", name).lstrip(" .-").rstrip(" .")
    stem, suffix = Path(name).stem, Path(name).suffix
    return f"{stem[: 120 - len(suffix)]}{suffix}" if stem else "export"


def download_response(content: bytes | Iterable[bytes], *, filename: str, content_type: str) -> HttpResponse:
    """A download of ``content`` under ``filename``, accents included (RFC 5987), never shown by the browser."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, safe_filename(filename))
    response["X-Content-Type-Options"] = "nosniff"
    return response


def archive_response(files: Iterable[tuple[str, bytes, datetime]], *, filename: str) -> HttpResponse:
    """``files`` (name, content, aware moment) as a ZIP. The same files give the same bytes; they are not compressed
    again, a PDF and a Word file already are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content, made_at in files:
            entry = zipfile.ZipInfo(name, timezone.localtime(made_at).timetuple()[:6])
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return download_response(buffer.getvalue(), filename=filename, content_type="application/zip")


def export_response(
    file_format: str,
    columns: Sequence[Column],
    rows: Iterable[Any],
    *,
    title: str,
    filename: str = "",
    created_at: datetime | None = None,
) -> HttpResponse:
    """The export as a download: ``file_format`` is "csv" or "xlsx"; ``filename``, no suffix, is the title by default.

    Raises ValueError for another format.
    """
    if file_format == "csv":
        content, content_type = export_csv(columns, rows), CSV_TYPE
    elif file_format == "xlsx":
        content, content_type = export_xlsx(columns, rows, title=title, created_at=created_at), XLSX_TYPE
    else:
        raise ValueError("Un export est en csv ou en xlsx.")
    return download_response(content, filename=f"{filename or title}.{file_format}", content_type=content_type)
