"""The adopted deliberations leave as SCDL: a file that frictionless and the extra checks accept, nothing made up."""

import csv
import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from groupings.exchange.scdl import HEADER, problems
from groupings.models import Deliberation
from groupings.publication import prefecture_of, published, records_of, subject_of
from members.models import Organisation
from tests.groupings.exchange.test_scdl_writer import validate
from tests.support.factories import adopt, make_grouping, make_membership, make_metropole, make_organisation

pytestmark = pytest.mark.django_db
VOTE = date(2026, 9, 24)


@pytest.fixture
def metropole():
    return make_metropole(name="Montpellier Méditerranée Métropole", siren="243400017", siret="24340001700022")


@pytest.fixture
def city(metropole):
    return make_organisation(
        parent=metropole, name="Ville de Montpellier", siren="213401722", siret="21340172201787", insee_code="34172"
    )


@pytest.fixture
def grouping(metropole):
    return make_grouping(metropole, title="Fournitures d'atelier, « lot unique »", opened_on=date(2026, 3, 2))


def export(tmp_path, **options):
    out, err, file = io.StringIO(), io.StringIO(), tmp_path / "deliberations.csv"
    call_command("export_deliberations", out=str(file), stdout=out, stderr=err, **options)
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
    return rows, out.getvalue(), err.getvalue()


def set_facts(deliberation, **facts):
    Deliberation.objects.filter(pk=deliberation.pk).update(**facts)


def test_a_row(tmp_path, grouping, city):
    deliberation = adopt(make_membership(grouping, city), VOTE, number="V2026-045")
    counts = {"in_office": 69, "present": 60, "proxies": 6, "votes_for": 60, "votes_against": 4, "abstained": 2}
    set_facts(deliberation, **counts, received_on="2026-09-28")
    rows, told, warned = export(tmp_path)
    assert rows == [
        {
            "COLL_NOM": "Ville de Montpellier",
            "COLL_SIRET": "21340172201787",
            "DELIB_ID": "V2026-045",
            "DELIB_DATE": "2026-09-24",
            "DELIB_MATIERE_CODE": "1.7",
            "DELIB_MATIERE_NOM": "commande publique/actes spéciaux et divers",
            "DELIB_OBJET": "Adhésion au groupement de commandes «\u00a0Fournitures d’atelier, « lot unique »\u00a0» et "
            "approbation de la convention constitutive",
            "BUDGET_ANNEE": "",
            "BUDGET_NOM": "",
            "PREF_ID": "PREF034",
            "PREF_DATE": "2026-09-28",
            "VOTE_EFFECTIF": "69",
            "VOTE_REEL": "66",  # 60 + 4 + 2: the votes cast, the proxies included
            "VOTE_POUR": "60",
            "VOTE_CONTRE": "4",
            "VOTE_ABSTENTION": "2",
            "DELIB_URL": "",
        }
    ]
    assert (told, warned) == (f"1 délibération exportée dans {tmp_path}/deliberations.csv.\n", "")


def test_the_file_is_valid(tmp_path, metropole, grouping):
    """Bodies of every kind, with and without the optional columns: for frictionless and for our checks."""
    bodies = [("commune", "34172"), ("ccas", ""), ("syndicat", ""), ("epci", "2A004")]
    for rank, (kind, insee) in enumerate(bodies):
        body = make_organisation(kind, parent=metropole, insee_code=insee, name=f'Corps "{rank}", d’essai')
        Organisation.objects.filter(pk=body.pk).update(siret=_siret(body.siren))
        deliberation = adopt(make_membership(grouping, body), VOTE, executory=rank % 2 == 0, number=f"2026-{rank}")
        if rank:
            counts = dict.fromkeys(("in_office", "present", "proxies", "votes_for", "votes_against", "abstained"), 0)
            set_facts(deliberation, **counts | {"in_office": 9, "present": 7, "votes_for": 5, "abstained": 2})
    records, left_out = records_of(published(Deliberation.objects.all()))
    assert (len(records), left_out, [problems(record) for record in records]) == (4, [], [[]] * 4)
    rows, _, _ = export(tmp_path)
    content = (tmp_path / "deliberations.csv").read_bytes()
    assert validate(content, tmp_path) == (True, [])
    assert [row["PREF_ID"] for row in rows] == ["PREF034", "", "", "PREF02A"]


def _siret(siren):
    """A SIRET of that body with a right key."""
    from stdnum.luhn import calc_check_digit

    return f"{siren}0001{calc_check_digit(f'{siren}0001')}"


