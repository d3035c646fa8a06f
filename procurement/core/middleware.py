"""What holds for every request: reading never writes, a refusal is a clear page."""

import re
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from procurement.core.errors import BusinessError, NotAllowed

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|DROP|ALTER|CREATE)\b", re.IGNORECASE)
#: Signing in and reading one's session keep their own tables; no business table is among them.
_SESSION_TABLES = re.compile(r'"?(django_session|account_\w+|mfa_\w+)"?', re.IGNORECASE)


class WriteDuringRead(RuntimeError):
    """A page asked with GET tried to change data."""


def _refuse_writes(execute, sql, params, many, context):
    if _WRITES.match(sql) and not (_SESSION_TABLES.search(sql.split("WHERE")[0]) or "last_login" in sql):
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
    """A refusal that reached no form becomes a page with its sentence: 403 when it is about rights, else 409."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login = reverse(settings.LOGIN_URL)
        if getattr(request, "htmx", False) and response.status_code == 302 and response["Location"].startswith(login):
            return HttpResponse(headers={"HX-Redirect": response["Location"]})  # the session ended under an htmx page
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, BusinessError):
            return None
        status = 403 if isinstance(exception, NotAllowed) else 409
        return render(request, "core/refusal.html", {"sentence": str(exception), "status": status}, status=status)
