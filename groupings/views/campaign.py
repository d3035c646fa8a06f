"""The survey of needs, by its coordinator: its dates, the message to the members, opening it again for one."""

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions import campaign as actions
from groupings.choices import GroupingStatus
from groupings.forms.needs import CampaignForm, ReopenForm
from groupings.models import Grouping, Membership, NeedsCampaign, NeedsReopening
from groupings.views.common import find_grouping, require_change
from members.models import Affiliation
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, posted_or_back, submit


@require_http_methods(["GET", "HEAD", "POST"])
def campaign_open(request: HttpRequest, pk: int) -> HttpResponse:
    """The survey: opened, changed, told to the members, closed, opened again."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    today = timezone.localdate()
    form = _campaign_form(request, grouping)
    was_opened = request.method == "POST" and NeedsCampaign.objects.filter(grouping=grouping).exists()

    def write() -> None:
        typed = {name: form.cleaned_data[name] for name in ("opens_on", "due_on", "locks_when_due", "instructions")}
        actions.campaign_open(
            grouping=grouping,
            actor=request.affiliation,
            today=today,
            expected_version=form.cleaned_data["version"],
            **typed,
        )

    if request.method == "POST" and submit(form, write):
        unsent = "" if was_opened else " Aucun message n’est encore parti\u00a0: écrivez aux membres ci-dessous."
        messages.success(request, f"Le recensement est {'enregistré' if was_opened else 'ouvert'}.{unsent}")
        return redirect("campaign_open", pk)
    return _page(request, grouping, form=form, status=422 if form.is_bound else 200)


def _campaign_form(request: HttpRequest, grouping: Grouping) -> CampaignForm:
    campaign = NeedsCampaign.objects.filter(grouping=grouping).first()
    data = posted(request) if request.resolver_match.url_name == "campaign_open" else None
    return CampaignForm(
        data,
        initial={
            "version": grouping.version,
            "opens_on": campaign.opens_on if campaign else max(grouping.opened_on, timezone.localdate()),
            "due_on": grouping.needs_due_on,
            "locks_when_due": bool(campaign and campaign.locks_when_due),
            "instructions": campaign.instructions if campaign else "",
        },
        use_required_attribute=False,
    )


def _page(
    request: HttpRequest,
    grouping: Grouping,
    *,
    form: CampaignForm,
    reopen: ReopenForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    agents = Affiliation.objects.filter(
        organisation=OuterRef("organisation"), role=Role.MEMBER_AGENT, user__is_active=True
    )
    silent = list(actions.awaited(grouping).annotate(has_agent=Exists(agents)))
    context = {
        "grouping": grouping,
        "form": form,
        "reopen_form": reopen or ReopenForm(grouping=grouping, auto_id="reopen-%s", use_required_attribute=False),
        "refusal": refusal,
        "is_surveying": grouping.status == GroupingStatus.NEEDS,
        "is_opened": NeedsCampaign.objects.filter(grouping=grouping).exists(),
        "member_count": grouping.memberships.active().count(),
        "silent": silent,
        "unreachable": [m for m in silent if not (m.has_agent or m.contact_email or m.organisation.email)],
        "reopenings": list(
            NeedsReopening.objects.filter(membership__grouping=grouping, until__gte=timezone.localdate())
            .select_related("membership__organisation")
            .order_by("until")
        ),
    }
    return render(request, "groupings/campaign.html", context, status=status)


@posted_or_back("campaign_open", "pk")
def campaign_announce(request: HttpRequest, pk: int) -> HttpResponse:
    """Write to the members that have not answered; the page says how many mails leave, or why none does."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    try:
        sent = actions.campaign_announce(grouping=grouping, actor=request.affiliation, now=timezone.now())
    except NotAllowed:
        raise
    except BusinessError as error:
        form = _campaign_form(request, grouping)
        return _page(request, grouping, form=form, refusal=error.message, status=422)
    s = "s" if sent > 1 else ""
    messages.success(request, f"{sent} message{s} confié{s} à l’envoi.")
    return redirect("campaign_open", pk)


@posted_or_back("campaign_open", "pk")
def campaign_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one member answer again until a day, with a reason; it is told by mail."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    form = ReopenForm(request.POST, grouping=grouping, auto_id="reopen-%s", use_required_attribute=False)
    sent: list[int] = []

    def write() -> None:
        membership: Membership = form.cleaned_data["membership"]
        membership.grouping = grouping
        _, count = actions.needs_reopen(
            membership=membership,
            until=form.cleaned_data["until"],
            reason=form.cleaned_data["reason"],
            actor=request.affiliation,
            now=timezone.now(),
        )
        sent.append(count)

    if not submit(form, write):
        return _page(request, grouping, form=_campaign_form(request, grouping), reopen=form, status=422)
    name = form.cleaned_data["membership"].organisation.name
    told = "le membre est prévenu par courriel" if sent[0] else "aucun courriel n’est parti, prévenez le membre"
    messages.success(request, f"Recensement rouvert pour {name}\u00a0: {told}.")
    return redirect("campaign_open", pk)
