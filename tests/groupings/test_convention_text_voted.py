"""Which text each assembly voted: kept with the vote, told when it is no longer that of the convention."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from groupings.actions.deliberation import deliberation_reverse, deliberation_vote
from groupings.actions.kit import kits_request
from groupings.choices import ConventionStatus as C
from groupings.convention_life import names_of, voted_another_text
from groupings.models import Convention, Deliberation, Grouping
from groupings.todo import todo_on
from procurement.core.errors import BusinessError, TransitionRefused
from procurement.core.journal.models import JournalEntry
from tests.support import convention_life as scenes

pytestmark = pytest.mark.django_db
REASON = "Un lot de plus"


@pytest.fixture
def scene():
    """Version 1 is before the assemblies."""
    scene = scenes.make_scene()
    scenes.bring_to(scene, C.VOTES)
    return scene


def voted(scene, name: str) -> int | None:
    convention = scene.member(name).deliberations.get().convention
    return convention and convention.version


def others(scene) -> list[str]:
    return names_of(voted_another_text(Grouping.objects.get(pk=scene.grouping.pk)))


def replace(scene) -> Convention:
    """Version 2, another text, once version 1 was voted."""
    scenes.rename(scene)
    return scenes.freeze(scene, reason=REASON)


def test_an_adopted_act_remembers_the_version_before_the_assemblies(scene):
    scenes.vote(scene, "Alpha")
    assert (voted(scene, "Alpha"), voted(scene, "Bravo")) == (1, None)


@pytest.mark.parametrize("outcome", ["rejected", "postponed", "no_quorum"])
def test_a_vote_that_adopts_nothing_approves_no_text(scene, outcome):
    deliberation = scene.member("Alpha").deliberations.get()
    options = {"actor": scenes.SYSTEM, "today": scenes.LATER, "reason": "Essai"}
    deliberation_vote(deliberation=deliberation, outcome=outcome, meeting_on=scenes.VOTED_ON, **options)
    assert voted(scene, "Alpha") is None


def test_undoing_the_entry_of_a_vote_forgets_its_text(scene):
    scenes.vote(scene, "Alpha", executory=False)
    deliberation = scene.member("Alpha").deliberations.get()
    deliberation_reverse(deliberation=deliberation, step="undo_vote", actor=scenes.SYSTEM, reason="Erreur")
    assert voted(scene, "Alpha") is None


def test_a_vote_recorded_late_is_about_the_text_of_its_meeting(scene):
    """Version 1 left on 16/11; the meeting is on 20/11; version 2 leaves on 01/12, and the vote is recorded then."""
    scenes.rename(scene)
    scenes.freeze(scene)
    scenes.advance(scene, "make_final", today=scenes.LATER)
    scenes.advance(scene, "start_votes", today=scenes.LATER)
    scenes.vote(scene, "Alpha", on=date(2026, 11, 20))
    scenes.vote(scene, "Bravo", on=date(2026, 12, 1))
    assert (voted(scene, "Alpha"), voted(scene, "Bravo")) == (1, 2)
    assert others(scene) == ["Alpha"]


def test_without_any_version_before_the_assemblies_it_is_the_one_in_hand():
    scene = scenes.make_scene()
    scenes.vote(scene, "Alpha")
    assert voted(scene, "Alpha") == 1


def test_a_vote_without_any_convention_names_no_text():
    scene = scenes.make_scene(status="deliberations", frozen=False)
    scenes.vote(scene, "Alpha")
    assert voted(scene, "Alpha") is None
    scenes.freeze(scene)
    assert others(scene) == []  # nobody knows which text it was


@pytest.mark.parametrize("status", [C.FINAL, C.VOTES, C.SIGNATURE])
def test_decisions_that_arrive_make_no_other_version(status):
    scene = scenes.make_scene()
    scenes.bring_to(scene, status)
    scenes.vote(scene, "Alpha") if status != C.SIGNATURE else None
    same = scenes.freeze(scene)
    assert (same.version, same.status) == (1, status)
    assert Convention.objects.count() == 1


def test_a_draft_still_follows_the_decisions_of_its_members():
    scene = scenes.make_scene()
    scenes.vote(scene, "Alpha")
    assert scenes.freeze(scene).version == 2
    assert others(scene) == []  # the same text, printed with one decision more


@pytest.mark.parametrize("status", [C.DRAFT, C.COMMENTS, C.FINAL, C.VOTES])
def test_another_text_makes_a_new_draft_while_nobody_has_voted(status):
    scene = scenes.make_scene()
    former = scenes.bring_to(scene, status)
    scenes.rename(scene)
    new = scenes.freeze(scene)
    former.refresh_from_db()
    assert (new.version, new.status, former.status) == (2, C.DRAFT, C.SUPERSEDED)
    assert JournalEntry.objects.filter(verb="convention.replace").count() == 1


def test_another_text_after_a_vote_says_who_voted_and_asks_why(scene):
    scenes.vote(scene, "Alpha")
    scenes.vote(scene, "Bravo")
    scenes.rename(scene)
    with pytest.raises(BusinessError) as refused:
        scenes.freeze(scene)
    assert refused.value.field == "reason"
    assert str(refused.value).startswith(
        "Alpha et Bravo ont déjà voté la convention, dont le texte a changé depuis la version 1\u00a0: une nouvelle "
        "version la remplace, et ces membres devront délibérer de nouveau. Indiquez le motif"
    )
    assert Convention.objects.count() == 1
    assert scenes.freeze(scene, reason=REASON).version == 2
    entries = JournalEntry.objects.filter(verb__in=("convention.replace", "convention.freeze"), reason=REASON)
    assert entries.count() == 2


def test_coming_back_to_the_text_voted_asks_nobody_to_vote_again(scene):
    scenes.vote(scene, "Alpha")
    replace(scene)
    assert others(scene) == ["Alpha"]
    scenes.rename(scene, "Papier recyclé")
    assert scenes.freeze(scene, reason="Retour au premier texte").version == 3
    assert others(scene) == []


@pytest.mark.parametrize("status", [C.IN_FORCE, C.ENDED])
def test_a_convention_in_force_changes_by_an_amendment(status):
    scene = scenes.make_scene()
    scenes.bring_to(scene, status)
    assert scenes.freeze(scene).version == 1  # its documents may be produced again
    scenes.rename(scene)
    with pytest.raises(BusinessError, match="avenant" if status == C.IN_FORCE else "est terminée"):
        scenes.freeze(scene, reason=REASON)


@pytest.mark.parametrize("status", [C.IN_FORCE, C.ENDED])
def test_a_convention_taken_in_as_a_file_is_never_printed_from_the_tool_s_values(status):
    scene = scenes.make_scene()
    scenes.bring_to(scene, status)
    scenes.taken_in_as_a_file(scene)
    scenes.rename(scene)
    assert scenes.freeze(scene).version == 1  # the file, whatever the values say


def test_the_signature_names_who_voted_another_text(scene):
    scenes.everybody_votes(scene)
    replace(scene)
    scenes.advance(scene, "make_final", today=scenes.LATER)
    scenes.advance(scene, "start_votes", today=scenes.LATER)
    with pytest.raises(TransitionRefused) as refused:
        scenes.advance(scene, "start_signature", today=scenes.LATER)
    assert str(refused.value) == (
        "La signature ne s’ouvre pas encore\u00a0: Alpha, Bravo et Métropole ont voté un autre texte que la version 2 "
        "et doivent délibérer de nouveau."
    )
    for name in ("Métropole", "Alpha", "Bravo"):
        deliberation = scene.member(name).deliberations.get()
        deliberation_reverse(deliberation=deliberation, step="withdraw", actor=scenes.SYSTEM, reason=REASON)
        deliberation_reverse(deliberation=deliberation, step="vote_again", actor=scenes.SYSTEM)
        assert voted(scene, name) is None
        scenes.vote(scene, name, on=scenes.LATER)
    assert scenes.advance(scene, "start_signature", today=scenes.LATER).status == C.SIGNATURE


def test_the_kit_of_a_late_member_holds_the_text_the_others_voted(scene):
    """A detail that changed since (a telephone, an address) must not undo the votes by the way."""
    scenes.vote(scene, "Alpha")
    scene.grouping.memberships.update(contact_phone="04 67 00 00 00")
    bravo = [scene.member("Bravo")]
    options = {"send": True, "actor": scene.buyer, "now": scenes.NOW, "today": scenes.LATER}
    grouping = Grouping.objects.get(pk=scene.grouping.pk)
    job = kits_request(grouping=grouping, memberships=bravo, **options)
    assert job.parameters["convention"] == scene.convention.pk and scene.convention.version == 1


def test_sending_the_kits_of_a_new_text_puts_it_before_the_assemblies(scene):
    replace(scene)
    options = {"send": True, "actor": scene.buyer, "now": scenes.NOW, "today": scenes.LATER}
    grouping = Grouping.objects.get(pk=scene.grouping.pk)
    kits_request(grouping=grouping, memberships=[scene.member("Bravo")], **options)
    assert (scene.convention.version, scene.convention.status) == (2, C.VOTES)


def test_every_place_that_speaks_of_the_vote_says_the_text_changed(client, scene):
    scenes.vote(scene, "Alpha")
    replace(scene)
    told = "la version 1 votée n’est plus le texte de la convention, en version 2"
    deliberation = Deliberation.objects.get(membership=scene.member("Alpha"))
    agent = scene.agent("Alpha")
    for person in (scene.buyer, agent):
        client.force_login(person.user)
        page = client.get(reverse("deliberation_detail", args=[deliberation.pk])).content.decode()
        assert told in page and "Autre texte que la version 2" in page
        page = client.get(reverse("convention_page", args=[scene.grouping.pk])).content.decode()
        assert "Alpha a voté un autre texte que la version 2" in page and "Autre texte" in page
        assert told in client.get(reverse("home") + "?tout=1").content.decode()
    assert told in client.get(reverse("my_deliberations")).content.decode()
    tasks = todo_on(scene.buyer, scenes.LATER)
    found = [task for task in (*tasks.late, *tasks.soon, *tasks.later) if told in task.what]
    assert [task.membership.organisation.name for task in found] == ["Alpha"]


def test_the_signature_is_offered_only_for_the_text_voted(client, scene):
    scenes.vote(scene, "Alpha")
    deliberation = Deliberation.objects.get(membership=scene.member("Alpha"))
    client.force_login(scene.buyer.user)
    address = reverse("deliberation_detail", args=[deliberation.pk])
    assert "Enregistrer la signature de la convention" in client.get(address).content.decode()
    replace(scene)
    page = client.get(address).content.decode()
    assert "Enregistrer la signature de la convention" not in page and "Acte retiré par son auteur" in page


def test_while_the_text_is_the_same_nothing_is_said(client, scene):
    scenes.vote(scene, "Alpha")
    client.force_login(scene.buyer.user)
    deliberation = Deliberation.objects.get(membership=scene.member("Alpha"))
    page = client.get(reverse("deliberation_detail", args=[deliberation.pk])).content.decode()
    assert "Convention, version 1" in page and "Autre texte" not in page
    page = client.get(reverse("convention_page", args=[scene.grouping.pk])).content.decode()
    assert "autre texte" not in page and "Alpha a déjà voté" in page


@pytest.mark.django_db(transaction=True)
def test_the_command_line_asks_for_the_reason_too(scene, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "documents"
    scenes.vote(scene, "Alpha")
    scenes.rename(scene)
    reference = scene.grouping.reference
    with pytest.raises(CommandError, match="Alpha a déjà voté la convention"):
        call_command("generate_conventions", reference, out=str(tmp_path), stdout=StringIO())
    call_command("generate_conventions", reference, out=str(tmp_path), reason=REASON, stdout=StringIO())
    assert (scene.convention.version, scene.convention.documents.count()) == (2, 3)


def test_an_abandoned_grouping_asks_for_no_new_vote(scene, client):
    scenes.vote(scene, "Alpha")
    replace(scene)
    client.force_login(scene.buyer.user)
    address = reverse("convention_page", args=[scene.grouping.pk])
    assert "La signature attend un nouveau vote" in client.get(address).content.decode()
    scenes.advance_grouping(scene, "cancel", reason="Marché régional")
    page = client.get(address).content.decode()
    assert "Terminée" in page and "La signature attend un nouveau vote" not in page
    assert reverse("amendments", args=[scene.grouping.pk]) not in page  # it never was in force
