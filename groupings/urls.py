"""The addresses of groupings: French words, English names. A grouping is found by its number, since a reference is only
unique for one coordinator."""

from django.urls import path

from groupings.views import cards, conventions, detail, home, launch, listing, lots, memberships, needs
from procurement.core.jobs.views import job_detail

urlpatterns = [
    path("", home.home, name="home"),
    path("groupements/", listing.grouping_list, name="grouping_list"),
    path("groupements/nouveau/", cards.grouping_create, name="grouping_create"),
    path("groupements/nouveau-declare/", cards.grouping_create_declared, name="grouping_create_declared"),
    path("groupements/<int:pk>/", detail.grouping_detail, name="grouping_detail"),
    path("groupements/<int:pk>/modifier/", cards.grouping_change, name="grouping_change"),
    path("groupements/<int:pk>/etape/", cards.grouping_advance_step, name="grouping_advance"),
    path("groupements/<int:pk>/lancer-sans/", launch.grouping_launch_without_members, name="grouping_launch_without"),
    path("groupements/<int:pk>/lots/nouveau/", lots.lot_create, name="lot_create"),
    path("groupements/<int:pk>/lots/<int:lot_pk>/modifier/", lots.lot_change, name="lot_change"),
    path("groupements/<int:pk>/lots/<int:lot_pk>/retirer/", lots.lot_remove_confirm, name="lot_remove"),
    path("groupements/<int:pk>/membres/ajouter/", memberships.membership_create, name="membership_create"),
    path(
        "groupements/<int:pk>/membres/<int:membership_pk>/modifier/",
        memberships.membership_change,
        name="membership_change",
    ),
    path("groupements/<int:pk>/besoins/", needs.needs_table, name="needs_table"),
    path("groupements/<int:pk>/besoins/<int:membership_pk>/", needs.needs_change, name="needs_change"),
    path("groupements/<int:pk>/conventions/generer/", conventions.convention_generate, name="convention_generate"),
    path(
        "groupements/<int:pk>/conventions/<int:version>/<str:siren>.pdf",
        conventions.convention_document,
        name="convention_document",
    ),
    path(
        "groupements/<int:pk>/conventions/<int:version>.zip", conventions.convention_archive, name="convention_archive"
    ),
    path("taches/<uuid:pk>/", job_detail, name="job_detail"),
]
