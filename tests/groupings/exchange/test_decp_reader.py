"""Reading the essential data of others: the official examples, and every quirk that real files show."""

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupings.exchange.decp import json_stream
from groupings.exchange.decp.published import PassedOver, buyer_of, is_concession, published_contract
from groupings.exchange.decp.reader import read_raw
from procurement.core.documents.tabular import UnreadableFile

FILES = Path(__file__).with_name("decp_files")
TODAY = date(2026, 11, 28)
#: A contract of 2019, as the consolidated file of data.gouv.fr writes them.
OLD = {
    "_type": "Marché",
    "id": "2019001",
    "acheteur": {"id": "21340172201787", "nom": "Ville de Montpellier"},
    "nature": "Marché",
    "objet": "Fourniture de papier",
    "codeCPV": "30197630-1",
    "procedure": "Procédure adaptée",
    "lieuExecution": {"code": "34000", "typeCode": "Code postal", "nom": "Montpellier"},
    "dureeMois": 48,
    "dateNotification": "2024-05-15",
    "datePublicationDonnees": "2024-06-01",
    "montant": 96000,
    "formePrix": "Ferme",
    "titulaires": [{"typeIdentifiant": "SIRET", "id": "55204599900869", "denominationSociale": "PAPETERIE DU SUD"}],
    "modifications": [],
}


def raw(content: bytes | str | dict) -> list:
    if isinstance(content, dict):
        content = json.dumps(content)
    return list(read_raw(io.BytesIO(content if isinstance(content, bytes) else content.encode())))


def contract(**changes):
    return published_contract(OLD | changes, TODAY)


def test_the_official_xml():
    found = [published_contract(values, TODAY) for _, values in raw((FILES / "Marche.xml").read_bytes())]
    assert len(found) == 2
    first = found[0]
    assert (first.buyer_siret, first.reference, first.cpv) == ("21750001630040", "TEST2022", "45000000")
    assert (first.amount, first.duration_months) == (Decimal("575000.00"), 48)
    assert (first.notified_on, first.ends_on) == (date(2024, 5, 15), date(2028, 5, 15))
    assert first.holders == "55204599900869"


def test_the_official_json_with_its_modification():
    """The modification says 12 months, 123 457,87 € and another holder: it is the contract as it stands."""
    content = (FILES / "marches_avec_modifications.json").read_bytes()
    found = [published_contract(values, TODAY) for _, values in raw(content)]
    assert [item.reference for item in found] == ["TEST2022", "TEST2022Bis"]
    assert {(item.amount, item.duration_months, item.holders) for item in found} == {
        (Decimal("123457.87"), 12, "868768687576575")
    }
    assert found[0].ends_on == date(2025, 5, 15)


def test_the_flat_list_of_2019():
    ((kind, values),) = raw({"marches": [OLD]})
    found = published_contract(values, TODAY)
    assert kind == "marche"
    assert (found.buyer_siret, found.siren, found.reference) == ("21340172201787", "213401722", "2019001")
    assert (found.title, found.cpv, found.amount) == ("Fourniture de papier", "30197630", Decimal("96000.00"))
    assert (found.ends_on, found.holders) == (date(2028, 5, 15), "PAPETERIE DU SUD (55204599900869)")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([OLD]),
        json.dumps({"marches": {"marche": OLD}}),
        json.dumps({"marches": {"marche": [OLD], "contrat-concession": []}}),
        json.dumps({"version": {"n": [1, 2]}, "marches": {"x": 1, "marche": [OLD]}}),
        "\ufeff" + json.dumps({"marches": [OLD]}, indent=2),
        json.dumps({"marches": [OLD]}, ensure_ascii=False).replace("}]}", "},]}"),
        json.dumps({"marches": [OLD]}, ensure_ascii=False).encode("cp1252"),
        json.dumps({"marches": [OLD]}, ensure_ascii=False).encode("utf-8-sig"),
    ],
)
def test_the_shapes_of_a_json_file(content):
    ((_, values),) = raw(content)
    assert published_contract(values, TODAY) == contract()
    assert values["_type"] == "Marché"


XML = (
    '<?xml version="1.0" encoding="{}"?>\n<marches><marche><id>2019001</id><acheteur><id>21340172201787</id></acheteur>'
    "<objet>Fourniture d’été, côté école</objet><codeCPV>30197630-1</codeCPV><dureeMois>48</dureeMois>"
    "<dateNotification>2024-05-15+02:00</dateNotification><montant>96000.5</montant></marche></marches>"
).replace("’", "'")


