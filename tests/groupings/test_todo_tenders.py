"""À faire after the launch: what the consultation and its lots ask of the coordinator's people, by the day and hour."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from groupings.models import Award, Consultation
from groupings.rules.essential_data import publication_deadline
from groupings.todo import todo_on
from tests.support.factories import make_affiliation, make_consultation, make_grouping, make_lot
from tests.support.tenders import MET, decide, follow, make_tender, notify

pytestmark = pytest.mark.django_db
#: 11 h in Paris in winter is 10 h UTC.
DUE = datetime(2026, 3, 16, 10, tzinfo=UTC)
OPEN = {"offers_due_at": DUE, "opened_on": None, "closed_on": None, "committee": "", "committee_met_on": None}


def told(tender, now: datetime) -> list[str]:
    todo = todo_on(tender.buyer, now.date(), now)
    assert (len(todo.late), len(todo.soon), len(todo.to_transmit)) == (0, 0, 0)  # the three numbers stay true
    return [task.what for task in todo.tenders]


@pytest.fixture
def opened():
    return make_tender(status="consultation", consultation=OPEN)


def test_offers_due_within_fifteen_days_then_to_close(opened):
    """Due on 16/03: shown from 01/03 on; at 10 h 59 still awaited, at 11 h to be opened."""
    awaited = ["Les offres sont attendues jusqu’au 16/03/2026 à 11 h 00."]
    assert told(opened, datetime(2026, 2, 28, 12, tzinfo=UTC)) == []
    assert told(opened, datetime(2026, 3, 1, 12, tzinfo=UTC)) == awaited
    assert told(opened, DUE - timedelta(minutes=1)) == awaited
    assert told(opened, DUE) == ["Les offres sont remises\u00a0: ouvrez les plis, puis clôturez la consultation."]
    Consultation.objects.update(notice_sent_on=None)
    assert told(opened, datetime(2026, 2, 2, tzinfo=UTC)) == [
        "Indiquez l’envoi de l’avis et la date limite de remise des offres."
    ]


def test_from_the_decision_to_the_notification_and_the_step_of_the_grouping():
    """Rejections on 13/04, eleven days: signature on 24/04."""
    tender = make_tender(lots=1)
    on = datetime(2026, 4, 20, 8, tzinfo=UTC)
    assert told(tender, on) == ["Enregistrez la décision prise sur le lot 1."]
    award = decide(tender).award
    assert told(tender, on) == ["Envoyez les lettres de rejet pour le lot 1\u00a0: la signature en dépend."]
    follow(tender, award, rejection_sent_on=date(2026, 4, 13))
    assert told(tender, on) == ["Délai de suspension en cours\u00a0: signature à partir du 24/04/2026."]
    assert told(tender, datetime(2026, 4, 24, 8, tzinfo=UTC)) == ["Signez le marché pour le lot 1."]
    notify(tender, award)
    over = "Tous les marchés sont notifiés\u00a0: faites passer le groupement en exécution."
    assert told(tender, datetime(2026, 4, 27, tzinfo=UTC)) == [over]
    type(tender.grouping).objects.update(status="performance")
    assert told(tender, datetime(2026, 4, 27, tzinfo=UTC)) == []


def test_a_lot_put_out_again_is_asked_for_in_its_own_consultation():
    tender = make_tender(lots=2)
    first, second = tender.lots
    notify(tender, decide(tender, first).award)
    decide(tender, second, outcome="unsuccessful", reason="Aucune offre.", offers_received=0)
    later = make_consultation(tender.grouping, second, number=2, launched_on=date(2026, 5, 4))
    on = datetime(2026, 5, 5, 8, tzinfo=UTC)
    waiting = ["Consultation n° 2\u00a0: Indiquez l’envoi de l’avis et la date limite de remise des offres."]
    assert told(tender, on) == waiting
    type(tender.grouping).objects.update(status="performance")
    assert told(tender, on) == waiting
    later.delete()
    assert told(tender, on) == []


def test_essential_data_are_asked_for_within_two_months_and_above_the_threshold():
    """Notified on 26/04: published before 26/06, so asked for from 11/06 on; 3 000 € is below 40 000 €."""
    tender = make_tender(lots=2, status="performance")
    for lot in tender.lots:
        notify(tender, decide(tender, lot).award)
    on = datetime(2026, 6, 11, 8, tzinfo=UTC)
    assert told(tender, on) == []
    Award.objects.filter(lot=tender.lots[1]).update(amount_excl_tax="40000.00")
    assert told(tender, on - timedelta(days=1)) == []
    assert told(tender, on) == ["Publiez les données essentielles du lot 2 avant le 26/06/2026, puis notez-le."]
    Award.objects.update(data_published_on=date(2026, 6, 12))
    assert told(tender, on) == []
    assert publication_deadline(date(2026, 12, 31)) == date(2027, 2, 28)


def test_a_member_and_an_abandoned_grouping_are_asked_for_nothing(opened):
    assert todo_on(opened.agent, MET).tenders == []
    type(opened.grouping).objects.update(status="cancelled")
    assert told(opened, DUE) == []


def test_another_territory_is_not_shown(opened):
    other = make_tender()
    assert {task.grouping for task in todo_on(opened.buyer, MET).tenders} == {opened.grouping}
    assert {task.grouping for task in todo_on(other.buyer, MET).tenders} == {other.grouping}


@pytest.mark.parametrize("count", [2, 50])
@pytest.mark.parametrize("is_quiet", [True, False])
def test_the_first_screen_stays_within_its_queries(client, django_assert_max_num_queries, count, is_quiet):
    """Quiet: offers due in a year everywhere, nothing in preparation; each question of the page is then asked."""
    tender = make_tender(lots=1)
    type(tender.grouping).objects.update(status="cancelled")
    for _ in range(count):
        grouping = make_grouping(tender.metropole, status="consultation", launched_on=date(2026, 2, 1))
        make_lot(grouping)
        due = datetime(2099, 1, 5, 11, tzinfo=UTC) if is_quiet else DUE
        make_consultation(grouping, **OPEN | {"offers_due_at": due, "notice_sent_on": date(2026, 2, 8)})
    client.force_login(make_affiliation(tender.metropole).user)
    with django_assert_max_num_queries(12):
        page = client.get("/").content.decode()
    assert ("Rien à faire aujourd’hui." in page) is is_quiet
    assert (page.count(reverse("consultation", args=[grouping.pk])) == 1) is not is_quiet


def test_a_second_failure_does_not_tell_to_abandon_what_another_lot_bought():
    """Lot 1 in force, lot 2 unsuccessful twice: nothing is left but to go on."""
    tender = make_tender(lots=2)
    first, second = tender.lots
    notify(tender, decide(tender, first).award)
    decide(tender, second, outcome="unsuccessful", reason="Aucune offre.", offers_received=0)
    dates = {"launched_on": date(2026, 5, 4), "closed_on": date(2026, 6, 8), "notice_sent_on": date(2026, 5, 4)}
    later = make_consultation(
        tender.grouping, second, number=2, offers_due_at=datetime(2026, 6, 8, 9, tzinfo=UTC), **dates
    )
    later.committee, later.committee_met_on = "tender_committee", date(2026, 6, 9)
    later.save()
    Award.objects.create(
        consultation=later, lot=second, outcome="unsuccessful", decided_on=date(2026, 6, 9), reason="Aucune offre."
    )
    over = "Tous les marchés sont notifiés\u00a0: faites passer le groupement en exécution."
    assert told(tender, datetime(2026, 6, 10, tzinfo=UTC)) == [over]
