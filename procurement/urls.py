"""Every address of the product."""

from allauth.account import views as account_views
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from members.accounts import demonstration_sign_in
from procurement.core.views import pages

urlpatterns = [
    path("", include("groupings.urls")),
    path("", include("members.urls")),
    path("", include("savings.urls")),
    path("connexion/", include("allauth.account.urls")),
    path("connexion/double/", include("allauth.mfa.urls")),
    path("connexion/", account_views.login, name="account_login"),  # the last of a name is the one reverse() gives
    path("aide/", pages.help_page, name="help"),
    path("accessibilite/", pages.accessibility, name="accessibility"),
    path("mentions-legales/", pages.legal_notices, name="legal_notices"),
    path("donnees-personnelles/", pages.personal_data, name="personal_data"),
    path("sante/", pages.health, name="health"),
    path("administration-technique/", admin.site.urls),
]
if settings.DEMONSTRATION:
    urlpatterns.append(path("demonstration/", demonstration_sign_in, name="demonstration_sign_in"))
