"""The page of a grouping, its documents and its jobs, as each role sees them."""

import hashlib
import io
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from groupings.actions.convention import conventions_request
from groupings.models import ConventionDocument
from groupings.views.detail import Page
from groupings.workflow import GROUPING_WORKFLOW
from members.roles import Role
from procurement.core.jobs import runner
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_territory,
)
from tests.support.needs import boxes
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12


def sign_in(client, organisation, role=Role.BUYER):
    affiliation = make_affiliation(organisation, role)
    client.force_login(affiliation.user)
    return affiliation


def in_days(days: int):
    return timezone.localdate() + timedelta(days=days)


def page_of(client, grouping, query="") -> str:
    return client.get(reverse("grouping_detail", args=[grouping.pk]) + query).content.decode()


@pytest.fixture
def produced():
    """A grouping of three bodies whose conventions are produced for good, and its métropole."""
    metropole, grouping = make_territory(members=2, lots=2, status="convention")
    job = conventions_request(grouping=grouping, actor=make_affiliation(metropole), now=timezone.now())
    assert runner.run(job.pk).status == "done"
    return metropole, grouping, job


def test_the_buyer_sees_everything_of_it(client, produced):
    metropole, grouping, _ = produced
    sign_in(client, metropole)
    page = page_of(client, grouping)
    for membership in grouping.memberships.select_related("organisation"):
        assert membership.organisation.name in page
        assert f'id="membre-{membership.pk}"' in page
    assert "6\u202f000,00\u00a0€" in page  # 3 bodies × 2 lots × 1 000 €
    assert "Télécharger les 3 fichiers (ZIP)" in page
    for document in ConventionDocument.objects.all():
        assert document.sha256[:12] in page
    for name in ("grouping_change", "membership_create", "lot_create", "convention_generate"):
        assert reverse(name, args=[grouping.pk]) in page
    assert "Convention version 1 figée" in page  # the journal


def test_a_member_sees_its_own_line_first_and_no_amount_of_the_others(client):
    metropole, grouping = make_territory(members=2, lots=1)
    own = grouping.memberships.order_by("organisation__sort_name").last()
    grouping.memberships.get(organisation=metropole).needs.update(estimated_amount_excl_tax=Decimal("98765.43"))
    sign_in(client, own.organisation, Role.MEMBER_AGENT)
    response = client.get(reverse("grouping_detail", args=[grouping.pk]))
    page = response.content.decode()
    assert response.context["rows"][0].membership == own
    assert "own-row" in page
    assert "1\u202f000,00\u00a0€" in page
    for leaked in ("98\u202f765,43", "100\u202f765,43", "99\u202f765,43"):
        assert leaked not in page
    assert "Étape suivante" not in page
    assert "Produire les conventions" not in page
    assert reverse("grouping_change", args=[grouping.pk]) not in page


def test_a_frozen_convention_tells_its_parties_the_totals_and_only_them(client, produced):
    metropole, grouping, _ = produced
    own = grouping.memberships.exclude(organisation=metropole).first()
    # What changes after the freeze is not in the annex: the member goes on reading the frozen totals.
    grouping.memberships.get(organisation=metropole).needs.update(estimated_amount_excl_tax=Decimal("77777.00"))
    newcomer = make_membership(grouping, make_organisation(parent=metropole))
    sign_in(client, own.organisation, Role.MEMBER_AGENT)
    for path in ("grouping_detail", "needs_table"):
        page = client.get(reverse(path, args=[grouping.pk])).content.decode()
        assert "3\u202f000,00\u00a0€" in page  # each lot
        assert "6\u202f000,00\u00a0€" in page  # the convention
        assert "77\u202f777,00" not in page
    sign_in(client, newcomer.organisation, Role.MEMBER_AGENT)
    for path in ("grouping_detail", "needs_table"):
        page = client.get(reverse(path, args=[grouping.pk])).content.decode()
        assert "3\u202f000,00\u00a0€" not in page  # not party to that convention


def test_sources_and_fictitious_identifiers_are_said(client):
    metropole, grouping = make_territory(members=0, source="bilan 2016, illustratif")
    make_membership(grouping, make_organisation(parent=metropole, source="SIREN fictif"))
    sign_in(client, metropole)
    page = page_of(client, grouping)
    assert "bilan 2016, illustratif" in page
    assert "SIREN fictif" in page


def test_late_is_said_in_words_and_withdrawn_members_come_last(client):
    metropole, grouping = make_territory(members=2, status="deliberations", deliberations_due_on=in_days(-1))
    gone = grouping.memberships.exclude(organisation=metropole).first()
    gone.withdrawn_on = in_days(-1)
    gone.joined_on = in_days(-9)
    gone.save()
    sign_in(client, metropole)
    response = client.get(reverse("grouping_detail", args=[grouping.pk]))
    assert response.content.decode().count("En retard") == 2
    assert response.context["rows"][-1].membership == gone
    assert response.context["member_count"] == 2
    assert response.context["needs_total"] == Decimal("4000.00")  # 2 bodies left × 2 lots × 1 000 €


