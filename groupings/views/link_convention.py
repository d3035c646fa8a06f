"""The remarks of a member by its signed link: the same page of articles as with an account, for one member."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.conventions import stored
from groupings.links import LinkActor, closed_sentence, link_token, link_used
from groupings.models import SignedLink
from groupings.views.convention_page import anchor_of, comment_form, write_comment
from groupings.views.convention_page_data import Page
from groupings.views.links import POSTS_AN_HOUR, by_link, contact_of, seconds_to_wait, too_many
from procurement.core.errors import BusinessError
from procurement.core.submission import submit


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def signed_link_convention(request: HttpRequest, link: SignedLink) -> HttpResponse:
    """The articles and what the members say of them; a POST keeps one remark of the link's own member."""
    if request.method == "POST" and (wait := seconds_to_wait(f"link:{link.pk}:{link.nonce}", POSTS_AN_HOUR)):
        return too_many(request, wait, link.membership)
    if refusal := closed_sentence(link.membership):
        raise BusinessError(refusal)
    page = _page(link)
    if request.method != "POST":
        return _render(request, link, page)
    form, done = comment_form(request), []

    def write() -> None:
        with transaction.atomic():
            link_used(link=link, now=timezone.now())
            done.append(write_comment(page, form))

    if submit(form, write):
        messages.success(request, "Merci, votre remarque est enregistrée.")
        return redirect(_here(link) + anchor_of(done[0]))
    return _render(request, link, _page(link, refused=form), status=422)


def _page(link: SignedLink, *, refused=None) -> Page:
    page = Page(link.membership.grouping, LinkActor(link.membership), timezone.localdate(), refused=refused)
    if page.current is None:
        raise Http404
    return page


def _here(link: SignedLink) -> str:
    return reverse("signed_link_convention", args=[link_token(link)])


def _render(request: HttpRequest, link: SignedLink, page: Page, *, status: int = 200) -> HttpResponse:
    context = {
        "page": page,
        "grouping": page.grouping,
        "convention": page.current,
        "organisation": link.membership.organisation,
        "token": link_token(link),
        "may_read": page.current.is_generated
        and link.membership.organisation.siren in stored.party_sirens(page.current),
        "comment_url": _here(link),
        "contact": contact_of(page.grouping),
        "refused": page.refused,
    }
    return render(request, "groupings/link_convention.html", context, status=status)
