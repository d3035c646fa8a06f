"""Importing what the members consume: a whole file or nothing, never the same line twice, undone as a whole."""

import io
import json
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from groupings.actions.consumption import consumption_import, consumption_import_undo
from groupings.models import ConsumptionImport, ConsumptionLine
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.imports import ImportRefused
from procurement.core.journal.models import JournalEntry
from procurement.core.querysets import money_sum
from tests.support.contracts import make_scene
from tests.support.factories import make_affiliation, make_siren

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)
HEADINGS = "Lot;SIREN;N° de facture;Date;Montant HT;Libellé;Quantité"


@pytest.fixture
def scene():
    return make_scene()


def csv(*lines: str, headings: str = HEADINGS) -> bytes:
    return "\n".join([headings, *lines]).encode()


def take_in(scene, content: bytes, *, name: str = "mandats.csv", actor=None, today: date = TODAY):
    return consumption_import(
        grouping=scene.grouping, file=io.BytesIO(content), filename=name, actor=actor or scene.buyer, today=today
    )


def refusals(scene, *lines: str, headings: str = HEADINGS, today: date = TODAY) -> list[tuple]:
    with pytest.raises(ImportRefused) as caught:
        take_in(scene, csv(*lines, headings=headings), today=today)
    assert not ConsumptionLine.objects.exists()
    assert not ConsumptionImport.objects.exists()
    return [(error.line, error.column, error.message) for error in caught.value.errors]


def test_a_file_of_invoices_and_a_credit_note(scene):
    siren = scene.commune.siren
    report = take_in(
        scene,
        csv(
            f"1;{siren};F-1;01/07/2026;1 234,56;Plein de juin;800,5",
            f"Lot 1;{siren};AV-1;15/07/2026;-34,56;Avoir;",
            f"2;{scene.metropole.siren};M-77;31/05/2028;10,00;;",
        ),
        today=date(2028, 6, 1),
    )
    assert (report.added, report.known, report.total) == (3, 0, Decimal("1210.00"))
    first = ConsumptionLine.objects.get(reference="F-1")
    assert (first.award, first.membership, first.amount_excl_tax.amount) == (
        scene.award,
        scene.membership,
        Decimal("1234.56"),
    )
    assert (first.quantity, first.invoiced_on) == (Decimal("800.500"), date(2026, 7, 1))
    assert report.taken.line_count == 3


def test_the_same_file_twice_adds_nothing(scene):
    lines = [f"1;{scene.commune.siren};F-{n};01/07/2026;10,00;Plein;" for n in range(12)]
    take_in(scene, csv(*lines))
    report = take_in(scene, csv(*lines))
    assert (report.added, report.known, report.taken) == (0, 12, None)
    assert str(report) == "0 ligne ajoutée, 0,00\u00a0€ HT, 12 déjà connues"
    assert ConsumptionImport.objects.count() == 1


def test_lines_already_known_are_skipped_in_another_file(scene):
    siren = scene.commune.siren
    take_in(scene, csv(f"1;{siren};F-1;01/07/2026;10,00;Plein;2"))
    # The same line as another software writes it: SIRET, upper case, other zeros, other order of the columns.
    again = csv(
        f"10,0;{siren}00017;f-1;2026-07-01;1;PLEIN;2,000".replace("00017", siret_end(siren)),
        f"5,5;{siren};F-2;2026-07-02;01;PLEIN;",
        headings="Total HT;SIRET;Mandat;Date du mandat;Numéro de lot;Objet;Qté",
    )
    report = take_in(scene, again)
    assert (report.added, report.known) == (1, 1)


def siret_end(siren: str) -> str:
    from stdnum.luhn import calc_check_digit

    return f"0001{calc_check_digit(siren + '0001')}"


def test_the_same_line_in_csv_and_in_a_workbook_is_one_line(scene):
    take_in(scene, csv(f"1;{scene.commune.siren};1042;01/07/2026;10,50;Plein;2,5"))
    book = openpyxl.Workbook()
    book.active.append(HEADINGS.split(";"))
    book.active.append([1, int(scene.commune.siren), 1042, date(2026, 7, 1), 10.5, "Plein", 2.5])
    buffer = io.BytesIO()
    book.save(buffer)
    report = take_in(scene, buffer.getvalue(), name="mandats.xlsx")
    assert (report.added, report.known) == (0, 1)


