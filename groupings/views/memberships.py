"""Who takes part: adding several members at once, a member's contact, its withdrawal, its answering link."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.membership import membership_add, membership_save
from groupings.forms.membership import MembershipForm, MembershipsAddForm
from groupings.links import link_open, link_revoke, link_url
from groupings.models import Grouping, Membership, SignedLink
from groupings.views.common import find_grouping, may_change, may_change_needs, require_change
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, posted_or_back, submit


@require_http_methods(["GET", "HEAD", "POST"])
def membership_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick the bodies that join; all of them or none."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    form = MembershipsAddForm(
        posted(request),
        grouping=grouping,
        affiliation=request.affiliation,
        initial={"joined_on": timezone.localdate()},
        use_required_attribute=False,
    )

    def write() -> None:
        with transaction.atomic():
            for organisation in form.cleaned_data["organisations"]:
                membership_add(
                    grouping=grouping,
                    organisation=organisation,
                    joined_on=form.cleaned_data["joined_on"],
                    actor=request.affiliation,
                )

    if request.method == "POST" and submit(form, write):
        count = len(form.cleaned_data["organisations"])
        messages.success(request, f"{count} membres ajoutés." if count > 1 else "1 membre ajouté.")
        return redirect(f"{reverse('grouping_detail', args=[pk])}#membres")
    context = {"form": form, "grouping": grouping}
    return render(request, "groupings/memberships_add.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def membership_change(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The contact, by the member itself or the coordinator; the dates by the coordinator alone."""
    grouping = find_grouping(request, pk)
    membership = find_membership(request, grouping, membership_pk)
    form = MembershipForm(
        posted(request),
        instance=membership,
        with_dates=may_change(grouping, request.affiliation),
        use_required_attribute=False,
    )
    if request.method == "POST" and submit(
        form, lambda: membership_save(membership=form.instance, actor=request.affiliation)
    ):
        messages.success(request, f"{membership.organisation.name}\u00a0: enregistré.")
        return redirect(f"{reverse('grouping_detail', args=[pk])}#membre-{membership.pk}")
    context = {
        "form": form,
        "title": f"{membership.organisation.name} dans {grouping.reference}",
        "here": membership.organisation.name,
        "submit": "Enregistrer",
        "grouping": grouping,
        "back_anchor": f"membre-{membership.pk}",
    }
    return render(request, "groupings/simple_form.html", context, status=422 if form.is_bound else 200)


def find_membership(request: HttpRequest, grouping: Grouping, pk: int) -> Membership:
    """A member of the grouping that the person may write about; 404 outside, 403 without the right."""
    memberships = Membership.objects.visible_to(request.affiliation).filter(grouping=grouping)
    membership = get_object_or_404(memberships.select_related("organisation"), pk=pk)
    membership.grouping = grouping
    if not may_change_needs(grouping, membership.organisation_id, request.affiliation):
        raise NotAllowed("Seuls ce membre et le coordonnateur du groupement peuvent faire cette modification.")
    return membership


@posted_or_back("grouping_detail", "pk")
def membership_link(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The coordinator opens, renews or revokes a member's link; a renewed one is shown once, to be copied."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    members = Membership.objects.visible_to(request.affiliation).filter(grouping=grouping)
    membership = get_object_or_404(members.select_related("organisation__parent"), pk=membership_pk)
    membership.grouping = grouping
    asked, now = request.POST.get("action"), timezone.now()
    if asked == "renew":
        link = link_open(membership=membership, actor=request.affiliation, now=now)
        context = {"link": link, "address": link_url(link), "membership": membership, "grouping": grouping}
        response = render(request, "groupings/link_address.html", context)
        response["Cache-Control"] = "no-store"
        return response
    if asked != "revoke":
        raise BusinessError("Choisissez de renouveler le lien, ou de le révoquer.")
    link = SignedLink.objects.visible_to(request.affiliation).filter(membership=membership).first()
    if link is None:
        raise BusinessError(f"Aucun lien n’est ouvert pour {membership.organisation.name}.")
    link_revoke(link=link, actor=request.affiliation, now=now)
    messages.success(request, f"{membership.organisation.name}\u00a0: le lien de réponse est révoqué.")
    return redirect(f"{reverse('grouping_detail', args=[pk])}#membre-{membership.pk}")
