"""Files of a grouping that are neither a convention nor a deliberation: who deposits, reads and removes them."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from groupings.actions import files
from groupings.actions.files import grouping_file_deposit, grouping_file_remove
from groupings.models import Grouping, GroupingDocument, Membership
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import make_pdf
from tests.support.factories import make_affiliation, make_grouping, make_lot, make_membership, make_organisation
from tests.support.needs import in_days, make_survey

pytestmark = pytest.mark.django_db
CONTENT = make_pdf("Facture")


@pytest.fixture
def survey():
    return make_survey()


def deposit(survey, actor=None, kind="need_evidence", **options):
    if kind == "need_evidence":
        options = {"membership": survey.membership, "lot": survey.lots[0]} | options
    options = {"content": CONTENT, "filename": "../Facture n° 1.pdf"} | options
    return grouping_file_deposit(grouping=survey.grouping, kind=kind, actor=actor or survey.agent, **options)


def test_the_same_bytes_about_the_same_lot_are_one_file_told_to_its_member(survey):
    first = deposit(survey)
    assert deposit(survey) == first
    assert deposit(survey, lot=survey.lots[1]) != first
    assert first.original_name == "Facture n° 1.pdf"
    assert (first.size, first.extension, first.deposited_by) == (len(CONTENT), "pdf", survey.agent.actor_label)
    assert first.file.name == f"groupings/{first.id.hex[:2]}/{first.id.hex}.pdf"
    entries = JournalEntry.objects.filter(verb="file.deposit")
    assert entries.count() == 2
    assert {entry.concerns_id for entry in entries} == {survey.commune.pk}


def test_a_member_deposits_its_own_evidence_and_nothing_else(survey):
    neighbour = make_affiliation(make_organisation(parent=survey.metropole), Role.MEMBER_AGENT)
    with pytest.raises(NotAllowed):
        deposit(survey, actor=neighbour)
    with pytest.raises(NotAllowed):
        deposit(survey, kind="contract")
    assert deposit(survey, actor=survey.buyer)
    assert deposit(survey, actor=survey.buyer, kind="contract", is_shared=True)


def test_evidence_is_about_a_member_and_a_lot_of_this_grouping(survey):
    other = make_grouping(survey.metropole)
    foreign = make_membership(other, survey.commune)
    for membership in (None, foreign):
        with pytest.raises(BusinessError, match="appartient à un membre"):
            deposit(survey, membership=membership)
    with pytest.raises(BusinessError, match="un autre groupement"):
        deposit(survey, lot=make_lot(other))
    with pytest.raises(ValidationError, match="n’est pas montré aux autres"):
        deposit(survey, is_shared=True)
    assert not GroupingDocument.objects.exists()


def test_a_member_keeps_a_bounded_number_of_files(survey, monkeypatch):
    monkeypatch.setattr(files, "_PER_MEMBER", 1)
    deposit(survey)
    with pytest.raises(BusinessError, match="réunissez-les en un PDF"):
        deposit(survey, content=make_pdf("Une autre"))


def test_who_reads_what(client, survey):
    evidence = deposit(survey)
    shared = deposit(survey, actor=survey.buyer, kind="ordering", is_shared=True)
    own = deposit(survey, actor=survey.buyer, kind="notice")
    neighbour = make_organisation(parent=survey.metropole)
    make_membership(survey.grouping, neighbour)
    readers = {
        survey.buyer: {evidence, shared, own},
        survey.agent: {evidence, shared},
        make_affiliation(neighbour, Role.MEMBER_AGENT): {shared},
        make_affiliation(make_organisation(parent=survey.metropole), Role.MEMBER_AGENT): set(),
    }
    for person, expected in readers.items():
        assert set(GroupingDocument.objects.visible_to(person)) == expected
        client.force_login(person.user)
        for document in (evidence, shared, own):
            response = client.get(reverse("grouping_file", args=[survey.grouping.pk, document.pk]))
            assert response.status_code == (200 if document in expected else 404)


def test_a_file_is_removed_by_who_may_deposit_it_until_the_launch(survey):
    evidence = deposit(survey)
    contract = deposit(survey, actor=survey.buyer, kind="contract")
    with pytest.raises(NotAllowed):
        grouping_file_remove(document=contract, actor=survey.agent)
    Grouping.objects.update(status="consultation", launched_on=in_days(0))
    launched = GroupingDocument.objects.select_related("grouping", "membership").get(pk=evidence.pk)
    with pytest.raises(BusinessError, match="ne changent plus"):
        grouping_file_remove(document=launched, actor=survey.agent)
    Grouping.objects.update(status="needs", launched_on=None)
    assert Membership.objects.filter(files=evidence).exists()
    grouping_file_remove(document=GroupingDocument.objects.get(pk=evidence.pk), actor=survey.agent)
    assert list(GroupingDocument.objects.all()) == [contract]
    assert JournalEntry.objects.get(verb="file.remove").before["sha256"] == evidence.sha256
