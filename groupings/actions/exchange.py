"""The receipts of the contrôle de légalité as they enter: recorded when their act is known here, else proposed.

Each receipt is a transaction of its own, told in an Outcome and in the journal: one bad file never stops the others.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from groupings.actions.deliberation import deliberation_record_effect
from groupings.actions.evidence import document_deposit
from groupings.actions.proposals import (
    CANCELLED,
    Facts,
    close_others,
    effect,
    followed,
    is_cancelled,
    proposal_create,
    receipt_fingerprint,
    writable,
)
from groupings.exchange.receipts import Receipt, ReceiptKind, UnreadableReceipt, read_receipt
from groupings.matching import Act, Awaited, Candidate, certain, plausible, why_none
from groupings.models import Deliberation, Proposal
from members.models import Organisation
from members.roles import SYSTEM
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from procurement.core.journal.record import record, snapshot
from procurement.core.uploads import clean_name

logger = logging.getLogger(__name__)

ALREADY = "Déjà enregistré\u00a0: rien n’a changé."


class Fate(StrEnum):
    MATCHED = "matched"
    PROPOSED = "proposed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file; ``reason`` is French. ``deliberation``: the one it was linked to, if any."""

    file: str
    outcome: Fate
    reason: str
    actes_id: str | None = None
    received_on: date | None = None
    deliberation: Deliberation | None = None

    def as_json(self) -> dict[str, str | None]:
        return {
            "file": self.file,
            "outcome": str(self.outcome),
            "actes_id": self.actes_id,
            "received_on": self.received_on.isoformat() if self.received_on else None,
            "reason": self.reason,
        }


def receipt_import(
    *, content: bytes, filename: str, actor: Actor, today: date, territory: Organisation | None = None
) -> Outcome:
    """Record, propose or refuse one receipt. Raises nothing: a refusal is an Outcome, with its reason.

    Recorded (matched): an act whose identifier is already here, or the only one in force of that body and day that
    bears its number. A cancellation takes the reception back, by its exact identifier alone. ``territory``: for a
    command, the one whose deliberations the file may be about; all of them by default.
    """
    name = clean_name(filename)
    told: dict[str, Any] = {"file": name}
    place = territory if actor.role == SYSTEM else actor.organisation
    try:
        receipt = read_receipt(content, name)
    except UnreadableReceipt as error:
        return _refuse(told, str(error), content, actor, place)
    told |= {"actes_id": str(receipt.actes_id) if receipt.actes_id else None, "received_on": receipt.received_on}
    process = _Import(receipt, content, name, actor, today)
    try:
        with transaction.atomic():
            outcome = process.run(territory)
    except BusinessError as error:
        return _refuse(told, str(error), content, actor, process.body or place)
    except ValidationError as error:
        return _refuse(told, " ".join(error.messages), content, actor, process.body or place)
    return Outcome(**told, **outcome)


