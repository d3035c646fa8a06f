"""Reading csv as French spreadsheets write it, and keeping formulas out of what is written.

The separator (``;``, ``,`` or tab) is found on the header. Encodings: UTF-8 with or without BOM, UTF-16 with BOM,
and cp1252 when the bytes are not UTF-8. Nothing is guessed in silence: a file that mixes two encodings is refused.
"""

import csv
import io
import re
from collections.abc import Iterator

from procurement.core.documents.tabular import (
    MAX_COLUMNS,
    UnreadableFile,
    blank_to_none,
    too_many_columns,
    too_many_rows,
)

# A spreadsheet takes such a text for a formula (OWASP, "CSV injection"), even behind spaces or an apostrophe.
_FORMULA = re.compile(r"^[\s'\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
# French letters encoded in UTF-8: found in a file that is not UTF-8 as a whole, they betray a mixture.
_UTF8_LETTERS = re.compile(rb"\xc3[\x80-\xbf]|\xc5[\x92\x93]|\xe2\x80[\x93-\xaf]|\xe2\x82\xac|\xc2[\xa0\xab\xbb]")
_SEPARATORS = (";", ",", "\t")


def guard_formula(text: str) -> str:
    """``text`` with an apostrophe in front when a spreadsheet would run it; ``unguard_formula`` gives it back."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard_formula(text: str) -> str:
    """Undo ``guard_formula``: a file exported by the product and imported again holds the same texts."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def decode(data: bytes) -> str:
    """The text of ``data``. Raises UnreadableFile when it is binary, cut inside a letter, or in two encodings."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise UnreadableFile(
                "Le fichier est tronqué\u00a0: exportez-le de nouveau depuis votre tableur."
            ) from error
    else:
        text = _decode_bytes(data)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableFile(
            f"Le fichier contient un caractère illisible (nul) à la ligne {line}\u00a0: "
            "exportez-le de nouveau en CSV UTF-8 depuis votre tableur."
        )
    return text


def _decode_bytes(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith(b"\xef\xbb\xbf") or _UTF8_LETTERS.search(data):
            line = data.count(b"\n", 0, error.start) + 1
            raise UnreadableFile(
                f"Le fichier mélange deux encodages, ou il est tronqué (ligne {line})\u00a0: "
                "exportez-le de nouveau en CSV UTF-8 depuis votre tableur."
            ) from error
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            "L’encodage du fichier n’est pas reconnu\u00a0: enregistrez-le en CSV UTF-8 depuis votre tableur."
        ) from error


def find_separator(text: str) -> str:
    """The separator of the header: the one it holds most, outside quotes; ``;`` when none or as many."""
    header = next((line for line in text.splitlines() if line.strip(' \t;,"')), "")
    outside = re.sub(r'"[^"]*"', "", header)
    return max(_SEPARATORS, key=outside.count)  # max() keeps the first of equals


def read_delimited(data: bytes, *, max_rows: int) -> Iterator[tuple[int, list[str | None]]]:
    """Yield (line, cells) for each filled line; a line is a row of the spreadsheet: the header is line 1.

    A quoted cell may hold line ends: it is one row all the same. Blank lines count, and are skipped.
    Raises UnreadableFile for a quote never closed, a text after a closing quote, too many lines or columns.
    """
    text = decode(data)
    named = re.match(r"sep=(.)\r?\n", text)  # the hint Excel writes, and hides
    if named:
        text, separator = text[named.end() :], named.group(1)
    else:
        separator = find_separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line, filled = 0, 0
    try:
        for line, fields in enumerate(reader, start=1):
            cells = [blank_to_none(unguard_formula(field)) for field in fields]
            while cells and cells[-1] is None:
                cells.pop()
            if not cells:
                continue
            if len(cells) > MAX_COLUMNS:
                raise too_many_columns()
            filled += 1
            if filled > max_rows + 1:
                raise too_many_rows(max_rows)
            yield line, cells
    except csv.Error as error:
        raise UnreadableFile(
            f"Le fichier est tronqué ou mal formé\u00a0: "
            f"un guillemet n’est pas fermé correctement à la ligne {line + 1}."
        ) from error
