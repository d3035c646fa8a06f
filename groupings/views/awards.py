"""The decision on a lot, its dates, the parts of the members, and their export."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.award import award_save
from groupings.actions.award_dates import award_follow, each_member_signs
from groupings.forms.award import AwardForm, FollowForm, award_initial
from groupings.models import Award, AwardShare, Consultation, Grouping, Lot
from groupings.rules.standstill import standstill_days
from groupings.tender import award_facts
from groupings.views.common import find_grouping, require_change, sees_all
from members.roles import require
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import Column, export_response
from procurement.core.submission import posted, submit


def find_lot(request: HttpRequest, grouping: Grouping, lot_pk: int) -> tuple[Lot, Consultation | None]:
    """The lot and the last consultation that holds it; 404 for a lot of another grouping."""
    lot = get_object_or_404(Lot.objects.visible_to(request.affiliation).filter(grouping=grouping), pk=lot_pk)
    lot.grouping = grouping
    consultation = lot.consultations.order_by("-number").first()
    if consultation is not None:
        consultation.grouping = grouping
    return lot, consultation


def find_award(request: HttpRequest, grouping: Grouping, lot_pk: int) -> Award:
    """The decision that awarded the lot; BusinessError when there is none."""
    lot, consultation = find_lot(request, grouping, lot_pk)
    found = Award.objects.visible_to(request.affiliation).prefetch_related("holders")
    award = found.filter(consultation=consultation, lot=lot).first() if consultation else None
    if award is None or not award.is_awarded:
        raise BusinessError(f"Le lot {lot.number} n’est pas attribué.")
    award.lot, award.consultation = lot, consultation
    return award


@require_http_methods(["GET", "HEAD", "POST"])
def award_change(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """What became of a lot, in its last consultation."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    lot, consultation = find_lot(request, grouping, lot_pk)
    if consultation is None:
        raise BusinessError("La consultation de ce groupement n’est pas lancée.")
    stored = consultation.awards.filter(lot=lot).prefetch_related("holders").first()
    award = stored or Award(consultation=consultation, lot=lot)
    award.lot, award.consultation = lot, consultation
    initial = {} if stored else award_initial(lot, grouping, consultation)
    form = AwardForm(posted(request), instance=award, initial=initial, use_required_attribute=False)
    told: list[str] = []

    def write() -> None:
        decided = award_save(
            award=form.instance,
            holders=form.holders(),
            actor=request.affiliation,
            today=timezone.localdate(),
            expected_version=form.version_read(),
        )
        told.append(f"Lot {lot.number}\u00a0: décision enregistrée. {decided.shares_told}".strip())

    if request.method == "POST" and submit(form, write):
        messages.success(request, told[0])
        return redirect(f"{reverse('consultation', args=[pk])}#lots")
    if form.is_bound:
        now = consultation.awards.filter(lot=lot).values_list("version", flat=True).first()
        data = form.data.copy()
        data["version"] = str(now or 0)  # saving again, once told, is a decision taken knowingly
        form.data = data
    context = {"form": form, "grouping": grouping, "lot": lot, "tender": consultation, "award": stored}
    return render(request, "groupings/award_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def award_dates(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """Rejections, standstill, signature, notification, publication; one line per member where each signs."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    award = find_award(request, grouping, lot_pk)
    memberships, contracts = None, {}
    if each_member_signs(award):
        contracts = {contract.membership_id: contract for contract in award.member_contracts.all()}
        memberships = list(grouping.memberships.bound().select_related("organisation"))
    form = FollowForm(
        posted(request), award=award, memberships=memberships, contracts=contracts, use_required_attribute=False
    )

    def write() -> None:
        typed = form.cleaned_data
        award_follow(
            award=award,
            rejection_sent_on=typed["rejection_sent_on"],
            signed_on=typed.get("signed_on"),
            notified_on=typed.get("notified_on"),
            data_published_on=typed["data_published_on"],
            contracts=form.contracts(),
            actor=request.affiliation,
            today=timezone.localdate(),
            expected_version=-1 if typed.get("version") is None else typed["version"],
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Lot {award.lot.number}\u00a0: dates enregistrées.")
        return redirect(f"{reverse('consultation', args=[pk])}#lots")
    facts = award_facts(award)
    context = {
        "form": form,
        "grouping": grouping,
        "award": award,
        "facts": facts,
        "days": standstill_days(facts.is_electronic),
        "earliest": facts.earliest_signature_on(award.rejection_sent_on),
    }
    return render(request, "groupings/award_dates.html", context, status=422 if form.is_bound else 200)


EXPORTS = ("xlsx", "csv")


@dataclass(frozen=True)
class ExportLine:
    """One line of the export: a decision, and one member's part of it; ``share`` None where nothing is shared out."""

    award: Award
    share: AwardShare | None

    @property
    def holders(self) -> str:
        return ", ".join(holder.name for holder in self.award.holders.all())

    @property
    def identifiers(self) -> str:
        return ", ".join(holder.identifier for holder in self.award.holders.all())


COLUMNS = (
    Column("Consultation", "award.consultation.number", "integer", width=13),
    Column("Lot", "award.lot.number", "integer", width=8),
    Column("Intitulé", "award.lot.title", width=24),
    Column("Décision", lambda line: line.award.get_outcome_display(), width=12),
    Column("Décidée le", "award.decided_on", "date"),
    Column("Offres reçues", "award.offers_received", "integer"),
    Column("Titulaires", "holders", width=24),
    Column("Identifiants", "identifiers", width=16),
    Column("Marché n°", "award.reference", width=16),
    Column("Montant (€ HT)", "award.amount_excl_tax", "euros", width=14),
    Column("Minimum (€ HT)", "award.minimum_excl_tax", "euros", width=14),
    Column("Maximum (€ HT)", "award.maximum_excl_tax", "euros", width=14),
    Column("Signé le", "award.signed_on", "date"),
    Column("Notifié le", "award.notified_on", "date"),
    Column("Début", "award.starts_on", "date"),
    Column("Fin", "award.ends_on", "date"),
    Column("Membre", lambda line: line.share and line.share.membership.organisation.name, width=26),
    Column("SIREN du membre", lambda line: line.share and line.share.membership.organisation.siren, width=12),
    Column("Part (€ HT)", lambda line: line.share and line.share.amount_excl_tax, "euros", width=14),
    Column("Ajustée", lambda line: line.share and line.share.is_adjusted, "boolean"),
)


@require_safe
def award_export(request: HttpRequest, pk: int, extension: str) -> HttpResponse:
    """Every decision with its parts, one line per member; for the coordinator's people alone."""
    grouping = find_grouping(request, pk)
    if extension not in EXPORTS:
        raise Http404
    require(request.affiliation, "export")
    if not sees_all(grouping, request.affiliation):
        raise NotAllowed("Les parts de tous les membres sont connues du seul coordonnateur.")
    return export_response(
        extension,
        COLUMNS,
        list(_lines(grouping, request.affiliation)),
        title=f"Attributions {grouping.reference}",
        filename=f"attributions_{grouping.reference}",
    )


def _lines(grouping: Grouping, affiliation) -> Iterator[ExportLine]:
    shares = AwardShare.objects.visible_to(affiliation).select_related("membership__organisation")
    awards = (
        Award.objects.visible_to(affiliation)
        .filter(lot__grouping=grouping)
        .select_related("lot", "consultation")
        .prefetch_related("holders", Prefetch("shares", shares))
    )
    for award in awards:
        parts = list(award.shares.all())
        yield from (ExportLine(award, share) for share in parts or [None])
