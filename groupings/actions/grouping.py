"""What changes a grouping: its card, its lots, its steps."""

from datetime import date, datetime, time

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from groupings.actions.convention_life import convention_follow
from groupings.models import Grouping, Lot
from groupings.rules.fees import card_refusal
from groupings.workflow import GROUPING_WORKFLOW
from members.roles import require, require_territory
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, record, save_recorded


def grouping_save(*, grouping: Grouping, actor: Actor, expected_version: int | None = None) -> Grouping:
    """Create or change a grouping's card. The coordinator, party to the convention, is its first member.

    ``expected_version``: the version the person was reading; refused when somebody saved another since.
    Raises NotAllowed (also when it would leave the writer's territory), BusinessError, or django's ValidationError.
    """
    created = grouping.pk is None
    require(actor, "grouping.create" if created else "grouping.change", organisation_id=grouping.coordinator_id)
    require_territory(actor, grouping.territory_id, *([grouping.renews.territory_id] if grouping.renews_id else []))
    with transaction.atomic():
        if not created:
            stored = Grouping.objects.select_for_update().get(pk=grouping.pk)
            if expected_version is not None and stored.version != expected_version:
                raise BusinessError(
                    "Ce groupement a été modifié entre-temps par une autre personne\u00a0: rechargez la page, "
                    "vos saisies sont rappelées ci-dessous."
                )
            require(actor, "grouping.change", organisation_id=stored.coordinator_id)
            require_territory(actor, stored.territory_id)
            _check_coordinator(grouping, stored)
            grouping.version = stored.version
        _check_fees(grouping, None if created else stored)
        changed = save_recorded(
            grouping,
            actor=actor,
            verb="grouping.create" if created else "grouping.change",
            sentence=f"Groupement {grouping.reference} {'créé' if created else 'modifié'}",
        )
        if not created and grouping.total_months != stored.total_months:
            from groupings.actions.needs import needs_recount

            needs_recount(grouping=grouping, actor=actor)
        if changed and not created:
            Grouping.objects.filter(pk=grouping.pk).update(version=grouping.version + 1)
            grouping.version += 1
        if created and not grouping.is_declared_only:
            from groupings.actions.membership import membership_add

            membership_add(
                grouping=grouping, organisation=grouping.coordinator, joined_on=grouping.opened_on, actor=actor
            )
    return grouping


def _check_fees(grouping: Grouping, stored: Grouping | None) -> None:
    """Rule, forecast and ceiling go together, whenever one of them is written (article 10 prints all three)."""
    if grouping.is_declared_only:
        return
    written = (grouping.fee_rule, grouping.fee_base, grouping.fee_ceiling)
    if stored is not None and written == (stored.fee_rule, stored.fee_base, stored.fee_ceiling):
        return
    base, ceiling = (None if money is None else money.amount for money in written[1:])
    members = grouping.memberships.active().count() if stored is not None else None
    if refusal := card_refusal(grouping.fee_rule, base=base, ceiling=ceiling, members=members):
        field, sentence = refusal
        raise ValidationError({field: sentence})


def _check_coordinator(grouping: Grouping, stored: Grouping) -> None:
    """A grouping whose coordinator buys for itself has it among its members (CCP, L2113-6 and L2113-7)."""
    if not grouping.coordinator_has_own_need or grouping.is_declared_only:
        return
    touched = (grouping.coordinator_id, grouping.coordinator_has_own_need) != (
        stored.coordinator_id,
        stored.coordinator_has_own_need,
    )
    if touched and not grouping.memberships.active().filter(organisation=grouping.coordinator).exists():
        raise ValidationError(
            {
                "coordinator": (
                    f"{grouping.coordinator.name} n’est pas membre du groupement\u00a0: ajoutez-le aux membres, ou "
                    "indiquez qu’il coordonne sans besoin propre."
                )
            }
        )


def grouping_advance(
    *, grouping: Grouping, step: str, actor: Actor, today: date, reason: str = "", now: datetime | None = None
) -> Grouping:
    """Move a grouping to its next step, by the table of ``groupings.workflow``.

    The launch opens its consultation, and nothing else does. Its convention follows, in the same transaction
    (``convention_follow``). ``now``: the instant the closing of the consultation is
    compared with; without it, the first of ``today`` at Paris time. Raises TransitionRefused or BusinessError, with
    the sentence to show; nothing is then written.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        locked = Grouping.objects.select_for_update().get(pk=grouping.pk)
        before = locked.status
        if step == "launch":
            locked.launched_on = today  # what the gate asks of the lots depends on the day
        transition = GROUPING_WORKFLOW.advance(locked, step, role=actor.role, reason=reason)
        locked.version += 1  # a card opened before this step must not write the former step back
        locked.full_clean()
        locked.save()
        at = now or timezone.make_aware(datetime.combine(today, time.min))
        _follow_tender(locked, transition.name, actor, at)
        convention_follow(grouping=locked, step=transition.name, actor=actor, today=today, reason=reason)
        record(
            actor=actor,
            territory_id=locked.territory_id,
            thread=locked.thread,
            verb=f"grouping.{step}",
            sentence=f"{transition.label}\u00a0: {GROUPING_WORKFLOW.labels[locked.status]}",
            before={"status": before},
            after={"status": locked.status},
            reason=reason,
        )
    return locked


def _follow_tender(grouping: Grouping, step: str, actor: Actor, now: datetime) -> None:
    """What the launch and the closing do to the consultation, in the transaction of the step."""
    from groupings.actions.consultation import consultation_mark_closed, consultation_open

    if step == "launch":
        consultation_open(grouping=grouping, actor=actor, today=grouping.launched_on)
    elif step == "start_award":
        consultation_mark_closed(grouping.consultations.get(number=1), actor, now)


def lot_save(*, lot: Lot, actor: Actor) -> Lot:
    """Create or change a lot; refused once the tender has started."""
    require(actor, "grouping.change", organisation_id=lot.grouping.coordinator_id)
    with transaction.atomic():
        refuse_after_launch(lot.grouping, "Les lots ne changent plus")
        save_recorded(lot, actor=actor, verb="lot.save", sentence=f"{lot}")
    return lot


def lot_remove(*, lot: Lot, actor: Actor) -> None:
    """Remove a lot without needs."""
    require(actor, "grouping.change", organisation_id=lot.grouping.coordinator_id)
    with transaction.atomic():
        refuse_after_launch(lot.grouping, "Les lots ne changent plus")
        if lot.needs.exists():
            raise BusinessError("Des membres ont indiqué un besoin pour ce lot\u00a0: retirez d’abord ces besoins.")
        delete_recorded(lot, actor=actor, verb="lot.remove", sentence=f"{lot} retiré")


def refuse_after_launch(grouping: Grouping, what: str) -> Grouping:
    """As it is now, and locked until the transaction ends: neither a launch nor a need slips in between.

    Returns the locked grouping. Raises BusinessError, « {what} : la consultation est lancée depuis le … ».
    """
    now = Grouping.objects.select_for_update().get(pk=grouping.pk)
    if now.is_launched:
        raise BusinessError(f"{what}\u00a0: la consultation est lancée depuis le {now.launched_on:%d/%m/%Y}.")
    return now
