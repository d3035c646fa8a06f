"""Preparing the grouping that follows this one."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.renewal import RENEWABLE, Renewal, grouping_renew, renewal_under_way
from groupings.execution import contract_summaries
from groupings.forms.contract import RenewForm
from groupings.models import Grouping
from groupings.rules.renewal import next_reference, renewal_dates
from groupings.views.common import find_grouping, require_change
from procurement.core.calendar import add_months
from procurement.core.errors import BusinessError
from procurement.core.submission import posted, submit


def _end(request: HttpRequest, grouping: Grouping, today: date) -> date | None:
    """The first end to come of its contracts, extensions that may still be taken included; else the last one gone by,
    else the end that was planned."""
    ends = [contract.horizon for contract in contract_summaries(grouping, request.affiliation, today)]
    known = [on for on in ends if on is not None]
    if known:
        return min((on for on in known if on >= today), default=max(known))
    planned = grouping.performance_planned_on
    return add_months(planned, grouping.total_months) - timedelta(days=1) if planned else None


@require_http_methods(["GET", "HEAD", "POST"])
def grouping_renew_form(request: HttpRequest, pk: int) -> HttpResponse:
    """What the next grouping will be; a second click goes to the one already there."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    today = timezone.localdate()
    if grouping.is_declared_only or grouping.status not in RENEWABLE:
        raise BusinessError("Seul un groupement en exécution ou au bilan se renouvelle.")
    if request.method != "POST" and (known := renewal_under_way(grouping)):
        return _go(request, Renewal(known, is_new=False))
    taken = set(Grouping.objects.filter(coordinator=grouping.coordinator_id).values_list("reference", flat=True))
    ends_on = _end(request, grouping, today)
    initial = {
        "reference": next_reference(grouping.reference, today.year, taken),
        "title": grouping.title,
        "ends_on": ends_on,
    }
    form = RenewForm(posted(request), initial=initial, use_required_attribute=False)
    renewed: list[Renewal] = []

    def write() -> None:
        renewed.append(grouping_renew(grouping=grouping, actor=request.affiliation, today=today, **form.cleaned_data))

    if request.method == "POST" and submit(form, write):
        return _go(request, renewed[0])
    context = {
        "form": form,
        "grouping": grouping,
        "dates": renewal_dates(ends_on, today) if ends_on else None,
        "ends_on": ends_on,
        "lot_count": grouping.lots.count(),
        "member_count": grouping.memberships.active().count(),
    }
    return render(request, "groupings/renew.html", context, status=422 if form.is_bound else 200)


def _go(request: HttpRequest, renewal: Renewal) -> HttpResponse:
    reference = renewal.grouping.reference
    if renewal.is_new:
        messages.success(request, f"{reference} créé\u00a0: relisez ses dates, puis ouvrez le recensement des besoins.")
    else:
        messages.info(request, f"Le renouvellement est déjà en préparation\u00a0: {reference}.")
    return redirect("grouping_detail", renewal.grouping.pk)
