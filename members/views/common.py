"""What the screens of a body start with: finding it inside the perimeter."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from members.models import Organisation


def find_organisation(request: HttpRequest, pk: int) -> Organisation:
    """The body of that number, 404 outside the territory of the person's affiliation."""
    bodies = Organisation.objects.visible_to(request.affiliation).select_related("parent", "territory")
    return get_object_or_404(bodies, pk=pk)
