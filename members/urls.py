"""The addresses of bodies and people: French words, English names."""

from django.urls import path

from members.views import calendars, council, directory, organisations, people

urlpatterns = [
    path("membres/", directory.organisation_list, name="organisation_list"),
    path("membres/nouveau/", organisations.organisation_create, name="organisation_create"),
    path("membres/seances/", calendars.session_calendar, name="session_calendar"),
    path("membres/seances/importer/", calendars.sessions_import, name="sessions_import"),
    path("membres/seances/modele/", calendars.sessions_template, name="sessions_template"),
    path("membres/<int:pk>/", organisations.organisation_detail, name="organisation_detail"),
    path("membres/<int:pk>/modifier/", organisations.organisation_change, name="organisation_change"),
    path("membres/<int:pk>/ajouter-communes/", organisations.epci_add_communes_view, name="epci_add_communes"),
    path("membres/<int:pk>/representants/ajouter/", council.representative_create, name="representative_create"),
    path(
        "membres/<int:pk>/representants/<int:representative_pk>/modifier/",
        council.representative_change,
        name="representative_change",
    ),
    path("membres/<int:pk>/seances/ajouter/", council.session_create, name="session_create"),
    path("membres/<int:pk>/seances/<int:session_pk>/modifier/", council.session_change, name="session_change"),
    path("membres/<int:pk>/seances/<int:session_pk>/retirer/", council.session_remove_view, name="session_remove"),
    path("mon-compte/", people.my_account, name="my_account"),
    path("changer-affectation/", people.switch_affiliation, name="switch_affiliation"),
    path("personnes/", people.people, name="people"),
    path("personnes/inviter/", people.person_invite_view, name="person_invite"),
    path("personnes/<int:pk>/retirer/", people.person_remove_view, name="person_remove"),
]
