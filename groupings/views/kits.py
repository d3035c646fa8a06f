"""Sending the kits, and handing over their files."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings import mailing
from groupings.actions.kit import JOB_KIND, kits_request
from groupings.choices import AWAITING_VOTE
from groupings.forms.membership import CheckboxList
from groupings.models import ConventionDocument, DraftDocument, Grouping, Membership
from groupings.views.common import find_grouping, require_change
from procurement.core.exports import archive_response, download_response
from procurement.core.forms import StyledFormMixin
from procurement.core.jobs.models import Job
from procurement.core.jobs.views import Result, results_of
from procurement.core.submission import posted, submit
from procurement.core.uploads import DOCX_TYPE, PDF_TYPE, read_checked

TYPES = {DraftDocument.Format.DOCX: DOCX_TYPE, DraftDocument.Format.PDF: PDF_TYPE}


class KitForm(StyledFormMixin, forms.Form):
    """Whose kit, and whether it leaves by mail. Those still to vote are ticked."""

    memberships = forms.TypedMultipleChoiceField(
        label="Membres",
        coerce=int,
        widget=CheckboxList,
        error_messages={"required": "Cochez au moins un membre."},
    )
    send = forms.TypedChoiceField(
        label="Que faire des kits",
        coerce=lambda value: value == "send",
        choices=[("send", "Les produire et les envoyer par courriel"), ("keep", "Les produire seulement")],
        initial="send",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, memberships: list[Membership], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["memberships"].choices = [(m.pk, _label(m)) for m in memberships]
        self.initial["memberships"] = [m.pk for m in memberships if m.votes and m.votes[0].status in AWAITING_VOTE]


def _label(membership: Membership) -> str:
    addresses = mailing.recipients(membership)
    state = membership.votes[0].badge.word if membership.votes else "sans délibération"
    return (
        f"{membership.organisation.name}\u00a0– {state}\u00a0– {', '.join(addresses) or 'aucune adresse électronique'}"
    )


@require_http_methods(["GET", "HEAD", "POST"])
def kit_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the members, then watch the bar."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    today = timezone.localdate()
    memberships = list(grouping.memberships.active().with_approval(today))
    form = KitForm(posted(request), memberships=memberships, use_required_attribute=False)
    asked: list[Job] = []

    def write() -> None:
        chosen = [m for m in memberships if m.pk in form.cleaned_data["memberships"]]
        asked.append(
            kits_request(
                grouping=grouping,
                memberships=chosen,
                send=form.cleaned_data["send"],
                actor=request.affiliation,
                now=timezone.now(),
                today=today,
            )
        )

    if request.method == "POST" and submit(form, write):
        return redirect("job_detail", asked[0].pk)
    context = {"form": form, "grouping": grouping}
    return render(request, "groupings/kit_send.html", context, status=422 if form.is_bound else 200)


@require_safe
def kit_document(request: HttpRequest, pk: int, siren: str, extension: str) -> HttpResponse:
    """One draft of the latest kit of one member; 404 outside the perimeter."""
    drafts = _drafts(request.affiliation, find_grouping(request, pk)).filter(format=extension)
    draft = get_object_or_404(drafts.filter(membership__organisation__siren=siren))
    content = read_checked(draft.file, sha256=draft.sha256, name=draft.filename)
    return download_response(content, filename=draft.filename, content_type=TYPES[draft.format])


@require_safe
def kit_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Every kit of the latest convention that the person may open: a folder per member, as a ZIP."""
    grouping = find_grouping(request, pk)
    drafts = list(_drafts(request.affiliation, grouping))
    if not drafts:
        raise Http404
    conventions = ConventionDocument.objects.visible_to(request.affiliation).filter(
        convention=drafts[0].convention, membership__in=[draft.membership_id for draft in drafts]
    )
    documents = [*conventions.select_related("convention__grouping", "membership__organisation"), *drafts]
    files = (
        (
            f"{document.membership.organisation.siren}/{document.filename}",
            read_checked(document.file, sha256=document.sha256, name=document.filename),
            document.convention.frozen_at,
        )
        for document in sorted(documents, key=lambda document: document.filename)
    )
    return archive_response(files, filename=f"{grouping.reference}_kits_v{drafts[0].convention.version}.zip")


def _drafts(affiliation, grouping: Grouping):
    """The drafts of the latest convention, inside the perimeter."""
    latest = grouping.conventions.values("pk")[:1]
    return (
        DraftDocument.objects.visible_to(affiliation)
        .filter(convention__in=list(latest.values_list("pk", flat=True)), membership__grouping=grouping)
        .select_related("convention", "membership__organisation", "membership__grouping")
        .defer("convention__values")
        .order_by("membership__organisation__sort_name", "format")
    )


@results_of(JOB_KIND)
def kit_results(job: Job, affiliation) -> list[Result]:
    """The way back, the ZIP, then the files of each member."""
    grouping = Grouping.objects.visible_to(affiliation).filter(pk=job.parameters.get("grouping")).first()
    if grouping is None:
        return []
    results = [Result(f"Retour à {grouping.reference}", reverse("grouping_detail", args=[grouping.pk]), "back")]
    drafts = list(_drafts(affiliation, grouping)) if job.is_finished else []
    if not drafts:
        return results
    members = len({draft.membership_id for draft in drafts})
    archive = reverse("kit_archive", args=[grouping.pk])
    label = f"Télécharger les {members} kits (ZIP)" if members > 1 else "Télécharger le kit (ZIP)"
    results.append(Result(label, archive, "main"))
    for draft in drafts:
        organisation = draft.membership.organisation
        url = reverse("kit_document", args=[grouping.pk, organisation.siren, draft.format])
        results.append(Result(f"{organisation.name}, modèle de délibération ({draft.get_format_display()})", url))
    return results
