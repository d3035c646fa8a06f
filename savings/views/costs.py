"""What stands beside the gains of one grouping: its coordination costs, and buying outside its contracts."""

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.models import Grouping
from groupings.views.common import find_grouping, sees_all
from members.roles import may
from procurement.core.errors import NotAllowed
from procurement.core.money import ZERO
from procurement.core.submission import posted, submit
from savings.actions.costs import cost_remove as remove_cost
from savings.actions.costs import cost_save, off_contract_save, require_enter
from savings.actions.costs import off_contract_remove as remove_off_contract
from savings.forms.costs import CoordinationCostForm, OffContractForm
from savings.models import CoordinationCost, OffContractSpend

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
def savings_costs(request: HttpRequest, pk: int) -> HttpResponse:
    """Year by year. A member reads what it bought elsewhere itself; the costs are the coordinator's own."""
    grouping = find_grouping(request, pk)
    everything = sees_all(grouping, request.affiliation)
    costs = CoordinationCost.objects.visible_to(request.affiliation).filter(grouping=grouping) if everything else []
    spends = OffContractSpend.objects.visible_to(request.affiliation).filter(lot__grouping=grouping)
    spends = spends.select_related("lot", "membership__organisation")
    years: dict[int, dict] = {}
    for kind, rows in (("costs", costs), ("spends", spends)):
        for row in rows:
            of_year = years.setdefault(row.year, {"costs": [], "spends": [], "cost": ZERO, "spend": ZERO})
            of_year[kind].append(row)
            of_year[kind.removesuffix("s")] += row.amount_excl_tax.amount
    context = {
        "grouping": grouping,
        "years": sorted(years.items(), reverse=True),
        "sees_all": everything,
        "may_enter": everything and may(request.affiliation, "savings.enter", organisation_id=grouping.coordinator_id),
    }
    return render(request, "savings/costs.html", context)


def _find(request: HttpRequest, pk: int) -> Grouping:
    grouping = find_grouping(request, pk)
    if not sees_all(grouping, request.affiliation):
        raise NotAllowed("Ces montants sont saisis par le coordonnateur du groupement.")
    require_enter(grouping, request.affiliation)
    return grouping


def _cost(grouping: Grouping, affiliation, cost_pk: int) -> CoordinationCost:
    found = CoordinationCost.objects.visible_to(affiliation).filter(grouping=grouping)
    cost = get_object_or_404(found, pk=cost_pk)
    cost.grouping = grouping
    return cost


def _spend(grouping: Grouping, affiliation, spend_pk: int) -> OffContractSpend:
    found = OffContractSpend.objects.visible_to(affiliation).filter(lot__grouping=grouping)
    spend = get_object_or_404(found.select_related("lot", "membership__organisation"), pk=spend_pk)
    spend.lot.grouping = grouping
    return spend


@require_http_methods(FORM_METHODS)
def cost_create(request: HttpRequest, pk: int) -> HttpResponse:
    grouping = _find(request, pk)
    form = CoordinationCostForm(
        posted(request), initial={"year": timezone.localdate().year}, use_required_attribute=False
    )
    cost = CoordinationCost(grouping=grouping)
    return _edit(request, grouping, form, lambda: _save_cost(form, cost, request), "Ajouter un coût de coordination")


@require_http_methods(FORM_METHODS)
def cost_change(request: HttpRequest, pk: int, cost_pk: int) -> HttpResponse:
    grouping = _find(request, pk)
    cost = _cost(grouping, request.affiliation, cost_pk)
    form = CoordinationCostForm(
        posted(request), initial=CoordinationCostForm.initial_of(cost), use_required_attribute=False
    )
    return _edit(request, grouping, form, lambda: _save_cost(form, cost, request), "Modifier un coût de coordination")


@require_http_methods(FORM_METHODS)
def cost_remove(request: HttpRequest, pk: int, cost_pk: int) -> HttpResponse:
    grouping = _find(request, pk)
    cost = _cost(grouping, request.affiliation, cost_pk)
    return _remove(
        request, grouping, str(cost), cost.amount_excl_tax, lambda: remove_cost(cost=cost, actor=request.affiliation)
    )


@require_http_methods(FORM_METHODS)
def off_contract_create(request: HttpRequest, pk: int) -> HttpResponse:
    grouping = _find(request, pk)
    form = OffContractForm(
        posted(request),
        grouping=grouping,
        initial={"year": timezone.localdate().year},
        use_required_attribute=False,
    )
    spend = OffContractSpend()
    return _edit(request, grouping, form, lambda: _save_spend(form, spend, request), "Ajouter un achat hors marché")


@require_http_methods(FORM_METHODS)
def off_contract_change(request: HttpRequest, pk: int, spend_pk: int) -> HttpResponse:
    grouping = _find(request, pk)
    spend = _spend(grouping, request.affiliation, spend_pk)
    form = OffContractForm(
        posted(request), grouping=grouping, initial=OffContractForm.initial_of(spend), use_required_attribute=False
    )
    return _edit(request, grouping, form, lambda: _save_spend(form, spend, request), "Modifier un achat hors marché")


@require_http_methods(FORM_METHODS)
def off_contract_remove(request: HttpRequest, pk: int, spend_pk: int) -> HttpResponse:
    grouping = _find(request, pk)
    spend = _spend(grouping, request.affiliation, spend_pk)
    return _remove(
        request,
        grouping,
        str(spend),
        spend.amount_excl_tax,
        lambda: remove_off_contract(spend=spend, actor=request.affiliation),
    )


def _save_cost(form: CoordinationCostForm, cost: CoordinationCost, request: HttpRequest) -> None:
    cost_save(cost=form.fill(cost), actor=request.affiliation, seen=form.cleaned_data["seen"])


def _save_spend(form: OffContractForm, spend: OffContractSpend, request: HttpRequest) -> None:
    off_contract_save(spend=form.fill(spend), actor=request.affiliation, seen=form.cleaned_data["seen"])


def _edit(request: HttpRequest, grouping: Grouping, form: Form, write: Callable[[], None], title: str) -> HttpResponse:
    if request.method == "POST" and submit(form, write):
        messages.success(request, "Montant enregistré.")
        return redirect("savings_costs", grouping.pk)
    context = {"grouping": grouping, "form": form, "title": title, "is_removal": False}
    return render(request, "savings/cost_form.html", context, status=422 if form.is_bound else 200)


def _remove(request: HttpRequest, grouping: Grouping, name: str, amount, write: Callable[[], None]) -> HttpResponse:
    if request.method == "POST":
        write()
        messages.success(request, "Montant retiré.")
        return redirect("savings_costs", grouping.pk)
    context = {"grouping": grouping, "title": f"Retirer «\u00a0{name}\u00a0»", "is_removal": True, "amount": amount}
    return render(request, "savings/cost_form.html", context)
