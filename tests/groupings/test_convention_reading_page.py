"""The text of a convention on screen and in Word: who may open which, from which version, and how fast it is read."""

import io
import zipfile
from datetime import UTC, datetime

import docx
import pytest
from django.urls import reverse

from groupings.actions.convention import convention_freeze
from groupings.models import Membership
from members.roles import Role
from procurement.core.actors import SystemActor
from tests.support.factories import make_affiliation, make_territory

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 3, 15, 10, tzinfo=UTC)


def freeze(grouping):
    return convention_freeze(grouping=grouping, actor=SystemActor("essai"), now=NOW)


@pytest.fixture
def grouping():
    _, made = make_territory(members=2, reference="GC-9", title="Papier et enveloppes")
    freeze(made)
    return made


@pytest.fixture
def commune(grouping):
    return Membership.objects.filter(grouping=grouping).exclude(organisation=grouping.coordinator).first().organisation


def enter(client, organisation, role):
    client.force_login(make_affiliation(organisation, role).user)
    return client


def test_the_buyer_reads_the_coordinator_s_copy_then_any_other(client, grouping, commune):
    enter(client, grouping.coordinator, Role.BUYER)
    page = client.get(reverse("convention_reading", args=[grouping.pk, 1])).content.decode()
    assert f"exemplaire\xa0: {grouping.coordinator.name}" in page
    assert '<section id="article-11"' in page and 'href="#article-11"' in page
    assert "<strong>projet</strong>" in page  # nobody has voted
    other = client.get(reverse("convention_reading_member", args=[grouping.pk, 1, commune.siren])).content.decode()
    assert f"exemplaire\xa0: {commune.name}" in other and f"Exemplaire de la commune d’{commune.name}" in other


def test_a_member_reads_its_own_copy_and_no_other(client, grouping, commune):
    enter(client, commune, Role.MEMBER_AGENT)
    page = client.get(reverse("convention_reading", args=[grouping.pk, 1])).content.decode()
    assert f"exemplaire\xa0: {commune.name}" in page and "d’un autre membre" not in page
    for name in ("convention_reading_member", "convention_word"):
        assert client.get(reverse(name, args=[grouping.pk, 1, commune.siren])).status_code == 200
        assert client.get(reverse(name, args=[grouping.pk, 1, grouping.coordinator.siren])).status_code == 404
    archive = client.get(reverse("convention_word_archive", args=[grouping.pk, 1]))
    assert zipfile.ZipFile(io.BytesIO(archive.content)).namelist() == [f"GC-9_{commune.siren}.docx"]


def test_a_version_or_a_member_that_does_not_exist_is_not_found(client, grouping):
    enter(client, grouping.coordinator, Role.BUYER)
    for name, arguments in (
        ("convention_reading", [grouping.pk, 2]),
        ("convention_reading_member", [grouping.pk, 1, "000000000"]),
        ("convention_word", [grouping.pk, 1, "000000000"]),
        ("convention_word_archive", [grouping.pk, 2]),
    ):
        assert client.get(reverse(name, args=arguments)).status_code == 404, name


def test_a_former_version_keeps_its_own_words(client, grouping):
    enter(client, grouping.coordinator, Role.BUYER)
    grouping.title = "Mobilier scolaire"
    grouping.save()
    freeze(grouping)
    first, second = (
        client.get(reverse("convention_reading", args=[grouping.pk, version])).context["reading"].html
        for version in (1, 2)
    )
    assert "Papier et enveloppes" in first and "Mobilier scolaire" not in first
    assert "Mobilier scolaire" in second and "Papier et enveloppes" not in second


def test_the_word_archive_holds_one_file_per_member_the_same_bytes_each_time(client, grouping):
    enter(client, grouping.coordinator, Role.BUYER)
    url = reverse("convention_word_archive", args=[grouping.pk, 1])
    content = client.get(url).content
    archive = zipfile.ZipFile(io.BytesIO(content))
    sirens = set(grouping.memberships.values_list("organisation__siren", flat=True))
    assert set(archive.namelist()) == {f"GC-9_{siren}.docx" for siren in sirens}
    for name in archive.namelist():
        assert docx.Document(io.BytesIO(archive.read(name))).core_properties.author == grouping.coordinator.name
    assert client.get(url).content == content


def test_the_page_asks_as_many_queries_for_two_members_as_for_nine(client, django_assert_max_num_queries):
    for members in (1, 8):
        metropole, made = make_territory(members=members)
        freeze(made)
        enter(client, metropole, Role.BUYER)
        with django_assert_max_num_queries(12):
            assert client.get(reverse("convention_reading", args=[made.pk, 1])).status_code == 200


def test_the_files_of_the_page_of_the_grouping_lead_to_it(client, grouping, commune):
    from groupings.actions.convention import conventions_request
    from procurement.core.jobs import runner

    job = conventions_request(grouping=grouping, actor=SystemActor("essai"), now=NOW, ring_bell=False)
    runner.run(job.pk)
    enter(client, grouping.coordinator, Role.BUYER)
    page = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    for name in ("convention_document", "convention_reading_member", "convention_word"):
        assert reverse(name, args=[grouping.pk, 1, commune.siren]) in page
    for name in ("convention_negotiated", "convention_prior"):
        assert reverse(name, args=[grouping.pk]) in page
    results = client.get(reverse("job_detail", args=[job.pk])).content.decode()
    assert reverse("convention_word_archive", args=[grouping.pk, 1]) in results
    assert reverse("convention_reading", args=[grouping.pk, 1]) in results


def test_a_reader_is_offered_no_deposit(client, grouping):
    enter(client, grouping.coordinator, Role.READER)
    page = client.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    assert reverse("convention_negotiated", args=[grouping.pk]) not in page