@pytest.mark.parametrize("status", ["needs", "convention", "deliberations"])
@pytest.mark.parametrize("complete", [False, True])
def test_the_reason_shown_is_the_one_the_action_would_give(status, complete):
    """The page feeds the rules with what it has read; the guards ask the database: both must say the same."""
    metropole, grouping = make_territory(members=3 if complete else 0, lots=2 if complete else 0, status=status)
    if complete:
        adopt(grouping.memberships.get(organisation=metropole), in_days(-5))
        first, second = grouping.memberships.exclude(organisation=metropole)[:2]
        first.deliberations.update(status="not_required")
        second.deliberations.all().delete()  # nobody asked it to vote
    steps = Page(grouping, make_affiliation(metropole), in_days(0)).steps()
    assert steps
    for step in steps:
        guard = GROUPING_WORKFLOW.get(step.transition.name).guard
        assert step.refusal == (guard(grouping) if guard else "")


def test_a_declared_grouping_is_a_light_page(client):
    metropole = make_metropole()
    grouping = make_grouping(
        metropole, is_declared_only=True, declaring_department="Eau <b>&\"'", declared_participants=4
    )
    sign_in(client, metropole)
    page = page_of(client, grouping)
    assert "Seulement déclaré" in page
    assert "Eau &lt;b&gt;&amp;" in page
    assert "Étape suivante" not in page
    assert "Produire les conventions" not in page


def test_markup_in_names_stays_text(client):
    metropole, grouping = make_territory(members=0, title="<b>Titre & \"'", lots=0)
    body = make_organisation(parent=metropole, name="<b>Nom</b> & \"'")
    lot = make_lot(grouping, title="<script>lot</script>")
    make_need(make_membership(grouping, body, contact_name="<i>Référent"), lot, unit="<u>")
    sign_in(client, metropole)
    paths = [reverse(name, args=[grouping.pk]) for name in ("grouping_detail", "needs_table", "membership_create")]
    for path in ("/", "/groupements/", *paths):
        page = client.get(path).content.decode()
        for raw in ("<b>Titre", "<b>Nom", "<script>lot", "<i>Réf", "<td><u>"):
            assert raw not in page


def test_names_of_two_hundred_characters_are_shown_whole(client):
    metropole, grouping = make_territory(members=0, title="T" * 200, lots=0)
    make_membership(grouping, make_organisation(parent=metropole, name="N" * 200))
    sign_in(client, metropole)
    page = page_of(client, grouping)
    assert "T" * 200 in page
    assert "N" * 200 in page


def test_the_journal_of_a_member_hides_the_others(client):
    metropole, grouping = make_territory(members=2, lots=1)
    own, other = grouping.memberships.exclude(organisation=metropole)
    buyer = make_affiliation(metropole)
    client.force_login(buyer.user)
    for membership, amount in ((own, "4321"), (other, "8765")):
        client.post(
            reverse("needs_change", args=[grouping.pk, membership.pk]),
            {"action": "submit", **boxes(grouping.lots.get(), total_amount=amount)},
        )
    assert "8\u202f765,00" in page_of(client, grouping)
    sign_in(client, own.organisation, Role.MEMBER_AGENT)
    page = page_of(client, grouping)
    assert "4\u202f321,00" in page
    assert "8\u202f765,00" not in page


# Documents and jobs


