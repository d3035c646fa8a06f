"""The kit of each member: produced, annexed with its hash, sent once, inside the perimeter."""

import hashlib
import io
import zipfile
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from groupings.actions.kit import kits_request
from groupings.models import ConventionDocument, DraftDocument, SignedLink
from members.models import Organisation
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.jobs import runner
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support.factories import make_affiliation, make_membership, make_metropole, make_organisation, make_territory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


@pytest.fixture
def territory():
    """A métropole and two communes with a mailbox each, the convention ready to be frozen."""
    metropole, grouping = make_territory(
        members=2, lots=2, status="convention", deliberations_due_on=date(2027, 1, 15), title="Papier & enveloppes"
    )
    for body in Organisation.objects.all():
        body.email = f"contact-{body.pk}@mairie.example"
        body.save()
    return metropole, grouping


def ask(grouping, actor, memberships=None, *, send=True):
    chosen = list(grouping.memberships.select_related("organisation")) if memberships is None else memberships
    return kits_request(grouping=grouping, memberships=chosen, send=send, actor=actor, now=timezone.now(), today=TODAY)


def test_one_click_freezes_produces_and_sends(territory):
    metropole, grouping = territory
    job = ask(grouping, make_affiliation(metropole))
    done = runner.run(job.pk)
    assert (done.status, done.message) == ("done", "3 kits envoyés.")

    grouping.refresh_from_db()
    assert grouping.status == "deliberations"
    assert ConventionDocument.objects.count() == 3
    assert DraftDocument.objects.count() == 6
    for membership in grouping.memberships.select_related("organisation"):
        assert membership.deliberations.get().status == "draft_sent"
        (message,) = OutgoingMessage.objects.filter(organisation=membership.organisation)
        assert message.recipient == membership.organisation.email
        assert message.subject == "Avant le 15/01/2027 – Délibérer sur le groupement\u00a0: Papier & enveloppes"
        assert "/lien/" in message.text
        assert "Papier & enveloppes" in message.text  # plain text is not HTML
        names = [attachment["name"] for attachment in message.attachments]
        stem = f"{grouping.reference}_{membership.organisation.siren}"
        assert names == [f"{stem}.pdf", f"{stem}_deliberation.docx", f"{stem}_deliberation.pdf"]
    assert SignedLink.objects.count() == 3
    assert JournalEntry.objects.filter(verb="kit.send").count() == 3


def test_a_deadline_already_past_is_told_as_past(territory):
    metropole, grouping = territory
    grouping.deliberations_due_on = date(2026, 1, 15)
    grouping.save()
    runner.run(ask(grouping, make_affiliation(metropole)).pk)
    subjects = set(OutgoingMessage.objects.values_list("subject", flat=True))
    assert subjects == {"Échéance du 15/01/2026 dépassée – Délibérer sur le groupement\u00a0: Papier & enveloppes"}


def test_the_draft_annexes_the_convention_by_its_hash(territory):
    metropole, grouping = territory
    runner.run(ask(grouping, make_affiliation(metropole), send=False).pk)
    for draft in DraftDocument.objects.filter(format="docx"):
        annexed = ConventionDocument.objects.get(membership=draft.membership)
        with draft.file.open("rb") as stream:
            content = stream.read()
        text = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
        assert annexed.sha256 in text.replace("\u200b", "")
        assert hashlib.sha256(content).hexdigest() == draft.sha256


def test_produced_only_sends_nothing_and_moves_nothing(territory):
    metropole, grouping = territory
    done = runner.run(ask(grouping, make_affiliation(metropole), send=False).pk)
    assert done.message == "3 kits produits."
    grouping.refresh_from_db()
    assert grouping.status == "convention"
    assert not OutgoingMessage.objects.exists()
    assert set(grouping.memberships.values_list("deliberations__status", flat=True)) == {"to_schedule"}


def test_asked_twice_while_running_is_one_job_and_one_mail_each(territory):
    metropole, grouping = territory
    buyer = make_affiliation(metropole)
    first = ask(grouping, buyer)
    grouping.refresh_from_db()
    assert ask(grouping, buyer).pk == first.pk
    runner.run(first.pk)
    assert runner.run(first.pk) is None
    assert OutgoingMessage.objects.count() == 3


def test_a_member_without_address_is_named(territory):
    metropole, grouping = territory
    member = grouping.memberships.exclude(organisation=metropole).first()
    Organisation.objects.filter(pk=member.organisation_id).update(email="")
    done = runner.run(ask(grouping, make_affiliation(metropole)).pk)
    assert done.message == f"2 kits envoyés. Sans adresse électronique\u00a0: {member.organisation.name}."


