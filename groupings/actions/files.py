"""Keeping a file of a grouping: the evidence of a need, a committee's record, a document of the contract."""

from django.db import transaction
from django.db.models import ProtectedError

from groupings.models import Grouping, GroupingDocument, Lot, Membership
from members.roles import may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, record
from procurement.core.uploads import receive_file, write_aside_and_move

_EVIDENCE = GroupingDocument.Kind.NEED_EVIDENCE
_PRICE_EVIDENCE = GroupingDocument.Kind.BASELINE_EVIDENCE
_PER_MEMBER = 40


def grouping_file_deposit(
    *,
    grouping: Grouping,
    content: bytes,
    filename: str,
    kind: str,
    actor: Actor,
    lot: Lot | None = None,
    membership: Membership | None = None,
    is_shared: bool = False,
) -> GroupingDocument:
    """Check and keep one file. A member's people deposit the evidence of their own needs, the coordinator's the rest:
    those who enter the prices, its finance included, what proves a member's reference price.

    The same bytes twice, about the same member and lot, are one file. Raises NotAllowed or BusinessError.
    """
    if kind == _EVIDENCE:
        if membership is None or membership.grouping_id != grouping.pk:
            raise BusinessError("Un justificatif appartient à un membre du groupement.")
        if not may(actor, "grouping.change", organisation_id=grouping.coordinator_id):
            require(actor, "needs.change", organisation_id=membership.organisation_id)
    elif kind == _PRICE_EVIDENCE:
        if membership is None or membership.grouping_id != grouping.pk:
            raise BusinessError("La preuve d’un prix appartient à un membre du groupement.")
        require(actor, "savings.enter", organisation_id=grouping.coordinator_id)
    elif kind == GroupingDocument.Kind.FEE_EVIDENCE:
        require(actor, "fees.prepare", organisation_id=grouping.coordinator_id)
    else:
        require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if is_shared and kind == GroupingDocument.Kind.COMMITTEE_RECORD:
        raise BusinessError("Un procès-verbal de commission n’est pas montré aux membres.", field="is_shared")
    if lot is not None and lot.grouping_id != grouping.pk:
        raise BusinessError("Ce lot appartient à un autre groupement.", field="lot")
    received = receive_file(content, filename)
    with transaction.atomic():
        Grouping.objects.select_for_update().get(pk=grouping.pk)  # twice at once is one file
        same = GroupingDocument.objects.filter(grouping=grouping, lot=lot, membership=membership, kind=kind)
        if known := same.filter(sha256=received.sha256).first():
            return known
        if membership is not None and membership.files.count() >= _PER_MEMBER:
            raise BusinessError(
                f"Pas plus de {_PER_MEMBER} pièces par membre\u00a0: réunissez-les en un PDF.", field="file"
            )
        document = GroupingDocument(
            grouping=grouping,
            lot=lot,
            membership=membership,
            kind=kind,
            is_shared=is_shared,
            extension=received.extension,
            original_name=received.name,
            sha256=received.sha256,
            size=len(received.content),
            deposited_by=actor.actor_label[:200],
        )
        document.file.name = write_aside_and_move(document.file.field.generate_filename(document, ""), received.content)
        document.full_clean(exclude=["file"])
        document.save()
        thread, territory_id, concerns_id = document.journal_scope
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            # Its very name may tell who was chosen: a file that is not shared concerns the coordinator, or its member.
            concerns_id=None if is_shared else concerns_id or grouping.coordinator_id,
            verb="file.deposit",
            sentence=f"{document.get_kind_display()} déposé\u00a0: {document.original_name}",
            after={"document": str(document.pk), "sha256": document.sha256, "size": document.size},
        )
    return document


def grouping_file_remove(*, document: GroupingDocument, actor: Actor) -> None:
    """Take a file off the list; the journal keeps its name and fingerprint. Refused once the tender is launched."""
    grouping = document.grouping
    if not may(actor, "grouping.change", organisation_id=grouping.coordinator_id):
        if document.kind != _EVIDENCE:
            require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
        require(actor, "needs.change", organisation_id=document.membership.organisation_id)
    if grouping.is_launched and document.kind == _EVIDENCE:
        raise BusinessError("La consultation est lancée\u00a0: les justificatifs des besoins ne changent plus.")
    try:
        with transaction.atomic():
            delete_recorded(
                document, actor=actor, verb="file.remove", sentence=f"Pièce retirée\u00a0: {document.original_name}"
            )
    except ProtectedError:
        raise BusinessError(
            "Cette pièce prouve un prix de référence ou une dépense\u00a0: elle ne se retire plus."
        ) from None
