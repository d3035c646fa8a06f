"""Who may sign the convention, and when: what is refused, and what a person must confirm with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

PREFET = "CE, avis, 10/06/1996, préfet de la Côte-d’Or"
_NAMED = 3


@dataclass(frozen=True)
class Mandate:
    """A known executive of the body: who, in what capacity, from when to when, both ends included."""

    name: str
    title: str
    start_on: date
    end_on: date | None = None

    def covers(self, day: date) -> bool:
        return self.start_on <= day and (self.end_on is None or day <= self.end_on)


@dataclass(frozen=True)
class SignatureFacts:
    """One signature about to be recorded.

    ``executory_on``: since when the body's act is enforceable, None while it is not; ``is_waived``: the body was
    dispensed from voting. ``frozen_on``: the day the text was frozen, None for a text kept outside this tool.
    ``others_unsigned``: the other members that have not signed, for a coordinator that signs last; ``others_last_on``:
    the latest of their dates. ``mandate``: the executive who signed, None when the register does not know the
    signatory; ``has_register``: it knows executives of this body.
    """

    signed_on: date
    today: date
    opened_on: date
    executory_on: date | None
    is_waived: bool = False
    frozen_on: date | None = None
    is_last: bool = False
    others_unsigned: Sequence[str] = ()
    others_last_on: date | None = None
    signatory: str = ""
    mandate: Mandate | None = None
    has_register: bool = False
    voted_other_text: bool = False


@dataclass(frozen=True)
class Caution:
    """Something a person may go past, with a reason the journal keeps."""

    code: str
    sentence: str


def refusal(facts: SignatureFacts) -> str:
    """Why that signature cannot be recorded, one French sentence; empty when it can.

    An executive who signs before its act is enforceable has no power to (CE, avis, 10/06/1996, préfet de la
    Côte-d’Or); a date in the future is no signature yet; nobody signs a text that was not frozen.
    """
    signed_on = facts.signed_on
    if facts.executory_on is None and not facts.is_waived:
        return (
            "L’acte n’est pas encore exécutoire\u00a0: la transmission et la publication précèdent la signature "
            f"({PREFET})."
        )
    if signed_on > facts.today:
        return f"Le {signed_on:%d/%m/%Y} n’est pas encore venu."
    if facts.executory_on and signed_on < facts.executory_on:
        return (
            f"Signée le {signed_on:%d/%m/%Y}, avant que la délibération ne soit exécutoire, le "
            f"{facts.executory_on:%d/%m/%Y}\u00a0: le signataire n’en avait pas le pouvoir ({PREFET})."
        )
    if not facts.executory_on and signed_on < facts.opened_on:
        return f"Signée le {signed_on:%d/%m/%Y}, avant l’ouverture du groupement, le {facts.opened_on:%d/%m/%Y}."
    if facts.frozen_on and signed_on < facts.frozen_on:
        return (
            f"Signée le {signed_on:%d/%m/%Y}, avant que cette version ne soit figée, le "
            f"{facts.frozen_on:%d/%m/%Y}\u00a0: c’est un autre texte qui a été signé."
        )
    if facts.is_last and facts.others_unsigned:
        return f"Le coordonnateur signe en dernier\u00a0: il attend encore {named(facts.others_unsigned)}."
    if facts.is_last and facts.others_last_on and signed_on < facts.others_last_on:
        return (
            f"Le coordonnateur signe en dernier\u00a0: un membre a signé le {facts.others_last_on:%d/%m/%Y}, après le "
            f"{signed_on:%d/%m/%Y}."
        )
    return ""


def cautions(facts: SignatureFacts) -> list[Caution]:
    """What must be confirmed with a reason before that signature is recorded. A text kept outside: nothing."""
    if facts.frozen_on is None:
        return []
    found, mandate = [], facts.mandate
    if mandate and facts.signed_on < mandate.start_on:
        found.append(
            Caution(
                "mandate",
                f"Le mandat de {mandate.name} ({mandate.title}) ne commence que le {mandate.start_on:%d/%m/%Y}.",
            )
        )
    elif mandate and mandate.end_on and mandate.end_on < facts.signed_on:
        found.append(
            Caution(
                "mandate", f"Le mandat de {mandate.name} ({mandate.title}) a pris fin le {mandate.end_on:%d/%m/%Y}."
            )
        )
    if mandate is None and facts.has_register:
        found.append(
            Caution(
                "signatory",
                f"«\u00a0{facts.signatory}\u00a0» n’est ni l’exécutif de cet organisme, ni un adjoint ou un "
                "vice-président enregistré\u00a0: une délégation de signature est nécessaire.",
            )
        )
    if facts.is_waived and facts.executory_on is None:
        found.append(
            Caution("power", "Aucune délibération n’habilite le signataire\u00a0: ce membre est dispensé de délibérer.")
        )
    if facts.voted_other_text:
        found.append(Caution("text", "L’assemblée de ce membre a voté un autre texte que cette version."))
    return found


def capacity_on(mandates: Sequence[Mandate], day: date) -> Mandate | None:
    """The mandate that covers ``day`` among those of one person, else the latest begun, else the first to come: the
    same person may be deputy, then head."""
    covering = [mandate for mandate in mandates if mandate.covers(day)]
    if covering:
        return max(covering, key=lambda mandate: mandate.start_on)
    before = [mandate for mandate in mandates if mandate.start_on <= day]
    if before:
        return max(before, key=lambda mandate: mandate.start_on)
    return min(mandates, key=lambda mandate: mandate.start_on, default=None)


def named(names: Sequence[str]) -> str:
    """« Lattes », « Lattes et Pérols », « Lattes, Pérols, Jacou et 4 autres »."""
    if len(names) > _NAMED:
        rest = len(names) - _NAMED
        return f"{', '.join(names[:_NAMED])} et {rest} autre{'s' if rest > 1 else ''}"
    return " et ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
