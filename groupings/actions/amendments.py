"""What moves an amendment, by the table of ``groupings.amendment_workflow``: draft, text, votes, signatures, effect.

Each function locks the grouping, then the amendment, refuses when somebody changed it since the person read it, checks
the step, saves and journals in one transaction. Refusals are BusinessError, or ValidationError field by field.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from groupings.actions.amendment_effects import apply
from groupings.actions.amendment_mails import amendment_announce
from groupings.amendment_choices import ON_THE_WAY, AmendmentKind, AmendmentStatus
from groupings.amendment_workflow import AMENDMENT_WORKFLOW
from groupings.amendments import effect_day, entering_refusal, refusal_of, unsigned, unvoted, voting_bodies
from groupings.choices import GroupingKind
from groupings.convention_life import current_of
from groupings.conventions.amended import values_on
from groupings.conventions.amendment_text import render_amendment
from groupings.conventions.amendment_values import AmendmentValues, amended, changes_between, plain, to_json
from groupings.conventions.assemble import undecided_values
from groupings.library import texts_of
from groupings.models import Amendment, AmendmentSignature, Deliberation, Grouping, Membership
from groupings.models.amendment import amendment_path, signed_path
from groupings.rules.amendments import signatories, signing_refusal
from members.roles import may, require
from procurement.core.actors import Actor, SystemActor
from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded
from procurement.core.uploads import receive_pdf, write_aside_and_move

logger = logging.getLogger(__name__)
_CHANGED = "Cet avenant a été modifié entre-temps par une autre personne\u00a0: relisez, puis recommencez si besoin."


def amendment_save(*, amendment: Amendment, actor: Actor, today: date) -> Amendment:
    """Write or change a draft; it refers to the version of the convention in force.

    Raises NotAllowed, BusinessError by field when the law or the convention forbids it, or ValidationError.
    """
    require(actor, "grouping.change", organisation_id=amendment.grouping.coordinator_id)
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().select_related("coordinator").get(pk=amendment.grouping_id)
        stored = Amendment.objects.filter(pk=amendment.pk).first() if amendment.pk else None
        if stored is not None and stored.status != AmendmentStatus.DRAFT:
            raise BusinessError(f"{stored.name} est arrêté\u00a0: son texte ne change plus.")
        convention = current_of(grouping)
        if convention is None:
            raise BusinessError("Ce groupement n’a pas encore de convention\u00a0: il n’y a rien à modifier.")
        amendment.grouping, amendment.convention = grouping, convention
        amendment.drafted_on = amendment.drafted_on or today
        amendment.clean_fields()
        _check(amendment, today)
        amendment.version = stored.version + 1 if stored else 1
        save_recorded(
            amendment,
            actor=actor,
            verb="amendment.draft",
            sentence=f"Projet d’avenant enregistré\u00a0: {amendment.get_kind_display().lower()}",
        )
    return amendment


def _check(amendment: Amendment, today: date) -> None:
    organisation = amendment.organisation
    if organisation is not None and organisation.root_id != amendment.grouping.territory_id:
        raise BusinessError("Cet organisme n’est pas dans votre annuaire.", field="organisation")
    sentence, field = refusal_of(amendment, today)
    if sentence:
        raise BusinessError(sentence, field=field or None)


def amendment_freeze(
    *, amendment: Amendment, actor: Actor, today: date, expected_version: int | None = None
) -> Amendment:
    """Give the draft its number and its text, for ever. A newcomer then has its place, not yet a member's.

    Raises BusinessError too when another amendment on its way changes the same paragraph: one of the two would be voted
    upon a text that is not true any more.
    """
    with _stepping(amendment, "freeze", actor, expected_version) as stored:
        _check(stored, today)
        others = Amendment.objects.filter(grouping=stored.grouping, number__isnull=False)
        stored.number = (others.aggregate(last=Max("number"))["last"] or 0) + 1
        values = _values(stored, actor, today)
        if stored.convention.is_generated and not values.changes:
            raise BusinessError("Cet avenant ne change aucun article de la convention\u00a0: corrigez le projet.")
        _check_alone(stored, values)
        try:
            content = render_amendment(values)
        except PdfError as error:
            raise BusinessError(f"Le texte de l’avenant ne s’imprime pas fidèlement\u00a0: {error}") from None
        stored.values, stored.changes = to_json(values), plain(values.changes)
        stored.sha256, stored.size = hashlib.sha256(content).hexdigest(), len(content)
        stored.file.name = write_aside_and_move(amendment_path(stored, stored.filename), content)
        stored.frozen_on = today
        stored.told = f"texte arrêté (SHA-256 {stored.sha256[:12]}…)"
    return stored


def _values(stored: Amendment, actor: Actor, today: date) -> AmendmentValues:
    """The frozen values: what changes is found by comparing the convention before and after."""
    grouping, body = stored.grouping, stored.organisation
    if stored.kind == AmendmentKind.JOIN:
        _welcome(stored, actor)
    asked = signatories(voting_bodies(stored), coordinator=grouping.coordinator_id)
    here = grouping.memberships.filter(Q(withdrawn_on__isnull=True, is_pending=False) | Q(organisation=body))
    bodies = undecided_values(grouping, here, today)
    convention = stored.convention
    before = values_on(convention, today)
    values = AmendmentValues(
        reference=grouping.reference,
        title=before.title,
        number=stored.number,
        kind=stored.kind,
        is_permanent=grouping.kind == GroupingKind.PERMANENT,
        convention_version=convention.version,
        convention_on=grouping.convention_on or timezone.localtime(convention.frozen_at).date(),
        as_of=today,
        effective_on=stored.effective_on,
        reason=stored.reason,
        coordinator_siren=grouping.coordinator.siren,
        coordinator=bodies[grouping.coordinator_id],
        signatories=tuple(bodies[key] for key in asked),
        voters=tuple(bodies[key].siren for key in voting_bodies(stored)),
        body=bodies[body.pk] if body else None,
        new_title=stored.new_title,
        new_duration_months=stored.new_duration_months,
        new_extension_count=stored.new_extension_count,
        new_extension_months=stored.new_extension_months,
        notes=before.notes,
    )
    after = amended(before, values)
    if after == before:
        raise BusinessError("Cet avenant ne change rien à la convention\u00a0: corrigez le projet.")
    if not convention.is_generated:  # the articles of a text brought from outside are not known here
        return values
    return replace(values, changes=changes_between(before, after, texts_of(convention)))


def _welcome(stored: Amendment, actor: Actor) -> None:
    """The newcomer's place in the grouping: it votes and signs there, and counts for nothing before the effect."""
    known = Membership.objects.filter(grouping=stored.grouping, organisation=stored.organisation).first()
    if known is None:
        save_recorded(
            Membership(grouping=stored.grouping, organisation=stored.organisation, is_pending=True),
            actor=actor,
            verb="membership.expect",
            sentence=f"Adhésion de {stored.organisation.name} en cours, par avenant",
        )


