"""The figures of a report: the worked numbers, any cut adding up, the lock, what came after, and who may read."""

import io
import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.roles import Role
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
from savings.ledger import AMOUNTS
from savings.models import LedgerEntry, PriceLine, YearLock
from savings.reports import method
from savings.reports.asked import CUTS, read_by, read_stage, read_year
from savings.reports.json import write_json
from savings.reports.lines import _PATHS, Line
from tests.support.factories import make_affiliation, make_metropole, make_organisation
from tests.support.savings import make_line

pytestmark = pytest.mark.django_db


def test_the_worked_numbers_in_both_readings(year):
    report = year.report()
    paper, gas = report.groups
    assert paper.labels == ("GC-1 – Papier",)
    assert (paper.totals.baseline_budget, paper.totals.budget_gain) == (Decimal("6770.00"), Decimal("1730.00"))
    assert paper.totals.budget_rate == Decimal("25.55")  # never 18.49, the mean of the three rates
    assert (gas.totals.budget_gain, gas.totals.budget_rate) == (Decimal("10000.00"), Decimal("5.00"))
    assert (gas.totals.purchase_gain, gas.totals.purchase_rate) == (Decimal("26000.00"), Decimal("12.04"))
    # 1 730 + 10 000 on 6 770 + 200 000; 11 730 × 100 / 206 770 = 5.673
    assert (report.totals.budget_gain, report.totals.budget_rate) == (Decimal("11730.00"), Decimal("5.67"))
    assert report.proven.budget_gain == Decimal("1730.00")  # the gas is C
    assert (report.coverage.measured, report.coverage.total) == (2, 4)
    assert [(lot.reference, lot.number) for lot in report.coverage.unmeasured] == [("GC-1", 2), ("GC-2", 2)]


def test_losses_are_kept_and_listed(year):
    report = year.report()
    (loss,) = report.losses
    assert (loss.member_name, loss.budget_gain, loss.purchase_gain) == (
        "Clapiers",
        Decimal("-10.00"),
        Decimal("-10.00"),
    )
    assert (report.loss_count, report.loss_total) == (1, Decimal("-10.00"))


@pytest.mark.parametrize("by", [cut for count in (1, 2, 4) for cut in permutations(CUTS, count)])
def test_any_cut_adds_up_to_the_total(year, by):
    report = year.report(by=by)
    for name in AMOUNTS:
        assert sum(getattr(group.totals, name) for group in report.groups) == getattr(report.totals, name), name
    assert sum(group.totals.lines for group in report.groups) == 4
    keys = [group.key for group in report.groups]
    assert len(set(keys)) == len(keys)
    assert {report.key_of(line) for line in report.lines()} == set(keys)
    assert all(tuple(group.values) == by for group in report.groups)  # the order asked is kept


def test_lines_come_in_the_order_of_the_groups(year):
    report = year.report(by=("member", "grouping"))
    seen = list(dict.fromkeys(report.key_of(line) for line in report.lines()))
    assert seen == [group.key for group in report.groups]


def test_a_line_names_its_fields_in_the_order_they_are_read():
    assert tuple(_PATHS) == Line._fields


def test_twelve_months_and_the_whole_term_are_told_apart_from_the_year(year):
    """From March: ten months of 2026 out of 24. 1 200.00 for twelve months, 2 400.00 in all, 1 000.00 in the year."""
    line = PriceLine.objects.get(baseline__membership__organisation=year.bodies[0], baseline__lot__grouping=year.paper)
    other = line.baseline
    other.pk, other.designation, other._state.adding = None, "Enveloppes", True
    other.save()
    make_line(other, "3.60", starts_on=date(2026, 3, 1), months=24)
    (found,) = [line for line in year.report().lines() if line.designation == "Enveloppes"]
    assert (found.months, found.budget_gain) == (10, Decimal("1000.00"))
    assert (found.yearly_budget_gain, found.full_budget_gain) == (Decimal("1200.00"), Decimal("2400.00"))


