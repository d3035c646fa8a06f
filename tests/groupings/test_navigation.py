"""The links between the pages of a grouping: every one shown opens, for whoever it is shown to."""

import re

import pytest
from django.urls import reverse

from groupings.choices import GroupingStatus
from groupings.models import Convention
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
NAV = re.compile(r'<nav class="grouping-nav.*?</nav>', re.DOTALL)
LINK = re.compile(r'<a href="([^"]+)"(?: aria-current="(\w+)")?>([^<]+)</a>')


def tabs(client, url: str) -> list[tuple[str, str, str]]:
    """(address, aria-current, label) of each tab of a page that must open."""
    response = client.get(url)
    assert response.status_code == 200, url
    found = NAV.search(response.content.decode())
    return LINK.findall(found[0]) if found else []


@pytest.mark.parametrize("status", [GroupingStatus.NEEDS, GroupingStatus.DELIBERATIONS, GroupingStatus.PERFORMANCE])
def test_whoever_sees_a_tab_may_open_it_and_finds_the_same_tabs_there(client, status):
    world = make_world("ici")
    grouping = world.launched if status == GroupingStatus.PERFORMANCE else world.grouping
    type(grouping).objects.filter(pk=grouping.pk).update(status=status)
    for person in ("buyer", "jurist", "finance", "reader", "administrator", "member_agent"):
        client.force_login(world.people[person].user)
        shown = tabs(client, reverse("grouping_detail", args=[grouping.pk]))
        assert [current for _, current, _ in shown].count("page") == 1, person
        for url, _, label in shown:
            there = tabs(client, url)
            assert [(u, name) for u, _, name in there] == [(u, name) for u, _, name in shown], (person, label)
            if "#" not in url:
                assert [name for _, current, name in there if current == "page"] == [label]


def test_a_member_is_led_to_the_procedure_only_when_its_convention_tells_it(client):
    world = make_world("ici")
    url = reverse("grouping_detail", args=[world.grouping.pk])
    client.force_login(world.people["member_agent"].user)
    convention = Convention.objects.get(pk=world.convention.pk)
    convention.values = {"members": [{"siren": world.commune.siren}], "lots": [], "needs": []}
    convention.save(update_fields=["values"])
    assert "Procédure" in [label for _, _, label in tabs(client, url)]
    convention.values = {"members": [{"siren": world.other_commune.siren}], "lots": [], "needs": []}
    convention.save(update_fields=["values"])
    shown = [label for _, _, label in tabs(client, url)]
    assert "Procédure" not in shown and "Recensement" not in shown and "Vos besoins" in shown
    client.force_login(world.people["buyer"].user)
    assert {"Procédure", "Recensement", "Besoins"} <= {label for _, _, label in tabs(client, url)}


def test_a_page_below_a_tab_marks_it_without_claiming_to_be_it(client):
    world = make_world("ici")
    client.force_login(world.people["buyer"].user)
    url = reverse("award_shares", kwargs=world.arguments()["award_shares"])
    assert [(label, current) for _, current, label in tabs(client, url) if current] == [
        ("Consultation et attribution", "true")
    ]
    url = reverse("price_list", kwargs=world.arguments()["price_list"])
    assert [(label, current) for _, current, label in tabs(client, url) if current] == [("Marchés", "true")]
