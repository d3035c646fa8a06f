"""A consultation: opened by the launch alone, dated, closed after its hour, put out again for what it left."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from djmoney.money import Money

from groupings.actions.consultation import (
    consultation_close,
    consultation_relaunch,
    consultation_save,
    question_save,
)
from groupings.actions.grouping import grouping_advance
from groupings.actions.launch import grouping_launch_without
from groupings.models import Consultation, Question
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from procurement.core.journal.models import JournalEntry
from tests.support.factories import adopt, make_affiliation, make_territory, sign
from tests.support.tenders import CLOSED, DUE, LAUNCHED, MET, NOTICE, TODAY, decide, make_tender, notify

pytestmark = pytest.mark.django_db
OPEN = {"closed_on": None, "opened_on": None, "committee": "", "committee_met_on": None}
DRAFT = OPEN | {"notice_sent_on": None, "offers_due_at": None}


def ready_grouping(members=2):
    """Everybody's act enforceable and convention signed: 1 000 € per member and lot."""
    metropole, grouping = make_territory(members=members, lots=2, status="deliberations")
    for membership in grouping.memberships.all():
        adopt(membership, date(2026, 10, 5), number=f"D{membership.pk}")
        sign(membership, date(2026, 11, 2))
    return metropole, grouping


def running(**facts):
    return make_tender(status="consultation", consultation=OPEN | facts)


def change(tender, *, actor=None, expected_version=None, today=TODAY, **fields):
    stored = Consultation.objects.get(pk=tender.consultation.pk)
    stored.grouping = tender.grouping
    for name, value in fields.items():
        setattr(stored, name, value)
    return consultation_save(
        consultation=stored, actor=actor or tender.buyer, today=today, expected_version=expected_version
    )


def refused(tender, match, **fields):
    with pytest.raises((BusinessError, ValidationError)) as error:
        change(tender, **fields)
    told = error.value.message_dict if isinstance(error.value, ValidationError) else {error.value.field: error.value}
    assert match in str(told)
    return set(told)


def test_the_launch_opens_it_with_its_lots_members_value_and_procedure_frozen():
    metropole, grouping = ready_grouping()
    grouping_advance(grouping=grouping, step="launch", actor=make_affiliation(metropole), today=date(2026, 11, 28))
    opened = grouping.consultations.get()
    assert (opened.number, opened.launched_on, opened.member_count) == (1, date(2026, 11, 28), 3)
    assert opened.value_excl_tax == Money("6000.00", "EUR")  # three members, two lots, 1 000 € each
    assert opened.procedure_code == "exempt"
    assert "6\u202f000,00\u00a0€ HT" in opened.procedure_sentence
    assert set(opened.lots.all()) == set(grouping.lots.all())
    told = JournalEntry.objects.get(verb="consultation.open").sentence
    assert told == "Consultation n° 1 ouverte\u00a0: lots 1 et 2, 3 membres"  # no value: the members read it


def test_a_refused_launch_opens_nothing():
    metropole, grouping = make_territory(status="deliberations")
    with pytest.raises(TransitionRefused):
        grouping_advance(grouping=grouping, step="launch", actor=make_affiliation(metropole), today=TODAY)
    assert not Consultation.objects.exists()


def test_nothing_to_buy_is_not_launched():
    metropole, grouping = ready_grouping()
    for lot in grouping.lots.all():
        lot.delete()
    with pytest.raises(BusinessError, match="au moins un lot"):
        grouping_advance(grouping=grouping, step="launch", actor=make_affiliation(metropole), today=date(2026, 11, 28))
    grouping.refresh_from_db()
    assert grouping.status == "deliberations"


def test_launching_without_a_member_freezes_what_remains():
    metropole, grouping = ready_grouping(members=3)
    late = grouping.memberships.exclude(organisation=metropole).first()
    late.deliberations.update(published_on=None)
    grouping_launch_without(
        grouping=grouping,
        membership_ids=[late.pk],
        actor=make_affiliation(metropole),
        today=date(2026, 11, 28),
        reason="Vote trop tardif.",
    )
    opened = grouping.consultations.get()
    assert (opened.member_count, opened.value_excl_tax) == (3, Money("6000.00", "EUR"))


