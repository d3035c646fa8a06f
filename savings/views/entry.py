"""The prices of one grouping: the page of entry, freezing a lot, handing lines to finance, the import."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.forms.contract import TableFileForm
from groupings.models import Grouping
from groupings.views.common import find_grouping, sees_all
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import export_response
from procurement.core.imports import ImportError_, ImportRefused
from procurement.core.submission import posted, posted_or_back, submit
from savings.actions.baseline import baseline_freeze
from savings.actions.line import lines_submit, lines_take_back
from savings.actions.price_import import price_lines_import
from savings.entry import Entry, entry_of
from savings.forms.baseline import FreezeForm
from savings.price_lines_file import TEMPLATE_COLUMNS, template_rows
from savings.views.common import find_for_entry, find_line, may_enter


@require_safe
def savings_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Per lot, members and their references; a member reads its own."""
    return render_entry(request, find_grouping(request, pk))


def _entry(request: HttpRequest, grouping: Grouping, *, lot: str = "") -> Entry:
    everything = sees_all(grouping, request.affiliation)
    own = None if everything else request.affiliation.organisation_id
    return entry_of(grouping, request.affiliation, timezone.now(), own=own, lot_number=lot)


def render_entry(
    request: HttpRequest,
    grouping: Grouping,
    *,
    refusal: str = "",
    form: TableFileForm | None = None,
    errors: list[ImportError_] | tuple = (),
    status: int = 200,
) -> HttpResponse:
    """The page, also used to say why one of its buttons was refused."""
    asked = request.GET.get("lot", "")
    entry = _entry(request, grouping, lot=asked)
    context = {
        "grouping": grouping,
        "entry": entry,
        "lots": entry.all_lots,
        "lot_shown": asked if len(entry.lots) == 1 else "",
        "sees_all": sees_all(grouping, request.affiliation),
        "may_enter": may_enter(grouping, request.affiliation),
        "refusal": refusal,
        "form": form or TableFileForm(use_required_attribute=False),
        "errors": errors,
    }
    return render(request, "savings/entry.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def baseline_freeze_lot(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """Show what will be frozen for good, ask why when it is late; posted, freeze it."""
    grouping = find_for_entry(request, pk)
    lot = get_object_or_404(grouping.lots.all(), pk=lot_pk)
    (part,) = _entry(request, grouping, lot=str(lot.number)).lots
    form = FreezeForm(posted(request), use_required_attribute=False)
    form.fields["late_reason"].required = part.is_late and bool(part.to_freeze)

    def write() -> None:
        if not part.to_freeze:
            raise BusinessError("Aucun prix de référence de ce lot n’est prêt à être figé.")
        frozen = baseline_freeze(
            baselines=part.to_freeze,
            actor=request.affiliation,
            now=timezone.now(),
            late_reason=form.cleaned_data["late_reason"],
        )
        s = "s" if len(frozen) > 1 else ""
        messages.success(request, f"Lot {lot.number}\u00a0: {len(frozen)} prix de référence figé{s}.")

    if request.method == "POST" and submit(form, write):
        return redirect(f"{reverse('savings_entry', args=[pk])}#lot-{lot.number}")
    context = {"grouping": grouping, "part": part, "form": form}
    return render(request, "savings/freeze.html", context, status=422 if form.is_bound else 200)


@posted_or_back("savings_entry", "pk")
def lines_submit_ready(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand finance every line that is ready, or the one ``line`` names."""
    grouping = find_for_entry(request, pk)
    asked = request.POST.get("line", "")
    if asked:
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
        lines = [find_line(request, grouping, number)]
    else:
        lines = _entry(request, grouping).ready
    try:
        if not lines:
            raise BusinessError("Aucune ligne n’est prête\u00a0: chacune dit ce qui lui manque.")
        done = lines_submit(lines=lines, actor=request.affiliation, now=timezone.now())
    except NotAllowed:
        raise
    except BusinessError as refusal:
        return render_entry(request, grouping, refusal=str(refusal), status=422)
    s = "s" if len(done) > 1 else ""
    messages.success(request, f"{len(done)} ligne{s} soumise{s} aux finances.")
    return redirect("savings_entry", pk)


@posted_or_back("savings_entry", "pk")
def line_take_back(request: HttpRequest, pk: int, line_pk: int) -> HttpResponse:
    """Make a draft again of a line finance has not decided on."""
    grouping = find_for_entry(request, pk)
    line = find_line(request, grouping, line_pk)
    try:
        lines_take_back(lines=[line], actor=request.affiliation)
    except NotAllowed:
        raise
    except BusinessError as refusal:
        return render_entry(request, grouping, refusal=str(refusal), status=422)
    messages.success(request, f"Ligne reprise\u00a0: {line.baseline.designation}.")
    return redirect(f"{reverse('savings_entry', args=[pk])}#lot-{line.baseline.lot.number}")


@posted_or_back("savings_entry", "pk")
def price_lines_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in a file of reference prices and prices obtained, whole or not at all."""
    grouping = find_for_entry(request, pk)
    form = TableFileForm(posted(request), request.FILES or None, use_required_attribute=False)
    if not form.is_valid():
        return render_entry(request, grouping, form=form, status=422)
    upload = form.cleaned_data["file"]
    try:
        report = price_lines_import(
            grouping=grouping,
            file=upload,
            filename=upload.name,
            actor=request.affiliation,
            now=timezone.now(),
        )
    except ImportRefused as refused:
        return render_entry(request, grouping, form=form, errors=refused.errors, status=422)
    messages.success(request, f"{report}.")
    return redirect("savings_entry", pk)


@require_safe
def price_lines_template(request: HttpRequest, pk: int) -> HttpResponse:
    """The file to fill in, with what is known: csv, or xlsx with ``?export=xlsx``."""
    grouping = find_for_entry(request, pk)
    return export_response(
        "xlsx" if request.GET.get("export") == "xlsx" else "csv",
        TEMPLATE_COLUMNS,
        template_rows(_entry(request, grouping)),
        title="Prix",
        filename=f"prix_modele_{grouping.reference}",
    )
