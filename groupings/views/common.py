"""What every screen of a grouping starts with: finding it inside the perimeter, and asking for the right."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404

from groupings.models import Grouping
from members.roles import may
from procurement.core.errors import BusinessError, NotAllowed


def find_grouping(request: HttpRequest, pk: int) -> Grouping:
    """The grouping of that number, 404 outside the perimeter of the person's affiliation."""
    return get_object_or_404(
        Grouping.objects.visible_to(request.affiliation).select_related("coordinator", "buyer", "jurist"), pk=pk
    )


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
    own = affiliation is not None and organisation_id == affiliation.organisation_id
    return (own or sees_all(grouping, affiliation)) and may(
        affiliation, "needs.change", organisation_id=organisation_id
    )


def add_refusal(form: BaseForm, error: ValidationError | BusinessError) -> None:
    """Put the sentence of a refused action by its field, or in the summary. NotAllowed goes on, to the 403 page."""
    if isinstance(error, NotAllowed):
        raise error
    if isinstance(error, BusinessError):
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return
    place = getattr(form, "place_of", lambda message: None)
    by_field = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
    for name, problems in by_field.items():
        for problem in problems:
            target = name if name in form.fields else place(" ".join(problem.messages))
            form.add_error(target, problem)


def posted(request: HttpRequest) -> QueryDict | None:
    """What the person sent, None when the page is only asked for: an empty POST is still a submitted form."""
    return request.POST if request.method == "POST" else None


def submit(form: BaseForm, write: Callable[[], object]) -> bool:
    """Run ``write`` once ``form`` is valid. False when either refuses: the form then says why and keeps the input."""
    if not form.is_valid():
        return False
    try:
        write()
    except (ValidationError, BusinessError) as error:
        add_refusal(form, error)
        return False
    return True
