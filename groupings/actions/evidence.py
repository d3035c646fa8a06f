"""What proves a decision: depositing a file, which is journalled."""

from typing import Any

from django.db import transaction

from groupings.actions.stepping import require_deliberation, require_followed
from groupings.exchange.receipts import UnreadableReceipt, read_receipt
from groupings.models import Deliberation, DeliberationDocument
from groupings.models.evidence import random_path
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
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
