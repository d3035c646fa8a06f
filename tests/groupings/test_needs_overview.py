"""The survey on one page: who answered, what is unknown, totals by year, unusual figures; and what a member sees."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse
from djmoney.money import Money

from groupings.actions.needs import needs_submit
from groupings.actions.needs_import import needs_import
from groupings.links import LinkActor
from groupings.models import Grouping, NeedsDraft
from groupings.needs_overview import Overview
from groupings.rules.needs import NeedEntry
from members.models import Organisation
from members.roles import Role
from procurement.core.actors import SystemActor
from tests.support.factories import (
    make_affiliation,
    make_award,
    make_consultation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 12, 9, tzinfo=UTC)
MAX_QUERIES = 12  # the figure of the issue


def euros(amount: str) -> Decimal:
    return Decimal(amount)


class Survey:
    """A grouping of 48 months and two lots, its coordinator's buyer, and communes of 1,000 inhabitants."""

    def __init__(self, *, communes: int = 3, lots: int = 2, **fields):
        self.metropole = make_metropole(name="Métropole")
        self.buyer = make_affiliation(self.metropole)
        self.grouping = make_grouping(self.metropole, **fields)
        self.lots = [make_lot(self.grouping, number) for number in range(1, lots + 1)]
        self.members = []
        for rank in range(1, communes + 1):
            body = make_organisation(parent=self.metropole, name=f"Commune {rank:02}", population=1000)
            self.members.append(make_membership(self.grouping, body))

    def overview(self) -> Overview:
        return Overview(self.grouping, self.buyer, sees_all=True)

    def submit(self, membership, *entries: NeedEntry, actor=None, now=NOW):
        actor = actor or make_affiliation(membership.organisation, Role.MEMBER_AGENT)
        return needs_submit(membership=membership, entries=dict(enumerate(entries, start=1)), actor=actor, now=now)

    def page(self, client, affiliation=None, **query):
        client.force_login((affiliation or self.buyer).user)
        return client.get(reverse("needs_table", args=[self.grouping.pk]), query)


def yearly(amount: str, **boxes) -> NeedEntry:
    return NeedEntry(yearly_amount=Decimal(amount), **boxes)


NO_NEED = NeedEntry(has_no_need=True)


# Who answered


def test_each_member_is_told_as_it_stands(client):
    survey = Survey(communes=5, needs_due_on=date(2026, 11, 10))
    sent, by_us, drafted, silent, entered = survey.members
    survey.submit(sent, yearly("100"), NO_NEED)  # on the 12th, two days late
    survey.submit(by_us, yearly("100"), NO_NEED, actor=survey.buyer, now=datetime(2026, 11, 9, 9, tzinfo=UTC))
    NeedsDraft.objects.create(membership=drafted, lines={}, saved_by="Secrétaire")
    make_need(entered, survey.lots[0], "50.00")
    overview = survey.overview()
    assert [(row.badge.word, row.notes) for row in overview.rows] == [
        ("Transmis le 12/11/2026", ["hors délai"]),
        ("Transmis le 09/11/2026", ["saisi par le coordonnateur"]),
        ("Brouillon, non transmis", []),
        ("Pas commencé", []),
        ("Saisi par le coordonnateur", []),
    ]
    assert overview.rows[2].badge.tone == "late"  # red
    assert overview.answered_sentence == "3 membres sur 5 ont répondu\u202f; 1 brouillon non transmis"
    assert [row.membership for row in overview.awaited_first[:2]] == [drafted, silent]
    page = survey.page(client).content.decode()
    for told in ("Transmis le 12/11/2026", "hors délai", "Brouillon, non transmis", "Pas commencé"):
        assert told in page


