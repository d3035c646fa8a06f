"""The back-planning of one grouping: drawn, listed, taken into its calendar, downloaded as a calendar file."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from groupings.actions.back_planning import calendar_adopt
from groupings.back_planning import Basis, basis_of, contracted, is_planned, journalled, plan_of, reached, reopened
from groupings.choices import Badge
from groupings.contract_value import value_of
from groupings.exchange.ics import ICS_TYPE, write_calendar
from groupings.models import Consultation, Grouping, NeedLine
from groupings.procedures import frozen_value
from groupings.rules.back_planning import BackPlanning, Stage, State
from groupings.stage_events import stage_events
from groupings.timeline import WORDS, timeline
from groupings.views.common import find_grouping, may_change, require_change, sees_all
from groupings.views.detail import PLANNED, frozen_amounts
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import download_response, safe_filename
from procurement.core.journal.models import JournalEntry
from procurement.core.submission import posted_or_back

_BADGES = {
    State.DONE: Badge(WORDS[State.DONE], "green", "check-circle-fill"),
    State.LATE: Badge(WORDS[State.LATE], "late", "exclamation-triangle-fill"),
    State.TIGHT: Badge(WORDS[State.TIGHT], "amber", "hourglass-split"),
    State.RUNNING: Badge(WORDS[State.RUNNING], "blue", "arrow-repeat"),
    State.PLANNED: Badge(WORDS[State.PLANNED], "neutral", "circle"),
}


@dataclass
class StageRow:
    stage: Stage
    badge: Badge


@dataclass
class Proposal:
    """One date of the calendar: what stands, and what is proposed."""

    label: str
    now: date | None
    proposed: date


@require_safe
def back_planning(request: HttpRequest, pk: int) -> HttpResponse:
    """The stages, for everybody who sees the grouping: dates, and no amount."""
    return _render_page(request, _find(request, pk))


@posted_or_back("back_planning", "pk")
def back_planning_adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the proposed dates into the grouping's calendar."""
    grouping = _find(request, pk)
    require_change(grouping, request.affiliation)
    typed = request.POST.get("version", "")
    version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    try:
        calendar_adopt(
            grouping=grouping, actor=request.affiliation, today=timezone.localdate(), expected_version=version
        )
    except NotAllowed:
        raise
    except BusinessError as error:
        return _render_page(request, _find(request, pk), refusal=error.message)
    messages.success(request, "Les dates du rétroplanning sont reprises dans le calendrier du groupement.")
    return redirect("back_planning", pk)


@require_safe
def back_planning_ics(request: HttpRequest, pk: int) -> HttpResponse:
    """The stages as a calendar file."""
    grouping = _find(request, pk)
    if not is_planned(grouping):
        raise BusinessError("Indiquez d’abord le début d’exécution prévu\u00a0: le rétroplanning part de lui.")
    plan, _ = _plan(grouping, request.affiliation, timezone.localdate())
    last = JournalEntry.objects.filter(thread=grouping.thread).order_by("-pk").values_list("pk", flat=True).first()
    events = stage_events(grouping, plan, sequence=last or 0)
    response = download_response(
        write_calendar(events, name=f"Rétroplanning – {grouping.reference}", made_at=timezone.now()),
        filename=safe_filename(f"retroplanning-{grouping.reference}.ics"),
        content_type=ICS_TYPE,
    )
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _find(request: HttpRequest, pk: int) -> Grouping:
    grouping = find_grouping(request, pk)
    if grouping.is_declared_only:
        raise BusinessError(
            "Un groupement seulement déclaré est suivi par une autre direction\u00a0: son calendrier aussi."
        )
    return grouping


def _plan(grouping: Grouping, affiliation, today: date) -> tuple[BackPlanning, Basis]:
    """The plan as the reader may know it: its procedure comes from the needs for the coordinator's people, from the
    frozen convention for a member, from the consultation for all."""
    memberships = list(grouping.memberships.with_approval(today))
    consultation: Consultation | None = grouping.consultations.first() if grouping.is_launched else None
    value = None
    if sees_all(grouping, affiliation):
        needs = NeedLine.objects.visible_to(affiliation).filter(membership__grouping=grouping)
        value = value_of(grouping, memberships, grouping.lots.all(), needs)
    elif frozen := frozen_amounts(convention := grouping.conventions.first(), affiliation, everything=False):
        value = frozen_value(convention, frozen)
    basis = basis_of(grouping, value, today, consultation)
    done = journalled(grouping, reached(grouping, memberships, today))
    if consultation is not None:
        if reopened(grouping, consultation):
            done.pop("tender", None)
        done |= contracted(grouping, consultation, affiliation)
    return plan_of(grouping, memberships, basis, done, today), basis


def _render_page(request: HttpRequest, grouping: Grouping, *, refusal: str = "") -> HttpResponse:
    today = timezone.localdate()
    context = {
        "grouping": grouping,
        "today": today,
        "refusal": refusal,
        "may_change": may_change(grouping, request.affiliation),
        "plan": None,
    }
    if is_planned(grouping):
        plan, basis = _plan(grouping, request.affiliation, today)
        context |= {
            "plan": plan,
            "basis": basis,
            "rows": [StageRow(stage, _BADGES[stage.state]) for stage in plan.stages],
            "timeline": timeline(plan),
            "proposals": _proposals(grouping, plan),
        }
    return render(request, "groupings/back_planning.html", context, status=422 if refusal else 200)


def _proposals(grouping: Grouping, plan: BackPlanning) -> list[Proposal]:
    """What differs from the grouping's calendar; nothing once launched."""
    if not grouping.is_in_preparation:
        return []
    labels = dict(PLANNED)
    return [
        Proposal(labels[field], getattr(grouping, field), on)
        for field, on in plan.proposed.items()
        if getattr(grouping, field) != on
    ]
