"""Open data enters: every row is read, some are proposed for awaited votes, nothing is linked before the answer."""

import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from groupings.actions.open_data import MAX_CANDIDATES, deliberations_propose
from groupings.actions.proposals import proposal_answer
from groupings.models import Deliberation, Proposal
from procurement.core.actors import SystemActor
from procurement.core.documents.tabular import UnreadableFile
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
)

pytestmark = pytest.mark.django_db
ACTOR, TODAY = SystemActor("Essai"), date(2023, 6, 1)
HEADER = (
    "COLL_NOM,COLL_SIRET,DELIB_ID,DELIB_DATE,DELIB_MATIERE_CODE,DELIB_MATIERE_NOM,DELIB_OBJET,PREF_DATE,"
    "VOTE_EFFECTIF,VOTE_REEL,VOTE_POUR,VOTE_CONTRE,VOTE_ABSTENTION\n"
)
SUBJECT = "Groupement de commandes pour le papier – convention"
VOTES = "69,66,60,4,2"


def line(number="V2023-045", day="2023-02-07", subject=SUBJECT, siret="21340172201787", received="", votes=VOTES):
    matter = "7.10,finances locales/divers"
    return f"Ville de Montpellier,{siret},{number},{day},{matter},{subject},{received},{votes}\n"


@pytest.fixture
def metropole():
    return make_metropole(siren="243400017")


@pytest.fixture
def city(metropole):
    return make_organisation(parent=metropole, name="Ville de Montpellier", siren="213401722")


@pytest.fixture
def membership(metropole, city):
    grouping = make_grouping(
        metropole, title="Papier et enveloppes", opened_on=date(2022, 9, 1), reference="GC-2022-03"
    )
    return make_membership(grouping, city)


def read(*lines, name="deliberations.csv", actor=ACTOR, **options):
    content = (HEADER + "".join(lines)).encode()
    return deliberations_propose(content=content, filename=name, actor=actor, today=TODAY, **options)


def candidates(*lines, **options):
    return [(item["DELIB_ID"], item["deliberation"]) for item in read(*lines, **options).as_json()["candidates"]]


def test_a_candidate_as_the_command_prints_it(membership, tmp_path, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: TODAY)
    file = tmp_path / "deliberations.csv"
    file.write_text(HEADER + line(number="V2023-044", subject="Tarifs de la cantine") + line())
    out = io.StringIO()
    call_command("import_deliberations", str(file), json=True, stdout=out)
    report = json.loads(out.getvalue())
    assert (report["rows"], report["read"], report["warnings"]) == (2, 2, [])
    (candidate,) = report["candidates"]
    deliberation = membership.deliberations.get()
    assert candidate == {
        "DELIB_ID": "V2023-045",
        "siren": "213401722",
        "date": "2023-02-07",
        "matiere_code": "7.10",
        "line": 3,
        "grouping": "GC-2022-03",
        "organisation": "Ville de Montpellier",
        "deliberation": deliberation.pk,
        "score": 80,
        "reason": "Vote encore attendu. Objets semblables à 100\u00a0%, et il s’agit d’un groupement de commandes.",
    }
    deliberation.refresh_from_db()
    assert (deliberation.status, deliberation.number) == ("to_schedule", "")
    proposal = Proposal.objects.get()
    assert (proposal.origin, proposal.source_line, proposal.answer) == ("open_data", 3, "waiting")
    assert JournalEntry.objects.get(verb="proposal.create").concerns == membership.organisation


def test_the_same_file_twice_proposes_once(membership):
    assert candidates(line()) == candidates(line()) != []
    assert (Proposal.objects.count(), JournalEntry.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, 1),
        ({"siret": "213401722"}, 1),  # a SIREN in the place of the SIRET
        ({"siret": "21340172299999"}, 1),  # the establishment is wrong, the body is not
        ({"siret": "21340090600011"}, 0),  # Le Crès
        ({"siret": ""}, 0),
        ({"day": "2022-09-01"}, 1),  # the day the grouping opened
        ({"day": "2022-08-31"}, 0),
        ({"day": "2023-06-01"}, 1),
        ({"day": "2023-06-02"}, 0),
        ({"day": "pas une date"}, 0),
        ({"subject": "Tarifs de la cantine"}, 0),
        ({"subject": "Groupement de commandes pour l’électricité"}, 0),
        ({"subject": "Adhésion à un groupement de commandes"}, 1),
        ({"subject": ""}, 0),
        ({"number": ""}, 1),
    ],
)
def test_body_window_and_words(membership, changes, found):
    report = read(line(**changes))
    assert (report.read, len(report.candidates)) == (1, found)


