"""``manage.py import_decp`` and its page: the contracts of the directory's bodies, once each; the rest is counted."""

import io
import json
import tracemalloc
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from groupings.actions import external_contracts
from groupings.actions.external_contracts import external_contracts_import
from groupings.models import ExternalContract
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.groupings.exchange.test_decp_reader import OLD, XML
from tests.support.factories import make_affiliation, make_metropole, make_organisation

pytestmark = pytest.mark.django_db
FILES = Path(__file__).parent / "exchange/decp_files"
TODAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *args: TODAY)


@pytest.fixture
def metropole():
    return make_metropole(name="Montpellier Méditerranée Métropole", siren="243400017")


@pytest.fixture
def city(metropole):
    return make_organisation(parent=metropole, name="Ville de Montpellier", siren="213401722")


def load(tmp_path, content, name="decp.json", **options):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    out = io.StringIO()
    call_command("import_decp", str(file), json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def entry(**changes):
    return OLD | changes


def test_a_contract_of_a_body_of_the_directory(tmp_path, city):
    report = load(tmp_path, {"marches": [OLD]})
    assert report == {"read": 1, "added": 1, "changed": 0, "unchanged": 0, "passed_over": {}}
    stored = ExternalContract.objects.get()
    assert (stored.organisation, stored.reference, stored.buyer_siret) == (city, "2019001", "21340172201787")
    assert (stored.title, stored.cpv, stored.holders) == (
        "Fourniture de papier",
        "30197630",
        "PAPETERIE DU SUD (55204599900869)",
    )
    assert stored.amount_excl_tax.amount == Decimal("96000.00")
    assert (stored.notified_on, stored.duration_months, stored.ends_on) == (date(2024, 5, 15), 48, date(2028, 5, 15))
    assert stored.source_name == "decp.json"


def test_twice_adds_nothing(tmp_path, city):
    load(tmp_path, {"marches": [OLD]})
    before = ExternalContract.objects.values().get()
    report = load(tmp_path, {"marches": {"marche": [OLD]}}, name="autre.json")
    assert (report["added"], report["changed"], report["unchanged"]) == (0, 0, 1)
    assert ExternalContract.objects.values().get() == before
    assert JournalEntry.objects.filter(verb="external_contract.import").count() == 1


def test_a_later_file_changes_what_changed(tmp_path, city):
    load(tmp_path, {"marches": [OLD, entry(id="2019002")]})
    report = load(tmp_path, {"marches": [entry(modifications=[{"dureeMois": 60}]), entry(id="2019002")]}, name="b.json")
    assert (report["added"], report["changed"], report["unchanged"]) == (0, 1, 1)
    stored = ExternalContract.objects.get(reference="2019001")
    assert (stored.ends_on, stored.source_name) == (date(2029, 5, 15), "b.json")
    told = JournalEntry.objects.filter(verb="external_contract.import").latest("pk")
    assert told.sentence == "Marchés publiés lus, b.json\u00a0: 0 ajouté(s), 1 modifié(s)"


def test_what_is_passed_over_is_counted_with_its_reason(tmp_path, city):
    content = {
        "marches": {
            "marche": [
                OLD,
                entry(id="2", acheteur={"id": "21690123100011"}),
                entry(id="3", acheteur={"id": "21690123100011"}),
                entry(id="4", acheteur=None),
                entry(id="5", dureeMois=None),
                entry(id="6", dateNotification="2204-01-01"),
                entry(id="7", nature="Concession de service"),
                "une ligne de texte",
            ],
            "contrat-concession": [{"id": "8"}, {"id": "9"}],
        }
    }
    report = load(tmp_path, content)
    assert (report["read"], report["added"]) == (10, 1)
    assert report["passed_over"] == {
        "concession": 3,
        "acheteur hors de l’annuaire": 2,
        "acheteur sans SIRET": 2,
        "date de notification impossible": 1,
        "durée absente ou illisible": 1,
    }


def test_of_two_entries_of_one_contract_the_latest_is_kept(tmp_path, city):
    """The last of the file, unless an earlier one tells of a later day."""
    modified = entry(modifications=[{"dureeMois": 60, "dateNotificationModification": "2025-09-01"}])
    report = load(tmp_path, {"marches": [OLD, modified]})
    assert report["passed_over"] == {"doublon dans le fichier": 1}
    assert ExternalContract.objects.get().duration_months == 60
    ExternalContract.objects.all().delete()
    load(tmp_path, {"marches": [modified, OLD]})
    assert ExternalContract.objects.get().duration_months == 60
    ExternalContract.objects.all().delete()
    load(tmp_path, {"marches": [OLD, entry(objet="Le second")]})
    assert ExternalContract.objects.get().title == "Le second"


def test_the_official_examples(tmp_path, metropole):
    """Two contracts of Paris, in two formats; the XML tells the same one twice."""
    make_organisation(parent=metropole, name="Ville de Paris", siren="217500016")
    assert load(tmp_path, (FILES / "marches_avec_modifications.json").read_bytes())["added"] == 2
    report = load(tmp_path, (FILES / "Marche.xml").read_bytes(), name="m.xml")
    assert report["added"] == 1  # another establishment of the same city
    assert report["passed_over"] == {"doublon dans le fichier": 1}


def test_a_body_of_two_territories_is_served_in_both(tmp_path, city):
    other = make_metropole()
    twin = make_organisation(parent=other, siren="213401722")
    assert load(tmp_path, {"marches": [OLD]}, territory=other.siren)["added"] == 1
    assert ExternalContract.objects.get().organisation == twin
    assert load(tmp_path, {"marches": [OLD]})["added"] == 1
    assert ExternalContract.objects.filter(organisation=city).exists()


def test_xml_in_latin_1(tmp_path, city):
    assert load(tmp_path, XML.format("ISO-8859-1").encode("latin-1"), name="m.xml")["added"] == 1
    assert ExternalContract.objects.get().title == "Fourniture d'été, côté école"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "Le fichier est vide"), (b"id;objet", "en JSON ou en XML"), (b'{"marches": [{}', "arrête avant la fin")],
)
def test_an_unreadable_file_writes_nothing(tmp_path, city, content, sentence):
    with pytest.raises(CommandError, match=sentence):
        load(tmp_path, content)
    with pytest.raises(CommandError, match="ne peut pas être lu"):
        call_command("import_decp", str(tmp_path / "absent.json"))
    assert not ExternalContract.objects.exists()


