"""The first page of the ledger, and the bridge from last year."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from savings.charts import Bar, Step, band_label, gain_bars, waterfall
from savings.choices import GainStage, Reading
from savings.coverage import in_family
from savings.forms.selection import SelectionForm
from savings.lines import counted_in, line_rows
from savings.models.ledger import euros_of
from savings.overview import Selection, YearOverview, year_overview
from savings.passage import told_terms, year_bridge
from savings.views.navigation import savings_tabs
from savings.views.reading import query_of, require_affiliation

#: What the first page shows of a list that has its own page.
LOSSES_SHOWN = 10
BARS_SHOWN = 25


@require_safe
def savings_home(request: HttpRequest) -> HttpResponse:
    """The headline of a year, its groupings, and what is no gain, apart. A member reads its own figures alone."""
    affiliation = require_affiliation(request)
    form = SelectionForm(request.GET, affiliation=affiliation, year=timezone.localdate().year)
    selection = form.selection()
    year = year_overview(affiliation, selection)
    context = {
        "figures": year,
        "chart": gain_bars(_bars(year), band=settings.SAVINGS_REFERENCE_BAND, ident="gains"),
        "bars_shown": BARS_SHOWN,
        "band": band_label(settings.SAVINGS_REFERENCE_BAND),
        "losses": _losses(affiliation, selection),
        "losses_shown": LOSSES_SHOWN,
    }
    return _render(request, form, selection, "savings_home", "overview", context)


@require_safe
def savings_bridge(request: HttpRequest) -> HttpResponse:
    """Why this year is not last year: terms that add up, for both readings."""
    affiliation = require_affiliation(request)
    form = SelectionForm(request.GET, affiliation=affiliation, year=timezone.localdate().year)
    selection = form.selection()
    former = selection.year - 1
    bridges = []
    for reading, found in year_bridge(affiliation, selection).items():
        terms = told_terms(found, reading)
        steps = [
            Step(str(former), found.prior, is_total=True),
            *(Step(label, amount) for label, amount in terms),
            Step(str(selection.year), found.current, is_total=True),
        ]
        label = Reading(reading).label
        drawn = waterfall(steps, ident=f"passage-{reading.value}", title=f"{label}, de {former} à {selection.year}")
        bridges.append({"reading": reading.value, "label": label, "found": found, "terms": terms, "chart": drawn})
    is_empty = not any(bridge["found"].prior or bridge["found"].current for bridge in bridges)
    context = {"bridges": bridges, "former": former, "is_empty": is_empty}
    return _render(request, form, selection, "savings_bridge", "bridge", context)


def _render(
    request: HttpRequest, form: SelectionForm, selection: Selection, name: str, template: str, context: dict
) -> HttpResponse:
    fragment = request.htmx and not request.htmx.history_restore_request
    affiliation = request.affiliation
    context |= {
        "form": form,
        "filter": {"form": form},
        "selection": selection,
        "stage": GainStage(selection.stage).label,
        "query": query_of(selection),
        "standing": query_of(selection, annee=None),
        "is_member": not affiliation.sees_whole_territory,
        "is_filtered": form.narrows,
        "tabs": savings_tabs(affiliation, name),
    }
    response = render(request, f"savings/_{template}.html" if fragment else f"savings/{template}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _bars(year: YearOverview) -> list[Bar]:
    """The groupings that weigh most, in the order of the table."""
    heaviest = sorted(year.groupings, key=lambda row: -row.totals.baseline_budget)[:BARS_SHOWN]
    kept = {row.pk for row in heaviest}
    return [Bar(row.title, row.totals.budget_rate, row.totals.budget_gain) for row in year.groupings if row.pk in kept]


def _losses(affiliation, selection: Selection) -> list[dict]:
    """The greatest losses of the year, worst first: kept, shown, never netted away."""
    lines = line_rows(affiliation).filter(stage=selection.stage)
    names = {"organisation": "baseline__membership__organisation_id", "grouping": "baseline__lot__grouping_id"}
    asked = {names[name]: value for name, value in selection.filters().items() if name in names}
    if selection.family:
        lines = lines.filter(in_family("baseline__lot__", selection.family))
    losing = counted_in(lines.filter(**asked, is_superseded=False), selection.year).filter(counted_budget__lt=0)
    worst = losing.order_by("counted_budget", "pk")[:LOSSES_SHOWN]
    return [{"line": line, "gain": euros_of(line.counted_budget)} for line in worst]
