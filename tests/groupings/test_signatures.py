"""The circuit of signature: in order, once each, with its capacity and its file, until the version is in force."""

import hashlib
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage

from groupings.actions.signatures import (
    circuit_change,
    signature_file_deposit,
    signature_remove,
    signatures_record_many,
    signed_file_read,
)
from groupings.models import Signature, SigningCopy
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import make_pdf
from tests.support.factories import make_representative
from tests.support.pades import sign_pdf
from tests.support.signing import SIGNED_ON, TODAY, make_signing

pytestmark = pytest.mark.django_db
SCAN = make_pdf()


@pytest.fixture
def scene():
    return make_signing()


def test_the_coordinator_signs_after_the_others_and_the_version_is_then_in_force(scene):
    with pytest.raises(BusinessError, match="signe en dernier"):
        scene.record(scene.coordinator)
    first = scene.record(scene.first)
    assert (first.position, first.capacity, first.mode) == (1, "Maire", "declared")
    second = scene.record(scene.second, date(2026, 11, 25))
    assert (second.position, scene.convention.status) == (2, "signature")
    with pytest.raises(BusinessError, match="un membre a signé le 25/11/2026"):
        scene.record(scene.coordinator, date(2026, 11, 24))
    assert scene.record(scene.coordinator, date(2026, 11, 25)).capacity == "Présidente"
    assert scene.convention.status == "in_force"
    entry = JournalEntry.objects.get(verb="convention.enter_into_force")
    assert "En vigueur" in entry.sentence and scene.convention.in_force_on == date(2026, 11, 25)
    assert entry.before == {"status": "signature"}


def test_when_the_coordinator_does_not_wait_anybody_signs_first(scene):
    assert circuit_change(convention=scene.convention, coordinator_signs_last=False, actor=scene.buyer)
    assert not circuit_change(convention=scene.convention, coordinator_signs_last=False, actor=scene.buyer)
    scene.record(scene.coordinator)
    with pytest.raises(BusinessError, match="ne change plus"):
        circuit_change(convention=scene.convention, coordinator_signs_last=True, actor=scene.buyer)
    with pytest.raises(NotAllowed):
        circuit_change(convention=scene.convention, coordinator_signs_last=True, actor=scene.agent)


@pytest.mark.parametrize(
    ("signed_on", "told"),
    [
        (date(2026, 11, 11), "avant que la délibération ne soit exécutoire, le 12/11/2026"),
        (date(2026, 12, 2), "n’est pas encore venu"),
    ],
)
def test_a_date_that_cannot_be_is_refused_and_nothing_is_written(scene, signed_on, told):
    with pytest.raises(BusinessError, match=told) as refused:
        scene.record(scene.first, signed_on)
    assert refused.value.field == "signed_on"
    assert not Signature.objects.exists()


def test_a_signature_older_than_the_version_is_that_of_another_text():
    scene = make_signing()
    scene.grouping.conventions.update(frozen_at="2026-11-30T10:00:00Z")
    with pytest.raises(BusinessError, match="figée, le 30/11/2026"):
        scene.record(scene.first)


def test_the_capacity_is_that_of_the_day_signed(scene):
    body = scene.first.organisation
    body.representatives.all().delete()
    person = {"civility": "mrs", "first_name": "Anne", "last_name": "Essai"}
    make_representative(body, **person, capacity="deputy", start_on=date(2020, 7, 1), end_on=date(2026, 11, 22))
    make_representative(body, **person, start_on=date(2026, 11, 23))
    assert scene.record(scene.first, date(2026, 11, 20)).capacity == "Adjointe au maire"
    signature_remove(membership=scene.first, actor=scene.buyer, today=TODAY, reason="Mauvaise date")
    later = scene.record(scene.first, date(2026, 11, 24), signatory="Madame Anne Essai")
    assert (later.capacity, later.who) == ("Maire", "Madame Anne Essai, Maire")


def test_a_mandate_that_ended_is_confirmed_with_a_reason_that_the_journal_keeps(scene):
    scene.first.organisation.representatives.update(end_on=date(2026, 11, 15))
    with pytest.raises(BusinessError, match=r"a pris fin le 15/11/2026.*indiquez le motif") as refused:
        scene.record(scene.first)
    assert refused.value.field == "reason"
    signature = scene.record(scene.first, reason="Continuité du service public")
    assert (signature.accepted, signature.reason) == ("mandate", "Continuité du service public")
    entry = JournalEntry.objects.get(verb="signature.record")
    assert entry.reason.startswith("Continuité du service public – Le mandat de")


