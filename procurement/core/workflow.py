"""Life cycles as data: one table of transitions per life cycle, readable by a jurist.

A step that is not in the table raises; nothing fails in silence. The documentation table is made from the same rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from procurement.core.errors import TransitionRefused

SYSTEM_ROLE = "system"
#: The target of a step that records a fact and leaves the state as it is.
UNCHANGED = ""


@dataclass(frozen=True)
class Transition:
    """One row of a life cycle.

    ``guard`` receives the object and returns the French reason why the step is refused now, or an empty string.
    ``target`` is UNCHANGED for a step that only records a fact.
    ``roles`` empty: nobody asks for this step, it follows from another act.
    ``needs_reason``: the journal demands a written reason (steps that go back or put an end).
    """

    name: str
    label: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...]
    guard: Callable[[Any], str] | None = None
    needs_reason: bool = False


class Workflow:
    """A life cycle over one state field."""

    def __init__(self, field: str, labels: dict[str, str], transitions: Iterable[Transition]):
        self.field = field
        self.labels = labels
        self.transitions = tuple(transitions)
        self._by_name = {transition.name: transition for transition in self.transitions}
        if len(self._by_name) != len(self.transitions):
            raise ValueError("Deux transitions portent le même nom.")
        unknown = {s for t in self.transitions for s in (*t.sources, t.target)} - {*labels, UNCHANGED}
        if unknown:
            raise ValueError(f"États inconnus\u00a0: {sorted(unknown)}.")

    def get(self, name: str) -> Transition:
        """The transition of that name; raises TransitionRefused when the table has none."""
        try:
            return self._by_name[name]
        except KeyError:
            raise TransitionRefused("Cette étape n’existe pas.") from None

    def open_to(self, obj: Any, role: str) -> list[Transition]:
        """The steps this role may ask for from the object's present state, guards aside (their reason is shown)."""
        state = getattr(obj, self.field)
        return [t for t in self.transitions if state in t.sources and _may(role, t)]

    def advance(self, obj: Any, name: str, *, role: str, reason: str = "") -> Transition:
        """Move ``obj`` to the target state in memory (the action saves) and return the transition.

        Raises TransitionRefused, with the sentence to show, when the state, the role, the guard or the missing reason
        forbids it; the object is then untouched.
        """
        transition = self.get(name)
        state = getattr(obj, self.field)
        if state not in transition.sources:
            raise TransitionRefused(
                f"«\u00a0{transition.label}\u00a0» n’est pas possible depuis l’état «\u00a0{self.labels[state]}\u00a0»."
            )
        if not _may(role, transition):
            raise TransitionRefused(f"Votre rôle ne permet pas l’étape «\u00a0{transition.label}\u00a0».")
        if transition.needs_reason and not reason.strip():
            raise TransitionRefused("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
        refusal = transition.guard(obj) if transition.guard else ""
        if refusal:
            raise TransitionRefused(refusal)
        if transition.target != UNCHANGED:
            setattr(obj, self.field, transition.target)
        return transition

    def markdown(self, role_labels: dict[str, str]) -> str:
        """The table for the documentation, one row per transition."""
        lines = ["| Depuis | Étape | Vers | Qui | Motif écrit |", "|---|---|---|---|---|"]
        for t in self.transitions:
            sources = ", ".join(self.labels[s] for s in t.sources)
            target = self.labels[t.target] if t.target != UNCHANGED else "(inchangé)"
            roles = ", ".join(role_labels[r] for r in t.roles) or "d’office"
            lines.append(f"| {sources} | {t.label} | {target} | {roles} | {'oui' if t.needs_reason else 'non'} |")
        return "\n".join(lines)


def _may(role: str, transition: Transition) -> bool:
    return role == SYSTEM_ROLE or role in transition.roles
