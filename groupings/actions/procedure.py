"""The exception of the small lots: chosen lot by lot by a jurist, with a written reason."""

from datetime import date

from django.db import transaction

from groupings.choices import GroupingStatus
from groupings.contract_value import contract_value, launch_day
from groupings.models import Grouping, Lot
from groupings.rules.small_lots import small_lots
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded


def small_lot_choose(*, lot: Lot, takes: bool, reason: str, actor: Actor, today: date) -> Lot:
    """Take the exception for ``lot`` (CCP, R2123-1, 2°, or R2122-8), or give it up. Journalled with the reason.

    Raises NotAllowed (a jurist of the coordinator decides), BusinessError when the lot is not eligible, when the reason
    is missing, or once the consultation is launched. Doing it twice changes nothing.
    """
    require(actor, "procedure.override", organisation_id=lot.grouping.coordinator_id)
    reason = reason.strip()
    if takes and not reason:
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=lot.grouping_id)  # neither a launch nor a need meanwhile
        if grouping.is_launched:
            raise BusinessError(
                f"Le choix ne change plus\u00a0: la consultation est lancée depuis le {grouping.launched_on:%d/%m/%Y}."
            )
        if grouping.status == GroupingStatus.CANCELLED:
            raise BusinessError("Le choix ne change plus\u00a0: ce groupement est abandonné.")
        stored = Lot.objects.select_for_update().get(pk=lot.pk)
        stored.grouping = grouping
        article = _check(grouping, stored, today) if takes else ""
        stored.takes_small_lot_exception, stored.small_lot_reason = takes, reason if takes else ""
        done = f"petit lot ({article})" if takes else "exception des petits lots abandonnée"
        save_recorded(
            stored, actor=actor, verb="lot.small", sentence=f"Lot {stored.number}\u00a0: {done}", reason=reason
        )
    return stored


def _check(grouping: Grouping, lot: Lot, today: date) -> str:
    """The article that lets the lot out; raises BusinessError saying why it is not eligible."""
    taken = set(grouping.lots.filter(takes_small_lot_exception=True).values_list("pk", flat=True))
    try:
        exception = small_lots(
            contract_value(grouping).lots, grouping.category, launch_day(grouping, today), taken=taken
        )
    except LookupError as error:
        raise BusinessError(str(error.args[0])) from None
    if exception is None:
        raise BusinessError("L’exception des petits lots est sans objet pour ce marché.")
    if refusal := exception.refusal_for(lot.pk):
        raise BusinessError(f"Le lot {lot.number} ne peut pas être un petit lot\u00a0: {refusal}")
    return exception.source
