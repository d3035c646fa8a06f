"""A text brought from outside: negotiated, or signed before the tool. It replaces the tool's own, marked everywhere."""

import io
import zipfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from groupings.actions.convention import convention_freeze, conventions_request
from groupings.actions.convention_deposit import generated_resume, negotiated_deposit, prior_deposit
from groupings.actions.kit import kits_request
from groupings.actions.signatures import signature_remove
from groupings.choices import ConventionOrigin, ConventionStatus
from groupings.circuit import unsigned
from groupings.management.commands.generate_conventions import files_of
from groupings.models import Convention, ConventionDocument, Deliberation, DraftDocument, Signature
from members.roles import Role
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.jobs import runner
from procurement.core.journal.models import JournalEntry
from tests.support.factories import adopt, make_affiliation, make_territory

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 3, 15, 10, tzinfo=UTC)
TODAY = date(2027, 3, 15)
SYSTEM = SystemActor("essai")


@pytest.fixture(autouse=True)
def _documents_in_a_folder_of_their_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "documents"


@pytest.fixture
def grouping():
    return make_territory(members=2, reference="GC-9")[1]


@cache
def a_pdf(words: str = "Texte negocie") -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(72, 720, words)
    canvas.save()
    return out.getvalue()


@cache
def a_word(words: str = "Texte négocié") -> bytes:
    document, out = docx.Document(), io.BytesIO()
    document.add_paragraph(words)
    document.save(out)
    return out.getvalue()


def deposit(
    grouping, content: bytes | None = None, filename: str = "Convention v3 négociée.pdf", **options
) -> Convention:
    given = {"content": a_pdf() if content is None else content, "filename": filename, "actor": SYSTEM, "now": NOW}
    return negotiated_deposit(grouping=grouping, **{**given, **options})


def take_in(grouping, **options) -> Convention:
    given = {"content": a_pdf("Signee"), "filename": "signée.pdf", "signed_on": date(2025, 6, 1)}
    return prior_deposit(grouping=grouping, **{**given, **options}, actor=SYSTEM, now=NOW, today=TODAY)


def contents(convention: Convention) -> set[bytes]:
    """What lies on disk for its members."""
    return {
        Path(document.file.path).read_bytes() for document in ConventionDocument.objects.filter(convention=convention)
    }


# The negotiated text


def test_a_negotiated_file_becomes_the_next_version_for_every_member(grouping):
    first = convention_freeze(grouping=grouping, actor=SYSTEM, now=NOW)
    kept = deposit(grouping)
    assert (kept.version, kept.origin, kept.status) == (2, ConventionOrigin.NEGOTIATED, ConventionStatus.DRAFT)
    assert kept.file_name == "Convention v3 négociée.pdf" and kept.file_size == len(a_pdf())
    assert kept.text_sha256 == kept.file_sha256  # what the assemblies approve is that very file
    assert len(kept.values["members"]) == 3  # the values are frozen beside it
    first.refresh_from_db()
    assert first.status == ConventionStatus.SUPERSEDED
    documents = ConventionDocument.objects.filter(convention=kept)
    assert documents.count() == 3
    assert {d.sha256 for d in documents} == {kept.file_sha256} and {d.pages for d in documents} == {1}
    assert contents(kept) == {a_pdf()}
    entry = JournalEntry.objects.get(verb="convention.negotiated")
    assert "version 2" in entry.sentence and entry.after["file_sha256"] == kept.file_sha256


def test_the_same_file_twice_is_one_version(grouping):
    assert deposit(grouping).pk == deposit(grouping).pk
    assert deposit(grouping, a_pdf("Autre")).version == 2


def test_producing_afterwards_hands_over_the_negotiated_file_and_writes_nothing_else(grouping):
    kept = deposit(grouping)
    grouping.title = "Un autre objet"
    grouping.save()
    job = conventions_request(grouping=grouping, actor=SYSTEM, now=NOW, ring_bell=False)
    finished = runner.run(job.pk)
    assert finished.status == finished.Status.DONE, finished.message
    assert Convention.objects.count() == 1
    assert contents(kept) == {a_pdf()}


