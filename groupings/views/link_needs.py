"""The answer to the survey by a signed link: the same form and the same receipt as by an account, for one member."""

import uuid

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.links import LinkActor, closed_sentence, link_token, link_used
from groupings.models import GroupingDocument, SignedLink
from groupings.views.files import file_response
from groupings.views.links import POSTS_AN_HOUR, by_link, seconds_to_wait, too_many
from groupings.views.needs_answer import answer, receipt
from groupings.views.needs_page import Door, find_answering


def _door(link: SignedLink) -> Door:
    token = link_token(link)
    return Door(
        form=reverse("signed_link_needs", args=[token]),
        receipt=reverse("signed_link_receipt", args=[token]),
        back=reverse("signed_link", args=[token]),
        file=lambda document: reverse("signed_link_evidence", args=[token, document.pk]),
        is_link=True,
    )


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def signed_link_needs(request: HttpRequest, link: SignedLink) -> HttpResponse:
    """The form of needs of the link's own member."""
    if request.method == "POST" and (wait := seconds_to_wait(f"link:{link.pk}:{link.nonce}", POSTS_AN_HOUR)):
        return too_many(request, wait, link.membership)
    membership = find_answering(pk=link.membership_id)
    with transaction.atomic():  # a link closed meanwhile undoes the answer that came by it
        response = answer(request, membership, LinkActor(membership), _door(link))
        if request.method == "POST" and response.status_code == 302:
            link_used(link=link, now=timezone.now())
    return response


@by_link
@require_safe
def signed_link_receipt(request: HttpRequest, link: SignedLink) -> HttpResponse:
    """What the member sent, when, by whom: readable as long as the link is."""
    membership = find_answering(pk=link.membership_id)
    return receipt(request, membership, LinkActor(membership), _door(link))


@by_link
@require_safe
def signed_link_evidence(request: HttpRequest, link: SignedLink, document_pk: uuid.UUID) -> HttpResponse:
    """One piece of evidence of the member's own needs."""
    if closed_sentence(link.membership):
        raise Http404
    own = GroupingDocument.objects.filter(
        membership_id=link.membership_id, kind=GroupingDocument.Kind.NEED_EVIDENCE
    ).select_related("grouping")
    return file_response(get_object_or_404(own, pk=document_pk))
