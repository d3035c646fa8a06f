"""The signatures of the convention: recorded one by one or together, with their file, erased with a reason.

The last one puts the version in force. The page of signatures, the page of a deliberation and the command line all end
here.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction
from django.utils import timezone

from groupings.actions.convention_life import convention_settle, lock, signature_missing
from groupings.actions.stepping import require_followed
from groupings.choices import LAUNCHED, ConventionStatus
from groupings.circuit import executive_on, mandate_of, signatures_of, signing_memberships
from groupings.convention_life import current_of
from groupings.exchange.pades import Reading, read_signatures
from groupings.models import Convention, Deliberation, Grouping, Membership, Signature, SigningCopy
from groupings.models.signature import signed_path
from groupings.rules.signatures import SignatureFacts, cautions, refusal
from members.models import Representative
from members.roles import may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, record, save_recorded
from procurement.core.uploads import ReceivedPdf, receive_pdf, write_aside_and_move


def may_sign(membership: Membership, convention: Convention | None, actor: Actor | None) -> bool:
    """The coordinator's buyers and jurists record every signature; a member's people that of their own body, for a
    version kept here."""
    if may(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id):
        return True
    return convention is not None and may(actor, "deliberation.change", organisation_id=membership.organisation_id)


def require_signing(membership: Membership, convention: Convention | None, actor: Actor) -> None:
    """Raise NotAllowed unless ``may_sign``."""
    if not may_sign(membership, convention, actor):
        require(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id)


@dataclass(frozen=True)
class SignedFile:
    """A PDF received, with what its electronic signatures say; read before any transaction."""

    pdf: ReceivedPdf
    reading: Reading


def signed_file_read(*, membership: Membership, convention: Convention, content: bytes, filename: str) -> SignedFile:
    """Check and read a signed copy. Raises BusinessError (field ``file``) for what is no sound PDF of 10 MB at most."""
    pdf = receive_pdf(content, filename)
    copies = SigningCopy.objects.filter(convention=convention, membership=membership).values_list("size", "sha256")
    return SignedFile(pdf, read_signatures(content, list(copies)))


@dataclass
class _Typed:
    """What is told of one signature, before it is checked."""

    signed_on: date
    signatory: str = ""
    representative: Representative | None = None
    reason: str = ""
    file: SignedFile | None = None
    people: list[Representative] = field(default_factory=list)


def signature_record(
    *,
    membership: Membership,
    signed_on: date,
    signatory: str,
    actor: Actor,
    today: date,
    convention: Convention | None = None,
    representative: Representative | None = None,
    reason: str = "",
    file: SignedFile | None = None,
) -> Signature:
    """Record that a member has signed the convention; ``convention`` None: a text kept outside this tool.

    ``representative``: who signed, when the register knows the person; else ``signatory`` is searched in it. What
    ``rules.signatures`` asks to confirm needs a ``reason``. The same signature told twice is one row. After the last
    one the version enters into force. Raises NotAllowed, BusinessError, or ValidationError field by field.
    """
    require_signing(membership, convention, actor)
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=membership.grouping_id)  # one signature at a time
        stored = _version(convention, grouping)
        typed = _Typed(signed_on, " ".join(signatory.split()), representative, " ".join(reason.split()), file)
        signature = _record(membership, grouping, stored, typed, actor, today)
        if stored is not None:
            convention_settle(lock(stored), actor=actor, today=today)
    return signature


def signatures_record_many(
    *,
    convention: Convention,
    membership_ids: Collection[int],
    signed_on: date,
    actor: Actor,
    today: date,
    reason: str = "",
) -> list[Signature]:
    """Mark several members as having signed the same day, each by its executive of that day, the coordinator last.

    All of it or nothing: the refusals of all of them are told together. Raises NotAllowed or BusinessError.
    """
    require(actor, "grouping.change", organisation_id=convention.grouping.coordinator_id)
    if not membership_ids:
        raise BusinessError("Cochez au moins un membre.", field="memberships")
    refused: list[str] = []
    made: list[Signature] = []
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=convention.grouping_id)
        stored = _version(convention, grouping)
        chosen = list(
            signing_memberships(stored).filter(pk__in=membership_ids).prefetch_related("organisation__representatives")
        )
        if len(chosen) != len(set(membership_ids)):
            raise BusinessError("Choisissez parmi les membres qui signent cette version.", field="memberships")
        for membership in sorted(chosen, key=lambda m: m.organisation_id == grouping.coordinator_id):
            people = list(membership.organisation.representatives.all())
            person = executive_on(people, signed_on)
            if person is None:
                refused.append(
                    f"{membership.organisation.name}\u00a0: aucun représentant n’est connu le {signed_on:%d/%m/%Y}."
                )
                continue
            typed = _Typed(signed_on, str(person), person, " ".join(reason.split()), people=people)
            try:
                made.append(_record(membership, grouping, stored, typed, actor, today))
            except BusinessError as error:
                refused.append(f"{membership.organisation.name}\u00a0: {error}")
        if refused:
            raise BusinessError(" ".join(refused), field="memberships")
        convention_settle(lock(stored), actor=actor, today=today)
    return made


def _version(convention: Convention | None, grouping: Grouping) -> Convention | None:
    """The version as it is now, alone to be signed until the transaction ends."""
    if convention is None:
        return None
    if convention.grouping_id != grouping.pk:
        raise BusinessError("Cette convention est celle d’un autre groupement.", field="convention")
    stored = Convention.objects.select_for_update().get(pk=convention.pk)
    stored.grouping = grouping
    if stored.status == ConventionStatus.ENDED:
        raise BusinessError("Cette convention est terminée\u00a0: elle ne se signe plus.", field="convention")
    if stored.status == ConventionStatus.SUPERSEDED:
        current = current_of(grouping)
        if current and (not stored.text_sha256 or current.text_sha256 != stored.text_sha256):
            raise BusinessError(
                f"La version {stored.version} est remplacée par la version {current.version}, d’un autre texte\u00a0: "
                "c’est celle-ci qui se signe.",
                field="convention",
            )
    return stored


def _record(
    membership: Membership,
    grouping: Grouping,
    convention: Convention | None,
    typed: _Typed,
    actor: Actor,
    today: date,
) -> Signature:
    organisation = membership.organisation
    approvals = Deliberation.objects.approvals().filter(membership=membership).order_by("pk")
    approval = approvals.select_for_update(of=("self",)).select_related("convention").first()
    if approval is None:
        raise BusinessError(f"{organisation.name} n’a aucune délibération d’adhésion à ce groupement.")
    require_followed(approval)
    if same := _already(membership, convention):
        if (same.signed_on, same.signatory) == (typed.signed_on, typed.signatory) and typed.file is None:
            return same
        raise BusinessError(
            f"La signature de ce membre est déjà enregistrée\u00a0: {same.who}, le {same.signed_on:%d/%m/%Y}."
        )
    person = _known(typed, organisation)
    facts = _facts(membership, grouping, convention, approval, typed, person, today)
    if sentence := refusal(facts):
        raise BusinessError(sentence, field="signed_on")
    found = cautions(facts)
    if found and not typed.reason:
        told = " ".join(caution.sentence for caution in found)
        raise BusinessError(f"{told} Pour l’enregistrer quand même, indiquez le motif.", field="reason")
    signature = Signature(
        membership=membership,
        convention=convention,
        position=(signatures_of(convention).count() if convention else 0) + 1,
        signed_on=typed.signed_on,
        signatory=typed.signatory,
        capacity=person.title if person else "",
        representative=person,
        accepted=" ".join(caution.code for caution in found),
        reason=typed.reason if found else "",
    )
    if typed.file:
        _keep_file(signature, typed.file)
    version = f" version {convention.version}" if convention else ""
    save_recorded(
        signature,
        actor=actor,
        verb="signature.record",
        sentence=f"Convention{version} signée par {organisation.name} le {typed.signed_on:%d/%m/%Y} ({signature.who})",
        reason=" ".join([typed.reason, *(f"– {caution.sentence}" for caution in found)]) if found else "",
    )
    return signature


def _already(membership: Membership, convention: Convention | None) -> Signature | None:
    """The signature this member already gave to that text."""
    if convention is None:
        return Signature.objects.filter(membership=membership, convention__isnull=True).first()
    return signatures_of(convention).filter(membership=membership).first()


def _known(typed: _Typed, organisation) -> Representative | None:
    """The executive of the register who signed, in the mandate of that day: the one chosen, else the one whose name was
    typed."""
    typed.people = typed.people or list(organisation.representatives.all())
    person = typed.representative
    if person is None:
        words = typed.signatory.casefold()
        named = (p for p in typed.people if f"{p.first_name} {p.last_name}".casefold() in words)
        person = next(named, None)
    elif person.organisation_id != organisation.pk:
        raise BusinessError("Ce représentant est celui d’un autre organisme.", field="representative")
    return mandate_of(person, typed.people, typed.signed_on)[0] if person else None


def _facts(
    membership: Membership,
    grouping: Grouping,
    convention: Convention | None,
    approval: Deliberation,
    typed: _Typed,
    person: Representative | None,
    today: date,
) -> SignatureFacts:
    is_coordinator = membership.organisation_id == grouping.coordinator_id
    is_last = convention is not None and is_coordinator and convention.coordinator_signs_last
    others = signing_memberships(convention).exclude(pk=membership.pk) if is_last else []
    latest = signatures_of(convention).exclude(membership=membership).order_by("-signed_on") if is_last else None
    last = latest.first() if latest is not None else None
    voted = approval.convention
    text = convention.text_sha256 if convention else ""
    return SignatureFacts(
        signed_on=typed.signed_on,
        today=today,
        opened_on=grouping.opened_on,
        executory_on=approval.executory_on,
        is_waived=approval.is_cleared and approval.executory_on is None,
        frozen_on=None if convention is None or convention.is_prior else _day(convention.frozen_at),
        is_last=is_last,
        others_unsigned=[m.organisation.name for m in others if not m.is_signed],
        others_last_on=last.signed_on if last else None,
        signatory=typed.signatory,
        mandate=mandate_of(person, typed.people, typed.signed_on)[1] if person else None,
        has_register=bool(typed.people),
        voted_other_text=bool(text and voted and voted.text_sha256 and voted.text_sha256 != text),
    )


def _day(moment) -> date:
    return timezone.localtime(moment).date()


def _keep_file(signature: Signature, file: SignedFile) -> None:
    signature.file.name = write_aside_and_move(signed_path(), file.pdf.content)
    signature.original_name, signature.sha256 = file.pdf.name, file.pdf.sha256
    signature.size, signature.reading = len(file.pdf.content), file.reading.stored()
    is_electronic = bool(file.reading.signatures)
    signature.mode = Signature.Mode.ELECTRONIC if is_electronic else Signature.Mode.PAPER


def signature_file_deposit(*, signature: Signature, content: bytes, filename: str, actor: Actor) -> Signature:
    """Keep the signed copy of a signature already recorded; another file takes its place, and the journal says so.

    Raises NotAllowed, or BusinessError (field ``file``) for what is no sound PDF of 10 MB at most.
    """
    require_signing(signature.membership, signature.convention, actor)
    if signature.convention is None:
        raise BusinessError("Cette signature est celle d’un texte tenu hors de cet outil\u00a0: son fichier aussi.")
    file = signed_file_read(
        membership=signature.membership, convention=signature.convention, content=content, filename=filename
    )
    with transaction.atomic():
        stored = Signature.objects.select_for_update().get(pk=signature.pk)
        if stored.sha256 == file.pdf.sha256:
            return stored
        _keep_file(stored, file)
        save_recorded(
            stored,
            actor=actor,
            verb="signature.deposit",
            sentence=f"Exemplaire signé de {stored.membership.organisation.name} déposé\u00a0: {stored.original_name}",
        )
    return stored


def signature_remove(
    *, membership: Membership, actor: Actor, today: date, reason: str, convention: Convention | None = None
) -> None:
    """Erase a signature recorded by mistake; refused once the tender is launched. ``reason`` is journalled.

    ``convention`` None: the latest of this member. A version in force with a signature less is in signature again.
    """
    require(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        # The launch reads the signatures.
        grouping = Grouping.objects.select_for_update().get(pk=membership.grouping_id)
        found = Signature.objects.filter(membership=membership)
        if convention is not None:
            found = signatures_of(convention).filter(membership=membership)
        signature = found.select_related("membership__organisation", "membership__grouping").order_by("-pk").first()
        if signature is None:
            raise BusinessError(f"Aucune signature de {membership.organisation.name} n’est enregistrée.")
        if grouping.status in LAUNCHED:
            raise BusinessError("La consultation est lancée\u00a0: les signatures ne changent plus.")
        delete_recorded(
            signature,
            actor=actor,
            verb="signature.remove",
            sentence=f"Signature de {membership.organisation.name} effacée",
            reason=reason.strip(),
        )
        signature_missing(grouping=grouping, actor=actor, today=today, reason=reason)


def circuit_change(*, convention: Convention, coordinator_signs_last: bool, actor: Actor) -> bool:
    """Say whether the coordinator waits for the others; False when nothing changed. Refused once somebody signed."""
    require(actor, "grouping.change", organisation_id=convention.grouping.coordinator_id)
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=convention.grouping_id)
        stored = Convention.objects.select_for_update().get(pk=convention.pk)
        if stored.coordinator_signs_last == coordinator_signs_last:
            return False
        if signatures_of(stored).exists():
            raise BusinessError("Une signature est enregistrée\u00a0: l’ordre de signature ne change plus.")
        Convention.objects.filter(pk=stored.pk).update(coordinator_signs_last=coordinator_signs_last)
        order = "en dernier" if coordinator_signs_last else "dans n’importe quel ordre, comme les membres"
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            verb="convention.circuit",
            sentence=f"Convention version {stored.version}\u00a0: le coordonnateur signe {order}",
        )
    return True
