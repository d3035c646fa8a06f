"""The copies the members sign: the frozen version with its decisions filled in, one per member, made by a job."""

import hashlib
from datetime import date
from functools import cached_property

from groupings.circuit import SIGNABLE, signatures_of, signing_memberships
from groupings.conventions import render
from groupings.conventions.assemble import members_on
from groupings.conventions.signing import (
    decisions_of,
    decisions_sha256,
    filled,
    frozen_values,
    is_same_text,
)
from groupings.conventions.stored import party_sirens
from groupings.conventions.values import ConventionValues, MemberValues
from groupings.library import texts_of
from groupings.models import Convention, Deliberation, Grouping, Membership, SigningCopy
from groupings.models.signature import copy_path
from members.roles import require
from procurement.core.actors import Actor, SystemActor
from procurement.core.documents import pdf
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.uploads import write_aside_and_move

JOB_KIND = "groupings.signing_copies"


def copies_request(
    *,
    convention: Convention,
    membership_ids: list[int],
    actor: Actor,
    today: date,
    ring_bell: bool = True,
) -> Job:
    """Ask for the copy of each of these members, as a job; empty: all those that may sign. Asked twice: one job.

    Only a member whose act is enforceable, or that is dispensed from voting, and that has not signed, is given one.
    Raises NotAllowed, or BusinessError when nobody can be.
    """
    require(actor, "convention.generate", organisation_id=convention.grouping.coordinator_id)
    if convention.status not in SIGNABLE:
        raise BusinessError("Les exemplaires à signer se produisent une fois la version arrêtée, et tant qu’elle vit.")
    awaited = signing_memberships(convention).filter(is_signed=False)
    if membership_ids:
        awaited = awaited.filter(pk__in=membership_ids)
    cleared = Deliberation.objects.approvals().cleared().filter(membership__in=awaited).values("membership")
    sirens = sorted(awaited.filter(pk__in=cleared).values_list("organisation__siren", flat=True))
    if not sirens:
        raise BusinessError(
            "Aucun exemplaire à produire\u00a0: aucun des membres choisis n’a, sans avoir signé, un acte exécutoire.",
            field="memberships",
        )
    fingerprint = hashlib.sha256(",".join(sirens).encode()).hexdigest()[:16]
    return runner.enqueue(
        kind=JOB_KIND,
        label=f"Exemplaires à signer de {convention.grouping.reference} – {convention.grouping.title}",
        actor=actor,
        organisation_id=actor.organisation_id or convention.grouping.coordinator_id,
        parameters={
            "convention": convention.pk,
            "grouping": convention.grouping_id,
            "sirens": sirens,
            "on": today.isoformat(),
            "actor": actor.actor_label[:200],
        },
        dedupe_key=f"{JOB_KIND}:{convention.pk}:{fingerprint}",
        ring_bell=ring_bell,
    )


@runner.register(JOB_KIND)
class SigningCopyJob:
    """One copy per member; what they share is laid out once per run."""

    def items(self, job: Job) -> list[str]:
        return job.parameters["sirens"]

    def begin(self, job: Job, pending: list[str]) -> "CopyRun":
        return CopyRun(job)

    def make(self, job: Job, shared: "CopyRun", key: str) -> bytes | None:
        return shared.make(key)

    def keep(self, job: Job, shared: "CopyRun", key: str, made: bytes | None) -> None:
        if made is not None:
            shared.keep(key, made)

    def finish(self, job: Job, shared: "CopyRun") -> str:
        return shared.told()


