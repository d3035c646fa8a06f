"""Reading the SCDL files of the real world: every variant seen in the field, and files nobody should send."""

import datetime as dt
import io
import json
import unicodedata
from dataclasses import replace

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.exchange import matters
from groupings.exchange.scdl import HEADER, ScdlRecord, write_deliberations
from groupings.exchange.scdl_reader import ScdlVotes, Warning_, read_deliberations
from procurement.core.documents.tabular import UnreadableFile

MONTPELLIER = "21340172201787"
VALUES = {
    "COLL_NOM": "Ville de Montpellier",
    "COLL_SIRET": MONTPELLIER,
    "DELIB_ID": "V2023-045",
    "DELIB_DATE": "2023-02-07",
    "DELIB_MATIERE_CODE": "1.7",
    "DELIB_MATIERE_NOM": "Commande Publique/Actes speciaux et divers",
    "DELIB_OBJET": "Adhésion au groupement de commandes « carburants »",
    "BUDGET_ANNEE": "",
    "BUDGET_NOM": "",
    "PREF_ID": "PREF034",
    "PREF_DATE": "2023-02-09",
    "VOTE_EFFECTIF": "69",
    "VOTE_REEL": "66",
    "VOTE_POUR": "60",
    "VOTE_CONTRE": "4",
    "VOTE_ABSTENTION": "2",
    "DELIB_URL": "https://www.montpellier.fr/V2023-045.pdf",
}


def csv_of(*changes, separator=",", header=HEADER, quote=True):
    """A csv of ``VALUES``, a row per dict of ``changes`` (none: one row unchanged); headings in ``header`` order."""
    lines = [separator.join(header)]
    for change in changes or ({},):
        values = VALUES | change
        cells = [values.get(name, "") for name in header]
        lines.append(separator.join(f'"{cell}"' if quote and cell else cell for cell in cells))
    return "\n".join(lines) + "\n"


def read(content, name="deliberations.csv"):
    return read_deliberations(content.encode() if isinstance(content, str) else content, name)


def one(content, name="deliberations.csv"):
    """The only row of ``content``, read without a warning."""
    file = read(content, name)
    assert file.warnings == ()
    (row,) = file.rows
    return row


def told(file):
    return [(warning.line, warning.column) for warning in file.warnings]


def check_montpellier(row):
    assert (row.body_name, row.siret, row.siren) == ("Ville de Montpellier", MONTPELLIER, "213401722")
    assert (row.number, row.decided_on, row.received_on) == ("V2023-045", dt.date(2023, 2, 7), dt.date(2023, 2, 9))
    assert (row.matter_code, row.matter_name) == ("1.7", "Commande Publique/Actes speciaux et divers")
    assert row.subject == "Adhésion au groupement de commandes « carburants »"
    assert row.votes == ScdlVotes(in_office=69, present=66, votes_for=60, votes_against=4, abstained=2)
    assert (row.prefecture_id, row.url) == ("PREF034", "https://www.montpellier.fr/V2023-045.pdf")
    assert (row.budget_year, row.budget_name, row.published_on) == (None, None, None)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_separators_and_encodings(separator, encoding):
    row = one(csv_of(separator=separator).encode(encoding))
    assert row.line == 2
    check_montpellier(row)


def test_lower_case_headings_of_opendatasoft():
    check_montpellier(one(csv_of(header=HEADER).replace(",".join(HEADER), ",".join(HEADER).lower())))


def test_headings_misspelt_in_another_order_after_a_column_in_excess():
    """Le Plessis-Trévise."""
    text = csv_of({"Nombre de délibération": "1"}, header=("Nombre de délibération", *reversed(HEADER)), separator=";")
    row = one(text.replace("VOTE_EFFECTIF", "VOTE_EFFFECTIF").replace("VOTE_ABSTENTION", "VOTE_ABST"))
    check_montpellier(row)
    assert row.raw["Nombre de délibération"] == "1"