def test_who_sent_the_answer_is_told_when_it_is_not_the_member(client):
    """The journal says it: its own people, by account or by link, are not named; the coordinator's, a command and the
    head of the territory are."""
    survey = Survey(communes=6)
    by_account, by_link, by_buyer, by_command, by_file, by_head = survey.members
    lead = by_account.organisation
    survey.grouping.coordinator = lead  # a commune coordinates, the métropole takes part
    survey.grouping.save()
    make_membership(survey.grouping, survey.metropole)
    survey.submit(by_account, yearly("100"), NO_NEED)
    survey.submit(by_link, yearly("100"), NO_NEED, actor=LinkActor(by_link))
    survey.submit(by_buyer, yearly("100"), NO_NEED, actor=make_affiliation(lead))
    survey.submit(by_command, yearly("100"), NO_NEED, actor=SystemActor("Commande import_needs"))
    survey.submit(by_head, yearly("100"), NO_NEED, actor=survey.buyer)
    answered = "SIREN;Lot;Montant annuel (€ HT);Quantité par an;Unité;Pas de besoin\n"
    for lot in (1, 2):
        answered += f"{by_file.organisation.siren};{lot};50;;;\n"
    file = io.BytesIO(answered.encode())
    needs_import(grouping=survey.grouping, file=file, filename="b.csv", actor=make_affiliation(lead), now=NOW)
    notes = [row.notes for row in survey.overview().rows if row.has_answered]
    by_us = ["saisi par le coordonnateur"]
    assert notes == [[], [], by_us, by_us, by_us, ["saisi pour le membre"]]
    own = make_affiliation(by_buyer.organisation, Role.MEMBER_AGENT)
    assert "saisi par le coordonnateur" in survey.page(client, own).content.decode()


def test_a_correction_left_in_draft_is_told_beside_the_answer_that_counts(client):
    survey = Survey(communes=1)
    survey.submit(survey.members[0], yearly("100"), NO_NEED)
    NeedsDraft.objects.create(membership=survey.members[0], lines={}, saved_by="Secrétaire")
    (row,) = survey.overview().rows
    assert row.badge.word == "Transmis le 12/11/2026"
    receipt = reverse("needs_receipt", args=[survey.grouping.pk, survey.members[0].pk])
    assert receipt in survey.page(client).content.decode()
    assert row.notes == ["une correction en brouillon, non transmise"]


def test_nobody_has_answered_yet():
    assert Survey(communes=2).overview().answered_sentence == "Aucun membre sur 2 n’a répondu"


def test_the_buttons_are_for_those_who_may(client):
    survey = Survey(communes=1)
    address = reverse("needs_change", args=[survey.grouping.pk, survey.members[0].pk])
    keep = reverse("lot_bounds", args=[survey.grouping.pk, survey.lots[0].pk])
    make_need(survey.members[0], survey.lots[0])
    reader = make_affiliation(survey.metropole, Role.READER)
    assert address in survey.page(client).content.decode()
    assert keep in survey.page(client).content.decode()
    assert address not in survey.page(client, reader).content.decode()
    assert keep not in survey.page(client, reader).content.decode()
    Grouping.objects.filter(pk=survey.grouping.pk).update(status="consultation", launched_on=date(2026, 11, 1))
    assert address not in survey.page(client).content.decode()
    assert keep not in survey.page(client).content.decode()


# What is unknown


def test_an_unknown_amount_is_counted_apart_and_never_as_zero(client):
    survey = Survey(communes=4)
    first, second, third, _ = survey.members
    survey.submit(first, yearly("60000"), NO_NEED)  # 240 000 € over four years
    survey.submit(second, NeedEntry(quantity=Decimal(10), unit="rame"), NO_NEED)
    survey.submit(third, NeedEntry(quantity=Decimal(5), unit="rame"), NO_NEED)
    overview = survey.overview()
    lot = overview.lot_totals[0]
    assert lot.total.sentence == "240\u202f000,00\u00a0€ HT, montant inconnu pour 2 membres"
    assert overview.grand_total.sentence == lot.total.sentence
    assert overview.lot_totals[1].total.sentence == "—"
    assert lot.lacks == (
        "Il y manque le montant de 2 membres qui ne le connaissent pas et le besoin de 1 membre sans réponse."
    )
    page = survey.page(client).content.decode()
    assert page.count("inconnu</span>") == 2
    assert "montant inconnu pour 2 membres" in page
    assert "pas de besoin" in page
    assert ">0,00" not in page


