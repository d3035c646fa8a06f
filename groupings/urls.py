"""The addresses of groupings: French words, English names. A grouping is found by its number, since a reference is only
unique for one coordinator."""

from django.urls import path

from groupings.views import (
    cards,
    conventions,
    deliberations,
    detail,
    documents,
    exchange,
    feeds,
    home,
    kits,
    launch,
    links,
    listing,
    lots,
    mail,
    memberships,
    mine,
    needs,
    tracker,
)
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
    path("groupements/<int:pk>/membres/<int:membership_pk>/lien/", links.membership_link, name="membership_link"),
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
    path("deliberations/", tracker.deliberation_list, name="deliberation_list"),
    path("deliberations/recus/", exchange.receipts_import, name="receipts_import"),
    path("deliberations/donnees-ouvertes/", exchange.scdl_import, name="scdl_import"),
    path("deliberations/export.csv", exchange.scdl_export, name="scdl_export"),
    path("deliberations/rapprochements/", exchange.proposal_list, name="proposal_list"),
    path("deliberations/rapprochements/<int:pk>/", exchange.proposal_answer, name="proposal_answer"),
    path("deliberations/<int:pk>/", deliberations.deliberation_detail, name="deliberation_detail"),
    path("deliberations/<int:pk>/pieces/", documents.deliberation_deposit, name="deliberation_deposit"),
    path(
        "deliberations/<int:pk>/pieces/<uuid:document_pk>/",
        documents.deliberation_document,
        name="deliberation_document",
    ),
    path(
        "deliberations/<int:pk>/remarques/<slug:code>/",
        deliberations.deliberation_override,
        name="deliberation_override",
    ),
    path("deliberations/<int:pk>/<slug:step>/", deliberations.deliberation_step, name="deliberation_step"),
    path("groupements/<int:pk>/relancer/", mail.reminders_send, name="reminders_send"),
    path("courriels/", mail.mail_list, name="mail_list"),
    path("groupements/<int:pk>/kit/", kits.kit_send, name="kit_send"),
    path("groupements/<int:pk>/kit.zip", kits.kit_archive, name="kit_archive"),
    path("groupements/<int:pk>/kit/<str:siren>.<str:extension>", kits.kit_document, name="kit_document"),
    path("lien/<str:token>/", links.signed_link, name="signed_link"),
    path("lien/<str:token>/documents/<str:name>", links.signed_link_document, name="signed_link_document"),
    path("lien/<str:token>/<slug:step>/", links.signed_link_step, name="signed_link_step"),
    path("mes-deliberations/", mine.my_deliberations, name="my_deliberations"),
    path("calendrier/", feeds.calendar_feed, name="calendar_feed"),
    path("calendrier/<str:token>.ics", feeds.calendar_ics, name="calendar_ics"),
    path("taches/<uuid:pk>/", job_detail, name="job_detail"),
]
