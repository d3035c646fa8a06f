"""Files of evidence and signatures: what is kept, what is refused, and that it is told."""

import hashlib
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage

from groupings.actions.evidence import document_deposit
from groupings.actions.signatures import signature_record, signature_remove
from groupings.evidence import read_stamp
from groupings.models import Convention, DeliberationDocument, Signature
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support import deliberations as scenes
from tests.support.deliberations import MEETING_ON, TODAY, make_pdf
from tests.support.factories import make_affiliation, make_grouping, make_organisation

pytestmark = pytest.mark.django_db
ACT = make_pdf("Extrait du registre des délibérations")


@pytest.fixture
def scene():
    return scenes.make_scene()


def deposit(scene, content=ACT, filename="acte.pdf", actor=None, **options):
    return document_deposit(
        deliberation=scene.deliberation, content=content, filename=filename, actor=actor or scene.agent, **options
    )


def test_a_file_lies_outside_the_web_root_under_a_random_name(scene):
    document = deposit(scene, filename="../../Délibération de la commune.pdf")
    assert document.original_name == "Délibération de la commune.pdf"
    assert document.sha256 == hashlib.sha256(ACT).hexdigest()
    assert (document.size, document.has_text, document.extension) == (len(ACT), True, "pdf")
    assert document.file.name == f"deliberations/{document.id.hex[:2]}/{document.id.hex}.pdf"
    assert document.deposited_by == scene.agent.actor_label
    with default_storage.open(document.file.name) as stream:
        assert stream.read() == ACT
    roots = [settings.STATIC_ROOT, *settings.STATICFILES_DIRS]
    assert not any(str(default_storage.location).startswith(str(root)) for root in roots if root)


def test_a_deposit_is_journalled_with_its_hash(scene):
    document = deposit(scene)
    entry = JournalEntry.objects.latest("pk")
    assert entry.verb == "deliberation.deposit"
    assert entry.after["sha256"] == document.sha256
    assert entry.after["deliberation"] == scene.deliberation.pk
    assert entry.concerns_id == scene.commune.pk


def test_the_same_bytes_twice_are_one_row_and_one_entry(scene):
    first = deposit(scene)
    assert deposit(scene, filename="copie.pdf", actor=scene.buyer) == first
    assert JournalEntry.objects.filter(verb="deliberation.deposit").count() == 1
    assert deposit(scene, make_pdf("Une autre")) != first


def test_a_scanned_act_is_kept_and_known_to_have_no_text(scene):
    assert deposit(scene, make_pdf()).has_text is False


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "est vide"),
        (b"MZ" + b"\0" * 500, "n’est pas un PDF"),
        (b"MZ" + ACT, "n’est pas un PDF"),
        (ACT[: len(ACT) // 2], "tronqué"),
        (ACT + b"\n" * (10 * 1024 * 1024), "10\u00a0Mo"),
        (b"<?xml version='1.0'?><a/>", "n’est pas un PDF"),
    ],
)
def test_a_bad_file_is_refused_and_leaves_nothing(scene, content, told):
    folder = default_storage.path("deliberations")
    before = sorted(str(path) for path in Path(folder).rglob("*"))
    with pytest.raises(BusinessError, match=told) as refused:
        deposit(scene, content, "délibération.pdf")
    assert refused.value.field == "file"
    assert not DeliberationDocument.objects.exists()
    assert not JournalEntry.objects.exists()
    assert sorted(str(path) for path in Path(folder).rglob("*")) == before


