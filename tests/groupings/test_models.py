"""Groupings, lots, memberships, needs, deliberations, conventions: one test per constraint."""

from datetime import date
from decimal import Decimal
from itertools import chain

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from djmoney.money import Money

from groupings.actions.membership import need_set
from groupings.models import Convention, ConventionDocument, Deliberation, Grouping, Lot, Membership, NeedLine
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError
from tests.support.factories import (
    adopt,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_session,
    make_territory,
)

pytestmark = pytest.mark.django_db


def assert_refused(obj, sentence, *, field=None):
    """By the form, with its French sentence, and by the database when the form is gone around."""
    with pytest.raises(ValidationError) as caught:
        obj.full_clean()
    errors = caught.value.message_dict
    assert sentence in (errors[field] if field else chain.from_iterable(errors.values()))
    assert_refused_by_database(obj)


def assert_refused_by_database(obj):
    with pytest.raises(IntegrityError), transaction.atomic():
        obj.save()


@pytest.fixture
def grouping():
    return make_grouping(make_metropole())


def test_a_reference_is_held_once_by_a_coordinator(grouping):
    twin = Grouping(
        reference=grouping.reference,
        title="Autre",
        category="supplies",
        cpv="30192000",
        coordinator=grouping.coordinator,
        duration_months=12,
        opened_on=date(2026, 9, 1),
    )
    assert_refused(twin, "Ce coordonnateur a déjà un groupement de cette référence.")
    twin.coordinator = make_metropole()
    twin.full_clean()


@pytest.mark.parametrize("reference", ["", "GC 1", "-GC", "GC/1", "é1", "A" * 31, "=1+1"])
def test_a_reference_names_files(grouping, reference):
    grouping.reference = reference
    with pytest.raises(ValidationError) as caught:
        grouping.full_clean()
    assert "reference" in caught.value.message_dict


def test_a_launched_grouping_bears_the_date_of_its_launch(grouping):
    grouping.status = "consultation"
    assert_refused(grouping, "Un groupement dont la consultation est lancée porte la date du lancement.")
    grouping.is_declared_only = True
    grouping.full_clean()


def test_a_grouping_in_preparation_has_no_launch_date(grouping):
    grouping.launched_on = date(2026, 10, 1)
    assert_refused(grouping, "Un groupement en préparation n’a pas de date de lancement.")


def test_a_grouping_does_not_close_before_it_opens(grouping):
    grouping.closed_on = date(2026, 8, 31)
    assert_refused(grouping, "Un groupement ne peut pas être clos avant d’être ouvert.")


@pytest.mark.parametrize(
    "fields",
    [
        {"fee_rule": "FREE", "statutes_clause_ref": ""},
        {"fee_rule": "EQUAL_SHARES", "statutes_clause_ref": "article 5"},
    ],
)
def test_a_coordinator_without_need_is_free_and_cites_its_statutes(grouping, fields):
    grouping.coordinator_has_own_need = False
    for name, value in fields.items():
        setattr(grouping, name, value)
    assert_refused(
        grouping,
        "Sans besoin propre du coordonnateur, l’intervention est gratuite et la clause des statuts est citée "
        "(CGCT, L5211-4-4).",
    )
    grouping.fee_rule, grouping.statutes_clause_ref = "FREE", "article 5"
    grouping.full_clean()


def test_an_extension_has_a_length(grouping):
    grouping.extension_count = 2
    assert_refused(grouping, "Indiquez la durée d’une reconduction.")
    grouping.extension_months = 12
    grouping.full_clean()
    assert grouping.total_months == 48 + 2 * 12


@pytest.mark.parametrize("field", ["fee_base", "fee_ceiling", "declared_amount_excl_tax"])
def test_amounts_of_a_grouping_are_euros_and_not_negative(grouping, field):
    setattr(grouping, field, Money("-0.01", "EUR"))
    assert_refused(grouping, "Un montant ne peut pas être négatif.")
    setattr(grouping, field, Money("0.00", "EUR"))
    grouping.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Grouping.objects.filter(pk=grouping.pk).update(**{f"{field}_currency": "USD"})


def test_amounts_are_rounded_half_up(grouping):
    # Half to even, django-money's own way, would give 0.12.
    grouping.fee_base = Money("0.125", "EUR")
    grouping.save()
    grouping.refresh_from_db()
    assert grouping.fee_base == Money("0.13", "EUR")


@pytest.mark.parametrize("code", ["12345678", "3019200", "30192000-1", "abcdefgh"])
def test_a_cpv_code_is_one_of_the_list(grouping, code):
    grouping.cpv = code
    with pytest.raises(ValidationError) as caught:
        grouping.full_clean()
    assert "cpv" in caught.value.message_dict


