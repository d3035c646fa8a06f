"""Signing in: a code by e-mail, a password, one click on a local demonstration and nowhere else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from members.accounts import DEMONSTRATION_ACCOUNTS
from members.models import User
from tests.support.factories import make_affiliation, make_metropole

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_memory_of_former_attempts():
    cache.clear()


def test_a_code_sent_by_email_opens_the_session(client):
    person = make_affiliation(make_metropole()).user
    response = client.post(reverse("account_request_login_code"), {"email": person.email})
    assert response.url == reverse("account_confirm_login_code")
    code = re.search(r"\b[A-Z0-9]{4}-?[A-Z0-9]{4}\b", mail.outbox[0].body).group()
    assert mail.outbox[0].to == [person.email]
    response = client.post(response.url, {"code": code})
    assert response.url == reverse("home")
    assert client.get(reverse("home")).status_code == 200


def test_a_wrong_code_opens_nothing(client):
    person = make_affiliation(make_metropole()).user
    response = client.post(reverse("account_request_login_code"), {"email": person.email})
    assert client.post(response.url, {"code": "AAAA-AAAA"}).status_code == 200
    assert client.get(reverse("home")).status_code == 302


def test_an_unknown_address_gets_the_same_answer_as_a_known_one(client):
    known = make_affiliation(make_metropole()).user
    answers = [
        client.post(reverse("account_request_login_code"), {"email": email}).url
        for email in (known.email, "inconnu@example.org")
    ]
    assert answers[0] == answers[1]


def test_a_password_works_where_there_is_one(client):
    person = make_affiliation(make_metropole()).user
    person.set_password("un mot de passe assez long")
    person.save()
    response = client.post(reverse("account_login"), {"login": person.email, "password": "un mot de passe assez long"})
    assert response.status_code == 302 and client.get(reverse("home")).status_code == 200


def test_nobody_signs_up(client):
    response = client.post(reverse("account_signup"), {"email": "nouveau@example.org"})
    assert response.status_code in (200, 403) and not User.objects.filter(email="nouveau@example.org").exists()


@pytest.fixture
def demonstration_buyer(settings):
    settings.DEMONSTRATION = True
    metropole = make_metropole()
    user = User.objects.create_user(DEMONSTRATION_ACCOUNTS["acheteuse"][0])
    return make_affiliation(metropole, user=user)


def test_the_demonstration_opens_in_one_click(client, demonstration_buyer):
    assert client.post("/demonstration/", {"profil": "acheteuse"}).status_code == 302
    assert client.get(reverse("home")).status_code == 200


@pytest.mark.parametrize(
    "circumstance",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_HOST": "groupements.example.org"},
    ],
)
def test_the_one_click_exists_only_on_a_local_address(client, demonstration_buyer, settings, circumstance):
    settings.ALLOWED_HOSTS = ["*"]
    assert client.post("/demonstration/", {"profil": "acheteuse"}, **circumstance).status_code == 404
    assert b"Essayer en un clic" not in client.get(reverse("account_login"), **circumstance).content


def test_the_one_click_exists_only_in_demonstration_mode(client, demonstration_buyer, settings):
    settings.DEMONSTRATION = False
    assert client.post("/demonstration/", {"profil": "acheteuse"}).status_code == 404
    assert b"Essayer en un clic" not in client.get(reverse("account_login")).content


def test_a_link_cannot_sign_anybody_in(client, demonstration_buyer):
    assert client.get("/demonstration/", {"profil": "acheteuse"}).status_code == 405


def _check(tmp_path, **environment):
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DEMONSTRATION")}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "DATA_DIR": str(tmp_path), **environment}, capture_output=True, text=True
    )


def test_production_settings_pass_check_deploy(tmp_path):
    secret = "une-cle-d-essai-assez-longue-pour-django-" + "0123456789abcdefghij" * 2
    done = _check(
        tmp_path, SECRET_KEY=secret, ALLOWED_HOSTS="groupements.example.org", SITE_URL="https://groupements.example.org"
    )
    assert done.returncode == 0, done.stderr


def test_the_demonstration_on_a_public_name_is_refused_at_start(tmp_path):
    done = _check(
        tmp_path,
        DEMONSTRATION="true",
        ALLOWED_HOSTS="groupements.example.org",
        SITE_URL="https://groupements.example.org",
    )
    assert done.returncode != 0 and "n’accepte qu’une adresse locale" in done.stderr
