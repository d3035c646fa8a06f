"""What every reader of a table agrees on: the cell, the limits, and the refusal of a file that cannot be read."""

from datetime import date, datetime, time
from decimal import Decimal

from procurement.core.errors import BusinessError

#: What a reader hands over. A csv file gives only text; a workbook gives numbers (exact) and dates as well.
Cell = str | Decimal | bool | datetime | date | time | None

#: Lines of data, header apart: 20 times the largest file seen in the field.
MAX_ROWS = 20_000
MAX_BYTES = 10 * 1024 * 1024
MAX_COLUMNS = 100
#: The last row of an Excel sheet; a file that names a later one is forged.
LAST_SHEET_ROW = 1_048_576

#: What Excel and LibreOffice show, in French and in English, when a formula failed.
SPREADSHEET_ERRORS = frozenset(
    [
        "#DIV/0!",
        "#N/A",
        "#NAME?",
        "#NOM?",
        "#NULL!",
        "#NUL!",
        "#NUM!",
        "#NOMBRE!",
        "#REF!",
        "#VALUE!",
        "#VALEUR!",
        "#GETTING_DATA",
        "#CALC!",
        "#CALCUL!",
        "#SPILL!",
        "#PROPAGATION!",
        "#FIELD!",
        "#CHAMP!",
        "#BLOCKED!",
        "#BLOQUÉ!",
        "#CONNECT!",
        "#CONNEXION!",
        "#UNKNOWN!",
        "#INCONNU!",
        "####",
    ]
)


class UnreadableFile(BusinessError):
    """The file as a whole cannot be read; the message is the French sentence to show."""


def too_many_rows(limit: int) -> UnreadableFile:
    """The refusal of a table of more than ``limit`` filled lines."""
    shown = f"{limit:,}".replace(",", "\u202f")
    return UnreadableFile(f"Le fichier compte plus de {shown} lignes\u00a0: découpez-le en plusieurs fichiers.")


def too_many_columns() -> UnreadableFile:
    """The refusal of a table wider than MAX_COLUMNS."""
    return UnreadableFile(f"Le fichier compte plus de {MAX_COLUMNS} colonnes\u00a0: gardez celles du modèle.")


def blank_to_none(cell: Cell) -> Cell:
    """``cell`` without the spaces around its text; None when nothing is left."""
    if isinstance(cell, str):
        return cell.strip().strip("\ufeff\u200b") or None
    return cell
