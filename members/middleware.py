"""Who acts in this request: one affiliation, resolved once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from members.models import Affiliation

SESSION_KEY = "affiliation"


class CurrentAffiliationMiddleware:
    """Sets ``request.affiliation``: the one chosen in the session, else the person's first; None when there is none.

    Nothing is asked of the database for a visitor without a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func, view_args, view_kwargs) -> None:
        resolve(request)


def resolve(request: HttpRequest) -> None:
    """Set ``request.affiliations`` and ``request.affiliation`` once; a page of error may ask before any view."""
    if not hasattr(request, "affiliation"):
        request.affiliations = _affiliations(request)
        request.affiliation = _current(request, request.affiliations)


def _affiliations(request: HttpRequest) -> list[Affiliation]:
    user = getattr(request, "user", None)  # none when the request was refused before the session was read
    if user is None or not user.is_authenticated:
        return []
    return list(user.affiliations.select_related("organisation", "user"))


def _current(request: HttpRequest, affiliations: list[Affiliation]) -> Affiliation | None:
    if not affiliations:
        return None
    chosen = request.session.get(SESSION_KEY)
    return next((a for a in affiliations if a.pk == chosen), affiliations[0])
