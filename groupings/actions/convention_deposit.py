"""A convention whose text comes from outside: negotiated in Word, or signed before the tool. Kept, never rewritten."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from groupings.actions.convention import convention_freeze, replace, require_convention
from groupings.choices import ConventionOrigin, ConventionStatus
from groupings.conventions import stored
from groupings.conventions.assemble import assemble
from groupings.conventions.values import to_json
from groupings.models import Convention, ConventionDocument, Grouping, Membership, Signature
from groupings.models.convention import deposit_path
from procurement.core.actors import Actor
from procurement.core.documents.pdf import page_count
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record, save_recorded
from procurement.core.uploads import ReceivedFile, receive_pdf, receive_text, write_aside_and_move


def negotiated_deposit(
    *, grouping: Grouping, content: bytes, filename: str, actor: Actor, now: datetime, reason: str = ""
) -> Convention:
    """Make a file negotiated outside (PDF, or Word without macros) the next version: the same for every member.

    The values of the day are frozen beside it. The very file of the current version deposited again changes nothing.
    Once a member has voted, ``reason`` is asked and journalled. Raises NotAllowed, or BusinessError (fields ``file``,
    ``reason``) with one French sentence.
    """
    require_convention(grouping, actor)
    received = receive_text(content, filename)
    with transaction.atomic():
        latest = _locked(grouping)
        if latest and latest.origin == ConventionOrigin.NEGOTIATED and latest.file_sha256 == received.sha256:
            return latest
        values = assemble(grouping, version=latest.version + 1 if latest else 1)
        if problems := values.problems():
            raise BusinessError(" ".join(problems))
        if latest:
            replace(latest, text_sha256=received.sha256, actor=actor, now=now, reason=reason)
        convention = _keep(grouping, values, received, now, origin=ConventionOrigin.NEGOTIATED)
        _hand_over(convention, received)
        _journal(
            convention,
            actor=actor,
            verb="convention.negotiated",
            sentence=f"Convention version {convention.version}\u00a0: texte négocié déposé, {received.name}",
            reason=reason,
        )
    return convention


def prior_deposit(
    *,
    grouping: Grouping,
    content: bytes,
    filename: str,
    signed_on: date,
    actor: Actor,
    now: datetime,
    today: date,
    signatories: Mapping[int, str] | None = None,
    reason: str = "",
) -> Convention:
    """Take in a convention signed before the tool: a PDF and its date, in force at once.

    ``signatories``: membership → who signed for it, where that is known. Raises NotAllowed, or BusinessError (fields
    ``file``, ``signed_on``, ``reason``) with one French sentence: a date to come, a convention already in force here.
    """
    require_convention(grouping, actor)
    pdf = receive_pdf(content, filename)
    received = ReceivedFile(pdf.content, pdf.name, pdf.sha256, "pdf")
    if signed_on > today:
        raise BusinessError(
            f"Le {signed_on:%d/%m/%Y} n’est pas encore venu\u00a0: une convention déjà signée a une date passée.",
            field="signed_on",
        )
    with transaction.atomic():
        latest = _locked(grouping)
        if latest and latest.is_prior and latest.file_sha256 == received.sha256 and latest.signed_on == signed_on:
            return latest
        if latest:
            replace(latest, text_sha256=received.sha256, actor=actor, now=now, reason=reason)
        values = assemble(grouping, version=latest.version + 1 if latest else 1)
        convention = _keep(
            grouping,
            values,
            received,
            now,
            origin=ConventionOrigin.PRIOR,
            signed_on=signed_on,
            status=ConventionStatus.IN_FORCE,
            in_force_on=signed_on,
        )
        _hand_over(convention, received)
        _journal(
            convention,
            actor=actor,
            verb="convention.prior",
            sentence=f"Convention signée le {signed_on:%d/%m/%Y} reprise, version {convention.version}\u00a0: "
            f"{received.name}",
            reason=reason,
        )
        _sign(convention, signatories or {}, actor)
    return convention


def generated_resume(*, grouping: Grouping, actor: Actor, now: datetime, reason: str = "") -> Convention:
    """Come back to the text the tool writes, as the next version after a negotiated one.

    Raises NotAllowed, or BusinessError when the current version is already the tool's own, is in force, or when a
    member has voted and no ``reason`` is given.
    """
    require_convention(grouping, actor)
    with transaction.atomic():
        latest = _locked(grouping)
        if latest is None or latest.is_generated:
            raise BusinessError("La version en cours est déjà celle que produit l’outil.")
        convention = convention_freeze(grouping=grouping, actor=actor, now=now, reason=reason, in_place_of_file=True)
        _journal(
            convention,
            actor=actor,
            verb="convention.resume",
            sentence=f"Convention version {convention.version}\u00a0: retour au texte produit par l’outil",
            reason=reason,
        )
    return convention


def _locked(grouping: Grouping) -> Convention | None:
    """The current version, once nobody else can write the next one."""
    Grouping.objects.select_for_update().get(pk=grouping.pk)
    return grouping.conventions.first()


def _keep(grouping: Grouping, values: Any, received: ReceivedFile, now: datetime, **facts: Any) -> Convention:
    """The next version, whose text is ``received``: what the assemblies approve is that very file."""
    convention = Convention(
        grouping=grouping,
        version=values.version,
        values=to_json(values),
        values_sha256=values.sha256,
        texts_sha256=received.sha256,
        text_sha256=received.sha256,
        legal_basis=values.legal_basis.article,
        is_draft=False,
        frozen_at=now.replace(microsecond=0),
        file_name=received.name,
        file_sha256=received.sha256,
        file_size=len(received.content),
        **facts,
    )
    convention.file.name = write_aside_and_move(
        deposit_path(convention, f"texte.{received.extension}"), received.content
    )
    convention.full_clean(exclude=["file", "values"])
    convention.save(force_insert=True)
    return convention


def _hand_over(convention: Convention, received: ReceivedFile) -> None:
    """The same file to every member: what finds a generated document finds this one."""
    parties = set(stored.party_sirens(convention))
    pages = page_count(received.content) if received.extension == "pdf" else 0
    ConventionDocument.objects.bulk_create(
        ConventionDocument(
            convention=convention,
            membership=membership,
            file=convention.file.name,
            sha256=received.sha256,
            size=len(received.content),
            pages=pages,
        )
        for membership in convention.grouping.memberships.select_related("organisation")
        if membership.organisation.siren in parties
    )


def _sign(convention: Convention, signatories: Mapping[int, str], actor: Actor) -> None:
    """Who signed, where it was told; a signature already recorded stays as it is."""
    known = set(Signature.objects.filter(membership__grouping=convention.grouping).values_list("membership", flat=True))
    told = {pk: " ".join(name.split()) for pk, name in signatories.items() if name.strip() and pk not in known}
    for membership in Membership.objects.filter(grouping=convention.grouping, pk__in=told).select_related(
        "organisation"
    ):
        save_recorded(
            Signature(
                membership=membership,
                convention=convention,
                signed_on=convention.signed_on,
                signatory=told[membership.pk],
            ),
            actor=actor,
            verb="signature.record",
            sentence=f"Convention signée par {membership.organisation.name} le {convention.signed_on:%d/%m/%Y}",
        )


def _journal(convention: Convention, *, actor: Actor, verb: str, sentence: str, reason: str) -> None:
    grouping = convention.grouping
    record(
        actor=actor,
        territory_id=grouping.territory_id,
        thread=grouping.thread,
        verb=verb,
        sentence=sentence,
        reason=reason.strip(),
        after={
            "version": convention.version,
            "values_sha256": convention.values_sha256,
            "file": convention.file_name,
            "file_sha256": convention.file_sha256,
            "signed_on": convention.signed_on.isoformat() if convention.signed_on else None,
        },
    )
