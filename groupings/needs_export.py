"""What the table of needs gives as a file: one row per member and lot, with the state of the answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from groupings.models import Lot
from groupings.needs_overview import Cell, Overview, Row
from procurement.core.exports import Column


@dataclass(frozen=True)
class ExportRow:
    """One member and one lot."""

    row: Row
    lot: Lot
    cell: Cell

    def of_line(self, name: str):
        """A fact of the need; None without one."""
        return None if self.cell.line is None else getattr(self.cell.line, name)

    @property
    def said(self) -> str:
        """What the amount means when there is none: unknown, no need, or nothing said."""
        if self.cell.line is not None:
            return "Montant inconnu" if self.cell.is_unknown else "Montant connu"
        return "Pas de besoin" if self.cell.has_no_need else "Sans réponse"

    @property
    def status(self) -> str:
        return ", ".join([self.row.badge.word, *self.row.notes])


def _line(name: str):
    return lambda row: row.of_line(name)


COLUMNS = (
    Column("Membre", "row.membership.organisation.name", width=34),
    Column("SIREN", "row.membership.organisation.siren", width=12),
    Column("Lot", "lot.number", "integer", width=6),
    Column("Intitulé du lot", "lot.title", width=34),
    Column("Montant annuel (€ HT)", _line("yearly_amount_excl_tax"), "euros", width=22),
    Column("Montant sur toute la durée (€ HT)", "cell.amount", "euros", width=32),
    Column("Quantité par an", _line("quantity"), "decimal", width=16),
    Column("Unité", _line("unit"), width=14),
    Column("Prix unitaire actuel (€ HT)", _line("current_unit_price"), "decimal", width=26),
    Column("Fournisseur actuel", _line("current_supplier"), width=28),
    Column("Fin du contrat actuel", _line("current_contract_ends_on"), "date", width=20),
    Column("Besoin", "said", width=16),
    Column("Réponse", "status", width=46),
)


def export_rows(overview: Overview) -> Iterator[ExportRow]:
    """In the order of the screen: by member, then by lot."""
    for row in overview.rows:
        for lot, cell in zip(overview.lots, row.cells, strict=True):
            yield ExportRow(row, lot, cell)
