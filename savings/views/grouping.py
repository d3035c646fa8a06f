"""One grouping in the ledger: its lots, their members, their lines and what proves them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.views.common import find_grouping, sees_all
from savings.choices import GainStage
from savings.forms.selection import SelectionForm
from savings.grouping_tree import grouping_tree
from savings.views.common import may_enter
from savings.views.reading import query_of, require_affiliation


@require_safe
def savings_grouping(request: HttpRequest, pk: int) -> HttpResponse:
    """Every total of the grouping down to its lines; a member reads its own lines alone."""
    grouping = find_grouping(request, pk)  # first: an account of no body finds nothing
    affiliation = require_affiliation(request)
    form = SelectionForm(request.GET, affiliation=affiliation, year=timezone.localdate().year, with_parts=False)
    selection = form.selection(grouping.pk)
    everything = sees_all(grouping, affiliation)
    context = {
        "grouping": grouping,
        "tree": grouping_tree(grouping, affiliation, selection),
        "form": form,
        "selection": selection,
        "stage": GainStage(selection.stage).label,
        "query": query_of(selection),
        "sees_all": everything,
        "may_enter": may_enter(grouping, affiliation),
    }
    return render(request, "savings/grouping.html", context)
