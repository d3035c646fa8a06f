"""Who acts: a person through an affiliation, or the system from a command or a task."""

from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """What an action needs to know of the one who acts. ``members.Affiliation`` is one, ``SystemActor`` another."""

    user_id: int | None
    organisation_id: int | None
    role: str

    @property
    def actor_label(self) -> str: ...

    @property
    def territory_id(self) -> int | None: ...


@dataclass(frozen=True)
class SystemActor:
    """A command or a task: it holds every right, and the journal names it."""

    actor_label: str
    user_id: int | None = None
    organisation_id: int | None = None
    role: str = "system"
    territory_id: int | None = None
