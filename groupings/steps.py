"""The steps the page of a deliberation offers: one address, one form and one action each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from groupings.actions import deliberation as actions
from groupings.actions.signatures import signature_record, signature_remove
from groupings.actions.stepping import may_take
from groupings.choices import LAUNCHED, GroupingStatus
from groupings.forms.deliberation import (
    ConveneForm,
    DescribeForm,
    EffectForm,
    PlainForm,
    ReasonForm,
    ScheduleForm,
    SignForm,
    StepForm,
    VoteForm,
)
from groupings.models import Deliberation, Signature
from groupings.rules.remarks import PRESIDENT
from groupings.workflow import DELIBERATION_WORKFLOW
from members.actions import session_save
from members.roles import may
from procurement.core.actors import Actor


@dataclass(frozen=True)
class Step:
    """``slug`` ends its address; ``name`` is its row of the life cycle, empty for a step outside it.

    ``write`` takes the valid form, the actor and today, acts, and returns the end of the sentence that tells it.
    """

    slug: str
    name: str
    title: str
    form_class: type[StepForm]
    write: Callable[[StepForm, Actor, date], str]


def _common(form: StepForm, actor: Actor) -> dict:
    return {"deliberation": form.deliberation, "actor": actor, "expected_version": form.version_read}


def _schedule(form: ScheduleForm, actor: Actor, today: date) -> str:
    session = form.chosen()
    with transaction.atomic():
        if session.pk is None:
            session_save(session=session, actor=actor)
        return actions.deliberation_schedule(session=session, today=today, **_common(form, actor)).told


def _convene(form: ConveneForm, actor: Actor, today: date) -> str:
    typed, session = form.cleaned_data, form.deliberation.session
    # Where the law asks for no document, what the calendar says of one stays as it is.
    has_note = typed.get("has_note", session and session.has_explanatory_note)
    common = _common(form, actor)
    return actions.deliberation_convene(sent_on=typed["sent_on"], has_note=has_note, today=today, **common).told


def _vote(form: VoteForm, actor: Actor, today: date) -> str:
    typed = {name: form.cleaned_data.get(name, "") for name in ("outcome", "meeting_on", "number", "reason")}
    return actions.deliberation_vote(**typed, counts=form.counts(), today=today, **_common(form, actor)).told


def _effect(form: EffectForm, actor: Actor, today: date) -> str:
    typed = {name: value for name, value in form.cleaned_data.items() if name != "version"}
    return actions.deliberation_record_effect(**typed, today=today, **_common(form, actor)).told


def _describe(form: DescribeForm, actor: Actor, today: date) -> str:
    typed = {name: form.cleaned_data[name] for name in ("kind", "matter_code")}
    return actions.deliberation_describe(**typed, **_common(form, actor)).told


def _sign(form: SignForm, actor: Actor, today: date) -> str:
    typed = {name: form.cleaned_data[name] for name in ("signed_on", "signatory", "convention", "reason")}
    signature_record(membership=form.deliberation.membership, actor=actor, today=today, **typed)
    return f"convention signée le {typed['signed_on']:%d/%m/%Y}"


def _unsign(form: ReasonForm, actor: Actor, today: date) -> str:
    signature_remove(
        membership=form.deliberation.membership, actor=actor, today=today, reason=form.cleaned_data["reason"]
    )
    return "signature effacée"


def _unschedule(form: ReasonForm, actor: Actor, today: date) -> str:
    return actions.deliberation_unschedule(reason=form.cleaned_data["reason"], **_common(form, actor)).told


def _reversal(slug: str, name: str) -> Step:
    transition = DELIBERATION_WORKFLOW.get(name)

    def write(form: StepForm, actor: Actor, today: date) -> str:
        reason = form.cleaned_data.get("reason", "")
        return actions.deliberation_reverse(step=name, reason=reason, **_common(form, actor)).told

    return Step(slug, name, transition.label, ReasonForm if transition.needs_reason else PlainForm, write)


SCHEDULE = Step("inscrire", "schedule", "Inscrire à l’ordre du jour", ScheduleForm, _schedule)
CONVENE = Step("convoquer", "convene", "Enregistrer la convocation", ConveneForm, _convene)
VOTE = Step("vote", "adopt", "Saisir le résultat du vote", VoteForm, _vote)
EFFECT = Step("effets", "record_effect", "Saisir la transmission, la réception, la publication", EffectForm, _effect)
SIGN = Step("signature", "", "Enregistrer la signature de la convention", SignForm, _sign)
UNSIGN = Step("effacer-signature", "", "Effacer la signature enregistrée", ReasonForm, _unsign)
DESCRIBE = Step("nature", "", "Changer la nature ou la matière", DescribeForm, _describe)
VOTE_AGAIN = _reversal("deliberer-de-nouveau", "vote_again")
WITHDRAW = _reversal("retrait", "withdraw")
STEPS: dict[str, Step] = {
    step.slug: step
    for step in (
        SCHEDULE,
        CONVENE,
        VOTE,
        EFFECT,
        SIGN,
        VOTE_AGAIN,
        Step("retirer", "unschedule", "Retirer de l’ordre du jour", ReasonForm, _unschedule),
        _reversal("demander", "require"),
        DESCRIBE,
        _reversal("contester", "challenge"),
        _reversal("ecarter-le-recours", "dismiss_challenge"),
        _reversal("annulation", "annul"),
        WITHDRAW,
        _reversal("dispenser", "waive"),
        _reversal("annuler-la-saisie", "undo_vote"),
        UNSIGN,
    )
}


def may_ask(step: Step, deliberation: Deliberation, actor: Actor | None) -> bool:
    """Whether ``actor`` holds the right of that step, whatever the state of the deliberation."""
    membership = deliberation.membership
    if step in (SIGN, UNSIGN):
        return may(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id)
    if step is CONVENE and not may(actor, "organisation.change", organisation_id=membership.organisation_id):
        return False  # the convocation is written on the body's own calendar
    return may_take(deliberation, step.name or "record_effect", actor)


def offered(deliberation: Deliberation, signature: Signature | None, actor: Actor | None) -> list[Step]:
    """The steps ``actor`` may take now, in the order of the life cycle."""
    grouping = deliberation.membership.grouping
    if grouping.status == GroupingStatus.CANCELLED or deliberation.membership.is_gone:
        return []
    rows = {t.name for t in DELIBERATION_WORKFLOW.open_to(deliberation, actor.role)} if actor else set()
    now = {
        SIGN: deliberation.purpose in Deliberation.APPROVALS
        and not deliberation.amendment_id
        and deliberation.is_cleared
        and signature is None,
        UNSIGN: signature is not None and grouping.status not in LAUNCHED,
        DESCRIBE: True,
    }
    without_meeting = (SCHEDULE, CONVENE) if deliberation.kind == PRESIDENT else ()
    return [
        step
        for step in STEPS.values()
        if now.get(step, step.name in rows) and step not in without_meeting and may_ask(step, deliberation, actor)
    ]
