"""What the form shows before anybody types, and where each figure comes from."""

from datetime import date
from decimal import Decimal

import pytest
from djmoney.money import Money

from groupings.models import AwardHolder, Grouping, Membership, NeedsDraft
from groupings.needs_prefill import entry_texts, units_of, workbook_rows
from groupings.needs_state import entry_of
from groupings.rules.needs import NeedEntry
from groupings.views.needs_page import Door, Page, find_answering
from tests.support.factories import make_award, make_consultation, make_grouping, make_lot, make_need
from tests.support.needs import in_days, make_survey

pytestmark = pytest.mark.django_db
DOOR = Door("/form/", "/receipt/", "/back/", lambda document: "/file/")
FORMER = "Repris de GC-2016-13\u00a0: à vérifier"


@pytest.fixture
def survey():
    return make_survey()


@pytest.fixture
def former(survey):
    """The grouping renewed: 36 months, its first lot, the same commune and the métropole."""
    former = make_grouping(
        survey.metropole, reference="GC-2016-13", status="review", launched_on=date(2023, 1, 9), duration_months=36
    )
    Grouping.objects.filter(pk=survey.grouping.pk).update(renews=former)
    make_lot(former, 1)
    for body in (survey.commune, survey.metropole):
        Membership.objects.create(grouping=former, organisation=body)
    return former


def shown(survey, number=1):
    page = Page(find_answering(pk=survey.membership.pk), survey.agent, in_days(0), DOOR)
    return page.shown[number]


def old_member(former, survey):
    return former.memberships.get(organisation=survey.commune)


def test_nothing_known_is_nothing_shown(survey):
    assert shown(survey).texts == {}


def test_the_previous_grouping_is_proposed_box_by_box_and_says_so(survey, former):
    make_need(
        old_member(former, survey),
        former.lots.get(),
        "3600.00",
        quantity=Decimal("1500.500"),
        unit="rame",
        current_unit_price=Decimal("0.183400"),
        current_supplier="Lacoste",
        current_contract_ends_on=date(2027, 6, 30),
    )
    found = shown(survey)
    assert found.texts == {
        "yearly_amount": "1 200,00",  # 3 600 € over 36 months
        "quantity": "1500,5",
        "unit": "rame",
        "unit_price": "0,1834",
        "supplier": "Lacoste",
        "contract_ends_on": "2027-06-30",
    }
    assert set(found.sources.values()) == {FORMER}
    assert set(found.sources) == set(found.texts)
    assert shown(survey, 2).texts == {}


def test_a_whole_amount_that_does_not_divide_is_told_and_not_proposed(survey, former):
    make_need(old_member(former, survey), former.lots.get(), "100.00")  # 33.333… a year
    found = shown(survey)
    assert found.texts == {}
    assert found.told == "GC-2016-13\u00a0: 100,00\u00a0€ HT sur 36 mois."


def test_the_contract_that_followed_says_supplier_and_end(survey, former):
    lot = former.lots.get()
    make_need(old_member(former, survey), lot, "3600.00", current_supplier="Un plus ancien")
    award = make_award(
        make_consultation(former),
        lot,
        "5000.00",
        shares=[(old_member(former, survey), "3700.00")],
        decided_on=date(2023, 3, 1),
        starts_on=date(2023, 6, 1),
        duration_months=36,
    )
    AwardHolder.objects.filter(award=award).update(name="Papeterie du Lez")
    assert shown(survey).texts["supplier"] == "Un plus ancien"  # nothing of an award is told before its notification
    award.signed_on = award.notified_on = date(2023, 5, 2)
    award.save()
    found = shown(survey)
    assert found.texts == {
        "yearly_amount": "1 200,00",
        "supplier": "Papeterie du Lez",
        "contract_ends_on": "2026-05-31",
    }
    assert set(found.sources.values()) == {FORMER}


def test_a_share_alone_is_proposed_when_it_divides(survey, former):
    make_award(
        make_consultation(former),
        former.lots.get(),
        "5000.00",
        shares=[(old_member(former, survey), "3000.00")],
        decided_on=date(2023, 3, 1),
        signed_on=date(2023, 5, 2),
        notified_on=date(2023, 5, 2),
        duration_months=36,
    )
    assert shown(survey).texts["yearly_amount"] == "1 000,00"


def test_the_neighbours_of_the_previous_grouping_are_not_read(survey, former):
    make_need(former.memberships.get(organisation=survey.metropole), former.lots.get(), "3600.00")
    assert shown(survey).texts == {}


def test_the_need_that_counts_comes_before_the_previous_one(survey, former):
    make_need(old_member(former, survey), former.lots.get(), "3600.00")
    make_need(survey.membership, survey.lots[0], "4800.00")
    found = shown(survey)
    assert found.texts == {"total_amount": "4 800,00"}
    assert found.sources == {"total_amount": "Connu de Métropole du Lez\u00a0: à vérifier"}