def test_a_negotiated_file_that_is_lost_is_never_replaced_by_another_text(grouping):
    kept = deposit(grouping)
    kept.file.storage.delete(kept.file.name)
    job = conventions_request(grouping=grouping, actor=SYSTEM, now=NOW, ring_bell=False)
    finished = runner.run(job.pk)
    assert finished.status == finished.Status.FAILED
    assert "Le fichier déposé pour la version 1 est introuvable ou altéré" in finished.message


def test_a_negotiated_text_does_not_bind_a_member_that_came_later(grouping):
    from tests.support.factories import make_membership, make_organisation

    deposit(grouping)
    make_membership(grouping, make_organisation(parent=grouping.coordinator))
    with pytest.raises(BusinessError, match="ne sont plus ceux du texte négocié"):
        convention_freeze(grouping=grouping, actor=SYSTEM, now=NOW)


def test_coming_back_to_the_tool_s_own_text_is_a_version_too(grouping):
    deposit(grouping)
    back = generated_resume(grouping=grouping, actor=SYSTEM, now=NOW)
    assert (back.version, back.origin, back.file.name) == (2, ConventionOrigin.GENERATED, "")
    with pytest.raises(BusinessError, match="déjà celle que produit l’outil"):
        generated_resume(grouping=grouping, actor=SYSTEM, now=NOW)


def test_once_a_member_has_voted_a_reason_is_asked_and_journalled(grouping):
    first = deposit(grouping)
    adopt(grouping.memberships.first(), date(2027, 2, 1))
    Deliberation.objects.update(convention=first)
    with pytest.raises(BusinessError, match="a déjà voté la convention") as refusal:
        deposit(grouping, a_pdf("Autre"))
    assert refusal.value.field == "reason" and Convention.objects.get() == first
    deposit(grouping, a_pdf("Autre"), reason="Observation du contrôle de légalité")
    assert (
        JournalEntry.objects.filter(verb="convention.negotiated").first().reason
        == "Observation du contrôle de légalité"
    )


def test_a_version_somebody_signed_is_not_replaced(grouping):
    kept = deposit(grouping)
    Signature.objects.create(
        membership=grouping.memberships.first(), convention=kept, signed_on=date(2027, 3, 1), signatory="Le Maire"
    )
    with pytest.raises(BusinessError, match="avenant"):
        deposit(grouping, a_pdf("Autre"))


def test_a_text_negotiated_in_word_is_handed_over_as_word_and_goes_with_the_kit(grouping):
    kept = deposit(grouping, a_word(), "négociée.docx")
    document = ConventionDocument.objects.filter(convention=kept).first()
    assert document.filename.endswith(".docx") and (document.pages, document.format_name) == (0, "Word")
    grouping.status = "convention"
    grouping.save()
    memberships = list(grouping.memberships.all())
    job = kits_request(
        grouping=grouping, memberships=memberships, send=False, actor=SYSTEM, now=NOW, today=TODAY, ring_bell=False
    )
    finished = runner.run(job.pk)
    assert finished.status == finished.Status.DONE, finished.message
    draft = DraftDocument.objects.filter(format="docx", convention=kept).first()
    text = " ".join(p.text for p in docx.Document(draft.file.path).paragraphs)
    assert kept.file_sha256 in text and "0\xa0page" not in text


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "vide.pdf", "est vide"),
        (b"\0" * (60 * 1024 * 1024), "plan.pdf", r"dépasse 10\xa0Mo"),
        (b"MZ" + b"\0" * 2000, "convention.pdf", "n’est pas un PDF"),
        (a_pdf()[:-200], "coupee.pdf", "tronqué ou abîmé"),
        (a_word()[:-400], "coupee.docx", "est abîmé"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "vieux.doc", "ancien document Office"),
        (b"\x89PNG\r\n\x1a\n", "photo.png", "abîmée"),
    ],
)
def test_what_is_not_a_text_is_refused_with_one_sentence(grouping, content, name, sentence):
    with pytest.raises(BusinessError, match=sentence) as refusal:
        deposit(grouping, content, name)
    assert refusal.value.field == "file" and refusal.value.message.count("«") == 1
    assert not Convention.objects.exists()


