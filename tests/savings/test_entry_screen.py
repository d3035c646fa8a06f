"""The prices of one grouping on screen: what is entered, frozen, submitted; what is missing; who reads what."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from groupings.actions.files import grouping_file_deposit, grouping_file_remove
from groupings.models import GroupingDocument, PriceItem
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from savings.actions.line import line_save
from savings.models import Baseline, PriceLine
from tests.groupings.exchange.samples import pdf
from tests.support.factories import make_affiliation, make_membership, make_metropole, make_organisation
from tests.support.price_lines import AFTER, BEFORE, DUE, make_entry
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db
PDF = pdf(["Facture"])


@pytest.fixture
def entry():
    return make_entry()


@pytest.fixture
def clock(monkeypatch):
    def at(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    at(AFTER)
    return at


def url(entry, name="savings_entry", *more) -> str:
    return reverse(name, args=[entry.scene.grouping.pk, *more])


def values(**changes) -> dict:
    typed = {"designation": "Gazole", "quantity": "1 000", "price_before": "4,80", "method": "HISTORIC_PRICE"}
    return typed | {"unit": "litre", "version": "0"} | changes


def sign_in(client, person):
    client.force_login(person.user)
    return client


def test_the_buyer_enters_a_price_with_its_proof_and_freezes_the_lot(entry, client, clock):
    clock(BEFORE)
    sign_in(client, entry.buyer)
    page = client.get(url(entry)).content.decode()
    assert "À figer avant le 16/03/2026 12\u00a0h\u00a000 (date limite des offres)" in page and "non mesuré" in page
    create = url(entry, "baseline_create", entry.lot.pk, entry.scene.membership.pk)
    proof = SimpleUploadedFile("facture.pdf", PDF)
    assert client.post(create, values(evidence_file=proof)).status_code == 302
    baseline = Baseline.objects.get()
    assert (baseline.price_before, baseline.quantity, baseline.grade) == (Decimal("4.80"), 1000, "A")
    assert (baseline.evidence.kind, baseline.evidence.membership) == ("price_evidence", entry.scene.membership)
    freeze = url(entry, "baseline_freeze", entry.lot.pk)
    assert "1 prix prêt" in client.get(freeze).content.decode()
    assert client.post(freeze).status_code == 302
    assert client.post(freeze).status_code == 422  # nothing left to freeze
    assert "Figé, à confirmer" in client.get(url(entry)).content.decode()


def test_after_the_deadline_the_freezing_asks_why(entry, client, clock):
    clock(DUE + timedelta(days=1))
    sign_in(client, entry.buyer)
    client.post(url(entry, "baseline_create", entry.lot.pk, entry.scene.membership.pk), values())
    freeze = url(entry, "baseline_freeze", entry.lot.pk)
    assert client.post(freeze, {"late_reason": ""}).status_code == 422
    assert client.post(freeze, {"late_reason": "Reprise de l’historique"}).status_code == 302
    assert Baseline.objects.get().grade == "D"
    assert "tardif\u00a0: Reprise de l’historique" in client.get(url(entry)).content.decode().replace(" :", "\u00a0:")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"price_before": "0"}, "supérieur à zéro"),
        ({"price_before": "-4"}, "négatif"),
        ({"price_before": "cher"}, "Saisissez un nombre"),
        ({"quantity": "0"}, "supérieure à zéro"),
        ({"quantity": ""}, "Indiquez la quantité"),
        ({"index_name": "INSEE", "index_base_value": "0", "index_value": "1"}, "supérieure à zéro"),
        ({"index_factor": "1,03"}, "Nommez l’indice"),
        ({"method": "AUTRE"}, "choix valide"),
    ],
)
def test_a_refused_price_is_told_by_its_box_and_keeps_what_was_typed(entry, client, clock, changes, said):
    sign_in(client, entry.buyer)
    create = url(entry, "baseline_create", entry.lot.pk, entry.scene.membership.pk)
    response = client.post(create, values(source="Marché 2022-14", **changes))
    assert response.status_code == 422 and not Baseline.objects.exists()
    assert said in response.content.decode() and "Marché 2022-14" in response.content.decode()


def test_twice_the_same_designation_is_refused_by_its_box(entry, client, clock):
    sign_in(client, entry.buyer)
    create = url(entry, "baseline_create", entry.lot.pk, entry.scene.membership.pk)
    client.post(create, values())
    again = client.post(create, values())
    assert again.status_code == 422 and "déjà un prix de référence" in again.content.decode()


def test_two_people_on_one_form_the_second_is_told(entry, client, clock):
    baseline = make_baseline(entry.scene.membership, entry.lot, is_frozen=False)
    sign_in(client, entry.buyer)
    change = url(entry, "baseline_change", baseline.pk)
    assert client.post(change, values(version="1")).status_code == 302
    second = client.post(change, values(version="1", price_before="9"))
    assert second.status_code == 422 and "a changé pendant votre saisie" in second.content.decode()


def test_lines_from_the_price_list_to_finance(entry, client, clock):
    baseline = make_baseline(entry.scene.membership, entry.lot, designation="Gazole")
    item = PriceItem.objects.create(
        award=entry.scene.award, code="G1", designation="gazole", price_excl_tax=Decimal("3.6")
    )
    sign_in(client, entry.buyer)
    create = url(entry, "line_create", baseline.pk, "awarded")
    form = client.get(create).content.decode()
    assert 'value="3,6"' in form and "d’après le bordereau" in form
    assert client.post(create, {"price_obtained": "3,7", "price_item": item.pk}).status_code == 422
    assert client.post(create, {"price_obtained": "", "price_item": item.pk, "comment": ""}).status_code == 302
    line = PriceLine.objects.get()
    assert (line.price_obtained, line.budget_gain) == (Decimal("3.6"), Decimal("1200.00"))
    assert "1 ligne prête" in client.get(url(entry)).content.decode()
    assert client.post(url(entry, "lines_submit")).status_code == 302
    assert client.post(url(entry, "lines_submit"), {"line": line.pk}).status_code == 302  # the second click
    line.refresh_from_db()
    assert (line.status, line.submitted_by_id) == ("SUBMITTED", entry.buyer.user_id)
    assert client.post(url(entry, "line_take_back", line.pk)).status_code == 302
    line.refresh_from_db()
    assert line.status == "DRAFT"


def test_a_line_that_is_not_ready_says_what_it_lacks(entry, client, clock):
    baseline = make_baseline(entry.scene.membership, entry.lot)
    line = line_save(line=entry.line(baseline, "1.00"), actor=entry.buyer)
    sign_in(client, entry.buyer)
    assert "Le gain sort de l’intervalle habituel" in client.get(url(entry)).content.decode()
    assert client.post(url(entry, "lines_submit")).status_code == 422
    response = client.post(url(entry, "lines_submit"), {"line": line.pk})
    assert response.status_code == 422 and "commentaire" in response.content.decode()


def test_a_realised_line_is_proposed_from_the_invoices(entry, client, clock):
    baseline = make_baseline(entry.scene.membership, entry.lot)
    entry.scene.consume(entry.scene.membership, "250.00", quantity=Decimal(100))
    sign_in(client, entry.buyer)
    create = url(entry, "line_create", baseline.pk, "realised")
    form = client.get(create).content.decode()
    assert 'value="2026"' in form and 'value="100"' in form and 'value="2,5"' in form
    typed = {"year": "2026", "quantity": "100", "price_obtained": "2,5"}
    assert client.post(create, typed).status_code == 302
    assert PriceLine.objects.get().budget_gain == Decimal("230.00")  # 100 × (4.80 − 2.50)
    again = client.post(create, typed)
    assert again.status_code == 422 and "déjà une ligne réalisée" in again.content.decode()


def test_the_mean_of_the_offers_is_written_after_the_opening(entry, client, clock):
    mean = make_baseline(
        entry.scene.membership, entry.lot, None, method="MEAN_OF_OFFERS", grade="C", is_confirmed=False
    )
    sign_in(client, entry.buyer)
    page = url(entry, "baseline_price", mean.pk)
    assert client.post(page, {"price_before": ""}).status_code == 422
    assert client.post(page, {"price_before": "4,10", "version": "1"}).status_code == 302
    assert client.post(page, {"price_before": "4,20", "version": "2"}).status_code == 422
    mean.refresh_from_db()
    assert mean.price_before == Decimal("4.10")


def test_a_frozen_price_is_replaced_with_a_reason(entry, client, clock):
    old = make_baseline(entry.scene.membership, entry.lot, designation="Gazole")
    sign_in(client, entry.buyer)
    assert client.get(url(entry, "baseline_change", old.pk)).status_code == 302
    page = url(entry, "baseline_replace", old.pk)
    assert 'value="4,8"' in client.get(page).content.decode()
    assert client.post(page, values(version="1", price_before="4,5")).status_code == 422
    assert client.post(page, values(version="1", price_before="4,5", reason="Avoir oublié")).status_code == 302
    new = Baseline.objects.current().get()
    assert (new.replaces, new.price_before, new.grade) == (old, Decimal("4.5"), "D")


def test_what_is_not_frozen_is_taken_away_and_what_is_frozen_is_not(entry, client, clock):
    draft = make_baseline(entry.scene.membership, entry.lot, is_frozen=False)
    frozen = make_baseline(entry.scene.other, entry.lot)
    sign_in(client, entry.buyer)
    assert client.post(url(entry, "baseline_remove", draft.pk)).status_code == 302
    assert client.post(url(entry, "baseline_remove", frozen.pk)).status_code == 422
    assert list(Baseline.objects.all()) == [frozen]


def test_a_member_reads_its_own_prices_and_its_lines_once_validated(entry, client, clock):
    own = make_baseline(entry.scene.membership, entry.lot, designation="Gazole de la ville")
    make_line(own, "3.60", comment="")
    hoped = make_baseline(entry.scene.membership, entry.lot, designation="Additif")
    make_line(hoped, "1.234567", status="DRAFT")
    make_baseline(entry.scene.other, entry.lot, "7.77", designation="Gazole du voisin")
    page = sign_in(client, entry.agent).get(url(entry)).content.decode()
    assert "Gazole de la ville" in page and "1\u202f200,00\u00a0€" in page and "Additif" in page
    assert "1,234567" not in page and "voisin" not in page and "7,77" not in page
    assert entry.scene.neighbour.name not in page and "Importer" not in page


@pytest.mark.parametrize("role", [Role.BUYER, Role.MEMBER_AGENT])
def test_nothing_leaks_outside_the_grouping(entry, client, clock, role):
    make_baseline(entry.scene.membership, entry.lot)
    outside = make_organisation(parent=entry.scene.metropole)
    for body in (outside, make_metropole()):
        sign_in(client, make_affiliation(body, role))
        assert client.get(url(entry)).status_code == 404
        assert client.get(url(entry, "price_lines_template")).status_code == 404


def test_the_proof_of_a_price_is_read_by_its_member_and_the_coordinator_alone_and_stays(entry, client, clock):
    def deposit(actor, **more):
        return grouping_file_deposit(
            grouping=entry.scene.grouping,
            membership=entry.scene.membership,
            content=PDF,
            filename="facture.pdf",
            kind=GroupingDocument.Kind.BASELINE_EVIDENCE,
            actor=actor,
            **more,
        )

    for person in (entry.agent, make_affiliation(entry.scene.metropole, Role.READER)):
        with pytest.raises(NotAllowed):
            deposit(person)
    with pytest.raises(Exception, match="n’est pas montré aux autres"):
        deposit(entry.finance, is_shared=True)
    proof = deposit(entry.finance)
    page = reverse("grouping_file", args=[entry.scene.grouping.pk, proof.pk])
    for person, status in (
        (entry.agent, 200),
        (entry.buyer, 200),
        (make_affiliation(entry.scene.neighbour, Role.MEMBER_AGENT), 404),
    ):
        assert sign_in(client, person).get(page).status_code == status
    make_baseline(entry.scene.membership, entry.lot, evidence=proof)
    with pytest.raises(BusinessError, match="prouve un prix de référence"):
        grouping_file_remove(document=proof, actor=entry.buyer)
    assert GroupingDocument.objects.filter(pk=proof.pk).exists()


@pytest.mark.parametrize("count", [2, 50])
def test_few_queries_whatever_the_number_of_members(entry, client, clock, count, django_assert_max_num_queries):
    for number in range(count):
        body = make_organisation(
            parent=entry.scene.metropole, name="Ville d’Essai-au-Nom-Long " + "x" * 160 + str(number)
        )
        membership = make_membership(entry.scene.grouping, body)
        make_line(make_baseline(membership, entry.lot, designation="y" * 200), status="DRAFT")
    sign_in(client, entry.buyer)
    with django_assert_max_num_queries(12):
        assert client.get(url(entry)).status_code == 200
