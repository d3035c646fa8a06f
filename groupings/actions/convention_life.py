"""What moves a convention, by the table of ``groupings.convention_workflow``, and what is said of its text.

The grouping is locked first, then the version: freezing, voting and signing do the same.
"""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from groupings.choices import ConventionStatus, GroupingStatus
from groupings.circuit import signatures_of, unsigned
from groupings.convention_life import current_of
from groupings.convention_workflow import CONVENTION_WORKFLOW, FOLLOWING
from groupings.models import Convention, Grouping
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, TransitionRefused
from procurement.core.journal.models import JournalEntry
from procurement.core.journal.record import record
from procurement.core.workflow import SYSTEM_ROLE

_S = ConventionStatus
#: State → the column that keeps the day it was entered.
_DATES = {
    _S.COMMENTS: "comments_on",
    _S.FINAL: "final_on",
    _S.VOTES: "votes_on",
    _S.SIGNATURE: "signature_on",
    _S.IN_FORCE: "in_force_on",
    _S.ENDED: "ended_on",
}
#: A text sent once stays the one that was voted: the day it first left tells which vote was about it.
_AFTER_DRAFT = ("comments_on", "final_on", "signature_on")


def convention_advance(
    *,
    convention: Convention,
    transition: str,
    actor: Actor,
    today: date,
    now: datetime,
    reason: str = "",
    expected_status: str | None = None,
) -> Convention:
    """Move a version to its next state, by the table. Returns the stored row.

    Sending it to the assemblies moves its grouping too, when that still prepares the text. Opening the comments writes
    to the members. ``expected_status``: the state the person was reading; refused, saying who changed it, when it is
    another one now. Raises NotAllowed, TransitionRefused or BusinessError with the sentence to show; nothing is then
    written.
    """
    require(actor, "grouping.change", organisation_id=convention.grouping.coordinator_id)
    if transition in FOLLOWING:
        raise TransitionRefused("Cette étape suit un autre acte\u00a0: elle ne se demande pas seule.")
    with transaction.atomic():
        stored = lock(convention)
        if expected_status is not None and stored.status != expected_status:
            raise BusinessError(_what_changed(stored))
        if transition == "start_votes" and stored.grouping.status == GroupingStatus.CONVENTION:
            from groupings.actions.grouping import grouping_advance

            CONVENTION_WORKFLOW.advance(stored, transition, role=actor.role)  # its own refusal, before any other
            grouping_advance(grouping=stored.grouping, step="start_votes", actor=actor, today=today, now=now)
            stored.refresh_from_db()
            return stored
        move(stored, transition, actor=actor, today=today, reason=reason)
        if transition == "open_comments":
            from groupings.actions.convention_comments import comments_announce

            comments_announce(convention=stored, actor=actor, today=today, now=now)
    return stored


def convention_follow(*, grouping: Grouping, step: str, actor: Actor, today: date, reason: str = "") -> None:
    """What a step of the grouping does to its convention, inside the transaction of that step.

    ``start_votes`` freezes the text and puts it before the assemblies; ``revise_convention`` makes it a draft again;
    ``launch`` lets it sign and enter into force when everybody has; ``cancel`` ends it.
    """
    current = current_of(grouping)
    if current is None:
        return
    stored = lock(current)
    if step == "start_votes":
        send_to_assemblies(stored, actor=actor, today=today)
    elif step == "revise_convention" and stored.status in CONVENTION_WORKFLOW.get("revise").sources:
        move(stored, "revise", actor=actor, today=today, reason=reason, follows=True)
    elif step == "launch":
        convention_settle(stored, actor=actor, today=today)
    elif step == "cancel" and stored.status in CONVENTION_WORKFLOW.get("abandon").sources:
        move(stored, "abandon", actor=actor, today=today, reason=reason, follows=True)


def convention_settle(stored: Convention, *, actor: Actor, today: date) -> Convention:
    """Open the signature of a locked version, then put it in force, as far as what is recorded allows.

    For what follows from another act, a signature recorded for instance: it asks no right, and refuses nothing. It is
    in force from the day of the last signature.
    """
    for step in ("start_signature", "enter_into_force"):
        transition = CONVENTION_WORKFLOW.get(step)
        if stored.status in transition.sources and not transition.guard(stored):
            move(stored, step, actor=actor, today=today, follows=True)
    return stored


def signature_missing(*, grouping: Grouping, actor: Actor, today: date, reason: str) -> None:
    """A version in force that misses a signature again, erased for ``reason``, waits for it; one signed before the tool
    stays in force, whoever is recorded as having signed it."""
    current = current_of(grouping)
    if current is None or current.is_prior:
        return
    if current.status == _S.IN_FORCE and unsigned(current):
        move(lock(current), "reopen_signature", actor=actor, today=today, reason=reason, follows=True)


def send_to_assemblies(stored: Convention, *, actor: Actor, today: date) -> None:
    """The locked version goes through to the votes, frozen on the way; already there or further, it stays."""
    for step in ("make_final", "start_votes"):
        if stored.status in CONVENTION_WORKFLOW.get(step).sources:
            move(stored, step, actor=actor, today=today, follows=True)


def lock(convention: Convention) -> Convention:
    """The row as it is now with its grouping, alone to be written until the transaction ends."""
    Grouping.objects.select_for_update().get(pk=convention.grouping_id)
    Convention.objects.select_for_update().only("pk").get(pk=convention.pk)
    return Convention.objects.select_related("grouping__coordinator").get(pk=convention.pk)


def move(
    stored: Convention, step: str, *, actor: Actor, today: date, reason: str = "", follows: bool = False
) -> Convention:
    """Check the step, save and journal it on a row already locked. ``follows``: another act, whose right was asked,
    takes it."""
    before = stored.status
    transition = CONVENTION_WORKFLOW.advance(
        stored, step, role=SYSTEM_ROLE if follows else actor.role, reason=reason.strip()
    )
    entered = _DATES.get(_S(stored.status))
    if stored.status == _S.DRAFT:
        for name in _AFTER_DRAFT:
            setattr(stored, name, None)
    elif stored.status == _S.IN_FORCE:
        stored.in_force_on = signatures_of(stored).aggregate(last=Max("signed_on"))["last"] or today
    elif entered and not (entered == "votes_on" and stored.votes_on):
        setattr(stored, entered, today)
    if stored.status == _S.SIGNATURE:
        stored.in_force_on = None
    stored.validate_constraints()
    stored.save(update_fields=["status", *_DATES.values()])
    after = {"convention": stored.pk, "version": stored.version, "status": stored.status}
    if stored.status == _S.FINAL:
        after["text_sha256"] = stored.text_sha256
    record(
        actor=actor,
        territory_id=stored.grouping.territory_id,
        thread=stored.grouping.thread,
        verb=f"convention.{step}",
        sentence=f"Convention version {stored.version}\u00a0: {transition.label} ({stored.get_status_display()})",
        before={"status": before},
        after=after,
        reason=reason.strip(),
    )
    return stored


def _what_changed(stored: Convention) -> str:
    """The state found instead of the one read, and who brought it there: the second of two people is told."""
    state = f"La version {stored.version} est maintenant dans l’état «\u00a0{stored.get_status_display()}\u00a0»"
    last = JournalEntry.objects.filter(
        thread=stored.grouping.thread, verb__startswith="convention.", after__convention=stored.pk
    ).first()  # the latest comes first
    if last is not None:
        at = timezone.localtime(last.at)
        state += f" ({last.actor_label}, le {at:%d/%m/%Y à %H h %M})"
    return f"{state}\u00a0: rien n’a été changé, relisez la page."
