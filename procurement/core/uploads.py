"""Files received from people, and files kept as evidence: what a PDF is, where bytes lie, that they are still the same.

What is received is known by its content, never by its name. The documents' folder is outside the web root: a file is
only handed over by a view that has found its row through ``visible_to``.
"""

import hashlib
import io
import logging
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile

from procurement.core.errors import BusinessError

logger = logging.getLogger(__name__)

PDF_MAX_BYTES = 10 * 1024 * 1024
_HEADER_WITHIN = 1024  # ISO 32000-1, annex H, note 13: readers accept the header within the first 1,024 bytes
_END_WITHIN = 2048
#: Programs and archives may carry a PDF header a little further, and still be what they are.
_NOT_A_PDF = (b"MZ", b"\x7fELF", b"PK\x03\x04", b"#!")
#: The container of Word 97 to 2003, and of any document that Office closes with a password.
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NAME_LENGTH = 200
_PAGES_READ = 3
_MAX_PIXELS = 60_000_000  # three times a telephone's photograph
#: What a page of text never needs: a hostile file stops there with an error of pypdf.
_LIMITS = {
    "zlib_maximum_output_length": 20_000_000,
    "lzw_maximum_output_length": 5_000_000,
    "run_length_maximum_output_length": 5_000_000,
    "array_based_stream_maximum_output_length": 5_000_000,
    "stream_decoding_work_maximum_length": 40_000_000,
    "stream_parsing_work_maximum_count": 200_000,
    "xform_maximum_invocations_per_extraction": 200,
}


@dataclass(frozen=True, slots=True)
class ReceivedPdf:
    """A sound PDF. ``name`` is the one it came under, cleaned; ``has_text``: its first pages hold text to read."""

    content: bytes
    name: str
    sha256: str
    has_text: bool


