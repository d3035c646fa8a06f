"""What proves a decision: depositing a file, recording and removing a signature. Each act is journalled."""

from datetime import date
from typing import Any

from django.db import transaction

from groupings.actions.stepping import require_deliberation, require_followed
from groupings.choices import LAUNCHED
from groupings.exchange.receipts import UnreadableReceipt, read_receipt
from groupings.models import Convention, Deliberation, DeliberationDocument, Grouping, Membership, Signature
from groupings.models.evidence import random_path
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, record, save_recorded
from procurement.core.uploads import clean_name, receive_pdf, write_aside_and_move

_ACT, _RECEIPT = DeliberationDocument.Kind.ACT, DeliberationDocument.Kind.RECEIPT


def document_deposit(
    *, deliberation: Deliberation, content: bytes, filename: str, actor: Actor, kind: str = "act"
) -> DeliberationDocument:
    """Keep a file as evidence of a deliberation, under a random name. The same bytes twice are one row.

    ``kind``: act or receipt. An act is a PDF; a receipt is a PDF or an XML message of ACTES. Raises NotAllowed, or
    BusinessError (field ``file``) when the content is none of these, empty, truncated or over 10 MB.
    """
    require_deliberation(deliberation, actor)
    if kind not in DeliberationDocument.Kind:
        raise BusinessError("Cette nature de pièce n’existe pas.", field="kind")
    facts = _received(content, filename, kind)
    with transaction.atomic():
        Deliberation.objects.select_for_update().get(pk=deliberation.pk)  # the same file twice at once: one row
        require_followed(deliberation)
        if same := deliberation.documents.filter(sha256=facts["sha256"]).first():
            return same
        document = DeliberationDocument(
            deliberation=deliberation,
            kind=kind,
            size=len(content),
            deposited_by=actor.actor_label[:200],
            **facts,
        )
        document.file.name = write_aside_and_move(random_path(document, filename), content)
        document.full_clean()
        document.save(force_insert=True)
        organisation = deliberation.membership.organisation
        thread, territory_id, concerns_id = deliberation.journal_scope
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            concerns_id=concerns_id,
            verb="deliberation.deposit",
            sentence=f"Délibération – {organisation.name}\u00a0: pièce déposée, {document.original_name}",
            after={
                "deliberation": deliberation.pk,
                "document": str(document.pk),
                "name": document.original_name,
                "sha256": document.sha256,
                "size": document.size,
            },
        )
    return document


def _received(content: bytes, filename: str, kind: str) -> dict[str, Any]:
    """What the content says of itself: the columns of the document that depend on it."""
    if kind == _RECEIPT and content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        import hashlib

        try:
            read_receipt(content, filename)
        except UnreadableReceipt as error:
            raise BusinessError(str(error), field="file") from None
        sha256 = hashlib.sha256(content).hexdigest()
        return {"original_name": clean_name(filename), "sha256": sha256, "has_text": True, "extension": "xml"}
    pdf = receive_pdf(content, filename)
    return {"original_name": pdf.name, "sha256": pdf.sha256, "has_text": pdf.has_text, "extension": "pdf"}


def signature_record(
    *,
    membership: Membership,
    signed_on: date,
    signatory: str,
    actor: Actor,
    today: date,
    convention: Convention | None = None,
) -> Signature:
    """Record that a member has signed the convention; ``convention`` None: a text kept outside this tool.

    The act must be enforceable first, or the member dispensed: an executive who signs before the transmission to the
    préfet has no power to (CE, avis, 10/06/1996, préfet de la Côte-d’Or). Raises NotAllowed, BusinessError,
    or ValidationError field by field.
    """
    grouping = membership.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        approvals = Deliberation.objects.approvals().filter(membership=membership)
        approval = approvals.order_by("pk").select_for_update().first()
        _check_may_sign(membership, approval)
        if convention is not None and convention.grouping_id != grouping.pk:
            raise BusinessError("Cette convention est celle d’un autre groupement.", field="convention")
        if signed_on > today:
            raise BusinessError(f"Le {signed_on:%d/%m/%Y} n’est pas encore venu.", field="signed_on")
        earliest = approval.executory_on or grouping.opened_on
        if signed_on < earliest:
            why = (
                "l’acte n’est exécutoire que depuis"
                if approval.executory_on
                else "le groupement n’est ouvert que depuis"
            )
            raise BusinessError(
                f"La signature ne peut pas précéder le {earliest:%d/%m/%Y}\u00a0: {why} cette date.", field="signed_on"
            )
        signature = Signature(
            membership=membership, convention=convention, signed_on=signed_on, signatory=" ".join(signatory.split())
        )
        save_recorded(
            signature,
            actor=actor,
            verb="signature.record",
            sentence=f"Convention signée par {membership.organisation.name} le {signed_on:%d/%m/%Y}",
        )
    return signature


def _check_may_sign(membership: Membership, approval: Deliberation | None) -> None:
    if approval is None:
        raise BusinessError(f"{membership.organisation.name} n’a aucune délibération d’adhésion à ce groupement.")
    require_followed(approval)
    if signature := Signature.objects.filter(membership=membership).first():
        raise BusinessError(
            f"La signature de ce membre est déjà enregistrée\u00a0: {signature.signatory}, le "
            f"{signature.signed_on:%d/%m/%Y}."
        )
    if not approval.is_cleared:
        raise BusinessError(
            "L’acte n’est pas encore exécutoire\u00a0: la transmission et la publication précèdent la signature (CE, "
            "avis, 10/06/1996, préfet de la Côte-d’Or)."
        )


def signature_remove(*, membership: Membership, actor: Actor, reason: str) -> None:
    """Erase a signature recorded by mistake; refused once the tender is launched. ``reason`` is journalled."""
    grouping = membership.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        locked = Grouping.objects.select_for_update().get(pk=grouping.pk)  # the launch reads the signatures
        signature = Signature.objects.filter(membership=membership).first()
        if signature is None:
            raise BusinessError(f"Aucune signature de {membership.organisation.name} n’est enregistrée.")
        if locked.status in LAUNCHED:
            raise BusinessError("La consultation est lancée\u00a0: les signatures ne changent plus.")
        delete_recorded(
            signature,
            actor=actor,
            verb="signature.remove",
            sentence=f"Signature de {membership.organisation.name} effacée",
            reason=reason.strip(),
        )
