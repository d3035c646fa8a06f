"""The lines as a csv: the house's own (``;``, UTF-8 with BOM, decimal comma), described in ``docs/schemas``."""

from typing import BinaryIO

from procurement.core.exports import Column, stream_csv
from savings.reports.columns import LINE_COLUMNS
from savings.reports.data import SavingsReport

_COLUMNS = tuple(Column(column.name, column.value, column.kind) for column in LINE_COLUMNS)


def write_csv(report: SavingsReport, out: BinaryIO) -> None:
    """Write every line of the report, in the order of its groups."""
    for piece in stream_csv(_COLUMNS, report.lines()):
        out.write(piece)
