"""A consultation at its edges: hours and days of change, long sentences, what is completed late, two clicks."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from djmoney.money import Money

from groupings.actions.consultation import consultation_close, consultation_relaunch, consultation_save
from groupings.actions.launch import Scope
from groupings.essential_data import publication
from groupings.models import Award, Consultation
from groupings.rules.contract_value import ContractValue, LotValue
from groupings.rules.offer_delay import minimum_due_on
from groupings.rules.standstill import earliest_signature_on
from groupings.rules.suppliers import check_siret
from groupings.rules.thresholds import procedure
from groupings.tender import award_facts, lot_state, tender_facts
from members.roles import Role
from procurement.core.errors import BusinessError
from procurement.core.money import LARGEST_AMOUNT
from tests.support.factories import make_affiliation
from tests.support.tenders import TODAY, decide, make_tender, notify

pytestmark = pytest.mark.django_db
OPEN = {"closed_on": None, "opened_on": None, "committee": "", "committee_met_on": None}


def test_the_longest_sentence_of_a_procedure_is_kept_whole():
    """999 members, all silent or unknown, the largest amount: what is stored is what was told."""
    names = tuple(f"Commune au nom interminable n° {number}" for number in range(999))
    value = ContractValue(members=999, lots=(LotValue(1, 1, "T" * 200, LARGEST_AMOUNT, unknown=names),), silent=names)
    for category in ("supplies", "works", "social_services"):
        for amount in (Decimal(0), Decimal(100000), LARGEST_AMOUNT):
            found = procedure(amount, category, date(2026, 11, 28))
            told = Scope(value.members, value.total, found, tuple(value.gaps)).sentence
            assert told.endswith(found.sentence)
            assert len(told) <= Consultation._meta.get_field("procedure_sentence").max_length


@pytest.mark.parametrize(
    ("due", "before"),
    [
        # 11 h in Paris: 10 h UTC in winter, 9 h in summer; on the two Sundays of change the clock moved at 1 h UTC.
        (datetime(2026, 3, 28, 10, tzinfo=UTC), "28/03/2026 à 11 h 00"),
        (datetime(2026, 3, 29, 9, tzinfo=UTC), "29/03/2026 à 11 h 00"),
        (datetime(2026, 10, 24, 9, tzinfo=UTC), "24/10/2026 à 11 h 00"),
        (datetime(2026, 10, 25, 10, tzinfo=UTC), "25/10/2026 à 11 h 00"),
        (datetime(2028, 2, 29, 10, tzinfo=UTC), "29/02/2028 à 11 h 00"),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "31/12/2026 à 23 h 59"),
    ],
)
def test_closed_at_the_hour_of_paris_and_not_a_minute_sooner(due, before):
    tender = make_tender(status="consultation", consultation=OPEN | {"offers_due_at": due})
    with pytest.raises(BusinessError, match=before):
        consultation_close(consultation=tender.consultation, actor=tender.buyer, now=due - timedelta(minutes=1))
    closed = consultation_close(consultation=tender.consultation, actor=tender.buyer, now=due)
    # Half past midnight in Paris is the next day, whatever UTC says.
    assert f"{closed.closed_on:%d/%m/%Y}" == before[:10]


def test_days_of_the_law_cross_leap_days_and_years():
    assert minimum_due_on(date(2028, 1, 30), "open", True) == date(2028, 2, 29)
    assert minimum_due_on(date(2027, 1, 30), "open", True) == date(2027, 3, 1)
    assert minimum_due_on(date(2026, 12, 2), "open", False) == date(2027, 1, 6)
    assert earliest_signature_on(date(2028, 2, 18), is_electronic=True) == date(2028, 2, 29)
    assert earliest_signature_on(date(2026, 12, 20), is_electronic=False) == date(2027, 1, 5)


def test_a_procedure_that_was_never_said_is_completed_after_the_closing_and_not_replaced():
    """Below the dispense the launch names none; the essential data ask for it once the contract is notified."""
    tender = make_tender(consultation={"procedure": "", "procedure_code": "exempt"})

    def choose(procedure):
        stored = Consultation.objects.get(pk=tender.consultation.pk)
        stored.grouping, stored.procedure = tender.grouping, procedure
        return consultation_save(consultation=stored, actor=tender.buyer, today=TODAY)

    assert choose("adapted").procedure == "adapted"
    with pytest.raises(BusinessError, match="ne change plus"):
        choose("without_notice")


def test_unsuccessful_then_put_out_again_then_awarded_is_one_contract():
    tender = make_tender(lots=1)
    decide(tender, outcome="unsuccessful", reason="Aucune offre.", offers_received=0)
    again = consultation_relaunch(
        grouping=tender.grouping, lot_ids=[tender.lots[0].pk], actor=tender.buyer, today=TODAY
    )
    with pytest.raises(BusinessError, match="encore ouverte"):  # a second click
        consultation_relaunch(grouping=tender.grouping, lot_ids=[tender.lots[0].pk], actor=tender.buyer, today=TODAY)
    with pytest.raises(BusinessError, match="c’est la consultation n° 2 qui en décide"):
        decide(tender, outcome="awarded", amount_excl_tax=Money("1.00", "EUR"))
    Consultation.objects.filter(pk=again.pk).update(
        offers_due_at=datetime(2026, 8, 3, 9, tzinfo=UTC),
        notice_sent_on=date(2026, 7, 1),
        closed_on=date(2026, 8, 3),
        committee="tender_committee",
        committee_met_on=date(2026, 8, 4),
    )
    again.refresh_from_db()
    again.grouping, first = tender.grouping, tender.consultation
    tender.consultation = again
    day = date(2026, 8, 5)
    award = decide(tender, decided_on=day, today=day, amount_excl_tax=Money("0.01", "EUR")).award
    assert (award.value, award.consultation.number) == (Decimal("0.01"), 2)
    assert first.awards.get().outcome == "unsuccessful"
    assert Award.objects.awarded().count() == 1


def test_a_contract_of_nothing_is_refused_and_one_of_a_cent_is_not():
    tender = make_tender(lots=1)
    with pytest.raises(ValidationError) as error:
        decide(tender, amount_excl_tax=Money("0.00", "EUR"))
    assert "0\u00a0€ ne se répartit pas" in error.value.messages[0]
    assert decide(tender, amount_excl_tax=Money("0.01", "EUR")).award.value == Decimal("0.01")


def test_signature_on_the_very_day_the_standstill_ends():
    tender = make_tender(lots=1)
    award = notify(tender, decide(tender).award)  # rejections on 13/04, signed on 24/04
    assert award.signed_on == award_facts(award).earliest_signature_on(award.rejection_sent_on) == date(2026, 4, 24)


def test_the_commission_is_not_waited_for_when_every_lot_is_a_small_one():
    """CCP, R2123-1: out of the formalised procedure, hence of the CAO (CGCT, L1414-2)."""
    tender = make_tender(lots=2, consultation={"committee": "", "committee_met_on": None})
    states = [lot_state(lot, tender.consultation, []) for lot in tender.lots]
    now = datetime(2026, 4, 1, 8, tzinfo=UTC)

    def committee_is_due():
        return tender_facts(tender.consultation, states, now=now, tells_awards=True).committee_is_due

    tender.lots[0].takes_small_lot_exception = True
    assert committee_is_due()
    tender.lots[1].takes_small_lot_exception = True
    assert not committee_is_due()


def test_the_buttons_clicked_twice_write_once(client):
    due = datetime(2026, 3, 16, 10, tzinfo=UTC)
    tender = make_tender(status="consultation", consultation=OPEN | {"offers_due_at": due})
    client.force_login(tender.buyer.user)
    address = reverse("consultation_close", args=[tender.grouping.pk])
    assert client.post(address).status_code == 302
    again = client.post(address)
    assert again.status_code == 422
    assert "est close depuis le" in again.content.decode()


def test_a_small_lot_is_under_an_adapted_procedure_wherever_it_is_told(client):
    """On the page of the consultation, in the rules of its award and in the essential data."""
    tender = make_tender(lots=2, consultation={"committee": "", "committee_met_on": None})
    lot = tender.lots[0]
    lot.takes_small_lot_exception, lot.small_lot_reason = True, "Moins de 80 000 €, 12 % du tout."
    lot.save()
    client.force_login(tender.buyer.user)
    page = client.get(reverse("consultation", args=[tender.grouping.pk])).content.decode()
    assert page.count("petit lot\u00a0: procédure adaptée") == 1
    award = decide(tender, lot).award  # without the commission
    assert award_facts(award).earliest_signature_on(None) == award.decided_on  # nor the standstill
    notify(tender, award)
    Award.objects.update(amount_excl_tax="40000.00")
    (published,) = publication(Award.objects.all(), TODAY).lots
    assert published.contract.procedure == "Procédure adaptée"


def test_the_same_decision_posted_twice_is_written_once(client):
    tender = make_tender(lots=1)
    client.force_login(tender.buyer.user)
    address = reverse("award_change", args=[tender.grouping.pk, tender.lots[0].pk])
    sent = {
        "outcome": "awarded",
        "decided_on": "2026-04-12",
        "offers_received": "2",
        "amount_excl_tax": "0,01",
        "operators_kind": "none",
        "duration_months": "12",
        "holder_1_name": "Papeterie du " + "L" * 187,
        "holder_1_identifier_type": "siret",
        "holder_1_identifier": "35600000000048",  # La Poste, by the key of every other company
        "version": "0",
    }
    assert client.post(address, sent).status_code == 302
    assert client.post(address, sent).status_code == 422
    assert (Award.objects.count(), Award.objects.get().holders.get().identifier) == (1, "35600000000048")
    dates = reverse("award_dates", args=[tender.grouping.pk, tender.lots[0].pk])
    followed = {"rejection_sent_on": "2026-04-13", "version": "1"}
    assert client.post(dates, followed).status_code == 302
    assert client.post(dates, followed).status_code == 422
    parts = reverse("award_shares", args=[tender.grouping.pk, tender.lots[0].pk])
    huge = {f"part_{m.pk}": "999999999999999999" for m in tender.members} | {"version": "2"}
    assert client.post(parts, huge).status_code == 422
    nothing = {f"part_{m.pk}": "0" for m in tender.members} | {"version": "2"}
    refused = client.post(parts, nothing)
    assert (refused.status_code, "Il manque 0,01" in refused.content.decode()) == (422, True)
    one = nothing | {f"part_{tender.members[0].pk}": "0,01"}
    assert client.post(parts, one).status_code == 302
    assert client.post(parts, one).status_code == 422


def test_la_poste_has_a_key_of_its_own():
    """The digits of an establishment of La Poste add up to a multiple of five."""
    assert check_siret("35600000000048") == "35600000000048"
    assert check_siret("35600000009075") == "35600000009075"
    with pytest.raises(ValueError, match="clé"):
        check_siret("35600000009076")


def test_a_closing_recorded_late_does_not_put_off_what_the_commission_decided():
    """Offers due and opened on 15/03, commission on 12/04, « Clore » clicked on 20/04: the decision is of 12/04."""
    tender = make_tender(lots=1, consultation={"closed_on": date(2026, 4, 20), "opened_on": date(2026, 3, 16)})
    for day, told in ((date(2026, 3, 15), "ouverture des plis est du 16/03/2026"), (date(2026, 4, 11), "s’est réunie")):
        with pytest.raises(ValidationError) as error:
            decide(tender, decided_on=day)
        assert told in error.value.messages[0]
    assert decide(tender).award.decided_on == date(2026, 4, 12)


def test_social_services_stay_adapted_by_the_choice_of_a_jurist():
    """CCP, R2123-1, 3°: whatever their value; for supplies no one may."""
    tender = make_tender(status="consultation", consultation=OPEN, category="social_services")
    stored = Consultation.objects.get()
    stored.grouping, stored.procedure = tender.grouping, "adapted"
    with pytest.raises(BusinessError, match="Seul un juriste"):
        consultation_save(consultation=stored, actor=tender.buyer, today=TODAY)
    jurist = make_affiliation(tender.metropole, Role.JURIST)
    assert consultation_save(consultation=stored, actor=jurist, today=TODAY).procedure == "adapted"
    supplies = make_tender(status="consultation", consultation=OPEN)
    stored = Consultation.objects.get(grouping=supplies.grouping)
    stored.grouping, stored.procedure = supplies.grouping, "adapted"
    with pytest.raises(BusinessError, match="appelle une procédure formalisée"):
        consultation_save(consultation=stored, actor=make_affiliation(supplies.metropole, Role.JURIST), today=TODAY)