def test_when_every_amount_is_unknown_there_is_no_total():
    survey = Survey(communes=1, lots=1)
    survey.submit(survey.members[0], NeedEntry(quantity=Decimal(10), unit="rame"))
    lot = survey.overview().lot_totals[0]
    assert lot.total.amount is None
    assert lot.total.sentence == "montant inconnu pour 1 membre"
    assert lot.bounds is None


def test_a_zero_entered_before_the_survey_is_an_amount():
    survey = Survey(communes=1, lots=1)
    make_need(survey.members[0], survey.lots[0], "0.00")
    assert survey.overview().grand_total.amount == euros("0.00")


def test_quantities_add_up_in_one_unit_only():
    survey = Survey(communes=4, lots=1)
    for membership, quantity, unit in zip(
        survey.members, ("10", "2.5", "3", "1"), ("rame", " Rame", "palette", "RAME"), strict=True
    ):
        make_need(membership, survey.lots[0], None, quantity=Decimal(quantity), unit=unit.strip())
    assert survey.overview().lot_totals[0].quantities == ["13,5 rame", "3 palette"]


# By year


def test_the_totals_by_year_add_up_to_the_cent():
    survey = Survey(communes=2, performance_planned_on=date(2027, 7, 1))
    make_need(survey.members[0], survey.lots[0], "1000.01")
    make_need(survey.members[1], survey.lots[1], "333.33")
    overview = survey.overview()
    assert [year.label for year in overview.years] == ["2027", "2028", "2029", "2030", "2031"]
    for lot in overview.lot_totals:
        assert sum(lot.by_year) == lot.total.amount
    assert sum(overview.years_total) == overview.grand_total.amount == euros("1333.34")


def test_without_a_planned_beginning_the_page_says_so(client):
    survey = Survey(communes=1)
    make_need(survey.members[0], survey.lots[0])
    page = survey.page(client).content.decode()
    assert "Aucun début n’est prévu" in page
    assert "Année 1" in page
    survey.grouping.launch_planned_on = date(2027, 3, 1)
    survey.grouping.save()
    assert "à partir du lancement du 01/03/2027" in survey.page(client).content.decode()


# Unusual figures


def test_a_need_is_compared_with_the_former_grouping():
    """48 months at 42 000 €: 10 500 € a year, against 2 500 €: 4,2 times."""
    survey = Survey(communes=1, lots=1)
    body = survey.members[0].organisation
    former = make_grouping(survey.metropole, opened_on=date(2016, 1, 1), duration_months=12)
    lot = make_lot(former)
    membership = make_membership(former, body)
    make_need(membership, lot, "2500.00")
    make_need(survey.members[0], survey.lots[0], "42000.00")
    assert survey.overview().remarks == []
    survey.grouping.renews = former
    (remark,) = survey.overview().remarks
    assert remark.sentence == "4,2 fois son besoin de 2016"
    # Its share of the contract that followed says more than what it had asked for: 40 000 € over 24 months.
    consultation = make_consultation(former)
    part = [(membership, "40000.00")]
    make_award(consultation, lot, "40000.00", shares=part, duration_months=24, decided_on=date(2017, 2, 1))
    assert survey.overview().remarks == []  # 10 500 € against 20 000 € a year: more than half
    survey.members[0].needs.update(estimated_amount_excl_tax=Decimal("40000.00"))
    (remark,) = survey.overview().remarks
    assert remark.sentence == "0,5 fois sa part du marché de 2017"


def test_a_commune_is_compared_with_the_others_by_inhabitant(client):
    survey = Survey(communes=6, lots=1)
    for membership, amount in zip(survey.members, (100, 100, 100, 100, 350, None), strict=True):
        make_need(membership, survey.lots[0], None if amount is None else f"{amount}.00")
    own = make_membership(survey.grouping, survey.metropole)
    make_need(own, survey.lots[0], "999999.00")  # no commune
    (remark,) = survey.overview().remarks
    assert (remark.membership, remark.sentence) == (
        survey.members[4],
        "3,5 fois la médiane par habitant des communes",
    )
    page = survey.page(client).content.decode()
    assert remark.sentence in page
    assert "Un écart n’est pas une erreur" in page