def test_every_bad_line_is_told_at_once_and_nothing_is_written(scene):
    siren, stranger = scene.commune.siren, make_siren()
    scene.second.notified_on = None
    scene.second.save()
    told = refusals(
        scene,
        f"1;{siren};F-1;01/07/2026;10,00;;",
        f"1;{stranger};F-2;01/07/2026;10,00;;",
        f"9;{siren};F-3;01/07/2026;10,00;;",
        f"3;{siren};F-4;01/07/2026;10,00;;",
        f"2;{siren};F-5;01/07/2026;10,00;;",
        f"1;{siren};F-6;31/05/2026;10,00;;",
        f"1;{siren};F-7;29/11/2026;10,00;;",
        f"1;{siren};F-8;01/07/2026;0,00;;",
        f"1;{siren};F-9;01/07/2026;dix;;",
        f"1;{siren};F-10;01/07/2026;#DIV/0!;;",
        f"1;{siren};F-1;01/07/2026;10,00;;",
        f"1;{siren};F-11;30/02/2026;10,00;;",
        f"1;{siren};;01/07/2026;10,00;;",
        f"1;{siren};F-12;01/07/2026;10,005;;",
        f"1;{siren};F-13;01/07/2026;10,00;;beaucoup",
        f"1;{siren[:-1]};F-14;01/07/2026;10,00;;",
    )
    assert sorted({line for line, _, _ in told}) == list(range(3, 18))
    by_line = {line: (column, message) for line, column, message in told}
    assert by_line[3] == ("SIREN", f"Le SIREN {stranger} n’est celui d’aucun membre de GC-2025-07.")
    assert by_line[4] == ("Lot", "Le lot 9 n’existe pas dans GC-2025-07.")
    assert by_line[5] == ("Lot", "Le lot 3 n’est pas attribué.")
    assert by_line[6][1].startswith("Le marché du lot 2 n’est pas notifié")
    assert by_line[7] == ("Date", "La date du 31/05/2026 précède le début du marché, le 01/06/2026.")
    assert by_line[8] == ("Date", "La date du 29/11/2026 est dans le futur.")
    assert by_line[9][1].startswith("Le montant est nul")
    assert "n’est pas un montant" in by_line[10][1]
    assert "#DIV/0!" in by_line[11][1]
    assert by_line[12][1] == "Cette ligne répète la ligne 2, à l’identique."


def test_after_the_end_with_the_extensions_taken(scene):
    """Ends on 31/05/2028: what was ordered before is still invoiced until 30/11/2028. Extended once, on 31/05/2029."""
    later = date(2028, 12, 15)
    last = f"1;{scene.commune.siren};F-1;30/11/2028;10,00;;"
    late = f"1;{scene.commune.siren};F-2;01/12/2028;10,00;;"
    told = "suit de plus de 6 mois la fin du marché, le 31/05/2028"
    assert told in refusals(scene, late, today=later)[0][2]
    assert take_in(scene, csv(last), today=later).added == 1
    scene.award.extensions_taken = 1
    scene.award.save()
    assert take_in(scene, csv(late), today=later).added == 1


def test_a_member_that_left_since_the_launch_is_invoiced_until_the_end_of_its_contracts(scene):
    scene.membership.withdrawn_on = date(2026, 7, 31)
    scene.membership.save()
    assert take_in(scene, csv(f"1;{scene.commune.siren};F-2;01/08/2026;10,00;;")).added == 1


def test_who_left_before_the_launch_or_joined_after_it_is_invoiced_nothing(scene):
    siren, launched_on = scene.commune.siren, scene.membership.grouping.launched_on
    scene.membership.withdrawn_on = launched_on
    scene.membership.save()
    (told,) = refusals(scene, f"1;{siren};F-1;01/08/2026;10,00;;")
    assert f"a quitté le groupement le {launched_on:%d/%m/%Y}, avant le lancement" in told[2]
    scene.membership.joined_on, scene.membership.withdrawn_on = launched_on + timedelta(days=1), None
    scene.membership.save()
    (told,) = refusals(scene, f"1;{siren};F-1;01/08/2026;10,00;;")
    assert "n’était pas membre au lancement de la consultation" in told[2]


