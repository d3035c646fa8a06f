"""What a signature does to its version: in force after the last one, in signature again when one is erased."""

from datetime import date

from groupings.choices import ConventionStatus
from groupings.circuit import signatures_of, signing_memberships
from groupings.models import Convention, Grouping
from procurement.core.actors import Actor
from procurement.core.journal.record import record


def enter_into_force(convention: Convention, actor: Actor, today: date) -> bool:
    """Put the locked version in force once every party has signed it: the one place where a signature changes its
    state. The journal says on which day."""
    if convention.status not in (ConventionStatus.VOTES, ConventionStatus.SIGNATURE):
        return False
    if signing_memberships(convention).filter(is_signed=False).exists():
        return False
    last_on = signatures_of(convention).order_by("-signed_on").values_list("signed_on", flat=True).first()
    Convention.objects.filter(pk=convention.pk).update(status=ConventionStatus.IN_FORCE)
    tell(
        convention.grouping,
        convention,
        actor,
        "convention.in_force",
        f"en vigueur, signée par tous le {last_on:%d/%m/%Y}",
        before={"status": convention.status},
        after={"status": ConventionStatus.IN_FORCE, "recorded_on": today.isoformat()},
    )
    return True


def leave_force(grouping: Grouping, actor: Actor, reason: str) -> None:
    """A version in force that misses a signature again waits for it."""
    convention = grouping.conventions.filter(status=ConventionStatus.IN_FORCE).select_for_update().first()
    if convention is None or not signing_memberships(convention).filter(is_signed=False).exists():
        return
    Convention.objects.filter(pk=convention.pk).update(status=ConventionStatus.SIGNATURE)
    tell(
        grouping,
        convention,
        actor,
        "convention.in_signature",
        "de nouveau en signature",
        before={"status": ConventionStatus.IN_FORCE},
        after={"status": ConventionStatus.SIGNATURE},
        reason=reason,
    )


def tell(grouping: Grouping, convention: Convention, actor: Actor, verb: str, told: str, **options) -> None:
    record(
        actor=actor,
        territory_id=grouping.territory_id,
        thread=grouping.thread,
        verb=verb,
        sentence=f"Convention version {convention.version}\u00a0: {told}",
        **options,
    )
