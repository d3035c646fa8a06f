"""One grouping opened: lots, members, lines, with the totals of each level and what nobody measured."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from groupings.models import Grouping, Lot, Membership, NeedLine
from procurement.core.money import NO_BREAK_SPACE, format_number
from savings.choices import GainStage
from savings.ledger import Totals, add_up, entries, totals_by
from savings.models import PriceLine
from savings.overview import Selection


@dataclass
class LineNode:
    """One line. ``totals``: what it counts in the year; None while it is not validated, or counts in other years."""

    line: PriceLine
    totals: Totals | None

    @property
    def quantity(self) -> str:
        return format_number(self.line.quantity)

    @property
    def price_before(self) -> str:
        return _price(self.line.price_before)

    @property
    def price_obtained(self) -> str:
        return _price(self.line.price_obtained)

    @property
    def is_loss(self) -> bool:
        """As the reports list them: the reversal of a corrected line is a correction, not a loss."""
        return not self.line.is_superseded and self.totals is not None and self.totals.budget_gain < 0


def _price(value: Decimal | None) -> str:
    """A unit price with every decimal it holds; a dash when unknown."""
    return "—" if value is None else f"{format_number(value, 2)}{NO_BREAK_SPACE}€"


@dataclass
class MemberNode:
    """One member in one lot; ``lines`` is empty when it buys there and nothing is measured."""

    membership: Membership
    lines: list[LineNode] = field(default_factory=list)

    @property
    def totals(self) -> Totals:
        return add_up(node.totals for node in self.lines if node.totals is not None)

    @property
    def is_measured(self) -> bool:
        return any(node.totals is not None for node in self.lines)


@dataclass
class LotNode:
    lot: Lot
    members: list[MemberNode] = field(default_factory=list)

    @property
    def totals(self) -> Totals:
        return add_up(member.totals for member in self.members)

    @property
    def is_measured(self) -> bool:
        return any(member.is_measured for member in self.members)

    @property
    def unmeasured_members(self) -> list[MemberNode]:
        return [member for member in self.members if not member.is_measured]


#: Beyond so many lines, the page shows its members, and their lines open in the list.
LINES_SHOWN = 400
LOSSES_SHOWN = 50


@dataclass
class GroupingTree:
    lots: list[LotNode]

    @property
    def shows_lines(self) -> bool:
        return sum(len(member.lines) for lot in self.lots for member in lot.members) <= LINES_SHOWN

    @property
    def totals(self) -> Totals:
        return add_up(lot.totals for lot in self.lots)

    @cached_property
    def losses(self) -> list[tuple[LotNode, MemberNode, LineNode]]:
        """The greatest first."""
        found = [
            (lot, member, node) for lot in self.lots for member in lot.members for node in member.lines if node.is_loss
        ]
        return sorted(found, key=lambda loss: loss[2].totals.budget_gain)

    @property
    def greatest_losses(self) -> list[tuple[LotNode, MemberNode, LineNode]]:
        return self.losses[:LOSSES_SHOWN]

    @property
    def unmeasured_lots(self) -> list[LotNode]:
        return [lot for lot in self.lots if not lot.is_measured]

    @property
    def lost(self) -> Decimal:
        return sum((node.totals.budget_gain for _, _, node in self.losses), Decimal("0.00"))


def grouping_tree(grouping: Grouping, affiliation, selection: Selection) -> GroupingTree:
    """What the affiliation may read of ``grouping``, in four queries: a member its own lines, in every lot it needs.

    Lines of the stage that stand, and those replaced that count in the year; a realised one of another year is left
    out.
    """
    found = entries(affiliation, stage=selection.stage, year=selection.year, grouping=grouping.pk)
    counted = {line_id: part for (line_id,), part in totals_by(found, "line_id")}
    lines = PriceLine.objects.visible_to(affiliation).filter(
        baseline__membership__grouping=grouping, stage=selection.stage
    )
    lines = lines.select_related("baseline__evidence", "baseline__membership__organisation", "baseline__lot")
    nodes = {lot.pk: LotNode(lot) for lot in grouping.lots.order_by("number")}
    members: dict[tuple[int, int], MemberNode] = {}

    def member_of(lot_id: int, membership: Membership) -> MemberNode:
        return members.setdefault((lot_id, membership.pk), MemberNode(membership))

    for line in lines.order_by("baseline__designation", "pk"):
        stands = not line.is_superseded and line.status != "REJECTED"
        is_of_year = selection.stage != GainStage.REALISED or line.year == selection.year
        if line.pk in counted or (stands and is_of_year):
            line.baseline.lot = nodes[line.baseline.lot_id].lot
            member_of(line.baseline.lot_id, line.baseline.membership).lines.append(LineNode(line, counted.get(line.pk)))
    needs = NeedLine.objects.visible_to(affiliation).active().filter(membership__grouping=grouping)
    for need in needs.select_related("membership__organisation"):
        member_of(need.lot_id, need.membership)
    for (lot_id, _), member in sorted(members.items(), key=lambda item: item[1].membership.organisation.sort_name):
        nodes[lot_id].members.append(member)
    everything = affiliation.sees_whole_territory or grouping.coordinator_id == affiliation.organisation_id
    return GroupingTree([lot for lot in nodes.values() if lot.members or everything])
