"""The log of mails, and reminding the members of a grouping now."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.reminders import reminders_ask
from groupings.mail_log import EXPORT_COLUMNS, MailFilter, MailTable, mail_rows
from groupings.views.common import find_grouping, require_change
from groupings.views.detail import render_page
from members.roles import may, require
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted_or_back
from procurement.core.views.lists import EXPORTS, export_list, render_list, wants_export


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    """The mails of the perimeter, or their export: who was written to, when, about what, and whether it left."""
    affiliation = request.affiliation
    filters = MailFilter(request.GET, mail_rows(affiliation), affiliation=affiliation)
    table = MailTable(filters.qs)
    if wants_export(request):
        require(affiliation, "export")
        filename = f"courriels_{timezone.localdate():%Y-%m-%d}"
        return export_list(request, table, EXPORT_COLUMNS, title="Courriels", filename=filename)
    context = {"exports": EXPORTS if may(affiliation, "export") else ()}
    return render_list(
        request,
        table,
        filters,
        page="groupings/mail_list.html",
        fragment="groupings/_mail_results.html",
        context=context,
    )


@posted_or_back("grouping_detail", "pk")
def reminders_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Remind now whoever has something to do; the page says how many mails leave, or why none does."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    try:
        sent = reminders_ask(
            grouping=grouping, actor=request.affiliation, today=timezone.localdate(), now=timezone.now()
        )
    except NotAllowed:
        raise
    except BusinessError as error:
        return render_page(request, grouping, status=422, reminder_error=error.message)
    messages.success(request, f"{sent} relance{'s' if sent > 1 else ''} confiée{'s' if sent > 1 else ''} à l’envoi.")
    return redirect("grouping_detail", pk)
