"""The journal: append-only, exact, and read only inside its territory."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from djmoney.money import Money

from members.actions import organisation_save
from members.models import Organisation
from members.roles import Role
from procurement.core.actors import SystemActor
from procurement.core.errors import NotAllowed
from procurement.core.journal.models import JournalEntry, JournalIsAppendOnly
from procurement.core.journal.record import changes, delete_recorded, json_value, record, save_recorded, snapshot
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
)

pytestmark = pytest.mark.django_db
SYSTEM = SystemActor("Test")


@pytest.fixture
def entry():
    metropole = make_metropole()
    return record(actor=SYSTEM, territory_id=metropole.pk, thread="x", verb="x", sentence="Phrase d’origine")


@pytest.mark.parametrize(
    "attack",
    [
        lambda entry: entry.save(),
        lambda entry: entry.save(update_fields=["sentence"]),
        lambda entry: entry.delete(),
        lambda entry: JournalEntry.objects.update(sentence="faux"),
        lambda entry: JournalEntry.objects.filter(pk=entry.pk).update(sentence="faux"),
        lambda entry: JournalEntry.objects.all().delete(),
        lambda entry: JournalEntry.objects.bulk_update([entry], ["sentence"]),
        lambda entry: JournalEntry.objects.update_or_create(pk=entry.pk, defaults={"sentence": "faux"}),
        lambda entry: JournalEntry.objects.bulk_create(
            [entry], update_conflicts=True, update_fields=["sentence"], unique_fields=["id"]
        ),
        lambda entry: JournalEntry._base_manager.filter(pk=entry.pk).update(sentence="faux"),
        lambda entry: JournalEntry._base_manager.all().delete(),
    ],
)
def test_an_entry_never_changes_nor_disappears(entry, attack):
    entry.sentence = "faux"
    with pytest.raises(JournalIsAppendOnly):
        attack(entry)
    assert JournalEntry.objects.get().sentence == "Phrase d’origine"


def test_a_new_entry_cannot_take_the_place_of_an_old_one(entry):
    from django.db import IntegrityError, transaction

    forged = JournalEntry(
        pk=entry.pk, territory_id=entry.territory_id, actor_label="Test", thread="x", verb="x", sentence="faux"
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        forged.save()
    assert JournalEntry.objects.get().sentence == "Phrase d’origine"


def test_what_the_journal_names_cannot_be_erased():
    from django.db.models import ProtectedError

    metropole = make_metropole()
    affiliation = make_affiliation(metropole)
    record(actor=affiliation, territory_id=metropole.pk, thread="x", verb="x", sentence="x")
    for row in (metropole, affiliation.user):
        with pytest.raises(ProtectedError):
            row.delete()


def test_a_change_keeps_the_old_and_the_new_value():
    buyer = make_affiliation(make_metropole(name="Métropole"))
    commune = make_organisation(parent=buyer.organisation, name="Lattes", city="Lattes")
    commune.city = "Maurin"
    organisation_save(organisation=commune, actor=buyer)
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.sentence) == ("organisation.change", "Fiche de Lattes modifiée")
    assert (entry.before, entry.after) == ({"city": "Lattes"}, {"city": "Maurin"})
    assert (entry.actor, entry.organisation) == (buyer.user, buyer.organisation)
    assert entry.actor_label == f"{buyer.user}, Acheteur, Métropole"
    assert (entry.territory, entry.concerns, entry.thread) == (
        buyer.organisation,
        commune,
        f"organisation:{commune.pk}",
    )


def test_nothing_is_written_when_nothing_changed():
    buyer = make_affiliation(make_metropole())
    commune = make_organisation(parent=buyer.organisation)
    organisation_save(organisation=Organisation.objects.get(pk=commune.pk), actor=buyer)
    assert not JournalEntry.objects.exists()


def test_the_same_amount_written_otherwise_is_no_change():
    metropole = make_metropole()
    grouping = make_grouping(metropole, fee_base=Money("1000.00", "EUR"))
    grouping.refresh_from_db()
    grouping.fee_base = Money("1000", "EUR")
    assert not save_recorded(grouping, actor=SYSTEM, verb="x", sentence="x")
    line = make_need(make_membership(grouping, metropole), make_lot(grouping), quantity=Decimal("12.500"))
    line.refresh_from_db()
    line.quantity = Decimal("12.5")
    assert not save_recorded(line, actor=SYSTEM, verb="x", sentence="x")
    assert not JournalEntry.objects.exists()


def test_a_refused_save_leaves_no_entry():
    metropole = make_metropole()
    metropole.siren = "123456789"
    with pytest.raises(ValidationError):
        save_recorded(metropole, actor=SYSTEM, verb="x", sentence="x")
    assert not JournalEntry.objects.exists()


def test_a_removal_keeps_what_was_removed():
    grouping = make_grouping(make_metropole())
    lot = make_lot(grouping, 3, title="Papier recyclé")
    delete_recorded(lot, actor=SYSTEM, verb="lot.remove", sentence="Lot retiré", reason="doublon")
    entry = JournalEntry.objects.get()
    assert entry.before == {
        "grouping_id": grouping.pk,
        "number": 3,
        "title": "Papier recyclé",
        "cpv": "",
        "is_framework": False,
        "minimum_excl_tax": None,
        "minimum_excl_tax_currency": "EUR",
        "maximum_excl_tax": None,
        "maximum_excl_tax_currency": "EUR",
        "takes_small_lot_exception": False,
        "small_lot_reason": "",
    }
    assert (entry.after, entry.reason) == ({}, "doublon")


def test_a_long_sentence_is_cut_and_says_so():
    metropole = make_metropole()
    entry = record(actor=SYSTEM, territory_id=metropole.pk, thread="x", verb="x", sentence="é" * 501)
    assert len(entry.sentence) == 500
    assert entry.sentence.endswith("é…")


def test_json_values_lose_nothing():
    paris = timezone.make_aware(datetime(2026, 11, 21, 9, 30))  # noqa: DTZ001
    assert json_value(Money("12.50", "EUR")) == {"amount": "12.50", "currency": "EUR"}
    assert json_value(Decimal("0.10")) == "0.10"
    assert json_value(date(2026, 3, 1)) == "2026-03-01"
    assert json_value(paris) == "2026-11-21T09:30:00+01:00"
    assert json_value([None, True, 3, "x", {"a": Decimal(1)}]) == [None, True, 3, "x", {"a": "1"}]


def test_changes_are_what_differs():
    assert changes({"a": 1, "b": 2}, {"a": 1, "b": 3}) == ({"b": 2}, {"b": 3})
    assert "id" not in snapshot(make_metropole())


def test_each_territory_reads_its_own_entries():
    first, second = make_affiliation(make_metropole()), make_affiliation(make_metropole())
    for actor in (first, second):
        record(actor=actor, territory_id=actor.territory_id, thread="même fil", verb="x", sentence=str(actor.pk))
    for actor in (first, second):
        assert [e.sentence for e in JournalEntry.objects.visible_to(actor)] == [str(actor.pk)]
        assert [e.sentence for e in JournalEntry.objects.of_thread("même fil", actor)] == [str(actor.pk)]
    assert not JournalEntry.objects.visible_to(None).exists()
    assert not JournalEntry.objects.of_thread("même fil", None).exists()


def test_a_member_reads_what_concerns_it_or_everybody():
    metropole = make_metropole()
    commune = make_organisation(parent=metropole)
    agent = make_affiliation(commune, Role.MEMBER_AGENT)
    neighbour = make_organisation(parent=metropole)
    for concerns, sentence in ((None, "tous"), (commune, "nous"), (neighbour, "eux")):
        record(
            actor=SYSTEM,
            territory_id=metropole.pk,
            thread="fil",
            verb="x",
            sentence=sentence,
            concerns_id=concerns and concerns.pk,
        )
    assert [e.sentence for e in JournalEntry.objects.of_thread("fil", agent)] == ["nous", "tous"]
    assert [e.sentence for e in JournalEntry.objects.visible_to(agent)] == ["nous"]
    assert JournalEntry.objects.of_thread("fil", make_affiliation(metropole)).count() == 3


def test_a_refused_right_writes_nothing():
    metropole = make_metropole()
    reader = make_affiliation(metropole, Role.READER)
    metropole.city = "Ailleurs"
    with pytest.raises(NotAllowed):
        organisation_save(organisation=metropole, actor=reader)
    assert not JournalEntry.objects.exists()
    metropole.refresh_from_db()
    assert metropole.city == ""
