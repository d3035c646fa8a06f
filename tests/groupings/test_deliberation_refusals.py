"""Bad input: one French sentence, by its field, and nothing changed."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from groupings.actions import deliberation as actions
from groupings.actions.deliberation import VoteCounts
from groupings.models import Deliberation, DeliberationAttempt, LegalOverride
from members.models import CouncilSession
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support import deliberations as scenes
from tests.support.deliberations import MEETING_ON, SENT_ON, SYSTEM, TODAY
from tests.support.factories import adopt, make_affiliation, make_grouping, make_membership, make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return scenes.make_scene()


def everything() -> list:
    models = (Deliberation, DeliberationAttempt, LegalOverride, CouncilSession, JournalEntry)
    return [list(model._base_manager.order_by("pk").values()) for model in models]


def refused(act, *, field: str | None = None) -> str:
    """The sentence of a refusal, once checked that nothing was written."""
    before = everything()
    with pytest.raises((BusinessError, ValidationError)) as error:
        act()
    assert everything() == before
    if isinstance(error.value, BusinessError):
        assert error.value.field == field
        sentence = str(error.value)
    else:
        by_field = error.value.message_dict
        assert field is None or field in by_field
        sentence = " ".join(message for messages in by_field.values() for message in messages)
    assert sentence.rstrip().endswith(".")
    return sentence


def counts(in_office=15, present=9, proxies=2, votes_for=9, votes_against=1, abstained=1, **others) -> VoteCounts:
    return VoteCounts(in_office, present, proxies, votes_for, votes_against, abstained, **others)


# The vote


def test_twelve_for_with_nine_present(scene):
    impossible = counts(present=9, proxies=0, votes_for=12, votes_against=0, abstained=0)
    sentence = refused(lambda: scenes.vote(scene, counts=impossible), field="votes_for")
    assert "12 pour" in sentence
    assert "9 présents" in sentence


@pytest.mark.parametrize("outcome", ["adopted", "rejected", "postponed", "no_quorum"])
def test_impossible_numbers_are_refused_whatever_the_outcome(scene, outcome):
    refused(lambda: scenes.vote(scene, outcome, counts=counts(present=14, proxies=5)), field="votes_for")
    refused(lambda: scenes.vote(scene, outcome, counts=counts(votes_for=-1)), field="votes_for")
    refused(lambda: scenes.vote(scene, outcome, counts=counts(0, 0, 0, 0, 0, 0)), field="in_office")


@pytest.mark.parametrize(
    ("votes", "told", "found"),
    [
        ({"votes_for": 3, "votes_against": 6}, "adopted", "rejetée"),
        ({"votes_for": 6, "votes_against": 3}, "rejected", "adoptée"),
        ({"votes_for": 4, "votes_against": 4, "president_vote": "against"}, "adopted", "rejetée"),
        ({"votes_for": 4, "votes_against": 4, "is_secret": True}, "adopted", "rejetée"),
    ],
)
def test_the_numbers_give_the_outcome(scene, votes, told, found):
    assert found in refused(lambda: scenes.vote(scene, told, counts=counts(**votes)), field="outcome")


def test_a_tie_asks_for_the_vote_of_the_president(scene):
    tie = {"votes_for": 4, "votes_against": 4}
    refused(lambda: scenes.vote(scene, counts=counts(**tie)), field="president_vote")
    scenes.vote(scene, counts=counts(**tie, president_vote="for"))
    assert scene.deliberation.president_vote == "for"


def test_a_quorum_that_was_reached_is_not_missed(scene):
    reached = counts(15, 8, 0, 0, 0, 0)
    assert "le quorum est atteint" in refused(lambda: scenes.vote(scene, "no_quorum", counts=reached), field="present")
    scenes.vote(scene, "no_quorum", counts=counts(15, 7, 0, 0, 0, 0))
    assert scene.deliberation.attempts.get().facts["present"] == 7


def test_a_date_that_cannot_be_that_of_the_vote(scene):
    refused(lambda: scenes.vote(scene, on=date(2026, 12, 2)), field="meeting_on")  # tomorrow
    refused(lambda: scenes.vote(scene, on=date(2026, 8, 31)), field="meeting_on")  # before the grouping
    scenes.bring_to(scene, "convened")
    for on in (SENT_ON, date(2026, 10, 15)):
        sentence = refused(lambda on=on: scenes.vote(scene, on=on), field="meeting_on")
        assert "La convocation est partie le 02/11/2026" in sentence


@pytest.mark.parametrize("number", ["n" * 41, "12\n13", "12\u202e13"])
def test_a_number_too_long_or_with_an_invisible_character(scene, number):
    refused(lambda: scenes.vote(scene, number=number), field="number")


def test_an_outcome_that_does_not_exist(scene):
    refused(lambda: scenes.vote(scene, "unanimous"), field="outcome")
    refused(lambda: scenes.reverse_step(scene, "adopt"))


def test_numbers_beyond_what_a_column_holds(scene):
    refused(lambda: scenes.vote(scene, counts=counts(99_999, 50_000, 0, 49_000, 0, 0)), field="in_office")


# The session


def test_a_session_before_its_convocation(scene):
    scenes.schedule(scene)
    for sent_on in (MEETING_ON, date(2026, 11, 13)):
        assert "avant la séance" in refused(lambda on=sent_on: scenes.convene(scene, sent_on=on))
    refused(lambda: scenes.convene(scene, sent_on=date(2026, 11, 3), today=date(2026, 11, 2)), field="sent_on")


def test_a_session_of_another_body_or_of_the_past(scene):
    elsewhere = CouncilSession.objects.create(organisation=scene.metropole, meeting_on=date(2026, 12, 18))
    assert "autre organisme" in refused(lambda: scenes.schedule(scene, elsewhere, today=TODAY), field="session")
    assert "est passée" in refused(lambda: scenes.schedule(scene, scene.past, today=TODAY), field="session")


def test_a_convocation_by_somebody_who_does_not_keep_that_calendar(scene):
    """A commune may coordinate a grouping, and still not write the calendar of its neighbour."""
    coordinator = make_organisation(parent=scene.metropole)
    other = make_grouping(coordinator, status="deliberations", opened_on=scenes.OPENED_ON)
    scene.membership = make_membership(other, scene.commune)
    scenes.schedule(scene)
    before = everything()
    with pytest.raises(NotAllowed):
        scenes.convene(scene, actor=make_affiliation(coordinator, Role.BUYER))
    assert everything() == before


# The effects


@pytest.mark.parametrize(
    ("actes_id", "told"),
    [
        ("034-213401722-20261112-N1-DE", "autre organisme"),
        ("034-{siren}-20261113-N1-DE", "et non de la séance du 12/11/2026"),
        ("034-{siren}-20261112-N1-AR", "autre nature"),
        ("034-{siren}-20261112-DE", "n’a pas la forme"),
        ("034-{siren}-20261312-N1-DE", "n’existe pas dans le calendrier"),
        ("999-{siren}-20261112-N1-DE", "n’existe pas"),
        ("034-123456789-20261112-N1-DE", "clé"),
        ("034-{siren}-20261112-TROPLONGUENUMEROQUI-DE", "15 au plus"),
        ("x" * 500, "n’a pas la forme"),
    ],
)
def test_an_actes_id_of_another_act(scene, actes_id, told):
    scenes.vote(scene)
    wrong = actes_id.format(siren=scene.commune.siren)
    assert told in refused(lambda: scenes.effect(scene, actes_id=wrong), field="actes_id")


def test_an_actes_id_is_that_of_one_act_alone(scene):
    other = make_membership(
        make_grouping(scene.metropole, status="deliberations", opened_on=scenes.OPENED_ON), scene.commune
    )
    actes_id = f"034-{scene.commune.siren}-20261112-N1-DE"
    Deliberation.objects.filter(pk=adopt(other, MEETING_ON).pk).update(actes_id=actes_id)
    scenes.vote(scene)
    # Typed with its case and hyphens of a PDF: it is the same one.
    for text in (actes_id, f" {actes_id.lower()} ".replace("n1", "N1"), actes_id.replace("-", "\u2011")):
        sentence = refused(lambda text=text: scenes.effect(scene, actes_id=text), field="actes_id")
        assert "déjà celui d’une autre délibération" in sentence


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        ({"transmitted_on": date(2026, 11, 11)}, "La transmission ne peut pas précéder le vote."),
        ({"received_on": date(2026, 11, 11)}, "La transmission ne peut pas précéder le vote."),
        ({"published_on": date(2026, 11, 11)}, "La publication ne peut pas précéder le vote."),
        (
            {"transmitted_on": date(2026, 11, 20), "received_on": date(2026, 11, 19)},
            "La réception ne peut pas précéder la transmission.",
        ),
    ],
)
def test_effects_follow_the_vote_in_their_order(scene, dates, told):
    scenes.vote(scene)
    assert told in refused(lambda: scenes.effect(scene, **dates))


@pytest.mark.parametrize("name", ["transmitted_on", "received_on", "published_on"])
def test_an_effect_of_tomorrow(scene, name):
    scenes.vote(scene)
    assert "n’est pas encore venu" in refused(lambda: scenes.effect(scene, **{name: date(2026, 12, 2)}), field=name)


def test_a_matter_outside_the_nomenclature_is_not_a_code(scene):
    def describe(code: str):
        actions.deliberation_describe(deliberation=scene.deliberation, kind="council", matter_code=code, actor=SYSTEM)

    for code in ("17", "1.7.2", "a.b", "0.1"):
        refused(lambda code=code: describe(code), field="matter_code")
    describe("7.10")
    assert scene.deliberation.matter_code == "7.10"


# Going past a legal remark


def override(scene, actor, code="notice", reason="Urgence admise à l’unanimité"):
    return actions.remark_override(deliberation=scene.deliberation, code=code, reason=reason, actor=actor, today=TODAY)


def test_a_jurist_goes_past_a_remark_with_a_reason(scene):
    scenes.schedule(scene)
    scenes.convene(scene, sent_on=date(2026, 11, 9))  # two clear days instead of three
    for person in (scene.buyer, scene.agent, make_affiliation(scene.commune, Role.JURIST)):
        with pytest.raises(NotAllowed):
            override(scene, person)
    refused(lambda: override(scene, scene.jurist, reason="  "), field="reason")
    refused(lambda: override(scene, scene.jurist, reason="x" * 501), field="reason")
    assert "n’a plus lieu d’être" in refused(lambda: override(scene, scene.jurist, code="quorum"))
    done = override(scene, scene.jurist)
    assert (done.code, done.author) == ("notice", scene.jurist.actor_label)
    entry = JournalEntry.objects.latest("pk")
    assert entry.verb == "deliberation.override"
    assert entry.reason == "Urgence admise à l’unanimité"
    assert "a déjà levé cette remarque" in refused(lambda: override(scene, scene.jurist))


def test_what_was_decided_for_one_meeting_does_not_hold_for_the_next(scene):
    actions.deliberation_describe(deliberation=scene.deliberation, kind="council", matter_code="1.1", actor=SYSTEM)
    scenes.schedule(scene)
    scenes.convene(scene, sent_on=date(2026, 11, 9))
    override(scene, scene.jurist)
    scenes.vote(scene)
    assert scene.deliberation.overrides.count() == 1  # the same meeting
    scenes.reverse_step(scene, "undo_vote")
    assert not scene.deliberation.overrides.exists()


def test_what_was_decided_of_a_mayor_holds_while_the_mayor_decides(scene):
    def describe(kind):
        actions.deliberation_describe(deliberation=scene.deliberation, kind=kind, matter_code="", actor=SYSTEM)

    describe("president")
    override(scene, scene.jurist, code="delegation", reason="Délégation expresse")
    scenes.vote(scene)
    scenes.reverse_step(scene, "undo_vote")
    assert scene.deliberation.overrides.count() == 1
    describe("council")
    assert not scene.deliberation.overrides.exists()