def test_a_signatory_the_register_does_not_know_and_another_text_are_told_together(scene):
    other = scene.grouping.conventions.create(
        version=9, values={}, values_sha256="1" * 64, texts_sha256="1" * 64, text_sha256="1" * 64, status="superseded",
        legal_basis="CCP, L2113-6", is_draft=False, frozen_at="2026-10-02T10:00:00Z",
    )  # fmt: skip
    scene.first.deliberations.update(convention=other)
    with pytest.raises(BusinessError) as refused:
        scene.record(scene.first, signatory="Monsieur Paul Inconnu")
    assert "délégation de signature" in str(refused.value) and "un autre texte" in str(refused.value)
    kept = scene.record(scene.first, signatory="Monsieur Paul Inconnu", reason="Arrêté de délégation 12")
    assert (kept.accepted, kept.capacity, kept.representative) == ("signatory text", "", None)


def test_a_member_dispensed_from_voting_signs_with_a_reason(scene):
    scene.first.deliberations.update(
        status="not_required", decided_on=None, transmitted_on=None, received_on=None, published_on=None
    )
    with pytest.raises(BusinessError, match="Aucune délibération n’habilite"):
        scene.record(scene.first)
    assert scene.record(scene.first, reason="Délégation de 2020").accepted == "power"


def test_the_same_signature_told_twice_is_one_and_another_is_refused(scene):
    first = scene.record(scene.first)
    assert scene.record(scene.first) == first  # the double click
    with pytest.raises(BusinessError, match=r"déjà enregistrée.*le 20/11/2026"):
        scene.record(scene.first, date(2026, 11, 21))
    assert Signature.objects.count() == 1
    assert JournalEntry.objects.filter(verb="signature.record").count() == 1


def test_who_records_which_signature(scene):
    assert scene.record(scene.first, actor=scene.agent)
    for actor in (scene.agent, scene.other_agent):
        with pytest.raises(NotAllowed):
            scene.record(scene.coordinator, actor=actor)
    with pytest.raises(NotAllowed):
        scene.record(scene.second, actor=scene.agent)
    with pytest.raises(NotAllowed):
        signature_remove(membership=scene.first, actor=scene.agent, today=TODAY, reason="Erreur")


def test_a_replaced_version_of_another_text_is_not_signed_and_of_the_same_text_counts(scene):
    first = scene.convention
    scene.record(scene.first)
    first.status = "superseded"
    first.save()
    values = {field: getattr(first, field) for field in ("values", "values_sha256", "texts_sha256", "legal_basis")}
    second = scene.grouping.conventions.create(
        version=2,
        **values,
        text_sha256=first.text_sha256,
        is_draft=False,
        frozen_at=first.frozen_at,
        status="signature",
    )
    with pytest.raises(BusinessError, match="déjà enregistrée"):
        scene.record(scene.first, date(2026, 11, 21), convention=second)
    scene.grouping.conventions.filter(pk=second.pk).update(text_sha256="2" * 64)
    with pytest.raises(BusinessError, match="remplacée par la version 2"):
        scene.record(scene.second, convention=first)
    assert scene.record(scene.first, date(2026, 11, 21)).convention == second


def test_several_are_marked_at_once_the_coordinator_last(scene):
    everybody = [scene.coordinator.pk, scene.second.pk, scene.first.pk]
    options = {"convention": scene.convention, "actor": scene.buyer, "today": TODAY}
    made = signatures_record_many(membership_ids=everybody, signed_on=SIGNED_ON, **options)
    assert [signature.position for signature in made] == [1, 2, 3]
    assert made[-1].membership == scene.coordinator
    assert scene.convention.status == "in_force"


def test_one_refusal_among_several_writes_nothing_and_all_are_told(scene):
    scene.first.organisation.representatives.all().delete()
    scene.second.deliberations.update(published_on=None)
    options = {"convention": scene.convention, "actor": scene.buyer, "today": TODAY}
    with pytest.raises(BusinessError) as refused:
        signatures_record_many(membership_ids=[scene.first.pk, scene.second.pk], signed_on=SIGNED_ON, **options)
    sentence = str(refused.value)
    assert f"{scene.first.organisation.name}\u00a0: aucun représentant" in sentence
    assert f"{scene.second.organisation.name}\u00a0: L’acte n’est pas encore exécutoire" in sentence
    assert not Signature.objects.exists()
    with pytest.raises(BusinessError, match="Cochez"):
        signatures_record_many(membership_ids=[], signed_on=SIGNED_ON, **options)
    with pytest.raises(NotAllowed):
        signatures_record_many(
            membership_ids=[scene.first.pk], signed_on=SIGNED_ON, **{**options, "actor": scene.agent}
        )


def test_a_signature_erased_takes_the_version_out_of_force(scene):
    for membership in (scene.first, scene.second, scene.coordinator):
        scene.record(membership)
    signature_remove(membership=scene.second, actor=scene.buyer, today=TODAY, reason="Exemplaire illisible")
    assert scene.convention.status == "signature"
    assert JournalEntry.objects.get(verb="convention.reopen_signature").reason == "Exemplaire illisible"


