"""Bringing a text from outside: negotiated, or signed before the tool; and coming back to the tool's own."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.convention_deposit import generated_resume, negotiated_deposit, prior_deposit
from groupings.convention_life import voters
from groupings.forms.convention import NegotiatedForm, PriorForm, ResumeForm
from groupings.models import Convention, Grouping
from groupings.views.common import find_grouping, require_change
from procurement.core.errors import BusinessError
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import PDF_MAX_BYTES


def _find(request: HttpRequest, pk: int) -> tuple[Grouping, Convention | None]:
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    if grouping.is_declared_only:
        raise BusinessError(
            "Ce groupement est seulement déclaré\u00a0: sa convention est tenue par une autre direction."
        )
    return grouping, grouping.conventions.defer("values").first()


def _sent(form) -> dict[str, object]:
    """The bytes and the name of the file: one byte too many is enough to refuse it."""
    upload = form.cleaned_data["file"]
    return {"content": upload.read(PDF_MAX_BYTES + 1), "filename": upload.name}


@require_http_methods(["GET", "HEAD", "POST"])
def convention_negotiated(request: HttpRequest, pk: int) -> HttpResponse:
    """Deposit the text negotiated outside: it becomes the next version, the same for every member."""
    grouping, latest = _find(request, pk)
    form = NegotiatedForm(posted(request), request.FILES or None, use_required_attribute=False)
    kept: list[Convention] = []
    if request.method == "POST" and submit(
        form,
        lambda: kept.append(
            negotiated_deposit(
                grouping=grouping,
                **_sent(form),
                actor=request.affiliation,
                now=timezone.now(),
                reason=form.cleaned_data["reason"],
            )
        ),
    ):
        messages.success(request, f"Texte négocié enregistré\u00a0: version {kept[0].version}, {kept[0].file_name}.")
        return redirect(f"{reverse('grouping_detail', args=[pk])}#documents")
    return _negotiated_page(
        request, grouping, latest, form, ResumeForm(use_required_attribute=False, auto_id="retour-%s")
    )


def _negotiated_page(
    request: HttpRequest, grouping: Grouping, latest: Convention | None, form: NegotiatedForm, resume_form: ResumeForm
) -> HttpResponse:
    context = {
        "form": form,
        "resume_form": resume_form,
        "grouping": grouping,
        "latest": latest,
        "votes_began": bool(voters(grouping)),
    }
    status = 422 if form.is_bound or resume_form.is_bound else 200
    return render(request, "groupings/convention_negotiated.html", context, status=status)


@posted_or_back("convention_negotiated", "pk")
def convention_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Come back to the text the tool writes, as the next version."""
    grouping, latest = _find(request, pk)
    resume_form = ResumeForm(request.POST, use_required_attribute=False, auto_id="retour-%s")
    kept: list[Convention] = []
    if submit(
        resume_form,
        lambda: kept.append(
            generated_resume(
                grouping=grouping,
                actor=request.affiliation,
                now=timezone.now(),
                reason=resume_form.cleaned_data["reason"],
            )
        ),
    ):
        messages.success(
            request,
            f"Version {kept[0].version} figée avec le texte produit\u00a0: il reste à produire les conventions.",
        )
        return redirect(f"{reverse('grouping_detail', args=[pk])}#documents")
    return _negotiated_page(request, grouping, latest, NegotiatedForm(use_required_attribute=False), resume_form)


@require_http_methods(["GET", "HEAD", "POST"])
def convention_prior(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in a convention signed before the tool: it is in force at once."""
    grouping, latest = _find(request, pk)
    form = PriorForm(posted(request), request.FILES or None, grouping=grouping, use_required_attribute=False)
    kept: list[Convention] = []
    if request.method == "POST" and submit(
        form,
        lambda: kept.append(
            prior_deposit(
                grouping=grouping,
                **_sent(form),
                signed_on=form.cleaned_data["signed_on"],
                signatories=form.signatories(),
                actor=request.affiliation,
                now=timezone.now(),
                today=timezone.localdate(),
                reason=form.cleaned_data["reason"],
            )
        ),
    ):
        messages.success(
            request, f"Convention signée le {kept[0].signed_on:%d/%m/%Y} reprise\u00a0: elle est en vigueur."
        )
        return redirect(f"{reverse('grouping_detail', args=[pk])}#documents")
    context = {"form": form, "grouping": grouping, "latest": latest}
    return render(request, "groupings/convention_prior.html", context, status=422 if form.is_bound else 200)
