"""A signed link: its address, how it opens, is renewed, expires and is revoked."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.signing import Signer
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from groupings.links import (
    ClosedLink,
    LinkActor,
    UnknownLink,
    find_link,
    link_open,
    link_revoke,
    link_token,
    link_url,
)
from groupings.models import SignedLink
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    make_affiliation,
)
from tests.support.links import CLOSED, address, answer, close, document_of, everything, kit_of, page_of, vote_of

pytestmark = pytest.mark.django_db


# The address


def test_the_address_opens_its_link_until_its_last_second(link):
    assert find_link(link_token(link), link.expires_at - timedelta(seconds=1)) == link
    with pytest.raises(ClosedLink):
        find_link(link_token(link), link.expires_at)


def test_the_address_is_absolute_and_holds_no_name(settings, link):
    settings.SITE_URL = "https://achats.example"
    assert re.fullmatch(rf"https://achats\.example/lien/{link.pk}\.[\w-]+:[\w-]+/", link_url(link))


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[0-9]{1,30}\.[\w-]*:[\w-]*", fullmatch=True)))
def test_a_text_we_did_not_sign_is_never_a_link(token):
    with pytest.raises(UnknownLink):
        find_link(token, timezone.now())


@given(place=st.integers(0, 200), character=st.characters(codec="utf-8"))
def test_a_tampered_address_is_never_a_link(place, character):
    link = SignedLink(pk=12, nonce="a" * 22)
    token = link_token(link)
    place %= len(token)
    tampered = token[:place] + character + token[place + 1 :]
    if tampered != token:
        with pytest.raises(UnknownLink):
            find_link(tampered, timezone.now())


@pytest.mark.parametrize(
    "signed", ["abc", "12", "12.", ".x", f"{'9' * 40}.{'a' * 22}", "1.2.3", "-1.aaaaaaaaaaaaaaaaaaaaaa"]
)
def test_even_signed_by_us_another_shape_is_unknown(signed):
    with pytest.raises(UnknownLink):
        find_link(Signer(salt="groupings.signed_link").sign(signed), timezone.now())


def test_a_signature_for_another_use_opens_nothing(link):
    with pytest.raises(UnknownLink):
        find_link(Signer(salt="groupings.calendar").sign(f"{link.pk}.{link.nonce}"), timezone.now())


@pytest.mark.parametrize(
    "token", ["abc", "%00", "é" * 50, "1.aaaaaaaaaaaaaaaa:x", "a" * 3000, "1%2E2:3", "..", "%ff%fe"]
)
def test_an_unknown_address_is_a_french_404(client, token):
    for url in (f"/lien/{token}/", f"/lien/{token}/documents/convention.pdf"):
        response = client.get(url)
        assert response.status_code == 404
    assert client.post(f"/lien/{token}/vote/").status_code == 404


def test_an_unknown_address_says_what_to_do(client):
    page = client.get("/lien/abc/").content.decode()
    assert "Recopiez-la en entier" in page
    assert "Demandez" not in page  # nobody is named


# Opening, renewing, revoking


def test_renewing_keeps_the_address_and_never_shortens(scene, link):
    token, expires_at = link_token(link), link.expires_at
    sooner = link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now(), days=1)
    assert (link_token(sooner), sooner.expires_at) == (token, expires_at)
    later = link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now() + timedelta(days=10))
    assert link_token(later) == token
    assert later.expires_at > expires_at


def test_sixty_days_by_default_over_a_leap_february(scene):
    now = datetime(2028, 1, 1, 12, tzinfo=UTC)
    assert link_open(membership=scene.membership, actor=scene.buyer, now=now).expires_at.date() == date(2028, 3, 1)
    entry = JournalEntry.objects.get(verb="link.open")
    assert entry.sentence == "Saussan\u00a0: lien de réponse ouvert jusqu’au 01/03/2028"


def test_renewed_after_a_revocation_it_is_another_address(client, scene, link):
    old = link_token(link)
    link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    renewed = link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now())
    assert link_token(renewed) != old
    assert client.get(address(renewed)).status_code == 200
    assert client.get(reverse("signed_link", args=[old])).status_code == 410
    verbs = JournalEntry.objects.filter(verb__startswith="link.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["link.open", "link.revoke", "link.open"]


def test_an_expired_link_opens_again_with_its_address_and_the_journal_says_so(scene, link):
    later = link.expires_at + timedelta(days=1)
    assert link_token(link_open(membership=scene.membership, actor=scene.buyer, now=later)) == link_token(link)
    assert JournalEntry.objects.filter(verb="link.open").count() == 2


def test_only_the_coordinator_opens_and_revokes(scene, link):
    for actor in (scene.agent, LinkActor(scene.membership), make_affiliation(scene.metropole, Role.READER)):
        with pytest.raises(NotAllowed):
            link_open(membership=scene.membership, actor=actor, now=timezone.now())
        with pytest.raises(NotAllowed):
            link_revoke(link=link, actor=actor, now=timezone.now())
    link.refresh_from_db()
    assert link.revoked_at is None


@pytest.mark.parametrize("how", list(CLOSED))
def test_nothing_is_opened_once_nothing_is_awaited(scene, how):
    close(scene, how)
    with pytest.raises(BusinessError, match=CLOSED[how]):
        link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now())
    assert not SignedLink.objects.exists()


@pytest.mark.parametrize("how", list(CLOSED))
def test_a_closed_grouping_is_told_and_asks_nothing(client, scene, link, how):
    kit_of(scene.membership)
    close(scene, how)
    page = page_of(client, link)
    assert CLOSED[how] in page
    assert "<form" not in page
    assert "/documents/" not in page
    before = everything()
    response = answer(client, scene, link, "vote", **vote_of(scene))
    assert response.status_code == 409
    assert CLOSED[how] in response.content.decode()
    assert client.get(document_of(link, "convention.pdf")).status_code == 404
    assert everything() == before
