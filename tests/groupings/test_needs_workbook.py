"""The workbook of needs as it leaves: locked, yellow, listed, prefilled; and as each person receives it."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse

from groupings.exchange.needs_workbook import COLUMNS, WorkbookRow, write_workbook
from groupings.rules.needs import NeedEntry
from members.roles import Role
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_need,
    make_organisation,
    make_territory,
)

FULL = NeedEntry(
    yearly_amount=Decimal("1234.56"),
    quantity=Decimal("12.500"),
    unit="rame",
    unit_price=Decimal("0.123456"),
    supplier='=HYPERLINK("http://example.org")',
    contract_ends_on=date(2027, 3, 31),
)
ROWS = [
    WorkbookRow("213401722", "Commune d’Œuvres", 1, "Papier", FULL),
    WorkbookRow("213401722", "Commune d’Œuvres", 2, "Encre", NeedEntry(has_no_need=True)),
    WorkbookRow("213401722", "@Commune", 3, "Stylos", NeedEntry(yearly_amount=Decimal("5.00")), to_confirm=True),
]


def load(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content))


def written():
    return load(write_workbook(ROWS, reference="GC-1", title="Papier", months=48))


def test_the_values_are_real_numbers_and_dates_and_never_formulas():
    sheet = written()["Besoins"]
    assert [cell.value for cell in sheet[1]] == [column.label for column in COLUMNS]
    values = [cell.value for cell in sheet[2]]
    assert values[:4] == ["213401722", "Commune d’Œuvres", 1, "Papier"]
    assert (values[6], values[8], values[9], values[10]) == (1234.56, 12.5, "rame", 0.123456)
    assert values[12].date() == date(2027, 3, 31)
    assert [cell.data_type for cell in sheet[2] if cell.value is not None].count("f") == 0
    assert sheet["L2"].value.startswith("=HYPERLINK")  # a text
    assert sheet["L2"].data_type == "s"
    assert (sheet["N3"].value, sheet["O4"].value) == ("oui", "à confirmer")
    assert "€" in sheet["G2"].number_format
    assert sheet["M2"].number_format == "dd/mm/yyyy"


def test_what_identifies_a_line_is_locked_and_what_is_filled_is_yellow():
    sheet = written()["Besoins"]
    assert sheet.protection.sheet
    assert not sheet.protection.password
    assert all(cell.protection.locked for cell in sheet[1])
    for row in sheet.iter_rows(min_row=2):
        for cell in row[:6]:
            assert cell.protection.locked
        for cell in row[6:]:
            assert not cell.protection.locked
            assert cell.fill.fgColor.rgb == "FFFFF8D6"
    assert sheet.freeze_panes == "G2"
    assert sheet.column_dimensions["B"].width > 25


def test_the_lists_propose_units_and_answers():
    book = written()
    lists = {str(rule.sqref): rule for rule in book["Besoins"].data_validations.dataValidation}
    assert lists["N2:N4"].formula1 == '"oui"'
    assert lists["O2:O4"].formula1 == '"à confirmer,confirmé"'
    assert lists["J2:J4"].formula1.startswith("Consignes!$D$2")
    assert not lists["J2:J4"].showErrorMessage  # another unit may be typed
    units = [row[3].value for row in book["Consignes"].iter_rows(min_row=2) if row[3].value]
    assert "rame" in units


def test_the_instructions_are_in_french_on_the_second_sheet():
    book = written()
    assert book.sheetnames == ["Besoins", "Consignes"]
    text = " ".join(str(cell.value) for row in book["Consignes"].iter_rows() for cell in row if cell.value)
    assert "inconnu n’est pas zéro" in text
    assert "48 mois" in text
    assert "« à confirmer »".replace(" ", "\u00a0").replace("«\u00a0à\u00a0", "«\u00a0à ") in text


def test_the_same_rows_give_the_same_bytes():
    first, second = (write_workbook(ROWS, reference="GC-1", title="Papier", months=48) for _ in range(2))
    assert first == second


def test_no_row_is_a_workbook_too():
    assert load(write_workbook([], reference="GC-1", title="Papier", months=48))["Besoins"].max_row == 1


# Who receives what


def sheet_of(client, affiliation, grouping):
    client.force_login(affiliation.user)
    response = client.get(reverse("needs_workbook", args=[grouping.pk]))
    assert response.status_code == 200
    return load(response.content)["Besoins"]


@pytest.mark.django_db
def test_the_coordinator_receives_every_active_member_and_a_member_its_own_lines(client):
    metropole, grouping = make_territory(members=3, lots=2)
    first, gone, _ = grouping.memberships.exclude(organisation=metropole)
    gone.withdrawn_on = gone.joined_on
    gone.save()
    sirens = [row[0].value for row in sheet_of(client, make_affiliation(metropole), grouping).iter_rows(min_row=2)]
    assert sorted(set(sirens)) == sorted(m.organisation.siren for m in (grouping.memberships.active()))
    assert len(sirens) == 6
    agent = make_affiliation(first.organisation, Role.MEMBER_AGENT)
    own = list(sheet_of(client, agent, grouping).iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in own] == [first.organisation.siren] * 2


@pytest.mark.django_db
def test_the_figures_of_the_former_grouping_wait_for_a_confirmation(client):
    """500.00 € over 24 months of the former grouping are 250.00 € a year; the current figure comes first."""
    metropole, grouping = make_territory(members=0, lots=2)
    body = make_organisation(parent=metropole)
    former = make_grouping(metropole, duration_months=24)
    before = make_membership(former, body)
    for number in (1, 2, 3):
        make_need(before, make_lot(former, number), "500.00")
    grouping.renews = former
    grouping.save()
    membership = make_membership(grouping, body)
    make_need(membership, grouping.lots.get(number=2), "77.00")
    agent = make_affiliation(body, Role.MEMBER_AGENT)
    rows = list(sheet_of(client, agent, grouping).iter_rows(min_row=2, values_only=True))
    assert [(row[2], row[6], row[7], row[14]) for row in rows] == [(1, 250, None, "à confirmer"), (2, None, 77, None)]


@pytest.mark.django_db
def test_few_queries_whatever_the_members(client, django_assert_max_num_queries):
    metropole, grouping = make_territory(members=30, lots=6)
    buyer = make_affiliation(metropole)
    client.force_login(buyer.user)
    with django_assert_max_num_queries(12):
        client.get(reverse("needs_workbook", args=[grouping.pk]))