def _check_alone(stored: Amendment, values: AmendmentValues) -> None:
    mine = {change.paragraph for change in values.changes}
    for other in Amendment.objects.filter(grouping=stored.grouping, status__in=ON_THE_WAY).exclude(pk=stored.pk):
        shared = sorted(mine & {change["paragraph"] for change in other.changes})
        if shared:
            raise BusinessError(
                f"L’{other.name[0].lower()}{other.name[1:]}, en cours, modifie déjà l’article {shared[0]}\u00a0: "
                "attendez son entrée en vigueur, ou abandonnez-le."
            )
        if stored.competes_with(other):
            raise BusinessError(
                f"L’{other.name[0].lower()}{other.name[1:]}, en cours, porte sur le même sujet\u00a0: attendez son "
                "entrée en vigueur, ou abandonnez-le."
            )


def amendment_start_votes(
    *, amendment: Amendment, actor: Actor, now: datetime | None = None, expected_version: int | None = None
) -> Amendment:
    """Open the deliberation of each member that votes it; a newcomer's also approves the convention.

    ``now``: when they are written to; None: nobody is.
    """
    with transaction.atomic():
        with _stepping(amendment, "start_votes", actor, expected_version) as stored:
            bodies = voting_bodies(stored)
            for membership in stored.grouping.memberships.filter(organisation__in=bodies):
                purpose = Deliberation.Purpose.AMENDMENT
                if membership.is_pending:
                    purpose = Deliberation.Purpose.MEMBERSHIP
                Deliberation.objects.get_or_create(
                    membership=membership, amendment=stored, defaults={"purpose": purpose}
                )
            stored.told = f"envoyé à {len(bodies)} assemblée{'s' if len(bodies) > 1 else ''}"
        if now is not None:  # once the votes are open: the links ask for them
            amendment_announce(amendment=stored, actor=actor, now=now)
    return stored


