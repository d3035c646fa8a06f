"""The needs by a signed link: the same form, the same receipt, for one member and without an account."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from groupings.links import link_open, link_revoke, link_token
from groupings.models import Grouping, GroupingDocument, NeedsDraft, NeedsSubmission, SignedLink
from groupings.views import links as link_views
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import make_pdf
from tests.support.needs import in_days, make_survey, open_campaign

pytestmark = pytest.mark.django_db
NO_NEED = {"has_no_need": "on"}


@pytest.fixture
def survey():
    return make_survey()


@pytest.fixture
def token(survey) -> str:
    return link_token(link_open(membership=survey.membership, actor=survey.buyer, now=timezone.now()))


def address(name: str, token: str, *more) -> str:
    return reverse(name, args=[token, *more])


def text(response) -> str:
    return response.content.decode()


def test_while_the_survey_is_open_the_needs_come_first(client, survey, token):
    page = text(client.get(address("signed_link", token)))
    assert page.index("Indiquer vos besoins") < page.index("À faire")
    assert address("signed_link_needs", token) in page
    client.post(address("signed_link_needs", token), survey.answer({"quantity": "2"}, {}, action="draft"))
    page = text(client.get(address("signed_link", token)))
    assert "Brouillon, non transmis" in page
    assert "Reprendre mon brouillon" in page
    Grouping.objects.update(status="convention")
    assert "Indiquer vos besoins" not in text(client.get(address("signed_link", token)))


def test_the_answer_its_evidence_and_its_receipt_without_an_account(client, survey, token):
    form = address("signed_link_needs", token)
    sent = survey.answer({"yearly_amount": "1 234,56"}, NO_NEED)
    sent |= {f"file_{survey.lots[0].pk}": SimpleUploadedFile("Facture.pdf", make_pdf("Facture"))}
    response = client.post(form, sent, follow=True)
    assert response.redirect_chain == [(address("signed_link_receipt", token), 302)]
    submission = NeedsSubmission.objects.get()
    assert submission.submitted_by == "Lien de réponse – Saussan"
    assert submission.sha256 in text(response)
    for page in (response, client.get(form)):
        assert page["Referrer-Policy"] == "same-origin"
        assert page["Cache-Control"] == "no-store"
        assert "noindex" in page["X-Robots-Tag"]
    document = GroupingDocument.objects.get()
    assert address("signed_link_evidence", token, document.pk) in text(client.get(form))
    assert client.get(address("signed_link_evidence", token, document.pk)).status_code == 200
    assert SignedLink.objects.get().last_used_at is not None
    assert JournalEntry.objects.filter(verb="link.use").count() == 1
    page = text(client.get(address("signed_link", token)))
    assert "Besoins transmis" in page
    assert "Voir le reçu" in page


def test_a_refused_answer_leaves_no_trace_of_use_and_keeps_the_input(client, survey, token):
    response = client.post(address("signed_link_needs", token), survey.answer({"yearly_amount": "-4"}, NO_NEED))
    assert response.status_code == 422
    assert 'value="-4"' in text(response)
    assert NeedsDraft.objects.get().lines["1"]["yearly_amount"] == "-4"
    assert SignedLink.objects.get().last_used_at is None


def test_the_evidence_of_another_member_is_not_found(client, survey, token):
    foreign = GroupingDocument(
        grouping=survey.grouping,
        membership=survey.own,
        lot=survey.lots[0],
        kind="need_evidence",
        extension="pdf",
        original_name="Autre.pdf",
        sha256="0" * 64,
        size=1,
        deposited_by="Essai",
    )
    foreign.save()
    assert client.get(address("signed_link_evidence", token, foreign.pk)).status_code == 404
    sent = survey.answer({"yearly_amount": "5"}, {}, action="") | {"remove": str(foreign.pk)}
    client.post(address("signed_link_needs", token), sent)
    assert GroupingDocument.objects.filter(pk=foreign.pk).exists()


def test_a_revoked_link_opens_nothing_of_the_needs(client, survey, token):
    link_revoke(link=SignedLink.objects.get(), actor=survey.buyer, now=timezone.now())
    for name in ("signed_link_needs", "signed_link_receipt"):
        assert client.get(address(name, token)).status_code == 410
    assert client.post(address("signed_link_needs", token), survey.answer(NO_NEED, NO_NEED)).status_code == 410
    assert not NeedsSubmission.objects.exists()


def test_the_receipt_outlives_the_survey_and_the_form_says_whom_to_call(client, survey, token):
    client.post(address("signed_link_needs", token), survey.answer({"yearly_amount": "5"}, NO_NEED))
    Grouping.objects.update(status="convention")
    page = text(client.get(address("signed_link_needs", token)))
    assert "Le recensement est clos" in page
    assert survey.buyer.user.email in page
    receipt = text(client.get(address("signed_link_receipt", token)))
    assert "20,00\u00a0€" in receipt
    assert "Modifier ma réponse" not in receipt


def test_before_the_first_day_the_card_is_not_shown(client, survey, token):
    open_campaign(survey, opens_on=in_days(4))
    assert "Indiquer vos besoins" not in text(client.get(address("signed_link", token)))
    assert "Le recensement ouvre le" in text(client.get(address("signed_link_needs", token)))


def test_too_many_answers_in_an_hour_wait(client, survey, token, monkeypatch):
    monkeypatch.setattr("groupings.views.link_needs.POSTS_AN_HOUR", 1)
    sent = survey.answer({"yearly_amount": "5"}, NO_NEED, action="draft")
    assert client.post(address("signed_link_needs", token), sent).status_code == 302
    assert client.post(address("signed_link_needs", token), sent).status_code == 429
    assert link_views.POSTS_AN_HOUR > 1


def test_few_queries(client, survey, token, django_assert_max_num_queries):
    for name in ("signed_link_needs", "signed_link"):
        with django_assert_max_num_queries(12):
            client.get(address(name, token))
