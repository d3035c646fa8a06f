"""The workbook of needs as it comes back: the checks of the form, every error at once, all or nothing."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from groupings.actions.needs import needs_submit
from groupings.actions.needs_import import needs_import
from groupings.exchange.needs_workbook import write_workbook
from groupings.models import Grouping, NeedLine, NeedsSubmission
from groupings.needs_prefill import workbook_rows
from groupings.rules.needs import NeedEntry
from members.roles import Role
from procurement.core.errors import NotAllowed
from procurement.core.imports import ImportRefused
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 12, 9, tzinfo=UTC)
HEAD = "SIREN;Lot;Montant annuel (€ HT);Quantité par an;Unité;Fin du contrat actuel;Pas de besoin"


class Survey:
    """A grouping of 48 months, two lots, two communes; its buyer; files written by hand."""

    def __init__(self):
        self.metropole = make_metropole()
        self.buyer = make_affiliation(self.metropole)
        self.grouping = make_grouping(self.metropole, reference="GC-2027-01")
        self.lots = [make_lot(self.grouping, 1, title="Papier"), make_lot(self.grouping, 2, title="Encre")]
        self.first, self.second = (
            make_membership(self.grouping, make_organisation(parent=self.metropole, name=f"Commune {rank}"))
            for rank in (1, 2)
        )
        self.sirens = self.first.organisation.siren, self.second.organisation.siren

    def answer(self, membership, one: NeedEntry, two: NeedEntry):
        needs_submit(membership=membership, entries={1: one, 2: two}, actor=self.buyer, now=NOW)

    def workbook(self) -> bytes:
        rows = workbook_rows(self.grouping, [self.first, self.second], self.buyer)
        return write_workbook(rows, reference="GC-2027-01", title="Essai", months=48)

    def take(self, content: bytes | str, *, actor=None, name="besoins.xlsx"):
        if isinstance(content, str):
            content, name = content.encode(), "besoins.csv"
        return needs_import(
            grouping=self.grouping, file=io.BytesIO(content), filename=name, actor=actor or self.buyer, now=NOW
        )

    def refused(self, content: bytes | str, **options) -> list[tuple[int | None, str, str]]:
        """The errors, once it is sure that nothing was written."""
        before = NeedsSubmission.objects.count(), NeedLine.objects.count(), JournalEntry.objects.count()
        with pytest.raises(ImportRefused) as refusal:
            self.take(content, **options)
        assert before == (NeedsSubmission.objects.count(), NeedLine.objects.count(), JournalEntry.objects.count())
        return [(error.line, error.column, error.message) for error in refusal.value.errors]


@pytest.fixture
def survey():
    return Survey()


FULL = NeedEntry(
    yearly_amount=Decimal("1234.56"),
    quantity=Decimal("12.5"),
    unit="rame",
    unit_price=Decimal("0.123456"),
    supplier="Papeterie du Sud",
    contract_ends_on=date(2027, 3, 31),
)
NO_NEED = NeedEntry(has_no_need=True)


def edit(content: bytes, change) -> bytes:
    """The workbook opened, changed and saved as a user's spreadsheet would."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    change(book["Besoins"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# There and back


def test_the_file_untouched_changes_nothing(survey):
    survey.answer(survey.first, FULL, NO_NEED)
    make_need(survey.second, survey.lots[0], "4000.00")
    for content in (survey.workbook(), edit(survey.workbook(), lambda sheet: None)):
        report = survey.take(content)
        assert (report.members, report.lines, report.unchanged, report.empty) == (0, 0, 3, 1)
    assert NeedsSubmission.objects.count() == 1


