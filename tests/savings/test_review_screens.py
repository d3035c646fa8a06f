"""The screens of finance: the queue, the page of a line, its decision and its correction."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from members.roles import Role
from procurement.core.journal.record import record
from savings.actions.review import line_decide
from savings.models import LedgerEntry, PriceLine
from savings.notices import savings_notices
from tests.savings.review_world import NOW, make_review
from tests.support.factories import make_affiliation, make_lot
from tests.support.savings import make_line

pytestmark = pytest.mark.django_db
QUEUE = "/economies/validation/"


@pytest.fixture
def review():
    return make_review()


def text(response) -> str:
    page = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"[\s\u00a0\u202f]+", " ", page)


def read(client, person, url, status=200, **query) -> str:
    client.force_login(person.user)
    response = client.get(url, query)
    assert response.status_code == status
    return text(response)


def send(client, person, url, status, **values):
    client.force_login(person.user)
    response = client.post(url, values)
    assert response.status_code == status, text(response)
    return response


def test_the_queue_says_what_a_controller_needs(client, review):
    line = review.line(
        review.baseline(index_factor="1.03", index_name="INSEE papier"), "3.00", comment="Prix négocié deux fois."
    )
    page = read(client, review.finance, QUEUE)
    for told in (
        "1 ligne en attente",
        "Papier A4, ramette de 500 feuilles",
        "A – prix payé, prouvé",
        "Prix payé auparavant, 4,80 € × 1 000 (ramette)",
        "INSEE papier : × 1,03",
        "facture.pdf",
        "1 800,00 €",  # 1 000 × (4.80 − 3.00)
        "37,50 % de 4 800,00 €",
        "1 944,00 €",  # 1 000 × (4.944 − 3.00)
        "39,32 %",
        "Hors des seuils de vraisemblance.",
        "« Prix négocié deux fois. »",
        "Référence confirmée le",
    ):
        assert told in page, told
    assert f'value="{line.pk}:1"' in client.get(QUEUE).content.decode()


def test_the_lot_that_waits_longest_comes_first(client, review):
    recent = review.line(review.baseline(designation="Récente"))
    review.lot = make_lot(review.lot.grouping, 2)
    old = review.line(review.baseline(designation="Ancienne"))
    beside = review.line(review.baseline(designation="Du même lot"))
    PriceLine.objects.filter(pk=old.pk).update(submitted_at=datetime(2026, 1, 5, tzinfo=UTC))
    page = read(client, review.finance, QUEUE)
    places = [page.index(line.baseline.designation) for line in (old, beside, recent)]
    assert places == sorted(places)


def test_filters(client, review):
    review.line(review.baseline(designation="Papier"))
    review.line(review.baseline(designation="Colle", grade="C"))
    review.line(review.baseline(designation="Encre"), stage="REALISED")
    assert "Colle" not in read(client, review.finance, QUEUE, fiabilite="A")
    page = read(client, review.finance, QUEUE, stade="REALISED")
    assert "Encre" in page
    assert "Papier" not in page
    assert "Aucune ligne en attente ne correspond" in read(client, review.finance, QUEUE, stade="ESTIMATED")


def test_ones_own_entries_are_shown_and_cannot_be_checked(client, review):
    line = review.line(entered_by=review.finance.user)
    page = read(client, review.finance, QUEUE)
    assert line.baseline.designation in page
    assert "À valider par une autre personne : saisie par vous." in page
    assert 'type="checkbox"' not in client.get(QUEUE).content.decode()
    client.force_login(review.colleague.user)
    assert 'type="checkbox"' in client.get(QUEUE).content.decode()


def test_several_are_validated_at_once_and_the_refused_ones_are_told(client, review):
    good = review.line(review.baseline(designation="Papier"))
    moved = review.line(review.baseline(designation="Colle"))
    own = review.line(review.baseline(designation="Encre"), submitted_by=review.finance.user)
    keys = [f"{good.pk}:1", f"{moved.pk}:7", f"{own.pk}:1", "999:1", "nimporte", f"{good.pk}:x"]
    page = text(send(client, review.finance, QUEUE, 422, line=keys))
    assert "1 ligne validée : le gain est inscrit au registre." in page
    assert "2 lignes n’ont pas été validées." in page
    assert "Cette ligne a changé pendant votre lecture" in page
    assert "soumise par vous" in page
    assert LedgerEntry.objects.get().line == good
    response = send(client, review.finance, QUEUE, 302, line=[f"{moved.pk}:1"])
    assert response.url == QUEUE
    assert LedgerEntry.objects.count() == 2


def test_nothing_checked_validates_nothing(client, review):
    review.line()
    assert "Cochez au moins une ligne" in text(send(client, review.finance, QUEUE, 422))
    assert not LedgerEntry.objects.exists()


def test_a_line_of_another_territory_cannot_be_validated(client, review):
    there = make_review().line()
    page = text(send(client, review.finance, QUEUE, 422, line=[f"{there.pk}:1"]))
    assert "Ces lignes n’attendent plus de décision." in page
    assert there.baseline.designation not in page
    assert PriceLine.objects.get(pk=there.pk).status == "SUBMITTED"


@pytest.mark.parametrize("count", [2, 50])
def test_the_queue_asks_few_queries(client, review, count, django_assert_max_num_queries):
    for number in range(count):
        review.line(review.baseline(designation=f"Article {number}"))
    client.force_login(review.finance.user)
    with django_assert_max_num_queries(12):
        response = client.get(QUEUE)
    assert f"{count} lignes en attente" in text(response)


def url(line, name="savings_line"):
    return reverse(name, args=[line.pk])


def test_the_page_of_a_line_opens_everything(client, review):
    """48 months from June 2026 of 1 200.00 a year: 700 + 3 × 1 200 + 500 = 4 800.00 over the whole term."""
    line = line_decide(
        line=review.line(starts_on=date(2026, 6, 1), months=48), step="validate", actor=review.finance, now=NOW
    )
    page = read(client, review.buyer, url(line))
    for told in (
        line.baseline.evidence.sha256,
        "1 200,00 €",
        "25,00 %",
        "Toute la durée 48 19 200,00 € 14 400,00 € 4 800,00 €",
        "2026 7 2 800,00 € 2 100,00 € 700,00 €",
        "Coefficient : 1",
        "Validée, " + review.finance.actor_label,
        "Ligne de gain validée, notifié, lot 1 : Papier A4",
        "Inscription",
    ):
        assert told in page, told
    assert reverse("grouping_file", args=[review.lot.grouping_id, line.baseline.evidence_id]) in (
        client.get(url(line)).content.decode()
    )


def test_a_realised_line_shows_its_volume_effect_apart(client, review):
    line = make_line(review.baseline(), stage="REALISED", quantity=Decimal(900))
    assert "Effet volume, hors gain : 480,00 €" in read(client, review.buyer, url(line))  # 100 × 4.80


def test_an_unmeasured_line_is_not_zero(client, review):
    page = read(client, review.buyer, url(review.line(price=None)))
    assert "la ligne compte comme non mesurée, jamais comme zéro" in page
    assert "0,00 €" not in page


def test_finance_decides_on_the_page(client, review):
    line = review.line()
    decide = url(line, "line_decide")
    page = text(send(client, review.finance, decide, 422, step="return", version=1))
    assert "Indiquez le motif" in page
    assert "Choisissez une décision." in text(send(client, review.finance, decide, 422, version=1))
    response = send(client, review.finance, decide, 302, step="validate", version=1, reason="")
    assert response.url == url(line)
    assert PriceLine.objects.get(pk=line.pk).status == "VALIDATED"
    assert "Ligne validée" in text(client.get(response.url))


def test_a_stale_page_is_refused(client, review):
    line = review.line()
    line_decide(line=line, step="return", actor=review.colleague, now=NOW, reason="Illisible.")
    page = text(send(client, review.finance, url(line, "line_decide"), 422, step="validate", version=1))
    assert "a changé pendant votre lecture" in page


def test_no_form_for_ones_own_line(client, review):
    page = read(client, review.finance, url(review.line(submitted_by=review.finance.user)))
    assert "Cette ligne est soumise par vous" in page
    assert "Enregistrer la décision" not in page


def test_a_correction_from_the_page_and_its_chain(client, review):
    line = line_decide(line=review.line(), step="validate", actor=review.finance, now=NOW)
    assert "Corriger" in read(client, review.buyer, url(line))
    address = url(line, "line_correct")
    assert 'value="3,6"' in client.get(address).content.decode()
    values = {"price_obtained": "3,80", "starts_on": "2026-01-01", "months": "12", "comment": ""}
    page = text(send(client, review.buyer, address, 422, **values))
    assert "Indiquez pourquoi cette ligne est corrigée." in page
    response = send(client, review.buyer, address, 302, **values, reason="Avoir reçu.")
    draft = line.corrections.get()
    assert response.url == url(draft)
    page = text(client.get(response.url))
    assert f"Corrige la ligne n° {line.pk}" in page
    assert "Prix obtenu (€ HT) : 3,6 → 3,8" in page
    assert "motif : Avoir reçu." in page
    page = read(client, review.buyer, url(line))
    assert f"Corrigée par la ligne n° {draft.pk}" in page
    assert address not in client.get(url(line)).content.decode()
    page = text(send(client, review.buyer, address, 422, **values, reason="Encore."))
    assert "Cette ligne a déjà une correction" in page


def test_what_a_member_reads(client):
    review = make_review(members=2)
    agent = make_affiliation(review.membership.organisation, Role.MEMBER_AGENT)
    line = line_decide(line=review.line(), step="validate", actor=review.finance, now=NOW)
    draft = review.line(line.baseline, "3.7777", corrects=line, status="DRAFT")
    page = read(client, agent, url(line))
    assert "1 200,00 €" in page
    assert str(draft.pk) not in re.findall(r"ligne n° (\d+)", page)
    assert "3,7777" not in page
    read(client, agent, url(draft), status=404)
    other = review.lot.grouping.memberships.exclude(organisation__in=[review.metropole, agent.organisation]).get()
    neighbour = make_affiliation(other.organisation, Role.MEMBER_AGENT)
    read(client, neighbour, url(line), status=404)


@pytest.mark.parametrize("count", [2, 50])
def test_the_page_of_a_line_asks_few_queries(client, review, count, django_assert_max_num_queries):
    line = line_decide(
        line=review.line(starts_on=date(2026, 1, 1), months=12 * min(count, 20)),
        step="validate",
        actor=review.finance,
        now=NOW,
    )
    client.force_login(review.buyer.user)
    with django_assert_max_num_queries(12):
        assert client.get(url(line)).status_code == 200


def test_finance_is_told_what_waits(client, review):
    assert savings_notices(review.finance, date(2026, 9, 15)) == []
    review.line(review.baseline(designation="Papier"))
    review.line(review.baseline(designation="Colle"), entered_by=review.colleague.user)
    (notice,) = savings_notices(review.finance, date(2026, 9, 15))
    assert (notice.sentence, notice.url) == ("2 lignes de gain à valider.", QUEUE)
    (notice,) = savings_notices(review.colleague, date(2026, 9, 15))
    assert notice.sentence == "1 ligne de gain à valider."
    assert savings_notices(review.buyer, date(2026, 9, 15)) == []
    assert "2 lignes de gain à valider." in read(client, review.finance, "/")


def test_the_journal_of_a_line_is_its_own_and_its_references(client, review):
    """Entries of other actions do not name the line by its number: they name it by their sentence."""
    line = review.line(review.baseline(designation="Papier"))
    other = review.line(review.baseline(designation="Papier recyclé"))
    name, scope = review.membership.organisation.name, line.journal_scope
    for verb, sentence in (
        ("baseline.freeze", f"Prix de référence figé, fiabilité A, lot 1, {name}\u00a0: Papier"),
        ("baseline.freeze", f"Prix de référence figé, fiabilité B, lot 1, {name}\u00a0: Papier recyclé"),
        ("price_line.submit", f"Ligne de gain soumise aux finances, notifié, lot 1\u00a0: Papier, {name}"),
        ("price_line.submit", f"Ligne de gain soumise encore, réalisé 2026, lot 1\u00a0: Papier, {name}"),
    ):
        record(
            actor=review.buyer,
            territory_id=scope.territory_id,
            thread=scope.thread,
            concerns_id=scope.concerns_id,
            verb=verb,
            sentence=sentence,
            before={"price_before": "4.500000"},
            after={"price_before": "4.800000"},
        )
    line_decide(line=line, step="return", actor=review.finance, now=NOW, reason="Illisible.")
    line_decide(line=other, step="reject", actor=review.finance, now=NOW, reason="Hors sujet.")
    page = read(client, review.buyer, url(line))
    for told in ("fiabilité A, lot 1", "soumise aux finances, notifié", "renvoyée à l’acheteur", "4,5 → 4,8"):
        assert told in page, told
    for told in ("fiabilité B", "soumise encore", "Hors sujet."):
        assert told not in page, told


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"price_obtained": ""}, "Indiquez le prix obtenu."),
        ({"price_obtained": "#DIV/0!"}, "Saisissez un nombre"),
        ({"price_obtained": "-1"}, "Un prix ne peut pas être négatif."),
        ({"price_obtained": "3,1234567"}, "6 décimales au plus."),
        ({"quantity": ""}, "Indiquez la quantité."),
        ({"quantity": "0"}, "La quantité est supérieure à zéro."),
    ],
)
def test_what_a_correction_refuses(client, review, values, sentence):
    line = line_decide(
        line=review.line(stage="REALISED", quantity=Decimal(900)), step="validate", actor=review.finance, now=NOW
    )
    sent = {"price_obtained": "3,60", "quantity": "900", "comment": "", "reason": "Avoir."} | values
    assert sentence in text(send(client, review.buyer, url(line, "line_correct"), 422, **sent))
    assert PriceLine.objects.count() == 1


def test_the_buyer_is_told_what_finance_returned(client, review):
    line = review.line(review.baseline(designation="Papier"))
    assert savings_notices(review.buyer, date(2026, 9, 15)) == []
    line_decide(line=line, step="return", actor=review.finance, now=NOW, reason="La facture manque.")
    (notice,) = savings_notices(review.buyer, date(2026, 9, 15))
    assert notice.sentence == "1 ligne de gain renvoyée par les finances"
    assert notice.url == f"/groupements/{review.lot.grouping_id}/economies/"
    assert "La facture manque." in read(client, review.buyer, notice.url)
    reader = make_affiliation(review.metropole, Role.READER)
    assert savings_notices(reader, date(2026, 9, 15)) == []
