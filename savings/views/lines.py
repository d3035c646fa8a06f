"""Every line of the ledger: filtered, sorted, exported as shown. Each total of the first page opens here."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from members.roles import may, require
from procurement.core.views.lists import EXPORTS, export_list, render_list, wants_export
from savings.ledger import totals
from savings.lines import LINE_COLUMNS, LineFilter, LineTable, line_rows
from savings.models import LedgerEntry
from savings.views.navigation import savings_tabs
from savings.views.reading import require_affiliation


@require_safe
def savings_lines(request: HttpRequest) -> HttpResponse:
    """The list; a member reads its own lines, once validated. A total is shown for one year and one stage only."""
    affiliation = require_affiliation(request)
    filters = LineFilter(request.GET, line_rows(affiliation), affiliation=affiliation)
    rows = filters.qs
    hidden = ("budget_gain", "purchase_gain") if filters.year else ("counted_budget", "counted_purchase")
    table = LineTable(rows, exclude=hidden)
    if wants_export(request):
        require(affiliation, "export")
        filename = f"economies_lignes_{timezone.localdate():%Y-%m-%d}"
        return export_list(request, table, LINE_COLUMNS, title="Lignes de gain", filename=filename)
    total = None
    if filters.year and filters.is_one_stage:
        entries = LedgerEntry.objects.visible_to(affiliation).filter(year=filters.year)
        total = totals(entries.filter(line__in=rows.order_by().values("pk")))
    return render_list(
        request,
        table,
        filters,
        page="savings/lines.html",
        fragment="savings/_lines_results.html",
        context={
            "tabs": savings_tabs(affiliation, "savings_lines"),
            "exports": EXPORTS if may(affiliation, "export") else (),
            "total": total,
            "year": filters.year,
        },
    )
