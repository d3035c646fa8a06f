"""The workbook of needs that members fill in: written for one grouping, and the columns by which it is read back.

One line per member and lot. What identifies a line is locked, what is to be filled is yellow; the same rows give the
same bytes. Nothing here knows the database.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import xlsxwriter

from groupings.rules.needs import NeedEntry
from procurement.core import cell_parsers as parse
from procurement.core.documents.tabular import Cell
from procurement.core.exports import clean_text
from procurement.core.imports import Column

SHEET, GUIDE = "Besoins", "Consignes"
#: A hint, in the workbook and in the form: the units most asked for. Another one may be typed.
UNITS = (
    "unité", "rame", "carton", "boîte", "palette", "litre", "m³", "m²", "kWh", "MWh", "kg", "tonne", "heure", "jour",
    "mois", "repas", "véhicule", "bâtiment", "site",
)  # fmt: skip
TO_CONFIRM, CONFIRMED = "à confirmer", "confirmé"
_UNIT_PRICE = re.compile(r"\d{1,10}(?:[.,]\d{1,6})?", re.ASCII)
_QUANTITY = re.compile(r"\d{1,11}(?:[.,]\d{1,3})?", re.ASCII)
_INSTANT = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # a constant: the same rows give the same bytes


def _number(pattern: re.Pattern[str], what: str, places: int) -> parse.Parser:
    """A number that is not negative, of at most ``places`` decimals, as a workbook holds it or as a person types it."""

    def read(cell: Cell) -> Decimal:
        shown = parse.as_text(cell)
        typed = re.sub(r"[\s\u00a0\u202f]|€(?: ?HT)?$", "", f"{cell:f}" if isinstance(cell, Decimal) else shown)
        if typed.startswith(("-", "\u2212")):
            raise ValueError(f"«\u00a0{shown}\u00a0» est négatif.")
        try:
            if not pattern.fullmatch(typed):
                raise InvalidOperation
            return Decimal(typed.replace(",", "."))
        except InvalidOperation:
            raise ValueError(
                f"«\u00a0{shown}\u00a0» n’est pas {what}\u00a0: saisissez un nombre, {places} décimales au plus."
            ) from None

    return read


COLUMNS = (
    Column("siren", "SIREN", parse.siren),
    Column("member", "Membre", parse.text(200), required=False),
    Column("lot", "Lot", parse.integer(1, 999)),
    Column("title", "Intitulé du lot", parse.text(200), required=False, aliases=("Intitulé",)),
    Column("grouping", "Groupement", parse.text(40), required=False),
    Column("answer", "Réponse n°", parse.integer(0, 32_767), required=False),
    Column(
        "yearly_amount",
        "Montant annuel (€ HT)",
        parse.optional(parse.euros()),
        aliases=("Montant annuel",),
    ),
    Column(
        "total_amount",
        "Montant sur toute la durée (€ HT)",
        parse.euros(),
        required=False,
        aliases=("Montant sur toute la durée", "Montant total (€ HT)"),
    ),
    Column("quantity", "Quantité par an", parse.optional(_number(_QUANTITY, "une quantité", 3)), aliases=("Quantité",)),
    Column("unit", "Unité", parse.optional(parse.text(40), "")),
    Column(
        "unit_price",
        "Prix unitaire actuel (€ HT)",
        _number(_UNIT_PRICE, "un prix", 6),
        required=False,
        aliases=("Prix unitaire",),
    ),
    Column("supplier", "Fournisseur actuel", parse.text(200), required=False, aliases=("Fournisseur",)),
    Column("contract_ends_on", "Fin du contrat actuel", parse.date, required=False, aliases=("Fin du contrat",)),
    Column(
        "has_no_need",
        "Pas de besoin",
        parse.optional(parse.choice({"oui": True, "x": True, "vrai": True, "non": False, "faux": False}), False),
    ),
    Column(
        "confirmation",
        "Chiffres repris",
        parse.choice({TO_CONFIRM: TO_CONFIRM, CONFIRMED: CONFIRMED, "oui": CONFIRMED}),
        required=False,
    ),
)
#: The boxes of an answer, by the name of the entry's own field.
BOXES = tuple(name for name in NeedEntry.__dataclass_fields__)
_LOCKED = ("siren", "member", "lot", "title", "grouping", "answer")
_WIDTHS = {
    "siren": 11,
    "member": 32,
    "lot": 6,
    "title": 32,
    "grouping": 13,
    "answer": 9,
    "yearly_amount": 16,
    "total_amount": 18,
    "quantity": 12,
    "unit": 12,
    "unit_price": 15,
    "supplier": 26,
    "contract_ends_on": 14,
    "has_no_need": 10,
    "confirmation": 14,
}


_GUIDE_WIDTH = 95
_LINE_HEIGHT = 15  # points


@dataclass(frozen=True)
class WorkbookRow:
    """One line of the workbook. ``to_confirm``: its figures are those of the former grouping, not an answer yet.

    ``answer``: the number of the member's last answer when the workbook is made, 0 before the first: an import tells
    by it the figures that were answered since.
    """

    siren: str
    member: str
    lot: int
    title: str
    entry: NeedEntry
    to_confirm: bool = False
    answer: int = 0


def entry_of_row(values: dict) -> NeedEntry:
    """The entry that a parsed row says; an empty one when every box is empty."""
    said = {name: values[name] for name in BOXES}
    return NeedEntry(**said | {"unit": said["unit"] or "", "supplier": said["supplier"] or ""})


def write_workbook(
    rows: Iterable[WorkbookRow], *, reference: str, title: str, months: int, units: Sequence[str] = ()
) -> bytes:
    """The xlsx: the sheet to fill in, then how to. ``units``: those the members already use, proposed first. The
    ``reference`` and ``title`` are those of the grouping: an import tells another one's workbook by the first."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"constant_memory": True, "strings_to_formulas": False})
    workbook.set_properties({"title": clean_text(f"{reference} – {title}"), "created": _INSTANT})
    sheet, guide = workbook.add_worksheet(SHEET), workbook.add_worksheet(GUIDE)
    last = _write_rows(workbook, sheet, rows, reference)
    proposed = list(dict.fromkeys([*units, *UNITS]))
    _validate(sheet, last, guide_rows=len(proposed))
    _write_guide(workbook, guide, f"{reference} – {title}", months, proposed)
    sheet.activate()
    workbook.close()
    return buffer.getvalue()


