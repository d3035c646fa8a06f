"""Signing in: by a code sent by e-mail, by password where there is one, or by one click in the demonstration."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from members.models import User
from procurement.core.checks import is_local

#: key of the button → e-mail, what the button says
DEMONSTRATION_ACCOUNTS = {
    "acheteuse": (
        "acheteuse@demonstration.example",
        "Acheteuse de la métropole",
        "Suit les délibérations, produit les conventions",
    ),
    "secretaire": (
        "secretaire@demonstration.example",
        "Secrétaire de mairie",
        "Ce que sa commune doit faire, pour quand",
    ),
    "finances": ("finances@demonstration.example", "Finances", "Les groupements et leurs montants"),
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are opened by an administrator: nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def is_demonstration_request(request: HttpRequest) -> bool:
    """Whether the one-click sign-in may exist for this request: demonstration mode, local name, local visitor."""
    host = request.get_host().rsplit(":", 1)[0]
    return settings.DEMONSTRATION and is_local(host) and is_local(request.META.get("REMOTE_ADDR", ""))


@login_not_required
@require_POST
def demonstration_sign_in(request: HttpRequest) -> HttpResponse:
    """Open a session as one of the three people of the demonstration; 404 anywhere but on a local demonstration."""
    account = DEMONSTRATION_ACCOUNTS.get(request.POST.get("profil", ""))
    if not is_demonstration_request(request) or account is None:
        raise Http404
    user = get_object_or_404(User, email=account[0], is_active=True)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect(settings.LOGIN_REDIRECT_URL)
