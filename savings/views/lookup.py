"""What the screens of the ledger start with: finding a line inside the perimeter, and asking who may come in."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from members.roles import may
from procurement.core.errors import NotAllowed
from savings.models import PriceLine

WITH = (
    "baseline__lot__grouping",
    "baseline__membership__grouping__coordinator",
    "baseline__membership__organisation",
    "baseline__evidence",
)


def find_line(request: HttpRequest, pk: int) -> PriceLine:
    """The line of that number, 404 outside the perimeter of the person's affiliation."""
    found = PriceLine.objects.visible_to(request.affiliation)
    return get_object_or_404(found.select_related(*WITH, "corrects"), pk=pk)


def require_coordination(affiliation) -> None:
    """Raise NotAllowed (403) unless the person works for the body at the head of the territory."""
    if affiliation is None or not affiliation.sees_whole_territory:
        raise NotAllowed("Cette page est celle du coordonnateur.")


def may_validate(line: PriceLine, affiliation) -> bool:
    """Whether the person holds the right of finance over that line, its own work aside."""
    return may(affiliation, "savings.validate", organisation_id=line.baseline.membership.grouping.coordinator_id)


def may_correct(line: PriceLine, affiliation) -> bool:
    """Whether the person may enter a correction of that line."""
    return may(affiliation, "savings.enter", organisation_id=line.baseline.membership.grouping.coordinator_id)
