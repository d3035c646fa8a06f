"""What holds for every request: reading never writes, a refusal is a clear sentence where the user is looking."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from procurement.core.errors import BusinessError, NotAllowed

_WRITE = re.compile(
    r"\s*(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|MERGE\s+INTO|"
    r"TRUNCATE(?:\s+TABLE)?|(?:DROP|ALTER|CREATE)\s+\w+)\s+\"?(?P<table>\w+)",
    re.IGNORECASE,
)
#: Opening a page may prolong or clean the visitor's session; the sign-in library copies the visitor's own address when
#: the page that changes it is opened, and notes that recovery codes were shown. Nothing of the trade is in these.
_VISITOR_TABLES = {"django_session", "account_emailaddress", "mfa_authenticator"}


class WriteDuringRead(RuntimeError):
    """A page asked with GET tried to change data."""


def _refuse_writes(execute, sql, params, many, context):
    write = _WRITE.match(sql)
    if write and write["table"].lower() not in _VISITOR_TABLES:
        raise WriteDuringRead(sql[:200])
    return execute(sql, params, many, context)


class ReadOnlyGetMiddleware:
    """GET, HEAD and OPTIONS cannot change data: mail scanners and link previews open every address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            return self.get_response(request)
        with connection.execute_wrapper(_refuse_writes):
            return self.get_response(request)


class BusinessErrorMiddleware:
    """A refusal that reached no form becomes a page with its sentence: 403 when it is about rights, else 409.

    Under htmx the sentence alone goes to the top of the page the user is on; a session that ended sends that whole
    page to the sign-in, not the fragment.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login = reverse(settings.LOGIN_URL)
        if getattr(request, "htmx", False) and response.status_code == 302 and response["Location"].startswith(login):
            page = request.htmx.current_url_abs_path
            target = f"{login}?{urlencode({'next': page})}" if page else login
            return HttpResponse(headers={"HX-Redirect": target})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, BusinessError):
            return None
        status = 403 if isinstance(exception, NotAllowed) else 409
        context = {"sentence": str(exception), "status": status}
        if getattr(request, "htmx", False):
            response = render(request, "core/_refusal.html", context, status=status)
            response["HX-Retarget"], response["HX-Reswap"] = "#refusal", "innerHTML"
            return response
        return render(request, "core/refusal.html", context, status=status)
