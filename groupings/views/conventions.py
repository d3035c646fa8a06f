"""Asking for the conventions, and handing over their files. Nothing else serves the documents' folder."""

import io
import zipfile

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.convention import JOB_KIND, conventions_request
from groupings.models import Convention, ConventionDocument, Grouping
from groupings.views import convention_page
from groupings.views.common import find_grouping, require_change
from groupings.views.detail import render_page
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import download_response
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted_or_back
from procurement.core.uploads import read_checked

PDF_TYPE = "application/pdf"
ZIP_TYPE = "application/zip"


@posted_or_back("grouping_detail", "pk")
def convention_generate(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the convention, ask for its documents, and go and watch the bar; a refusal is told on the page.

    A new text after a vote asks for its reason: on the page of the convention, where its warning is read.
    """
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    reason = request.POST.get("reason", "")[:2000]
    try:
        job = conventions_request(grouping=grouping, actor=request.affiliation, now=timezone.now(), reason=reason)
    except NotAllowed:
        raise
    except BusinessError as error:
        if error.field == "reason" or request.POST.get("from") == "convention":
            told = {"convention_error": error.message, "new_reason": reason}
            return convention_page.render_page(request, find_grouping(request, pk), status=422, **told)
        return render_page(request, find_grouping(request, pk), status=422, convention_error=error.message)
    return redirect("job_detail", job.pk)


def documents_of(request: HttpRequest, grouping: Grouping, version: int) -> QuerySet:
    """The files of one version that the person may open."""
    return (
        ConventionDocument.objects.visible_to(request.affiliation)
        .filter(convention__grouping=grouping, convention__version=version)
        .select_related("convention__grouping", "membership__organisation")
        .defer("convention__values")
        .order_by("membership__organisation__sort_name")
    )


@require_safe
def convention_document(request: HttpRequest, pk: int, version: int, siren: str) -> HttpResponse:
    """One member's PDF; 404 outside the perimeter."""
    documents = documents_of(request, find_grouping(request, pk), version)
    document = get_object_or_404(documents, membership__organisation__siren=siren)
    return download_response(_read(document), filename=document.filename, content_type=PDF_TYPE)


@require_safe
def convention_archive(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Every file of one version that the person may open, as a ZIP. The same files give the same bytes."""
    grouping = find_grouping(request, pk)
    documents = list(documents_of(request, grouping, version))
    if not documents:
        raise Http404
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # a PDF is already compressed
        for document in documents:
            made_at = timezone.localtime(document.convention.frozen_at)
            entry = zipfile.ZipInfo(document.filename, made_at.timetuple()[:6])
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, _read(document))
    name = f"{grouping.reference}_conventions_v{version}.zip"
    return download_response(buffer.getvalue(), filename=name, content_type=ZIP_TYPE)


def _read(document: ConventionDocument) -> bytes:
    return read_checked(document.file, sha256=document.sha256, name=document.filename)


@results_of(JOB_KIND)
def convention_results(job: Job, affiliation) -> list[Result]:
    """The ZIP, each file, and the way back, once the conventions are produced."""
    convention = (
        Convention.objects.visible_to(affiliation)
        .filter(pk=job.parameters.get("convention"))
        .defer("values")
        .select_related("grouping")
        .first()
    )
    if convention is None:
        return []
    pk, version = convention.grouping_id, convention.version
    documents = list(
        ConventionDocument.objects.visible_to(affiliation)
        .filter(convention=convention)
        .select_related("membership__organisation")
        .order_by("membership__organisation__sort_name")
    )
    results = [Result(f"Retour à {convention.grouping.reference}", reverse("grouping_detail", args=[pk]), "back")]
    if not job.is_finished or not documents:
        return results
    archive = reverse("convention_archive", args=[pk, version])
    results.append(Result(f"Télécharger les {len(documents)} conventions (ZIP)", archive, "main"))
    for document in documents:
        organisation = document.membership.organisation
        url = reverse("convention_document", args=[pk, version, organisation.siren])
        results.append(Result(f"{organisation.name} (PDF, {document.pages}\u00a0pages)", url))
    return results
