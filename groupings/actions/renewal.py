"""Renewing a grouping: the next one, linked to this one, its dates counted back from the end of the contract."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction

from groupings.actions.grouping import grouping_save, lot_save
from groupings.actions.membership import membership_add, membership_save
from groupings.choices import IN_PREPARATION, FeeRule, GroupingStatus
from groupings.models import Grouping, Lot
from groupings.rules.renewal import renewal_dates
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record

#: A renewal under way: not in use yet, not abandoned.
UNDER_WAY = (*IN_PREPARATION, GroupingStatus.CONSULTATION, GroupingStatus.AWARD)
#: Only what has been awarded is renewed.
RENEWABLE = (GroupingStatus.PERFORMANCE, GroupingStatus.REVIEW)
_COPIED = (
    "category",
    "cpv",
    "coordinator",
    "kind",
    "integration_level",
    "legal_vehicle",
    "tender_committee_mode",
    "coordinator_has_own_need",
    "statutes_clause_ref",
    "fee_rule",
    "fee_base",
    "fee_ceiling",
    "duration_months",
    "extension_count",
    "extension_months",
    "buyer",
    "jurist",
)
_COPIED_OF_LOT = ("number", "title", "cpv", "is_framework", "minimum_excl_tax", "maximum_excl_tax")
_CONTACT = ("contact_name", "contact_email", "contact_phone")


@dataclass(frozen=True)
class Renewal:
    """The next grouping; ``is_new`` is false when it was already there, found and left as it was."""

    grouping: Grouping
    is_new: bool


def renewal_under_way(grouping: Grouping) -> Grouping | None:
    """The renewal being prepared, if any: one at a time."""
    return grouping.renewals.filter(status__in=UNDER_WAY).order_by("pk").first()


def grouping_renew(
    *, grouping: Grouping, reference: str, title: str, ends_on: date, actor: Actor, today: date
) -> Renewal:
    """Create the grouping that follows a contract ending on ``ends_on``: lots, active members with their contacts and
    the legal set-up are copied; needs, consultation and deliberations are not. Asked again, gives the first one.

    Raises NotAllowed, BusinessError (nothing to renew yet, reference taken) or django's ValidationError.
    """
    require(actor, "grouping.create", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        stored = Grouping.objects.select_for_update().get(pk=grouping.pk)
        if stored.is_declared_only or stored.status not in RENEWABLE:
            raise BusinessError("Seul un groupement en exécution ou au bilan se renouvelle.")
        if known := renewal_under_way(stored):
            return Renewal(known, is_new=False)
        if Grouping.objects.filter(coordinator=stored.coordinator_id, reference=reference).exists():
            raise BusinessError("Ce coordonnateur a déjà un groupement de cette référence.", field="reference")
        dates = renewal_dates(ends_on, today)
        renewal = Grouping(
            reference=reference,
            title=title,
            opened_on=today,
            needs_due_on=dates.needs_due_on,
            deliberations_due_on=dates.deliberations_due_on,
            launch_planned_on=dates.launch_on,
            award_planned_on=dates.award_on,
            performance_planned_on=dates.starts_on,
            renews=stored,
            **{name: getattr(stored, name) for name in _COPIED},
        )
        if renewal.fee_rule == FeeRule.FREE:  # a forecast left from before the rule became free would be refused
            renewal.fee_base = renewal.fee_ceiling = None
        grouping_save(grouping=renewal, actor=actor)
        for lot in stored.lots.all():
            lot_save(lot=Lot(grouping=renewal, **{name: getattr(lot, name) for name in _COPIED_OF_LOT}), actor=actor)
        _copy_members(stored, renewal, today, actor)
        record(
            actor=actor,
            territory_id=stored.territory_id,
            thread=stored.thread,
            verb="grouping.renew",
            sentence=f"Renouvellement préparé\u00a0: {renewal.reference}, pour un début le {dates.starts_on:%d/%m/%Y}",
            after={"renewal": renewal.pk},
        )
    return Renewal(renewal, is_new=True)


def _copy_members(former: Grouping, renewal: Grouping, today: date, actor: Actor) -> None:
    """Who still takes part, with its contact; the coordinator is already there."""
    present = {membership.organisation_id: membership for membership in renewal.memberships.all()}
    for membership in former.memberships.active().select_related("organisation__parent"):
        own = present.get(membership.organisation_id)
        if own is None:
            membership_add(
                grouping=renewal,
                organisation=membership.organisation,
                joined_on=today,
                actor=actor,
                contact=membership,
            )
        elif any(getattr(membership, name) for name in _CONTACT):
            for name in _CONTACT:
                setattr(own, name, getattr(membership, name))
            membership_save(membership=own, actor=actor)
