"""Importing council calendars: every way of naming a body, every kind of file, twice, and with every mistake."""

import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from members.models import CouncilSession
from members.session_imports import MAX_SESSIONS, import_sessions
from procurement.core.actors import SystemActor
from procurement.core.errors import NotAllowed
from procurement.core.imports import ImportRefused
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_metropole, make_organisation, make_session

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("Essai")
HEADER = "SIREN;Séance du;Clôture de l’ordre du jour;Convocation envoyée le;Source\n"


@pytest.fixture
def metropole():
    return make_metropole(name="Montpellier Méditerranée Métropole", siren="243400017")


@pytest.fixture
def cres(metropole):
    return make_organisation(parent=metropole, name="Le Crès", siren="213400906")


def run(content, actor=ACTOR, name="seances.csv", **options):
    data = content if isinstance(content, bytes) else content.encode()
    return str(import_sessions(io.BytesIO(data), name, actor=actor, **options))


def refused(content, actor=ACTOR, name="seances.csv", **options):
    """(line, column, message) of each error; nothing may have been written."""
    before = CouncilSession.objects.count(), JournalEntry.objects.count()
    with pytest.raises(ImportRefused) as error:
        run(content, actor, name, **options)
    assert (CouncilSession.objects.count(), JournalEntry.objects.count()) == before
    return [(item.line, item.column, item.message) for item in error.value.errors]


def tally(created=0, changed=0, unchanged=0) -> str:
    return (
        f"Séances\u00a0: {created} création{'s' * (created > 1)}, {changed} modification{'s' * (changed > 1)}, "
        f"{unchanged} sans changement"
    )


def test_the_same_file_twice(metropole, cres):
    content = (
        HEADER
        + "213400906;15/12/2026;01/12/2026;08/12/2026;site de la commune\n"
        + "213400906;29/02/2028;;;\n"  # a leap day
        + "243 400 017;2026-12-15;;;\n"
    )
    assert run(content) == tally(created=3)
    assert JournalEntry.objects.count() == 3
    assert run(content) == tally(unchanged=3)
    assert (CouncilSession.objects.count(), JournalEntry.objects.count()) == (3, 3)
    session = cres.sessions.get(meeting_on=date(2026, 12, 15))
    assert (session.agenda_closes_on, session.convened_on) == (date(2026, 12, 1), date(2026, 12, 8))
    assert (session.source, session.version) == ("site de la commune", 1)
    entry = JournalEntry.objects.filter(concerns=cres).last()
    assert (entry.actor_label, entry.sentence) == ("Essai", "Séance du 15/12/2026 de Le Crès")


def test_a_later_file_completes_and_an_empty_cell_erases_nothing(metropole, cres):
    run(HEADER + "213400906;15/12/2026;01/12/2026;;téléphone\n")
    assert run(HEADER + "213400906;15/12/2026;;08/12/2026;\n") == tally(changed=1)
    session = cres.sessions.get()
    assert (session.agenda_closes_on, session.convened_on) == (date(2026, 12, 1), date(2026, 12, 8))
    assert (session.source, session.version) == ("téléphone", 2)


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("SIREN", "213400906"),
        ("siren", "213 400 906"),
        ("SIRET", "21340090600011"),
        ("SIREN ou SIRET", "213 400 906 00011"),
        ("SIREN", "Le Crès"),
        ("Organisme", "Le Crès"),
        ("organisation", "le cres"),
        ("Nom", "LE CRÈS"),
        ("Organisme", "213400906"),
    ],
)
def test_every_way_of_naming_a_body(metropole, cres, heading, said):
    assert run(f"{heading};Séance\n{said};15/12/2026\n") == tally(created=1)
    assert cres.sessions.count() == 1


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("213401722;;15/12/2026", "siren", "Le SIREN 213401722 n’est celui d’aucun organisme de l’annuaire."),
        ("213400907;;15/12/2026", "siren", "sa clé ne correspond pas"),
        ("2,13E+08;;15/12/2026", "siren", "transformé par le tableur"),
        (";Le Cres sur Mer;15/12/2026", "organisation", "ne s’appelle «\u00a0Le Cres sur Mer\u00a0»"),
        (";Saint-Jean;15/12/2026", "organisation", "Plusieurs organismes s’appellent"),
        ("213400906;Pignan;15/12/2026", "organisation", "celui de «\u00a0Le Crès\u00a0»"),
        ("213400906;213402027;15/12/2026", "organisation", "celui de «\u00a0Le Crès\u00a0»"),
        (";;15/12/2026", "", "La ligne ne dit pas de quel organisme il s’agit."),
    ],
)
def test_a_body_that_cannot_be_told(metropole, cres, line, column, message):
    make_organisation(parent=metropole, name="Pignan", siren="213402027")
    for _ in range(2):
        make_organisation("ccas", parent=cres, name="Saint-Jean")
    ((number, told_column, told),) = refused(f"siren;organisation;meeting_on\n{line}\n")
    assert (number, told_column) == (2, column)
    assert message in told


