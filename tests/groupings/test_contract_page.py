"""The page of a contract, its contacts, files and extensions; what each person may read of its consumption."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from djmoney.money import Money
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.actions.contract import contact_remove, contact_save, contract_document_deposit, extension_take
from groupings.execution import contract_awards, contract_summaries, contracts_of, grouping_contracts, watched_contracts
from groupings.feeds import events_of
from groupings.models import (
    AwardHolder,
    AwardShare,
    ConsumptionLine,
    ContractContact,
    GroupingDocument,
    PriceItem,
)
from groupings.reminders import digests
from groupings.todo import todo_on
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.groupings.exchange.samples import pdf
from tests.support.contracts import make_scene
from tests.support.factories import make_affiliation, make_membership, make_organisation, make_siret

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)
PDF = pdf(["Guide de commande"])


@pytest.fixture
def scene():
    return make_scene()


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    now = datetime(2026, 11, 28, 9, tzinfo=ZoneInfo("Europe/Paris"))
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


def address(scene, name="contract", *more) -> str:
    return reverse(name, args=[scene.grouping.pk, scene.award.pk, *more])


def read(client, person, url, **query) -> str:
    client.force_login(person.user)
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def of(scene, affiliation) -> object:
    return contracts_of(contract_awards(affiliation).filter(pk=scene.award.pk), affiliation, TODAY)[0]


# What each reads


def test_the_coordinator_reads_every_part_and_the_total(scene):
    """1 600.00 of 2 000.00 in total; the commune 480.00 of 600.00 (80 %), its neighbour 410.00 of 400.00 (102.5 %)."""
    scene.consume(scene.own, "710.00")
    scene.consume(scene.membership, "500.00")
    scene.consume(scene.membership, "-20.00", "AV-1")
    scene.consume(scene.other, "410.00")
    contract = of(scene, scene.buyer)
    told = {part.membership.organisation.name: (part.share, part.consumed, part.percent) for part in contract.parts}
    assert told == {
        "Métropole d’Essai": (Decimal("1000.00"), Decimal("710.00"), Decimal("71.00")),
        "Ville d’Aval": (Decimal("600.00"), Decimal("480.00"), Decimal("80.00")),
        "Ville d’Amont": (Decimal("400.00"), Decimal("410.00"), Decimal("102.50")),
    }
    assert (contract.consumed, contract.percent) == (Decimal("1600.00"), Decimal("80.00"))
    assert [alert.kind for alert in contract.own_alerts] == ["ceiling"]
    assert contract.near_members == 2


def test_a_member_reads_its_own_part_alone(scene):
    scene.consume(scene.membership, "100.00")
    scene.consume(scene.other, "395.55")
    contract = of(scene, scene.agent)
    assert [part.membership for part in contract.parts] == [scene.membership]
    assert (contract.consumed, contract.percent) == (Decimal("100.00"), Decimal("16.67"))
    assert contract.state.consumed is None
    assert contract.state.notice_due_on is None


def test_nothing_of_the_neighbour_reaches_a_member(client, scene):
    """Neither its amounts nor its share, nor the total, on any page nor in any export."""
    scene.consume(scene.membership, "100.00", "MIENNE-1", label="À moi")
    scene.consume(scene.other, "395.55", "VOISINE-9", label="À la voisine")
    pk = scene.grouping.pk
    pages = [
        address(scene),
        reverse("consumption", args=[pk]),
        reverse("consumption_lines", args=[pk]),
        reverse("grouping_detail", args=[pk]),
        reverse("home"),
    ]
    queries = ({}, {"export": "csv"}, {"lot": "1"}, {"q": "VOISINE"}, {"membre": str(scene.other.pk)})
    for url in pages:
        for query in queries:
            text = read(client, scene.agent, url, **query)
            for secret in ("395,55", "VOISINE-9", "À la voisine", "495,55", "400,00"):
                assert secret not in text, (url, query, secret)
    lines = read(client, scene.agent, pages[2], export="csv").lstrip("\ufeff").splitlines()
    assert len(lines) == 2
    assert "MIENNE-1" in lines[1]
    assert "VOISINE-9" in read(client, scene.buyer, pages[2])


def test_before_the_notification_the_members_do_not_know_the_contract(client, scene):
    scene.award.notified_on = None
    scene.award.save()
    client.force_login(scene.agent.user)
    assert client.get(address(scene)).status_code == 404
    assert client.get(address(scene, "price_list")).status_code == 404
    assert "Gazole" not in read(client, scene.agent, reverse("consumption", args=[scene.grouping.pk]))
    assert "Pas encore notifié" in read(client, scene.buyer, address(scene))


def test_a_lot_without_contract_has_no_page(client, scene):
    scene.award.outcome, scene.award.reason, scene.award.maximum_excl_tax = "unsuccessful", "Aucune offre", None
    scene.award.shares.all().delete()
    scene.award.save()
    client.force_login(scene.buyer.user)
    assert client.get(address(scene)).status_code == 404


def test_a_framework_agreement_without_maximum_has_no_ceiling_but_a_percentage(scene):
    scene.award.maximum_excl_tax, scene.award.amount_excl_tax = None, Money("2000.00", "EUR")
    scene.award.save()
    scene.consume(scene.own, "3000.00")
    contract = of(scene, scene.buyer)
    assert contract.ceiling is None
    assert contract.percent == Decimal("150.00")
    assert [alert.kind for alert in contract.own_alerts] == []


def test_a_member_without_share_that_consumed_is_shown(scene):
    AwardShare.objects.filter(membership=scene.other).delete()
    scene.consume(scene.other, "12.00")
    part = next(part for part in of(scene, scene.buyer).parts if part.membership.pk == scene.other.pk)
    assert (part.share, part.consumed, part.percent) == (None, Decimal("12.00"), None)


def test_the_pages_hold_with_nothing_at_all(client, scene):
    scene.award.shares.all().delete()
    scene.award.holders.all().delete()
    assert "Aucun prix enregistré" in read(client, scene.agent, address(scene))
    assert "rien n’a été consommé" in read(client, scene.agent, reverse("consumption", args=[scene.grouping.pk]))
    assert "Aucune facture" in read(client, scene.agent, reverse("consumption_lines", args=[scene.grouping.pk]))


@pytest.mark.parametrize("count", [2, 50])
@pytest.mark.parametrize("role", [Role.BUYER, Role.MEMBER_AGENT])
def test_few_queries_whatever_the_rows(client, scene, django_assert_max_num_queries, count, role):
    for number in range(count):
        body = make_organisation(parent=scene.metropole)
        member = make_membership(scene.grouping, body)
        AwardShare.objects.create(award=scene.award, membership=member, amount_excl_tax=Money("1.00", "EUR"))
        scene.consume(member, "1.00", f"F-{number}")
        scene.consume(scene.membership, "1.00", f"G-{number}", award=scene.second)
        PriceItem.objects.create(award=scene.award, code=f"P{number}", designation="Prix", price_excl_tax="1")
        ContractContact.objects.create(award=scene.award, name=f"Contact {number}", phone="0400000000")
        AwardHolder.objects.create(award=scene.award, name="Entreprise", identifier=make_siret(), is_lead=False)
    client.force_login((scene.buyer if role == Role.BUYER else scene.agent).user)
    pk = scene.grouping.pk
    urls = [
        address(scene),
        address(scene, "price_list"),
        reverse("consumption", args=[pk]),
        reverse("consumption_lines", args=[pk]),
        reverse("grouping_detail", args=[pk]),
        reverse("home"),
    ]
    if role == Role.BUYER:
        urls += [address(scene, "contact_create"), reverse("grouping_renew", args=[pk])]
    for url in urls:
        with django_assert_max_num_queries(12):
            assert client.get(url).status_code == 200, url


def test_the_export_of_the_table_is_what_is_on_screen(client, scene):
    scene.consume(scene.membership, "480.00")
    url = reverse("consumption", args=[scene.grouping.pk])
    lines = read(client, scene.buyer, url, export="csv", lot="1").lstrip("\ufeff").splitlines()
    assert len(lines) == 4  # the heading and three members of the lot 1
    assert f"1;Gazole;Ville d’Aval;{scene.commune.siren};600,00;480,00;80,00%;1;01/07/2026" in lines
    assert len(read(client, scene.buyer, url, export="csv").splitlines()) == 5
    assert len(read(client, scene.agent, url, export="csv").splitlines()) == 3  # its own two lots


def test_a_contract_of_another_grouping_is_not_found_under_this_one(client, scene):
    """One's own grouping with the contract, import, contact or file of another: nothing, for reading and writing."""
    other = make_scene(reference="GC-2025-08")
    taken = other.consume(other.membership, "1.00").source
    contact = ContractContact.objects.create(award=other.award, name="A", phone="1")
    client.force_login(scene.buyer.user)
    mine, theirs = scene.grouping.pk, other.award.pk
    for name, arguments in (
        ("contract", [mine, theirs]),
        ("price_list", [mine, theirs]),
        ("contract_extend", [mine, theirs]),
        ("contact_create", [mine, theirs]),
        ("contract_document_add", [mine, theirs]),
        ("consumption_undo", [mine, taken.pk]),
        ("contact_change", [mine, scene.award.pk, contact.pk]),
    ):
        assert client.post(reverse(name, args=arguments)).status_code in (404, 405), name
    client.post(address(scene, "contact_remove", contact.pk))
    assert ContractContact.objects.filter(pk=contact.pk).exists()


