"""From the decision to the notification: the standstill of eleven or sixteen days, the commission before the rest."""

from datetime import date

import pytest

from groupings.rules.award_dates import AwardFacts, committee_refusal, follow_refusals, signature_refusal

DECIDED = date(2027, 4, 12)
TODAY = date(2027, 6, 30)


def facts(**changes):
    return AwardFacts(
        **{"decided_on": DECIDED, "is_formal": True, "is_electronic": True, "offers_received": 3} | changes
    )


@pytest.mark.parametrize(("electronic", "first"), [(True, date(2027, 4, 24)), (False, date(2027, 4, 29))])
def test_signature_eleven_or_sixteen_days_after_the_rejections(electronic, first):
    """Sent on 13 April: + 11 is the 24th, + 16 the 29th (CCP, R2182-1)."""
    award, sent = facts(is_electronic=electronic), date(2027, 4, 13)
    assert award.earliest_signature_on(sent) == first
    assert signature_refusal(award, rejection_sent_on=sent, signed_on=first) == ""
    refused = signature_refusal(award, rejection_sent_on=sent, signed_on=date.fromordinal(first.toordinal() - 1))
    assert refused.startswith(f"Pas de signature avant le {first:%d/%m/%Y}")


def test_over_the_end_of_a_year_and_a_leap_day():
    award = facts(decided_on=date(2027, 12, 20))
    assert award.earliest_signature_on(date(2027, 12, 25)) == date(2028, 1, 5)
    assert award.earliest_signature_on(date(2028, 2, 20)) == date(2028, 3, 2)


@pytest.mark.parametrize("offers", [2, 40, None])
def test_several_offers_or_an_unknown_number_owe_it(offers):
    award = facts(offers_received=offers)
    assert "Indiquez d’abord l’envoi des lettres de rejet" in signature_refusal(
        award, rejection_sent_on=None, signed_on=date(2027, 5, 20)
    )


@pytest.mark.parametrize("changes", [{"offers_received": 1}, {"is_formal": False}])
def test_a_single_offer_or_an_adapted_procedure_does_not(changes):
    award = facts(**changes)
    assert signature_refusal(award, rejection_sent_on=None, signed_on=DECIDED) == ""
    assert "ne peut pas être signé avant" in signature_refusal(
        award, rejection_sent_on=None, signed_on=date(2027, 4, 11)
    )


def test_every_wrong_date_is_told_by_its_own_box():
    refusals = follow_refusals(
        facts(),
        rejection_sent_on=date(2027, 4, 11),
        signed_on=date(2027, 4, 15),
        notified_on=date(2027, 4, 14),
        data_published_on=date(2027, 4, 13),
        today=TODAY,
    )
    assert set(refusals) == {"rejection_sent_on", "signed_on", "notified_on", "data_published_on"}
    future = follow_refusals(
        facts(),
        rejection_sent_on=date(2027, 7, 1),
        signed_on=None,
        notified_on=None,
        data_published_on=None,
        today=TODAY,
    )
    assert "à venir" in future["rejection_sent_on"]
    absurd = follow_refusals(
        facts(),
        rejection_sent_on=date.max,
        signed_on=date.max,
        notified_on=None,
        data_published_on=None,
        today=TODAY,
    )
    assert set(absurd) == {"rejection_sent_on", "signed_on"}


def test_no_date_is_no_refusal_and_a_notification_needs_a_signature():
    nothing = dict.fromkeys(("rejection_sent_on", "signed_on", "notified_on", "data_published_on"))
    assert follow_refusals(facts(), **nothing, today=TODAY) == {}
    alone = follow_refusals(facts(), **nothing | {"notified_on": date(2027, 5, 3)}, today=TODAY)
    assert alone == {"notified_on": "Un marché est signé avant d’être notifié."}
    early = follow_refusals(facts(), **nothing | {"data_published_on": date(2027, 5, 3)}, today=TODAY)
    assert "après la notification" in early["data_published_on"]


def test_the_commission_comes_first_in_a_formalised_procedure():
    assert "L1414-2" in committee_refusal(is_due=True, met_on=None, decided_on=DECIDED)
    assert "ne la précède pas" in committee_refusal(is_due=True, met_on=date(2027, 4, 13), decided_on=DECIDED)
    assert committee_refusal(is_due=True, met_on=DECIDED, decided_on=DECIDED) == ""
    assert committee_refusal(is_due=False, met_on=None, decided_on=DECIDED) == ""
