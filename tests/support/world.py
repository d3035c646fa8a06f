"""Two métropoles in one database, one person per role: what the permission and isolation tests walk through."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

from django.core.files.base import ContentFile
from django.utils import timezone

from groupings.models import Convention, ConventionDocument, Grouping, Lot, Membership
from members.models import Affiliation, CouncilSession, Organisation, Representative
from members.roles import Role
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from tests.support.factories import (
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
    job: Job
    people: dict[str, Affiliation] = field(default_factory=dict)

    def arguments(self) -> dict[str, dict]:
        """For every address that takes arguments, those of this territory's own objects (the commune's own ones)."""
        grouping, body = {"pk": self.grouping.pk}, {"pk": self.commune.pk}
        lot = {**grouping, "lot_pk": self.lot.pk}
        membership = {**grouping, "membership_pk": self.membership.pk}
        version = {**grouping, "version": self.convention.version}
        session = {**body, "session_pk": self.session.pk}
        return {
            "grouping_detail": grouping,
            "grouping_change": grouping,
            "grouping_advance": grouping,
            "grouping_launch_without": grouping,
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
    make_need(make_membership(grouping, metropole), lot)
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
        job=job,
        people=people,
    )