def test_a_lot_number_is_used_once(grouping):
    make_lot(grouping, 1)
    assert_refused(Lot(grouping=grouping, number=1, title="Autre"), "Ce groupement a déjà un lot de ce numéro.")


@pytest.mark.parametrize("number", [0, 1000])
def test_lot_numbers_go_from_1_to_999(grouping, number):
    with pytest.raises(ValidationError) as caught:
        Lot(grouping=grouping, number=number, title="Lot").full_clean()
    assert "number" in caught.value.message_dict


def test_a_body_joins_a_grouping_once(grouping):
    membership = make_membership(grouping, grouping.coordinator)
    twin = Membership(grouping=grouping, organisation=membership.organisation, joined_on=date(2026, 9, 1))
    assert_refused(twin, "Cet organisme est déjà membre du groupement.")


@pytest.mark.parametrize("joined_on", [date(2026, 10, 2), None])
def test_a_withdrawal_does_not_precede_the_joining(grouping, joined_on):
    membership = make_membership(grouping, grouping.coordinator)
    membership.joined_on, membership.withdrawn_on = joined_on, date(2026, 10, 1)
    assert_refused(membership, "Le retrait ne peut pas précéder l’adhésion.", field="withdrawn_on")
    membership.joined_on = date(2026, 10, 1)
    membership.full_clean()


def test_a_member_has_one_need_per_lot(grouping):
    membership, lot = make_membership(grouping, grouping.coordinator), make_lot(grouping)
    make_need(membership, lot)
    assert_refused(NeedLine(membership=membership, lot=lot), "Ce membre a déjà un besoin pour ce lot.")


def test_a_need_is_not_negative(grouping):
    membership, lot = make_membership(grouping, grouping.coordinator), make_lot(grouping)
    line = NeedLine(membership=membership, lot=lot, estimated_amount_excl_tax=Money("-1", "EUR"))
    assert_refused(line, "Un montant ne peut pas être négatif.")
    line = NeedLine(membership=membership, lot=lot, quantity=Decimal("-0.001"))
    assert_refused(line, "Une quantité ne peut pas être négative.")


def test_a_need_is_in_euros(grouping):
    line = make_need(make_membership(grouping, grouping.coordinator), make_lot(grouping))
    with pytest.raises(IntegrityError), transaction.atomic():
        NeedLine.objects.filter(pk=line.pk).update(estimated_amount_excl_tax_currency="USD")


def test_a_need_is_for_a_lot_of_its_own_grouping(grouping):
    membership = make_membership(grouping, grouping.coordinator)
    line = NeedLine(membership=membership, lot=make_lot(make_grouping(grouping.coordinator)))
    for act in (line.full_clean, line.save):
        with pytest.raises(ValidationError, match="Ce lot appartient à un autre groupement"):
            act()
    assert not NeedLine.objects.exists()


def test_an_unknown_need_is_not_zero(grouping):
    make_need(make_membership(grouping, grouping.coordinator), make_lot(grouping), amount=None)
    assert NeedLine.objects.get().estimated_amount_excl_tax is None


@pytest.fixture
def deliberation(grouping):
    make_membership(grouping, grouping.coordinator)
    return Deliberation.objects.get()


def test_one_deliberation_per_member_and_purpose(deliberation):
    assert_refused_by_database(Deliberation(membership=deliberation.membership))
    Deliberation(membership=deliberation.membership, purpose="award").full_clean()


@pytest.mark.parametrize("status", ["adopted", "rejected"])
def test_a_voted_deliberation_bears_its_date(deliberation, status):
    deliberation.status = status
    assert_refused(deliberation, "Une délibération votée porte la date du vote, et elle seule.")


def test_a_deliberation_to_schedule_has_no_vote_date(deliberation):
    deliberation.decided_on = date(2026, 10, 1)
    assert_refused(deliberation, "Une délibération votée porte la date du vote, et elle seule.")


@pytest.mark.parametrize("status", ["on_agenda", "convened"])
def test_a_deliberation_on_an_agenda_names_its_session(deliberation, status):
    deliberation.status = status
    assert_refused(deliberation, "Une délibération inscrite désigne sa séance.")


def test_the_session_is_one_of_the_members_own_assembly(deliberation):
    neighbour = make_organisation(parent=deliberation.membership.organisation)
    deliberation.session = make_session(neighbour, date(2026, 12, 1))
    with pytest.raises(ValidationError) as caught:
        deliberation.full_clean()
    assert caught.value.message_dict == {"session": ["Cette séance est celle d’un autre organisme."]}


