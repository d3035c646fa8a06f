"""What a member keeps while it prepares its answer: exact texts, two people at once, evidence; never a neighbour's."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from groupings.actions.needs import Read
from groupings.actions.needs_draft import evidence_add, evidence_remove, needs_draft_discard, needs_draft_save
from groupings.models import Grouping, GroupingDocument, NeedsDraft, NeedsSubmission
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from tests.support.deliberations import make_pdf
from tests.support.factories import make_affiliation, make_membership, make_organisation
from tests.support.needs import in_days, make_survey

pytestmark = pytest.mark.django_db
NO_NEED = {"has_no_need": "on"}
INVOICE = make_pdf("Facture 2026-118")


@pytest.fixture
def survey(client):
    survey = make_survey()
    client.force_login(survey.agent.user)
    return survey


def photo() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(stream, "JPEG")
    return stream.getvalue()


def keep(survey, lines, read=None, actor=None):
    return needs_draft_save(
        membership=survey.membership, lines=lines, actor=actor or survey.agent, today=in_days(0), read=read
    )


def text(response) -> str:
    return response.content.decode()


def test_a_draft_keeps_the_exact_texts_right_or_wrong(client, survey):
    typed = {"yearly_amount": "douze mille", "quantity": "1 500", "contract_ends_on": "2027-06-30"}
    response = client.post(survey.url, survey.answer(typed, NO_NEED, action="draft"), follow=True)
    draft = NeedsDraft.objects.get()
    assert draft.lines["1"]["yearly_amount"] == "douze mille"
    assert draft.lines["2"]["has_no_need"] == "on"
    assert (draft.version, draft.saved_by) == (1, survey.agent.actor_label)
    page = text(response)
    assert 'value="douze mille"' in page
    assert 'value="2027-06-30"' in page
    assert 'id="form-errors"' not in page


def test_a_draft_counts_nowhere(survey):
    keep(survey, {"1": {"yearly_amount": "900"}})
    assert not survey.membership.needs.exists()
    assert survey.membership in survey.grouping.memberships.silent()


def test_the_same_draft_twice_is_one_and_a_box_that_did_not_come_keeps_its_text(survey):
    first = keep(survey, {"1": {"yearly_amount": "900", "unit": "rame"}}, Read(0, 0))
    assert keep(survey, {"1": {"yearly_amount": "900", "unit": "rame"}}, Read(0, 0)) == first
    assert keep(survey, {"1": {"yearly_amount": "901"}}, Read(1, 0)).version == 2
    assert NeedsDraft.objects.get().lines == {"1": {"yearly_amount": "901", "unit": "rame"}}


def test_what_is_not_a_box_of_a_lot_is_not_kept(survey):
    keep(survey, {"1": {"yearly_amount": "9" * 900, "password": "x"}, "77": {"yearly_amount": "1"}})
    assert NeedsDraft.objects.get().lines == {"1": {"yearly_amount": "9" * 500}}


def test_the_second_of_two_writers_is_told_and_loses_nothing(client, survey):
    colleague = Client()
    colleague.force_login(make_affiliation(survey.commune, Role.MEMBER_AGENT).user)
    colleague.post(survey.url, survey.answer({"yearly_amount": "100"}, {}, action="draft"))
    response = client.post(survey.url, survey.answer({"yearly_amount": "200"}, {}, action="draft"))
    assert response.status_code == 422
    page = text(response)
    assert "Le brouillon a été enregistré entre-temps par" in page
    assert 'value="200"' in page
    assert "Enregistré entre-temps\u00a0: 100." in page
    assert NeedsDraft.objects.get().lines["1"]["yearly_amount"] == "100"
    # Sent again knowingly, from what that page said, it is taken.
    again = response.context["form"]
    read = (int(again.data["version"]), int(again.data["number"]))
    assert client.post(survey.url, survey.answer({"yearly_amount": "200"}, {}, action="draft", read=read)).url == (
        survey.url
    )
    assert NeedsDraft.objects.get().lines["1"]["yearly_amount"] == "200"


def test_an_answer_sent_meanwhile_is_told_to_who_was_still_typing(client, survey):
    client.post(survey.url, survey.answer({"yearly_amount": "100"}, NO_NEED))
    response = client.post(survey.url, survey.answer({"yearly_amount": "300"}, NO_NEED))
    assert response.status_code == 422
    assert "La réponse n°\u00a01 a été transmise entre-temps" in text(response).replace("n° 1", "n°\u00a01")
    assert 'value="300"' in text(response)
    assert NeedsSubmission.objects.count() == 1
    assert client.post(survey.url, survey.answer({"yearly_amount": "100"}, NO_NEED)).url == survey.receipt_url
    assert NeedsSubmission.objects.count() == 1  # a double click


def test_a_draft_abandoned_by_the_other_is_told(survey):
    keep(survey, {"1": {"yearly_amount": "9"}})
    with pytest.raises(BusinessError, match="enregistré entre-temps"):
        needs_draft_discard(membership=survey.membership, actor=survey.agent, today=in_days(0), read=Read(0, 0))
    needs_draft_discard(membership=survey.membership, actor=survey.agent, today=in_days(0), read=Read(1, 0))
    with pytest.raises(BusinessError, match="abandonné entre-temps"):
        keep(survey, {"1": {"yearly_amount": "10"}}, Read(1, 0))


def test_the_evidence_is_kept_even_when_another_box_is_wrong(client, survey):
    first, second = survey.lots
    sent = survey.answer({"yearly_amount": "-3"}, NO_NEED)
    sent |= {f"file_{first.pk}": SimpleUploadedFile("Facture.pdf", INVOICE)}
    response = client.post(survey.url, sent)
    assert response.status_code == 422
    document = GroupingDocument.objects.get()
    assert (document.lot, document.membership, document.kind) == (first, survey.membership, "need_evidence")
    assert "Facture.pdf" in text(response)
    wrong = survey.answer({"yearly_amount": "3"}, NO_NEED, action="draft", read=(1, 0))
    wrong |= {f"file_{second.pk}": [SimpleUploadedFile("a.jpg", photo()), SimpleUploadedFile("b.exe", b"MZ nothing")]}
    refused = client.post(survey.url, wrong)
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == [f"file_{second.pk}"]
    assert "ni un PDF, ni une photo" in text(refused)
    assert sorted(GroupingDocument.objects.values_list("original_name", flat=True)) == ["Facture.pdf", "a.jpg"]
    assert NeedsDraft.objects.get().lines["1"]["yearly_amount"] == "3"


def test_the_evidence_is_handed_over_and_removed_without_losing_what_is_typed(client, survey):
    sent = survey.answer({"yearly_amount": "3"}, {}, action="draft")
    client.post(survey.url, sent | {f"file_{survey.lots[0].pk}": SimpleUploadedFile("F.pdf", INVOICE)})
    document = GroupingDocument.objects.get()
    address = reverse("grouping_file", args=[survey.grouping.pk, document.pk])
    assert address in text(client.get(survey.url))
    assert b"".join(client.get(address)) == INVOICE
    typed = survey.answer({"yearly_amount": "4"}, {}, action="", read=(1, 0)) | {"remove": str(document.pk)}
    page = text(client.post(survey.url, typed, follow=True))
    assert "Pièce retirée\u00a0: F.pdf." in page
    assert 'value="4"' in page
    assert not GroupingDocument.objects.exists()
    assert client.post(survey.url, typed | {"remove": "../../etc"}).status_code == 404


def test_nothing_is_kept_nor_removed_once_the_survey_is_closed(survey):
    document = evidence_add(
        membership=survey.membership, lot=survey.lots[0], content=INVOICE, filename="F.pdf", actor=survey.agent,
        today=in_days(0),
    )  # fmt: skip
    Grouping.objects.update(status="convention")
    common = {"membership": survey.membership, "actor": survey.agent, "today": in_days(0)}
    for write in (
        lambda: keep(survey, {"1": {"yearly_amount": "9"}}),
        lambda: needs_draft_discard(**common),
        lambda: evidence_add(lot=survey.lots[0], content=photo(), filename="a.jpg", **common),
        lambda: evidence_remove(document_id=document.pk, **common),
    ):
        with pytest.raises(BusinessError, match="Le recensement est clos"):
            write()
    assert GroupingDocument.objects.count() == 1


def test_a_neighbour_in_the_same_grouping_reads_nothing_of_it(client, survey):
    """Drafts, answers and evidence: the member's, and the coordinator's people's."""
    client.post(survey.url, survey.answer({"yearly_amount": "4321", "supplier": "Fournisseur discret"}, NO_NEED))
    sent = survey.answer({"yearly_amount": "8765"}, NO_NEED, action="draft", read=(0, 1))
    client.post(survey.url, sent | {f"file_{survey.lots[0].pk}": SimpleUploadedFile("Discrète.pdf", INVOICE)})
    document = GroupingDocument.objects.get()
    neighbour = make_organisation(parent=survey.metropole)
    own = make_membership(survey.grouping, neighbour)
    for role in (Role.MEMBER_AGENT, Role.BUYER, Role.READER):
        person = make_affiliation(neighbour, role)
        client.force_login(person.user)
        for model in (NeedsDraft, NeedsSubmission, GroupingDocument):
            assert not model.objects.visible_to(person).exists(), f"{model.__name__} {role}"
        assert client.get(survey.url).status_code == 403
        assert client.post(survey.url, survey.answer({}, {}, action="draft")).status_code == 403
        assert client.get(survey.receipt_url).status_code == 404
        assert client.get(reverse("grouping_file", args=[survey.grouping.pk, document.pk])).status_code == 404
        for url in ("/", reverse("grouping_detail", args=[survey.grouping.pk])):
            page = text(client.get(url))
            for secret in ("4\u202f321", "8\u202f765", "17\u202f284", "discret", "Discrète", "non transmis"):
                assert secret not in page, f"leaked to {role}: {secret}"
        with pytest.raises(NotAllowed):
            evidence_remove(membership=survey.membership, document_id=document.pk, actor=person, today=in_days(0))
    # Through one's own address, another's file is not found either.
    agent = own.organisation.affiliations.get(role=Role.MEMBER_AGENT)
    assert evidence_remove(membership=own, document_id=document.pk, actor=agent, today=in_days(0)) == ""
    assert GroupingDocument.objects.exists()
