"""The survey of needs: the table member × lot, and the form of one member."""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.membership import need_set
from groupings.forms.membership import Need, NeedsForm
from groupings.models import Convention, Membership, NeedLine
from groupings.views.common import find_grouping, may_change_needs, sees_all
from groupings.views.detail import frozen_amounts
from groupings.views.memberships import find_membership
from procurement.core.money import ZERO, round_half_up
from procurement.core.submission import posted, submit
from procurement.core.templatetags.fr import nombre


@dataclass
class Cell:
    """What one member needs of one lot; ``quantity`` is written with its unit, empty when unknown."""

    line: NeedLine

    @property
    def amount(self) -> Decimal | None:
        money = self.line.estimated_amount_excl_tax
        return None if money is None else money.amount

    @property
    def quantity(self) -> str:
        if self.line.quantity is None:
            return ""
        decimals = max(0, -self.line.quantity.normalize().as_tuple().exponent)
        return f"{nombre(self.line.quantity, decimals)} {self.line.unit}".strip()


@dataclass
class NeedsRow:
    """One member's line: one cell per lot, in the order of the lots, None when nothing was said."""

    membership: Membership
    cells: list[Cell | None]
    total: Decimal | None
    may_edit: bool


@require_safe
def needs_table(request: HttpRequest, pk: int) -> HttpResponse:
    """Every line for the coordinator's people; a member sees its own, and the totals of the frozen convention."""
    grouping = find_grouping(request, pk)
    everything = sees_all(grouping, request.affiliation)
    lots = list(grouping.lots.all())
    needs = NeedLine.objects.visible_to(request.affiliation).filter(membership__grouping=grouping).active()
    lines = {(need.membership_id, need.lot_id): Cell(need) for need in needs}
    memberships = grouping.memberships.active().select_related("organisation")
    if not everything:
        memberships = memberships.filter(organisation_id=request.affiliation.organisation_id)
    rows = []
    for membership in memberships:
        cells = [lines.get((membership.pk, lot.pk)) for lot in lots]
        may_edit = may_change_needs(grouping, membership.organisation_id, request.affiliation)
        rows.append(NeedsRow(membership, cells, _total(cells), may_edit and not grouping.is_launched))
    convention = None if everything else grouping.conventions.first()
    frozen = frozen_amounts(convention, request.affiliation, everything)
    context = {
        "grouping": grouping,
        "lots": lots,
        "rows": rows,
        "totals": [_total([row.cells[place] for row in rows]) for place in range(len(lots))],
        "grand_total": _total([cell for row in rows for cell in row.cells]),
        "answered": sum(1 for row in rows if any(row.cells)),
        "sees_all": everything,
        "convention": convention if frozen else None,
        "frozen": [frozen.get(lot.number) for lot in lots] if frozen else [],
        "frozen_total": sum(frozen.values(), ZERO),
    }
    return render(request, "groupings/needs_table.html", context)


def _total(cells: list[Cell | None]) -> Decimal | None:
    """The sum of the known amounts (€ excl. tax), None when none is known: unknown is not zero."""
    known = [cell.amount for cell in cells if cell is not None and cell.amount is not None]
    return round_half_up(sum(known, ZERO)) if known else None


@require_http_methods(["GET", "HEAD", "POST"])
def needs_change(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The needs of one member, all lots at once: all of them are written, or none."""
    grouping = find_grouping(request, pk)
    membership = find_membership(request, grouping, membership_pk)
    lots = list(grouping.lots.all())
    form = NeedsForm(
        posted(request),
        lots=lots,
        needs=list(membership.needs.all()),
        use_required_attribute=False,
    )
    if request.method == "POST" and submit(form, lambda: _write(form, membership, request.affiliation)):
        messages.success(request, f"Les besoins de {membership.organisation.name} sont enregistrés.")
        return redirect(reverse("needs_table", args=[pk]))
    convention: Convention | None = grouping.conventions.defer("values").first()
    context = {"form": form, "grouping": grouping, "membership": membership, "convention": convention}
    return render(request, "groupings/needs_form.html", context, status=422 if form.is_bound else 200)


def _write(form: NeedsForm, membership: Membership, affiliation) -> None:
    with transaction.atomic():
        for need in form.needs():
            _set(need, membership, affiliation)


def _set(need: Need, membership: Membership, affiliation) -> None:
    """Write one lot; a refusal of the action is told by that lot's own boxes."""
    need.lot.grouping = membership.grouping
    try:
        need_set(
            membership=membership,
            lot=need.lot,
            amount=need.amount,
            quantity=need.quantity,
            unit=need.unit,
            actor=affiliation,
        )
    except ValidationError as error:
        boxes = {"estimated_amount_excl_tax": "amount", "quantity": "quantity", "unit": "unit"}
        by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
        raise ValidationError(
            {f"{boxes.get(name, 'amount')}_{need.lot.pk}": problems for name, problems in by_field.items()}
        ) from error
