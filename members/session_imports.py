"""Importing council calendars from a file: one line per session, recognised by its body and its date.

All or nothing, journalled, and repeatable: the same file twice changes nothing the second time. An empty cell says
nothing, and changes nothing of a session already there; a line that names a body and no date at all is left aside, so
that the sample file can be sent back half filled.
"""

import re
from dataclasses import dataclass
from typing import IO

from django.db.models import Q, QuerySet

from members.actions import session_bodies, session_save
from members.models import Affiliation, CouncilSession, Organisation
from members.roles import SYSTEM, require
from procurement.core.actors import Actor
from procurement.core.cell_parsers import EMPTY, as_text, date, normalise, optional, siren, siret, text
from procurement.core.documents.tabular import Cell
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

#: Sessions in one file: a hundred bodies that meet ten times. Seven seconds of writing (measured), within the twenty
#: another writer waits for on SQLite.
MAX_SESSIONS = 1_000
_NUMBER = re.compile(r"[\d\s.,]+(?:E\+?\d+)?", re.IGNORECASE)


def _body(cell: Cell) -> str:
    """A SIREN (of a SIRET, its first nine digits), or the name of a body as it is written."""
    shown = as_text(cell)
    if not _NUMBER.fullmatch(shown):
        return text(200)(cell)
    digits = "".join(character for character in shown if character.isdigit())
    return siret(cell)[:9] if len(digits) > 9 else siren(cell)


COLUMNS = (
    Column("siren", "SIREN", _body, required=False, aliases=("SIRET", "SIREN ou SIRET")),
    Column("organisation", "Organisme", _body, required=False, aliases=("name", "Nom", "Commune", "Collectivité")),
    Column("meeting_on", "Séance du", optional(date), aliases=("Séance", "Date de séance", "Date de la séance")),
    Column(
        "agenda_closes_on", "Clôture de l’ordre du jour", date, required=False, aliases=("Clôture", "Ordre du jour")
    ),
    Column("convened_on", "Convocation envoyée le", date, required=False, aliases=("Convocation",)),
    Column("source", "Source", text(200), required=False),
)
_FACTS = ("agenda_closes_on", "convened_on", "source")


@dataclass(slots=True)
class SessionTally(Tally):
    """The sessions, and the lines that name a body without any date."""

    without_date: int = 0

    def __str__(self) -> str:
        told = Tally.__str__(self)
        if not self.without_date:
            return told
        plural = "s" * (self.without_date > 1)
        return f"{told}, {self.without_date} ligne{plural} sans date laissée{plural} de côté"


def import_sessions(
    file: str | IO[bytes], filename: str = "", *, actor: Actor, territory: Organisation | None = None
) -> ImportReport:
    """Create or update the sessions of a csv or xlsx file, recognised by body and date.

    ``territory``: for a command, the territory whose bodies the file names (see ``find_territory``); a person imports
    into its own, and a member's people the calendar of their own body alone. Raises NotAllowed, or ImportRefused with
    every error of the file; nothing is then written.
    """
    require(actor, "organisation.change", organisation_id=actor.organisation_id)
    checked = check(read_table(file, filename, max_rows=MAX_SESSIONS), COLUMNS)
    if not checked.errors and not {"siren", "organisation"} & checked.columns:
        checked.refuse(None, "", "Il manque la colonne qui dit de quel organisme il s’agit\u00a0: SIREN, ou Organisme.")
    tally = SessionTally("Séances")
    bodies = _resolve(checked, actor, _of_territory(actor, territory), tally)
    stored = {(item.organisation_id, item.meeting_on): item for item in _stored(bodies.values())}

    def write(row: Row) -> None:
        body = bodies[row.line]
        session = stored.get((body.pk, row["meeting_on"]))
        values = {name: row[name] for name in _FACTS if row[name] is not None}
        if session is None:
            session_save(session=CouncilSession(organisation=body, meeting_on=row["meeting_on"], **values), actor=actor)
            tally.created += 1
        elif all(getattr(session, name) == value for name, value in values.items()):
            tally.unchanged += 1
        else:
            session.organisation = body
            for name, value in values.items():
                setattr(session, name, value)
            session_save(session=session, actor=actor, expected_version=session.version)
            tally.changed += 1

    write_every_row(checked, write)
    return ImportReport((tally,))


def find_territory(siren_number: str = "") -> Organisation:
    """The territory of this SIREN; without one, the only territory of the database. Raises BusinessError."""
    heads = Organisation.objects.filter(territory=None)
    if siren_number:
        head = heads.filter(siren="".join(siren_number.split())).first()
        if head is None:
            raise BusinessError(f"Le SIREN {siren_number} n’est celui d’aucun territoire enregistré.")
        return head
    found = list(heads[:2])
    if not found:
        raise BusinessError("Aucun organisme n’est enregistré\u00a0: importez d’abord l’annuaire.")
    if len(found) > 1:
        raise BusinessError("La base tient plusieurs territoires\u00a0: dites lequel avec --territory SIREN.")
    return found[0]


