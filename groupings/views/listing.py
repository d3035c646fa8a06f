"""The groupings list: filtered, sorted, paginated, and exported as it is filtered and sorted."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.filters import GroupingFilter, years_of
from groupings.models import Grouping
from groupings.tables import GroupingTable, export_columns, grouping_rows
from members.roles import may, require
from procurement.core.views.lists import EXPORTS, export_list, render_list, wants_export


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

    if wants_export(request):
        require(affiliation, "export")
        columns = export_columns(own_amounts=own_amounts)
        filename = f"groupements_{today:%Y-%m-%d}"
        return export_list(request, table, columns, title="Groupements de commandes", filename=filename)
    return render_list(
        request,
        table,
        filters,
        page="groupings/list.html",
        fragment="groupings/_results.html",
        context={
            "may_create": not own_amounts and may(affiliation, "grouping.create"),
            "may_publish": affiliation is not None and affiliation.sees_whole_territory,
            "exports": EXPORTS if may(affiliation, "export") else (),
        },
    )