# Contacts and files


def test_a_contact_is_added_changed_and_removed(client, scene):
    client.force_login(scene.buyer.user)
    url = address(scene, "contact_create")
    page = client.post(url, {"name": "Anne Relation", "role": "Commandes"})
    assert page.status_code == 422
    assert "Indiquez une adresse ou un téléphone." in page.content.decode()
    client.post(url, {"name": "Anne Relation", "role": "Commandes", "phone": "04 00 00 00 00"})
    contact = ContractContact.objects.get()
    client.post(address(scene, "contact_change", contact.pk), {"name": "Anne R.", "email": "anne@example.org"})
    contact.refresh_from_db()
    assert (contact.name, contact.phone) == ("Anne R.", "")
    assert "Anne R." in read(client, scene.agent, address(scene))
    client.force_login(scene.buyer.user)
    for _ in range(2):  # the second click comes back all the same
        assert client.post(address(scene, "contact_remove", contact.pk)).status_code == 302
    assert not ContractContact.objects.exists()
    assert JournalEntry.objects.filter(verb="contact.remove").count() == 1


def test_contacts_and_shared_files_wait_for_the_notification(scene):
    """Until then the name of the holder's agent would tell who won (CCP, L2132-1)."""
    scene.award.notified_on = None
    scene.award.save()
    with pytest.raises(BusinessError, match="n’est pas notifié"):
        contact_save(contact=ContractContact(award=scene.award, name="A", phone="1"), actor=scene.buyer)
    common = {"award": scene.award, "content": PDF, "kind": "ordering", "actor": scene.buyer}
    with pytest.raises(BusinessError, match="n’est pas notifié"):
        contract_document_deposit(filename="guide.pdf", is_shared=True, **common)
    contract_document_deposit(filename="acte.pdf", is_shared=False, **common)
    told = JournalEntry.objects.get(verb="file.deposit")
    assert not JournalEntry.objects.of_thread(scene.grouping.thread, scene.agent).filter(pk=told.pk).exists()


