"""The launch and the maximum of an accord-cadre, compulsory since 1 January 2022 (CCP, R2162-4)."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from groupings.actions.grouping import grouping_advance
from groupings.models import Consultation
from groupings.rules.framework import is_maximum_compulsory
from groupings.rules.gate import launch_refusal
from procurement.core.errors import TransitionRefused
from tests.support.factories import adopt, make_affiliation, make_territory, sign

VOTED = date(2021, 6, 15)


@pytest.fixture
def ready(db):
    """Everybody voted and signed; the lots are not accords-cadres."""
    metropole, grouping = make_territory(members=1, lots=3, status="deliberations", opened_on=date(2021, 1, 4))
    for membership in grouping.memberships.all():
        adopt(membership, VOTED, number=f"D{membership.pk}")
        sign(membership, VOTED)
    return metropole, grouping


def launch(ready, today):
    metropole, grouping = ready
    return grouping_advance(grouping=grouping, step="launch", actor=make_affiliation(metropole), today=today)


def test_the_rule_begins_on_the_first_of_january_2022():
    assert not is_maximum_compulsory(date(2021, 12, 31))
    assert is_maximum_compulsory(date(2022, 1, 1))
    assert not is_maximum_compulsory(date(2009, 1, 1))  # before the table: nothing is said, nothing is refused


def test_the_sentence_names_the_lots_after_the_members():
    assert launch_refusal(waiting=[], unsigned=[], unbounded=[]) == ""
    assert launch_refusal(waiting=[], unsigned=[], unbounded=[2]) == (
        "Lancement impossible\u00a0: le lot 2 est un accord-cadre sans maximum, obligatoire depuis le 01/01/2022 "
        "(CCP, R2162-4)."
    )
    told = launch_refusal(waiting=["Sète"], unsigned=[], unbounded=[1, 3])
    assert "n’est pas exécutoire pour Sète. La convention" in told
    assert told.endswith(
        "Les lots 1 et 3 sont des accords-cadres sans maximum, obligatoire depuis le 01/01/2022 (CCP, R2162-4)."
    )


def test_an_accord_cadre_without_maximum_is_not_launched(ready):
    _, grouping = ready
    grouping.lots.filter(number__in=(1, 3)).update(is_framework=True)
    with pytest.raises(TransitionRefused, match="les lots 1 et 3 sont des accords-cadres sans maximum"):
        launch(ready, date(2022, 1, 1))
    grouping.refresh_from_db()
    assert (grouping.status, grouping.launched_on, Consultation.objects.count()) == ("deliberations", None, 0)
    grouping.lots.filter(is_framework=True).update(maximum_excl_tax="90000.00")
    assert launch(ready, date(2022, 1, 1)).launched_on == date(2022, 1, 1)


def test_before_2022_it_was_launched_without(ready):
    ready[1].lots.update(is_framework=True)
    assert launch(ready, date(2021, 12, 31)).is_launched


def test_the_page_says_it_before_the_click(client, ready):
    metropole, grouping = ready
    grouping.lots.filter(number=2).update(is_framework=True)
    client.force_login(make_affiliation(metropole).user)
    address = reverse("grouping_detail", args=[grouping.pk])
    told = "Lancement impossible\u00a0: le lot 2 est un accord-cadre sans maximum"
    assert timezone.localdate() >= date(2022, 1, 1)
    assert told in client.get(address).content.decode()
    grouping.lots.filter(number=2).update(maximum_excl_tax="1000.00")
    assert told not in client.get(address).content.decode()