def test_a_correction_shows_both_rows_and_counts_once(year):
    wrong = PriceLine.objects.get(baseline__membership__organisation=year.bodies[1])
    make_line(wrong.baseline, "3.90", corrects=wrong)  # 300 × (5.40 − 3.90) = 450.00 instead of 540.00
    report = year.report()
    rows = [line for line in report.lines() if line.member_name == "Baillargues"]
    assert [(row.kind, row.budget_gain) for row in rows] == [
        ("posted", Decimal("540.00")),
        ("reversed", Decimal("-540.00")),
        ("posted", Decimal("450.00")),
    ]
    assert rows[1].yearly_budget_gain is None and rows[2].corrects == wrong.pk
    assert report.groups[0].totals.budget_gain == Decimal("1640.00")
    assert report.loss_count == 1  # the reversal of a gain is no loss


def test_what_is_posted_afterwards_changes_nothing_in_a_report_already_asked(year):
    report = year.report()
    line = PriceLine.objects.get(baseline__membership__organisation=year.bodies[1])
    make_line(line.baseline, "3.90", corrects=line)
    assert sum(line.budget_gain for line in report.lines()) == report.totals.budget_gain == Decimal("11730.00")


def test_stages_are_never_mixed(year):
    line = PriceLine.objects.get(baseline__membership__organisation=year.bodies[1])
    make_line(line.baseline, "3.00", stage="ESTIMATED")  # 300 × 2.40
    report = year.report(stage="ESTIMATED")
    assert [line.stage_label for line in report.lines()] == ["Potentiel"]
    assert report.totals.budget_gain == Decimal("720.00")
    assert year.report().totals.budget_gain == Decimal("11730.00")


def lock(year, entry_count: int) -> YearLock:
    return YearLock.objects.create(
        territory=year.metropole,
        year=2026,
        sha256="ab" * 32,
        entry_count=entry_count,
        totals={},
        locked_at=timezone.now(),
        locked_label="Jean Martin",
    )


def test_a_report_says_which_lock_it_came_from(year):
    assert year.report().provenance == "Exercice 2026 ouvert, chiffres au 28/11/2026"
    assert not year.report().is_locked
    lock(year, LedgerEntry.objects.count())
    report = year.report()
    assert report.is_locked and report.lock.sha256 == "ab" * 32
    assert "verrouillé" in report.provenance and "ab" * 32 in report.provenance and "Jean Martin" in report.provenance


def test_a_locked_year_that_changed_gives_no_report(year):
    lock(year, LedgerEntry.objects.count() - 1)
    with pytest.raises(BusinessError, match="n’est plus celui de son verrou"):
        year.report()


@pytest.mark.parametrize("asked", [{"year": 2031}, {"stage": "REALISED"}])
def test_nothing_is_said_in_a_sentence(year, asked):
    with pytest.raises(BusinessError, match=r"Aucun gain validé en 20\d\d au stade"):
        year.report(**asked)


@pytest.mark.parametrize(
    ("typed", "stage"),
    [
        ("awarded", "AWARDED"),
        ("Notifié", "AWARDED"),
        ("realise", "REALISED"),
        ("RÉALISÉ", "REALISED"),
        ("estimated", "ESTIMATED"),
        ("potentiel", "ESTIMATED"),
    ],
)
def test_stages_are_read_in_both_languages(typed, stage):
    assert read_stage(typed) == stage


@pytest.mark.parametrize(
    ("read", "typed", "sentence"),
    [
        (read_stage, "total", "«\u00a0total\u00a0» n’est pas un stade"),
        (read_by, "grouping,commune", "«\u00a0commune\u00a0» n’est pas un regroupement"),
        (read_by, "lot,lot", "chacun une fois"),
        (read_by, " , ", "un ou plusieurs regroupements"),
        (read_year, 26, "26 n’est pas un exercice"),
    ],
)
def test_wrong_words_are_told(read, typed, sentence):
    with pytest.raises(BusinessError, match=sentence):
        read(typed)


def test_a_member_reads_its_own_lines_alone(year):
    agent = make_affiliation(year.bodies[2], Role.MEMBER_AGENT)
    report = year.report(reader=agent)
    assert [line.member_name for line in report.lines()] == ["Clapiers"]
    assert report.totals.budget_gain == Decimal("-10.00")
    assert report.member == "Clapiers"
    assert (report.coverage.measured, report.coverage.total) == (1, 1)
    out = io.BytesIO()
    write_json(report, out)
    for other in ("Assas", "Baillargues", "GC-2"):
        assert other not in out.getvalue().decode(), "leaked"


