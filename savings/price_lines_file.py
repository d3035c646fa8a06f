"""The file of reference prices and prices obtained: its columns, its checks, its template. Nothing is written here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from groupings.consumption_file import COLUMNS as INVOICE_COLUMNS
from groupings.consumption_file import without_unfilled
from groupings.models import Grouping, Lot, Membership
from groupings.price_file import unit_price
from procurement.core import cell_parsers as parse
from procurement.core.exports import Column as ExportColumn
from procurement.core.imports import Checked, Column, Row, Table, check
from savings.choices import BaselineMethod, GainStage
from savings.entry import Entry, LineRow, MemberPart, Reference, takers

_SPACES = re.compile(r"[\s\u00a0\u202f]")
#: What a column of computed euros holds: beyond any public contract.
_LARGEST_AMOUNT = Decimal("99999999999999.99")
#: The unit that makes a line of quantity 1 a lump sum.
LUMP_SUM = "forfait"


def _number(places: int, whole: int, what: str) -> Callable[[parse.Cell], Decimal]:
    """A number above zero, ``places`` decimals and ``whole`` digits before them at most; ``what`` names it."""

    def read(cell: parse.Cell) -> Decimal:
        shown = parse.as_text(cell)
        typed = _SPACES.sub("", shown).replace("\u2212", "-").replace(",", ".")
        if not re.fullmatch(r"-?\d+(\.\d+)?", typed, re.ASCII):
            raise ValueError(f"«\u00a0{shown[:60]}\u00a0» n’est pas un nombre\u00a0: {what} s’écrit par exemple 1,08.")
        value = Decimal(typed)
        if value <= 0:
            told = "nul" if value == 0 else "négatif"
            raise ValueError(
                f"Le nombre «\u00a0{shown}\u00a0» est {told}\u00a0: {what} est un nombre supérieur à zéro."
            )
        if value >= Decimal(10) ** whole:
            raise ValueError(f"«\u00a0{shown[:60]}\u00a0» dépasse le plus grand nombre possible.")
        if value != value.quantize(Decimal(1).scaleb(-places)):
            raise ValueError(f"«\u00a0{shown[:60]}\u00a0» a plus de {places} décimales.")
        return value

    return read


def _price_before(cell: parse.Cell) -> Decimal:
    value = unit_price(cell)
    if value == 0:
        raise ValueError("Le prix de référence est nul\u00a0: laissez la case vide s’il est inconnu.")
    return value


_METHODS = {method.label: method for method in BaselineMethod} | {method.value: method for method in BaselineMethod}
_LOT, _SIREN = INVOICE_COLUMNS[:2]

COLUMNS = (
    _LOT,
    Column("siren", "SIREN du membre", _SIREN.parse, aliases=(*_SIREN.aliases, "SIREN membre")),
    Column("designation", "Désignation", parse.text(500), aliases=("Libellé", "Article", "Intitulé", "Description")),
    Column(
        "quantity",
        "Quantité par an",
        _number(3, 11, "une quantité"),
        aliases=("Quantité", "Qté", "Qte", "Quantité annuelle", "Quantité prévue par an"),
    ),
    Column("unit", "Unité", parse.text(40), required=False, aliases=("U", "Unité de vente", "Conditionnement")),
    Column(
        "price_before",
        "Prix de référence (€ HT)",
        _price_before,
        required=False,
        aliases=("Prix de référence", "Prix avant", "Ancien prix", "Prix avant HT", "Prix de référence HT"),
    ),
    Column(
        "price_obtained",
        "Prix obtenu (€ HT)",
        unit_price,
        required=False,
        aliases=("Prix obtenu", "Nouveau prix", "Prix obtenu HT", "Prix du marché", "Prix attribué"),
    ),
    Column(
        "index_factor",
        "Coefficient d’indexation",
        _number(8, 4, "un coefficient d’indexation"),
        required=False,
        aliases=("Indexation", "Coefficient", "Coefficient d’index", "Index", "Indice"),
    ),
    Column(
        "method",
        "Méthode",
        parse.choice(_METHODS),
        aliases=("Méthode de référence", "Type de référence", "Origine du prix"),
    ),
    Column("index_name", "Nom de l’indice", parse.text(200), required=False, aliases=("Série de l’indice",)),
    Column("source", "Source", parse.text(500), required=False, aliases=("Preuve", "Marché ou facture")),
)
#: What of a row is the reference's own; the rest is the line's.
REFERENCE_COLUMNS = ("quantity", "unit", "price_before", "index_factor", "method")


def key_of(lot_number: int, siren: str, designation: str) -> tuple[int, str, str]:
    """What makes a line the same line in another file: capitals, accents and spaces do not matter."""
    return lot_number, siren, parse.normalise(designation)


@dataclass(frozen=True)
class Book:
    """What the lines may name: the lots of one grouping by number, its members by SIREN, who buys which lot."""

    grouping: Grouping
    lots: dict[int, Lot]
    members: dict[str, Membership]
    buying: dict[int, set[int]]

    @classmethod
    def of(cls, grouping: Grouping) -> "Book":
        """Four queries."""
        memberships = list(grouping.memberships.select_related("organisation"))
        lots = {lot.number: lot for lot in grouping.lots.all()}
        for one in (*memberships, *lots.values()):
            one.grouping = grouping
        return cls(grouping, lots, {one.organisation.siren: one for one in memberships}, takers(grouping))


def check_price_lines(table: Table, book: Book) -> Checked:
    """Every line parsed and held against ``book``: each row gains ``membership`` and ``lot_row``. All the errors are in
    ``errors``; nothing is raised for what the file holds."""
    checked = check(without_unfilled(table), COLUMNS)  # our template names every lot and member
    first: dict[tuple, int] = {}
    for row in checked.rows:
        lot, membership = book.lots.get(row["lot"]), book.members.get(row["siren"])
        row.values.update(lot_row=lot, membership=membership)
        _defaults(row, checked.filename)
        if lot is None:
            checked.refuse(row.line, "lot", f"Le lot {row['lot']} n’existe pas dans {book.grouping.reference}.")
        if membership is None:
            checked.refuse(
                row.line, "siren", f"Le SIREN {row['siren']} n’est celui d’aucun membre de {book.grouping.reference}."
            )
        if lot is not None and membership is not None and membership.pk not in book.buying.get(lot.pk, {membership.pk}):
            checked.refuse(
                row.line, "siren", f"{membership.organisation.name} n’a pas de besoin sur le lot {lot.number}."
            )
        _check_amounts(checked, row)
        former = first.setdefault(key_of(row["lot"], row["siren"], row["designation"]), row.line)
        if former != row.line:
            checked.refuse(
                row.line, "designation", f"Cette ligne répète la ligne {former}\u00a0: même lot, même membre."
            )
    return checked


def _defaults(row: Row, filename: str) -> None:
    values = row.values
    values["has_index"], values["has_unit"] = row["index_factor"] is not None, bool(row["unit"])
    values["index_factor"] = Decimal(1) if row["index_factor"] is None else row["index_factor"]
    values["is_lump_sum"] = parse.normalise(row["unit"] or "") == LUMP_SUM and row["quantity"] == 1
    values["unit"] = "" if values["is_lump_sum"] else row["unit"] or ""
    values["source"] = row["source"] or ""
    if not row["index_name"]:
        # A coefficient has a name: where it comes from, until the buyer writes the series.
        values["index_name"] = "" if values["index_factor"] == 1 else f"Coefficient du fichier {filename}"[:200]


def _check_amounts(checked: Checked, row: Row) -> None:
    if row["price_before"] is None and row["method"] != BaselineMethod.MEAN_OF_OFFERS:
        checked.refuse(
            row.line, "price_before", "Le prix de référence manque\u00a0: seule une moyenne des offres l’attend."
        )
    if row["method"] == BaselineMethod.HISTORIC_PRICE_INDEXED and not (row["has_index"] or row["index_name"]):
        checked.refuse(row.line, "index_factor", "Cette méthode demande un coefficient, ou le nom de son indice.")
    for name in ("price_before", "price_obtained"):
        if row[name] is not None and row[name] * row["quantity"] * max(row["index_factor"], 1) > _LARGEST_AMOUNT:
            checked.refuse(row.line, name, "La quantité multipliée par ce prix dépasse le plus grand montant possible.")


TemplateRow = tuple[Any, MemberPart, Reference | None]


def template_rows(entry: Entry) -> list[TemplateRow]:
    """One row per reference, and one per member that has none."""
    return [
        (part, member, reference)
        for part in entry.lots
        for member in part.members
        for reference in (member.references or [None])
    ]


def _of_reference(name: str) -> Callable[[TemplateRow], Any]:
    return lambda row: None if row[2] is None else getattr(row[2].baseline, name) or None


def _obtained(row: TemplateRow) -> Decimal | None:
    lines: list[LineRow] = [] if row[2] is None else row[2].lines
    stage = GainStage.ESTIMATED if row[0].award is None else GainStage.AWARDED
    return next((one.line.price_obtained for one in lines if one.line.stage == stage), None)


def _unit(row: TemplateRow) -> str | None:
    if row[2] is None:
        return None
    return LUMP_SUM if row[2].baseline.is_lump_sum else row[2].baseline.unit or None


TEMPLATE_COLUMNS = (
    ExportColumn("Lot", lambda row: row[0].lot.number, "integer", width=8),
    ExportColumn("SIREN du membre", lambda row: row[1].membership.organisation.siren, width=18),
    ExportColumn("Désignation", _of_reference("designation"), width=50),
    ExportColumn("Quantité par an", _of_reference("quantity"), "decimal", width=16),
    ExportColumn("Unité", _unit, width=12),
    ExportColumn("Prix de référence (€ HT)", _of_reference("price_before"), "decimal", width=22),
    ExportColumn("Prix obtenu (€ HT)", _obtained, "decimal", width=20),
    ExportColumn("Coefficient d’indexation", _of_reference("index_factor"), "decimal", width=22),
    ExportColumn("Méthode", lambda row: None if row[2] is None else row[2].baseline.get_method_display(), width=34),
    ExportColumn("Nom de l’indice", _of_reference("index_name"), width=30),
    ExportColumn("Source", _of_reference("source"), width=40),
)
