"""Remarks on a convention: who writes, while it is read again; who answers; nothing is changed nor lost."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from groupings.actions.convention_comments import comment_add, comment_answer
from groupings.choices import ConventionStatus as C
from groupings.links import LinkActor, link_open, link_token
from groupings.models import ConventionComment, Membership
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support import convention_life as scenes
from tests.support.factories import make_affiliation, make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    """Version 1 is open to the remarks of its members."""
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.COMMENTS)
    return scene


def say(scene, name: str | None = "Alpha", body: str = "Durée trop longue", **options) -> ConventionComment:
    """The remark of a member's agent, or of the buyer when ``name`` is None."""
    membership = scene.member(name) if name else None
    actor = options.pop("actor", None) or (scene.buyer if membership is None else LinkActor(membership))
    key = options.pop("article_key", "article-12")
    return comment_add(
        convention=options.pop("convention", scene.convention),
        article_key=key,
        body=body,
        actor=actor,
        now=scenes.NOW,
        membership=membership,
        **options,
    )


def answer(scene, comment, outcome="kept", text="Trois ans suffiront", actor=None) -> ConventionComment:
    return comment_answer(
        comment=comment, outcome=outcome, answer=text, actor=actor or scene.jurist, now=scenes.NOW + timedelta(hours=1)
    )


def test_a_member_and_the_coordinator_speak_of_an_article(scene):
    remark = say(scene)
    assert remark.article_title == "Article\u00a012 – Entrée en vigueur et durée"
    assert (remark.speaker, remark.author) == ("Alpha", "Lien de réponse – Alpha")
    assert say(scene, None, "À discuter").speaker == "Coordonnateur"
    reply = say(scene, "Bravo", "Même avis", parent=remark, article_key="")
    assert (reply.article_key, reply.parent) == ("article-12", remark)
    told = JournalEntry.objects.filter(verb="convention.comment").values_list("sentence", flat=True)
    assert "Remarque sur la convention version 1, par Alpha – Article\u00a012 – Entrée en vigueur et durée" in told


def test_the_whole_text_and_the_annexes_can_be_spoken_of(scene):
    assert say(scene, article_key="ensemble").article_title == "Ensemble de la convention"
    assert say(scene, article_key="annexe-2").article_title.startswith("Annexe\u00a02 – ")
    with pytest.raises(BusinessError, match="n’existe pas dans cette version"):
        say(scene, article_key="article-99")


@pytest.mark.parametrize("status", [C.DRAFT, C.FINAL, C.VOTES, C.SIGNATURE, C.IN_FORCE, C.ENDED])
def test_nobody_speaks_when_the_text_is_not_read_again(status):
    scene = scenes.make_scene()
    scenes.bring_to(scene, status)
    for name in ("Alpha", None):
        with pytest.raises(BusinessError, match="n’est pas en relecture"):
            say(scene, name)
    assert not ConventionComment.objects.exists()


def test_a_version_that_was_replaced_is_spoken_of_no_more(scene):
    former = scene.convention
    scenes.rename(scene)
    scenes.freeze(scene)
    with pytest.raises(BusinessError, match="La version 1 n’est pas en relecture"):
        say(scene, convention=former)


