"""The decision on a lot: after the closing, once, by the commission, to companies whose SIRET is right."""

from dataclasses import replace
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from djmoney.money import Money

from groupings.actions.consultation import consultation_relaunch
from groupings.models import Award, AwardHolder, AwardShare, MemberContract
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_award, make_siret
from tests.support.tenders import MET, TODAY, company, decide, follow, make_tender, notify

pytestmark = pytest.mark.django_db


def refused(tender, match, **fields):
    with pytest.raises((BusinessError, ValidationError)) as error:
        decide(tender, **fields)
    told = error.value.message_dict if isinstance(error.value, ValidationError) else {error.value.field: error.value}
    assert match in str(told)
    return set(told)


def test_a_lot_is_awarded_and_the_journal_tells_it_to_the_coordinator_alone():
    tender = make_tender()
    award = decide(tender).award
    assert (award.value, award.holders.get().is_lead, award.version) == (3000, True, 1)
    entries = JournalEntry.objects.of_thread(tender.grouping.thread, tender.buyer)
    assert "Lot 1 attribué à Papeterie 1, décision du 12/04/2026" in [entry.sentence for entry in entries]
    assert not JournalEntry.objects.of_thread(tender.grouping.thread, tender.agent).exists()
    notify(tender, award)
    told = [entry.sentence for entry in JournalEntry.objects.of_thread(tender.grouping.thread, tender.agent)]
    assert any("marché notifié le 26/04/2026" in sentence for sentence in told)


def test_not_before_the_consultation_is_closed():
    tender = make_tender(consultation={"closed_on": None})
    refused(tender, "n’est pas close")
    assert not Award.objects.exists()


def test_not_dated_before_the_closing_nor_in_the_future():
    tender = make_tender()
    assert refused(tender, "la décision la suit", decided_on=date(2026, 3, 14)) == {"decided_on"}
    assert refused(tender, "à venir", decided_on=date(2026, 7, 1)) == {"decided_on"}


def test_not_without_the_commission_in_a_formalised_procedure():
    tender = make_tender(consultation={"committee": "", "committee_met_on": None})
    assert refused(tender, "CGCT, L1414-2") == {"decided_on"}
    advisory = make_tender(consultation={"committee": "adapted_committee"})
    assert refused(advisory, "CGCT, L1414-2") == {"decided_on"}
    early = make_tender()
    assert refused(early, "ne la précède pas", decided_on=date(2026, 4, 11)) == {"decided_on"}


def test_the_commission_is_not_owed_by_an_adapted_procedure_nor_by_a_small_lot():
    without = {"committee": "", "committee_met_on": None}
    assert decide(make_tender(consultation={**without, "procedure": "adapted"})).award.pk
    tender = make_tender(consultation=without)
    tender.lots[0].takes_small_lot_exception, tender.lots[0].small_lot_reason = True, "Moins de 80 000 €."
    tender.lots[0].save()
    assert decide(tender).award.pk
    refused(tender, "CGCT, L1414-2", lot=tender.lots[1])


def test_an_unsuccessful_lot_needs_no_commission_but_a_reason():
    tender = make_tender(consultation={"committee": "", "committee_met_on": None})
    assert refused(tender, "pourquoi", outcome="unsuccessful", offers_received=0) == {"reason"}
    award = decide(tender, outcome="unsuccessful", offers_received=0, reason="Aucune offre.").award
    assert (award.value, award.duration_months, award.holders.count()) == (None, None, 0)


def test_a_postponed_lot_is_awarded_later_in_the_same_consultation():
    tender = make_tender()
    decide(tender, outcome="postponed", reason="Échantillons à examiner.")
    award = decide(tender, outcome="awarded", amount_excl_tax=Money("10.00", "EUR"), reason="").award
    assert (Award.objects.count(), award.version) == (1, 2)


def test_a_lot_is_awarded_once():
    tender = make_tender()
    decide(tender)
    with pytest.raises(BusinessError, match="modifiée entre-temps"):
        decide(tender, version=0)  # the second of two buyers, who saw no decision
    assert Award.objects.count() == 1


def test_a_lot_already_awarded_elsewhere_says_to_whom():
    tender = make_tender()
    decide(tender, outcome="unsuccessful", reason="Aucune offre.")
    again = consultation_relaunch(
        grouping=tender.grouping, lot_ids=[tender.lots[0].pk], actor=tender.buyer, today=date(2026, 5, 3)
    )
    refused(tender, "a été relancé", outcome="awarded")
    other = make_award(again, tender.lots[0])
    refused(tender, f"déjà attribué à {other.holders.get().name}", outcome="awarded")


