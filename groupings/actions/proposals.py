"""Proposals: what a file from outside seems to say of a deliberation, kept until a person answers."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from groupings.actions.deliberation import deliberation_record_effect, deliberation_vote
from groupings.actions.evidence import document_deposit
from groupings.actions.stepping import may_take, require_deliberation
from groupings.choices import AWAITING_VOTE, IN_FORCE, DeliberationStatus, GroupingStatus
from groupings.models import Deliberation, DeliberationDocument, Proposal
from members.models import Organisation
from members.roles import SYSTEM
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from procurement.core.journal.record import json_value, record
from procurement.core.uploads import clean_name, read_checked, write_aside_and_move

#: The entry that remembers an act withdrawn from the contrôle de légalité: its identifier never serves again.
CANCELLED = "receipt.cancelled"
_RECEIPT, _OPEN_DATA = Proposal.Origin
_WAITING, _CONFIRMED, _DISMISSED = Proposal.Answer
_NUMBER_LENGTH = Deliberation._meta.get_field("number").max_length


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one file says of one act; stored as JSON in ``Proposal.values`` beside what only the screen needs."""

    siren: str
    decided_on: date
    number: str = ""
    actes_id: str = ""
    subject: str = ""
    matter: str = ""
    sent_on: date | None = None
    received_on: date | None = None
    published_on: date | None = None
    #: Numbers of the vote by SCDL column, shown and never recorded: SCDL does not tell the proxies apart.
    votes: dict[str, int | None] | None = None

    def stored(self) -> dict[str, Any]:
        return {name: json_value(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, proposal: Proposal) -> "Facts":
        values = {name: proposal.values.get(name) for name in cls.__dataclass_fields__}
        for name in ("decided_on", "sent_on", "received_on", "published_on"):
            values[name] = date.fromisoformat(values[name]) if values[name] else None
        return cls(**values)

    @property
    def says_rejected(self) -> bool:
        """Whether the published numbers cannot be those of an adoption (CGCT, L2121-20)."""
        votes = self.votes or {}
        votes_for, votes_against = votes.get("VOTE_POUR"), votes.get("VOTE_CONTRE")
        return None not in (votes_for, votes_against) and votes_for < votes_against


def followed(actor: Actor, territory: Organisation | None = None):
    """The deliberations a file of ``actor`` may be about: those it may write, of members that take part.

    ``territory`` narrows a command to one of the territories of the database.
    """
    followed = (
        Deliberation.objects.filter(membership__withdrawn_on__isnull=True)
        .exclude(membership__grouping__status=GroupingStatus.CANCELLED)
        .select_related("session", "membership__organisation__parent", "membership__grouping__coordinator")
    )
    if actor.role != SYSTEM:
        return followed.about(actor)
    return of_territory(followed, territory)


def of_territory(deliberations, territory: Organisation | None):
    """Those of a territory's groupings; all of them for None."""
    if territory is None:
        return deliberations
    coordinator = "membership__grouping__coordinator"
    return deliberations.filter(Q(**{coordinator: territory}) | Q(**{f"{coordinator}__territory": territory}))


def writable(deliberations, actor: Actor) -> list[Deliberation]:
    """Those whose effect ``actor`` may record."""
    return [deliberation for deliberation in deliberations if may_take(deliberation, "record_effect", actor)]


def is_cancelled(actes_id: str, territory_id: int) -> bool:
    """Whether an ARAnnulation of that identifier was imported in the territory."""
    entries = JournalEntry.objects.filter(territory_id=territory_id, verb=CANCELLED)
    return bool(actes_id) and entries.filter(after__actes_id=actes_id).exists()


def receipt_fingerprint(actes_id: str) -> str:
    """One act, one proposal for each deliberation, whichever file tells of it."""
    return hashlib.sha256(f"receipt {actes_id}".encode()).hexdigest()


def proposal_create(
    *,
    deliberation: Deliberation,
    origin: str,
    fingerprint: str,
    source_name: str,
    facts: Facts,
    reason: str,
    score: int,
    actor: Actor,
    source_line: int | None = None,
    content: bytes = b"",
) -> Proposal:
    """Propose once: what was proposed already, or answered, is given back as it is. A proposal confirmed and since
    undone, the vote being awaited again, is proposed anew.

    ``content``: the receipt, kept under its hash until the answer, to be deposited as evidence.
    """
    require_deliberation(deliberation, actor)
    with transaction.atomic():
        Deliberation.objects.select_for_update().get(pk=deliberation.pk)  # the same file twice at once: one row
        former = Proposal.objects.filter(deliberation=deliberation, fingerprint=fingerprint).first()
        undone = former and former.answer == _CONFIRMED and deliberation.status in AWAITING_VOTE
        if former is not None and not undone:
            return former
        values = facts.stored() | {"score": score}
        if content:
            values["sha256"] = hashlib.sha256(content).hexdigest()
            values["file"] = _keep(content, values["sha256"])
        proposal = former or Proposal(deliberation=deliberation, origin=origin, fingerprint=fingerprint)
        proposal.source_name, proposal.source_line = clean_name(source_name), source_line
        proposal.values, proposal.reason = values, reason[:500]
        proposal.answer, proposal.answered_by, proposal.answered_at = _WAITING, "", None
        proposal.full_clean()
        proposal.save()
        what = f"numéro {facts.number}" if facts.number else "sans numéro"
        _tell(proposal, actor, "create", f"rapprochement proposé avec l’acte du {facts.decided_on:%d/%m/%Y}, {what}")
    return proposal


def proposal_answer(
    *, proposal: Proposal, confirmed: bool, actor: Actor, today: date, expected_version: int | None = None
) -> Proposal:
    """Confirm or dismiss. Confirming records the vote still awaited, then the effect, through their own actions.

    Raises NotAllowed; BusinessError when somebody has answered, or the deliberation changed, since the person read it;
    and every refusal of those actions: nothing is then written.
    """
    require_deliberation(proposal.deliberation, actor)
    with transaction.atomic():
        Deliberation.objects.select_for_update().get(pk=proposal.deliberation_id)
        stored = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if stored.answer != _WAITING:
            at = timezone.localtime(stored.answered_at)
            done = "confirmé" if stored.answer == _CONFIRMED else "écarté"
            raise BusinessError(f"{stored.answered_by} a déjà {done} ce rapprochement, le {at:%d/%m/%Y à %H h %M}.")
        told = "rapprochement écarté"
        if confirmed:
            _apply(stored, actor, today, expected_version)
            told = "rapprochement confirmé"
        _close(stored, _CONFIRMED if confirmed else _DISMISSED, actor)
        _tell(stored, actor, stored.answer, f"{told}, {stored.source_name}")
        if confirmed:
            close_others(stored.deliberation, stored.origin, stored.fingerprint, actor)
    return stored


def effect(deliberation: Deliberation, facts: Facts, today: date) -> dict[str, Any]:
    """What ``deliberation_record_effect`` is to set: the facts of the file, and for the rest what is known already.

    A day of publication that cannot be true is left to a person.
    """
    received_on = facts.received_on or deliberation.received_on
    published_on = facts.published_on
    if published_on and not (deliberation.decided_on or facts.decided_on) <= published_on <= today:
        published_on = None
    return {
        "received_on": received_on,
        "transmitted_on": deliberation.transmitted_on or facts.sent_on or received_on,
        "published_on": deliberation.published_on or published_on,
        "actes_id": facts.actes_id or deliberation.actes_id or "",
        "number": deliberation.number or kept_number(facts.number),
    }


def kept_number(number: str) -> str:
    """``number``, or nothing when it cannot be kept whole."""
    return number if len(number) <= _NUMBER_LENGTH else ""


def close_others(deliberation: Deliberation, origin: str, fingerprint: str, actor: Actor) -> None:
    """Dismiss what an act now linked leaves without object: the same receipt elsewhere (an identifier belongs to one
    deliberation), other proposals for this one. A receipt stays waiting when only open data were confirmed."""
    others = Q(deliberation=deliberation)
    others = others | Q(fingerprint=fingerprint) if origin == _RECEIPT else others & Q(origin=origin)
    # The same body may be kept by two territories: what the one confirms closes nothing of the other's.
    coordinator = deliberation.membership.grouping.coordinator
    ours = of_territory(Deliberation.objects.all(), coordinator.territory or coordinator)
    for other in Proposal.objects.filter(others, answer=_WAITING, deliberation__in=ours).select_for_update():
        _close(other, _DISMISSED, actor)
        _tell(other, actor, other.answer, f"rapprochement écarté, un autre est établi, {other.source_name}")


def _apply(proposal: Proposal, actor: Actor, today: date, expected_version: int | None) -> None:
    facts, deliberation = Facts.of(proposal), proposal.deliberation
    territory_id = deliberation.membership.grouping.territory_id
    if is_cancelled(facts.actes_id, territory_id):
        raise BusinessError("Cet acte a été retiré du contrôle de légalité\u00a0: écartez ce rapprochement.")
    if facts.says_rejected:
        raise BusinessError(
            "Les voix publiées disent un rejet\u00a0: saisissez le vote sur la page de la délibération."
        )
    if deliberation.status in AWAITING_VOTE:
        deliberation = deliberation_vote(
            deliberation=deliberation,
            outcome=DeliberationStatus.ADOPTED,
            meeting_on=facts.decided_on,
            number=kept_number(facts.number),
            actor=actor,
            today=today,
            expected_version=expected_version,
        )
        expected_version = None
    elif deliberation.status in IN_FORCE and deliberation.decided_on != facts.decided_on:
        raise BusinessError(
            f"La délibération est votée le {deliberation.decided_on:%d/%m/%Y}, et cet acte est du "
            f"{facts.decided_on:%d/%m/%Y}."
        )
    deliberation = deliberation_record_effect(
        deliberation=deliberation,
        actor=actor,
        today=today,
        expected_version=expected_version,
        reason=f"{proposal.get_origin_display()}\u00a0: {proposal.source_name}",
        **effect(deliberation, facts, today),
    )
    if path := proposal.values.get("file"):
        file = FieldFile(None, DeliberationDocument._meta.get_field("file"), path)
        content = read_checked(file, sha256=proposal.values["sha256"], name=proposal.source_name)
        document_deposit(
            deliberation=deliberation, content=content, filename=proposal.source_name, actor=actor, kind="receipt"
        )


def _keep(content: bytes, sha256: str) -> str:
    return write_aside_and_move(f"receipts/{sha256[:2]}/{sha256}", content)


def _close(proposal: Proposal, answer: str, actor: Actor) -> None:
    proposal.answer, proposal.answered_by = answer, actor.actor_label[:200]
    proposal.answered_at = timezone.now()
    proposal.save()
    path = proposal.values.get("file")
    waiting = Proposal.objects.filter(answer=_WAITING, values__file=path)
    if path and not waiting.exists():
        transaction.on_commit(lambda: default_storage.delete(path))


def _tell(proposal: Proposal, actor: Actor, verb: str, told: str) -> None:
    deliberation = proposal.deliberation
    thread, territory_id, concerns_id = deliberation.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb=f"proposal.{verb}",
        sentence=f"Délibération – {deliberation.membership.organisation.name}\u00a0: {told}",
        after={
            "proposal": proposal.pk,
            "file": proposal.source_name,
            "line": proposal.source_line,
            "fingerprint": proposal.fingerprint,
            "actes_id": proposal.values["actes_id"],
            "number": proposal.values["number"],
        },
        reason=proposal.reason,
    )
