"""The files of essential data: valid for the official schemas, exact to the cent, refused by our stricter checks."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import jsonschema
import lxml.etree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.exchange.decp import writer
from groupings.exchange.decp.record import Contract, Holder, duplicates, problems
from groupings.exchange.decp.writer import InvalidFile, validate_json, validate_xml, write
from tests.groupings.exchange.decp_samples import BOUYGUES, FRAMEWORK, GROUP_OF_COMPANIES, PLAIN, TODAY

SCHEMAS = Path(writer.__file__).parent
AWKWARD = "Achat d’équipements & d'outils <divers> ; « lot unique » " + "é" * 940
CASES = {
    "a plain lot": PLAIN,
    "an accord-cadre": FRAMEWORK,
    "a group of companies": GROUP_OF_COMPANIES,
    "sixteen characters": replace(PLAIN, identifier="2026-M042_L001/A"),
    "an awkward object of a thousand characters": replace(PLAIN, subject=AWKWARD.ljust(1000, "z")[:1000]),
    "Corsica": replace(PLAIN, place_department="2A"),
    "one euro": replace(PLAIN, amount=Decimal("1.00")),
}


def official_json(content: bytes) -> list[str]:
    """What the official schema says, asked directly of the library and not through our own function."""
    schema = json.loads((SCHEMAS / "schema_decp_v2.0.4.json").read_text(encoding="utf-8"))
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(json.loads(content))]


def official_xml(content: bytes) -> bool:
    schema = lxml.etree.XMLSchema(lxml.etree.parse(str(SCHEMAS / "schema_decp_v2.0.2.xsd")))
    return schema.validate(lxml.etree.fromstring(content))


@pytest.mark.parametrize("contract", CASES.values(), ids=CASES)
def test_official_schemas_accept_what_is_written(contract):
    assert problems(contract, TODAY) == []
    assert official_json(write([contract], "json")) == []
    assert official_xml(write([contract], "xml"))


def test_all_of_them_in_one_file():
    contracts = [replace(contract, identifier=f"M{rank}") for rank, contract in enumerate(CASES.values())]
    assert official_json(write(contracts, "json")) == []
    assert official_xml(write(contracts, "xml"))


def test_what_the_json_says():
    """Booleans are booleans, the amount is the exact number, what is unknown is not there."""
    content = write([FRAMEWORK], "json").decode()
    (marche,) = json.loads(content, parse_float=Decimal)["marches"]["marche"]
    assert '"montant": 880000.00,' in content
    assert marche["tauxAvance"] == Decimal("0.05")
    assert marche["attributionAvance"] is True
    assert marche["techniques"] == {"technique": ["Accord-cadre"]}
    assert marche["lieuExecution"] == {"code": "75", "typeCode": "Code département"}
    assert marche["titulaires"] == [{"titulaire": {"typeIdentifiant": "SIRET", "id": BOUYGUES}}]
    assert not {"origineUE", "origineFrance", "idAccordCadre", "modifications", "actesSousTraitance"} & set(marche)
    assert "tauxAvance" not in json.loads(write([PLAIN], "json"))["marches"]["marche"][0]


def test_what_the_xml_says():
    """« oui » and « non », the order of the XSD, special characters escaped and given back."""
    content = write([replace(FRAMEWORK, subject="A & B <C> d'été")], "xml")
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<marches>')
    assert "A &amp; B &lt;C&gt; d'été".encode() in content
    marche = ET.fromstring(content).find("marche")
    assert marche.findtext("objet") == "A & B <C> d'été"
    assert marche.findtext("attributionAvance") == "oui"
    assert marche.findtext("sousTraitanceDeclaree") == "non"
    assert marche.findtext("montant") == "880000.00"
    order = [element.tag for element in marche]
    xsd = lxml.etree.parse(str(SCHEMAS / "schema_decp_v2.0.2.xsd"))
    space = {"xs": "http://www.w3.org/2001/XMLSchema"}
    declared = xsd.xpath(
        "/xs:schema/xs:element[@name='marche']/xs:complexType/xs:all/xs:element/@name", namespaces=space
    )
    assert order == [name for name in declared if name in order]


@given(st.decimals(min_value=1, max_value=Decimal("999999999999.99"), places=2))
def test_amounts_are_written_digit_for_digit(amount):
    """No float on the way: 0.1 + 0.2, and the twelve digits before the point."""
    contract = replace(PLAIN, amount=amount)
    (read,) = json.loads(write([contract], "json"), parse_float=str, parse_int=str)["marches"]["marche"]
    assert read["montant"] == f"{amount:f}"
    assert ET.fromstring(write([contract], "xml")).findtext("marche/montant") == f"{amount:f}"
    assert problems(contract, TODAY) == []


@given(st.decimals(min_value=Decimal("0.01"), max_value=100, places=2))
def test_the_rate_is_the_percentage_divided_exactly(rate):
    (read,) = json.loads(write([replace(FRAMEWORK, advance_rate=rate)], "json"), parse_float=Decimal)["marches"][
        "marche"
    ]
    assert Decimal(read["tauxAvance"]) * 100 == rate


MISSING = {
    "identifier": "",
    "buyer_siret": "",
    "subject": "",
    "cpv": "",
    "techniques": (),
    "modalities": (),
    "ccag": "",
    "offers_received": None,
    "has_advance": None,
    "operators_kind": "",
    "procedure": "",
    "place_department": "",
    "months": None,
    "notified_on": None,
    "published_on": None,
    "amount": None,
    "price_types": (),
    "price_form": "",
    "has_subcontracting": None,
    "is_innovative": None,
    "holders": (),
    "social": (),
    "environmental": (),
}


@pytest.mark.parametrize("field", MISSING)
def test_each_value_is_compulsory_here_and_for_the_official_schema(field):
    contract = replace(PLAIN, **{field: MISSING[field]})
    found = problems(contract, TODAY)
    assert [(problem.field, problem.is_missing) for problem in found] == [(field, True)]
    if field == "place_department":  # any text is a place for the official schemas, the empty one too
        return
    for file_format in ("json", "xml"):
        with pytest.raises(InvalidFile):
            write([contract], file_format)


def test_every_missing_value_is_told_at_once():
    empty = Contract(**MISSING, advance_rate=None)
    assert [problem.field for problem in problems(empty, TODAY)] == list(MISSING)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("buyer_siret", "21750001600018", "La clé du SIRET"),
        ("buyer_siret", "2175000160001", "celui-ci en a 13"),
        ("holders", (Holder("55204599900868"),), "La clé du SIRET"),
        ("holders", (Holder("  "),), "n’a pas d’identifiant"),
        ("identifier", "A" * 17, "plus de seize caractères"),
        ("identifier", "A B", "une espace"),
        ("identifier", "A&B", "& "),
        ("subject", "x" * 1001, "plus de 1000 caractères"),
        ("subject", "Papier\x00", "caractère invisible"),
        ("cpv", "30197631", "n’est pas dans la nomenclature"),
        ("cpv", "30197630-1", "n’est pas dans la nomenclature"),
        ("offers_received", 0, "au moins une offre"),
        ("months", 0, "un mois au moins"),
        ("amount", Decimal("0.99"), "un euro au moins"),
        ("amount", Decimal("0.00"), "un euro au moins"),
        ("amount", Decimal("40000.001"), "plus de deux décimales"),
        ("amount", Decimal("NaN"), "plus de deux décimales"),
        ("place_department", "20", "n’existe pas"),
        ("place_department", "075", "n’existe pas"),
        ("notified_on", TODAY + timedelta(days=1), "n’est pas encore venue"),
        ("published_on", TODAY + timedelta(days=1), "n’est pas encore venue"),
        ("published_on", date(2026, 5, 4), "avant la notification"),
        ("advance_rate", Decimal("5"), "aucune avance n’est attribuée"),
        ("operators_kind", "Solidaire", "un seul est saisi"),
    ],
)
def test_stricter_than_the_schema(field, value, sentence):
    found = problems(replace(PLAIN, **{field: value}), TODAY)
    assert found and not any(problem.is_missing for problem in found)
    assert any(sentence in problem.message for problem in found)


@pytest.mark.parametrize("rate", ["100.01", "-0.01"])
def test_a_rate_of_advance_is_a_percentage(rate):
    (found,) = problems(replace(FRAMEWORK, advance_rate=Decimal(rate)), TODAY)
    assert "de 0 à 100" in found.message


def test_an_advance_at_zero_percent_is_incoherent_and_an_unknown_rate_is_left_out():
    (found,) = problems(replace(FRAMEWORK, advance_rate=Decimal("0.00")), TODAY)
    assert found.field == "advance_rate"
    unknown = replace(FRAMEWORK, advance_rate=None)
    assert problems(unknown, TODAY) == []
    assert b"tauxAvance" not in write([unknown], "json")


def test_the_day_itself_is_a_date_of_today():
    assert problems(replace(PLAIN, notified_on=TODAY, published_on=TODAY), TODAY) == []


def test_several_holders_are_a_group_of_companies_unless_the_accord_cadre_has_several():
    two = (Holder(BOUYGUES), Holder("DE123456789", "TVA"))
    (found,) = problems(replace(PLAIN, holders=two), TODAY)
    assert found.field == "operators_kind"
    assert problems(replace(FRAMEWORK, holders=two), TODAY) == []
    (found,) = problems(replace(FRAMEWORK, holders=(Holder(BOUYGUES), Holder(BOUYGUES))), TODAY)
    assert "deux fois" in found.message


def test_an_identifier_is_unique_for_its_buyer():
    other_buyer = replace(PLAIN, buyer_siret="24340001700022")
    assert duplicates([PLAIN, FRAMEWORK, other_buyer, replace(PLAIN, identifier="M2")]) == {1: 0}


@pytest.mark.parametrize(("field", "value"), [("ccag", "Maîtrise d'œuvre"), ("procedure", "Appel d’offres ouvert")])
def test_a_spelling_of_our_own_is_refused_by_both_schemas(field, value):
    """The circumflex, the curly apostrophe: neither is in the closed lists."""
    for file_format in ("json", "xml"):
        with pytest.raises(InvalidFile):
            write([replace(PLAIN, **{field: value})], file_format)


def test_the_schemas_refuse_what_others_got_wrong():
    good = json.loads(write([PLAIN], "json"))
    marche = good["marches"]["marche"][0]
    for spoilt in ({"_type": "Marché"}, {"modifications": []}, {"origineUE": None}):
        with pytest.raises(InvalidFile):
            validate_json(json.dumps({"marches": {"marche": [marche | spoilt]}}).encode())
    with pytest.raises(InvalidFile):
        validate_xml(write([PLAIN], "xml").replace(b"<ccag>", b"<ccg>").replace(b"</ccag>", b"</ccg>"))


def test_two_formats_and_no_other():
    with pytest.raises(ValueError, match="json ou en xml"):
        write([PLAIN], "csv")
