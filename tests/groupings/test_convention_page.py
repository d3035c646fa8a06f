"""The page of a convention: what each reader sees, takes and writes; its few queries."""

import pytest
from django.urls import reverse

from groupings.choices import ConventionStatus as C
from groupings.models import Convention, ConventionComment, ConventionDocument, Grouping
from members.roles import Role
from procurement.core.jobs.models import Job
from tests.support import convention_life as scenes
from tests.support.factories import make_affiliation, make_membership, make_organisation

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12


@pytest.fixture
def scene():
    return scenes.make_scene()


def url(scene, name: str = "convention_page", *arguments) -> str:
    return reverse(name, args=[scene.grouping.pk, *arguments])


def read(client, scene, person) -> str:
    client.force_login(person.user)
    response = client.get(url(scene))
    assert response.status_code == 200
    return response.content.decode()


def test_before_any_convention_the_page_says_how_to_make_one(client):
    scene = scenes.make_scene(frozen=False)
    assert "Produire les conventions" in read(client, scene, scene.buyer)
    page = read(client, scene, scene.agent("Alpha"))
    assert "Le coordonnateur n’a pas encore produit la convention" in page and "Produire les conventions" not in page
    client.force_login(scene.buyer.user)
    response = client.post(url(scene, "convention_advance"), {"step": "make_final"})
    assert response.status_code == 422 and "Produisez d’abord la convention" in response.content.decode()


def test_the_state_the_fingerprint_and_the_steps_are_shown_to_the_coordinator(client, scene):
    page = read(client, scene, scene.jurist)
    assert "Projet" in page and scene.convention.text_sha256 in page
    assert "Ouvrir la relecture" in page and "Arrêter le texte" in page
    assert "comparé aux données du groupement" in page


@pytest.mark.parametrize("role", [Role.FINANCE, Role.READER])
def test_the_others_read_without_steps(client, scene, role):
    scenes.bring_to(scene, C.COMMENTS)
    page = read(client, scene, make_affiliation(scene.metropole, role))
    assert "En relecture" in page and "Étape suivante" not in page and "Enregistrer la remarque" not in page


def test_a_member_reads_it_and_finds_its_own_document_alone(client, scene):
    for name in ("Alpha", "Bravo"):
        document = ConventionDocument(
            convention=scene.convention, membership=scene.member(name), sha256="0" * 64, size=1, pages=9
        )
        document.file.name = f"{name}.pdf"
        document.save()
    page = read(client, scene, scene.agent("Alpha"))
    siren = scene.member("Alpha").organisation.siren
    assert reverse("convention_document", args=[scene.grouping.pk, 1, siren]) in page
    assert scene.member("Bravo").organisation.siren not in page
    assert "Étape suivante" not in page and "Produire les conventions" not in page


def test_a_step_is_taken_and_said(client, scene):
    client.force_login(scene.buyer.user)
    response = client.post(url(scene, "convention_advance"), {"step": "make_final", "status": "draft"}, follow=True)
    assert "Convention version 1\u00a0: arrêtée." in response.content.decode()
    assert scene.convention.status == C.FINAL


def test_a_step_refused_says_why_and_keeps_the_reason_typed(client, scene):
    scenes.rename(scene)
    client.force_login(scene.buyer.user)
    response = client.post(url(scene, "convention_advance"), {"step": "make_final", "status": "draft"})
    assert response.status_code == 422
    assert "ont changé depuis la version 1" in response.content.decode()
    scenes.freeze(scene)
    scenes.advance(scene, "make_final")
    typed = {"step": "back_to_draft", "status": "votes", "reason": "Article 11 à revoir"}
    response = client.post(url(scene, "convention_advance"), typed)
    assert response.status_code == 422 and "Article 11 à revoir" in response.content.decode()
    assert scene.convention.status == C.FINAL


def test_what_keeps_the_signature_closed_is_read_before_any_click(client, scene):
    scenes.bring_to(scene, C.VOTES)
    scenes.vote(scene, "Alpha")
    page = read(client, scene, scene.buyer)
    assert "n’est pas exécutoire pour Bravo et Métropole" in page and "disabled" in page
    assert "Version 1" in page


def test_replaced_versions_are_folded_with_their_fingerprint(client, scene):
    scenes.rename(scene)
    scenes.freeze(scene)
    page = read(client, scene, scene.buyer)
    assert "Versions remplacées (1)" in page
    assert all(version.text_sha256 in page for version in Convention.objects.all())


def test_a_new_text_after_a_vote_is_asked_why_on_this_page(client, scene):
    scenes.bring_to(scene, C.VOTES)
    scenes.vote(scene, "Alpha")
    assert "Alpha a déjà voté" in read(client, scene, scene.buyer)
    scenes.rename(scene)
    response = client.post(url(scene, "convention_generate"))  # the button of the grouping's own page, too
    page = response.content.decode()
    assert response.status_code == 422
    assert "Alpha a déjà voté la convention" in page and "Motif d’un nouveau texte" in page
    assert not Job.objects.exists()
    response = client.post(url(scene, "convention_generate"), {"from": "convention", "reason": "Un lot de plus"})
    assert response.status_code == 302
    assert scene.convention.version == 2


def test_a_convention_in_force_offers_no_new_version(client, scene):
    scenes.bring_to(scene, C.IN_FORCE)
    page = read(client, scene, scene.buyer)
    assert "elle se modifie par un avenant" in page and "Produire les conventions" not in page
    assert "Constater la fin" in page


