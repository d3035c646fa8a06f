"""The life cycle of one version of a convention, one row per step.

Steps without a role follow from another act: a step of the grouping, or the freezing of another version. Guards read
the stored row, locked by ``actions.convention_life``.
"""

from groupings.choices import ConventionStatus as C
from groupings.choices import GroupingStatus
from groupings.rules.convention_gate import (
    force_refusal,
    open_refusal,
    sending_refusal,
    signature_refusal,
    text_refusal,
    unsigning_refusal,
)
from members.roles import Role
from procurement.core.workflow import Transition, Workflow

_COORDINATION = (Role.BUYER, Role.JURIST)
#: What may still be replaced by another version.
OPEN = (C.DRAFT, C.COMMENTS, C.FINAL, C.VOTES, C.SIGNATURE)
#: The text is frozen: decisions that arrive do not make another version of it.
FROZEN = (C.FINAL, C.VOTES, C.SIGNATURE)
#: An amendment alone changes it.
CLOSED = (C.IN_FORCE, C.ENDED)
#: Steps taken by an act on the grouping alone.
FOLLOWING = ("reopen_signature", "replace", "revise", "abandon")


def _followed(convention) -> str:
    return open_refusal(is_cancelled=convention.grouping.status == GroupingStatus.CANCELLED)


def _text_is_current(convention) -> str:
    from groupings.convention_life import is_text_current

    return _followed(convention) or text_refusal(version=convention.version, is_current=is_text_current(convention))


def _may_go_to_the_assemblies(convention) -> str:
    is_surveyed = convention.grouping.status in (GroupingStatus.CONVENTION, GroupingStatus.DELIBERATIONS)
    return sending_refusal(is_surveyed=is_surveyed) or _text_is_current(convention)


def _everybody_voted_it(convention) -> str:
    from groupings.convention_life import names_of, voted_another_text, waiting_for_act

    return signature_refusal(
        waiting=names_of(waiting_for_act(convention.grouping)),
        voted_other=names_of(voted_another_text(convention.grouping, current=convention)),
        version=convention.version,
    )


def _everybody_signed(convention) -> str:
    from groupings.circuit import unsigned
    from groupings.convention_life import names_of

    return force_refusal(unsigned=names_of(unsigned(convention)))


def _nobody_signed(convention) -> str:
    from groupings.circuit import signed
    from groupings.convention_life import names_of

    return unsigning_refusal(signed=names_of(signed(convention)), version=convention.version)


CONVENTION_WORKFLOW = Workflow(
    "status",
    dict(C.choices),
    [
        Transition("open_comments", "Ouvrir la relecture", (C.DRAFT,), C.COMMENTS, _COORDINATION, _followed),
        Transition(
            "back_to_draft", "Reprendre le projet", (C.COMMENTS, C.FINAL), C.DRAFT, _COORDINATION, needs_reason=True
        ),
        Transition("make_final", "Arrêter le texte", (C.DRAFT, C.COMMENTS), C.FINAL, _COORDINATION, _text_is_current),
        Transition(
            "start_votes",
            "Envoyer aux assemblées",
            (C.FINAL,),
            C.VOTES,
            _COORDINATION,
            _may_go_to_the_assemblies,
        ),
        Transition(
            "start_signature", "Ouvrir la signature", (C.VOTES,), C.SIGNATURE, _COORDINATION, _everybody_voted_it
        ),
        Transition(
            "enter_into_force",
            "Constater l’entrée en vigueur",
            (C.SIGNATURE,),
            C.IN_FORCE,
            _COORDINATION,
            _everybody_signed,
        ),
        Transition("reopen_signature", "Rouvrir la signature", (C.IN_FORCE,), C.SIGNATURE, (), needs_reason=True),
        Transition("end", "Constater la fin", (C.IN_FORCE,), C.ENDED, _COORDINATION, needs_reason=True),
        Transition("replace", "Produire une nouvelle version", OPEN, C.SUPERSEDED, (), _nobody_signed),
        Transition(
            "revise",
            "Revenir au projet du groupement",
            (C.COMMENTS, C.FINAL, C.VOTES, C.SIGNATURE),
            C.DRAFT,
            (),
            _nobody_signed,
            needs_reason=True,
        ),
        Transition("abandon", "Abandonner le groupement", (*OPEN, C.IN_FORCE), C.ENDED, (), needs_reason=True),
    ],
)
