"""From the database to the values: who is printed, what is missing, and no more queries for more members."""

from datetime import date
from decimal import Decimal

import pytest
from djmoney.money import Money

from groupings.conventions.assemble import assemble
from groupings.models import Membership
from procurement.core.errors import BusinessError
from tests.support.factories import (
    adopt,
    make_membership,
    make_need,
    make_organisation,
    make_representative,
    make_territory,
)

pytestmark = pytest.mark.django_db


def _assemble(grouping):
    grouping.refresh_from_db()
    return assemble(grouping, version=1)


def test_the_grouping_is_copied_with_its_law_and_its_needs():
    metropole, grouping = make_territory(members=2, lots=2, convention_on=date(2016, 3, 15))
    values = _assemble(grouping)
    assert values.problems() == []
    assert values.legal_basis.code == "CMP_8"
    assert values.as_of == date(2016, 3, 15)
    assert values.coordinator.name == metropole.name and values.members[0].siren == metropole.siren
    assert [lot.number for lot in values.lots] == [1, 2]
    # Three members, two lots, 1 000.00 € each.
    assert sum(need.estimated_amount_excl_tax for need in values.needs) == Decimal("6000.00")
    assert values.cpv_label and values.duration_months == 48
    assert values.is_draft


def test_an_unknown_amount_is_absent_and_a_withdrawn_member_gone():
    _, grouping = make_territory(members=2, lots=1)
    newcomer = make_membership(grouping, make_organisation("commune", parent=grouping.coordinator))
    make_need(newcomer, grouping.lots.get(), None)
    gone = grouping.memberships.exclude(organisation=grouping.coordinator).first()
    Membership.objects.filter(pk=gone.pk).update(withdrawn_on=gone.joined_on)
    values = _assemble(grouping)
    sirens = [member.siren for member in values.members]
    assert newcomer.organisation.siren in sirens and gone.organisation.siren not in sirens
    assert {need.siren for need in values.needs} == set(sirens) - {newcomer.organisation.siren}


def test_a_decision_counts_when_enforceable_only():
    _, grouping = make_territory(members=1, lots=1)
    memberships = list(grouping.memberships.all())
    for membership in memberships:
        adopt(membership, date(2026, 10, 1), number="2026-07")
    values = _assemble(grouping)
    assert not values.is_draft
    assert {member.deliberation.executory_on for member in values.members} == {date(2026, 10, 1)}
    adopt_without_act = memberships[0].deliberations.get()
    adopt_without_act.published_on = None
    adopt_without_act.save()
    values = _assemble(grouping)
    assert values.is_draft
    assert [member.deliberation.executory_on for member in values.members].count(None) == 1


def test_the_signatory_is_who_was_in_office_on_the_day():
    metropole, grouping = make_territory(members=1, lots=1, convention_on=date(2016, 3, 15))
    make_representative(metropole, civility="mr", first_name="Ancien", last_name="Président", start_on=date(2008, 4, 1))
    metropole.representatives.filter(last_name="Président").update(end_on=date(2014, 3, 31))
    metropole.representatives.filter(last_name="Œuvrard").update(end_on=date(2020, 6, 30))
    make_representative(metropole, first_name="Future", last_name="Présidente", start_on=date(2020, 7, 1))
    signatory = _assemble(grouping).coordinator.representative
    assert (signatory.civility, signatory.name, signatory.title) == ("Madame", "Hélène Œuvrard", "Présidente")


def test_fees_are_shared_to_the_cent():
    _, grouping = make_territory(members=2, lots=1)
    grouping.fee_rule, grouping.fee_base = "EQUAL_SHARES", Money(1000, "EUR")
    grouping.save()
    shares = [share.amount for share in _assemble(grouping).fees.shares]
    assert shares == [Decimal("333.34"), Decimal("333.33"), Decimal("333.33")]


def test_fees_without_a_key_are_refused_in_french():
    metropole, grouping = make_territory(members=0, lots=1, fee_rule="ESTIMATED_AMOUNT", fee_base=Money(10, "EUR"))
    grouping.memberships.get(organisation=metropole).needs.all().delete()
    with pytest.raises(BusinessError, match="clé"):
        _assemble(grouping)


def test_no_more_queries_for_more_members():
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for members in (2, 20):
        _, grouping = make_territory(members=members, lots=3)
        grouping.refresh_from_db()
        with CaptureQueriesContext(connection) as captured:
            assemble(grouping, version=1)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 9


def test_demonstration_data_say_so_and_real_data_say_nothing():
    _, grouping = make_territory(members=1, lots=1)
    assert _assemble(grouping).notes == ()
    grouping.source = "bilan 2016"
    grouping.save()
    ccas = make_organisation("ccas", name="CCAS de Lattes", parent=grouping.coordinator, source="SIREN fictif")
    make_membership(grouping, ccas)
    first, second = _assemble(grouping).notes
    assert "démonstration" in first and "bilan 2016" in first
    assert "CCAS de Lattes" in second
