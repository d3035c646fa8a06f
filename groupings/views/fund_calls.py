"""The calls for funds of a grouping: issued, handed over as PDF, followed to their payment."""

from datetime import datetime, time

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.fund_calls import JOB_KIND, fund_call_follow, fund_calls_issue
from groupings.forms.fees import FollowCallForm
from groupings.models import FundCall, Grouping
from groupings.views.common import find_grouping
from groupings.views.fees import FORM_METHODS, YearPage, may_approve, require_approve, require_prepare
from procurement.core.exports import archive_response, download_response
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import PDF_TYPE, read_checked


@posted_or_back("fees_year", "pk", "year")
def fees_issue(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """Issue the calls of the year's statement, and go and watch the bar of their PDFs."""
    grouping = find_grouping(request, pk)
    require_prepare(grouping, request.affiliation)
    page = YearPage(request, grouping, year)
    form = page.issue_form(request.POST)
    jobs: list[Job | None] = []

    def write() -> None:
        statement = page.statement
        statement.grouping = grouping
        jobs.append(
            fund_calls_issue(
                statement=statement,
                actor=request.affiliation,
                today=timezone.localdate(),
                due_on=form.cleaned_data["due_on"],
            )
        )

    if page.statement is None:
        raise Http404
    if not submit(form, write):
        return page.render(issue_form=form)
    if jobs[0] is not None:
        return redirect("job_detail", jobs[0].pk)
    messages.success(request, f"Appels de fonds {year}\u00a0: aucun document à produire.")
    return redirect("fees_year", pk, year)


def _find(request: HttpRequest, grouping: Grouping, call_pk: int) -> FundCall:
    """404 for another member's call."""
    found = FundCall.objects.visible_to(request.affiliation).filter(membership__grouping=grouping)
    call = get_object_or_404(found.select_related("statement", "membership__organisation"), pk=call_pk)
    call.membership.grouping = grouping
    return call


@require_http_methods(FORM_METHODS)
def fund_call(request: HttpRequest, pk: int, call_pk: int) -> HttpResponse:
    """One call, for who may read it; posted by finance, its titre de recettes and its payment."""
    grouping = find_grouping(request, pk)
    call = _find(request, grouping, call_pk)
    form = FollowCallForm(
        posted(request),
        initial={"title_reference": call.title_reference, "paid_on": call.paid_on},
        is_refund=call.is_refund,
        use_required_attribute=False,
    )

    def write() -> None:
        fund_call_follow(
            call=call,
            title_reference=form.cleaned_data["title_reference"],
            paid_on=form.cleaned_data["paid_on"],
            actor=request.affiliation,
            today=timezone.localdate(),
        )

    if request.method == "POST":
        require_approve(grouping, request.affiliation)
        if submit(form, write):
            messages.success(request, f"{call.reference}\u00a0: suivi enregistré.")
            return redirect("fees_year", pk, call.statement.year)
    context = {
        "grouping": grouping,
        "call": call,
        "form": form if may_approve(grouping, request.affiliation) else None,
        "amount": abs(call.amount_excl_tax.amount),
    }
    return render(request, "groupings/fund_call.html", context, status=422 if form.is_bound else 200)


@require_safe
def fund_call_pdf(request: HttpRequest, pk: int, call_pk: int) -> HttpResponse:
    """The PDF of one call; 404 outside the perimeter, and before it is made."""
    call = _find(request, find_grouping(request, pk), call_pk)
    if not call.file:
        raise Http404
    return download_response(_read(call), filename=call.filename, content_type=PDF_TYPE)


@require_safe
def fund_call_archive(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """Every PDF of the year that the person may open, as a ZIP. The same files give the same bytes."""
    grouping = find_grouping(request, pk)
    calls = FundCall.objects.visible_to(request.affiliation).filter(statement__grouping=grouping, statement__year=year)
    made = list(calls.exclude(file="").order_by("year", "number"))
    if not made:
        raise Http404
    files = (
        (call.filename, _read(call), timezone.make_aware(datetime.combine(call.issued_on, time(12)))) for call in made
    )
    return archive_response(files, filename=f"{grouping.reference}_appels_de_fonds_{year}.zip")


def _read(call: FundCall) -> bytes:
    return read_checked(call.file, sha256=call.sha256, name=call.filename)


@results_of(JOB_KIND)
def fund_call_results(job: Job, affiliation) -> list[Result]:
    """The ZIP, each file, and the way back, once the calls are made."""
    pk, year = job.parameters["grouping"], job.parameters["year"]
    calls = FundCall.objects.visible_to(affiliation).filter(statement=job.parameters["statement"])
    calls = list(calls.exclude(file="").order_by("number"))
    results = [Result(f"Retour aux frais {year}", reverse("fees_year", args=[pk, year]), "back")]
    if not job.is_finished or not calls:
        return results
    results.append(
        Result("Télécharger les appels de fonds (ZIP)", reverse("fund_call_archive", args=[pk, year]), "main")
    )
    for call in calls:
        label = f"{call.reference}, {call.values['member']['name']} (PDF)"
        results.append(Result(label, reverse("fund_call_pdf", args=[pk, call.pk])))
    return results
