"""From a cell of a table to a value: each parser returns the value or raises ValueError with the French sentence.

A parser is given what a reader gives (``documents.tabular.Cell``); None is an empty cell, refused unless the parser
is wrapped in ``optional``.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import stdnum.exceptions
import stdnum.fr.siren
import stdnum.fr.siret

from procurement.core.documents.tabular import Cell
from procurement.core.money import CENT, LARGEST_AMOUNT, ZERO, parse_euros

Parser = Callable[[Cell], Any]

EMPTY = "La cellule est vide."
# Right-to-left overrides and isolates make a text read as something else; no French name holds them.
_BIDIRECTIONAL = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"-?(?:[0-9]{1,15}|[0-9]{1,3}(?:[ \u00a0\u202f\u2009][0-9]{3}){1,4})")
_SPACES = re.compile(r"\s+")


def as_text(cell: Cell) -> str:
    """The cell as the user reads it: a whole number without decimals, a date as 31/12/2026. Refuses an empty cell."""
    if cell is None:
        raise ValueError(EMPTY)
    if isinstance(cell, bool):
        return "VRAI" if cell else "FAUX"
    if isinstance(cell, Decimal):
        return f"{cell:f}".replace(".", ",")
    if isinstance(cell, dt.datetime):
        return f"{cell:%d/%m/%Y %H:%M}"
    if isinstance(cell, dt.date):
        return f"{cell:%d/%m/%Y}"
    return str(cell)


def optional(parse: Parser, default: Any = None) -> Parser:
    """``parse``, or ``default`` for an empty cell."""
    return lambda cell: default if cell is None else parse(cell)


def of_text(function: Callable[[str], Any]) -> Parser:
    """A parser made of a function of the text that raises ValueError with a French sentence."""
    return lambda cell: function(as_text(cell))


def text(max_length: int = 200, *, multiline: bool = False) -> Parser:
    """A text of at most ``max_length`` characters, in Unicode NFC, without control characters."""

    def parse(cell: Cell) -> str:
        value = unicodedata.normalize("NFC", as_text(cell))
        if multiline:
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        if not value.isprintable():
            for character in value:
                if unicodedata.category(character) in ("Cc", "Cs") and not (multiline and character == "\n"):
                    name = {"\n": "un saut de ligne", "\t": "une tabulation"}.get(character, "un caractère de contrôle")
                    raise ValueError(f"Le texte contient {name}\u00a0: retirez-le.")
            if _BIDIRECTIONAL.search(value):
                raise ValueError("Le texte contient un caractère invisible de sens d’écriture\u00a0: retirez-le.")
        if len(value) > max_length:
            raise ValueError(f"Le texte a {len(value)} caractères, au lieu de {max_length} au plus.")
        return value

    return parse


def _digits(cell: Cell) -> str:
    """The characters of a number typed as an identifier, spaces removed."""
    value = as_text(cell)
    if _SCIENTIFIC.fullmatch(value):
        raise ValueError(
            f"«\u00a0{value}\u00a0» a été transformé par le tableur\u00a0: mettez la colonne au format texte et "
            "saisissez le numéro de nouveau."
        )
    return _SPACES.sub("", value).replace(".", "")


def siren(cell: Cell) -> str:
    """A SIREN: nine digits whose key is right. A number cell that lost its leading zeros finds them again."""
    value = _digits(cell)
    if isinstance(cell, Decimal):
        value = value.zfill(9)
    try:
        return str(stdnum.fr.siren.validate(value))
    except stdnum.exceptions.InvalidChecksum as error:
        raise ValueError(f"Le SIREN «\u00a0{value}\u00a0» est faux\u00a0: sa clé ne correspond pas.") from error
    except stdnum.exceptions.ValidationError as error:
        raise ValueError(f"«\u00a0{value}\u00a0» n’est pas un SIREN\u00a0: il faut neuf chiffres.") from error


def siret(cell: Cell) -> str:
    """A SIRET: fourteen digits whose keys are right; La Poste's establishments follow their own rule."""
    value = _digits(cell)
    if isinstance(cell, Decimal):
        value = value.zfill(14)
    try:
        return str(stdnum.fr.siret.validate(value))
    except stdnum.exceptions.InvalidChecksum as error:
        raise ValueError(f"Le SIRET «\u00a0{value}\u00a0» est faux\u00a0: sa clé ne correspond pas.") from error
    except stdnum.exceptions.ValidationError as error:
        raise ValueError(f"«\u00a0{value}\u00a0» n’est pas un SIRET\u00a0: il faut quatorze chiffres.") from error


