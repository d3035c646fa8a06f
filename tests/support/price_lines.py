"""A grouping whose lot 1 was put out, awarded and notified, for the tests of the entry of prices."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from groupings.models import Grouping
from members.models import Affiliation
from members.roles import Role
from savings.models import Baseline, PriceLine
from tests.support.contracts import Scene, make_scene
from tests.support.factories import make_affiliation

#: 16 March 2026 at noon in Paris: when the offers of the scene are due.
DUE = datetime(2026, 3, 16, 11, tzinfo=UTC)
BEFORE = datetime(2026, 3, 1, 9, tzinfo=UTC)
AFTER = datetime(2026, 7, 1, 9, tzinfo=UTC)


@dataclass
class Entry:
    """``scene`` and who acts in it: ``buyer`` enters, ``agent`` confirms for the commune, ``finance`` decides."""

    scene: Scene
    finance: Affiliation

    @property
    def buyer(self) -> Affiliation:
        return self.scene.buyer

    @property
    def agent(self) -> Affiliation:
        return self.scene.agent

    @property
    def lot(self):
        return self.scene.award.lot

    def reference(self, membership=None, **fields) -> Baseline:
        """One to be saved: 4.80 € × 1 000, a price paid before, without proof."""
        values = {
            "designation": "Gazole",
            "unit": "litre",
            "quantity": Decimal(1000),
            "price_before": Decimal("4.80"),
            "method": "HISTORIC_PRICE",
        }
        return Baseline(lot=self.lot, membership=membership or self.scene.membership, **values | fields)

    def line(self, baseline: Baseline, price: str | None = "3.60", stage: str = "AWARDED", **fields) -> PriceLine:
        price_obtained = None if price is None else Decimal(price)
        return PriceLine(baseline=baseline, stage=stage, price_obtained=price_obtained, **fields)


def make_entry(**fields) -> Entry:
    """The scene of the contracts, its offers due on ``DUE``."""
    scene = make_scene(**fields)
    scene.award.consultation.offers_due_at = DUE
    scene.award.consultation.save()
    scene.grouping = Grouping.objects.get(pk=scene.grouping.pk)
    return Entry(scene, make_affiliation(scene.metropole, Role.FINANCE))
