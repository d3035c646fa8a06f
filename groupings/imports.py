"""Importing groupings from a folder: ``groupings.csv``, ``lots.csv``, ``needs.csv``, checked and written together.

Groupings are recognised by their reference, lots by their number, needs by member and lot: importing the folder again
updates and repeats nothing. What the folder no longer holds is left as it is.
"""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from groupings.actions.grouping import grouping_save, lot_save
from groupings.actions.membership import membership_add, need_set
from groupings.choices import Category
from groupings.models import Grouping, Lot, Membership, NeedLine
from groupings.models.grouping import REFERENCE
from groupings.reference import cpv
from members.imports import find_one, scope
from members.models import Organisation
from procurement.core import cell_parsers as parse
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.imports import (
    Checked,
    Column,
    ImportError_,
    ImportRefused,
    ImportReport,
    Row,
    Tally,
    check,
    raise_if_refused,
    read_table,
    try_every_row,
)


def _reference(cell: parse.Cell) -> str:
    value = parse.text(30)(cell)
    if not re.fullmatch(REFERENCE.regex, value):
        raise ValueError(f"«\u00a0{value}\u00a0» n’est pas une référence. {REFERENCE.message}")
    return value


_REFERENCE = Column("reference", "Référence", _reference)
_LOT = Column("lot", "Lot", parse.integer(1, 999))
_CATEGORIES = {item.value: item for item in Category} | {item.label: item for item in Category}

COLUMNS = {
    "groupings.csv": (
        _REFERENCE,
        Column("title", "Objet", parse.text(200)),
        Column("category", "Catégorie", parse.choice(_CATEGORIES)),
        Column("cpv", "Code CPV", parse.of_text(cpv.parse)),
        Column("coordinator_siren", "SIREN du coordonnateur", parse.siren),
        Column("duration_months", "Durée (mois)", parse.integer(1, 360)),
        Column("opened_on", "Ouvert le", parse.date, required=False),
        Column("source", "Source", parse.text(200), required=False),
    ),
    "lots.csv": (_REFERENCE, _LOT, Column("title", "Intitulé", parse.text(200))),
    "needs.csv": (
        _REFERENCE,
        _LOT,
        Column("siren", "SIREN", parse.siren),
        Column("estimated_amount_excl_tax", "Montant estimé (€ HT)", parse.euros()),
    ),
}


def import_grouping(directory: Path | str, *, actor: Actor, today: date | None = None) -> ImportReport:
    """Create or update the groupings of a folder with their lots, members and needs, in one transaction.

    A new grouping opens on the date of its ``opened_on`` column; without one, on 1 January of the year its reference
    names (``GC-2016-01``), else on ``today``. Raises ImportRefused with every error of every file.
    """
    groupings, lots, needs = _read_folder(Path(directory))
    _check_repeats(groupings, lots, needs)
    writer = _Writer(actor, today)
    _check_references(groupings, lots, needs)
    writer.check_bodies(groupings, needs)
    writer.check_lots(groupings, lots, needs)
    raise_if_refused(groupings, lots, needs)
    with transaction.atomic():
        try_every_row(groupings, writer.write_grouping)
        try_every_row(lots, writer.write_lot)
        writer.load_members()
        try_every_row(needs, writer.write_need)
        raise_if_refused(groupings, lots, needs)
    return ImportReport((writer.groupings_tally, writer.lots_tally, writer.members_tally, writer.needs_tally))


def _read_folder(directory: Path) -> Iterable[Checked]:
    """The three files checked one by one. A file that cannot be read does not hide the errors of the others."""
    checked, refused = [], []
    for name, columns in COLUMNS.items():
        try:
            if not (directory / name).is_file():
                raise ImportRefused([ImportError_(None, "", "Ce fichier manque dans le dossier.", name)])
            checked.append(check(read_table(directory / name), columns))
        except ImportRefused as error:
            refused += error.errors
    if refused:
        raise ImportRefused([*refused, *(error for file in checked for error in file.errors)])
    return checked


