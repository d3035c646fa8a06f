"""Asking for the conventions, and handing over their files. Nothing else serves the documents' folder."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.convention import JOB_KIND, conventions_request
from groupings.conventions import stored
from groupings.models import Convention, ConventionDocument, Grouping
from groupings.views import convention_page
from groupings.views.common import find_grouping, require_change, sees_all
from groupings.views.detail import render_page
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import archive_response, download_response
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted_or_back
from procurement.core.uploads import FILE_TYPES, read_checked


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
    """One member's file: its PDF, or the text negotiated outside; 404 outside the perimeter."""
    documents = documents_of(request, find_grouping(request, pk), version)
    document = get_object_or_404(documents, membership__organisation__siren=siren)
    return download_response(_read(document), filename=document.filename, content_type=FILE_TYPES[document.extension])


@require_safe
def convention_archive(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Every file of one version that the person may open, as a ZIP. The same files give the same bytes."""
    grouping = find_grouping(request, pk)
    documents = list(documents_of(request, grouping, version))
    if not documents:
        raise Http404
    files = ((d.filename, _read(d), d.convention.frozen_at) for d in documents)
    return archive_response(files, filename=f"{grouping.reference}_conventions_v{version}.zip")


def readable(request: HttpRequest, grouping: Grouping, version: int) -> tuple[Convention, list[str]]:
    """One version, and the SIREN of the members whose text the person may read: all of them for the coordinator's
    people, its own for a member's. 404 when there is none."""
    versions = Convention.objects.visible_to(request.affiliation).filter(grouping=grouping, version=version)
    convention = get_object_or_404(versions)
    convention.grouping = grouping
    sirens = stored.party_sirens(convention)
    if not sees_all(grouping, request.affiliation):
        sirens = [siren for siren in sirens if siren == request.affiliation.organisation.siren]
    if not sirens:
        raise Http404
    return convention, sirens


@require_safe
def convention_word(request: HttpRequest, pk: int, version: int, siren: str) -> HttpResponse:
    """One member's convention in Word, to negotiate with; 404 for a text the tool did not write."""
    convention, sirens = readable(request, find_grouping(request, pk), version)
    if siren not in sirens or not convention.is_generated:
        raise Http404
    name = f"{convention.grouping.reference}_{siren}.docx"
    return download_response(stored.word_of(convention, siren), filename=name, content_type=FILE_TYPES["docx"])


@require_safe
def convention_word_archive(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """The Word files of one version that the person may open, as a ZIP."""
    grouping = find_grouping(request, pk)
    convention, sirens = readable(request, grouping, version)
    if not convention.is_generated:
        raise Http404
    reference, frozen_at = grouping.reference, convention.frozen_at
    files = ((f"{reference}_{siren}.docx", stored.word_of(convention, siren), frozen_at) for siren in sirens)
    return archive_response(files, filename=f"{reference}_conventions_v{version}_word.zip")


@require_safe
def convention_reading(request: HttpRequest, pk: int, version: int, siren: str = "") -> HttpResponse:
    """The text on screen: the accessible form of the PDF, which cannot be tagged. Without ``siren``, the person's own
    body when it is a party, else the coordinator."""
    grouping = find_grouping(request, pk)
    convention, sirens = readable(request, grouping, version)
    if siren and siren not in sirens:
        raise Http404
    own = request.affiliation.organisation.siren
    shown = siren or (own if own in sirens else sirens[0])
    members = {member["siren"]: member["name"] for member in convention.values["members"]}
    context = {
        "grouping": grouping,
        "convention": convention,
        "siren": shown,
        "member": members[shown],
        "others": [(other, members[other]) for other in sirens],
        "reading": stored.reading_of(convention, shown) if convention.is_generated else None,
        "has_document": documents_of(request, grouping, version).filter(membership__organisation__siren=shown).exists(),
    }
    return render(request, "groupings/convention_reading.html", context)


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
    if convention.is_generated:
        words = reverse("convention_word_archive", args=[pk, version])
        results.append(Result(f"Les {len(documents)} conventions en Word, à négocier (ZIP)", words))
        results.append(Result("Lire la convention en ligne", reverse("convention_reading", args=[pk, version])))
    for document in documents:
        organisation = document.membership.organisation
        url = reverse("convention_document", args=[pk, version, organisation.siren])
        pages = f", {document.pages}\u00a0page{'s' if document.pages > 1 else ''}" if document.pages else ""
        results.append(Result(f"{organisation.name} ({document.format_name}{pages})", url))
    return results