# What a member sees


def test_a_member_reads_its_own_line_and_nothing_that_tells_of_the_others(client):
    survey = Survey(communes=6, lots=1, performance_planned_on=date(2027, 1, 1))
    for membership in survey.members:
        make_need(membership, survey.lots[0], "98765.43", quantity=Decimal("777"), unit="secrète")
    own = survey.members[0]
    own.needs.update(estimated_amount_excl_tax=Decimal("10.00"), quantity=None, unit="")
    agent = make_affiliation(own.organisation, Role.MEMBER_AGENT)
    for query in ({}, {"export": "csv"}):
        text = survey.page(client, agent, **query).content.decode()
        digits = text.replace("\u202f", "").replace("\u00a0", "")
        assert "Commune 01" in text
        for leaked in ("98765,43", "493837,15", "Commune 02", "777", "médiane", "Totaux par lot", "suggéré", "sur 6"):
            assert leaked not in digits, leaked


def test_the_export_holds_one_row_per_member_and_lot(client):
    survey = Survey(communes=2)
    survey.submit(
        survey.members[0],
        yearly(
            "1234.50",
            quantity=Decimal("12.5"),
            unit="rame",
            unit_price=Decimal("0.123456"),
            supplier="=Papeterie",
            contract_ends_on=date(2027, 3, 31),
        ),
        NO_NEED,
    )
    response = survey.page(client, export="csv")
    lines = response.content.decode("utf-8-sig").splitlines()
    siren = survey.members[0].organisation.siren
    headings = "Membre;SIREN;Lot;Intitulé du lot;Montant annuel (€ HT);Montant sur toute la durée (€ HT);"
    assert lines[0].startswith(headings)
    assert lines[1] == (
        f"Commune 01;{siren};1;Lot de fournitures 1;1234,50;4938,00;12,5;rame;0,123456;'=Papeterie;31/03/2027;"
        "Montant connu;Transmis le 12/11/2026"
    )
    assert lines[2].endswith(";;;;;;;;Pas de besoin;Transmis le 12/11/2026")
    assert lines[3].endswith("Sans réponse;Pas commencé")
    assert len(lines) == 5


# Speed


@pytest.mark.parametrize("query", [{}, {"export": "xlsx"}])
def test_thirty_one_members_and_six_lots_in_twelve_queries(client, django_assert_max_num_queries, query):
    """Everything at once: answers of both kinds, drafts, a former grouping with its needs and its shares."""
    survey = Survey(communes=31, lots=6, performance_planned_on=date(2027, 7, 1))
    former = make_grouping(survey.metropole, opened_on=date(2016, 1, 1))
    lots = [make_lot(former, number) for number in range(1, 7)]
    shares = []
    for rank, membership in enumerate(survey.members):
        before = make_membership(former, membership.organisation)
        shares.append((before, "100.00"))
        for lot in lots:
            make_need(before, lot)
        if rank % 3 == 0:
            survey.submit(membership, *[yearly("100", quantity=Decimal(rank + 1), unit="rame")] * 6)
        elif rank % 3 == 1:
            for lot in survey.lots:
                make_need(membership, lot, None, quantity=Decimal(3), unit="palette")
        else:
            NeedsDraft.objects.create(membership=membership, lines={}, saved_by="Secrétaire")
    make_award(make_consultation(former, lots[0]), lots[0], "3100.00", shares=shares)
    survey.grouping.renews = former
    survey.grouping.save()
    Organisation.objects.filter(kind="commune").update(population=1000)
    survey.page(client)  # signs in
    with django_assert_max_num_queries(MAX_QUERIES):
        response = client.get(reverse("needs_table", args=[survey.grouping.pk]), query)
    assert response.status_code == 200
    if not query:
        assert len(response.context["overview"].rows) == 31
        assert response.context["overview"].remarks