def test_a_file_cut_after_good_contracts_writes_nothing(tmp_path, city):
    with pytest.raises(CommandError):
        load(tmp_path, json.dumps({"marches": [OLD, OLD]}).encode()[:-20])
    assert not ExternalContract.objects.exists()


def test_the_limit_is_told(tmp_path, city, monkeypatch):
    monkeypatch.setattr(external_contracts, "MAX_KEPT", 2)
    with pytest.raises(CommandError, match="plus de 2 marchés"):
        load(tmp_path, {"marches": [entry(id=str(number)) for number in range(3)]})


def test_a_large_file_is_read_in_the_memory_of_one_contract(city):
    """Thirty thousand contracts of other buyers, 20 MB: a few megabytes are held at most."""
    foreign = json.dumps(entry(acheteur={"id": "21690123100011"}))
    content = ('{"marches": [' + ",".join([foreign] * 30_000 + [json.dumps(OLD)]) + "]}").encode()
    stream = io.BytesIO(content)
    tracemalloc.start()
    report = external_contracts_import(stream=stream, filename="d.json", actor=SystemActor("Test"), today=TODAY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.read, report.added) == (30_001, 1)
    assert peak < 12 * 1024**2 < len(content)


def test_a_hundred_contracts_take_the_queries_of_one(city, django_assert_max_num_queries):
    rows = [entry(id=str(number)) for number in range(300)]
    for changes in ({}, {"objet": "Autre"}):
        stream = io.BytesIO(json.dumps([row | changes for row in rows]).encode())
        with django_assert_max_num_queries(12):
            external_contracts_import(stream=stream, filename="d.json", actor=SystemActor("Test"), today=TODAY)


@pytest.mark.parametrize("role", ["finance", "reader", "administrator"])
def test_only_buyers_and_jurists_bring_files(city, metropole, role):
    for person in (
        make_affiliation(metropole, role),
        make_affiliation(city, "buyer"),
        make_affiliation(city, "member_agent"),
    ):
        with pytest.raises(NotAllowed):
            external_contracts_import(stream=io.BytesIO(b"[]"), filename="d.json", actor=person, today=TODAY)


def test_a_person_serves_its_own_territory(city, metropole):
    make_organisation(parent=make_metropole(), siren="213401722")
    stream = io.BytesIO(json.dumps([OLD]).encode())
    buyer = make_affiliation(metropole, "buyer")
    assert external_contracts_import(stream=stream, filename="d.json", actor=buyer, today=TODAY).added == 1
    assert ExternalContract.objects.get().organisation == city


def post(client, content, name="decp.json"):
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else json.dumps(content).encode())
    return client.post(reverse("radar_import"), {"file": file})


def test_the_page(client, city, metropole):
    client.force_login(make_affiliation(metropole, "buyer").user)
    assert "1 ajouté, 0 modifié, 0 déjà connu" in post(client, {"marches": [OLD]}).content.decode()
    response = post(client, {"marches": [OLD, entry(id="2", dureeMois=0)]})
    page = response.content.decode()
    assert response.status_code == 200
    assert "1 marché de vos membres, sur 2 lus" in page
    assert "durée absente ou illisible" in page
    assert ExternalContract.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "Le fichier est vide"), (b"PK\x03\x04", "en JSON ou en XML"), (b" " * (10 * 1024**2 + 1), "dépasse 10")],
)
def test_the_page_refuses_with_a_sentence(client, city, metropole, content, sentence):
    client.force_login(make_affiliation(metropole, "buyer").user)
    response = post(client, content)
    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_beyond_the_limit_the_page_says_it(client, city, metropole, monkeypatch):
    monkeypatch.setattr(external_contracts, "MAX_KEPT", 0)
    client.force_login(make_affiliation(metropole, "buyer").user)
    assert "découpez-le par année" in post(client, [OLD]).content.decode()
    with pytest.raises(BusinessError):
        stream = io.BytesIO(json.dumps([OLD]).encode())
        external_contracts_import(stream=stream, filename="d.json", actor=SystemActor("Test"), today=TODAY)
