"""Roles, and what each may do to whom. Rights derive from (role, organisation, relation to the object)."""

from django.db import models

from procurement.core.errors import NotAllowed


class Role(models.TextChoices):
    BUYER = "buyer", "Acheteur"
    JURIST = "jurist", "Juriste"
    FINANCE = "finance", "Finances"
    MEMBER_AGENT = "member_agent", "Agent d’un membre"
    READER = "reader", "Lecteur"
    ADMINISTRATOR = "administrator", "Administrateur"


#: The command line and the tasks.
SYSTEM = "system"

#: They work for the body that coordinates: with them, everything of its territory is visible.
COORDINATION = frozenset({Role.BUYER, Role.JURIST, Role.FINANCE, Role.READER, Role.ADMINISTRATOR})

#: What each role may write, wherever the object is within its perimeter.
RIGHTS: dict[str, frozenset[str]] = {
    "organisation.create": frozenset({Role.BUYER, Role.JURIST, Role.ADMINISTRATOR}),
    "organisation.change": frozenset({Role.BUYER, Role.JURIST, Role.ADMINISTRATOR, Role.MEMBER_AGENT}),
    "people.manage": frozenset({Role.ADMINISTRATOR}),
    "grouping.create": frozenset({Role.BUYER, Role.JURIST}),
    "grouping.change": frozenset({Role.BUYER, Role.JURIST}),
    "needs.change": frozenset({Role.BUYER, Role.JURIST, Role.MEMBER_AGENT}),
    "convention.generate": frozenset({Role.BUYER, Role.JURIST}),
    "export": frozenset(Role),
}
#: A member's agent only writes about its own organisation.
OWN_ONLY = frozenset({Role.MEMBER_AGENT})


def may(actor, right: str, *, organisation_id: int | None = None) -> bool:
    """Whether ``actor`` holds ``right``; ``organisation_id`` is the body the object belongs to, if any.

    Seeing comes first: the caller has found the object through ``visible_to``.
    """
    if actor is None:
        return False
    if actor.role == SYSTEM:
        return True
    if actor.role not in RIGHTS[right]:
        return False
    if actor.role in OWN_ONLY:
        return organisation_id is not None and organisation_id == actor.organisation_id
    return True


def require(actor, right: str, *, organisation_id: int | None = None) -> None:
    """Raise NotAllowed (403) with a French sentence unless ``may`` says yes."""
    if not may(actor, right, organisation_id=organisation_id):
        raise NotAllowed("Votre rôle ne permet pas cette action. Adressez-vous à l’acheteur de votre coordonnateur.")