def test_a_document_with_macros_is_refused_whatever_its_name(grouping):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(a_word())) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "[Content_Types].xml":
                plain = b"vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
                content = content.replace(plain, b"vnd.ms-word.document.macroEnabled.main+xml")
            target.writestr(name, content)
    with pytest.raises(BusinessError, match="contient des macros"):
        deposit(grouping, out.getvalue(), "convention.docx")


def test_a_pdf_closed_by_a_password_is_refused(grouping):
    import pypdf

    writer, out = pypdf.PdfWriter(clone_from=io.BytesIO(a_pdf())), io.BytesIO()
    writer.encrypt("secret")
    writer.write(out)
    with pytest.raises(BusinessError, match="protégé par un mot de passe"):
        deposit(grouping, out.getvalue())


def test_a_reader_brings_nothing(grouping):
    reader = make_affiliation(grouping.coordinator, Role.READER)
    for act in (
        lambda: deposit(grouping, actor=reader),
        lambda: generated_resume(grouping=grouping, actor=reader, now=NOW),
        lambda: prior_deposit(
            grouping=grouping,
            content=a_pdf(),
            filename="s.pdf",
            signed_on=TODAY,
            actor=reader,
            now=NOW,
            today=TODAY,
        ),
    ):
        with pytest.raises(NotAllowed):
            act()


# The convention signed before the tool


def test_a_convention_signed_before_the_tool_lets_the_consultation_start(grouping):
    kept = take_in(grouping)
    assert not Signature.objects.exists() and unsigned(kept) == []
    states = grouping.memberships.with_approval(date(2027, 6, 1))
    assert {state.signed_on for state in states} == {kept.signed_on}


def test_a_convention_signed_before_the_tool_is_in_force_at_once(grouping):
    membership = grouping.memberships.exclude(organisation=grouping.coordinator).first()
    kept = take_in(grouping, signatories={membership.pk: "  Mme  Noël, maire ", -1: "Personne"})
    assert (kept.origin, kept.status, kept.signed_on) == (
        ConventionOrigin.PRIOR,
        ConventionStatus.IN_FORCE,
        date(2025, 6, 1),
    )
    signature = Signature.objects.get()
    assert (signature.membership, signature.signatory, signature.signed_on) == (
        membership,
        "Mme Noël, maire",
        date(2025, 6, 1),
    )
    assert ConventionDocument.objects.filter(convention=kept).count() == 3
    assert take_in(grouping).pk == kept.pk  # the same file and date again: nothing new


def test_it_then_changes_by_amendment_only(grouping):
    take_in(grouping)
    for act in (
        lambda: deposit(grouping),
        lambda: generated_resume(grouping=grouping, actor=SYSTEM, now=NOW),
        lambda: take_in(grouping, content=a_pdf("Autre")),
    ):
        with pytest.raises(BusinessError, match="avenant"):
            act()
    assert convention_freeze(grouping=grouping, actor=SYSTEM, now=NOW).origin == ConventionOrigin.PRIOR


def test_a_signature_to_come_is_refused(grouping):
    with pytest.raises(BusinessError, match="Le 16/03/2027 n’est pas encore venu") as refusal:
        take_in(grouping, signed_on=date(2027, 3, 16))
    assert refusal.value.field == "signed_on"


def test_a_word_file_is_not_a_signed_convention(grouping):
    with pytest.raises(BusinessError, match="n’est pas un PDF"):
        take_in(grouping, content=a_word(), filename="signée.docx")


