"""The kit of each member: the model délibération (Word and PDF) and the frozen convention, produced, then sent."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from groupings import mailing
from groupings.actions.convention import Run, convention_freeze, store_document
from groupings.actions.convention_life import lock, send_to_assemblies
from groupings.actions.deliberation import deliberation_draft_sent
from groupings.actions.grouping import grouping_advance
from groupings.choices import ConventionStatus, GroupingStatus
from groupings.convention_life import current_of, voters
from groupings.conventions import stored
from groupings.drafts.assemble import assemble_draft
from groupings.drafts.render import render_docx, render_pdf
from groupings.links import link_open, link_url
from groupings.models import Convention, ConventionDocument, Deliberation, DraftDocument, Grouping, Membership
from groupings.models.evidence import draft_path
from groupings.todo import chosen_session
from groupings.workflow import DELIBERATION_WORKFLOW
from members.models import Affiliation
from members.roles import require
from procurement.core.actors import Actor, SystemActor
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.mail.sending import Attachment, queue
from procurement.core.uploads import DOCX_TYPE, FILE_TYPES, PDF_TYPE, write_aside_and_move

JOB_KIND = "groupings.kits"
_OPEN = (GroupingStatus.CONVENTION, GroupingStatus.DELIBERATIONS)


def kits_request(
    *,
    grouping: Grouping,
    memberships: list[Membership],
    send: bool,
    actor: Actor,
    now: datetime,
    today: date,
    ring_bell: bool = True,
) -> Job:
    """Freeze the convention if it changed, then ask for the kit of each of ``memberships``; with ``send``, each goes
    to its member by mail with a signed link, and the grouping starts its votes. Asked twice while running: one job.

    Raises BusinessError when the convention cannot be made, or when no member is given.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if grouping.status not in _OPEN:
        raise BusinessError("Le kit s’envoie une fois les besoins recensés et avant le lancement de la consultation.")
    if not memberships:
        raise BusinessError("Cochez au moins un membre.", field="memberships")
    with transaction.atomic():
        convention = _before_the_assemblies(grouping, memberships) or convention_freeze(
            grouping=grouping, actor=actor, now=now
        )
        if send and grouping.status == GroupingStatus.CONVENTION:
            grouping_advance(grouping=grouping, step="start_votes", actor=actor, today=today)
        elif send:
            send_to_assemblies(lock(convention), actor=actor, today=today)
        chosen = sorted(membership.organisation.siren for membership in memberships)
        fingerprint = hashlib.sha256(",".join(chosen).encode()).hexdigest()[:16]
        return runner.enqueue(
            kind=JOB_KIND,
            label=f"Kits de {grouping.reference} – {grouping.title}",
            actor=actor,
            organisation_id=actor.organisation_id or grouping.coordinator_id,
            parameters={
                "convention": convention.pk,
                "grouping": grouping.pk,
                "sirens": chosen,
                "send": send,
                "affiliation": getattr(actor, "pk", None),
                "asked_at": now.isoformat(),
            },
            dedupe_key=f"{JOB_KIND}:{convention.pk}:{send}:{fingerprint}",
            ring_bell=ring_bell,
        )


def _before_the_assemblies(grouping: Grouping, memberships: list[Membership]) -> Convention | None:
    """The version before the assemblies, once one of them has voted it and when each of ``memberships`` is party to
    it: the others vote the same text, whatever detail of the grouping changed since."""
    current = current_of(grouping)
    if current is None or current.status not in (ConventionStatus.VOTES, ConventionStatus.SIGNATURE):
        return None
    parties = set(stored.party_sirens(current))
    if not voters(grouping) or {membership.organisation.siren for membership in memberships} - parties:
        return None
    return current


@dataclass(frozen=True)
class Kit:
    """The bytes of one member's kit; ``convention`` is None when that file is already there, unchanged."""

    convention: bytes | None
    docx: bytes
    pdf: bytes


@runner.register(JOB_KIND)
class KitJob:
    """One kit per member: its convention when it is not there yet, its draft, then its mail."""

    def items(self, job: Job) -> list[str]:
        return job.parameters["sirens"]

    def begin(self, job: Job, pending: list[str]) -> "KitRun":
        return KitRun(job)

    def make(self, job: Job, shared: "KitRun", key: str) -> Kit:
        return shared.make(key)

    def keep(self, job: Job, shared: "KitRun", key: str, made: Kit) -> None:
        shared.keep(key, made)

    def finish(self, job: Job, shared: "KitRun") -> str:
        count = len(job.parameters["sirens"])
        s = "s" if count > 1 else ""
        if not job.parameters["send"]:
            return f"{count} kit{s} produit{s}."
        unreachable = shared.unreachable()
        without = f" Sans adresse électronique\u00a0: {', '.join(unreachable)}." if unreachable else ""
        sent = count - len(unreachable)
        s = "s" if sent > 1 else ""
        return f"{sent} kit{s} envoyé{s}.{without}"


