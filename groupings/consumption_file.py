"""The file of invoices or mandats as finance software exports it: its columns, and every check of every line.

Nothing is written here. The check needs the lots, awards and members of one grouping, read once.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from groupings.models import Award, Grouping, Membership
from procurement.core import cell_parsers as parse
from procurement.core.calendar import add_months
from procurement.core.exports import Column as ExportColumn
from procurement.core.imports import Checked, Column, Row, Table, check

_LOT = re.compile(r"(?:lot)?\s*(?:n[°o]\s*)?0*(\d{1,3})", re.IGNORECASE)
#: What was ordered before the end is delivered, invoiced and paid after it: a usage, without a text.
SETTLED_WITHIN_MONTHS = 6
_TAX_INCLUDED = (
    "Cette colonne porte des montants TTC, alors que les marchés se suivent hors taxes\u00a0: "
    "exportez les montants HT et retirez-la."
)


@lru_cache(maxsize=4096)
def _lot(cell: parse.Cell) -> int:
    """``1``, ``01``, ``Lot 1`` or ``lot n° 1``."""
    shown = parse.as_text(cell)
    found = _LOT.fullmatch(shown.strip())
    if found is None or not int(found.group(1)):
        raise ValueError(f"«\u00a0{shown}\u00a0» n’est pas un numéro de lot.")
    return int(found.group(1))


@lru_cache(maxsize=4096)
def _siren(cell: parse.Cell) -> str:
    """A SIREN, or the SIREN that begins a SIRET."""
    digits = re.sub(r"[\s\u00a0\u202f.]", "", parse.as_text(cell))
    return parse.siret(cell)[:9] if len(digits) > 9 else parse.siren(cell)


_date = lru_cache(maxsize=4096)(parse.date)


def _quantity(cell: parse.Cell) -> Decimal:
    """A quantity with three decimals at most; negative on a credit note."""
    shown = parse.as_text(cell)
    typed = re.sub(r"[\s\u00a0\u202f]", "", shown).replace("\u2212", "-").replace(",", ".")
    if not re.fullmatch(r"-?\d{1,11}(\.\d+)?", typed, re.ASCII):
        raise ValueError(f"«\u00a0{shown}\u00a0» n’est pas une quantité.")
    value = Decimal(typed)
    if value != value.quantize(Decimal("0.001")):
        raise ValueError(f"La quantité «\u00a0{shown}\u00a0» a plus de trois décimales.")
    return value


COLUMNS = (
    Column("lot", "Lot", _lot, aliases=("N° lot", "N° de lot", "Numéro de lot", "Lot n°", "Code lot")),
    Column(
        "siren",
        "SIREN du membre",
        _siren,
        aliases=(
            "SIRET",
            "SIRET du membre",
            "N° SIREN",
            "N° SIRET",
            "SIREN acheteur",
            "SIRET acheteur",
            "Collectivité",
        ),
    ),
    Column(
        "reference",
        "Facture ou mandat n°",
        parse.text(60),
        aliases=(
            "Facture",
            "N° facture",
            "N° de facture",
            "Numéro de facture",
            "Mandat",
            "N° mandat",
            "N° de mandat",
            "Numéro de mandat",
            "N° pièce",
            "N° de pièce",
            "Numéro de pièce",
            "Pièce",
            "Référence",
        ),
    ),
    Column(
        "invoiced_on",
        "Date",
        _date,
        aliases=(
            "Date facture",
            "Date de facture",
            "Date de la facture",
            "Date mandat",
            "Date du mandat",
            "Date de mandatement",
            "Date d’émission",
            "Date pièce",
            "Date de la pièce",
        ),
    ),
    Column(
        "amount",
        "Montant € HT",
        parse.euros(negative=True),
        aliases=("Montant HT", "HT", "Total HT", "Montant hors taxes", "Montant mandaté HT", "Montant facturé HT"),
    ),
    Column("label", "Libellé", parse.text(200), required=False, aliases=("Objet", "Désignation", "Libellé mandat")),
    Column("quantity", "Quantité", _quantity, required=False, aliases=("Qté", "Qte", "Quantité facturée")),
)
#: One row per contract and member (``consumption.table_rows``), to be filled in and repeated.
TEMPLATE_COLUMNS = (
    ExportColumn("Lot", lambda row: row[0].award.lot.number, "integer", width=8),
    ExportColumn("SIREN du membre", lambda row: row[1].membership.organisation.siren, width=18),
    ExportColumn("Facture ou mandat n°", lambda row: None, width=24),
    ExportColumn("Date", lambda row: None, "date"),
    ExportColumn("Montant (€ HT)", lambda row: None, "euros"),
    ExportColumn("Libellé", lambda row: None, width=40),
    ExportColumn("Quantité", lambda row: None, "decimal"),
)


@dataclass
class Book:
    """What the lines may name: the awards of each lot number, the members by SIREN."""

    grouping: Grouping
    awards: dict[int, Award | None] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)

    @classmethod
    def of(cls, grouping: Grouping) -> "Book":
        """Three queries."""
        book = cls(grouping, {lot.number: None for lot in grouping.lots.all()})
        for award in Award.objects.awarded().filter(lot__grouping=grouping).select_related("lot"):
            book.awards[award.lot.number] = award
        for membership in grouping.memberships.select_related("organisation"):
            book.members[membership.organisation.siren] = membership
        return book


def check_lines(table: Table, book: Book, today: date) -> Checked:
    """Every line parsed and held against ``book``: each row gains ``award``, ``membership``, ``fingerprint``. All the
    errors are in ``errors``; nothing is raised for what the file holds."""
    checked = check(without_unfilled(table), COLUMNS)
    checked.errors[:] = [
        replace(error, message=_TAX_INCLUDED)
        if error.line == table.heading_line and "ttc" in parse.normalise(error.column).split()
        else error
        for error in checked.errors
    ]
    first: dict[tuple[int, str], int] = {}
    for row in checked.rows:
        award, membership = _award(checked, row, book, today), _membership(checked, row, book)
        if row["amount"] == 0:
            checked.refuse(row.line, "amount", "Le montant est nul\u00a0: retirez la ligne, ou indiquez le montant.")
        if award is None or membership is None:
            continue
        mark = fingerprint(row)
        row.values.update(award=award, membership=membership, fingerprint=mark)
        former = first.setdefault((award.pk, mark), row.line)
        if former != row.line:
            checked.refuse(row.line, "reference", f"Cette ligne répète la ligne {former}, à l’identique.")
    return checked


def without_unfilled(table: Table) -> Table:
    """``table`` without the lines of our template nobody filled in: a lot and a member, and nothing else."""
    given = {parse.normalise(name) for column in COLUMNS[:2] for name in (column.name, column.label, *column.aliases)}
    own = {
        place
        for place, heading in enumerate(table.headings)
        if heading is not None and parse.normalise(parse.as_text(heading)) in given
    }
    rows = [
        (line, cells)
        for line, cells in table.rows
        if any(cell is not None for place, cell in enumerate(cells) if place not in own)
    ]
    return replace(table, rows=rows or table.rows)


def _award(checked: Checked, row: Row, book: Book, today: date) -> Award | None:
    number, on = row["lot"], row["invoiced_on"]
    if number not in book.awards:
        checked.refuse(row.line, "lot", f"Le lot {number} n’existe pas dans {book.grouping.reference}.")
        return None
    award = book.awards[number]
    if award is None:
        checked.refuse(row.line, "lot", f"Le lot {number} n’est pas attribué.")
        return None
    if award.notified_on is None:
        checked.refuse(
            row.line, "lot", f"Le marché du lot {number} n’est pas notifié\u00a0: rien n’a pu être commandé."
        )
        return None
    starts_on, ends_on = award.starts_on or award.notified_on, award.ends_on
    if on > today:
        checked.refuse(row.line, "invoiced_on", f"La date du {on:%d/%m/%Y} est dans le futur.")
    elif on < starts_on:
        checked.refuse(
            row.line, "invoiced_on", f"La date du {on:%d/%m/%Y} précède le début du marché, le {starts_on:%d/%m/%Y}."
        )
    elif ends_on is not None and on > add_months(ends_on, SETTLED_WITHIN_MONTHS):
        checked.refuse(
            row.line,
            "invoiced_on",
            f"La date du {on:%d/%m/%Y} suit de plus de {SETTLED_WITHIN_MONTHS} mois la fin du marché, le "
            f"{ends_on:%d/%m/%Y}.",
        )
    return award


def _membership(checked: Checked, row: Row, book: Book) -> Membership | None:
    membership = book.members.get(row["siren"])
    if membership is None:
        checked.refuse(
            row.line, "siren", f"Le SIREN {row['siren']} n’est celui d’aucun membre de {book.grouping.reference}."
        )
    elif not membership.is_bound:
        # Who left since the launch stays bound, and invoiced, until the end of its contracts (article 14.2).
        when = (
            f"a quitté le groupement le {membership.withdrawn_on:%d/%m/%Y}, avant le lancement de la consultation"
            if membership.withdrawn_on
            else "n’était pas membre au lancement de la consultation"
        )
        checked.refuse(row.line, "siren", f"{membership.organisation.name} {when}\u00a0: aucun marché ne l’engage.")
    return membership


def fingerprint(row: Row) -> str:
    """What makes a line the same line in another file: member, number, date, amount, label, quantity. The case, the
    accents and the zeros a spreadsheet adds do not matter; the lot's award is the other half of the key."""
    quantity = row["quantity"]
    parts = (
        row["siren"],
        parse.normalise(row["reference"]),
        row["invoiced_on"].isoformat(),
        f"{row['amount']:.2f}",
        parse.normalise(row["label"] or ""),
        "" if quantity is None else f"{quantity:.3f}",
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