def _check_repeats(groupings: Checked, lots: Checked, needs: Checked) -> None:
    groupings.refuse_repeats("reference", message="Cette référence est déjà celle de la ligne {line}.")
    lots.refuse_repeats("reference", "lot", message="Ce lot est déjà celui de la ligne {line}.")
    message = "Le besoin de ce membre pour ce lot est déjà à la ligne {line}."
    needs.refuse_repeats("reference", "lot", "siren", message=message)


def _read_keys(checked: Checked, *names: str) -> set[tuple]:
    """The keys of a file, those of its refused rows included: a row to correct is not a row that is missing."""
    rows = [*checked.rows, *checked.refused_rows]
    return {tuple(row[name] for name in names) for row in rows if all(name in row.values for name in names)}


def _check_references(groupings: Checked, *others: Checked) -> None:
    known = _read_keys(groupings, "reference")
    for checked in others:
        for row in checked.rows:
            if (row["reference"],) not in known:
                checked.refuse(row.line, "reference", f"Le groupement {row['reference']} n’est pas dans groupings.csv.")


class _Writer:
    """One import under way: what the files refer to, then what has been written so far."""

    def __init__(self, actor: Actor, today: date | None):
        self.actor, self.today = actor, today
        self.visible = scope(actor)
        self.coordinators: dict[str, Organisation] = {}  # reference -> body
        self.bodies: dict[int, dict[str, Organisation]] = {}  # territory -> SIREN -> body
        self.groupings: dict[str, Grouping] = {}
        self.lots: dict[tuple[str, int], Lot] = {}
        self.members: dict[tuple[str, str], Membership] = {}
        self.needs: dict[tuple[int, int], NeedLine] = {}
        self.groupings_tally = Tally("Groupements")
        self.lots_tally = Tally("Lots")
        self.members_tally = Tally("Membres")
        self.needs_tally = Tally("Besoins")

    def check_bodies(self, groupings: Checked, needs: Checked) -> None:
        """Find every coordinator, and every member in its coordinator's territory; refuse the unknown."""
        for row in groupings.rows:
            try:
                coordinator = find_one(self.visible, row["coordinator_siren"])
            except BusinessError as error:
                groupings.refuse(row.line, "coordinator_siren", str(error))
                continue
            self.coordinators[row["reference"]] = coordinator
            stored = Grouping.objects.filter(coordinator=coordinator, reference=row["reference"]).first()
            if stored:
                self.groupings[row["reference"]] = stored
            elif row["opened_on"] is None and self._opening_day(row) is None:
                groupings.refuse(row.line, "opened_on", "Indiquez la date d’ouverture de ce groupement.")
        for row in needs.rows:
            coordinator = self.coordinators.get(row["reference"])
            if coordinator is not None and self._body(coordinator, row["siren"]) is None:
                message = f"Le SIREN {row['siren']} n’est celui d’aucun organisme de l’annuaire."
                needs.refuse(row.line, "siren", message)

    def _body(self, coordinator: Organisation, siren: str) -> Organisation | None:
        root_id = coordinator.root_id
        if root_id not in self.bodies:
            territory = self.visible.filter(territory_id=root_id) | self.visible.filter(pk=root_id)
            self.bodies[root_id] = {body.siren: body for body in territory}
        return self.bodies[root_id].get(siren)

    def check_lots(self, groupings: Checked, lots: Checked, needs: Checked) -> None:
        """Refuse a need for a lot its grouping has neither in the file nor already."""
        for lot in Lot.objects.filter(grouping__in=self.groupings.values()).select_related("grouping"):
            self.lots[lot.grouping.reference, lot.number] = lot
        self.members_tally.unchanged = self._stored_members().count()
        references = {reference for (reference,) in _read_keys(groupings, "reference")}
        stored = Lot.objects.filter(grouping__reference__in=references, grouping__coordinator__in=self.visible)
        known = _read_keys(lots, "reference", "lot") | set(stored.values_list("grouping__reference", "number"))
        for row in needs.rows:
            if row["reference"] in references and (row["reference"], row["lot"]) not in known:
                needs.refuse(row.line, "lot", f"Le groupement {row['reference']} n’a pas de lot {row['lot']}.")

    def _opening_day(self, row: Row) -> date | None:
        year = re.search(r"(?<!\d)20\d\d(?!\d)", row["reference"])
        return date(int(year.group()), 1, 1) if year else self.today

    def write_grouping(self, row: Row) -> None:
        """Create or update one grouping; its opening date changes only when the file gives one."""
        values = {name: row[name] for name in ("title", "category", "cpv", "duration_months")}
        values |= {name: row[name] for name in ("opened_on", "source") if row[name] is not None}
        grouping = self.groupings.get(row["reference"])
        if grouping is None:
            values.setdefault("opened_on", self._opening_day(row))
            coordinator = self.coordinators[row["reference"]]
            grouping = Grouping(reference=row["reference"], coordinator=coordinator, **values)
            self.groupings[row["reference"]] = grouping_save(grouping=grouping, actor=self.actor)
            self.groupings_tally.created += 1
        elif _set_changes(grouping, values):
            grouping_save(grouping=grouping, actor=self.actor)
            self.groupings_tally.changed += 1
        else:
            self.groupings_tally.unchanged += 1

    def write_lot(self, row: Row) -> None:
        """Create a lot, or change its title."""
        key = row["reference"], row["lot"]
        lot = self.lots.get(key)
        if row["reference"] not in self.groupings:
            return  # refused a moment ago, and told on its own line
        if lot is None:
            lot = Lot(grouping=self.groupings[row["reference"]], number=row["lot"], title=row["title"])
            self.lots[key] = lot_save(lot=lot, actor=self.actor)
            self.lots_tally.created += 1
        elif _set_changes(lot, {"title": row["title"]}):
            lot_save(lot=lot, actor=self.actor)
            self.lots_tally.changed += 1
        else:
            self.lots_tally.unchanged += 1

    def _stored_members(self) -> QuerySet[Membership]:
        return Membership.objects.filter(grouping__in=self.groupings.values())

    def load_members(self) -> None:
        """Read once what the groupings already hold, the coordinators just added included."""
        stored = self._stored_members().select_related("grouping", "organisation")
        self.members = {(item.grouping.reference, item.organisation.siren): item for item in stored}
        lines = NeedLine.objects.filter(membership__in=stored)
        self.needs = {(line.membership_id, line.lot_id): line for line in lines}
        self.members_tally.created = len(self.members) - self.members_tally.unchanged

    def write_need(self, row: Row) -> None:
        """Set what a member needs for a lot; the body joins the grouping with its first need."""
        lot = self.lots.get((row["reference"], row["lot"]))
        if lot is None:
            return  # the lot or the grouping was refused a moment ago, and told on its own line
        grouping, amount = self.groupings[row["reference"]], row["estimated_amount_excl_tax"]
        key = row["reference"], row["siren"]
        membership = self.members.get(key)
        if membership is None:
            body = self._body(grouping.coordinator, row["siren"])
            membership = membership_add(
                grouping=grouping, organisation=body, joined_on=grouping.opened_on, actor=self.actor
            )
            self.members[key] = membership
            self.members_tally.created += 1
        line = self.needs.get((membership.pk, lot.pk))
        stored = line and line.estimated_amount_excl_tax
        if stored is not None and stored.amount == amount:
            self.needs_tally.unchanged += 1
            return
        if membership.withdrawn_on is not None:
            raise BusinessError(f"{membership.organisation} s’est retiré de ce groupement.", field="siren")
        kept = {"quantity": line.quantity, "unit": line.unit} if line else {}
        need_set(membership=membership, lot=lot, amount=amount, actor=self.actor, **kept)
        if line is None:
            self.needs_tally.created += 1
        else:
            self.needs_tally.changed += 1


def _set_changes(item: Grouping | Lot, values: dict[str, object]) -> bool:
    """Set the values that differ, and say whether any did."""
    changed = {name: value for name, value in values.items() if getattr(item, name) != value}
    for name, value in changed.items():
        setattr(item, name, value)
    return bool(changed)
