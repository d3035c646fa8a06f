"""What changes a contract in use: whom to call, what to read before ordering, its extensions."""

from datetime import date

from django.db import transaction

from groupings.actions.files import grouping_file_deposit, grouping_file_remove
from groupings.models import Award, ContractContact, GroupingDocument
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded

_KIND = GroupingDocument.Kind
#: What is kept with a contract.
CONTRACT_KINDS = (_KIND.ORDERING, _KIND.CONTRACT, _KIND.OTHER)


def _require(award: Award, actor: Actor) -> None:
    require(actor, "grouping.change", organisation_id=award.lot.grouping.coordinator_id)
    if not award.is_awarded:
        raise BusinessError("Ce lot n’est pas attribué\u00a0: il n’a pas de marché.")


def _require_notified(award: Award, what: str) -> None:
    """What the members read waits for the notification: until then the award is told to nobody (CCP, L2132-1)."""
    if award.notified_on is None:
        raise BusinessError(f"Le marché n’est pas notifié\u00a0: {what} une fois qu’il l’est.")


def contact_save(*, contact: ContractContact, actor: Actor) -> ContractContact:
    """Add or change whom to call. Raises NotAllowed, BusinessError or django's ValidationError."""
    _require(contact.award, actor)
    _require_notified(contact.award, "ses contacts s’indiquent")
    save_recorded(
        contact,
        actor=actor,
        verb="contact.save",
        sentence=f"Contact du marché, lot {contact.award.lot.number}\u00a0: {contact.name}",
    )
    return contact


def contact_remove(*, contact: ContractContact, actor: Actor) -> None:
    """Remove one. Twice is once."""
    _require(contact.award, actor)
    with transaction.atomic():
        Award.objects.select_for_update().get(pk=contact.award_id)
        if ContractContact.objects.filter(pk=contact.pk).exists():
            delete_recorded(
                contact,
                actor=actor,
                verb="contact.remove",
                sentence=f"Contact du marché retiré, lot {contact.award.lot.number}\u00a0: {contact.name}",
            )


def contract_document_deposit(
    *, award: Award, content: bytes, filename: str, kind: str, is_shared: bool, actor: Actor
) -> GroupingDocument:
    """Keep a file of the contract, for every member (``is_shared``) or for the coordinator's people alone."""
    _require(award, actor)
    if kind not in CONTRACT_KINDS:
        raise BusinessError("Choisissez une nature proposée.", field="kind")
    if is_shared:
        _require_notified(award, "ses pièces se partagent")
    return grouping_file_deposit(
        grouping=award.lot.grouping,
        lot=award.lot,
        content=content,
        filename=filename,
        kind=kind,
        is_shared=is_shared,
        actor=actor,
    )


def contract_document_remove(*, document: GroupingDocument, actor: Actor) -> None:
    """Take a file of the contract off its page. Twice is once."""
    require(actor, "grouping.change", organisation_id=document.grouping.coordinator_id)
    with transaction.atomic():
        if GroupingDocument.objects.select_for_update().filter(pk=document.pk).exists():
            grouping_file_remove(document=document, actor=actor)


def extension_take(*, award: Award, actor: Actor, today: date, expected_taken: int | None = None) -> Award:
    """Take the next extension: the end moves by its length.

    ``expected_taken``: how many the person was shown as taken; a second click, or a second person, is told. Raises
    BusinessError when none is left, when the contract is not notified or has ended, and NotAllowed.
    """
    _require(award, actor)
    with transaction.atomic():
        stored = Award.objects.select_for_update().get(pk=award.pk)
        if expected_taken is not None and stored.extensions_taken != expected_taken:
            raise BusinessError(
                f"Cette reconduction est déjà enregistrée\u00a0: le marché se termine le {stored.ends_on:%d/%m/%Y}."
            )
        if stored.notified_on is None or stored.ends_on is None:
            raise BusinessError("Un marché qui n’est pas notifié, ou sans date de début, ne se reconduit pas.")
        if stored.extensions_taken >= stored.extension_count:
            raise BusinessError("Ce marché n’a plus de reconduction à prendre.")
        if stored.ends_on < today:
            raise BusinessError(
                f"Le marché est terminé depuis le {stored.ends_on:%d/%m/%Y}\u00a0: une reconduction se prend avant "
                "sa fin."
            )
        former = stored.ends_on
        stored.extensions_taken += 1
        save_recorded(
            stored,
            actor=actor,
            verb="award.extend",
            sentence=(
                f"Reconduction n° {stored.extensions_taken} du lot {award.lot.number}\u00a0: fin du marché reportée du "
                f"{former:%d/%m/%Y} au {stored.ends_on:%d/%m/%Y}"
            ),
        )
        stored.version += 1
        Award.objects.filter(pk=stored.pk).update(version=stored.version)
    return stored
