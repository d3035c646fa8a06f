"""The screens of the circuit of signature: the table shared, the files for each its own, the acts on several."""

import hashlib
import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from groupings.actions.reminders import reminders_send
from groupings.models import Signature, SigningCopy
from procurement.core.jobs.models import Job
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support.deliberations import make_pdf
from tests.support.factories import adopt, make_membership, make_organisation, make_representative
from tests.support.pades import sign_pdf
from tests.support.signing import SIGNED_ON, make_signing

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_signing()


def url(scene, name="signatures", membership=None):
    arguments = [scene.grouping.pk, membership.pk] if membership else [scene.grouping.pk]
    return reverse(name, args=arguments)


def get(client, scene, person, name="signatures", membership=None):
    client.force_login(person.user)
    return client.get(url(scene, name, membership))


def page(client, scene, person, name="signatures", membership=None) -> str:
    response = get(client, scene, person, name, membership)
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def together(client, scene, what, *memberships, person=None, **values):
    client.force_login((person or scene.buyer).user)
    values["memberships"] = [membership.pk for membership in memberships]
    return client.post(url(scene, "signatures_together"), {"what": what, **values})


def keep_copy(scene, membership) -> SigningCopy:
    content = make_pdf(f"Exemplaire {membership.pk}")
    copy = SigningCopy(
        convention=scene.convention, membership=membership, sha256=hashlib.sha256(content).hexdigest(),
        size=len(content), pages=1, made_from_sha256="0" * 64,
    )  # fmt: skip
    copy.file.save("copies/x.pdf", ContentFile(content))
    return copy


def test_the_table_says_who_may_sign_and_what_the_others_wait_for(client, scene):
    scene.second.deliberations.update(received_on=None)
    scene.record(scene.first)
    shown = page(client, scene, scene.buyer)
    assert "1/3 signées" in shown
    states = re.findall(r'class="state state-\w+">.*?</svg> ([^<]+?) ?</span>', shown)
    assert states == ["En signature", "Signée", "Acte attendu", "Après les autres"]  # the coordinator last
    assert "le 20/11/2026" in shown and "depuis le 12/11/2026" in shown
    assert "Monsieur Jérôme Durand, Maire" in shown
    assert "membres peuvent signer maintenant" not in shown and "peut signer maintenant" not in shown


def test_a_member_sees_where_the_others_stand_and_only_its_own_signature(client, scene):
    scene.first.organisation.representatives.update(last_name="Secret")
    scene.record(scene.first)
    keep_copy(scene, scene.second)
    own, other = page(client, scene, scene.agent), page(client, scene, scene.other_agent)
    assert "Monsieur Jérôme Secret, Maire" in own and "le 20/11/2026" in own
    assert "Secret" not in other and "20/11/2026" not in other and "1/3 signées" in other
    assert "Pour les membres cochés" not in own
    assert get(client, scene, scene.other_agent, "signing_copy", scene.second).status_code == 200
    assert get(client, scene, scene.agent, "signing_copy", scene.second).status_code == 404
    detail = page(client, scene, scene.other_agent, "signature_detail", scene.first)
    assert "Secret" not in detail and "20/11/2026" not in detail and "Enregistrer la signature" not in detail


def test_a_member_signs_for_its_own_body_with_an_electronic_file(client, scene):
    client.force_login(scene.agent.user)
    person = scene.first.organisation.representatives.get()
    upload = SimpleUploadedFile("signée.pdf", sign_pdf(make_pdf("Autre"), "Jérôme DURAND"))
    values = {"signed_on": "20/11/2026", "representative": person.pk, "file": upload}
    assert client.post(url(scene, "signature_sign", scene.first), values).status_code == 302
    shown = page(client, scene, scene.agent, "signature_detail", scene.first)
    assert "Jérôme DURAND" in shown and "SHA256, RSA" in shown
    assert "Ce qui a été contrôlé" in shown and "eIDAS" in shown and "révocation" in shown
    assert "comparez-les à l’œil" in shown
    assert "valide" not in shown.lower()
    signature = Signature.objects.get()
    response = get(client, scene, scene.agent, "signature_file", scene.first)
    assert response["Content-Disposition"].startswith("attachment")
    assert len(response.content) == signature.size
    assert get(client, scene, scene.other_agent, "signature_file", scene.first).status_code == 404
    client.force_login(scene.other_agent.user)
    assert client.post(url(scene, "signature_sign", scene.first), values).status_code == 403


