"""What every screen of entry starts with: the grouping, the right to write its prices, the rows inside it."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from groupings.models import Grouping
from groupings.views.common import find_grouping, sees_all
from members.roles import may
from procurement.core.errors import NotAllowed
from savings.models import Baseline, PriceLine


def may_enter(grouping: Grouping, affiliation) -> bool:
    """Buyers, jurists and finance of the coordinator; a grouping merely declared is bought by others."""
    return (
        sees_all(grouping, affiliation)
        and may(affiliation, "savings.enter", organisation_id=grouping.coordinator_id)
        and not grouping.is_declared_only
    )


def require_entry(grouping: Grouping, affiliation) -> None:
    """Raise NotAllowed (403) unless ``may_enter``."""
    if not may_enter(grouping, affiliation):
        raise NotAllowed("Les prix sont saisis par l’acheteur, le juriste ou les finances du coordonnateur.")


def find_for_entry(request: HttpRequest, pk: int) -> Grouping:
    """The grouping whose prices the person writes: 404 outside the perimeter, 403 inside without the right."""
    grouping = find_grouping(request, pk)
    require_entry(grouping, request.affiliation)
    return grouping


def find_baseline(request: HttpRequest, grouping: Grouping, baseline_pk: int) -> Baseline:
    """One of the grouping's references, with what its actions need."""
    found = Baseline.objects.visible_to(request.affiliation).filter(membership__grouping=grouping)
    baseline = get_object_or_404(found.select_related("lot", "membership__organisation", "evidence"), pk=baseline_pk)
    baseline.membership.grouping = baseline.lot.grouping = grouping
    return baseline


def find_line(request: HttpRequest, grouping: Grouping, line_pk: int) -> PriceLine:
    """One of the grouping's lines, with what its actions need."""
    found = PriceLine.objects.visible_to(request.affiliation).filter(baseline__membership__grouping=grouping)
    line = get_object_or_404(found.select_related("baseline__lot", "baseline__membership__organisation"), pk=line_pk)
    line.baseline.membership.grouping = line.baseline.lot.grouping = grouping
    return line
