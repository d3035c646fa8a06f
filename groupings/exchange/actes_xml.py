"""The XML messages of @CTES: ARActe, ARAnnulation, AnomalieActe, AnomalieEnveloppe.

Two schemas live under the one namespace ``http://www.interieur.gouv.fr/ACTES#v1.1-20040216`` (2004, and 2018 with
DocumentPapier), and the platforms that relay the messages change prefixes and encodings: no schema is enforced, names
are compared without their namespace, and a value is an attribute or a child element. No DTD, no entity, no network.
"""

import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from groupings.exchange.receipts import EARLY, Receipt, ReceiptKind, UnreadableReceipt, quoted
from groupings.rules.actes import NATURES, ActesId, ActesIdError, parse_actes_id

#: A real message weighs a few kilobytes; one with a hundred annexes, thirty.
MAX_BYTES = 1024 * 1024
SUBJECT_MAX_LENGTH = 500  # of the XSD
DETAIL_MAX_LENGTH = 2000

#: Messages of the same application that say nothing of a reception, and what they are.
_OTHER_MESSAGES = {
    "RetourClassification": "la liste des matières de la préfecture",
    "EnveloppeMISILLCL": "l’enveloppe du ministère, sans l’accusé de réception",
    "EnveloppeCLMISILL": "l’enveloppe d’envoi de la collectivité, sans l’accusé de réception",
    "Acte": "l’envoi de l’acte par la collectivité, et non sa réception",
    "Annulation": "la demande d’annulation de la collectivité, et non sa réception",
    "CourrierSimple": "un courrier de la préfecture",
    "ReponseCourrierSimple": "une réponse à un courrier de la préfecture",
    "DemandePieceComplementaire": "une demande de pièces complémentaires de la préfecture",
    "PieceComplementaire": "un envoi de pièces complémentaires",
    "ARPieceComplementaire": "l’accusé de réception de pièces complémentaires, et non de l’acte",
    "LettreObservations": "une lettre d’observations de la préfecture",
    "ReponseLettreObservations": "une réponse à une lettre d’observations",
    "RejetLettreObservations": "une réponse à une lettre d’observations",
    "ARReponseRejetLettreObservations": "l’accusé de réception d’une réponse à une lettre d’observations",
    "DefereTA": "un déféré devant le tribunal administratif",
}

_BODY = re.compile(r"(?<![0-9])([0-9]{2}[0-9AB])-([0-9]{9})-")
#: The form of a transmission (1-1) in an envelope: the identifier, the transaction, the message, the rank of the file.
_FORM = re.compile(r"(.+)-1-1_[0-9]+\.xml", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"""<\?xml\s[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]+)""")


def read_message(content: bytes, filename: str) -> Receipt:
    """The receipt of the one message that ``content`` holds, as its root or inside a wrapper.

    ``filename``: of the State or not; an anomaly without better takes from it the department and SIREN of the body.
    Raises UnreadableReceipt.
    """
    root = _parse(content)
    messages = [element for element in _walk(root) if _name(element) in _READERS]
    if len(messages) == 1:
        return _READERS[_name(messages[0])](messages[0], filename)
    if messages:
        raise UnreadableReceipt(
            f"Ce fichier contient {len(messages)} messages de l’application ACTES\u00a0: déposez-les un par un."
        )
    if what := _OTHER_MESSAGES.get(_name(root)):
        raise UnreadableReceipt(f"Ce message n’est pas un accusé de réception\u00a0: c’est {what}.")
    raise UnreadableReceipt(f"Ce fichier XML n’est pas un message de l’application ACTES ({quoted(_name(root))}).")


def _read_reception(message: Element, _filename: str) -> Receipt:
    actes_id = _actes_id(message)
    received_on = _date(_value(message, "DateReception"))
    if received_on is None:
        raise UnreadableReceipt("Cet accusé de réception ne donne pas de date de réception qui puisse se lire.")
    act = _act(message)
    said = {"la date": act["decided_on"], "le numéro": act["number"], "la nature": act["nature"]}
    known = {"la date": actes_id.decided_on, "le numéro": actes_id.number, "la nature": actes_id.nature}
    different = [name for name in said if said[name] and said[name] != known[name]]
    doubts = [f"L’acte décrit et son identifiant diffèrent par {' et '.join(different)}."] if different else []
    if received_on < actes_id.decided_on:
        doubts.append(EARLY)
    return Receipt(
        kind=ReceiptKind.RECEIVED,
        actes_id=actes_id,
        received_on=received_on,
        reason=" ".join(doubts),
        **_completed(act, actes_id),
    )


def _read_cancellation(message: Element, _filename: str) -> Receipt:
    actes_id = _actes_id(message)
    day = _date(_value(message, "DateReception"))
    when = f" le {day:%d/%m/%Y}" if day else ""
    return Receipt(
        kind=ReceiptKind.CANCELLED,
        actes_id=actes_id,
        reason=f"La collectivité a retiré cet acte du contrôle de légalité{when}\u00a0: sa réception ne compte plus.",
        **_completed(_act(message), actes_id),
    )


def _read_anomaly(message: Element, filename: str) -> Receipt:
    act = _act(message)
    actes_id = _composed_id(message, act, filename)
    day = _date(_value(message, "Date"))
    nature = _value(message, "Nature")
    detail = _shortened(_value(message, "Detail"), DETAIL_MAX_LENGTH) or "le message ne dit pas pourquoi."
    number = f" {nature}" if re.fullmatch("[0-9]{1,3}", nature) else ""
    when = f" du {day:%d/%m/%Y}" if day else ""
    return Receipt(
        kind=ReceiptKind.ANOMALY,
        actes_id=actes_id,
        reason=f"L’acte n’est pas reçu. Anomalie{number}{when}\u00a0: {detail}",
        **_completed(act, actes_id),
    )