def test_a_name_of_one_s_own_beside_the_right_number_is_no_matter(metropole, cres):
    assert run("siren;organisation;meeting_on\n213400906;Mairie du Crès;15/12/2026\n") == tally(created=1)


def test_every_error_is_told_and_nothing_is_written(metropole, cres):
    make_session(cres, date(2026, 11, 3))
    errors = refused(
        HEADER
        + "213400906;15/12/2026;;;\n"
        + "21340090600011;15/12/2026;;;\n"  # 3: the same, named by its SIRET
        + "213400906;29/02/2027;;;\n"  # 4: 2027 is no leap year
        + "213400906;16/12/26;;;\n"  # 5
        + "213400906;17/12/2026;18/12/2026;;\n"  # 6: agenda after the meeting
        + "213400906;18/12/2026;;18/12/2026;\n"  # 7: convened that day
        + "213400906;;01/12/2026;;\n"  # 8: an agenda without a meeting
        + f"213400906;19/12/2026;;;{'é' * 201}\n"  # 9
        + "213400906;20/12/2026;;;;trop\n"  # 10
    )
    assert [(line, column) for line, column, _ in errors] == [
        (3, "Séance du"),
        (4, "Séance du"),
        (5, "Séance du"),
        (6, "Clôture de l’ordre du jour"),
        (7, "Convocation envoyée le"),
        (8, "Séance du"),
        (9, "Source"),
        (10, ""),
    ]
    messages = " ".join(message for _, _, message in errors)
    assert "Cette séance est déjà à la ligne 2." in messages
    assert "La convocation part avant la séance." in messages
    assert "L’ordre du jour se clôt au plus tard le jour de la séance." in messages
    assert "La date «\u00a029/02/2027\u00a0» n’existe pas." in messages


def test_what_only_saving_refuses_is_told_line_by_line(metropole, cres):
    (error,) = refused(HEADER + "213400906;15/12/2026;;;\n213400906;19/12/2026;;;a\u200bb\n")
    assert error == (3, "Source", "Ce texte contient un caractère invisible\u00a0: ressaisissez-le.")


def test_lines_without_any_date_are_left_aside_and_counted(metropole, cres):
    make_organisation(parent=metropole, name="Pignan")
    content = "Organisme;Séance du;Source\nLe Crès;15/12/2026;\nPignan;;\nMontpellier Méditerranée Métropole;;site\n"
    assert run(content) == tally(created=1) + ", 2 lignes sans date laissées de côté"
    (error,) = refused("Organisme;Séance du\nLe Crès;\n")
    assert error == (None, "", "Aucune ligne ne porte de date de séance.")


def test_a_workbook_with_real_dates_and_numbers(metropole, cres):
    workbook = Workbook()
    workbook.active.append(["SIREN", "Date de la séance", "Ordre du jour", "Source"])
    workbook.active.append([213400906, date(2028, 2, 29), date(2028, 2, 14), "tableur"])
    workbook.active.append(["Le Crès", "15/12/2026", None, None])
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert run(buffer.getvalue(), name="séances.xlsx") == tally(created=2)
    assert cres.sessions.get(source="tableur").agenda_closes_on == date(2028, 2, 14)


def test_a_file_of_a_french_windows(metropole, cres):
    content = (
        "Organisme;Séance du;Clôture de l’ordre du jour;Source\r\nLe Crès;15/12/2026;01/12/2026;été – l’agenda\r\n"
    )
    assert run(content.encode("cp1252")) == tally(created=1)
    assert cres.sessions.get().source == "été – l’agenda"


