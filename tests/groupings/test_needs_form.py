"""The form of a member's needs, as a secretary uses it: what is typed, refused, kept, sent, receipted."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from groupings.models import Grouping, GroupingDocument, Membership, NeedLine, NeedsDraft, NeedsSubmission
from members.roles import Role
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import make_pdf
from tests.support.factories import make_affiliation, make_grouping, make_lot, make_need, make_territory
from tests.support.needs import boxes, in_days, make_survey, open_campaign

pytestmark = pytest.mark.django_db
NO_NEED = {"has_no_need": "on"}


@pytest.fixture
def survey(client):
    """The agent of the commune is signed in."""
    survey = make_survey()
    client.force_login(survey.agent.user)
    return survey


def errors(response) -> dict[str, list[str]]:
    return {name: list(map(str, problems)) for name, problems in response.context["form"].errors.items()}


def text(response) -> str:
    return response.content.decode()


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page).group()
    value = re.search(r'value="([^"]*)"', found)
    return value.group(1) if value else ""


def test_all_the_lots_are_sent_in_one_form_and_the_receipt_follows(client, survey):
    typed = {"yearly_amount": "1\u202f234,56\u00a0€", "quantity": "1 500,5", "unit": "ramettes", "unit_price": "0,1834"}
    response = client.post(survey.url, survey.answer(typed, NO_NEED), follow=True)
    assert response.redirect_chain == [(survey.receipt_url, 302)]
    line = survey.membership.needs.get()
    assert line.yearly_amount_excl_tax.amount == Decimal("1234.56")
    assert line.estimated_amount_excl_tax.amount == Decimal("4938.24")
    assert (line.quantity, line.unit, line.current_unit_price) == (Decimal("1500.5"), "ramettes", Decimal("0.1834"))
    page = text(response)
    submission = NeedsSubmission.objects.get()
    for told in ("Reçu n°\u00a01", "1\u202f500,5 ramettes", "4\u202f938,24\u00a0€", "Pas de besoin pour ce lot"):
        assert told in page
    assert submission.sha256 in page
    assert survey.agent.actor_label.replace("'", "&#x27;") in page
    table = text(client.get(reverse("needs_table", args=[survey.grouping.pk])))
    assert "1\u202f500,5 ramettes" in table
    again = text(client.get(survey.url))
    assert value_of(again, f"yearly_amount_{survey.lots[0].pk}") == "1 234,56"
    assert "soit 4\u202f938,24\u00a0€ HT sur 48 mois" in again
    assert "Réponse n°\u00a01 transmise" in again


def test_the_red_banner_stays_until_the_answer_is_sent(client, survey):
    def is_red(page: str) -> bool:
        return 'class="unsent" role="status"' in page

    page = text(client.get(survey.url))
    assert (is_red(page), "Brouillon, non transmis" in page) == (True, True)
    client.post(survey.url, survey.answer({"quantity": "3"}, {}, action="draft"))
    for url in (survey.url, "/", reverse("grouping_detail", args=[survey.grouping.pk])):
        assert "Brouillon, non transmis" in text(client.get(url)), url
    client.post(survey.url, survey.answer({"yearly_amount": "5"}, NO_NEED, read=(1, 0)))
    for url in (survey.url, "/", reverse("grouping_detail", args=[survey.grouping.pk])):
        page = text(client.get(url))
        assert (is_red(page), "non transmis" in page) == (False, False), url
    assert "Besoins transmis" in page
    client.post(survey.url, survey.answer({"yearly_amount": "6"}, NO_NEED, action="draft", read=(0, 1)))
    for url in (survey.url, "/", survey.receipt_url, reverse("grouping_detail", args=[survey.grouping.pk])):
        assert "Modifications non transmises" in text(client.get(url)), url
    assert survey.membership.needs.get().yearly_amount_excl_tax.amount == Decimal("5.00")  # the former one counts
    client.post(survey.url, {"action": "discard", "version": "1", "number": "1"})
    page = text(client.get(survey.url))
    assert not is_red(page)
    assert value_of(page, f"yearly_amount_{survey.lots[0].pk}") == "5,00"


@pytest.mark.parametrize(
    ("typed", "box", "sentence"),
    [
        ({"yearly_amount": "-1"}, "yearly_amount", "Un besoin ne peut pas être négatif."),
        ({"yearly_amount": "0"}, "yearly_amount", "Zéro n’est pas un besoin"),
        ({"yearly_amount": "12,345"}, "yearly_amount", "12,345\u00a0» est ambigu"),
        ({"yearly_amount": "1e3"}, "yearly_amount", "n’est pas un montant"),
        ({"yearly_amount": "9" * 13}, "yearly_amount", "dépasse le plus grand montant possible"),
        ({"yearly_amount": "10", "total_amount": "41"}, "total_amount", "Le montant annuel donne 40,00"),
        ({"quantity": "-2", "unit": "rame"}, "quantity", "négatif"),
        ({"quantity": "0", "unit": "rame"}, "quantity", "Zéro n’est pas un besoin"),
        ({"quantity": "douze", "unit": "rame"}, "quantity", "Saisissez un nombre"),
        ({"quantity": "1e3", "unit": "rame"}, "quantity", "Saisissez un nombre"),
        ({"quantity": "1,2345", "unit": "rame"}, "quantity", "3 décimales au plus"),
        ({"quantity": "12"}, "unit", "Indiquez l’unité"),
        ({"unit": "rame", "yearly_amount": "5"}, "quantity", "Indiquez la quantité, ou effacez l’unité."),
        ({"unit": "u" * 41, "quantity": "1"}, "unit", "40"),
        ({"unit_price": "-1", "yearly_amount": "5"}, "unit_price", "Un prix ne peut pas être négatif."),
        ({"supplier": "s" * 201, "yearly_amount": "5"}, "supplier", "200"),
        ({"contract_ends_on": "2027-02-29", "yearly_amount": "5"}, "contract_ends_on", "Cette date n’existe pas"),
        ({"contract_ends_on": "0026-12-31", "yearly_amount": "5"}, "contract_ends_on", "vraisemblable"),
        ({"has_no_need": "on", "yearly_amount": "5"}, "has_no_need", "décochez"),
        ({}, "yearly_amount", "Indiquez une quantité ou un montant"),
    ],
)
def test_a_bad_need_is_told_by_its_own_box_and_the_input_is_kept(client, survey, typed, box, sentence):
    response = client.post(survey.url, survey.answer({"yearly_amount": "500"}, typed))
    assert response.status_code == 422
    said = errors(response)
    assert list(said) == [f"{box}_{survey.lots[1].pk}"]
    assert sentence in " ".join(*said.values())
    page = text(response)
    for name, told in typed.items():
        assert name == "has_no_need" or value_of(page, f"{name}_{survey.lots[1].pk}") == told
    assert value_of(page, f"yearly_amount_{survey.lots[0].pk}") == "500"
    assert "votre saisie est gardée en brouillon" in page
    assert NeedsDraft.objects.get().lines["1"]["yearly_amount"] == "500"
    assert not NeedLine.objects.exists()
    assert not JournalEntry.objects.exists()


def test_the_largest_and_the_strangest_input_is_taken(client, survey):
    typed = {"yearly_amount": "1 234,5", "supplier": "Établissements <b>Œuvre</b> " + "s" * 170, "unit": "m³"}
    typed |= {"quantity": "0,001", "contract_ends_on": "29/02/2028"}
    response = client.post(survey.url, survey.answer(typed, NO_NEED), follow=True)
    assert "&lt;b&gt;Œuvre&lt;/b&gt;" in text(response)
    line = survey.membership.needs.get()
    assert line.current_contract_ends_on == date(2028, 2, 29)


def test_a_yearly_amount_beyond_what_an_amount_may_be_is_told_by_its_box(client, survey):
    """999 999 999 999,99 € a year makes 3 999 999 999 999,96 € over 48 months: its box says it, nothing is written."""
    client.force_login(survey.agent.user)
    response = client.post(survey.url, survey.answer({"yearly_amount": "999999999999,99"}, {"has_no_need": "on"}))
    assert response.status_code == 422
    errors = response.context["form"].errors
    assert errors == {
        f"yearly_amount_{survey.lots[0].pk}": [
            "Sur 48 mois, il dépasse le plus grand montant possible\u00a0: vérifiez-le."
        ]
    }


def test_a_contract_that_has_ended_is_taken_and_told(client, survey):
    client.post(
        survey.url, survey.answer({"yearly_amount": "5", "contract_ends_on": "2024-02-29"}, NO_NEED, action="draft")
    )
    assert "Cette date est passée" in text(client.get(survey.url))
    assert client.post(
        survey.url, survey.answer({"yearly_amount": "5", "contract_ends_on": "2024-02-29"}, NO_NEED, read=(1, 0))
    ).url == (survey.receipt_url)


def test_a_lot_of_another_grouping_is_refused(client, survey):
    other = make_lot(make_grouping(survey.metropole))
    response = client.post(survey.url, survey.answer({"yearly_amount": "5"}, NO_NEED) | boxes(other, yearly_amount="7"))
    assert response.status_code == 422
    assert "n’appartient pas à ce groupement" in text(response)
    assert not NeedLine.objects.exists()


def test_a_form_that_came_without_its_boxes_removes_nothing(client):
    metropole, grouping = make_territory(members=1, lots=2)
    client.force_login(make_affiliation(metropole).user)
    membership = grouping.memberships.get(organisation=metropole)
    url = reverse("needs_change", args=[grouping.pk, membership.pk])
    for action in ("submit", "draft", ""):
        client.post(url, {"action": action})
    assert membership.needs.count() == 2
    assert not NeedsSubmission.objects.exists()


def test_a_lot_added_after_the_draft_was_begun_is_asked_and_nothing_is_lost(client, survey):
    sent = survey.answer({"yearly_amount": "500"}, NO_NEED)
    added = make_lot(survey.grouping, 3, title="Arrivé depuis")
    response = client.post(survey.url, sent)
    assert response.status_code == 422
    assert errors(response) == {f"yearly_amount_{added.pk}": ["Répondez aussi pour le lot 3."]}
    assert value_of(text(response), f"yearly_amount_{survey.lots[0].pk}") == "500"
    read = {"version": "1", "number": "0"}  # the refused answer is kept as a draft
    assert client.post(survey.url, sent | boxes(added, has_no_need="on") | read).status_code == 302
    make_lot(survey.grouping, 4, title="Encore un")
    assert "Ajouté depuis votre réponse" in text(client.get(survey.url))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"status": "consultation", "launched_on": date(2026, 11, 1)}, "la consultation est lancée"),
        ({"status": "convention"}, "Le recensement est clos"),
    ],
)
@pytest.mark.parametrize("action", ["submit", "draft"])
def test_closed_meanwhile_the_input_is_still_on_the_page_with_whom_to_call(client, survey, action, changes, sentence):
    Grouping.objects.update(**changes)
    response = client.post(
        survey.url, survey.answer({"yearly_amount": "512,40"}, {"supplier": "Lacoste"}, action=action)
    )
    assert response.status_code == 422
    page = text(response)
    assert sentence in page
    assert value_of(page, f"yearly_amount_{survey.lots[0].pk}") == "512,40"
    assert value_of(page, f"supplier_{survey.lots[1].pk}") == "Lacoste"
    assert survey.buyer.user.email in page
    assert not NeedsDraft.objects.exists()
    opened = text(client.get(survey.url))
    assert sentence in opened
    assert survey.buyer.user.email in opened
    assert "Transmettre" not in opened


def test_a_draft_stays_readable_once_the_survey_is_closed(client, survey):
    client.post(survey.url, survey.answer({"yearly_amount": "77,70"}, {}, action="draft"))
    Grouping.objects.update(status="convention")
    page = text(client.get(survey.url))
    assert "77,70" in page
    assert "Brouillon, non transmis" in page


def test_a_late_answer_is_announced_and_receipted_as_such(client, survey):
    Grouping.objects.update(needs_due_on=in_days(-2))
    assert "signalée hors délai" in text(client.get(survey.url))
    assert "hors délai" in text(client.post(survey.url, survey.answer({"yearly_amount": "5"}, NO_NEED), follow=True))


def test_the_coordinator_answers_for_a_member_and_the_receipt_says_so(client, survey):
    client.force_login(survey.buyer.user)
    assert "Saisi pour Saussan." in text(client.get(survey.url))
    page = text(client.post(survey.url, survey.answer({"yearly_amount": "5"}, NO_NEED), follow=True))
    assert "pour Saussan" in page


def test_the_instruction_and_the_units_are_those_of_this_survey_and_body(client, survey):
    open_campaign(survey, instructions="Comptez aussi\nl’école.")
    make_need(survey.own, survey.lots[0], unit="palette secrète", quantity=Decimal(3))
    page = text(client.get(survey.url))
    assert "Comptez aussi<br>l’école." in page
    assert '<option value="rame">' in page
    assert "palette secrète" not in page


def test_an_earlier_answer_can_be_read_again(client, survey):
    client.post(survey.url, survey.answer({"yearly_amount": "5"}, NO_NEED))
    client.post(survey.url, survey.answer({"yearly_amount": "6"}, NO_NEED, read=(0, 1)))
    assert "24,00\u00a0€" in text(client.get(survey.receipt_url))
    first = text(client.get(survey.receipt_url, {"n": "1"}))
    assert "20,00\u00a0€" in first
    assert "Une réponse plus récente a été transmise" in first
    assert client.get(survey.receipt_url, {"n": "7"}).status_code == 404


def test_before_any_answer_there_is_no_receipt(client, survey):
    assert client.get(survey.receipt_url).status_code == 404


@pytest.mark.parametrize("lots", [2, 50])
def test_few_queries_whatever_the_lots(client, survey, django_assert_max_num_queries, lots):
    former = make_grouping(survey.metropole, status="review", launched_on=date(2022, 1, 3), reference="GC-2022")
    Grouping.objects.filter(pk=survey.grouping.pk).update(renews=former)
    for number in range(3, lots + 1):
        make_lot(survey.grouping, number)
    member = Membership.objects.create(grouping=former, organisation=survey.commune)
    for lot in survey.grouping.lots.all():
        make_need(member, make_lot(former, lot.number), unit="rame", quantity=Decimal(3))
    answer = survey.answer(*[NO_NEED] * 2)
    for lot in survey.grouping.lots.all():
        answer |= boxes(lot, has_no_need="on")
        answer[f"file_{lot.pk}"] = SimpleUploadedFile("f.pdf", make_pdf(f"Facture {lot.number}"))
    if lots == 2:  # the files of a member are bounded
        client.post(survey.url, answer | {"action": "draft"})
        assert GroupingDocument.objects.count() == 2
    client.post(survey.url, survey.answer(action="draft") | boxes(survey.lots[0], yearly_amount="4"))
    with django_assert_max_num_queries(12):
        assert client.get(survey.url).status_code == 200
    NeedsDraft.objects.all().delete()
    sent = {name: told for name, told in answer.items() if not name.startswith("file_")}
    assert client.post(survey.url, sent).status_code == 302
    with django_assert_max_num_queries(12):
        assert client.get(survey.receipt_url).status_code == 200


def test_a_reader_of_the_member_reads_the_receipt_and_changes_nothing(client, survey):
    client.post(survey.url, survey.answer({"yearly_amount": "5"}, NO_NEED))
    client.force_login(make_affiliation(survey.commune, Role.READER).user)
    page = text(client.get(survey.receipt_url))
    assert "20,00\u00a0€" in page
    assert "Modifier ma réponse" not in page
    assert client.get(survey.url).status_code == 403
