"""The formats of a report, and writing one to a file that is whole or not there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.db import connection

from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError
from procurement.core.exports import CSV_TYPE, XLSX_TYPE
from savings.outfiles import written_whole
from savings.reports.asked import Asked
from savings.reports.csv import write_csv
from savings.reports.data import SavingsReport
from savings.reports.json import write_json
from savings.reports.pdf import write_pdf
from savings.reports.xlsx import write_xlsx


@dataclass(frozen=True)
class Format:
    label: str
    content_type: str
    write: Callable[[SavingsReport, BinaryIO], None]


FORMATS: dict[str, Format] = {
    "xlsx": Format("Classeur Excel, formules vivantes", XLSX_TYPE, write_xlsx),
    "pdf": Format("PDF", "application/pdf", write_pdf),
    "csv": Format("CSV des lignes", CSV_TYPE, write_csv),
    "json": Format("JSON", "application/json", write_json),
}


def write_report(report: SavingsReport, file_format: str, out: BinaryIO) -> None:
    """Write ``report`` in ``file_format`` (a key of ``FORMATS``). Raises BusinessError when it cannot be laid out."""
    try:
        with _sorting_on_disk():
            FORMATS[file_format].write(report, out)
    except PdfError as error:
        raise BusinessError(
            "Ce rapport ne tient pas dans un PDF fidèle\u00a0: demandez-le en Excel, ou avec un autre regroupement. "
            f"({error})"
        ) from error


@contextmanager
def _sorting_on_disk() -> Iterator[None]:
    """SQLite sorts within our process, in memory: 40 MB for 100,000 lines (measured). PostgreSQL sorts in its own.

    Left as it is inside a transaction, where SQLite refuses to change it.
    """
    changes = connection.vendor == "sqlite" and not connection.in_atomic_block
    if not changes:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA temp_store=FILE")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA temp_store=MEMORY")


def write_file(report: SavingsReport, file_format: str, path: Path) -> None:
    """Write the report at ``path``. Raises OSError, and BusinessError as ``write_report`` does."""
    with written_whole(path) as out:
        write_report(report, file_format, out)


def report_name(asked: Asked, file_format: str, member: str = "") -> str:
    """« gains_2026_notifie.xlsx »; the member's name when its lines alone are in it."""
    stage = {"ESTIMATED": "potentiel", "AWARDED": "notifie", "REALISED": "realise"}[asked.stage]
    return f"gains_{asked.year}_{stage}{f'_{member}' if member else ''}.{file_format}"
