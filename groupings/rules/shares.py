"""Sharing an awarded lot between the members, to the cent: proposed from the needs, and always adding up to the lot.

Amounts are € excl. tax. The key is the estimated amount of each need; where one is unknown, the quantities when all of
them are known in one unit. An unknown need is told, never counted as zero. No text commands a key: it is the
convention's, or the members' own (CCP, L2113-7).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from procurement.core.money import ZERO, format_euros, split_exactly

BY_AMOUNT, BY_QUANTITY = "amount", "quantity"


@dataclass(frozen=True)
class MemberNeed:
    """What one member said of the lot: € excl. tax over the whole duration and units, either may be unknown."""

    key: Hashable
    name: str
    amount: Decimal | None = None
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True)
class Proposal:
    """``parts``: key → amount, None where nothing is proposed. ``basis``: BY_AMOUNT, BY_QUANTITY, or empty when nothing
    can be proposed. ``unknown``: the names of the members whose need is unknown. ``sentence``: how it was made."""

    parts: Mapping[Hashable, Decimal | None]
    basis: str
    unknown: tuple[str, ...]
    sentence: str

    @property
    def is_complete(self) -> bool:
        """Every member that has a need has a part, and the parts add up to the lot."""
        return bool(self.basis) and None not in self.parts.values()


def propose(total: Decimal, needs: Sequence[MemberNeed]) -> Proposal:
    """Split ``total`` in proportion to ``needs`` (those of the members still in the grouping).

    With a member whose need is unknown, the others share the whole lot and that member has no part until somebody
    types it. Raises ValueError for a negative need or total.
    """
    if total < 0:
        raise ValueError("Un montant à répartir ne peut pas être négatif.")
    if not needs:
        return Proposal({}, "", (), "Aucun membre n’a de besoin pour ce lot\u00a0: saisissez chaque part.")
    basis, keys = _keys(needs)
    unknown = tuple(need.name for need in needs if keys[need.key] is None)
    known = {key: weight for key, weight in keys.items() if weight is not None}
    if not any(known.values()):
        nothing = dict.fromkeys(keys)
        zero = "Tous les besoins de ce lot sont nuls\u00a0: saisissez chaque part."
        return Proposal(nothing, "", unknown, _unknown_told(unknown) if unknown else zero)
    shares = dict(zip(known, split_exactly(total, list(known.values())), strict=True))
    parts = {key: shares.get(key) for key in keys}
    told = (
        "Parts proposées au prorata des quantités."
        if basis == BY_QUANTITY
        else "Parts proposées au prorata des besoins estimés."
    )
    return Proposal(parts, basis, unknown, f"{told} {_unknown_told(unknown)}" if unknown else told)


def _keys(needs: Sequence[MemberNeed]) -> tuple[str, dict[Hashable, Decimal | None]]:
    amounts = {need.key: need.amount for need in needs}
    units = {need.unit.strip().casefold() for need in needs}
    counted = all(need.quantity is not None for need in needs) and len(units) == 1 and units != {""}
    if None in amounts.values() and counted:
        return BY_QUANTITY, {need.key: need.quantity for need in needs}
    return BY_AMOUNT, amounts


def _unknown_told(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (f" et {len(names) - 5} autres" if len(names) > 5 else "")
    plural = len(names) > 1
    return (
        f"Le besoin de {shown} est inconnu\u00a0: saisissez {'leurs parts' if plural else 'sa part'} à la main, puis "
        "recalculez le reste."
    )


def spread_rest(
    total: Decimal, fixed: Mapping[Hashable, Decimal], weights: Mapping[Hashable, Decimal | None]
) -> dict[Hashable, Decimal]:
    """What ``fixed`` leaves of ``total``, spread exactly over ``weights``: the parts of the members not adjusted.

    Raises ValueError, with the French sentence to show, when more than the lot is already given, when something is
    left and nobody to give it to, or when a weight is unknown.
    """
    rest = total - sum(fixed.values(), ZERO)
    if rest < 0:
        raise ValueError(f"Les parts fixées dépassent déjà le lot de {format_euros(-rest)}.")
    if not weights:
        if rest:
            raise ValueError(f"Il manque {format_euros(rest)}, et toutes les parts sont fixées\u00a0: libérez-en une.")
        return {}
    if None in weights.values():
        raise ValueError("La part d’un membre dont le besoin est inconnu se saisit à la main.")
    if not any(weights.values()):
        if rest:
            raise ValueError(f"Il reste {format_euros(rest)}, et les autres membres n’ont pas de besoin.")
        return dict.fromkeys(weights, ZERO)
    return dict(zip(weights, split_exactly(rest, list(weights.values())), strict=True))


def gap_sentence(total: Decimal, parts: Sequence[Decimal]) -> str:
    """Why these parts are not the lot, to the cent: « Il manque 0,01 € » ; empty when they add up."""
    gap = total - sum(parts, ZERO)
    if gap == 0:
        return ""
    told = f"Il manque {format_euros(gap)}" if gap > 0 else f"Il y a {format_euros(-gap)} de trop"
    return f"{told}\u00a0: les parts font {format_euros(total - gap)}, le lot {format_euros(total)}."