@pytest.mark.parametrize(
    "content",
    [
        XML.format("UTF-8").encode(),
        b"\xef\xbb\xbf" + XML.format("utf-8").encode(),
        XML.format("ISO-8859-1").encode("latin-1"),
        XML.format("UTF-8").encode("latin-1"),  # it says one thing and is another
        XML.split("\n", 1)[1].encode("latin-1"),
        XML.format("windows-1252").encode("cp1252"),
        XML.format("UTF-8").replace("<marches>", '<marches xmlns="urn:decp">').encode(),
    ],
)
def test_the_encodings_of_an_xml_file(content):
    ((_, values),) = raw(content)
    found = published_contract(values, TODAY)
    assert found.title == "Fourniture d'été, côté école"
    assert (found.notified_on, found.amount, found.holders) == (date(2024, 5, 15), Decimal("96000.50"), "")


def test_concessions_are_told_apart():
    kinds = [kind for kind, _ in raw({"marches": {"marche": [OLD], "contrat-concession": [{"id": "C1"}]}})]
    assert kinds == ["marche", "contrat-concession"]
    assert is_concession(OLD | {"_type": "Contrat de concession"})
    assert is_concession({"nature": "Délégation de service public"})
    assert not is_concession(OLD)
    xml = "<marches><contrat-concession><id>C1</id></contrat-concession><marche><id>1</id></marche></marches>"
    assert [kind for kind, _ in raw(xml)] == ["contrat-concession", "marche"]


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"id": 2019001}, "reference", "2019001"),
        ({"id": Decimal("2019001.0")}, "reference", "2019001"),
        ({"acheteur": {"id": 21340172201787}}, "buyer_siret", "21340172201787"),
        ({"acheteur": "213 401 722 01787"}, "buyer_siret", "21340172201787"),
        ({"acheteur": {"id": 1340172201787}}, "buyer_siret", "01340172201787"),
        ({"acheteur": {"id": "213401722"}}, "siren", "213401722"),
        ({"montant": "96000.00"}, "amount", Decimal("96000.00")),
        ({"montant": "96 000,50 €"}, "amount", Decimal("96000.50")),
        ({"montant": "9.6E4"}, "amount", Decimal("96000.00")),
        ({"montant": Decimal("96000.005")}, "amount", Decimal("96000.01")),
        ({"montant": 0}, "amount", None),
        ({"montant": -5}, "amount", None),
        ({"montant": "NC"}, "amount", None),
        ({"montant": None}, "amount", None),
        ({"montant": 10**15}, "amount", None),
        ({"codeCPV": "30197630"}, "cpv", "30197630"),
        ({"codeCPV": 9134100}, "cpv", "09134100"),
        ({"codeCPV": "3019"}, "cpv", ""),
        ({"codeCPV": "99999999-9"}, "cpv", ""),
        ({"codeCPV": None}, "cpv", ""),
        ({"dateNotification": "2024-05-15T00:00:00"}, "notified_on", date(2024, 5, 15)),
        ({"dateNotification": "2024-05-15T00:00:00+02:00"}, "notified_on", date(2024, 5, 15)),
        ({"dateNotification": "15/05/2024"}, "notified_on", date(2024, 5, 15)),
        ({"dureeMois": "48"}, "ends_on", date(2028, 5, 15)),
        ({"dureeMois": Decimal("47.5")}, "duration_months", 48),
        ({"dateNotification": "2024-01-31", "dureeMois": 1}, "ends_on", date(2024, 2, 29)),
        ({"titulaires": None}, "holders", ""),
        ({"titulaires": []}, "holders", ""),
        ({"titulaires": [{"titulaire": {"id": 55204599900869}}]}, "holders", "55204599900869"),
        ({"titulaires": {"titulaire": [{"id": "A"}, {"id": "B"}]}}, "holders", "A, B"),
        ({"titulaires": {"titulaire": {"id": "A"}}}, "holders", "A"),
        ({"titulaires": ["A"]}, "holders", ""),
        ({"objet": None}, "title", "Objet non publié"),
        ({"objet": "Papier\x00\nd’été\u202e"}, "title", "Papier d’été"),
        ({"objet": "x" * 2000}, "title", "x" * 999 + "…"),
    ],
)
def test_what_buyers_write(changes, field, expected):
    assert getattr(contract(**changes), field) == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"acheteur": None}, "acheteur sans SIRET"),
        ({"acheteur": {"id": "NC"}}, "acheteur sans SIRET"),
        ({"acheteur": {"id": "²1340172201787"}}, "acheteur sans SIRET"),
        ({"id": None}, "marché sans identifiant"),
        ({"id": True}, "marché sans identifiant"),
        ({"dateNotification": None}, "date de notification absente ou illisible"),
        ({"dateNotification": "2024-02-30"}, "date de notification absente ou illisible"),
        ({"dateNotification": "2204-05-15"}, "date de notification impossible"),
        ({"dateNotification": "0024-05-15"}, "date de notification impossible"),
        ({"dureeMois": None}, "durée absente ou illisible"),
        ({"dureeMois": 0}, "durée absente ou illisible"),
        ({"dureeMois": "quatre ans"}, "durée absente ou illisible"),
        ({"dureeMois": 1460}, "durée de plus de 600 mois"),
    ],
)
def test_what_says_too_little_is_passed_over_with_its_reason(changes, reason):
    with pytest.raises(PassedOver, match=reason):
        contract(**changes)