@pytest.mark.parametrize("field", ["transmitted_on", "received_on", "published_on"])
def test_only_an_adopted_deliberation_is_sent_and_published(deliberation, field):
    deliberation.status, deliberation.decided_on = "rejected", date(2026, 10, 1)
    deliberation.transmitted_on = date(2026, 10, 2) if field == "received_on" else None
    setattr(deliberation, field, date(2026, 10, 2))
    assert_refused(deliberation, "Seule une délibération adoptée se transmet et se publie.")


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        ({"transmitted_on": date(2026, 9, 30)}, "La transmission ne peut pas précéder le vote."),
        ({"received_on": date(2026, 10, 2)}, "La réception ne peut pas précéder la transmission."),
        (
            {"transmitted_on": date(2026, 10, 3), "received_on": date(2026, 10, 2)},
            "La réception ne peut pas précéder la transmission.",
        ),
        ({"published_on": date(2026, 9, 30)}, "La publication ne peut pas précéder le vote."),
    ],
)
def test_the_dates_of_an_act_follow_one_another(deliberation, dates, sentence):
    deliberation.status, deliberation.decided_on = "adopted", date(2026, 10, 1)
    for name, value in dates.items():
        setattr(deliberation, name, value)
    assert_refused(deliberation, sentence)


def test_an_act_is_enforceable_once_published_and_received(deliberation):
    adopt(deliberation.membership, date(2026, 10, 1), executory=False)
    deliberation.refresh_from_db()
    assert (deliberation.executory_on, deliberation.badge.word) == (None, "Votée")
    deliberation.published_on = date(2026, 10, 5)
    assert deliberation.executory_on is None
    deliberation.transmitted_on, deliberation.received_on = date(2026, 10, 6), date(2026, 10, 7)
    deliberation.full_clean()
    assert (deliberation.executory_on, deliberation.badge.word) == (date(2026, 10, 7), "Exécutoire")


def test_an_actes_identifier_belongs_to_one_act(deliberation):
    adopted = {"status": "adopted", "decided_on": date(2026, 10, 1), "actes_id": "034-243400017-20261001-DL1-DE"}
    Deliberation.objects.filter(pk=deliberation.pk).update(**adopted)
    assert_refused_by_database(Deliberation(membership=deliberation.membership, purpose="award", **adopted))


def test_an_act_not_voted_has_no_actes_identifier(deliberation):
    deliberation.actes_id = "034-243400017-20261001-DL1-DE"
    assert_refused(deliberation, "Seule une délibération adoptée se transmet et se publie.")


def test_a_member_approves_once_and_may_vote_several_amendments(deliberation):
    assert_refused_by_database(Deliberation(membership=deliberation.membership, purpose="convention"))
    for _ in range(2):
        Deliberation.objects.create(membership=deliberation.membership, purpose="amendment")


def test_the_numbers_of_a_vote_come_together(deliberation):
    deliberation.votes_for = 12
    assert_refused(deliberation, "Indiquez tous les nombres du vote, ou aucun.")


@pytest.fixture
def convention(grouping):
    return Convention.objects.create(
        grouping=grouping,
        version=1,
        values={},
        values_sha256="0" * 64,
        texts_sha256="0" * 64,
        legal_basis="CCP",
        is_draft=True,
        frozen_at=timezone.now(),
    )


def test_a_convention_version_exists_once(convention):
    convention.pk = None
    convention._state.adding = True
    assert_refused_by_database(convention)


def test_a_member_has_one_document_per_version_and_it_has_a_hash(convention):
    membership = make_membership(convention.grouping, convention.grouping.coordinator)

    def document(sha256):
        return ConventionDocument(
            convention=convention, membership=membership, file="a.pdf", sha256=sha256, size=1, pages=1
        )

    assert_refused_by_database(document(""))
    document("0" * 64).save()
    assert_refused_by_database(document("1" * 64))


def test_figures_of_a_list_of_groupings():
    # Three bodies of two lots at 1 000.00 €; one body withdraws, one act is enforceable.
    metropole, grouping = make_territory(members=2, lots=2)
    first, second, third = grouping.memberships.all()
    adopt(first, date(2026, 10, 1))
    adopt(second, date(2026, 10, 1), executory=False)
    third.withdrawn_on = date(2026, 10, 2)
    third.save()
    row = Grouping.objects.filter(coordinator=metropole).with_figures().get()
    assert (row.member_count, row.executory_count) == (2, 1)
    assert Decimal(row.estimated_total) == Decimal("4000.00")


def test_the_needs_of_an_abandoned_grouping_do_not_change():
    _, grouping = make_territory(members=1, lots=1, status="cancelled")
    membership = grouping.memberships.first()
    with pytest.raises(BusinessError, match="abandonné"):
        need_set(membership=membership, lot=grouping.lots.get(), amount=Decimal("5.00"), actor=SystemActor("essai"))
    assert membership.needs.get().estimated_amount_excl_tax.amount == Decimal("1000.00")
