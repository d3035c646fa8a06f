"""A survey of needs, and what a person types in its form."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone

from groupings.models import Grouping, Lot, Membership, NeedsCampaign
from members.models import Affiliation, Organisation
from members.roles import Role
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_organisation,
)

BOXES = ("quantity", "unit", "unit_price", "supplier", "contract_ends_on", "yearly_amount", "total_amount")


def boxes(lot: Lot, **typed: str) -> dict[str, str]:
    """The boxes of one lot as a browser sends them: all of them, empty unless told; the tick only when ticked."""
    sent = {f"{box}_{lot.pk}": typed.pop(box, "") for box in BOXES}
    return sent | {f"{box}_{lot.pk}": text for box, text in typed.items()}


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


@dataclass
class Survey:
    """A grouping of two lots and 48 months, surveyed; a commune that has said nothing, its agent, and the buyer."""

    metropole: Organisation
    commune: Organisation
    grouping: Grouping
    lots: list[Lot]
    own: Membership
    membership: Membership
    agent: Affiliation
    buyer: Affiliation

    @property
    def url(self) -> str:
        return reverse("needs_change", args=[self.grouping.pk, self.membership.pk])

    @property
    def receipt_url(self) -> str:
        return reverse("needs_receipt", args=[self.grouping.pk, self.membership.pk])

    def answer(self, *typed: dict[str, str], action: str = "submit", read: tuple[int, int] | None = (0, 0)) -> dict:
        """What the form sends: one dictionary of boxes per lot, in their order."""
        sent: dict[str, str] = {"action": action}
        if read is not None:
            sent |= {"version": str(read[0]), "number": str(read[1])}
        for lot, told in zip(self.lots, typed, strict=False):
            sent |= boxes(lot, **told)
        return sent


def make_survey(*, days_left: int = 20, **fields) -> Survey:
    metropole = make_metropole(name="Métropole du Lez", email="marches@metropole.example")
    commune = make_organisation(parent=metropole, name="Saussan", email="mairie@saussan.example")
    buyer = make_affiliation(metropole, Role.BUYER)
    fields.setdefault("needs_due_on", in_days(days_left))
    grouping = make_grouping(metropole, opened_on=in_days(-60), buyer=buyer.user, **fields)
    return Survey(
        metropole=metropole,
        commune=commune,
        grouping=grouping,
        lots=[make_lot(grouping, 1), make_lot(grouping, 2)],
        own=make_membership(grouping, metropole),
        membership=make_membership(grouping, commune),
        agent=make_affiliation(commune, Role.MEMBER_AGENT),
        buyer=buyer,
    )


def open_campaign(survey: Survey, **fields) -> NeedsCampaign:
    fields.setdefault("opens_on", in_days(-30))
    return NeedsCampaign.objects.create(grouping=survey.grouping, **fields)
