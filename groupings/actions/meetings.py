"""The meetings held with the members of a grouping: written down, mended, taken off."""

from datetime import date

from django.db import transaction

from groupings.models import Grouping, Meeting
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded

_GONE = "Cette réunion a été retirée pendant votre saisie."


def meeting_save(*, meeting: Meeting, actor: Actor, today: date) -> Meeting:
    """Add or change a meeting already held, from the opening of the grouping to ``today``.

    Raises NotAllowed (the coordinator's buyer and jurist write it), BusinessError or django's ValidationError by field.
    """
    require(actor, "grouping.change", organisation_id=meeting.grouping.coordinator_id)
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=meeting.grouping_id)
        if grouping.is_declared_only:
            raise BusinessError(
                "Ce groupement est suivi par une autre direction\u00a0: ses réunions ne s’inscrivent pas."
            )
        if meeting.pk and not Meeting.objects.filter(pk=meeting.pk).exists():
            raise BusinessError(_GONE)
        meeting.clean_fields()
        if meeting.held_on > today:
            raise BusinessError(
                "Inscrivez une réunion tenue\u00a0: sa date ne peut pas être dans le futur.", field="held_on"
            )
        if meeting.held_on < grouping.opened_on:
            raise BusinessError(
                f"Le groupement est ouvert depuis le {grouping.opened_on:%d/%m/%Y}\u00a0: la réunion ne peut pas "
                "l’avoir précédé.",
                field="held_on",
            )
        save_recorded(meeting, actor=actor, verb="meeting.save", sentence=f"Réunion tenue\u00a0: {meeting}")
    return meeting


def meeting_remove(*, meeting: Meeting, actor: Actor) -> None:
    """Take one off. Twice is once."""
    require(actor, "grouping.change", organisation_id=meeting.grouping.coordinator_id)
    with transaction.atomic():
        Grouping.objects.select_for_update().get(pk=meeting.grouping_id)
        if Meeting.objects.filter(pk=meeting.pk).exists():
            delete_recorded(meeting, actor=actor, verb="meeting.remove", sentence=f"Réunion retirée\u00a0: {meeting}")
