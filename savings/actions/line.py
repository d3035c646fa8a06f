"""The lines of gain, by the buyer: written as drafts, submitted to finance, taken back."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from groupings.models import Award, Grouping
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import snapshot
from savings.actions.writing import locked, save_next
from savings.choices import EDITABLE, GainStage, LineStatus
from savings.four_eyes import needs_comment
from savings.models import Baseline, PriceLine
from savings.posting import compute
from savings.stages import copy_reference, notified_awards, stage_refusal
from savings.workflow import LINE_WORKFLOW

_WHAT = "Cette ligne"
#: Who wrote these is who entered the line: finance never validates its own figures.
_FIGURES = ("price_obtained", "quantity", "year", "starts_on", "months")


def line_save(*, line: PriceLine, actor: Actor) -> PriceLine:
    """Write or change a draft (or a line finance returned). What belongs to its reference and to the contract is
    copied, the amounts are computed; without price obtained the line is kept, and counts as not measured.

    Raises NotAllowed, BusinessError (too early for that stage, not a draft any more, changed meanwhile) or
    ValidationError by field.
    """
    _require_entry(line, actor)
    with transaction.atomic():
        baseline = _reference(line)
        before: dict = {}
        if line.pk:
            stored = locked(line, what=_WHAT)
            if stored.status not in EDITABLE:
                state = stored.get_status_display().lower()
                raise BusinessError(f"{_WHAT} est {state}\u00a0: elle ne se modifie pas dans cet état.")
            before = snapshot(stored)
        if baseline.is_replaced:
            raise BusinessError("Ce prix de référence a été remplacé\u00a0: saisissez la ligne sur le nouveau.")
        award = notified_awards([baseline.lot_id]).get(baseline.lot_id)
        if refusal := stage_refusal(line.stage, baseline.membership.grouping, award, line.year):
            raise BusinessError(refusal)
        if line.corrects_id is None and (counted := _counted_before(line)):
            raise BusinessError(
                f"La ligne n°\u00a0{counted.pk}, déjà validée, compte cet achat à ce stade\u00a0: corrigez-la."
            )
        copy_reference(line, award)
        if line.quantity is None:
            raise ValidationError({"quantity": "Indiquez la quantité achetée dans l’année."})
        compute(line)
        now_holds = snapshot(line)
        if not before or any(now_holds[name] != before[name] for name in _FIGURES):
            line.entered_by_id, line.entered_label = actor.user_id, actor.actor_label[:200]
        save_next(
            line,
            before,
            actor=actor,
            verb="price_line.change" if before else "price_line.create",
            sentence=_told(line, "modifiée" if before else "saisie"),
        )
    return line


def _counted_before(line: PriceLine) -> PriceLine | None:
    """The validated line of the same stage on this reference, or on one it replaces: two would count the same gain
    twice. One that is no correction is left to the constraint, which says it by the field."""
    same = Q(stage=line.stage, year=line.year) if line.year else Q(stage=line.stage, year__isnull=True)
    former, corrected_only = line.baseline, Q(corrects__isnull=False)
    while former is not None:
        counted = former.lines.validated().current().filter(same & corrected_only).first()
        if counted is not None:
            return counted
        former, corrected_only = former.replaces, Q()
    return None


def lines_submit(*, lines: Sequence[PriceLine], actor: Actor, now: datetime) -> list[PriceLine]:
    """Hand them all to finance, or none. Those already submitted are left as they are: a double click is harmless.

    Raises NotAllowed, or BusinessError with the first sentence of ``submission_refusal``. Returns those submitted now.
    """
    for line in lines:
        _require_entry(line, actor)
    submitted = []
    with transaction.atomic():
        awards = notified_awards(line.baseline.lot_id for line in lines)
        for line in sorted(lines, key=lambda one: one.pk):
            baseline = _reference(line)
            stored = locked(line, what=_WHAT, at_version=False)
            if stored.status == LineStatus.SUBMITTED:
                continue
            before = snapshot(stored)
            LINE_WORKFLOW.advance(stored, "submit", role=actor.role)
            stored.baseline = baseline
            award = awards.get(baseline.lot_id)
            copy_reference(stored, award)
            compute(stored)
            if refusal := submission_refusal(stored, award, timezone.localtime(now).year):
                raise BusinessError(f"{_name(stored)}\u00a0: {refusal}")
            stored.submitted_at, stored.submitted_by_id = now, actor.user_id
            stored.submitted_label = actor.actor_label[:200]
            stored.decided_at, stored.decided_by_id, stored.decided_label, stored.decision_reason = None, None, "", ""
            sentence = _told(stored, "soumise aux finances")
            try:
                save_next(stored, before, actor=actor, verb="price_line.submit", sentence=sentence)
            except ValidationError as error:  # what a file or a longer contract brought past the form
                raise BusinessError(f"{_name(stored)}\u00a0: {' '.join(error.messages)}") from error
            submitted.append(stored)
    return submitted


def lines_take_back(*, lines: Sequence[PriceLine], actor: Actor) -> list[PriceLine]:
    """Make drafts again of lines finance has not decided on. Those that are drafts already are left as they are."""
    for line in lines:
        _require_entry(line, actor)
    taken = []
    with transaction.atomic():
        for line in sorted(lines, key=lambda one: one.pk):
            stored = locked(line, what=_WHAT, at_version=False)
            if stored.status in EDITABLE:
                continue
            before = snapshot(stored)
            LINE_WORKFLOW.advance(stored, "take_back", role=actor.role)
            stored.baseline = line.baseline
            stored.submitted_at, stored.submitted_by_id, stored.submitted_label = None, None, ""
            save_next(stored, before, actor=actor, verb="price_line.take_back", sentence=_told(stored, "reprise"))
            taken.append(stored)
    return taken


def submission_refusal(line: PriceLine, award: Award | None, this_year: int) -> str:
    """Why finance would not take this line as it is, or an empty string: a complete French sentence, no query.

    ``award``: the lot's contract, once notified; ``this_year``: nothing is consumed after it. The amounts of ``line``
    are up to date.
    """
    baseline = line.baseline
    if refusal := stage_refusal(line.stage, baseline.membership.grouping, award, line.year):
        return refusal
    if line.stage == GainStage.REALISED and line.year is not None and line.year > this_year:
        return f"L’année {line.year} n’est pas commencée\u00a0: rien n’a encore été consommé."
    if baseline.is_replaced:
        return "Ce prix de référence a été remplacé."
    if not baseline.is_frozen:
        return "Figez d’abord le prix de référence."
    if baseline.objection:
        return "Le membre conteste ce prix de référence\u00a0: remplacez-le d’abord."
    if not line.is_measured:
        return "Il manque un prix\u00a0: la ligne reste non mesurée."
    if line.starts_on is None or line.months is None:
        return "Indiquez la date d’effet et la durée."
    if needs_comment(line) and not line.comment.strip():
        low, high = settings.SAVINGS_PLAUSIBLE
        return (
            f"Le gain sort de l’intervalle habituel, de {low} à {high}\u00a0%\u00a0: expliquez-le dans le commentaire."
        )
    return ""


def _reference(line: PriceLine) -> Baseline:
    """Its reference, alone to be written until the transaction ends: it is copied as it is now."""
    stored = locked(line.baseline, what="Ce prix de référence", at_version=False)
    stored.lot, stored.membership = line.baseline.lot, line.baseline.membership
    # Its step decides of the stage: read again, not as the caller found it a moment ago.
    stored.membership.grouping = Grouping.objects.select_related("coordinator").get(pk=stored.membership.grouping_id)
    line.baseline = stored
    return stored


def _require_entry(line: PriceLine, actor: Actor) -> None:
    require(actor, "savings.enter", organisation_id=line.baseline.membership.grouping.coordinator_id)


def _name(line: PriceLine) -> str:
    return f"{line.baseline.designation}, {line.baseline.membership.organisation.name}"


def _told(line: PriceLine, what: str) -> str:
    year = f" {line.year}" if line.year else ""
    stage = f"{line.get_stage_display().lower()}{year}"
    return f"Ligne de gain {what}, {stage}, lot {line.baseline.lot.number}\u00a0: {_name(line)}"
