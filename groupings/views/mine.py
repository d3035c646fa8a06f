"""Mes délibérations: the cards of one body, on the phone of its secretary first."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.mine import agenda_of
from members.models import Affiliation, Organisation
from members.roles import may


@require_safe
def my_deliberations(request: HttpRequest) -> HttpResponse:
    """The reader's own body; the coordinator's people may look at any other of their territory (``?membre=``)."""
    affiliation = request.affiliation
    if affiliation is None:
        return render(request, "groupings/home_nobody.html")
    bodies = _bodies(affiliation)
    asked = request.GET.get("membre") or str(affiliation.organisation_id)
    organisation = next((body for body in bodies if str(body.pk) == asked), None)
    if organisation is None:
        raise Http404
    context = {
        "agenda": agenda_of(organisation, affiliation, timezone.localdate()),
        "organisation": organisation,
        "bodies": bodies,
        "is_own": organisation.pk == affiliation.organisation_id,
        "may_add_session": may(affiliation, "organisation.change", organisation_id=organisation.pk),
    }
    return render(request, "groupings/mine.html", context)


def _bodies(affiliation: Affiliation) -> list[Organisation]:
    """Those whose cards the person may read: its own alone, unless it acts for the coordinator."""
    if not affiliation.sees_whole_territory:
        return [affiliation.organisation]
    return list(Organisation.objects.visible_to(affiliation).order_by("sort_name", "pk"))
