"""The budget years: what each holds, which are closed, and whether a closed one is as it was."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from members.models import Organisation
from members.roles import may, require
from procurement.core.submission import submit
from savings.actions.locks import year_lock
from savings.choices import GainStage
from savings.forms.locks import LockForm
from savings.ledger import Totals, entries, totals_by
from savings.models import YearLock
from savings.views.lookup import require_coordination
from savings.views.navigation import savings_tabs
from savings.year_facts import verify, waiting_lines


@dataclass(frozen=True)
class StageTotals:
    """The totals of one stage of one year; None when it has no line."""

    stage: str
    label: str
    totals: Totals | None


@dataclass(frozen=True)
class YearRow:
    """One budget year: its three stages apart, and its lock."""

    year: int
    stages: list[StageTotals]
    lock: YearLock | None
    may_lock: bool


@require_http_methods(["GET", "HEAD", "POST"])
def year_locks(request: HttpRequest) -> HttpResponse:
    """Every year; ``?verrouiller=`` asks for confirmation, ``?verifier=`` reads a locked one again; posted, locks."""
    affiliation = request.affiliation
    require_coordination(affiliation)
    if request.method == "POST":
        require(affiliation, "savings.validate", organisation_id=affiliation.territory_id)
        form = LockForm(request.POST)
        territory = Organisation.objects.get(pk=affiliation.territory_id)

        def write() -> None:
            year_lock(territory=territory, year=form.cleaned_data["year"], actor=affiliation, now=timezone.now())

        if submit(form, write):
            year = form.cleaned_data["year"]
            messages.success(request, f"Exercice {year} verrouillé\u00a0: plus rien ne s’y inscrit.")
            return redirect("year_locks")
        return _render(request, form=form, status=422)
    asked = _year(request.GET.get("verrouiller"))
    if asked is not None and may(affiliation, "savings.validate", organisation_id=affiliation.territory_id):
        return _confirm(request, asked)
    return _render(request)


def _year(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) == 4 else None


def _confirm(request: HttpRequest, year: int) -> HttpResponse:
    waiting = waiting_lines(request.affiliation.territory_id, year)
    context = {
        "tabs": savings_tabs(request.affiliation, "year_locks"),
        "year": year,
        "is_running": year == timezone.localdate().year,
        "form": LockForm(initial={"year": year}),
        "stages": _stages(_totals(request.affiliation, year).get(year, {})),
        "waiting": waiting.count(),
    }
    return render(request, "savings/year_lock_confirm.html", context)


def _render(request: HttpRequest, *, form: LockForm | None = None, status: int = 200) -> HttpResponse:
    affiliation = request.affiliation
    locks = {lock.year: lock for lock in YearLock.objects.visible_to(affiliation)}
    found = _totals(affiliation)
    today = timezone.localdate().year
    finance = may(affiliation, "savings.validate", organisation_id=affiliation.territory_id)
    years = sorted({*found, *locks, today}, reverse=True)
    open_years = [year for year in sorted(found) if year not in locks]
    rows = [
        YearRow(
            year,
            _stages(found.get(year, {})),
            locks.get(year),
            finance and year <= today and year not in locks and not any(other < year for other in open_years),
        )
        for year in years
    ]
    verified = locks.get(_year(request.GET.get("verifier")))
    context = {
        "tabs": savings_tabs(affiliation, "year_locks"),
        "rows": rows,
        "form": form,
        "verification": verify(verified) if verified else None,
    }
    return render(request, "savings/year_locks.html", context, status=status)


def _totals(affiliation, year: int | None = None) -> dict[int, dict[str, Totals]]:
    """Year → stage → its sums: one query per stage, since stages are never added together."""
    found: dict[int, dict[str, Totals]] = {}
    for stage in GainStage.values:
        for (each,), totals in totals_by(entries(affiliation, stage=stage, year=year), "year"):
            found.setdefault(each, {})[stage] = totals
    return found


def _stages(found: dict[str, Totals]) -> list[StageTotals]:
    return [StageTotals(stage, label, found.get(stage)) for stage, label in GainStage.choices]