def test_a_line_changed_is_an_answer_of_its_member_alone(survey):
    survey.answer(survey.first, FULL, NO_NEED)
    survey.answer(survey.second, FULL, FULL)

    def change(sheet):
        sheet["G2"] = "1 234,57 €"
        sheet["M2"] = "31/12/2026"

    report = survey.take(edit(survey.workbook(), change))
    assert (report.members, report.lines, report.unchanged) == (1, 1, 3)
    line = survey.first.needs.get()
    assert line.yearly_amount_excl_tax.amount == Decimal("1234.57")
    assert line.estimated_amount_excl_tax.amount == Decimal("4938.28")
    assert (line.current_contract_ends_on, line.current_supplier) == (date(2026, 12, 31), "Papeterie du Sud")
    assert survey.first.needs_submissions.count() == 2
    assert survey.second.needs_submissions.count() == 1
    assert survey.first.needs_submissions.first().lines["2"]["has_no_need"] is True
    entry = JournalEntry.objects.get(verb="needs.import")
    assert "besoins.xlsx" in entry.sentence


def test_a_first_answer_by_csv(survey):
    siren, other = survey.sirens
    survey.take(f"{HEAD}\n{siren};1;1 234,56 €;150;rame;31/12/2026;\n{siren};2;;;;;oui\n\n{other};1;;;;;\n")
    line = survey.first.needs.get()
    assert (line.lot, line.estimated_amount_excl_tax.amount) == (survey.lots[0], Decimal("4938.24"))
    assert not survey.second.needs_submissions.exists()  # an empty line says nothing


def test_the_lots_left_out_keep_what_was_answered_and_one_never_answered_is_missing(survey):
    siren, other = survey.sirens
    survey.answer(survey.first, FULL, FULL)
    survey.take(f"{HEAD}\n{siren};1;100;;;;\n")
    amounts = {need.lot.number: need.yearly_amount_excl_tax.amount for need in survey.first.needs.all()}
    assert amounts == {1: Decimal("100.00"), 2: Decimal("1234.56")}
    assert survey.refused(f"{HEAD}\n{other};1;100;;;;\n") == [
        (2, "Lot", "Commune 2\u00a0: répondez aussi pour le lot 2.")
    ]
    assert survey.refused(f"{HEAD}\n{other};1;100;;;;\n{other};2;;;;;\n") == [
        (3, "Lot", "Commune 2\u00a0: répondez aussi pour le lot 2.")
    ]


def test_a_column_left_out_keeps_what_was_known(survey):
    survey.answer(survey.first, FULL, NO_NEED)
    survey.take(f"{HEAD}\n{survey.sirens[0]};1;100;12,5;rame;31/03/2027;\n")
    line = survey.first.needs.get()
    assert (line.current_supplier, line.current_unit_price) == ("Papeterie du Sud", Decimal("0.123456"))


def test_the_former_figures_count_once_confirmed_or_changed(survey):
    former = make_grouping(survey.metropole)
    before = make_membership(former, survey.first.organisation)
    for number in (1, 2):
        make_need(before, make_lot(former, number), "4000.00")  # 1 000.00 € a year
    survey.grouping.renews = former
    survey.grouping.save()
    content = survey.workbook()
    report = survey.take(content)
    assert (report.members, report.empty) == (0, 4)  # old figures are no answer

    def change(sheet):
        sheet["O2"] = "confirmé"
        sheet["G3"] = 2000

    report = survey.take(edit(content, change))
    assert (report.members, report.lines) == (1, 2)
    amounts = {need.lot.number: need.yearly_amount_excl_tax.amount for need in survey.first.needs.all()}
    assert amounts == {1: Decimal("1000.00"), 2: Decimal("2000.00")}