def _write_rows(workbook, sheet, rows: Iterable[WorkbookRow], reference: str) -> int:
    """Fill the sheet; return its last row (0 is the heading)."""
    heading = workbook.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#1B4B7A", "font_color": "#FFFFFF"}
    )
    locked = workbook.add_format({"bg_color": "#ECEFF3", "text_wrap": True, "valign": "top", "border": 1,
                                  "border_color": "#A9B3BE"})  # fmt: skip
    shape = {"bg_color": "#FFF8D6", "locked": False, "valign": "top", "border": 1, "border_color": "#A9B3BE"}
    numbers = {
        "yearly_amount": '#,##0.00"\u00a0€"',
        "total_amount": '#,##0.00"\u00a0€"',
        "unit_price": "#,##0.00####",
        "contract_ends_on": "dd/mm/yyyy",
    }
    free = {
        column.name: workbook.add_format(shape | {"num_format": numbers.get(column.name, "General"),
                                                  "text_wrap": column.name not in numbers})
        for column in COLUMNS
    }  # fmt: skip
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, _WIDTHS[column.name])
        sheet.write_string(0, place, column.label, heading)
    sheet.set_row(0, 45)
    last = 0
    for last, row in enumerate(rows, start=1):
        longest = max((row.member, "member"), (row.title, "title"), (row.entry.supplier, "supplier"), key=_line_count)
        sheet.set_row(last, _LINE_HEIGHT * _line_count(longest))
        values = {"siren": row.siren, "member": row.member, "lot": row.lot, "title": row.title}
        values |= {"grouping": reference, "answer": row.answer}
        values |= {name: getattr(row.entry, name) for name in BOXES}
        values["confirmation"] = TO_CONFIRM if row.to_confirm else None
        for place, column in enumerate(COLUMNS):
            value, cell_format = values[column.name], locked if column.name in _LOCKED else free[column.name]
            _write_cell(sheet, last, place, value, cell_format)
    sheet.freeze_panes(1, len(_LOCKED))
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
    sheet.protect(
        "", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True, "select_locked_cells": True}
    )
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&RPage &P / &N")
    return last


def _line_count(text_of: tuple[str, str]) -> int:
    """How many lines a text takes in its column: a spreadsheet does not always fit the height by itself."""
    text, name = text_of
    return 1 + len(text) // _WIDTHS[name]


