"""The procedure of one grouping: why, what it implies, what changes when a member leaves, the small lots."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.procedure import small_lot_choose
from groupings.contract_value import value_of
from groupings.forms.procedure import SmallLotForm, WithoutForm
from groupings.models import Grouping, Membership, NeedLine, NeedsSubmission
from groupings.procedures import ProcedureCard, frozen_value, implied, procedure_card
from groupings.rules.contract_value import names
from groupings.rules.small_lots import SmallLot, SmallLots, small_lots
from groupings.views.common import find_grouping, sees_all
from groupings.views.detail import frozen_amounts
from members.roles import may, require
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted_or_back, submit


@dataclass
class SmallLotRow:
    """One lot of the exception, its reason when it was taken, the jurist's form when there is something to choose."""

    line: SmallLot
    reason: str
    form: SmallLotForm | None


@require_safe
def procedure_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All of it for the coordinator's people; a member reads what the frozen convention already tells it, else 403."""
    grouping = find_grouping(request, pk)
    if grouping.is_declared_only:
        raise BusinessError(
            "Un groupement seulement déclaré est suivi par une autre direction\u00a0: sa procédure aussi."
        )
    if sees_all(grouping, request.affiliation):
        return _render_page(request, grouping)
    convention = grouping.conventions.first()
    frozen = frozen_amounts(convention, request.affiliation, everything=False)
    if not frozen:
        raise NotAllowed(
            "La procédure dépend des besoins de tous les membres\u00a0: elle vous sera dite par l’annexe de la "
            "convention."
        )
    card = procedure_card(grouping, frozen_value(convention, frozen), timezone.localdate())
    lines, unknown = implied(card, grouping.category)
    context = {"grouping": grouping, "card": card, "lines": lines, "lines_unknown": unknown, "convention": convention}
    return render(request, "groupings/procedure_member.html", context)


@posted_or_back("procedure_page", "pk")
def small_lot_decide(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """The jurist takes the exception for one lot, or gives it up."""
    grouping = find_grouping(request, pk)
    lot = get_object_or_404(grouping.lots, pk=lot_pk)
    if not sees_all(grouping, request.affiliation):
        raise NotAllowed("Seul un juriste du coordonnateur choisit l’exception des petits lots.")
    require(request.affiliation, "procedure.override", organisation_id=grouping.coordinator_id)
    form = _form(lot.pk, request.POST)
    lot.grouping = grouping

    def write() -> None:
        small_lot_choose(
            lot=lot,
            takes=form.cleaned_data["choice"] == "take",
            reason=form.cleaned_data["reason"],
            actor=request.affiliation,
            today=timezone.localdate(),
        )

    if submit(form, write):
        taken = form.cleaned_data["choice"] == "take"
        done = "l’exception des petits lots est prise" if taken else "l’exception des petits lots est abandonnée"
        messages.success(request, f"Lot {lot.number}\u00a0: {done}.")
        return redirect(f"{reverse('procedure_page', args=[pk])}#petits-lots")
    return _render_page(request, grouping, refused=(lot.pk, form))


def _render_page(
    request: HttpRequest, grouping: Grouping, *, refused: tuple[int, SmallLotForm] | None = None
) -> HttpResponse:
    """The coordinator's page; ``refused``: the lot and the form a jurist's choice was refused with."""
    today = timezone.localdate()
    memberships = list(grouping.memberships.select_related("organisation"))
    lots = list(grouping.lots.all())
    needs = list(NeedLine.objects.visible_to(request.affiliation).filter(membership__grouping=grouping))
    answered = set(
        NeedsSubmission.objects.visible_to(request.affiliation)
        .filter(membership__grouping=grouping)
        .values_list("membership_id", flat=True)
    )
    rows = (grouping, memberships, lots, needs)
    card = procedure_card(grouping, value_of(*rows, answered=answered), today)
    free = _free(grouping, memberships)
    ticked = {key for key, _ in free if str(key) in request.GET.getlist("sans")}
    lines, unknown = implied(card, grouping.category)
    may_choose = (
        not grouping.is_launched
        and grouping.status != "cancelled"
        and may(request.affiliation, "procedure.override", organisation_id=grouping.coordinator_id)
    )
    exception, exception_unknown = _exception(grouping, card, {lot.pk for lot in lots if lot.takes_small_lot_exception})
    context = {
        "grouping": grouping,
        "card": card,
        "lines": lines,
        "lines_unknown": unknown,
        "missing": [names(card.value.unknown), names(card.value.silent)],
        "form": WithoutForm(members=free, initial={"sans": sorted(ticked)}),
        "may_simulate": not grouping.is_launched and bool(free),
        "without": procedure_card(grouping, value_of(*rows, answered=answered, without=ticked), today)
        if ticked
        else None,
        "leaving": names(name for key, name in free if key in ticked),
        "exception": exception,
        "exception_unknown": exception_unknown,
        "small_rows": _small_rows(exception, {lot.pk: lot.small_lot_reason for lot in lots}, may_choose, refused),
        "refused": refused[1] if refused else None,
    }
    return render(request, "groupings/procedure.html", context, status=422 if refused else 200)


def _free(grouping: Grouping, memberships: list[Membership]) -> list[tuple[int, str]]:
    """Those who could leave: the active members, without the coordinator."""
    return [
        (membership.pk, membership.organisation.name)
        for membership in memberships
        if membership.is_active and membership.organisation_id != grouping.coordinator_id
    ]


def _exception(grouping: Grouping, card: ProcedureCard, taken: set[int]) -> tuple[SmallLots | None, str]:
    if card.procedure is None:
        return None, ""
    try:
        return small_lots(card.value.lots, grouping.category, card.on, taken=taken), ""
    except LookupError as error:
        return None, str(error.args[0])


def _small_rows(
    exception: SmallLots | None,
    reasons: dict[int, str],
    may_choose: bool,
    refused: tuple[int, SmallLotForm] | None,
) -> list[SmallLotRow]:
    rows = []
    for line in exception.lots if exception else ():
        key = line.lot.key
        form = None
        if may_choose and (line.is_taken or not line.refusal):
            form = _form(key, initial={"choice": "give_up" if line.is_taken else "take"})
        if refused and refused[0] == key:
            form = refused[1]
        rows.append(SmallLotRow(line, reasons[key], form))
    return rows


def _form(key: int, data=None, **options) -> SmallLotForm:
    return SmallLotForm(data, auto_id=f"lot-{key}-%s", use_required_attribute=False, **options)