def test_only_the_coordinator_writes_about_a_contract(scene):
    contact = ContractContact.objects.create(award=scene.award, name="A", phone="1")
    for actor in (scene.agent, make_affiliation(scene.metropole, Role.FINANCE)):
        for write in (
            lambda actor: contact_save(contact=contact, actor=actor),
            lambda actor: contact_remove(contact=contact, actor=actor),
            lambda actor: extension_take(award=scene.award, actor=actor, today=TODAY),
        ):
            with pytest.raises(NotAllowed):
                write(actor)


def test_a_file_is_shared_or_kept_by_the_coordinator(client, scene):
    client.force_login(scene.buyer.user)
    url = address(scene, "contract_document_add")
    for name, shared in (("guide.pdf", "on"), ("interne.pdf", "")):
        upload = SimpleUploadedFile(name, pdf([name]))
        client.post(
            url,
            {"file": upload, "kind": "ordering", "is_shared": shared}
            if shared
            else {"file": upload, "kind": "ordering"},
        )
    assert GroupingDocument.objects.count() == 2
    client.get(address(scene))  # the sentences of the two deposits are told here
    text = read(client, scene.agent, address(scene))
    assert "guide.pdf" in text
    assert "interne.pdf" not in text
    assert "interne.pdf" not in read(client, scene.agent, reverse("grouping_detail", args=[scene.grouping.pk]))
    kept = GroupingDocument.objects.get(original_name="interne.pdf")
    assert client.get(reverse("grouping_file", args=[scene.grouping.pk, kept.pk])).status_code == 404
    client.force_login(scene.buyer.user)
    for _ in range(2):
        assert client.post(address(scene, "contract_document_drop", kept.pk)).status_code == 302
    client.get(address(scene))
    assert "interne.pdf" not in read(client, scene.agent, f"/groupements/{scene.grouping.pk}/", journal="tout")
    assert "interne.pdf" in read(client, scene.buyer, f"/groupements/{scene.grouping.pk}/", journal="tout")
    wrong = client.post(url, {"file": SimpleUploadedFile("virus.pdf", b"MZ\x90"), "kind": "ordering"})
    assert wrong.status_code == 422