def test_a_refused_signature_keeps_what_was_typed_and_asks_for_the_reason(client, scene):
    client.force_login(scene.buyer.user)
    values = {"signed_on": "2026-11-20", "representative": "other", "signatory": "Monsieur Paul Inconnu"}
    refused = client.post(url(scene, "signature_sign", scene.first), values)
    text = refused.content.decode()
    assert refused.status_code == 422
    assert "délégation de signature" in text and "Monsieur Paul Inconnu" in text
    values["reason"] = "Arrêté 12"
    assert client.post(url(scene, "signature_sign", scene.first), values).status_code == 302
    assert "Arrêté 12" in page(client, scene, scene.buyer, "signature_detail", scene.first)
    both = {**values, "representative": scene.second.organisation.representatives.get().pk}
    assert "pas les deux" in client.post(url(scene, "signature_sign", scene.second), both).content.decode()
    nobody = {"signed_on": "2026-11-20", "representative": "other"}
    assert "Indiquez qui a signé" in client.post(url(scene, "signature_sign", scene.second), nobody).content.decode()


def test_a_file_of_60_mb_is_refused_with_a_sentence(client, scene):
    scene.record(scene.first)
    client.force_login(scene.agent.user)
    upload = SimpleUploadedFile("gros.pdf", make_pdf() + b"\n" * 60_000_000)
    refused = client.post(url(scene, "signature_deposit", scene.first), {"file": upload})
    assert refused.status_code in (413, 422)
    assert "Mo" in refused.content.decode()
    scan = SimpleUploadedFile("numérisée.pdf", make_pdf())
    assert client.post(url(scene, "signature_deposit", scene.first), {"file": scan}).status_code == 302
    shown = page(client, scene, scene.agent, "signature_detail", scene.first)
    assert "Aucune signature électronique dans ce fichier." in shown


def test_several_are_marked_and_a_refusal_keeps_the_ticks(client, scene):
    refused = together(client, scene, "mark", scene.first)
    assert refused.status_code == 422 and "Indiquez le jour de la signature" in refused.content.decode()
    assert re.search(rf'value="{scene.first.pk}"[^>]* checked', refused.content.decode())
    nothing = together(client, scene, "mark", signed_on="2026-11-20")
    assert nothing.status_code == 422 and "Cochez au moins un membre" in nothing.content.decode()
    unknown = together(client, scene, "inventer", scene.first)
    assert unknown.status_code == 422
    done = together(client, scene, "mark", scene.first, scene.second, scene.coordinator, signed_on="2026-11-20")
    assert done.status_code == 302
    assert "En vigueur" in page(client, scene, scene.buyer)
    assert together(client, scene, "mark", scene.first, person=scene.agent).status_code == 403


def test_the_copies_are_asked_for_and_downloaded_together(client, scene):
    assert together(client, scene, "download", scene.first).status_code == 422
    produced = together(client, scene, "produce", scene.first, scene.second)
    job = Job.objects.get(kind="groupings.signing_copies")
    assert produced.status_code == 302 and produced.url == reverse("job_detail", args=[job.pk])
    copies = [keep_copy(scene, membership) for membership in (scene.first, scene.second)]
    response = together(client, scene, "download", scene.first, scene.second, scene.coordinator)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = archive.namelist()
    reference = scene.grouping.reference
    assert sorted(names) == sorted(
        f"{reference}_{copy.membership.organisation.siren}_a-signer_v1.pdf" for copy in copies
    )


def test_a_reminder_leaves_once_a_day_to_those_that_may_sign_with_their_copy(client, scene):
    for membership in (scene.first, scene.second, scene.coordinator):
        membership.organisation.email = f"mairie{membership.pk}@example.org"
        membership.organisation.save()
    scene.second.deliberations.update(received_on=None)
    copy = keep_copy(scene, scene.first)
    everybody = (scene.first, scene.second, scene.coordinator)
    assert together(client, scene, "remind", *everybody).status_code == 302
    about = OutgoingMessage.objects.filter(key__startswith="signature:")
    first = about.get(recipient=f"mairie{scene.first.pk}@example.org")
    assert first.attachments[0]["sha256"] == copy.sha256
    assert url(scene, "signature_detail", scene.first) in first.text
    assert {message.organisation_id for message in about} == {scene.first.organisation_id}
    again = together(client, scene, "remind", *everybody)
    assert again.status_code == 422 and "déjà été relancés" in again.content.decode()
    assert JournalEntry.objects.filter(verb="signature.remind").count() == 1
    scene.record(scene.first)
    assert "ont signé, ou ne peuvent pas encore" in together(client, scene, "remind", scene.first).content.decode()