def insee_code(cell: Cell) -> str:
    """The INSEE code of a commune: ``34172`` or ``2A004``. ``1004``, its zero lost, gives ``01004``."""
    value = _SPACES.sub("", as_text(cell)).upper()
    if re.fullmatch(r"\d{4}", value, re.ASCII):
        value = f"0{value}"
    if not re.fullmatch(r"(?:\d{2}|2[AB])\d{3}", value, re.ASCII):
        raise ValueError(f"«\u00a0{value}\u00a0» n’est pas un code INSEE de commune\u00a0: il faut cinq caractères.")
    return value


def integer(minimum: int | None = None, maximum: int | None = None) -> Parser:
    """A whole number between ``minimum`` and ``maximum`` included; spaces between thousands are accepted."""

    def parse(cell: Cell) -> int:
        if isinstance(cell, Decimal) and cell == cell.to_integral_value():
            value = int(cell)
        else:
            shown = as_text(cell)
            typed = shown.replace("\u2212", "-")
            if not _WHOLE_NUMBER.fullmatch(typed):
                raise ValueError(f"«\u00a0{shown}\u00a0» n’est pas un nombre entier.")
            value = int(_SPACES.sub("", typed))
        if minimum is not None and value < minimum:
            raise ValueError(f"Le nombre {value} est inférieur à {minimum}.")
        if maximum is not None and value > maximum:
            raise ValueError(f"Le nombre {value} est supérieur à {maximum}.")
        return value

    return parse


def euros(*, negative: bool = False) -> Parser:
    """An amount in euros with two decimals; a workbook's number is taken as it is, a text goes through ``parse_euros``.

    Refuses a negative amount unless ``negative``, and more than two decimals: an amount is never rounded at the door.
    """

    def parse(cell: Cell) -> Decimal:
        if isinstance(cell, Decimal):
            value = cell
            if abs(value) > LARGEST_AMOUNT:
                raise ValueError(f"«\u00a0{as_text(cell)}\u00a0» dépasse le plus grand montant possible.")
            if value != value.quantize(CENT):
                raise ValueError(
                    f"«\u00a0{as_text(cell)}\u00a0» a plus de deux décimales\u00a0: arrondissez au centime."
                )
        elif isinstance(cell, str):
            value = parse_euros(cell)
        else:
            raise ValueError(f"«\u00a0{as_text(cell)}\u00a0» n’est pas un montant.")
        if value < 0 and not negative:
            raise ValueError(f"Le montant «\u00a0{as_text(cell)}\u00a0» est négatif.")
        return value.quantize(CENT) + ZERO

    return parse


def date(cell: Cell) -> dt.date:
    """A date: a date cell of a workbook, ``31/12/2026`` or ``2026-12-31``. Two-digit years are refused."""
    if isinstance(cell, dt.datetime):
        raise ValueError(f"«\u00a0{as_text(cell)}\u00a0» porte une heure\u00a0: saisissez une date seule.")
    if isinstance(cell, dt.date):
        value = cell
    else:
        shown = as_text(cell)
        french = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", shown, re.ASCII)
        iso = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", shown, re.ASCII)
        if french:
            day, month, year = map(int, french.groups())
        elif iso:
            year, month, day = map(int, iso.groups())
        else:
            raise ValueError(f"«\u00a0{shown}\u00a0» n’est pas une date\u00a0: écrivez 31/12/2026.")
        try:
            value = dt.date(year, month, day)
        except ValueError as error:
            raise ValueError(f"La date «\u00a0{shown}\u00a0» n’existe pas.") from error
    if not 1900 <= value.year <= 2199:
        raise ValueError(f"L’année {value.year} n’est pas vraisemblable.")
    return value


def normalise(words: str) -> str:
    """``words`` in lower case, without accents, punctuation nor repeated spaces: to compare headings and choices."""
    bare = unicodedata.normalize("NFKD", words.casefold().replace("œ", "oe").replace("æ", "ae"))
    bare = "".join(character for character in bare if not unicodedata.combining(character))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


def choice(values: Mapping[str, Any]) -> Parser:
    """One of ``values``: keys are what the file may say (case and accents do not matter), values what is kept."""
    known = {normalise(name): value for name, value in values.items()}

    def parse(cell: Cell) -> Any:
        shown = as_text(cell)
        try:
            return known[normalise(shown)]
        except KeyError:
            expected = ", ".join(values)
            raise ValueError(f"«\u00a0{shown}\u00a0» n’est pas prévu. Valeurs possibles\u00a0: {expected}.") from None

    return parse
