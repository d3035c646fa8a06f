"""SCDL « Délibérations » 2.1.5: the open-data format of local assemblies. Its columns, its writer, its checks.

Source: schema of 28 August 2023 (gitlab.com/opendatafrance/scdl/deliberations, schema.data.gouv.fr), and its
``custom_checks`` as Validata runs them, written again here: the official package cannot live beside Django.
Reading is in ``scdl_reader.py``: strict when we write, lenient when others did.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import stdnum.fr.siret

from groupings.exchange import matters
from procurement.core.cell_parsers import normalise
from procurement.core.documents.delimited import guard_formula
from procurement.core.exports import clean_text

VERSION = "2.1.5"

#: Column → (field of ScdlRecord, title that the schema gives it and that some portals write), in the imposed order.
COLUMNS = {
    "COLL_NOM": ("body_name", "Nom de la collectivité"),
    "COLL_SIRET": ("siret", "Code SIRET de la collectivité"),
    "DELIB_ID": ("number", "Identifiant de la délibération"),
    "DELIB_DATE": ("decided_on", "Date d'adoption de la délibération"),
    "DELIB_MATIERE_CODE": ("matter_code", "Code de matière issu de la nomenclature ACTES"),
    "DELIB_MATIERE_NOM": ("matter_name", "Nom de matière"),
    "DELIB_OBJET": ("subject", "Objet de la délibération"),
    "BUDGET_ANNEE": ("budget_year", "Année du budget"),
    "BUDGET_NOM": ("budget_name", "Nom du budget"),
    "PREF_ID": ("prefecture_id", "Identifiant de l'entité exerçant le contrôle de légalité"),
    "PREF_DATE": ("received_on", "Date d'enregistrement de la délibération auprès du contrôle de légalité"),
    "VOTE_EFFECTIF": ("in_office", "Effectif théorique des votants"),
    "VOTE_REEL": ("votes_cast", "Effectif réel des votants"),
    "VOTE_POUR": ("votes_for", "Pour"),
    "VOTE_CONTRE": ("votes_against", "Contre"),
    "VOTE_ABSTENTION": ("abstained", "Abstention"),
    "DELIB_URL": ("url", "Lien vers le document de la délibération"),
}
HEADER = tuple(COLUMNS)
REQUIRED = HEADER[:7]
VOTES = ("VOTE_EFFECTIF", "VOTE_REEL", "VOTE_POUR", "VOTE_CONTRE", "VOTE_ABSTENTION")


@dataclass(frozen=True, slots=True)
class ScdlRecord:
    """One deliberation as SCDL publishes it, a field per column; the seven first ones are required by the schema.

    ``votes_cast`` (VOTE_REEL) counts those present and their proxies: the schema wants it to be the sum of the votes.
    """

    body_name: str
    siret: str
    number: str
    decided_on: date
    matter_code: str
    matter_name: str
    subject: str
    budget_year: str = ""
    budget_name: str = ""
    prefecture_id: str = ""
    received_on: date | None = None
    in_office: int | None = None
    votes_cast: int | None = None
    votes_for: int | None = None
    votes_against: int | None = None
    abstained: int | None = None
    url: str = ""


def write_deliberations(records: Iterable[ScdlRecord]) -> bytes:
    """The csv of ``records``: UTF-8, commas, every column in the order of the schema, dates as 2026-12-31 (RFC 4180).

    Nothing is checked: ask ``problems`` first. A text that a spreadsheet would run as a formula gets an apostrophe.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    for record in records:
        writer.writerow(_cell(getattr(record, name)) for name, _ in COLUMNS.values())
    return stream.getvalue().encode()


def _cell(value: str | int | date | None) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, int):
        return str(value)
    return guard_formula(clean_text(value).strip())


def problems(record: ScdlRecord) -> list[str]:
    """What would make ``record`` refused, as French sentences: the schema's constraints, then its custom checks."""
    return [sentence for _, sentence in _problems(record)]


def _problems(record: ScdlRecord) -> Iterator[tuple[str, str]]:
    """(column, French sentence) for each thing to correct."""
    for column in REQUIRED:
        name, _ = COLUMNS[column]
        if not _cell(getattr(record, name)):
            yield column, f"{column} est vide, alors que le schéma l’exige."
    if record.siret and not is_siret(record.siret):
        yield "COLL_SIRET", f"COLL_SIRET ({record.siret[:20]}) n’est pas un SIRET valide de quatorze chiffres."
    yield from _matter_problems(record.matter_code, record.matter_name)
    yield from _budget_problems(record.budget_year, record.budget_name)
    yield from date_problems(record.decided_on, record.received_on)
    yield from vote_problems({column: getattr(record, COLUMNS[column][0]) for column in VOTES})
    if record.url and not re.fullmatch(r"https?://[^\s<>\"\\^`{|}\[\]]+", record.url, re.ASCII):
        yield "DELIB_URL", "DELIB_URL n’est pas une adresse complète, sans espace, qui commence par http(s)://."


