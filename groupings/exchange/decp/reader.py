"""Reading essential data that others published: JSON of 2019, JSON of 2022 and later, XML. Liberal in what is read.

The file is streamed: a consolidated one of hundreds of thousands of contracts takes the memory of one contract. What a
contract says badly is given up for that contract alone, with its reason.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser, iterparse

from groupings.exchange.decp.json_stream import CHUNK, CONCESSIONS, BadJson, contracts
from procurement.core.documents.tabular import UnreadableFile

#: By the page. The command reads a file of any size.
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]{1,40})["']""")
_DEPTH = 20


def read_raw(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """(kind, values) of each contract of a seekable file: kind is "marche" or "contrat-concession".

    ``values`` has the shape of the JSON, whatever the file was. Raises UnreadableFile, with a French sentence, at the
    place where the file stops being readable: what was read before is worth nothing.
    """
    stream.seek(0)
    head = stream.read(512)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise UnreadableFile("Le fichier est vide.")
    if start[:1] in b"{[":
        yield from _read_json(stream)
    elif start[:1] == b"<":
        yield from _read_xml(stream, head)
    else:
        raise UnreadableFile("Ce n’est pas un fichier de données essentielles\u00a0: il est en JSON ou en XML.")


def _read_json(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    encoding = "utf-8-sig" if _is_utf8(stream) else "cp1252"
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
    try:
        yield from contracts(text)
    except BadJson as error:
        raise UnreadableFile(f"Le fichier JSON ne peut pas être lu\u00a0: {error}") from error
    finally:
        text.detach()


def _read_xml(stream: IO[bytes], head: bytes) -> Iterator[tuple[str, Any]]:
    """Latin-1 is read when it is declared, and when it is not but the bytes say so."""
    declared = _ENCODING.search(head)
    is_utf8 = not declared or declared[1].lower().replace(b"_", b"-") in (b"utf-8", b"utf8")
    forced = "iso-8859-1" if is_utf8 and not _is_utf8(stream) else None
    stream.seek(0)
    parser = XMLParser(encoding=forced, forbid_dtd=True)
    depth, root = 0, None
    try:
        for event, element in iterparse(stream, events=("start", "end"), parser=parser, forbid_dtd=True):
            if event == "start":
                depth += 1
                root = element if root is None else root
                if depth == 1 and _name(element) != "marches":
                    raise UnreadableFile(
                        f"Le fichier XML est un «\u00a0{_name(element)[:40]}\u00a0», et non une liste de marchés."
                    )
                if depth > _DEPTH:
                    raise UnreadableFile("Les éléments du fichier XML sont emboîtés trop profondément.")
                continue
            depth -= 1
            if depth == 1:
                kind = CONCESSIONS if _name(element) == CONCESSIONS else "marche"
                values = _as_values(element)
                root.clear()
                yield kind, values
    except ParseError as error:
        line = error.position[0]
        raise UnreadableFile(
            f"Le fichier XML ne peut pas être lu\u00a0: il est mal formé à la ligne {line}."
        ) from error
    except DefusedXmlException as error:
        raise UnreadableFile("Le fichier XML déclare un DOCTYPE ou des entités\u00a0: il est refusé.") from error
    except (LookupError, ValueError) as error:
        raise UnreadableFile("L’encodage que le fichier XML déclare n’est pas connu.") from error


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _as_values(element: Element) -> Any:
    """Children as a dict, those of the same name as a list; the text of a leaf, None when it is empty."""
    children = list(element)
    if not children:
        return (element.text or "").strip() or None
    values: dict[str, Any] = {}
    for child in children:
        name, value = _name(child), _as_values(child)
        if name in values:
            values[name] = [*(values[name] if isinstance(values[name], list) else [values[name]]), value]
        else:
            values[name] = value
    return values


def _is_utf8(stream: IO[bytes]) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := stream.read(CHUNK):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
