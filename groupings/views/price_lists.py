"""The price list of a contract: searched, exported, replaced from a file after saying what changes."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.price_list import list_mark, price_list_replace
from groupings.forms.contract import PriceListConfirmForm, TableFileForm
from groupings.models import Award, PriceItem
from groupings.price_file import EXPORT_COLUMNS, check_prices, compare, kept_prices, prices_of
from groupings.views.common import may_change, require_change
from groupings.views.contracts import find_contract, price_rows
from members.roles import may, require
from procurement.core.exports import export_response
from procurement.core.imports import ImportError_, ImportRefused, read_table
from procurement.core.submission import posted, submit
from procurement.core.views.lists import EXPORTS, wants_export

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def price_list(request: HttpRequest, pk: int, award_pk: int) -> HttpResponse:
    """Every price, those that match ``?q=``, or their export; posted, a new file, then its confirmation."""
    award = find_contract(request, pk, award_pk)
    if request.method == "POST":
        require_change(award.lot.grouping, request.affiliation)
        return _confirm(request, award) if "payload" in request.POST else _receive(request, award)
    if wants_export(request):
        require(request.affiliation, "export")
        return export_response(
            request.GET["export"],
            EXPORT_COLUMNS,
            _asked(request, award),
            title="Bordereau des prix",
            filename=_filename("bordereau", award),
            created_at=timezone.now(),
        )
    return _render(request, award, TableFileForm(use_required_attribute=False))


def _query(request: HttpRequest) -> str:
    """What is searched for. A NUL is no text for PostgreSQL, and no word for anybody."""
    return request.GET.get("q", "")[:200].replace("\0", " ")


def _asked(request: HttpRequest, award: Award):
    """The prices whose reference or designation holds every word asked for."""
    items = PriceItem.objects.visible_to(request.affiliation).filter(award=award)
    for word in _query(request).split():
        items = items.filter(Q(code__icontains=word) | Q(designation__icontains=word))
    return items


def _filename(what: str, award: Award) -> str:
    return f"{what}_{award.lot.grouping.reference}_lot-{award.lot.number}"


def _render(
    request: HttpRequest,
    award: Award,
    form: TableFileForm,
    *,
    errors: list[ImportError_] | tuple = (),
    status: int = 200,
    confirm: dict | None = None,
) -> HttpResponse:
    page = Paginator(_asked(request, award), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "award": award,
        "grouping": award.lot.grouping,
        "form": form,
        "errors": errors,
        "confirm": confirm,
        "page": page,
        "rows": price_rows(page),
        "query": _query(request),
        "exports": EXPORTS if may(request.affiliation, "export") else (),
        "may_change": may_change(award.lot.grouping, request.affiliation),
    }
    return render(request, "groupings/price_list.html", context, status=status)


def _receive(request: HttpRequest, award: Award) -> HttpResponse:
    """Check a file: its errors, nothing to do, a first list written at once, or what it would change."""
    form = TableFileForm(posted(request), request.FILES or None, use_required_attribute=False)
    if not form.is_valid():
        return _render(request, award, form, status=422)
    upload = form.cleaned_data["file"]
    try:
        checked = check_prices(read_table(upload, upload.name))
        checked.raise_if_refused()
    except ImportRefused as refused:
        return _render(request, award, form, errors=refused.errors, status=422)
    prices, kept = prices_of(checked), kept_prices(award)
    changes = compare(kept, prices)
    if kept and not changes.is_empty:
        payload = PriceListConfirmForm.seal(
            award_pk=award.pk, mark=list_mark(kept), source=checked.filename, prices=prices
        )
        confirm = {"form": PriceListConfirmForm(initial={"payload": payload}), "changes": changes, "kept": len(kept)}
        return _render(request, award, form, confirm=confirm | {"source": checked.filename, "count": len(prices)})
    if submit(form, lambda: _replace(request, award, prices, checked.filename, list_mark(kept))):
        return redirect("price_list", award.lot.grouping_id, award.pk)
    return _render(request, award, form, status=422)


def _replace(request: HttpRequest, award: Award, prices: list, source: str, mark: str) -> None:
    changes = price_list_replace(
        award=award, prices=prices, actor=request.affiliation, source=source, expected_mark=mark
    )
    messages.success(request, f"Bordereau du lot {award.lot.number}\u00a0: {changes}.")


def _confirm(request: HttpRequest, award: Award) -> HttpResponse:
    sealed = PriceListConfirmForm(posted(request))
    form = TableFileForm({}, {}, use_required_attribute=False)
    form.full_clean()
    form.errors.clear()
    if not sealed.is_valid() or sealed.cleaned_data["payload"]["award_pk"] != award.pk:
        form.add_error("file", "La page a expiré\u00a0: déposez de nouveau votre fichier.")
        return _render(request, award, form, status=422)
    told = sealed.cleaned_data["payload"]
    if submit(form, lambda: _replace(request, award, told["prices"], told["source"], told["mark"])):
        return redirect("price_list", award.lot.grouping_id, award.pk)
    return _render(request, award, form, status=422)


@require_safe
def price_list_template(request: HttpRequest, pk: int, award_pk: int) -> HttpResponse:
    """The file to fill in, with the prices already known: csv, or xlsx with ``?export=xlsx``."""
    award = find_contract(request, pk, award_pk)
    require_change(award.lot.grouping, request.affiliation)
    return export_response(
        "xlsx" if request.GET.get("export") == "xlsx" else "csv",
        EXPORT_COLUMNS,
        award.price_items.all(),
        title="Bordereau des prix",
        filename=_filename("bordereau_modele", award),
    )
