"""What the electronic signatures of a PDF say: read in a process of its own, never called valid."""

import hashlib
import io
import subprocess
import sys

import pytest
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from groupings.exchange import pades
from groupings.exchange.pades import Reading, read_signatures, reading_from
from tests.support.deliberations import make_pdf
from tests.support.pades import sign_pdf

COPY = make_pdf("Convention constitutive du groupement")
COPIES = [(len(COPY), hashlib.sha256(COPY).hexdigest())]


@pytest.fixture(scope="module")
def once() -> bytes:
    return sign_pdf(COPY)


def turned(content: bytes) -> bytes:
    """``content`` with its first page turned, added at its end as an editor does."""
    writer, output = IncrementalPdfFileWriter(io.BytesIO(content)), io.BytesIO()
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = NumberObject(90)
    writer.update_container(page)
    writer.write(output)
    return output.getvalue()


def test_a_file_without_signature_says_so():
    found = read_signatures(COPY, COPIES)
    assert (found.signatures, found.problem) == ((), "")
    assert found.sentence == "Aucune signature électronique dans ce fichier."


def test_a_signature_says_who_as_the_certificate_does_and_that_nothing_changed(once):
    found = read_signatures(once, COPIES)
    signature = found.signatures[0]
    assert (signature.signer, signature.issuer) == ("Hélène ŒUVRARD", "Hélène ŒUVRARD")
    assert (signature.is_intact, signature.after, signature.algorithm) == (True, "nothing", "SHA256, RSA")
    assert (signature.has_timestamp, signature.is_document_timestamp) == (False, False)
    assert signature.claimed is not None and signature.claimed.tzinfo is not None
    assert found.is_the_copy
    assert found.sentence == "1 signature électronique\u00a0: les octets signés n’ont pas changé."
    assert "valide" not in found.sentence


def test_a_second_signature_leaves_the_first_intact(once):
    found = read_signatures(sign_pdf(once, "Jérôme Durand", "Signature2"), COPIES)
    assert [(s.signer, s.is_intact, s.after) for s in found.signatures] == [
        ("Hélène ŒUVRARD", True, "signatures"),
        ("Jérôme Durand", True, "nothing"),
    ]
    assert found.is_the_copy


def test_bytes_changed_under_a_signature_are_told(once):
    found = read_signatures(once.replace(b"/Type /Page", b"/Type /Pagf"), COPIES)
    assert [s.is_intact for s in found.signatures] == [False]
    assert not found.copy and not found.is_the_copy
    assert "à examiner" in found.sentence


def test_a_page_changed_after_the_signature_is_told(once):
    found = read_signatures(turned(once), COPIES)
    assert [(s.is_intact, s.after) for s in found.signatures] == [(True, "changed")]
    assert not found.is_the_copy
    assert "à examiner" in found.sentence


def test_a_page_changed_before_the_signature_is_not_the_copy_although_the_signature_is_intact():
    found = read_signatures(sign_pdf(turned(COPY)), COPIES)
    assert [(s.is_intact, s.after) for s in found.signatures] == [(True, "nothing")]
    assert found.copy and found.added == "changed" and not found.is_the_copy


def test_another_document_is_not_the_copy():
    assert not read_signatures(sign_pdf(make_pdf("Une autre convention")), COPIES).is_the_copy


def test_a_truncated_file_stops_with_a_sentence(once):
    found = read_signatures(once[: len(once) // 2])
    assert found == Reading(problem="Les signatures électroniques de ce fichier n’ont pas pu être lues.")


def test_what_is_stored_reads_the_same(once):
    import json

    found = read_signatures(once, COPIES)
    assert reading_from(json.loads(json.dumps(found.stored()))) == found


def test_a_reading_that_lasts_is_stopped(monkeypatch):
    def lasts(*args, **options):
        raise subprocess.TimeoutExpired(args[0], options["timeout"])

    monkeypatch.setattr(pades.subprocess, "run", lasts)
    assert "durait trop" in read_signatures(COPY).problem


def test_a_reading_that_dies_is_told(monkeypatch):
    monkeypatch.setattr(pades.sys, "executable", "/bin/false")
    assert "jusqu’au bout" in read_signatures(COPY).problem


def test_the_child_has_little_memory():
    """It gives itself its own limits before it reads a byte of the file."""
    asked = (
        "import resource, io, sys; from groupings.exchange import pades;"
        "sys.stdin = io.TextIOWrapper(io.BytesIO(b'x')); pades._main();"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split("}")[-1].split() == [str(pades.MEMORY), str(pades.PATIENCE)]
