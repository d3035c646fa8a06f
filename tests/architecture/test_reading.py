"""A GET never writes, and every page fits a reader who has no JavaScript."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.architecture.test_permissions import SIGN_IN, SIGN_IN_ARGUMENTS, rows
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|DROP|ALTER|CREATE)\b", re.IGNORECASE)
OURS = [name for name, method, _ in rows() if method == "GET"]


@pytest.fixture
def world():
    return make_world("ici")


def writes_of(client, url) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
        if response.streaming:
            b"".join(response.streaming_content)
    return [query["sql"] for query in captured.captured_queries if WRITES.match(query["sql"])]


@pytest.mark.parametrize("name", OURS)
def test_a_get_never_writes(client, world, name):
    url = reverse(name, kwargs=world.arguments().get(name))
    assert writes_of(client, url) == []
    for person in world.people.values():
        client.force_login(person.user)
        assert writes_of(client, url) == [], f"{name} {person.role}"


@pytest.mark.parametrize("name", SIGN_IN)
def test_signing_in_writes_its_own_tables_only(client, world, name):
    url = reverse(name, kwargs=SIGN_IN_ARGUMENTS.get(name))
    for person in (None, world.people["buyer"]):
        if person:
            client.force_login(person.user)
        for sql in writes_of(client, url):
            assert re.search(r'"(django_session|account_\w+|mfa_\w+)"', sql), sql


@pytest.mark.parametrize("name", OURS)
def test_pages_hold_nothing_inline(client, world, name):
    """The content security policy would drop it: no style attribute, no script nor style element, no handler."""
    client.force_login(world.people["administrator"].user)
    response = client.get(reverse(name, kwargs=world.arguments().get(name)))
    if response.status_code != 200 or not response["Content-Type"].startswith("text/html"):
        return
    page = response.content.decode()
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<style\b", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert 'lang="fr"' in page
    assert len(re.findall(r"<h1\b", page)) == 1
    assert len(re.findall(r"<main\b", page)) == 1
    title = re.search(r"<title>(.*?)</title>", page, re.DOTALL).group(1)
    assert title.strip()


def test_every_form_that_writes_is_protected(client, world):
    client.force_login(world.people["administrator"].user)
    forms = 0
    for name in OURS:
        response = client.get(reverse(name, kwargs=world.arguments().get(name)))
        if response.streaming or not response["Content-Type"].startswith("text/html"):
            continue
        for form in re.findall(r"<form\b.*?</form>", response.content.decode(), re.DOTALL):
            if 'method="post"' in form:
                forms += 1
                assert "csrfmiddlewaretoken" in form, name
    assert forms > 20


@pytest.mark.parametrize("name", ["my_account", "organisation_create", "session_remove"])
def test_a_post_without_its_token_is_refused(world, name):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(world.people["buyer"].user)
    assert client.post(reverse(name, kwargs=world.arguments().get(name))).status_code == 403
