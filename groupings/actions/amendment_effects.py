"""What an amendment does to its grouping the day it takes effect, inside the transaction of that step."""

from groupings.amendment_choices import AmendmentKind
from groupings.models import Amendment, Grouping, Membership, Signature
from procurement.core.actors import Actor
from procurement.core.journal.record import save_recorded


def apply(amendment: Amendment, actor: Actor) -> None:
    """Change the grouping or the membership as the frozen text says. ``amendment.in_force_on`` is set, rows are
    locked."""
    {
        AmendmentKind.JOIN: _join,
        AmendmentKind.LEAVE: _leave,
        AmendmentKind.COORDINATOR: _coordinator,
        AmendmentKind.OBJECT: _object,
        AmendmentKind.DURATION: _duration,
    }[AmendmentKind(amendment.kind)](amendment, actor)


def _membership(amendment: Amendment) -> Membership:
    return amendment.grouping.memberships.select_related("organisation", "grouping").get(
        organisation=amendment.organisation
    )


def _join(amendment: Amendment, actor: Actor) -> None:
    """A member from now on; its signature of the amendment is that of the convention, approved by the same act."""
    membership, day = _membership(amendment), amendment.in_force_on
    membership.is_pending, membership.joined_on = False, day
    save_recorded(
        membership,
        actor=actor,
        verb="membership.add",
        sentence=f"{membership.organisation.name} rejoint le groupement le {day:%d/%m/%Y}, {_by(amendment)}",
    )
    signed = amendment.signatures.filter(membership=membership).first()
    if signed is not None and not Signature.objects.filter(membership=membership).exists():
        save_recorded(
            Signature(
                membership=membership,
                convention=amendment.convention,
                signed_on=signed.signed_on,
                signatory=signed.signatory,
            ),
            actor=actor,
            verb="signature.record",
            sentence=f"Convention signée par {membership.organisation.name}, {_by(amendment)}",
        )


def _leave(amendment: Amendment, actor: Actor) -> None:
    membership, day = _membership(amendment), amendment.in_force_on
    membership.joined_on = membership.joined_on or min(amendment.grouping.opened_on, day)
    membership.withdrawn_on = max(day, membership.joined_on)
    save_recorded(
        membership,
        actor=actor,
        verb="membership.withdraw",
        sentence=f"{membership.organisation.name} se retire le {membership.withdrawn_on:%d/%m/%Y}, {_by(amendment)}",
    )


def _coordinator(amendment: Amendment, actor: Actor) -> None:
    grouping = _grouping(amendment)
    grouping.coordinator = amendment.organisation
    _save(grouping, amendment, actor, f"{amendment.organisation.name} devient coordonnateur")


def _object(amendment: Amendment, actor: Actor) -> None:
    grouping = _grouping(amendment)
    grouping.title = amendment.new_title
    _save(grouping, amendment, actor, f"Nouvel objet\u00a0: {amendment.new_title}")


def _duration(amendment: Amendment, actor: Actor) -> None:
    grouping = _grouping(amendment)
    grouping.duration_months = amendment.new_duration_months
    grouping.extension_count = amendment.new_extension_count
    grouping.extension_months = amendment.new_extension_months
    _save(grouping, amendment, actor, f"Nouvelle durée\u00a0: {grouping.total_months} mois au plus")


def _grouping(amendment: Amendment) -> Grouping:
    return Grouping.objects.select_related("coordinator").get(pk=amendment.grouping_id)


def _save(grouping: Grouping, amendment: Amendment, actor: Actor, what: str) -> None:
    grouping.version += 1  # a card opened before must not write the former values back
    save_recorded(grouping, actor=actor, verb="grouping.amend", sentence=f"{what}, {_by(amendment)}")


def _by(amendment: Amendment) -> str:
    return f"par l’{amendment.name[0].lower()}{amendment.name[1:]}"
