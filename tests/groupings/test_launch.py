"""The launch: the gate of domain.md §8, the forecast on the page, and launching without those who are late."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from groupings.actions.grouping import grouping_advance
from groupings.actions.launch import grouping_launch_without, tender_scope
from groupings.actions.membership import membership_add
from groupings.forecast import launch_states
from groupings.models import Convention
from groupings.rules.launch import forecast
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_lot,
    make_membership,
    make_need,
    make_organisation,
    make_session,
    make_territory,
    sign,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 1)
VOTED = date(2026, 6, 15)


def ready(membership):
    adopt(membership, VOTED, number=f"D{membership.pk}")
    sign(membership, date(2026, 7, 1))


@pytest.fixture
def territory():
    """Eighteen members with 1 000 € each; seventeen are enforceable and signed, the last voted and sent nothing."""
    metropole, grouping = make_territory(members=17, lots=1, status="deliberations")
    *others, late = grouping.memberships.exclude(organisation=metropole).order_by("pk")
    for membership in [*others, grouping.memberships.get(organisation=metropole)]:
        ready(membership)
    adopt(late, VOTED, executory=False)
    return metropole, grouping, late


def launch(grouping, actor, today=TODAY):
    return grouping_advance(grouping=grouping, step="launch", actor=actor, today=today)


def test_one_member_voted_and_not_transmitted_stops_the_launch_and_is_named(territory):
    metropole, grouping, late = territory
    with pytest.raises(TransitionRefused, match=f"n’est pas exécutoire pour {late.organisation.name}"):
        launch(grouping, make_affiliation(metropole))
    grouping.refresh_from_db()
    assert (grouping.status, grouping.launched_on) == ("deliberations", None)


def test_an_enforceable_act_without_signature_stops_the_launch(territory):
    metropole, grouping, late = territory
    adopt(late, VOTED)
    with pytest.raises(TransitionRefused, match=f"la convention n’est pas signée par {late.organisation.name}"):
        launch(grouping, make_affiliation(metropole))
    sign(late, TODAY)
    assert launch(grouping, make_affiliation(metropole)).launched_on == TODAY


def test_a_member_exempted_from_voting_signs_all_the_same(territory):
    metropole, grouping, late = territory
    late.deliberations.update(status="not_required", decided_on=None)
    with pytest.raises(TransitionRefused, match="n’est pas signée"):
        launch(grouping, make_affiliation(metropole))


def test_a_member_without_needs_keeps_nobody_waiting_but_the_coordinator_does(territory):
    metropole, grouping, late = territory
    late.needs.all().delete()
    grouping.memberships.get(organisation=metropole).signatures.all().delete()
    with pytest.raises(TransitionRefused, match=metropole.name):
        launch(grouping, make_affiliation(metropole))
    sign(grouping.memberships.get(organisation=metropole), TODAY)
    assert launch(grouping, make_affiliation(metropole)).status == "consultation"


def test_without_the_late_member_total_and_procedure_are_computed_again(territory):
    metropole, grouping, late = territory
    # 17 others at 1 000 €; with the 199 000 € of the late one the total is 216 000 €, the threshold of 2026.
    late.needs.update(estimated_amount_excl_tax=Decimal("199000.00"))
    before = tender_scope(grouping, TODAY)
    assert (before.members, before.total, before.procedure.code) == (18, Decimal("216000.00"), "formal")

    launched = grouping_launch_without(
        grouping=grouping, membership_ids=[late.pk], actor=make_affiliation(metropole), today=TODAY, reason="Urgence"
    )

    assert (launched.status, launched.launched_on) == ("consultation", TODAY)
    late.refresh_from_db()
    assert late.withdrawn_on == TODAY
    after = tender_scope(grouping, TODAY)
    assert (after.members, after.total, after.procedure.code) == (17, Decimal("17000.00"), "exempt")
    told = JournalEntry.objects.get(verb="grouping.launch_without")
    assert told.before == {"members": 18, "total": "216000.00", "procedure": "formal"}
    assert told.after == {"members": 17, "total": "17000.00", "procedure": "exempt"}
    assert (told.reason, late.organisation.name in told.sentence) == ("Urgence", True)


@pytest.mark.parametrize("case", ["coordinator", "nobody", "stranger", "no_reason", "still_late", "all"])
def test_what_cannot_leave_leaves_everything_as_it_was(territory, case):
    metropole, grouping, late = territory
    coordinator = grouping.memberships.get(organisation=metropole)
    chosen = {
        "coordinator": [coordinator.pk],
        "nobody": [],
        "stranger": [late.pk, 987654],
        "no_reason": [late.pk],
        "still_late": [grouping.memberships.exclude(pk__in=[late.pk, coordinator.pk]).first().pk],
        "all": list(grouping.memberships.exclude(pk=coordinator.pk).values_list("pk", flat=True)),
    }[case]
    with pytest.raises(BusinessError):
        grouping_launch_without(
            grouping=grouping,
            membership_ids=chosen,
            actor=make_affiliation(metropole),
            today=TODAY,
            reason="" if case == "no_reason" else "Urgence",
        )
    grouping.refresh_from_db()
    assert grouping.status == "deliberations"
    assert grouping.memberships.active().count() == 18
    assert not JournalEntry.objects.filter(verb__in=["grouping.launch_without", "membership.withdraw"]).exists()


def test_a_member_does_not_launch(territory):
    _, grouping, late = territory
    agent = make_affiliation(late.organisation, Role.MEMBER_AGENT)
    with pytest.raises(NotAllowed):
        grouping_launch_without(grouping=grouping, membership_ids=[late.pk], actor=agent, today=TODAY, reason="Non")


def test_who_left_or_comes_late_cannot_join_the_tender(territory):
    metropole, grouping, late = territory
    buyer = make_affiliation(metropole)
    grouping_launch_without(grouping=grouping, membership_ids=[late.pk], actor=buyer, today=TODAY, reason="Urgence")
    grouping.refresh_from_db()
    newcomer = make_organisation(parent=metropole)
    with pytest.raises(BusinessError, match="n° 100136"):
        membership_add(grouping=grouping, organisation=newcomer, joined_on=TODAY, actor=buyer)


def test_the_page_says_the_launch_and_what_leaving_gains(client, monkeypatch):
    """Saussan votes on 22/09, plus 7 and 15 days: 14/10. Without it, Prades signs 15 days after 18/08: 02/09."""
    today = date(2026, 8, 20)
    monkeypatch.setattr(timezone, "localdate", lambda *args: today)
    metropole, grouping = make_territory(members=0, lots=1, status="deliberations")
    commune = make_organisation(parent=metropole, name="Prades-le-Lez")
    saussan = make_organisation(parent=metropole, name="Saussan", population=1500)
    lot = grouping.lots.get()
    for body in (commune, saussan):
        make_need(make_membership(grouping, body), lot)
    ready(grouping.memberships.get(organisation=metropole))
    adopt(grouping.memberships.get(organisation=commune), date(2026, 8, 18))
    make_session(saussan, date(2026, 9, 22))

    states = launch_states(grouping, grouping.memberships.with_approval(today), today)
    sentence = "Lancement possible le 14/10/2026\u202f; sans Saussan\u00a0: le 02/09/2026."
    assert forecast(states, today=today).sentence == sentence

    client.force_login(make_affiliation(metropole).user)
    page = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    assert sentence in page
    assert reverse("grouping_launch_without", args=[grouping.pk]) in page
    assert "1 membre prêt sur 3" in page


def test_launching_without_from_the_screen(client, territory):
    metropole, grouping, late = territory
    client.force_login(make_affiliation(metropole).user)
    url = reverse("grouping_launch_without", args=[grouping.pk])
    page = client.get(url).content.decode()
    assert "18\u202f000,00" in page  # with everybody
    assert "17\u202f000,00" in page  # without the one proposed
    refused = client.post(url, {"leaving": [late.pk], "reason": " "})
    assert refused.status_code == 422
    coordinator = grouping.memberships.get(organisation=metropole)
    assert client.post(url, {"leaving": [coordinator.pk], "reason": "Non"}).status_code == 422
    assert client.post(url, {"leaving": [late.pk], "reason": "Urgence"}).status_code == 302
    grouping.refresh_from_db()
    assert grouping.status == "consultation"
    # A second click: the grouping is launched, and says so.
    assert client.post(url, {"leaving": [late.pk], "reason": "Urgence"}).status_code == 409


def test_the_forecast_of_a_member_tells_no_amount(client, territory):
    _, grouping, late = territory
    late.needs.update(estimated_amount_excl_tax=Decimal("98765.43"))
    other = grouping.memberships.exclude(pk=late.pk).exclude(organisation=grouping.coordinator).first()
    client.force_login(make_affiliation(other.organisation, Role.MEMBER_AGENT).user)
    page = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    assert "Lancement possible le" in page
    assert "98765,43" not in page.replace("\u202f", "")


def test_a_grouping_of_nobody_has_no_launch(client):
    metropole, grouping = make_territory(members=0, lots=1)
    grouping.memberships.all().delete()
    client.force_login(make_affiliation(metropole).user)
    assert 'id="lancement"' not in client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()


def test_a_permanent_convention_already_signed_is_ready_today(territory):
    metropole, grouping, late = territory
    assert Convention.objects.count() == 0
    late.deliberations.update(status="not_required", decided_on=None)
    sign(late, TODAY - timedelta(days=400))
    assert launch(grouping, make_affiliation(metropole)).status == "consultation"


def test_a_second_lot_counts_in_the_value(territory):
    _, grouping, late = territory
    make_need(late, make_lot(grouping, 2), "500.55")
    assert tender_scope(grouping, TODAY).total == Decimal("18500.55")