def test_closing_needs_the_date_and_its_hour():
    tender = running(offers_due_at=None)
    with pytest.raises(TransitionRefused, match="date limite de remise des offres"):
        consultation_close(consultation=tender.consultation, actor=tender.buyer, now=DUE)
    tender = running()
    with pytest.raises(BusinessError, match="jusqu’au 15/03/2026 à 12 h 00"):  # 11:00 UTC in winter
        consultation_close(consultation=tender.consultation, actor=tender.buyer, now=DUE - timedelta(minutes=1))
    assert Consultation.objects.get(pk=tender.consultation.pk).closed_on is None
    closed = consultation_close(consultation=tender.consultation, actor=tender.buyer, now=DUE)
    tender.grouping.refresh_from_db()
    assert (closed.closed_on, tender.grouping.status) == (CLOSED, "award")
    with pytest.raises(BusinessError, match="close depuis le 15/03/2026"):
        consultation_close(consultation=closed, actor=tender.buyer, now=DUE)


def test_the_step_of_the_life_cycle_without_an_hour_waits_for_the_next_day():
    tender = running()
    step = {"grouping": tender.grouping, "step": "start_award", "actor": tender.buyer}
    with pytest.raises(BusinessError, match="ne se clôt pas avant"):
        grouping_advance(today=CLOSED, **step)
    assert grouping_advance(today=CLOSED + timedelta(days=1), **step).status == "award"


def test_notifying_the_grouping_waits_for_every_lot_by_its_number():
    tender = make_tender(lots=3)
    first = decide(tender).award
    decide(tender, tender.lots[1], outcome="postponed", reason="Échantillons.")
    step = {"grouping": tender.grouping, "step": "start_performance", "actor": tender.buyer, "today": TODAY}
    with pytest.raises(
        TransitionRefused, match="aucune décision pour les lots 2 et 3 et marché non notifié pour le lot 1"
    ):
        grouping_advance(**step)
    notify(tender, first)
    decide(tender, tender.lots[1], outcome="dropped", reason="Plus de crédits.")
    decide(tender, tender.lots[2], outcome="unsuccessful", reason="Aucune offre.")
    assert grouping_advance(**step).status == "performance"


def test_nothing_awarded_is_not_notified():
    tender = make_tender(lots=1)
    decide(tender, outcome="unsuccessful", reason="Aucune offre.")
    with pytest.raises(TransitionRefused, match="Aucun lot n’est attribué"):
        grouping_advance(grouping=tender.grouping, step="start_performance", actor=tender.buyer, today=TODAY)


def test_offers_due_before_the_legal_minimum_need_a_jurist_and_a_reason():
    """Notice on 8 February, open procedure by electronic means: thirty days, 10 March (CCP, R2161-3)."""
    tender = running(**{"notice_sent_on": None, "offers_due_at": None})
    short = {"notice_sent_on": NOTICE, "offers_due_at": datetime(2026, 3, 9, 11, tzinfo=UTC)}
    assert refused(tender, "avant le 10/03/2026", **short) == {"offers_due_at"}
    assert refused(tender, "Seul un juriste", **short, short_delay_reason="Urgence.") == {"short_delay_reason"}
    jurist = make_affiliation(tender.metropole, Role.JURIST)
    assert change(tender, actor=jurist, **short, short_delay_reason="Avis de préinformation.").short_delay_reason
    assert change(tender, boamp_reference="27-12345").boamp_reference == "27-12345"  # the buyer goes on
    assert refused(tender, "Seul un juriste", short_delay_reason="Autre chose.") == {"short_delay_reason"}
    enough = datetime(2026, 3, 10, 11, tzinfo=UTC)
    assert change(running(notice_sent_on=NOTICE, offers_due_at=None), offers_due_at=enough).offers_due_at == enough