_READERS = {
    "ARActe": _read_reception,
    "ARAnnulation": _read_cancellation,
    "AnomalieActe": _read_anomaly,
    "AnomalieEnveloppe": _read_anomaly,
}


def _parse(content: bytes) -> Element:
    if len(content) > MAX_BYTES:
        raise UnreadableReceipt("Ce fichier XML dépasse 1\u00a0Mo\u00a0: un accusé de réception est bien plus petit.")
    text = _decode(content)
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    try:
        return defusedxml.ElementTree.fromstring(text.strip(), forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnreadableReceipt(
            "Ce fichier XML contient une DTD ou des entités, ce qu’un accusé de réception ne contient jamais."
        ) from error
    except (ParseError, ValueError) as error:
        raise UnreadableReceipt("Ce fichier XML est abîmé ou incomplet\u00a0: téléchargez-le à nouveau.") from error


def _decode(content: bytes) -> str:
    """The text, whatever the declaration says: bytes that are valid UTF-8 are UTF-8, others are Western European."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in content[:4]:
        encodings = ["utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else _utf16_order(content)]
    else:
        declared = _ENCODING.match(content.lstrip())
        latin9 = declared is not None and declared[1].lower() in (b"iso-8859-15", b"latin9", b"latin-9")
        encodings = ["utf-8-sig", "iso-8859-15" if latin9 else "windows-1252", "iso-8859-1"]
    for encoding in encodings:
        try:
            return content.decode(encoding).lstrip("\ufeff")
        except UnicodeDecodeError:
            continue
    raise UnreadableReceipt("Ce fichier XML est écrit dans un codage inconnu\u00a0: téléchargez-le à nouveau.")


def _utf16_order(content: bytes) -> str:
    return "utf-16-be" if content[:1] == b"\x00" else "utf-16-le"


def _walk(root: Element) -> Iterator[Element]:
    """Every element in the order of the document; without recursion, which a hostile depth would exhaust."""
    pending = [root]
    while pending:
        element = pending.pop()
        yield element
        pending.extend(reversed(element))


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(element: Element | None, name: str) -> str:
    """The attribute ``name`` of ``element``, else the text of its child of that name; empty when it has neither."""
    if element is None:
        return ""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return " ".join(value.split())
    child = _child(element, name)
    return " ".join((child.text or "").split()) if child is not None else ""


def _child(element: Element | None, name: str) -> Element | None:
    if element is None:
        return None
    return next((child for child in element if _name(child) == name), None)


def _date(text: str) -> date | None:
    """An xs:date; an hour or a time zone behind it is tolerated and left out."""
    found = re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])", text)
    if not found:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _actes_id(message: Element) -> ActesId:
    text = _value(message, "IDActe")
    if not text:
        raise UnreadableReceipt("Ce message ne donne pas l’identifiant ACTES de l’acte (IDActe).")
    try:
        return parse_actes_id(text)
    except ActesIdError as error:
        raise UnreadableReceipt(str(error)) from error


def _act(message: Element) -> dict:
    """What ActeRecu says, under the names of Receipt; empty where it says nothing."""
    act = _child(message, "ActeRecu")
    letters = {number: nature for nature, (number, _label) in NATURES.items()}
    return {
        "decided_on": _date(_value(act, "Date")),
        "number": _shortened(_value(act, "NumeroInterne"), 100),
        "nature": letters.get(_value(act, "CodeNatureActe"), ""),
        "matter": _matter(act),
        "subject": _shortened(_value(act, "Objet"), SUBJECT_MAX_LENGTH),
    }


def _completed(act: dict, actes_id: ActesId | None) -> dict:
    """``act`` with the parts of its identifier where the message is silent."""
    if actes_id is None:
        return act
    parts = {"decided_on": actes_id.decided_on, "number": actes_id.number, "nature": actes_id.nature}
    return act | {name: act[name] or part for name, part in parts.items()}


def _matter(act: Element | None) -> str:
    """``1.7``: the two levels that are the same everywhere; the others belong to the préfecture."""
    levels = [_child(act, f"CodeMatiere{level}") for level in (1, 2)]
    codes = [_value(level, "CodeMatiere") or ("" if level is None else (level.text or "").strip()) for level in levels]
    if not all(re.fullmatch("[0-9]{1,2}", code) for code in codes):
        return ""
    return ".".join(str(int(code)) for code in codes)


def _composed_id(message: Element, act: dict, filename: str) -> ActesId | None:
    """The identifier that a refused act would have had, or None.

    An anomaly bears none. It is composed as the State does, of the department and SIREN found in the names of files
    (in the message, or its own) and of what ActeRecu says; an envelope is known by its only form of transmission.
    """
    names = [element.text.strip() for element in _walk(message) if _name(element) == "NomFichier" and element.text]
    candidate = _value(message, "IDActe")
    if not candidate and _name(message) == "AnomalieEnveloppe":
        forms = {form[1] for form in map(_FORM.fullmatch, names) if form}
        candidate = forms.pop() if len(forms) == 1 else ""
    elif not candidate and act["decided_on"]:
        body = next((found[0] for found in map(_BODY.search, [*names, filename]) if found), "")
        candidate = f"{body}{act['decided_on']:%Y%m%d}-{act['number']}-{act['nature']}"
    try:
        return parse_actes_id(candidate)
    except ActesIdError:
        return None


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