def test_a_lot_of_another_consultation_is_not_decided():
    tender = make_tender()
    tender.consultation.lots.remove(tender.lots[1])
    refused(tender, "n’est pas dans la consultation n° 1", lot=tender.lots[1])


@pytest.mark.parametrize(
    ("identifier", "sentence"),
    [
        ("5500000100001", "celui-ci en a 13"),
        ("55000001000010", "La clé du SIRET 55000001000010 est fausse"),
        ("5500000100001A", "que des chiffres"),
    ],
)
def test_a_wrong_siret_is_told_by_its_box(identifier, sentence):
    tender = make_tender()
    holders = [company(1), company(2, identifier=identifier)]
    boxes = refused(tender, sentence, holders=holders, operators_kind="joint")
    assert boxes == {"holder_2_identifier"}
    assert not Award.objects.exists()


def test_a_contract_begins_after_its_award_and_in_a_year_that_exists():
    tender = make_tender()
    assert refused(tender, "avant d’être attribué", starts_on=date(2026, 4, 11)) == {"starts_on"}
    assert refused(tender, "vérifiez l’année", starts_on=date(9999, 12, 1)) == {"starts_on"}
    award = decide(tender, starts_on=date(2028, 2, 29), duration_months=12).award
    assert award.ends_on == date(2029, 2, 27)  # from 29 February to the eve of 28 February


def test_a_group_of_companies_has_one_lead_and_says_its_kind():
    tender = make_tender()
    pair = [company(1), company(3)]
    assert refused(tender, "conjoint ou solidaire", holders=pair) == {"operators_kind"}
    award = decide(tender, holders=pair, operators_kind="several").award
    assert list(award.holders.values_list("name", "is_lead")) == [("Papeterie 1", True), ("Papeterie 3", False)]
    assert refused(tender, "ajoutez les autres", holders=[company()], operators_kind="joint") == {"operators_kind"}
    twice = [company(1, identifier=pair[0].identifier), company(2, identifier=pair[0].identifier)]
    assert refused(tender, "déjà titulaire", holders=twice, operators_kind="joint") == {"holder_2_identifier"}


def test_an_awarded_lot_has_a_holder_a_value_an_offer_and_a_framework_its_maximum():
    tender = make_tender()
    assert refused(tender, "l’entreprise titulaire", holders=[]) == {"holder_1_name"}
    assert refused(tender, "Un lot sans offre", offers_received=0) == {"offers_received"}
    assert refused(tender, "CCP, R2162-4", technique="framework") == {"maximum_excl_tax"}
    assert refused(tender, "indiquez sa valeur", amount_excl_tax=Money("0", "EUR")) == {"amount_excl_tax"}
    refused(tender, "Indiquez le montant du marché", amount_excl_tax=None)


def test_an_accord_cadre_launched_before_2022_owed_no_maximum():
    """R2162-4 asks for one since 01/01/2022 (décret n° 2021-1111): it does so by the day of the launch."""
    before = make_tender(consultation={"launched_on": date(2021, 12, 31)})
    assert decide(before, technique="framework").award.maximum_excl_tax is None
    since = make_tender(consultation={"launched_on": date(2022, 1, 1)})
    assert refused(since, "CCP, R2162-4", technique="framework") == {"maximum_excl_tax"}


def test_after_the_notification_only_an_amendment_changes_the_contract():
    tender = make_tender()
    award = notify(tender, decide(tender).award)
    fields = refused(tender, "que par un avenant", amount_excl_tax=Money("3000.01", "EUR"))
    assert fields == {"amount_excl_tax"}
    refused(tender, "que par un avenant", holders=[company()])
    refused(tender, "reste attribué", outcome="unsuccessful", reason="Regret.")
    assert decide(tender).award.version == award.version  # sent again as it is: nothing to refuse, nothing to write


def test_the_extensions_taken_are_still_recorded_after_the_notification():
    tender = make_tender()
    award = decide(tender, extension_count=2, extension_months=12, starts_on=date(2026, 5, 1)).award
    notify(tender, award)
    assert decide(tender, extensions_taken=1).award.extensions_taken == 1


def test_an_abandoned_grouping_and_the_wrong_people_are_refused():
    tender = make_tender(status="cancelled")
    refused(tender, "abandonné")
    tender = make_tender()
    for actor in (
        tender.agent,
        make_affiliation(tender.metropole, Role.FINANCE),
        make_affiliation(tender.metropole, Role.READER),
    ):
        with pytest.raises(NotAllowed):
            decide(tender, actor=actor)
        with pytest.raises(NotAllowed):
            follow(
                tender,
                make_award(make_tender().consultation, tender.lots[0], outcome="dropped", reason="x"),
                actor=actor,
            )