def test_the_base_holds_origin_file_and_date_together(grouping):
    kept = take_in(grouping)
    for wrong in ({"signed_on": None}, {"file_sha256": ""}, {"file": ""}, {"origin": "generated"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Convention.objects.filter(pk=kept.pk).update(**wrong)


# The command


def test_the_command_hands_over_the_file_and_says_where_it_comes_from(grouping, tmp_path, capsys):
    from django.core.management import CommandError, call_command

    kept = deposit(grouping)
    call_command("generate_conventions", "GC-9", out=str(tmp_path / "out"))
    said = capsys.readouterr().out
    assert "La version 1 a été négociée hors de l’outil" in said.splitlines()[0]
    assert said.splitlines()[-1].startswith("3 conventions dans ")
    assert {path.read_bytes() for path in (tmp_path / "out").iterdir()} == {a_pdf()}
    with pytest.raises(CommandError, match="il n’en existe pas de forme Word"):
        list(files_of(kept, "docx"))


# The screens


@pytest.fixture
def buyer(client, grouping):
    person = make_affiliation(grouping.coordinator, Role.BUYER)
    client.force_login(person.user)
    return client


def test_the_buyer_deposits_and_the_page_says_so(buyer, grouping):
    url = reverse("convention_negotiated", args=[grouping.pk])
    answer = buyer.post(url, {"file": SimpleUploadedFile("négociée.docx", a_word())}, follow=True)
    page = answer.content.decode()
    assert "Texte négocié enregistré\xa0: version 1, négociée.docx." in page
    assert "Texte négocié hors de l’outil" in page and "est le même pour tous les membres" in page
    assert reverse("convention_word_archive", args=[grouping.pk, 1]) not in page  # there is no other form of it
    siren = grouping.coordinator.siren
    file = buyer.get(reverse("convention_document", args=[grouping.pk, 1, siren]))
    assert file.content == a_word() and "wordprocessingml" in file["Content-Type"]
    assert f"GC-9_{siren}.docx" in file["Content-Disposition"]
    reading = buyer.get(reverse("convention_reading", args=[grouping.pk, 1])).content.decode()
    assert "négocié hors de l’outil" in reading and "négociée.docx" in reading
    assert buyer.get(reverse("convention_word", args=[grouping.pk, 1, siren])).status_code == 404
    again = buyer.post(reverse("convention_resume", args=[grouping.pk]), {}, follow=True).content.decode()
    assert "Version 2 figée avec le texte produit" in again


def test_the_page_shows_the_latest_version_and_folds_the_others(buyer, grouping):
    convention_freeze(grouping=grouping, actor=SYSTEM, now=NOW)
    deposit(grouping)
    page = buyer.get(reverse("grouping_detail", args=[grouping.pk])).content.decode()
    latest, former = page.split('id="documents"')[1].split("Versions précédentes")
    assert "<strong>version 2</strong>" in latest and "Texte négocié hors de l’outil" in latest
    assert "Version 1, figée le 15/03/2027 (projet)" in former


def test_a_refused_file_leaves_the_page_with_what_was_typed(buyer, grouping):
    first = deposit(grouping)
    adopt(grouping.memberships.first(), date(2027, 2, 1))
    Deliberation.objects.update(convention=first)
    url = reverse("convention_negotiated", args=[grouping.pk])
    assert "Un membre a déjà délibéré" in buyer.get(url).content.decode()
    big = SimpleUploadedFile("plan.pdf", b"%PDF-1.7" + b"\0" * (60 * 1024 * 1024))
    answer = buyer.post(url, {"file": big, "reason": "Accord des maires"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "dépasse 10\xa0Mo" in page and "Accord des maires" in page
    assert Convention.objects.get() == first


def test_the_buyer_takes_in_a_signed_convention(buyer, grouping):
    url = reverse("convention_prior", args=[grouping.pk])
    membership = grouping.memberships.first()
    assert f"Signataire pour {membership.organisation.name}" in buyer.get(url).content.decode()
    sent = {
        "file": SimpleUploadedFile("signée.pdf", a_pdf()),
        "signed_on": "2025-06-01",
        f"signatory_{membership.pk}": "M. Roux",
    }
    page = buyer.post(url, sent, follow=True).content.decode()
    assert "Convention signée le 01/06/2025 reprise" in page and "Convention signée avant l’outil" in page
    assert Signature.objects.get().signatory == "M. Roux"
    assert reverse("convention_negotiated", args=[grouping.pk]) not in page  # in force: by amendment only


def test_a_convention_signed_before_the_tool_stays_in_force_when_a_signatory_is_erased(grouping):
    member = grouping.memberships.first()
    convention = take_in(grouping, signatories={member.pk: "Madame Essai, maire"})
    signature_remove(membership=member, actor=SYSTEM, today=TODAY, reason="Saisi par erreur")
    convention.refresh_from_db()
    assert convention.status == ConventionStatus.IN_FORCE and not Signature.objects.exists()
