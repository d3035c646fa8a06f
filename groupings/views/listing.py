"""The groupings list: filtered, sorted, paginated, and exported as it is filtered and sorted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from groupings.filters import GroupingFilter, years_of
from groupings.models import Grouping
from groupings.tables import GroupingTable, export_columns, grouping_rows
from members.roles import may, require
from procurement.core.exports import export_response

PAGE_SIZE = 25
EXPORTS = ("xlsx", "csv")


@require_safe
def grouping_list(request: HttpRequest) -> HttpResponse:
    """The list, its fragment for htmx, or its export (``?export=xlsx``): the same filters and order for the three."""
    affiliation = request.affiliation
    own_amounts = affiliation is not None and not affiliation.sees_whole_territory
    today = timezone.localdate()
    years = years_of(Grouping.objects.visible_to(affiliation), today)
    filters = GroupingFilter(request.GET, grouping_rows(affiliation), years=years)
    coordinators = Grouping.objects.visible_to(affiliation).order_by().values("coordinator").distinct()[:2]
    # The same name on every line teaches nothing: the export keeps it.
    hidden = ("coordinator",) if len(coordinators) < 2 else ()
    table = GroupingTable(filters.qs, own_amounts=own_amounts, exclude=hidden)

    if request.GET.get("export") in EXPORTS:
        require(affiliation, "export")
        RequestConfig(request, paginate=False).configure(table)
        return export_response(
            request.GET["export"],
            export_columns(own_amounts=own_amounts),
            (row.record for row in table.rows),
            title="Groupements de commandes",
            filename=f"groupements_{today:%Y-%m-%d}",
            created_at=timezone.now(),
        )

    RequestConfig(request, paginate={"per_page": PAGE_SIZE, "silent": True}).configure(table)
    fragment = request.htmx and not request.htmx.history_restore_request
    response = render(
        request,
        "groupings/_results.html" if fragment else "groupings/list.html",
        {
            "filter": filters,
            "table": table,
            "count": table.paginator.count,
            "is_filtered": any(request.GET.get(name) for name in filters.filters),
            "may_create": not own_amounts and may(affiliation, "grouping.create"),
            "exports": EXPORTS if may(affiliation, "export") else (),
        },
    )
    patch_vary_headers(response, ["HX-Request"])
    return response
