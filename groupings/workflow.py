"""The life cycle of a grouping, one row per step."""

from groupings.choices import GroupingStatus as S
from groupings.rules.gate import convention_refusal, launch_refusal, votes_refusal
from members.roles import Role
from procurement.core.workflow import Transition, Workflow

_COORDINATION = (Role.BUYER, Role.JURIST)


def _needs_closed(grouping) -> str:
    from groupings.models import NeedLine

    active = grouping.memberships.active()
    answered = NeedLine.objects.active().filter(membership__grouping=grouping).values("membership").distinct().count()
    return convention_refusal(lots=grouping.lots.count(), members=active.count(), members_with_needs=answered)


def _convention_frozen(grouping) -> str:
    return votes_refusal(has_convention=grouping.conventions.exists())


def _may_launch(grouping) -> str:
    from groupings.models import NeedLine

    concerned = NeedLine.objects.active().filter(membership__grouping=grouping).values("membership")
    waiting = [
        deliberation.membership.organisation.name
        for deliberation in _deliberations(grouping, concerned)
        if deliberation.status != "not_required" and deliberation.executory_on is None
    ]
    voting = _deliberations(grouping, concerned).values("membership")
    unasked = (
        grouping.memberships.active().filter(pk__in=concerned).exclude(pk__in=voting).select_related("organisation")
    )
    return launch_refusal(waiting=[*waiting, *(membership.organisation.name for membership in unasked)])


def _deliberations(grouping, memberships):
    from groupings.models import Deliberation

    return Deliberation.objects.filter(membership__in=memberships, purpose="membership").select_related(
        "membership__organisation"
    )


GROUPING_WORKFLOW = Workflow(
    "status",
    dict(S.choices),
    [
        Transition("close_needs", "Clore le recensement", (S.NEEDS,), S.CONVENTION, _COORDINATION, _needs_closed),
        Transition(
            "reopen_needs", "Rouvrir le recensement", (S.CONVENTION,), S.NEEDS, _COORDINATION, needs_reason=True
        ),
        Transition(
            "start_votes", "Envoyer aux assemblées", (S.CONVENTION,), S.DELIBERATIONS, _COORDINATION, _convention_frozen
        ),
        Transition(
            "revise_convention", "Revenir au projet", (S.DELIBERATIONS,), S.CONVENTION, _COORDINATION, needs_reason=True
        ),
        Transition("launch", "Lancer la consultation", (S.DELIBERATIONS,), S.CONSULTATION, _COORDINATION, _may_launch),
        Transition("start_award", "Clore la consultation", (S.CONSULTATION,), S.AWARD, _COORDINATION),
        Transition("start_performance", "Notifier", (S.AWARD,), S.PERFORMANCE, _COORDINATION),
        Transition("start_review", "Faire le bilan", (S.PERFORMANCE,), S.REVIEW, _COORDINATION),
        Transition(
            "cancel",
            "Abandonner",
            (S.NEEDS, S.CONVENTION, S.DELIBERATIONS, S.CONSULTATION, S.AWARD),
            S.CANCELLED,
            _COORDINATION,
            needs_reason=True,
        ),
    ],
)
