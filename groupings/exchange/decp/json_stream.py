"""The contracts of a JSON file of essential data, one at a time, whatever the size of the file.

Shapes read: ``{"marches": [ … ]}`` (2019), ``{"marches": {"marche": [ … ], "contrat-concession": [ … ]}}`` (2022 and
later), and a bare list. One contract is held in memory, never the file.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TextIO

CHUNK = 1 << 18
#: Characters of one contract, at most: the longest seen have a few thousand.
LONGEST = 4_000_000
CONCESSIONS = "contrat-concession"
_BLANK = re.compile(r"[\s\ufeff]*")
_LARGEST_NUMBER = 40


class BadJson(ValueError):
    """The text is not JSON, or not of the shapes read; ``str(error)`` is the French reason."""


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _LARGEST_NUMBER else text


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=_whole, parse_constant=lambda _: None)


def contracts(stream: TextIO) -> Iterator[tuple[str, Any]]:
    """(key, value) of each contract: key is "marche" or "contrat-concession". Raises BadJson, where it stops."""
    text = _Text(stream)
    first = text.peek()
    if first == "[":
        yield from _items(text, "marche")
        return
    if first != "{":
        raise BadJson("le fichier ne commence ni par { ni par [.")
    found = False
    for key in _keys(text):
        if key == "marches":
            found = True
            yield from _marches(text)
        else:
            text.value()
    if not found:
        raise BadJson("il n’y a pas de clé «\u00a0marches\u00a0».")


def _marches(text: "_Text") -> Iterator[tuple[str, Any]]:
    if text.peek() == "[":
        yield from _items(text, "marche")
        return
    if text.peek() != "{":
        raise BadJson("«\u00a0marches\u00a0» n’est ni une liste ni un objet.")
    for key in _keys(text):
        kind = CONCESSIONS if key == CONCESSIONS else "marche"
        if key not in ("marche", CONCESSIONS):
            text.value()
        elif text.peek() == "[":
            yield from _items(text, kind)
        else:
            yield kind, text.value()


def _keys(text: "_Text") -> Iterator[str]:
    """The keys of the object that begins here; the caller reads each value before the next key."""
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        if not isinstance(key, str):
            raise BadJson("une clé n’est pas un texte.")
        text.take(":")
        yield key
        text.separator("}")
    text.take("}")


def _items(text: "_Text", kind: str) -> Iterator[tuple[str, Any]]:
    text.take("[")
    while text.peek() != "]":
        yield kind, text.value()
        text.separator("]")
    text.take("]")


class _Text:
    """A window on the text: read forward, forgotten behind."""

    def __init__(self, stream: TextIO):
        self.stream, self.window, self.at, self.is_over = stream, "", 0, False

    def more(self) -> bool:
        """Read another piece; False at the end."""
        piece = "" if self.is_over else self.stream.read(CHUNK)
        self.is_over = not piece
        self.window, self.at = self.window[self.at :] + piece, 0
        return bool(piece)

    def peek(self) -> str:
        """The next character that is not a space. Raises BadJson at the end of the file."""
        while True:
            self.at = _BLANK.match(self.window, self.at).end()
            if self.at < len(self.window):
                return self.window[self.at]
            if not self.more():
                raise BadJson("le fichier s’arrête avant la fin.")

    def take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            raise BadJson(f"«\u00a0{expected}\u00a0» attendu, «\u00a0{found}\u00a0» trouvé.")
        self.at += 1

    def separator(self, closing: str) -> None:
        """A comma, or nothing before ``closing``; a comma just before it is forgiven."""
        if self.peek() == ",":
            self.at += 1
        elif self.peek() != closing:
            raise BadJson(f"une virgule ou «\u00a0{closing}\u00a0» attendue, «\u00a0{self.peek()}\u00a0» trouvé.")

    def value(self) -> Any:
        """The value that begins here, whole."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.window, self.at)
            except RecursionError:
                raise BadJson("les données sont emboîtées trop profondément.") from None
            except ValueError:
                # Cut by the end of the window, or wrong: only the text that follows tells.
                if len(self.window) - self.at > LONGEST or not self.more():
                    raise BadJson("une valeur n’est pas du JSON, ou n’est pas fermée.") from None
                continue
            # A number that touches the end of the window may go on after it.
            if end == len(self.window) and not self.is_over and self.more():
                continue
            self.at = end
            return value