def amendment_start_signatures(*, amendment: Amendment, actor: Actor, expected_version: int | None = None) -> Amendment:
    """Every act is enforceable: the text goes round."""
    with _stepping(amendment, "start_signatures", actor, expected_version) as stored:
        stored.told = "en signature"
    return stored


def may_sign(membership: Membership, amendment: Amendment, actor: Actor | None) -> bool:
    """As for the convention: the coordinator's buyers and jurists record every signature, a member's people that of
    their own body."""
    if may(actor, "grouping.change", organisation_id=amendment.grouping.coordinator_id):
        return True
    return may(actor, "deliberation.change", organisation_id=membership.organisation_id)


def amendment_sign(
    *,
    amendment: Amendment,
    membership: Membership,
    signed_on: date,
    signatory: str,
    actor: Actor,
    today: date,
    content: bytes | None = None,
    filename: str = "",
) -> AmendmentSignature:
    """Record that one member has signed, with the signed copy when there is one (PDF, 10 MB)."""
    if not may_sign(membership, amendment, actor):
        require(actor, "grouping.change", organisation_id=amendment.grouping.coordinator_id)
    received = receive_pdf(content, filename) if content is not None else None
    with _lock(amendment) as stored:
        if stored.status not in (AmendmentStatus.VOTES, AmendmentStatus.SIGNATURE):
            raise BusinessError(f"{stored.name} ne se signe pas\u00a0: il est «\u00a0{stored.badge.word}\u00a0».")
        vote = stored.votes.filter(membership=membership).first()
        is_coordinator = membership.organisation_id == stored.grouping.coordinator_id
        if membership.grouping_id != stored.grouping_id or (vote is None and not is_coordinator):
            raise BusinessError("Cet organisme ne signe pas cet avenant.", field="membership")
        if stored.signatures.filter(membership=membership).exists():
            raise BusinessError("La signature de ce membre est déjà enregistrée.", field="membership")
        is_waived = vote is not None and vote.is_cleared and vote.executory_on is None
        sentence = signing_refusal(
            signed_on=signed_on,
            executory_on=vote.executory_on if vote else None,
            votes=vote is not None and not is_waived,
            frozen_on=stored.frozen_on,
            today=today,
        )
        if sentence:
            raise BusinessError(sentence, field="signed_on")
        signature = AmendmentSignature(
            amendment=stored, membership=membership, signed_on=signed_on, signatory=" ".join(signatory.split())
        )
        if received is not None:
            signature.file.name = write_aside_and_move(signed_path(signature, filename), content)
            signature.original_name, signature.sha256 = received.name, received.sha256
        save_recorded(
            signature,
            actor=actor,
            verb="amendment.sign",
            sentence=f"{stored.name} signé par {membership.organisation.name} le {signed_on:%d/%m/%Y}",
        )
    return signature


def amendment_unsign(*, signature: AmendmentSignature, actor: Actor, reason: str) -> None:
    """Erase a signature recorded by mistake, before the effect. ``reason`` is journalled."""
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with _locked(signature.amendment, actor) as stored:
        if stored.status in (AmendmentStatus.IN_FORCE, AmendmentStatus.ABANDONED):
            state = stored.badge.word.lower()
            raise BusinessError(f"{stored.name} est {state}\u00a0: ses signatures ne changent plus.")
        if stored.signatures.filter(pk=signature.pk).exists():
            delete_recorded(
                signature,
                actor=actor,
                verb="amendment.unsign",
                sentence=f"{stored.name}\u00a0: signature de {signature.membership.organisation.name} effacée",
                reason=reason.strip(),
            )


