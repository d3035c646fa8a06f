"""What hangs on a contract: whom to call, and the files to read before ordering."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from groupings.actions.contract import (
    contact_remove,
    contact_save,
    contract_document_deposit,
    contract_document_remove,
)
from groupings.forms.contract import ContactForm, ContractDocumentForm
from groupings.models import Award, ContractContact, GroupingDocument
from groupings.views.common import require_change
from groupings.views.contracts import find_contract
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import PDF_MAX_BYTES


def _find(request: HttpRequest, pk: int, award_pk: int) -> Award:
    award = find_contract(request, pk, award_pk)
    require_change(award.lot.grouping, request.affiliation)
    return award


def _back(award: Award, anchor: str) -> HttpResponse:
    return redirect(f"{reverse('contract', args=[award.lot.grouping_id, award.pk])}#{anchor}")


@require_http_methods(["GET", "HEAD", "POST"])
def contact_create(request: HttpRequest, pk: int, award_pk: int) -> HttpResponse:
    award = _find(request, pk, award_pk)
    return _edit_contact(request, award, ContractContact(award=award), "Ajouter un contact")


@require_http_methods(["GET", "HEAD", "POST"])
def contact_change(request: HttpRequest, pk: int, award_pk: int, contact_pk: int) -> HttpResponse:
    award = _find(request, pk, award_pk)
    contact = get_object_or_404(award.contacts, pk=contact_pk)
    contact.award = award
    return _edit_contact(request, award, contact, "Modifier un contact")


def _edit_contact(request: HttpRequest, award: Award, contact: ContractContact, title: str) -> HttpResponse:
    form = ContactForm(posted(request), instance=contact, use_required_attribute=False)
    if request.method == "POST" and submit(
        form, lambda: contact_save(contact=form.instance, actor=request.affiliation)
    ):
        messages.success(request, f"Contact enregistré\u00a0: {form.instance.name}.")
        return _back(award, "contacts")
    return _render_form(request, award, form, title=title, button="Enregistrer", anchor="contacts")


def _render_form(request: HttpRequest, award: Award, form, **context) -> HttpResponse:
    shown = {"form": form, "award": award, "grouping": award.lot.grouping, **context}
    return render(request, "groupings/contract_form.html", shown, status=422 if form.is_bound else 200)


@posted_or_back("contract", "pk", "award_pk")
def contact_remove_one(request: HttpRequest, pk: int, award_pk: int, contact_pk: int) -> HttpResponse:
    """A second click finds it gone, and comes back to the page all the same."""
    award = _find(request, pk, award_pk)
    contact = award.contacts.filter(pk=contact_pk).first()
    if contact is not None:
        contact.award = award
        contact_remove(contact=contact, actor=request.affiliation)
        messages.success(request, f"Contact retiré\u00a0: {contact.name}.")
    return _back(award, "contacts")


@require_http_methods(["GET", "HEAD", "POST"])
def contract_document_add(request: HttpRequest, pk: int, award_pk: int) -> HttpResponse:
    """Keep a file, for all the members or for the coordinator's people."""
    award = _find(request, pk, award_pk)
    form = ContractDocumentForm(posted(request), request.FILES or None, use_required_attribute=False)

    def write() -> None:
        upload = form.cleaned_data["file"]
        contract_document_deposit(
            award=award,
            content=upload.read(PDF_MAX_BYTES + 1),  # one byte too many is enough to refuse it
            filename=upload.name,
            kind=form.cleaned_data["kind"],
            is_shared=form.cleaned_data["is_shared"],
            actor=request.affiliation,
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Pièce déposée\u00a0: {form.cleaned_data['file'].name}.")
        return _back(award, "pieces")
    return _render_form(
        request, award, form, title="Déposer une pièce", button="Déposer", anchor="pieces", is_upload=True
    )


@posted_or_back("contract", "pk", "award_pk")
def contract_document_drop(request: HttpRequest, pk: int, award_pk: int, document_pk: uuid.UUID) -> HttpResponse:
    """Take a file off the page; a second click finds it gone."""
    award = _find(request, pk, award_pk)
    documents = GroupingDocument.objects.visible_to(request.affiliation).filter(
        grouping_id=pk, lot_id=award.lot_id, membership__isnull=True
    )
    document = documents.filter(pk=document_pk).first()
    if document is not None:
        contract_document_remove(document=document, actor=request.affiliation)
        messages.success(request, f"Pièce retirée\u00a0: {document.original_name}.")
    return _back(award, "pieces")
