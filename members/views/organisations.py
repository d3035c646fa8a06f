"""The page of one body, its card, and the communes of an EPCI added in one action."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.actions import epci_add_communes, organisation_save
from members.forms import OrganisationForm, from_commune
from members.models import Organisation, Representative
from members.participation import participations
from members.reference import Commune, commune_by_insee_code, epci_by_siren, find_communes
from members.roles import may, require
from members.views.common import find_organisation
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.submission import posted, submit

JOURNAL_SHOWN = 15
SESSIONS_SHOWN = 6


@require_safe
def organisation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return render_page(request, find_organisation(request, pk))


def render_page(request: HttpRequest, organisation: Organisation, *, refusal: str = "") -> HttpResponse:
    """The page of a body; with ``refusal``, the sentence of the action just refused, and status 422."""
    affiliation, today = request.affiliation, timezone.localdate()
    mandates = list(organisation.representatives.all())
    for mandate in mandates:
        mandate.organisation = organisation
    sessions = list(organisation.sessions.order_by("meeting_on"))
    coming = [session for session in sessions if session.meeting_on >= today]
    entries = JournalEntry.objects.of_thread(organisation.journal_scope.thread, affiliation)
    whole_journal = request.GET.get("journal") == "tout"
    journal = list(entries if whole_journal else entries[: JOURNAL_SHOWN + 1])
    context = {
        "organisation": organisation,
        "refusal": refusal,
        "signatories": in_office(mandates, today),
        "mandates": mandates,
        "coming": coming if whole_journal else coming[:SESSIONS_SHOWN],
        "past": [session for session in reversed(sessions) if session.meeting_on < today],
        "participations": participations(organisation, affiliation),
        "children": list(organisation.children.all()) if organisation.territory_id else [],
        "journal": journal if whole_journal else journal[:JOURNAL_SHOWN],
        "journal_goes_on": not whole_journal and len(journal) > JOURNAL_SHOWN,
        "may_change": may(affiliation, "organisation.change", organisation_id=organisation.pk),
        "missing_communes": missing_communes(organisation) if may(affiliation, "organisation.create") else 0,
    }
    return render(request, "members/detail.html", context, status=422 if refusal else 200)


def in_office(mandates: list[Representative], today: date) -> list[Representative]:
    """Those who may sign today, the head of the executive before its deputies."""
    current = [m for m in mandates if m.start_on <= today and (m.end_on is None or m.end_on >= today)]
    return sorted(current, key=lambda mandate: mandate.capacity != Representative.Capacity.HEAD)


def missing_communes(organisation: Organisation) -> int:
    """How many communes of the EPCI have no card yet; 0 for any other body."""
    if organisation.territory_id is not None:
        return 0
    try:
        members = epci_by_siren(organisation.siren).members
    except KeyError:
        return 0
    known = set(Organisation.objects.filter(territory=organisation).values_list("siren", flat=True))
    return sum(1 for commune in members if commune.siren not in known)


@dataclass(frozen=True)
class Found:
    """A commune of the reference data, and its card when the territory has one already."""

    commune: Commune
    card: Organisation | None


@require_http_methods(["GET", "HEAD", "POST"])
def organisation_create(request: HttpRequest) -> HttpResponse:
    """A new card; ``?commune=`` searches the reference data by name, ``?insee=`` fills the card from one of them."""
    affiliation = request.affiliation
    require(affiliation, "organisation.create")
    head = affiliation.organisation
    initial = {"parent": head.pk}
    try:
        initial = from_commune(commune_by_insee_code(request.GET.get("insee", "")), head=head)
    except KeyError:
        pass  # no commune chosen, or one that does not exist: an empty card
    form = OrganisationForm(
        posted(request),
        instance=Organisation(),
        affiliation=affiliation,
        initial=initial,
        use_required_attribute=False,
    )
    if request.method == "POST" and submit(
        form, lambda: organisation_save(organisation=form.instance, actor=affiliation)
    ):
        messages.success(request, f"{form.instance.name}\u00a0: la fiche est créée.")
        return redirect("organisation_detail", form.instance.pk)
    searched = request.GET.get("commune", "").strip()[:100]
    context = {
        "form": form,
        "searched": searched,
        "found": _with_cards(find_communes(searched), affiliation) if searched else [],
        "is_prefilled": "siren" in initial,
    }
    return render(request, "members/create.html", context, status=422 if form.is_bound else 200)


def _with_cards(communes: list[Commune], affiliation) -> list[Found]:
    sirens = [commune.siren for commune in communes if commune.siren]
    cards = {card.siren: card for card in Organisation.objects.visible_to(affiliation).filter(siren__in=sirens)}
    return [Found(commune, cards.get(commune.siren)) for commune in communes]


@require_http_methods(["GET", "HEAD", "POST"])
def organisation_change(request: HttpRequest, pk: int) -> HttpResponse:
    """The card again: everything for those who keep the directory, its contact details for the body's own agents."""
    organisation = find_organisation(request, pk)
    name = organisation.name
    require(request.affiliation, "organisation.change", organisation_id=pk)
    form = OrganisationForm(
        posted(request), instance=organisation, affiliation=request.affiliation, use_required_attribute=False
    )
    if request.method == "POST" and submit(
        form, lambda: organisation_save(organisation=form.instance, actor=request.affiliation)
    ):
        messages.success(request, f"{form.instance.name}\u00a0: la fiche est enregistrée.")
        return redirect("organisation_detail", pk)
    context = {"form": form, "pk": pk, "name": name}
    return render(request, "members/change.html", context, status=422 if form.is_bound else 200)


@require_POST
def epci_add_communes_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Every commune of the EPCI that has no card yet, in one action."""
    organisation = find_organisation(request, pk)
    try:
        created = epci_add_communes(territory=organisation, actor=request.affiliation)
    except NotAllowed:
        raise
    except BusinessError as error:
        return render_page(request, organisation, refusal=error.message)
    count = len(created)
    if count:
        messages.success(request, f"{count} communes ajoutées." if count > 1 else "1 commune ajoutée.")
    else:
        messages.success(request, "Toutes les communes de cet EPCI ont déjà leur fiche.")
    return redirect("organisation_detail", pk)
