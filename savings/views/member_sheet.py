"""The fiche commune of one member, on screen and as a PDF."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from members.models import Organisation
from procurement.core.documents import pdf
from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError
from procurement.core.exports import download_response
from savings.member_sheet import MemberSheet, member_sheet


def _sheet(request: HttpRequest, pk: int) -> MemberSheet:
    """404 for whoever is neither of the body nor of the one that coordinates the territory: its amounts are its own."""
    affiliation = request.affiliation
    bodies = Organisation.objects.visible_to(affiliation).select_related("territory")
    organisation = get_object_or_404(bodies, pk=pk)
    if not affiliation.sees_whole_territory and organisation.pk != affiliation.organisation_id:
        raise Http404
    return member_sheet(organisation, affiliation, timezone.localdate())


@require_safe
def member_sheet_page(request: HttpRequest, pk: int) -> HttpResponse:
    sheet, affiliation = _sheet(request, pk), request.affiliation
    context = {
        "sheet": sheet,
        "sees_all": affiliation.sees_whole_territory,
        "is_own": affiliation.organisation_id == sheet.organisation.pk,
    }
    return render(request, "savings/member_sheet.html", context)


@require_safe
def member_sheet_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    sheet, now = _sheet(request, pk), timezone.now()
    organisation = sheet.organisation
    try:
        content = pdf.render(
            "savings/member_sheet_pdf.html",
            {
                "title": f"Fiche commune – {organisation.name}",
                "author": request.affiliation.organisation.name,
                "issued_at": now,
                "sheet": sheet,
            },
        )
    except PdfError:
        raise BusinessError(
            "Cette fiche ne tient pas dans un PDF\u00a0: un nom contient un caractère qui ne s’imprime pas."
        ) from None
    filename = f"fiche_{organisation.siren}_{sheet.on:%Y-%m-%d}.pdf"
    return download_response(content, filename=filename, content_type="application/pdf")
