"""The reference prices: written, frozen before the offers' deadline, confirmed by their member, replaced with a reason.

A frozen reference never changes. Two things may still be added to it: the mean of the offers, once they are known, and
what its member answers.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from groupings.models import GroupingDocument
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.record import delete_recorded, snapshot
from savings.actions.writing import locked, save_next
from savings.choices import EDITABLE, BaselineMethod, LineStatus
from savings.models import Baseline
from savings.posting import compute
from savings.rules.baseline import index_factor, is_late
from savings.rules.grades import grade
from savings.stages import copy_reference, deadlines, notified_awards

_WHAT = "Ce prix de référence"
_KIND = GroupingDocument.Kind
#: What may prove a price: a file deposited for that, or the invoice the member gave with its needs.
EVIDENCE_KINDS = (_KIND.BASELINE_EVIDENCE, _KIND.NEED_EVIDENCE)
_INDEX = ("index_base_value", "index_value")
#: Who wrote these is who entered the reference: both readings of the gain, and the years it counts in, come from them.
_FIGURES = ("price_before", "quantity", "index_factor", "is_one_off")
#: What the buyer writes; a replacement starts from the values of the one it replaces.
ENTERED = (
    "designation",
    "unit",
    "is_lump_sum",
    "is_one_off",
    "quantity",
    "price_before",
    "method",
    "source",
    "period_starts_on",
    "period_ends_on",
    "perimeter_note",
    "index_name",
    "index_base_month",
    "index_base_value",
    "index_month",
    "index_value",
    "index_fixed_part",
    "index_factor",
    "evidence",
)


def baseline_save(*, baseline: Baseline, actor: Actor, now: datetime, late_reason: str = "") -> Baseline:
    """Write or change a reference that is not frozen; its draft lines follow. The grade and, when the values of an
    index are given, the coefficient are computed here.

    ``late_reason`` may be given as soon as the offers' deadline has passed; the freezing asks for it. Raises
    NotAllowed, BusinessError (frozen, changed meanwhile) or ValidationError by field.
    """
    _require_entry(baseline, actor)
    with transaction.atomic():
        before: dict = {}
        if baseline.pk:
            stored = locked(baseline, what=_WHAT)
            if stored.is_frozen:
                raise BusinessError(f"{_WHAT} est figé\u00a0: il ne change plus, remplacez-le.")
            before = snapshot(stored)
        due_at = deadlines([baseline.lot_id]).get(baseline.lot_id)
        _check(baseline)
        _set_index(baseline)
        _set_grade(baseline, now, due_at, late_reason or baseline.late_reason)
        now_holds = snapshot(baseline)
        if not before or any(now_holds[name] != before[name] for name in _FIGURES):
            baseline.entered_by_id, baseline.entered_label = actor.user_id, actor.actor_label[:200]
        changed = save_next(
            baseline,
            before,
            actor=actor,
            verb="baseline.change" if before else "baseline.create",
            sentence=_told(baseline, "modifié" if before else "saisi"),
        )
        if changed and before:
            _refresh_drafts(baseline)
    return baseline


def baseline_freeze(
    *, baselines: Sequence[Baseline], actor: Actor, now: datetime, late_reason: str = ""
) -> list[Baseline]:
    """Freeze them together, or none. Those already frozen are left as they are: a double click is harmless.

    After the offers' deadline of their lot ``late_reason`` is required, and the grade is D. Only the mean of the offers
    is frozen without a price, before the deadline. Returns those frozen now.
    """
    for baseline in baselines:
        _require_entry(baseline, actor)
    frozen = []
    with transaction.atomic():
        due = deadlines(baseline.lot_id for baseline in baselines)
        for baseline in sorted(baselines, key=lambda one: one.pk):
            stored = locked(baseline, what=_WHAT, at_version=False)
            if stored.is_frozen:
                continue
            before = snapshot(stored)
            due_at = due.get(stored.lot_id)
            if refusal := freeze_refusal(stored, now, due_at):
                raise BusinessError(f"{stored.designation}, {baseline.membership.organisation}\u00a0: {refusal}")
            _set_grade(stored, now, due_at, late_reason or stored.late_reason)
            if is_late(now, due_at) and not stored.late_reason:
                raise BusinessError(
                    f"La date limite des offres est passée depuis le {_moment(due_at)}\u00a0: dites pourquoi ce prix "
                    "est figé après elle. Sa fiabilité sera D.",
                    field="late_reason",
                )
            stored.frozen_at, stored.frozen_label = now, actor.actor_label[:200]
            save_next(
                stored,
                before,
                actor=actor,
                verb="baseline.freeze",
                sentence=_told(stored, f"figé, fiabilité {stored.grade}"),
                reason=stored.late_reason,
            )
            frozen.append(stored)
    return frozen


def freeze_refusal(baseline: Baseline, now: datetime, due_at: datetime | None) -> str:
    """Why this reference cannot be frozen as it is, or an empty string."""
    is_mean = baseline.method == BaselineMethod.MEAN_OF_OFFERS
    if baseline.price_before is None and not (is_mean and not is_late(now, due_at)):
        return "son prix manque."
    if is_mean and baseline.price_before is not None and due_at is not None and not is_late(now, due_at):
        return "la moyenne des offres n’est connue qu’après leur date limite\u00a0: laissez le prix vide."
    return ""


def baseline_price_write(*, baseline: Baseline, price: Decimal, actor: Actor, now: datetime) -> Baseline:
    """Write, once, the mean of the compliant offers (€ excl. tax) of a method frozen before their deadline."""
    _require_entry(baseline, actor)
    with transaction.atomic():
        stored = locked(baseline, what=_WHAT)
        if stored.method != BaselineMethod.MEAN_OF_OFFERS or not stored.is_frozen or stored.is_replaced:
            raise BusinessError("Seule une moyenne des offres figée sans prix reçoit son prix après l’ouverture.")
        if stored.price_before is not None:
            raise BusinessError("La moyenne des offres est déjà écrite\u00a0: elle ne change plus, remplacez-la.")
        due_at = deadlines([stored.lot_id]).get(stored.lot_id)
        if due_at is not None and not is_late(now, due_at):
            raise BusinessError(
                f"Les offres sont attendues jusqu’au {_moment(due_at)}\u00a0: leur moyenne vient après."
            )
        if price <= 0:
            raise ValidationError({"price_before": "Un prix de référence est supérieur à zéro."})
        before = snapshot(stored)
        stored.price_before = price
        stored.entered_by_id, stored.entered_label = actor.user_id, actor.actor_label[:200]
        sentence = _told(stored, "complété par la moyenne des offres")
        save_next(stored, before, actor=actor, verb="baseline.price", sentence=sentence)
        _refresh_drafts(stored)
    return stored


def baseline_confirm(*, baseline: Baseline, actor: Actor, now: datetime) -> Baseline:
    """The member's one click. By somebody of that very body, who did not enter the price. Twice is once."""
    _require_own(baseline, actor)
    with transaction.atomic():
        stored = locked(baseline, what=_WHAT, at_version=False)
        if stored.is_confirmed:
            return stored
        _refuse_answer(stored)
        if stored.entered_by_id is not None and stored.entered_by_id == actor.user_id:
            raise BusinessError("Vous avez saisi ce prix\u00a0: une autre personne de votre organisme le confirme.")
        before = snapshot(stored)
        stored.confirmed_at, stored.objection = now, ""
        stored.confirmed_by_id, stored.confirmed_label = actor.user_id, actor.actor_label[:200]
        save_next(stored, before, actor=actor, verb="baseline.confirm", sentence=_told(stored, "confirmé"))
    return stored


