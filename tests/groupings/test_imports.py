"""Importing the folder of groupings: the bilan's figures, run twice, and folders with mistakes in every file."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from groupings.demonstration import load
from groupings.imports import import_grouping
from groupings.models import Deliberation, Grouping, Lot, Membership, NeedLine
from members.imports import import_organisations
from members.models import Organisation
from procurement.core.actors import SystemActor
from procurement.core.imports import ImportRefused
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_metropole, make_organisation

pytestmark = pytest.mark.django_db

FOLDER = Path(load.__file__).with_name("bilan_2016")
ACTOR = SystemActor("Essai")
GROUPINGS = "reference,title,category,cpv,coordinator_siren,duration_months,source\n"
LOTS = "reference,lot,title\n"
NEEDS = "reference,lot,siren,estimated_amount_excl_tax\n"


@pytest.fixture
def bodies():
    metropole = make_metropole(siren="243400017")
    return metropole, make_organisation("commune", parent=metropole, siren="213401722", name="Montpellier")


@pytest.fixture
def folder(tmp_path):
    def write(*, groupings=None, lots=None, needs=None):
        contents = {
            "groupings.csv": groupings or "GC-2027-01,Papier,supplies,30192000,243400017,48,\n",
            "lots.csv": lots or "GC-2027-01,1,Papier blanc\nGC-2027-01,2,Enveloppes\n",
            "needs.csv": needs or "GC-2027-01,1,243400017,1000.00\nGC-2027-01,1,213401722,2500.50\n",
        }
        for (name, content), header in zip(contents.items(), (GROUPINGS, LOTS, NEEDS), strict=True):
            (tmp_path / name).write_text(header + content, encoding="utf-8")
        return tmp_path

    return write


def counts():
    return [model.objects.count() for model in (Grouping, Lot, Membership, NeedLine, Deliberation, JournalEntry)]


def refused(directory, actor=ACTOR):
    """(file, line, column, message) of each error; nothing may have been written."""
    before = counts()
    with pytest.raises(ImportRefused) as error:
        import_grouping(directory, actor=actor)
    assert counts() == before
    return [(item.file, item.line, item.column, item.message) for item in error.value.errors]


def test_the_bilan_of_2016_run_twice(capsys):
    import_organisations(FOLDER / "organisations.csv", actor=ACTOR)
    call_command("import_grouping", str(FOLDER))
    first = capsys.readouterr().out
    assert "Groupements\u00a0: 16 créations" in first
    assert "Lots\u00a0: 36 créations" in first
    assert f"Membres\u00a0: {Membership.objects.count()} créations" in first
    assert "Besoins\u00a0: 470 créations" in first
    before = counts()
    call_command("import_grouping", str(FOLDER))
    assert capsys.readouterr().out == (
        "Groupements\u00a0: 0 création, 0 modification, 16 sans changement\n"
        "Lots\u00a0: 0 création, 0 modification, 36 sans changement\n"
        f"Membres\u00a0: 0 création, 0 modification, {before[2]} sans changement\n"
        "Besoins\u00a0: 0 création, 0 modification, 470 sans changement\n"
    )
    assert counts() == before
    assert before[:4] == [16, 36, before[2], 470]
    assert NeedLine.objects.aggregate(total=Sum("estimated_amount_excl_tax"))["total"] == Decimal("21214690.00")
    assert Membership.objects.values("organisation").distinct().count() == 27
    sizes = [grouping.memberships.count() for grouping in Grouping.objects.all()]
    assert (min(sizes), max(sizes)) == (7, 18)
    grouping = Grouping.objects.get(reference="GC-2016-05")
    assert (grouping.cpv, grouping.duration_months, grouping.source) == ("35811200", 36, "magazine : Prades-le-Lez")
    assert grouping.opened_on.isoformat() == "2016-01-01"


def test_a_new_folder_updates_without_repeating(bodies, folder):
    import_grouping(folder(), actor=ACTOR)
    line = NeedLine.objects.get(membership__organisation__siren="213401722")
    line.quantity, line.unit = Decimal("12.500"), "ramette"
    line.save()
    report = import_grouping(
        folder(
            groupings="GC-2027-01,Papier et carton,Fournitures,30192000-1,243400017,36,\n",
            lots="GC-2027-01,1,Papier recyclé\n",
            needs='GC-2027-01,1,213401722,"3 000,00 €"\nGC-2027-01,2,213401722,0\n',
        ),
        actor=ACTOR,
    )
    assert str(report).splitlines() == [
        "Groupements\u00a0: 0 création, 1 modification, 0 sans changement",
        "Lots\u00a0: 0 création, 1 modification, 0 sans changement",
        "Membres\u00a0: 0 création, 0 modification, 2 sans changement",
        "Besoins\u00a0: 1 création, 1 modification, 0 sans changement",
    ]
    grouping = Grouping.objects.get()
    assert (grouping.title, grouping.duration_months, grouping.cpv) == ("Papier et carton", 36, "30192000")
    assert list(grouping.lots.values_list("title", flat=True)) == ["Papier recyclé", "Enveloppes"]
    line.refresh_from_db()
    assert line.estimated_amount_excl_tax.amount == Decimal("3000.00")
    assert (line.quantity, line.unit) == (Decimal("12.500"), "ramette")  # the file says nothing of them
    assert NeedLine.objects.get(lot__number=2).estimated_amount_excl_tax.amount == 0
    assert Deliberation.objects.count() == Membership.objects.count() == 2


def test_all_errors_of_all_files(bodies, folder):
    errors = refused(
        folder(
            groupings=(
                "GC-2027-01,Papier,supplies,30192000,243400017,48,\n"
                "GC-2027-02,Encre,fournitures,30192000-2,243400017,0,\n"  # 3: wrong key, duration
                "GC-2027-03,Gants,supplies,18424000,213402027,12,\n"  # 4: unknown coordinator
                "GC-2027-01,Papier,supplies,30192000,243400017,48,\n"  # 5: repeated
            ),
            lots="GC-2027-01,1,Papier\nGC-2027-02,2,Encre\nGC-2027-09,1,?\nGC-2027-01,1,Bis\nGC-2027-01,1000,X\n",
            needs=(
                "GC-2027-01,1,243400017,100.00\n"
                "GC-2027-01,2,243400017,100.00\n"  # 3: lot of another grouping
                "GC-2027-01,1,213402027,100.00\n"  # 4: unknown SIREN
                "GC-2027-01,1,213401722,-1\n"  # 5: negative
                'GC-2027-01,1,213401722,"12,345"\n'  # 6: ambiguous
                "GC-2027-08,1,213401722,5.00\n"  # 7: unknown grouping
                "GC-2027-01,1,243400017,100.00\n"  # 8: repeats 2
                "GC-2027-02,7,213401722,5.00\n"  # 9: unknown lot of a grouping that has its own errors
            ),
        )
    )
    assert [(file.split(".")[0], line, column) for file, line, column, _ in errors] == [
        ("groupings", 3, "cpv"),
        ("groupings", 3, "duration_months"),
        ("groupings", 4, "coordinator_siren"),
        ("groupings", 5, "reference"),
        ("lots", 4, "reference"),
        ("lots", 5, "lot"),
        ("lots", 6, "lot"),
        ("needs", 3, "lot"),
        ("needs", 4, "siren"),
        ("needs", 5, "estimated_amount_excl_tax"),
        ("needs", 6, "estimated_amount_excl_tax"),
        ("needs", 7, "reference"),
        ("needs", 8, "siren"),
        ("needs", 9, "lot"),
    ]
    messages = dict(zip(range(len(errors)), (message for *_, message in errors), strict=True))
    assert messages[7] == "Le groupement GC-2027-01 n’a pas de lot 2."
    assert "négatif" in messages[9]
    assert "ambigu" in messages[10]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(bodies, folder):
    directory = folder(needs="GC-2027-01,1,213401722,-1\n")
    (directory / "lots.csv").unlink()
    (directory / "groupings.csv").write_bytes(b"")
    assert [(file, line) for file, line, *_ in refused(directory)] == [
        ("groupings.csv", None),
        ("lots.csv", None),
        ("needs.csv", 2),
    ]


def test_what_an_action_refuses_undoes_everything(bodies, folder):
    import_grouping(folder(), actor=ACTOR)
    Grouping.objects.update(status="consultation", launched_on="2027-06-01")
    errors = refused(
        folder(
            groupings=(
                "GC-2027-01,Papier,supplies,30192000,243400017,48,\n"
                "GC-2027-02,Encre,supplies,30192000,243400017,48,\n"  # new: must not remain
            ),
            needs="GC-2027-01,1,243400017,1000.00\nGC-2027-01,1,213401722,9.00\n",
        )
    )
    assert [(file, line) for file, line, *_ in errors] == [("needs.csv", 3)]
    assert "la consultation est lancée" in errors[0][3]


def test_a_launched_grouping_imported_again_unchanged_is_accepted(bodies, folder):
    import_grouping(folder(), actor=ACTOR)
    Grouping.objects.update(status="consultation", launched_on="2027-06-01")
    assert "Besoins\u00a0: 0 création, 0 modification, 2 sans changement" in str(import_grouping(folder(), actor=ACTOR))


def test_a_member_that_withdrew_is_not_taken_back(bodies, folder):
    import_grouping(folder(), actor=ACTOR)
    Membership.objects.filter(organisation__siren="213401722").update(withdrawn_on="2027-03-01")
    errors = refused(folder(needs="GC-2027-01,2,213401722,5.00\n"))
    assert errors == [("needs.csv", 2, "siren", "Montpellier s’est retiré de ce groupement.")]


def test_two_territories_never_mix(bodies, folder):
    ours, montpellier = bodies
    theirs = make_metropole(siren="243500139")
    make_organisation("commune", parent=theirs, siren="213402027")
    buyer = make_affiliation(ours, "buyer")
    rows = "GC-2027-01,1,213402027,5.00\n"
    assert [error[:3] for error in refused(folder(needs=rows), actor=buyer)] == [("needs.csv", 2, "siren")]
    assert [error[:3] for error in refused(folder(needs=rows))] == [("needs.csv", 2, "siren")]
    other = folder(groupings="GC-2027-01,Papier,supplies,30192000,243500139,48,\n")
    assert ("groupings.csv", 2, "coordinator_siren") in [error[:3] for error in refused(other, actor=buyer)]
    # each has its own card of the same commune
    make_organisation("commune", parent=theirs, siren="213401722", name="La même, chez eux")
    import_grouping(folder(), actor=buyer)
    assert montpellier in Organisation.objects.filter(memberships__isnull=False)
    assert set(Membership.objects.values_list("organisation__territory", flat=True)) == {None, ours.pk}


def test_who_may_not_change_groupings_imports_nothing(bodies, folder):
    errors = refused(folder(), actor=make_affiliation(bodies[0], "finance"))
    assert errors[0][:2] == ("groupings.csv", 2)
    assert "Votre rôle ne permet pas" in errors[0][3]


def test_the_opening_day(bodies, folder):
    directory = folder(
        groupings="PAPIER,Papier,supplies,30192000,243400017,48,\n",
        lots="PAPIER,1,Papier\n",
        needs="PAPIER,1,243400017,1\n",
    )
    assert refused(directory) == [("groupings.csv", 2, "opened_on", "Indiquez la date d’ouverture de ce groupement.")]
    text = (directory / "groupings.csv").read_text().replace("source\n", "opened_on\n").replace("48,", "48,15/09/2026")
    (directory / "groupings.csv").write_text(text)
    import_grouping(directory, actor=ACTOR)
    assert Grouping.objects.get().opened_on.isoformat() == "2026-09-15"


def test_the_command_refuses_with_every_line(bodies, folder, tmp_path):
    directory = folder(needs="GC-2027-01,9,213401722,-1\nGC-2027-01,9,213401722,1\n")
    with pytest.raises(CommandError) as refusal:
        call_command("import_grouping", str(directory))
    assert refusal.value.returncode == 1
    assert str(refusal.value).splitlines() == [
        "needs.csv, ligne 2, colonne «\u00a0estimated_amount_excl_tax\u00a0»\u00a0: "
        "Le montant «\u00a0-1\u00a0» est négatif.",
        "needs.csv, ligne 3, colonne «\u00a0lot\u00a0»\u00a0: Le groupement GC-2027-01 n’a pas de lot 9.",
        "Rien n’a été importé\u00a0: 2 à corriger.",
    ]
    with pytest.raises(CommandError, match="n’est pas un dossier"):
        call_command("import_grouping", str(tmp_path / "absent"))
