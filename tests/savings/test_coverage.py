"""How much is measured: which lots are the base, and when one counts as measured."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from groupings.models import Award, NeedLine
from savings.choices import GainStage
from savings.coverage import coverage
from tests.savings.test_overview import Paper
from tests.support.factories import make_affiliation, make_award, make_consultation, make_grouping, make_lot
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def paper() -> Paper:
    return Paper()


def counts(reader, year: int = 2026, **asked) -> tuple[int, int]:
    found = coverage(reader, year=year, **asked)
    return found.measured, found.total


def test_the_base_is_what_is_notified_and_runs_in_the_year(paper):
    assert counts(paper.finance) == (1, 2)
    # Twelve months from 1 January 2026: nothing of 2025, nothing of 2027.
    assert counts(paper.finance, 2025) == counts(paper.finance, 2027) == (0, 0)
    Award.objects.filter(lot=paper.second).update(extension_count=1, extension_months=6)
    assert counts(paper.finance, 2027) == (0, 1), "extensions count: the lines run over them too"
    Award.objects.filter(lot=paper.second).update(notified_on=None)
    assert counts(paper.finance) == (1, 1)


@pytest.mark.parametrize("fields", [{"is_declared_only": True}, {"status": "cancelled"}])
def test_what_nobody_buys_here_is_not_a_lot_to_measure(paper, fields):
    grouping = make_grouping(paper.metropole, launched_on=date(2025, 6, 2), status="performance")
    lot = make_lot(grouping)
    make_award(make_consultation(grouping), lot, notified_on=date(2025, 12, 1), signed_on=date(2025, 12, 1))
    assert counts(paper.finance) == (1, 3)
    type(grouping).objects.filter(pk=grouping.pk).update(**fields)
    assert counts(paper.finance) == (1, 2)


def test_only_a_validated_line_of_the_stage_measures(paper):
    baseline = make_baseline(paper.members[0], paper.second, "10", "5", designation="Enveloppes")
    make_line(baseline, "9", status="SUBMITTED")
    assert counts(paper.finance) == (1, 2)
    make_line(baseline, "9", stage=GainStage.REALISED)
    assert counts(paper.finance) == (1, 2)
    assert counts(paper.finance, stage=GainStage.REALISED) == (1, 2)


def test_before_the_award_the_base_is_what_was_surveyed(paper):
    assert counts(paper.finance, stage=GainStage.ESTIMATED) == (0, 2)
    open_survey = make_grouping(paper.metropole, status="needs")
    make_lot(open_survey)
    assert counts(paper.finance, stage=GainStage.ESTIMATED) == (0, 2)
    baseline = make_baseline(paper.members[0], paper.second, "10", "5", designation="Enveloppes")
    make_line(baseline, "9", stage=GainStage.ESTIMATED)
    assert counts(paper.finance, stage=GainStage.ESTIMATED) == (1, 2)


def test_the_filters_and_a_member_narrow_the_base(paper):
    assert counts(paper.finance, family="30") == (1, 2) and counts(paper.finance, family="09") == (0, 0)
    type(paper.lot).objects.filter(pk=paper.second.pk).update(cpv="09310000")
    assert counts(paper.finance, family="30") == (1, 1) and counts(paper.finance, family="09") == (0, 1)
    member = paper.members[0]
    assert counts(paper.finance, organisation_id=member.organisation_id) == (1, 1)
    assert counts(paper.finance, grouping_id=paper.grouping.pk + 1) == (0, 0)
    assert counts(make_affiliation(member.organisation, "member_agent")) == (1, 1)


def test_an_estimate_with_an_unknown_amount_is_unknown(paper):
    (lot,) = [lot for lot in coverage(paper.finance, year=2026).lots if lot.lot_id == paper.lot.pk]
    assert (lot.estimated, lot.awarded, lot.gap) == (Decimal("24000.00"), Decimal("23760.00"), Decimal("240.00"))
    NeedLine.objects.filter(membership=paper.members[0]).update(estimated_amount_excl_tax=None)
    (lot,) = [lot for lot in coverage(paper.finance, year=2026).lots if lot.lot_id == paper.lot.pk]
    assert lot.estimated is None and lot.gap is None
    # A member that withdrew before the launch is not waited for; one that left since is still in the contracts.
    gone, launched_on = type(paper.members[0]).objects.filter(pk=paper.members[0].pk), paper.grouping.launched_on
    gone.update(withdrawn_on=launched_on + timedelta(days=1))
    (lot,) = [lot for lot in coverage(paper.finance, year=2026).lots if lot.lot_id == paper.lot.pk]
    assert lot.estimated is None
    gone.update(joined_on=launched_on - timedelta(days=30), withdrawn_on=launched_on)
    (lot,) = [lot for lot in coverage(paper.finance, year=2026).lots if lot.lot_id == paper.lot.pk]
    assert lot.estimated == Decimal("18000.00")
