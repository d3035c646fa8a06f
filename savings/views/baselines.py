"""The forms of one reference price, by the buyer."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.files import grouping_file_deposit
from groupings.models import GroupingDocument
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import PDF_MAX_BYTES
from savings.actions.baseline import (
    ENTERED,
    baseline_price_write,
    baseline_remove,
    baseline_replace,
    baseline_save,
)
from savings.forms.baseline import BaselineForm, MeanPriceForm, ReplacementForm
from savings.models import Baseline
from savings.rules.baseline import is_late
from savings.stages import deadlines
from savings.views.common import find_baseline, find_for_entry
from savings.views.entry import render_entry


@require_http_methods(["GET", "HEAD", "POST"])
def baseline_create(request: HttpRequest, pk: int, lot_pk: int, membership_pk: int) -> HttpResponse:
    """Another reference of one member on one lot."""
    grouping = find_for_entry(request, pk)
    lot = get_object_or_404(grouping.lots.all(), pk=lot_pk)
    membership = get_object_or_404(grouping.memberships.select_related("organisation"), pk=membership_pk)
    membership.grouping = lot.grouping = grouping
    baseline = Baseline(lot=lot, membership=membership)
    form = BaselineForm(posted(request), request.FILES or None, instance=baseline, use_required_attribute=False)
    return _save(request, baseline, form, title="Ajouter un prix de référence")


@require_http_methods(["GET", "HEAD", "POST"])
def baseline_change(request: HttpRequest, pk: int, baseline_pk: int) -> HttpResponse:
    """Change one that is not frozen."""
    baseline = find_baseline(request, find_for_entry(request, pk), baseline_pk)
    if baseline.is_frozen and request.method != "POST":
        return redirect("baseline_replace", pk, baseline_pk)
    form = BaselineForm(posted(request), request.FILES or None, instance=baseline, use_required_attribute=False)
    return _save(request, baseline, form, title="Modifier un prix de référence")


def _save(request: HttpRequest, baseline: Baseline, form: BaselineForm, *, title: str) -> HttpResponse:
    def write() -> None:
        baseline.version = form.version_read() or baseline.version
        _deposit(request, baseline, form)
        baseline_save(baseline=baseline, actor=request.affiliation, now=timezone.now())

    return _answer(request, baseline, form, write, title=title, told="enregistré")


@require_http_methods(["GET", "HEAD", "POST"])
def baseline_replacement(request: HttpRequest, pk: int, baseline_pk: int) -> HttpResponse:
    """Another one in place of a frozen one, which stays as it is."""
    old = find_baseline(request, find_for_entry(request, pk), baseline_pk)
    if not old.is_frozen and request.method != "POST":
        return redirect("baseline_change", pk, baseline_pk)
    kept = {name: getattr(old, name) for name in ENTERED}
    new = Baseline(lot=old.lot, membership=old.membership, **kept)
    form = ReplacementForm(posted(request), request.FILES or None, instance=new, use_required_attribute=False)
    form.fields["version"].initial = old.version

    def write() -> None:
        old.version = form.version_read() or old.version
        _deposit(request, new, form)
        baseline_replace(
            baseline=old,
            values={name: getattr(new, name) for name in ENTERED},
            reason=form.cleaned_data["reason"],
            actor=request.affiliation,
            now=timezone.now(),
        )

    return _answer(request, old, form, write, title="Remplacer un prix de référence", told="remplacé\u00a0: figez-le")


def _deposit(request: HttpRequest, baseline: Baseline, form: BaselineForm) -> None:
    """The file that came is the proof, instead of one chosen in the list."""
    upload = form.cleaned_data.get("evidence_file")
    if upload is None:
        return
    try:
        baseline.evidence = grouping_file_deposit(
            grouping=baseline.lot.grouping,
            lot=baseline.lot,
            membership=baseline.membership,
            content=upload.read(PDF_MAX_BYTES + 1),  # one byte too many is enough to refuse it
            filename=upload.name,
            kind=GroupingDocument.Kind.BASELINE_EVIDENCE,
            actor=request.affiliation,
        )
    except NotAllowed:
        raise
    except BusinessError as refusal:
        raise BusinessError(str(refusal), field="evidence_file") from refusal


def _answer(
    request: HttpRequest,
    baseline: Baseline,
    form: BaselineForm,
    write: Callable[[], None],
    *,
    title: str,
    told: str,
) -> HttpResponse:
    lot, grouping = baseline.lot, baseline.lot.grouping
    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Prix de référence {told}\u00a0: {form.cleaned_data['designation']}.")
        return redirect(f"{reverse('savings_entry', args=[grouping.pk])}#lot-{lot.number}")
    due_at = deadlines([lot.pk]).get(lot.pk)
    context = {
        "grouping": grouping,
        "lot": lot,
        "baseline": baseline,
        "form": form,
        "title": title,
        "due_at": due_at,
        "is_late": is_late(timezone.now(), due_at),
    }
    return render(request, "savings/baseline_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def baseline_price(request: HttpRequest, pk: int, baseline_pk: int) -> HttpResponse:
    """Write the mean of the offers, once."""
    grouping = find_for_entry(request, pk)
    baseline = find_baseline(request, grouping, baseline_pk)
    form = MeanPriceForm(posted(request), initial={"version": baseline.version}, use_required_attribute=False)

    def write() -> None:
        baseline.version = form.cleaned_data["version"] or baseline.version
        baseline_price_write(
            baseline=baseline,
            price=form.cleaned_data["price_before"],
            actor=request.affiliation,
            now=timezone.now(),
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Moyenne des offres enregistrée\u00a0: {baseline.designation}.")
        return redirect(f"{reverse('savings_entry', args=[pk])}#lot-{baseline.lot.number}")
    context = {"grouping": grouping, "baseline": baseline, "form": form}
    return render(request, "savings/mean_price.html", context, status=422 if form.is_bound else 200)


@posted_or_back("savings_entry", "pk")
def baseline_drop(request: HttpRequest, pk: int, baseline_pk: int) -> HttpResponse:
    """Take away one that is not frozen; gone already, it stays gone."""
    grouping = find_for_entry(request, pk)
    baseline = find_baseline(request, grouping, baseline_pk)
    try:
        baseline_remove(baseline=baseline, actor=request.affiliation)
    except NotAllowed:
        raise
    except BusinessError as refusal:
        return render_entry(request, grouping, refusal=str(refusal), status=422)
    messages.success(request, f"Prix de référence retiré\u00a0: {baseline.designation}.")
    return redirect(f"{reverse('savings_entry', args=[pk])}#lot-{baseline.lot.number}")