def test_an_adapted_procedure_has_no_legal_minimum():
    tender = running(procedure="adapted", procedure_code="adapted", offers_due_at=None)
    assert change(tender, offers_due_at=datetime(2026, 2, 12, 11, tzinfo=UTC)).offers_due_at


def test_a_formalised_value_keeps_a_formalised_procedure():
    tender = running()
    assert refused(tender, "CCP, L2124-1", procedure="adapted") == {"procedure"}
    assert refused(tender, "Seul un juriste", procedure="without_notice") == {"procedure"}
    jurist = make_affiliation(tender.metropole, Role.JURIST)
    assert change(tender, actor=jurist, procedure="without_notice").procedure == "without_notice"
    assert change(running(), procedure="negotiated", offers_due_at=datetime(2026, 5, 3, 11, tzinfo=UTC)).is_formal


@pytest.mark.parametrize(
    ("fields", "box", "sentence"),
    [
        ({"notice_sent_on": date(2026, 1, 31)}, "notice_sent_on", "l’avis ne part pas avant"),
        (
            {"notice_sent_on": date(2026, 7, 1), "offers_due_at": datetime(2026, 9, 1, 10, tzinfo=UTC)},
            "notice_sent_on",
            "à venir",
        ),
        ({"offers_due_at": datetime(2026, 2, 8, 11, tzinfo=UTC)}, "offers_due_at", "après l’envoi de l’avis"),
        ({"opened_on": date(2026, 3, 14)}, "opened_on", "après la date limite"),
        (
            {"committee": "tender_committee", "committee_met_on": date(2026, 3, 14)},
            "committee_met_on",
            "après l’ouverture des plis",
        ),
        ({"committee_met_on": MET}, "committee", "quelle commission"),
    ],
)
def test_dates_out_of_order_are_told_by_their_box(fields, box, sentence):
    assert refused(running(), sentence, **fields) == {box}


def test_what_the_candidates_were_told_is_frozen_by_the_closing():
    tender = make_tender()
    for name, value in {"procedure": "restricted", "notice_sent_on": date(2026, 2, 9), "offers_due_at": None}.items():
        refused(tender, "", **{name: value})
    assert change(tender, ojeu_reference="2026/S 31-88123").version == 2


def test_a_decision_is_not_left_without_its_commission():
    tender = make_tender()
    award = decide(tender).award
    assert refused(tender, "s’est réunie avant", committee_met_on=date(2026, 4, 13)) == {"committee_met_on"}
    assert refused(tender, "L1414-2", committee="adapted_committee") == {"committee"}
    notify(tender, award)
    assert refused(tender, "lettres de rejet", is_electronic=False) == {"is_electronic"}


def test_the_second_of_two_writers_is_told():
    tender = running()
    change(tender, boamp_reference="27-1", expected_version=1)
    refused(tender, "modifiée entre-temps", boamp_reference="27-2", expected_version=1)


def test_what_the_launch_froze_is_not_written():
    tender = running()
    saved = change(tender, member_count=99, procedure_code="exempt", boamp_reference="27-3")
    assert (saved.member_count, saved.procedure_code) == (3, "formal")


def test_questions_are_numbered_and_answered_in_order():
    tender = running()
    first = question_save(question=ask(tender, "Quel grammage ?"), actor=tender.buyer, today=TODAY)
    second = question_save(question=ask(tender, "Quel délai ?"), actor=tender.buyer, today=TODAY)
    assert (first.number, second.number) == (1, 2)
    first.answer, first.answered_on = "80 g.", date(2026, 2, 20)
    assert question_save(question=first, actor=tender.buyer, today=TODAY).answer == "80 g."
    for bad, box in (
        ({"asked_on": date(2026, 1, 31)}, "asked_on"),
        ({"answered_on": date(2026, 2, 20)}, "answer"),
        ({"answer": "Oui."}, "answered_on"),
        ({"answer": "Oui.", "answered_on": date(2026, 7, 1)}, "answered_on"),
    ):
        with pytest.raises(ValidationError) as error:
            question_save(question=ask(tender, "?", **bad), actor=tender.buyer, today=TODAY)
        assert set(error.value.message_dict) == {box}
    with pytest.raises(NotAllowed):
        question_save(question=ask(tender, "?"), actor=tender.agent, today=TODAY)


