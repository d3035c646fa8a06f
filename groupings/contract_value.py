"""The value of a contract, from the database to the rule; and the day and procedure it is read for."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from groupings.models import Grouping, Lot, Membership, NeedLine, NeedsSubmission
from groupings.rules.contract_value import ContractValue, LotValue
from groupings.rules.thresholds import Procedure, procedure
from procurement.core.money import ZERO, round_half_up


def contract_value(grouping: Grouping, *, without: Collection[int] = ()) -> ContractValue:
    """The value of ``grouping`` as its needs stand, without the memberships of these numbers: four queries."""
    return value_of(
        grouping,
        grouping.memberships.select_related("organisation"),
        grouping.lots.all(),
        NeedLine.objects.filter(membership__grouping=grouping),
        answered=set(
            NeedsSubmission.objects.filter(membership__grouping=grouping).values_list("membership_id", flat=True)
        ),
        without=without,
    )


def value_of(
    grouping: Grouping,
    memberships: Iterable[Membership],
    lots: Iterable[Lot],
    needs: Iterable[NeedLine],
    *,
    answered: Collection[int] | None = None,
    without: Collection[int] = (),
) -> ContractValue:
    """The same from rows already read: all the memberships, lots and needs of the grouping, withdrawn ones included.

    ``answered``: the memberships that have answered the survey, even that they need nothing; None when it was not read,
    and then nobody is told silent.
    """
    members = {membership.pk: membership for membership in memberships}
    staying = {
        key
        for key, membership in members.items()
        if membership.is_bound_by(grouping.launched_on) and key not in without
    }
    by_lot: dict[int, list[NeedLine]] = defaultdict(list)
    for need in needs:
        by_lot[need.lot_id].append(need)
    expressed = {need.membership_id for lines in by_lot.values() for need in lines}
    return ContractValue(
        members=len(staying),
        lots=tuple(_lot_value(lot, by_lot[lot.pk], staying, members) for lot in lots),
        silent=()
        if answered is None
        else tuple(
            members[key].organisation.name
            for key in members
            if key in staying - expressed - set(answered)
            and (grouping.coordinator_has_own_need or members[key].organisation_id != grouping.coordinator_id)
        ),
    )


def _lot_value(lot: Lot, needs: list[NeedLine], staying: set[int], members: dict[int, Membership]) -> LotValue:
    kept = [need for need in needs if need.membership_id in staying]
    gone = [need for need in needs if need.membership_id not in staying]
    return LotValue(
        key=lot.pk,
        number=lot.number,
        title=lot.title,
        needs=_sum(kept),
        unknown=tuple(
            members[need.membership_id].organisation.name for need in kept if need.estimated_amount_excl_tax is None
        ),
        is_framework=lot.is_framework,
        maximum=None if lot.maximum_excl_tax is None else round_half_up(lot.maximum_excl_tax.amount),
        departed=_sum(gone),
    )


def _sum(needs: Iterable[NeedLine]):
    """€ excl. tax, of the known amounts."""
    amounts = (need.estimated_amount_excl_tax for need in needs)
    return round_half_up(sum((money.amount for money in amounts if money is not None), ZERO))


def launch_day(grouping: Grouping, today: date) -> date:
    """The day whose thresholds apply: that of the launch, else the one planned while it is to come, else today."""
    planned_on = grouping.launch_planned_on
    return grouping.launched_on or (planned_on if planned_on is not None and planned_on >= today else today)


def procedure_of(value: ContractValue, category: str, on: date) -> Procedure | None:
    """The procedure ``value`` calls for; None when no amount is known, or when the tables do not hold that day."""
    if value.total == ZERO:
        return None
    try:
        return procedure(value.total, category, on)
    except LookupError:
        return None