def test_a_vote_already_held_is_not_sent_back(territory):
    metropole, grouping = territory
    voted = grouping.memberships.exclude(organisation=metropole).first()
    voted.deliberations.update(status="adopted", decided_on=date(2026, 10, 1))
    runner.run(ask(grouping, make_affiliation(metropole)).pk)
    assert voted.deliberations.get().status == "adopted"


def test_the_contact_the_mailbox_and_the_agents_each_receive_it_once(territory):
    metropole, grouping = territory
    membership = grouping.memberships.exclude(organisation=metropole).first()
    membership.contact_email = membership.organisation.email.upper()
    membership.save()
    agent = make_affiliation(membership.organisation, Role.MEMBER_AGENT)
    gone = make_affiliation(membership.organisation, Role.MEMBER_AGENT)
    gone.user.is_active = False
    gone.user.save()
    runner.run(ask(grouping, make_affiliation(metropole), [membership]).pk)
    received = set(OutgoingMessage.objects.values_list("recipient", flat=True))
    assert received == {membership.organisation.email, agent.user.email}


def test_what_cannot_be_sent(territory):
    metropole, grouping = territory
    buyer = make_affiliation(metropole)
    with pytest.raises(BusinessError, match="Cochez"):
        ask(grouping, buyer, [])
    agent = make_affiliation(grouping.memberships.last().organisation, Role.MEMBER_AGENT)
    with pytest.raises(NotAllowed):
        ask(grouping, agent)
    grouping.status = "needs"
    grouping.save()
    with pytest.raises(BusinessError, match="une fois les besoins recensés"):
        ask(grouping, buyer)
    assert not OutgoingMessage.objects.exists()


def test_the_screen_and_its_files(client, territory):
    metropole, grouping = territory
    client.force_login(make_affiliation(metropole).user)
    url = reverse("kit_send", args=[grouping.pk])
    page = client.get(url).content.decode()
    assert all(body.email in page for body in Organisation.objects.all())
    assert client.post(url, {"send": "send"}).status_code == 422
    members = list(grouping.memberships.values_list("pk", flat=True))
    response = client.post(url, {"send": "send", "memberships": members})
    job_url = response["Location"]
    runner.run(job_url.strip("/").split("/")[-1])
    page = client.get(job_url).content.decode()
    assert "Télécharger les 3 kits (ZIP)" in page

    archive = client.get(reverse("kit_archive", args=[grouping.pk]))
    names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert len(names) == 9
    sirens = {body.siren for body in Organisation.objects.all()}
    assert {name.split("/")[0] for name in names} == sirens
    assert client.get(reverse("kit_archive", args=[grouping.pk])).content == archive.content


def test_a_member_opens_its_own_kit_and_no_other(client, territory):
    metropole, grouping = territory
    runner.run(ask(grouping, make_affiliation(metropole)).pk)
    own, other = (m.organisation for m in grouping.memberships.exclude(organisation=metropole))
    client.force_login(make_affiliation(own, Role.MEMBER_AGENT).user)
    address = {body: reverse("kit_document", args=[grouping.pk, body.siren, "docx"]) for body in (own, other)}
    assert client.get(address[own]).status_code == 200
    assert client.get(address[other]).status_code == 404
    names = zipfile.ZipFile(io.BytesIO(client.get(reverse("kit_archive", args=[grouping.pk])).content)).namelist()
    assert {name.split("/")[0] for name in names} == {own.siren}
    assert client.get(reverse("kit_document", args=[grouping.pk, own.siren, "exe"])).status_code == 404

    stranger = make_metropole()
    client.force_login(make_affiliation(stranger).user)
    assert client.get(reverse("kit_archive", args=[grouping.pk])).status_code == 404


def test_the_last_versions_kits_are_those_offered(client, territory):
    """A need changes, the convention is frozen again: the drafts of the former version are not handed over."""
    metropole, grouping = territory
    buyer = make_affiliation(metropole)
    runner.run(ask(grouping, buyer, send=False).pk)
    commune = make_organisation(parent=metropole, name="Commune arrivée tard")
    make_membership(grouping, commune)
    late = list(grouping.memberships.filter(organisation=commune).select_related("organisation"))
    runner.run(ask(grouping, buyer, late, send=False).pk)
    client.force_login(buyer.user)
    names = zipfile.ZipFile(io.BytesIO(client.get(reverse("kit_archive", args=[grouping.pk])).content)).namelist()
    assert {name.split("/")[0] for name in names} == {commune.siren}
