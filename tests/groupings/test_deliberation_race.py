"""Two people change one deliberation: the second is told what changed and by whom, nothing is lost."""

from datetime import date

import pytest

from groupings.models import Deliberation
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from tests.support import deliberations as scenes
from tests.support.deliberation_race import THREADS
from tests.support.race import run_race


@pytest.mark.django_db
def test_the_second_of_two_people_is_told_who_did_what():
    scene = scenes.make_scene()
    read = scene.deliberation.version
    scenes.vote(scene, actor=scene.agent, number="2026-12", expected_version=read)
    before = Deliberation.objects.filter(pk=scene.deliberation.pk).values().get()
    with pytest.raises(BusinessError) as refused:
        scenes.vote(scene, "rejected", actor=scene.buyer, expected_version=read)
    sentence = str(refused.value)
    assert scene.agent.actor_label in sentence
    assert "adoptée le 12/11/2026" in sentence
    assert "Rien n’a été écrasé" in sentence
    assert "  " not in sentence
    assert Deliberation.objects.filter(pk=scene.deliberation.pk).values().get() == before


@pytest.mark.django_db
def test_every_change_since_the_reading_is_told_and_none_before_it():
    scene = scenes.make_scene()
    scenes.schedule(scene, actor=scene.buyer)
    read = scene.deliberation.version
    scenes.convene(scene, actor=scene.jurist)
    scenes.vote(scene, actor=scene.agent)
    with pytest.raises(BusinessError) as refused:
        scenes.effect(scene, published_on=date(2026, 11, 20), expected_version=read)
    sentence = str(refused.value)
    assert sentence.index("convocation envoyée le 02/11/2026") < sentence.index("adoptée le 12/11/2026")
    assert "inscrite" not in sentence


@pytest.mark.django_db
def test_a_version_that_changed_outside_the_journal_is_refused_all_the_same():
    scene = scenes.make_scene()
    Deliberation.objects.update(version=9)
    with pytest.raises(BusinessError, match=r"pendant votre saisie\. Rien n’a été écrasé"):
        scenes.vote(scene, expected_version=1)
    assert not JournalEntry.objects.exists()


@pytest.mark.services
@pytest.mark.slow
def test_of_six_people_at_once_one_writes_and_five_are_told(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.deliberation_race", tmp_path)
    winners = [name for name, answer in done["told"] if not answer]
    refusals = [answer for _, answer in done["told"] if answer]
    assert len(done["told"]) == THREADS
    assert len(winners) == 1
    assert all(winners[0] in answer and "Rien n’a été écrasé" in answer for answer in refusals)
    assert (done["version"], done["journal"]) == (2, winners)
