"""A métropole whose year 2026 holds the worked numbers of domain.md §8: paper per member, and an indexed contract."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from groupings.models import Grouping
from members.models import Organisation
from savings.reports.asked import Asked
from savings.reports.data import SavingsReport, build_report
from tests.support.factories import (
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

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


@dataclass
class Year:
    """``paper``: 1 200.00 + 540.00 − 10.00 = 1 730.00 on 6 770.00; ``indexed``: 10 000.00 and 26 000.00 on 200 000."""

    metropole: Organisation
    bodies: list[Organisation]
    paper: Grouping
    indexed: Grouping

    def report(self, **options) -> SavingsReport:
        reader = options.pop("reader", None)
        made_at = options.pop("made_at", NOW)
        asked = Asked(options.pop("year", 2026), **options)
        return build_report(asked, territory=self.metropole, made_at=made_at, reader=reader)


@pytest.fixture
def year(settings, tmp_path) -> Year:
    settings.MEDIA_ROOT = tmp_path / "documents"
    metropole = make_metropole(name="Métropole d’essai")
    bodies = [make_organisation(parent=metropole, name=name) for name in ("Assas", "Baillargues", "Clapiers")]
    paper = make_grouping(metropole, reference="GC-1", title="Papier", cpv="30197630", opened_on=date(2025, 1, 6))
    indexed = make_grouping(metropole, reference="GC-2", title="Gaz", cpv="09123000", opened_on=date(2025, 1, 6))
    for grouping in (paper, indexed):
        consultation = make_consultation(grouping)
        for number in (1, 2):
            make_award(
                consultation,
                make_lot(grouping, number),
                "9000.00",
                decided_on=date(2025, 11, 3),
                signed_on=date(2025, 12, 1),
                notified_on=date(2025, 12, 2),
                starts_on=date(2026, 1, 1),
            )
    lot, gas = paper.lots.get(number=1), indexed.lots.get(number=1)
    for body, before, quantity in zip(bodies, ("4.80", "5.40", "3.50"), ("1000", "300", "100"), strict=True):
        membership = make_membership(paper, body)
        make_need(membership, lot)
        make_line(make_baseline(membership, lot, before, quantity), "3.60")
    supplied = make_membership(indexed, bodies[0])
    # A peer's price, without proof: C. I0 104.2, I1 112.536: k 1.08.
    baseline = make_baseline(
        supplied, gas, "100", "2000", index_factor="1.08", grade="C", method="PEER_PRICE", designation="=1+1 gaz"
    )
    make_line(baseline, "95")
    return Year(metropole, bodies, paper, indexed)