def test_an_answer_given_since_the_workbook_was_made_is_not_undone(survey):
    """Downloaded at nine, the member answers at ten, the file comes back at eleven with its former figures."""
    survey.answer(survey.first, FULL, NO_NEED)
    survey.answer(survey.second, FULL, FULL)
    content = survey.workbook()
    survey.answer(survey.first, NeedEntry(yearly_amount=Decimal("2000.00")), NO_NEED)
    report = survey.take(edit(content, lambda sheet: sheet.__setitem__("G4", 77)))  # a line of the second member
    assert (report.members, report.lines) == (1, 1)
    assert survey.first.needs.get().yearly_amount_excl_tax.amount == Decimal("2000.00")
    (error,) = survey.refused(edit(content, lambda sheet: sheet.__setitem__("G2", 88)))
    assert error == (
        2,
        "Réponse n°",
        "Commune 1 a répondu depuis, le 12/11/2026 (réponse n° 2)\u00a0: téléchargez de nouveau le classeur.",
    )


# What is refused


def test_every_error_of_every_line_is_told_at_once(survey):
    siren, other = survey.sirens
    outsider = make_organisation(parent=survey.metropole)
    gone = make_membership(survey.grouping, make_organisation(parent=survey.metropole, name="Commune partie"))
    gone.withdrawn_on = gone.joined_on
    gone.save()
    lines = [
        HEAD,
        f"{siren};1;-5;0;;;",  # 2
        f"{siren};2;#DIV/0!;;;32/12/2026;",  # 3
        f"{siren};1;10;;;;",  # 4
        f"{other};3;10;;;;",  # 5
        f"{outsider.siren};1;10;;;;",  # 6
        f"{gone.organisation.siren};1;10;;;;",  # 7
        "213401723;1;10;;;;",  # 8
        f"{other};1;10;3;;;oui",  # 9
        f"{other};2;;5;;;",  # 10
    ]
    errors = survey.refused("\n".join(lines))
    told = {(line, column) for line, column, _ in errors}
    assert told == {
        (2, "Montant annuel (€ HT)"),
        (3, "Montant annuel (€ HT)"),
        (3, "Fin du contrat actuel"),
        (4, "Lot"),
        (5, "Lot"),
        (6, "SIREN"),
        (7, "SIREN"),
        (8, "SIREN"),
        (9, "Pas de besoin"),
        (10, "Unité"),
    }
    sentences = {(line, column): message for line, column, message in errors}
    assert "#DIV/0!" in sentences[3, "Montant annuel (€ HT)"]
    assert sentences[4, "Lot"] == "Ce membre et ce lot sont déjà à la ligne 2."
    assert sentences[5, "Lot"] == "Ce groupement n’a pas de lot 3."
    assert "n’est celui d’aucun membre" in sentences[6, "SIREN"]
    assert "ne participe plus" in sentences[7, "SIREN"]
    assert "sa clé ne correspond pas" in sentences[8, "SIREN"]


@pytest.mark.parametrize(
    ("change", "column", "sentence"),
    [
        (lambda sheet: sheet.delete_cols(7), "Montant annuel (€ HT)", "Cette colonne manque"),
        (lambda sheet: sheet.__setitem__("G1", "Budget"), "Budget", "n’est pas prévue"),
        (lambda sheet: sheet.__setitem__("G2", "#DIV/0!"), "Montant annuel (€ HT)", "#DIV/0!"),
        (lambda sheet: sheet.__setitem__("G2", 0), "Montant annuel (€ HT)", "Zéro n’est pas un besoin"),
        (lambda sheet: sheet.__setitem__("G2", 1.005), "Montant annuel (€ HT)", "deux décimales"),
        (lambda sheet: sheet.__setitem__("I2", -1), "Quantité par an", "négatif"),
        (lambda sheet: sheet.__setitem__("I2", "douze"), "Quantité par an", "n’est pas une quantité"),
        (lambda sheet: sheet.__setitem__("J2", None), "Unité", "Indiquez l’unité"),
        (lambda sheet: sheet.__setitem__("H2", 12), "Montant sur toute la durée (€ HT)", "gardez l’un des deux"),
        (lambda sheet: sheet.__setitem__("N2", "peut-être"), "Pas de besoin", "n’est pas prévu"),
        (lambda sheet: sheet.__setitem__("M2", "31/02/2027"), "Fin du contrat actuel", "n’existe pas"),
        (lambda sheet: sheet.__setitem__("C3", 1), "Lot", "déjà à la ligne 2"),
        (lambda sheet: sheet.__setitem__("R2", "remarque"), "", "sans titre"),
    ],
)
def test_what_a_user_may_do_to_the_workbook(survey, change, column, sentence):
    survey.answer(survey.first, FULL, NO_NEED)
    errors = survey.refused(edit(survey.workbook(), change))
    assert any(said == column and sentence in message for _, said, message in errors), errors