def test_every_row_is_read_and_its_defects_are_said(membership):
    report = read(line(siret="12"), line(day="2023-13-45"), line(votes="69,50,60,4,2"))
    assert (report.rows, report.read) == (3, 3)
    assert {(w["line"], w["column"]) for w in report.as_json()["warnings"]} == {
        (2, "COLL_SIRET"),
        (3, "DELIB_DATE"),
        (4, "VOTE_REEL"),
    }
    assert [candidate.row.line for candidate in report.candidates] == [4]


def test_confirming_records_the_vote_and_the_reception(membership):
    read(line(received="2023-02-09"))
    proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    deliberation = Deliberation.objects.get()
    assert (deliberation.status, deliberation.decided_on, deliberation.number) == (
        "adopted",
        date(2023, 2, 7),
        "V2023-045",
    )
    assert (deliberation.transmitted_on, deliberation.received_on) == (date(2023, 2, 9), date(2023, 2, 9))
    assert (deliberation.actes_id, deliberation.has_counts) == (None, False)  # SCDL does not tell the proxies apart
    assert candidates(line(received="2023-02-09")) == []


def test_what_a_person_dismissed_is_not_proposed_again(membership):
    read(line())
    proposal_answer(proposal=Proposal.objects.get(), confirmed=False, actor=ACTOR, today=TODAY)
    assert candidates(line()) == []
    assert Proposal.objects.count() == 1


def test_an_adopted_vote_without_number_is_completed_on_its_own_day(membership):
    deliberation = adopt(membership, date(2023, 2, 7), executory=False, number="")
    assert candidates(line(day="2023-02-08")) == []
    assert candidates(line()) == [("V2023-045", deliberation.pk)]
    proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    assert Deliberation.objects.get().number == "V2023-045"


def test_a_row_that_brings_nothing_new_is_not_proposed(membership):
    adopt(membership, date(2023, 2, 7), executory=False, number="V2023-045")
    assert candidates(line()) == []
    assert len(candidates(line(received="2023-02-09"))) == 1


def test_published_numbers_of_a_rejection_are_not_confirmed_as_an_adoption(membership):
    read(line(votes="69,66,4,60,2"))
    with pytest.raises(BusinessError, match="Les voix publiées disent un rejet"):
        proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    assert (Deliberation.objects.get().status, Proposal.objects.get().answer) == ("to_schedule", "waiting")


def test_a_number_too_long_for_us_is_shown_and_not_kept(membership):
    read(line(number="N" * 120))
    proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    assert (Deliberation.objects.get().status, Deliberation.objects.get().number) == ("adopted", "")


def test_only_the_best_rows_of_a_long_file_are_proposed(membership):
    rows = [line(number=f"V-{n}", subject="Achat de papier") for n in range(MAX_CANDIDATES + 5)]
    found = read(*rows, line(number="V-99")).candidates
    assert len(found) == MAX_CANDIDATES == Proposal.objects.count()
    assert found[0].row.number == "V-99"  # it also says « groupement de commandes »


def test_a_member_s_agent_sees_its_own_rows_alone(metropole, membership, city):
    neighbour = make_organisation(parent=metropole)
    make_membership(membership.grouping, neighbour)
    assert candidates(line(), actor=make_affiliation(neighbour, "member_agent")) == []
    assert len(candidates(line(), actor=make_affiliation(city, "member_agent"))) == 1


def test_a_territory_bounds_a_command(membership):
    assert candidates(line(), territory=make_metropole()) == []


@pytest.mark.parametrize("content", [b"", b"MZ\x00", b"a;b\n1;2\n", b"PK\x03\x04abc", b"[" * 100_000])
def test_files_that_are_no_scdl(membership, content, tmp_path):
    with pytest.raises(UnreadableFile):
        deliberations_propose(content=content, filename="x.csv", actor=ACTOR, today=TODAY)
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(CommandError):
        call_command("import_deliberations", str(tmp_path / "x.csv"))


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(CommandError, match="ne peut pas être lu"):
        call_command("import_deliberations", str(tmp_path / "absent.csv"))


def test_the_lines_a_person_reads(membership, tmp_path, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: TODAY)
    (tmp_path / "d.csv").write_text(HEADER + line() + line(siret="12"))
    out = io.StringIO()
    call_command("import_deliberations", str(tmp_path / "d.csv"), stdout=out)
    told = out.getvalue()
    assert "Ligne 2, V2023-045\u00a0: Ville de Montpellier, GC-2022-03. Vote encore attendu." in told
    assert "Ligne 3, colonne «\u00a0COLL_SIRET\u00a0»" in told
    assert "2 ligne(s), 2 lue(s), 1 avertissement(s), 1 rapprochement(s) à confirmer." in told
