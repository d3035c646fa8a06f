"""The page of one line, from its grouping down to its evidence; and the beginning of a correction."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from procurement.core.errors import NotAllowed
from procurement.core.submission import posted, submit
from savings.actions.review import line_correct
from savings.choices import EDITABLE, LineStatus
from savings.forms.review import CorrectionForm, DecisionForm
from savings.line_page import LinePage, entry_totals
from savings.models import PriceLine
from savings.views.common import may_enter
from savings.views.lookup import find_line, may_correct, may_validate
from savings.views.navigation import savings_tabs


@require_safe
def savings_line(request: HttpRequest, pk: int) -> HttpResponse:
    """One line; 404 outside the perimeter."""
    return render_line(request, find_line(request, pk))


def render_line(
    request: HttpRequest, line: PriceLine, *, form: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    """The page, also used to show why a decision was refused."""
    page = LinePage(line, request.affiliation)
    deciding = line.status == LineStatus.SUBMITTED and may_validate(line, request.affiliation)
    if form is None and deciding and not page.own_part:
        form = DecisionForm(initial={"version": line.version}, use_required_attribute=False)
    corrections = page.corrections
    is_corrected = any(correction.status != LineStatus.REJECTED for correction in corrections)
    enters = may_enter(line.baseline.membership.grouping, request.affiliation)
    own_id = request.affiliation.organisation_id
    context = {
        "tabs": savings_tabs(request.affiliation, "savings_line"),
        "page": page,
        "line": line,
        "baseline": line.baseline,
        "lot": line.baseline.lot,
        "membership": line.baseline.membership,
        "grouping": line.baseline.membership.grouping,
        "corrections": corrections,
        "entry_totals": entry_totals(page.entries),
        "deciding": deciding,
        "form": form,
        "may_enter": enters,
        "may_edit": enters and line.status in EDITABLE,
        "reads_sheet": own_id == line.baseline.membership.organisation_id or request.affiliation.sees_whole_territory,
        "may_correct": line.status == LineStatus.VALIDATED
        and not line.is_superseded
        and not is_corrected
        and may_correct(line, request.affiliation),
    }
    return render(request, "savings/line.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask what is wrong and why, then begin the line that will stand for this one."""
    line = find_line(request, pk)
    if not may_correct(line, request.affiliation):
        raise NotAllowed("Une ligne est corrigée par l’acheteur, le juriste ou les finances du coordonnateur.")
    form = CorrectionForm(posted(request), line=line, use_required_attribute=False)
    drafts: list[PriceLine] = []

    def write() -> None:
        reason = form.cleaned_data["reason"]
        drafts.append(line_correct(line=line, values=form.values, reason=reason, actor=request.affiliation))

    if request.method == "POST" and submit(form, write):
        messages.success(request, "Correction commencée\u00a0: elle ne compte qu’une fois soumise, puis validée.")
        return redirect("savings_line", drafts[0].pk)
    context = {
        "form": form,
        "line": line,
        "grouping": line.baseline.membership.grouping,
        "tabs": savings_tabs(request.affiliation, "line_correct"),
        "is_replaced": line.baseline.is_replaced,
    }
    return render(request, "savings/line_correct.html", context, status=422 if form.is_bound else 200)
