"""What the electronic signatures of a PDF say (PAdES, ISO 32000-1 §12.8), and what of it was checked.

The file comes from outside: it is read in a process of its own, with little time and memory, without network. What is
checked: the signed bytes are the bytes of the file, the value of the signature is that of the certificate's key, what
was added after. What is not: who holds the certificate, whether it was revoked or expired, whether it is qualified
(eIDAS). Nothing here ever says « valide ».
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

#: Seconds and bytes given to the reading of one file of 10 MB at most.
PATIENCE = 20
MEMORY = 1_500_000_000
_SIGNATURES_MAX = 200
_TEXT_MAX = 200


@dataclass(frozen=True)
class ReadSignature:
    """One signature. ``signer`` is the common name its certificate bears, ``claimed_at`` the time it says (ISO).

    ``is_intact``: the bytes it covers are those that were signed. ``after``: what the file holds beyond them:
    "nothing", "signatures" (other signatures, forms, archive data), "changed" or "unknown". ``algorithm``: « SHA256,
    RSA ».
    """

    signer: str
    issuer: str
    claimed_at: str
    has_timestamp: bool
    is_document_timestamp: bool
    is_intact: bool
    after: str
    algorithm: str

    @property
    def claimed(self) -> datetime | None:
        """``claimed_at`` as an instant; None when the signature says none."""
        return datetime.fromisoformat(self.claimed_at) if self.claimed_at else None


@dataclass(frozen=True)
class Reading:
    """What one PDF says. ``problem``: why it could not be read to the end, a French sentence, else empty.

    ``copy``: the SHA-256 of the produced copy the file begins with, byte for byte, empty when it is none of them.
    ``added``: what was added to the first bytes of the file, as ``after`` of a signature: a page changed after the copy
    and before the signature would be signed all the same.
    """

    signatures: tuple[ReadSignature, ...] = ()
    problem: str = ""
    copy: str = ""
    added: str = "unknown"

    @property
    def is_the_copy(self) -> bool:
        """Whether the file is a copy produced here, to which signatures alone were added."""
        return bool(self.copy) and self.added in ("nothing", "signatures")

    @property
    def sentence(self) -> str:
        """What the file says, in one sentence that claims no more than what was checked."""
        count = len([signature for signature in self.signatures if not signature.is_document_timestamp])
        if not self.signatures:
            return self.problem or "Aucune signature électronique dans ce fichier."
        told = f"{count} signature{'s' if count > 1 else ''} électronique{'s' if count > 1 else ''}"
        is_altered = any(not found.is_intact or found.after == "changed" for found in self.signatures)
        if is_altered or self.problem:
            return f"{told}, à examiner\u00a0: le fichier a été modifié, ou n’a pas pu être lu en entier."
        return f"{told}\u00a0: les octets signés n’ont pas changé."

    def stored(self) -> dict[str, Any]:
        return asdict(self) | {"signatures": [asdict(signature) for signature in self.signatures]}


def reading_from(stored: dict[str, Any]) -> Reading:
    """The reverse of ``stored``."""
    signatures = tuple(ReadSignature(**signature) for signature in stored["signatures"])
    return Reading(signatures, stored["problem"], stored["copy"], stored["added"])


def read_signatures(content: bytes, copies: Sequence[tuple[int, str]] = ()) -> Reading:
    """The signatures of ``content``, read in a child process. ``copies``: (size, SHA-256) of the copies produced: a
    signature is added at the end of a PDF, so that the copy signed is the beginning of the file."""
    copy = next((sha for size, sha in copies if hashlib.sha256(content[:size]).hexdigest() == sha), "")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "groupings.exchange.pades"],
            input=content,
            capture_output=True,
            cwd=Path(__file__).resolve().parents[2],
            timeout=PATIENCE,
            check=True,
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Reading(
            problem="La lecture des signatures électroniques a été arrêtée\u00a0: elle durait trop.", copy=copy
        )
    except (subprocess.CalledProcessError, ValueError):
        return Reading(
            problem="Les signatures électroniques de ce fichier n’ont pas pu être lues jusqu’au bout.", copy=copy
        )
    return reading_from({**told, "copy": copy})


def _read(content: bytes) -> Reading:
    """In the child: everything a hostile file may break stays here."""
    import io

    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        found = reader.embedded_signatures
    except Exception:
        return Reading(problem="Les signatures électroniques de ce fichier n’ont pas pu être lues.")
    signatures, problem = [], ""
    for embedded in found[:_SIGNATURES_MAX]:
        try:
            signatures.append(_one(embedded))
        except Exception:
            problem = "Une signature de ce fichier n’a pas pu être lue\u00a0: elle n’est pas décrite ici."
    return Reading(tuple(signatures), problem, added=_added(reader))


def _added(reader: Any) -> str:
    """What the revisions after the first one hold; the copies produced here have one revision.

    The rule of pyhanko compares two states of a form and refuses the first signature, which brings the form: here, of
    the first revision, only the catalogue and the annotations of a page may change, for fields of signature.
    """
    try:
        if reader.xrefs.total_revisions == 1:
            return "nothing"
        first, last = (
            reader.get_historical_resolver(0),
            reader.get_historical_resolver(reader.xrefs.total_revisions - 1),
        )
        written = reader.xrefs.explicit_refs_in_revision(0)
        changed = set()
        for revision in range(1, reader.xrefs.total_revisions):
            touched = reader.xrefs.explicit_refs_in_revision(revision) | reader.xrefs.refs_freed_in_revision(revision)
            changed |= touched & written
        keeps = all(_is_for_signature(first(ref), last(ref)) for ref in changed)
        return "signatures" if keeps else "changed"
    except Exception:
        return "unknown"


def _is_for_signature(old: Any, new: Any) -> bool:
    """Whether an object of the first revision changed as a signature changes it: what is shown stays."""
    from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject

    if not isinstance(old, DictionaryObject) or not isinstance(new, DictionaryObject):
        return False
    if old.get("/Type") == "/Metadata":  # said of the file, shown on no page
        return new.get("/Type") == "/Metadata"
    if isinstance(old, StreamObject) or isinstance(new, StreamObject):
        return False
    if old.get("/Type") == "/Catalog":
        return _same(old, new, {"/AcroForm", "/DSS", "/Perms", "/Extensions", "/Metadata", "/Version"})
    if old.get("/Type") == "/Page":
        return _same(old, new, {"/Annots"}) and _adds_fields(old.get("/Annots", ()), new.get("/Annots", ()))
    return "/Producer" in old or "/ModDate" in old  # the information of the file, shown on no page


def _adds_fields(old: Any, new: Any) -> bool:
    """Whether the annotations of a page are the same, then fields of signature alone."""
    kept = len(old) <= len(new) and all(old.raw_get(i) == new.raw_get(i) for i in range(len(old)))
    return kept and all(new[i].get("/FT") == "/Sig" for i in range(len(old), len(new)))


def _same(old: Any, new: Any, but: set[str]) -> bool:
    return _written(old, but) == _written(new, but)


def _written(dictionary: Any, but: set[str]) -> dict[str, bytes]:
    import io

    found = {}
    for key in dictionary:
        if key not in but:
            stream = io.BytesIO()
            dictionary.raw_get(key).write_to_stream(stream, None)
            found[str(key)] = stream.getvalue()
    return found


def _word_of(difference: Any) -> str:
    from pyhanko.sign.diff_analysis import ModificationLevel

    level = getattr(difference, "modification_level", ModificationLevel.OTHER)
    return "signatures" if level.value <= ModificationLevel.FORM_FILLING.value else "changed"


def _one(embedded: Any) -> ReadSignature:
    certificate = embedded.signer_cert
    algorithm = embedded.signer_info["signature_algorithm"]
    claimed_at = embedded.self_reported_timestamp
    return ReadSignature(
        signer=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        claimed_at=claimed_at.isoformat() if claimed_at else "",
        has_timestamp=_has_timestamp(embedded.signer_info),
        is_document_timestamp=str(embedded.sig_object_type) == "/DocTimeStamp",
        is_intact=_is_intact(embedded, certificate),
        after=_after(embedded),
        algorithm=f"{embedded.md_algorithm.upper()}, {_algorithm(algorithm)}",
    )


def _has_timestamp(signer_info: Any) -> bool:
    """Whether a timestamp token is attached to the signature (RFC 3161); the token itself is not checked."""
    attributes = signer_info["unsigned_attrs"]
    return any(attribute["type"].native == "signature_time_stamp_token" for attribute in attributes or ())


def _algorithm(algorithm: Any) -> str:
    try:
        return algorithm.signature_algo.upper().replace("RSASSA_PKCS1V15", "RSA").replace("RSASSA_PSS", "RSA-PSS")
    except ValueError:
        return "algorithme inconnu"


def _name(name: Any) -> str:
    """The common name as written, else the organisation, else the whole name; one line, nothing invisible."""
    parts = name.native
    value = parts.get("common_name") or parts.get("organization_name") or name.human_friendly
    text = ", ".join(value) if isinstance(value, list) else str(value)
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())[:_TEXT_MAX]


def _is_intact(embedded: Any, certificate: Any) -> bool:
    """The digest signed is that of the bytes of the file, and the key of the certificate did sign it."""
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    content_type = embedded.signed_data["encap_content_info"]["content_type"].native
    try:
        digest = embedded.compute_digest()
        if content_type == "tst_info":  # a document timestamp signs a token that holds the digest
            token = embedded.signed_data["encap_content_info"]["content"].parsed
            if token["message_imprint"]["hashed_message"].native != digest:
                return False
            digest = _digest_of_token(embedded)
        return all(validate_sig_integrity(embedded.signer_info, certificate, content_type, digest))
    except Exception:
        return False


def _digest_of_token(embedded: Any) -> bytes:
    token = bytes(embedded.signed_data["encap_content_info"]["content"])
    return hashlib.new(embedded.md_algorithm, token).digest()


def _after(embedded: Any) -> str:
    """What the file holds beyond the bytes this signature covers."""
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        embedded.compute_integrity_info()
    except Exception:
        return "unknown"
    if embedded.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return "nothing"
    if embedded.coverage != SignatureCoverageLevel.ENTIRE_REVISION:
        return "changed"
    return _word_of(embedded.diff_result)


def _main() -> None:
    import logging
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
    logging.disable(logging.CRITICAL)
    json.dump(_read(sys.stdin.buffer.read()).stored(), sys.stdout)


if __name__ == "__main__":
    _main()