def baselines_confirm(*, baselines: Sequence[Baseline], actor: Actor, now: datetime) -> int:
    """The same for all of them together, or none. Returns how many were not confirmed yet."""
    with transaction.atomic():
        confirmed = [baseline_confirm(baseline=baseline, actor=actor, now=now) for baseline in baselines]
    return sum(1 for baseline in confirmed if baseline.confirmed_at == now)


def baseline_object(*, baseline: Baseline, objection: str, actor: Actor) -> Baseline:
    """The member says what is wrong: the buyer is told, and answers with another reference."""
    _require_own(baseline, actor)
    said = " ".join(objection.split())
    if not said:
        raise BusinessError("Dites en une phrase ce qui ne va pas.", field="objection")
    with transaction.atomic():
        stored = locked(baseline, what=_WHAT, at_version=False)
        if stored.is_confirmed:
            raise BusinessError("Ce prix est déjà confirmé\u00a0: écrivez à l’acheteur, qui peut le remplacer.")
        _refuse_answer(stored)
        before = snapshot(stored)
        stored.objection = said
        save_next(stored, before, actor=actor, verb="baseline.object", sentence=_told(stored, "contesté"), reason=said)
    return stored


def baseline_replace(*, baseline: Baseline, values: dict, reason: str, actor: Actor, now: datetime) -> Baseline:
    """Another reference in place of a frozen one, which stays readable. ``values``: those that change, by field.

    The new one is not frozen, so that it is read again; after the deadline ``reason`` is its late reason, and its grade
    D. Draft lines go to it. Refused while a line of the old one is submitted (take it back first). A validated line
    stays on the old one, and counts until its correction, which is of the new one, is validated.
    """
    _require_entry(baseline, actor)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        old = locked(baseline, what=_WHAT)
        if not old.is_frozen:
            raise BusinessError(f"{_WHAT} n’est pas figé\u00a0: modifiez-le.")
        if old.is_replaced:
            raise BusinessError(f"{_WHAT} est déjà remplacé.")
        if old.lines.filter(status=LineStatus.SUBMITTED).exists():
            raise BusinessError("Une ligne soumise repose sur ce prix\u00a0: reprenez-la d’abord.")
        before = snapshot(old)
        old.is_replaced = True
        save_next(
            old, before, actor=actor, verb="baseline.replace", sentence=_told(old, "remplacé"), reason=reason.strip()
        )
        kept = {name: getattr(old, name) for name in ENTERED}
        new = Baseline(lot=baseline.lot, membership=baseline.membership, replaces=old, **kept | values)
        baseline_save(baseline=new, actor=actor, now=now, late_reason=reason.strip())
        for line in old.lines.filter(status__in=EDITABLE):
            line.baseline = new
            line.save(update_fields=["baseline"])
        _refresh_drafts(new)
    return new


