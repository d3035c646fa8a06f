"""The copies the members sign: the text voted, with the decisions filled in, made once and never after a signature."""

import io
from dataclasses import replace
from datetime import date

import pypdf
import pytest

from groupings.actions.signing_copies import copies_request
from groupings.circuit import Circuit
from groupings.conventions.assemble import members_on
from groupings.conventions.render import approved_text_sha256
from groupings.conventions.signing import decisions_of, decisions_sha256, filled, frozen_values, is_same_text
from groupings.library import texts_of
from groupings.models import Convention, SigningCopy
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.jobs import runner
from procurement.core.journal.models import JournalEntry
from tests.support.conventions import sample_values
from tests.support.signing import TODAY, make_signing

pytestmark = pytest.mark.django_db


def produce(scene, *memberships):
    job = copies_request(
        convention=scene.convention,
        membership_ids=[membership.pk for membership in memberships],
        actor=scene.buyer,
        today=TODAY,
        ring_bell=False,
    )
    return runner.run(job.pk)


def text_of(copy: SigningCopy) -> str:
    with copy.file.open() as stream:
        reader = pypdf.PdfReader(io.BytesIO(stream.read()))
    return " ".join(" ".join(page.extract_text().replace("\xa0", " ").split()) for page in reader.pages)


def test_the_copy_is_the_frozen_text_with_its_decision_and_blank_dates():
    scene = make_signing()
    assert scene.convention.is_draft  # frozen before the votes
    job = produce(scene, scene.first)
    assert job.message == "1 exemplaire prêt à signer."
    copy = SigningCopy.objects.get()
    text = text_of(copy)
    assert "délibération n° 2026-02 du conseil municipal en date du 12 novembre 2026" in text
    assert "rendue exécutoire le 12 novembre 2026" in text
    assert "Fait" in text and "le ………………………" in text
    assert "PROJET" not in text and ", projet" not in text and "ne peut pas être signé" not in text
    assert "version 1" in text
    frozen = frozen_values(scene.convention)
    values = filled(frozen, members_on(scene.grouping, TODAY))
    assert values.text_sha256 == frozen.text_sha256
    assert approved_text_sha256(frozen, texts_of(scene.convention)) == scene.convention.text_sha256
    assert copy.made_from[scene.first.organisation.siren]["number"] == "2026-02"
    assert JournalEntry.objects.get(verb="signature.copy").after["sha256"] == copy.sha256

    # Asked again: nothing is made twice. A decision that changes makes another copy, and the former one stays.
    produce(scene, scene.first)
    assert SigningCopy.objects.count() == 1
    scene.first.deliberations.update(published_on=date(2026, 11, 14))
    produce(scene, scene.first)
    former, latest = SigningCopy.objects.all()
    assert former == copy and latest.sha256 != copy.sha256
    assert "rendue exécutoire le 14 novembre 2026" in text_of(latest)

    circuit = Circuit(scene.convention, scene.buyer, TODAY)
    assert not circuit.party(scene.first.pk).is_copy_outdated
    scene.second.deliberations.update(number="2026-77")  # printed in the copy of every member
    assert Circuit(scene.convention, scene.buyer, TODAY).party(scene.first.pk).is_copy_outdated

    # Once signed, never again.
    scene.record(scene.first)
    scene.first.deliberations.update(number="2026-99")
    with pytest.raises(BusinessError, match="Aucun exemplaire à produire"):
        produce(scene, scene.first)
    assert SigningCopy.objects.count() == 2


def test_only_those_whose_act_is_enforceable_are_given_one_and_a_killed_job_goes_on(monkeypatch):
    scene = make_signing()
    scene.second.deliberations.update(received_on=None)
    job = copies_request(
        convention=scene.convention, membership_ids=[], actor=scene.buyer, today=TODAY, ring_bell=False
    )
    assert job.parameters["sirens"] == sorted([scene.coordinator.organisation.siren, scene.first.organisation.siren])
    again = copies_request(
        convention=scene.convention, membership_ids=[], actor=scene.buyer, today=TODAY, ring_bell=False
    )
    assert again == job
    drawn = []

    def draw(values, common, siren):
        if len(drawn) == 1:
            drawn.append(siren)
            raise KeyboardInterrupt  # the worker is killed at the second copy
        drawn.append(siren)
        return PDF

    monkeypatch.setattr("groupings.actions.signing_copies.render.render_common", lambda values, texts: None)
    monkeypatch.setattr("groupings.actions.signing_copies.render.render_member", draw)
    with pytest.raises(KeyboardInterrupt):
        runner.run(job.pk)
    assert SigningCopy.objects.count() == 1
    type(job).objects.filter(pk=job.pk).update(lease_until=job.created_at)
    assert runner.run(job.pk).message == "2 exemplaires prêts à signer."
    assert SigningCopy.objects.count() == 2
    assert len(drawn) == 3


