"""The figures of a year: the worked numbers of domain.md §8, one stage at a time, what is not a gain apart."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone
from djmoney.money import Money

from groupings.models import ConsumptionImport, ConsumptionLine
from savings.choices import GainStage
from savings.models import CoordinationCost, OffContractSpend, PriceLine, YearLock
from savings.overview import Selection, year_overview
from tests.support.factories import (
    make_affiliation,
    make_award,
    make_consultation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
)
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db
D = Decimal


class Paper:
    """The paper contract of domain.md §8: four members, 12 months, index 1.03, 3.60 € instead of what each paid."""

    def __init__(self):
        self.metropole = make_metropole()
        self.grouping = make_grouping(
            self.metropole, status="performance", launched_on=date(2025, 6, 2), opened_on=date(2025, 1, 6)
        )
        self.lot = make_lot(self.grouping, title="Papier")
        self.second = make_lot(self.grouping, 2, title="Enveloppes")
        consultation = make_consultation(self.grouping)
        self.members, self.lines = [], []
        for price, quantity in (("4.20", "1000"), ("4.80", "500"), ("5.10", "100"), ("3.55", "5000")):
            membership = make_membership(self.grouping, make_organisation(parent=self.metropole))
            make_need(membership, self.lot, "6000.00")
            self.members.append(membership)
            baseline = make_baseline(membership, self.lot, price, quantity, index_factor="1.03")
            self.lines.append(make_line(baseline, "3.60"))
        told = {"signed_on": date(2025, 12, 1), "notified_on": date(2025, 12, 2), "starts_on": date(2026, 1, 1)}
        self.award = make_award(consultation, self.lot, "23760.00", duration_months=12, **told)
        make_award(consultation, self.second, "500.00", duration_months=12, **told)
        self.finance = make_affiliation(self.metropole, "finance")


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_the_two_readings_of_the_paper_contract(paper):
    year = year_overview(paper.finance, Selection(2026))
    assert (year.totals.budget_gain, year.totals.budget_rate) == (D("1100.00"), D("4.42"))
    assert (year.totals.purchase_gain, year.totals.purchase_rate) == (D("1845.80"), D("7.21"))
    assert year.totals.baseline_budget == D("24860.00")
    assert (year.proven.budget_gain, year.proven_share) == (D("1100.00"), D("100.00"))
    (row,) = year.groupings
    assert (row.totals.budget_gain, row.totals.budget_rate, row.proven_rate) == (D("1100.00"), D("4.42"), D("100.00"))
    # One of the two awarded lots has a line.
    assert (year.coverage.measured, year.coverage.total, year.coverage.rate) == (1, 2, D("50.00"))
    assert [lot.title for lot in year.coverage.unmeasured] == ["Enveloppes"]


def test_stages_never_add_up(paper):
    baseline = paper.lines[0].baseline
    make_line(baseline, "3.00", stage=GainStage.ESTIMATED)
    make_line(baseline, "3.70", stage=GainStage.REALISED, quantity=D(800))
    by_stage = {stage: year_overview(paper.finance, Selection(2026, stage)).totals.budget_gain for stage in GainStage}
    assert by_stage == {
        GainStage.ESTIMATED: D("1200.00"),
        GainStage.AWARDED: D("1100.00"),
        GainStage.REALISED: D("400.00"),
    }
    realised = year_overview(paper.finance, Selection(2026, GainStage.REALISED))
    assert realised.recurrent.yearly is None and realised.recurrent.full is None


def test_twelve_months_the_full_term_and_the_part_of_the_year_are_three_figures(paper):
    membership = paper.members[0]
    long = make_baseline(membership, paper.lot, "10", "120", designation="Toner", grade="C", method="MEAN_OF_OFFERS")
    make_line(long, "9", starts_on=date(2026, 7, 1), months=48)
    once = make_baseline(membership, paper.lot, "700", "1", designation="Coupeuse", is_one_off=True)
    make_line(once, "650", starts_on=date(2026, 3, 1), months=1)
    year = year_overview(paper.finance, Selection(2026, family="48", organisation_id=membership.organisation_id))
    assert year.totals.lines == 0, "the lot of the paper is of the family 30"
    year = year_overview(paper.finance, Selection(2026, organisation_id=membership.organisation_id))
    # Paper 600; toner 120 a year, six months of 2026; the cutter 50, once.
    assert year.recurrent.of_year.budget_gain == D("660.00")
    assert year.recurrent.yearly.budget_gain == D("720.00")
    assert year.recurrent.full.budget_gain == D("1080.00")
    assert year.one_off.of_year.budget_gain == year.one_off.full.budget_gain == D("50.00")
    assert year.one_off.yearly is None
    assert year.totals.budget_gain == D("710.00")
    # Graded A or B: the paper 4 200 and the cutter 700, of 4 200 + 600 + 700.
    assert year.proven.baseline_budget == D("4900.00") and year.proven_share == D("89.09")
    assert year.cost is None and year.net_gain is None


def test_a_correction_stands_for_the_line_it_corrects(paper):
    line = paper.lines[0]
    make_line(line.baseline, "3.80", corrects=line)
    year = year_overview(paper.finance, Selection(2026))
    assert year.totals.budget_gain == D("900.00")  # 400 instead of 600
    assert year.recurrent.yearly.budget_gain == year.recurrent.full.budget_gain == D("900.00")


def test_a_correction_after_the_lock_counts_in_the_next_year(paper):
    lock = YearLock.objects.create(
        territory=paper.metropole,
        year=2026,
        sha256="1a2b" * 16,
        entry_count=4,
        totals={},
        locked_at=timezone.now(),
        locked_label="Finances",
    )
    line = PriceLine.objects.get(pk=paper.lines[0].pk)
    make_line(line.baseline, "3.80", corrects=line)
    year = year_overview(paper.finance, Selection(2026))
    assert year.totals.budget_gain == D("1100.00") and year.lock == lock
    assert year.recurrent.full.budget_gain == D("900.00"), "the full term is that of the lines that stand today"
    after = year_overview(paper.finance, Selection(2027))
    assert after.totals.budget_gain == D("-200.00") and after.totals.budget_rate is None


def test_what_is_not_a_gain_stands_apart(paper):
    membership = paper.members[0]
    CoordinationCost.objects.create(
        grouping=paper.grouping, year=2026, label="Annonce", amount_excl_tax=Money("90.10", "EUR"), entered_label="x"
    )
    assert year_overview(paper.finance, Selection(2026)).on_contract.rate is None, "unknown is not zero"
    OffContractSpend.objects.create(
        lot=paper.lot,
        membership=membership,
        year=2026,
        amount_excl_tax=Money("25", "EUR"),
        source="Mandats",
        entered_label="x",
    )
    make_line(make_baseline(membership, paper.lot, "9", "10", designation="Autre"), "1", status="SUBMITTED")
    year = year_overview(paper.finance, Selection(2026))
    assert year.totals.budget_gain == D("1100.00") and year.pending == 1
    assert (year.cost, year.net_gain) == (D("90.10"), D("1009.90"))
    assert (year.on_contract.consumed, year.on_contract.rate) == (None, None), "nothing imported is not zero either"
    source = ConsumptionImport.objects.create(
        grouping=paper.grouping, filename="mandats.csv", sha256="0" * 64, line_count=1, imported_by="x"
    )
    for day, amount in ((date(2026, 3, 1), "75"), (date(2027, 1, 4), "500")):
        ConsumptionLine.objects.create(
            source=source,
            award=paper.award,
            membership=membership,
            reference="F",
            invoiced_on=day,
            amount_excl_tax=Money(amount, "EUR"),
            fingerprint=amount,
        )
    on_contract = year_overview(paper.finance, Selection(2026)).on_contract
    assert (on_contract.consumed, on_contract.elsewhere) == (D("75.00"), D("25.00"))
    assert on_contract.rate == D("75.00")
    # Estimated 4 × 6 000, awarded 23 760; the second lot has no estimate: it is not compared.
    (gap,) = year.estimate_gaps
    assert (gap.estimated, gap.awarded, gap.gap) == (D("24000.00"), D("23760.00"), D("240.00"))
    assert (gap.compared, gap.lots) == (1, 2)


def test_a_year_with_nothing_divides_by_nothing(paper):
    year = year_overview(paper.finance, Selection(2031))
    assert year.totals.lines == 0 and year.totals.budget_rate is None and year.proven_share is None
    assert year.coverage.rate is None and year.groupings == [] and year.estimate_gaps == []
    assert year.net_gain == D("0.00")


def test_a_member_reads_its_own_figures_and_no_sum_of_others(paper):
    CoordinationCost.objects.create(
        grouping=paper.grouping, year=2026, label="Annonce", amount_excl_tax=Money("90.10", "EUR"), entered_label="x"
    )
    agent = make_affiliation(paper.members[3].organisation, "member_agent")
    year = year_overview(agent, Selection(2026))
    assert year.totals.budget_gain == D("-250.00") and year.totals.lines == 1
    assert year.recurrent.full.budget_gain == D("-250.00")
    assert year.cost is None and year.net_gain is None and year.pending == 0 and year.lock is None
    # Only the lots it has a need in.
    assert (year.coverage.measured, year.coverage.total) == (1, 1)
    neighbour = year_overview(agent, Selection(2026, organisation_id=paper.members[0].organisation_id))
    assert neighbour.totals.lines == 0 and neighbour.coverage.total == 0
