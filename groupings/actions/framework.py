"""The bounds of an accord-cadre, lot by lot."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from djmoney.money import Money

from groupings.actions.grouping import refuse_after_launch
from groupings.models import Lot
from groupings.rules.framework import maximum_rule
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded
from procurement.core.money import format_euros


def lot_bounds_set(*, lot: Lot, minimum: Decimal | None, maximum: Decimal | None, actor: Actor, today: date) -> Lot:
    """Make the lot an accord-cadre of these bounds, € excl. tax over the whole duration, extensions included.

    Raises NotAllowed; BusinessError once the consultation is launched, or without the maximum that the law asks on the
    planned day of the launch (today when none is planned); ValidationError for bounds out of order.
    """
    require(actor, "grouping.change", organisation_id=lot.grouping.coordinator_id)
    with transaction.atomic():
        grouping = refuse_after_launch(lot.grouping, "Les lots ne changent plus")
        rule = maximum_rule(max(grouping.launch_planned_on or today, today))
        if maximum is None and rule.is_required:
            raise BusinessError(
                f"Indiquez le maximum\u00a0: il est obligatoire depuis le {rule.since:%d/%m/%Y} ({rule.source}).",
                field="maximum",
            )
        locked = Lot.objects.select_for_update().get(pk=lot.pk)
        locked.grouping = grouping
        locked.is_framework = True
        locked.minimum_excl_tax = None if minimum is None else Money(minimum, "EUR")
        locked.maximum_excl_tax = None if maximum is None else Money(maximum, "EUR")
        told = ", ".join(
            f"{word} {format_euros(amount)} HT"
            for word, amount in (("minimum", minimum), ("maximum", maximum))
            if amount is not None
        )
        save_recorded(
            locked,
            actor=actor,
            verb="lot.bounds",
            sentence=f"{locked}\u00a0: accord-cadre, {told or 'sans minimum ni maximum'}",
        )
    return locked
