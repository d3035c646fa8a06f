"""The open data of the assemblies as they enter: rows of SCDL files proposed to the deliberations still awaited."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from groupings.actions.proposals import Facts, followed, proposal_create, writable
from groupings.choices import AWAITING_VOTE, IN_FORCE
from groupings.exchange.scdl import VOTES
from groupings.exchange.scdl_reader import ScdlRow, Warning_, read_deliberations
from groupings.matching import Act, Awaited, Candidate, plausible
from groupings.models import Deliberation, Proposal
from members.models import Organisation
from procurement.core.actors import Actor

#: Rows of one file proposed for one deliberation, the best ones: a person reads them.
MAX_CANDIDATES = 10
#: Characters of an object that are kept and compared.
SUBJECT_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class RowCandidate:
    """A row of open data that may be an awaited deliberation, and the proposal a person will answer."""

    row: ScdlRow
    proposal: Proposal

    def as_json(self) -> dict[str, Any]:
        deliberation, row = self.proposal.deliberation, self.row
        return {
            "DELIB_ID": row.number,
            "siren": row.siren,
            "date": row.decided_on.isoformat(),
            "matiere_code": row.matter_code,
            "line": row.line,
            "grouping": deliberation.membership.grouping.reference,
            "organisation": deliberation.membership.organisation.name,
            "deliberation": deliberation.pk,
            "score": self.proposal.values["score"],
            "reason": self.proposal.reason,
        }


@dataclass(frozen=True, slots=True)
class DeliberationsReport:
    """What an open-data file holds. ``rows``: those of the file; ``read``: those that say something of an act."""

    rows: int
    read: int
    warnings: tuple[Warning_, ...]
    candidates: tuple[RowCandidate, ...]

    def as_json(self) -> dict[str, Any]:
        warnings = [{"line": w.line, "column": w.column, "message": w.message} for w in self.warnings]
        candidates = [candidate.as_json() for candidate in self.candidates]
        return {"rows": self.rows, "read": self.read, "warnings": warnings, "candidates": candidates}


def deliberations_propose(
    *, content: bytes, filename: str, actor: Actor, today: date, territory: Organisation | None = None
) -> DeliberationsReport:
    """Propose the rows of an SCDL file that may be awaited deliberations, by SIREN, date and words of the object.

    Nothing is linked; what a person answered is not proposed again. Raises UnreadableFile.
    """
    file = read_deliberations(content, filename)
    awaited = defaultdict(list)
    for deliberation in writable(followed(actor, territory).order_by("pk"), actor):
        if deliberation.status in AWAITING_VOTE or deliberation.status in IN_FORCE:
            awaited[deliberation.membership.organisation.siren].append(deliberation)
    found: dict[int, list[tuple[Candidate, ScdlRow]]] = defaultdict(list)
    by_pk = {item.pk: item for items in awaited.values() for item in items}
    facts_of = {siren: [Awaited.of(item) for item in items] for siren, items in awaited.items()}
    for row in file.rows:
        if row.decided_on is None or row.siren not in facts_of:
            continue
        numbers = (row.number,) if row.number else ()
        act = Act(decided_on=row.decided_on, numbers=numbers, subject=(row.subject or "")[:SUBJECT_LENGTH])
        for candidate in plausible(act, facts_of[row.siren], today):
            if _brings_something(row, by_pk[candidate.pk]):
                found[candidate.pk].append((candidate, row))
    candidates = []
    with transaction.atomic():
        for pk, rows in found.items():
            best = sorted(rows, key=lambda pair: (-pair[0].score, pair[1].line))[:MAX_CANDIDATES]
            candidates += [_propose_row(by_pk[pk], candidate, row, filename, actor) for candidate, row in best]
    waiting = [item for item in candidates if item.proposal.answer == Proposal.Answer.WAITING]
    waiting.sort(key=lambda item: (-item.proposal.values["score"], item.row.line))
    unread = {w.line for w in file.warnings if w.line is not None} - {row.line for row in file.rows}
    return DeliberationsReport(len(file.rows) + len(unread), len(file.rows), file.warnings, tuple(waiting))


def _brings_something(row: ScdlRow, deliberation: Deliberation) -> bool:
    """Whether the row says of an act voted here what is not known of it yet."""
    if deliberation.status in AWAITING_VOTE:
        return True
    said = {"number": row.number, "received_on": row.received_on, "published_on": row.published_on}
    return any(value and not getattr(deliberation, name) for name, value in said.items())


def _propose_row(
    deliberation: Deliberation, candidate: Candidate, row: ScdlRow, filename: str, actor: Actor
) -> RowCandidate:
    facts = Facts(
        siren=row.siren,
        decided_on=row.decided_on,
        number=row.number or "",
        subject=(row.subject or "")[:SUBJECT_LENGTH],
        matter=row.matter_code or "",
        received_on=row.received_on,
        published_on=row.published_on,
        votes=_votes(row),
    )
    key = f"scdl {facts.siren} {facts.number} {facts.decided_on} {' '.join(facts.subject.casefold().split())}"
    proposal = proposal_create(
        deliberation=deliberation,
        origin=Proposal.Origin.OPEN_DATA,
        fingerprint=hashlib.sha256(key.encode()).hexdigest(),
        source_name=filename,
        source_line=row.line,
        facts=facts,
        reason=candidate.reason,
        score=candidate.score,
        actor=actor,
    )
    return RowCandidate(row, proposal)


def _votes(row: ScdlRow) -> dict[str, int | None] | None:
    if row.votes is None:
        return None
    votes = row.votes
    counts = (votes.in_office, votes.present, votes.votes_for, votes.votes_against, votes.abstained)
    return dict(zip(VOTES, counts, strict=True))