def test_the_columns_megalis_adds():
    extra = {"NATURE_ACTE": "Délibération", "NATURE_ACTE_AUTRE_DETAIL": "", "PUBLICATION_DATE": "2023-02-10"}
    row = one(csv_of(extra, header=(*HEADER, *extra), separator=";"))
    assert row.published_on == dt.date(2023, 2, 10)
    assert row.raw["NATURE_ACTE"] == "Délibération"
    check_montpellier(replace(row, published_on=None))


def test_the_titles_of_the_schema_as_headings():
    check_montpellier(one(csv_of().replace("DELIB_OBJET", "Objet de la délibération").replace("VOTE_POUR", "Pour")))


def test_raw_keeps_what_the_file_said():
    row = one(csv_of({"DELIB_DATE": "07/02/2023", "COLL_SIRET": "213 401 722 01787"}))
    assert (row.raw["DELIB_DATE"], row.decided_on) == ("07/02/2023", dt.date(2023, 2, 7))
    assert (row.raw["COLL_SIRET"], row.siret) == ("213 401 722 01787", MONTPELLIER)
    assert "BUDGET_NOM" not in row.raw


def test_empty_lines_count_and_are_skipped():
    header, first = csv_of().splitlines()
    file = read("\n".join(["", header, "", first, '"",,,', first.replace("045", "046"), ",,", ""]))
    assert [(row.line, row.number) for row in file.rows] == [(4, "V2023-045"), (6, "V2023-046")]


def test_line_ends_in_the_object_are_one_row():
    file = read(csv_of({"DELIB_OBJET": "Carburants\r\net recharge"}, {"DELIB_ID": "2"}))
    assert [(row.line, row.subject.replace("\n", "|")) for row in file.rows] == [
        (2, "Carburants|et recharge"),
        (3, VALUES["DELIB_OBJET"]),
    ]


def test_debris_in_texts():
    row = one(
        csv_of({"DELIB_OBJET": "Achat_x0001_ de\x02 gaz_x000D_ \u202eet d'eau\u200f _x_", "COLL_NOM": "E\u0301cole"})
    )
    assert row.subject == "Achat de gaz\n et d'eau _x_"
    assert row.body_name == "École"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2021-07-02", (2021, 7, 2)),
        ("2021/07/02 00:00:00+00", (2021, 7, 2)),  # Normandie
        ("2023-12-28 00:00:00", (2023, 12, 28)),  # Rennes
        ("02/07/2021", (2021, 7, 2)),
        ("2/7/2021 18:30", (2021, 7, 2)),
        ("02-07-2021", (2021, 7, 2)),
        ("20210702", (2021, 7, 2)),
        ("2021-07-02T00:00:00.000Z", (2021, 7, 2)),
        ("2021-07-01T22:00:00+00:00", (2021, 7, 2)),  # midnight in Paris, in summer
        ("2021-12-31T23:00:00Z", (2022, 1, 1)),  # midnight in Paris, in winter
        ("2021-07-02T00:00:00+0200", (2021, 7, 2)),
        ("2021-07-02 23:30", (2021, 7, 2)),
    ],
)
def test_dates(written, expected):
    assert one(csv_of({"DELIB_DATE": written, "PREF_DATE": ""})).decided_on == dt.date(*expected)


@pytest.mark.parametrize(
    "written",
    [
        "2021-02-30",
        "31/06/2021",
        "02/07/21",
        "juillet 2021",
        "2021",
        "0021-07-02",
        "202112",
        "2021-07-02T25:00Z",
        "#N/A",
    ],
)
def test_a_bad_date_is_none_with_a_warning(written):
    file = read(csv_of({"DELIB_DATE": written}))
    assert file.rows[0].decided_on is None
    assert file.rows[0].number == "V2023-045"
    assert told(file) == [(2, "DELIB_DATE")]


@pytest.mark.parametrize(
    ("written", "siret", "siren", "warned"),
    [
        ("21340172201787.0", MONTPELLIER, "213401722", False),
        ("'21340172201787", MONTPELLIER, "213401722", False),
        ("2,1340172201787E+13", MONTPELLIER, "213401722", False),
        ("213401722", None, "213401722", True),
        ("21340172201788", None, "213401722", True),  # wrong key, but the SIREN holds
        ("2.1340172E+13", None, None, True),  # 2134017 2?: the SIREN itself is lost
        ("2.13401722E+13", None, "213401722", True),
        ("2.134E+08", None, None, True),
        ("21340172301787", None, None, True),  # 213401723: neither key is right
        ("Mairie", None, None, True),
        ("", None, None, True),
    ],
)
def test_siret(written, siret, siren, warned):
    file = read(csv_of({"COLL_SIRET": written}))
    assert (file.rows[0].siret, file.rows[0].siren) == (siret, siren)
    assert told(file) == [(2, "COLL_SIRET")] * warned


