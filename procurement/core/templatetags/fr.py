"""French figures, dates and typography, for every template."""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.dates import MONTHS
from django.utils.html import format_html
from django.utils.safestring import SafeString

from procurement.core.forms import style
from procurement.core.money import NARROW_SPACE, NO_BREAK_SPACE, format_euros, format_number

register = template.Library()
UNKNOWN = "—"


@register.filter
def eur(value) -> str:
    """``1 234,56 €``; a dash when unknown, ``0,00 €`` when zero. Takes a Decimal or Money, never a float."""
    if value is None or value == "":
        return UNKNOWN
    return format_euros(getattr(value, "amount", value))


@register.filter
def nombre(value, decimals: int = 0) -> str:
    """``1 234`` or, with decimals, ``1 234,5``; a dash when unknown."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, float):
        raise TypeError("Un flottant n’est pas un nombre exact.")
    rounded = (
        Decimal(value).quantize(Decimal(1).scaleb(-int(decimals)), rounding=ROUND_HALF_UP) + 0
    )  # + 0 turns -0 into 0
    return f"{rounded:,f}".replace(",", NARROW_SPACE).replace(".", ",")  # + 0 turns -0 into 0


@register.filter
def quantite(value: Decimal | None, places: int = 0) -> str:
    """``1 500,5``: every decimal the number holds, ``places`` at least; a dash when unknown."""
    return UNKNOWN if value is None or value == "" else format_number(value, int(places))


@register.filter
def pct(value, decimals: int = 1) -> str:
    """``24,6 %``; a dash when unknown."""
    return UNKNOWN if value is None or value == "" else f"{nombre(value, decimals)}{NO_BREAK_SPACE}%"


@register.filter
def jour(value: date | None) -> str:
    """``22/11/2026``; a dash when unknown."""
    return f"{value:%d/%m/%Y}" if value else UNKNOWN


@register.filter
def date_longue(value: date | None) -> str | SafeString:
    """``22 novembre 2026``, ``1er mars 2026`` with the ordinal raised (Django's ``jS`` is English)."""
    if not value:
        return UNKNOWN
    day = format_html("{}<sup>er</sup>", 1) if value.day == 1 else value.day
    return format_html("{}{}{} {}", day, NO_BREAK_SPACE, MONTHS[value.month], value.year)


_TYPOGRAPHY = (
    (re.compile(r"[ \u00a0]+([;!?])"), NARROW_SPACE + r"\1"),
    (re.compile(r"[ \u00a0]+:(?=\s|$)"), NO_BREAK_SPACE + ":"),
    (re.compile(r"«[ \u00a0]*"), "«" + NO_BREAK_SPACE),
    (re.compile(r"[ \u00a0]*»"), NO_BREAK_SPACE + "»"),
    (re.compile(r"(\d)[ \u00a0]+(€|%|h\b)"), r"\1" + NO_BREAK_SPACE + r"\2"),
    (re.compile(r"\b(n°|art\.|p\.)[ \u00a0]*(\d)", re.IGNORECASE), r"\1" + NO_BREAK_SPACE + r"\2"),
    (re.compile(r"'"), "’"),
)


@register.filter
def typo(text: str) -> str:
    """The spaces and apostrophes of the Imprimerie nationale, on a text typed by a person or told by a library."""
    text = str(text)
    for pattern, replacement in _TYPOGRAPHY:
        text = pattern.sub(replacement, text)
    return text


@register.filter
def pluriel(count: int, forms: str = ",s") -> str:
    """``{{ n }} membre{{ n|pluriel }}``: in French zero and one are singular. ``forms`` is "singular,plural"."""
    singular, plural = forms.split(",")
    return singular if abs(count) < 2 else plural


@register.filter
def controle(field: BoundField) -> BoundField:
    """The field, its widget wearing the classes of the product: forms of libraries come without any.

    A hint that only repeats the label is dropped.
    """
    style(field.field)
    if field.field.widget.attrs.get("placeholder") == field.label:
        del field.field.widget.attrs["placeholder"]
    return field


@register.simple_tag
def icone(name: str, classes: str = "") -> SafeString:
    """One icon of the sprite, hidden from screen readers: a word always stands beside it."""
    return format_html(
        '<svg class="ic {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        classes,
        static("icons.svg"),
        name,
    )


@register.inclusion_tag("components/state.html")
def etat(badge, detail: str = "") -> dict:
    """A state: colour, icon and word together."""
    return {"badge": badge, "detail": detail}
