"""Renewing a grouping: what is copied, what is not, once."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from djmoney.money import Money

from groupings.actions.renewal import grouping_renew
from groupings.models import Deliberation, Grouping, NeedLine
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.contracts import make_scene
from tests.support.factories import make_affiliation, make_grouping, make_need

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)


@pytest.fixture
def scene():
    return make_scene(
        integration_level="FULL", fee_rule="FLAT_FEE", fee_base=Money("150.00", "EUR"), duration_months=24
    )


def renew(scene, **fields):
    fields = {
        "reference": "GC-2028-07",
        "title": "Carburants 2028",
        "ends_on": date(2028, 5, 31),
        "actor": scene.buyer,
        "today": TODAY,
    } | fields
    return grouping_renew(grouping=scene.grouping, **fields)


def test_the_next_grouping_is_linked_and_copies_the_set_up(scene):
    lot = scene.grouping.lots.get(number=1)
    lot.minimum_excl_tax, lot.maximum_excl_tax, lot.cpv = Money("100.00", "EUR"), Money("2000.00", "EUR"), "09134100"
    lot.save()
    scene.membership.contact_name, scene.membership.contact_email = "Léa Référente", "lea@example.org"
    scene.membership.save()
    scene.own.contact_phone = "04 67 00 00 00"
    scene.own.save()
    scene.other.withdrawn_on = date(2026, 9, 30)
    scene.other.save()
    make_need(scene.membership, lot)
    renewal = renew(scene).grouping
    renewal.refresh_from_db()
    assert renewal.renews == scene.grouping
    assert (renewal.status, renewal.launched_on, renewal.opened_on) == ("needs", None, TODAY)
    assert (renewal.coordinator, renewal.integration_level) == (scene.metropole, "FULL")
    assert (renewal.fee_rule, renewal.fee_base.amount) == ("FLAT_FEE", Decimal("150.00"))
    copied = renewal.lots.get(number=1)
    assert (copied.title, copied.cpv, copied.is_framework) == ("Gazole", "09134100", True)
    assert (copied.minimum_excl_tax.amount, copied.maximum_excl_tax.amount) == (Decimal("100.00"), Decimal("2000.00"))
    assert renewal.lots.count() == 3
    members = {m.organisation: m for m in renewal.memberships.all()}
    assert set(members) == {scene.metropole, scene.commune}  # the one that left is not asked again
    assert (members[scene.commune].contact_name, members[scene.commune].contact_email) == (
        "Léa Référente",
        "lea@example.org",
    )
    assert members[scene.metropole].contact_phone == "04 67 00 00 00"
    assert Deliberation.objects.filter(membership__grouping=renewal, status="to_schedule").count() == 2
    assert not NeedLine.objects.filter(membership__grouping=renewal).exists()


def test_its_dates_are_counted_back_from_the_end(scene):
    """Ends on 31/05/2028, begins on 01/06/2028: needs on 01/07/2027, acts on 01/10, launch on 01/11, award on 01/05."""
    renewal = renew(scene).grouping
    assert renewal.performance_planned_on == date(2028, 6, 1)
    assert renewal.needs_due_on == date(2027, 7, 1)
    assert renewal.deliberations_due_on == date(2027, 10, 1)
    assert renewal.launch_planned_on == date(2027, 11, 1)
    assert renewal.award_planned_on == date(2028, 5, 1)


def test_twice_gives_the_first_one(scene):
    first = renew(scene)
    again = renew(scene, reference="AUTRE")
    assert (first.is_new, again.is_new, again.grouping) == (True, False, first.grouping)
    assert JournalEntry.objects.filter(verb="grouping.renew").count() == 1


def test_an_abandoned_renewal_does_not_prevent_another(scene):
    first = renew(scene).grouping
    Grouping.objects.filter(pk=first.pk).update(status="cancelled")
    assert renew(scene, reference="GC-2028-08").is_new


def test_a_reference_already_taken_is_told_by_its_box(scene):
    make_grouping(scene.metropole, reference="GC-2028-07")
    with pytest.raises(BusinessError) as caught:
        renew(scene)
    assert caught.value.field == "reference"
    assert not scene.grouping.renewals.exists()


@pytest.mark.parametrize("status", ["consultation", "award", "cancelled"])
def test_only_what_is_in_use_is_renewed(scene, status):
    Grouping.objects.filter(pk=scene.grouping.pk).update(status=status)
    with pytest.raises(BusinessError, match="en exécution ou au bilan"):
        renew(scene)


def test_who_may_renew(scene):
    for actor in (
        scene.agent,
        make_affiliation(scene.metropole, Role.FINANCE),
        make_affiliation(scene.commune, Role.BUYER),
    ):
        with pytest.raises(NotAllowed):
            renew(scene, actor=actor)


def test_from_the_screen(client, scene, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *args: TODAY)
    client.force_login(scene.buyer.user)
    url = reverse("grouping_renew", args=[scene.grouping.pk])
    page = client.get(url)
    # An extension is left: the last possible end is 31/05/2029.
    assert page.context["form"].initial["reference"] == "GC-2026-07"
    assert page.context["ends_on"] == date(2029, 5, 31)
    sent = {"reference": "GC-2026-07", "title": "Carburants", "ends_on": "2029-05-31"}
    assert client.post(url, sent | {"reference": "une référence"}).status_code == 422
    assert client.post(url, sent | {"ends_on": "31/02/2029"}).status_code == 422
    page = client.post(url, sent, follow=True)
    renewal = Grouping.objects.get(renews=scene.grouping)
    assert page.redirect_chain[-1][0] == reverse("grouping_detail", args=[renewal.pk])
    page = client.post(url, sent, follow=True)  # the second click
    assert "déjà en préparation" in page.content.decode()
    assert Grouping.objects.filter(renews=scene.grouping).count() == 1
    assert client.get(url).status_code == 302


def test_a_grouping_without_recorded_award_counts_from_its_plan(client, scene):
    scene.award.shares.all().delete()
    scene.second.shares.all().delete()
    for award in (scene.award, scene.second):
        award.holders.all().delete()
        award.delete()
    Grouping.objects.filter(pk=scene.grouping.pk).update(performance_planned_on=date(2026, 6, 1))
    client.force_login(scene.buyer.user)
    page = client.get(reverse("grouping_renew", args=[scene.grouping.pk]))
    assert page.context["ends_on"] == date(2028, 5, 31)  # twenty-four months
