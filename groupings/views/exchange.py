"""What enters and leaves as files: receipts, open data, and the proposals a person answers."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions import proposals
from groupings.actions.exchange import Fate, Outcome, receipt_import
from groupings.actions.open_data import DeliberationsReport, deliberations_propose
from groupings.actions.stepping import may_take, require_deliberation
from groupings.choices import Badge
from groupings.exchange.receipts import MAX_BYTES
from groupings.exchange.scdl import write_deliberations
from groupings.forms.exchange import OpenDataForm, ReceiptsForm
from groupings.models import Deliberation, Proposal
from groupings.proposed import Proposed
from groupings.publication import published, records_of
from members.roles import may, require
from procurement.core.documents.tabular import MAX_BYTES as TABLE_MAX_BYTES
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import CSV_TYPE, download_response
from procurement.core.submission import posted, posted_or_back, submit

PAGE_SIZE = 20
ANSWERS_SHOWN = 10
WARNINGS_SHOWN = 100
BADGES = {
    Fate.MATCHED: Badge("Enregistré", "green", "check-circle-fill"),
    Fate.PROPOSED: Badge("À confirmer", "amber", "search"),
    Fate.CANCELLED: Badge("Réception annulée", "amber", "arrow-repeat"),
    Fate.REFUSED: Badge("Refusé", "late", "x-circle"),
}


@dataclass(frozen=True)
class Line:
    """One file sent and what became of it."""

    outcome: Outcome
    badge: Badge


@require_http_methods(["GET", "HEAD", "POST"])
def receipts_import(request: HttpRequest) -> HttpResponse:
    """Several receipts at once; the answer tells what became of each."""
    _require_writer(request)
    form = ReceiptsForm(posted(request), request.FILES or None, use_required_attribute=False)
    lines: list[Line] = []
    if form.is_bound and form.is_valid():
        for file in form.cleaned_data["files"]:
            outcome = receipt_import(
                content=file.read(MAX_BYTES + 1),
                filename=file.name,
                actor=request.affiliation,
                today=timezone.localdate(),
            )
            lines.append(Line(outcome, BADGES[outcome.outcome]))
        form = ReceiptsForm(use_required_attribute=False)
    context = {
        "form": form,
        "lines": lines,
        "proposed": sum(line.outcome.outcome == Fate.PROPOSED for line in lines),
        "waiting": _waiting(request.affiliation).count(),
    }
    return render(request, "groupings/exchange_receipts.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def scdl_import(request: HttpRequest) -> HttpResponse:
    """One open-data file: its warnings, and the rows that may be awaited deliberations. Also what is published."""
    _require_writer(request)
    form = OpenDataForm(posted(request), request.FILES or None, use_required_attribute=False)
    reports: list[DeliberationsReport] = []

    def write() -> None:
        file = form.cleaned_data["file"]
        reports.append(
            deliberations_propose(
                content=file.read(TABLE_MAX_BYTES + 1),
                filename=file.name,
                actor=request.affiliation,
                today=timezone.localdate(),
            )
        )

    done = form.is_bound and submit(form, write)
    records, left_out = records_of(_published(request.affiliation))
    context = {
        "form": form,
        "report": reports[0] if reports else None,
        "warnings": reports[0].warnings[:WARNINGS_SHOWN] if reports else (),
        "published_count": len(records),
        "left_out": left_out,
        "may_export": may(request.affiliation, "export"),
        "waiting": _waiting(request.affiliation).count(),
    }
    status = 200 if done or not form.is_bound else 422
    return render(request, "groupings/exchange_open_data.html", context, status=status)


@require_safe
def scdl_export(request: HttpRequest) -> HttpResponse:
    """The adopted deliberations the person follows, as SCDL."""
    require(request.affiliation, "export")
    records, _ = records_of(_published(request.affiliation))
    filename = f"deliberations_scdl_{timezone.localdate():%Y-%m-%d}.csv"
    return download_response(write_deliberations(records), filename=filename, content_type=CSV_TYPE)


@require_safe
def proposal_list(request: HttpRequest) -> HttpResponse:
    """The proposals to answer, both sides compared, and the last answers."""
    return _render_proposals(request)


@posted_or_back("proposal_list")
def proposal_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm or dismiss one; a refusal is told beside the proposal it is about."""
    proposal = get_object_or_404(_visible(request.affiliation), pk=pk)
    require_deliberation(proposal.deliberation, request.affiliation)
    answer, version = request.POST.get("answer", ""), request.POST.get("version", "")
    try:
        if answer not in ("confirm", "dismiss"):
            raise BusinessError("Choisissez de confirmer ou d’écarter ce rapprochement.")
        proposals.proposal_answer(
            proposal=proposal,
            confirmed=answer == "confirm",
            actor=request.affiliation,
            today=timezone.localdate(),
            expected_version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        )
    except NotAllowed:
        raise
    except (BusinessError, ValidationError) as error:
        sentence = str(error) if isinstance(error, BusinessError) else " ".join(error.messages)
        return _render_proposals(request, refused=proposal.pk, refusal=sentence)
    told = "confirmé" if answer == "confirm" else "écarté"
    messages.success(request, f"{proposal.deliberation.membership.organisation.name}\u00a0: rapprochement {told}.")
    return redirect("proposal_list")


def _require_writer(request: HttpRequest) -> None:
    """Raise NotAllowed unless the person may write deliberations: its own body's at least."""
    own = request.affiliation.organisation_id if request.affiliation else None
    require(request.affiliation, "deliberation.change", organisation_id=own)


def _visible(affiliation):
    return Proposal.objects.visible_to(affiliation).select_related(
        "deliberation__session",
        "deliberation__membership__organisation__parent",
        "deliberation__membership__grouping__coordinator",
    )


def _waiting(affiliation):
    return _visible(affiliation).filter(answer=Proposal.Answer.WAITING)


def _published(affiliation):
    return published(Deliberation.objects.about(affiliation))


def _render_proposals(request: HttpRequest, *, refused: int | None = None, refusal: str = "") -> HttpResponse:
    affiliation = request.affiliation
    waiting = sorted(_waiting(affiliation), key=_best_first)
    page = Paginator(waiting, PAGE_SIZE).get_page(request.GET.get("page"))
    items = [
        Proposed(proposal, may_answer=may_take(proposal.deliberation, "record_effect", affiliation))
        for proposal in page.object_list
    ]
    answered = _visible(affiliation).exclude(answer=Proposal.Answer.WAITING).order_by("-answered_at", "-pk")
    context = {
        "page": page,
        "items": items,
        "refused": refused,
        "refusal": refusal,
        "is_refused_here": any(item.proposal.pk == refused for item in items),
        "answered": answered[:ANSWERS_SHOWN],
        "may_import": affiliation is not None
        and may(affiliation, "deliberation.change", organisation_id=affiliation.organisation_id),
    }
    return render(request, "groupings/proposals.html", context, status=422 if refusal else 200)


def _best_first(proposal: Proposal) -> tuple:
    membership = proposal.deliberation.membership
    return (
        membership.organisation.sort_name,
        membership.grouping.reference,
        -proposal.values.get("score", 0),
        proposal.pk,
    )
