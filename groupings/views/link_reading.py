"""The convention read on screen by a signed link: the accessible form of the PDF that its kit holds."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from groupings.conventions import stored
from groupings.links import closed_sentence, link_token
from groupings.models import SignedLink
from groupings.views.links import by_link


@by_link
@require_safe
def signed_link_reading(request: HttpRequest, link: SignedLink) -> HttpResponse:
    """The text of the latest version for the link's own member; 404 when the tool did not write it."""
    membership = link.membership
    convention = membership.grouping.conventions.first()
    siren = membership.organisation.siren
    if closed_sentence(membership) or convention is None or not convention.is_generated:
        raise Http404
    if siren not in stored.party_sirens(convention):
        raise Http404
    context = {
        "grouping": membership.grouping,
        "convention": convention,
        "member": membership.organisation.name,
        "reading": stored.reading_of(convention, siren),
        "token": link_token(link),
    }
    return render(request, "groupings/link_reading.html", context)
