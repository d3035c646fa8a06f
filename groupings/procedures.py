"""The procedure of one grouping as a screen tells it: why, on which day, and how far the next threshold is."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from groupings.contract_value import launch_day, value_of
from groupings.models import Convention, Grouping
from groupings.rules.contract_value import ContractValue, LotValue, euros
from groupings.rules.implications import Implication, implications
from groupings.rules.thresholds import NextThreshold, Procedure, next_threshold, procedure
from procurement.core.money import ZERO


@dataclass(frozen=True)
class ProcedureCard:
    """``on`` is the day whose thresholds apply, ``day_told`` says which it is. ``failure``: a French sentence when the
    tables do not hold that day, and then there is no procedure."""

    value: ContractValue
    on: date
    day_told: str
    procedure: Procedure | None
    following: NextThreshold | None
    failure: str = ""

    @property
    def sentence(self) -> str:
        if not self.has_amount:
            return "Aucun montant connu\u00a0: la procédure se déduira des besoins recensés."
        return self.value.told(self.procedure)

    @property
    def has_amount(self) -> bool:
        """Whether any need is known: a threshold says nothing of an empty survey."""
        return self.value.total != ZERO

    @property
    def gaps(self) -> list[str]:
        return self.value.gaps

    @property
    def may_rise(self) -> bool:
        """What is missing from the total could call for a heavier procedure."""
        return bool(self.gaps) and self.following is not None

    @property
    def remarks(self) -> list[str]:
        return self.value.remarks(self.on)

    @property
    def next_told(self) -> str:
        """How far the next threshold is; empty above the European one."""
        if self.following is None:
            return ""
        found = self.following.procedure
        return f"{euros(self.following.distance)} avant le seuil {euros(found.threshold)} ({found.label})"


def procedure_card(grouping: Grouping, value: ContractValue, today: date) -> ProcedureCard:
    """What ``value`` calls for on the day of the launch, planned or not; told as a sentence when no table holds it, or
    when no amount is known: nothing known is not zero."""
    on = launch_day(grouping, today)
    if value.total == ZERO:
        return ProcedureCard(value, on, _day_told(grouping, on), None, None)
    try:
        found = procedure(value.total, grouping.category, on)
        following = next_threshold(value.total, grouping.category, on)
    except LookupError as error:
        return ProcedureCard(value, on, _day_told(grouping, on), None, None, _sentence(error))
    return ProcedureCard(value, on, _day_told(grouping, on), found, following)


def page_card(grouping: Grouping, page, today: date) -> ProcedureCard | None:
    """The same for the grouping's ``page``, from what it has read; None when its reader may not be told: a member
    learns the procedure from the annex of the convention it was handed."""
    if grouping.is_declared_only:
        return None
    if page.sees_all:
        return procedure_card(grouping, value_of(grouping, page.memberships, page.lots, page.needs), today)
    return procedure_card(grouping, frozen_value(page.latest, page.frozen), today) if page.frozen else None


def implied(card: ProcedureCard, category: str) -> tuple[list[Implication], str]:
    """What the procedure implies, and why nothing is known of it (one of the two is empty)."""
    if card.procedure is None:
        return [], ""
    try:
        return implications(card.procedure, card.value.total, category, card.on), ""
    except LookupError as error:
        return [], _sentence(error)


def frozen_value(convention: Convention, amounts: dict[int, Decimal]) -> ContractValue:
    """The value as the annex of a frozen convention prints it; ``amounts``: lot number → € excl. tax."""
    titles = {lot["number"]: lot["title"] for lot in convention.values["lots"]}
    return ContractValue(
        members=len(convention.values["members"]),
        lots=tuple(LotValue(number, number, titles[number], amount) for number, amount in sorted(amounts.items())),
    )


def _day_told(grouping: Grouping, on: date) -> str:
    if grouping.launched_on:
        return f"Seuils du lancement, le {on:%d/%m/%Y}."
    if on == grouping.launch_planned_on:
        return f"Seuils du lancement prévu le {on:%d/%m/%Y}."
    past = grouping.launch_planned_on
    why = f"le lancement prévu le {past:%d/%m/%Y} est passé" if past else "aucune date de lancement n’est prévue"
    return f"Seuils d’aujourd’hui, {on:%d/%m/%Y}\u00a0: {why}."


def _sentence(error: LookupError) -> str:
    return str(error.args[0])
