"""By a signed link, the convention is read on screen as well: by the accessible form of what the kit holds."""

import pytest
from django.urls import reverse
from django.utils import timezone

from groupings.actions.convention import conventions_request
from groupings.actions.convention_deposit import negotiated_deposit
from groupings.links import link_token
from procurement.core.actors import SystemActor
from procurement.core.jobs import runner
from tests.support.factories import make_membership, make_organisation
from tests.support.links import kit_of, page_of

pytestmark = pytest.mark.django_db
SYSTEM = SystemActor("essai")


def reading_of(link) -> str:
    return reverse("signed_link_reading", args=[link_token(link)])


@pytest.fixture
def other(scene):
    """Another member: a grouping has two at least."""
    return make_membership(scene.grouping, make_organisation(parent=scene.grouping.coordinator, name="Voisine leaked"))


def test_the_member_reads_its_own_copy(client, scene, link, other):
    job = conventions_request(grouping=scene.grouping, actor=SYSTEM, now=timezone.now(), ring_bell=False)
    runner.run(job.pk)
    assert f'href="{reading_of(link)}"' in page_of(client, link)
    answer = client.get(reading_of(link))
    page = answer.content.decode()
    assert f"exemplaire\xa0: {scene.membership.organisation.name}" in page
    assert '<section id="article-11"' in page
    assert "no-store" in answer["Cache-Control"]
    # The parties are those of every copy; the page of signatures is its own.
    assert f"Exemplaire de la commune de {scene.membership.organisation.name}" in page.replace("d’", "de ")
    assert "Exemplaire de la commune de Voisine leaked" not in page


def test_a_negotiated_text_is_read_in_its_file_alone(client, scene, link, other):
    import io

    import docx

    out = io.BytesIO()
    docx.Document().save(out)
    now = timezone.now()
    negotiated_deposit(
        grouping=scene.grouping,
        content=out.getvalue(),
        filename="négociée.docx",
        actor=SYSTEM,
        now=now,
        reason="Accord",
    )
    page = page_of(client, link)
    assert "Convention à annexer (Word)" in page and reading_of(link) not in page
    assert client.get(reading_of(link)).status_code == 404
    file = client.get(reverse("signed_link_document", args=[link_token(link), "convention.docx"]))
    assert file.content == out.getvalue()


def test_a_convention_that_does_not_name_the_member_is_not_read(client, scene, link):
    assert client.get(reading_of(link)).status_code == 404
    kit_of(scene.membership)
    assert client.get(reading_of(link)).status_code == 404
