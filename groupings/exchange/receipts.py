"""The receipts of the contrôle de légalité: what one file says of one act, an XML message of @CTES or a stamped PDF.

Nothing is written here: reading gives a Receipt, or a sentence to show. A file is known by its content, never by its
name. Sources of the formats: « interop.md » §3, ``actes_xml.py`` and ``actes_stamp.py``.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from groupings.rules.actes import ActesId

MAX_BYTES = 10 * 1024 * 1024
#: A doubt of both readers.
EARLY = "La date de réception précède celle de l’acte."

_BLANK = b"\x00\t\n\r\x0b\x0c \xef\xbb\xbf\xff\xfe"  # white space, and the byte order marks of UTF-8 and UTF-16
#: First bytes of what is deposited by mistake, and what it is.
_STRANGERS = {
    b"MZ": "un programme Windows",
    b"\x7fELF": "un programme Linux",
    b"PK\x03\x04": "une archive ou un document bureautique",
    b"\x1f\x8b": "une archive\u00a0: déposez le message XML qu’elle contient",
    b"\xd0\xcf\x11\xe0": "un document bureautique",
    b"{\\rtf": "un document bureautique",
    b"\xff\xd8\xff": "une image\u00a0: saisissez les champs à la main",
    b"\x89PNG": "une image\u00a0: saisissez les champs à la main",
    b"II*\x00": "une image\u00a0: saisissez les champs à la main",
    b"MM\x00*": "une image\u00a0: saisissez les champs à la main",
}


class UnreadableReceipt(ValueError):
    """The file is not a receipt that can be read; ``str(error)`` is the French sentence to show."""


class TypeByHand(UnreadableReceipt):
    """A sound PDF whose stamp is missing or incomplete: it can be kept, its fields are for a person to type."""


class NoText(TypeByHand):
    """A scanned PDF, or one that a password closes: there is nothing to read in it."""


class ReceiptKind(StrEnum):
    """What a receipt does to the act it names."""

    RECEIVED = "RECEIVED"  # ARActe, or a stamp: the préfet has the act
    CANCELLED = "CANCELLED"  # ARAnnulation: the body withdrew it, its reception no longer counts
    ANOMALY = "ANOMALY"  # AnomalieActe, AnomalieEnveloppe: the State refused it, it was never received


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One act as one receipt tells it.

    ``actes_id`` and ``received_on`` are always there on a RECEIVED one, ``received_on`` never on another. An anomaly
    has an ``actes_id`` when its message lets it be composed (the State gives none to an act it refuses).
    ``decided_on``, ``number``, ``nature`` (``DE``) and ``matter`` (text, ``7.10``) are those of the message, or else
    of the identifier; ``subject`` is the Objet. ``sent_on`` and ``published_on`` come from stamps only.
    ``reason``: French sentences for the reader, empty when there is nothing to say: the Detail of an anomaly, the day
    of a cancellation, what is doubtful in a reception.
    """

    kind: ReceiptKind
    actes_id: ActesId | None = None
    received_on: date | None = None
    sent_on: date | None = None
    published_on: date | None = None
    decided_on: date | None = None
    number: str = ""
    nature: str = ""
    matter: str = ""
    subject: str = ""
    reason: str = ""


def read_receipt(content: bytes, filename: str) -> Receipt:
    """The receipt that ``content`` holds. ``filename`` names it in sentences, and in an anomaly gives the body's SIREN.

    Raises UnreadableReceipt, TypeByHand or NoText with the French sentence to show; nothing else on any bytes.
    """
    if not content:
        raise UnreadableReceipt(f"{quoted(filename)} est vide.")
    if len(content) > MAX_BYTES:
        raise UnreadableReceipt(f"{quoted(filename)} dépasse 10\u00a0Mo.")
    start = content[:1024].lstrip(_BLANK)
    if start.startswith(b"%PDF-"):
        from groupings.exchange.actes_stamp import read_stamp  # pypdf is imported at the first PDF

        return read_stamp(content)
    if start.startswith(b"<"):
        from groupings.exchange.actes_xml import read_message

        return read_message(content, filename)
    stranger = next((f", mais {name}" for magic, name in _STRANGERS.items() if content.startswith(magic)), "")
    raise UnreadableReceipt(f"{quoted(filename)} n’est ni un message XML de l’application ACTES, ni un PDF{stranger}.")


def quoted(text: str) -> str:
    """``text`` between French quotes, on one line, cut when it is long, for a sentence."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return f"«\u00a0{line if len(line) <= 60 else line[:59] + '…'}\u00a0»"