def ask(tender, text, **fields):
    return Question(**{"consultation": tender.consultation, "asked_on": date(2026, 2, 15), "text": text} | fields)


def relaunch(tender, *lots, today=date(2026, 5, 3)):
    return consultation_relaunch(
        grouping=tender.grouping, lot_ids=[lot.pk for lot in lots], actor=tender.buyer, today=today
    )


def test_lots_left_without_a_contract_are_put_out_again_and_the_history_is_kept():
    tender = make_tender(lots=3, status="performance")
    decide(tender)
    decide(tender, tender.lots[1], outcome="unsuccessful", reason="Aucune offre.")
    decide(tender, tender.lots[2], outcome="dropped", reason="Besoin à redéfinir.")
    again = relaunch(tender, tender.lots[1], tender.lots[2])
    tender.grouping.refresh_from_db()
    assert (again.number, again.closed_on, tender.grouping.status) == (2, None, "performance")
    assert list(again.lots.all()) == tender.lots[1:]
    assert tender.consultation.awards.count() == 3
    with pytest.raises(BusinessError, match="encore ouverte"):
        relaunch(tender, tender.lots[1])
    later = datetime(2026, 6, 14, 10, tzinfo=UTC)
    again.offers_due_at = later
    again.save()
    again.grouping = tender.grouping
    assert consultation_close(consultation=again, actor=tender.buyer, now=later).closed_on == date(2026, 6, 14)
    tender.grouping.refresh_from_db()
    assert tender.grouping.status == "performance"


def test_only_what_was_left_is_put_out_again():
    tender = make_tender()
    decide(tender)
    with pytest.raises(BusinessError, match=r"infructueux ou sans suite.*lots 1 et 2"):
        relaunch(tender, *tender.lots)
    with pytest.raises(BusinessError, match="Cochez au moins un lot"):
        relaunch(tender)
    with pytest.raises(BusinessError, match="Cochez au moins un lot"):
        relaunch(tender, make_tender().lots[0])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"closed_on": date(2026, 1, 1)}, "Une consultation close porte la date limite"),
        ({"offers_due_at": None}, "Une consultation close porte la date limite"),
        ({"notice_sent_on": date(2026, 1, 1)}, "L’avis ne part pas avant le lancement."),
        ({"committee": "none"}, "Indiquez quelle commission s’est réunie."),
        ({"value_excl_tax": Money("-1", "EUR")}, "Un montant ne peut pas être négatif."),
    ],
)
def test_each_constraint_of_a_consultation_speaks_french(changes, sentence):
    stored = make_tender().consultation
    for name, value in changes.items():
        setattr(stored, name, value)
    with pytest.raises(ValidationError) as error:
        stored.full_clean()
    assert sentence in str(error.value.message_dict)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consultation.objects.filter(pk=stored.pk).update(
            **{name: getattr(value, "amount", value) for name, value in changes.items()}
        )


def test_numbers_are_used_once():
    tender = make_tender()
    again = Consultation(grouping=tender.grouping, number=1, launched_on=LAUNCHED, member_count=3)
    with pytest.raises(ValidationError, match="déjà une consultation de ce numéro"):
        again.full_clean()
    Question.objects.create(consultation=tender.consultation, number=1, asked_on=NOTICE, text="?")
    with pytest.raises(ValidationError, match="déjà une question de ce numéro"):
        Question(consultation=tender.consultation, number=1, asked_on=NOTICE, text="?").full_clean()
    with pytest.raises(ValidationError, match="Une réponse a un texte et une date"):
        Question(consultation=tender.consultation, number=2, asked_on=NOTICE, text="?", answer="!").full_clean()
