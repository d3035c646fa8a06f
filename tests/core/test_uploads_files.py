"""Files people keep as evidence: known by their content, one French sentence for what is refused."""

import io
import zipfile

import pytest
from PIL import Image

from procurement.core.errors import BusinessError
from procurement.core.uploads import receive_file


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(stream, kind)
    return stream.getvalue()


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for name in names:
            zipped.writestr(name, "<x/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (picture("PNG"), "png"),
        (picture("JPEG"), "jpg"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (archive("[Content_Types].xml", "word/document.xml"), "docx"),
    ],
)
def test_the_content_says_what_it_is(content, extension):
    assert receive_file(content, "facture.exe").extension == extension


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "vide"),
        (b"MZ" + b"\0" * 200, "ni un PDF, ni une photo"),
        (picture("PNG")[:60], "image abîmée"),
        (archive("xl/workbook.xml", "xl/vbaProject.bin"), "macros"),
        (archive("facture.pdf"), "archive"),
        (b"PK\x03\x04 cut", "abîmé"),
        (b"a" * (10 * 1024 * 1024 + 1), "10\u00a0Mo"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(content, sentence):
    with pytest.raises(BusinessError) as refused:
        receive_file(content, "facture.pdf")
    assert sentence in str(refused.value)
    assert refused.value.field == "file"
