"""The page of a contract in use: what a member needs to order, and what the coordinator watches."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.contract import extension_take
from groupings.execution import Contract, contract_awards, contracts_of, with_holders
from groupings.models import Award, ContractContact, GroupingDocument, PriceItem
from groupings.price_file import decimals
from groupings.views.common import may_change, require_change
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted_or_back

PRICES_SHOWN = 10


def find_contract(request: HttpRequest, pk: int, award_pk: int) -> Award:
    """The awarded lot of that number, with its grouping; 404 for whoever may not read it, before it is notified too."""
    return get_object_or_404(contract_awards(request.affiliation).filter(lot__grouping_id=pk), pk=award_pk)


def price_rows(items) -> list[dict]:
    """Each price with its figure written to the last decimal it holds."""
    return [{"item": item, "price": decimals(item.price_excl_tax)} for item in items]


@require_safe
def contract(request: HttpRequest, pk: int, award_pk: int) -> HttpResponse:
    """Holders, amounts, dates, prices, contacts, documents, consumption."""
    return render_contract(request, pk, award_pk)


def render_contract(
    request: HttpRequest, pk: int, award_pk: int, *, error: str = "", status: int = 200
) -> HttpResponse:
    """The page, also used to say why an extension was refused."""
    affiliation = request.affiliation
    awards = with_holders(contract_awards(affiliation)).annotate(price_count=Count("price_items", distinct=True))
    award = get_object_or_404(awards.filter(lot__grouping_id=pk), pk=award_pk)
    found: Contract = contracts_of([award], affiliation, timezone.localdate())[0]
    files = GroupingDocument.objects.visible_to(affiliation).filter(
        grouping_id=pk, lot_id=award.lot_id, membership__isnull=True
    )
    context = {
        "award": award,
        "grouping": award.lot.grouping,
        "contract": found,
        "prices": price_rows(PriceItem.objects.filter(award=award)[:PRICES_SHOWN]) if award.price_count else [],
        "contacts": list(ContractContact.objects.visible_to(affiliation).filter(award=award)),
        "files": list(files),
        "may_change": may_change(award.lot.grouping, affiliation),
        "extension_error": error,
    }
    return render(request, "groupings/contract.html", context, status=status)


@posted_or_back("contract", "pk", "award_pk")
def contract_extend(request: HttpRequest, pk: int, award_pk: int) -> HttpResponse:
    """Take the next extension; the page says why when it is refused."""
    award = find_contract(request, pk, award_pk)
    require_change(award.lot.grouping, request.affiliation)
    taken = request.POST.get("taken", "")
    try:
        extended = extension_take(
            award=award,
            actor=request.affiliation,
            today=timezone.localdate(),
            expected_taken=int(taken) if taken.isascii() and taken.isdigit() and len(taken) < 6 else None,
        )
    except NotAllowed:
        raise
    except BusinessError as refusal:
        return render_contract(request, pk, award_pk, error=str(refusal), status=422)
    messages.success(request, f"Reconduction enregistrée\u00a0: le marché se termine le {extended.ends_on:%d/%m/%Y}.")
    return redirect("contract", pk, award_pk)
