"""The life cycle of an amendment, one row per step."""

from groupings.amendment_choices import AmendmentStatus as A
from members.roles import Role
from procurement.core.workflow import Transition, Workflow

_COORDINATION = (Role.BUYER, Role.JURIST)


def _all_executory(amendment) -> str:
    from groupings.amendments import unvoted

    if names := unvoted(amendment):
        return f"La délibération n’est pas exécutoire pour {', '.join(names)}."
    return ""


def _all_signed(amendment) -> str:
    from groupings.amendments import unsigned

    if names := unsigned(amendment):
        return f"L’avenant n’est pas signé par {', '.join(names)}."
    return ""


#: domain.md §1.8. Voted and signed, an amendment whose effect is still to come waits in « En signature »; the daily
#: task then takes the last step.
AMENDMENT_WORKFLOW = Workflow(
    "status",
    dict(A.choices),
    [
        Transition("freeze", "Arrêter le texte", (A.DRAFT,), A.FINAL, _COORDINATION),
        Transition("start_votes", "Envoyer aux assemblées", (A.FINAL,), A.VOTES, _COORDINATION),
        Transition("start_signatures", "Passer à la signature", (A.VOTES,), A.SIGNATURE, _COORDINATION, _all_executory),
        Transition("enter", "Entrer en vigueur", (A.SIGNATURE,), A.IN_FORCE, _COORDINATION, _all_signed),
        Transition(
            "abandon",
            "Abandonner",
            (A.DRAFT, A.FINAL, A.VOTES, A.SIGNATURE),
            A.ABANDONED,
            _COORDINATION,
            needs_reason=True,
        ),
    ],
)