def test_a_siren_column_serves_when_there_is_no_siret():
    header = ["COLL_SIREN" if name == "COLL_SIRET" else name for name in HEADER]
    file = read(csv_of({"COLL_SIREN": "213401722"}, header=header))
    assert (file.rows[0].siren, file.rows[0].siret) == ("213401722", None)
    both = one(csv_of({"COLL_SIREN": "243400017"}, header=["COLL_SIREN", *HEADER]))
    assert both.siret == MONTPELLIER


@pytest.mark.parametrize(
    ("code", "name", "expected", "warned"),
    [
        ("7.10", "Finances locales/Divers", "7.10", False),
        ("7.10", "", "7.10", True),  # the name is required by the schema
        ("7.1", "Finances locales/Divers", "7.10", True),
        ("7.1", "Finances locales/Decisions budgetaires", "7.1", False),
        ("1,7", "Achats", "1.7", False),
        ("1.9", "Achats", "1.9", True),
        ("7 octobre", "Finances locales/Divers", None, True),
        ("", "Finances locales/Divers", None, True),
    ],
)
def test_matter(code, name, expected, warned):
    file = read(csv_of({"DELIB_MATIERE_CODE": code, "DELIB_MATIERE_NOM": name}))
    assert file.rows[0].matter_code == expected
    assert len(file.warnings) == warned


def votes_of(**counts):
    return read(csv_of({f"VOTE_{name}": str(count) for name, count in counts.items()}))


def test_proxies_make_the_votes_exceed_those_present():
    """Saint-Étienne: VOTE_REEL counts those present. Told, never refused."""
    file = votes_of(REEL=50)
    assert file.rows[0].votes == ScdlVotes(69, 50, 60, 4, 2)
    assert [str(warning) for warning in file.warnings] == [
        "Ligne 2, colonne «\u00a0VOTE_REEL\u00a0»\u00a0: Les voix font 66 pour 50 votants\u00a0: elles comptent sans "
        "doute les pouvoirs."
    ]


def test_votes_that_do_not_add_up():
    assert told(votes_of(POUR=59)) == [(2, "VOTE_REEL")]
    assert told(votes_of(EFFECTIF=65)) == [(2, "VOTE_REEL")]
    assert told(votes_of(POUR="")) == [(2, "VOTE_POUR")]
    file = votes_of(POUR="unanimité")
    assert file.rows[0].votes == ScdlVotes(69, 66, None, 4, 2)
    assert told(file) == [(2, "VOTE_POUR"), (2, "VOTE_POUR")]  # what it is not, then what is missing
    assert votes_of(EFFECTIF="", REEL="", POUR="", CONTRE="", ABSTENTION="").rows[0].votes is None
    assert votes_of(EFFECTIF="69.0", REEL="66,0").warnings == ()


def test_the_documented_invalid_file():
    """The KO case of validata: ``;`` and PREF_DATE 2017-02-03 before DELIB_DATE 2017-10-15. Read, with its warning."""
    file = read(csv_of({"DELIB_DATE": "2017-10-15", "PREF_DATE": "2017-02-03"}, separator=";"))
    assert (file.rows[0].decided_on, file.rows[0].received_on) == (dt.date(2017, 10, 15), dt.date(2017, 2, 3))
    assert file.warnings == (
        Warning_(2, "PREF_DATE", "PREF_DATE (03/02/2017) précède DELIB_DATE (15/10/2017)."),
    )  # fmt: skip


