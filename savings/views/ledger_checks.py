"""The coherence checks of a territory, on demand."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from savings.checks import Scope, check_ledger
from savings.views.lookup import require_coordination
from savings.views.navigation import savings_tabs

#: Findings shown per check; all are counted.
SHOWN = 100


@require_safe
def ledger_checks(request: HttpRequest) -> HttpResponse:
    """What is checked; with ``?lancer``, what each check finds now. Nothing is written."""
    require_coordination(request.affiliation)
    report = None
    if "lancer" in request.GET:
        report = check_ledger(Scope(request.affiliation.territory_id), keep=SHOWN)
    context = {
        "tabs": savings_tabs(request.affiliation, "ledger_checks"),
        "report": report,
        "checked_at": timezone.now(),
    }
    return render(request, "savings/ledger_checks.html", context)
