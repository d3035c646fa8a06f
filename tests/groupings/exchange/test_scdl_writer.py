"""The SCDL file we publish: the exact header, frictionless on the official schema, then each custom check of it."""

import csv
import datetime as dt
import io
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from frictionless import Resource, Schema

from groupings.exchange import matters
from groupings.exchange.scdl import COLUMNS, HEADER, REQUIRED, VERSION, ScdlRecord, problems, write_deliberations

SCHEMA = json.loads(Path(__file__).with_name("deliberations-2.1.5.schema.json").read_text(encoding="utf-8"))
RECORD = ScdlRecord(
    body_name="Ville de Montpellier",
    siret="21340172201787",
    number="V2023-045",
    decided_on=dt.date(2023, 2, 7),
    matter_code="1.7",
    matter_name="commande publique/actes spéciaux et divers",
    subject="Adhésion au groupement de commandes « carburants », avec recharge",
    prefecture_id="PREF034",
    received_on=dt.date(2023, 2, 9),
    in_office=69,
    votes_cast=66,
    votes_for=60,
    votes_against=4,
    abstained=2,
    url="https://www.montpellier.fr/deliberations/V2023-045.pdf",
)
BUDGETED = replace(RECORD, number="V2023-046", budget_year="2023/2024", budget_name="Budget principal")
BARE = replace(
    RECORD,
    number="7",
    **dict.fromkeys(("in_office", "votes_cast", "votes_for", "votes_against", "abstained", "received_on")),
    url="",
    prefecture_id="",
)


def validate(content, tmp_path):
    """What frictionless has against ``content``: (line, column, message)."""
    path = tmp_path / "deliberations.csv"
    path.write_bytes(content)
    schema = Schema.from_descriptor({"fields": SCHEMA["fields"]})
    resource = Resource(path=path.name, basepath=str(tmp_path), schema=schema, encoding="utf-8")
    report = resource.validate()
    return report.valid, report.flatten(["rowNumber", "fieldName", "message"])


