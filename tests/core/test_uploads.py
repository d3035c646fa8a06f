"""A file sent by a person is known by its content; evidence is handed over unchanged or not at all."""

import hashlib
import io

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen import canvas

from groupings.models import DeliberationDocument
from procurement.core.errors import BusinessError
from procurement.core.uploads import PDF_MAX_BYTES, clean_name, read_checked, receive_pdf, write_aside_and_move


def make_pdf(text: str = "Extrait du registre des délibérations") -> bytes:
    """A one-page PDF, without any text when ``text`` is empty, as a scanner makes them."""
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.rect(50, 50, 200, 200, fill=1)
    if text:
        page.drawString(100, 700, text)
    page.showPage()
    page.save()
    return buffer.getvalue()


def encrypted(user_password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf()))
    writer.encrypt(user_password, owner_password="le propriétaire", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def refusal(content: bytes, name: str = "acte.pdf") -> str:
    with pytest.raises(BusinessError) as refused:
        receive_pdf(content, name)
    assert refused.value.field == "file"
    return str(refused.value)


def test_a_sound_pdf_is_received_with_its_hash():
    content = make_pdf()
    received = receive_pdf(content, "Délib n° 12.pdf")
    assert received.sha256 == hashlib.sha256(content).hexdigest()
    assert (received.name, received.has_text, received.content) == ("Délib n° 12.pdf", True, content)


def test_a_scanned_pdf_is_received_and_known_to_have_no_text():
    assert receive_pdf(make_pdf(""), "scan.pdf").has_text is False


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00" + b"\0" * 200,
        b"MZ\x90\x00" + make_pdf(),  # a program that carries a PDF header a little further
        b"\x7fELF" + make_pdf(),
        b"PK\x03\x04" + b"\0" * 200,
        b"#!/bin/sh\n" + make_pdf(),
        b"<html><script>alert(1)</script></html>",
        b"\0" * 2000 + make_pdf(),  # the header beyond the first 1,024 bytes
        b"plain text",
    ],
)
def test_what_is_not_a_pdf_is_refused_whatever_its_name(content):
    assert "n’est pas un PDF" in refusal(content)


def test_an_empty_file_is_refused():
    assert "est vide" in refusal(b"")


def test_a_truncated_pdf_is_refused_wherever_it_was_cut():
    content = make_pdf()
    for length in range(200, len(content) - 6, 37):
        assert "tronqué ou abîmé" in refusal(content[:length])


def test_a_pdf_of_garbage_between_its_two_ends_is_refused():
    assert "tronqué ou abîmé" in refusal(b"%PDF-1.7\n" + b"\x8f" * 5000 + b"\n%%EOF\n")


def test_a_pdf_without_pages_is_refused():
    buffer = io.BytesIO()
    pypdf.PdfWriter().write(buffer)
    assert "aucune page" in refusal(buffer.getvalue())


def test_ten_megabytes_pass_and_one_byte_more_does_not():
    content = make_pdf()
    padded = content[:-6] + b"\n" * (PDF_MAX_BYTES - len(content)) + content[-6:]
    assert len(padded) == PDF_MAX_BYTES == 10 * 1024 * 1024
    assert receive_pdf(padded, "gros.pdf").has_text
    assert "dépasse 10\u00a0Mo" in refusal(padded + b"\n")


def test_a_pdf_closed_by_a_password_is_refused_and_one_any_viewer_opens_is_not():
    assert "mot de passe" in refusal(encrypted("secret"))
    assert receive_pdf(encrypted(""), "protégé.pdf").has_text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Documents\\Délibération.pdf", "Délibération.pdf"),
        ("a\x00b\u202efdp.exe", "a b fdp.exe"),
        ("De\u0301libe\u0301ration.pdf", "Délibération.pdf"),
        ("  deux \n lignes.pdf ", "deux lignes.pdf"),
        ("", "document"),
        ("...", "document"),
    ],
)
def test_the_name_a_file_came_under_is_cleaned(sent, kept):
    assert clean_name(sent) == kept


def test_a_long_name_keeps_its_suffix():
    name = clean_name("d" * 300 + ".pdf")
    assert len(name) == 200
    assert name.endswith("….pdf")


@given(st.text(max_size=400))
def test_any_name_becomes_one_printable_line_of_200_characters_at_most(sent):
    name = clean_name(sent)
    assert 0 < len(name) <= 200
    assert name.isprintable()
    assert "/" not in name
    assert "\\" not in name
    assert clean_name(name) == name


@given(st.binary(max_size=3000))
def test_any_bytes_are_received_or_refused_in_a_sentence(content):
    for attempt in (content, b"%PDF-1.4\n" + content + b"\n%%EOF"):
        try:
            receive_pdf(attempt, "x.pdf")
        except BusinessError as error:
            assert str(error).endswith(".")


def test_writing_leaves_one_whole_file_and_nothing_beside():
    path = write_aside_and_move("essais/dossier/acte.pdf", b"un")
    assert write_aside_and_move(path, b"deux") == path
    with default_storage.open(path) as stream:
        assert stream.read() == b"deux"
    assert default_storage.listdir("essais/dossier") == ([], ["acte.pdf"])


def stored(content: bytes) -> FieldFile:
    document = DeliberationDocument()
    document.file.save("x.pdf", ContentFile(content), save=False)
    return document.file


def test_evidence_is_handed_over_unchanged_or_not_at_all(caplog):
    file, sha256 = stored(b"preuve"), hashlib.sha256(b"preuve").hexdigest()
    assert read_checked(file, sha256=sha256, name="acte.pdf") == b"preuve"
    write_aside_and_move(file.name, b"preuvE")
    with pytest.raises(BusinessError, match=r"acte\.pdf ne correspond plus à son empreinte"):
        read_checked(file, sha256=sha256, name="acte.pdf")
    default_storage.delete(file.name)
    with pytest.raises(BusinessError, match=r"acte\.pdf est introuvable"):
        read_checked(file, sha256=sha256, name="acte.pdf")
    assert len(caplog.records) == 2
