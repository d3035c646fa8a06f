"""The launch: when it is lawful, who blocks it, and launching without them."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.launch import Scope, grouping_launch_without, tender_scope
from groupings.choices import GroupingStatus
from groupings.forecast import launch_states
from groupings.forms.membership import CheckboxList
from groupings.models import Grouping
from groupings.rules.launch import Forecast, MemberForecast, forecast
from groupings.views.common import find_grouping, require_change
from procurement.core.errors import BusinessError
from procurement.core.forms import StyledFormMixin
from procurement.core.submission import posted, submit


@dataclass(frozen=True)
class LaunchCard:
    """The launch as the page of a grouping tells it."""

    forecast: Forecast
    planned_on: date | None

    @cached_property
    def waited(self) -> list[MemberForecast]:
        """Those the launch waits for: the unknown dates first, then the latest."""
        late = [line for line in self.forecast.members if line.member.in_tender and not self._is_ready(line)]
        return sorted(late, key=lambda line: (line.ready_on is not None, -(line.ready_on or date.min).toordinal()))

    @property
    def ready_count(self) -> int:
        return sum(1 for line in self.forecast.members if line.member.in_tender and self._is_ready(line))

    @property
    def count(self) -> int:
        return sum(1 for line in self.forecast.members if line.member.in_tender)

    @property
    def days_late(self) -> int:
        """Days between the planned launch and the forecast; 0 when it holds or when one of them is unknown."""
        if self.planned_on is None or self.forecast.launch_on is None:
            return 0
        return max(0, (self.forecast.launch_on - self.planned_on).days)

    @property
    def may_go_without(self) -> bool:
        """Whether somebody waited for is free to leave."""
        return any(line.member.can_leave for line in self.waited)

    def _is_ready(self, line: MemberForecast) -> bool:
        return line.is_known and line.ready_on is not None and line.ready_on <= self.forecast.today


def launch_card(grouping: Grouping, states: list, today: date) -> LaunchCard | None:
    """None once launched, abandoned, or while nobody takes part."""
    if not grouping.is_in_preparation or not any(state.in_tender for state in states):
        return None
    return LaunchCard(forecast(states, today=today), grouping.launch_planned_on)


class LaunchWithoutForm(StyledFormMixin, forms.Form):
    """Who leaves, and why. Only the members that are not ready and are free to leave are proposed."""

    leaving = forms.TypedMultipleChoiceField(
        label="Membres qui quittent le groupement",
        coerce=int,
        widget=CheckboxList,
        error_messages={
            "required": "Cochez au moins un membre.",
            "invalid_choice": "Ce membre ne peut pas être exclu.",
        },
    )
    reason = forms.CharField(
        label="Motif", max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Il sera inscrit au journal."
    )

    def __init__(self, *args, card: LaunchCard | None, **kwargs):
        super().__init__(*args, **kwargs)
        waited = card.waited if card else []
        free = [line for line in waited if line.member.can_leave]
        self.fields["leaving"].choices = [
            (line.member.key, f"{line.member.name}\u00a0– {line.reason}") for line in free
        ]
        self.initial.setdefault("leaving", [line.member.key for line in free])


@require_http_methods(["GET", "HEAD", "POST"])
def grouping_launch_without_members(request: HttpRequest, pk: int) -> HttpResponse:
    """Before and after, side by side; then the launch without those ticked."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    today = timezone.localdate()
    if grouping.status != GroupingStatus.DELIBERATIONS:
        raise BusinessError("Seul un groupement à l’étape des délibérations et signatures peut être lancé.")
    states = launch_states(grouping, grouping.memberships.with_approval(today), today)
    form = LaunchWithoutForm(posted(request), card=launch_card(grouping, states, today), use_required_attribute=False)

    def write() -> None:
        grouping_launch_without(
            grouping=grouping,
            membership_ids=form.cleaned_data["leaving"],
            actor=request.affiliation,
            today=today,
            reason=form.cleaned_data["reason"],
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"{grouping.reference}\u00a0: consultation lancée. Produisez la convention à jour.")
        return redirect("grouping_detail", pk)
    context = {"form": form, "grouping": grouping, "scopes": _scopes(request, form, grouping, today)}
    return render(request, "groupings/launch_without.html", context, status=422 if form.is_bound else 200)


def _scopes(request: HttpRequest, form: LaunchWithoutForm, grouping: Grouping, today: date) -> list[tuple[str, Scope]]:
    """With everybody, and without those ticked (else those proposed)."""
    ticked = request.POST.getlist("leaving") if form.is_bound else form["leaving"].value()
    allowed = {key for key, _ in form.fields["leaving"].choices}
    without = {int(key) for key in ticked or [] if str(key).isascii() and str(key).isdigit()} & allowed
    return [
        ("Avec tous les membres", tender_scope(grouping, today)),
        ("Sans les membres cochés", tender_scope(grouping, today, without=without)),
    ]
