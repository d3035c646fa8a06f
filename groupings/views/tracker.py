"""The tracker: members × groupings, filtered, on screen, in a spreadsheet and on paper: the same cells for all."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from groupings.tracker import EXPECTED_LATE_BADGE, SIGNED_BADGE, Matrix, build, followed_groupings
from groupings.tracker_filters import TrackerFilter
from groupings.tracker_print import EXPORT_COLUMNS, render_pdf
from members.roles import may, require
from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError
from procurement.core.exports import download_response, export_response
from procurement.core.views.lists import EXPORTS, wants_export

PDF = "pdf"


@require_safe
def deliberation_list(request: HttpRequest) -> HttpResponse:
    """The matrix, its fragment for htmx, its export (``?export=xlsx``) or its PDF (``?export=pdf``)."""
    affiliation, today = request.affiliation, timezone.localdate()
    groupings = followed_groupings(affiliation)
    form = TrackerFilter(request.GET, groupings=groupings, today=today)
    matrix = build(affiliation, today, form.filters, groupings=groupings)
    if wants_export(request) or request.GET.get("export") == PDF:
        require(affiliation, "export")
        return _download(request, matrix, form, today)

    fragment = request.htmx and not request.htmx.history_restore_request
    response = render(
        request,
        "groupings/_tracker_matrix.html" if fragment else "groupings/tracker.html",
        {
            "form": form,
            "matrix": matrix,
            "expected_late_badge": EXPECTED_LATE_BADGE,
            "signed_badge": SIGNED_BADGE,
            "may_exchange": affiliation is not None
            and may(affiliation, "deliberation.change", organisation_id=affiliation.organisation_id),
            "is_member": affiliation is not None and not affiliation.sees_whole_territory,
            "may_create": may(affiliation, "grouping.create") and affiliation.sees_whole_territory,
            "exports": (*EXPORTS, PDF) if may(affiliation, "export") else (),
        },
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def _download(request: HttpRequest, matrix: Matrix, form: TrackerFilter, today: date) -> HttpResponse:
    filename = f"deliberations_{today:%Y-%m-%d}"
    now = timezone.now()
    if request.GET["export"] == PDF:
        try:
            content = render_pdf(matrix, form.in_words, body=request.affiliation.organisation.name, issued_at=now)
        except PdfError:
            raise BusinessError(
                "Ce tableau ne tient pas dans un PDF\u00a0: réduisez-le par les filtres, ou exportez-le en Excel."
            ) from None
        return download_response(content, filename=f"{filename}.pdf", content_type="application/pdf")
    return export_response(
        request.GET["export"],
        EXPORT_COLUMNS,
        matrix.cells(),
        title="Délibérations des membres",
        filename=filename,
        created_at=now,
    )
