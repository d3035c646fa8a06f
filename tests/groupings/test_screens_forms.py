"""Writing through the screens: what is kept, what is refused, and the sentence of each refusal."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from groupings.models import Grouping, Lot, Membership
from members.roles import Role
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


@pytest.fixture
def metropole():
    return make_metropole()


@pytest.fixture
def buyer(client, metropole):
    affiliation = make_affiliation(metropole)
    client.force_login(affiliation.user)
    return affiliation


def card(metropole, **changes) -> dict[str, str]:
    """The boxes of a valid grouping."""
    return {
        "reference": "GC-2027-09",
        "title": "Fournitures de bureau",
        "category": "supplies",
        "cpv": "30192000",
        "coordinator": str(metropole.pk),
        "coordinator_has_own_need": "on",
        "kind": "ad_hoc",
        "integration_level": "PARTIAL",
        "legal_vehicle": "grouping",
        "tender_committee_mode": "COORDINATOR",
        "fee_rule": "FREE",
        "duration_months": "48",
        "extension_count": "0",
        "extension_months": "0",
        "opened_on": "2026-11-02",
        **changes,
    }


def errors(response) -> dict[str, list[str]]:
    return {name: list(problems) for name, problems in response.context["form"].errors.items()}


# The card


def test_a_grouping_is_created_with_its_coordinator_as_first_member(client, buyer, metropole):
    response = client.post(
        reverse("grouping_create"),
        card(metropole, fee_rule="EQUAL_SHARES", fee_base="1 234,56 €", cpv="30192000-1"),
    )
    grouping = Grouping.objects.get()
    assert response.url == reverse("grouping_detail", args=[grouping.pk])
    assert grouping.fee_base.amount == Decimal("1234.56")
    assert (grouping.cpv, grouping.opened_on) == ("30192000", date(2026, 11, 2))
    assert [membership.organisation for membership in grouping.memberships.all()] == [metropole]
    entry = JournalEntry.objects.get(verb="grouping.create")
    assert (entry.actor, entry.organisation) == (buyer.user, metropole)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"fee_base": "-5"}, "fee_base", "Un montant ne peut pas être négatif."),
        ({"fee_base": "12,345"}, "fee_base", "12,345\u00a0» est ambigu"),
        ({"fee_base": "1,2345"}, "fee_base", "a plus de deux décimales"),
        ({"fee_base": "beaucoup"}, "fee_base", "n’est pas un montant"),
        ({"fee_base": "10"}, "fee_base", "La gratuité ne se chiffre pas"),
        ({"fee_rule": "EQUAL_SHARES", "fee_base": "10", "fee_ceiling": "9"}, "fee_ceiling", "dépassent ce plafond"),
        ({"fee_rule": "FLAT_FEE"}, "fee_base", "Un forfait demande son montant"),
        ({"title": "T" * 201}, "title", "200"),
        ({"title": "Papier\u202egnp.exe"}, "title", "caractère invisible"),
        ({"reference": "Réf 1"}, "reference", "lettres sans accent"),
        ({"cpv": "30192001"}, "cpv", "n’est pas dans la nomenclature"),
        ({"cpv": "papier"}, "cpv", "Codes possibles"),
        ({"cpv": ""}, "cpv", "obligatoire"),
        ({"coordinator_has_own_need": ""}, "statutes_clause_ref", "clause des statuts est citée"),
        ({"extension_count": "2"}, "extension_months", "Indiquez la durée d’une reconduction."),
        ({"duration_months": "0"}, "duration_months", "supérieure ou égale à 1"),
        ({"launch_planned_on": "2027-05-01", "award_planned_on": "2027-04-01"}, "award_planned_on", "précède"),
        ({"opened_on": "31/02/2027"}, "opened_on", "date valide"),
        ({"coordinator": "999999"}, "coordinator", "choix"),
    ],
)
def test_a_bad_card_is_refused_by_its_field_and_the_input_is_kept(client, buyer, metropole, changes, field, sentence):
    response = client.post(reverse("grouping_create"), card(metropole, **changes))
    assert response.status_code == 422
    assert sentence in " ".join(errors(response)[field])
    page = response.content.decode()
    assert f'value="{changes.get("title", "Fournitures de bureau")}"' in page
    assert 'id="form-errors"' in page
    assert f'aria-describedby="id_{field}' in page or f'id="id_{field}_error"' in page
    assert not Grouping.objects.exists()
    assert not JournalEntry.objects.exists()


def test_a_reference_is_used_once_by_a_coordinator_and_freely_by_another(client, buyer, metropole):
    make_grouping(metropole, reference="GC-2027-09")
    response = client.post(reverse("grouping_create"), card(metropole))
    assert response.status_code == 422
    assert errors(response) == {"reference": ["Ce coordonnateur a déjà un groupement de cette référence."]}
    Grouping.objects.all().delete()
    make_grouping(make_metropole(), reference="GC-2027-09")
    assert client.post(reverse("grouping_create"), card(metropole)).status_code == 302


def test_the_choices_stop_at_the_territory(client, buyer, metropole):
    foreign = make_metropole(name="Métropole leaked")
    foreign_buyer = make_affiliation(foreign).user
    foreign_grouping = make_grouping(foreign, title="Titre leaked")
    page = client.get(reverse("grouping_create")).content.decode()
    assert "leaked" not in page
    assert str(foreign_buyer) not in page
    for name, value in (("coordinator", foreign.pk), ("buyer", foreign_buyer.pk), ("renews", foreign_grouping.pk)):
        response = client.post(reverse("grouping_create"), card(metropole, **{name: str(value)}))
        assert list(errors(response)) == [name]
    assert Grouping.objects.count() == 1


def test_a_coordinator_outside_the_members_is_refused(client, buyer, metropole):
    grouping = make_grouping(metropole)
    make_membership(grouping, metropole)
    outside = make_organisation(parent=metropole, name="Commune dehors")
    response = client.post(
        reverse("grouping_change", args=[grouping.pk]), card(metropole, coordinator=str(outside.pk), version="1")
    )
    assert response.status_code == 422
    assert "Commune dehors n’est pas membre du groupement" in errors(response)["coordinator"][0]
    grouping.refresh_from_db()
    assert grouping.coordinator == metropole


def test_two_people_changing_one_card_see_both_values(client, buyer, metropole):
    grouping = make_grouping(metropole, reference="GC-2027-09", title="Titre d’avant")
    url = reverse("grouping_change", args=[grouping.pk])
    assert client.post(url, card(metropole, title="Titre du premier", version="1")).status_code == 302
    response = client.post(url, card(metropole, title="Titre du second", version="1"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "modifié entre-temps" in page
    assert "Titre du premier" in page
    assert "Titre du second" in page
    assert [conflict["label"] for conflict in response.context["conflicts"]] == ["Objet"]
    grouping.refresh_from_db()
    assert grouping.title == "Titre du premier"
    # Saving again, the other's value read, is a decision.
    again = response.context["form"]["version"].value()
    assert client.post(url, card(metropole, title="Titre du second", version=again)).status_code == 302
    grouping.refresh_from_db()
    assert grouping.title == "Titre du second"


def test_a_card_sent_without_its_version_is_refused(client, buyer, metropole):
    grouping = make_grouping(metropole, reference="GC-2027-09", title="Titre d’avant")
    response = client.post(reverse("grouping_change", args=[grouping.pk]), card(metropole))
    assert response.status_code == 422
    grouping.refresh_from_db()
    assert grouping.title == "Titre d’avant"


def test_declaring_a_grouping_needs_little(client, buyer, metropole):
    boxes = {
        "reference": "EAU-1",
        "title": "Compteurs d’eau",
        "category": "supplies",
        "cpv": "38421100",
        "coordinator": str(metropole.pk),
        "declaring_department": "Direction de l’eau",
        "status": "performance",
        "declared_participants": "6",
        "declared_amount_excl_tax": "120 000",
        "opened_on": "2025-01-06",
        "duration_months": "36",
    }
    refused = client.post(reverse("grouping_create_declared"), {**boxes, "declaring_department": ""})
    assert list(errors(refused)) == ["declaring_department"]
    assert client.post(reverse("grouping_create_declared"), boxes).status_code == 302
    grouping = Grouping.objects.get()
    assert grouping.is_declared_only
    assert grouping.declared_amount_excl_tax.amount == Decimal("120000.00")
    assert not grouping.memberships.exists()


# The steps


def test_a_step_is_taken_refused_or_asks_its_reason(client, buyer, metropole):
    grouping = make_grouping(metropole)
    url = reverse("grouping_advance", args=[grouping.pk])
    refused = client.post(url, {"step": "close_needs"})
    assert refused.status_code == 422
    assert "au moins deux membres" in refused.content.decode()
    silent = client.post(url, {"step": "cancel", "reason": "  "})
    assert "Indiquez le motif" in silent.content.decode()
    unknown = client.post(url, {"step": "voler"})
    assert (unknown.status_code, "Cette étape n’existe pas." in unknown.content.decode()) == (422, True)
    lot = make_lot(grouping)
    for body in (metropole, make_organisation(parent=metropole)):
        make_need(make_membership(grouping, body), lot)
    assert client.post(url, {"step": "close_needs"}).status_code == 302
    assert client.post(url, {"step": "reopen_needs", "reason": "Un lot manque <b>"}).status_code == 302
    grouping.refresh_from_db()
    assert grouping.status == "needs"
    page = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    assert "Un lot manque &lt;b&gt;" in page


# Lots


def test_lots_are_added_changed_and_removed(client, buyer, metropole):
    grouping = make_grouping(metropole)
    make_lot(grouping, 1)
    create = reverse("lot_create", args=[grouping.pk])
    assert 'value="2"' in client.get(create).content.decode()
    twice = client.post(create, {"number": "1", "title": "Encore"})
    assert errors(twice) == {"number": ["Ce groupement a déjà un lot de ce numéro."]}
    assert client.post(create, {"number": "2", "title": "=2+2", "cpv": ""}).status_code == 302
    lot = Lot.objects.get(number=2)
    change = reverse("lot_change", args=[grouping.pk, lot.pk])
    assert client.post(change, {"number": "3", "title": "Enveloppes"}).status_code == 302
    lot.refresh_from_db()
    assert (lot.number, lot.title, lot.grouping) == (3, "Enveloppes", grouping)
    need = make_need(make_membership(grouping, metropole), lot)
    remove = reverse("lot_remove", args=[grouping.pk, lot.pk])
    refused = client.post(remove)
    assert refused.status_code == 422
    assert "retirez d’abord ces besoins" in refused.content.decode()
    need.delete()
    assert client.get(remove).status_code == 200
    assert Lot.objects.filter(pk=lot.pk).exists()
    assert client.post(remove).status_code == 302
    assert not Lot.objects.filter(pk=lot.pk).exists()


# Members


def test_several_members_are_added_at_once_or_none(client, buyer, metropole):
    grouping = make_grouping(metropole)
    towns = [make_organisation(parent=metropole, name=f"Commune {n}") for n in range(3)]
    url = reverse("membership_create", args=[grouping.pk])
    assert errors(client.post(url, {"joined_on": "2026-11-02"})) == {"organisations": ["Cochez au moins un organisme."]}
    foreign = make_organisation(parent=make_metropole(), name="Commune leaked")
    mixed = client.post(url, {"joined_on": "2026-11-02", "organisations": [towns[0].pk, foreign.pk]})
    assert mixed.status_code == 422
    assert "leaked" not in mixed.content.decode()
    assert not Membership.objects.exists()
    response = client.post(url, {"joined_on": "2026-11-02", "organisations": [town.pk for town in towns]})
    assert response.status_code == 302
    assert [m.joined_on for m in grouping.memberships.all()] == [date(2026, 11, 2)] * 3
    assert all(m.deliberations.count() == 1 for m in grouping.memberships.all())


def test_nobody_joins_once_the_tender_has_started(client, buyer, metropole):
    grouping = make_grouping(metropole, status="consultation", launched_on=date(2026, 10, 1))
    town = make_organisation(parent=metropole)
    url = reverse("membership_create", args=[grouping.pk])
    response = client.post(url, {"joined_on": "2026-11-02", "organisations": [town.pk]})
    assert response.status_code == 422
    assert "ne peut plus en bénéficier" in response.content.decode()


def test_a_withdrawal_before_the_joining_is_refused_by_its_field(client, buyer, metropole):
    grouping = make_grouping(metropole)
    membership = make_membership(grouping, make_organisation(parent=metropole), joined_on=date(2026, 11, 2))
    url = reverse("membership_change", args=[grouping.pk, membership.pk])
    response = client.post(url, {"joined_on": "2026-11-02", "withdrawn_on": "2026-11-01", "contact_name": "Léa"})
    assert response.status_code == 422
    assert errors(response) == {"withdrawn_on": ["Le retrait ne peut pas précéder l’adhésion."]}
    assert 'value="Léa"' in response.content.decode()
    membership.refresh_from_db()
    assert (membership.withdrawn_on, membership.contact_name) == (None, "")
    assert client.post(url, {"joined_on": "2026-11-02", "withdrawn_on": "2026-11-03"}).status_code == 302


def test_the_coordinator_cannot_withdraw(client, buyer, metropole):
    grouping = make_grouping(metropole)
    membership = make_membership(grouping, metropole)
    url = reverse("membership_change", args=[grouping.pk, membership.pk])
    response = client.post(url, {"joined_on": "2026-09-01", "withdrawn_on": "2026-11-01"})
    assert "désignez-en un autre" in errors(response)["withdrawn_on"][0]


def test_a_member_changes_its_contact_and_never_its_dates(client):
    metropole, grouping = make_territory(members=1)
    own = grouping.memberships.exclude(organisation=metropole).get()
    client.force_login(make_affiliation(own.organisation, Role.MEMBER_AGENT).user)
    url = reverse("membership_change", args=[grouping.pk, own.pk])
    assert "withdrawn_on" not in client.get(url).content.decode()
    client.post(url, {"contact_name": "Léa Œuvrard", "withdrawn_on": "2026-11-20", "joined_on": "2020-01-01"})
    own.refresh_from_db()
    assert (own.contact_name, own.withdrawn_on, own.joined_on) == ("Léa Œuvrard", None, grouping.opened_on)
    other = grouping.memberships.get(organisation=metropole)
    for name in ("membership_change", "needs_change"):
        assert client.post(reverse(name, args=[grouping.pk, other.pk]), {}).status_code == 403


def test_a_buyer_of_a_member_changes_nothing_of_the_grouping(client):
    """The role alone is not the right: it is held for the coordinator's organisation."""
    metropole, grouping = make_territory(members=1)
    own = grouping.memberships.exclude(organisation=metropole).get()
    client.force_login(make_affiliation(own.organisation, Role.BUYER).user)
    page = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    assert "Étape suivante" not in page
    for name in ("grouping_change", "grouping_advance", "lot_create", "membership_create", "convention_generate"):
        assert client.post(reverse(name, args=[grouping.pk]), {"step": "cancel", "reason": "x"}).status_code == 403
    assert client.post(reverse("grouping_create"), card(metropole)).status_code == 403