def test_the_workbook_of_another_grouping_or_of_lots_renumbered_is_refused(survey):
    """The same members, the same numbers of lots, and figures that are not of these lots."""
    content = edit(survey.workbook(), lambda sheet: sheet.__setitem__("G2", 5))
    survey.lots[0].title, survey.lots[1].title = "Encre", "Papier"
    for lot in survey.lots:
        lot.save()
    errors = survey.refused(content)
    assert [(line, column) for line, column, _ in errors] == [(line, "Intitulé du lot") for line in (2, 3, 4, 5)]
    assert errors[0][2] == (
        "Le lot 1 est «\u00a0Encre\u00a0», et non «\u00a0Papier\u00a0»\u00a0: téléchargez de nouveau le classeur."
    )
    Grouping.objects.filter(pk=survey.grouping.pk).update(reference="GC-2027-02")
    survey.grouping.refresh_from_db()
    errors = survey.refused(content)
    assert {(column, message) for _, column, message in errors} == {
        ("Groupement", "Ce classeur est celui de GC-2027-01, et non de GC-2027-02.")
    }


def test_hidden_sheets_are_not_read_and_merged_cells_lose_what_they_covered(survey):
    survey.answer(survey.first, FULL, NO_NEED)
    survey.answer(survey.second, FULL, NO_NEED)

    def hide(sheet):
        hidden = sheet.parent.create_sheet("Ancien", 0)
        hidden.sheet_state = "hidden"
        hidden["A1"], hidden["A2"] = "SIREN", "12"
        sheet["G2"] = 77

    assert survey.take(edit(survey.workbook(), hide)).lines == 1
    errors = survey.refused(edit(survey.workbook(), lambda sheet: sheet.merge_cells("A2:A3")))
    assert (3, "SIREN") in {(line, column) for line, column, _ in errors}


def test_rows_pasted_twice_are_told_where_they_stand_first(survey):
    survey.answer(survey.first, FULL, NO_NEED)

    def paste(sheet):
        for row in ([cell.value for cell in line] for line in list(sheet.iter_rows(min_row=2))):
            sheet.append(row)

    errors = survey.refused(edit(survey.workbook(), paste))
    assert [(line, message) for line, _, message in errors] == [
        (line, f"Ce membre et ce lot sont déjà à la ligne {line - 4}.") for line in (6, 7, 8, 9)
    ]


def test_a_row_added_empty_or_half_empty(survey):
    survey.answer(survey.first, FULL, NO_NEED)
    content = edit(survey.workbook(), lambda sheet: sheet.insert_rows(3))
    assert survey.take(content).members == 0
    errors = survey.refused(edit(survey.workbook(), lambda sheet: sheet.__setitem__("G9", 5)))
    assert {(line, column) for line, column, _ in errors} == {(9, "SIREN"), (9, "Lot")}


def test_a_closed_or_launched_survey_is_told_once_per_member(survey):
    siren, other = survey.sirens
    survey.grouping.status, survey.grouping.launched_on = "consultation", date(2026, 11, 2)
    survey.grouping.save()
    errors = survey.refused(f"{HEAD}\n{siren};1;1;;;;\n{siren};2;1;;;;\n{other};1;1;;;;\n{other};2;1;;;;\n")
    assert [(line, message) for line, _, message in errors] == [
        (2, "Les besoins ne changent plus\u00a0: la consultation est lancée."),
        (4, "Les besoins ne changent plus\u00a0: la consultation est lancée."),
    ]


