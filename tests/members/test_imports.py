"""Importing bodies: the demonstration's file, run twice, out of order, and files with every kind of mistake."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from groupings.demonstration import load
from members.imports import import_organisations
from members.models import Organisation
from procurement.core.actors import SystemActor
from procurement.core.imports import ImportRefused
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_metropole, make_organisation, make_siren

pytestmark = pytest.mark.django_db

FILE = Path(load.__file__).with_name("bilan_2016") / "organisations.csv"
ACTOR = SystemActor("Essai")
HEADER = "kind,name,siren,insee_code,parent_siren,population,source\n"


def run(content, actor=ACTOR, name="organismes.csv"):
    return import_organisations(io.BytesIO(content.encode()), name, actor=actor)


def refused(content, actor=ACTOR):
    """(line, column, message) of each error; nothing may have been written."""
    before = Organisation.objects.count(), JournalEntry.objects.count()
    with pytest.raises(ImportRefused) as error:
        run(content, actor)
    assert (Organisation.objects.count(), JournalEntry.objects.count()) == before
    return [(item.line, item.column, item.message) for item in error.value.errors]


def test_the_demonstration_file_run_twice(capsys):
    call_command("import_organisations", str(FILE))
    assert capsys.readouterr().out == "Organismes\u00a0: 35 créations, 0 modification, 0 sans changement\n"
    call_command("import_organisations", str(FILE))
    assert capsys.readouterr().out == "Organismes\u00a0: 0 création, 0 modification, 35 sans changement\n"
    assert Organisation.objects.count() == 35
    assert JournalEntry.objects.filter(verb="organisation.create").count() == JournalEntry.objects.count() == 35
    metropole = Organisation.objects.get(siren="243400017")
    montpellier = Organisation.objects.get(siren="213401722")
    ccas = Organisation.objects.get(siren="263400996")
    assert (montpellier.kind, montpellier.name, montpellier.insee_code) == ("commune", "Montpellier", "34172")
    assert (montpellier.population, montpellier.parent, montpellier.territory) == (307_101, metropole, metropole)
    assert (ccas.parent, ccas.territory, ccas.population) == (montpellier, metropole, None)
    assert ccas.is_fictitious
    assert not montpellier.is_fictitious


def test_parents_may_come_later():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    run("\n".join([lines[0], *reversed(lines[1:])]))
    assert Organisation.objects.get(siren="263400996").territory.siren == "243400017"
    assert Organisation.objects.count() == 35


def test_a_second_file_updates_by_siren_and_an_empty_cell_changes_nothing():
    run(FILE.read_text(encoding="utf-8"))
    report = run(
        HEADER
        + "commune,Montpellier la Belle,213401722,,243400017,310240,\n"
        + "commune,Pignan,213402027,34202,243400017,8326,découpage administratif 2026\n"
    )
    assert str(report) == "Organismes\u00a0: 0 création, 1 modification, 1 sans changement"
    changed = Organisation.objects.get(siren="213401722")
    assert (changed.name, changed.population, changed.insee_code) == ("Montpellier la Belle", 310_240, "34172")
    assert changed.source == "découpage administratif 2026"
    entry = JournalEntry.objects.get(verb="organisation.change")
    assert (entry.before["population"], entry.after["population"]) == (307_101, 310_240)
    assert entry.actor_label == "Essai"


def test_a_card_entered_alone_joins_its_territory_later():
    run("kind,name,siren\nmetropole,Métropole,243400017\ncommune,Pignan,213402027\n")
    run("kind,name,siren,parent_siren\ncommune,Pignan,213402027,243400017\n")
    assert Organisation.objects.get(siren="213402027").territory.siren == "243400017"
    # and without its parent column, a file leaves it there
    assert "1 sans changement" in str(run("kind,name,siren\ncommune,Pignan,213402027\n"))
    assert Organisation.objects.count() == 2


def test_every_error_is_told_and_nothing_is_written():
    errors = refused(
        HEADER
        + "metropole,Métropole,243400017,,,516657,\n"
        + "village,Pignan,213402027,34202,243400017,8326,\n"  # 3: kind
        + "commune,,213402028,3420,243400017,8326,\n"  # 4: name, SIREN
        + "commune,Lattes,213401292,34129,213400575,-5,\n"  # 5: population
        + "commune,Jacou,213401201,34120,213402175,6964,\n"  # 6: parent unknown
        + "commune,Jacou bis,213401201,34120,243400017,6964,\n"  # 7: repeats 6
        + f"commune,{'é' * 201},213400583,341720,243400017,12.5,\n"  # 8: name, INSEE code, population
    )
    assert [(line, column) for line, column, _ in errors] == [
        (3, "kind"),
        (4, "name"),
        (4, "siren"),
        (5, "population"),
        (6, "parent_siren"),
        (7, "siren"),
        (8, "name"),
        (8, "insee_code"),
        (8, "population"),
    ]
    assert "Ce SIREN est déjà celui de la ligne 6." in [message for _, _, message in errors]
    assert all(message.endswith(".") or "Valeurs possibles" in message for _, _, message in errors)


@pytest.mark.parametrize(
    "rows",
    [
        "commune,A,213401722,,213401722,,\n",
        "commune,A,213401722,,213402027,,\ncommune,B,213402027,,213401722,,\n",
        # the first row leads into a loop without being in it
        "commune,C,213401201,,213401722,,\ncommune,A,213401722,,213402027,,\ncommune,B,213402027,,213401722,,\n",
    ],
)
def test_loops_are_refused(rows):
    (error,) = refused(HEADER + rows)
    assert error[1:] == ("parent_siren", "Cet organisme est rattaché à lui-même, directement ou par une boucle.")


def test_hostile_names_are_kept_as_texts_and_controls_refused():
    run('kind;name;siren\ncommune;"<b>&""\'</b> =1+1";213401722\n')
    assert Organisation.objects.get().name == "<b>&\"'</b> =1+1"
    assert refused("kind,name,siren\ncommune,a\u202eb,213402027\n")[0][:2] == (2, "name")


def test_a_buyer_imports_into_its_own_territory_only():
    ours, theirs = make_metropole(siren="243400017"), make_metropole(siren="243500139")
    neighbour = make_organisation("commune", parent=theirs, siren="213402027", name="Chez eux")
    buyer = make_affiliation(ours, "buyer")
    run("kind,name,siren,parent_siren\ncommune,Chez nous,213402027,243400017\n", actor=buyer)
    assert Organisation.objects.filter(siren="213402027").count() == 2
    neighbour.refresh_from_db()
    assert (neighbour.name, neighbour.territory) == ("Chez eux", theirs)
    (error,) = refused("kind,name,siren,parent_siren\ncommune,X,213401722,243500139\n", actor=buyer)
    assert error[:2] == (2, "parent_siren")
    (error,) = refused("kind,name,siren\ncommune,X,213401722\n", actor=buyer)
    assert "territoire" in error[2]


def test_a_command_never_moves_the_card_another_territory_keeps():
    make_metropole(siren="243400017")
    theirs = make_metropole(siren="243500139")
    card = make_organisation("commune", parent=theirs, siren="213402027", name="Chez eux")
    make_organisation("ccas", parent=card, siren="263400996")
    report = run("kind,name,siren,parent_siren\ncommune,Chez nous,213402027,243400017\n")
    assert "1 création" in str(report)
    card.refresh_from_db()
    assert (card.name, card.territory) == ("Chez eux", theirs)
    # without a parent there is no telling which of the two is meant
    (error,) = refused("kind,name,siren\ncommune,X,213402027\n")
    assert error == (2, "siren", "Plusieurs territoires tiennent une fiche au SIREN 213402027.")


def test_who_may_not_create_bodies_imports_nothing():
    metropole = make_metropole()
    commune = make_organisation("commune", parent=metropole)
    for agent in (make_affiliation(commune, "member_agent"), make_affiliation(metropole, "reader")):
        content = f"kind,name,siren,parent_siren\ncommune,X,{make_siren()},{metropole.siren}\n"
        (error,) = refused(content, actor=agent)
        assert "Votre rôle ne permet pas" in error[2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "est vide"),
        ("x.csv", HEADER.encode(), "qu’une ligne d’en-tête"),
        ("x.csv", FILE.read_bytes() + b'commune,"Cour', "guillemet"),
        ("x.csv", b"PK\x03\x04", "renommé"),
        ("x.xlsx", FILE.read_bytes(), "n’est pas un classeur"),
        ("x.csv", b"kind,name\ncommune,X\n", "colonne «\u00a0SIREN\u00a0»\u00a0: Cette colonne manque"),
        ("x.csv", b"kind,name,siren\nville,,1\n", "3 à corriger"),
        ("absent.csv", None, "ne peut pas être lu"),
    ],
)
def test_the_command_refuses_in_one_block(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=message) as refusal:
        call_command("import_organisations", str(path))
    assert refusal.value.returncode == 1
    assert not Organisation.objects.exists()
