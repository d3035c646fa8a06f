"""Signing in: by a code sent by e-mail, by password where there is one, or by one click in the demonstration."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.signals import user_logged_in
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
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
    "juriste": (
        "juriste@demonstration.example",
        "Juriste de la métropole",
        "Écrit les clauses des conventions, publie leurs versions",
    ),
    "finances": ("finances@demonstration.example", "Finances", "Les groupements et leurs montants"),
}
#: A proxy adds one of these: the visitor is then not the local address that Django sees.
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")

WRONG_CODE = "Ce code n’est pas le bon\u00a0: vérifiez-le, ou demandez-en un autre."


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are opened by an administrator: nobody signs up. Refusals are said in the words of the other screens."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "Ce compte est fermé\u00a0: adressez-vous à l’administrateur de votre organisme.",
        "duplicate_email": "C’est déjà l’adresse de votre compte.",
        "email_password_mismatch": "L’adresse ou le mot de passe n’est pas le bon.",
        "email_taken": "Cette adresse est déjà celle d’un autre compte.",
        "enter_current_password": "Saisissez votre mot de passe actuel.",
        "incorrect_code": WRONG_CODE,
        "incorrect_password": "Ce mot de passe n’est pas le bon.",
        "invalid_password_reset": "Ce lien a déjà servi ou n’est plus valable.",
        "rate_limited": "Trop de demandes en peu de temps\u00a0: patientez quelques minutes.",
        "same_as_current": "C’est déjà la valeur actuelle.",
        "too_many_login_attempts": "Trop d’essais infructueux\u00a0: patientez quelques minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class MFAAdapter(DefaultMFAAdapter):
    """The second factor, in the words of the other screens."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "add_email_blocked": "Désactivez d’abord la double authentification.",
        "incorrect_code": WRONG_CODE,
        "unverified_email": (
            "Confirmez d’abord votre adresse\u00a0: reconnectez-vous avec un code reçu par courriel, puis recommencez."
        ),
    }


@receiver(user_logged_in)
def code_proves_address(sender, request: HttpRequest, user: User, **kwargs) -> None:
    """Whoever typed the code sent to an address holds it: no confirmation link on top.

    Invited people have no address record until now, and the second factor asks for a confirmed one.
    """
    for proof in get_authentication_records(request, user):
        if proof["method"] == "code" and str(proof.get("email", "")).lower() == user.email:
            EmailAddress.objects.update_or_create(
                user=user, email=user.email, defaults={"verified": True, "primary": True}
            )


def is_demonstration_request(request: HttpRequest) -> bool:
    """Whether the one-click sign-in may exist for this request: demonstration mode, local name, local visitor."""
    if not settings.DEMONSTRATION or any(request.META.get(header) for header in FORWARDED):
        return False
    try:
        host, _port = split_domain_port(request.get_host())
    except DisallowedHost:  # the page that says so asks again
        return False
    return is_local(host) and is_local(request.META.get("REMOTE_ADDR", ""))


@login_not_required
@require_POST
def demonstration_sign_in(request: HttpRequest) -> HttpResponse:
    """Open a session as one of the three people of the demonstration; 404 anywhere but on a local demonstration."""
    account = DEMONSTRATION_ACCOUNTS.get(request.POST.get("profil", ""))
    if account is None or not is_demonstration_request(request):
        raise Http404
    user = get_object_or_404(User, email=account[0], is_active=True)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect(settings.LOGIN_REDIRECT_URL)