def amendment_enter(
    *, amendment: Amendment, actor: Actor, today: date, expected_version: int | None = None
) -> Amendment:
    """Bring it into force and do what it says, once: all acts enforceable, all signatures there, its day come."""
    with _stepping(amendment, "enter", actor, expected_version) as stored:
        if names := unvoted(stored):
            raise BusinessError(f"La délibération n’est plus exécutoire pour {', '.join(names)}.")
        if sentence := entering_refusal(stored, today):
            raise BusinessError(sentence)
        day = effect_day(stored)
        if day is None:
            raise BusinessError(f"L’avenant n’est pas signé par {', '.join(unsigned(stored))}.")
        if day > today:
            raise BusinessError(
                f"{stored.name} est voté et signé\u00a0: il prendra effet le {day:%d/%m/%Y}, sans autre geste de "
                "votre part."
            )
        stored.in_force_on = day
        apply(stored, actor)
        stored.told = f"en vigueur le {day:%d/%m/%Y}"
    return stored


def amendment_abandon(
    *, amendment: Amendment, actor: Actor, reason: str, expected_version: int | None = None
) -> Amendment:
    """Give it up. Its number, once given, stays its own; a newcomer that had not decided anything loses its place."""
    with _stepping(amendment, "abandon", actor, expected_version, reason) as stored:
        votes = list(stored.votes.select_related("membership"))
        for vote in votes:
            # A vote already taken stays, for the history, and no longer opens the grouping.
            if vote.purpose != Deliberation.Purpose.AMENDMENT:
                vote.purpose = Deliberation.Purpose.AMENDMENT
                vote.save(update_fields=["purpose"])
        if stored.kind == AmendmentKind.JOIN and not any(vote.decided_on for vote in votes):
            pending = stored.grouping.memberships.filter(organisation=stored.organisation, is_pending=True).first()
            has_history = pending is not None and any(v.attempts.exists() or v.documents.exists() for v in votes)
            if pending is not None and not has_history and not pending.amendment_signatures.exists():
                Deliberation.objects.filter(membership=pending).delete()
                delete_recorded(
                    pending,
                    actor=actor,
                    verb="membership.unexpect",
                    sentence=f"Adhésion de {stored.organisation.name} abandonnée",
                    reason=reason.strip(),
                )
        stored.told = "abandonné"
    return stored


def amendments_enter_due(*, today: date) -> int:
    """Bring into force every amendment voted and signed whose day has come. Returns how many.

    Each is its own transaction: one that is refused or fails is logged, and tried again the next day. Twice is once.
    """
    actor = SystemActor("Entrée en vigueur des avenants")
    entered = 0
    waiting = Amendment.objects.filter(status=AmendmentStatus.SIGNATURE).select_related("grouping", "convention")
    for amendment in waiting.order_by("pk"):
        day = effect_day(amendment)
        if day is None or day > today:
            continue
        try:
            amendment_enter(amendment=amendment, actor=actor, today=today)
            entered += 1
        except BusinessError as refusal:
            logger.warning("Avenant %s : %s", amendment.pk, refusal)
        except Exception:
            logger.exception("Entrée en vigueur de l’avenant %s", amendment.pk)
    return entered


@contextmanager
def _locked(amendment: Amendment, actor: Actor, expected_version: int | None = None) -> Iterator[Amendment]:
    require(actor, "grouping.change", organisation_id=amendment.grouping.coordinator_id)
    with _lock(amendment, expected_version) as stored:
        yield stored


@contextmanager
def _lock(amendment: Amendment, expected_version: int | None = None) -> Iterator[Amendment]:
    with transaction.atomic():
        Grouping.objects.select_for_update().get(pk=amendment.grouping_id)  # the launch, and the other amendments
        Amendment.objects.select_for_update().get(pk=amendment.pk)
        stored = Amendment.objects.select_related("grouping__coordinator", "convention", "organisation").get(
            pk=amendment.pk
        )
        if expected_version is not None and expected_version != stored.version:
            raise BusinessError(_CHANGED)
        yield stored


@contextmanager
def _stepping(
    amendment: Amendment, step: str, actor: Actor, expected_version: int | None, reason: str = ""
) -> Iterator[Amendment]:
    """Lock, check the step, let the caller set its facts (and ``told``), save and journal."""
    with _locked(amendment, actor, expected_version) as stored:
        AMENDMENT_WORKFLOW.advance(stored, step, role=actor.role, reason=reason)
        stored.told = ""
        yield stored
        stored.version += 1
        save_recorded(
            stored,
            actor=actor,
            verb=f"amendment.{step}",
            sentence=f"{stored.name}\u00a0: {stored.told}",
            reason=reason.strip(),
        )
