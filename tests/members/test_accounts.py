"""Signing in: by code, by password, with a second factor, by one click; who is current; what is said in French."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth import get_user
from django.core import mail
from django.core.cache import cache
from django.test import Client, RequestFactory

from members.accounts import DEMONSTRATION_ACCOUNTS, is_demonstration_request
from members.models import User
from members.roles import Role
from tests.support.factories import make_affiliation, make_metropole, make_organisation

pytestmark = pytest.mark.django_db
PASSWORD = "papier ramettes encre 2016"


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()  # attempts are counted there


@pytest.fixture
def person():
    return make_affiliation(make_metropole(), Role.BUYER).user


def signed_in(client: Client) -> bool:
    request = RequestFactory().get("/")
    request.session = client.session
    return get_user(request).is_authenticated


def code_in(message) -> str:
    return re.search(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", message.body, re.MULTILINE)[0]


def sign_in_by_code(client: Client, email: str):
    client.post("/connexion/login/code/", {"email": email})
    return client.post("/connexion/login/code/confirm/", {"code": code_in(mail.outbox[-1])})


def test_by_a_code_sent_by_email(client, person):
    response = client.post("/connexion/login/code/", {"email": person.email.upper(), "next": "/groupements/"})
    assert response["Location"] == "/connexion/login/code/confirm/?next=%2Fgroupements%2F"
    assert mail.outbox[0].to == [person.email]
    assert mail.outbox[0].subject == "[Groupements de commandes] Votre code de connexion"
    assert not signed_in(client)
    refused = client.post("/connexion/login/code/confirm/", {"code": "AAAA-AAAA", "next": "/groupements/"})
    assert "Ce code n’est pas le bon" in refused.content.decode()
    response = client.post("/connexion/login/code/confirm/", {"code": code_in(mail.outbox[0]), "next": "/groupements/"})
    assert response["Location"] == "/groupements/"
    assert signed_in(client)


def test_a_code_dies_after_five_wrong_tries(client, person):
    client.post("/connexion/login/code/", {"email": person.email})
    for _ in range(5):
        response = client.post("/connexion/login/code/confirm/", {"code": "AAAA-AAAA"})
    assert response.status_code == 302
    client.post("/connexion/login/code/confirm/", {"code": code_in(mail.outbox[0])})
    assert not signed_in(client)


def test_an_unknown_address_gets_the_same_page_and_no_account(client):
    response = client.post("/connexion/login/code/", {"email": "personne@nulle.example"}, follow=True)
    assert "Si un compte existe" in response.content.decode()
    assert "Aucun compte ne la porte" in mail.outbox[0].body
    assert "signup" not in mail.outbox[0].body
    assert not User.objects.exists()


def test_a_closed_account_gets_no_code(client, person):
    User.objects.update(is_active=False)
    client.post("/connexion/login/code/", {"email": person.email})
    assert not any(re.search(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", m.body, re.MULTILINE) for m in mail.outbox)


def test_by_password_where_there_is_one(client, person):
    person.set_password(PASSWORD)
    person.save()
    wrong = client.post("/connexion/", {"login": person.email, "password": "faux"})
    assert "L’adresse ou le mot de passe n’est pas le bon." in wrong.content.decode()
    assert client.post("/connexion/", {"login": person.email, "password": PASSWORD})["Location"] == "/"
    assert signed_in(client)


def test_without_password_none_opens(client, person):
    for attempt in ("", "!", person.password):
        client.post("/connexion/", {"login": person.email, "password": attempt})
        assert not signed_in(client)


def test_attempts_are_limited(client, person):
    person.set_password(PASSWORD)
    person.save()
    for _ in range(5):
        client.post("/connexion/", {"login": person.email, "password": "faux"})
    response = client.post("/connexion/", {"login": person.email, "password": PASSWORD})
    assert not signed_in(client)
    assert "Trop d’essais infructueux" in response.content.decode()


def test_nobody_signs_up(client):
    response = client.post("/connexion/signup/", {"email": "nouveau@exemple.fr", "password1": PASSWORD})
    assert "Les comptes sont ouverts par l’administrateur" in response.content.decode()
    assert not User.objects.exists()


def test_the_code_proves_the_address_and_opens_the_second_factor(client, person):
    sign_in_by_code(client, person.email)
    assert EmailAddress.objects.get().verified
    page = client.get("/connexion/double/totp/activate/")
    secret = page.context["form"].secret
    counter = next(iter(yield_hotp_counters_from_time()))
    code = format_hotp_value(hotp_value(secret, counter))
    assert client.post("/connexion/double/totp/activate/", {"code": code}).status_code == 302
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    asked = client.get("/connexion/double/recovery-codes/", follow=True)
    assert is_ours_and_in_french(asked)
    cache.clear()  # a code serves once; the next one would come 30 seconds later
    page = client.post(asked.redirect_chain[-1][0], {"code": code}, follow=True)
    assert is_ours_and_in_french(page)
    recovery = page.context["unused_codes"][0]
    for path in ("", "recovery-codes/generate/", "totp/deactivate/"):
        assert is_ours_and_in_french(client.get(f"/connexion/double/{path}"))

    other = Client()
    assert sign_in_by_code(other, person.email)["Location"] == "/connexion/double/authenticate/"
    assert not signed_in(other)
    assert is_ours_and_in_french(other.get("/connexion/double/authenticate/"))
    other.post("/connexion/double/authenticate/", {"code": "000000"})
    assert not signed_in(other)
    other.post("/connexion/double/authenticate/", {"code": recovery})
    assert signed_in(other)


def test_a_change_of_the_account_is_told_by_email(client, person):
    sign_in_by_code(client, person.email)
    client.post("/connexion/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    notice = mail.outbox[-1]
    assert (notice.to, notice.subject) == ([person.email], "[Groupements de commandes] Un mot de passe est choisi")
    assert "Adresse de l’appareil\xa0: 127.0.0.1" in notice.body
    assert "Ce n’était pas vous\u202f?" in notice.body


def test_changing_address_waits_for_its_confirmation(client, person):
    sign_in_by_code(client, person.email)
    old = person.email
    client.post("/connexion/email/", {"email": "nouvelle@exemple.fr", "action_add": ""})
    person.refresh_from_db()
    assert person.email == old
    link = re.search(r"http://testserver(/connexion/confirm-email/\S+)", mail.outbox[-1].body)[1]
    assert client.get(link).status_code == 200
    person.refresh_from_db()
    assert person.email == old  # a mail scanner that opens the link changes nothing
    client.post(link)
    person.refresh_from_db()
    assert person.email == "nouvelle@exemple.fr"


def test_signing_out_is_a_form(client, person):
    client.force_login(person)
    client.get("/connexion/logout/")
    assert signed_in(client)
    client.post("/connexion/logout/")
    assert not signed_in(client)


def is_ours_and_in_french(response) -> bool:
    html = response.content.decode()
    shown = re.sub(r"<[^>]+>", " ", html)
    assert response.status_code == 200
    assert "Données personnelles" in html  # our footer
    assert html.count("<h1>") == 1
    assert not re.search(r"\b(Sign|Password|Email|Please|Confirm|Authenticator|Recovery|Your|You|The)\b", shown)
    assert "'" not in shown
    assert "&#x27;" not in shown
    assert "style=" not in html
    return True


@pytest.mark.parametrize(
    "path",
    [
        "/connexion/",
        "/connexion/login/code/",
        "/connexion/signup/",
        "/connexion/password/reset/",
        "/connexion/password/reset/done/",
        "/connexion/password/reset/key/1-abc/",
        "/connexion/password/reset/key/done/",
        "/connexion/inactive/",
        "/connexion/confirm-email/",
        "/connexion/confirm-email/abc/",
    ],
)
def test_what_a_visitor_sees_is_ours_and_in_french(client, path):
    assert is_ours_and_in_french(client.get(path))


def test_what_a_person_sees_of_its_account_is_ours_and_in_french(client, person):
    sign_in_by_code(client, person.email)
    for path in ("logout/", "email/", "password/set/", "double/", "double/totp/activate/"):
        assert is_ours_and_in_french(client.get(f"/connexion/{path}"))
    client.post("/connexion/email/", {"email": "nouvelle@exemple.fr", "action_add": ""})
    assert is_ours_and_in_french(client.get("/connexion/email/"))  # waiting for its confirmation
    assert is_ours_and_in_french(client.get(re.search(r"http://testserver(\S+)", mail.outbox[-1].body)[1]))


def test_the_pages_that_ask_the_password_again_are_ours_and_in_french(client, person):
    person.set_password(PASSWORD)
    person.save()
    client.post("/connexion/", {"login": person.email, "password": PASSWORD})
    assert is_ours_and_in_french(client.get("/connexion/password/change/"))
    asked = client.get("/connexion/double/totp/activate/", follow=True)
    assert is_ours_and_in_french(asked)
    assert asked.redirect_chain[0][0].startswith("/connexion/reauthenticate/")


def test_a_forgotten_password_is_replaced_by_the_link(client, person):
    client.post("/connexion/password/reset/", {"email": person.email})
    link = re.search(r"http://testserver(\S+)", mail.outbox[-1].body)[1]
    page = client.get(link, follow=True)
    assert is_ours_and_in_french(page)
    path = page.redirect_chain[-1][0]
    short = client.post(path, {"password1": "papier", "password2": "papier"})
    assert "12 caractères" in short.content.decode()
    client.post(path, {"password1": PASSWORD, "password2": PASSWORD})
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert "Lien périmé" in client.get(link, follow=True).content.decode()


def test_the_two_secrets_of_a_stranger_stay_closed(client):
    for path in ("/connexion/double/", "/connexion/email/", "/connexion/password/change/", "/mon-compte/"):
        assert client.get(path)["Location"].startswith("/connexion/?next=")


# --- the one-click sign-in of the demonstration


@pytest.fixture
def demonstration(settings):
    settings.DEMONSTRATION = True
    for email, first_name, _ in DEMONSTRATION_ACCOUNTS.values():
        User.objects.create_user(email, first_name=first_name)


@pytest.mark.parametrize("profile", list(DEMONSTRATION_ACCOUNTS))
def test_one_click_opens_a_session(client, demonstration, profile):
    assert client.post("/demonstration/", {"profil": profile}).status_code == 302
    assert get_user_email(client) == DEMONSTRATION_ACCOUNTS[profile][0]


def get_user_email(client: Client) -> str:
    request = RequestFactory().get("/")
    request.session = client.session
    return get_user(request).email


@pytest.mark.parametrize(
    ("host", "extra", "exists"),
    [
        ("127.0.0.1:8000", {}, True),
        ("localhost", {}, True),
        ("[::1]", {}, True),
        ("[::1]:8000", {"REMOTE_ADDR": "::1"}, True),
        ("groupements.exemple.fr", {}, False),
        ("localhost.exemple.fr", {}, False),
        ("127.0.0.1", {"REMOTE_ADDR": "192.0.2.7"}, False),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, False),
        ("127.0.0.1", {"HTTP_X_FORWARDED_HOST": "exemple.fr"}, False),
        ("127.0.0.1", {"HTTP_X_REAL_IP": "192.0.2.7"}, False),
        ("127.0.0.1", {"HTTP_FORWARDED": "for=192.0.2.7"}, False),
    ],
)
def test_one_click_exists_for_a_local_visitor_only(client, demonstration, settings, host, extra, exists):
    settings.ALLOWED_HOSTS = ["*"]
    request = RequestFactory().get("/", HTTP_HOST=host, **extra)
    assert is_demonstration_request(request) is exists
    response = client.post("/demonstration/", {"profil": "acheteuse"}, HTTP_HOST=host, **extra)
    assert response.status_code == (302 if exists else 404)
    assert ("Essayer en un clic" in Client().get("/connexion/", HTTP_HOST=host, **extra).content.decode()) is exists


def test_one_click_needs_the_demonstration_mode_a_known_person_and_our_own_form(demonstration, settings):
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/demonstration/", {"profil": "acheteuse"})
    assert refused.status_code == 403
    assert "Formulaire expiré" in refused.content.decode()
    assert Client().post("/demonstration/", {"profil": "inconnu"}).status_code == 404
    assert Client().get("/demonstration/").status_code == 405
    settings.DEMONSTRATION = False
    assert Client().post("/demonstration/", {"profil": "acheteuse"}).status_code == 404


# --- who acts


def test_the_current_affiliation_is_the_chosen_one_and_never_another_persons(client):
    metropole = make_metropole()
    first = make_affiliation(metropole, Role.BUYER)
    second = make_affiliation(make_organisation(parent=metropole), Role.MEMBER_AGENT, user=first.user)
    stranger = make_affiliation(metropole, Role.ADMINISTRATOR)
    client.force_login(first.user)
    assert client.get("/aide/").context["affiliation"] == first
    assert client.post("/changer-affectation/", {"affiliation": second.pk}).status_code == 302
    assert client.get("/aide/").context["affiliation"] == second
    assert client.post("/changer-affectation/", {"affiliation": stranger.pk}).status_code == 404
    session = client.session
    session["affiliation"] = stranger.pk
    session.save()
    assert client.get("/aide/").context["affiliation"] == first
    second.delete()
    first.delete()
    assert client.get("/aide/").context["affiliation"] is None


def test_somebody_without_organisation_reads_why(client):
    client.force_login(User.objects.create_user("seul@exemple.fr"))
    html = client.get("/").content.decode()
    assert "n’est rattaché à aucun organisme" in html
    assert "Menu principal" not in html


def test_the_menu_stands_on_every_page_even_the_one_not_found(client, person):
    client.force_login(person)
    for path in ("/", "/aide/", "/accessibilite/", "/nulle-part/"):
        assert "Menu principal" in client.get(path).content.decode(), path


@pytest.mark.parametrize("path", ["/connexion/", "/aide/", "/sante/"])
def test_a_visitor_costs_no_query_about_people(client, path, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):  # /sante/ asks the database whether it answers
        assert client.get(path).status_code == 200
