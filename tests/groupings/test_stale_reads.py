"""What a page read is already old: somebody launched, removed or identified meanwhile. And what the database holds."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from groupings.actions import deliberation as actions
from groupings.actions.grouping import grouping_advance, lot_remove, lot_save
from groupings.actions.membership import membership_add, need_set
from groupings.models import (
    CalendarFeed,
    Deliberation,
    DeliberationDocument,
    Grouping,
    LegalOverride,
    Proposal,
    Signature,
)
from members.actions import session_remove
from members.models import CouncilSession
from procurement.core.errors import BusinessError
from procurement.core.mail.models import OutgoingMessage
from tests.support import deliberations as scenes
from tests.support.deliberations import SYSTEM, TODAY
from tests.support.factories import adopt, make_grouping, make_membership, make_organisation, make_territory, sign

pytestmark = pytest.mark.django_db


def test_what_was_read_before_the_launch_changes_nothing_after_it():
    metropole, grouping = make_territory(members=2, lots=1, status="deliberations")
    for membership in grouping.memberships.all():
        adopt(membership, date(2026, 9, 15))
        sign(membership, date(2026, 9, 20))
    stale = Grouping.objects.get(pk=grouping.pk)
    membership = stale.memberships.select_related("grouping", "organisation").first()
    lot = stale.lots.select_related("grouping").get()
    grouping_advance(grouping=grouping, step="launch", actor=SYSTEM, today=TODAY)
    newcomer = make_organisation(parent=metropole)
    with pytest.raises(BusinessError, match="lancée depuis le 01/12/2026"):
        membership_add(grouping=stale, organisation=newcomer, joined_on=TODAY, actor=SYSTEM)
    with pytest.raises(BusinessError, match="la consultation est lancée"):
        need_set(membership=membership, lot=lot, amount=Decimal("5.00"), actor=SYSTEM)
    for change in (lot_save, lot_remove):
        with pytest.raises(BusinessError, match="lancée depuis le 01/12/2026"):
            change(lot=lot, actor=SYSTEM)
    assert grouping.memberships.count() == 3


def test_a_session_removed_meanwhile_takes_no_text():
    scene = scenes.make_scene()
    session = CouncilSession.objects.get(pk=scene.past.pk)
    session_remove(session=CouncilSession.objects.get(pk=session.pk), actor=SYSTEM)
    with pytest.raises(BusinessError, match="retirée du calendrier"):
        scenes.schedule(scene, session)
    with pytest.raises(BusinessError, match="retirée par une autre personne"):
        session_remove(session=session, actor=SYSTEM)
    assert scene.deliberation.status == "to_schedule"


def test_an_identifier_taken_between_the_look_and_the_write_is_told_in_french(monkeypatch):
    """Two acts of one body at once on PostgreSQL: both look, both see it free; the second write is refused."""
    scene = scenes.make_scene()
    twin = make_membership(make_grouping(scene.metropole, status="deliberations"), scene.commune)
    actes_id = f"034-{scene.commune.siren}-20261112-12-DE"
    adopt(scene.membership, scenes.MEETING_ON, executory=False)
    other = adopt(twin, scenes.MEETING_ON, executory=False)
    Deliberation.objects.filter(pk=other.pk).update(actes_id=actes_id)
    monkeypatch.setattr(actions, "check_actes_id", lambda deliberation, text: text)
    monkeypatch.setattr(Deliberation, "full_clean", lambda deliberation: None)
    with pytest.raises(BusinessError, match="déjà celui d’une autre délibération"):
        scenes.effect(scene, received_on=date(2026, 11, 16), actes_id=actes_id)
    assert scene.deliberation.actes_id is None


VOTED = {"status": "adopted", "decided_on": date(2026, 11, 12)}


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("deliberation_voted_has_date", {"status": "adopted"}),
        ("deliberation_voted_has_date", {"decided_on": date(2026, 11, 12)}),
        ("deliberation_on_agenda_has_session", {"status": "on_agenda"}),
        ("deliberation_acts_follow_vote", {"transmitted_on": date(2026, 11, 12)}),
        ("deliberation_transmitted_after_vote", {**VOTED, "transmitted_on": date(2026, 11, 11)}),
        ("deliberation_received_after_sending", {**VOTED, "received_on": date(2026, 11, 13)}),
        ("deliberation_published_after_vote", {**VOTED, "published_on": date(2026, 11, 11)}),
        ("deliberation_counts_together", {**VOTED, "votes_for": 12}),
    ],
)
def test_the_database_refuses_an_impossible_deliberation(constraint, values):
    scene = scenes.make_scene()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Deliberation.objects.filter(membership=scene.membership).update(**values)


def test_the_database_refuses_evidence_and_answers_without_what_makes_them():
    scene = scenes.make_scene()
    deliberation, now = scene.deliberation, timezone.now()
    mail = {"recipient": "a@x.example", "subject": "s", "text": "t", "territory": scene.metropole, "thread": "x"}
    override = {"deliberation": deliberation, "code": "notice", "author": "J"}
    document = {"deliberation": deliberation, "file": "a.pdf", "original_name": "a.pdf", "size": 1, "deposited_by": "S"}
    proposal = {"deliberation": deliberation, "origin": "receipt", "source_name": "a", "values": {}, "reason": "r"}
    signature = {"membership": scene.membership, "signed_on": TODAY}
    refused = [
        (LegalOverride, {**override, "reason": ""}),
        (DeliberationDocument, {**document, "sha256": ""}),
        (Signature, {**signature, "signatory": ""}),
        (Proposal, {**proposal, "fingerprint": "f", "answer": "confirmed"}),
        (OutgoingMessage, {**mail, "key": "k", "created_at": now}),
    ]
    twice = [
        (LegalOverride, {**override, "reason": "r"}),
        (DeliberationDocument, {**document, "sha256": "0" * 64}),
        (Signature, {**signature, "signatory": "A"}),
        (Proposal, {**proposal, "fingerprint": "f"}),
        (CalendarFeed, {"affiliation": scene.agent}),
        (OutgoingMessage, {**mail, "key": "k", "created_at": now, "next_attempt_at": now}),
    ]
    for model, values in twice:
        model.objects.create(**values)
    for model, values in (*refused, *twice):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Deliberation.objects.create(membership=scene.membership, purpose="convention")
