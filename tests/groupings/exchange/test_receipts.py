"""What a deposited file is, by its content: a receipt, or a French sentence and nothing else."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.exchange.receipts import (
    MAX_BYTES,
    NoText,
    ReceiptKind,
    TypeByHand,
    UnreadableReceipt,
    read_receipt,
)
from tests.groupings.exchange.samples import MONTPELLIER, RECEIVED, aracte, pdf, s2low, scan, xml

MESSAGE, STAMPED = xml(aracte(), "utf-8"), pdf(s2low())


def refusal(content: bytes, filename: str = "accusé.pdf") -> str:
    with pytest.raises(UnreadableReceipt) as refused:
        read_receipt(content, filename)
    return str(refused.value)


@pytest.mark.parametrize("content", [MESSAGE, STAMPED])
@pytest.mark.parametrize("filename", ["accuse.xml", "accuse.pdf", "accuse.exe", "", "/etc/../accuse\x00"])
def test_the_content_decides_not_the_name(content, filename):
    receipt = read_receipt(content, filename)
    assert (receipt.kind, receipt.actes_id, receipt.received_on) == (ReceiptKind.RECEIVED, MONTPELLIER, RECEIVED)


@pytest.mark.parametrize("before", [b"", b"\n", b" \r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("content", [MESSAGE, STAMPED])
def test_blanks_before_the_content_do_not_matter(before, content):
    assert read_receipt(before + content, "x").actes_id == MONTPELLIER


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        written.writestr("accuse.xml", MESSAGE)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"MZ\x90\x00" + STAMPED, "ni un PDF, mais un programme Windows."),
        (b"\x7fELF" + bytes(100), "mais un programme Linux."),
        (archive(), "mais une archive ou un document bureautique."),
        (b"\xff\xd8\xff\xe0" + bytes(50), "mais une image\u00a0: saisissez les champs à la main."),
        (b"\x89PNG\r\n\x1a\n", "mais une image"),
        (
            b"COLL_NOM,COLL_SIRET\n",
            "«\u00a0accusé.pdf\u00a0» n’est ni un message XML de l’application ACTES, ni un PDF.",
        ),
        (b"{}", "ni un PDF."),
        (b"   \n", "ni un PDF."),
        (b"\xef\xbb\xbf", "ni un PDF."),
        (bytes(2000), "ni un PDF."),
        (b"GIF89a" + STAMPED, "ni un PDF."),
        (b"", "«\u00a0accusé.pdf\u00a0» est vide."),
        (b"%PDF-" + bytes(MAX_BYTES), "«\u00a0accusé.pdf\u00a0» dépasse 10\u00a0Mo."),
        (b"<!DOCTYPE html><html><body>Erreur 404</body></html>", "DTD"),
    ],
)
def test_what_is_not_a_receipt_is_named(content, what):
    assert what in refusal(content)


def test_the_largest_file_is_still_opened():
    assert "10" not in refusal(b"%PDF-" + bytes(MAX_BYTES - 5))


def test_a_long_name_is_cut_and_stays_on_one_line():
    sentence = refusal(b"{}", "a\r\n\u202eb" + "c" * 300)
    assert sentence.startswith("«\u00a0a b" + "c" * 10)
    assert len(sentence) < 150
    assert all(character.isprintable() or character == "\u00a0" for character in sentence)


def test_a_person_can_type_what_a_sound_pdf_does_not_say():
    with pytest.raises(TypeByHand):
        read_receipt(pdf(["Un acte sans aucun tampon"]), "acte.pdf")
    with pytest.raises(NoText):
        read_receipt(scan(), "scan.pdf")


def read_or_refuse(content: bytes) -> None:
    """One sentence at least, that fits a screen, and never a reception by chance."""
    try:
        receipt = read_receipt(content, "x")
    except UnreadableReceipt as refused:
        assert str(refused).endswith(".")
        assert 10 < len(str(refused)) < 400
    else:
        assert (receipt.kind == ReceiptKind.RECEIVED) == (receipt.received_on is not None)
        assert receipt.actes_id is not None or receipt.kind == ReceiptKind.ANOMALY


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=500))
def test_any_bytes_are_read_or_refused(content):
    read_or_refuse(content)
    read_or_refuse(b"<" + content)
    read_or_refuse(b"%PDF-1.7\n" + content + b"\n%%EOF")
    read_or_refuse(b"\xff\xfe<\x00" + content)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([MESSAGE, STAMPED, pdf(s2low(), compress=False), pdf(s2low(), password="")]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6),
)
def test_a_damaged_receipt_is_read_or_refused(content, damages):
    for place, replacement in damages:
        start = int(place * len(content))
        content = content[:start] + replacement + content[start + len(replacement) :]
    read_or_refuse(content)
