"""The life cycles of a grouping and of a deliberation, one row per step."""

from groupings.amendment_choices import AmendmentStatus
from groupings.choices import AWAITING_VOTE, DeliberationStatus, GroupingKind
from groupings.choices import DeliberationStatus as D
from groupings.choices import FeeStatementStatus as F
from groupings.choices import GroupingStatus as S
from groupings.rules.amendments import unjoined
from groupings.rules.gate import (
    closing_refusal,
    convention_refusal,
    launch_refusal,
    notification_refusal,
    votes_refusal,
)
from members.roles import Role
from procurement.core.workflow import UNCHANGED, Transition, Workflow

_COORDINATION = (Role.BUYER, Role.JURIST)


def _needs_closed(grouping) -> str:
    from groupings.models import NeedLine

    active = grouping.memberships.active()
    buying = NeedLine.objects.active().filter(membership__grouping=grouping).values("membership").distinct().count()
    return convention_refusal(
        lots=grouping.lots.count(),
        members=active.count(),
        members_answered=active.with_answer().filter(has_answer=True).count(),
        members_with_needs=buying,
    )


def _convention_frozen(grouping) -> str:
    return votes_refusal(has_convention=grouping.conventions.exists())


def _may_launch(grouping) -> str:
    from groupings.forecast import launch_readiness, unbounded_lots

    # The action has set the day of the launch; on any other day nobody may launch.
    lots = unbounded_lots(grouping.lots.all(), grouping.launched_on) if grouping.launched_on else []
    return launch_refusal(**launch_readiness(grouping), unbounded=lots) or _unjoined(grouping)


def _unjoined(grouping) -> str:
    """A permanent grouping that uses bulletins launches with the members who sent one; those it has never used launch
    as before."""
    from groupings.models import JoiningForm, NeedLine

    forms = JoiningForm.objects.filter(membership__grouping=grouping)
    if grouping.kind != GroupingKind.PERMANENT or not forms.exists():
        return ""
    needs = NeedLine.objects.active().filter(membership__grouping=grouping)
    needing = needs.exclude(membership__organisation=grouping.coordinator_id).order_by("membership__organisation__name")
    names = needing.values_list("membership__organisation__name", flat=True).distinct()
    accepted = forms.filter(accepted_on__isnull=False)
    return unjoined(names, accepted.values_list("membership__organisation__name", flat=True))


def _offers_due(grouping) -> str:
    first = grouping.consultations.filter(number=1).first()
    return closing_refusal(has_consultation=first is not None, offers_due_at=first and first.offers_due_at)


def _all_notified(grouping) -> str:
    from groupings.tender import award_readiness

    return notification_refusal(**award_readiness(grouping))


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
        Transition("start_award", "Clore la consultation", (S.CONSULTATION,), S.AWARD, _COORDINATION, _offers_due),
        Transition("start_performance", "Notifier", (S.AWARD,), S.PERFORMANCE, _COORDINATION, _all_notified),
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


_WRITERS = (Role.BUYER, Role.JURIST, Role.MEMBER_AGENT)


def _is_followed(deliberation) -> str:
    if deliberation.membership.grouping.status == S.CANCELLED:
        return "Ce groupement est abandonné\u00a0: ses délibérations ne changent plus."
    if deliberation.amendment is not None and deliberation.amendment.status == AmendmentStatus.ABANDONED:
        return "Cet avenant est abandonné\u00a0: ses délibérations ne changent plus."
    if deliberation.membership.is_gone:
        return f"{deliberation.membership.organisation.name} ne participe plus à ce groupement."
    return ""


def _step(name, label, sources, target, roles=_WRITERS, *, needs_reason=False) -> Transition:
    return Transition(name, label, tuple(sources), target, roles, _is_followed, needs_reason)


#: domain.md §3.6. Transmitted, received, published and enforceable are dates of an adopted deliberation, independent
#: of one another, and not states.
DELIBERATION_WORKFLOW = Workflow(
    "status",
    dict(DeliberationStatus.choices),
    [
        _step(
            "send_draft", "Envoyer le modèle", (D.TO_SCHEDULE, D.POSTPONED, D.NO_QUORUM), D.DRAFT_SENT, _COORDINATION
        ),
        _step("schedule", "Inscrire à l’ordre du jour", AWAITING_VOTE, D.ON_AGENDA),
        _step("convene", "Enregistrer la convocation", (D.ON_AGENDA,), D.CONVENED),
        _step("unschedule", "Retirer de l’ordre du jour", (D.ON_AGENDA, D.CONVENED), D.TO_SCHEDULE, needs_reason=True),
        _step("adopt", "Adoptée", AWAITING_VOTE, D.ADOPTED),
        _step("reject", "Rejetée", AWAITING_VOTE, D.REJECTED),
        _step("postpone", "Reportée", AWAITING_VOTE, D.POSTPONED),
        _step("miss_quorum", "Quorum non atteint", AWAITING_VOTE, D.NO_QUORUM),
        _step("vote_again", "Délibérer de nouveau", (D.REJECTED, D.WITHDRAWN, D.ANNULLED), D.TO_SCHEDULE),
        _step(
            "undo_vote",
            "Annuler la saisie du vote",
            (D.ADOPTED, D.REJECTED, D.POSTPONED, D.NO_QUORUM),
            D.TO_SCHEDULE,
            needs_reason=True,
        ),
        _step(
            "record_effect", "Enregistrer transmission, réception, publication", (D.ADOPTED, D.CHALLENGED), UNCHANGED
        ),
        _step("challenge", "Acte contesté", (D.ADOPTED,), D.CHALLENGED, _COORDINATION, needs_reason=True),
        _step("dismiss_challenge", "Recours écarté", (D.CHALLENGED,), D.ADOPTED, _COORDINATION, needs_reason=True),
        _step("annul", "Acte annulé par le juge", (D.CHALLENGED,), D.ANNULLED, _COORDINATION, needs_reason=True),
        _step("withdraw", "Acte retiré par son auteur", (D.ADOPTED, D.CHALLENGED), D.WITHDRAWN, needs_reason=True),
        _step(
            "waive",
            "Dispenser de délibérer",
            (D.TO_SCHEDULE, D.DRAFT_SENT),
            D.NOT_REQUIRED,
            _COORDINATION,
            needs_reason=True,
        ),
        _step("require", "Demander une délibération", (D.NOT_REQUIRED,), D.TO_SCHEDULE, _COORDINATION),
    ],
)


#: A statement is approved when it is written; before, the fees of a year are what the expenses say.
FEE_STATEMENT_WORKFLOW = Workflow(
    "status",
    dict(F.choices),
    [
        Transition("issue", "Émettre les appels de fonds", (F.APPROVED,), F.CALLED, (*_COORDINATION, Role.FINANCE)),
        Transition(
            "replace",
            "Remplacer par un état corrigé",
            (F.APPROVED, F.CALLED),
            F.REPLACED,
            (Role.FINANCE,),
            needs_reason=True,
        ),
    ],
)