class _Import:
    """One receipt that could be read, on its way to a deliberation. Each step returns the rest of the Outcome."""

    def __init__(self, receipt: Receipt, content: bytes, name: str, actor: Actor, today: date):
        self.receipt, self.content, self.name = receipt, content, name
        self.actor, self.today = actor, today
        self.actes_id = str(receipt.actes_id) if receipt.actes_id else ""
        self.deliberations: list[Deliberation] = []
        self.body: Organisation | None = None  # once found in the perimeter

    def run(self, territory: Organisation | None) -> dict[str, Any]:
        receipt = self.receipt
        if receipt.actes_id is None:
            raise BusinessError(receipt.reason)
        siren = receipt.actes_id.siren
        found = followed(self.actor, territory).filter(membership__organisation__siren=siren).order_by("pk")
        self.deliberations = writable(found, self.actor)
        if not self.deliberations:
            raise BusinessError(
                f"Organisme inconnu\u00a0: aucune délibération suivie n’est d’un organisme de SIREN {siren}."
            )
        holder = next((item for item in self.deliberations if item.actes_id == self.actes_id), None)
        self.body = (holder or self.deliberations[0]).membership.organisation
        if receipt.kind == ReceiptKind.ANOMALY:
            raise BusinessError(receipt.reason)
        if receipt.kind == ReceiptKind.CANCELLED:
            return self.cancel(holder)
        return self.receive(holder)

    def cancel(self, holder: Deliberation | None) -> dict[str, Any]:
        """Take back the reception and the identifier: the act has to be sent again, under another number."""
        territory_id = self.body.root_id
        known = is_cancelled(self.actes_id, territory_id)
        if holder is None and known:
            return {"outcome": Fate.CANCELLED, "reason": ALREADY}
        if not known:
            thread, _, concerns_id = self.body.journal_scope
            record(
                actor=self.actor,
                territory_id=territory_id,
                thread=thread,
                concerns_id=concerns_id,
                verb=CANCELLED,
                sentence=f"Acte {self.actes_id} retiré du contrôle de légalité par {self.body.name}",
                after={"actes_id": self.actes_id, "file": self.name},
            )
        if holder is None:
            return {
                "outcome": Fate.REFUSED,
                "reason": "Aucune délibération ne porte cet identifiant\u00a0: il n’y a pas de réception à reprendre. "
                "Un accusé de réception de cet acte sera refusé.",
            }
        deliberation_record_effect(
            deliberation=holder,
            actor=self.actor,
            today=self.today,
            published_on=holder.published_on,
            reason=f"{self.receipt.reason} Fichier\u00a0: {self.name}",
        )
        self.deposit(holder)
        return {"outcome": Fate.CANCELLED, "reason": self.receipt.reason, "deliberation": holder}

    def receive(self, holder: Deliberation | None) -> dict[str, Any]:
        receipt, actes_id = self.receipt, self.receipt.actes_id
        if is_cancelled(self.actes_id, self.body.root_id):
            raise BusinessError("La collectivité a retiré cet acte du contrôle de légalité\u00a0: il ne compte plus.")
        if receipt.received_on < actes_id.decided_on:
            raise BusinessError(receipt.reason)
        if receipt.received_on > self.today:
            raise BusinessError(f"La réception est datée du {receipt.received_on:%d/%m/%Y}, qui n’est pas encore venu.")
        if holder is not None:
            return self.match(holder)
        act = Act(
            decided_on=actes_id.decided_on,
            numbers=tuple(dict.fromkeys(filter(None, (actes_id.number, receipt.number)))),
            subject=receipt.subject,
            actes_id=self.actes_id,
            nature=actes_id.nature,
        )
        awaited = [Awaited.of(item) for item in self.deliberations]
        by_pk = {item.pk: item for item in self.deliberations}
        # What the message says of its act contradicts its identifier: a person looks first.
        sure = None if receipt.reason else certain(act, awaited)
        if sure is not None:
            return self.match(by_pk[sure.pk])
        candidates = plausible(act, awaited, self.today)
        if not candidates:
            raise BusinessError(why_none(act, awaited))
        return self.propose([(by_pk[candidate.pk], candidate) for candidate in candidates])

    def facts(self) -> Facts:
        receipt, actes_id = self.receipt, self.receipt.actes_id
        return Facts(
            siren=actes_id.siren,
            decided_on=actes_id.decided_on,
            number=actes_id.number,
            actes_id=self.actes_id,
            subject=receipt.subject,
            matter=receipt.matter,
            sent_on=receipt.sent_on,
            received_on=receipt.received_on,
            published_on=receipt.published_on,
        )

    def match(self, deliberation: Deliberation) -> dict[str, Any]:
        before = snapshot(deliberation)
        stored = deliberation_record_effect(
            deliberation=deliberation,
            actor=self.actor,
            today=self.today,
            reason=f"Accusé de réception\u00a0: {self.name}",
            **effect(deliberation, self.facts(), self.today),
        )
        has_new_file = self.deposit(stored)
        close_others(stored, Proposal.Origin.RECEIPT, receipt_fingerprint(self.actes_id), self.actor)
        if snapshot(stored) == before:
            reason = "Déjà enregistré\u00a0: le fichier est ajouté aux pièces." if has_new_file else ALREADY
        else:
            grouping = stored.membership.grouping
            reason = f"Délibération – {self.body.name}, {grouping.reference}."
            if stored.executory_on:
                reason += f" Exécutoire le {stored.executory_on:%d/%m/%Y}."
        return {"outcome": Fate.MATCHED, "reason": reason, "deliberation": stored}

    def deposit(self, deliberation: Deliberation) -> bool:
        """Keep the file as evidence; whether it was not there yet."""
        known = set(deliberation.documents.values_list("pk", flat=True))
        document = document_deposit(
            deliberation=deliberation, content=self.content, filename=self.name, actor=self.actor, kind="receipt"
        )
        return document.pk not in known

    def propose(self, found: list[tuple[Deliberation, Candidate]]) -> dict[str, Any]:
        proposals = [
            proposal_create(
                deliberation=deliberation,
                origin=Proposal.Origin.RECEIPT,
                fingerprint=receipt_fingerprint(self.actes_id),
                source_name=self.name,
                facts=self.facts(),
                reason=" ".join(filter(None, (candidate.reason, self.receipt.reason))),
                score=candidate.score,
                actor=self.actor,
                content=self.content,
            )
            for deliberation, candidate in found
        ]
        waiting = [proposal for proposal in proposals if proposal.answer == Proposal.Answer.WAITING]
        if not waiting:
            answer = proposals[0]
            done = "confirmé" if answer.answer == Proposal.Answer.CONFIRMED else "écarté"
            raise BusinessError(f"{answer.answered_by} a déjà {done} ce rapprochement.")
        first = waiting[0].deliberation.membership
        others = len(waiting) - 1
        more = f", et {others} autre{'s' * (others > 1)}" if others else ""
        reason = f"{first.organisation.name}, {first.grouping.reference}{more}. {waiting[0].reason}"
        return {"outcome": Fate.PROPOSED, "reason": reason}


def _refuse(told: dict[str, Any], reason: str, content: bytes, actor: Actor, place: Organisation | None) -> Outcome:
    """Tell a refusal, and journal it on the page of ``place``, once for the same file and reason."""
    place = place or _only_territory()
    sha256 = hashlib.sha256(content).hexdigest()
    if place is None:
        logger.info("Accusé de réception refusé, %s\u00a0: %s", told["file"], reason)
        return Outcome(**told, outcome=Fate.REFUSED, reason=reason)
    thread, territory_id, concerns_id = place.journal_scope
    former = JournalEntry.objects.filter(thread=thread, verb="receipt.refused", after__sha256=sha256, reason=reason)
    if not former.exists():
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            concerns_id=concerns_id,
            verb="receipt.refused",
            sentence=f"Accusé de réception refusé, {told['file']}\u00a0: {reason}",
            after={"file": told["file"], "sha256": sha256, "actes_id": told.get("actes_id")},
            reason=reason,
        )
    return Outcome(**told, outcome=Fate.REFUSED, reason=reason)


def _only_territory() -> Organisation | None:
    heads = list(Organisation.objects.filter(territory=None)[:2])
    return heads[0] if len(heads) == 1 else None
