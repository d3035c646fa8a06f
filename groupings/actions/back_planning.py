"""Taking the dates of the back-planning into the calendar of the grouping."""

from datetime import date

from django.db import transaction

from groupings.back_planning import basis_of, is_planned, journalled, plan_of, reached
from groupings.choices import GroupingStatus
from groupings.contract_value import contract_value
from groupings.models import Grouping
from groupings.rules.back_planning import CALENDAR
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded

_TOLD = {
    "needs_due_on": "besoins le",
    "deliberations_due_on": "délibérations le",
    "launch_planned_on": "lancement le",
    "award_planned_on": "notification le",
}


def calendar_adopt(*, grouping: Grouping, actor: Actor, today: date, expected_version: int | None = None) -> Grouping:
    """Set the dates of the grouping's calendar that are still to come as its back-planning proposes them today.

    ``expected_version``: the version the person was reading. Raises NotAllowed; BusinessError after the launch,
    when the wanted start is unknown or does not hold any more, or when somebody saved the card meanwhile.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        stored = Grouping.objects.select_for_update().get(pk=grouping.pk)
        if stored.is_launched:
            raise BusinessError(
                "Le calendrier ne change plus\u00a0: la consultation est lancée depuis le "
                f"{stored.launched_on:%d/%m/%Y}."
            )
        if stored.status == GroupingStatus.CANCELLED:
            raise BusinessError("Le calendrier ne change plus\u00a0: ce groupement est abandonné.")
        if expected_version is not None and stored.version != expected_version:
            raise BusinessError(
                "Ce groupement a été modifié entre-temps par une autre personne\u00a0: relisez les dates ci-dessous, "
                "puis recommencez si elles vous conviennent."
            )
        if not is_planned(stored):
            raise BusinessError("Indiquez d’abord le début d’exécution prévu.")
        memberships = list(stored.memberships.with_approval(today))
        basis = basis_of(stored, contract_value(stored), today)
        plan = plan_of(stored, memberships, basis, journalled(stored, reached(stored, memberships, today)), today)
        proposed = plan.proposed
        if not proposed:
            raise BusinessError(
                f"Le début souhaité, le {plan.wanted_on:%d/%m/%Y}, ne tient plus\u00a0: au plus tôt le "
                f"{plan.earliest_start_on:%d/%m/%Y}. Changez-le d’abord."
            )
        for field in CALENDAR:
            setattr(stored, field, proposed.get(field, getattr(stored, field)))
        told = ", ".join(f"{_TOLD[field]} {on:%d/%m/%Y}" for field, on in proposed.items())
        if save_recorded(
            stored, actor=actor, verb="grouping.calendar", sentence=f"Calendrier repris du rétroplanning\u00a0: {told}"
        ):
            Grouping.objects.filter(pk=stored.pk).update(version=stored.version + 1)
            stored.version += 1
    return stored