class KitRun:
    """What the kits of one run share."""

    def __init__(self, job: Job):
        self.convention = Convention.objects.select_related("grouping__coordinator", "grouping__buyer").get(
            pk=job.parameters["convention"]
        )
        self.sends = job.parameters["send"]
        self.sirens = job.parameters["sirens"]
        self.job_id = job.pk
        self.asked_at = datetime.fromisoformat(job.parameters["asked_at"])
        self.actor = _actor(job)
        self.run = Run(self.convention)

    def make(self, siren: str) -> Kit:
        membership = self.run.memberships[siren]
        pdf = None if self.run.is_kept(siren) else self.run.pdf(siren)
        document = self._document(membership, pdf)
        approval = self._approval(membership)
        values = assemble_draft(
            membership,
            convention=self.convention,
            document=document,
            session_on=chosen_session(approval) if approval else None,
            matter_code=(approval.matter_code if approval else "") or membership.organisation.matter_code,
        )
        return Kit(pdf, render_docx(values), render_pdf(values))

    def keep(self, siren: str, made: Kit) -> None:
        membership = self.run.memberships[siren]
        document = (
            store_document(self.convention, membership, made.convention)
            if made.convention is not None
            else ConventionDocument.objects.get(convention=self.convention, membership=membership)
        )
        drafts = [
            store_draft(self.convention, membership, format_, content)
            for format_, content in ((DraftDocument.Format.DOCX, made.docx), (DraftDocument.Format.PDF, made.pdf))
        ]
        if self.sends:
            self._send(membership, document, drafts)

    def _document(self, membership: Membership, pdf: bytes | None) -> ConventionDocument:
        """The member's convention, stored or about to be: the draft names its file, its pages and its SHA-256."""
        from procurement.core.documents.pdf import page_count

        if pdf is None:
            return ConventionDocument.objects.get(convention=self.convention, membership=membership)
        document = ConventionDocument(convention=self.convention, membership=membership)
        document.file.name = document.filename
        document.sha256, document.pages = hashlib.sha256(pdf).hexdigest(), page_count(pdf)
        return document

    def _approval(self, membership: Membership) -> Deliberation | None:
        return membership.deliberations.approvals().select_related("session").first()

    def _send(self, membership: Membership, document: ConventionDocument, drafts: list[DraftDocument]) -> None:
        grouping = self.convention.grouping
        now = self.asked_at
        approval = self._approval(membership)
        if approval and approval.status in DELIBERATION_WORKFLOW.get("send_draft").sources:
            deliberation_draft_sent(deliberation=approval, actor=self.actor)
        addresses = mailing.recipients(membership)
        if not addresses:
            return
        link = link_open(membership=membership, actor=self.actor, now=now)
        text = mailing.text(
            "kit",
            membership=membership,
            grouping=grouping,
            link=link_url(link),
            expires_at=link.expires_at,
        )
        attachments = [
            Attachment(name=file.filename, path=file.file.name, content_type=content_type, sha256=file.sha256)
            for file, content_type in (
                (document, FILE_TYPES[document.extension]),
                *((draft, _TYPES[draft.format]) for draft in drafts),
            )
        ]
        due_on, asked_on = grouping.deliberations_due_on, timezone.localtime(self.asked_at).date()
        is_late = due_on is not None and due_on < asked_on
        subject = mailing.subject("Délibérer sur le groupement", due_on, grouping.title, is_late=is_late)
        for address in addresses:
            queue(
                key=f"kit:{self.job_id}:{membership.pk}:{address}",
                recipient=address,
                subject=subject,
                text=text,
                territory_id=grouping.territory_id,
                thread=grouping.thread,
                organisation_id=membership.organisation_id,
                attachments=attachments,
                now=now,
            )
        record(
            actor=self.actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            concerns_id=membership.organisation_id,
            verb="kit.send",
            sentence=f"Kit envoyé à {membership.organisation.name} ({', '.join(addresses)})",
        )

    def unreachable(self) -> list[str]:
        """The members of this run without any address: their kit is produced, nobody received it."""
        return [
            self.run.memberships[siren].organisation.name
            for siren in self.sirens
            if not mailing.recipients(self.run.memberships[siren])
        ]


_TYPES = {DraftDocument.Format.DOCX: DOCX_TYPE, DraftDocument.Format.PDF: PDF_TYPE}


def store_draft(convention: Convention, membership: Membership, format_: str, content: bytes) -> DraftDocument:
    """Keep one file of a kit, replacing the former. Its hash is in its path: a mail that waits keeps its own file."""
    draft = DraftDocument(membership=membership, convention=convention, format=format_)
    sha256 = hashlib.sha256(content).hexdigest()
    path = draft_path(draft, f"{sha256[:12]}/{draft.filename}")
    return DraftDocument.objects.update_or_create(
        membership=membership,
        convention=convention,
        format=format_,
        defaults={"file": write_aside_and_move(path, content), "sha256": sha256, "size": len(content)},
    )[0]


def _actor(job: Job) -> Actor:
    """The one who asked; the system in its name when that affiliation is gone."""
    affiliation = (
        Affiliation.objects.select_related("user", "organisation").filter(pk=job.parameters["affiliation"]).first()
    )
    return affiliation or SystemActor("Envoi des kits")
