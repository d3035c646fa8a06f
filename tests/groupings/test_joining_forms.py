"""The bulletins d'adhésion of a permanent grouping: who fills, who accepts, and what the launch counts."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from groupings.actions import joining_forms as actions
from groupings.actions.grouping import grouping_advance
from groupings.models import JoiningForm
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from tests.support.amendments import make_scene
from tests.support.factories import make_affiliation

pytestmark = pytest.mark.django_db
TODAY = date(2027, 3, 1)
FACTS = {"subject": "Gaz 2027", "needs_statement": "12 MWh par an, deux sites", "contact_name": "Jean Essai"}


def fill(scene, position: int = 1, **fields) -> JoiningForm:
    form = JoiningForm(membership=scene.members[position], **{**FACTS, **fields})
    return actions.joining_save(form=form, actor=scene.buyer)


def accepted(scene, position: int = 1, on: date = TODAY) -> JoiningForm:
    form = actions.joining_sign(
        form=fill(scene, position), signed_on=on, signatory="Le maire", actor=scene.buyer, today=on
    )
    return actions.joining_accept(form=form, actor=scene.buyer, today=on)


def test_a_member_fills_and_signs_its_own_and_the_coordinator_accepts():
    scene = make_scene(kind="permanent")
    agent = make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT)
    form = actions.joining_save(form=JoiningForm(membership=scene.members[1], **FACTS), actor=agent)
    with pytest.raises(BusinessError, match="pas signé"):
        actions.joining_accept(form=form, actor=scene.buyer, today=TODAY)
    said = {"form": form, "signatory": " Le  maire ", "actor": agent, "today": TODAY}
    with pytest.raises(BusinessError, match="pas encore venu"):
        actions.joining_sign(signed_on=TODAY + timedelta(days=1), **said)
    form = actions.joining_sign(signed_on=TODAY, **said)
    assert (form.status, form.signatory) == ("signed", "Le maire")
    with pytest.raises(NotAllowed):
        actions.joining_accept(form=form, actor=agent, today=TODAY)
    form = actions.joining_accept(form=form, actor=scene.buyer, today=TODAY)
    assert actions.joining_accept(form=form, actor=scene.buyer, today=TODAY).accepted_on == TODAY
    with pytest.raises(BusinessError, match="ne change plus"):
        actions.joining_save(form=form, actor=agent)


def test_a_member_does_not_fill_the_bulletin_of_its_neighbour():
    scene = make_scene(kind="permanent")
    agent = make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT)
    with pytest.raises(NotAllowed):
        actions.joining_save(form=JoiningForm(membership=scene.members[2], **FACTS), actor=agent)


def test_what_was_signed_and_then_mended_is_signed_again():
    scene = make_scene(kind="permanent")
    form = actions.joining_sign(form=fill(scene), signed_on=TODAY, signatory="Le maire", actor=scene.buyer, today=TODAY)
    form.needs_statement = "14 MWh par an"
    form = actions.joining_save(form=form, actor=scene.buyer)
    assert (form.status, form.signed_on, form.signatory) == ("draft", None, "")


def test_a_bulletin_sent_back_says_why_and_may_be_signed_again():
    scene = make_scene(kind="permanent")
    form = accepted(scene)
    with pytest.raises(BusinessError, match="motif"):
        actions.joining_refuse(form=form, actor=scene.buyer, reason="")
    form = actions.joining_refuse(form=form, actor=scene.buyer, reason="Site oublié")
    assert (form.status, form.accepted_on) == ("refused", None)
    form = actions.joining_sign(form=form, signed_on=TODAY, signatory="Le maire", actor=scene.buyer, today=TODAY)
    assert form.status == "signed"


def test_an_ad_hoc_grouping_has_none_and_a_launched_one_takes_no_more():
    with pytest.raises(BusinessError, match="Seul un groupement permanent"):
        fill(make_scene())
    with pytest.raises(BusinessError, match="lancée depuis le 15/01/2027"):
        fill(make_scene(kind="permanent", launched_on=date(2027, 1, 15)))


def test_a_bulletin_accepted_after_the_launch_never_counts():
    scene = make_scene(kind="permanent")
    form = actions.joining_sign(form=fill(scene), signed_on=TODAY, signatory="Le maire", actor=scene.buyer, today=TODAY)
    scene.grouping.status, scene.grouping.launched_on = "consultation", TODAY
    scene.grouping.save()
    with pytest.raises(BusinessError, match="100136"):
        actions.joining_accept(form=form, actor=scene.buyer, today=TODAY + timedelta(days=1))
    form.refresh_from_db()
    assert (form.status, form.accepted_on) == ("signed", None)


def test_the_launch_waits_for_the_bulletins_only_where_there_are_some():
    scene = make_scene(kind="permanent")
    form = accepted(scene, 1)
    assert form.accepted_on == TODAY
    with pytest.raises(TransitionRefused, match=f"accepté pour {scene.members[2].organisation.name}"):
        grouping_advance(grouping=scene.grouping, step="launch", actor=scene.buyer, today=TODAY)
    accepted(scene, 2)
    assert grouping_advance(grouping=scene.grouping, step="launch", actor=scene.buyer, today=TODAY).is_launched
    other = make_scene(kind="permanent")
    assert grouping_advance(grouping=other.grouping, step="launch", actor=other.buyer, today=TODAY).is_launched


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"status": "signed"}, "joining_form_signed_has_date"),
        ({"accepted_on": TODAY}, "joining_form_accepted"),
        ({"signed_on": TODAY}, "joining_form_signed_has_date"),
        ({"sha256": "a" * 64}, "joining_form_file_has_hash"),
    ],
)
def test_state_and_dates_agree_in_the_database(changes, name):
    form = fill(make_scene(kind="permanent"))
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        JoiningForm.objects.filter(pk=form.pk).update(**changes)


def test_one_bulletin_for_one_family():
    scene = make_scene(kind="permanent")
    form = fill(scene)
    with pytest.raises(IntegrityError, match=r"joining_form_once|UNIQUE"), transaction.atomic():
        JoiningForm.objects.create(membership=form.membership, **FACTS)


def test_a_member_fills_its_bulletin_on_the_screen_and_reads_only_its_own(client):
    scene = make_scene(kind="permanent")
    fill(scene, 2, needs_statement="Secret du voisin")
    agent = make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT)
    client.force_login(agent.user)
    url = reverse("joining_form_create", args=[scene.grouping.pk])
    assert client.get(url).status_code == 200
    refused = client.post(url, {**FACTS, "needs_statement": "", "membership": scene.members[1].pk})
    assert refused.status_code == 422
    assert client.post(url, {**FACTS, "membership": scene.members[2].pk}).status_code == 422
    done = client.post(url, {**FACTS, "membership": scene.members[1].pk}, follow=True)
    page = done.content.decode()
    assert "12 MWh par an" in page
    assert "Secret du voisin" not in page
    form = JoiningForm.objects.get(membership=scene.members[1])
    pdf = client.get(reverse("joining_form_pdf", args=[scene.grouping.pk, form.pk]))
    assert pdf.content.startswith(b"%PDF")
    sign = reverse("joining_form_sign", args=[scene.grouping.pk, form.pk])
    today = timezone.localdate()
    assert client.post(sign, {"signed_on": today.isoformat(), "signatory": "Le maire"}).status_code == 302
    client.force_login(scene.buyer.user)
    accept = reverse("joining_form_accept", args=[scene.grouping.pk, form.pk])
    assert "accepté" in client.post(accept, follow=True).content.decode()
