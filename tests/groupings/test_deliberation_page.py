"""The page of one deliberation: what it says, and to whom."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groupings.actions import deliberation as actions
from groupings.actions.deliberation import VoteCounts
from groupings.actions.evidence import document_deposit
from groupings.actions.signatures import signature_record
from groupings.models import Deliberation, DeliberationDocument
from members.models import CouncilSession
from members.roles import Role
from tests.support import deliberations as scenes
from tests.support.deliberations import (
    SYSTEM,
    make_executory_today,
    make_pdf,
    page_of,
    post_step,
    url_of,
    vote_of_today,
)
from tests.support.factories import (
    make_affiliation,
    make_membership,
    make_organisation,
    make_representative,
)

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def scene():
    return scenes.make_scene_of_today()


# What it says


def test_a_text_to_schedule(client, scene):
    page = page_of(client, scene, scene.agent)
    assert "Inscrire la délibération à l’ordre du jour d’une séance." in page
    closes = f"{scene.coming.agenda_closes_on:%d/%m/%Y}"
    assert f"{scene.coming.meeting_on:%d/%m/%Y} (clôture le {closes})" in page
    assert f'action="/deliberations/{scene.deliberation.pk}/inscrire/"' in page


def test_the_last_day_of_the_convocation_with_its_source(client, scene, today):
    scenes.schedule(scene, scene.coming, today=today)
    page = page_of(client, scene, scene.agent)
    # A commune under 3,500 inhabitants: three whole days between the dispatch and the meeting.
    assert f"À envoyer le {scene.coming.meeting_on - timedelta(days=4):%d/%m/%Y} au plus tard" in page
    assert "3 jours francs" in page
    assert "L. 2121-11" in page
    scene.commune.population = None
    scene.commune.save()
    assert "population inconnue" in page_of(client, scene, scene.agent)


def test_until_when_the_act_can_be_challenged(client, scene, today):
    vote_of_today(scene)
    scenes.effect(scene, received_on=today - timedelta(days=4), published_on=today - timedelta(days=2), today=today)
    page = page_of(client, scene, scene.agent)
    assert "Recours des tiers possible jusqu’au" in page
    assert "Recours du préfet possible jusqu’au" in page
    assert "Exécutoire" in page


def test_the_third_parties_challenge_from_the_publication_and_the_prefet_from_the_reception(scene):
    from groupings.views.deliberations import Page

    Deliberation.objects.filter(pk=scene.deliberation.pk).update(
        status="adopted",
        decided_on=date(2026, 3, 1),
        published_on=date(2026, 3, 13),
        transmitted_on=date(2026, 3, 5),
        received_on=date(2026, 3, 5),
    )
    notes = Page(scene.deliberation, scene.jurist, date(2026, 5, 10)).challenges()
    # 14/05/2026 is Ascension Day (domain.md §8); 06/05/2026 is a Wednesday.
    assert notes == [
        {"who": "des tiers", "ends_on": date(2026, 5, 15), "is_open": True},
        {"who": "du préfet", "ends_on": date(2026, 5, 6), "is_open": False},
    ]


def test_the_numbers_of_the_vote_the_former_votes_and_the_journal(client, scene, today):
    scenes.vote(scene, "postponed", on=today - timedelta(days=40), today=today, reason="Dossier incomplet")
    vote_of_today(scene, counts=VoteCounts(23, 18, 3, 20, 0, 1), number="2026-77")
    page = page_of(client, scene, scene.agent)
    assert "20 pour, 0 contre, 1 abstention" in page
    assert "Votes précédents" in page
    assert "Motif : Dossier incomplet" in page.replace("\u00a0", " ")
    assert page.index("adoptée le") < page.index("reportée le")


def test_the_journal_of_a_deliberation_is_its_own(client, scene, today):
    make_executory_today(scene)
    signature_record(membership=scene.membership, signed_on=today, signatory="Anne Essai", actor=SYSTEM, today=today)
    other = scene.grouping.memberships.exclude(pk=scene.membership.pk).get()
    actions.deliberation_reverse(
        deliberation=other.deliberations.get(), step="waive", reason="Délégation générale", actor=SYSTEM
    )
    page = page_of(client, scene, scene.buyer)
    assert f"Convention signée par {scene.commune.name}" in page
    assert "Délégation générale" not in page


def test_a_late_text_says_so(client, scene, today):
    scene.grouping.deliberations_due_on = today - timedelta(days=1)
    scene.grouping.save()
    assert "En retard" in page_of(client, scene, scene.agent)
    vote_of_today(scene)
    assert "En retard" not in page_of(client, scene, scene.agent)


@pytest.mark.parametrize(
    "status",
    ["to_schedule", "on_agenda", "convened", "adopted", "rejected", "postponed", "no_quorum", "challenged",
     "withdrawn", "annulled", "not_required", "draft_sent", "executory"],
)  # fmt: skip
def test_every_state_has_its_page_in_twelve_queries(client, status):
    scene = scenes.make_scene()
    make_representative(scene.commune)
    if status == "executory":
        scenes.bring_to(scene, "convened")
        scenes.make_executory(scene)
        CouncilSession.objects.filter(pk=scene.past.pk).update(convened_on=scene.past.meeting_on - timedelta(days=1))
    else:
        scenes.bring_to(scene, status)
    if scene.deliberation.decided_on:
        document_deposit(deliberation=scene.deliberation, content=make_pdf("a"), filename="a.pdf", actor=SYSTEM)
    for person in (scene.jurist, scene.buyer, scene.agent, make_affiliation(scene.metropole, Role.FINANCE)):
        client.force_login(person.user)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url_of(scene)).status_code == 200
        assert len(queries) <= MAX_QUERIES, [query["sql"][:120] for query in queries.captured_queries]


# Who sees what


def test_another_member_sees_the_state_and_the_dates_and_nothing_else(client, scene, today):
    scenes.vote(scene, "postponed", on=today - timedelta(days=40), today=today, reason="motif secret")
    vote_of_today(scene, counts=VoteCounts(23, 5, 0, 5, 0, 0), number="2026-77")  # without quorum: a legal remark
    actes_id = f"034-{scene.commune.siren}-{scene.past.meeting_on:%Y%m%d}-N1-DE"
    scenes.effect(scene, received_on=today, published_on=today, actes_id=actes_id, today=today)
    document_deposit(deliberation=scene.deliberation, content=make_pdf("a"), filename="secret.pdf", actor=SYSTEM)
    signature_record(membership=scene.membership, signed_on=today, signatory="Anne Secrète", actor=SYSTEM, today=today)
    secrets = ("secret", "Secrète", actes_id, "5 pour", "quorum", "Journal", "Votes précédents", "<form method")
    own = page_of(client, scene, scene.jurist)
    assert all(secret in own for secret in (*secrets[:4], "le quorum est de"))
    neighbour = make_organisation(parent=scene.metropole)
    make_membership(scene.grouping, neighbour)
    page = page_of(client, scene, make_affiliation(neighbour, Role.MEMBER_AGENT))
    content = page[page.index('<main id="content"') : page.index("</main>")]
    assert "Exécutoire" in content
    assert f"{scene.past.meeting_on:%d/%m/%Y}" in content
    for secret in secrets:
        assert secret not in content, secret
    document = DeliberationDocument.objects.get()
    assert client.get(url_of(scene, "deliberation_document", document_pk=document.pk)).status_code == 404
    assert client.post(url_of(scene, "deliberation_step", step="vote"), {}).status_code == 403
    assert client.post(url_of(scene, "deliberation_deposit"), {}).status_code == 403


def test_a_reader_sees_it_all_and_is_offered_nothing(client, scene):
    vote_of_today(scene)
    page = page_of(client, scene, make_affiliation(scene.metropole, Role.READER))
    assert "Journal" in page
    assert f"/deliberations/{scene.deliberation.pk}/effets/" not in page
    assert f"/deliberations/{scene.deliberation.pk}/pieces/" not in page


def test_a_member_is_not_offered_what_belongs_to_the_coordinator(client, scene):
    own, coordinators = page_of(client, scene, scene.agent), page_of(client, scene, scene.buyer)
    assert "/dispenser/" in coordinators
    assert "/dispenser/" not in own
    assert post_step(client, scene, "dispenser", reason="Délégation").status_code == 403
    assert post_step(client, scene, "signature", signed_on="2026-11-01", signatory="X").status_code == 403
