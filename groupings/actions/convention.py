"""Freezing a convention and producing its documents."""

import hashlib
from datetime import datetime
from functools import cached_property

from django.core.files.storage import default_storage
from django.db import transaction

from groupings.actions.clauses import library_open
from groupings.choices import ConventionStatus
from groupings.conventions import render
from groupings.conventions.assemble import assemble
from groupings.conventions.values import ConventionValues, from_json, to_json
from groupings.library import frozen_clauses, texts_of
from groupings.models import Convention, ConventionDocument, Grouping, Membership
from groupings.models.convention import document_path
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.documents.pdf import page_count
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.uploads import write_aside_and_move

JOB_KIND = "groupings.conventions"


def convention_freeze(*, grouping: Grouping, actor: Actor, now: datetime) -> Convention:
    """Freeze the grouping's present values as a version of its convention.

    Its articles are the versions of the clause library published that day. When neither the values, nor these
    versions, nor the layout changed since the last version, that one is returned and nothing is written. Raises
    BusinessError, with what is missing, when the values do not make a convention.
    """
    require(actor, "convention.generate", organisation_id=grouping.coordinator_id)
    if grouping.is_declared_only:
        raise BusinessError(
            "Ce groupement est seulement déclaré\u00a0: sa convention est tenue par une autre direction."
        )
    layout = render.texts_sha256()
    with transaction.atomic():
        texts = library_open(grouping.territory_id)  # locks the territory: a publication is before or after, whole
        clauses = frozen_clauses(texts)
        Grouping.objects.select_for_update().get(pk=grouping.pk)
        latest = grouping.conventions.first()
        if latest and latest.texts_sha256 == layout and latest.clauses == clauses:
            same = assemble(grouping, version=latest.version)
            if same.sha256 == latest.values_sha256:
                return latest
        values = assemble(grouping, version=latest.version + 1 if latest else 1)
        if problems := values.problems():
            raise BusinessError(" ".join(problems))
        grouping.conventions.exclude(status=ConventionStatus.SUPERSEDED).update(status=ConventionStatus.SUPERSEDED)
        convention = Convention.objects.create(
            grouping=grouping,
            version=values.version,
            values=to_json(values),
            values_sha256=values.sha256,
            texts_sha256=layout,
            text_sha256=render.approved_text_sha256(values, texts),
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
                "version": convention.version,
                "values_sha256": convention.values_sha256,
                "texts_sha256": layout,
                "text_sha256": convention.text_sha256,
            },
        )
    return convention


def conventions_request(*, grouping: Grouping, actor: Actor, now: datetime, ring_bell: bool = True) -> Job:
    """Freeze the convention and ask for one document per member, as a job. Asked twice while running: one job.

    ``ring_bell`` False: the caller runs the job in its own process.
    """
    with transaction.atomic():
        convention = convention_freeze(grouping=grouping, actor=actor, now=now)
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
        return render.render_member(shared.values, shared.common, key)

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
        self.values: ConventionValues = from_json(convention.values)
        self.memberships: dict[str, Membership] = {
            membership.organisation.siren: membership
            for membership in convention.grouping.memberships.select_related("organisation")
        }
        self._kept = {document.membership_id: document.sha256 for document in convention.documents.all()}

    @cached_property
    def common(self) -> render.Common:
        """The pages every member shares, laid out when the first document is really needed."""
        return render.render_common(self.values, texts_of(self.convention))

    def is_kept(self, siren: str) -> bool:
        """Whether this member's document is already there, byte for byte."""
        membership = self.memberships[siren]
        document = ConventionDocument(convention=self.convention, membership=membership)
        path = document_path(document, document.filename)
        if membership.pk not in self._kept or not default_storage.exists(path):
            return False
        with default_storage.open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self._kept[membership.pk]


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
