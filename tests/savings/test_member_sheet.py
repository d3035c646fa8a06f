"""The fiche commune: gains in euros first, what must be done, the contracts; of one member, for its own eyes."""

import io
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from pypdf import PdfReader

from groupings.models import Membership
from members.roles import Role
from savings.member_sheet import member_sheet
from tests.support.contracts import make_scene
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
)
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    now = datetime(2026, 11, 28, 9, tzinfo=ZoneInfo("Europe/Paris"))
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def scene():
    return make_scene()


def measured(membership, lot, *, months=24, **fields):
    """Paper of domain.md §8: 1 000 × (4.80 − 3.60) = 1 200.00 a year; indexed by 1.03, 1 344.00. From 01/07/2026."""
    baseline = make_baseline(membership, lot, "4.80", "1000", index_factor="1.03", **fields)
    return make_line(baseline, "3.60", starts_on=date(2026, 7, 1), months=months)


def of(scene, today=TODAY, affiliation=None):
    return member_sheet(scene.commune, affiliation or scene.agent, today)


def text_of(client, person, scene, name="member_sheet", body=None) -> str:
    client.force_login(person.user)
    response = client.get(reverse(name, args=[(body or scene.commune).pk]))
    assert response.status_code == 200
    if name == "member_sheet":
        return response.content.decode()
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


# The gains


@pytest.mark.parametrize(
    ("today", "budget", "purchase"),
    [
        (date(2026, 12, 31), "600.00", "672.00"),  # six months of twelve
        (date(2027, 1, 1), "1200.00", "1344.00"),
        (date(2028, 2, 29), "600.00", "672.00"),
    ],
)
def test_the_gain_of_the_year_and_of_the_full_term(scene, today, budget, purchase):
    measured(scene.membership, scene.award.lot)
    sheet = of(scene, today)
    assert (sheet.this_year.budget, sheet.this_year.purchase) == (Decimal(budget), Decimal(purchase))
    assert (sheet.full_term.budget, sheet.full_term.purchase) == (Decimal("2400.00"), Decimal("2688.00"))
    assert sheet.this_year.budget_rate == Decimal("25.00")  # 1.20 of 4.80
    assert sheet.this_year.purchase_rate == Decimal("27.18")  # 1.344 of 4.944


def test_one_off_and_unproven_gains_are_told_apart(scene):
    measured(scene.membership, scene.award.lot)
    bench = make_baseline(
        scene.membership,
        scene.second.lot,
        "100",
        "1",
        designation="Banc",
        is_one_off=True,
        grade="D",
        method="BUDGET_ESTIMATE",
    )
    make_line(bench, "90", starts_on=date(2026, 9, 1), months=1)
    gains = of(scene).this_year
    assert (gains.budget, gains.one_off, gains.proven) == (Decimal("610.00"), Decimal("10.00"), Decimal("600.00"))


def test_a_loss_is_kept_and_shown(client, scene):
    baseline = make_baseline(scene.membership, scene.award.lot, "3.50", "100")
    make_line(baseline, "3.60")
    assert of(scene).this_year.budget == Decimal("-10.00")
    assert "-10,00" in text_of(client, scene.agent, scene)


def test_what_is_not_measured_is_said_and_is_no_zero(client, scene):
    sheet = of(scene)
    assert sheet.full_term is None and sheet.this_year is None
    assert "Aucun gain validé" in text_of(client, scene.agent, scene)
    measured(scene.membership, scene.award.lot)
    assert of(scene).coverage == "1 lot mesuré sur 2 en cours\u202f; non mesuré\u00a0: GC-2025-07 lot 2"
    assert [contract.is_measured for contract in of(scene).contracts] == [True, False]


def test_only_validated_lines_of_the_stage_awarded_count(scene):
    baseline = make_baseline(scene.membership, scene.award.lot)
    make_line(baseline, status="SUBMITTED")
    make_line(baseline, stage="ESTIMATED")
    assert of(scene, affiliation=scene.buyer).full_term is None


# What must be done, and the rest


def test_the_acts_due_and_the_next_council(scene):
    make_session(scene.commune, date(2027, 1, 14), agenda_closes_on=date(2027, 1, 4))
    survey = make_grouping(scene.metropole, reference="GC-B", status="needs", needs_due_on=date(2026, 11, 20))
    make_lot(survey)
    make_membership(survey, scene.commune)
    voting = make_grouping(
        scene.metropole, reference="GC-A", status="deliberations", deliberations_due_on=date(2026, 12, 15)
    )
    adopt(make_membership(voting, scene.commune), date(2026, 11, 5), executory=False)
    make_baseline(scene.membership, scene.award.lot, is_confirmed=False)
    sheet = of(scene)
    assert [(due.what, due.grouping.reference, due.due_on, due.is_late) for due in sheet.dues] == [
        ("Indiquer les besoins, lot par lot", "GC-B", date(2026, 11, 20), True),
        ("Transmettre la délibération au contrôle de légalité", "GC-A", date(2026, 12, 15), False),
        ("Confirmer 1 prix de référence", "GC-2025-07", None, False),
    ]
    assert sheet.next_council.meeting_on == date(2027, 1, 14)
    assert [due.what for due in of(scene, affiliation=scene.buyer).dues] == [due.what for due in sheet.dues]


