"""The drawings of the ledger: SVG of our own, the same on a page under the strict CSP and, as ``data:``, in a PDF.

Presentation attributes only: a ``style`` would be dropped by the browser. Each drawing has a title and a description,
and its values stand in a table beside it.
"""

import textwrap
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from procurement.core.money import NO_BREAK_SPACE, format_euros
from procurement.core.templatetags.fr import pct

_FONT = "DejaVu Sans, Arial, sans-serif"
_TEXT, _MUTED, _GAIN, _LOSS, _BAND, _BAND_EDGE = "#1f2933", "#47525e", "#1b4b7a", "#9a2b00", "#e4ebe6", "#4f6b57"
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 900, 300, 40, 58, 52
#: A loss has no floor (a price may be multiplied): beyond, the bar stops at the edge and its value is written.
_FLOOR = Decimal(-100)
_TEXT_INSIDE = 120  # a bar shorter than its text bears it beside


@dataclass(frozen=True)
class Bar:
    """One bar: ``rate`` in % of the reference (None: not measured), ``gain`` in € excl. tax, negative for a loss."""

    label: str
    rate: Decimal | None
    gain: Decimal | None


def gain_bars(rows: Sequence[Bar], *, band: tuple[int, ...], ident: str) -> SafeString:
    """The weighted rate of gain of each row, around zero: gains to the right, losses to the left, in words and colour.

    ``band``: (low, high) in %, drawn as a mark, never as a target; empty for none. ``ident``: begins the ids of the
    title and the description, unique on its page. Empty text without rows.
    """
    if not rows:
        return SafeString("")
    low, high = _scale([row.rate for row in rows if row.rate is not None], band)
    width = _WIDTH - _LEFT - _RIGHT

    def x(value: Decimal | int) -> Decimal:
        return _LEFT + (max(Decimal(value), low) - low) * width / (high - low)

    bottom = _TOP + _ROW * len(rows)
    parts = [_axis(x, low, high, bottom, band)]
    if band:  # under the grid, its edges over it
        parts = [
            _band(x, band, bottom),
            *parts,
            *(_line(x(edge), _TOP - 8, bottom, _BAND_EDGE, "1.5", dashes="5 4") for edge in band),
        ]
    parts += [_bar(row, x, _TOP + _ROW * index) for index, row in enumerate(rows)]
    told = f" Repère\u00a0: {band_label(band)}." if band else ""
    spoken = " ".join(f"{row.label}\u00a0: {_said(row)}." for row in rows)
    return _svg(bottom + 34, "Taux de gain budgétaire par groupement", spoken + told, ident, parts)


def band_label(band: tuple[int, ...]) -> str:
    """What the mark is, in words: it proves nothing, and nobody has to reach it."""
    return (
        f"{band[0]}–{band[1]}{NO_BREAK_SPACE}% annoncés au bilan 2016, sans base\u00a0: un repère, pas un objectif"
        if band
        else ""
    )


@dataclass(frozen=True)
class Step:
    """One step of a waterfall, € excl. tax: a total stands on zero, another adds itself to what comes before."""

    label: str
    amount: Decimal
    is_total: bool = False


def waterfall(steps: Sequence[Step], *, ident: str, title: str) -> SafeString:
    """From one total to the next, each step where the former ended. Empty text without steps."""
    if not steps:
        return SafeString("")
    spans, level = [], Decimal(0)
    for step in steps:
        start = Decimal(0) if step.is_total else level
        level = step.amount if step.is_total else level + step.amount
        spans.append((start, level))
    low = min(Decimal(0), *(min(span) for span in spans))
    high = max(Decimal(0), *(max(span) for span in spans))
    extent = (high - low) or Decimal(1)
    left, room = Decimal(_LEFT), Decimal(_WIDTH - _LEFT - 170)

    def x(value: Decimal) -> Decimal:
        return left + (value - low) * room / extent

    row, top = 40, 12
    parts = [_line(x(Decimal(0)), top, top + row * len(steps), _MUTED, "1.5")]
    for index, (step, (start, end)) in enumerate(zip(steps, spans, strict=True)):
        y = top + row * index
        colour = "#3d4753" if step.is_total else _GAIN if step.amount >= 0 else _LOSS
        begin, reach = min(x(start), x(end)), max(abs(x(end) - x(start)), Decimal(1))
        parts += [
            _text(_LEFT - 12, y + 25, step.label, anchor="end", bold=step.is_total),
            format_html(
                '<rect x="{}" y="{}" width="{}" height="24" rx="2" fill="{}"/>', _n(begin), y + 8, _n(reach), colour
            ),
            _text(max(x(start), x(end)) + 8, y + 25, _euros(step.amount, signed=not step.is_total), bold=True),
        ]
    spoken = " ".join(f"{step.label}\u00a0: {_euros(step.amount, signed=not step.is_total)}." for step in steps)
    return _svg(top * 2 + row * len(steps), title, spoken, ident, parts)


