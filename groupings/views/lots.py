"""The lots of a grouping."""

from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from groupings.actions.grouping import lot_remove, lot_save
from groupings.forms.grouping import LotForm
from groupings.models import Lot
from groupings.views.common import find_grouping, require_change
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, submit


@require_http_methods(["GET", "HEAD", "POST"])
def lot_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A new lot, numbered after the last one unless the person says otherwise."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    last = grouping.lots.aggregate(last=Max("number"))["last"] or 0
    form = LotForm(
        posted(request),
        instance=Lot(grouping=grouping),
        initial={"number": last + 1},
        use_required_attribute=False,
    )
    return _edit(request, grouping, form, f"Ajouter un lot à {grouping.reference}", "Ajouter le lot")


@require_http_methods(["GET", "HEAD", "POST"])
def lot_change(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    lot = get_object_or_404(grouping.lots, pk=lot_pk)
    form = LotForm(posted(request), instance=lot, use_required_attribute=False)
    return _edit(request, grouping, form, f"Modifier le lot {lot.number} de {grouping.reference}", "Enregistrer")


def _edit(request: HttpRequest, grouping, form: LotForm, title: str, button: str) -> HttpResponse:
    if request.method == "POST" and submit(form, lambda: lot_save(lot=form.instance, actor=request.affiliation)):
        messages.success(request, f"{form.instance}\u00a0: enregistré.")
        return redirect(f"{reverse('grouping_detail', args=[grouping.pk])}#lots")
    here = "Modifier un lot" if form.instance.pk else "Ajouter un lot"
    context = {
        "form": form,
        "title": title,
        "here": here,
        "submit": button,
        "grouping": grouping,
        "back_anchor": "lots",
    }
    return render(request, "groupings/simple_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def lot_remove_confirm(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """Ask once, then remove; refused while a member needs it."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    lot = get_object_or_404(grouping.lots, pk=lot_pk)
    error = ""
    if request.method == "POST":
        try:
            lot_remove(lot=lot, actor=request.affiliation)
        except NotAllowed:
            raise
        except BusinessError as refusal:
            error = refusal.message
        else:
            messages.success(request, f"Le lot {lot.number} est retiré.")
            return redirect(f"{reverse('grouping_detail', args=[pk])}#lots")
    context = {"grouping": grouping, "lot": lot, "error": error}
    return render(request, "groupings/lot_remove.html", context, status=422 if error else 200)