class CopyRun:
    """What the copies of one run share: the decisions are read once, so that all are filled alike."""

    def __init__(self, job: Job):
        self.convention = Convention.objects.select_related("grouping__coordinator").get(
            pk=job.parameters["convention"]
        )
        self.grouping: Grouping = self.convention.grouping
        self.sirens: list[str] = job.parameters["sirens"]
        self.actor = SystemActor(job.parameters["actor"], job.created_by_id, job.organisation_id)
        self.today = date.fromisoformat(job.parameters["on"])
        named = party_sirens(self.convention)
        self.members: tuple[MemberValues, ...] = tuple(
            member for member in members_on(self.grouping, self.today) if not named or member.siren in named
        )
        self.decisions = decisions_of(self.members)
        self.decisions_sha256 = decisions_sha256(self.decisions)
        self.memberships = {
            membership.organisation.siren: membership
            for membership in signing_memberships(self.convention).filter(organisation__siren__in=self.sirens)
        }
        known = SigningCopy.objects.filter(convention=self.convention, made_from_sha256=self.decisions_sha256)
        self._known = set(known.values_list("membership_id", flat=True))

    @cached_property
    def values(self) -> ConventionValues:
        """The frozen values with the decisions of the day. Raises BusinessError when that is not the text voted."""
        try:
            frozen = frozen_values(self.convention)
        except (ValueError, KeyError, TypeError) as error:
            raise BusinessError(f"La version {self.convention.version} ne peut pas être relue\u00a0: {error}") from None
        values = filled(frozen, self.members)
        if not is_same_text(frozen, values):
            raise BusinessError("L’exemplaire à signer ne porterait pas le texte approuvé\u00a0: il n’est pas produit.")
        return values

    @cached_property
    def common(self) -> render.Common:
        """The pages every member shares, laid out when the first copy is really needed."""
        return render.render_common(self.values, texts_of(self.convention))

    def make(self, siren: str) -> bytes | None:
        """The bytes of one copy; None when it is there already, or when the member signed or left in between."""
        membership = self.memberships.get(siren)
        if membership is None or membership.pk in self._known or membership.is_signed:
            return None
        if not self._member(siren).is_authorised:
            return None
        if sha256 := self.convention.file_sha256:
            return self._sheet(membership, sha256)
        return render.render_member(self.values, self.common, siren)

    def _member(self, siren: str) -> MemberValues:
        return next(member for member in self.members if member.siren == siren)

    def _sheet(self, membership: Membership, sha256: str) -> bytes:
        """The page signed beside a text brought from outside: it names the file by its fingerprint."""
        coordinator = next((m for m in self.members if m.siren == self.grouping.coordinator.siren), None)
        return pdf.render(
            "groupings/signature_sheet_pdf.html",
            {
                "title": f"Feuille de signature – {self.grouping.reference}",
                "author": self.grouping.coordinator.name,
                "issued_at": self.convention.frozen_at,
                "grouping": self.grouping,
                "convention": self.convention,
                "sha256": sha256,
                "name": self.convention.file_name,
                "member": self._member(membership.organisation.siren),
                "coordinator": coordinator,
                "is_coordinator": membership.organisation_id == self.grouping.coordinator_id,
            },
        )

    def keep(self, siren: str, content: bytes) -> None:
        """Store the copy, unless the member signed while it was laid out."""
        membership = self.memberships[siren]
        Grouping.objects.select_for_update().get(pk=self.grouping.pk)
        if signatures_of(self.convention).filter(membership=membership).exists():
            return
        sha256 = hashlib.sha256(content).hexdigest()
        _, is_new = SigningCopy.objects.get_or_create(
            convention=self.convention,
            membership=membership,
            made_from_sha256=self.decisions_sha256,
            defaults={
                "file": write_aside_and_move(copy_path(), content),
                "sha256": sha256,
                "size": len(content),
                "pages": pdf.page_count(content),
                "made_from": self.decisions,
            },
        )
        if is_new:
            record(
                actor=self.actor,
                territory_id=self.grouping.territory_id,
                thread=self.grouping.thread,
                concerns_id=membership.organisation_id,
                verb="signature.copy",
                sentence=f"Exemplaire à signer de {membership.organisation.name} produit (version "
                f"{self.convention.version})",
                after={"sha256": sha256, "made_from_sha256": self.decisions_sha256},
            )

    def told(self) -> str:
        ready = SigningCopy.objects.filter(
            convention=self.convention,
            made_from_sha256=self.decisions_sha256,
            membership__organisation__siren__in=self.sirens,
        ).count()
        s = "s" if ready > 1 else ""
        return f"{ready} exemplaire{s} prêt{s} à signer."
