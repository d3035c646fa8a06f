"""How one deliberation is written: locked, checked by the table and by the version read, saved and journalled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from groupings.models import Deliberation, DeliberationAttempt
from groupings.workflow import DELIBERATION_WORKFLOW
from members.roles import Role, may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from procurement.core.journal.record import changes, record, snapshot

ACTES_ID_TAKEN = "Cet identifiant ACTES est déjà celui d’une autre délibération."
_REASON_LENGTH = 500
#: A remark on who decides stays while the meetings pass; the others are about one meeting.
_LASTING = ("delegation",)


def require_deliberation(deliberation: Deliberation, actor: Actor) -> None:
    """The coordinator's buyers and jurists write for every member, a member's people for their own body."""
    if not may(actor, "grouping.change", organisation_id=deliberation.membership.grouping.coordinator_id):
        require(actor, "deliberation.change", organisation_id=deliberation.membership.organisation_id)


def may_take(deliberation: Deliberation, step: str, actor: Actor | None) -> bool:
    """Whether ``actor`` holds the right of that step, its state aside: some belong to the coordinator alone."""
    membership = deliberation.membership
    if may(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id):
        return True
    is_shared = Role.MEMBER_AGENT in DELIBERATION_WORKFLOW.get(step).roles
    return is_shared and may(actor, "deliberation.change", organisation_id=membership.organisation_id)


def require_followed(deliberation: Deliberation) -> None:
    """Raise BusinessError when nothing of it may change any more: grouping abandoned, or member withdrawn."""
    every_step = DELIBERATION_WORKFLOW.get("record_effect")  # all the rows of the table share that guard
    if refusal := every_step.guard(deliberation):
        raise BusinessError(refusal)


@contextmanager
def stepping(
    deliberation: Deliberation, step: str, actor: Actor, expected_version: int | None, reason: str = ""
) -> Iterator[Deliberation]:
    """Lock, check the step, let the caller set its facts on the stored row (and ``told``), save and journal.

    The caller's own ``deliberation`` is left as it was.
    """
    require_deliberation(deliberation, actor)
    if not may_take(deliberation, step, actor):  # a member's own buyer does not dispense its body from voting
        require(actor, "grouping.change", organisation_id=deliberation.membership.grouping.coordinator_id)
    with transaction.atomic():
        stored = locked(deliberation, expected_version)
        with advancing(stored, step, actor, reason):
            yield stored


@contextmanager
def advancing(stored: Deliberation, step: str, actor: Actor, reason: str = "") -> Iterator[Deliberation]:
    """The same on a row already locked, without asking for the right: for what follows from another act."""
    before = snapshot(stored)
    DELIBERATION_WORKFLOW.advance(stored, step, role=actor.role, reason=reason)
    stored.former_status, stored.told, stored.has_new_attempt = before["status"], "", False
    yield stored
    save(stored, before, actor, step, reason)


def locked(deliberation: Deliberation, expected_version: int | None = None) -> Deliberation:
    """The row as it is now, alone to be written until the transaction ends.

    Raises BusinessError, saying who changed what, when it is not at ``expected_version`` any more.
    """
    Deliberation.objects.select_for_update().get(pk=deliberation.pk)
    stored = Deliberation.objects.select_related(
        "session", "membership__organisation__parent", "membership__grouping__coordinator"
    ).get(pk=deliberation.pk)
    if expected_version is not None and expected_version != stored.version:
        raise BusinessError(_what_changed(stored, expected_version))
    return stored


def _what_changed(stored: Deliberation, read_version: int) -> str:
    """Who changed what since the person read the row: the second writer is told, and loses nothing."""
    entries = JournalEntry.objects.filter(
        thread=stored.membership.grouping.thread, after__deliberation=stored.pk, after__version__gt=read_version
    ).order_by("pk")
    told = [
        f"{entry.actor_label}, le {timezone.localtime(entry.at):%d/%m/%Y à %H h %M}\u00a0: {entry.sentence}."
        for entry in entries
    ]
    return " ".join(
        [
            "Cette délibération a changé pendant votre saisie.",
            *told,
            "Rien n’a été écrasé\u00a0: relisez, puis recommencez si besoin.",
        ]
    )


def save(stored: Deliberation, before: dict, actor: Actor, verb: str, reason: str) -> None:
    """Validate, save and journal what differs from ``before``; nothing is written when nothing does.

    Raises django's ValidationError, field by field, in French.
    """
    stored.full_clean()
    if snapshot(stored) == before and not stored.has_new_attempt:
        return
    if stored.session_id != before["session_id"]:
        stored.overrides.exclude(code__in=_LASTING).delete()  # decided for another meeting
    if stored.kind != before["kind"]:
        stored.overrides.filter(code__in=_LASTING).delete()
    stored.version += 1
    try:
        with transaction.atomic():
            stored.save()
    except IntegrityError:
        # Between our look and our write, another transaction gave the same identifier to its own act.
        if not stored.actes_id or not Deliberation.objects.exclude(pk=stored.pk).filter(actes_id=stored.actes_id):
            raise
        raise BusinessError(ACTES_ID_TAKEN, field="actes_id") from None
    old, new = changes(before, snapshot(stored))
    tell(stored, actor, verb, old, new, reason)


def tell(stored: Deliberation, actor: Actor, verb: str, old: dict, new: dict, reason: str = "") -> None:
    """One entry of the journal: ``stored.told`` is the end of its sentence."""
    thread, territory_id, concerns_id = stored.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb=f"deliberation.{verb}",
        sentence=f"Délibération – {stored.membership.organisation.name}\u00a0: {stored.told}",
        before=old,
        after={"version": stored.version, **new, "deliberation": stored.pk},
        reason=reason,
    )


def keep_attempt(stored: Deliberation, outcome: str, meeting_on: date | None, facts: dict, reason: str) -> None:
    """Keep a vote that came to nothing, or an act undone. The same one told twice is one attempt."""
    if stored.attempts.filter(outcome=outcome, meeting_on=meeting_on).exists():
        return
    DeliberationAttempt.objects.create(
        deliberation=stored, outcome=outcome, meeting_on=meeting_on, facts=facts, reason=reason[:_REASON_LENGTH]
    )
    stored.has_new_attempt = True
