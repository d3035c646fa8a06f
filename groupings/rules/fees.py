"""How the fees of a grouping are shared: pure, exact to the cent, read by the convention and by the yearly statements.

Source: article 10 of the convention (``clauses/shipped/finances.html``); the worked numbers are those
of domain.md §8. Amounts are euros excluding tax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from procurement.core.money import ZERO, format_euros, round_half_up, split_exactly

FREE, EQUAL_SHARES, POPULATION, ESTIMATED_AMOUNT = "FREE", "EQUAL_SHARES", "POPULATION", "ESTIMATED_AMOUNT"
ACTUAL_SPEND, FLAT_FEE = "ACTUAL_SPEND", "FLAT_FEE"
#: They have inhabitants of their own: under POPULATION, not knowing how many is an error, never a share of zero.
POPULATED = frozenset({"commune", "metropole", "epci"})

_NO_KEY = {
    POPULATION: "aucun membre tenu de ces frais n’a de population",
    ESTIMATED_AMOUNT: "aucun membre tenu de ces frais n’a de besoin estimé",
    ACTUAL_SPEND: "aucun membre tenu de ces frais n’a ni dépense constatée ni besoin estimé",
}


@dataclass(frozen=True, slots=True)
class Party:
    """One member and what its share may be computed from. ``rank``: its place in the convention, which the cents left
    over follow. ``estimated`` and ``spent``: € excl. tax, ``needs`` the same by lot number. ``joined_on`` None: there
    from the first day; ``left_on`` None: still there."""

    key: str
    name: str
    rank: int
    kind: str = "commune"
    population: int | None = None
    estimated: Decimal = ZERO
    spent: Decimal = ZERO
    needs: tuple[tuple[int, Decimal], ...] = ()
    joined_on: date | None = None
    left_on: date | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """One expense of the year; negative for a credit note. ``is_litigation``: of a dispute about the tender, shared
    apart (article 10.3), on the needs of ``lot``, or of the whole grouping without it."""

    amount: Decimal
    spent_on: date
    is_litigation: bool = False
    lot: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one member owes for the year: its part of the fees and its part of the disputes. ``weight``: the key."""

    key: str
    weight: Decimal
    operating: Decimal
    litigation: Decimal

    @property
    def amount(self) -> Decimal:
        return self.operating + self.litigation


@dataclass(frozen=True, slots=True)
class YearShares:
    """The shares of one year, in the order of the convention. ``is_provisional``: the actual spending is not known yet,
    the estimated needs stand for it."""

    rule: str
    shares: tuple[Share, ...]
    is_provisional: bool = False

    @property
    def operating_total(self) -> Decimal:
        """What the ceiling counts."""
        return sum((share.operating for share in self.shares), ZERO)

    @property
    def total(self) -> Decimal:
        return sum((share.amount for share in self.shares), ZERO)


def weights(rule: str, parties: Sequence[Party], *, is_provisional: bool = False) -> list[Decimal]:
    """The key of each party, in the given order: one, inhabitants, or euros.

    Raises ValueError, with a French sentence, for a body that must have a population and whose population is unknown.
    """
    if rule == POPULATION:
        missing = [party.name for party in parties if party.kind in POPULATED and not party.population]
        if missing:
            raise ValueError(
                f"La population de {', '.join(missing)} n’est pas connue\u00a0: complétez "
                f"{'sa fiche' if len(missing) == 1 else 'leurs fiches'}, la clé de répartition des frais en dépend."
            )
        return [Decimal(party.population or 0) for party in parties]
    if rule == ESTIMATED_AMOUNT or (rule == ACTUAL_SPEND and is_provisional):
        return [party.estimated for party in parties]
    if rule == ACTUAL_SPEND:
        # Credit notes may leave a member below zero for the year: it has then spent nothing.
        return [max(party.spent, ZERO) for party in parties]
    return [Decimal(1)] * len(parties)


def split(rule: str, amount: Decimal, parties: Sequence[Party], *, is_provisional: bool = False) -> list[Decimal]:
    """``amount`` (€) between ``parties`` by the key of ``rule``, to the cent, in the given order.

    The cents left over go to the largest remainders, ties in the order of the convention, whatever the order given.
    Raises ValueError, with a French sentence, when nobody has a key.
    """
    ordered = sorted(parties, key=lambda party: party.rank)
    keys = weights(rule, ordered, is_provisional=is_provisional)
    if not any(keys):
        reason = _NO_KEY.get(rule, "aucun membre n’en est tenu")
        raise ValueError(f"Les frais n’ont pas de clé de répartition\u00a0: {reason}.")
    amounts = dict(zip((party.key for party in ordered), split_exactly(amount, keys), strict=True))
    return [amounts[party.key] for party in parties]


def owes(party: Party, spent_on: date, launched_on: date | None) -> bool:
    """Whether that member bears an expense of that day.

    A leaver owes what was committed before it left (article 14.2). A newcomer owes nothing of former years; who joined
    after the launch only counts for later consultations (article 13), hence for what is spent from its joining.
    """
    if party.left_on is not None and spent_on >= party.left_on:
        return False
    if party.joined_on is None or party.joined_on <= spent_on:
        return True
    is_founder = launched_on is None or party.joined_on <= launched_on
    return is_founder and party.joined_on.year == spent_on.year


def owes_flat_fee(party: Party, year: int) -> bool:
    """Whether that member takes part in that year: the flat fee is then due, unless another year has asked it."""
    has_joined = party.joined_on is None or party.joined_on.year <= year
    return has_joined and (party.left_on is None or party.left_on.year >= year)


