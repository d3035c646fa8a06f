"""The workbook of needs: sent out with the last figures, taken back with the checks of the form."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.needs_import import needs_import as import_file
from groupings.exchange.needs_workbook import COLUMNS, write_workbook
from groupings.forms.exchange import NeedsFileForm
from groupings.needs_prefill import workbook_rows
from groupings.views.common import find_grouping, may_change, may_change_needs, sees_all
from members.roles import require
from procurement.core.errors import NotAllowed
from procurement.core.exports import XLSX_TYPE, download_response
from procurement.core.imports import ImportRefused
from procurement.core.submission import posted

#: Lines in one file sent through the screen: a hundred members and ten lots, six seconds of writing (measured). The
#: command takes 20,000, without anybody waiting before a page.
MAX_LINES = 1_000
ERRORS_SHOWN = 200


@require_safe
def needs_workbook(request: HttpRequest, pk: int) -> HttpResponse:
    """Every active member for the coordinator's people, its own lines for a member's."""
    grouping = find_grouping(request, pk)
    require(request.affiliation, "export")
    memberships = grouping.memberships.active().select_related("organisation")
    if not sees_all(grouping, request.affiliation):
        memberships = memberships.filter(organisation_id=request.affiliation.organisation_id)
    rows = list(workbook_rows(grouping, list(memberships), request.affiliation))
    content = write_workbook(
        rows,
        reference=grouping.reference,
        title=grouping.title,
        months=grouping.total_months,
        units=list(dict.fromkeys(row.entry.unit for row in rows if row.entry.unit)),
    )
    return download_response(content, filename=f"besoins_{grouping.reference}.xlsx", content_type=XLSX_TYPE)


@require_http_methods(["GET", "HEAD", "POST"])
def needs_import(request: HttpRequest, pk: int) -> HttpResponse:
    """All the answers of one file, or none and every error told."""
    grouping = find_grouping(request, pk)
    affiliation = request.affiliation
    own_only = not may_change(grouping, affiliation)
    if own_only and not may_change_needs(grouping, affiliation.organisation_id, affiliation):
        raise NotAllowed("Votre rôle ne permet pas d’importer des besoins. Adressez-vous au coordonnateur.")
    form = NeedsFileForm(posted(request), request.FILES or None, use_required_attribute=False)
    errors = []
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            report = import_file(
                grouping=grouping,
                file=file,
                filename=file.name,
                actor=affiliation,
                now=timezone.now(),
                max_rows=MAX_LINES,
            )
        except ImportRefused as refused:
            errors = refused.errors
        else:
            messages.success(request, f"{report}.")
            return redirect("needs_table", pk)
    context = {
        "grouping": grouping,
        "form": form,
        "errors": errors[:ERRORS_SHOWN],
        "error_count": len(errors),
        "own_only": own_only,
        "columns": [column.label for column in COLUMNS],
    }
    return render(request, "groupings/needs_import.html", context, status=422 if form.is_bound else 200)
