"""What comes next in a consultation, told in one sentence."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from groupings.rules.gate import closing_refusal, notification_refusal, still_open_refusal
from groupings.rules.tender_steps import LotFacts, TenderFacts, next_sentence, tender_steps

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2027, 5, 3, 10, 0, tzinfo=PARIS)
START = TenderFacts(launched_on=date(2027, 2, 1), now=NOW, lots=[LotFacts(1), LotFacts(2)])
CLOSED = replace(
    START,
    notice_sent_on=date(2027, 2, 8),
    offers_due_at=datetime(2027, 3, 15, 12, 0, tzinfo=PARIS),
    opened_on=date(2027, 3, 16),
    closed_on=date(2027, 3, 16),
    committee_is_due=True,
    committee_met_on=date(2027, 4, 12),
)
AWARDED = LotFacts(1, is_decided=True, is_awarded=True)
LEFT = LotFacts(2, is_decided=True)
WAITING = replace(AWARDED, earliest_signature_on=date(2027, 5, 4))
READY = replace(AWARDED, earliest_signature_on=date(2027, 5, 3))
SIGNED = replace(READY, signed_on=date(2027, 5, 3))
NOTIFIED = replace(SIGNED, notified_on=date(2027, 5, 3))


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (START, "Indiquez l’envoi de l’avis et la date limite"),
        (replace(START, notice_sent_on=date(2027, 2, 8)), "Indiquez la date limite"),
        (
            replace(CLOSED, closed_on=None, offers_due_at=datetime(2027, 5, 3, 10, 1, tzinfo=PARIS)),
            "jusqu’au 03/05/2027 à 10 h 01",
        ),
        (replace(CLOSED, closed_on=None, opened_on=None), "ouvrez les plis"),
        (replace(CLOSED, closed_on=None), "clôturez la consultation pour attribuer"),
        (replace(CLOSED, committee_met_on=None), "Réunissez la commission"),
        (CLOSED, "la décision prise sur les lots 1 et 2"),
        (replace(CLOSED, lots=[AWARDED, LotFacts(2)]), "la décision prise sur le lot 2"),
        (replace(CLOSED, lots=[AWARDED, LEFT]), "Envoyez les lettres de rejet pour le lot 1"),
        (replace(CLOSED, lots=[WAITING, LEFT]), "signature à partir du 04/05/2027"),
        (replace(CLOSED, lots=[READY, LEFT]), "Signez le marché pour le lot 1"),
        (replace(CLOSED, lots=[SIGNED, LEFT]), "Notifiez le marché pour le lot 1"),
        (replace(CLOSED, lots=[NOTIFIED, LEFT]), "Tous les marchés sont notifiés"),
        (replace(CLOSED, lots=[LEFT]), "relancez-les, ou abandonnez"),
    ],
)
def test_the_next_thing_to_do(facts, sentence):
    assert sentence in next_sentence(facts)


def test_a_member_is_told_nothing_of_an_award_before_its_notification():
    secret = [LotFacts(1), LotFacts(2)]  # what ``visible_to`` leaves it
    facts = replace(CLOSED, lots=secret, tells_awards=False)
    assert next_sentence(facts).startswith("Les offres sont analysées")
    labels = [step.label for step in tender_steps(facts)]
    assert not {"Lots décidés", "Marchés signés"} & set(labels)
    known = replace(facts, lots=[NOTIFIED])
    assert "vous pouvez commander" in next_sentence(known)


def test_a_step_passed_over_is_not_the_next_one():
    facts = replace(CLOSED, opened_on=None)
    assert [step.label for step in tender_steps(facts) if step.is_next] == ["Lots décidés"]
    assert next(step.label for step in tender_steps(facts) if not step.is_done) == "Plis ouverts"


def test_one_step_is_next_and_none_once_all_is_done():
    assert [step.label for step in tender_steps(START) if step.is_next] == ["Avis envoyé"]
    done = replace(CLOSED, lots=[NOTIFIED, LEFT])
    assert [step for step in tender_steps(done) if step.is_next] == []
    assert [step.detail for step in tender_steps(done)][-1] == "1 sur 1"


def test_closing_waits_for_the_date_and_its_hour():
    assert "n’a pas de consultation" in closing_refusal(has_consultation=False, offers_due_at=None)
    assert "date limite" in closing_refusal(has_consultation=True, offers_due_at=None)
    due = datetime(2027, 3, 15, 12, 0, tzinfo=PARIS)
    assert closing_refusal(has_consultation=True, offers_due_at=due) == ""
    assert "jusqu’au 15/03/2027 à 12 h 00" in still_open_refusal(
        offers_due_at=due, now=datetime(2027, 3, 15, 11, 59, tzinfo=PARIS)
    )
    assert still_open_refusal(offers_due_at=due, now=due) == ""


@pytest.mark.parametrize(
    ("undecided", "waiting", "awarded", "sentence"),
    [
        ([2], [], 1, "Notification incomplète\u00a0: aucune décision pour le lot 2."),
        ([2, 4], [1, 3, 5], 3, "pour les lots 2 et 4 et marché non notifié pour les lots 1, 3 et 5."),
        ([], [], 0, "Aucun lot n’est attribué\u00a0: relancez les lots, ou abandonnez le groupement."),
        ([], [], 1, ""),
    ],
)
def test_notifying_names_the_lots_it_waits_for(undecided, waiting, awarded, sentence):
    told = notification_refusal(undecided=undecided, not_notified=waiting, awarded=awarded)
    assert told.endswith(sentence)
    assert bool(told) == bool(sentence)