def stored_award(**fields):
    tender = make_tender()
    return make_award(tender.consultation, tender.lots[0], **fields)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount_excl_tax": None}, "Indiquez le montant du marché, ou le maximum de l’accord-cadre."),
        ({"outcome": "dropped", "reason": "x"}, "Un lot qui n’est pas attribué n’a pas de montant."),
        ({"outcome": "dropped", "amount_excl_tax": None}, "Indiquez pourquoi ce lot n’est pas attribué."),
        (
            {"minimum_excl_tax": Money("2", "EUR"), "maximum_excl_tax": Money("1", "EUR")},
            "Le maximum ne peut pas être inférieur au minimum.",
        ),
        ({"signed_on": date(2026, 1, 1)}, "Le marché ne peut pas être signé avant d’être attribué."),
        ({"notified_on": TODAY}, "Un marché est signé avant d’être notifié."),
        ({"extension_count": 1}, "Indiquez la durée d’une reconduction."),
        ({"extensions_taken": 1}, "Plus de reconductions prises que le marché n’en prévoit."),
        ({"amount_excl_tax": Money("-1", "EUR")}, "Un montant ne peut pas être négatif."),
        ({"maximum_excl_tax": Money("1", "USD")}, "Les montants sont en euros."),
    ],
)
def test_each_constraint_of_an_award_speaks_french(changes, sentence):
    award = stored_award()
    for name, value in changes.items():
        setattr(award, name, value)
    with pytest.raises(ValidationError) as error:
        award.full_clean()
    assert sentence in str(error.value.message_dict)
    with pytest.raises(IntegrityError), transaction.atomic():
        values = {name: getattr(value, "amount", value) for name, value in changes.items()}
        if "USD" in str(changes):
            values["maximum_excl_tax_currency"] = "USD"
        Award.objects.filter(pk=award.pk).update(**values)


def test_each_uniqueness_of_an_award_speaks_french():
    award = stored_award()
    tender_lot = award.lot
    same = Award(consultation=award.consultation, lot=tender_lot, outcome="dropped", decided_on=MET, reason="x")
    with pytest.raises(ValidationError, match="déjà une décision dans cette consultation"):
        same.full_clean()
    holder = award.holders.get()
    copy = AwardHolder(award=award, name="Autre", identifier=holder.identifier, is_lead=False)
    with pytest.raises(ValidationError, match="déjà titulaire de ce lot"):
        copy.full_clean()
    second = AwardHolder(award=award, name="Autre", identifier=make_siret())
    with pytest.raises(ValidationError, match="un seul mandataire"):
        second.full_clean()
    member = tender_lot.grouping.memberships.first()
    share = AwardShare(award=award, membership=member, amount_excl_tax=Money("1", "EUR"))
    share.save()
    with pytest.raises(ValidationError, match="déjà une part de ce lot"):
        AwardShare(award=award, membership=member, amount_excl_tax=Money("1", "EUR")).full_clean()
    with pytest.raises(ValidationError, match="Indiquez la part"):
        AwardShare(award=award, membership=tender_lot.grouping.memberships.last()).full_clean()
    MemberContract.objects.create(award=award, membership=member, signed_on=MET)
    with pytest.raises(ValidationError, match="déjà signé son marché"):
        MemberContract(award=award, membership=member, signed_on=MET).full_clean()
    early = MemberContract(award=award, membership=tender_lot.grouping.memberships.last(), signed_on=MET)
    early.notified_on = date(2026, 4, 11)
    with pytest.raises(ValidationError, match="signé avant d’être notifié"):
        early.full_clean()


def test_a_name_of_two_hundred_characters_holds():
    tender = make_tender()
    award = decide(tender, holders=[replace(company(), name="É" * 200)]).award
    assert award.holders.get().name == "É" * 200
    assert refused(make_tender(), "200", holders=[company(name="É" * 201)]) == {"holder_1_name"}


def test_what_was_never_typed_is_completed_after_the_notification_and_replaces_nothing():
    """The essential data of a notified lot ask for its CCAG: typing it amends nothing; replacing it would."""
    tender = make_tender()
    notify(tender, decide(tender).award)
    award = decide(tender, ccag="supplies_services", has_advance=False, social_considerations=["none"]).award
    assert (award.ccag, award.has_advance, award.notified_on) == ("supplies_services", False, date(2026, 4, 26))
    assert refused(tender, "que par un avenant", ccag="works") == {"ccag"}
    assert refused(tender, "que par un avenant", has_advance=True) == {"has_advance"}
    assert refused(tender, "que par un avenant", minimum_excl_tax=Money("1.00", "EUR")) == {"minimum_excl_tax"}
