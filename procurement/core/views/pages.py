"""Help, accessibility, legal notices, personal data: open to everybody."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


def _page(template: str):
    @login_not_required
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        return render(request, template)

    return view


help_page = _page("core/help.html")
accessibility = _page("core/accessibility.html")
legal_notices = _page("core/legal_notices.html")
personal_data = _page("core/personal_data.html")


@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """For a supervisor: the database answers."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")