def first_row(content):
    return next(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_columns_are_those_of_the_schema_in_its_order():
    assert SCHEMA["version"] == VERSION
    assert [field["name"] for field in SCHEMA["fields"]] == list(HEADER)
    assert [field["title"] for field in SCHEMA["fields"]] == [title for _, title in COLUMNS.values()]
    assert [f["name"] for f in SCHEMA["fields"] if f.get("constraints", {}).get("required")] == list(REQUIRED)
    assert [field.name for field in fields(ScdlRecord)] == [name for name, _ in COLUMNS.values()]


def test_the_file_byte_for_byte():
    content = write_deliberations([RECORD])
    assert content.decode("utf-8") == (
        "COLL_NOM,COLL_SIRET,DELIB_ID,DELIB_DATE,DELIB_MATIERE_CODE,DELIB_MATIERE_NOM,DELIB_OBJET,BUDGET_ANNEE,"
        "BUDGET_NOM,PREF_ID,PREF_DATE,VOTE_EFFECTIF,VOTE_REEL,VOTE_POUR,VOTE_CONTRE,VOTE_ABSTENTION,DELIB_URL\r\n"
        "Ville de Montpellier,21340172201787,V2023-045,2023-02-07,1.7,commande publique/actes spéciaux et divers,"
        '"Adhésion au groupement de commandes « carburants », avec recharge",,,PREF034,2023-02-09,69,66,60,4,2,'
        "https://www.montpellier.fr/deliberations/V2023-045.pdf\r\n"
    )


def test_the_file_is_valid_for_frictionless(tmp_path):
    records = [replace(RECORD, number=f"M-{code}", matter_code=code, matter_name=matters.scdl_name(code))
               for _, group in matters.choices() for code, _ in group]  # fmt: skip
    records += [RECORD, BUDGETED, BARE, replace(RECORD, subject='Ligne 1\nligne 2 ; "citée"')]
    assert [problems(record) for record in records] == [[]] * len(records)
    assert validate(write_deliberations(records), tmp_path) == (True, [])


def test_frictionless_really_looks(tmp_path):
    """The validation above would tell: a file that is wrong in four ways is refused in four places."""
    wrong = [
        replace(RECORD, siret="2134017220178"),
        replace(RECORD, matter_code="17"),
        replace(RECORD, subject=""),
        replace(RECORD, budget_year="23"),
    ]
    valid, errors = validate(write_deliberations(wrong), tmp_path)
    assert not valid
    assert [(line, column) for line, column, _ in errors] == [
        (2, "COLL_SIRET"),
        (3, "DELIB_MATIERE_CODE"),
        (4, "DELIB_OBJET"),
        (5, "BUDGET_ANNEE"),
    ]
    assert all(problems(record) for record in wrong)


def test_an_empty_file_has_its_header(tmp_path):
    assert write_deliberations([]).decode() == ",".join(HEADER) + "\r\n"
    assert validate(write_deliberations([]), tmp_path)[0]


def test_no_text_of_ours_is_run_as_a_formula():
    content = write_deliberations([replace(RECORD, subject='=HYPERLINK("https://x.example")', body_name="\t@SUM(1)")])
    row = first_row(content)
    assert row["DELIB_OBJET"].startswith("'=")
    assert row["COLL_NOM"].startswith("'@")
    assert row["DELIB_DATE"] == "2023-02-07"


def test_control_characters_are_not_published():
    content = write_deliberations([replace(RECORD, subject="Carbu\x00rants\x01\r\n et \ud800recharge")])
    assert first_row(content)["DELIB_OBJET"] == "Carburants\n et recharge"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"siret": "21340172201788"}, ["COLL_SIRET (21340172201788) n’est pas un SIRET valide de quatorze chiffres."]),
        ({"siret": "213 401 722 01787"}, ["COLL_SIRET (213 401 722 01787) n’est pas un SIRET valide"]),
        ({"siret": "35600000000002"}, ["COLL_SIRET (35600000000002)"]),  # La Poste: 3+5+6+2 is no multiple of 5
        ({"siret": "35600000000001"}, []),  # 3+5+6+1 = 15
        ({"number": " "}, ["DELIB_ID est vide, alors que le schéma l’exige."]),
        ({"budget_year": "2023"}, ["BUDGET_ANNEE et BUDGET_NOM se remplissent ensemble\u00a0: il en manque un."]),
        ({"budget_name": "Principal"}, ["BUDGET_ANNEE et BUDGET_NOM"]),
        ({"budget_name": "Principal", "budget_year": "2023"}, []),
        ({"budget_name": "Principal", "budget_year": "2023/2023"}, ["la seconde année doit suivre la première"]),
        ({"budget_name": "Principal", "budget_year": "2024/2023"}, ["la seconde année doit suivre la première"]),
        ({"budget_name": "Principal", "budget_year": "23"}, ["doit s’écrire 2026 ou 2026/2027"]),
        ({"received_on": dt.date(2023, 2, 7)}, []),  # received the day of the vote
        ({"received_on": dt.date(2023, 2, 6)}, ["PREF_DATE (06/02/2023) précède DELIB_DATE (07/02/2023)."]),
        ({"votes_for": None}, ["Les cinq nombres du vote se remplissent ensemble\u00a0: il manque VOTE_POUR."]),
        ({"votes_cast": 70, "votes_for": 64}, ["VOTE_REEL (70) dépasse VOTE_EFFECTIF (69)."]),
        ({"votes_cast": 69, "votes_for": 63}, []),
        ({"votes_for": 61}, ["VOTE_POUR, VOTE_CONTRE et VOTE_ABSTENTION font 67, et VOTE_REEL 66."]),
        (
            {"votes_cast": 50},
            ["VOTE_POUR (60) dépasse VOTE_REEL (50).", "VOTE_ABSTENTION font 66, et VOTE_REEL 50."],
        ),
        ({"votes_for": 68, "votes_against": -4}, ["VOTE_CONTRE (-4) ne peut pas être négatif.", "VOTE_POUR (68)"]),
        ({"votes_cast": 0, "votes_for": 0, "votes_against": 0, "abstained": 0}, []),
        ({"matter_code": "7.11", "matter_name": ""}, ["DELIB_MATIERE_NOM est vide", "DELIB_MATIERE_CODE (7.11)"]),
        ({"matter_name": "Commande Publique/Actes speciaux et divers"}, []),
        ({"matter_name": "Commande publique"}, ["doit donner les deux niveaux"]),
        ({"matter_name": "Commande publique /Actes spéciaux et divers"}, ["ne doit avoir aucune espace"]),
        ({"matter_name": "Commande publique/ Actes spéciaux et divers"}, ["ne doit avoir aucune espace"]),
        ({"matter_name": "Achats/Actes spéciaux et divers"}, ["n’est pas un premier niveau"]),
        ({"matter_name": "Commande publique/Marchés publics"}, ["n’est pas le nom de la matière 1.7"]),
        (  # the spelling of Mégalis, which Validata refuses
            {
                "matter_code": "6.1",
                "matter_name": "Libertés publiques et pourvoirs de police/Police municipale",
            },
            ["n’est pas un premier niveau"],
        ),
        ({"url": "www.montpellier.fr/x.pdf"}, ["DELIB_URL n’est pas une adresse complète"]),
        ({"url": "https://x.fr/un fichier.pdf"}, ["DELIB_URL n’est pas une adresse complète"]),
        ({"url": "javascript:alert(1)"}, ["DELIB_URL n’est pas une adresse complète"]),
    ],
)  # fmt: skip
def test_the_checks_of_the_schema(changes, expected):
    found = problems(replace(RECORD, **changes))
    assert len(found) == len(expected), found
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def test_the_votes_may_all_be_missing():
    assert problems(BARE) == []
