"""Finance decides of a submitted line, and a validated line is corrected by another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from procurement.core.journal.record import changes, record, snapshot
from savings.actions.locks import lock_territory
from savings.choices import GainStage, LineStatus
from savings.four_eyes import own_part, refusal
from savings.line_page import line_tail
from savings.models import Baseline, PriceLine
from savings.posting import compute, post
from savings.rules.amounts import AMOUNTS
from savings.workflow import LINE_WORKFLOW

DECISIONS = ("validate", "return", "reject")
#: What a correction may say otherwise; its reference price is that of the reference, or of the one that replaces it.
CORRECTABLE = ("quantity", "price_obtained", "starts_on", "months", "comment")
_TARGETS = {step: LINE_WORKFLOW.get(step).target for step in DECISIONS}
_DONE = {"validate": "validée", "return": "renvoyée à l’acheteur", "reject": "rejetée"}
_AMOUNTS = (*AMOUNTS, "volume_effect")
_REASON_LENGTH = 500
_WITH = (
    "baseline__lot__grouping",
    "baseline__membership__grouping__coordinator",
    "baseline__membership__organisation",
    "baseline__evidence",
    "corrects",
)


@dataclass(frozen=True)
class Outcome:
    """What became of one line among several: ``refusal`` is the sentence that says why not, "" once it is validated."""

    line: PriceLine
    refusal: str


def line_decide(*, line: PriceLine, step: str, actor: Actor, now: datetime, reason: str = "") -> PriceLine:
    """Validate, return or reject a submitted line; ``step`` is one of DECISIONS. A validated line is posted.

    The same decision twice by the same person is once. Raises NotAllowed without the right of finance; BusinessError
    for one's own work, for a line that does not hold together, and when it changed since ``line.version`` was read;
    ValidationError from the constraints.
    """
    grouping = line.baseline.membership.grouping
    require(actor, "savings.validate", organisation_id=grouping.coordinator_id)
    if step not in DECISIONS:
        raise BusinessError("Cette décision n’existe pas.", field="step")
    with transaction.atomic():
        lock_territory(grouping.territory_id)
        stored = _locked(line)
        if stored.status == _TARGETS[step] and stored.decided_by_id == actor.user_id and actor.user_id is not None:
            return stored
        _require_unchanged(stored, line.version)
        before = snapshot(stored)
        LINE_WORKFLOW.advance(stored, step, role=actor.role, reason=reason)
        _require_other_eyes(stored, step, actor)
        if step == "validate":
            _require_sound(stored)
        stored.decided_at, stored.decided_by_id = now, actor.user_id
        stored.decided_label, stored.decision_reason = actor.actor_label[:200], reason.strip()[:_REASON_LENGTH]
        _save(stored, before, actor, f"price_line.{step}", _DONE[step], reason)
        if step == "validate":
            _supersede(stored.corrects)
            post(stored)
    return stored


def lines_validate(*, lines: Iterable[PriceLine], actor: Actor, now: datetime) -> list[Outcome]:
    """Validate several lines, each in its own transaction: one that is refused is told, and stops none of the others.

    Raises NotAllowed, before anything is written, when one of them is outside the right of ``actor``.
    """
    lines = list(lines)
    for line in lines:
        require(actor, "savings.validate", organisation_id=line.baseline.membership.grouping.coordinator_id)
    return [Outcome(line, _refused(line, actor, now)) for line in lines]


def line_correct(*, line: PriceLine, values: dict[str, Any], reason: str, actor: Actor) -> PriceLine:
    """A draft that will stand for a validated line once it is validated itself; the old one is not touched.

    ``values``: fields of CORRECTABLE to their new values (``quantity`` when realised alone). When the reference was
    replaced, the draft is of the new one. Raises NotAllowed; BusinessError for a line that is not validated, that a
    correction already stands for, without reason, or when nothing would change.
    """
    grouping = line.baseline.membership.grouping
    require(actor, "savings.enter", organisation_id=grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError(
            "Indiquez pourquoi cette ligne est corrigée\u00a0: le motif sera inscrit au journal.", field="reason"
        )
    if unknown := set(values) - set(CORRECTABLE):
        raise BusinessError(f"Une correction ne change pas\u00a0: {', '.join(sorted(unknown))}.")
    with transaction.atomic():
        stored = _locked(line)
        if stored.status != LineStatus.VALIDATED:
            raise BusinessError("Seule une ligne validée se corrige\u00a0: celle-ci se modifie encore.")
        if stored.is_superseded or stored.corrections.exclude(status=LineStatus.REJECTED).exists():
            raise BusinessError(
                "Cette ligne a déjà une correction\u00a0: ouvrez-la, ou corrigez celle qui la remplace."
            )
        draft = _draft(stored, values, actor)
        old, new = _differences(stored, draft)
        if not new:
            raise BusinessError("Cette correction ne change rien\u00a0: la ligne reste comme elle est.")
        draft.full_clean()
        try:
            with transaction.atomic():
                draft.save()
        except IntegrityError:  # between our look and our write, somebody else began the same correction
            raise BusinessError("Cette ligne a déjà une correction\u00a0: ouvrez-la.") from None
        _tell(
            draft,
            actor,
            "price_line.correct",
            f"correction de la ligne n°\u00a0{stored.pk} commencée",
            old,
            new,
            reason,
        )
    return draft


def _refused(line: PriceLine, actor: Actor, now: datetime) -> str:
    try:
        line_decide(line=line, step="validate", actor=actor, now=now)
    except BusinessError as error:
        return str(error)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _locked(line: PriceLine) -> PriceLine:
    """The line as it is now with its reference, alone to be written until the transaction ends."""
    PriceLine.objects.select_for_update().get(pk=line.pk)
    Baseline.objects.select_for_update().get(pk=line.baseline_id)
    return PriceLine.objects.select_related(*_WITH).get(pk=line.pk)


def _require_unchanged(stored: PriceLine, read_version: int) -> None:
    if stored.version == read_version:
        return
    told = JournalEntry.objects.filter(
        thread=stored.journal_scope.thread, after__line=stored.pk, after__version__gt=read_version
    ).order_by("pk")
    sentences = [f"{entry.actor_label}\u00a0: {entry.sentence}." for entry in told]
    raise BusinessError(
        " ".join(["Cette ligne a changé pendant votre lecture.", *sentences, "Relisez-la, puis recommencez si besoin."])
    )


def _require_other_eyes(line: PriceLine, step: str, actor: Actor) -> None:
    if step == "validate" and actor.user_id is None:
        raise BusinessError("Une ligne est validée par une personne des finances, jamais par une commande.")
    if part := own_part(line, actor.user_id):
        raise BusinessError(f"Une autre personne des finances doit décider de cette ligne\u00a0: {part}.")


def _require_sound(line: PriceLine) -> None:
    if sentence := refusal(line):
        raise BusinessError(f"Cette ligne ne peut pas être validée. {sentence}")
    evidence = line.baseline.evidence
    if evidence is not None and not evidence.file.storage.exists(evidence.file.name):
        raise BusinessError("Cette ligne ne peut pas être validée. Le fichier de sa preuve est introuvable.")
    former = {name: getattr(line, name) for name in _AMOUNTS}
    compute(line)
    if former != {name: getattr(line, name) for name in _AMOUNTS}:
        raise BusinessError(
            "Cette ligne ne peut pas être validée. Ses montants ne sont pas ceux de ses prix\u00a0: renvoyez-la à "
            "l’acheteur, qui l’enregistrera de nouveau."
        )
    if line.corrects is not None and line.corrects.is_superseded:
        raise BusinessError("Cette ligne ne peut pas être validée. Celle qu’elle corrige est déjà remplacée.")
    if (twin := _counted_already(line)) is not None:
        raise BusinessError(
            f"Cette ligne ne peut pas être validée. La ligne n°\u00a0{twin.pk} compte déjà cet achat\u00a0: c’est elle "
            "qu’il faut corriger."
        )


def _counted_already(line: PriceLine) -> PriceLine | None:
    """Another line that counts the same purchase at the same stage: of the same thing for the same member and lot, or
    of a reference this one's replaces."""
    former, replaced = line.baseline, []
    while former.replaces_id is not None:
        former = former.replaces
        replaced.append(former.pk)
    same = PriceLine.objects.validated().filter(
        Q(baseline__designation=line.baseline.designation) | Q(baseline__in=replaced),
        baseline__lot=line.baseline.lot_id,
        baseline__membership=line.baseline.membership_id,
        stage=line.stage,
        is_superseded=False,
    )
    same = same.filter(year=line.year) if line.year is not None else same.filter(year__isnull=True)
    return same.exclude(pk__in=[line.pk, line.corrects_id or line.pk]).first()


