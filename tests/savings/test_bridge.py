"""The bridge between two years: each term where it belongs, and always the whole difference."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from savings.choices import GainStage
from savings.overview import Selection
from savings.passage import told_terms, year_bridge
from savings.rules.bridge import Thread, YearPart, bridge
from tests.savings.test_overview import Paper
from tests.support.savings import make_baseline, make_line

D = Decimal
cents = st.integers(-(10**9), 10**9).map(lambda value: Decimal(value).scaleb(-2))
parts = st.builds(YearPart, cents, cents, st.integers(0, 12), cents, cents)
roots = st.one_of(st.none(), st.integers(1, 3))
threads = st.lists(st.builds(Thread, parts, parts, roots, roots, st.booleans()), max_size=20)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first draws wait for a busy machine
@given(threads, st.sampled_from(["budget", "purchase"]))
def test_the_terms_always_add_up_to_the_cent(found, reading):
    told = bridge(found, reading=reading)
    assert told.prior + sum(told.terms) == told.current
    if reading == "budget":
        assert told.indexed == 0

    def counted(part):
        return getattr(part, reading) + getattr(part, f"late_{reading}")

    assert told.prior == sum((counted(thread.before) for thread in found), D("0.00"))
    assert told.current == sum((counted(thread.after) for thread in found), D("0.00"))


def test_each_change_has_its_term():
    found = [
        Thread(YearPart(), YearPart(D(100), D(120), 6), None, 1),  # new
        Thread(YearPart(D(40), D(40), 12), YearPart(), 2, None),  # ended
        Thread(YearPart(D(60), D(66), 6), YearPart(D(120), D(132), 12), 3, 3),  # a full year now
        # 50 for 6 months, corrected to 90 for 12: at the new figure six months more are 45, the correction took 5.
        Thread(YearPart(D(50), D(50), 6), YearPart(D(90), D(90), 12), 4, 4, True),
        Thread(YearPart(D(10), D(10), 12), YearPart(D(8), D(8), 12), 5, 6),  # measured again
        Thread(YearPart(D(0), D(0), 0, D(7), D(7)), YearPart(D(0), D(0), 0, D(-3), D(-4)), None, None),  # late
    ]
    told = bridge(found)
    assert (told.prior, told.current) == (D(167), D(315))
    assert (told.new, told.ended, told.prorata, told.remeasured) == (D(100), D(-40), D("105.00"), D(-2))
    assert told.corrected == D("-5.00") - D(10)
    indexed = bridge(found, reading="purchase")
    # The index brought 6 before (66 − 60), and 20 + 12 − 1 after.
    assert indexed.indexed == D(25) and indexed.new == told.new


@pytest.mark.django_db
def test_the_paper_contract_begins_runs_and_ends():
    paper = Paper()
    toner = make_baseline(paper.members[0], paper.lot, "10", "120", designation="Toner")
    make_line(toner, "9", starts_on=date(2025, 7, 1), months=48)
    told = year_bridge(paper.finance, Selection(2026))["budget"]
    # 2025: six months of the toner, 60. 2026: 120, and the paper 1 100.
    assert (told.prior, told.new, told.prorata, told.current) == (D("60.00"), D("1100.00"), D("60.00"), D("1220.00"))
    assert told.ended == told.corrected == told.indexed == 0
    purchase = year_bridge(paper.finance, Selection(2026))["purchase"]
    assert (purchase.current, purchase.indexed) == (D("1965.80"), D("745.80"))
    after = year_bridge(paper.finance, Selection(2027))["budget"]
    assert (after.prior, after.ended, after.current) == (D("1220.00"), D("-1100.00"), D("120.00"))
    assert [label for label, _ in told_terms(after, "budget")] == [
        "Nouvelles lignes",
        "Lignes terminées",
        "Corrections",
        "Effet année pleine (nombre de mois)",
    ]


@pytest.mark.django_db
def test_a_correction_is_told_as_one():
    paper = Paper()
    toner = make_baseline(paper.members[0], paper.lot, "10", "120", designation="Toner")
    line = make_line(toner, "9", starts_on=date(2025, 1, 1), months=24)
    make_line(toner, "9.50", starts_on=date(2025, 1, 1), months=24, corrects=line)
    told = year_bridge(paper.finance, Selection(2026))["budget"]
    # Corrected in both years alike (both are open): nothing changed from one to the other but the paper.
    assert (told.prior, told.current, told.new) == (D("60.00"), D("1160.00"), D("1100.00"))
    assert told.corrected == told.prorata == told.ended == 0


@pytest.mark.django_db
def test_a_realised_line_of_the_next_year_is_a_new_measure():
    paper = Paper()
    baseline = paper.lines[0].baseline
    make_line(baseline, "3.60", stage=GainStage.REALISED, year=2026, quantity=D(800))
    make_line(baseline, "3.70", stage=GainStage.REALISED, year=2027, quantity=D(1000))
    told = year_bridge(paper.finance, Selection(2027, GainStage.REALISED))["budget"]
    assert (told.prior, told.remeasured, told.current) == (D("480.00"), D("20.00"), D("500.00"))
    assert told.prior + sum(told.terms) == told.current
