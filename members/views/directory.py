"""The directory: filtered, sorted, paginated, and exported as it is filtered and sorted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from members.filters import OrganisationFilter
from members.roles import may, require
from members.tables import EXPORT_COLUMNS, OrganisationTable, organisation_rows
from procurement.core.exports import export_response

PAGE_SIZE = 25
EXPORTS = ("xlsx", "csv")


@require_safe
def organisation_list(request: HttpRequest) -> HttpResponse:
    """The list, its fragment for htmx, or its export (``?export=xlsx``): the same filters and order for the three."""
    affiliation, today = request.affiliation, timezone.localdate()
    filters = OrganisationFilter(request.GET, organisation_rows(affiliation, today))
    table = OrganisationTable(filters.qs, order_by="name")

    if request.GET.get("export") in EXPORTS:
        require(affiliation, "export")
        RequestConfig(request, paginate=False).configure(table)
        return export_response(
            request.GET["export"],
            EXPORT_COLUMNS,
            (row.record for row in table.rows),
            title="Organismes membres",
            filename=f"organismes_{today:%Y-%m-%d}",
            created_at=timezone.now(),
        )

    RequestConfig(request, paginate={"per_page": PAGE_SIZE, "silent": True}).configure(table)
    fragment = request.htmx and not request.htmx.history_restore_request
    response = render(
        request,
        "members/_results.html" if fragment else "members/list.html",
        {
            "filter": filters,
            "table": table,
            "count": table.paginator.count,
            "is_filtered": any(request.GET.get(name) for name in filters.filters),
            "may_create": may(affiliation, "organisation.create"),
            "exports": EXPORTS if may(affiliation, "export") else (),
        },
    )
    patch_vary_headers(response, ["HX-Request"])
    return response