def baseline_remove(*, baseline: Baseline, actor: Actor) -> None:
    """Take away a reference that is not frozen, with its drafts; the journal keeps what it held. Twice is once."""
    _require_entry(baseline, actor)
    with transaction.atomic():
        stored = Baseline.objects.select_for_update().filter(pk=baseline.pk).first()
        if stored is None:
            return
        if stored.is_frozen:
            raise BusinessError(f"{_WHAT} est figé\u00a0: il ne se retire plus, remplacez-le.")
        lines = list(stored.lines.all())
        if any(line.status not in EDITABLE for line in lines):
            raise BusinessError("Une ligne de gain repose sur ce prix\u00a0: il ne se retire plus.")
        for line in lines:
            line.delete()
        if stored.replaces_id:
            raise BusinessError("Ce prix en remplace un autre\u00a0: modifiez-le, puis figez-le.")
        delete_recorded(stored, actor=actor, verb="baseline.remove", sentence=_told(stored, "retiré"))


def _require_entry(baseline: Baseline, actor: Actor) -> None:
    require(actor, "savings.enter", organisation_id=baseline.membership.grouping.coordinator_id)


def _require_own(baseline: Baseline, actor: Actor) -> None:
    """The right, and that very body: who heads the territory does not answer for its members."""
    own = baseline.membership.organisation_id
    require(actor, "savings.confirm", organisation_id=own)
    if actor.organisation_id != own:
        raise NotAllowed("Un prix de référence est confirmé par le membre qui l’a payé.")


def _refuse_answer(stored: Baseline) -> None:
    if stored.is_replaced:
        raise BusinessError("Ce prix a été remplacé par un autre\u00a0: rechargez la page.")
    if not stored.is_frozen:
        raise BusinessError("Ce prix n’est pas encore figé\u00a0: il peut changer.")
    if stored.price_before is None:
        raise BusinessError("La moyenne des offres n’est pas encore connue\u00a0: il n’y a pas de prix à confirmer.")


def _check(baseline: Baseline) -> None:
    evidence = baseline.evidence
    if evidence is not None and (
        evidence.membership_id != baseline.membership_id or evidence.kind not in EVIDENCE_KINDS
    ):
        raise ValidationError({"evidence": "Choisissez une preuve déposée pour ce membre."})
    if baseline.method not in BaselineMethod.values:
        raise ValidationError({"method": "Choisissez une méthode proposée."})
    if baseline.is_lump_sum:
        baseline.quantity, baseline.unit = Decimal(1), ""


def _set_index(baseline: Baseline) -> None:
    given = [name for name in _INDEX if getattr(baseline, name) is not None]
    if len(given) == len(_INDEX):
        try:
            baseline.index_factor = index_factor(
                baseline.index_base_value, baseline.index_value, baseline.index_fixed_part or Decimal(0)
            )
        except ValueError as error:
            raise ValidationError({"index_value": str(error)}) from None
    elif given:
        missing = next(name for name in _INDEX if name not in given)
        raise ValidationError({missing: "Indiquez les deux valeurs de l’indice, ou aucune."})
    if baseline.method == BaselineMethod.HISTORIC_PRICE_INDEXED and not baseline.index_name:
        raise ValidationError({"index_name": "Nommez l’indice (série, source) dont vient le coefficient."})


def _set_grade(baseline: Baseline, now: datetime, due_at: datetime | None, late_reason: str) -> None:
    late = is_late(now, due_at)
    baseline.late_reason = late_reason.strip() if late else ""
    baseline.grade = grade(
        baseline.method,
        has_evidence=baseline.evidence_id is not None,
        is_late=late,
        same_perimeter=not baseline.perimeter_note.strip(),
    )


def _refresh_drafts(baseline: Baseline) -> None:
    """The drafts say what their reference says."""
    lines = list(baseline.lines.filter(status__in=EDITABLE))
    award = notified_awards([baseline.lot_id]).get(baseline.lot_id) if lines else None
    for line in lines:
        line.baseline = baseline
        copy_reference(line, award)
        compute(line)
        line.version += 1
        line.save()


def _told(baseline: Baseline, what: str) -> str:
    return (
        f"Prix de référence {what}, lot {baseline.lot.number}, {baseline.membership.organisation.name}\u00a0: "
        f"{baseline.designation}"
    )


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%d/%m/%Y à %H\u00a0h\u00a0%M}"
