"""The meetings of a grouping: read by its members, written by its coordinator."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.meetings import meeting_remove, meeting_save
from groupings.forms.meeting import MeetingForm
from groupings.models import Grouping, Meeting
from groupings.views.common import find_grouping, may_change, require_change
from procurement.core.submission import posted, posted_or_back, submit


@require_safe
def meetings(request: HttpRequest, pk: int) -> HttpResponse:
    """Every meeting, the latest first."""
    grouping = find_grouping(request, pk)
    context = {
        "grouping": grouping,
        "meetings": list(Meeting.objects.visible_to(request.affiliation).filter(grouping=grouping)),
        "may_change": may_change(grouping, request.affiliation) and not grouping.is_declared_only,
    }
    return render(request, "groupings/meetings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def meeting_create(request: HttpRequest, pk: int) -> HttpResponse:
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    return _edit(request, grouping, Meeting(grouping=grouping), "Inscrire une réunion")


@require_http_methods(["GET", "HEAD", "POST"])
def meeting_change(request: HttpRequest, pk: int, meeting_pk: int) -> HttpResponse:
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    meeting = get_object_or_404(grouping.meetings, pk=meeting_pk)
    meeting.grouping = grouping
    return _edit(request, grouping, meeting, "Modifier une réunion")


def _edit(request: HttpRequest, grouping: Grouping, meeting: Meeting, title: str) -> HttpResponse:
    form = MeetingForm(posted(request), instance=meeting, use_required_attribute=False)
    today = timezone.localdate()
    if request.method == "POST" and submit(
        form, lambda: meeting_save(meeting=form.instance, actor=request.affiliation, today=today)
    ):
        messages.success(request, f"Réunion enregistrée\u00a0: {form.instance}.")
        return redirect("meetings", grouping.pk)
    context = {"form": form, "grouping": grouping, "title": title}
    return render(request, "groupings/meeting_form.html", context, status=422 if form.is_bound else 200)


@posted_or_back("meetings", "pk")
def meeting_remove_one(request: HttpRequest, pk: int, meeting_pk: int) -> HttpResponse:
    """A second click finds it gone, and comes back to the page all the same."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    meeting = grouping.meetings.filter(pk=meeting_pk).first()
    if meeting is not None:
        meeting.grouping = grouping
        meeting_remove(meeting=meeting, actor=request.affiliation)
        messages.success(request, f"Réunion retirée\u00a0: {meeting}.")
    return redirect("meetings", pk)
