"""Start-up checks: what would fail later, said at once."""

import ipaddress
import os
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

LOCAL_NAMES = {"localhost", "testserver"}
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf")


def is_local(host: str) -> bool:
    """Whether a host name is this machine's: localhost or a loopback address."""
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@register()
def settings_hold_together(app_configs, **kwargs) -> list[CheckMessage]:
    """The demonstration stays local, production has its secret, the fonts are there, the data folder is writable."""
    errors: list[CheckMessage] = []
    if settings.DEMONSTRATION and not all(is_local(host) for host in settings.ALLOWED_HOSTS):
        errors.append(
            Error(
                "Le mode démonstration ouvre une session d’un clic\u00a0: il n’accepte qu’une adresse locale.",
                hint="Retirez DEMONSTRATION, ou laissez ALLOWED_HOSTS à 127.0.0.1 et localhost.",
                id="core.E001",
            )
        )
    try:
        has_secret = bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django refuses to read an empty one
        has_secret = False
    if not has_secret:
        errors.append(Error("SECRET_KEY est obligatoire hors du mode démonstration.", id="core.E002"))
    fonts = settings.BASE_DIR / "procurement" / "static" / "fonts"
    missing = [name for name in FONTS if not (fonts / name).exists()]
    if missing:
        errors.append(
            Error(f"Police des documents PDF absente de {fonts}\u00a0: {', '.join(missing)}.", id="core.E003")
        )
    if not os.access(settings.DATA_DIR, os.W_OK):
        errors.append(Error(f"Le dossier {settings.DATA_DIR} n’est pas accessible en écriture.", id="core.E004"))
    if not settings.DEMONSTRATION and is_local(urlsplit(settings.SITE_URL).hostname or ""):
        errors.append(
            Warning(
                f"Les liens des courriels mènent à {settings.SITE_URL}, que leurs lecteurs n’atteignent pas.",
                hint="Indiquez dans SITE_URL l’adresse du site.",
                id="core.W005",
            )
        )
    return errors