def data_uri(svg: str) -> str:
    """``svg`` as the source of an image: what xhtml2pdf reads without a file. Empty for an empty drawing."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}" if svg else ""


def _scale(rates: Sequence[Decimal], band: tuple[int, ...]) -> tuple[Decimal, Decimal]:
    """The ends of the axis, tens of %, zero always within."""
    top = max([Decimal(band[1]) if band else Decimal(20), *rates])
    bottom = max(min([Decimal(0), *rates]), _FLOOR)
    high = (top // 10 + 1) * 10
    low = Decimal(0) if bottom == 0 else -((-bottom) // 10 + 1) * 10
    return max(low, _FLOOR - 10), high


def _band(x, band: tuple[int, ...], bottom: int) -> SafeString:
    low, high = x(band[0]), x(band[1])
    centre = min(max((low + high) / 2, Decimal(270)), Decimal(_WIDTH - 270))
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>{}',
        _n(low),
        _TOP - 8,
        _n(high - low),
        bottom - _TOP + 8,
        _BAND,
        _text(centre, 28, band_label(band), size=12, anchor="middle", colour="#33493a"),
    )


def _axis(x, low: Decimal, high: Decimal, bottom: int, band: tuple[int, ...]) -> SafeString:
    step = 10 if high - low <= 80 else 20 if high - low <= 160 else 50
    marks = [value for value in range(int(low), int(high) + 1) if value % step == 0]
    drawn = []
    for value in marks:
        if value not in band:  # the mark draws its own edges
            colour, width = (_MUTED, "2") if value == 0 else ("#d5dae1", "1")
            drawn.append(_line(x(value), _TOP - 8, bottom, colour, width))
        drawn.append(_text(x(value), bottom + 20, pct(Decimal(value), 0), anchor="middle", colour=_MUTED))
    return _joined(drawn)


def _bar(row: Bar, x, y: int) -> SafeString:
    lines = _wrapped(row.label)
    drawn = [_text(_LEFT - 12, y + 13 + 15 * index, line, anchor="end") for index, line in enumerate(lines)]
    below = "" if row.gain is None else _amount_word(row.gain)
    drawn.append(_text(_LEFT - 12, y + 13 + 15 * len(lines), below, size=12, anchor="end", colour=_MUTED))
    if row.rate is None:
        return _joined([*drawn, _text(x(0) + 8, y + 24, "Non mesuré", colour=_MUTED)])
    start, end = sorted((x(0), x(row.rate)))
    colour = _GAIN if row.rate >= 0 else _LOSS
    drawn.append(
        format_html(
            '<rect x="{}" y="{}" width="{}" height="32" rx="2" fill="{}"/>', _n(start), y + 2, _n(end - start), colour
        )
    )
    word = pct(row.rate, 2) + (" (perte)" if row.rate < 0 else "")
    if end - start > _TEXT_INSIDE:
        at, anchor, ink = (end - 9, "end", "#ffffff") if row.rate >= 0 else (start + 9, "start", "#ffffff")
    else:  # a loss is written on the free side of zero
        at, anchor, ink = end + 8, "start", _TEXT if row.rate >= 0 else _LOSS
    drawn.append(_text(at, y + 23, word, size=14, anchor=anchor, colour=ink, bold=True))
    return _joined(drawn)


def _svg(height: int, title: str, description: str, ident: str, parts: Sequence[SafeString]) -> SafeString:
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" role="img"'
        ' aria-labelledby="{}-t {}-d"><title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>',
        *(_WIDTH, height, _WIDTH, height, ident, ident, ident, title, ident, description, _joined(parts)),
    )


def _joined(parts: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _text(
    x, y, words: str, *, size: int = 13, anchor: str = "start", colour: str = _TEXT, bold: bool = False
) -> SafeString:
    return format_html(
        '<text x="{}" y="{}" font-family="{}" font-size="{}" text-anchor="{}" fill="{}"{}>{}</text>',
        *(_n(x), _n(y), _FONT, size, anchor, colour, SafeString(' font-weight="bold"') if bold else "", words),
    )


def _line(x, top, bottom, colour: str, width: str, *, dashes: str = "") -> SafeString:
    return format_html(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}"{}/>',
        *(_n(x), top, _n(x), bottom, colour, width),
        format_html(' stroke-dasharray="{}"', dashes) if dashes else "",
    )


def _wrapped(label: str) -> list[str]:
    lines = textwrap.wrap(label, 34) or [""]
    return lines if len(lines) <= 2 else [lines[0], lines[1][:33].rstrip() + "…"]


def _n(value: Decimal | int) -> str:
    return f"{Decimal(value):.1f}"


def _euros(value: Decimal, *, signed: bool = False) -> str:
    return ("+" if signed and value > 0 else "") + format_euros(value)


def _amount_word(gain: Decimal) -> str:
    return f"{_euros(abs(gain))} {'perdus' if gain < 0 else 'gagnés'}"


def _said(row: Bar) -> str:
    if row.rate is None:
        return "non mesuré"
    amount = "" if row.gain is None else f", {_amount_word(row.gain)}"
    return f"{pct(row.rate, 2)}{' (perte)' if row.rate < 0 else ''}{amount}"
