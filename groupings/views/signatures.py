"""The circuit of signature of a grouping's convention: the table, one member's page, the acts on several at once."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.signature_reminders import signatures_remind
from groupings.actions.signatures import (
    circuit_change,
    may_sign,
    require_signing,
    signature_file_deposit,
    signature_record,
    signatures_record_many,
    signed_file_read,
)
from groupings.actions.signing_copies import JOB_KIND, copies_request
from groupings.circuit import Circuit, Party
from groupings.convention_life import current_of
from groupings.exchange.pades import reading_from
from groupings.forms.signatures import SignatureForm, SignedFileForm, TogetherForm
from groupings.models import Convention, Grouping, Signature, SigningCopy
from groupings.views.common import find_grouping, may_change, require_change
from procurement.core.errors import BusinessError
from procurement.core.exports import archive_response, download_response
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted_or_back, submit
from procurement.core.uploads import FILE_TYPES, PDF_MAX_BYTES, read_checked


def _circuit(request: HttpRequest, grouping: Grouping) -> Circuit | None:
    convention = current_of(grouping)
    if convention is None:
        return None
    convention.grouping = grouping
    return Circuit(convention, request.affiliation, timezone.localdate())


def _found(request: HttpRequest, grouping: Grouping) -> Circuit:
    circuit = _circuit(request, grouping)
    if circuit is None:
        raise Http404
    return circuit


def _party(circuit: Circuit, membership_pk: int) -> Party:
    party = circuit.party(membership_pk)
    if party is None:
        raise Http404
    return party


@require_safe
def signatures(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has signed, who may, what each waits for; 404 outside the perimeter."""
    return _table(request, find_grouping(request, pk))


def _table(request: HttpRequest, grouping: Grouping, *, form: TogetherForm | None = None) -> HttpResponse:
    circuit = _circuit(request, grouping)
    changes = may_change(grouping, request.affiliation)
    parties = circuit.parties if circuit else []
    for party in parties:
        party.may_sign = circuit.is_open and may_sign(party.membership, circuit.convention, request.affiliation)
    form = form or TogetherForm(parties=parties, auto_id="together-%s")
    context = {
        "grouping": grouping,
        "circuit": circuit,
        "convention": circuit.convention if circuit else None,
        "may_change": changes,
        "form": form if changes and circuit and circuit.is_open else None,
        "next_parties": [party for party in parties if party.is_next],
    }
    return render(request, "groupings/signatures.html", context, status=422 if form.is_bound else 200)