def test_nothing_of_another_territory_is_leaked(year):
    elsewhere = make_metropole(name="Ailleurs")
    neighbour = make_affiliation(make_organisation(parent=year.metropole), Role.MEMBER_AGENT)
    for reader in (make_affiliation(elsewhere, Role.FINANCE), neighbour):
        with pytest.raises(BusinessError, match="Aucun gain validé"):
            year.report(reader=reader)


def test_the_journal_tells_who_did_what_with_the_values(year):
    record(
        actor=SystemActor("Jean Martin"),
        territory_id=year.metropole.pk,
        thread=year.paper.thread,
        verb="price_line.validate",
        sentence="Gain validé\u00a0: lot 1, Assas",
        before={"status": "SUBMITTED", "price_obtained": "3.70"},
        after={"status": "VALIDATED", "price_obtained": "3.60", "line": 1},
    )
    record(
        actor=SystemActor("Autre"),
        territory_id=year.metropole.pk,
        thread=year.paper.thread,
        verb="grouping.change",
        sentence="Groupement modifié",
    )
    now = timezone.now()
    assert not list(year.report(made_at=now - timedelta(hours=1)).journal())  # what came after is not in it
    (act,) = year.report(made_at=now + timedelta(minutes=1)).journal()
    assert (act.actor, act.sentence) == ("Jean Martin", "Gain validé\u00a0: lot 1, Assas")
    assert act.old_values == "état\u00a0: SUBMITTED\u202f; prix obtenu (€ HT)\u00a0: 3.70"
    assert act.new_values == "état\u00a0: VALIDATED\u202f; prix obtenu (€ HT)\u00a0: 3.60"


def test_the_json_is_exact_and_says_everything(year):
    report = year.report(by=("grouping", "member"))
    out = io.BytesIO()
    write_json(report, out)
    read = json.loads(out.getvalue(), parse_float=lambda text: pytest.fail(f"nombre à virgule\u00a0: {text}"))
    assert (read["year"], read["stage"], read["by"]) == (2026, "awarded", ["grouping", "member"])
    assert read["lock"] is None and read["made_at"] == "2026-11-28T10:30:00+01:00"
    assert read["totals"]["budget_gain"] == "11730.00" and read["totals"]["budget_rate"] == "5.67"
    assert read["groups"][2]["member"]["name"] == "Clapiers" and read["groups"][2]["budget_gain"] == "-10.00"
    assert read["method"] == {
        "version": method.VERSION,
        "date": "2026-11-28",
        "sections": [{"title": s.title, "paragraphs": list(s.paragraphs)} for s in method.SECTIONS],
    }
    assert [line["budget_gain"] for line in read["lines"]] == ["1200.00", "540.00", "-10.00", "10000.00"]
    assert read["lines"][0]["price_before"] == "4.8" and read["lines"][0]["starts_on"] == "2026-01-01"
    assert len(read["evidence"]) == 3 and read["evidence"][0]["sha256"]
    assert read["coverage"] | {"unmeasured": []} == {
        "lots_measured": 2,
        "lots": 4,
        "rate": "50.00",
        "unmeasured": [],
    }


def test_a_locked_year_s_json_holds_its_lock(year):
    lock(year, LedgerEntry.objects.count())
    out = io.BytesIO()
    write_json(year.report(), out)
    assert json.loads(out.getvalue())["lock"]["sha256"] == "ab" * 32


def test_four_lines_or_five_hundred_take_the_same_queries(year):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            write_json(year.report(by=("grouping", "member", "lot")), io.BytesIO())
        return len(captured)

    few = queries()
    line = PriceLine.objects.get(baseline__membership__organisation=year.bodies[1])
    model = LedgerEntry.objects.get(line=line)
    copies = []
    for origin in range(1500, 1500 + 496):  # one line may have an entry per year it is about
        fields = {f.attname: getattr(model, f.attname) for f in LedgerEntry._meta.concrete_fields if f.name != "id"}
        copies.append(LedgerEntry(**fields | {"origin_year": origin}))
    LedgerEntry.objects.bulk_create(copies)
    assert len(list(year.report().lines())) == 500
    assert queries() == few
