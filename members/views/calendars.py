"""The council calendars of the whole territory: read by all, entered by one person line by line or from a file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from members import session_imports
from members.actions import session_bodies, session_save
from members.calendars import EXPORT_COLUMNS, TEMPLATE_COLUMNS, CalendarFilter, CalendarTable, calendar_rows
from members.forms import SessionEntryForm, SessionImportForm
from members.models import CouncilSession, Organisation
from members.roles import may, require
from procurement.core.exports import export_response
from procurement.core.imports import ImportRefused
from procurement.core.submission import posted, submit
from procurement.core.views.lists import EXPORTS, export_list, render_list, wants_export


@require_http_methods(["GET", "HEAD", "POST"])
def session_calendar(request: HttpRequest) -> HttpResponse:
    """Every coming session, its fragment for htmx, or its export; a line entered comes back here, filters kept.

    ``?pour=`` chooses the body in the entry form.
    """
    affiliation, today = request.affiliation, timezone.localdate()
    form = _entry_form(request)
    if request.method == "POST":
        _require_writer(request)
        if submit(form, lambda: session_save(session=form.instance, actor=affiliation)):
            return _entered(request, form.instance, is_past=form.instance.meeting_on < today)

    bodies = list(Organisation.objects.visible_to(affiliation).values_list("pk", "name"))
    filters = CalendarFilter(request.GET, calendar_rows(affiliation, today), bodies=bodies)
    writable = frozenset(session_bodies(affiliation).values_list("pk", flat=True))
    table = CalendarTable(filters.qs, writable=writable)
    if wants_export(request):
        require(affiliation, "export")
        filename = f"seances_{today:%Y-%m-%d}"
        return export_list(request, table, EXPORT_COLUMNS, title="Séances à venir", filename=filename)
    context = {
        "form": form,
        "may_write": bool(writable),
        "unknown": filters.qs.filter(session_pk=None).count(),
        "exports": EXPORTS if may(affiliation, "export") else (),
    }
    return render_list(
        request,
        table,
        filters,
        page="members/session_calendar.html",
        fragment="members/session_results.html",
        context=context,
        status=422 if form.is_bound else 200,
    )


def _require_writer(request: HttpRequest) -> None:
    """Raise NotAllowed unless the person may write a calendar: its own body's at least."""
    own = request.affiliation.organisation_id if request.affiliation else None
    require(request.affiliation, "organisation.change", organisation_id=own)


def _entry_form(request: HttpRequest) -> SessionEntryForm:
    asked = request.GET.get("pour", "")
    body = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    affiliation = request.affiliation
    if body is None and affiliation and not affiliation.sees_whole_territory:
        body = affiliation.organisation_id  # a secretary enters its own calendar
    form = SessionEntryForm(
        posted(request),
        instance=CouncilSession(),
        affiliation=request.affiliation,
        initial={"organisation": body},
        use_required_attribute=False,
    )
    if asked:
        form.fields["meeting_on"].widget.attrs["autofocus"] = True
    return form


def _entered(request: HttpRequest, session: CouncilSession, *, is_past: bool) -> HttpResponse:
    """Back to the same lines, the body still chosen: the next date is often its own."""
    sentence = f"{session.organisation.name}\u00a0: séance du {session.meeting_on:%d/%m/%Y} enregistrée."
    if is_past:
        sentence += " Elle est passée\u00a0: vous la retrouvez sur la fiche de l’organisme."
    messages.success(request, sentence)
    query = request.GET.copy()
    query["pour"] = str(session.organisation_id)
    return redirect(f"{request.path}?{query.urlencode()}")


@require_http_methods(["GET", "HEAD", "POST"])
def sessions_import(request: HttpRequest) -> HttpResponse:
    """Many sessions from one file: all of them, or none and every error told."""
    _require_writer(request)
    form = SessionImportForm(posted(request), request.FILES or None, use_required_attribute=False)
    errors = []
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            report = session_imports.import_sessions(file, file.name, actor=request.affiliation)
        except ImportRefused as refused:
            errors = refused.errors
        else:
            messages.success(request, f"{report}.")
            return redirect("session_calendar")
    context = {"form": form, "errors": errors, "own_only": not may(request.affiliation, "organisation.change")}
    return render(request, "members/session_import.html", context, status=422 if form.is_bound else 200)


@require_safe
def sessions_template(request: HttpRequest) -> HttpResponse:
    """The file to fill in: one line per body the person may write, in csv or (``?export=xlsx``) in xlsx."""
    _require_writer(request)
    return export_response(
        "xlsx" if request.GET.get("export") == "xlsx" else "csv",
        TEMPLATE_COLUMNS,
        session_bodies(request.affiliation),
        title="Séances",
        filename="seances_modele",
    )