def receive_pdf(content: bytes, filename: str) -> ReceivedPdf:
    """Check the bytes a person sent as a PDF.

    Raises BusinessError (field ``file``), one French sentence, for an empty file, one over 10 MB, anything that is not
    a PDF whatever its name, a truncated one, or one that a password closes.
    """
    name = clean_name(filename)
    if not content:
        raise _refused(f"«\u00a0{name}\u00a0» est vide\u00a0: déposez-le de nouveau.")
    if len(content) > PDF_MAX_BYTES:
        raise _refused(
            f"«\u00a0{name}\u00a0» dépasse 10\u00a0Mo\u00a0: numérisez-le en noir et blanc, à 200 points par pouce."
        )
    if content.startswith(_NOT_A_PDF) or b"%PDF-" not in content[:_HEADER_WITHIN]:
        raise _refused(
            f"«\u00a0{name}\u00a0» n’est pas un PDF, quel que soit son nom\u00a0: enregistrez le document en PDF, puis "
            "déposez-le de nouveau."
        )
    if b"%%EOF" not in content.rstrip(b"\0\t\r\n ")[-_END_WITHIN:]:
        raise _refused(_truncated(name))
    return ReceivedPdf(content, name, hashlib.sha256(content).hexdigest(), _read_text(content, name))


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A sound file of a kind people keep as evidence; ``extension`` is what its content is, whatever its name said."""

    content: bytes
    name: str
    sha256: str
    extension: str  # pdf, png, jpg, xlsx, docx


PDF_TYPE = "application/pdf"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FILE_TYPES = {
    "pdf": PDF_TYPE,
    "png": "image/png",
    "jpg": "image/jpeg",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": DOCX_TYPE,
}


def receive_file(content: bytes, filename: str) -> ReceivedFile:
    """Check the bytes a person sent: a PDF, a photograph (PNG, JPEG), a workbook or a Word document without macros.

    Raises BusinessError (field ``file``), one French sentence, for anything else, and for what cannot be opened.
    """
    name = clean_name(filename)
    if not content:
        raise _refused(f"«\u00a0{name}\u00a0» est vide\u00a0: déposez-le de nouveau.")
    if len(content) > PDF_MAX_BYTES:
        raise _refused(f"«\u00a0{name}\u00a0» dépasse 10\u00a0Mo\u00a0: réduisez-le, ou découpez-le.")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        extension = _checked_image(content, name, "PNG", "png")
    elif content.startswith(b"\xff\xd8\xff"):
        extension = _checked_image(content, name, "JPEG", "jpg")
    elif content.startswith(b"PK\x03\x04"):
        extension = _checked_office(content, name)
    elif b"%PDF-" in content[:_HEADER_WITHIN]:
        receive_pdf(content, filename)
        extension = "pdf"
    else:
        raise _refused(
            f"«\u00a0{name}\u00a0» n’est ni un PDF, ni une photo, ni un document Word ou Excel\u00a0: enregistrez-le "
            "dans un de ces formats."
        )
    return ReceivedFile(content, name, hashlib.sha256(content).hexdigest(), extension)


def receive_text(content: bytes, filename: str) -> ReceivedFile:
    """Check the bytes of a text a person sent to be read and signed: a PDF, or a Word document without macros.

    Raises BusinessError (field ``file``), one French sentence, for anything else, and for what cannot be opened.
    """
    name = clean_name(filename)
    if content.startswith(_OLD_OFFICE):
        raise _refused(
            f"«\u00a0{name}\u00a0» est un ancien document Office, ou un document protégé par un mot de passe\u00a0: "
            "enregistrez-le en Word (.docx) ou en PDF, sans protection."
        )
    if not content.startswith((b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff")):
        receive_pdf(content, filename)
    received = receive_file(content, filename)
    if received.extension not in ("pdf", "docx"):
        raise _refused(
            f"«\u00a0{name}\u00a0» n’est ni un PDF ni un document Word (.docx)\u00a0: déposez le texte lui-même."
        )
    if received.extension == "docx":
        _check_word(content, name)
    return received


def _check_word(content: bytes, name: str) -> None:
    """Every part is whole, none is a program, and the document opens."""
    import docx  # a fifth of a second at the first document

    damaged = f"«\u00a0{name}\u00a0» est abîmé\u00a0: enregistrez-le de nouveau, puis déposez-le."
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if b"macroEnabled" in archive.read("[Content_Types].xml"):
                raise _refused(_macros(name))
            if archive.testzip() is not None:
                raise _refused(damaged)
        docx.Document(io.BytesIO(content))
    except BusinessError:
        raise
    except Exception as error:  # python-docx raises whatever broken bytes make it raise
        raise _refused(damaged) from error


def _macros(name: str) -> str:
    return f"«\u00a0{name}\u00a0» contient des macros\u00a0: enregistrez-le sans elles."


def _checked_image(content: bytes, name: str, kind: str, extension: str) -> str:
    from PIL import Image  # imported at the first photograph

    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise _refused(f"«\u00a0{name}\u00a0» est une image trop grande\u00a0: réduisez-la.")
            image.verify()
    except BusinessError:
        raise
    except Exception as error:  # Pillow raises whatever broken bytes make it raise
        raise _refused(f"«\u00a0{name}\u00a0» est une image abîmée\u00a0: refaites la photo.") from error
    return extension


def _checked_office(content: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            expanded = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _refused(f"«\u00a0{name}\u00a0» est abîmé\u00a0: enregistrez-le de nouveau, puis déposez-le.") from error
    if expanded > 20 * PDF_MAX_BYTES:
        raise _refused(f"«\u00a0{name}\u00a0» est refusé\u00a0: une fois décompressé, il serait démesuré.")
    if any(member.endswith("vbaProject.bin") for member in names):
        raise _refused(_macros(name))
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "word/document.xml" in names:
        return "docx"
    raise _refused(f"«\u00a0{name}\u00a0» est une archive\u00a0: déposez les documents qu’elle contient.")


def clean_name(filename: str) -> str:
    """The name of a file as a person knows it: no folder, no invisible character, at most 200 characters."""
    base = filename.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(character if character.isprintable() else " " for character in base)
    name = " ".join(unicodedata.normalize("NFC", visible).split()).strip(". ")
    if len(name) > _NAME_LENGTH:
        stem, dot, suffix = name.rpartition(".")
        tail = f"…{dot}{suffix}" if dot and len(suffix) <= 10 else "…"
        name = (stem if len(tail) > 1 else name)[: _NAME_LENGTH - len(tail)] + tail
    return name or "document"


def write_aside_and_move(path: str, content: bytes) -> str:
    """Write ``content`` at ``path`` of the documents' folder and return ``path``. A reader never sees half a file:
    written beside under a fixed name, then renamed in one step."""
    target = Path(default_storage.path(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.partial")
    aside.write_bytes(content)
    aside.replace(target)
    return path


def read_checked(file: FieldFile, *, sha256: str, name: str) -> bytes:
    """The bytes of a stored file, once their SHA-256 is the one kept when it came: it is the evidence.

    Raises BusinessError when the file is missing or altered; ``name`` is what the sentence calls it.
    """
    try:
        with file.storage.open(file.name, "rb") as stream:
            content = stream.read()
    except OSError as error:
        logger.error("Document %s illisible\u00a0: %s", file.name, error)
        raise BusinessError(f"Le fichier {name} est introuvable\u00a0: prévenez l’équipe technique.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        logger.error("Document %s\u00a0: l’empreinte ne correspond pas au fichier.", file.name)
        raise BusinessError(
            f"Le fichier {name} ne correspond plus à son empreinte\u00a0: il n’est pas délivré. "
            "Prévenez l’équipe technique."
        )
    return content


def _read_text(content: bytes, name: str) -> bool:
    """Whether the first pages hold text. Raises BusinessError when the PDF cannot be opened at all."""
    from pypdf import PasswordType, PdfReader, apply_configuration  # imported at the first PDF

    with apply_configuration(**_LIMITS):
        try:
            reader = PdfReader(io.BytesIO(content))
            # A file that only its owner may change opens with an empty password, as in any viewer.
            is_closed = reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED
            pages = [] if is_closed else reader.pages[:_PAGES_READ]
        except Exception as error:  # pypdf raises whatever broken bytes make it raise
            raise _refused(_truncated(name)) from error
        if is_closed:
            raise _refused(f"«\u00a0{name}\u00a0» est protégé par un mot de passe\u00a0: déposez-le sans protection.")
        if not pages:
            raise _refused(f"«\u00a0{name}\u00a0» ne contient aucune page.")
        return any(_has_text(page) for page in pages)


def _has_text(page: Any) -> bool:
    try:
        return bool(page.extract_text().strip())
    except Exception:  # the page is kept as it is: its fields will be typed by hand
        return False


def _truncated(name: str) -> str:
    return f"«\u00a0{name}\u00a0» est un PDF tronqué ou abîmé\u00a0: déposez-le de nouveau depuis l’original."


def _refused(sentence: str) -> BusinessError:
    return BusinessError(sentence, field="file")
