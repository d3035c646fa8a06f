"""A lot whose essential data are complete."""

from datetime import date
from decimal import Decimal

from djmoney.money import Money

from groupings.models import Award, Grouping, Lot, Membership
from members.models import Organisation
from tests.support.factories import make_award, make_consultation, make_grouping, make_lot, make_membership

COMPLETE = {
    "technique": "none",
    "modality": "none",
    "ccag": "supplies_services",
    "has_advance": False,
    "has_subcontracting": False,
    "price_form": "unit",
    "price_type": "firm",
    "social_considerations": ["none"],
    "environmental_considerations": ["clause", "criterion"],
    "decided_on": date(2026, 4, 10),
    "signed_on": date(2026, 5, 4),
    "notified_on": date(2026, 5, 5),
    "starts_on": date(2026, 6, 1),
    "data_published_on": date(2026, 6, 15),
}


def make_launched(coordinator: Organisation, *members: Organisation, **fields) -> tuple[Grouping, list[Membership]]:
    """A grouping in performance, and its memberships in the order given."""
    fields = {"launched_on": date(2026, 2, 2), "opened_on": date(2025, 9, 1), "status": "performance"} | fields
    grouping = make_grouping(coordinator, **fields)
    return grouping, [make_membership(grouping, member) for member in members]


def make_complete_award(lot: Lot, amount: str = "60000.00", **fields) -> Award:
    """Awarded, notified, publishable: nothing is missing."""
    grouping = lot.grouping
    consultation = grouping.consultations.first() or make_consultation(grouping)
    return make_award(consultation, lot, amount, **COMPLETE | fields)


def make_framework_award(lot: Lot, maximum: str, **fields) -> Award:
    """An accord-cadre à bons de commande, known by its maximum."""
    fields = {"technique": "framework", "modality": "purchase_orders"} | fields
    return make_complete_award(lot, maximum_excl_tax=Money(Decimal(maximum), "EUR"), **fields)


def make_published_lot(coordinator: Organisation, *members: Organisation, amount: str = "60000.00", **fields) -> Award:
    """One lot of a new grouping, complete, without shares."""
    grouping, _ = make_launched(coordinator, *members)
    return make_complete_award(make_lot(grouping), amount, **fields)
