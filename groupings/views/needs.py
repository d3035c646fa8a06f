"""The survey of needs: the table member × lot."""

from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from groupings.models import Membership, NeedLine
from groupings.views.common import find_grouping, may_change_needs, sees_all
from groupings.views.detail import frozen_amounts
from procurement.core.money import ZERO, round_half_up
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
