"""Published contracts: the essential data of our own awards as they leave, those of others as they enter."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.external_contracts import ContractsReport, external_contracts_import, require_import
from groupings.essential_data import Publication, coordinated, member_rows, of_year, publication, years_of
from groupings.exchange.decp.companion import write_members
from groupings.exchange.decp.writer import FORMATS, InvalidFile, write
from groupings.forms.decp import PublishedContractsForm
from groupings.models import Grouping
from members.roles import require
from procurement.core.errors import NotAllowed
from procurement.core.exports import CSV_TYPE, download_response
from procurement.core.submission import posted, submit

COMPANION = "membres"


@require_safe
def decp_export(request: HttpRequest) -> HttpResponse:
    """What a year's file holds, what is missing for it lot by lot, and the files once nothing is (``?format=json``)."""
    _require_coordinator(request.affiliation)
    today = timezone.localdate()
    awards = coordinated(request.affiliation)
    years = years_of(awards, today)
    asked = request.GET.get("annee", "")
    year = next((item for item in years if str(item) == asked), today.year)
    found = publication(of_year(awards, year), today)
    file_format, refusal = request.GET.get("format", ""), ""
    if file_format in (*FORMATS, COMPANION):
        require(request.affiliation, "export")
        if found.is_ready:
            try:
                return _download(found, file_format, year)
            except InvalidFile as error:
                refusal = f"Le schéma officiel refuse le fichier. {error}"
        elif found.lots:
            refusal = "Aucun fichier tant qu’une valeur manque\u00a0: complétez d’abord les lots ci-dessous."
        else:
            refusal = f"Aucun marché à publier en {year}\u00a0: il n’y a pas de fichier."
    context = {
        "year": year,
        "years": years,
        "found": found,
        "refusal": refusal,
        "without_shares": [lot for lot in found.lots if not lot.award.shares.all()],
    }
    return render(request, "groupings/decp_export.html", context, status=422 if refusal else 200)


def _download(found: Publication, file_format: str, year: int) -> HttpResponse:
    """Raises InvalidFile."""
    if file_format == COMPANION:
        content = write_members(member_rows(found.lots))
        return download_response(content, filename=f"decp_{year}-membres.csv", content_type=CSV_TYPE)
    content = write(found.contracts, file_format)
    return download_response(content, filename=f"decp_{year}.{file_format}", content_type=FORMATS[file_format])


def _require_coordinator(affiliation) -> None:
    """Raise NotAllowed unless the person works for the territory's head, or for a body that coordinates a grouping."""
    if affiliation is not None:
        if affiliation.sees_whole_territory:
            return
        own = Grouping.objects.visible_to(affiliation).filter(coordinator_id=affiliation.organisation_id)
        if own.exists():
            return
    raise NotAllowed("Les données essentielles sont publiées par le coordonnateur du groupement.")


@require_http_methods(["GET", "HEAD", "POST"])
def radar_import(request: HttpRequest) -> HttpResponse:
    """One file of essential data: the contracts of the territory's bodies are kept, the rest is counted."""
    require_import(request.affiliation)
    form = PublishedContractsForm(posted(request), request.FILES or None, use_required_attribute=False)
    reports: list[ContractsReport] = []

    def import_file() -> None:
        file = form.cleaned_data["file"]
        reports.append(
            external_contracts_import(
                stream=file.file, filename=file.name, actor=request.affiliation, today=timezone.localdate()
            )
        )

    done = form.is_bound and submit(form, import_file)
    context = {"form": form, "report": reports[0] if reports else None}
    return render(request, "groupings/radar_import.html", context, status=200 if done or not form.is_bound else 422)
