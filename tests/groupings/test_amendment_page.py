"""The pages of amendments: what the buyer does there from the draft to the effect, what a member reads."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from groupings.actions import amendments as actions
from groupings.actions.deliberation import deliberation_reverse
from groupings.links import link_token
from groupings.models import Amendment, Deliberation, SignedLink
from groupings.remarks import facts_of
from groupings.todo import todo_on
from members.models import Organisation
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support.amendments import draft, final, in_force, make_scene, vote, voted
from tests.support.factories import make_affiliation

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12
_NO_EXTENSION = {"new_extension_count": 0, "new_extension_months": 0}


def step(client, amendment: Amendment, name: str, **data):
    url = reverse("amendment_step", args=[amendment.grouping_id, amendment.pk, name])
    return client.post(url, data, follow=True)


def test_from_the_draft_to_the_consolidated_text(client):
    scene = make_scene(kind="permanent")
    today = timezone.localdate()
    client.force_login(scene.buyer.user)
    create = reverse("amendment_create", args=[scene.grouping.pk, "join"])
    assert client.post(create, {"reason": "Elle le demande"}).status_code == 422
    answer = client.post(create, {"organisation": scene.newcomer.pk, "reason": "Elle le demande"})
    amendment = Amendment.objects.get()
    assert answer.url == reverse("amendment", args=[scene.grouping.pk, amendment.pk])
    assert "Avenant n°\u00a01" in step(client, amendment, "freeze", version="1").content.decode()
    refused = client.post(
        reverse("amendment_step", args=[scene.grouping.pk, amendment.pk, "start_votes"]), {"version": 1}
    )
    assert refused.status_code == 422
    step(client, amendment, "start_votes")
    vote(amendment.votes.get(), today)
    step(client, amendment, "start_signatures")
    sign = reverse("amendment_sign", args=[scene.grouping.pk, amendment.pk])
    assert "file" in client.get(sign).context["form"].fields
    newcomer = amendment.votes.get().membership
    early = {"membership": newcomer.pk, "signed_on": today - timedelta(days=1), "signatory": "Le maire"}
    assert "ne peut pas précéder" in client.post(sign, early).content.decode()
    for membership in (newcomer, scene.members[0]):
        said = {"membership": membership.pk, "signed_on": today.isoformat(), "signatory": "La maire"}
        assert client.post(sign, said).status_code == 302
    done = step(client, amendment, "enter").content.decode()
    assert "en vigueur le" in done
    text = client.get(reverse("convention_consolidated", args=[scene.grouping.pk])).content.decode()
    assert "modifié par l’avenant n°\u00a01" in text
    assert "Commune nouvelle" in text
    before = client.get(
        reverse("convention_consolidated", args=[scene.grouping.pk]), {"le": (today - timedelta(days=1)).isoformat()}
    ).content.decode()
    assert "modifié par l’avenant" not in before
    assert "Commune nouvelle" not in before
    wrong = client.get(reverse("convention_consolidated", args=[scene.grouping.pk]), {"le": "demain"})
    assert (wrong.status_code, "n’est pas une date" in wrong.content.decode()) == (422, True)


def test_a_signed_copy_that_is_no_pdf_is_refused_and_nothing_is_lost(client):
    scene = make_scene(kind="permanent")
    today = timezone.localdate()
    amendment = voted(scene, "join", today=today, organisation=scene.newcomer)
    client.force_login(scene.buyer.user)
    said = {"membership": scene.members[0].pk, "signed_on": today.isoformat(), "signatory": "La présidente"}
    file = SimpleUploadedFile("signe.pdf", b"GIF89a", "application/pdf")
    answer = client.post(reverse("amendment_sign", args=[scene.grouping.pk, amendment.pk]), {**said, "file": file})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "n’est pas un PDF" in page
    assert "La présidente" in page
    assert not amendment.signatures.exists()


def test_a_member_reads_final_texts_never_drafts(client):
    scene = make_scene()
    hidden = draft(scene, "object", new_title="Idée secrète")
    shown = final(scene, "duration", new_duration_months=60, new_extension_count=0, new_extension_months=0)
    agent = make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT)
    client.force_login(agent.user)
    page = client.get(reverse("amendments", args=[scene.grouping.pk])).content.decode()
    assert "Avenant n°\u00a01" in page
    assert "Idée secrète" not in page
    assert client.get(reverse("amendment", args=[scene.grouping.pk, hidden.pk])).status_code == 404
    assert client.get(reverse("amendment", args=[scene.grouping.pk, shown.pk])).status_code == 200
    # The journal's sentences, read by the members too, do not tell the draft either.
    told = " ".join(JournalEntry.objects.filter(concerns_id=None).values_list("sentence", flat=True))
    assert "Idée secrète" not in told


def test_before_the_first_signature_the_consolidated_text_says_so(client):
    scene = make_scene()
    scene.convention.status = "votes"
    scene.convention.save()
    client.force_login(scene.buyer.user)
    page = client.get(reverse("convention_consolidated", args=[scene.grouping.pk])).content.decode()
    assert "n’est pas encore en vigueur" in page
    scene.grouping.conventions.all().delete()
    page = client.get(reverse("convention_consolidated", args=[scene.grouping.pk])).content.decode()
    assert "n’est pas encore produite" in page


def test_the_secretary_is_asked_to_have_the_amendment_voted(client):
    scene = make_scene(kind="permanent", launched_on=timezone.localdate() - timedelta(days=9))
    today = timezone.localdate()
    amendment = final(scene, "object", today=today, new_title="Papier recyclé")
    agent = make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT)
    client.force_login(agent.user)
    assert "avenant n°" not in client.get(reverse("my_deliberations")).content.decode()
    client.force_login(scene.buyer.user)
    step(client, amendment, "start_votes")
    mine = amendment.votes.get(membership=scene.members[1])
    listed = [found for found in vars(todo_on(agent, today)).values() if isinstance(found, list)]
    tasks = [task for found in listed for task in found]
    assert [task.what for task in tasks if getattr(task, "deliberation", None) == mine] == [
        "Inscrire la délibération à l’ordre du jour d’une séance (avenant n°\u00a01)"
    ]
    client.force_login(agent.user)
    assert "(avenant n°\u00a01)" in client.get(reverse("my_deliberations")).content.decode()
    page = client.get(reverse("deliberation_detail", args=[mine.pk])).content.decode()
    assert "Avenant n°\u00a01" in page
    Deliberation.objects.filter(pk=mine.pk).update(status="not_required")
    assert "(avenant n°\u00a01)" not in client.get(reverse("my_deliberations")).content.decode()


@pytest.mark.parametrize("name", ["amendments", "amendment", "convention_consolidated"])
def test_as_many_queries_for_two_members_as_for_twelve(client, django_assert_max_num_queries, name):
    counted = []
    for members in (2, 12):
        scene = make_scene(members=members)
        amendment = in_force(scene, "object", new_title="Papier")
        client.force_login(scene.buyer.user)
        arguments = [scene.grouping.pk, amendment.pk] if name == "amendment" else [scene.grouping.pk]
        with django_assert_max_num_queries(MAX_QUERIES) as caught:
            assert client.get(reverse(name, args=arguments)).status_code == 200
        counted.append(len(caught))
    assert counted[0] == counted[1]


def test_the_signed_link_asks_for_the_vote_of_the_amendment_even_after_the_launch(client):
    scene = make_scene(kind="permanent", launched_on=timezone.localdate() - timedelta(days=9))
    member = scene.members[1]
    link = SignedLink.objects.create(membership=member, expires_at=timezone.now() + timedelta(days=60))
    url = reverse("signed_link", args=[link_token(link)])
    assert "plus aucune réponse n’est attendue" in client.get(url).content.decode()
    amendment = final(scene, "object", today=timezone.localdate(), new_title="Papier recyclé")
    actions.amendment_start_votes(amendment=amendment, actor=scene.buyer)
    page = client.get(url).content.decode()
    assert "Objet de la délibération\u00a0: Avenant n°\u00a01" in page
    text = client.get(reverse("signed_link_document", args=[link_token(link), "avenant.pdf"]))
    assert text.content.startswith(b"%PDF")
    vote(amendment.votes.get(membership=member), timezone.localdate())
    assert "plus aucune réponse n’est attendue" in client.get(url).content.decode()


def test_a_newcomer_is_shown_as_expected_on_the_grouping_not_counted(client):
    scene = make_scene()
    final(scene, "join", organisation=scene.newcomer)
    client.force_login(scene.buyer.user)
    page = client.get(reverse("grouping_detail", args=[scene.grouping.pk])).content.decode()
    assert "adhésion en cours, par avenant" in page
    assert "Retiré le" not in page
    assert client.get(reverse("grouping_list")).context["table"].data.data[0].member_count == 3


def test_the_vote_of_an_amendment_is_told_apart_from_the_signature_of_the_convention(client):
    scene = make_scene()
    amendment = voted(scene, "object", today=timezone.localdate(), new_title="Papier recyclé")
    mine = amendment.votes.get(membership=scene.members[1])
    client.force_login(scene.buyer.user)
    page = client.get(reverse("deliberation_detail", args=[mine.pk])).content.decode()
    # The convention was signed before this act: it is neither erased from here nor a legal remark on this vote.
    assert "signature de l’avenant" in page
    assert "Effacer la signature" not in page
    assert facts_of(mine).signed_on is None
    actions.amendment_sign(
        amendment=amendment,
        membership=mine.membership,
        signed_on=timezone.localdate(),
        signatory="Le maire",
        actor=scene.buyer,
        today=timezone.localdate(),
    )
    with pytest.raises(BusinessError, match="est signé"):
        deliberation_reverse(deliberation=mine, step="undo_vote", actor=scene.buyer, reason="Erreur de saisie")


def test_a_members_agent_signs_for_its_own_body_alone(client):
    scene = make_scene()
    today = timezone.localdate()
    amendment = voted(scene, "duration", today=today, new_duration_months=60, **_NO_EXTENSION)
    mine, neighbour = scene.members[1], scene.members[2]
    agent = make_affiliation(mine.organisation, Role.MEMBER_AGENT)
    client.force_login(agent.user)
    page = reverse("amendment", args=[scene.grouping.pk, amendment.pk])
    url = reverse("amendment_sign", args=[scene.grouping.pk, amendment.pk])
    assert f'href="{url}"' in client.get(page).content.decode()
    assert list(client.get(url).context["form"].fields["membership"].queryset) == [mine]
    said = {"membership": mine.pk, "signed_on": today.isoformat(), "signatory": "Le maire"}
    assert client.post(url, {**said, "membership": neighbour.pk}).status_code == 422
    with pytest.raises(NotAllowed):
        actions.amendment_sign(
            amendment=amendment, membership=neighbour, signed_on=today, signatory="X", actor=agent, today=today
        )
    assert client.post(url, said).url == page
    twice = client.post(url, said)
    assert (twice.status_code, "déjà enregistrée" in twice.content.decode()) == (422, True)
    assert [signature.membership for signature in amendment.signatures.all()] == [mine]
    # Nothing more to sign: the page of the form leads back, and says why.
    assert client.get(url).url == page
    assert f'href="{url}"' not in client.get(page).content.decode()


def test_a_member_is_told_to_vote_then_to_sign_on_the_page_of_the_amendment(client):
    scene = make_scene()
    amendment = final(scene, "duration", new_duration_months=60, **_NO_EXTENSION)
    client.force_login(make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT).user)
    page = reverse("amendment", args=[scene.grouping.pk, amendment.pk])
    before = client.get(page).content.decode()
    assert "Votent\u00a0:" in before
    assert "signe sans délibérer" not in before
    amendment = actions.amendment_start_votes(amendment=amendment, actor=scene.buyer)
    own = amendment.votes.get(membership=scene.members[1])
    during = client.get(page).content.decode()
    assert "Votre assemblée vote cet avenant" in during
    assert reverse("deliberation_detail", args=[own.pk]) in during
    vote(own, timezone.localdate())
    assert "Enregistrer notre signature" in client.get(page).content.decode()


def test_opening_the_votes_writes_to_each_assembly_with_its_own_link_once(client):
    scene = make_scene(kind="permanent", launched_on=date(2027, 1, 4))
    for body in (scene.members[1], scene.members[2]):
        Organisation.objects.filter(pk=body.organisation_id).update(email=f"mairie{body.pk}@exemple.fr")
    amendment = final(scene, "duration", new_duration_months=60, **_NO_EXTENSION)
    client.force_login(scene.buyer.user)
    assert step(client, amendment, "start_votes").status_code == 200
    step(client, amendment, "start_votes")  # a second click
    mails = {mail.recipient: mail for mail in OutgoingMessage.objects.all()}
    assert sorted(mails) == sorted(f"mairie{body.pk}@exemple.fr" for body in scene.members[1:3])
    mail = mails[f"mairie{scene.members[1].pk}@exemple.fr"]
    assert mail.subject == f"Délibérer sur l’avenant n°\u00a01\u00a0: {scene.grouping.title}"
    assert "changement de durée" in mail.text
    token = link_token(SignedLink.objects.get(membership=scene.members[1]))
    assert token in mail.text
    page = client.get(reverse("signed_link", args=[token])).content.decode()
    assert "Avenant n°\u00a01" in page or "avenant n°\u00a01" in page


def test_there_is_no_consolidated_text_on_a_day_before_the_convention(client):
    scene = make_scene()  # frozen on 01/11/2026
    client.force_login(scene.buyer.user)
    url = reverse("convention_consolidated", args=[scene.grouping.pk])
    leap = client.get(url, {"le": "2024-02-29"})
    assert leap.context["text"] is None
    assert "n’existait pas encore" in leap.content.decode()
    assert 'value="2024-02-29"' in leap.content.decode()
    assert client.get(url, {"le": "2026-11-01"}).context["text"] is not None
