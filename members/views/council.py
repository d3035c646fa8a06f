"""Who signs for a body, and when its assembly meets."""

from datetime import date

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
    session = CouncilSession(organisation=organisation)
    form = SessionForm(posted(request), instance=session, use_required_attribute=False)
    return _edit(
        request,
        form,
        lambda: session_save(session=form.instance, actor=request.affiliation),
        organisation,
        "Ajouter une séance",
        "seances",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def session_change(request: HttpRequest, pk: int, session_pk: int) -> HttpResponse:
    """A session again; when somebody saved another meanwhile, both values are shown and nothing is written."""
    organisation = _find_writable(request, pk)
    session = _find_session(request, organisation, session_pk)
    title = f"Modifier la séance du {session.meeting_on:%d/%m/%Y}"
    form = SessionForm(posted(request), instance=session, use_required_attribute=False)
    saved = form.is_bound and submit(
        form,
        lambda: session_save(session=form.instance, actor=request.affiliation, expected_version=_version_read(form)),
    )
    if saved:
        messages.success(request, f"{organisation.name}\u00a0: séance du {session.meeting_on:%d/%m/%Y} enregistrée.")
        return redirect(f"{reverse('organisation_detail', args=[pk])}#seances")
    context = {
        "form": form,
        "organisation": organisation,
        "title": title,
        "conflicts": _conflicts(form, _find_session(request, organisation, session_pk)) if form.is_bound else [],
    }
    return render(request, "members/session_form.html", context, status=422 if form.is_bound else 200)


def _version_read(form: SessionForm) -> int:
    """The version the person was reading; 0, which no session has, when the box is missing."""
    return form.cleaned_data.get("version") or 0


def _conflicts(form: SessionForm, stored: CouncilSession) -> list[dict]:
    """When somebody else saved the session meanwhile: field by field, what is stored now where it differs.

    The form then carries the new version, so that saving again is a decision taken knowingly.
    """
    if stored.version == _version_read(form):
        return []
    now = SessionForm(instance=stored)
    data = form.data.copy()
    data["version"] = str(stored.version)
    form.data = data
    return [
        {"label": field.label, "id": form[name].id_for_label, "stored": _shown(now[name].value())}
        for name, field in now.fields.items()
        if name != "version" and field.has_changed(now[name].initial, form[name].data)
    ]


def _shown(value: date | bool | str | None) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else value or "vide"


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
