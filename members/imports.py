"""Importing the bodies of a territory from a file: created or updated by SIREN, in one transaction, journalled."""

from typing import IO

from django.db.models import QuerySet

from members.actions import organisation_save
from members.models import Organisation
from members.roles import SYSTEM
from procurement.core.actors import Actor
from procurement.core.cell_parsers import choice, insee_code, integer, optional, siren, text
from procurement.core.errors import BusinessError
from procurement.core.imports import (
    Checked,
    Column,
    ImportReport,
    Row,
    Tally,
    check,
    read_table,
    write_every_row,
)

_KINDS = {kind.value: kind for kind in Organisation.Kind} | {kind.label: kind for kind in Organisation.Kind}

COLUMNS = (
    Column("kind", "Nature", choice(_KINDS)),
    Column("name", "Nom", text(200)),
    Column("siren", "SIREN", siren),
    Column("insee_code", "Code INSEE", insee_code, required=False),
    Column("parent_siren", "SIREN de rattachement", siren, required=False),
    Column("population", "Population municipale", integer(0, 100_000_000), required=False),
    Column("source", "Source", optional(text(200)), required=False),
)
#: Columns copied as they are. An empty cell says nothing, and changes nothing on a body already there.
_FIELDS = ("kind", "name", "insee_code", "population", "source")


def import_organisations(file: str | IO[bytes], filename: str = "", *, actor: Actor) -> ImportReport:
    """Create or update the bodies of a csv or xlsx file, recognised by their SIREN within the territory.

    A body may come before the one it is attached to. Raises ImportRefused with every error of the file; nothing is
    then written.
    """
    checked = check(read_table(file, filename), COLUMNS)
    checked.refuse_repeats("siren", message="Ce SIREN est déjà celui de la ligne {line}.")
    visible = scope(actor)
    _order_by_parent(checked, visible)
    tally = Tally("Organismes")
    done: dict[str, Organisation] = {}

    def write(row: Row) -> None:
        parent = None
        if row["parent_siren"]:
            parent = done.get(row["parent_siren"]) or find_one(visible, row["parent_siren"])
        organisation = _existing(visible, row["siren"], parent) or Organisation(siren=row["siren"])
        values = {name: row[name] for name in _FIELDS if row[name] is not None}
        if parent is not None:
            values["parent"] = parent
        changed = {name for name, value in values.items() if getattr(organisation, name) != value}
        for name in changed:
            setattr(organisation, name, values[name])
        if organisation.pk is None:
            organisation_save(organisation=organisation, actor=actor)
            tally.created += 1
        elif changed:
            organisation_save(organisation=organisation, actor=actor)
            tally.changed += 1
        else:
            tally.unchanged += 1
        done[row["siren"]] = organisation

    write_every_row(checked, write)
    return ImportReport((tally,))


def scope(actor: Actor) -> QuerySet[Organisation]:
    """The bodies an import may refer to: those of the actor's territory, all of them for a command."""
    return Organisation.objects.all() if actor.role == SYSTEM else Organisation.objects.visible_to(actor)


def find_one(visible: QuerySet[Organisation], siren_number: str) -> Organisation:
    """The body of this SIREN; the head of a territory goes before a card kept by another territory.

    Raises BusinessError when there is none, or no telling which.
    """
    found = list(visible.filter(siren=siren_number).order_by("pk")[:3])
    found = [organisation for organisation in found if organisation.territory_id is None] or found
    if not found:
        raise BusinessError(f"Le SIREN {siren_number} n’est celui d’aucun organisme enregistré.")
    if len(found) > 1:
        raise BusinessError(f"Plusieurs territoires tiennent une fiche au SIREN {siren_number}.")
    return found[0]


def _existing(visible: QuerySet[Organisation], siren_number: str, parent: Organisation | None) -> Organisation | None:
    """The card to update: never one that another territory keeps of the same body."""
    candidates = visible.filter(siren=siren_number)
    if parent is not None:
        territory_id = parent.root_id
        if kept := candidates.filter(territory_id=territory_id).first():
            return kept
        # A card entered alone, to which nobody nor anything is attached yet, joins the territory.
        return candidates.filter(territory=None, children=None, affiliations=None).exclude(pk=territory_id).first()
    if head := candidates.filter(territory=None).first():
        return head
    kept = list(candidates[:2])
    if len(kept) > 1:
        raise BusinessError(f"Plusieurs territoires tiennent une fiche au SIREN {siren_number}.", field="siren")
    return kept[0] if kept else None  # the file does not say to what it is attached: that stays


def _order_by_parent(checked: Checked, visible: QuerySet[Organisation]) -> None:
    """Refuse unknown parents and loops, and put each row after the one it is attached to."""
    rows = {row["siren"]: row for row in checked.rows}
    unread = {row.values.get("siren") for row in checked.refused_rows}
    known = rows.keys() | unread | set(visible.values_list("siren", flat=True))
    for row in checked.rows:
        parent_siren = row["parent_siren"]
        if parent_siren and parent_siren not in known:
            message = f"Le SIREN {parent_siren} n’est celui d’aucun organisme, ni du fichier, ni enregistré."
            checked.refuse(row.line, "parent_siren", message)
    ordered: dict[str, Row] = {}
    for row in checked.rows:
        chain: dict[str, Row] = {}
        current: Row | None = row
        while current is not None and current["siren"] not in ordered:
            if current["siren"] in chain:
                message = "Cet organisme est rattaché à lui-même, directement ou par une boucle."
                checked.refuse(current.line, "parent_siren", message)
                break
            chain[current["siren"]] = current
            current = rows.get(current["parent_siren"])
        ordered |= dict(reversed(chain.items()))
    if len(ordered) == len(checked.rows):  # a repeated SIREN is already refused
        checked.rows[:] = ordered.values()
