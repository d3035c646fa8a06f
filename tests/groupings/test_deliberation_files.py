"""The files of a deliberation, from its page: deposited, read, handed over."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from groupings.models import DeliberationDocument
from procurement.core.journal.models import JournalEntry
from procurement.core.uploads import write_aside_and_move
from tests.support import deliberations as scenes
from tests.support.deliberations import (
    make_executory_today,
    make_pdf,
    page_of,
    url_of,
    vote_of_today,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def scene():
    return scenes.make_scene_of_today()


# The files


def deposit(client, scene, content, name="acte.pdf", person=None, kind="act"):
    client.force_login((person or scene.agent).user)
    file = SimpleUploadedFile(name, content, "application/pdf")
    return client.post(url_of(scene, "deliberation_deposit"), {"file": file, "kind": kind})


def test_a_deposited_file_comes_back_as_a_download_and_nothing_else(client, scene):
    content = make_pdf("Extrait du registre")
    assert deposit(client, scene, content, "Délibération n° 12.pdf").status_code == 302
    document = DeliberationDocument.objects.get()
    response = client.get(url_of(scene, "deliberation_document", document_pk=document.pk))
    assert response.content == content
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment")
    other = scene.grouping.memberships.exclude(pk=scene.membership.pk).get().deliberations.get()
    elsewhere = reverse("deliberation_document", kwargs={"pk": other.pk, "document_pk": document.pk})
    assert client.get(elsewhere).status_code == 404


def test_a_file_altered_on_disk_is_not_handed_over(client, scene):
    deposit(client, scene, make_pdf("Extrait du registre"))
    document = DeliberationDocument.objects.get()
    write_aside_and_move(document.file.name, make_pdf("Falsifié"))
    response = client.get(url_of(scene, "deliberation_document", document_pk=document.pk))
    assert response.status_code == 409
    assert "ne correspond plus à son empreinte" in response.content.decode()


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"MZ" + b"\0" * 300, "n’est pas un PDF"), (b"", "est vide"), (make_pdf("x")[:400], "tronqué")],
)
def test_a_bad_file_is_refused_in_place(client, scene, content, told):
    response = deposit(client, scene, content)
    assert response.status_code == 422
    assert told in response.content.decode()
    assert not DeliberationDocument.objects.exists()


def test_a_file_beyond_ten_megabytes_is_refused_in_place(client, scene):
    response = deposit(client, scene, make_pdf("x") + b"\n" * (10 * 1024 * 1024))
    assert response.status_code == 422
    assert "10\u00a0Mo" in response.content.decode()


def test_the_stamp_proposes_the_dates_and_writes_nothing(client, scene, today):
    vote_of_today(scene)
    actes_id = f"034-{scene.commune.siren}-{scene.past.meeting_on:%Y%m%d}-N12-DE"
    sent, received = today - timedelta(days=6), today - timedelta(days=5)
    stamped = make_pdf(
        f"Envoyé en préfecture le {sent:%d/%m/%Y}", f"Reçu en préfecture le {received:%d/%m/%Y}", f"ID : {actes_id}"
    )
    response = deposit(client, scene, stamped)
    assert response.status_code == 302
    assert "?piece=" in response["Location"]
    page = client.get(response["Location"]).content.decode()
    assert "vérifiez ces valeurs, puis enregistrez-les" in page
    for value in (sent.isoformat(), received.isoformat(), actes_id):
        assert f'value="{value}"' in page
    assert scene.deliberation.received_on is None
    assert "Lu dans" not in page_of(client, scene, scene.agent, "?piece=inconnue")


def test_a_scanned_act_asks_for_its_dates_by_hand(client, scene):
    vote_of_today(scene)
    response = deposit(client, scene, make_pdf())
    page = client.get(response["Location"]).content.decode()
    assert "à la main" in page
    assert "sans texte lisible" in page
    assert "Lire son tampon" not in page, "it has none that can be read"


def test_a_scanned_act_opens_the_boxes_it_asks_to_fill_even_when_their_dates_are_known(client, scene):
    make_executory_today(scene)
    page = client.get(deposit(client, scene, make_pdf())["Location"]).content.decode()
    assert '<details class="step no-print" id="effets">' not in page
    assert '<div class="no-print" id="effets">' in page


def test_before_the_vote_nothing_is_proposed(client, scene):
    response = deposit(client, scene, make_pdf("Projet"))
    assert response["Location"].endswith("#pieces")
    assert JournalEntry.objects.filter(verb="deliberation.deposit").count() == 1
