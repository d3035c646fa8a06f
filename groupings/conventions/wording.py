"""French as a legal document writes it: articles, agreements, dates, figures. Pure functions of text."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from procurement.core.money import NO_BREAK_SPACE, format_euros

_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
)
_FEMININE_KINDS = {"commune", "metropole", "epci"}
_VOWELS = "AEIOUÀÂÄÉÈÊËÎÏÔÖÙÛÜŒÆ"
#: First word of a name -> whether it takes « la »: a name that says what the body is takes its article.
_COMMON_NOUNS = {
    "communauté": True,
    "métropole": True,
    "ville": True,
    "commune": True,
    "régie": True,
    "caisse": True,
    "ccas": False,
    "cias": False,
    "centre": False,
    "syndicat": False,
    "sivom": False,
    "sivu": False,
    "département": False,
}
_Item = TypeVar("_Item")


def long_date(day: date) -> str:
    """« 1er janvier 2027 », the day never parted from its month."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number}{NO_BREAK_SPACE}{_MONTHS[day.month - 1]} {day.year}"


def spaced_siren(siren: str) -> str:
    """« 213 401 722 », on one line."""
    return NO_BREAK_SPACE.join(siren[i : i + 3] for i in range(0, len(siren), 3))


def amount_cell(value: Decimal) -> str:
    """An amount without its sign, for a column whose heading names the unit."""
    return format_euros(value).removesuffix(f"{NO_BREAK_SPACE}€")


def typographic(text: str) -> str:
    """The apostrophe between two letters as a printer sets it."""
    return re.sub(r"(?<=\w)'(?=\w)", "’", text)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters, cut at a word where there is one."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[length // 2 :] else head).rstrip(" ,;-") + "…"


def of_place(name: str) -> str:
    """A commune's name after a noun: « de Lattes », « d’Agde », « du Crès », « des Matelles »."""
    if name.startswith("Le "):
        return f"du {name[3:]}"
    if name.startswith("Les "):
        return f"des {name[4:]}"
    return f"d’{name}" if name[:1].upper() in _VOWELS else f"de {name}"


def at_place(name: str) -> str:
    """Where a document is signed: « à Lattes », « au Crès », dots to fill in when the town is unknown."""
    if name.startswith("Le "):
        return f"au {name[3:]}"
    if name.startswith("Les "):
        return f"aux {name[4:]}"
    return f"à {typographic(name) or '…' * 7}"


def with_article(kind: str, name: str) -> str:
    """A body as the subject of a sentence: « la commune de Lattes », « le CCAS de Lattes », a proper name alone."""
    name = typographic(name)
    first = name.split(" ", 1)[0].lower()
    if first in _COMMON_NOUNS:
        return ("la " if _COMMON_NOUNS[first] else "le ") + (
            name if name[:2].isupper() else name[:1].lower() + name[1:]
        )
    return f"la commune {of_place(name)}" if kind == "commune" else name


def after_of(noun: str) -> str:
    """A noun group after « de », with its article contracted: « du CCAS de Lattes », « de la commune de Lattes »."""
    if noun.startswith("le "):
        return f"du {noun[3:]}"
    if noun.startswith("les "):
        return f"des {noun[4:]}"
    return f"d’{noun}" if noun[:1].upper() in _VOWELS else f"de {noun}"


def after_to(noun: str) -> str:
    """A noun group after « à », with its article contracted: « au II de l’article… »."""
    if noun.startswith("le "):
        return f"au {noun[3:]}"
    if noun.startswith("les "):
        return f"aux {noun[4:]}"
    return f"à {noun}"


def is_feminine(kind: str, name: str) -> bool:
    """Whether a participle agrees with « la commune », « la communauté », or « le CCAS », « le syndicat »."""
    first = name.split(" ", 1)[0].lower()
    return _COMMON_NOUNS.get(first, kind in _FEMININE_KINDS)


def signatory(title: str, feminine: bool) -> str:
    """The capacity over a signature, with its article: « Le Maire », « La Présidente », « L’Adjointe au maire »."""
    if title[:1].upper() in _VOWELS:
        return f"L’{title}"
    return f"{'La' if feminine else 'Le'} {title}"


def parts(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    """``items`` in parts of ``size``: the engine's time on one table grows faster than its rows."""
    return [items[i : i + size] for i in range(0, len(items), size)]
