"""Files of evidence: depositing one, handing it over. Nothing else serves them."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.evidence import document_deposit
from groupings.actions.stepping import require_deliberation
from groupings.choices import IN_FORCE
from groupings.forms.deliberation import DepositForm
from groupings.models import DeliberationDocument
from groupings.views.deliberations import Page, find_deliberation, render_page
from procurement.core.exports import download_response
from procurement.core.submission import posted_or_back, submit
from procurement.core.uploads import PDF_MAX_BYTES, read_checked

_TYPES = {"pdf": "application/pdf", "xml": "application/xml"}


@posted_or_back("deliberation_detail", "pk")
def deliberation_deposit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a file; once the vote is recorded, go and look at what its stamp says."""
    deliberation = find_deliberation(request, pk)
    require_deliberation(deliberation, request.affiliation)
    form = DepositForm(request.POST, request.FILES, use_required_attribute=False, auto_id="piece-%s")
    kept: list[DeliberationDocument] = []

    def write() -> None:
        upload = form.cleaned_data["file"]
        kept.append(
            document_deposit(
                deliberation=deliberation,
                content=upload.read(PDF_MAX_BYTES + 1),  # one byte too many is enough to refuse it
                filename=upload.name,
                actor=request.affiliation,
                kind=form.cleaned_data["kind"],
            )
        )

    if submit(form, write):
        messages.success(request, f"Pièce enregistrée\u00a0: {kept[0].original_name}.")
        page = reverse("deliberation_detail", args=[pk])
        return redirect(f"{page}?piece={kept[0].pk}#effets" if deliberation.status in IN_FORCE else f"{page}#pieces")
    page = Page(deliberation, request.affiliation, timezone.localdate())
    return render_page(request, page, status=422, deposit_form=form)


@require_safe
def deliberation_document(request: HttpRequest, pk: int, document_pk: uuid.UUID) -> HttpResponse:
    """One file as a download; 404 for anybody but the member and the coordinator's people."""
    documents = DeliberationDocument.objects.visible_to(request.affiliation).filter(deliberation_id=pk)
    document = get_object_or_404(documents, pk=document_pk)
    name, suffix = document.original_name, f".{document.extension}"
    return download_response(
        read_checked(document.file, sha256=document.sha256, name=name),
        filename=name if name.lower().endswith(suffix) else f"{name}{suffix}",
        content_type=_TYPES[document.extension],
    )