def test_the_groupings_and_the_contracts_with_their_own_share(scene):
    scene.consume(scene.membership, "150.00")
    scene.consume(scene.other, "399.00")
    ended = make_grouping(scene.metropole, status="review", launched_on=date(2026, 9, 2), closed_on=date(2026, 11, 27))
    make_membership(ended, scene.commune)
    left = make_grouping(scene.metropole)
    Membership.objects.filter(pk=make_membership(left, scene.commune).pk).update(withdrawn_on=date(2026, 10, 1))
    sheet = of(scene, affiliation=scene.buyer)
    assert [(line.grouping.reference, line.on, line.on_label) for line in sheet.lines] == [
        ("GC-2025-07", date(2028, 5, 31), "fin de marché")
    ]
    assert sheet.ended == 2
    told = [(c.award.lot.number, c.part.share, c.part.consumed, c.left) for c in sheet.contracts]
    assert told == [
        (1, Decimal("600.00"), Decimal("150.00"), Decimal("450.00")),
        (2, Decimal("500.00"), Decimal("0.00"), Decimal("500.00")),
    ]
    assert sheet.contracts[0].part.percent == Decimal("25.00")
    assert [contact.organisation for contact in sheet.contacts] == [scene.metropole]


def test_a_contract_leaves_the_sheet_the_day_after_its_end(scene):
    assert len(of(scene, date(2028, 5, 31)).contracts) == 2
    assert of(scene, date(2028, 6, 1)).contracts == []


def test_a_body_of_no_grouping_has_a_sheet_and_a_contact():
    metropole = make_metropole()
    commune = make_organisation(parent=metropole)
    sheet = member_sheet(commune, make_affiliation(commune, Role.MEMBER_AGENT), TODAY)
    assert (sheet.lines, sheet.dues, sheet.contracts, sheet.coverage) == ([], [], [], "")
    assert [contact.organisation for contact in sheet.contacts] == [metropole]


# Who reads it


def test_nothing_is_leaked_to_the_neighbour_nor_to_another_territory(client, scene):
    """A neighbour, a stranger, whoever has no role: the sheet of the commune does not exist."""
    neighbours = [make_affiliation(scene.neighbour, role) for role in (Role.MEMBER_AGENT, Role.BUYER, Role.FINANCE)]
    for person in (*neighbours, make_affiliation(make_metropole())):
        client.force_login(person.user)
        for name in ("member_sheet", "member_sheet_pdf"):
            assert client.get(reverse(name, args=[scene.commune.pk])).status_code == 404, (person, name)


@pytest.mark.parametrize("name", ["member_sheet", "member_sheet_pdf"])
def test_a_sheet_never_holds_what_the_others_gain_or_consume(client, scene, name):
    measured(scene.membership, scene.award.lot)
    baseline = make_baseline(scene.other, scene.award.lot, "7.77", "1000")
    make_line(baseline, "1.11")  # 6 660.00 a year
    scene.consume(scene.other, "399.99")
    for person in (scene.agent, scene.buyer):
        text = text_of(client, person, scene, name).replace("\u202f", " ").replace("\u00a0", " ")
        assert "600,00" in text
        for secret in ("6 660", "7 260", "399,99"):
            assert secret not in text, secret


def test_it_is_linked_from_the_page_of_the_member_for_its_readers_alone(client, scene):
    url = reverse("member_sheet", args=[scene.commune.pk])
    page = reverse("organisation_detail", args=[scene.commune.pk])
    for person, is_linked in ((scene.agent, True), (scene.buyer, True), (make_affiliation(scene.neighbour), False)):
        client.force_login(person.user)
        assert (url in client.get(page).content.decode()) is is_linked
    client.force_login(scene.agent.user)
    assert url in client.get(reverse("home")).content.decode()
    assert url in client.get(reverse("my_deliberations")).content.decode()


@pytest.mark.parametrize("count", [2, 50])
def test_twelve_queries_whatever_the_groupings(client, scene, count, django_assert_max_num_queries):
    for number in range(count):
        grouping = make_grouping(scene.metropole, reference=f"G-{number}", status="needs")
        make_lot(grouping)
        make_membership(grouping, scene.commune)
    measured(scene.membership, scene.award.lot)
    for person in (scene.agent, scene.buyer):
        client.force_login(person.user)
        with django_assert_max_num_queries(12):
            assert client.get(reverse("member_sheet", args=[scene.commune.pk])).status_code == 200


# The PDF


def test_the_pdf_says_the_gains_first_and_is_one_page_up_to_twelve_groupings(client, scene):
    measured(scene.membership, scene.award.lot)
    for number in range(11):
        grouping = make_grouping(
            scene.metropole,
            reference=f"GC-2027-{number:02}",
            title="Fourniture de vêtements professionnels et d’équipements",
            status="deliberations",
            deliberations_due_on=date(2026, 12, 15),
        )
        make_membership(grouping, scene.commune)
    client.force_login(scene.agent.user)
    response = client.get(reverse("member_sheet_pdf", args=[scene.commune.pk]))
    reader = PdfReader(io.BytesIO(response.content))
    assert len(reader.pages) == 1
    text = " ".join(reader.pages[0].extract_text().split())
    order = ("Gain budgétaire 2026", "À faire", "Groupements (12 en cours)", "Marchés en cours (2)", "Votre contact")
    assert sorted(order, key=text.index) == list(order)
    assert "28 novembre 2026" in text and "600,00" in text
    grouping = make_grouping(scene.metropole, title="Un de plus")
    for number in range(30):
        make_membership(make_grouping(scene.metropole, reference=f"Z-{number}"), scene.commune)
    response = client.get(reverse("member_sheet_pdf", args=[scene.commune.pk]))
    assert len(PdfReader(io.BytesIO(response.content)).pages) > 1


def test_a_name_no_font_can_draw_is_refused_with_a_sentence(client, scene):
    scene.commune.name = "Aubrac 🐄"
    scene.commune.save()
    client.force_login(scene.agent.user)
    response = client.get(reverse("member_sheet_pdf", args=[scene.commune.pk]))
    assert response.status_code == 409
    assert "ne tient pas dans un PDF" in response.content.decode()