@pytest.mark.parametrize("status", ["rejected", "withdrawn", "annulled"])
def test_only_what_stands_adopted_is_published(tmp_path, grouping, city, status):
    deliberation = adopt(make_membership(grouping, city), VOTE, executory=False)
    set_facts(deliberation, status=status)
    rows, told, _ = export(tmp_path)
    assert rows == []
    assert told.startswith("0 délibération exportée")
    assert (tmp_path / "deliberations.csv").read_text() == ",".join(HEADER) + "\n"
    set_facts(deliberation, status="challenged")
    assert len(export(tmp_path)[0]) == 1


def test_a_vote_not_yet_taken_is_not_published(tmp_path, grouping, city):
    make_membership(grouping, city)
    assert export(tmp_path)[0] == []


@pytest.mark.parametrize(
    ("changes", "facts", "warning"),
    [
        ({"siret": ""}, {}, "le SIRET de l’organisme manque"),
        ({}, {"number": ""}, "le numéro de la délibération manque"),
        ({"actes_matter": "1.9"}, {}, "la matière 1.9 n’est pas dans la nomenclature ACTES"),
        ({}, {"number": "  "}, "DELIB_ID est vide"),
    ],
)
def test_what_the_format_cannot_hold_is_left_out_and_said(tmp_path, grouping, city, changes, facts, warning):
    set_facts(adopt(make_membership(grouping, city), VOTE), **facts)
    Organisation.objects.filter(pk=city.pk).update(**changes)
    rows, _, warned = export(tmp_path)
    assert rows == []
    assert warned.startswith(f"Non exportée\u00a0: Ville de Montpellier, {grouping.reference}, 24/09/2026\u00a0: ")
    assert warning in warned


def test_the_number_and_the_department_come_from_the_identifier_when_nothing_else_says_them(tmp_path, grouping, city):
    deliberation = adopt(make_membership(grouping, city), VOTE, number="")
    set_facts(deliberation, actes_id="02A-213401722-20260924-D2026_12-DE")
    ((number, prefecture),) = [(row["DELIB_ID"], row["PREF_ID"]) for row in export(tmp_path)[0]]
    assert (number, prefecture) == ("D2026_12", "PREF02A")


@pytest.mark.parametrize(
    ("insee", "postcode", "expected"),
    [
        ("34172", "", "PREF034"),
        ("2A004", "", "PREF02A"),
        ("01004", "", "PREF001"),
        ("97411", "", "PREF974"),
        ("", "34000", "PREF034"),
        ("", "20000", "PREF02A"),
        ("", "20199", "PREF02A"),
        ("", "20200", "PREF02B"),
        ("", "97400", "PREF974"),
        ("", "98800", "PREF988"),
        ("", "", ""),
    ],
)
def test_the_prefecture(insee, postcode, expected):
    assert prefecture_of(Organisation(kind="commune", insee_code=insee, postcode=postcode)) == expected


def test_the_prefecture_of_a_ccas_is_that_of_its_commune():
    commune = Organisation(kind="commune", insee_code="34172")
    assert prefecture_of(Organisation(kind="ccas", parent=commune)) == "PREF034"
    assert prefecture_of(Organisation(kind="commune", parent=commune)) == ""


@given(st.sampled_from(Deliberation.Purpose.values), st.text(min_size=1, max_size=200))
def test_every_purpose_has_an_object_that_names_the_grouping(purpose, title):
    assert "groupement de commandes «\u00a0" in subject_of(purpose, title)


def test_the_year_of_the_vote_and_the_territory(tmp_path, grouping, city, metropole):
    adopt(make_membership(grouping, city), date(2026, 12, 31), number="A")
    adopt(make_membership(make_grouping(metropole), city), date(2027, 1, 1), number="B")
    assert [row["DELIB_ID"] for row in export(tmp_path)[0]] == ["A", "B"]
    assert [row["DELIB_ID"] for row in export(tmp_path, year=2027)[0]] == ["B"]
    assert export(tmp_path, territory=make_metropole().siren)[0] == []
    assert len(export(tmp_path, territory=metropole.siren)[0]) == 2


def test_the_file_replaces_the_former_one_and_leaves_nothing_beside(tmp_path, grouping, city):
    (tmp_path / "deliberations.csv").write_text("ancien")
    export(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["deliberations.csv"]
    assert "ancien" not in (tmp_path / "deliberations.csv").read_text()


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("absent/x.csv", {}, "ne peut pas être écrit\u00a0: son dossier n’existe pas"),
        (".", {}, "est un dossier"),
        ("x.csv", {"year": 26}, "26 n’est pas une année"),
        ("x.csv", {"territory": "123"}, "n’est celui d’aucun territoire"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(tmp_path, metropole, out, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("export_deliberations", out=str(tmp_path / out), **options)
    assert list(tmp_path.iterdir()) == []