# Extensions


def test_an_extension_moves_the_end_once(client, scene):
    """From 31/05/2028 to 31/05/2029; clicked twice, taken once."""
    client.force_login(scene.buyer.user)
    url = address(scene, "contract_extend")
    page = client.post(url, {"taken": "0"}, follow=True)
    assert "le marché se termine le 31/05/2029" in page.content.decode()
    again = client.post(url, {"taken": "0"})
    assert again.status_code == 422
    assert "déjà enregistrée" in again.content.decode()
    scene.award.refresh_from_db()
    assert (scene.award.extensions_taken, scene.award.ends_on) == (1, date(2029, 5, 31))
    entry = JournalEntry.objects.get(verb="award.extend")
    assert (entry.before, entry.after) == ({"extensions_taken": 0}, {"extensions_taken": 1})
    assert entry.sentence.endswith("fin du marché reportée du 31/05/2028 au 31/05/2029")
    none_left = client.post(url, {"taken": "1"})
    assert "n’a plus de reconduction" in none_left.content.decode()


def test_no_extension_after_the_end(scene):
    """The last day is still in time, the day after is not."""
    with pytest.raises(BusinessError, match="terminé depuis le 31/05/2028"):
        extension_take(award=scene.award, actor=scene.buyer, today=date(2028, 6, 1))
    assert extension_take(award=scene.award, actor=scene.buyer, today=date(2028, 5, 31)).extensions_taken == 1


def test_no_extension_of_a_contract_that_is_not_notified(scene):
    scene.award.notified_on = None
    scene.award.save()
    with pytest.raises(BusinessError, match="n’est pas notifié"):
        extension_take(award=scene.award, actor=scene.buyer, today=TODAY)


# Where the alerts are told


