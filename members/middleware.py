"""Who acts in this request: one affiliation, resolved once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from members.models import Affiliation

SESSION_KEY = "affiliation"


class CurrentAffiliationMiddleware:
    """Sets ``request.affiliation``: the one chosen in the session, else the person's first; None when there is none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func, view_args, view_kwargs) -> None:
        if getattr(view_func, "login_required", True):
            request.affiliations = _affiliations(request)
            request.affiliation = _current(request, request.affiliations)
        else:
            request.affiliations, request.affiliation = [], None


def _affiliations(request: HttpRequest) -> list[Affiliation]:
    if not request.user.is_authenticated:
        return []
    return list(request.user.affiliations.select_related("organisation", "user"))


def _current(request: HttpRequest, affiliations: list[Affiliation]) -> Affiliation | None:
    chosen = request.session.get(SESSION_KEY)
    return next((a for a in affiliations if a.pk == chosen), affiliations[0] if affiliations else None)
