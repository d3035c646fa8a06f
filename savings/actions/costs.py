"""What stands beside the gains: the cost of coordinating a grouping, what its members bought outside the contract."""

from datetime import datetime

from django.db import transaction
from djmoney.money import Money

from groupings.models import Grouping
from members.roles import require, require_territory
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded
from procurement.core.money import format_euros, round_half_up
from savings.models import CoordinationCost, OffContractSpend

CHANGED = "Ce montant a changé pendant votre saisie\u00a0: rechargez la page, puis recommencez."


def cost_save(*, cost: CoordinationCost, actor: Actor, seen: datetime | None = None) -> CoordinationCost:
    """Add or change the cost of coordinating one grouping in one year.

    Hours at their rate, or an amount (€ excl. tax): never both, so that the figure has one origin. ``seen``: when the
    person's copy was written, for a change. Raises NotAllowed, BusinessError or django's ValidationError.
    """
    require_enter(cost.grouping, actor)
    by_hours = cost.hours is not None or cost.hourly_rate is not None
    with transaction.atomic():
        _unchanged(CoordinationCost, cost.pk, seen)
        if by_hours and cost.amount_excl_tax is not None:
            raise BusinessError(
                "Indiquez le montant, ou les heures et leur coût, pas les deux.", field="amount_excl_tax"
            )
        if by_hours:
            if cost.hours is None:
                raise BusinessError("Indiquez le nombre d’heures de ce coût horaire.", field="hours")
            if cost.hourly_rate is None:
                raise BusinessError("Indiquez le coût d’une heure.", field="hourly_rate")
            cost.amount_excl_tax = Money(round_half_up(cost.hours * cost.hourly_rate.amount), "EUR")
        if cost.amount_excl_tax is None:
            raise BusinessError("Indiquez le montant, ou les heures et leur coût.", field="amount_excl_tax")
        if cost.amount_excl_tax.amount == 0:
            raise BusinessError("Un coût est supérieur à zéro.", field="hours" if by_hours else "amount_excl_tax")
        cost.entered_label = actor.actor_label[:200]
        save_recorded(
            cost,
            actor=actor,
            verb="savings.cost",
            sentence=(
                f"Coût de coordination {cost.year}\u00a0: {cost.label}, {format_euros(cost.amount_excl_tax.amount)} HT"
            ),
        )
    return cost


def cost_remove(*, cost: CoordinationCost, actor: Actor) -> None:
    """Remove one. Twice is once."""
    require_enter(cost.grouping, actor)
    with transaction.atomic():
        if CoordinationCost.objects.select_for_update().filter(pk=cost.pk).exists():
            delete_recorded(
                cost,
                actor=actor,
                verb="savings.cost.remove",
                sentence=f"Coût de coordination {cost.year} retiré\u00a0: {cost.label}",
            )


def off_contract_save(*, spend: OffContractSpend, actor: Actor, seen: datetime | None = None) -> OffContractSpend:
    """Add or change what one member bought elsewhere in one year of what one lot provides (€ excl. tax).

    Zero says that nothing was bought elsewhere, which is not the same as saying nothing. Raises as ``cost_save``.
    """
    grouping = spend.lot.grouping
    require_enter(grouping, actor)
    if spend.membership.grouping_id != grouping.pk:
        raise BusinessError("Ce membre n’appartient pas au groupement de ce lot.", field="membership")
    with transaction.atomic():
        _unchanged(OffContractSpend, spend.pk, seen)
        if spend.amount_excl_tax is None:
            raise BusinessError("Indiquez le montant, zéro s’il n’y a rien.", field="amount_excl_tax")
        spend.entered_label = actor.actor_label[:200]
        save_recorded(
            spend,
            actor=actor,
            verb="savings.off_contract",
            sentence=(
                f"Hors marché {spend.year}, lot {spend.lot.number}, {spend.membership.organisation.name}\u00a0: "
                f"{format_euros(spend.amount_excl_tax.amount)} HT"
            ),
        )
    return spend


def off_contract_remove(*, spend: OffContractSpend, actor: Actor) -> None:
    """Remove one. Twice is once."""
    require_enter(spend.lot.grouping, actor)
    with transaction.atomic():
        if OffContractSpend.objects.select_for_update().filter(pk=spend.pk).exists():
            delete_recorded(
                spend,
                actor=actor,
                verb="savings.off_contract.remove",
                sentence=(
                    f"Hors marché {spend.year} retiré, lot {spend.lot.number}, {spend.membership.organisation.name}"
                ),
            )


def require_enter(grouping: Grouping, actor: Actor) -> None:
    """Raise NotAllowed unless ``actor`` enters the figures of this grouping on behalf of its coordinator."""
    require(actor, "savings.enter", organisation_id=grouping.coordinator_id)
    require_territory(actor, grouping.territory_id)


def _unchanged(model, pk: int | None, seen: datetime | None) -> None:
    """Lock the stored row; raise when somebody wrote or removed it since it was shown."""
    if pk is None:
        return
    stored = model.objects.select_for_update().filter(pk=pk).first()
    if stored is None or (seen is not None and stored.entered_at != seen):
        raise BusinessError(CHANGED)