def test_remarks_are_read_by_all_the_members_and_written_in_their_place(client, scene):
    scenes.bring_to(scene, C.COMMENTS)
    client.force_login(scene.agent("Alpha").user)
    response = client.post(url(scene, "convention_comment"), {"article": "article-11", "body": "Trop <b>vague</b>"})
    remark = ConventionComment.objects.get()
    assert response.url == f"{url(scene)}#remarque-{remark.pk}"
    page = read(client, scene, scene.agent("Bravo"))
    assert "Trop &lt;b&gt;vague&lt;/b&gt;" in page and "Donner la suite" not in page
    client.post(url(scene, "convention_comment"), {"parent": remark.pk, "body": "Même avis"})
    assert "Donner la suite" in read(client, scene, scene.jurist)
    answered = {"outcome": "kept", "answer": "Précisé"}
    client.post(url(scene, "convention_answer", remark.pk), answered)
    page = read(client, scene, scene.agent("Alpha"))
    assert "Même avis" in page and "Retenue" in page and "Précisé" in page


def test_a_remark_on_a_replaced_version_says_so(client, scene):
    scenes.bring_to(scene, C.COMMENTS)
    client.force_login(scene.buyer.user)
    client.post(url(scene, "convention_comment"), {"article": "article-11", "body": "Trop vague"})
    assert "sur la version" not in read(client, scene, scene.buyer)
    scenes.rename(scene)
    scenes.freeze(scene)
    assert "sur la version 1" in read(client, scene, scene.buyer)


@pytest.mark.parametrize("typed", [{"body": ""}, {"body": "y" * 4001}, {"body": "Oui", "article": "article-99"}])
def test_a_refused_remark_comes_back_with_what_was_typed(client, scene, typed):
    scenes.bring_to(scene, C.COMMENTS)
    client.force_login(scene.buyer.user)
    response = client.post(url(scene, "convention_comment"), {"article": "article-11", **typed})
    page = response.content.decode()
    assert response.status_code == 422 and "Rien n’a été enregistré" in page
    assert not typed["body"] or typed["body"] in page


def test_a_refused_answer_comes_back_with_what_was_typed(client, scene):
    scenes.bring_to(scene, C.COMMENTS)
    client.force_login(scene.buyer.user)
    client.post(url(scene, "convention_comment"), {"article": "article-11", "body": "Trop vague"})
    remark = ConventionComment.objects.get()
    response = client.post(url(scene, "convention_answer", remark.pk), {"outcome": "", "answer": "Nous verrons"})
    page = response.content.decode()
    assert response.status_code == 422 and "Nous verrons" in page and "Choisissez la suite donnée" in page


def test_a_convention_taken_in_as_a_file_has_no_article_but_can_be_spoken_of(client, scene):
    scenes.bring_to(scene, C.COMMENTS)
    scenes.taken_in_as_a_file(scene)
    client.force_login(scene.buyer.user)
    client.post(url(scene, "convention_comment"), {"article": "ensemble", "body": "À relire"})
    page = read(client, scene, scene.buyer)
    assert "Ensemble de la convention" in page and "À relire" in page and "Article 1" not in page


def test_a_remark_on_an_article_that_the_version_in_hand_no_longer_has_is_still_read(client, scene):
    scenes.bring_to(scene, C.COMMENTS)
    client.force_login(scene.buyer.user)
    client.post(url(scene, "convention_comment"), {"article": "article-12", "body": "Durée trop longue"})
    scenes.taken_in_as_a_file(scene)  # a text negotiated outside has no article that the tool knows
    page = read(client, scene, scene.buyer)
    assert "Article\u00a012 – Entrée en vigueur et durée (version précédente)" in page and "Durée trop longue" in page
    assert "Texte négocié hors de l’outil" in page and "négociée.pdf" in page
    assert "Produire les conventions" not in page and "revenir au texte produit" in page  # nothing to produce from it
    scenes.advance(scene, "make_final")
    assert "Les articles du texte" not in read(client, scene, scene.buyer)


@pytest.mark.parametrize("status", [C.COMMENTS, C.VOTES, C.IN_FORCE])
def test_few_queries_whatever_the_members_and_the_remarks(client, django_assert_max_num_queries, scene, status):
    for number in range(20):
        make_membership(scene.grouping, make_organisation(parent=scene.metropole, name=f"Commune {number}"))
    scenes.freeze(scene)
    Convention.objects.exclude(status="superseded").update(status=status)
    convention = scene.convention
    for number, membership in enumerate(scene.grouping.memberships.all()):
        remark = {"article_key": "article-11", "article_title": "Article 11", "author": "A", "created_at": scenes.NOW}
        first = ConventionComment.objects.create(convention=convention, membership=membership, body=number, **remark)
        ConventionComment.objects.create(
            convention=convention, membership=membership, body="Oui", parent=first, **remark
        )
    for person in (scene.buyer, scene.agent("Alpha")):
        read(client, scene, person)
        with django_assert_max_num_queries(MAX_QUERIES):
            client.get(url(scene))


def test_a_grouping_only_declared_has_no_tab_nor_convention(client, scene):
    Convention.objects.all().delete()
    Grouping.objects.filter(pk=scene.grouping.pk).update(is_declared_only=True)
    page = read(client, scene, scene.buyer)
    assert "Pas encore de convention" in page and "Produire les conventions" not in page