def test_what_asks_for_something_comes_to_the_buyers_first_screen(client, scene):
    assert todo_on(scene.buyer, TODAY).contracts == []
    scene.consume(scene.own, "1600.00")
    todo = todo_on(scene.buyer, TODAY)
    assert [contract.award for contract in todo.contracts] == [scene.award]
    assert todo.sentence.startswith("0 échéance en retard, 0 attendue")  # its three numbers are about deliberations
    assert not todo.is_empty
    text = read(client, scene.buyer, reverse("home"))
    assert "80\u00a0% du maximum sont atteints" in text
    assert "Rien à faire" not in text
    assert todo_on(scene.agent, TODAY).contracts == []


def test_a_member_is_told_of_its_own_share(scene):
    scene.consume(scene.membership, "600.00")
    (contract,) = todo_on(scene.agent, TODAY).contracts
    assert [alert.sentence.split("\u00a0")[0] for alert in contract.alerts] == ["Ville d’Aval a atteint sa part"]
    # It leaves: the contracts launched with it still bind it, those launched without it do not.
    scene.membership.withdrawn_on = TODAY
    scene.membership.save()
    assert len(todo_on(scene.agent, TODAY).contracts) == 1
    scene.membership.withdrawn_on = scene.membership.grouping.launched_on
    scene.membership.save()
    assert todo_on(scene.agent, TODAY).contracts == []


def test_once_the_review_is_made_an_ended_contract_asks_for_nothing(scene):
    ended = date(2028, 6, 1)
    assert len(watched_contracts(scene.buyer, ended)) == 2
    scene.grouping.status = "review"
    scene.grouping.save()
    assert watched_contracts(scene.buyer, ended) == []
    assert len(grouping_contracts(scene.grouping, scene.buyer, ended)) == 2


def test_the_weekly_digest_tells_the_contracts(scene):
    assert digests(TODAY) == []
    scene.consume(scene.own, "2000.01")
    ((buyer, _, text),) = digests(TODAY)
    assert buyer == scene.buyer
    assert "Carburants, lot 1" in text
    assert "Le maximum est dépassé" in text


def test_the_calendar_holds_the_end_and_for_the_coordinator_the_notice(scene):
    """Notice three months before 31/05/2028: 29/02/2028, a leap day."""

    def dates(affiliation):
        return sorted({(event.on, event.summary.split("\u00a0: ")[1]) for event in events_of(affiliation, TODAY)})

    end = (date(2028, 5, 31), "fin du marché")
    assert dates(scene.buyer) == [(date(2028, 2, 29), "préavis de reconduction"), end]
    assert dates(scene.agent) == [end]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=3, max_size=3),
    st.sampled_from([None, 4, 5]),
)
def test_the_summary_of_a_list_counts_as_the_page_does(cents, exactly):
    """The sums made by the database say what the rule says, at exactly 80 % and 100 % too."""
    with transaction.atomic():
        scene = make_scene()
        for member, (share, used) in zip((scene.own, scene.membership, scene.other), cents, strict=True):
            used = share // 5 * exactly if exactly else used
            share = share // 5 * 5 if exactly else share
            amount = Money(Decimal(share) / 100, "EUR")
            AwardShare.objects.filter(award=scene.award, membership=member).update(amount_excl_tax=amount)
            if used:
                scene.consume(member, f"{used // 100}.{used % 100:02}")
        for person in (scene.buyer, scene.agent):
            page = grouping_contracts(scene.grouping, person, TODAY)
            summaries = contract_summaries(scene.grouping, person, TODAY)
            for contract, summary in zip(page, summaries, strict=True):
                assert summary.consumed == contract.consumed
                assert summary.share_total == contract.share_total
                assert summary.percent == contract.percent
                assert summary.near_members == contract.near_members
                assert summary.own_alerts == contract.own_alerts
                assert summary.holders == contract.holders
        transaction.set_rollback(True)


def test_a_contract_not_notified_alerts_nobody(scene):
    scene.award.notified_on = None
    scene.award.save()
    scene.consume(scene.own, "5000.00")
    assert ConsumptionLine.objects.count() == 1
    assert todo_on(scene.buyer, TODAY).contracts == []