def test_the_bar_moves_then_gives_the_zip_and_each_file(client, bell):
    metropole, grouping = make_territory(members=2, lots=1, status="convention")
    sign_in(client, metropole)
    response = client.post(reverse("convention_generate", args=[grouping.pk]), follow=True)
    job = response.context["job"]
    page = response.content.decode()
    assert response.redirect_chain[-1][0] == reverse("job_detail", args=[job.pk])
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'value="0"' in page
    again = client.post(reverse("convention_generate", args=[grouping.pk]), follow=True)
    assert again.context["job"] == job  # asked twice, one job

    def watch(done: int, total: int) -> None:
        fragment = client.get(reverse("job_detail", args=[job.pk]), headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in fragment
        assert f"{done} sur {total}" in fragment

    runner.run(job.pk, on_progress=watch)
    page = client.get(reverse("job_detail", args=[job.pk])).content.decode()
    assert "every 1s" not in page
    assert "http-equiv" not in page
    assert "3 sur 3 (100\u00a0%)" in page
    assert reverse("convention_archive", args=[grouping.pk, 1]) in page
    for membership in grouping.memberships.select_related("organisation"):
        assert reverse("convention_document", args=[grouping.pk, 1, membership.organisation.siren]) in page


def test_the_files_are_those_whose_hash_is_kept(client, produced):
    metropole, grouping, _ = produced
    sign_in(client, metropole)
    with zipfile.ZipFile(
        io.BytesIO(client.get(reverse("convention_archive", args=[grouping.pk, 1])).content)
    ) as archive:
        hashes = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert hashes == {document.filename: document.sha256 for document in ConventionDocument.objects.all()}
    document = ConventionDocument.objects.first()
    response = client.get(reverse("convention_document", args=[grouping.pk, 1, document.membership.organisation.siren]))
    assert response["Content-Type"] == "application/pdf"
    assert hashlib.sha256(response.content).hexdigest() == document.sha256


def test_a_member_only_gets_its_own_file(client, produced):
    metropole, grouping, job = produced
    own, other = grouping.memberships.exclude(organisation=metropole)
    sign_in(client, own.organisation, Role.MEMBER_AGENT)
    archive = client.get(reverse("convention_archive", args=[grouping.pk, 1])).content
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.namelist() == [f"{grouping.reference}_{own.organisation.siren}.pdf"]
    status = {
        body.siren: client.get(reverse("convention_document", args=[grouping.pk, 1, body.siren])).status_code
        for body in (own.organisation, other.organisation, metropole)
    }
    assert status == {own.organisation.siren: 200, other.organisation.siren: 404, metropole.siren: 404}
    assert client.get(reverse("job_detail", args=[job.pk])).status_code == 404


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_a_damaged_file_is_never_handed_over(client, produced, damage):
    metropole, grouping, _ = produced
    document = ConventionDocument.objects.first()
    if damage == "altered":
        with document.file.open("ab") as stream:
            stream.write(b"%")
    else:
        document.file.storage.delete(document.file.name)
    sign_in(client, metropole)
    for url in (
        reverse("convention_document", args=[grouping.pk, 1, document.membership.organisation.siren]),
        reverse("convention_archive", args=[grouping.pk, 1]),
    ):
        response = client.get(url)
        assert response.status_code == 409
        assert document.filename in response.content.decode()


def test_a_convention_that_cannot_be_made_says_why(client):
    metropole = make_metropole()
    grouping = make_grouping(metropole)
    make_membership(grouping, metropole)
    sign_in(client, metropole)
    response = client.post(reverse("convention_generate", args=[grouping.pk]))
    assert response.status_code == 422
    assert "au moins deux membres" in response.content.decode()
    assert not grouping.conventions.exists()


def test_nothing_of_another_metropole_is_found(client):
    """List, search, counts, export, page, PDF, ZIP and job of the other: absent, and 404."""
    here, there = make_world("ici"), make_world("leaked")
    client.force_login(here.people[Role.BUYER].user)
    for query in ("", "?q=leaked", "?q=papier", "?export=csv", "?sort=-title&declares=", "?page=2"):
        response = client.get(f"/groupements/{query}")
        assert b"leaked" not in response.content.replace(b'value="leaked"', b"").replace(b"q=leaked", b"")
    assert client.get("/groupements/?q=leaked").context["count"] == 0
    assert client.get("/groupements/").context["count"] == 3  # in preparation, in execution, permanent
    assert b"leaked" not in client.get("/").content
    theirs = there.arguments()
    for name in ("grouping_detail", "needs_table", "convention_document", "convention_archive", "job_detail"):
        response = client.get(reverse(name, kwargs=theirs[name]))
        assert response.status_code == 404, name
        assert b"leaked" not in response.content
    # One's own grouping with the other's lot or member does not exist either.
    mine = here.grouping.pk
    for name, inner in (("lot_change", there.lot.pk), ("needs_change", there.membership.pk)):
        assert client.get(reverse(name, args=[mine, inner])).status_code == 404


@pytest.mark.parametrize("count", [2, 50])
@pytest.mark.parametrize("role", [Role.BUYER, Role.MEMBER_AGENT])
def test_few_queries_whatever_the_members(client, django_assert_max_num_queries, count, role):
    metropole, grouping = make_territory(members=count, lots=3, status="deliberations", launch_planned_on=in_days(60))
    job = conventions_request(grouping=grouping, actor=make_affiliation(metropole), now=timezone.now())
    member = grouping.memberships.exclude(organisation=metropole).first()
    for membership in grouping.memberships.select_related("organisation"):
        document = ConventionDocument(
            convention=grouping.conventions.get(), membership=membership, sha256="0" * 64, size=1, pages=9
        )
        document.file.name = f"conventions/{membership.pk}.pdf"
        document.save()
    job.status, job.finished_at = "done", timezone.now()
    job.save()
    sign_in(client, member.organisation if role == Role.MEMBER_AGENT else metropole, role)
    paths = [
        reverse("grouping_detail", args=[grouping.pk]),
        reverse("needs_table", args=[grouping.pk]),
        reverse("needs_change", args=[grouping.pk, member.pk]),
        reverse("membership_change", args=[grouping.pk, member.pk]),
    ]
    if role == Role.BUYER:
        paths += [reverse("membership_create", args=[grouping.pk]), reverse("grouping_change", args=[grouping.pk])]
        paths += [reverse("job_detail", args=[job.pk]), reverse("grouping_create")]
    for path in paths:
        with django_assert_max_num_queries(MAX_QUERIES):
            assert client.get(path).status_code == 200
