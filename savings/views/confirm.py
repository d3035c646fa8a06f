"""The member's side: its own reference prices, confirmed by one click or contested in one sentence."""

from collections import defaultdict
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.models import Grouping
from groupings.price_file import decimals
from members.roles import may
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, posted_or_back, submit
from savings.actions.baseline import baseline_confirm, baseline_object, baselines_confirm
from savings.entry import baseline_badge
from savings.forms.baseline import ObjectionForm
from savings.models import Baseline
from savings.views.navigation import savings_tabs


@dataclass(frozen=True)
class Asked:
    """One reference to answer. ``is_mine``: the reader entered it, a colleague confirms it."""

    baseline: Baseline
    is_mine: bool

    @property
    def price(self) -> str:
        return decimals(self.baseline.price_before)

    @property
    def badge(self):
        return baseline_badge(self.baseline)


@dataclass(frozen=True)
class AskedGrouping:
    grouping: Grouping
    asked: list[Asked]

    @property
    def confirmable(self) -> list[Baseline]:
        return [one.baseline for one in self.asked if not one.is_mine and not one.baseline.objection]


@require_safe
def baselines_to_confirm(request: HttpRequest) -> HttpResponse:
    """What waits for the reader's own body, grouping by grouping."""
    return _render(request)


def own_baselines(affiliation) -> QuerySet[Baseline]:
    """The frozen references of the reader's very body that nobody confirmed, those it contests included."""
    if affiliation is None:
        return Baseline.objects.none()
    found = Baseline.objects.visible_to(affiliation).current()
    return found.filter(
        membership__organisation_id=affiliation.organisation_id,
        frozen_at__isnull=False,
        confirmed_at__isnull=True,
        price_before__isnull=False,
    ).select_related("lot", "membership__organisation", "membership__grouping__coordinator", "evidence")


def _render(request: HttpRequest, *, refusal: str = "", status: int = 200) -> HttpResponse:
    by_grouping: dict[Grouping, list[Asked]] = defaultdict(list)
    affiliation = request.affiliation
    for baseline in own_baselines(affiliation).order_by(
        "membership__grouping__reference", "membership__grouping_id", "lot__number", "designation"
    ):
        is_mine = baseline.entered_by_id is not None and baseline.entered_by_id == affiliation.user_id
        by_grouping[baseline.membership.grouping].append(Asked(baseline, is_mine))
    context = {
        "groupings": [AskedGrouping(grouping, asked) for grouping, asked in by_grouping.items()],
        "may_confirm": _may_confirm(affiliation),
        "refusal": refusal,
        "tabs": savings_tabs(affiliation, "baselines_to_confirm"),
    }
    return render(request, "savings/to_confirm.html", context, status=status)


def _may_confirm(affiliation) -> bool:
    own = affiliation.organisation_id if affiliation else None
    return own is not None and may(affiliation, "savings.confirm", organisation_id=own)


def _find(request: HttpRequest, baseline_pk: int) -> Baseline:
    """A reference the reader may read; the action says whether its body answers for it."""
    found = Baseline.objects.visible_to(request.affiliation)
    return get_object_or_404(
        found.select_related("lot", "membership__organisation", "membership__grouping__coordinator"), pk=baseline_pk
    )


@posted_or_back("baselines_to_confirm")
def baseline_confirm_one(request: HttpRequest, baseline_pk: int) -> HttpResponse:
    """« Je confirme ce prix »."""
    baseline = _find(request, baseline_pk)
    try:
        baseline_confirm(baseline=baseline, actor=request.affiliation, now=timezone.now())
    except NotAllowed:
        raise
    except BusinessError as refusal:
        return _render(request, refusal=str(refusal), status=422)
    messages.success(request, f"Prix confirmé\u00a0: {baseline.designation}.")
    return redirect("baselines_to_confirm")


@posted_or_back("baselines_to_confirm")
def baselines_confirm_grouping(request: HttpRequest, pk: int) -> HttpResponse:
    """All those of one grouping, but what the reader entered or contested."""
    get_object_or_404(Grouping.objects.visible_to(request.affiliation), pk=pk)
    if not _may_confirm(request.affiliation):
        raise NotAllowed("Un prix de référence est confirmé par le membre qui l’a payé.")
    waiting = own_baselines(request.affiliation).filter(membership__grouping_id=pk, objection="")
    chosen = [one for one in waiting if one.entered_by_id != request.affiliation.user_id]
    try:
        done = baselines_confirm(baselines=chosen, actor=request.affiliation, now=timezone.now())
    except BusinessError as refusal:
        return _render(request, refusal=str(refusal), status=422)
    s = "s" if done > 1 else ""
    told = f"{done} prix confirmé{s}." if done else "Il ne restait aucun prix à confirmer."
    messages.success(request, told)
    return redirect("baselines_to_confirm")


@require_http_methods(["GET", "HEAD", "POST"])
def baseline_contest(request: HttpRequest, baseline_pk: int) -> HttpResponse:
    """Say what is wrong with a price."""
    baseline = _find(request, baseline_pk)
    if baseline.membership.organisation_id != request.affiliation.organisation_id or not _may_confirm(
        request.affiliation
    ):
        raise NotAllowed("Un prix de référence est contesté par le membre qui l’a payé.")
    form = ObjectionForm(posted(request), initial={"objection": baseline.objection}, use_required_attribute=False)

    def write() -> None:
        baseline_object(baseline=baseline, objection=form.cleaned_data["objection"], actor=request.affiliation)

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Désaccord transmis à l’acheteur\u00a0: {baseline.designation}.")
        return redirect("baselines_to_confirm")
    context = {
        "baseline": baseline,
        "price": None if baseline.price_before is None else decimals(baseline.price_before),
        "form": form,
        "tabs": savings_tabs(request.affiliation, "baseline_object"),
    }
    return render(request, "savings/contest.html", context, status=422 if form.is_bound else 200)