def _supersede(corrected: PriceLine | None) -> None:
    if corrected is not None:
        corrected.is_superseded = True
        corrected.save(update_fields=["is_superseded"])


def _draft(stored: PriceLine, values: dict[str, Any], actor: Actor) -> PriceLine:
    baseline = stored.baseline
    while baseline.is_replaced:
        baseline = Baseline.objects.select_related("lot__grouping", "membership__grouping__coordinator").get(
            replaces=baseline
        )
    is_realised = stored.stage == GainStage.REALISED
    if "quantity" in values and not is_realised and values["quantity"] != baseline.quantity:
        raise BusinessError(
            "La quantité prévue est celle de la référence\u00a0: remplacez la référence.", field="quantity"
        )
    draft = PriceLine(
        baseline=baseline,
        stage=stored.stage,
        year=stored.year,
        quantity=stored.quantity if is_realised else baseline.quantity,
        price_before=baseline.price_before,
        index_factor=baseline.index_factor,
        price_obtained=stored.price_obtained,
        is_one_off=baseline.is_one_off,
        starts_on=stored.starts_on,
        months=stored.months,
        comment=stored.comment,
        corrects=stored,
        entered_by_id=actor.user_id,
        entered_label=actor.actor_label[:200],
    )
    for name, value in values.items():
        setattr(draft, name, value)
    compute(draft)
    return draft


_COMPARED = (
    "baseline_id",
    "quantity",
    "price_before",
    "index_factor",
    "price_obtained",
    "is_one_off",
    "starts_on",
    "months",
    "comment",
    *_AMOUNTS,
)


def _differences(stored: PriceLine, draft: PriceLine) -> tuple[dict, dict]:
    former, new = snapshot(stored), snapshot(draft)
    return changes({name: former[name] for name in _COMPARED}, {name: new[name] for name in _COMPARED})


def _save(stored: PriceLine, before: dict, actor: Actor, verb: str, done: str, reason: str) -> None:
    stored.version += 1
    stored.full_clean()
    stored.save()
    old, new = changes(before, snapshot(stored))
    _tell(stored, actor, verb, done, old, new, reason)


def _tell(line: PriceLine, actor: Actor, verb: str, done: str, old: dict, new: dict, reason: str) -> None:
    thread, territory_id, concerns_id = line.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb=verb,
        sentence=f"Ligne de gain {done}{line_tail(line)}",
        before=old,
        after={**new, "version": line.version, "line": line.pk},
        reason=reason.strip(),
    )