def make_page() -> bytes:
    from tests.support.deliberations import make_pdf

    return make_pdf("Exemplaire")


PDF = make_page()


def test_a_member_that_signs_while_its_copy_is_drawn_keeps_what_it_signed(monkeypatch):
    scene = make_signing()

    def draw(values, common, siren):
        scene.record(scene.first)
        return PDF

    monkeypatch.setattr("groupings.actions.signing_copies.render.render_common", lambda values, texts: None)
    monkeypatch.setattr("groupings.actions.signing_copies.render.render_member", draw)
    assert produce(scene, scene.first).message == "0 exemplaire prêt à signer."
    assert not SigningCopy.objects.exists()


def test_values_that_changed_since_they_were_frozen_are_not_signed():
    scene = make_signing()
    convention = Convention.objects.get(pk=scene.convention.pk)
    convention.values["title"] = "Un autre objet"
    convention.save()
    job = produce(scene, scene.first)
    assert job.status == "failed" and "empreinte" in job.message
    assert not SigningCopy.objects.exists()


def test_a_version_still_discussed_has_no_copy_and_a_member_produces_none():
    scene = make_signing(status="comments")
    with pytest.raises(BusinessError, match="une fois la version arrêtée"):
        produce(scene, scene.first)
    with pytest.raises(NotAllowed):
        copies_request(convention=scene.convention, membership_ids=[], actor=scene.agent, today=TODAY)


# The values alone, without a database row


def test_an_election_changes_who_signs_and_not_the_text():
    frozen = sample_values(members=4, voted=False)
    successor = replace(frozen.members[1].representative, civility="Madame", name="Anne Essai")
    today = tuple(replace(member, representative=successor) for member in frozen.members)
    copy = filled(frozen, today)
    assert copy.members[1].representative.name == "Anne Essai"
    assert is_same_text(frozen, copy)
    assert frozen.is_draft and not copy.is_draft


@pytest.mark.parametrize("field", ["title", "duration_months", "needs", "court", "notes"])
def test_anything_else_that_moves_is_another_text(field):
    frozen = sample_values(members=4)
    copy = filled(frozen, frozen.members)
    assert is_same_text(frozen, copy)
    changed = {"title": "Autre", "duration_months": 12, "needs": (), "court": "autre", "notes": ("Note",)}[field]
    assert not is_same_text(frozen, replace(copy, **{field: changed}))


def test_only_decisions_and_signatories_are_read_from_today():
    """Names, needs and contacts of today do not enter a text frozen before."""
    frozen = sample_values(members=4)
    today = tuple(replace(member, name="Nouveau nom", city="Ailleurs", population=1) for member in frozen.members)
    copy = filled(frozen, today)
    assert [member.name for member in copy.members] == [member.name for member in frozen.members]
    assert copy.sha256 == frozen.sha256


def test_a_member_that_left_stays_as_the_text_named_it():
    frozen = sample_values(members=4)
    copy = filled(frozen, frozen.members[:2])
    assert copy.members == frozen.members


def test_the_fingerprint_of_decisions_follows_each_of_them():
    members = sample_values(members=4).members
    before = decisions_sha256(decisions_of(members))
    assert before == decisions_sha256(decisions_of(tuple(reversed(members))))
    for changed in (
        replace(members[1], deliberation=None),
        replace(members[1], representative=None),
        replace(members[1], is_deliberation_waived=True),
        replace(members[1], deliberation=replace(members[1].deliberation, executory_on=None)),
    ):
        assert decisions_sha256(decisions_of((members[0], changed, *members[2:]))) != before


def test_a_text_brought_from_outside_is_signed_on_a_sheet_that_names_its_fingerprint():
    scene = make_signing()
    Convention.objects.update(
        origin="negotiated", file="depot.pdf", file_name="négociée.pdf", file_sha256="ab12" * 16, file_size=4
    )
    assert produce(scene, scene.first, scene.coordinator).message == "2 exemplaires prêts à signer."
    copy = SigningCopy.objects.get(membership=scene.first)
    text = text_of(copy)
    assert copy.pages == 1
    assert "ab12ab12ab12ab12ab12ab12ab12ab12 ab12ab12ab12ab12ab12ab12ab12ab12" in text
    assert "délibération n° 2026-02 du 12/11/2026, exécutoire le 12/11/2026" in text
    assert f"Pour {scene.coordinator.organisation.name}, coordonnateur" in text
    alone = text_of(SigningCopy.objects.get(membership=scene.coordinator))
    assert ", coordonnateur" not in alone
