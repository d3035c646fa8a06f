"""One's own calendar: its page, and the feed a calendar application subscribes to."""

import hashlib
import re

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.feeds import feed_open, feed_renew, feed_revoke
from groupings.exchange.ics import ICS_TYPE, write_calendar
from groupings.feeds import calendar_name, events_of, feed_url, find_feed
from groupings.models import CalendarFeed
from procurement.core.submission import posted, submit

_DONE = {
    "open": "Votre calendrier est ouvert\u00a0: copiez son adresse dans votre application.",
    "renew": "L’adresse a changé\u00a0: remplacez-la dans votre application, l’ancienne ne montre plus rien.",
    "revoke": "L’adresse est fermée\u00a0: elle ne montre plus rien à personne.",
}


class FeedForm(forms.Form):
    """Which of the three buttons was pressed."""

    action = forms.ChoiceField(
        choices=[(key, key) for key in _DONE],
        error_messages={
            "required": "Choisissez d’ouvrir l’adresse, de la changer ou de la fermer.",
            "invalid_choice": "Choisissez d’ouvrir l’adresse, de la changer ou de la fermer.",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def calendar_feed(request: HttpRequest) -> HttpResponse:
    """The secret address of one's calendar, and how to subscribe to it."""
    affiliation = request.affiliation
    form = FeedForm(posted(request))

    def write() -> None:
        action = form.cleaned_data["action"]
        if action == "open":
            feed_open(actor=affiliation)
        else:
            {"renew": feed_renew, "revoke": feed_revoke}[action](actor=affiliation, now=timezone.now())
        messages.success(request, _DONE[action])

    if request.method == "POST" and submit(form, write):
        return redirect("calendar_feed")
    feed = (
        CalendarFeed.objects.filter(affiliation=affiliation, revoked_at__isnull=True).first() if affiliation else None
    )
    address = feed_url(feed) if feed else ""
    context = {
        "feed": feed,
        "address": address,
        "subscription": re.sub(r"^https?:", "webcal:", address),
        "refusal": [error for errors in form.errors.values() for error in errors] if form.is_bound else [],
    }
    response = render(request, "groupings/feed.html", context, status=422 if form.is_bound else 200)
    patch_cache_control(response, no_store=True)  # the page shows the secret
    return response


@login_not_required
@require_safe
def calendar_ics(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar, for whoever holds its address; 404 as soon as the address is closed. Changes nothing."""
    feed = find_feed(token)
    if feed is None:
        raise Http404
    name = calendar_name(feed.affiliation)
    events = events_of(feed.affiliation, timezone.localdate())
    # Over what is told, and not over the bytes: these hold the instant they were made at.
    etag = f'"{hashlib.sha256(repr((name, events)).encode()).hexdigest()}"'
    response = HttpResponse(
        write_calendar(events, name=name, made_at=timezone.now()),
        content_type=ICS_TYPE,
        headers={
            "Content-Disposition": 'inline; filename="groupements.ics"',
            "ETag": etag,
            "X-Robots-Tag": "noindex, nofollow",
        },
    )
    patch_cache_control(response, private=True, no_cache=True)
    return get_conditional_response(request, etag=etag, response=response)
