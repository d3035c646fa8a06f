"""Reading a signed link changes nothing, shows one membership, and stays out of every cache."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groupings.links import (
    link_open,
    link_revoke,
    link_token,
)
from groupings.models import ConventionDocument, SignedLink
from tests.support.factories import (
    adopt,
    make_membership,
    make_organisation,
)
from tests.support.links import address, answer, document_of, everything, in_days, kit_of, page_of, vote_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["to_schedule", "on_agenda", "adopted", "executory", "rejected"])
def test_reading_changes_nothing_not_even_the_last_use(client, scene, link, state):
    kit_of(scene.membership)
    if state == "on_agenda":
        answer(client, scene, link, "inscrire", session=scene.coming.pk)
    elif state == "rejected":
        answer(client, scene, link, "vote", **vote_of(scene, "rejected"))
    elif state != "to_schedule":
        adopt(scene.membership, in_days(-7), executory=state == "executory")
    before = everything()
    reader = Client()
    for url in (address(link), f"{address(link)}?piece=abc", document_of(link, "convention.pdf")):
        for method in (reader.get, reader.head, reader.options):
            with CaptureQueriesContext(connection) as queries:
                method(url)
            assert not [q["sql"] for q in queries if not q["sql"].lstrip().upper().startswith(("SELECT", "PRAGMA"))]
    assert everything() == before


def test_the_page_says_what_by_when_and_with_which_document(client, scene, link):
    kit_of(scene.membership)
    page = page_of(client, link)
    for told in (
        "Saussan",
        "Métropole du Lez",
        "Inscrire la délibération à l’ordre du jour d’une séance.",
        f"{in_days(60):%d/%m/%Y}",
        f"{in_days(30):%d/%m/%Y}",
        f"<strong>{in_days(20):%d/%m/%Y}</strong>",
        "Modèle de délibération, à adapter (Word)",
        "Convention à annexer (PDF)",
        scene.buyer.user.email,
    ):
        assert told in page, told
    assert "site-nav" not in page
    assert "user-menu" not in page


def test_no_engine_no_cache_and_no_other_site_keeps_the_address(client, scene, link):
    kit_of(scene.membership)
    scene_responses = [
        client.get(address(link)),
        client.get(document_of(link, "convention.pdf")),
        client.get("/lien/abc/"),
        client.get(address(link, "vote")),
        client.post(address(link, "vote")),
        client.post(address(link, "inconnue")),
    ]
    assert [response.status_code for response in scene_responses] == [200, 200, 404, 302, 422, 404]
    assert scene_responses[3]["Location"] == address(link), "a phone opens again the tab of a refused answer"
    for response in scene_responses:
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_a_closed_address_names_the_buyer_and_nothing_else(client, scene, link, how):
    kit_of(scene.membership)
    if how == "revoked":
        link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    else:
        SignedLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    before = everything()
    for response in (
        client.get(address(link)),
        client.get(document_of(link, "convention.pdf")),
        answer(client, scene, link, "vote", **vote_of(scene)),
    ):
        assert response.status_code == 410
        page = response.content.decode()
        assert "Demandez un nouveau lien à" in page
        assert scene.buyer.user.get_full_name() in page
        assert scene.buyer.user.email in page
        for secret in ("Saussan", "Métropole du Lez", scene.grouping.title, scene.grouping.reference):
            assert secret not in page
    assert everything() == before


def test_without_a_buyer_the_coordinating_body_answers(client, scene, link):
    scene.grouping.buyer = None
    scene.grouping.save()
    scene.metropole.email = "achats@lez.example"
    scene.metropole.save()
    assert "achats@lez.example" in page_of(client, link)
    link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    assert "achats@lez.example" in page_of(client, link)


def test_the_documents_are_the_member_s_own_of_the_latest_version(client, scene, link):
    other = make_membership(scene.grouping, make_organisation(parent=scene.metropole, name="Voisine"))
    for membership in (scene.membership, other):
        kit_of(membership, 1)
    kit_of(scene.membership, 2)
    for name in ("convention.pdf", "deliberation.docx", "deliberation.pdf"):
        response = client.get(document_of(link, name))
        assert response.content.decode() == "kit Saussan v2"
        assert "attachment" in response["Content-Disposition"]
    for name in ("convention.docx", "../convention.pdf", "x", "é", scene.commune.siren, "a" * 500):
        assert client.get(f"/lien/{link_token(link)}/documents/{name}").status_code == 404
    others = link_open(membership=other, actor=scene.buyer, now=timezone.now())
    assert client.get(document_of(others, "convention.pdf")).status_code == 404  # not in the latest version


def test_an_altered_document_is_not_handed_over(client, scene, link):
    kit_of(scene.membership)
    ConventionDocument.objects.update(sha256="0" * 64)
    response = client.get(document_of(link, "convention.pdf"))
    assert response.status_code == 409
    assert "ne correspond plus à son empreinte" in response.content.decode()
    assert response["Cache-Control"] == "no-store"
