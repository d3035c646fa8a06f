"""The answer of a member to the survey: submitted whole, frozen, and only then counted."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from djmoney.money import Money

from groupings.actions.membership import require_needs
from groupings.choices import GroupingStatus
from groupings.models import Grouping, Lot, Membership, NeedLine, NeedsDraft, NeedsSubmission
from groupings.rules.needs import NeedEntry, entry_refusals, estimated_amount
from members.roles import may
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, json_value, record, save_recorded
from procurement.core.money import format_euros


def needs_submit(
    *, membership: Membership, entries: Mapping[int, NeedEntry], actor: Actor, now: datetime
) -> NeedsSubmission:
    """Write a whole answer, lot by lot (``entries``: lot number → entry), and freeze it as the member's receipt.

    Every lot of the grouping is answered: an amount, a quantity, or that there is no need. The draft is removed.
    Raises NotAllowed; BusinessError when the survey does not take answers any more; ValidationError whose keys are
    ``"<lot number>.<box>"``. Nothing is then written.
    """
    require_needs(membership, actor)
    today = timezone.localtime(now).date()
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=membership.grouping_id)  # the launch counts the needs
        if refusal := survey_refusal(grouping, membership, actor, today):
            raise BusinessError(refusal)
        lots = {lot.number: lot for lot in grouping.lots.all()}
        _check(entries, lots, grouping.total_months)
        for number, entry in sorted(entries.items()):
            _write(membership, lots[number], entry, grouping.total_months, actor)
        submission = _freeze(membership, grouping, entries, actor, now, today)
        NeedsDraft.objects.filter(membership=membership).delete()
    return submission


def survey_refusal(grouping: Grouping, membership: Membership, actor: Actor | None, today: date) -> str:
    """Why ``actor`` may not answer for that member today, one French sentence; empty when it may.

    The coordinator's people may until the launch. A member may while the survey is open: from its first day, past its
    deadline unless it locks, until it is closed; or when it was reopened for that member.
    """
    name = membership.organisation.name
    if not membership.is_active:
        return f"{name} ne participe plus à ce groupement."
    if grouping.status == GroupingStatus.CANCELLED:
        return "Les besoins ne changent plus\u00a0: ce groupement est abandonné."
    if grouping.is_launched:
        return "Les besoins ne changent plus\u00a0: la consultation est lancée."
    if may(actor, "grouping.change", organisation_id=grouping.coordinator_id):
        return ""
    reopening = getattr(membership, "needs_reopening", None)
    if reopening is not None and reopening.until >= today:
        return ""
    if grouping.status != GroupingStatus.NEEDS:
        return "Le recensement est clos\u00a0: demandez au coordonnateur de le rouvrir pour vous."
    campaign = getattr(grouping, "needs_campaign", None)
    if campaign is not None and campaign.opens_on > today:
        return f"Le recensement ouvre le {campaign.opens_on:%d/%m/%Y}."
    due_on = grouping.needs_due_on
    if campaign is not None and campaign.locks_when_due and due_on is not None and due_on < today:
        return (
            f"Le recensement s’est fermé le {due_on:%d/%m/%Y}\u00a0: demandez au coordonnateur de le rouvrir pour vous."
        )
    return ""


def _check(entries: Mapping[int, NeedEntry], lots: Mapping[int, Lot], months: int) -> None:
    if unknown := set(entries) - set(lots):
        raise BusinessError(f"Ce groupement n’a pas de lot {min(unknown)}.")
    if missing := sorted(set(lots) - set(entries)):
        raise ValidationError({f"{missing[0]}.yearly_amount": f"Répondez aussi pour le lot {missing[0]}."})
    refusals = {
        f"{number}.{box}": sentence
        for number, entry in entries.items()
        for box, sentence in entry_refusals(entry, months).items()
    }
    if refusals:
        raise ValidationError(refusals)


def _write(membership: Membership, lot: Lot, entry: NeedEntry, months: int, actor: Actor) -> None:
    """The line that counts, as the entry says; without a need there is none."""
    line = NeedLine.objects.select_for_update().filter(membership=membership, lot=lot).first()
    name = membership.organisation.name
    if entry.has_no_need:
        if line:
            delete_recorded(
                line, actor=actor, verb="need.remove", sentence=f"{name}\u00a0: pas de besoin, lot {lot.number}"
            )
        return
    line = line or NeedLine(membership=membership, lot=lot)
    amount = estimated_amount(entry, months)
    line.estimated_amount_excl_tax = None if amount is None else Money(amount, "EUR")
    line.yearly_amount_excl_tax = None if entry.yearly_amount is None else Money(entry.yearly_amount, "EUR")
    line.quantity, line.unit = entry.quantity, entry.unit
    line.current_unit_price, line.current_supplier = entry.unit_price, entry.supplier
    line.current_contract_ends_on = entry.contract_ends_on
    told = "montant inconnu" if amount is None else f"{format_euros(amount)} HT"
    save_recorded(line, actor=actor, verb="need.set", sentence=f"Besoin de {name}, lot {lot.number}\u00a0: {told}")


def _freeze(
    membership: Membership,
    grouping: Grouping,
    entries: Mapping[int, NeedEntry],
    actor: Actor,
    now: datetime,
    today: date,
) -> NeedsSubmission:
    lines = {str(number): frozen(entry, grouping.total_months) for number, entry in sorted(entries.items())}
    last = NeedsSubmission.objects.filter(membership=membership).first()
    submission = NeedsSubmission.objects.create(
        membership=membership,
        number=last.number + 1 if last else 1,
        lines=lines,
        sha256=hashlib.sha256(json.dumps(lines, sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
        is_late=grouping.needs_due_on is not None and grouping.needs_due_on < today,
        submitted_at=now,
        submitted_by=actor.actor_label[:200],
    )
    thread, territory_id, concerns_id = membership.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb="needs.submit",
        sentence=f"Besoins transmis par {membership.organisation.name}, réponse n° {submission.number}",
        after={"submission": submission.pk, "sha256": submission.sha256, "is_late": submission.is_late},
    )
    return submission


def frozen(entry: NeedEntry, months: int) -> dict:
    """The entry as JSON, amounts as texts, with what it counts for over the whole duration (``estimated``)."""
    values = {name: json_value(getattr(entry, name)) for name in NeedEntry.__dataclass_fields__}
    return values | {"estimated": json_value(estimated_amount(entry, months))}
