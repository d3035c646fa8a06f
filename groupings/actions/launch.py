"""Launching the consultation, with everybody or without those who are not ready."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction

from groupings.actions.grouping import grouping_advance
from groupings.actions.membership import membership_save
from groupings.contract_value import contract_value, procedure_of
from groupings.models import Grouping
from groupings.rules.thresholds import Procedure
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
from procurement.core.money import format_euros


@dataclass(frozen=True)
class Scope:
    """What a tender holds: its members, the estimated total (€ excl. tax, whole duration), the procedure it calls for.

    ``procedure`` is None when the tables hold no threshold for the launch date. ``gaps`` tells what the total lacks.
    """

    members: int
    total: Decimal
    procedure: Procedure | None
    gaps: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        told = ", ".join([f"{self.members} membres", f"{format_euros(self.total)} HT", *self.gaps])
        return f"{told}, {self.procedure.sentence}" if self.procedure else told

    def as_json(self) -> dict:
        return {
            "members": self.members,
            "total": str(self.total),
            "procedure": self.procedure.code if self.procedure else None,
        }


def tender_scope(grouping: Grouping, today: date, *, without: Collection[int] = ()) -> Scope:
    """The tender launched ``today`` without the memberships of these numbers, in four queries."""
    value = contract_value(grouping, without=without)
    return Scope(value.members, value.total, procedure_of(value, grouping.category, today), tuple(value.gaps))


def grouping_launch_without(
    *, grouping: Grouping, membership_ids: Collection[int], actor: Actor, today: date, reason: str
) -> Grouping:
    """Launch now: the members named leave the grouping the same day, the others launch. All of it or nothing.

    They may not join this tender later (réponse ministérielle n° 100136 du 17/05/2011). Raises BusinessError when the
    reason is missing, when one of them cannot leave, or when the launch stays refused without them.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        locked = Grouping.objects.select_for_update().get(pk=grouping.pk)
        leaving = list(locked.memberships.active().filter(pk__in=membership_ids).select_related("organisation"))
        if not leaving or len(leaving) != len(set(membership_ids)):
            raise BusinessError("Choisissez parmi les membres actuels ceux qui quittent le groupement.")
        if locked.memberships.active().count() - len(leaving) < 2:
            raise BusinessError("Un groupement garde au moins deux membres (CCP, L2113-6).")
        before = tender_scope(locked, today)
        for membership in leaving:
            membership.joined_on = membership.joined_on or locked.opened_on
            membership.withdrawn_on = max(today, membership.joined_on)
            membership_save(membership=membership, actor=actor)
        after = tender_scope(locked, today)
        names = ", ".join(membership.organisation.name for membership in leaving)
        record(
            actor=actor,
            territory_id=locked.territory_id,
            thread=locked.thread,
            verb="grouping.launch_without",
            sentence=f"Lancement sans {names}\u00a0: {after.sentence}",
            before=before.as_json(),
            after=after.as_json(),
            reason=reason,
        )
        # ``advance`` asks the gate again, now that they have left.
        return grouping_advance(grouping=locked, step="launch", actor=actor, today=today, reason=reason)
