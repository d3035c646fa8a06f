"""The reports: asking for one, those made, their files, and the method behind every figure."""

import io

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from members.models import Organisation
from members.roles import require
from procurement.core.errors import NotAllowed
from procurement.core.exports import download_response
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted, submit
from procurement.core.uploads import read_checked
from savings.actions.reports import JOB_KIND, report_request, require_reports
from savings.choices import GainStage
from savings.forms.reports import OwnLinesForm, ReportForm, cut_label
from savings.models import SavingsReportFile
from savings.reports import method
from savings.reports.data import build_report
from savings.reports.render import FORMATS, report_name, write_report
from savings.views.navigation import savings_tabs

#: Reports listed on the page, the latest first.
LISTED = 50


@require_http_methods(["GET", "HEAD", "POST"])
def savings_report(request: HttpRequest) -> HttpResponse:
    """The form and the reports made; posted, go and watch the bar. A member is offered its own lines instead."""
    affiliation = request.affiliation
    if affiliation is None:
        raise NotAllowed("Les rapports sont ceux des organismes du territoire.")
    if request.method != "POST" and not affiliation.sees_whole_territory:
        return _own_page(request, OwnLinesForm(initial=_initial(request), use_required_attribute=False))
    form = ReportForm(posted(request), initial=_initial(request), use_required_attribute=False)
    jobs: list[Job] = []

    def write() -> None:
        job = report_request(
            asked=form.asked(), file_format=form.cleaned_data["format"], actor=affiliation, now=timezone.now()
        )
        jobs.append(job)

    require_reports(affiliation)
    if form.is_bound and submit(form, write):
        return redirect("job_detail", jobs[0].pk)
    made = SavingsReportFile.objects.visible_to(affiliation)[:LISTED]
    rows = [(report, cut_label(report.by)) for report in made]
    context = {"form": form, "reports": rows, "tabs": savings_tabs(affiliation, "savings_report")}
    return render(request, "savings/reports.html", context, status=422 if form.is_bound else 200)


def _initial(request: HttpRequest) -> dict:
    """What the form begins with: this year at the stage of the screens, or what a link asks for."""
    usual = {"year": timezone.localdate().year, "stage": GainStage.AWARDED, "by": "grouping", "format": "xlsx"}
    return usual | {name: request.GET[name] for name in usual if name in request.GET}


@require_safe
def savings_own_lines(request: HttpRequest) -> HttpResponse:
    """The lines the person may read, of one year and stage, as a file: a member's people have their own alone."""
    affiliation = request.affiliation
    require(affiliation, "export")
    form = OwnLinesForm(request.GET, use_required_attribute=False)
    files: list[tuple[str, bytes]] = []

    def make() -> None:
        out, file_format, own = io.BytesIO(), form.cleaned_data["format"], affiliation.organisation.name
        territory = Organisation.objects.get(pk=affiliation.territory_id)
        report = build_report(form.asked(), territory=territory, made_at=timezone.now(), reader=affiliation)
        write_report(report, file_format, out)
        name = report_name(report.asked, file_format, "" if affiliation.sees_whole_territory else own)
        files.append((name, out.getvalue()))

    if not submit(form, make):
        return _own_page(request, form, status=422)
    ((name, content),) = files
    return download_response(content, filename=name, content_type=FORMATS[form.cleaned_data["format"]].content_type)


def _own_page(request: HttpRequest, form: OwnLinesForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "tabs": savings_tabs(request.affiliation, "savings_report")}
    return render(request, "savings/own_lines.html", context, status=status)


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
