"""Django's own administration, for the technical staff: looking, and opening the first doors of an organisation.

Bodies, mandates and sessions are read only: they change through the actions of the product. A role is given and taken
back through the same actions as on screen, journalled under the name of the technician.
"""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from members.models import Affiliation, CouncilSession, Organisation, Representative, User
from members.people import affiliation_grant, affiliation_remove
from procurement.core.actors import SystemActor

# The staff signs in by the same door as everybody: code or password, second factor, throttling.
admin.site.login = secure_admin_login(admin.site.login)
admin.site.site_header = admin.site.site_title = "Administration technique"
# Rights come from affiliations; addresses and second factors are their owner's: changing them would open an account.
admin.site.unregister([Group, EmailAddress, Authenticator])


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "siren", "parent")
    list_filter = ("kind",)
    list_select_related = ("parent",)
    search_fields = ("sort_name", "siren")


@admin.register(Representative)
class RepresentativeAdmin(ReadOnlyAdmin):
    list_display = ("last_name", "first_name", "organisation", "capacity", "start_on", "end_on")
    list_select_related = ("organisation",)
    search_fields = ("last_name", "organisation__sort_name")


@admin.register(CouncilSession)
class CouncilSessionAdmin(ReadOnlyAdmin):
    list_display = ("organisation", "meeting_on", "agenda_closes_on", "convened_on")
    list_select_related = ("organisation",)
    search_fields = ("organisation__sort_name",)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """An account is closed and opened again here; nothing else of it changes, and its password is never shown."""

    list_display = ("email", "last_name", "first_name", "is_active", "last_login")
    search_fields = ("email", "last_name")
    fields = ("email", "first_name", "last_name", "is_active", "is_staff", "date_joined", "last_login")
    readonly_fields = ("email", "first_name", "last_name", "is_staff", "date_joined", "last_login")

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return request.user.is_superuser and (obj is None or obj.pk != request.user.pk)


@admin.register(Affiliation)
class AffiliationAdmin(admin.ModelAdmin):
    list_display = ("user", "role", "organisation")
    list_filter = ("role",)
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "user__last_name", "organisation__sort_name")
    autocomplete_fields = ("user", "organisation")
    actions = None  # the bulk deletion would go round the journal

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Affiliation, form, change: bool) -> None:
        granted = affiliation_grant(
            user=obj.user, organisation=obj.organisation, role=obj.role, actor=_technician(request)
        )
        obj.pk = granted.pk

    def delete_model(self, request: HttpRequest, obj: Affiliation) -> None:
        affiliation_remove(affiliation=obj, actor=_technician(request))


def _technician(request: HttpRequest) -> SystemActor:
    return SystemActor(f"{request.user}, équipe technique", user_id=request.user.pk)