def test_who_speaks_for_whom(scene):
    alpha, bravo = scene.member("Alpha"), scene.member("Bravo")
    with pytest.raises(NotAllowed):
        say(scene, "Bravo", actor=LinkActor(alpha))
    with pytest.raises(NotAllowed):
        say(scene, None, actor=LinkActor(alpha))
    for role in (Role.FINANCE, Role.READER, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            say(scene, None, actor=make_affiliation(scene.metropole, role))
    Membership.objects.filter(pk=bravo.pk).update(withdrawn_on=scenes.TODAY)
    with pytest.raises(BusinessError, match="Bravo ne participe pas"):
        say(scene, "Bravo")


@pytest.mark.parametrize(
    ("body", "refusal"), [("  \n ", "Écrivez votre remarque"), ("x" * 4001, "compte 4001 signes\u00a0: 4000 au plus")]
)
def test_an_empty_or_endless_remark_is_refused(scene, body, refusal):
    with pytest.raises(BusinessError, match=refusal) as refused:
        say(scene, body=body)
    assert refused.value.field == "body"
    assert say(scene, body="x" * 4000).pk


def test_a_double_click_says_it_once(scene):
    assert say(scene).pk == say(scene).pk
    assert ConventionComment.objects.count() == JournalEntry.objects.filter(verb="convention.comment").count() == 1
    assert say(scene, "Bravo").pk != say(scene).pk  # two members may think alike


def test_a_reply_is_one_level_deep_and_of_the_same_version(scene):
    remark = say(scene)
    reply = say(scene, "Bravo", "Même avis", parent=remark)
    with pytest.raises(BusinessError, match="en commente déjà une autre"):
        say(scene, "Alpha", "Encore", parent=reply)
    with pytest.raises(BusinessError, match="Répondez à la remarque elle-même"):
        answer(scene, reply)


@pytest.mark.parametrize(("outcome", "word"), [("kept", "Retenue"), ("dismissed", "Écartée"), ("answered", "Réponse")])
def test_the_coordinator_answers_once(scene, outcome, word):
    remark = say(scene)
    assert remark.is_open
    done = answer(scene, remark, outcome)
    assert (done.badge.word, done.answered_by, done.is_open) == (word, scene.jurist.actor_label, False)
    answer(scene, remark, outcome)  # a second click
    assert JournalEntry.objects.filter(verb="convention.answer").count() == 1
    with pytest.raises(BusinessError, match="a déjà répondu"):
        answer(scene, remark, outcome, "Autre chose")


def test_a_member_does_not_answer_for_the_coordinator(scene):
    remark = say(scene)
    for actor in (LinkActor(scene.member("Alpha")), scene.agent("Bravo", Role.JURIST)):
        with pytest.raises(NotAllowed):
            answer(scene, remark, actor=actor)


@pytest.mark.parametrize(("outcome", "text", "field"), [("", "Oui", "outcome"), ("kept", " ", "answer")])
def test_an_answer_says_what_becomes_of_the_remark_and_why(scene, outcome, text, field):
    with pytest.raises(BusinessError) as refused:
        answer(scene, say(scene), outcome, text)
    assert refused.value.field == field


def test_remarks_are_answered_until_the_text_is_before_the_assemblies(scene):
    early, late = say(scene), say(scene, "Bravo")
    scenes.rename(scene)
    scenes.freeze(scene)  # version 2 takes the first remark in
    assert answer(scene, early).outcome == "kept"
    scenes.bring_to(scene, C.VOTES)
    with pytest.raises(BusinessError, match="ne reçoivent plus de réponse"):
        answer(scene, late)


@pytest.mark.parametrize(
    "wrong", [{"outcome": "kept"}, {"answer": "Oui"}, {"outcome": "kept", "answer": "Oui", "answered_by": "Moi"}]
)
def test_the_database_keeps_an_answer_whole(scene, wrong):
    remark = say(scene)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConventionComment.objects.filter(pk=remark.pk).update(**wrong)
    for name, value in wrong.items():
        setattr(remark, name, value)
    with pytest.raises(ValidationError, match="porte sa suite, sa réponse, sa date et son auteur"):
        remark.full_clean(exclude=["convention"])


def test_the_database_keeps_replies_without_answer(scene):
    reply = say(scene, "Bravo", "Même avis", parent=say(scene))
    whole = {"outcome": "kept", "answer": "Oui", "answered_by": "Moi", "answered_at": scenes.NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        ConventionComment.objects.filter(pk=reply.pk).update(**whole)


def test_opening_the_comments_writes_to_the_members_once(scene):
    mails = OutgoingMessage.objects.order_by("recipient")
    assert [mail.recipient for mail in mails] == ["mairie@alpha.example", "mairie@bravo.example"]
    first = mails[0]
    assert first.subject == "Relire le projet de convention\u00a0: Papier recyclé"
    assert "Alpha est membre" in first.text and "/lien/" in first.text and "version 1" in first.text
    assert first.key.startswith(f"comments:{scene.convention.pk}:2026-11-16:")
    scenes.advance(scene, "back_to_draft", reason="Essai")
    scenes.advance(scene, "open_comments")
    assert OutgoingMessage.objects.count() == 2  # the same version, the same day
    scenes.advance(scene, "back_to_draft", reason="Essai")
    scenes.advance(scene, "open_comments", today=scenes.LATER)
    assert OutgoingMessage.objects.count() == 4


# The signed link.


@pytest.fixture
def link(scene):
    return link_open(membership=scene.member("Alpha"), actor=scene.buyer, now=timezone.now())


def address(link) -> str:
    return reverse("signed_link_convention", args=[link_token(link)])


def test_the_link_leads_to_the_articles_while_they_are_read_again(client, scene, link):
    say(scene, "Bravo", "Remarque de Bravo")
    answering = reverse("signed_link", args=[link_token(link)])
    assert address(link) in client.get(answering).content.decode()
    page = client.get(address(link))
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    text = page.content.decode()
    assert "Remarque de Bravo" in text and "Article\u00a011 – Responsabilité" in text
    scenes.advance(scene, "make_final")
    assert address(link) not in client.get(answering).content.decode()
    assert "Enregistrer la remarque" not in client.get(address(link)).content.decode()


def test_a_remark_by_the_link_is_that_of_its_member_and_leads_back_to_it(client, scene, link):
    response = client.post(address(link), {"article": "article-11", "body": "Trop vague"})
    remark = ConventionComment.objects.get()
    assert response.url == f"{address(link)}#remarque-{remark.pk}"
    assert (remark.speaker, remark.author) == ("Alpha", "Lien de réponse – Alpha")
    link.refresh_from_db()
    assert link.last_used_at is not None


def test_a_refused_remark_by_the_link_keeps_what_was_typed_and_leaves_no_trace(client, scene, link):
    scenes.advance(scene, "make_final")
    response = client.post(address(link), {"article": "article-11", "body": "Trop vague"})
    text = response.content.decode()
    assert response.status_code == 422
    assert "n’est pas en relecture" in text and "Trop vague" in text
    link.refresh_from_db()
    assert link.last_used_at is None


def test_the_link_of_a_member_of_another_grouping_reads_nothing_of_it(client, scene, link):
    say(scene, "Bravo", "Remarque de Bravo")
    other = scenes.make_scene()
    scenes.bring_to(other, C.COMMENTS)
    strange = link_open(membership=other.member("Alpha"), actor=other.buyer, now=timezone.now())
    assert "Remarque de Bravo" not in client.get(address(strange)).content.decode()
    remark = ConventionComment.objects.get()
    response = client.post(address(strange), {"parent": remark.pk, "body": "Intrusion"})
    assert response.status_code == 422 and "Cette remarque n’existe pas" in response.content.decode()


def test_a_commune_outside_the_grouping_sees_no_remark(client, scene):
    say(scene)
    outside = make_organisation(parent=scene.metropole, name="Ailleurs")
    client.force_login(make_affiliation(outside, Role.MEMBER_AGENT).user)
    assert client.get(reverse("convention_page", args=[scene.grouping.pk])).status_code == 404
