"""Freezing a convention and producing its documents."""

import hashlib
from datetime import datetime
from functools import cached_property

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from groupings.actions.clauses import library_open
from groupings.actions.convention_life import lock, move
from groupings.amendment_choices import AmendmentStatus
from groupings.choices import ConventionStatus
from groupings.convention_life import is_text_current, names_of, voters
from groupings.convention_workflow import CLOSED, FROZEN
from groupings.conventions import render, stored
from groupings.conventions.assemble import assemble
from groupings.conventions.values import ConventionValues, to_json
from groupings.library import frozen_clauses
from groupings.models import Convention, ConventionDocument, Grouping, Membership
from groupings.models.convention import document_path
from groupings.rules.convention_gate import amendment_refusal, new_text_refusal
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.documents.pdf import page_count
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.uploads import write_aside_and_move

JOB_KIND = "groupings.conventions"


def convention_freeze(
    *, grouping: Grouping, actor: Actor, now: datetime, reason: str = "", in_place_of_file: bool = False
) -> Convention:
    """Freeze the grouping's present values as a version of its convention.

    Its articles are the versions of the clause library published that day. When neither the values, nor these
    versions, nor the layout changed since the last version, that one is returned and nothing is written; a text brought
    from outside stays as well, whatever changed, unless ``in_place_of_file``. A version whose text is final is returned
    as long as the values give the same text: the decisions that arrive are printed at its signature, a clause published
    since waits for the next version. Another text makes a new draft, with a written ``reason`` once a member has voted.
    Raises BusinessError, with what is missing, when the values do not make a convention, when the members are no longer
    those the negotiated text was brought for, when a member has signed (an amendment changes a convention in force),
    or, field ``reason``, without that reason.
    """
    require_convention(grouping, actor)
    layout = render.texts_sha256()
    with transaction.atomic():
        texts = library_open(grouping.territory_id)  # locks the territory: a publication is before or after, whole
        clauses = frozen_clauses(texts)
        Grouping.objects.select_for_update().get(pk=grouping.pk)
        latest = grouping.conventions.first()
        if latest and not in_place_of_file and _is_up_to_date(latest, grouping, layout, clauses):
            return latest
        values = assemble(grouping, version=latest.version + 1 if latest else 1)
        if problems := values.problems():
            raise BusinessError(" ".join(problems))
        approved = render.approved_text_sha256(values, texts)
        if latest:
            replace(latest, text_sha256=approved, actor=actor, now=now, reason=reason)
        convention = Convention.objects.create(
            grouping=grouping,
            version=values.version,
            values=to_json(values),
            values_sha256=values.sha256,
            texts_sha256=layout,
            text_sha256=approved,
            clauses=clauses,
            legal_basis=values.legal_basis.article,
            is_draft=values.is_draft,
            frozen_at=now.replace(microsecond=0),
        )
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            verb="convention.freeze",
            sentence=f"Convention version {convention.version} figée{' (projet)' if convention.is_draft else ''}",
            after={
                "convention": convention.pk,
                "version": convention.version,
                "values_sha256": convention.values_sha256,
                "texts_sha256": layout,
                "text_sha256": convention.text_sha256,
            },
            reason=reason.strip(),
        )
    return convention


def _is_up_to_date(latest: Convention, grouping: Grouping, layout: str, clauses: list[dict]) -> bool:
    """Whether ``latest`` still is the convention to print; raises BusinessError when it may only be replaced."""
    if latest.is_prior:
        return True
    if not latest.is_generated:
        if latest.status not in CLOSED:
            _check_same_members(latest)
        return True
    if latest.status in FROZEN or latest.status in CLOSED:
        return is_text_current(latest)
    same = assemble(grouping, version=latest.version)
    return latest.texts_sha256 == layout and latest.clauses == clauses and same.sha256 == latest.values_sha256


def replace(latest: Convention, *, text_sha256: str, actor: Actor, now: datetime, reason: str) -> None:
    """The version in hand gives way to another text, inside the transaction that writes it.

    Raises BusinessError, field ``reason``, when a member has voted and nothing says why its text changes; and once a
    member has signed, or the convention is in force.
    """
    if latest.status in CLOSED:
        amended = latest.amendments.filter(status=AmendmentStatus.IN_FORCE).order_by("number")
        raise BusinessError(
            amendment_refusal(
                version=latest.version,
                is_ended=latest.status == ConventionStatus.ENDED,
                amended_by=amended.values_list("number", flat=True),
            )
        )
    is_another_text = text_sha256 != latest.text_sha256
    voted = names_of(voters(latest.grouping)) if is_another_text and not reason.strip() else []
    if voted:
        raise BusinessError(new_text_refusal(voted=voted, version=latest.version), field="reason")
    move(lock(latest), "replace", actor=actor, today=timezone.localtime(now).date(), reason=reason, follows=True)


