"""What a signed link cannot do: another membership, another step, too often; and the coordinator's side."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from groupings.links import (
    link_token,
    link_url,
)
from groupings.models import SignedLink
from groupings.views import links as views
from tests.support.factories import (
    make_grouping,
    make_membership,
    make_organisation,
    make_session,
)
from tests.support.links import address, answer, close, everything, in_days, page_of, vote_of

pytestmark = pytest.mark.django_db


# Its perimeter


def test_a_link_touches_its_own_membership_alone(client, scene, link):
    """Neither the neighbour's deliberation, nor one's own in another grouping, nor the neighbour's calendar."""
    neighbour = make_organisation(parent=scene.metropole, name="Voisine")
    other = make_membership(scene.grouping, neighbour)
    elsewhere = make_membership(
        make_grouping(scene.metropole, status="deliberations", opened_on=in_days(-200)), scene.commune
    )
    foreign = make_session(neighbour, in_days(12))
    assert answer(client, scene, link, "inscrire", session=foreign.pk).status_code == 422
    forged = {"membership": other.pk, "deliberation": other.deliberations.get().pk, "organisation": neighbour.pk}
    assert answer(client, scene, link, "vote", **vote_of(scene), **forged).status_code == 302
    for untouched in (other, elsewhere):
        assert untouched.deliberations.get().status == "to_schedule"
    page = page_of(client, link)
    assert "Voisine" not in page
    assert foreign.meeting_on.strftime("%d/%m/%Y") not in page


def test_a_link_signs_nobody_in(client, scene, link):
    answer(client, scene, link, "vote", **vote_of(scene))
    client.get(address(link))
    assert "_auth_user_id" not in client.session
    deliberation = scene.deliberation
    for url in (
        reverse("home"),
        reverse("deliberation_detail", args=[deliberation.pk]),
        reverse("grouping_detail", args=[scene.grouping.pk]),
    ):
        assert client.get(url).status_code == 302
    response = client.post(reverse("deliberation_step", args=[deliberation.pk, "effets"]))
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize(
    "step", ["nature", "signature", "dispenser", "annulation", "annuler-la-saisie", "retrait", "x"]
)
def test_a_link_offers_no_other_step(client, scene, link, step):
    before = everything()
    assert answer(client, scene, link, step, reason="Essai", kind="president").status_code == 404
    assert everything() == before


def test_a_forged_form_is_refused(scene, link):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(link, "vote"), vote_of(scene)).status_code == 403
    assert scene.deliberation.status == "to_schedule"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page_of(strict, link)).group(1)
    values = {"version": scene.deliberation.version, "csrfmiddlewaretoken": token, **vote_of(scene)}
    assert strict.post(address(link, "vote"), values).status_code == 302


# Limits


def test_thirty_answers_an_hour_for_one_link(client, scene, link, monkeypatch):
    monkeypatch.setattr(views.time, "time", lambda: 1_800_000_000.0)  # a whole number of hours: 3 600 × 500 000
    for _ in range(30):
        assert answer(client, scene, link, "inscrire").status_code == 422
    before = everything()
    response = answer(client, scene, link, "inscrire", session=scene.coming.pk)
    assert response.status_code == 429
    assert response["Retry-After"] == "3600"
    assert "Réessayez dans 60 minutes." in response.content.decode()
    assert everything() == before
    assert client.get(address(link)).status_code == 200  # reading goes on
    monkeypatch.setattr(views.time, "time", lambda: 1_800_003_600.0)
    assert answer(client, scene, link, "inscrire", session=scene.coming.pk).status_code == 302


def test_sixty_unknown_addresses_an_hour_from_one_place(client, scene, link, monkeypatch):
    monkeypatch.setattr(views.time, "time", lambda: 1_800_003_000.0)
    for number in range(60):
        assert client.get(f"/lien/inconnu-{number}/").status_code == 404
    response = client.get("/lien/inconnu/")
    assert response.status_code == 429
    assert response["Retry-After"] == "600"
    assert "Trop de demandes" in response.content.decode()
    assert client.get(address(link)).status_code == 200  # the town hall behind the same address still answers
    assert client.get("/lien/inconnu/", REMOTE_ADDR="192.0.2.9").status_code == 404


def test_behind_a_proxy_the_limit_is_the_visitor_s(client, settings, monkeypatch):
    monkeypatch.setattr(views, "UNKNOWN_AN_HOUR", 1)
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def status(visitor: str) -> int:
        return client.get("/lien/abc/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=visitor).status_code

    assert [status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")] == [404, 429, 404]
    # One IPv6 network is one visitor; what a visitor adds before its proxy's word is not believed.
    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:0:1::1")] == [404, 429, 404]
    assert status("203.0.113.7, 192.0.2.1") == 429


# The coordinator's side


def test_the_coordinator_renews_and_reads_the_address_once(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("membership_link", args=[scene.grouping.pk, scene.membership.pk])
    response = client.post(url, {"action": "renew"})
    link = SignedLink.objects.get()
    assert response.status_code == 200
    assert link_url(link) in response.content.decode()
    assert "Jamais utilisé" in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    response = client.post(url, {"action": "revoke"}, follow=True)
    assert "le lien de réponse est révoqué" in response.content.decode()
    link.refresh_from_db()
    assert link.revoked_at is not None
    assert Client().get(address(link)).status_code == 410


def test_the_coordinator_s_mistakes_are_told(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("membership_link", args=[scene.grouping.pk, scene.membership.pk])
    assert "Aucun lien n’est ouvert pour Saussan" in client.post(url, {"action": "revoke"}).content.decode()
    assert client.post(url, {"action": "x"}).status_code == 409
    elsewhere = make_membership(make_grouping(scene.metropole), scene.commune)
    mixed = reverse("membership_link", args=[scene.grouping.pk, elsewhere.pk])
    assert client.post(mixed, {"action": "renew"}).status_code == 404
    close(scene, "cancelled")
    assert "abandonné" in client.post(url, {"action": "renew"}).content.decode()
    assert not SignedLink.objects.exists()


def test_the_member_s_own_people_do_not_read_the_address(client, scene, link):
    client.force_login(scene.agent.user)
    url = reverse("membership_link", args=[scene.grouping.pk, scene.membership.pk])
    for action in ("renew", "revoke"):
        response = client.post(url, {"action": action})
        assert response.status_code == 403
        assert link_token(link) not in response.content.decode()
