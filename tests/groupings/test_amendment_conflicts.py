"""Amendments that meet one another, a contract or a vote: what was true when the text was frozen is looked at again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groupings.actions import amendments as actions
from groupings.actions.convention import convention_freeze
from groupings.actions.deliberation import deliberation_vote
from groupings.choices import ConventionOrigin
from groupings.models import Amendment, Convention, Grouping
from procurement.core.errors import BusinessError
from tests.support.amendments import SIGNED, TODAY, final, in_force, make_scene, sign_all, voted
from tests.support.factories import make_award, make_consultation

pytestmark = pytest.mark.django_db
NO_EXTENSION = {"new_extension_count": 0, "new_extension_months": 0}


def brought(scene, origin: str) -> None:
    """The convention of ``scene`` is a file brought from outside: its articles are not known here."""
    facts = {"file": "x.pdf", "file_name": "x.pdf", "file_sha256": "0" * 64, "file_size": 3, "signed_on": SIGNED}
    Convention.objects.filter(pk=scene.convention.pk).update(origin=origin, **facts)
    scene.grouping = Grouping.objects.get(pk=scene.grouping.pk)


@pytest.mark.parametrize("origin", [ConventionOrigin.NEGOTIATED, ConventionOrigin.PRIOR])
def test_a_text_brought_from_outside_takes_one_amendment_of_a_subject_at_a_time(origin):
    scene = make_scene()
    brought(scene, origin)
    first = final(scene, "object", new_title="Papier")
    assert (first.number, first.changes) == (1, [])
    with pytest.raises(BusinessError, match="L’avenant n°\u00a01, en cours, porte sur le même sujet"):
        final(scene, "object", new_title="Carton")
    assert final(scene, "duration", new_duration_months=60, **NO_EXTENSION).number == 2
    actions.amendment_abandon(amendment=first, actor=scene.buyer, reason="Refus")
    assert final(scene, "object", new_title="Carton").number == 3


def test_a_body_does_not_leave_while_it_is_about_to_coordinate():
    scene = make_scene(members=3)
    body = scene.members[1].organisation
    final(scene, "coordinator", organisation=body)
    with pytest.raises(BusinessError, match="porte sur le même sujet"):
        final(scene, "leave", organisation=body)


def test_a_coordinator_that_left_meanwhile_does_not_take_over():
    scene = make_scene(members=3)
    amendment = voted(scene, "coordinator", organisation=scene.members[1].organisation)
    sign_all(scene, amendment)
    gone = scene.members[1]
    gone.withdrawn_on = TODAY
    gone.save()
    with pytest.raises(BusinessError, match=r"doit être membre du groupement. Abandonnez cet avenant"):
        actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=TODAY)
    assert Grouping.objects.get().coordinator == scene.metropole
    assert Amendment.objects.get().status == "signature"


def test_a_duration_does_not_take_effect_before_the_end_of_contracts_notified_meanwhile():
    scene = make_scene(kind="permanent", duration_months=48, extension_count=0)
    amendment = voted(scene, "duration", new_duration_months=12, **NO_EXTENSION)  # until 01/12/2027
    sign_all(scene, amendment)
    lot = scene.grouping.lots.first()
    award = make_award(make_consultation(scene.grouping, lot), lot)
    type(award).objects.filter(pk=award.pk).update(
        signed_on=TODAY, notified_on=TODAY, starts_on=TODAY, duration_months=12
    )
    with pytest.raises(BusinessError, match="Des marchés courent jusqu’au 29/02/2028"):
        actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=TODAY)


def test_nobody_votes_an_amendment_before_its_text_is_frozen():
    scene = make_scene()
    amendment = actions.amendment_start_votes(
        amendment=final(scene, "duration", new_duration_months=60, **NO_EXTENSION), actor=scene.buyer
    )
    vote = amendment.votes.get(membership=scene.members[1])
    said = {"deliberation": vote, "outcome": "adopted", "actor": scene.buyer, "today": TODAY}
    with pytest.raises(BusinessError, match="n’est arrêté que depuis le 01/03/2027"):
        deliberation_vote(meeting_on=TODAY - timedelta(days=1), **said)
    assert deliberation_vote(meeting_on=TODAY, **said).decided_on == TODAY


def test_the_signatures_of_an_abandoned_amendment_stay():
    scene = make_scene()
    amendment = voted(scene, "duration", new_duration_months=60, **NO_EXTENSION)
    sign_all(scene, amendment)
    actions.amendment_abandon(amendment=amendment, actor=scene.buyer, reason="Refus")
    signature = amendment.signatures.first()
    with pytest.raises(BusinessError, match="est abandonné"):
        actions.amendment_unsign(signature=signature, actor=scene.buyer, reason="Erreur")


def test_producing_again_a_convention_already_amended_leads_to_the_consolidated_text():
    scene = make_scene()
    in_force(scene, "duration", new_duration_months=60, **NO_EXTENSION)
    with pytest.raises(BusinessError, match=r"modifiée par l’avenant n°.1.*Texte consolidé"):
        convention_freeze(grouping=Grouping.objects.get(), actor=scene.buyer, now=timezone.now())
