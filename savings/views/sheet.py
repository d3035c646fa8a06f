"""The annual sheets of a territory: listed, begun, written, frozen, downloaded."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from members.roles import may, require
from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import download_response
from procurement.core.submission import posted, submit
from savings.actions.sheet import sheet_freeze, sheet_open, sheet_save
from savings.forms.sheet import FreezeForm, SheetForm, YearForm
from savings.models import AnnualSheet
from savings.sheet import TAKEN_FROM
from savings.sheet_print import FORMATS, content_of
from savings.views.navigation import savings_tabs


def _find(request: HttpRequest, year: int) -> AnnualSheet:
    """404 for whoever does not work for the body at the head of the territory, and for a year without sheet."""
    sheets = AnnualSheet.objects.visible_to(request.affiliation).select_related("territory")
    return get_object_or_404(sheets, year=year)


def _may_write(request: HttpRequest, sheet: AnnualSheet, right: str) -> bool:
    return not sheet.is_frozen and may(request.affiliation, right, organisation_id=sheet.territory_id)


@require_http_methods(["GET", "HEAD", "POST"])
def annual_sheets(request: HttpRequest) -> HttpResponse:
    """Every sheet, the latest year first; posted, the year of the one to begin."""
    affiliation = request.affiliation
    if affiliation is None or not affiliation.sees_whole_territory:
        raise NotAllowed("Les fiches annuelles sont celles du coordonnateur.")
    today = timezone.localdate()
    form = YearForm(posted(request), initial={"year": today.year}, use_required_attribute=False)
    opened: list[AnnualSheet] = []

    def write() -> None:
        year = form.cleaned_data["year"]
        opened.append(sheet_open(territory=affiliation.organisation, year=year, actor=affiliation, today=today))

    if request.method == "POST":
        require(affiliation, "savings.enter", organisation_id=affiliation.territory_id)
        if submit(form, write):
            return redirect("annual_sheet", opened[0].year)
    context = {
        "form": form,
        "sheets": list(AnnualSheet.objects.visible_to(affiliation)),
        "may_open": may(affiliation, "savings.enter", organisation_id=affiliation.territory_id),
        "tabs": savings_tabs(affiliation, "annual_sheets"),
    }
    return render(request, "savings/annual_sheets.html", context, status=422 if form.is_bound else 200)


@require_safe
def annual_sheet(request: HttpRequest, year: int) -> HttpResponse:
    sheet = _find(request, year)
    context = {
        "sheet": sheet,
        "content": content_of(sheet),
        "taken_from": sheet.texts.get(TAKEN_FROM, ""),
        "may_change": _may_write(request, sheet, "savings.enter"),
        "may_freeze": _may_write(request, sheet, "savings.validate"),
        "tabs": savings_tabs(request.affiliation, "annual_sheet"),
    }
    return render(request, "savings/annual_sheet.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def annual_sheet_change(request: HttpRequest, year: int) -> HttpResponse:
    """The texts and the phase of each quarter; a frozen sheet says that it does not change any more."""
    sheet = _find(request, year)
    require(request.affiliation, "savings.enter", organisation_id=sheet.territory_id)
    if sheet.is_frozen and request.method != "POST":
        messages.warning(request, f"La fiche {year} est figée\u00a0: elle ne change plus.")
        return redirect("annual_sheet", year)
    form = SheetForm(posted(request), sheet=sheet, use_required_attribute=False)

    def write() -> None:
        sheet_save(
            sheet=sheet,
            texts=form.texts,
            calendar=form.calendar,
            actor=request.affiliation,
            expected_version=form.expected_version,
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Fiche {year} enregistrée.")
        return redirect("annual_sheet", year)
    context = {
        "sheet": sheet,
        "form": form,
        "taken_from": sheet.texts.get(TAKEN_FROM, ""),
        "tabs": savings_tabs(request.affiliation, "annual_sheet"),
    }
    return render(request, "savings/annual_sheet_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def annual_sheet_freeze(request: HttpRequest, year: int) -> HttpResponse:
    """Show the figures about to be kept for good, then keep them."""
    sheet = _find(request, year)
    require(request.affiliation, "savings.validate", organisation_id=sheet.territory_id)
    if sheet.is_frozen and request.method != "POST":
        messages.warning(request, f"La fiche {year} est déjà figée.")
        return redirect("annual_sheet", year)
    form = FreezeForm(posted(request), initial={"version": sheet.version})

    def write() -> None:
        sheet_freeze(sheet=sheet, actor=request.affiliation, now=timezone.now(), expected_version=form.expected_version)

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Fiche {year} figée.")
        return redirect("annual_sheet", year)
    context = {
        "sheet": sheet,
        "form": form,
        "content": content_of(sheet),
        "today": timezone.localdate(),
        "tabs": savings_tabs(request.affiliation, "annual_sheet"),
    }
    return render(request, "savings/annual_sheet_freeze.html", context, status=422 if form.is_bound else 200)


@require_safe
def annual_sheet_document(request: HttpRequest, year: int, extension: str) -> HttpResponse:
    """Word or PDF; across a draft stands « PROJET »."""
    sheet = _find(request, year)
    require(request.affiliation, "export")
    if extension not in FORMATS:
        raise Http404
    make, content_type = FORMATS[extension]
    try:
        content = make(sheet, timezone.now())
    except PdfError:
        raise BusinessError(
            "Cette fiche ne tient pas dans un PDF\u00a0: un texte contient un caractère qui ne s’imprime pas. "
            "Téléchargez-la en Word."
        ) from None
    return download_response(content, filename=f"fiche_groupements_{year}.{extension}", content_type=content_type)
