"""One commune with a submitted line, and the people around it: who entered, who submitted, two of finance."""

from dataclasses import dataclass
from datetime import UTC, datetime

from groupings.models import Lot, Membership
from members.models import Affiliation, Organisation
from members.roles import Role
from savings.models import Baseline, PriceLine
from tests.support.factories import make_affiliation, make_territory
from tests.support.savings import make_baseline, make_line

NOW = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)


@dataclass
class Review:
    metropole: Organisation
    lot: Lot
    membership: Membership
    buyer: Affiliation
    finance: Affiliation
    colleague: Affiliation

    def baseline(self, price: str | None = "4.80", quantity: str = "1000", **fields) -> Baseline:
        fields.setdefault("entered_by", self.buyer.user)
        fields.setdefault("entered_label", self.buyer.actor_label)
        return make_baseline(self.membership, self.lot, price, quantity, **fields)

    def line(self, baseline: Baseline | None = None, price: str | None = "3.60", **fields) -> PriceLine:
        """Submitted by the buyer who entered it, unless told otherwise."""
        fields.setdefault("status", "SUBMITTED")
        fields.setdefault("entered_by", self.buyer.user)
        if fields["status"] != "DRAFT":
            fields.setdefault("submitted_by", self.buyer.user)
        return make_line(baseline or self.baseline(), price, **fields)


def make_review(members: int = 1) -> Review:
    metropole, grouping = make_territory(members=members, lots=1)
    return Review(
        metropole=metropole,
        lot=grouping.lots.get(),
        membership=grouping.memberships.exclude(organisation=metropole).first(),
        buyer=make_affiliation(metropole, Role.BUYER),
        finance=make_affiliation(metropole, Role.FINANCE),
        colleague=make_affiliation(metropole, Role.FINANCE),
    )