def test_names_of_two_hundred_characters(metropole):
    longest = make_organisation(parent=metropole, name="É" * 200)
    assert run(f"Organisme;Séance du\n{'É' * 200};15/12/2026\n") == tally(created=1)
    assert longest.sessions.count() == 1
    ((line, column, _),) = refused(f"Organisme;Séance du\n{'É' * 201};15/12/2026\n")
    assert (line, column) == (2, "Organisme")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Le fichier est vide."),
        (b"\xef\xbb\xbf", "Le fichier est vide."),
        (HEADER.encode(), "qu’une ligne d’en-tête"),
        (b"%PDF-1.7", "un PDF, renommé"),
        (b"SIREN;Source\n213400906;x\n", "Cette colonne manque"),
        (b"meeting_on;source\n15/12/2026;x\n", "de quel organisme il s’agit"),
        (b"SIREN;Heure\n213400906;18:30\n", "n’est pas prévue"),
    ],
)
def test_files_that_hold_no_calendar(metropole, cres, content, message):
    assert message in " ".join(told for _, _, told in refused(content))


def test_a_calendar_too_long(metropole, cres):
    (error,) = refused(HEADER + "213400906;15/12/2026;;;\n" * (MAX_SESSIONS + 1))
    assert "1\u202f000 lignes" in error[2]


def test_a_person_imports_into_its_own_territory_only(metropole, cres):
    theirs = make_metropole(siren="243500139", name="Rennes")
    make_organisation(parent=theirs, name="Cesson", siren="213500515")
    twin = make_organisation(parent=theirs, name="Le Crès", siren="213400906")
    buyer = make_affiliation(metropole)
    assert run(HEADER + "213400906;15/12/2026;;;\n", actor=buyer) == tally(created=1)
    assert (cres.sessions.count(), twin.sessions.count()) == (1, 0)
    for said in ("213500515", "Cesson"):
        ((line, _, message),) = refused(HEADER + f"{said};15/12/2026;;;\n", actor=buyer)
        assert line == 2
        assert "aucun organisme" in message.casefold()


def test_a_member_imports_its_own_calendar_only(metropole, cres):
    make_organisation(parent=metropole, name="Pignan", siren="213402027")
    agent = make_affiliation(cres, "member_agent")
    assert run(HEADER + "213400906;15/12/2026;;;\n", actor=agent) == tally(created=1)
    lines = HEADER + "213400906;16/12/2026;;;\n213402027;16/12/2026;;;\n"
    assert refused(lines, actor=agent) == [
        (3, "", "Vous n’importez que les séances de votre organisme, Le Crès."),
    ]
    assert refused(lines, actor=make_affiliation(cres, "buyer"))[0][0] == 3


def test_who_may_not_write_calendars_imports_nothing(metropole, cres):
    for role in ("reader", "finance"):
        with pytest.raises(NotAllowed):
            run(HEADER + "213400906;15/12/2026;;;\n", actor=make_affiliation(metropole, role))
    assert not CouncilSession.objects.exists()


# The command


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "seances.csv"
    path.write_text(HEADER + "213400906;15/12/2026;;;\n", encoding="utf-8")
    return path


def test_the_command_twice(metropole, cres, path, capsys):
    call_command("import_sessions", str(path))
    call_command("import_sessions", str(path))
    assert capsys.readouterr().out == f"{tally(created=1)}\n{tally(unchanged=1)}\n"
    assert JournalEntry.objects.get().actor_label == "Commande import_sessions"


def test_the_command_asks_which_territory(metropole, cres, path):
    with_twin = make_metropole(siren="243500139")
    twin = make_organisation(parent=with_twin, siren="213400906")
    with pytest.raises(CommandError, match="dites lequel avec --territory"):
        call_command("import_sessions", str(path))
    with pytest.raises(CommandError, match="aucun territoire"):
        call_command("import_sessions", str(path), "--territory", "213400906")
    assert not CouncilSession.objects.exists()
    call_command("import_sessions", str(path), "--territory", "243 500 139")
    assert (twin.sessions.count(), cres.sessions.count()) == (1, 0)


def test_the_command_refuses_in_one_block(metropole, cres, path, tmp_path):
    path.write_text(HEADER + "1;15/12/2026;;;\n2;x;;;\n", encoding="utf-8")
    with pytest.raises(CommandError, match="Rien n’a été importé\u00a0: 3 à corriger") as refusal:
        call_command("import_sessions", str(path))
    assert str(refusal.value).count("\n") == 3
    with pytest.raises(CommandError, match="ne peut pas être lu"):
        call_command("import_sessions", str(tmp_path / "absent.csv"))


def test_the_command_on_an_empty_database(path):
    with pytest.raises(CommandError, match="importez d’abord l’annuaire"):
        call_command("import_sessions", str(path))