def test_a_member_that_left_is_not_waited_for(scene):
    scene.record(scene.first)
    type(scene.second).objects.filter(pk=scene.second.pk).update(withdrawn_on=TODAY)
    scene.record(scene.coordinator)
    assert scene.convention.status == "in_force"


# The signed file


def deposit(scene, content, filename="convention signée.pdf", actor=None):
    signature = Signature.objects.get(membership=scene.first)
    return signature_file_deposit(signature=signature, content=content, filename=filename, actor=actor or scene.agent)


def test_a_scan_is_kept_under_a_random_name_and_said_to_hold_no_electronic_signature(scene):
    scene.record(scene.first)
    kept = deposit(scene, SCAN, "../../Convention.pdf")
    assert (kept.mode, kept.original_name, kept.sha256) == ("paper", "Convention.pdf", hashlib.sha256(SCAN).hexdigest())
    assert kept.file.name.startswith("signatures/") and "Convention" not in kept.file.name
    with default_storage.open(kept.file.name) as stream:
        assert stream.read() == SCAN
    assert kept.reading["signatures"] == []
    assert JournalEntry.objects.filter(verb="signature.deposit").count() == 1
    deposit(scene, SCAN)  # the same bytes again
    assert JournalEntry.objects.filter(verb="signature.deposit").count() == 1


def test_an_electronic_copy_is_recognised_as_the_one_produced(scene):
    copy = make_pdf("Convention")
    SigningCopy.objects.create(
        convention=scene.convention, membership=scene.first, file="copies/x.pdf", size=len(copy), pages=1,
        sha256=hashlib.sha256(copy).hexdigest(), made_from_sha256="0" * 64,
    )  # fmt: skip
    read = signed_file_read(
        membership=scene.first, convention=scene.convention, content=sign_pdf(copy), filename="signé.pdf"
    )
    assert read.reading.is_the_copy
    signature = scene.record(scene.first, file=read)
    assert (signature.mode, signature.reading["signatures"][0]["signer"]) == ("electronic", "Hélène ŒUVRARD")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "vide"),
        (SCAN[: len(SCAN) // 2], "tronqué"),
        (b"0" * 60_000_000, "10\u00a0Mo"),
        (b"MZ" + SCAN, "pas un PDF"),
    ],
    ids=["empty", "truncated", "60 MB", "program"],
)
def test_a_bad_file_is_refused_and_the_signature_stays(scene, content, told):
    scene.record(scene.first)
    with pytest.raises(BusinessError, match=told) as refused:
        deposit(scene, content)
    assert refused.value.field == "file"
    assert Signature.objects.get().mode == "declared"


def test_who_deposits(scene):
    scene.record(scene.first)
    with pytest.raises(NotAllowed):
        deposit(scene, SCAN, actor=scene.other_agent)
    deposit(scene, SCAN, actor=scene.buyer)


# What the database itself refuses


def row(scene, **changes) -> Signature:
    values = {"membership": scene.first, "convention": scene.convention, "signed_on": SIGNED_ON, "signatory": "Essai"}
    return Signature(**{**values, **changes})


FILE = {"file": "signatures/a.pdf", "original_name": "a.pdf", "sha256": "0" * 64, "size": 3}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"signatory": ""}, "vide"),
        ({"signed_on": None}, "nul"),
        ({"position": 0}, "commence à 1"),
        ({"mode": "paper"}, "a son fichier et son empreinte"),
        ({"mode": "declared", **FILE}, "a son fichier et son empreinte"),
        ({"mode": "electronic", **FILE, "sha256": ""}, "a son fichier et son empreinte"),
        ({"accepted": "mandate"}, "son motif"),
        ({"reason": "Sans remarque"}, "son motif"),
    ],
)
def test_state_date_signatory_and_file_agree(scene, changes, told):
    with pytest.raises(ValidationError) as refused:
        row(scene, **changes).full_clean()
    assert told in " ".join(refused.value.messages)


def test_a_member_signs_a_version_once_and_an_outside_text_once(scene):
    row(scene).save()
    with pytest.raises(ValidationError, match="déjà enregistrée"):
        row(scene).full_clean()
    row(scene, convention=None).save()
    with pytest.raises(ValidationError, match="déjà enregistrée"):
        row(scene, convention=None).full_clean()
    assert Signature.objects.count() == 2


def test_the_head_signs_before_a_deputy_in_office_the_same_day(scene):
    body = scene.first.organisation
    make_representative(body, first_name="Paul", last_name="Adjoint", capacity="deputy", start_on=date(2026, 1, 1))
    assert [person.capacity for person in body.representatives.in_office(SIGNED_ON)] == ["head", "deputy"]
