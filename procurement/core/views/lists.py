"""The shape of every list: filtered, sorted, paginated, in a page or in its fragment, and exported as it is shown.

The view says what is in it; these say how it is shown::

    table = BodyTable(filters.qs)
    if wants_export(request):
        require(affiliation, "export")
        return export_list(request, table, COLUMNS, title="Organismes", filename="organismes_2026-12-31")
    return render_list(request, table, filters, page="…/list.html", fragment="…/_results.html", context={…})
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_filters import FilterSet
from django_tables2 import RequestConfig, Table

from procurement.core.exports import Column, export_response

PAGE_SIZE = 25
EXPORTS = ("xlsx", "csv")


def wants_export(request: HttpRequest) -> bool:
    """Whether the address asks for a file (``?export=xlsx``) instead of the page."""
    return request.GET.get("export") in EXPORTS


def export_list(
    request: HttpRequest, table: Table, columns: Sequence[Column], *, title: str, filename: str
) -> HttpResponse:
    """Every row of ``table`` as a download, in the order on screen; the caller has asked for the right to export."""
    RequestConfig(request, paginate=False).configure(table)
    return export_response(
        request.GET["export"],
        columns,
        (row.record for row in table.rows),
        title=title,
        filename=filename,
        created_at=timezone.now(),
    )


def render_list(
    request: HttpRequest,
    table: Table,
    filters: FilterSet,
    *,
    page: str,
    fragment: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """The list in its ``page``, or the ``fragment`` alone for htmx.

    The templates know ``filter``, ``table``, ``count`` (rows of all pages), ``is_filtered``, and ``context``.
    """
    RequestConfig(request, paginate={"per_page": PAGE_SIZE, "silent": True}).configure(table)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    shown = {
        "filter": filters,
        "table": table,
        "count": table.paginator.count,
        "is_filtered": any(request.GET.get(name) for name in filters.filters),
    }
    response = render(request, fragment if is_fragment else page, shown | context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
