"""« À faire » while a convention is read again: a member is asked for its remarks, the coordinator for its answers."""

import pytest
from django.urls import reverse

from groupings.actions.convention_comments import comment_add, comment_answer
from groupings.choices import ConventionStatus as C
from groupings.links import LinkActor, link_open, link_token
from members.roles import Role
from tests.support import convention_life as scenes
from tests.support.factories import make_affiliation, make_organisation

pytestmark = pytest.mark.django_db
ASKED = "le projet de convention est en relecture, vos remarques sont attendues avant que le texte soit arrêté."


@pytest.fixture
def scene():
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.COMMENTS)
    return scene


def home_of(client, affiliation):
    client.force_login(affiliation.user)
    return client.get("/").content.decode()


def remark(scene, name="Alpha", **options):
    member = scene.member(name)
    return comment_add(
        convention=scene.convention, article_key="article-12", body="Trop long", actor=LinkActor(member),
        now=scenes.NOW, membership=member, **options,
    )  # fmt: skip


def test_a_member_is_told_to_read_the_text_and_where(scene, client):
    agent = make_affiliation(scene.member("Alpha").organisation, role=Role.MEMBER_AGENT)
    page = home_of(client, agent)
    assert ASKED in page and "Relire" in page
    assert f'href="{reverse("convention_page", args=[scene.grouping.pk])}#articles-title"' in page


def test_nothing_is_asked_of_who_cannot_write_a_remark(scene, client):
    member = scene.member("Alpha").organisation
    assert ASKED not in home_of(client, make_affiliation(member, role=Role.READER))
    assert ASKED not in home_of(
        client, make_affiliation(make_organisation(parent=scene.metropole, name="Ailleurs"), role=Role.MEMBER_AGENT)
    )
    assert ASKED not in home_of(client, scene.buyer)


def test_the_request_ends_with_the_review(scene, client):
    agent = make_affiliation(scene.member("Alpha").organisation, role=Role.MEMBER_AGENT)
    scenes.advance(scene, "make_final")
    assert ASKED not in home_of(client, agent)


def test_the_coordinator_is_told_how_many_remarks_wait_for_an_answer(scene, client):
    assert "sans réponse sur le projet" not in home_of(client, scene.buyer)
    first = remark(scene)
    remark(scene, "Bravo", parent=first)  # a reply asks for nothing by itself
    assert "1 remarque sans réponse sur le projet de convention." in home_of(client, scene.buyer)
    remark(scene, "Bravo")
    assert "2 remarques sans réponse sur le projet de convention." in home_of(client, scene.jurist)
    comment_answer(comment=first, outcome="kept", answer="Trois ans", actor=scene.jurist, now=scenes.NOW)
    assert "1 remarque sans réponse sur le projet de convention." in home_of(client, scene.buyer)


def test_the_signed_link_lets_the_text_be_read_before_any_file_exists(scene, client):
    link = link_open(membership=scene.member("Alpha"), actor=scene.buyer, now=scenes.NOW)
    page = client.get(reverse("signed_link_convention", args=[link_token(link)])).content.decode()
    reading = reverse("signed_link_reading", args=[link_token(link)])
    assert f'href="{reading}"' in page and "vous est remis" not in page
    assert client.get(reading).status_code == 200