def require_convention(grouping: Grouping, actor: Actor) -> None:
    """Raise NotAllowed without the right to make conventions, BusinessError where the convention is not kept here."""
    require(actor, "convention.generate", organisation_id=grouping.coordinator_id)
    if grouping.is_declared_only:
        raise BusinessError(
            "Ce groupement est seulement déclaré\u00a0: sa convention est tenue par une autre direction."
        )


def _check_same_members(convention: Convention) -> None:
    """A negotiated text names its parties: it does not bind a member it was not written for."""
    active = convention.grouping.memberships.active().values_list("organisation__siren", flat=True)
    if set(active) != set(stored.party_sirens(convention)):
        raise BusinessError(
            "Les membres du groupement ne sont plus ceux du texte négocié\u00a0: déposez le texte mis à jour, ou "
            "revenez au texte produit par l’outil."
        )


def conventions_request(
    *, grouping: Grouping, actor: Actor, now: datetime, reason: str = "", ring_bell: bool = True
) -> Job:
    """Freeze the convention and ask for one document per member, as a job. Asked twice while running: one job.

    ``reason``: that of a new text once a member has voted. ``ring_bell`` False: the caller runs the job in its own
    process.
    """
    with transaction.atomic():
        convention = convention_freeze(grouping=grouping, actor=actor, now=now, reason=reason)
        return runner.enqueue(
            kind=JOB_KIND,
            label=f"Conventions de {grouping.reference} – {grouping.title}",
            actor=actor,
            organisation_id=actor.organisation_id or grouping.coordinator_id,
            parameters={"convention": convention.pk, "grouping": grouping.pk},
            dedupe_key=f"{JOB_KIND}:{convention.pk}",
            ring_bell=ring_bell,
        )


@runner.register(JOB_KIND)
class ConventionJob:
    """One document per member. What members share is laid out once per run, each member's own pages per member."""

    def items(self, job: Job) -> list[str]:
        return [member["siren"] for member in _convention(job).values["members"]]

    def begin(self, job: Job, pending: list[str]) -> "Run":
        return Run(_convention(job))

    def make(self, job: Job, shared: "Run", key: str) -> bytes | None:
        if shared.is_kept(key):
            return None
        return shared.pdf(key)

    def keep(self, job: Job, shared: "Run", key: str, made: bytes | None) -> None:
        if made is not None:
            store_document(shared.convention, shared.memberships[key], made)

    def finish(self, job: Job, shared: "Run") -> str:
        count = shared.convention.documents.count()
        return f"{count} convention{'s' if count > 1 else ''} produite{'s' if count > 1 else ''}."


class Run:
    """What the documents of one convention share during one run."""

    def __init__(self, convention: Convention):
        self.convention = convention
        self.values: ConventionValues = stored.values_of(convention)
        self.memberships: dict[str, Membership] = {
            membership.organisation.siren: membership
            for membership in convention.grouping.memberships.select_related("organisation")
        }
        self._kept = {document.membership_id: document for document in convention.documents.all()}

    @cached_property
    def common(self) -> render.Common:
        """The pages every member shares, laid out when the first document is really needed."""
        return stored.common_of(self.convention, self.values)

    def pdf(self, siren: str) -> bytes:
        """One member's document, laid out. Raises BusinessError for a text brought from outside, which the tool cannot
        write again."""
        if not self.convention.is_generated:
            raise BusinessError(
                f"Le fichier déposé pour la version {self.convention.version} est introuvable ou altéré\u00a0: "
                "prévenez l’équipe technique."
            )
        return stored.pdf_of(self.convention, self.values, self.common, siren)

    def is_kept(self, siren: str) -> bool:
        """Whether this member's document is already there, byte for byte."""
        document = self._kept.get(self.memberships[siren].pk)
        if document is None or not default_storage.exists(document.file.name):
            return False
        with default_storage.open(document.file.name, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == document.sha256


def _convention(job: Job) -> Convention:
    return Convention.objects.select_related("grouping").get(pk=job.parameters["convention"])


def store_document(convention: Convention, membership: Membership, pdf: bytes) -> ConventionDocument:
    """Keep the bytes and their SHA-256. The name says version and member: producing twice writes the same file once."""
    document = ConventionDocument(convention=convention, membership=membership)
    path = document_path(document, document.filename)
    document_defaults = {
        "file": write_aside_and_move(path, pdf),
        "sha256": hashlib.sha256(pdf).hexdigest(),
        "size": len(pdf),
        "pages": page_count(pdf),
    }
    return ConventionDocument.objects.update_or_create(
        convention=convention, membership=membership, defaults=document_defaults
    )[0]
