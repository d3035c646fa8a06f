"""The file of a price list (bordereau des prix unitaires): its columns, its checks, and what it would change."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from groupings.models import Award, PriceItem
from procurement.core import cell_parsers as parse
from procurement.core.exports import Column as ExportColumn
from procurement.core.imports import Checked, Column, Table, check

_PLACES = Decimal("0.000001")
_LARGEST = Decimal("9999999999")


def unit_price(cell: parse.Cell) -> Decimal:
    """A price per unit, € excl. tax, six decimals at most: ``1,234567``, ``1 234,5`` or a workbook's number.

    Three decimals are decimals, not thousands: ``1,234`` is a price of a price list, and ``1.234,50`` is refused.
    """
    shown = parse.as_text(cell)
    typed = re.sub(r"[\s\u00a0\u202f]", "", shown)
    typed = re.sub(r"(?:€|EUR|euros?)(?:HT)?$", "", typed, flags=re.IGNORECASE).replace(",", ".")
    if typed.startswith(("-", "\u2212")):
        raise ValueError(f"Le prix «\u00a0{shown}\u00a0» est négatif.")
    if not re.fullmatch(r"\d+(\.\d+)?", typed, re.ASCII):
        raise ValueError(f"«\u00a0{shown}\u00a0» n’est pas un prix\u00a0: écrivez par exemple 1,234567.")
    value = Decimal(typed)
    if value > _LARGEST:
        raise ValueError(f"«\u00a0{shown}\u00a0» dépasse le plus grand prix possible.")
    if value != value.quantize(_PLACES):
        raise ValueError(f"Le prix «\u00a0{shown}\u00a0» a plus de six décimales.")
    return value.quantize(_PLACES)


COLUMNS = (
    Column("code", "Référence", parse.text(60), aliases=("Réf", "Code", "Code article", "N°", "N° de prix", "Article")),
    Column("designation", "Désignation", parse.text(500), aliases=("Libellé", "Description", "Intitulé")),
    Column("unit", "Unité", parse.text(40), required=False, aliases=("U", "Unité de vente", "Conditionnement")),
    Column(
        "price",
        "Prix unitaire (€ HT)",
        unit_price,
        aliases=("Prix unitaire", "Prix unitaire HT", "Prix HT", "PU HT", "PU", "Prix"),
    ),
)


def decimals(value: Decimal) -> str:
    """A unit price as a French reader writes it: two decimals at least, six at most."""
    text = f"{value.quantize(_PLACES):f}"
    whole, cents = text.split(".")
    cents = cents.rstrip("0").ljust(2, "0")
    return f"{int(whole):,}".replace(",", "\u202f") + f",{cents}"


EXPORT_COLUMNS = (
    ExportColumn("Référence", "code", width=20),
    ExportColumn("Désignation", "designation", width=60),
    ExportColumn("Unité", "unit", width=14),
    ExportColumn("Prix unitaire (€ HT)", "price_excl_tax", "decimal", width=22),
)


@dataclass(frozen=True)
class Price:
    """One line of a list, as read or as kept."""

    code: str
    designation: str
    unit: str
    price: Decimal

    @classmethod
    def of(cls, item: PriceItem) -> "Price":
        return cls(item.code, item.designation, item.unit, item.price_excl_tax)


@dataclass(frozen=True)
class PriceChanges:
    """What a file would change in a list: references added, changed, removed, left as they are; ``is_reordered``:
    only their order differs."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: int
    is_reordered: bool

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed or self.is_reordered)

    def __str__(self) -> str:
        if self.is_empty:
            return "rien ne change"
        if not (self.added or self.changed or self.removed):
            return "seul l’ordre change"
        told = [
            f"{len(found)} prix {word}{'s' if len(found) > 1 else ''}"
            for found, word in ((self.added, "ajouté"), (self.changed, "modifié"), (self.removed, "retiré"))
            if found
        ]
        if self.kept:
            told.append(f"{self.kept} sans changement")
        return ", ".join(told)


def check_prices(table: Table) -> Checked:
    """Every line parsed; a reference twice is refused, in capitals or not: who orders « a1 » would not know which.
    Nothing is raised for what the file holds."""
    checked = check(table, COLUMNS)
    checked.refuse_repeats("code", message="Cette référence est déjà à la ligne {line}.", alike=str.casefold)
    return checked


def prices_of(checked: Checked) -> list[Price]:
    """The lines of a file without error, in its order."""
    return [Price(row["code"], row["designation"], row["unit"] or "", row["price"]) for row in checked.rows]


def kept_prices(award: Award) -> list[Price]:
    """The list in use, in its order."""
    return [Price.of(item) for item in award.price_items.order_by("position", "code")]


def compare(before: Iterable[Price], after: Iterable[Price]) -> PriceChanges:
    """What going from ``before`` to ``after`` changes."""
    old, new = {price.code: price for price in before}, {price.code: price for price in after}
    common = [code for code in new if code in old]
    return PriceChanges(
        added=tuple(code for code in new if code not in old),
        changed=tuple(code for code in common if new[code] != old[code]),
        removed=tuple(code for code in old if code not in new),
        kept=sum(1 for code in common if new[code] == old[code]),
        is_reordered=[code for code in old if code in new] != common,
    )
