"""The form of one line of gain, by the buyer."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.price_file import decimals
from procurement.core.submission import posted, submit
from savings.actions.line import line_save
from savings.choices import GainStage
from savings.forms.line import LineForm, proposed
from savings.models import PriceLine
from savings.stages import consumed_by_year, notified_awards
from savings.views.common import find_baseline, find_for_entry, find_line


@require_http_methods(["GET", "HEAD", "POST"])
def line_create(request: HttpRequest, pk: int, baseline_pk: int, stage: str) -> HttpResponse:
    """A line of one reference at one stage, its boxes filled with what is known (``?annee=`` for a realised one)."""
    if stage.upper() not in GainStage.values:
        raise Http404
    baseline = find_baseline(request, find_for_entry(request, pk), baseline_pk)
    return _answer(request, PriceLine(baseline=baseline, stage=GainStage(stage.upper())))


@require_http_methods(["GET", "HEAD", "POST"])
def line_change(request: HttpRequest, pk: int, line_pk: int) -> HttpResponse:
    """Change a draft, or a line finance returned."""
    return _answer(request, find_line(request, find_for_entry(request, pk), line_pk))


def _answer(request: HttpRequest, line: PriceLine) -> HttpResponse:
    baseline = line.baseline
    award = notified_awards([baseline.lot_id]).get(baseline.lot_id)
    consumed = consumed_by_year(baseline) if line.stage == GainStage.REALISED else []
    initial = {} if line.pk else proposed(line, award, consumed, request.GET.get("annee", ""))
    form = LineForm(posted(request), instance=line, award=award, initial=initial, use_required_attribute=False)

    def write() -> None:
        line.version = form.version_read() or line.version
        line.price_obtained = form.cleaned_data["price_obtained"]
        line_save(line=line, actor=request.affiliation)

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Ligne enregistrée\u00a0: {baseline.designation}.")
        return redirect(f"{reverse('savings_entry', args=[baseline.lot.grouping_id])}#lot-{baseline.lot.number}")
    context = {
        "grouping": baseline.lot.grouping,
        "line": line,
        "baseline": baseline,
        "price": None if baseline.price_before is None else decimals(baseline.price_before),
        "award": award,
        "consumed": [(one, decimals(one.price)) for one in consumed],
        "is_proposed": bool(initial.get("price_obtained")) and not form.is_bound,
        "form": form,
        "now": timezone.now(),
    }
    return render(request, "savings/line_form.html", context, status=422 if form.is_bound else 200)