def test_amounts_with_tax_are_refused_by_their_column(scene):
    told = refusals(
        scene, f"1;{scene.commune.siren};F-1;01/07/2026;12,00", headings="Lot;SIREN;Facture;Date;Montant TTC"
    )
    assert "montants TTC" in told[0][2]
    assert told[1][2].startswith("Cette colonne manque")


def test_lines_of_the_template_left_empty_are_no_lines(scene):
    siren = scene.commune.siren
    report = take_in(scene, csv(f"1;{siren};;;;;", f"1;{siren};F-1;01/07/2026;10,00;;", f"2;{siren};;;;;"))
    assert report.added == 1


def test_a_file_of_20_000_lines_37_of_them_bad(scene):
    """All 37 are told at once, and nothing is written."""
    bodies = [scene.commune.siren, scene.neighbour.siren, scene.metropole.siren]
    bad = {place * 540: place for place in range(37)}
    kinds = ("#DIV/0!", "0,00", "douze", "1,234,5")
    lines = [
        f"1;{bodies[n % 3]};F-{n};{1 + n % 28:02}/07/2026;{kinds[bad[n] % 4] if n in bad else '10,00'};Plein;1"
        for n in range(20_000)
    ]
    told = refusals(scene, *lines)
    assert [line for line, _, _ in told] == [place * 540 + 2 for place in range(37)]


@pytest.mark.parametrize("count", [1, 2000])
def test_lines_are_looked_up_and_written_in_batches(scene, count, django_assert_max_num_queries):
    """The share of ``make bench-consumption`` that is held at every run: 2 000 lines are four look-ups and some twenty
    writes (SQLite takes a hundred rows at once) beside the queries of one line, never a query a line."""
    lines = csv(*(f"1;{scene.commune.siren};F-{n};01/07/2026;10,00;Plein;1" for n in range(count)))
    with django_assert_max_num_queries(12 if count == 1 else 40):
        assert take_in(scene, lines).added == count


