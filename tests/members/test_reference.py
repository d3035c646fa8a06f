"""The compiled reference data: exact counts of the 2026 package, known places, and the search."""

import gzip
import json
import tarfile

import pytest
from django.core.management import CommandError, call_command

from members import reference
from members.reference import territories


def names(found):
    return [item.name for item in found]


def test_the_whole_country_in_one_small_file():
    assert len(reference.communes()) == 34_969
    assert len(reference.epcis()) == 1_255
    assert sum(len(epci.members) for epci in reference.epcis()) == 34_871
    assert len({commune.insee_code for commune in reference.communes()}) == 34_969
    assert territories.DATA_FILE.stat().st_size < 1_500_000


def test_montpellier_mediterranee_metropole():
    epci = reference.epci_by_siren("243400017")
    assert (epci.name, epci.nature, epci.nature_label) == ("Montpellier Méditerranée Métropole", "METRO", "Métropole")
    assert len(epci.members) == 31
    assert epci.population == 516_657 == sum(commune.population for commune in epci.members)
    assert epci.members[0] == ("34172", "213401722", "Montpellier", 307_101, "243400017")
    assert names(epci.members)[-1] == "Montaud"
    assert all(commune.department == "34" for commune in epci.members)


def test_rennes_metropole():
    epci = reference.epci_by_siren("243500139")
    assert (epci.name, len(epci.members)) == ("Rennes Métropole", 43)


def test_natures_are_those_of_the_list():
    counts = {}
    for epci in reference.epcis():
        counts[epci.nature] = counts.get(epci.nature, 0) + 1
    assert counts == {"METRO": 21, "MET69": 1, "CU": 14, "CA": 230, "CC": 989}


def test_every_member_knows_its_epci():
    for epci in reference.epcis():
        assert all(commune.epci_siren == epci.siren for commune in epci.members)


def test_communes_outside_any_epci():
    outside = [commune for commune in reference.communes() if not commune.epci_siren]
    assert len(outside) == 98
    assert {"29155", "22016", "29083", "85113"} <= {commune.insee_code for commune in outside}  # the four islands
    assert sum(commune.population is None for commune in reference.communes()) == 6


def test_unknown_siren_and_code():
    with pytest.raises(KeyError):
        reference.epci_by_siren("213401722")
    with pytest.raises(KeyError):
        reference.commune_by_insee_code("99999")
    assert reference.commune_by_insee_code("2A004").name == "Ajaccio"


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("montpellier", "Montpellier"),
        ("MONTPELLIER", "Montpellier"),
        ("st jean de vedas", "Saint-Jean-de-Védas"),
        ("Saint Jean-de-Véd", "Saint-Jean-de-Védas"),
        ("st vedas", "Saint-Jean-de-Védas"),
        ("cres", "Le Crès"),
        ("l'hay les roses", "L'Haÿ-les-Roses"),
        ("l’haÿ", "L'Haÿ-les-Roses"),
        ("ste marie aux mines", "Sainte-Marie-aux-Mines"),
        ("34172", "Montpellier"),
        ("2a004", "Ajaccio"),
        ("213401722", "Montpellier"),
    ],
)
def test_find_communes(typed, first):
    assert names(reference.find_communes(typed))[0] == first


def test_names_that_begin_with_the_text_come_first():
    found = names(reference.find_communes("montpellier", limit=50))
    assert found[0] == "Montpellier"
    starts = [name.startswith("Montpellier") for name in found]
    assert starts == sorted(starts, reverse=True)
    assert "Murviel-lès-Montpellier" in found


def test_department_and_limit():
    assert names(reference.find_communes("saint-jean", department="34"))[0] == "Saint-Jean-de-Védas"
    assert {c.department for c in reference.find_communes("saint", 500, department="2a")} <= {"2A"}
    assert reference.commune_by_insee_code("97411").department == "974"
    assert len(reference.find_communes("saint", limit=7)) == 7
    assert reference.find_communes("saint", limit=0) == []


@pytest.mark.parametrize("typed", ["", "  ", "-'", "zzzzqq", "%_\\", "<script>", "\u202e"])
def test_nothing_to_find(typed):
    assert reference.find_communes(typed) == []
    assert reference.find_epcis(typed) == []


def test_find_epcis():
    assert names(reference.find_epcis("montpellier mediterranee"))[0] == "Montpellier Méditerranée Métropole"
    assert names(reference.find_epcis("243500139")) == ["Rennes Métropole"]


COMMUNES = [
    {"code": "01002", "nom": "Beta", "type": "commune-actuelle", "siren": "210100020", "population": 7},
    {"code": "01001", "nom": "Alpha", "type": "commune-actuelle", "siren": "210100012", "population": 9},
    {"code": "01003", "nom": "Gamma", "type": "commune-deleguee"},
]
EPCIS = [
    {
        "code": "200000172",
        "nom": "CC A",
        "type": "CC",
        "populationMunicipale": 8,
        "membres": [{"code": "01001", "siren": "210100012", "populationMunicipale": 8}],
    }
]


def write_package(folder):
    folder.mkdir(exist_ok=True)
    (folder / "communes.json").write_text(json.dumps(COMMUNES), encoding="utf-8")
    (folder / "epci.json").write_text(json.dumps(EPCIS), encoding="utf-8")
    return folder


def test_compile_from_a_folder_and_from_the_archive_gives_the_same_bytes(tmp_path, capsys):
    folder = write_package(tmp_path / "data")
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "package/data")
    call_command("compile_reference", str(folder), output=tmp_path / "a.gz")
    assert capsys.readouterr().out.splitlines()[:2] == ["2 communes", "1 EPCI"]
    call_command("compile_reference", str(archive), output=tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert json.loads(gzip.decompress((tmp_path / "a.gz").read_bytes())) == {
        "communes": [["01001", "210100012", "Alpha", 8, "200000172"], ["01002", "210100020", "Beta", 7, ""]],
        "epcis": [["200000172", "CC A", "CC", 8, ["01001"]]],
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gz", "b.gz", "data", "package.tgz"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.tgz", b"not an archive", "pas l’archive"),
        ("absent.tgz", None, "n’existe pas"),
        ("empty", {}, "communes.json manque"),
        ("no_epci", {"communes.json": "[]"}, "epci.json manque"),
        ("not_json", {"communes.json": "[", "epci.json": "[]"}, "JSON"),
        ("other", {"communes.json": "[]", "epci.json": '[{"a": 1}]'}, "structure"),
    ],
)
def test_compile_refuses_what_is_not_the_package(tmp_path, name, content, message):
    source = tmp_path / name
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif content is not None:
        source.mkdir()
        for file, text in content.items():
            (source / file).write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command("compile_reference", str(source), output=tmp_path / "out.gz")
    assert not (tmp_path / "out.gz").exists()