def is_siret(text: str) -> bool:
    """Whether ``text`` is fourteen digits in one piece whose keys are right (check ``french-siret-value``)."""
    return bool(re.fullmatch("[0-9]{14}", text)) and stdnum.fr.siret.is_valid(text)


def _matter_problems(code: str, name: str) -> Iterator[tuple[str, str]]:
    """Code of the nomenclature; name « level 1/level 2 » (check ``nomenclature-actes-value``), that of the code."""
    known = matters.is_known(code)
    if code and not known:
        yield "DELIB_MATIERE_CODE", f"DELIB_MATIERE_CODE ({code[:20]}) n’est pas dans la nomenclature ACTES."
    if not name:
        return
    column, level1 = "DELIB_MATIERE_NOM", name.partition("/")[0]
    if "/" not in name:
        yield column, "DELIB_MATIERE_NOM doit donner les deux niveaux de la matière, séparés par «\u00a0/\u00a0»."
    elif level1 != level1.rstrip() or "/ " in name:
        yield column, "DELIB_MATIERE_NOM ne doit avoir aucune espace autour de «\u00a0/\u00a0»."
    elif normalise(level1) not in matters.level1_names():
        yield column, f"«\u00a0{level1[:60]}\u00a0» n’est pas un premier niveau de la nomenclature ACTES."
    elif known and not matters.has_name(code, name):
        yield column, f"DELIB_MATIERE_NOM n’est pas le nom de la matière {code} ({matters.scdl_name(code)})."


def _budget_problems(year: str, name: str) -> Iterator[tuple[str, str]]:
    """A year or two in order (check ``year-interval-value``); year and name together or neither."""
    if year:
        years = re.fullmatch("([0-9]{4})(?:/([0-9]{4}))?", year)
        if not years:
            yield "BUDGET_ANNEE", f"BUDGET_ANNEE ({year[:20]}) doit s’écrire 2026 ou 2026/2027."
        elif years[2] and years[2] <= years[1]:
            yield "BUDGET_ANNEE", f"BUDGET_ANNEE ({year})\u00a0: la seconde année doit suivre la première."
    if bool(year) != bool(name):
        yield (
            "BUDGET_NOM" if year else "BUDGET_ANNEE",
            "BUDGET_ANNEE et BUDGET_NOM se remplissent ensemble\u00a0: il en manque un.",
        )


def date_problems(decided_on: date | None, received_on: date | None) -> Iterator[tuple[str, str]]:
    """(column, French sentence) when the préfecture received the act before it was voted."""
    if decided_on and received_on and received_on < decided_on:
        yield "PREF_DATE", f"PREF_DATE ({received_on:%d/%m/%Y}) précède DELIB_DATE ({decided_on:%d/%m/%Y})."


def vote_problems(votes: Mapping[str, int | None]) -> Iterator[tuple[str, str]]:
    """(column, French sentence) for each thing wrong in the five numbers of a vote, keyed by SCDL column.

    All or none of them; EFFECTIF ≥ REEL ≥ POUR, CONTRE, ABSTENTION; REEL = POUR + CONTRE + ABSTENTION.
    """
    missing = [column for column in VOTES if votes[column] is None]
    if len(missing) == len(VOTES):
        return
    if missing:
        yield missing[0], f"Les cinq nombres du vote se remplissent ensemble\u00a0: il manque {', '.join(missing)}."
    for column in VOTES:
        if (votes[column] or 0) < 0:
            yield column, f"{column} ({votes[column]}) ne peut pas être négatif."
    for more, less in [VOTES[:2], *(("VOTE_REEL", column) for column in VOTES[2:])]:
        if more not in missing and less not in missing and votes[less] > votes[more]:
            yield less, f"{less} ({votes[less]}) dépasse {more} ({votes[more]})."
    if not set(VOTES[1:]) & set(missing):
        total = sum(votes[column] for column in VOTES[2:])
        if total != votes["VOTE_REEL"]:
            yield (
                "VOTE_REEL",
                f"VOTE_POUR, VOTE_CONTRE et VOTE_ABSTENTION font {total}, et VOTE_REEL {votes['VOTE_REEL']}.",
            )