def is_concerned(party: Party, spent_on: date, launched_on: date | None) -> bool:
    """Whether a dispute about the tender concerns that member: it was there when the tender was launched. Leaving later
    does not free it of the contracts concluded (article 14.2)."""
    day = launched_on or spent_on
    joined = party.joined_on is None or party.joined_on <= day
    return joined and (party.left_on is None or party.left_on > day)


def year_shares(
    rule: str,
    *,
    parties: Sequence[Party],
    costs: Iterable[Cost],
    launched_on: date | None,
    flat_fee: Decimal | None = None,
    flat_owed_by: Iterable[str] = (),
) -> YearShares:
    """What each member owes for one year; one share per party, in the order of the convention; they add up to the cent
    to the expenses.

    The expenses that the same members bear are added before they are split. Under FREE only disputes are shared. Under
    FLAT_FEE each of ``flat_owed_by`` owes ``flat_fee`` (€) whatever was spent: the convention asks it once. Raises
    ValueError, with a French sentence, when there is no key, no fee, or when a credit note makes a share negative.
    """
    ordered = tuple(sorted(parties, key=lambda party: party.rank))
    operating = dict.fromkeys((party.key for party in ordered), ZERO)
    litigation = dict(operating)
    groups: dict[tuple, Decimal] = {}
    shares_fees = False
    for cost in costs:
        shares_fees |= not cost.is_litigation
        test = is_concerned if cost.is_litigation else owes
        bearers = tuple(party for party in ordered if test(party, cost.spent_on, launched_on))
        group = (cost.is_litigation, cost.lot if cost.is_litigation else None, bearers)
        groups[group] = groups.get(group, ZERO) + cost.amount
    is_provisional = rule == ACTUAL_SPEND and shares_fees and not any(party.spent > 0 for party in ordered)
    for (is_litigation, lot, bearers), amount in groups.items():
        if is_litigation:
            parts, total = _of_dispute(amount, bearers, lot), litigation
        elif rule in (FREE, FLAT_FEE):
            continue
        else:
            parts, total = split(rule, amount, bearers, is_provisional=is_provisional), operating
        for party, part in zip(bearers, parts, strict=True):
            total[party.key] += part
    if rule == FLAT_FEE:
        if flat_fee is None:
            raise ValueError("Indiquez sur la fiche du groupement le forfait dû par chaque membre.")
        for key in flat_owed_by:
            operating[key] = round_half_up(flat_fee)
    keys = _shown_weights(rule, ordered, is_provisional)
    shares = tuple(
        Share(party.key, key, operating[party.key], litigation[party.key])
        for party, key in zip(ordered, keys, strict=True)
    )
    if below := next((p.name for p, s in zip(ordered, shares, strict=True) if s.operating < 0 or s.litigation < 0), ""):
        raise ValueError(
            f"La part de {below} serait négative\u00a0: datez l’avoir du jour de la dépense qu’il corrige."
        )
    return YearShares(rule, shares, is_provisional)


def _shown_weights(rule: str, ordered: Sequence[Party], is_provisional: bool) -> list[Decimal]:
    """Under FREE nobody has a key. A population asked of nobody this year may stay unknown: ``split`` has said so."""
    if rule == FREE:
        return [ZERO] * len(ordered)
    if rule == POPULATION:
        return [Decimal(party.population or 0) for party in ordered]
    return weights(rule, ordered, is_provisional=is_provisional)


def _of_dispute(amount: Decimal, bearers: Sequence[Party], lot: int | None) -> list[Decimal]:
    """Article 10.3: between the members concerned, on their estimated needs of the lot in question."""
    keys = [party.estimated if lot is None else dict(party.needs).get(lot, ZERO) for party in bearers]
    if not any(keys):
        where = "" if lot is None else f" du lot {lot}"
        raise ValueError(
            f"Les frais de contentieux{where} n’ont pas de clé de répartition\u00a0: aucun membre concerné n’a de "
            "besoin estimé."
        )
    return split_exactly(amount, keys)


def over_ceiling(ceiling: Decimal | None, *, before: Decimal, added: Decimal) -> Decimal:
    """By how much (€) the fees of the grouping's whole life would pass its ceiling; 0.00 when they do not.

    ``before``: approved for the other years, ``added``: of this one. Disputes are not counted: article 10.2 bounds the
    operating fees of 10.1.
    """
    if ceiling is None:
        return ZERO
    return max(before + added - ceiling, ZERO)


def card_refusal(
    rule: str, *, base: Decimal | None, ceiling: Decimal | None, members: int | None
) -> tuple[str, str] | None:
    """Why rule, forecast and ceiling of a grouping's card do not go together: (field, French sentence), or None.

    ``members``: how many owe a flat fee, None when not known yet.
    """
    if rule == FREE:
        for field, value in (("fee_base", base), ("fee_ceiling", ceiling)):
            if value is not None:
                return field, (
                    "La gratuité ne se chiffre pas\u00a0: videz ce montant, ou choisissez une règle de répartition."
                )
        return None
    if rule == FLAT_FEE and base is None:
        return "fee_base", "Un forfait demande son montant\u00a0: indiquez ce que doit chaque membre."
    if base is None or ceiling is None:
        return None
    forecast = base * (members or 1) if rule == FLAT_FEE else base
    if forecast > ceiling:
        shown = format_euros(forecast)
        if rule == FLAT_FEE and (members or 1) > 1:
            shown = f"{shown} ({members} forfaits de {format_euros(base)})"
        return "fee_ceiling", (
            f"Les frais prévus, {shown}, dépassent ce plafond de {format_euros(forecast - ceiling)}\u00a0: relevez le "
            "plafond, ou baissez la prévision."
        )
    return None