def test_missing_columns_and_cells():
    file = read("delib_id;delib_objet\nD1;Carburants\n;Gaz\n")
    assert [(row.number, row.subject, row.siren) for row in file.rows] == [
        ("D1", "Carburants", None),
        (None, "Gaz", None),
    ]
    missing = ["COLL_NOM", "COLL_SIRET", "DELIB_DATE", "DELIB_MATIERE_CODE", "DELIB_MATIERE_NOM"]
    assert told(file) == [*((None, column) for column in missing), (3, "DELIB_ID")]


def test_a_separator_in_a_bare_text_is_told():
    assert (2, "") in told(read(csv_of(quote=False).replace("Adhésion au", "Adhésion, au")))


def test_a_row_of_other_columns_only_is_not_a_deliberation():
    file = read(csv_of({"N": "1"}, header=("N", *HEADER)) + "2,,,\n")
    assert (len(file.rows), told(file)) == (1, [(3, "")])


def test_stray_quotes_swallow_nothing():
    text = csv_of({"DELIB_ID": "1"}, {"DELIB_ID": "2"}, {"DELIB_ID": "3"}, {"DELIB_ID": "4"}, quote=False)
    lines = text.splitlines()
    lines[2] = lines[2].replace("Adhésion", '"Adhésion')  # opened, never closed
    lines[4] = lines[4].replace("Adhésion au groupement", '"Adhésion" au groupement')
    file = read("\n".join(lines))
    assert [(row.line, row.number, row.votes.votes_for) for row in file.rows] == [
        (2, "1", 60), (3, "2", 60), (4, "3", 60), (5, "4", 60)
    ]  # fmt: skip
    assert all("groupement de commandes" in row.subject for row in file.rows)
    assert [str(warning) for warning in file.warnings] == [
        "Des guillemets sont mal fermés\u00a0: chaque ligne du fichier a été lue seule."
    ]


# JSON exports. Numbers where the schema has texts: SIRET, matter and votes of a portal that guessed the types.

NUMBERS = {
    "COLL_SIRET": int(MONTPELLIER),
    "DELIB_MATIERE_CODE": 1.7,
    **{name: int(VALUES[name]) for name in VALUES if name.startswith("VOTE")},
    "BUDGET_ANNEE": None,
}
ODS = {name.lower(): value for name, value in (VALUES | NUMBERS).items()}


@pytest.mark.parametrize(
    "exported",
    [
        [VALUES],
        VALUES,
        [ODS],
        [{"datasetid": "delib", "recordid": "ab12", "fields": ODS, "record_timestamp": "2023-02-10T00:00:00Z"}],
        {"total_count": 1, "results": [ODS]},
        {"records": [{"record": {"id": "ab12", "fields": ODS}}]},
        {"help": "…", "success": True, "result": {"fields": [{"id": "_id"}], "records": [{"_id": 1, **ODS}]}},
        {"nhits": 1, "parameters": {"rows": 10}, "records": [{"recordid": "ab12", "fields": ODS}]},
        {"fields": [{"id": name, "type": "text"} for name in ODS], "records": [list(ODS.values())]},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": None, "properties": ODS}]},
        {"data": [ODS | {"COLL_NOM": None}]},
    ],
)
def test_json_exports(exported):
    row = one(json.dumps(exported), "export.json")
    assert row.line == 1
    check_montpellier(row)


def test_json_lines_and_encodings():
    text = "\n".join(json.dumps(ODS | {"delib_id": number}, ensure_ascii=False) for number in ("1", "2"))
    for encoding in ("utf-8-sig", "utf-16"):
        file = read(text.encode(encoding), "export")
        assert [(row.line, row.number, row.siret) for row in file.rows] == [
            (1, "1", MONTPELLIER),
            (2, "2", MONTPELLIER),
        ]


def json_row(**changes):
    return read(json.dumps([VALUES | changes]), "export.json")