def test_seven_days_after_its_copy_a_member_is_reminded_by_itself_once(scene):
    scene.first.organisation.email = "mairie@example.org"
    scene.first.organisation.save()
    keep_copy(scene, scene.first)
    now, today = timezone.now(), timezone.localdate()

    def sent(days: int) -> int:
        return reminders_send(today=today + timedelta(days=days), now=now)[0]

    assert (sent(6), sent(9), sent(10)) == (0, 2, 0)  # the seventh night was missed; the mailbox and the agent
    message = OutgoingMessage.objects.get(key__startswith="signature:", recipient="mairie@example.org")
    assert ":J+7:" in message.key and message.attachments


def test_the_file_of_a_replaced_version_can_still_be_read_by_those_it_is_for(client, scene):
    scene.record(scene.first)
    client.force_login(scene.agent.user)
    scan = SimpleUploadedFile("ancienne.pdf", make_pdf())
    client.post(url(scene, "signature_deposit", scene.first), {"file": scan})
    former = scene.convention
    scene.grouping.conventions.update(status="superseded")
    scene.grouping.conventions.create(
        version=2, values=former.values, values_sha256="2" * 64, texts_sha256="2" * 64, text_sha256="2" * 64,
        status="signature", legal_basis="CCP, L2113-6", is_draft=False, frozen_at=timezone.now(),
    )  # fmt: skip
    shown = page(client, scene, scene.agent, "signature_detail", scene.first)
    assert "À signer" in shown and "ancienne.pdf" in shown
    address = url(scene, "signature_file", scene.first)
    assert client.get(address).status_code == 404
    assert client.get(f"{address}?version=1").status_code == 200
    assert [client.get(f"{address}?version={v}").status_code for v in ("2", "x", "-1")] == [404] * 3
    client.force_login(scene.other_agent.user)
    assert client.get(f"{address}?version=1").status_code == 404


def test_the_order_of_signature_is_a_choice_until_somebody_signs(client, scene):
    client.force_login(scene.buyer.user)
    assert client.post(url(scene, "signature_circuit"), {}).status_code == 302
    assert not scene.convention.coordinator_signs_last
    assert "Tous signent dans n’importe quel ordre" in page(client, scene, scene.buyer)
    scene.record(scene.coordinator)
    answered = client.post(url(scene, "signature_circuit"), {"coordinator_signs_last": "on"}, follow=True)
    assert "ne change plus" in answered.content.decode()


def test_a_grouping_without_convention_and_a_version_not_yet_final_say_so(client, scene):
    scene.grouping.conventions.update(status="comments")
    shown = page(client, scene, scene.buyer)
    assert "n’est pas à signer dans son état actuel" in shown and "Pour les membres cochés" not in shown
    scene.grouping.conventions.all().delete()
    assert "n’est pas encore produite" in page(client, scene, scene.buyer)
    assert get(client, scene, scene.buyer, "signature_detail", scene.first).status_code == 404


def test_a_text_voted_other_than_this_one_is_seen(client, scene):
    other = scene.grouping.conventions.create(
        version=9, values={}, values_sha256="1" * 64, texts_sha256="1" * 64, text_sha256="1" * 64, status="superseded",
        legal_basis="CCP, L2113-6", is_draft=False, frozen_at=timezone.now(),
    )  # fmt: skip
    scene.first.deliberations.update(convention=other)
    assert "A voté un autre texte" in page(client, scene, scene.buyer)


@pytest.mark.parametrize("person", ["buyer", "agent"])
def test_the_same_queries_for_three_members_and_for_fifty(client, scene, person, django_assert_max_num_queries):
    scene.record(scene.first)
    who = getattr(scene, person)
    client.force_login(who.user)
    with django_assert_max_num_queries(12) as few:
        client.get(url(scene))
    for number in range(47):
        body = make_organisation("commune", parent=scene.coordinator.organisation)
        make_representative(body)
        membership = make_membership(scene.grouping, body)
        adopt(membership, SIGNED_ON, number=f"N{number}")
        Signature.objects.create(
            membership=membership, convention=scene.convention, signed_on=SIGNED_ON, signatory="Essai"
        )
    convention = scene.convention
    convention.values["members"] = []
    convention.save()
    with django_assert_max_num_queries(12) as many:
        assert "48/50" in client.get(url(scene)).content.decode()
    assert len(few) == len(many)
