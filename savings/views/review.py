"""What waits for finance, and its decisions: line by line, or several at once."""

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from members.roles import may, require
from procurement.core.errors import NotAllowed
from procurement.core.submission import posted_or_back, submit
from savings.actions.review import Outcome, line_decide, lines_validate
from savings.forms.review import DecisionForm
from savings.models import PriceLine
from savings.review_queue import QueueFilter, by_lot, queue_rows, waiting
from savings.views.line import render_line
from savings.views.lookup import find_line
from savings.views.navigation import savings_tabs

PAGE_SIZE = 50
#: What a box sends (``QueueRow.key``): the number of the line, and the version that was read.
_KEY = re.compile(r"(\d{1,18}):(\d{1,9})", re.ASCII)
_DONE = {
    "validate": "Ligne validée\u00a0: son gain est inscrit au registre.",
    "return": "Ligne renvoyée à l’acheteur.",
    "reject": "Ligne rejetée.",
}


def _may_validate(affiliation) -> bool:
    """Finance of the territory, or of a body for the groupings it coordinates itself."""
    return affiliation is not None and may(affiliation, "savings.validate", organisation_id=affiliation.organisation_id)


@require_http_methods(["GET", "HEAD", "POST"])
def review_queue(request: HttpRequest) -> HttpResponse:
    """The lines that wait, by lot; posted, those whose box is checked are validated, each for itself."""
    affiliation = request.affiliation
    if not _may_validate(affiliation) and not (affiliation and affiliation.sees_whole_territory):
        raise NotAllowed("La validation est l’affaire des finances du coordonnateur.")
    if request.method == "POST":
        require(affiliation, "savings.validate", organisation_id=affiliation.organisation_id)
        return _validate(request)
    return _render_queue(request)


def _validate(request: HttpRequest) -> HttpResponse:
    keys = [found.groups() for key in request.POST.getlist("line") if (found := _KEY.fullmatch(key))]
    versions = {int(pk): int(version) for pk, version in keys}
    if not versions:
        return _render_queue(request, error="Cochez au moins une ligne à valider.", status=422)
    lines = list(PriceLine.objects.visible_to(request.affiliation).filter(pk__in=versions).select_related(*_FOUND))
    if not lines:
        return _render_queue(request, error="Ces lignes n’attendent plus de décision.", status=422)
    for line in lines:
        line.version = versions[line.pk]
    outcomes = lines_validate(lines=lines, actor=request.affiliation, now=timezone.now())
    done = sum(not outcome.refusal for outcome in outcomes)
    if done:
        s = "s" if done > 1 else ""
        messages.success(request, f"{done} ligne{s} validée{s}\u00a0: le gain est inscrit au registre.")
    refused = [outcome for outcome in outcomes if outcome.refusal]
    if refused:
        return _render_queue(request, refused=refused, status=422)
    return redirect("review_queue")


_FOUND = ("baseline__lot", "baseline__membership__grouping__coordinator", "baseline__membership__organisation")


def _render_queue(
    request: HttpRequest, *, error: str = "", refused: list[Outcome] | tuple = (), status: int = 200
) -> HttpResponse:
    filters = QueueFilter(request.GET, waiting(request.affiliation))
    page = Paginator(by_lot(filters.qs), PAGE_SIZE).get_page(request.GET.get("page"))
    may_validate = _may_validate(request.affiliation)
    lots = queue_rows(list(page.object_list), request.affiliation, may_validate=may_validate)
    context = {
        "tabs": savings_tabs(request.affiliation, "review_queue"),
        "filter": filters,
        "is_filtered": any(request.GET.get(name) for name in filters.filters),
        "page": page,
        "count": page.paginator.count,
        "lots": lots,
        "may_validate": may_validate,
        "some_open": may_validate and any(not row.blocked for lot in lots for row in lot.rows),
        "error": error,
        "refused": refused,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "savings/_queue_results.html" if is_fragment else "savings/review_queue.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@posted_or_back("savings_line", "pk")
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Validate, return or reject one line; refused, its page says why."""
    line = find_line(request, pk)
    require(
        request.affiliation,
        "savings.validate",
        organisation_id=line.baseline.membership.grouping.coordinator_id,
    )
    form = DecisionForm(request.POST, use_required_attribute=False)

    def write() -> None:
        line.version = form.cleaned_data["version"]
        line_decide(
            line=line,
            step=form.cleaned_data["step"],
            reason=form.cleaned_data["reason"],
            actor=request.affiliation,
            now=timezone.now(),
        )

    if submit(form, write):
        messages.success(request, _DONE[form.cleaned_data["step"]])
        return redirect("savings_line", pk)
    return render_line(request, find_line(request, pk), form=form, status=422)
