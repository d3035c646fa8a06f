"""The member confirms its own reference prices by one click, or says what is wrong; nobody does it for it."""

from decimal import Decimal

import pytest
from django.urls import reverse

from groupings.notices import notices
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from savings.actions.baseline import baseline_confirm, baseline_object, baseline_replace, baselines_confirm
from savings.models import Baseline
from tests.support.factories import make_affiliation
from tests.support.price_lines import AFTER, make_entry
from tests.support.savings import make_baseline

pytestmark = pytest.mark.django_db
PAGE = "/economies/references/"


@pytest.fixture
def entry():
    return make_entry()


@pytest.fixture
def waiting(entry):
    return make_baseline(
        entry.scene.membership, entry.lot, is_confirmed=False, entered_by=entry.buyer.user, designation="Gazole"
    )


def test_one_click_of_its_own_people_and_the_second_is_harmless(entry, waiting):
    confirmed = baseline_confirm(baseline=waiting, actor=entry.agent, now=AFTER)
    assert (confirmed.confirmed_at, confirmed.confirmed_label) == (AFTER, entry.agent.actor_label)
    again = baseline_confirm(baseline=waiting, actor=make_affiliation(entry.scene.commune, "member_agent"), now=AFTER)
    assert again.confirmed_by_id == entry.agent.user_id
    assert JournalEntry.objects.filter(verb="baseline.confirm").count() == 1


def test_neither_the_coordinator_nor_a_neighbour_answers_for_a_member(entry, waiting):
    neighbour = make_affiliation(entry.scene.neighbour, Role.MEMBER_AGENT)
    for person in (entry.buyer, entry.finance, neighbour, make_affiliation(entry.scene.commune, Role.READER)):
        with pytest.raises(NotAllowed):
            baseline_confirm(baseline=waiting, actor=person, now=AFTER)
        with pytest.raises(NotAllowed):
            baseline_object(baseline=waiting, objection="Non.", actor=person)


def test_who_entered_a_price_does_not_confirm_it_a_colleague_does(entry):
    own = make_baseline(entry.scene.own, entry.lot, is_confirmed=False, entered_by=entry.buyer.user)
    with pytest.raises(BusinessError, match="une autre personne"):
        baseline_confirm(baseline=own, actor=entry.buyer, now=AFTER)
    assert baseline_confirm(baseline=own, actor=entry.finance, now=AFTER).is_confirmed


def test_what_is_not_frozen_replaced_or_without_price_waits(entry):
    draft = make_baseline(entry.scene.membership, entry.lot, is_frozen=False)
    with pytest.raises(BusinessError, match="pas encore figé"):
        baseline_confirm(baseline=draft, actor=entry.agent, now=AFTER)
    mean = make_baseline(
        entry.scene.membership, entry.lot, None, method="MEAN_OF_OFFERS", grade="C", designation="M", is_confirmed=False
    )
    with pytest.raises(BusinessError, match="pas encore connue"):
        baseline_confirm(baseline=mean, actor=entry.agent, now=AFTER)


def test_an_objection_says_why_reaches_the_buyer_and_the_answer_is_confirmed(entry, waiting):
    with pytest.raises(BusinessError, match="une phrase") as refused:
        baseline_object(baseline=waiting, objection="  ", actor=entry.agent)
    assert refused.value.field == "objection"
    baseline_object(baseline=waiting, objection="Nous payions 4,20 €.", actor=entry.agent)
    assert JournalEntry.objects.get(verb="baseline.object").reason == "Nous payions 4,20 €."
    (notice,) = notices(entry.buyer, AFTER.date())
    assert notice.sentence == "1 prix de référence contesté par le membre"
    assert notices(entry.agent, AFTER.date()) == []
    new = baseline_replace(
        baseline=Baseline.objects.get(),
        values={"price_before": Decimal("4.20")},
        reason="Facture retrouvée",
        actor=entry.buyer,
        now=AFTER,
    )
    with pytest.raises(BusinessError, match="remplacé"):
        baseline_confirm(baseline=waiting, actor=entry.agent, now=AFTER)
    assert (new.objection, notices(entry.buyer, AFTER.date())) == ("", [])


def test_a_member_may_change_its_mind_until_it_has_confirmed(entry, waiting):
    baseline_object(baseline=waiting, objection="Trop haut.", actor=entry.agent)
    assert baseline_confirm(baseline=waiting, actor=entry.agent, now=AFTER).objection == ""
    with pytest.raises(BusinessError, match="déjà confirmé"):
        baseline_object(baseline=waiting, objection="Finalement non.", actor=entry.agent)


def test_all_of_a_grouping_together(entry, waiting):
    other = make_baseline(entry.scene.membership, entry.lot, is_confirmed=False, designation="Additif")
    assert baselines_confirm(baselines=[waiting, other], actor=entry.agent, now=AFTER) == 2
    assert not Baseline.objects.to_confirm().exists()


def test_the_first_screen_counts_them_and_the_page_confirms_them(entry, waiting, client):
    make_baseline(entry.scene.membership, entry.lot, is_confirmed=False, designation="Additif")
    make_baseline(entry.scene.other, entry.lot, is_confirmed=False, designation="Prix du voisin")
    client.force_login(entry.agent.user)
    home = client.get("/").content.decode()
    assert "2 prix de référence à confirmer" in home and PAGE in home
    page = client.get(PAGE).content.decode()
    assert "Gazole" in page and "Additif" in page and "Tout confirmer (2)" in page and "voisin" not in page
    assert client.post(reverse("baseline_confirm", args=[waiting.pk])).status_code == 302
    assert client.post(reverse("baseline_confirm", args=[waiting.pk])).status_code == 302
    assert client.post(reverse("baselines_confirm", args=[entry.scene.grouping.pk])).status_code == 302
    assert "n’attend votre confirmation" in client.get(PAGE).content.decode()
    assert Baseline.objects.to_confirm().get().designation == "Prix du voisin"


def test_contesting_by_the_page_asks_for_a_sentence(entry, waiting, client):
    client.force_login(entry.agent.user)
    url = reverse("baseline_object", args=[waiting.pk])
    assert client.post(url, {"objection": ""}).status_code == 422
    assert client.post(url, {"objection": "Nous payions moins."}).status_code == 302
    assert "Nous payions moins." in client.get(PAGE).content.decode()


@pytest.mark.parametrize("person", ["neighbour", "stranger"])
def test_a_price_leaks_to_nobody(entry, waiting, client, person):
    from tests.support.factories import make_metropole

    body = entry.scene.neighbour if person == "neighbour" else make_metropole()
    reader = make_affiliation(body, Role.MEMBER_AGENT if person == "neighbour" else Role.BUYER)
    client.force_login(reader.user)
    assert "Gazole" not in client.get(PAGE).content.decode()
    assert client.post(reverse("baseline_confirm", args=[waiting.pk])).status_code == 404
    assert client.get(reverse("baseline_object", args=[waiting.pk])).status_code == 404


@pytest.mark.parametrize("count", [2, 50])
def test_few_queries_whatever_the_number(entry, client, count, django_assert_max_num_queries):
    for number in range(count):
        make_baseline(entry.scene.membership, entry.lot, is_confirmed=False, designation=f"Article {number}")
    client.force_login(entry.agent.user)
    with django_assert_max_num_queries(12):
        assert client.get(PAGE).status_code == 200