def test_numbers_of_json():
    text = json.dumps([VALUES]).replace('"1.7"', "7.10").replace("Commande Publique/Actes speciaux et divers", "Divers")
    assert one(text).matter_code == "7.10"
    restored = json_row(DELIB_MATIERE_CODE=7.1, DELIB_MATIERE_NOM="Finances locales/Divers")
    assert restored.rows[0].matter_code == "7.10"
    unsure = json_row(DELIB_MATIERE_CODE=7.1, DELIB_MATIERE_NOM="Finances")
    assert (unsure.rows[0].matter_code, told(unsure)) == ("7.1", [(1, "DELIB_MATIERE_CODE")])
    assert json_row(DELIB_ID=12.0).rows[0].number == "12"
    assert one(json.dumps([VALUES]).replace(f'"{MONTPELLIER}"', "2.1340172201787E+13")).siret == MONTPELLIER
    lost = read(json.dumps([VALUES]).replace(f'"{MONTPELLIER}"', "2.1340172E+13"))
    assert (lost.rows[0].siret, lost.rows[0].siren, told(lost)) == (None, None, [(1, "COLL_SIRET")])


def test_strange_values_of_json():
    file = json_row(
        DELIB_OBJET=["Carburants", "recharge"], COLL_NOM={"nom": "Ville"}, VOTE_POUR=True, DELIB_ID="a\ud800\x00b"
    )
    (row,) = file.rows
    assert (row.subject, row.body_name, row.number) == ("Carburants\u00a0; recharge", '{"nom": "Ville"}', "ab")
    assert row.votes.votes_for is None
    assert read('[{"DELIB_ID": 1e999999999}, {"DELIB_ID": NaN}, {}, null, 3, {"DELIB_ID": "x"}]').rows[-1].number == "x"


def test_the_first_sheet_of_a_workbook():
    book = openpyxl.Workbook()
    book.active.append(list(HEADER))
    typed = VALUES | NUMBERS | {"DELIB_DATE": dt.date(2023, 2, 7), "PREF_DATE": dt.datetime(2023, 2, 9)}  # noqa: DTZ001
    book.active.append([typed[name] or None for name in HEADER])
    buffer = io.BytesIO()
    book.save(buffer)
    row = one(buffer.getvalue(), "deliberations.xlsx")
    assert row.line == 2
    check_montpellier(row)


