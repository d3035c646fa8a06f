"""A grouping in execution for tests: two lots awarded and notified, a third that is not, two communes."""

from dataclasses import dataclass
from datetime import date

from djmoney.money import Money

from groupings.models import Award, ConsumptionImport, ConsumptionLine, Grouping, Membership
from members.models import Affiliation, Organisation
from members.roles import Role
from tests.support.factories import (
    make_affiliation,
    make_award,
    make_consultation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_organisation,
)

#: The contracts run from 01/06/2026 to 31/05/2028, extensible once by twelve months, notice of three months.
DATES = {
    "decided_on": date(2026, 4, 10),
    "signed_on": date(2026, 5, 4),
    "notified_on": date(2026, 5, 5),
    "starts_on": date(2026, 6, 1),
    "duration_months": 24,
    "extension_count": 1,
    "extension_months": 12,
}


@dataclass
class Scene:
    metropole: Organisation
    commune: Organisation
    neighbour: Organisation
    grouping: Grouping
    own: Membership
    membership: Membership
    other: Membership
    award: Award
    second: Award
    buyer: Affiliation
    agent: Affiliation

    def consume(self, membership: Membership, amount: str, reference: str = "F-1", **fields) -> ConsumptionLine:
        """One line taken in, without a file."""
        taken = ConsumptionImport.objects.create(
            grouping=self.grouping, filename="mandats.csv", sha256="0" * 64, line_count=1, imported_by="Finances"
        )
        fields.setdefault("award", self.award)
        fields.setdefault("invoiced_on", date(2026, 7, 1))
        return ConsumptionLine.objects.create(
            source=taken,
            membership=membership,
            reference=reference,
            amount_excl_tax=Money(amount, "EUR"),
            fingerprint=f"{taken.pk}",
            **fields,
        )


def make_scene(**fields) -> Scene:
    """Lot 1 has a maximum of 2 000.00 €: 1 000.00 for the métropole, 600.00 for the commune, 400.00 for its neighbour;
    lot 2 is a contract of 500.00 €, all of it the commune's; lot 3 is not awarded."""
    metropole = make_metropole(name="Métropole d’Essai")
    commune = make_organisation(parent=metropole, name="Ville d’Aval")
    neighbour = make_organisation(parent=metropole, name="Ville d’Amont")
    fields = {"status": "performance", "launched_on": date(2026, 2, 2), "opened_on": date(2025, 9, 1)} | fields
    grouping = make_grouping(metropole, **{"reference": "GC-2025-07", "title": "Carburants"} | fields)
    own, membership, other = (make_membership(grouping, body) for body in (metropole, commune, neighbour))
    lots = [make_lot(grouping, 1, title="Gazole", is_framework=True), make_lot(grouping, 2), make_lot(grouping, 3)]
    consultation = make_consultation(grouping, *lots)
    award = make_award(
        consultation,
        lots[0],
        maximum_excl_tax=Money("2000.00", "EUR"),
        shares=[(own, "1000.00"), (membership, "600.00"), (other, "400.00")],
        **DATES,
    )
    second = make_award(consultation, lots[1], "500.00", shares=[(membership, "500.00")], **DATES)
    return Scene(
        metropole,
        commune,
        neighbour,
        grouping,
        own,
        membership,
        other,
        award,
        second,
        make_affiliation(metropole, Role.BUYER),
        make_affiliation(commune, Role.MEMBER_AGENT),
    )
