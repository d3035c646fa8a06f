"""Reminding the members that may sign and have not: one mail a day at most to each address."""

from datetime import date, datetime

from django.db import transaction

from groupings import mailing
from groupings.circuit import OPEN, signing_memberships
from groupings.models import Convention, Deliberation, Membership, SigningCopy
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
from procurement.core.mail.sending import Attachment, queue
from procurement.core.uploads import PDF_TYPE


def signatures_remind(
    *, convention: Convention, membership_ids: list[int], actor: Actor, today: date, now: datetime
) -> int:
    """Write to the members chosen whose act is enforceable and that have not signed, with their copy when it is made.

    Returns how many mails were stored. Raises NotAllowed, or BusinessError when none of them is to be reminded, or all
    were today already.
    """
    grouping = convention.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if convention.status not in OPEN:
        raise BusinessError("Cette version n’est pas à signer.")
    awaited = signing_memberships(convention).filter(is_signed=False, pk__in=membership_ids)
    cleared = Deliberation.objects.approvals().cleared().filter(membership__in=awaited).values("membership")
    chosen = list(awaited.filter(pk__in=cleared).select_related("grouping__buyer"))
    if convention.coordinator_signs_last and signing_memberships(convention).filter(is_signed=False).exclude(
        organisation=grouping.coordinator_id
    ):
        chosen = [m for m in chosen if m.organisation_id != grouping.coordinator_id]  # its turn has not come
    if not chosen:
        raise BusinessError(
            "Aucun membre n’est à relancer\u00a0: ceux que vous avez choisis ont signé, ou ne peuvent pas encore.",
            field="memberships",
        )
    copies = {copy.membership_id: copy for copy in _copies(convention, chosen)}
    with transaction.atomic():
        sent = sum(_send(convention, m, copies.get(m.pk), actor, today, now) for m in chosen)
    if not sent:
        raise BusinessError(
            "Ces membres ont déjà été relancés aujourd’hui, ou n’ont pas d’adresse électronique.", field="memberships"
        )
    return sent


def _copies(convention: Convention, chosen: list[Membership]):
    found = SigningCopy.objects.filter(convention=convention, membership__in=chosen).defer("made_from")
    return found.select_related("convention", "membership__grouping", "membership__organisation")


def _send(
    convention: Convention,
    membership: Membership,
    copy: SigningCopy | None,
    actor: Actor,
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
            key=f"signature:{convention.pk}:{membership.pk}:{today:%Y-%m-%d}:{address}",
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
            sentence=f"Relance du {today:%d/%m/%Y} envoyée à {organisation.name}\u00a0: signer la convention "
            f"({', '.join(sent)})",
        )
    return len(sent)
