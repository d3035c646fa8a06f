"""What is consumed of the contracts of a grouping: per member and in total, line by line, taken in from files."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.consumption import consumption_import, consumption_import_undo
from groupings.consumption import (
    LINE_COLUMNS,
    TABLE_COLUMNS,
    ConsumptionFilter,
    ConsumptionTable,
    consumption_rows,
    table_rows,
)
from groupings.consumption_file import TEMPLATE_COLUMNS
from groupings.execution import Contract, grouping_contracts
from groupings.forms.contract import TableFileForm, UndoForm
from groupings.models import ConsumptionImport, Grouping
from groupings.views.common import find_grouping, sees_all
from members.roles import may, require
from procurement.core.errors import NotAllowed
from procurement.core.exports import export_response
from procurement.core.imports import ImportError_, ImportRefused
from procurement.core.submission import posted, submit
from procurement.core.views.lists import EXPORTS, export_list, render_list, wants_export

IMPORTS_SHOWN = 20


def may_import(grouping: Grouping, affiliation) -> bool:
    """Buyers, jurists and finance of the coordinator."""
    return sees_all(grouping, affiliation) and may(
        affiliation, "consumption.import", organisation_id=grouping.coordinator_id
    )


def _require_import(grouping: Grouping, affiliation) -> None:
    if not may_import(grouping, affiliation):
        raise NotAllowed("La consommation est importée par l’acheteur, le juriste ou les finances du coordonnateur.")


@require_http_methods(["GET", "HEAD", "POST"])
def consumption(request: HttpRequest, pk: int) -> HttpResponse:
    """The table, its export (``?export=``), one lot of it (``?lot=``); posted, a file of invoices or mandats."""
    grouping = find_grouping(request, pk)
    if request.method == "POST":
        _require_import(grouping, request.affiliation)
        return _receive(request, grouping)
    if wants_export(request):
        require(request.affiliation, "export")
        return export_response(
            request.GET["export"],
            TABLE_COLUMNS,
            table_rows(_asked(request, _contracts(request, grouping))),
            title="Consommation",
            filename=f"consommation_{grouping.reference}_{timezone.localdate():%Y-%m-%d}",
            created_at=timezone.now(),
        )
    return _render(request, grouping, TableFileForm(use_required_attribute=False))


def _contracts(request: HttpRequest, grouping: Grouping) -> list[Contract]:
    found = grouping_contracts(grouping, request.affiliation, timezone.localdate())
    return [contract for contract in found if contract.award.notified_on is not None]


def _asked(request: HttpRequest, contracts: list[Contract]) -> list[Contract]:
    """One lot when the address names it, else all of them."""
    asked = [contract for contract in contracts if str(contract.award.lot.number) == request.GET.get("lot")]
    return asked or contracts


def _render(
    request: HttpRequest,
    grouping: Grouping,
    form: TableFileForm,
    *,
    errors: list[ImportError_] | tuple = (),
    status: int = 200,
) -> HttpResponse:
    contracts = _contracts(request, grouping)
    importing = may_import(grouping, request.affiliation)
    everything = sees_all(grouping, request.affiliation)
    context = {
        "grouping": grouping,
        "contracts": contracts,
        "shown": _asked(request, contracts),
        "sees_all": everything,
        "form": form,
        "errors": errors,
        "may_import": importing,
        "imports": list(grouping.consumption_imports.all()[:IMPORTS_SHOWN]) if importing else [],
        "exports": EXPORTS if may(request.affiliation, "export") else (),
    }
    return render(request, "groupings/consumption.html", context, status=status)


def _receive(request: HttpRequest, grouping: Grouping) -> HttpResponse:
    form = TableFileForm(posted(request), request.FILES or None, use_required_attribute=False)
    if not form.is_valid():
        return _render(request, grouping, form, status=422)
    upload = form.cleaned_data["file"]
    try:
        report = consumption_import(
            grouping=grouping,
            file=upload,
            filename=upload.name,
            actor=request.affiliation,
            today=timezone.localdate(),
        )
    except ImportRefused as refused:
        return _render(request, grouping, form, errors=refused.errors, status=422)
    messages.success(request, f"{report}.")
    return redirect("consumption", grouping.pk)


@require_safe
def consumption_template(request: HttpRequest, pk: int) -> HttpResponse:
    """The file to fill in: one line per awarded lot and member, in csv or (``?export=xlsx``) in xlsx."""
    grouping = find_grouping(request, pk)
    _require_import(grouping, request.affiliation)
    rows = table_rows(_contracts(request, grouping))
    return export_response(
        "xlsx" if request.GET.get("export") == "xlsx" else "csv",
        TEMPLATE_COLUMNS,
        rows,
        title="Consommation",
        filename=f"consommation_modele_{grouping.reference}",
    )


@require_safe
def consumption_lines(request: HttpRequest, pk: int) -> HttpResponse:
    """Every line, filtered, sorted, exported as shown; a member reads its own."""
    grouping = find_grouping(request, pk)
    contracts = _contracts(request, grouping)
    everything = sees_all(grouping, request.affiliation)
    filters = ConsumptionFilter(
        request.GET,
        consumption_rows(grouping, request.affiliation),
        contracts=contracts,
        with_members=everything,
    )
    table = ConsumptionTable(filters.qs, exclude=() if everything else ("member",))
    if wants_export(request):
        require(request.affiliation, "export")
        filename = f"consommation_lignes_{grouping.reference}_{timezone.localdate():%Y-%m-%d}"
        return export_list(request, table, LINE_COLUMNS, title="Lignes de consommation", filename=filename)
    return render_list(
        request,
        table,
        filters,
        page="groupings/consumption_lines.html",
        fragment="groupings/_consumption_results.html",
        context={"grouping": grouping, "exports": EXPORTS if may(request.affiliation, "export") else ()},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def consumption_undo(request: HttpRequest, pk: int, import_pk: int) -> HttpResponse:
    """Ask why, then take back the whole import."""
    grouping = find_grouping(request, pk)
    _require_import(grouping, request.affiliation)
    taken = get_object_or_404(
        ConsumptionImport.objects.visible_to(request.affiliation).filter(grouping=grouping), pk=import_pk
    )
    taken.grouping = grouping
    form = UndoForm(posted(request), use_required_attribute=False)
    counts: list[int] = []

    def write() -> None:
        counts.append(
            consumption_import_undo(taken=taken, actor=request.affiliation, reason=form.cleaned_data["reason"])
        )

    if request.method == "POST" and submit(form, write):
        s = "s" if counts[0] > 1 else ""
        messages.success(request, f"Import annulé\u00a0: {counts[0]} ligne{s} retirée{s}.")
        return redirect("consumption", pk)
    context = {"form": form, "grouping": grouping, "taken": taken}
    return render(request, "groupings/consumption_undo.html", context, status=422 if form.is_bound else 200)
