"""The files of a grouping, handed over. Nothing else serves them."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from groupings.models import GroupingDocument
from procurement.core.exports import download_response
from procurement.core.uploads import FILE_TYPES, read_checked


@require_safe
def grouping_file(request: HttpRequest, pk: int, document_pk: uuid.UUID) -> HttpResponse:
    """One file as a download; 404 for whoever may not read it."""
    documents = GroupingDocument.objects.visible_to(request.affiliation).filter(grouping_id=pk)
    return file_response(get_object_or_404(documents, pk=document_pk))


def file_response(document: GroupingDocument) -> HttpResponse:
    """The checked bytes of ``document`` under its own name; the caller has found it through ``visible_to``."""
    name, suffix = document.original_name, f".{document.extension}"
    return download_response(
        read_checked(document.file, sha256=document.sha256, name=name),
        filename=name if name.lower().endswith(suffix) else f"{name}{suffix}",
        content_type=FILE_TYPES[document.extension],
    )
