"""The waiting page of a long task: a real progress bar, then what the task produced.

The kernel knows nothing of what a job makes: a package registers, by kind, the function that lists the results.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from procurement.core.jobs.models import Job


@dataclass(frozen=True)
class Result:
    """A link of the waiting page. "main" is the download everybody came for, "back" the way back, "file" one file."""

    label: str
    url: str
    place: Literal["main", "back", "file"] = "file"


#: Given the job and the affiliation of the person who looks; must only list what that person may see.
Lister = Callable[[Job, object], list[Result]]
_LISTERS: dict[str, Lister] = {}


def results_of(kind: str) -> Callable[[Lister], Lister]:
    """Function decorator: what the jobs of ``kind`` offer to the person who asked for them."""

    def decorate(lister: Lister) -> Lister:
        _LISTERS[kind] = lister
        return lister

    return decorate


@require_safe
@never_cache
def job_detail(request: HttpRequest, pk) -> HttpResponse:
    """The page of a job, or its moving part for htmx; 404 for another organisation's job."""
    job = get_object_or_404(Job.objects.visible_to(request.affiliation), pk=pk)
    lister = _LISTERS.get(job.kind)
    results = lister(job, request.affiliation) if lister else []
    context = {
        "job": job,
        "percent": 100 * job.done // job.total if job.total else 0,
        "main": [result for result in results if result.place == "main"],
        "back": [result for result in results if result.place == "back"],
        "files": [result for result in results if result.place == "file"],
    }
    fragment = request.htmx and not request.htmx.history_restore_request
    response = render(request, "core/jobs/_progress.html" if fragment else "core/jobs/detail.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response