def _of_territory(actor: Actor, territory: Organisation | None) -> QuerySet[Organisation]:
    """The bodies the file may name. What the actor may write among them is checked line by line."""
    if actor.role != SYSTEM:
        return Organisation.objects.visible_to(actor)
    root = territory or find_territory()
    return Organisation.objects.filter(Q(pk=root.pk) | Q(territory=root))


def _stored(bodies) -> QuerySet[CouncilSession]:
    return CouncilSession.objects.filter(organisation__in={body.pk for body in bodies})


def _resolve(
    checked: Checked, actor: Actor, visible: QuerySet[Organisation], tally: SessionTally
) -> dict[int, Organisation]:
    """The body of each line. Lines without any date leave ``checked``; those that cannot be written are refused."""
    directory = _Directory(visible)
    writable = None if actor.role == SYSTEM else set(session_bodies(actor).values_list("pk", flat=True))
    bodies: dict[int, Organisation] = {}
    first: dict[tuple, int] = {}
    dated: list[Row] = []
    for row in checked.rows:
        try:
            body = directory.body_of(row)
            _check_writable(body, writable, actor)
        except BusinessError as error:
            checked.refuse(row.line, error.field or "", str(error))
            continue
        if row["meeting_on"] is None:
            if row["agenda_closes_on"] or row["convened_on"]:
                checked.refuse(row.line, "meeting_on", EMPTY)
            tally.without_date += 1
            continue
        former = first.setdefault((body.pk, row["meeting_on"]), row.line)
        if former != row.line:
            checked.refuse(row.line, "meeting_on", f"Cette séance est déjà à la ligne {former}.")
        _check_order(checked, row)
        bodies[row.line] = body
        dated.append(row)
    if not dated and not checked.errors:
        checked.refuse(None, "", "Aucune ligne ne porte de date de séance.")
    checked.rows[:] = dated
    return bodies


def _check_order(checked: Checked, row: Row) -> None:
    """What the database would refuse, told with the other errors of the file and by its column."""
    if row["agenda_closes_on"] and row["agenda_closes_on"] > row["meeting_on"]:
        checked.refuse(row.line, "agenda_closes_on", "L’ordre du jour se clôt au plus tard le jour de la séance.")
    if row["convened_on"] and row["convened_on"] >= row["meeting_on"]:
        checked.refuse(row.line, "convened_on", "La convocation part avant la séance.")


def _check_writable(body: Organisation, writable: set[int] | None, actor: Affiliation) -> None:
    if writable is not None and body.pk not in writable:
        raise BusinessError(f"Vous n’importez que les séances de votre organisme, {actor.organisation.name}.")


class _Directory:
    """The bodies of one territory, by SIREN and by name (accents, case and punctuation do not matter)."""

    def __init__(self, visible: QuerySet[Organisation]):
        self.by_siren: dict[str, Organisation] = {}
        self.by_name: dict[str, list[Organisation]] = {}
        for body in visible:
            self.by_siren[body.siren] = body
            self.by_name.setdefault(normalise(body.name), []).append(body)

    def body_of(self, row: Row) -> Organisation:
        """The body a line names by either column; when both do, they must agree. Raises BusinessError."""
        by_number, by_name = row["siren"], row["organisation"]
        if by_number is None and by_name is None:
            raise BusinessError("La ligne ne dit pas de quel organisme il s’agit.")
        if by_number is None:
            return self._one(by_name, "organisation")
        body = self._one(by_number, "siren")
        others = self._called(by_name) if by_name is not None else []
        # A name of one's own beside the right number is no matter; the name of a neighbour is a slip of the line.
        if others and body not in others:
            raise BusinessError(f"Le SIREN de cette ligne est celui de «\u00a0{body}\u00a0».", field="organisation")
        return body

    def _called(self, said: str) -> list[Organisation]:
        if said.isdigit():
            return [self.by_siren[said]] if said in self.by_siren else []
        return self.by_name.get(normalise(said), [])

    def _one(self, said: str, field: str) -> Organisation:
        found = self._called(said)
        if len(found) == 1:
            return found[0]
        if found:
            message = f"Plusieurs organismes s’appellent «\u00a0{said}\u00a0»\u00a0: donnez le SIREN."
        elif said.isdigit():
            message = f"Le SIREN {said} n’est celui d’aucun organisme de l’annuaire."
        else:
            message = f"Aucun organisme de l’annuaire ne s’appelle «\u00a0{said}\u00a0»\u00a0: donnez plutôt son SIREN."
        raise BusinessError(message, field=field)