@posted_or_back("signatures", "pk")
def signatures_together(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark, remind, produce or download for the members ticked; the button pressed says which."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    circuit = _found(request, grouping)
    what = request.POST.get("what", "")
    form = TogetherForm(request.POST, parties=circuit.parties, what=what, auto_id="together-%s")
    done: list[HttpResponse] = []
    acts: dict[str, Callable[..., HttpResponse]] = {
        "mark": _mark,
        "remind": _remind,
        "produce": _produce,
        "download": _download,
    }

    def write() -> None:
        if what not in acts:
            raise BusinessError("Choisissez ce qui est à faire pour les membres cochés.")
        done.append(acts[what](request, circuit, form.cleaned_data))

    return done[0] if submit(form, write) else _table(request, grouping, form=form)


def _mark(request: HttpRequest, circuit: Circuit, typed: dict[str, Any]) -> HttpResponse:
    made = signatures_record_many(
        convention=circuit.convention,
        membership_ids=typed["memberships"],
        signed_on=typed["signed_on"],
        reason=typed["reason"],
        actor=request.affiliation,
        today=circuit.today,
    )
    s = "s" if len(made) > 1 else ""
    messages.success(request, f"{len(made)} signature{s} enregistrée{s}.")
    return redirect("signatures", circuit.convention.grouping_id)


def _remind(request: HttpRequest, circuit: Circuit, typed: dict[str, Any]) -> HttpResponse:
    sent = signatures_remind(
        convention=circuit.convention,
        membership_ids=typed["memberships"],
        actor=request.affiliation,
        today=circuit.today,
        now=timezone.now(),
    )
    messages.success(request, f"{sent} relance{'s' if sent > 1 else ''} confiée{'s' if sent > 1 else ''} à l’envoi.")
    return redirect("signatures", circuit.convention.grouping_id)


def _produce(request: HttpRequest, circuit: Circuit, typed: dict[str, Any]) -> HttpResponse:
    job = copies_request(
        convention=circuit.convention,
        membership_ids=typed["memberships"],
        actor=request.affiliation,
        today=circuit.today,
    )
    return redirect("job_detail", job.pk)


def _download(request: HttpRequest, circuit: Circuit, typed: dict[str, Any]) -> HttpResponse:
    chosen = [p for p in circuit.parties if p.membership.pk in typed["memberships"] and p.copy]
    if not chosen:
        raise BusinessError("Les exemplaires de ces membres ne sont pas encore produits.", field="memberships")
    left = len(typed["memberships"]) - len(chosen)
    if left:  # read on the page that comes after the file
        some = f"{left} membres cochés n’ont" if left > 1 else "1 membre coché n’a"
        messages.warning(request, f"{some} pas d’exemplaire produit dans ce fichier ZIP.")
    convention = circuit.convention
    files = ((_copy_name(p.copy, p, convention), _read_copy(p.copy), p.copy.made_at) for p in chosen)
    name = f"{convention.grouping.reference}_a-signer_v{convention.version}.zip"
    return archive_response(files, filename=name)


def _read_copy(copy: SigningCopy) -> bytes:
    return read_checked(copy.file, sha256=copy.sha256, name=copy.filename)


def _copy_name(copy: SigningCopy, party: Party, convention: Convention) -> str:
    copy.membership, copy.convention = party.membership, convention  # already read
    return copy.filename


@posted_or_back("signatures", "pk")
def signature_circuit(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether the coordinator signs last."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    circuit = _found(request, grouping)
    is_last = request.POST.get("coordinator_signs_last") == "on"
    try:
        if circuit_change(convention=circuit.convention, coordinator_signs_last=is_last, actor=request.affiliation):
            messages.success(request, "Ordre de signature enregistré.")
    except BusinessError as error:
        messages.error(request, error.message)
    return redirect("signatures", pk)


@require_safe
def signature_detail(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """One member of the circuit: its copy, its signature, what its file says; the form while it has not signed."""
    grouping = find_grouping(request, pk)
    circuit = _found(request, grouping)
    return _detail(request, circuit, _party(circuit, membership_pk))


def _detail(
    request: HttpRequest,
    circuit: Circuit,
    party: Party,
    *,
    sign_form: SignatureForm | None = None,
    file_form: SignedFileForm | None = None,
) -> HttpResponse:
    convention, refused = circuit.convention, sign_form or file_form
    may_write = circuit.is_open and may_sign(party.membership, convention, request.affiliation)
    if may_write and not party.is_signed:
        sign_form = sign_form or SignatureForm(party=party, initial={"signed_on": circuit.today}, auto_id="sign-%s")
    if may_write and party.signature:
        file_form = file_form or SignedFileForm(use_required_attribute=False, auto_id="file-%s")
    signature = party.signature
    earlier = Signature.objects.visible_to(request.affiliation).filter(
        membership=party.membership, convention__isnull=False
    )
    context = {
        "grouping": convention.grouping,
        "convention": convention,
        "party": party,
        "earlier": earlier.exclude(pk=signature.pk if signature else None).select_related("convention"),
        "organisation": party.membership.organisation,
        "reading": reading_from(signature.reading) if signature and signature.reading else None,
        "sign_form": sign_form if may_write else None,
        "file_form": file_form if may_write else None,
        "may_change": may_change(convention.grouping, request.affiliation),
    }
    return render(request, "groupings/signature.html", context, status=422 if refused else 200)


@posted_or_back("signature_detail", "pk", "membership_pk")
def signature_sign(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """Record one signature, with its file when there is one."""
    circuit = _found(request, find_grouping(request, pk))
    party = _party(circuit, membership_pk)
    require_signing(party.membership, circuit.convention, request.affiliation)
    form = SignatureForm(request.POST, request.FILES, party=party, auto_id="sign-%s")

    def write() -> None:
        typed, upload = form.cleaned_data, form.cleaned_data.get("file")
        about = {"membership": party.membership, "convention": circuit.convention}
        read = signed_file_read(**about, content=_bytes(upload), filename=upload.name) if upload else None
        signature_record(
            **about,
            signed_on=typed["signed_on"],
            signatory=form.who(),
            representative=form.person,
            reason=typed["reason"],
            file=read,
            actor=request.affiliation,
            today=circuit.today,
        )

    if not submit(form, write):
        return _detail(request, circuit, party, sign_form=form)
    messages.success(request, f"Signature de {party.membership.organisation.name} enregistrée.")
    return redirect("signature_detail", pk, membership_pk)


@posted_or_back("signature_detail", "pk", "membership_pk")
def signature_deposit(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """Keep the signed copy of a signature already recorded."""
    circuit = _found(request, find_grouping(request, pk))
    party = _party(circuit, membership_pk)
    require_signing(party.membership, circuit.convention, request.affiliation)
    form = SignedFileForm(request.POST, request.FILES, use_required_attribute=False, auto_id="file-%s")

    def write() -> None:
        if party.signature is None:
            raise BusinessError("Enregistrez d’abord la signature\u00a0: le fichier la prouve.")
        upload = form.cleaned_data["file"]
        signature_file_deposit(
            signature=party.signature, content=_bytes(upload), filename=upload.name, actor=request.affiliation
        )

    if not submit(form, write):
        return _detail(request, circuit, party, file_form=form)
    messages.success(request, "Exemplaire signé déposé.")
    return redirect("signature_detail", pk, membership_pk)


def _bytes(upload) -> bytes:
    return upload.read(PDF_MAX_BYTES + 1)  # one byte too many is enough to refuse it


@require_safe
def signature_file(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The signed copy of one member, as it was deposited; 404 for others than the member and the coordinator.
    ``?version=`` is that of a former version: the evidence stays when the text is replaced."""
    circuit = _found(request, find_grouping(request, pk))
    signature = _party(circuit, membership_pk).signature
    if version := request.GET.get("version", ""):
        former = Signature.objects.visible_to(request.affiliation).filter(membership=membership_pk)
        signature = former.filter(convention__version=version).first() if version.isdecimal() else None
    if signature is None or not signature.file:
        raise Http404
    name = signature.original_name
    content = read_checked(signature.file, sha256=signature.sha256, name=name)
    return download_response(
        content, filename=name if name.lower().endswith(".pdf") else f"{name}.pdf", content_type=FILE_TYPES["pdf"]
    )


@require_safe
def signing_copy(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The copy one member signs; 404 for others than the member and the coordinator."""
    circuit = _found(request, find_grouping(request, pk))
    party = _party(circuit, membership_pk)
    if party.copy is None:
        raise Http404
    name = _copy_name(party.copy, party, circuit.convention)
    return download_response(
        read_checked(party.copy.file, sha256=party.copy.sha256, name=name),
        filename=name,
        content_type=FILE_TYPES["pdf"],
    )


@results_of(JOB_KIND)
def copies_results(job: Job, affiliation) -> list[Result]:
    """The way back and each copy, once they are produced."""
    grouping = Grouping.objects.visible_to(affiliation).filter(pk=job.parameters.get("grouping")).first()
    if grouping is None:
        return []
    results = [Result("Retour aux signatures", reverse("signatures", args=[grouping.pk]), "back")]
    if not job.is_finished:
        return results
    copies = (
        SigningCopy.objects.visible_to(affiliation)
        .filter(
            convention=job.parameters.get("convention"),
            membership__organisation__siren__in=job.parameters.get("sirens", []),
        )
        .select_related("membership__organisation")
        .defer("made_from")
        .order_by("membership__organisation__sort_name", "pk")
    )
    for copy in {copy.membership_id: copy for copy in copies}.values():
        url = reverse("signing_copy", args=[grouping.pk, copy.membership_id])
        pages = f"{copy.pages}\u00a0page{'s' if copy.pages > 1 else ''}"
        results.append(Result(f"{copy.membership.organisation.name} (PDF, {pages})", url))
    return results