def test_the_last_modification_counts_whatever_their_order_and_their_wrapping():
    late = {"id": 2, "dureeMois": 60, "dateNotificationModification": "2025-03-01"}
    early = {"id": 1, "dureeMois": 54, "montant": "99000", "dateNotificationModification": "2024-09-01"}
    for written in ([late, early], [{"modification": late}, {"modification": early}], {"modification": [late, early]}):
        found = contract(modifications=written)
        assert (found.duration_months, found.amount) == (60, Decimal("99000.00"))
        assert found.told_on == date(2025, 3, 1)
    assert contract(modifications={"modification": early}).duration_months == 54
    assert contract(modifications="aucune").duration_months == 48


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "est vide"),
        ("\ufeff  \n", "est vide"),
        ("id;objet\n1;papier", "en JSON ou en XML"),
        (b"%PDF-1.7", "en JSON ou en XML"),
        ("{", "s’arrête avant la fin"),
        ('{"marches": [{"id": 1}', "s’arrête avant la fin"),
        ('{"marches": [{"id": 1', "n’est pas fermée"),
        ('{"marches": [{"id": 1} {"id": 2}]}', "une virgule"),
        ('{"marches": "aucun"}', "ni une liste ni un objet"),
        ('{"contrats": []}', "pas de clé"),
        ("{1: 2}", "n’est pas un texte"),
        ('{"marches": ' + "[" * 100_000, "le fichier JSON|emboîtées"),
        ("<marches><marche></marches>", "mal formé à la ligne 1"),
        ("<html><p>Erreur 404</p></html>", "un «\u00a0html\u00a0»"),
        ('<!DOCTYPE m [<!ENTITY a "b">]><marches>&a;</marches>', "DOCTYPE"),
        ('<?xml version="1.0" encoding="klingon"?><marches/>', "encodage"),
        ("<marches>" + "<a>" * 50, "trop profondément"),
    ],
)
def test_a_file_that_cannot_be_read(content, sentence):
    with pytest.raises(UnreadableFile, match=f"(?i){sentence}"):
        raw(content)


def test_an_empty_list_holds_nothing():
    assert raw({"marches": []}) == []
    assert raw({"marches": {"marche": []}}) == []
    assert raw("<marches/>") == []


@given(st.lists(st.text(max_size=30), max_size=8), st.integers(min_value=1, max_value=60))
def test_cut_anywhere_a_file_reads_the_same(texts, size):
    """A window of any width gives the contracts of the whole file: nothing is lost at its edges."""
    rows = [{"id": text, "n": rank, "montant": 12345.678 * rank} for rank, text in enumerate(texts)]
    text = json.dumps({"a": 1, "marches": {"marche": rows}}, ensure_ascii=False)
    former, json_stream.CHUNK = json_stream.CHUNK, size
    try:
        found = [value for _, value in json_stream.contracts(io.StringIO(text))]
    finally:
        json_stream.CHUNK = former
    assert found == json.loads(text, parse_float=Decimal)["marches"]["marche"]


def test_a_value_without_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(json_stream, "CHUNK", 1000)
    monkeypatch.setattr(json_stream, "LONGEST", 5000)
    stream = io.StringIO('{"marches": ["' + "x" * 1_000_000)
    with pytest.raises(json_stream.BadJson):
        list(json_stream.contracts(stream))
    assert stream.tell() < 10_000


@pytest.mark.parametrize("values", [None, [], "texte", {"acheteur": []}, {"acheteur": {"id": {}}}, 3])
def test_an_entry_of_any_shape_has_no_buyer(values):
    assert buyer_of(values) == ""
    assert not is_concession(values)
