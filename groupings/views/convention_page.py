"""The page of a convention, its steps, and what is said of its articles."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.convention_comments import comment_add, comment_answer
from groupings.actions.convention_life import convention_advance
from groupings.choices import ConventionStatus
from groupings.forms.convention_life import AnswerForm, CommentForm
from groupings.models import Convention, ConventionComment, Grouping
from groupings.views.common import find_grouping, require_change
from groupings.views.convention_page_data import Page
from members.roles import may
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted_or_back, submit


@require_safe
def convention_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One grouping's convention; 404 outside the perimeter."""
    return render_page(request, find_grouping(request, pk))


def render_page(request: HttpRequest, grouping: Grouping, *, status: int = 200, refused=None, **extra) -> HttpResponse:
    """The page, also used to show why something was refused."""
    page = Page(grouping, request.affiliation, timezone.localdate(), refused=refused)
    context = {
        "page": page,
        "grouping": grouping,
        "convention": page.current,
        "steps": page.steps(),
        "refused": refused,
        "refused_step": "",
        "reason": "",
        "new_reason": "",
        "comment_url": reverse("convention_comment", args=[grouping.pk]),
        **extra,
    }
    return render(request, "groupings/convention.html", context, status=status)


@posted_or_back("convention_page", "pk")
def convention_advance_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a step of the life cycle; refused, the page is shown again with the reason and what was typed."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    step, reason = request.POST.get("step", ""), request.POST.get("reason", "")[:2000]
    now = timezone.now()
    try:
        convention = _current(grouping)
        advanced = convention_advance(
            convention=convention,
            transition=step,
            actor=request.affiliation,
            today=timezone.localtime(now).date(),
            now=now,
            reason=reason,
            expected_status=request.POST.get("status") or None,
        )
    except NotAllowed:
        raise
    except BusinessError as error:
        refused = {"refused_step": step, "step_error": error.message, "reason": reason}
        return render_page(request, find_grouping(request, pk), status=422, **refused)
    messages.success(request, f"Convention version {advanced.version}\u00a0: {advanced.get_status_display().lower()}.")
    return redirect("convention_page", pk)


@posted_or_back("convention_page", "pk")
def convention_comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a remark or a reply, in the name of the reader's body."""
    grouping = find_grouping(request, pk)
    page = Page(grouping, request.affiliation, timezone.localdate())
    if not page.may_change and page.own_membership is None:
        raise NotAllowed("Seuls les membres du groupement et son coordonnateur écrivent une remarque.")
    _require_writer(page)
    form, done = comment_form(request), []
    if submit(form, lambda: done.append(write_comment(page, form))):
        messages.success(request, "Votre remarque est enregistrée.")
        return redirect(reverse("convention_page", args=[pk]) + anchor_of(done[0]))
    return _refused(request, pk, form)


def _require_writer(page: Page) -> None:
    """Raise NotAllowed for who reads without writing, before the form is looked at."""
    own = page.own_membership
    if own is not None and not may(page.affiliation, "deliberation.change", organisation_id=own.organisation_id):
        raise NotAllowed("Votre rôle ne permet pas d’écrire une remarque.")


def comment_form(request: HttpRequest) -> CommentForm:
    """What was sent, named after the box it came from so that a refusal comes back there."""
    typed = request.POST
    parent, article = typed.get("parent", ""), typed.get("article", "")
    return CommentForm(typed, box=f"reponse-{parent}" if parent else f"remarque-{article}")


def write_comment(page: Page, form: CommentForm) -> ConventionComment:
    """Write what ``form`` says in the name of the reader's body."""
    if page.current is None:
        raise BusinessError("Ce groupement n’a pas encore de convention.")
    parent = None
    if number := form.cleaned_data["parent"]:
        parent = ConventionComment.objects.visible_to(page.affiliation).filter(pk=number).first()
        if parent is None:
            raise BusinessError("Cette remarque n’existe pas.", field="body")
    return comment_add(
        convention=page.current,
        article_key=form.cleaned_data["article"],
        body=form.cleaned_data["body"],
        actor=page.affiliation,
        now=timezone.now(),
        membership=page.own_membership,
        parent=parent,
    )


def anchor_of(comment: ConventionComment) -> str:
    """The end of the address where a remark, or the one it replies to, is read."""
    return f"#remarque-{comment.parent_id or comment.pk}"


@posted_or_back("convention_page", "pk")
def convention_answer(request: HttpRequest, pk: int, comment_pk: int) -> HttpResponse:
    """The coordinator's answer to one remark."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    comments = ConventionComment.objects.visible_to(request.affiliation).filter(convention__grouping=grouping)
    comment = get_object_or_404(comments.select_related("convention__grouping"), pk=comment_pk)
    form = AnswerForm(request.POST, box=f"suite-{comment.pk}")

    def write() -> None:
        typed = form.cleaned_data
        comment_answer(comment=comment, actor=request.affiliation, now=timezone.now(), **typed)

    if submit(form, write):
        messages.success(request, "Votre réponse est enregistrée.")
        return redirect(reverse("convention_page", args=[pk]) + anchor_of(comment))
    return _refused(request, pk, form)


def _refused(request: HttpRequest, pk: int, form) -> HttpResponse:
    """The page as it is now with the form in its place, and on top why, with the text when that place is gone."""
    return render_page(request, find_grouping(request, pk), status=422, refused=form)


def _current(grouping: Grouping) -> Convention:
    current = grouping.conventions.exclude(status=ConventionStatus.SUPERSEDED).defer("values").first()
    if current is None:
        raise BusinessError("Produisez d’abord la convention.")
    current.grouping = grouping
    return current
