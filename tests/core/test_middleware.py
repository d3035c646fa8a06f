"""Reading never writes; a refusal is a sentence where the user is looking."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxMiddleware

from members.models import Organisation, User
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.middleware import BusinessErrorMiddleware, ReadOnlyGetMiddleware, WriteDuringRead
from tests.support.factories import make_metropole


def run(view, method="GET", path="/", **headers):
    """``view`` behind the middleware under test, asked with ``method``."""
    return ReadOnlyGetMiddleware(view)(RequestFactory().generic(method, path, **headers))


def _create():
    make_metropole()


def _update():
    Organisation.objects.update(name="Autre")


def _delete():
    Organisation.objects.all().delete()


def _touch_person():
    User.objects.update(last_login=None, is_staff=True)


def _raw():
    with connection.cursor() as cursor:
        cursor.execute("  update members_organisation set name = 'django_session'")


@pytest.mark.django_db
@pytest.mark.parametrize("write", [_create, _update, _delete, _touch_person, _raw])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_cannot_write(write, method):
    make_metropole(name="Métropole d’origine")

    def view(request):
        write()
        return HttpResponse()

    with pytest.raises(WriteDuringRead), transaction.atomic():
        run(view, method)
    assert [body.name for body in Organisation.objects.all()] == ["Métropole d’origine"]


@pytest.mark.django_db
def test_a_form_may_write():
    def view(request):
        _create()
        return HttpResponse()

    run(view, "POST")
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
def test_reading_may_keep_the_session_and_read_everything():
    def view(request):
        Session.objects.create(session_key="k", session_data="", expire_date="2030-01-01T00:00:00Z")
        list(Organisation.objects.select_for_update().filter(name="UPDATE members"))
        return HttpResponse("lu")

    assert run(view).content == b"lu"


def refuse(error, **headers):
    """What the user gets when a view lets ``error`` out."""
    request = RequestFactory().get("/", **headers)
    HtmxMiddleware(lambda request: HttpResponse())(request)
    return BusinessErrorMiddleware(lambda request: HttpResponse()).process_exception(request, error)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (BusinessError("Le groupement <b>est clos."), 409, "Action impossible"),
        (NotAllowed("Le groupement <b>est clos."), 403, "Accès refusé"),
    ],
)
def test_a_refusal_is_a_page_with_its_sentence(error, status, title):
    response = refuse(error)
    html = response.content.decode()
    assert response.status_code == status
    assert f"<h1>{title}</h1>" in html
    assert "Le groupement &lt;b&gt;est clos." in html


@pytest.mark.django_db
def test_under_htmx_the_sentence_alone_goes_to_the_top_of_the_page():
    response = refuse(BusinessError("Le groupement est clos."), headers={"HX-Request": "true"})
    assert response.status_code == 409
    assert response["HX-Retarget"] == "#refusal"
    assert "Le groupement est clos." in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_crash_stays_a_crash():
    assert refuse(ZeroDivisionError()) is None


@pytest.mark.django_db
def test_a_session_that_ended_sends_the_whole_page_to_the_sign_in(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/groupements/?q=papier"}
    response = client.get("/groupements/?q=pap", headers=headers)
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/connexion/?next=%2Fgroupements%2F%3Fq%3Dpapier"
    assert not response.content


@pytest.mark.django_db
def test_without_htmx_it_redirects_as_usual(client):
    response = client.get("/groupements/")
    assert (response.status_code, response["Location"]) == (302, "/connexion/?next=/groupements/")


@pytest.mark.django_db
def test_a_request_under_a_foreign_name_gets_a_plain_page(client):
    response = client.get("/", HTTP_HOST="autre.exemple.fr")
    assert response.status_code == 400
    assert "Demande incomprise" in response.content.decode()


@pytest.mark.django_db
def test_a_crash_shows_a_page_that_needs_nothing(client, monkeypatch):
    def crash(*args, **kwargs):
        raise ZeroDivisionError

    client.raise_request_exception = False
    monkeypatch.setattr("procurement.core.views.pages.render", crash)
    response = client.get("/aide/")
    assert response.status_code == 500
    assert "Erreur technique" in response.content.decode()
    assert "ZeroDivisionError" not in response.content.decode()
