"""The directory: filtered, sorted, paginated, and exported as it is filtered and sorted."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from members.filters import OrganisationFilter
from members.roles import may, require
from members.tables import EXPORT_COLUMNS, OrganisationTable, organisation_rows
from procurement.core.views.lists import EXPORTS, export_list, render_list, wants_export


@require_safe
def organisation_list(request: HttpRequest) -> HttpResponse:
    """The list, its fragment for htmx, or its export (``?export=xlsx``): the same filters and order for the three."""
    affiliation, today = request.affiliation, timezone.localdate()
    filters = OrganisationFilter(request.GET, organisation_rows(affiliation, today))
    table = OrganisationTable(filters.qs, order_by="name")
    if wants_export(request):
        require(affiliation, "export")
        filename = f"organismes_{today:%Y-%m-%d}"
        return export_list(request, table, EXPORT_COLUMNS, title="Organismes membres", filename=filename)
    context = {
        "may_create": may(affiliation, "organisation.create"),
        "exports": EXPORTS if may(affiliation, "export") else (),
    }
    return render_list(
        request, table, filters, page="members/list.html", fragment="members/_results.html", context=context
    )
