"""What every template knows of the one who acts."""

from django.conf import settings
from django.http import HttpRequest

from members.accounts import DEMONSTRATION_ACCOUNTS, is_demonstration_request
from members.middleware import resolve


def current_affiliation(request: HttpRequest) -> dict:
    resolve(request)
    return {
        "affiliation": request.affiliation,
        "affiliations": request.affiliations,
        "is_demonstration": settings.DEMONSTRATION,
        "demonstration_accounts": DEMONSTRATION_ACCOUNTS if is_demonstration_request(request) else {},
    }
