"""The procedure of a grouping on screen: why, what it implies, without a member, and the jurist's small lots."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money

from groupings.actions.launch import tender_scope
from groupings.actions.procedure import small_lot_choose
from groupings.contract_value import contract_value, launch_day
from groupings.models import Convention, NeedsSubmission
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_territory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 1)
LAUNCH = date(2027, 3, 1)


@pytest.fixture(autouse=True)
def day(monkeypatch):
    """The thresholds are dated: so is the day these tests are read on."""
    monkeypatch.setattr(timezone, "localdate", lambda *arguments: TODAY)


def grouping_of(*amounts, lots=1, **fields):
    """A métropole without needs of its own and a commune per amount, which needs that much of lot 1."""
    metropole = make_metropole()
    fields = {"opened_on": date(2026, 6, 1), "launch_planned_on": LAUNCH} | fields
    grouping = make_grouping(metropole, coordinator_has_own_need=False, statutes_clause_ref="article 9", **fields)
    made = [make_lot(grouping, number) for number in range(1, lots + 1)]
    for amount in amounts:
        make_need(make_membership(grouping, make_organisation(parent=metropole)), made[0], amount)
    return grouping


def page(client, grouping, person=None, status=200, **query):
    client.force_login((person or make_affiliation(grouping.coordinator)).user)
    response = client.get(reverse("procedure_page", args=[grouping.pk]), query)
    assert response.status_code == status
    return response.content.decode()


def test_twelve_members_of_twenty_thousand_are_formal_though_each_alone_is_exempt(client):
    """domain.md §8: 12 × 5 000 €/year × 4 years = 240 000 €."""
    grouping = grouping_of(*["20000"] * 12)
    text = page(client, grouping)
    told = "240\u202f000\u00a0€ HT pour 12 membres\u00a0: procédure formalisée, seuil 216\u202f000\u00a0€"
    assert f"{told} depuis le 01/01/2026" in text
    assert "Seuils du lancement prévu le 01/03/2027." in text
    assert "commission d’appel d’offres (CAO)" in text
    assert "CCP, R2182-1 et R2182-2" in text


def test_the_twelfth_member_changes_the_procedure_on_the_page_of_the_grouping(client):
    """11 × 19 000 = 209 000 € is adapted, 228 000 € is formal."""
    grouping = grouping_of(*["19000"] * 11)
    client.force_login(make_affiliation(grouping.coordinator).user)
    url = reverse("grouping_detail", args=[grouping.pk])
    before = client.get(url).content.decode()
    assert "209\u202f000\u00a0€ HT pour 11 membres\u00a0: procédure adaptée avec avis publié" in before
    assert "7\u202f000\u00a0€ avant le seuil 216\u202f000\u00a0€ (procédure formalisée)" in before
    twelfth = make_membership(grouping, make_organisation(parent=grouping.coordinator))
    make_need(twelfth, grouping.lots.get(), "19000")
    assert "228\u202f000\u00a0€ HT pour 12 membres\u00a0: procédure formalisée" in client.get(url).content.decode()


def test_the_launch_and_the_page_count_the_same(client):
    """One computation: an accord-cadre counts at its maximum in both."""
    grouping = grouping_of("50000", "50000")
    lot = grouping.lots.get()
    lot.is_framework, lot.maximum_excl_tax = True, Money("250000", "EUR")
    lot.save()
    assert tender_scope(grouping, TODAY).total == contract_value(grouping).total == Decimal(250000)
    assert tender_scope(grouping, TODAY).procedure.code == "formal"
    assert "250\u202f000\u00a0€ HT pour 2 membres" in page(client, grouping)


def test_a_framework_without_maximum_is_told(client):
    grouping = grouping_of("50000")
    grouping.lots.update(is_framework=True)
    text = page(client, grouping)
    assert "le maximum manque" in text
    assert "R2162-4" in text


def test_unknown_amounts_and_silent_members_are_told_and_named(client):
    grouping = grouping_of("10000", None, None)
    silent = make_membership(grouping, make_organisation(parent=grouping.coordinator, name="Commune muette"))
    refused = make_membership(grouping, make_organisation(parent=grouping.coordinator, name="Commune sans besoin"))
    NeedsSubmission.objects.create(
        membership=refused, number=1, lines={}, sha256="0" * 64, submitted_at=timezone.now(), submitted_by="X"
    )
    text = page(client, grouping)
    assert "Montant inconnu pour 2 membres" in text
    assert "Pas de réponse au recensement de 1 membre" in text
    assert "la procédure peut devenir plus lourde" in text
    assert silent.organisation.name in text
    assert contract_value(grouping).silent == ("Commune muette",)


def test_without_a_member_the_procedure_is_computed_again(client):
    grouping = grouping_of("150000", "70000")
    leaving = grouping.memberships.order_by("pk").last()
    text = page(client, grouping, sans=leaving.pk)
    assert f"Sans {leaving.organisation.name}" in text
    assert "150\u202f000\u00a0€ HT pour 1 membre\u00a0: procédure adaptée avec avis publié" in text
    assert "220\u202f000\u00a0€ HT pour 2 membres\u00a0: procédure formalisée" in text
    assert grouping.memberships.active().count() == 2  # nothing is written


@pytest.mark.parametrize("typed", ["abc", "999999", "-1", "٣", ""])
def test_a_forged_member_is_ignored(client, typed):
    grouping = grouping_of("150000", "70000")
    assert "Sans " not in page(client, grouping, sans=typed).split('id="leaving"')[1].split("<details")[0]


def test_the_maximum_made_for_those_who_left_is_to_be_looked_at_again(client):
    grouping = grouping_of("150000", "70000")
    lot = grouping.lots.get()
    lot.is_framework, lot.maximum_excl_tax = True, Money("250000", "EUR")
    lot.save()
    leaving = grouping.memberships.order_by("pk").last()
    assert "Réexaminez-le" not in page(client, grouping)
    assert "couvre encore les 70\u202f000\u00a0€" in page(client, grouping, sans=leaving.pk)


def test_a_launch_outside_the_tables_is_a_sentence_and_the_page_works(client):
    grouping = grouping_of("150000", launch_planned_on=date(2028, 2, 1))
    text = page(client, grouping)
    assert "Aucun seuil n’est enregistré pour la catégorie «\u00a0fournitures\u00a0» au 01/02/2028." in text
    assert "01/02/2028" in text
    assert "150\u202f000\u00a0€ HT pour 1 membre" in text


def test_an_empty_grouping_has_a_page(client):
    grouping = grouping_of(lots=0)
    assert "Aucun lot décrit" in page(client, grouping)


def test_no_known_amount_is_not_zero_and_calls_for_nothing_yet(client):
    """Needs in units alone: no threshold says anything of them, on the page nor at the launch."""
    grouping = grouping_of(None, None)
    told = page(client, grouping)
    assert "Aucun montant connu" in told and "ni mise en concurrence" not in told
    assert "ontant inconnu pour 2 membres" in told.replace("\u00a0", " ")
    scope = tender_scope(grouping, TODAY)
    assert (scope.procedure, scope.as_json()["procedure"]) == (None, None)


def test_which_day_decides():
    grouping = grouping_of("1")
    assert launch_day(grouping, TODAY) == LAUNCH
    assert launch_day(grouping, LAUNCH + timedelta(days=1)) == LAUNCH + timedelta(days=1)  # planned, and gone by
    grouping.launched_on = date(2025, 12, 15)
    assert launch_day(grouping, TODAY) == date(2025, 12, 15)


def test_a_member_only_reads_what_the_frozen_convention_told_it(client):
    grouping = grouping_of("111111", "70000")
    membership = grouping.memberships.order_by("pk").last()
    agent = make_affiliation(membership.organisation, Role.MEMBER_AGENT)
    assert "l’annexe de la convention" in page(client, grouping, agent, status=403)
    detail = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    assert 'id="procedure"' not in detail
    sirens = [m.organisation.siren for m in grouping.memberships.select_related("organisation")]
    Convention.objects.create(
        grouping=grouping,
        version=1,
        values={
            "members": [{"siren": siren} for siren in sirens],
            "lots": [{"number": 1, "title": "Lot gelé"}],
            "needs": [{"siren": siren, "lot": 1, "estimated_amount_excl_tax": "50000.00"} for siren in sirens],
        },
        values_sha256="0" * 64,
        texts_sha256="0" * 64,
        legal_basis="x",
        is_draft=True,
        frozen_at=timezone.now(),
    )
    text = page(client, grouping, agent)
    assert "100\u202f000\u00a0€ HT pour 2 membres\u00a0: procédure adaptée avec avis publié" in text
    for secret in ("111\u202f111", "181\u202f111", "Si un membre quitte", "petits lots"):
        assert secret not in text
    assert "181\u202f111" not in page(client, grouping, agent, sans=membership.pk)
    assert 'id="procedure"' in client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()


@pytest.mark.parametrize("count", [2, 50])
def test_few_queries_whatever_the_members(client, django_assert_max_num_queries, count):
    metropole, grouping = make_territory(members=count, lots=3)
    client.force_login(make_affiliation(metropole, Role.JURIST).user)
    sans = [membership.pk for membership in grouping.memberships.exclude(organisation=metropole)[:2]]
    with django_assert_max_num_queries(12):
        client.get(reverse("procedure_page", args=[grouping.pk]), {"sans": sans})


# The small lots.


@pytest.fixture
def small():
    """Lot 1 of 300 000 €, lot 2 of 60 000 €, lot 3 of 40 000 €: 400 000 €, 80 000 € at most may leave."""
    grouping = grouping_of("300000", lots=3)
    membership = grouping.memberships.get()
    make_need(membership, grouping.lots.get(number=2), "60000")
    make_need(membership, grouping.lots.get(number=3), "40000")
    return grouping


def choose(grouping, number, role=Role.JURIST, *, takes=True, reason="Marché de niche", actor=None):
    return small_lot_choose(
        lot=grouping.lots.get(number=number),
        takes=takes,
        reason=reason,
        actor=actor or make_affiliation(grouping.coordinator, role),
        today=TODAY,
    )


def test_a_jurist_takes_the_exception_with_a_reason_and_it_is_journalled(small):
    assert choose(small, 2).takes_small_lot_exception
    lot = small.lots.get(number=2)
    assert (lot.takes_small_lot_exception, lot.small_lot_reason) == (True, "Marché de niche")
    entry = JournalEntry.objects.get(verb="lot.small")
    assert (entry.sentence, entry.reason) == ("Lot 2\u00a0: petit lot (CCP, R2123-1, 2°)", "Marché de niche")
    choose(small, 2)  # a double click
    assert JournalEntry.objects.filter(verb="lot.small").count() == 1


def test_it_is_given_up(small):
    choose(small, 2)
    choose(small, 2, takes=False, reason="")
    lot = small.lots.get(number=2)
    assert (lot.takes_small_lot_exception, lot.small_lot_reason) == (False, "")


@pytest.mark.parametrize("role", [Role.BUYER, Role.FINANCE, Role.READER, Role.ADMINISTRATOR])
def test_only_a_jurist_chooses(small, role):
    with pytest.raises(NotAllowed):
        choose(small, 2, role)


def test_the_jurist_of_a_member_does_not_choose_for_the_coordinator(small):
    member = small.memberships.get().organisation
    with pytest.raises(NotAllowed):
        choose(small, 2, actor=make_affiliation(member, Role.JURIST))


def test_what_is_not_eligible_is_refused(small):
    with pytest.raises(BusinessError, match="il faut moins de 80"):
        choose(small, 1)
    choose(small, 2)
    with pytest.raises(BusinessError, match="plus de 20"):
        choose(small, 3)
    assert small.lots.filter(takes_small_lot_exception=True).count() == 1


def test_a_reason_is_asked(small):
    with pytest.raises(BusinessError, match="motif") as refusal:
        choose(small, 2, reason="  ")
    assert refusal.value.field == "reason"


@pytest.mark.parametrize(("status", "why"), [("consultation", "est lancée"), ("cancelled", "est abandonné")])
def test_nothing_changes_after_the_launch_or_once_abandoned(small, status, why):
    small.status, small.launched_on = status, date(2026, 8, 1) if status == "consultation" else None
    small.save()
    with pytest.raises(BusinessError, match=why):
        choose(small, 2)


def test_needs_that_grew_make_the_exception_a_warning(client, small):
    choose(small, 2)
    small.memberships.get().needs.filter(lot__number=2).update(estimated_amount_excl_tax=Decimal(85000))
    text = page(client, small)
    assert "Plus éligible" in text
    assert "85\u202f000\u00a0€, il faut moins de 80\u202f000\u00a0€." in text


def test_the_screen_of_the_jurist(client, small):
    jurist = make_affiliation(small.coordinator, Role.JURIST)
    assert "Prendre l’exception" in page(client, small, jurist)
    url = reverse("small_lot_decide", args=[small.pk, small.lots.get(number=2).pk])
    refused = client.post(url, {"choice": "take", "reason": ""})
    assert refused.status_code == 422
    assert "Indiquez le motif" in refused.content.decode()
    too_big = reverse("small_lot_decide", args=[small.pk, small.lots.get(number=1).pk])
    kept = client.post(too_big, {"choice": "take", "reason": "Mon motif"})
    assert kept.status_code == 422
    assert "Mon motif" in kept.content.decode()
    assert client.post(url, {"choice": "take", "reason": "Niche"}).status_code == 302
    assert "Motif\u00a0: Niche" in page(client, small, jurist)
    assert "Prendre l’exception" not in page(client, small)  # the buyer reads, and does not choose


def test_a_lot_of_another_grouping_is_not_found(client, small):
    other = grouping_of("1")
    client.force_login(make_affiliation(small.coordinator, Role.JURIST).user)
    url = reverse("small_lot_decide", args=[small.pk, other.lots.get().pk])
    assert client.post(url, {"choice": "take", "reason": "x"}).status_code == 404
