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
    "deliberation.change": frozenset({Role.BUYER, Role.JURIST, Role.MEMBER_AGENT}),
    "deliberation.override": frozenset({Role.JURIST}),
    "convention.generate": frozenset({Role.BUYER, Role.JURIST}),
    "clause.read": frozenset({Role.BUYER, Role.JURIST}),
    "clause.change": frozenset({Role.JURIST}),
    "procedure.override": frozenset({Role.JURIST}),
    "consumption.import": frozenset({Role.BUYER, Role.JURIST, Role.FINANCE}),
    "savings.enter": frozenset({Role.BUYER, Role.JURIST, Role.FINANCE}),
    "savings.confirm": frozenset({Role.BUYER, Role.JURIST, Role.FINANCE, Role.MEMBER_AGENT}),
    "savings.validate": frozenset({Role.FINANCE}),
    "fees.prepare": frozenset({Role.BUYER, Role.JURIST, Role.FINANCE}),
    "fees.approve": frozenset({Role.FINANCE}),
    "export": frozenset(Role),
}
#: A member's agent only writes about its own organisation.
OWN_ONLY = frozenset({Role.MEMBER_AGENT})
#: An administrator manages the people of its own organisation, even at the head of the territory.
OWN_RIGHTS = frozenset({"people.manage"})
#: Rights about what one already sees, whatever body it belongs to.
READING_RIGHTS = frozenset({"export"})


def may(actor, right: str, *, organisation_id: int | None = None) -> bool:
    """Whether ``actor`` holds ``right``; ``organisation_id`` is the body the object belongs to, if any.

    Seeing comes first: the caller has found the object through ``visible_to``. The people of the body at the head of
    the territory write about all of it; those of a member body, whatever their role, about their own body alone (a
    commune's buyer may coordinate a grouping, and still not touch the card or the needs of its neighbour).
    """
    if actor is None:
        return False
    if actor.role == SYSTEM:
        return True
    if actor.role not in RIGHTS[right]:
        return False
    if right in READING_RIGHTS:
        return True
    if actor.role in OWN_ONLY or right in OWN_RIGHTS or not actor.heads_territory:
        return organisation_id is not None and organisation_id == actor.organisation_id
    return True


def require(actor, right: str, *, organisation_id: int | None = None) -> None:
    """Raise NotAllowed (403) with a French sentence unless ``may`` says yes."""
    if not may(actor, right, organisation_id=organisation_id):
        raise NotAllowed("Votre rôle ne permet pas cette action. Adressez-vous à l’acheteur de votre coordonnateur.")


def require_territory(actor, *territory_ids: int | None) -> None:
    """Raise NotAllowed unless every given territory is the actor's own: a write never crosses nor leaves it."""
    if actor.role != SYSTEM and any(territory_id != actor.territory_id for territory_id in territory_ids):
        raise NotAllowed("Cette action sortirait de votre territoire.")