def test_an_empty_grouping_has_its_page(client):
    survey = Survey(communes=0, lots=0)
    assert "Aucun lot n’est encore décrit" in survey.page(client).content.decode()
    survey = Survey(communes=0, lots=1)
    assert "Aucun membre n’a de besoin" in survey.page(client).content.decode()


# The bounds of an accord-cadre


def keep(client, survey, lot, **boxes):
    client.force_login(survey.buyer.user)
    return client.post(reverse("lot_bounds", args=[survey.grouping.pk, lot.pk]), boxes)


def test_the_suggested_bounds_are_kept_for_the_lot(client):
    survey = Survey(communes=1)
    lot = survey.lots[0]
    make_need(survey.members[0], lot, "240400.00")
    page = survey.page(client).content.decode()
    assert "120\u202f000,00" in page
    assert "301\u202f000,00" in page
    assert keep(client, survey, lot, minimum="120000.00", maximum="301000.00").status_code == 302
    lot.refresh_from_db()
    assert (lot.is_framework, lot.minimum_excl_tax, lot.maximum_excl_tax) == (
        True,
        Money("120000.00", "EUR"),
        Money("301000.00", "EUR"),
    )
    assert survey.overview().lot_totals[0].is_kept
    page = survey.page(client).content.decode()
    assert "maximum 301\u202f000,00\u00a0€" in page
    assert f"lots/{lot.pk}/bornes/" not in page  # nothing more to keep


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ({"minimum": "100"}, "Indiquez le maximum\u00a0: il est obligatoire depuis le 01/01/2022"),
        ({}, "Indiquez le maximum"),
        ({"minimum": "200", "maximum": "100"}, "Le maximum ne peut pas être inférieur au minimum."),
        ({"minimum": "-1", "maximum": "100"}, "négatif"),
        ({"maximum": "beaucoup"}, "n’est pas un montant"),
    ],
)
def test_bad_bounds_are_refused_with_a_sentence(client, boxes, sentence):
    survey = Survey(communes=1)
    response = keep(client, survey, survey.lots[0], **boxes)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    survey.lots[0].refresh_from_db()
    assert not survey.lots[0].is_framework


def test_the_bounds_do_not_change_once_launched(client):
    survey = Survey(communes=1, status="consultation", launched_on=date(2026, 11, 2))
    response = keep(client, survey, survey.lots[0], minimum="1", maximum="2")
    assert response.status_code == 422
    assert "la consultation est lancée depuis le 02/11/2026" in response.content.decode()


def test_the_bounds_are_typed_in_the_card_of_the_lot(client):
    survey = Survey(communes=0)
    lot = survey.lots[0]
    client.force_login(survey.buyer.user)
    address = reverse("lot_change", args=[survey.grouping.pk, lot.pk])
    boxes = {"number": "1", "title": lot.title, "is_framework": "on", "maximum_excl_tax": "90 000,00 €"}
    assert client.post(address, boxes).status_code == 302
    lot.refresh_from_db()
    assert (lot.minimum_excl_tax, lot.maximum_excl_tax) == (None, Money("90000.00", "EUR"))
    response = client.post(address, boxes | {"minimum_excl_tax": "90 000,01"})
    assert response.status_code == 422
    errors = response.context["form"].errors
    assert errors["maximum_excl_tax"] == ["Le maximum ne peut pas être inférieur au minimum."]
    response = client.post(address, {"number": "1", "title": lot.title, "maximum_excl_tax": "5"})
    assert "Seul un accord-cadre" in str(response.context["form"].errors["is_framework"])


def test_an_accord_cadre_without_maximum_is_told(client):
    survey = Survey(communes=1)
    make_need(survey.members[0], survey.lots[0])
    survey.lots[0].is_framework = True
    survey.lots[0].save()
    assert "maximum à fixer avant le lancement" in survey.page(client).content.decode()
