"""The reports: asking for one, those made, their files, and the method behind every figure."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from procurement.core.errors import NotAllowed
from procurement.core.exports import download_response
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted, submit
from procurement.core.uploads import read_checked
from savings.actions.reports import JOB_KIND, report_request
from savings.choices import GainStage
from savings.forms.reports import ReportForm, cut_label
from savings.models import SavingsReportFile
from savings.reports import method
from savings.reports.render import FORMATS
from savings.views.navigation import savings_tabs

#: Reports listed on the page, the latest first.
LISTED = 50


@require_http_methods(["GET", "HEAD", "POST"])
def savings_report(request: HttpRequest) -> HttpResponse:
    """The form and the reports made; posted, go and watch the bar."""
    affiliation = request.affiliation
    if affiliation is None or not affiliation.sees_whole_territory:
        raise NotAllowed("Les rapports du territoire sont ceux du coordonnateur.")
    initial = {
        "year": timezone.localdate().year,
        "stage": GainStage.AWARDED,
        "by": "grouping",
        "format": "xlsx",
        **{name: request.GET[name] for name in ("year", "stage", "by", "format") if name in request.GET},
    }
    form = ReportForm(posted(request), initial=initial, use_required_attribute=False)
    jobs: list[Job] = []

    def write() -> None:
        job = report_request(
            asked=form.asked(), file_format=form.cleaned_data["format"], actor=affiliation, now=timezone.now()
        )
        jobs.append(job)

    if form.is_bound and submit(form, write):
        return redirect("job_detail", jobs[0].pk)
    made = SavingsReportFile.objects.visible_to(affiliation)[:LISTED]
    rows = [(report, cut_label(report.by)) for report in made]
    context = {"form": form, "reports": rows, "tabs": savings_tabs(affiliation, "savings_report")}
    return render(request, "savings/reports.html", context, status=422 if form.is_bound else 200)


@require_safe
def savings_report_file(request: HttpRequest, pk: int) -> HttpResponse:
    """One report, once its bytes are those that were made; 404 outside the territory's head."""
    report = get_object_or_404(SavingsReportFile.objects.visible_to(request.affiliation), pk=pk)
    content = read_checked(report.file, sha256=report.sha256, name=report.filename)
    return download_response(content, filename=report.filename, content_type=FORMATS[report.format].content_type)


@require_safe
def savings_method(request: HttpRequest) -> HttpResponse:
    """The method, its version and its date: what every report says on its last page."""
    context = {
        "title": method.TITLE,
        "version": method.VERSION_LABEL,
        "sections": method.SECTIONS,
        "tabs": savings_tabs(request.affiliation, "savings_method"),
    }
    return render(request, "savings/method.html", context)


@results_of(JOB_KIND)
def report_results(job: Job, affiliation) -> list[Result]:
    """The file once made, and the way back."""
    if affiliation is None or not affiliation.sees_whole_territory:
        return []
    results = [Result("Tous les rapports", reverse("savings_report"), "back")]
    report = SavingsReportFile.objects.visible_to(affiliation).filter(job=job).first()
    if job.is_finished and report is not None:
        url = reverse("savings_report_file", args=[report.pk])
        results.append(Result(f"Télécharger {report.filename}", url, "main"))
    return results
