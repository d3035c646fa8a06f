"""The forms of the page of a deliberation: one per step, their refusals told in place; the legal remarks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groupings.actions.deliberation import VoteCounts
from groupings.models import Convention, Deliberation, Signature
from members.models import CouncilSession
from procurement.core.journal.models import JournalEntry
from tests.support import deliberations as scenes
from tests.support.deliberations import (
    make_executory_today,
    page_of,
    post_step,
    url_of,
    vote_of_today,
)
from tests.support.factories import (
    make_session,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def scene():
    return scenes.make_scene_of_today()


# Its forms


def test_the_whole_way_of_a_text_through_the_forms(client, scene, today):
    assert post_step(client, scene, "inscrire", session=scene.coming.pk).status_code == 302
    assert scene.deliberation.session == scene.coming
    assert post_step(client, scene, "convoquer", sent_on=today.isoformat()).status_code == 302
    assert scene.deliberation.status == "convened"
    refused = post_step(client, scene, "retirer", reason="")
    assert refused.status_code == 422
    assert post_step(client, scene, "retirer", reason="Report du conseil").status_code == 302
    numbers = {"in_office": 23, "present": 18, "proxies": 3, "votes_for": 20, "votes_against": 0, "abstained": 1}
    held = scene.past.meeting_on.isoformat()
    response = post_step(client, scene, "vote", outcome="adopted", meeting_on=held, number="2026-77", **numbers)
    assert response.status_code == 302
    voted = scene.deliberation
    assert (voted.status, voted.number, voted.votes_for, voted.session) == ("adopted", "2026-77", 20, scene.past)
    dates = {"received_on": held, "published_on": held, "number": "2026-77"}
    assert post_step(client, scene, "effets", **dates).status_code == 302
    assert scene.deliberation.executory_on == scene.past.meeting_on
    signed = post_step(client, scene, "signature", scene.buyer, signed_on=today.isoformat(), signatory="Mme Anne Essai")
    assert signed.status_code == 302
    page = page_of(client, scene, scene.buyer)
    assert "plus rien n’est attendu" in page
    assert post_step(client, scene, "effacer-signature", scene.buyer, reason="Erreur").status_code == 302
    assert not Signature.objects.exists()


def test_a_date_the_calendar_does_not_know_is_added_to_it(client, scene, today):
    new = today + timedelta(days=25)
    response = post_step(
        client,
        scene,
        "inscrire",
        session=scene.coming.pk,
        meeting_on=new.isoformat(),
        agenda_closes_on=today.isoformat(),
    )
    assert response.status_code == 302
    session = CouncilSession.objects.get(organisation=scene.commune, meeting_on=new)
    assert session.agenda_closes_on == today
    assert scene.deliberation.session == session
    # Typed again though the calendar knows it: the same session, and no second one.
    post_step(client, scene, "inscrire", meeting_on=scene.coming.meeting_on.isoformat())
    assert scene.deliberation.session == scene.coming
    assert CouncilSession.objects.filter(organisation=scene.commune).count() == 3


def test_a_refused_registration_leaves_no_session_behind(client, scene, today):
    read = scene.deliberation.version
    vote_of_today(scene)
    count = CouncilSession.objects.count()
    response = post_step(client, scene, "inscrire", version=read, meeting_on=(today + timedelta(days=25)).isoformat())
    assert response.status_code == 422
    assert CouncilSession.objects.count() == count


def test_the_session_of_another_body_cannot_be_chosen(client, scene, today):
    elsewhere = make_session(scene.metropole, today + timedelta(days=20))
    assert post_step(client, scene, "inscrire", session=elsewhere.pk).status_code == 422
    assert post_step(client, scene, "inscrire").status_code == 422
    assert scene.deliberation.status == "to_schedule"


def test_a_refusal_is_told_in_place_and_keeps_the_input(client, scene):
    numbers = {"in_office": 15, "present": 9, "proxies": 0, "votes_for": 12, "votes_against": 0, "abstained": 0}
    held = scene.past.meeting_on.isoformat()
    response = post_step(client, scene, "vote", outcome="adopted", meeting_on=held, number="2026-77", **numbers)
    page = response.content.decode()
    assert response.status_code == 422
    assert "12 pour, 0 contre et 0 abstentions font 12 voix, pour 9 présents et 0 pouvoirs." in page
    assert 'href="#vote-votes_for"' in page
    assert 'value="2026-77"' in page
    assert scene.deliberation.status == "to_schedule"
    assert not JournalEntry.objects.exists()


def test_numbers_come_together_or_not_at_all(client, scene):
    held = scene.past.meeting_on.isoformat()
    response = post_step(client, scene, "vote", outcome="adopted", meeting_on=held, votes_for="12")
    assert response.status_code == 422
    assert "Indiquez tous les nombres du vote, ou aucun." in response.content.decode()


@pytest.mark.parametrize("step", ["inscrire", "vote", "effets", "nature", "convoquer"])
@pytest.mark.parametrize("version", ["", "0", "abc", "99999999999999999999", "-1", "²"])
def test_a_version_tampered_with_is_an_old_one(client, scene, step, version):
    before = Deliberation.objects.filter(pk=scene.deliberation.pk).values().get()
    values = {
        "session": scene.coming.pk,
        "outcome": "adopted",
        "meeting_on": scene.past.meeting_on.isoformat() if step == "vote" else "",
        "kind": "president",
        "sent_on": "2026-01-01",
    }
    assert post_step(client, scene, step, version=version, **values).status_code == 422
    assert Deliberation.objects.filter(pk=scene.deliberation.pk).values().get() == before


def test_the_second_person_reads_what_the_first_saved_beside_its_own(client, scene, today):
    vote_of_today(scene)
    read = scene.deliberation.version
    first = today - timedelta(days=3)
    scenes.effect(scene, published_on=first, actor=scene.buyer, today=today)
    mine = (today - timedelta(days=5)).isoformat()
    response = post_step(client, scene, "effets", version=read, published_on=mine, number="2026-9")
    page = response.content.decode()
    assert response.status_code == 422
    assert scene.buyer.actor_label in page
    assert "Quelqu’un d’autre a enregistré entre-temps" in page
    assert f"{first:%d/%m/%Y}" in page
    assert f'value="{mine}"' in page  # nothing of what was typed is lost
    assert scene.deliberation.published_on == first
    # The form now carries the version that was read in the conflict: sending it again is a decision.
    again = post_step(client, scene, "effets", version=scene.deliberation.version, published_on=mine, number="2026-9")
    assert again.status_code == 302
    assert scene.deliberation.published_on.isoformat() == mine


def test_a_step_no_longer_possible_is_told_at_the_top(client, scene):
    vote_of_today(scene, actor=scene.buyer)
    response = post_step(client, scene, "inscrire", session=scene.coming.pk)
    page = response.content.decode()
    assert response.status_code == 422
    assert "n’est pas possible depuis l’état" in page
    assert 'id="form-errors"' in page


def test_a_step_that_does_not_exist(client, scene):
    assert post_step(client, scene, "voter-pour-eux").status_code == 404


def test_the_address_of_a_refused_form_opened_again_leads_to_its_page(client, scene):
    client.force_login(scene.buyer.user)
    page = url_of(scene, "deliberation_detail")
    for address in (url_of(scene, "deliberation_step", step="vote"), url_of(scene, "deliberation_deposit")):
        response = client.get(address)
        assert response.status_code == 302 and response["Location"] == page


def test_a_president_is_offered_no_session(client, scene):
    assert post_step(client, scene, "nature", kind="president", matter_code="1.1").status_code == 302
    page = page_of(client, scene, scene.agent)
    assert "Prendre la décision, puis l’enregistrer ici." in page
    assert "/inscrire/" not in page
    assert "Décision du" in page
    assert "ne peut pas déléguer au maire" in page  # a legal remark, not a refusal
    held = scene.past.meeting_on.isoformat()
    assert post_step(client, scene, "vote", outcome="adopted", meeting_on=held, number="DEC-3").status_code == 302
    assert (scene.deliberation.session, scene.deliberation.matter_code) == (None, "1.1")


def test_a_commune_is_asked_for_its_note_only_when_it_owes_one(client, scene, today):
    scenes.schedule(scene, scene.coming, today=today)
    assert "Note explicative de synthèse jointe" not in page_of(client, scene, scene.agent)
    scene.commune.population = 9000
    scene.commune.save()
    assert "Note explicative de synthèse jointe" in page_of(client, scene, scene.agent)
    sent_on = today.isoformat()
    assert post_step(client, scene, "convoquer", sent_on=sent_on, has_note="false").status_code == 302
    assert CouncilSession.objects.get(pk=scene.coming.pk).has_explanatory_note is False
    assert "devait être accompagnée d’un document" in page_of(client, scene, scene.agent)


def test_the_signed_text_is_a_version_of_the_grouping(client, scene, today):
    make_executory_today(scene)
    convention = Convention.objects.create(
        grouping=scene.grouping, version=1, values={}, values_sha256="0" * 64, texts_sha256="0" * 64,
        legal_basis="CCP, L2113-6", is_draft=False, frozen_at=timezone.now(),
    )  # fmt: skip
    page = page_of(client, scene, scene.buyer)
    assert "Madame Hélène Œuvrard" in page  # who may sign today is proposed
    values = {"signed_on": today.isoformat(), "signatory": "Mme Essai"}
    assert post_step(client, scene, "signature", scene.buyer, convention=convention.pk + 1, **values).status_code == 422
    values["convention"] = convention.pk
    refused = post_step(client, scene, "signature", scene.buyer, **values)  # nobody of that name holds a mandate
    assert refused.status_code == 422 and "délégation de signature" in refused.content.decode()
    assert post_step(client, scene, "signature", scene.buyer, reason="Arrêté 12", **values).status_code == 302
    assert Signature.objects.get().convention == convention


# The legal remarks


def test_a_jurist_goes_past_a_remark_and_everybody_reads_why(client, scene, today):
    vote_of_today(scene, counts=VoteCounts(23, 5, 0, 5, 0, 0))
    address = url_of(scene, "deliberation_override", code="quorum")
    assert "le quorum est de 12" in page_of(client, scene, scene.buyer)
    assert address not in page_of(client, scene, scene.buyer)
    page = page_of(client, scene, scene.jurist)
    assert address in page
    assert "CGCT, L2121-17" in page
    refused = client.post(address, {"reason": "  "})
    assert refused.status_code == 422
    assert "Indiquez le motif" in refused.content.decode()
    assert client.post(address, {"reason": "Seconde convocation, procès-verbal joint"}).status_code == 302
    own = page_of(client, scene, scene.agent)
    assert "Seconde convocation, procès-verbal joint" in own
    assert scene.jurist.actor_label in own
    again = client.post(address, {"reason": "Encore"})
    assert again.status_code == 403  # the agent
    client.force_login(scene.jurist.user)
    again = client.post(address, {"reason": "Encore"})
    assert again.status_code == 422
    assert "a déjà levé cette remarque" in again.content.decode()
    assert client.post(url_of(scene, "deliberation_override", code="inconnue"), {"reason": "x"}).status_code == 422
