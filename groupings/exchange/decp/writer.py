"""The essential data as a file: JSON (schema 2.0.4) or XML (XSD 2.0.2), checked against the official schema.

An amount goes from Decimal to text: no float is ever built.
"""

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import lxml.etree

from groupings.exchange.decp.record import Contract

_HERE = Path(__file__).parent
JSON_VERSION, XSD_VERSION = "2.0.4", "2.0.2"
_JSON_SCHEMA = _HERE / f"schema_decp_v{JSON_VERSION}.json"
_XSD = _HERE / f"schema_decp_v{XSD_VERSION}.xsd"
FORMATS = {"json": "application/json", "xml": "application/xml"}

#: Key of an array in the JSON, element of an item in the XML.
_LISTS = {
    "techniques": "technique",
    "modalitesExecution": "modaliteExecution",
    "typesPrix": "typePrix",
    "considerationsSociales": "considerationSociale",
    "considerationsEnvironnementales": "considerationEnvironnementale",
}


class InvalidFile(ValueError):
    """The official schema refuses what was about to be written; ``str(error)`` names the first reason."""


def write(contracts: Iterable[Contract], file_format: str) -> bytes:
    """The file of ``contracts`` in "json" or "xml", UTF-8.

    Ask ``record.problems`` first: here a value that is missing is left out. Raises InvalidFile when the official schema
    refuses the result, ValueError for another format.
    """
    values = [_values(contract) for contract in contracts]
    if file_format == "json":
        content = _json(values)
        validate_json(content)
    elif file_format == "xml":
        content = _xml(values)
        validate_xml(content)
    else:
        raise ValueError("Les données essentielles s’écrivent en json ou en xml.")
    return content


def _values(contract: Contract) -> dict[str, Any]:
    """The fields of one ``marche``, in the order of the XSD. None, "" and empty lists are left out of the file."""
    rate = contract.advance_rate if contract.has_advance else None
    return {
        "id": contract.identifier,
        "acheteur": {"id": contract.buyer_siret},
        "nature": contract.nature,
        "objet": contract.subject,
        "codeCPV": contract.cpv,
        "procedure": contract.procedure,
        "lieuExecution": {"code": contract.place_department, "typeCode": "Code département"},
        "dureeMois": contract.months,
        "dateNotification": contract.notified_on,
        "datePublicationDonnees": contract.published_on,
        "montant": contract.amount,
        "formePrix": contract.price_form,
        "titulaires": [{"typeIdentifiant": holder.kind, "id": holder.identifier} for holder in contract.holders],
        "considerationsSociales": list(contract.social),
        "considerationsEnvironnementales": list(contract.environmental),
        "techniques": list(contract.techniques),
        "modalitesExecution": list(contract.modalities),
        "typesPrix": list(contract.price_types),
        "marcheInnovant": contract.is_innovative,
        "ccag": contract.ccag,
        "offresRecues": contract.offers_received,
        "attributionAvance": contract.has_advance,
        "tauxAvance": None if rate is None else (rate / 100).normalize(),
        "typeGroupementOperateurs": contract.operators_kind,
        "sousTraitanceDeclaree": contract.has_subcontracting,
    }


def _is_known(value: Any) -> bool:
    return value is not None and value not in ("", [])


def _json(rows: list[dict[str, Any]]) -> bytes:
    marches = []
    for row in rows:
        shown = {}
        for key, value in row.items():
            if not _is_known(value):
                continue
            if key in _LISTS:
                shown[key] = {_LISTS[key]: value}
            elif key == "titulaires":
                shown[key] = [{"titulaire": holder} for holder in value]
            else:
                shown[key] = value
        marches.append(shown)
    return (_json_text({"marches": {"marche": marches}}) + "\n").encode()


def _json_text(value: Any, indent: str = "") -> str:
    """JSON with the exact digits of every Decimal: the standard writer would make floats of them."""
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {_json_text(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _json_text(item, inner) for item in value) + f"\n{indent}]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    return json.dumps(value, ensure_ascii=False)


def _xml(rows: list[dict[str, Any]]) -> bytes:
    root = ElementTree.Element("marches")
    for row in rows:
        marche = ElementTree.SubElement(root, "marche")
        for key, value in row.items():
            if not _is_known(value):
                continue
            element = ElementTree.SubElement(marche, key)
            if key in _LISTS:
                for item in value:
                    ElementTree.SubElement(element, _LISTS[key]).text = _xml_text(item)
            elif key == "titulaires":
                for holder in value:
                    _xml_fields(ElementTree.SubElement(element, "titulaire"), holder)
            elif isinstance(value, dict):
                _xml_fields(element, value)
            else:
                element.text = _xml_text(value)
    ElementTree.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def _xml_fields(parent: ElementTree.Element, values: dict[str, Any]) -> None:
    for key, value in values.items():
        ElementTree.SubElement(parent, key).text = _xml_text(value)


def _xml_text(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def validate_json(content: bytes) -> None:
    """Raise InvalidFile unless ``content`` is valid against the official JSON schema 2.0.4 (numbers kept exact)."""
    error = jsonschema.exceptions.best_match(_json_validator().iter_errors(json.loads(content, parse_float=Decimal)))
    if error is not None:
        raise InvalidFile(f"{error.json_path}\u00a0: {error.message[:300]}")


def validate_xml(content: bytes) -> None:
    """Raise InvalidFile unless ``content`` is valid against the official XSD 2.0.2."""
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True)
    schema = _xml_schema()
    if not schema.validate(lxml.etree.fromstring(content, parser)):
        first = schema.error_log[0]
        raise InvalidFile(f"ligne {first.line}\u00a0: {first.message[:300]}")


@cache
def _json_validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(_JSON_SCHEMA.read_text(encoding="utf-8")))


def _xml_schema() -> lxml.etree.XMLSchema:
    # Compiled anew each time: its error log is its own state, and it takes some milliseconds.
    return lxml.etree.XMLSchema(lxml.etree.parse(str(_XSD)))
