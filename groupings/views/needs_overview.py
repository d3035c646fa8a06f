"""The table of needs, its export, and the bounds of an accord-cadre kept for a lot."""

from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.framework import lot_bounds_set
from groupings.actions.needs import survey_refusal
from groupings.choices import GroupingStatus
from groupings.forms.grouping import BoundsForm
from groupings.models import Grouping, Lot
from groupings.needs_export import COLUMNS, export_rows
from groupings.needs_overview import Cell, Overview
from groupings.rules import framework
from groupings.views.common import find_grouping, may_change, may_change_needs, require_change, sees_all
from groupings.views.detail import frozen_amounts
from members.roles import may, require
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import export_response
from procurement.core.money import ZERO
from procurement.core.submission import posted_or_back
from procurement.core.views.lists import EXPORTS, wants_export


@require_safe
def needs_table(request: HttpRequest, pk: int) -> HttpResponse:
    """Every line for the coordinator's people; a member sees its own, and the totals of the frozen convention."""
    grouping = find_grouping(request, pk)
    if not wants_export(request):
        return render_overview(request, grouping)
    require(request.affiliation, "export")
    overview = Overview(grouping, request.affiliation, sees_all(grouping, request.affiliation))
    return export_response(
        request.GET["export"],
        COLUMNS,
        export_rows(overview),
        title=f"Besoins {grouping.reference}",
        filename=f"besoins_{grouping.reference}_{timezone.localdate():%Y-%m-%d}",
        created_at=timezone.now(),
    )


def render_overview(request: HttpRequest, grouping: Grouping, *, refusal: str = "") -> HttpResponse:
    """The page; with ``refusal``, why the bounds of a lot were not kept (422)."""
    affiliation, everything = request.affiliation, sees_all(grouping, request.affiliation)
    overview = Overview(grouping, affiliation, everything)
    is_open = not grouping.is_launched and grouping.status != GroupingStatus.CANCELLED
    for row in overview.rows:
        row.may_edit = may_change_needs(grouping, row.membership.organisation_id, affiliation) and not survey_refusal(
            grouping, row.membership, affiliation, timezone.localdate()
        )
    convention = None if everything else grouping.conventions.first()
    frozen = frozen_amounts(convention, affiliation, everything)
    context = {
        "grouping": grouping,
        "overview": overview,
        "sees_all": everything,
        "may_keep_bounds": is_open and may_change(grouping, affiliation),
        "may_import": any(row.may_edit for row in overview.rows),
        "exports": EXPORTS if may(affiliation, "export") else (),
        "convention": convention if frozen else None,
        "own_lots": [] if everything else _own_lots(overview, frozen),
        "frozen_total": sum(frozen.values(), ZERO),
        "margins": framework,
        "maximum_rule": _maximum_rule(grouping) if everything else None,
        "refusal": refusal,
    }
    return render(request, "groupings/needs_table.html", context, status=422 if refusal else 200)


def _own_lots(overview: Overview, frozen: dict[int, Decimal]) -> list[tuple[Lot, Cell, Decimal | None]]:
    """A member's table, read on a phone: one lot per line, its need, the total of the frozen convention."""
    return [
        (lot, cell, frozen.get(lot.number))
        for row in overview.rows
        for lot, cell in zip(overview.lots, row.cells, strict=True)
    ]


def _maximum_rule(grouping: Grouping) -> framework.MaximumRule | None:
    """That of the day of the launch, done or planned, else of today; None before the dates we hold."""
    try:
        return framework.maximum_rule(grouping.launched_on or grouping.launch_planned_on or timezone.localdate())
    except LookupError:
        return None


@posted_or_back("needs_table", "pk")
def lot_bounds(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """Keep for a lot the bounds that the person read on the screen."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    lot: Lot = get_object_or_404(grouping.lots, pk=lot_pk)
    lot.grouping = grouping
    form = BoundsForm(request.POST)
    try:
        if not form.is_valid():
            raise BusinessError(" ".join(message for said in form.errors.values() for message in said))
        kept = lot_bounds_set(lot=lot, **form.cleaned_data, actor=request.affiliation, today=timezone.localdate())
    except NotAllowed:
        raise
    except (BusinessError, ValidationError) as error:
        sentence = str(error) if isinstance(error, BusinessError) else " ".join(error.messages)
        return render_overview(request, grouping, refusal=f"Lot {lot.number}\u00a0: {sentence}")
    messages.success(request, f"{kept}\u00a0: minimum et maximum de l’accord-cadre retenus.")
    return redirect(f"{reverse('needs_table', args=[pk])}#bounds")