BOMB = (
    b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>"""
)


def test_an_xml_bomb_is_not_a_receipt(scene):
    with pytest.raises(BusinessError) as refused:
        deposit(scene, BOMB, "ar.xml", kind="receipt")
    assert refused.value.field == "file"
    assert not DeliberationDocument.objects.exists()


def test_a_kind_that_does_not_exist(scene):
    with pytest.raises(BusinessError, match="nature de pièce"):
        deposit(scene, kind="photo")


def test_who_may_deposit(scene):
    neighbour = make_organisation(parent=scene.metropole)
    for number, actor in enumerate((scene.buyer, scene.jurist, scene.agent, make_affiliation(scene.commune))):
        deposit(scene, make_pdf(f"Acte {number}"), actor=actor)
    for actor in (
        make_affiliation(scene.metropole, Role.FINANCE),
        make_affiliation(scene.metropole, Role.READER),
        make_affiliation(scene.metropole, Role.ADMINISTRATOR),
        make_affiliation(neighbour, Role.MEMBER_AGENT),
    ):
        with pytest.raises(NotAllowed):
            deposit(scene, actor=actor)


def test_nothing_is_deposited_in_an_abandoned_grouping(scene):
    scene.grouping.status = "cancelled"
    scene.grouping.save()
    with pytest.raises(BusinessError, match="abandonné"):
        deposit(scene)


def test_the_stamp_of_a_deposited_act_is_read_for_a_person_to_confirm(scene):
    scenes.vote(scene)
    actes_id = f"034-{scene.commune.siren}-20261112-N12-DE"
    stamped = deposit(
        scene,
        make_pdf(
            "Envoyé en préfecture le 16/11/2026",
            "Reçu en préfecture le 17/11/2026",
            "Publié le 18/11/2026",
            f"ID : {actes_id}",
        ),
    )
    reading = read_stamp(stamped)
    assert reading.initial["received_on"] == date(2026, 11, 17)
    assert reading.initial["transmitted_on"] == date(2026, 11, 16)
    assert reading.initial["actes_id"] == actes_id
    assert scene.deliberation.received_on is None  # read, not written
    assert read_stamp(deposit(scene, make_pdf())).initial == {}
    assert "à la main" in read_stamp(deposit(scene, make_pdf())).sentence


# Signatures


def record(scene, signed_on=TODAY, actor=None, **options):
    options.setdefault("signatory", "Madame Anne Essai, maire")
    return signature_record(
        membership=scene.membership, signed_on=signed_on, actor=actor or scene.buyer, today=TODAY, **options
    )


def test_the_signature_follows_the_enforceable_act(scene):
    for bring in (lambda: None, lambda: scenes.vote(scene), lambda: scenes.effect(scene, published_on=MEETING_ON)):
        bring()
        with pytest.raises(BusinessError, match="précèdent la signature"):
            record(scene)
    scenes.effect(scene, received_on=date(2026, 11, 16), published_on=date(2026, 11, 18))
    with pytest.raises(BusinessError, match="18/11/2026") as early:
        record(scene, date(2026, 11, 17))
    assert early.value.field == "signed_on"
    with pytest.raises(BusinessError, match="n’est pas encore venu"):
        record(scene, date(2026, 12, 2))
    assert not Signature.objects.exists()
    signature = record(scene, date(2026, 11, 18), signatory="  Madame Anne   Essai ")
    assert signature.signatory == "Madame Anne Essai"
    entry = JournalEntry.objects.latest("pk")
    assert (entry.verb, entry.concerns_id) == ("signature.record", scene.commune.pk)


def test_a_member_signs_once(scene):
    scenes.make_executory(scene)
    record(scene)
    with pytest.raises(BusinessError, match=r"Madame Anne Essai, maire, le 01/12/2026"):
        record(scene, signatory="Monsieur Autre")
    assert Signature.objects.count() == 1


def test_a_member_dispensed_from_voting_signs_once_the_grouping_is_open(scene):
    scenes.reverse_step(scene, "waive")
    with pytest.raises(BusinessError, match="01/09/2026"):
        record(scene, date(2026, 8, 31))
    assert record(scene, date(2026, 9, 1)).signed_on == date(2026, 9, 1)


def test_a_challenged_act_may_be_signed_and_an_annulled_one_may_not(scene):
    scenes.bring_to(scene, "challenged")
    scenes.reverse_step(scene, "annul")
    with pytest.raises(BusinessError, match="précèdent la signature"):
        record(scene)


def test_the_text_signed_is_one_of_the_grouping(scene):
    scenes.make_executory(scene)
    elsewhere = make_grouping(scene.metropole)
    texts = [
        Convention.objects.create(
            grouping=grouping,
            version=1,
            values={},
            values_sha256="0" * 64,
            texts_sha256="0" * 64,
            legal_basis="CCP, L2113-6",
            is_draft=False,
            frozen_at="2026-11-01T10:00:00Z",
        )
        for grouping in (elsewhere, scene.grouping)
    ]
    with pytest.raises(BusinessError, match="autre groupement"):
        record(scene, convention=texts[0])
    assert record(scene, convention=texts[1]).convention == texts[1]


def test_only_the_coordinator_records_and_erases_signatures(scene):
    scenes.make_executory(scene)
    for actor in (scene.agent, make_affiliation(scene.commune), make_affiliation(scene.metropole, Role.FINANCE)):
        with pytest.raises(NotAllowed):
            record(scene, actor=actor)
        with pytest.raises(NotAllowed):
            signature_remove(membership=scene.membership, actor=actor, today=TODAY, reason="Erreur")
    record(scene, actor=scene.jurist)


def test_a_signature_is_erased_with_a_reason_and_never_after_the_launch(scene):
    scenes.make_executory(scene)
    with pytest.raises(BusinessError, match="Aucune signature"):
        signature_remove(membership=scene.membership, actor=scene.buyer, today=TODAY, reason="Erreur")
    record(scene)
    with pytest.raises(BusinessError, match="Indiquez le motif"):
        signature_remove(membership=scene.membership, actor=scene.buyer, today=TODAY, reason=" ")
    signature_remove(membership=scene.membership, actor=scene.buyer, today=TODAY, reason="Mauvais signataire")
    entry = JournalEntry.objects.latest("pk")
    assert (entry.verb, entry.reason) == ("signature.remove", "Mauvais signataire")
    assert entry.before["signatory"] == "Madame Anne Essai, maire"
    record(scene)
    scene.grouping.status, scene.grouping.launched_on = "consultation", TODAY
    scene.grouping.save()
    with pytest.raises(BusinessError, match="lancée"):
        signature_remove(membership=scene.membership, actor=scene.buyer, today=TODAY, reason="Trop tard")
    assert Signature.objects.count() == 1


def test_an_empty_signatory_is_refused(scene):
    scenes.make_executory(scene)
    for signatory in ("", "   ", "x" * 201, "Madame\u202eEssai"):
        with pytest.raises(ValidationError):
            record(scene, signatory=signatory)
    assert not Signature.objects.exists()
