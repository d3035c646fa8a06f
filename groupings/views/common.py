"""What every screen of a grouping starts with: finding it inside the perimeter, and asking for the right."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from groupings.models import Grouping
from members.roles import may
from procurement.core.errors import NotAllowed


def find_grouping(request: HttpRequest, pk: int) -> Grouping:
    """The grouping of that number, 404 outside the perimeter of the person's affiliation."""
    found = Grouping.objects.visible_to(request.affiliation).with_told_procedure(request.affiliation)
    return get_object_or_404(found.select_related("coordinator", "buyer", "jurist"), pk=pk)


def sees_all(grouping: Grouping, affiliation) -> bool:
    """Whether every member's amounts of this grouping may be shown: only to its coordinator's people."""
    return affiliation is not None and (
        affiliation.sees_whole_territory or grouping.coordinator_id == affiliation.organisation_id
    )


def may_change(grouping: Grouping, affiliation) -> bool:
    """Whether to offer the buttons that change the grouping: a right held on behalf of the coordinator."""
    return sees_all(grouping, affiliation) and may(
        affiliation, "grouping.change", organisation_id=grouping.coordinator_id
    )


def require_change(grouping: Grouping, affiliation) -> None:
    """Raise NotAllowed (403) unless ``may_change``."""
    if not may_change(grouping, affiliation):
        raise NotAllowed("Seul le coordonnateur du groupement peut faire cette modification.")


def may_change_needs(grouping: Grouping, organisation_id: int, affiliation) -> bool:
    """Whether to offer the form of a body's needs or contact: to the body itself, and to the coordinator's people."""
    return may_change(grouping, affiliation) or may(affiliation, "needs.change", organisation_id=organisation_id)