def _write_cell(sheet, row: int, place: int, value, cell_format) -> None:
    if value is None or value == "" or value is False:
        sheet.write_blank(row, place, None, cell_format)
    elif value is True:
        sheet.write_string(row, place, "oui", cell_format)
    elif isinstance(value, date):
        sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), cell_format)  # noqa: DTZ001
    elif isinstance(value, Decimal | int):
        sheet.write_number(row, place, value, cell_format)
    else:
        sheet.write_string(row, place, clean_text(value), cell_format)  # never read as a formula


def _validate(sheet, last: int, *, guide_rows: int) -> None:
    """What the spreadsheet proposes or refuses while typing; the import checks everything again."""
    if not last:
        return
    place = {column.name: rank for rank, column in enumerate(COLUMNS)}

    def rule(name: str, **options) -> None:
        sheet.data_validation(1, place[name], last, place[name], options)

    rule("has_no_need", validate="list", source=["oui"], error_title="Pas de besoin", error_message="Écrivez oui.")
    rule("confirmation", validate="list", source=[TO_CONFIRM, CONFIRMED], error_title="Chiffres repris",
         error_message="Choisissez « à confirmer » ou « confirmé ».")  # fmt: skip
    # A unit may be another one: the list proposes, it does not refuse.
    rule("unit", validate="list", source=f"={GUIDE}!$D$2:$D${guide_rows + 1}", show_error=False)


GUIDELINES = (
    "Une ligne par membre et par lot. Remplissez les cases jaunes ; les cases grises servent à reconnaître la ligne.",
    "Indiquez un montant, une quantité, ou les deux. Laissez vide ce que vous ne connaissez pas : inconnu n’est pas "
    "zéro.",
    "Montant annuel : une année de consommation, en euros hors taxes. Le montant sur toute la durée ne sert que pour "
    "un achat fait une seule fois : gardez l’un des deux.",
    "Pas de besoin : choisissez « oui », et laissez vides les montants et la quantité.",
    "Unité : choisissez dans la liste ou écrivez la vôtre. Toute quantité a une unité.",
    "Fin du contrat actuel : une date, par exemple 31/12/2026.",
    "Chiffres repris : la ligne porte vos chiffres du groupement précédent. Tant qu’elle est « à confirmer » et "
    "inchangée, elle ne compte pas ; choisissez « confirmé », ou changez les chiffres.",
    "Réponse n° : la dernière réponse du membre quand le classeur a été préparé. S’il a répondu depuis, ses chiffres "
    "ne sont pas remplacés par ceux d’avant.",
    "Une ligne laissée vide n’efface rien : ce qui a déjà été répondu reste.",
    "N’ajoutez ni colonne ni formule. Une seule erreur, et rien n’est importé : toutes les erreurs sont dites, avec "
    "leur ligne et leur colonne.",
)


def _write_guide(workbook, guide, title: str, months: int, units: Sequence[str]) -> None:
    big = workbook.add_format({"bold": True, "font_size": 14})
    plain = workbook.add_format({"text_wrap": True, "valign": "top"})
    bold = workbook.add_format({"bold": True})
    guide.set_column(0, 0, 4)
    guide.set_column(1, 1, _GUIDE_WIDTH)
    guide.set_column(3, 3, 16)
    lines = [
        f"Groupement : {clean_text(title)}",
        f"Durée du marché : {months} mois, reconductions comprises.",
        *GUIDELINES,
    ]
    rows = max(len(lines) + 1, len(units) + 1)
    for row in range(rows):
        if row == 0:
            guide.write_string(0, 0, "Recensement des besoins : comment remplir ce classeur", big)
            guide.write_string(0, 3, "Unités", bold)
            continue
        if row <= len(lines):
            guide.set_row(row, _LINE_HEIGHT * (1 + len(lines[row - 1]) // _GUIDE_WIDTH))
            guide.write_string(row, 1, _typographic(lines[row - 1]), plain)
        if row <= len(units):
            guide.write_string(row, 3, clean_text(units[row - 1]), plain)
    guide.protect()
    guide.set_paper(9)
    guide.set_landscape()
    guide.fit_to_pages(1, 0)


def _typographic(sentence: str) -> str:
    """The spaces of the Imprimerie nationale: texts above are written with plain ones to be read in the code."""
    sentence = re.sub(r" ([;!?])", "\u202f\\1", sentence)
    return sentence.replace(" :", "\u00a0:").replace("« ", "«\u00a0").replace(" »", "\u00a0»")
