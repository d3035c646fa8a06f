"""The dates after a decision, enforced: standstill, signature, notification, by the coordinator or by each member."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from groupings.actions.award_dates import ContractDates
from groupings.models import Award, MemberContract
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_membership, make_organisation
from tests.support.tenders import decide, follow, make_tender, notify

pytestmark = pytest.mark.django_db
SENT, EARLIEST = date(2026, 4, 13), date(2026, 4, 24)


def boxes(tender, award, **dates):
    with pytest.raises(ValidationError) as error:
        follow(tender, award, **dates)
    return error.value.message_dict


def test_signed_after_the_standstill_and_not_a_day_before():
    tender = make_tender()
    award = decide(tender).award
    assert "Indiquez d’abord" in str(boxes(tender, award, signed_on=EARLIEST)["signed_on"])
    told = boxes(tender, award, rejection_sent_on=SENT, signed_on=date(2026, 4, 23))
    assert "Pas de signature avant le 24/04/2026" in str(told["signed_on"])
    assert Award.objects.get().rejection_sent_on is None  # nothing of it was written
    assert follow(tender, award, rejection_sent_on=SENT, signed_on=EARLIEST).signed_on == EARLIEST


def test_by_post_it_takes_sixteen_days():
    tender = make_tender(consultation={"is_electronic": False})
    award = decide(tender).award
    told = boxes(tender, award, rejection_sent_on=SENT, signed_on=date(2026, 4, 28))
    assert "avant le 29/04/2026" in str(told["signed_on"])


def test_once_notified_the_dates_stay_and_the_publication_is_still_recorded():
    tender = make_tender()
    award = notify(tender, decide(tender).award)
    for name in ("rejection_sent_on", "signed_on", "notified_on"):
        with pytest.raises(BusinessError, match="notifié depuis le 26/04/2026") as error:
            follow(tender, award, **{name: date(2026, 4, 25)})
        assert error.value.field == name
    assert follow(tender, award, data_published_on=date(2026, 5, 3)).data_published_on == date(2026, 5, 3)


def test_the_second_of_two_writers_is_told_and_a_lot_without_contract_has_no_dates():
    tender = make_tender()
    award = decide(tender).award
    follow(tender, award, rejection_sent_on=SENT)
    with pytest.raises(BusinessError, match="modifiée entre-temps"):
        follow(tender, award, rejection_sent_on=date(2026, 4, 14), expected_version=1)
    dropped = decide(tender, tender.lots[1], outcome="dropped", reason="Plus de crédits.").award
    with pytest.raises(BusinessError, match="Seul un lot attribué"):
        follow(tender, dropped, rejection_sent_on=SENT)


def each_signs(**contracts):
    tender = make_tender(integration_level="COORDINATED")
    award = follow(tender, decide(tender).award, rejection_sent_on=SENT)
    return tender, award


def test_where_each_member_signs_the_first_notification_is_the_lot_s():
    tender, award = each_signs()
    first, second, third = (member.pk for member in tender.members)
    follow(tender, award, contracts={first: ContractDates(date(2026, 5, 3)), second: ContractDates()})
    assert (Award.objects.get().signed_on, Award.objects.get().notified_on) == (date(2026, 5, 3), None)
    later = ContractDates(date(2026, 5, 10), date(2026, 5, 12))
    follow(tender, award, contracts={second: later})
    stored = Award.objects.get()
    assert (stored.signed_on, stored.notified_on) == (date(2026, 5, 3), date(2026, 5, 12))
    follow(tender, award, contracts={third: ContractDates(date(2026, 5, 20), date(2026, 5, 21))})
    assert Award.objects.get().notified_on == date(2026, 5, 12)
    assert MemberContract.objects.count() == 3


def test_a_member_s_contract_waits_for_the_standstill_and_stays_once_notified():
    tender, award = each_signs()
    pk = tender.members[1].pk
    told = boxes(tender, award, contracts={pk: ContractDates(date(2026, 4, 23), date(2026, 4, 22))})
    assert set(told) == {f"signed_{pk}", f"notified_{pk}"}
    follow(tender, award, contracts={pk: ContractDates(EARLIEST, EARLIEST)})
    told = boxes(tender, award, contracts={pk: ContractDates()})
    assert "Notifié le 24/04/2026" in str(told[f"notified_{pk}"])
    assert follow(tender, award, contracts={pk: ContractDates(EARLIEST, EARLIEST)}).version == 3  # nothing changed


def test_a_signature_recorded_by_mistake_is_erased_before_the_notification():
    tender, award = each_signs()
    pk = tender.members[1].pk
    follow(tender, award, contracts={pk: ContractDates(EARLIEST)})
    follow(tender, award, contracts={pk: ContractDates()})
    assert not MemberContract.objects.exists()
    assert Award.objects.get().signed_on is None
    assert JournalEntry.objects.filter(verb="contract.remove", concerns_id=tender.members[1].organisation_id).exists()


def test_somebody_else_signs_nothing():
    tender, award = each_signs()
    outsider = make_membership(make_tender().grouping, make_organisation(parent=tender.metropole))
    with pytest.raises(BusinessError, match="Seul un membre"):
        follow(tender, award, contracts={outsider.pk: ContractDates(EARLIEST)})