def test_a_draft_hides_the_rest_and_keeps_saying_where_its_untouched_figures_come_from(survey, former):
    make_need(old_member(former, survey), former.lots.get(), "3600.00", current_supplier="Lacoste")
    lines = {"1": {"yearly_amount": "1 200,00", "supplier": "Autre", "unit": "rame"}}
    NeedsDraft.objects.create(membership=survey.membership, lines=lines, saved_by="Essai")
    found = shown(survey)
    assert found.texts == lines["1"]
    assert found.sources == {"yearly_amount": FORMER}


def test_no_need_ticked_over_figures_nobody_touched_is_no_contradiction(client, survey, former):
    """One tap, without erasing what we proposed; a figure that was typed is asked about."""
    make_need(old_member(former, survey), former.lots.get(), "3600.00")
    client.force_login(survey.agent.user)
    ticked = {"has_no_need": "on", "yearly_amount": "1 200,00"}
    typed = {"has_no_need": "on", "yearly_amount": "1 300,00"}
    assert client.post(survey.url, survey.answer(typed, {"has_no_need": "on"})).status_code == 422
    response = client.post(survey.url, survey.answer(ticked, {"has_no_need": "on"}, read=(1, 0)))
    assert response.status_code == 302
    assert not survey.membership.needs.exists()
    assert shown(survey).texts == {"has_no_need": "on"}


def test_the_page_says_where_a_figure_comes_from_until_it_is_changed(client, survey, former):
    make_need(old_member(former, survey), former.lots.get(), "3600.00")
    client.force_login(survey.agent.user)
    assert FORMER in client.get(survey.url).content.decode()
    client.post(survey.url, survey.answer({"yearly_amount": "1 250"}, {}, action="draft"))
    assert FORMER not in client.get(survey.url).content.decode()


def test_a_line_is_written_as_a_person_would_type_it_again(survey):
    whole_only = make_need(survey.membership, survey.lots[0], "100.01")
    assert entry_texts(entry_of(whole_only)) == {"total_amount": "100,01"}
    whole_only.yearly_amount_excl_tax = Money("1234567.80", "EUR")
    assert entry_texts(entry_of(whole_only)) == {"yearly_amount": "1 234 567,80"}
    unknown = make_need(survey.membership, survey.lots[1], None, quantity=Decimal("1000"), unit="L")
    assert entry_texts(entry_of(unknown)) == {"quantity": "1000", "unit": "L"}
    assert units_of([entry_of(unknown)])[0] == "L"
    unknown.quantity, unknown.unit = None, ""
    unknown.estimated_amount_excl_tax = Money("0.00", "EUR")  # an answer of an older survey
    assert entry_texts(entry_of(unknown)) == {"has_no_need": "on"}


def test_an_answer_over_the_whole_duration_is_shown_as_it_was_said(client, survey):
    """A purchase made once stays one: sent again untouched, it does not become a yearly amount, that the duration
    would change."""
    client.force_login(survey.agent.user)
    client.post(survey.url, survey.answer({"total_amount": "4 800"}, {"has_no_need": "on"}))
    assert shown(survey).texts == {"total_amount": "4 800,00"}
    again = survey.answer(shown(survey).texts | {"supplier": "Lacoste"}, {"has_no_need": "on"}, read=(0, 1))
    assert client.post(survey.url, again).status_code == 302
    line = survey.membership.needs.get()
    assert (line.yearly_amount_excl_tax, line.estimated_amount_excl_tax) == (None, Money("4800.00", "EUR"))


def test_form_and_workbook_propose_the_same_former_figures(survey, former):
    """The need, then the contract that followed; 100 € over 36 months is no yearly amount, and is not rounded."""
    make_lot(former, 2)
    first, second = former.lots.order_by("number")
    make_need(old_member(former, survey), first, "3600.00", quantity=Decimal(12), unit="rame")
    make_need(old_member(former, survey), second, "100.00")
    award = make_award(
        make_consultation(former),
        first,
        "5000.00",
        shares=[(old_member(former, survey), "3700.00")],
        decided_on=date(2023, 3, 1),
        signed_on=date(2023, 5, 2),
        notified_on=date(2023, 5, 2),
        starts_on=date(2023, 6, 1),
        duration_months=36,
    )
    AwardHolder.objects.filter(award=award).update(name="Papeterie du Lez")
    survey.grouping.refresh_from_db()
    rows = list(workbook_rows(survey.grouping, [survey.membership], survey.buyer))
    assert [entry_texts(row.entry) for row in rows] == [shown(survey).texts, shown(survey, 2).texts]
    assert rows[0].entry == NeedEntry(
        yearly_amount=Decimal("1200.00"),
        quantity=Decimal(12),
        unit="rame",
        supplier="Papeterie du Lez",
        contract_ends_on=date(2026, 5, 31),
    )
    assert [row.to_confirm for row in rows] == [True, False]