def test_who_may_import(scene):
    content = csv(f"1;{scene.commune.siren};F-1;01/07/2026;10,00;;")
    for role in (Role.READER, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            take_in(scene, content, actor=make_affiliation(scene.metropole, role))
    for role in (Role.MEMBER_AGENT, Role.BUYER, Role.FINANCE):
        with pytest.raises(NotAllowed):
            take_in(scene, content, actor=make_affiliation(scene.commune, role))
    for role in (Role.FINANCE, Role.JURIST):
        take_in(scene, content, actor=make_affiliation(scene.metropole, role))


def test_the_journal_tells_the_coordinator_and_not_the_members(scene):
    take_in(scene, csv(f"1;{scene.neighbour.siren};F-1;01/07/2026;123,45;;"))
    entry = JournalEntry.objects.get(verb="consumption.import")
    assert "123,45" in entry.sentence
    assert JournalEntry.objects.of_thread(scene.grouping.thread, scene.agent).filter(pk=entry.pk).count() == 0
    assert JournalEntry.objects.of_thread(scene.grouping.thread, scene.buyer).filter(pk=entry.pk).count() == 1


def test_an_import_is_undone_whole(scene):
    lines = csv(*(f"1;{scene.commune.siren};F-{n};01/07/2026;10,00;;" for n in range(3)))
    kept = scene.consume(scene.membership, "5.00")
    taken = take_in(scene, lines).taken
    with pytest.raises(BusinessError, match="motif"):
        consumption_import_undo(taken=taken, actor=scene.buyer, reason=" ")
    assert consumption_import_undo(taken=taken, actor=scene.buyer, reason="Mauvais exercice") == 3
    assert list(ConsumptionLine.objects.all()) == [kept]
    entry = JournalEntry.objects.get(verb="consumption.undo")
    assert (entry.reason, entry.before["lines"], entry.before["total_excl_tax"]) == ("Mauvais exercice", 3, "30.00")
    with pytest.raises(BusinessError, match="déjà annulé"):
        consumption_import_undo(taken=taken, actor=scene.buyer, reason="Deux fois")
    assert take_in(scene, lines).added == 3


def test_the_screen_imports_tells_and_undoes(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("consumption", args=[scene.grouping.pk])
    lines = csv(f"1;{scene.commune.siren};F-1;01/07/2026;10,00;;", f"1;{scene.commune.siren};F-2;01/07/2026;0;;")
    refused = client.post(url, {"file": SimpleUploadedFile("mandats.csv", lines)})
    assert refused.status_code == 422
    assert "Ligne 3" in refused.content.decode()
    assert "Rien n’a été importé" in refused.content.decode()
    good = csv(f"1;{scene.commune.siren};F-1;01/07/2026;10,00;;")
    page = client.post(url, {"file": SimpleUploadedFile("mandats.csv", good)}, follow=True)
    assert "1 ligne ajoutée" in page.content.decode()
    taken = ConsumptionImport.objects.get()
    undo = reverse("consumption_undo", args=[scene.grouping.pk, taken.pk])
    assert client.get(undo).status_code == 200
    assert client.post(undo, {"reason": ""}).status_code == 422
    page = client.post(undo, {"reason": "Essai"}, follow=True)
    assert "1 ligne retirée" in page.content.decode()
    assert client.post(undo, {"reason": "Essai"}).status_code == 404  # the second click


def test_a_file_whose_columns_are_shifted_does_not_give_an_endless_page(client, scene):
    """Every line wrong, a thousand are shown, and how many there are is said."""
    client.force_login(scene.buyer.user)
    lines = csv(*(f"F-{n};1;{scene.commune.siren};10,00;01/07/2026;;" for n in range(1200)))
    page = client.post(
        reverse("consumption", args=[scene.grouping.pk]), {"file": SimpleUploadedFile("decale.csv", lines)}
    )
    text = page.content.decode()
    assert page.status_code == 422
    assert len(page.context["errors"]) > 1000
    assert text.count("colonne «\u00a0") == 1000
    assert "seuls les mille premiers" in text


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_template_names_the_lots_and_members(client, scene, suffix):
    client.force_login(scene.buyer.user)
    url = reverse("consumption_template", args=[scene.grouping.pk])
    content = client.get(url, {"export": suffix}).content
    with pytest.raises(ImportRefused):  # nothing filled in yet
        take_in(scene, content, name=f"modele.{suffix}")
    if suffix == "csv":
        lines = content.decode("utf-8-sig").splitlines()
        filled = "\n".join([lines[0], lines[1].replace(";;;;;", ";F-1;01/07/2026;10,00;;"), *lines[2:]])
        assert take_in(scene, filled.encode()).added == 1


def test_the_command(scene, tmp_path, capsys):
    path = tmp_path / "mandats.csv"
    path.write_bytes(csv(f"1;{scene.commune.siren};F-1;01/07/2026;10,00;;"))
    call_command("import_consumption", "GC-2025-07", str(path), "--json")
    assert json.loads(capsys.readouterr().out) == {
        "added": 1,
        "known": 0,
        "total_excl_tax": "10.00",
        "errors": [],
    }
    call_command("import_consumption", "GC-2025-07", str(path))
    assert "1 déjà connue" in capsys.readouterr().out
    path.write_bytes(csv(f"7;{scene.commune.siren};F-1;01/07/2026;10,00;;"))
    with pytest.raises(CommandError):
        call_command("import_consumption", "GC-2025-07", str(path), "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["errors"] == [{"line": 2, "column": "Lot", "message": "Le lot 7 n’existe pas dans GC-2025-07."}]
    with pytest.raises(CommandError, match="Aucun groupement"):
        call_command("import_consumption", "GC-0000-00", str(path))
    assert money_sum(ConsumptionLine.objects.all(), "amount_excl_tax") == Decimal("10.00")
