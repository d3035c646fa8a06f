"""Two métropoles in one database, one person per role: what the permission and isolation tests walk through."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.files.base import ContentFile
from django.utils import timezone
from stdnum.luhn import calc_check_digit

from groupings.actions.proposals import Facts
from groupings.feeds import feed_token
from groupings.links import link_token
from groupings.models import (
    CalendarFeed,
    Convention,
    ConventionDocument,
    Deliberation,
    DeliberationAttempt,
    DeliberationDocument,
    DraftDocument,
    Grouping,
    Lot,
    Membership,
    Proposal,
    SignedLink,
)
from members.models import Affiliation, CouncilSession, Organisation, Representative
from members.roles import Role
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.mail.models import OutgoingMessage
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_representative,
    make_session,
)


@dataclass
class Territory:
    """One métropole, one commune that takes part in its grouping, one that does not, and a person per role."""

    metropole: Organisation
    commune: Organisation
    other_commune: Organisation
    representative: Representative
    session: CouncilSession
    grouping: Grouping
    lot: Lot
    membership: Membership
    convention: Convention
    document: ConventionDocument
    deliberation: Deliberation
    evidence: DeliberationDocument
    proposal: Proposal
    link: SignedLink
    feed: CalendarFeed
    job: Job
    people: dict[str, Affiliation] = field(default_factory=dict)

    def arguments(self) -> dict[str, dict]:
        """For every address that takes arguments, those of this territory's own objects (the commune's own ones)."""
        grouping, body = {"pk": self.grouping.pk}, {"pk": self.commune.pk}
        lot = {**grouping, "lot_pk": self.lot.pk}
        membership = {**grouping, "membership_pk": self.membership.pk}
        version = {**grouping, "version": self.convention.version}
        session = {**body, "session_pk": self.session.pk}
        deliberation = {"pk": self.deliberation.pk}
        link = {"token": link_token(self.link)}
        return {
            "grouping_detail": grouping,
            "grouping_change": grouping,
            "grouping_advance": grouping,
            "grouping_launch_without": grouping,
            "kit_send": grouping,
            "kit_archive": grouping,
            "kit_document": {**grouping, "siren": self.commune.siren, "extension": "pdf"},
            "reminders_send": grouping,
            "lot_create": grouping,
            "lot_change": lot,
            "lot_remove": lot,
            "membership_create": grouping,
            "membership_change": membership,
            "needs_table": grouping,
            "needs_change": membership,
            "convention_generate": grouping,
            "convention_document": {**version, "siren": self.commune.siren},
            "convention_archive": version,
            "deliberation_detail": deliberation,
            "deliberation_step": {**deliberation, "step": "inscrire"},
            "deliberation_deposit": deliberation,
            "deliberation_document": {**deliberation, "document_pk": self.evidence.pk},
            "deliberation_override": {**deliberation, "code": "notice"},
            "proposal_answer": {"pk": self.proposal.pk},
            "membership_link": membership,
            "signed_link": link,
            "signed_link_document": {**link, "name": "convention.pdf"},
            "signed_link_step": {**link, "step": "inscrire"},
            "calendar_ics": {"token": feed_token(self.feed)},
            "job_detail": {"pk": self.job.pk},
            "organisation_detail": body,
            "organisation_change": body,
            "epci_add_communes": body,
            "representative_create": body,
            "representative_change": {**body, "representative_pk": self.representative.pk},
            "session_create": body,
            "session_change": session,
            "session_remove": session,
            "person_remove": {"pk": self.people[Role.READER].pk},
        }


def make_world(marker: str) -> Territory:
    """One territory whose every name and text holds ``marker``: where it is read, the territory is read."""
    metropole = make_metropole(name=f"Métropole {marker}", address=f"1 place {marker}", city=f"Ville {marker}")
    commune = make_organisation(parent=metropole, name=f"Commune membre {marker}", source=f"source {marker}")
    other = make_organisation(parent=metropole, name=f"Commune voisine {marker}")
    grouping = make_grouping(metropole, title=f"Papier {marker}", reference=f"GC-{marker}", source=f"source {marker}")
    lot = make_lot(grouping, title=f"Ramettes {marker}")
    own_membership = make_membership(grouping, metropole)
    make_need(own_membership, lot)
    # What the coordinator has voted can be published as open data: it needs its SIRET.
    root = f"{metropole.siren}0001"
    metropole.siret = root + calc_check_digit(root)
    metropole.save()
    adopt(own_membership, date(2026, 9, 10), executory=False, number=f"M {marker}")
    membership = make_membership(grouping, commune, contact_name=f"Référent {marker}")
    make_need(membership, lot, unit=f"rame {marker}")
    people = {role: make_affiliation(metropole, role) for role in Role if role != Role.MEMBER_AGENT}
    people["member_agent"] = make_affiliation(commune, Role.MEMBER_AGENT)
    people["neighbour"] = make_affiliation(other, Role.MEMBER_AGENT)
    people["commune_buyer"] = make_affiliation(other, Role.BUYER)
    for person in people.values():
        person.user.last_name += f" {marker}"
        person.user.save()
    convention = Convention.objects.create(
        grouping=grouping,
        version=1,
        values={"members": [], "lots": [], "needs": []},
        values_sha256="0" * 64,
        texts_sha256="0" * 64,
        legal_basis=f"fondement {marker}",
        is_draft=True,
        frozen_at=timezone.now(),
    )
    content = f"%PDF {marker}".encode()
    document = ConventionDocument(
        convention=convention,
        membership=membership,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        pages=1,
    )
    document.file.save(document.filename, ContentFile(content))
    draft = DraftDocument(
        membership=membership,
        convention=convention,
        format="pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    draft.file.save(draft.filename, ContentFile(content))
    OutgoingMessage.objects.create(
        key=f"message {marker}",
        recipient=f"mairie@{marker}.example",
        subject=f"Objet {marker}",
        text=f"Texte {marker}",
        organisation=commune,
        territory=metropole,
        thread=grouping.thread,
        created_at=timezone.now(),
        next_attempt_at=timezone.now(),
    )
    deliberation = membership.deliberations.get()
    DeliberationAttempt.objects.create(
        deliberation=deliberation, outcome="postponed", reason=f"motif {marker}", meeting_on=date(2026, 9, 15)
    )
    evidence = DeliberationDocument(
        deliberation=deliberation,
        original_name=f"Acte {marker}.pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        deposited_by=f"Secrétaire {marker}",
    )
    evidence.file.save("acte.pdf", ContentFile(content))
    facts = Facts(siren=commune.siren, decided_on=date(2026, 9, 15), number="12", subject=f"Achat de papier {marker}")
    proposal = Proposal.objects.create(
        deliberation=deliberation,
        origin=Proposal.Origin.OPEN_DATA,
        fingerprint="0" * 64,
        source_name=f"publiées {marker}.csv",
        values=facts.stored() | {"score": 80},
        reason=f"Ressemble à {marker}.",
    )
    job = Job.objects.create(kind="test.world", label=f"Tâche {marker}", organisation=metropole)
    for scope in (grouping.journal_scope, commune.journal_scope):
        record(
            actor=people[Role.BUYER],
            territory_id=metropole.pk,
            thread=scope.thread,
            concerns_id=scope.concerns_id,
            verb="test",
            sentence=f"Acte {marker}",
        )
    return Territory(
        metropole=metropole,
        commune=commune,
        other_commune=other,
        representative=make_representative(commune, last_name=f"Signataire {marker}"),
        session=make_session(commune, date(2027, 3, 1), source=f"calendrier {marker}"),
        grouping=grouping,
        lot=lot,
        membership=membership,
        convention=convention,
        document=document,
        deliberation=deliberation,
        evidence=evidence,
        proposal=proposal,
        link=SignedLink.objects.create(membership=membership, expires_at=timezone.now() + timedelta(days=60)),
        feed=CalendarFeed.objects.create(affiliation=people["member_agent"]),
        job=job,
        people=people,
    )