# What is no table of deliberations: one sentence, nothing else.


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Le fichier est vide"),
        (b"\xef\xbb\xbf \r\n", "Le fichier est vide"),
        (b"%PDF-1.7\n...", "n’est pas un tableau\u00a0: c’est un PDF"),
        (b"MZ\x90\x00", "c’est un programme"),
        (b"<!DOCTYPE html><html>", "une page web"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ancien classeur"),
        (b"PK\x03\x04 not a workbook", "Le classeur est tronqué"),
        (b"siren;nom\n213401722;Montpellier\n", "n’est pas au format SCDL"),
        (b"une ligne de texte", "n’est pas au format SCDL"),
        (b"DELIB_ID;DELIB_OBJET\nD1;a\x00b\n", "caractère illisible"),
        ("DELIB_ID;DELIB_OBJET\nD1;é\n".encode() + b"D2;\xe9\n", "deux encodages"),
        (b'[{"DELIB_ID": "D1"', "JSON est tronqué ou mal formé"),
        (b"[]", "n’est pas au format SCDL"),
        (b'{"erreur": "acc\\u00e8s refus\\u00e9"}', "n’est pas au format SCDL"),
        (b"[" * 100_000, "JSON est tronqué ou mal formé"),
        (b'{"result":' * 50_000 + b"1" + b"}" * 50_000, "JSON"),
        (b'{"fields": 3, "records": 4}', "n’est pas au format SCDL"),
        (b"DELIB_ID\n" + b"x" * (10 * 1024 * 1024), "dépasse 10\u00a0Mo"),
        (("DELIB_ID;" + ";".join(map(str, range(100))) + "\n").encode(), "plus de 100 colonnes"),
        (json.dumps([{"DELIB_ID": "1"}] + [{f"c{n}": 1} for n in range(200)]).encode(), "plus de 100 colonnes"),
        (b"DELIB_ID\n" + b"D1\n" * 20_001, "plus de 20\u202f000 lignes"),
        (b"[" + b'{"DELIB_ID":1},' * 20_000 + b"{}]", "plus de 20\u202f000 lignes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)  # fmt: skip
def test_refused_as_a_whole(content, said):
    with pytest.raises(UnreadableFile, match=said):
        read(content, "../../étrange.csv")


def test_a_table_without_rows_is_a_table():
    assert read(write_deliberations([])).rows == ()


def test_a_page_in_a_cell_does_not_fill_the_warnings():
    file = read(csv_of({"DELIB_DATE": "x" * 50_000, "DELIB_OBJET": "y" * 100_000}))
    assert len(file.rows[0].subject) == 100_000
    assert len(file.warnings[0].message) < 400


def test_twenty_thousand_defective_rows_are_all_read():
    defects = {"VOTE_REEL": "50", "COLL_SIRET": "21340172201788", "DELIB_DATE": "2021/07/02 00:00:00+00"}
    content = csv_of(*[defects] * 20_000).encode()
    assert len(content) < 10 * 1024 * 1024
    file = read(content)
    assert (len(file.rows), len(file.warnings)) == (20_000, 40_000)


# Written, then read: the same values.

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Cn", "Co", "Zl", "Zp"]), max_size=60)
#: Texts as the product keeps them: NFC, without spaces around.
KEPT = TEXT.map(lambda text: unicodedata.normalize("NFC", text).strip())
SAID = KEPT.filter(lambda text: bool(text) and "_x00" not in text and not text.startswith("#"))
CODES = [code for _, group in matters.choices() for code, _ in group]
DAYS = st.dates(dt.date(1982, 3, 2), dt.date(2150, 1, 1))


@st.composite
def records(draw):
    code = draw(st.sampled_from(CODES))
    counts = draw(st.none() | st.tuples(*[st.integers(0, 99)] * 4))
    votes = {}
    if counts:
        cast = sum(counts[:3])
        names = ("in_office", "votes_cast", "votes_for", "votes_against", "abstained")
        votes = dict(zip(names, (cast + counts[3], cast, *counts[:3]), strict=True))
    decided_on = draw(DAYS)
    budget = draw(st.sampled_from([("", ""), ("2026", "Budget principal"), ("2026/2027", "Déchets")]))
    return ScdlRecord(
        body_name=draw(SAID),
        siret=draw(st.sampled_from([MONTPELLIER, "24340001700022"])),
        number=draw(SAID),
        decided_on=decided_on,
        matter_code=code,
        matter_name=matters.scdl_name(code),
        subject=draw(SAID),
        budget_year=budget[0],
        budget_name=budget[1],
        prefecture_id=draw(st.sampled_from(["", "PREF034", "SPREF0342"])),
        received_on=draw(st.none() | st.just(decided_on + dt.timedelta(days=draw(st.integers(0, 60))))),
        **votes,
        url=draw(st.sampled_from(["", "https://www.montpellier.fr/d.pdf"])),
    )


@settings(deadline=None)
@given(st.lists(records(), max_size=4))
def test_what_is_written_is_read_again(written):
    file = read(write_deliberations(written))
    assert file.warnings == ()
    again = []
    for row in file.rows:
        names = ("body_name", "siret", "number", "decided_on", "matter_code", "matter_name", "subject", "budget_year")
        names += ("budget_name", "prefecture_id", "received_on", "url")
        values = {name: getattr(row, name) or "" for name in names} | {"received_on": row.received_on}
        votes = row.votes or ScdlVotes(*[None] * 5)
        counts = (votes.in_office, votes.present, votes.votes_for, votes.votes_against, votes.abstained)
        keys = ("in_office", "votes_cast", "votes_for", "votes_against", "abstained")
        again.append(ScdlRecord(**values, **dict(zip(keys, counts, strict=True))))
        assert row.siren == row.siret[:9]
    assert again == written


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_file_breaks_the_reader(content):
    """Whatever the bytes: rows, or one French sentence."""
    for data in (content, b"DELIB_ID;DELIB_DATE;COLL_SIRET\n" + content, b'[{"DELIB_ID": "' + content + b'"}]'):
        try:
            read(data)
        except UnreadableFile as refusal:
            assert str(refusal).endswith(".")


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), min_size=17, max_size=17))
def test_no_cell_breaks_the_reader(cells):
    file = read(json.dumps([dict(zip(HEADER, cells, strict=True))]))
    for row in file.rows:
        assert all("\x00" not in text for text in row.raw.values())