# Who may


def test_an_agent_imports_its_own_lines_alone(survey):
    siren, other = survey.sirens
    agent = make_affiliation(survey.first.organisation, Role.MEMBER_AGENT)
    stranger = make_organisation(parent=survey.metropole)
    errors = survey.refused(f"{HEAD}\n{other};1;1;;;;\n{stranger.siren};1;1;;;;\n", actor=agent)
    assert {message for *_, message in errors} == {"Vous n’importez que les besoins de votre organisme."}
    assert survey.take(f"{HEAD}\n{siren};1;1;;;;\n{siren};2;1;;;;\n", actor=agent).members == 1
    outside = make_affiliation(stranger, Role.MEMBER_AGENT)
    for actor in (outside, make_affiliation(survey.metropole, Role.READER)):
        with pytest.raises(NotAllowed):
            survey.take(f"{HEAD}\n{siren};1;1;;;;\n", actor=actor)


def test_the_screen_tells_the_errors_then_the_success(client, survey):
    siren, _ = survey.sirens
    client.force_login(survey.buyer.user)
    address = reverse("needs_import", args=[survey.grouping.pk])

    def send(text: str):
        return client.post(address, {"file": SimpleUploadedFile("besoins.csv", text.encode())})

    response = send(f"{HEAD}\n{siren};9;1;;;;\n")
    assert response.status_code == 422
    assert "Ce groupement n’a pas de lot 9." in response.content.decode()
    assert "Ligne 2, colonne «\u00a0Lot\u00a0»" in response.content.decode()
    response = send(f"{HEAD}\n{siren};1;1;;;;\n{siren};2;;;;;oui\n")
    assert response.url == reverse("needs_table", args=[survey.grouping.pk])
    assert "1 membre a transmis ses besoins" in client.get(response.url).content.decode()
    assert client.post(address).status_code == 422


# The command


def run(*arguments) -> dict:
    out = io.StringIO()
    try:
        call_command("import_needs", *arguments, "--json", stdout=out)
    except CommandError as error:
        assert error.returncode == 1
    return json.loads(out.getvalue())


def test_the_command_reports_in_json(survey, tmp_path):
    siren, _ = survey.sirens
    file = tmp_path / "besoins.csv"
    file.write_text(f"{HEAD}\n{siren};1;1;;;;\n{siren};2;;;;;oui\n")
    assert run("GC-2027-01", str(file)) == {"members": 1, "lines": 2, "unchanged": 0, "empty": 0, "errors": []}
    assert run("GC-2027-01", str(file)) == {"members": 0, "lines": 0, "unchanged": 2, "empty": 0, "errors": []}
    file.write_text(f"{HEAD}\n{siren};1;x;;;;\n{siren};8;1;;;;\n")
    told = run("GC-2027-01", str(file))
    assert told["members"] == 0
    assert [(error["line"], error["column"]) for error in told["errors"]] == [(2, "Montant annuel (€ HT)"), (3, "Lot")]


def test_the_command_asks_which_coordinator(survey, tmp_path):
    siren, _ = survey.sirens
    file = tmp_path / "besoins.csv"
    file.write_text(f"{HEAD}\n{siren};1;1;;;;\n{siren};2;;;;;oui\n")
    other = make_grouping(make_metropole(), reference="GC-2027-01")
    assert "--coordinator SIREN" in run("GC-2027-01", str(file))["errors"][0]["message"]
    assert run("GC-2027-01", str(file), "--coordinator", survey.metropole.siren)["members"] == 1
    assert other.memberships.count() == 0
    assert "Aucun groupement" in run("GC-9", str(file))["errors"][0]["message"]
    (error,) = run("GC-2027-01", str(tmp_path / "rien.csv"), "--coordinator", survey.metropole.siren)["errors"]
    assert error["line"] is None
    assert "ne peut pas être lu" in error["message"]
