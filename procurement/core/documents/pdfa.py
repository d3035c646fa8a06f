"""PDF/A-2b (ISO 19005-2, level B): what a joined document needs so that an archive can open it in fifty years.

What is drawn is already fit for it: every face embedded, no transparency, no script (``pdf.py``). Here are added the
colour the document is meant in, the metadata as XMP in agreement with the information dictionary, the language and an
identifier. All of it is written while pages are joined, so that it costs a document less than a millisecond.
"""

import hashlib
import struct
from datetime import UTC, datetime
from functools import lru_cache
from xml.sax.saxutils import escape

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

#: Of the whole document, as RFC 5646 writes it.
LANGUAGE = "fr-FR"
PRODUCER = "xhtml2pdf, pypdf"
# Bytes above 127 on the second line tell a transfer that the file is binary (6.1.2).
_HEADER = "%PDF-1.7"
# The primaries of sRGB (IEC 61966-2-1) adapted to the D50 white of ICC profiles, and the matrix that adapts them.
_PRIMARIES = (
    ("rXYZ", (0.43607, 0.22249, 0.01392)),
    ("gXYZ", (0.38515, 0.71687, 0.09708)),
    ("bXYZ", (0.14307, 0.06061, 0.71410)),
)
_WHITE = (0.96420, 1.0, 0.82491)
_ADAPTATION = (1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168)
#: The sRGB curve: ((a·x + b)^g above d, c·x below), as an ICC parametric curve of type 3.
_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def make_archival(writer: PdfWriter, *, title: str, author: str, issued_at: datetime, identity: str) -> None:
    """Make ``writer``, whose pages are already there, a PDF/A-2b dated ``issued_at`` (aware).

    ``identity`` is what sets this document apart: the same gives the same ``/ID``. Raises ValueError without title or
    author, or for a date without time zone.
    """
    if issued_at.tzinfo is None:
        raise ValueError("issued_at doit porter un fuseau horaire.")
    if not (title.strip() and author.strip()):
        raise ValueError("Un document d’archive a un titre et un auteur.")
    instant = issued_at.astimezone(UTC).replace(microsecond=0)
    stamp = instant.strftime("D:%Y%m%d%H%M%S+00'00'")
    writer.add_metadata(
        {"/Title": title, "/Author": author, "/Producer": PRODUCER, "/CreationDate": stamp, "/ModDate": stamp}
    )
    root = writer.root_object
    root[NameObject("/Lang")] = TextStringObject(LANGUAGE)
    root[NameObject("/ViewerPreferences")] = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    root[NameObject("/Metadata")] = writer._add_object(
        _stream(xmp_packet(title=title, author=author, instant=instant), Type="Metadata", Subtype="XML")
    )
    profile = _stream(srgb_profile())
    profile[NameObject("/N")] = NumberObject(3)
    intent = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/OutputIntent"),
            NameObject("/S"): NameObject("/GTS_PDFA1"),
            NameObject("/OutputConditionIdentifier"): TextStringObject("sRGB"),
            NameObject("/Info"): TextStringObject("sRGB IEC 61966-2-1"),
            NameObject("/DestOutputProfile"): writer._add_object(profile),
        }
    )
    root[NameObject("/OutputIntents")] = ArrayObject([writer._add_object(intent)])
    # Neither of the two is a secret: they name the document, and its version, for whoever files it.
    name = ByteStringObject(hashlib.md5(f"{title}\0{author}\0{identity}".encode(), usedforsecurity=False).digest())
    writer._ID = ArrayObject([name, name])
    writer.pdf_header = _HEADER


def xmp_packet(*, title: str, author: str, instant: datetime) -> bytes:
    """The metadata as XMP (ISO 16684-1), which says that the file is a PDF/A-2b; ``instant`` is in UTC."""
    stamp = instant.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{escape(author)}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>{LANGUAGE}</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>{PRODUCER}</pdf:Producer>
<xmp:CreateDate>{stamp}</xmp:CreateDate>
<xmp:ModifyDate>{stamp}</xmp:ModifyDate>
<xmp:MetadataDate>{stamp}</xmp:MetadataDate>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, version 4.2, made from the numbers of the standard: always the same bytes."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, _CURVE))
    tags = [
        ("desc", _localised("sRGB")),
        ("cprt", _localised("Domaine public")),
        ("wtpt", _xyz(_WHITE)),
        ("chad", b"sf32" + bytes(4) + b"".join(map(_fixed, _ADAPTATION))),
        *((name, _xyz(colour)) for name, colour in _PRIMARIES),
        *((name, curve) for name in ("rTRC", "gTRC", "bTRC")),
    ]
    offset = 128 + 4 + 12 * len(tags)
    table, data, places = struct.pack(">I", len(tags)), b"", {}
    for name, content in tags:
        if content not in places:  # the three curves are one
            places[content] = offset + len(data)
            data += content + bytes(-len(content) % 4)
        table += name.encode() + struct.pack(">II", places[content], len(content))
    # Size, no engine, version 4.2, display device, RGB to XYZ, dated 1 January 2000, perceptual intent, D50.
    header = struct.pack(">I", offset + len(data)) + bytes(4) + b"\x04\x20\0\0" + b"mntrRGB XYZ "
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(_WHITE)[8:]
    return header.ljust(128, b"\0") + table + data


def _stream(content: bytes, **names: str) -> StreamObject:
    stream = StreamObject()
    stream.set_data(content)
    for key, value in names.items():
        stream[NameObject(f"/{key}")] = NameObject(f"/{value}")
    return stream


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))


def _xyz(colour: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, colour))


def _localised(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II", 1, 12) + b"frFR" + struct.pack(">II", len(encoded), 28) + encoded
