"""The life of an amendment: draft, number and text, votes, signatures, effect; and what each step refuses."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from groupings.actions import amendments as actions
from groupings.actions.deliberation import deliberation_reverse
from groupings.models import Amendment, AmendmentSignature, Deliberation, Membership, NeedLine, Signature
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from procurement.core.journal.models import JournalEntry
from tests.support.amendments import TODAY, draft, final, in_force, make_scene, sign_all, vote, voted
from tests.support.factories import make_affiliation

pytestmark = pytest.mark.django_db


def test_an_amendment_waits_for_the_last_signature_of_the_convention():
    scene = make_scene()
    scene.convention.status = "signature"
    scene.convention.save()
    with pytest.raises(BusinessError, match="pas encore en vigueur"):
        draft(scene, "object", new_title="Papier")


def test_the_number_comes_with_the_final_text_so_that_a_dropped_draft_leaves_no_hole():
    scene = make_scene()
    dropped = draft(scene, "object", new_title="Papier recyclé")
    assert dropped.number is None
    actions.amendment_abandon(amendment=dropped, actor=scene.buyer, reason="Autre idée")
    first = final(scene, "object", new_title="Papier")
    second = final(scene, "duration", new_duration_months=60, new_extension_count=0, new_extension_months=0)
    assert (first.number, second.number) == (1, 2)
    assert first.sha256
    assert len(first.values["signatories"]) == 3


def test_an_abandoned_final_text_keeps_its_number():
    scene = make_scene()
    first = final(scene, "object", new_title="Papier")
    actions.amendment_abandon(amendment=first, actor=scene.buyer, reason="Refus d’un conseil")
    assert final(scene, "object", new_title="Papier et carton").number == 2


def test_two_amendments_on_their_way_never_change_the_same_paragraph():
    scene = make_scene()
    final(scene, "object", new_title="Papier")
    with pytest.raises(BusinessError, match="en cours, modifie déjà l’article 1"):
        final(scene, "object", new_title="Carton")
    assert list(Amendment.objects.filter(status="final").values_list("number", flat=True)) == [1]


def test_the_text_frozen_does_not_change_any_more():
    scene = make_scene()
    amendment = final(scene, "object", new_title="Papier")
    amendment.new_title = "Autre chose"
    with pytest.raises(BusinessError, match="son texte ne change plus"):
        actions.amendment_save(amendment=amendment, actor=scene.buyer, today=TODAY)


def test_an_ad_hoc_newcomer_is_voted_by_all_and_signed_by_all():
    scene = make_scene()
    amendment = actions.amendment_start_votes(
        amendment=final(scene, "join", organisation=scene.newcomer), actor=scene.buyer
    )
    purposes = dict(amendment.votes.values_list("membership__organisation__name", "purpose"))
    assert len(purposes) == 4
    assert purposes["Commune nouvelle"] == "membership"
    assert purposes[scene.metropole.name] == "amendment"
    with pytest.raises(TransitionRefused, match="La délibération n’est pas exécutoire pour"):
        actions.amendment_start_signatures(amendment=amendment, actor=scene.buyer)


def test_a_newcomer_is_no_member_before_the_effect_and_one_after():
    scene = make_scene()
    amendment = voted(scene, "join", organisation=scene.newcomer)
    pending = Membership.objects.get(organisation=scene.newcomer)
    assert (pending.is_pending, pending.is_active, pending.joined_on) == (True, False, None)
    assert pending not in scene.grouping.memberships.active()
    sign_all(scene, amendment)
    amendment = actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=TODAY)
    pending.refresh_from_db()
    assert (pending.is_pending, pending.joined_on, amendment.in_force_on) == (False, TODAY, TODAY)
    assert pending in scene.grouping.memberships.active()
    # What it voted and signed is what the launch asks of every member.
    assert Signature.objects.get(membership=pending).signed_on == TODAY
    assert Deliberation.objects.approvals().get(membership=pending).is_cleared


def test_a_permanent_newcomer_votes_alone_and_the_coordinator_signs_its_acceptance():
    scene = make_scene(kind="permanent")
    amendment = actions.amendment_start_votes(
        amendment=final(scene, "join", organisation=scene.newcomer), actor=scene.buyer
    )
    assert [vote.membership.organisation for vote in amendment.votes.all()] == [scene.newcomer]
    assert [m["siren"] for m in amendment.values["signatories"]] == [scene.newcomer.siren, scene.metropole.siren]
    assert amendment.values["voters"] == [scene.newcomer.siren]


def test_a_signature_waits_for_the_enforceable_act():
    scene = make_scene(kind="permanent")
    amendment = actions.amendment_start_votes(
        amendment=final(scene, "join", organisation=scene.newcomer), actor=scene.buyer
    )
    member = Membership.objects.get(organisation=scene.newcomer)
    said = {"amendment": amendment, "signatory": "Le maire", "actor": scene.buyer, "today": TODAY}
    with pytest.raises(BusinessError, match="pas encore exécutoire"):
        actions.amendment_sign(membership=member, signed_on=TODAY, **said)
    vote(amendment.votes.get(), TODAY)
    with pytest.raises(BusinessError, match="ne peut pas précéder le 01/03/2027"):
        actions.amendment_sign(membership=member, signed_on=TODAY - timedelta(days=1), **said)
    with pytest.raises(BusinessError, match="pas encore venu"):
        actions.amendment_sign(membership=member, signed_on=TODAY + timedelta(days=1), **said)
    with pytest.raises(BusinessError, match="ne signe pas cet avenant"):
        actions.amendment_sign(membership=scene.members[1], signed_on=TODAY, **said)
    actions.amendment_sign(membership=member, signed_on=TODAY, **said)
    with pytest.raises(BusinessError, match="déjà enregistrée"):
        actions.amendment_sign(membership=member, signed_on=TODAY, **said)


def test_a_signature_recorded_by_mistake_is_erased_before_the_effect_only():
    scene = make_scene(kind="permanent")
    amendment = voted(scene, "join", organisation=scene.newcomer)
    sign_all(scene, amendment)
    signature = amendment.signatures.first()
    with pytest.raises(BusinessError, match="motif"):
        actions.amendment_unsign(signature=signature, actor=scene.buyer, reason=" ")
    actions.amendment_unsign(signature=signature, actor=scene.buyer, reason="Erreur de membre")
    with pytest.raises(TransitionRefused, match="n’est pas signé par"):
        actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=TODAY)
    sign_all(scene, amendment)
    actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=TODAY)
    with pytest.raises(BusinessError, match="ses signatures ne changent plus"):
        actions.amendment_unsign(signature=amendment.signatures.first(), actor=scene.buyer, reason="Trop tard")


def test_an_effect_to_come_waits_for_its_day_and_the_daily_task_applies_it_once():
    scene = make_scene()
    amendment = voted(scene, "object", new_title="Papier recyclé", effective_on=date(2027, 4, 1))
    sign_all(scene, amendment)
    with pytest.raises(BusinessError, match="prendra effet le 01/04/2027"):
        actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=TODAY)
    assert actions.amendments_enter_due(today=date(2027, 3, 31)) == 0
    # A night was missed: it takes effect on its own day all the same.
    assert actions.amendments_enter_due(today=date(2027, 4, 3)) == 1
    assert actions.amendments_enter_due(today=date(2027, 4, 3)) == 0
    scene.grouping.refresh_from_db()
    amendment.refresh_from_db()
    assert (scene.grouping.title, amendment.in_force_on) == ("Papier recyclé", date(2027, 4, 1))
    assert JournalEntry.objects.filter(verb="grouping.amend").count() == 1


def test_the_daily_task_goes_past_an_amendment_that_is_refused(caplog):
    scene, other = make_scene(), make_scene()
    refused = voted(scene, "join", organisation=scene.newcomer, effective_on=date(2027, 4, 1))
    sign_all(scene, refused)
    scene.grouping.status, scene.grouping.launched_on = "consultation", date(2027, 3, 15)
    scene.grouping.save()
    fine = voted(other, "object", new_title="Papier", effective_on=date(2027, 4, 1))
    sign_all(other, fine)
    assert actions.amendments_enter_due(today=date(2027, 4, 1)) == 1
    refused.refresh_from_db()
    assert refused.status == "signature"
    assert "ne change plus" in caplog.text


def test_the_duration_and_the_coordinator_change_the_grouping():
    scene = make_scene()
    in_force(scene, "duration", new_duration_months=36, new_extension_count=2, new_extension_months=6)
    in_force(scene, "coordinator", organisation=scene.members[1].organisation)
    scene.grouping.refresh_from_db()
    assert (scene.grouping.total_months, scene.grouping.coordinator) == (48, scene.members[1].organisation)


def test_the_coordinator_leaves_once_another_is_designated():
    scene = make_scene(kind="permanent", members=3)
    later = date(2027, 9, 1)
    with pytest.raises(BusinessError, match="qu’une fois un autre désigné"):
        draft(scene, "leave", organisation=scene.metropole, effective_on=later)


def test_a_permanent_leaver_gives_its_notice_and_stays_bound_by_what_was_launched():
    scene = make_scene(kind="permanent", launched_on=date(2027, 1, 15))
    leaver = scene.members[2]
    with pytest.raises(BusinessError, match="avant le 01/06/2027"):
        draft(scene, "leave", organisation=leaver.organisation, effective_on=date(2027, 5, 31))
    amendment = voted(scene, "leave", organisation=leaver.organisation, effective_on=date(2027, 6, 1))
    sign_all(scene, amendment)
    assert actions.amendments_enter_due(today=date(2027, 6, 1)) == 1
    leaver.refresh_from_db()
    assert leaver.withdrawn_on == date(2027, 6, 1)
    assert leaver not in scene.grouping.memberships.active()
    assert leaver in scene.grouping.memberships.bound()
    assert NeedLine.objects.active().filter(membership=leaver).count() == 2


def test_a_permanent_newcomer_is_not_in_the_tender_already_launched():
    scene = make_scene(kind="permanent", launched_on=TODAY)
    amendment = voted(scene, "join", organisation=scene.newcomer)
    sign_all(scene, amendment)
    # Signed on the very day of the launch: the tender had left without it.
    assert [actions.amendments_enter_due(today=TODAY + timedelta(days=n)) for n in (0, 1)] == [0, 1]
    member = Membership.objects.get(organisation=scene.newcomer)
    assert member.joined_on == date(2027, 3, 2)
    assert member in scene.grouping.memberships.active()
    assert member not in scene.grouping.memberships.bound()


def test_an_ad_hoc_grouping_takes_nobody_after_the_launch():
    scene = make_scene(launched_on=date(2027, 1, 15))
    with pytest.raises(BusinessError, match="n’accueille plus personne"):
        draft(scene, "join", organisation=scene.newcomer)


def test_an_abandoned_newcomer_loses_its_place_unless_it_has_decided():
    scene = make_scene()
    amendment = actions.amendment_start_votes(
        amendment=final(scene, "join", organisation=scene.newcomer), actor=scene.buyer
    )
    actions.amendment_abandon(amendment=amendment, actor=scene.buyer, reason="Elle renonce")
    assert not Membership.objects.filter(organisation=scene.newcomer).exists()
    again = voted(scene, "join", organisation=scene.newcomer)
    actions.amendment_abandon(amendment=again, actor=scene.buyer, reason="Elle renonce encore")
    kept = Membership.objects.get(organisation=scene.newcomer)
    assert kept.is_pending
    assert not kept.deliberations.approvals().exists()
    third = in_force(scene, "join", organisation=scene.newcomer)
    kept.refresh_from_db()
    assert (third.number, kept.is_active) == (3, True)


def test_the_votes_of_an_abandoned_amendment_do_not_change_any_more():
    scene = make_scene()
    amendment = actions.amendment_start_votes(amendment=final(scene, "object", new_title="Papier"), actor=scene.buyer)
    vote_of = amendment.votes.get(membership=scene.members[1])
    actions.amendment_abandon(amendment=amendment, actor=scene.buyer, reason="Un conseil a refusé")
    with pytest.raises(TransitionRefused, match="avenant est abandonné"):
        deliberation_reverse(deliberation=vote_of, step="waive", actor=scene.buyer, reason="Essai")


def test_only_the_coordinators_buyer_and_jurist_move_it():
    scene = make_scene()
    agent = make_affiliation(scene.members[1].organisation, Role.MEMBER_AGENT)
    amendment = draft(scene, "object", new_title="Papier")
    with pytest.raises(NotAllowed):
        actions.amendment_freeze(amendment=amendment, actor=agent, today=TODAY)


def test_the_second_of_two_writers_is_told():
    scene = make_scene()
    amendment = draft(scene, "object", new_title="Papier")
    actions.amendment_freeze(amendment=amendment, actor=scene.buyer, today=TODAY, expected_version=1)
    with pytest.raises(BusinessError, match="modifié entre-temps"):
        actions.amendment_start_votes(amendment=amendment, actor=scene.buyer, expected_version=1)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"status": "final"}, "amendment_final_is_frozen"),
        ({"status": "in_force"}, "amendment_"),
        ({"in_force_on": TODAY}, "amendment_in_force_has_date"),
        ({"new_title": ""}, "amendment_title_of_object"),
        ({"new_duration_months": 12}, "amendment_months_of_duration"),
        ({"kind": "join"}, "amendment_"),
        ({"reason": ""}, "amendment_has_reason"),
    ],
)
def test_state_dates_and_contents_agree_in_the_database(changes, name):
    scene = make_scene()
    amendment = draft(scene, "object", new_title="Papier")
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Amendment.objects.filter(pk=amendment.pk).update(**changes)
    for field, value in changes.items():
        setattr(amendment, field, value)
    with pytest.raises(ValidationError):
        amendment.full_clean()


def test_a_signature_has_its_signatory_and_a_deposited_copy_its_fingerprint():
    scene = make_scene(kind="permanent")
    amendment = voted(scene, "join", organisation=scene.newcomer)
    sign_all(scene, amendment)
    rows = AmendmentSignature.objects.filter(amendment=amendment)
    with pytest.raises(IntegrityError, match="amendment_signature_has_signatory"), transaction.atomic():
        rows.update(signatory="")
    with pytest.raises(IntegrityError, match="amendment_signature_file_has_hash"), transaction.atomic():
        rows.update(sha256="a" * 64)


def test_a_pending_membership_has_no_date():
    scene = make_scene()
    final(scene, "join", organisation=scene.newcomer)
    with pytest.raises(IntegrityError, match="membership_pending_not_joined"), transaction.atomic():
        Membership.objects.filter(organisation=scene.newcomer).update(joined_on=TODAY)
