"""The needs far from the member's own history, or from what the other communes need: read, then told by the rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from groupings.forecast import reference_population
from groupings.models import Grouping, Lot, Membership, NeedLine
from groupings.needs_state import former_lines, former_shares
from groupings.rules.outliers import history_remark, population_remarks
from members.models import Organisation


@dataclass(frozen=True)
class Remark:
    """One figure to look at: whose, of which lot, and what it is compared with."""

    membership: Membership
    lot: Lot
    sentence: str


@dataclass(frozen=True)
class Former:
    """What a body needed, or was allotted, of a lot: € excl. tax a year, and how to call it."""

    yearly: Fraction
    what: str


def remarks_of(
    grouping: Grouping,
    memberships: Sequence[Membership],
    lots: Sequence[Lot],
    lines: Mapping[tuple[int, int], NeedLine],
    affiliation,
) -> list[Remark]:
    """By member, then by lot. ``lines``: (membership, lot) → need. Two queries when the grouping renews another."""
    months = grouping.total_months
    yearly = {key: amount for key, line in lines.items() if (amount := yearly_of(line, months)) is not None}
    former = _former(grouping, affiliation)
    communes = {item.pk: item for item in memberships if item.organisation.kind == Organisation.Kind.COMMUNE}
    population = {pk: reference_population(item.organisation) or 0 for pk, item in communes.items()}
    by_inhabitant = {
        lot.pk: population_remarks({pk: yearly[pk, lot.pk] for pk in communes if (pk, lot.pk) in yearly}, population)
        for lot in lots
    }
    remarks = []
    for membership in memberships:
        for lot in lots:
            amount = yearly.get((membership.pk, lot.pk))
            before = former.get((membership.organisation_id, lot.number))
            is_compared = amount is not None and amount > 0 and before is not None
            told = history_remark(amount, before.yearly, before.what) if is_compared else ""
            sentences = (told, by_inhabitant[lot.pk].get(membership.pk, ""))
            remarks += [Remark(membership, lot, sentence) for sentence in sentences if sentence]
    return remarks


def yearly_of(line: NeedLine, months: int) -> Fraction | None:
    """€ excl. tax a year, of a need over ``months``; None when its amount is unknown."""
    if line.yearly_amount_excl_tax is not None:
        return Fraction(line.yearly_amount_excl_tax.amount)
    if line.estimated_amount_excl_tax is None:
        return None
    return Fraction(line.estimated_amount_excl_tax.amount) * 12 / months


def _former(grouping: Grouping, affiliation) -> dict[tuple[int, int], Former]:
    """(body, lot number) → what the grouping this one renews gave it: its share of the contract, else its need."""
    if grouping.renews_id is None:
        return {}
    found: dict[tuple[int, int], Former] = {}
    for line in former_lines(grouping, affiliation):
        amount = yearly_of(line, line.lot.grouping.total_months)
        if amount is not None:
            year = line.lot.grouping.opened_on.year
            found[line.membership.organisation_id, line.lot.number] = Former(amount, f"son besoin de {year}")
    for share in former_shares(grouping, affiliation):
        award, former = share.award, share.award.lot.grouping
        amount = Fraction(share.amount_excl_tax.amount) * 12 / (award.total_months or former.total_months)
        year = (award.starts_on or award.decided_on).year
        found[share.membership.organisation_id, award.lot.number] = Former(amount, f"sa part du marché de {year}")
    return found
