"""Who signs for a body, and when its assembly meets."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from members.actions import representative_save, session_remove, session_save
from members.forms import RepresentativeForm, SessionForm
from members.models import CouncilSession, Organisation, Representative
from members.roles import require
from members.views.common import find_organisation
from members.views.organisations import render_page
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, submit


def _find_writable(request: HttpRequest, pk: int) -> Organisation:
    organisation = find_organisation(request, pk)
    require(request.affiliation, "organisation.change", organisation_id=pk)
    return organisation


def _edit(request: HttpRequest, form, write, organisation: Organisation, title: str, anchor: str) -> HttpResponse:
    if request.method == "POST" and submit(form, write):
        messages.success(request, f"{organisation.name}\u00a0: enregistré.")
        return redirect(f"{reverse('organisation_detail', args=[organisation.pk])}#{anchor}")
    context = {"form": form, "organisation": organisation, "title": title, "anchor": anchor}
    return render(request, "members/simple_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def representative_create(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = _find_writable(request, pk)
    return _representative(request, Representative(organisation=organisation), "Ajouter un représentant")


@require_http_methods(["GET", "HEAD", "POST"])
def representative_change(request: HttpRequest, pk: int, representative_pk: int) -> HttpResponse:
    organisation = _find_writable(request, pk)
    representative = get_object_or_404(organisation.representatives, pk=representative_pk)
    representative.organisation = organisation
    return _representative(request, representative, "Modifier un représentant")


def _representative(request: HttpRequest, representative: Representative, title: str) -> HttpResponse:
    form = RepresentativeForm(posted(request), instance=representative, use_required_attribute=False)
    return _edit(
        request,
        form,
        lambda: representative_save(representative=form.instance, actor=request.affiliation),
        representative.organisation,
        title,
        "representants",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def session_create(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = _find_writable(request, pk)
    return _session(request, CouncilSession(organisation=organisation), "Ajouter une séance")


@require_http_methods(["GET", "HEAD", "POST"])
def session_change(request: HttpRequest, pk: int, session_pk: int) -> HttpResponse:
    session = _find_session(request, _find_writable(request, pk), session_pk)
    return _session(request, session, f"Modifier la séance du {session.meeting_on:%d/%m/%Y}")


def _session(request: HttpRequest, session: CouncilSession, title: str) -> HttpResponse:
    form = SessionForm(posted(request), instance=session, use_required_attribute=False)
    return _edit(
        request,
        form,
        lambda: session_save(session=form.instance, actor=request.affiliation),
        session.organisation,
        title,
        "seances",
    )


@require_POST
def session_remove_view(request: HttpRequest, pk: int, session_pk: int) -> HttpResponse:
    """Take a meeting out of the calendar; refused, on the page, when a deliberation stands on its agenda."""
    organisation = _find_writable(request, pk)
    session = _find_session(request, organisation, session_pk)
    try:
        session_remove(session=session, actor=request.affiliation)
    except NotAllowed:
        raise
    except BusinessError as error:
        return render_page(request, organisation, refusal=error.message)
    messages.success(request, f"La séance du {session.meeting_on:%d/%m/%Y} est retirée.")
    return redirect(f"{reverse('organisation_detail', args=[pk])}#seances")


def _find_session(request: HttpRequest, organisation: Organisation, pk: int) -> CouncilSession:
    session = get_object_or_404(organisation.sessions, pk=pk)
    session.organisation = organisation
    return session
