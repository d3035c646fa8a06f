"""Reminding the members that may sign and have not: one mail a day at most to each address."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from groupings import mailing
from groupings.choices import ConventionStatus, GroupingStatus
from groupings.circuit import SIGNABLE, signing_memberships
from groupings.models import Convention, Deliberation, Membership, SigningCopy
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
from procurement.core.mail.sending import Attachment, queue
from procurement.core.uploads import PDF_TYPE

#: How long after its copy was made a member is reminded by itself, once.
AFTER = timedelta(days=7)


def signatures_remind(
    *, convention: Convention, membership_ids: list[int], actor: Actor, today: date, now: datetime
) -> int:
    """Write to the members chosen whose act is enforceable and that have not signed, with their copy when it is made.

    Returns how many mails were stored. Raises NotAllowed, or BusinessError when none of them is to be reminded, or all
    were today already.
    """
    grouping = convention.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if convention.status not in SIGNABLE:
        raise BusinessError("Cette version n’est pas à signer.")
    chosen = [membership for membership in _awaited(convention) if membership.pk in set(membership_ids)]
    if not chosen:
        raise BusinessError(
            "Aucun membre n’est à relancer\u00a0: ceux que vous avez choisis ont signé, ou ne peuvent pas encore.",
            field="memberships",
        )
    copies = {copy.membership_id: copy for copy in _copies(convention, chosen)}
    with transaction.atomic():
        sent = sum(_send(convention, m, copies.get(m.pk), actor, f"du {today:%d/%m/%Y}", today, now) for m in chosen)
    if not sent:
        raise BusinessError(
            "Ces membres ont déjà été relancés aujourd’hui, ou n’ont pas d’adresse électronique.", field="memberships"
        )
    return sent


def signatures_remind_due(*, actor: Actor, today: date, now: datetime) -> int:
    """Remind once, seven days after its copy was made, each member that has not signed; a missed night is caught up.

    Returns how many mails were stored. Each version is its own transaction.
    """
    in_signature = Convention.objects.filter(status=ConventionStatus.SIGNATURE)
    in_signature = in_signature.exclude(grouping__status=GroupingStatus.CANCELLED)
    return sum(
        _remind_version(convention, actor, today, now)
        for convention in in_signature.select_related("grouping__coordinator", "grouping__buyer").order_by("pk")
    )


@transaction.atomic
def _remind_version(convention: Convention, actor: Actor, today: date, now: datetime) -> int:
    chosen = _awaited(convention)
    copies: dict[int, SigningCopy] = {}
    since: dict[int, date] = {}
    for copy in _copies(convention, chosen):
        copies[copy.membership_id] = copy
        since.setdefault(copy.membership_id, timezone.localtime(copy.made_at).date())
    due = [m for m in chosen if m.pk in since and since[m.pk] + AFTER <= today]
    return sum(_send(convention, m, copies[m.pk], actor, f"J+{AFTER.days}", today, now) for m in due)


def _awaited(convention: Convention) -> list[Membership]:
    """Those whose signature is the only thing waited for; the coordinator that signs last once it is alone."""
    unsigned = signing_memberships(convention).filter(is_signed=False)
    cleared = Deliberation.objects.approvals().cleared().filter(membership__in=unsigned).values("membership")
    found = list(unsigned.filter(pk__in=cleared).select_related("grouping__buyer"))
    coordinator_id = convention.grouping.coordinator_id
    if convention.coordinator_signs_last and unsigned.exclude(organisation=coordinator_id).exists():
        found = [membership for membership in found if membership.organisation_id != coordinator_id]
    return found


def _copies(convention: Convention, chosen: list[Membership]):
    found = SigningCopy.objects.filter(convention=convention, membership__in=chosen).defer("made_from")
    return found.select_related("convention", "membership__grouping", "membership__organisation")


def _send(
    convention: Convention,
    membership: Membership,
    copy: SigningCopy | None,
    actor: Actor,
    step: str,
    today: date,
    now: datetime,
) -> int:
    grouping, organisation = convention.grouping, membership.organisation
    due_on = grouping.launch_planned_on
    text = mailing.text(
        "signature",
        membership=membership,
        grouping=grouping,
        convention=convention,
        copy=copy,
        due_on=due_on,
        address=mailing.absolute("signature_detail", grouping.pk, membership.pk),
    )
    attachments = (
        [Attachment(name=copy.filename, path=copy.file.name, content_type=PDF_TYPE, sha256=copy.sha256)] if copy else []
    )
    is_late = due_on is not None and due_on < today
    subject = mailing.subject("Signer la convention", due_on, grouping.title, is_late=is_late)
    queued = [
        queue(
            key=f"signature:{convention.pk}:{membership.pk}:{step}:{address}",
            recipient=address,
            subject=subject,
            text=text,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            organisation_id=organisation.pk,
            attachments=attachments,
            now=now,
        )
        for address in mailing.recipients(membership)
    ]
    sent = [message.recipient for message in queued if message is not None]
    if sent:
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            concerns_id=organisation.pk,
            verb="signature.remind",
            sentence=f"Relance {step} envoyée à {organisation.name}\u00a0: signer la convention ({', '.join(sent)})",
        )
    return len(sent)
