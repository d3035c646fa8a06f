"""The answer of a member to the survey: submitted whole, frozen, and only then counted."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from djmoney.money import Money

from groupings import mailing
from groupings.actions.membership import require_needs
from groupings.choices import GroupingStatus
from groupings.links import link_token
from groupings.models import Grouping, Lot, Membership, NeedLine, NeedsDraft, NeedsSubmission
from groupings.needs_state import entry_of_frozen
from groupings.rules.needs import NeedEntry, entry_refusals, estimated_amount, whole_amount
from members.roles import may
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, json_value, record, save_recorded
from procurement.core.mail.sending import queue
from procurement.core.money import format_euros, format_number


@dataclass(frozen=True)
class Read:
    """What the person was reading when it began to write: the draft's version (0: none) and the last answer's number
    (0: none). Somebody who wrote meanwhile is told to the second writer."""

    draft_version: int
    submission_number: int


def needs_submit(
    *,
    membership: Membership,
    entries: Mapping[int, NeedEntry],
    actor: Actor,
    now: datetime,
    read: Read | None = None,
) -> NeedsSubmission:
    """Write a whole answer, lot by lot (``entries``: lot number → entry), and freeze it as the member's receipt.

    Every lot of the grouping is answered: an amount, a quantity, or that there is no need. The draft is removed, and
    the receipt goes to the member's contact. The same answer twice from the same page (a double click) is one answer.
    Raises NotAllowed; BusinessError when the survey does not take answers any more, or when somebody else wrote since
    ``read``; ValidationError whose keys are ``"<lot number>.<box>"``. Nothing is then written.
    """
    require_needs(membership, actor)
    today = timezone.localtime(now).date()
    with transaction.atomic():
        grouping, membership = lock_survey(membership)
        if refusal := survey_refusal(grouping, membership, actor, today):
            raise BusinessError(refusal)
        lots = {lot.number: lot for lot in grouping.lots.all()}
        check_entries(entries, lots, grouping.total_months)
        lines = _lines(entries, lots, grouping.total_months)
        last = membership.needs_submissions.first()
        if last is not None and read is not None and last.number > read.submission_number and last.lines == lines:
            return last
        refuse_if_changed(membership, last, read)
        for number, entry in sorted(entries.items()):
            _write(membership, lots[number], entry, grouping.total_months, actor)
        submission = _freeze(membership, grouping, lines, last, actor, now, today)
        NeedsDraft.objects.filter(membership=membership).delete()
        _send_receipt(submission, membership, grouping, now)
    return submission


def lock_survey(membership: Membership) -> tuple[Grouping, Membership]:
    """The grouping and the member as they are now, locked until the transaction ends: the launch counts the needs."""
    Grouping.objects.select_for_update().get(pk=membership.grouping_id)
    stored = Membership.objects.select_related(
        "organisation__parent", "needs_draft", "needs_reopening", "grouping__coordinator", "grouping__needs_campaign"
    ).get(pk=membership.pk)
    return stored.grouping, stored


def refuse_if_changed(membership: Membership, last: NeedsSubmission | None, read: Read | None) -> None:
    """Raise BusinessError, saying who wrote and when, unless draft and answer are still those that were read."""
    if read is None:
        return
    draft = getattr(membership, "needs_draft", None)
    if last is not None and last.number != read.submission_number:
        what, by, at = f"La réponse n° {last.number} a été transmise", last.submitted_by, last.submitted_at
    elif draft is not None and draft.version != read.draft_version:
        what, by, at = "Le brouillon a été enregistré", draft.saved_by, draft.saved_at
    elif draft is None and read.draft_version:
        raise BusinessError(
            "Le brouillon a été abandonné entre-temps. Votre saisie est ci-dessous\u00a0: recommencez si besoin."
        )
    else:
        return
    raise BusinessError(
        f"{what} entre-temps par {by}, le {timezone.localtime(at):%d/%m/%Y à %H h %M}. Rien n’a été écrasé, et votre "
        "saisie est ci-dessous\u00a0: relisez, puis recommencez si besoin."
    )


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


def check_entries(entries: Mapping[int, NeedEntry], lots: Mapping[int, Lot], months: int) -> None:
    """Raise unless every lot, and nothing else, is answered by a complete entry; all the refusals at once."""
    if not lots:
        raise BusinessError("Aucun lot n’est encore décrit\u00a0: les besoins se saisissent lot par lot.")
    if unknown := set(entries) - set(lots):
        raise BusinessError(f"Ce groupement n’a pas de lot {min(unknown)}.")
    missing = {
        f"{number}.yearly_amount": f"Répondez aussi pour le lot {number}." for number in set(lots) - set(entries)
    }
    refusals = missing | {
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


def needs_recount(*, grouping: Grouping, actor: Actor) -> None:
    """The duration changed: what the yearly amounts make over it follows, in the same transaction. What was said over
    the whole duration stays, and so does every need once the tender is launched."""
    if not grouping.is_in_preparation:
        return
    lines = NeedLine.objects.filter(membership__grouping=grouping, yearly_amount_excl_tax__isnull=False)
    for line in lines.select_related("membership__organisation", "membership__grouping__coordinator", "lot"):
        amount = whole_amount(line.yearly_amount_excl_tax.amount, grouping.total_months)
        line.estimated_amount_excl_tax = Money(amount, "EUR")
        save_recorded(
            line,
            actor=actor,
            verb="need.recount",
            sentence=(
                f"Besoin de {line.membership.organisation.name}, lot {line.lot.number}, sur {grouping.total_months} "
                f"mois\u00a0: {format_euros(amount)} HT"
            ),
        )


def _lines(entries: Mapping[int, NeedEntry], lots: Mapping[int, Lot], months: int) -> dict[str, dict]:
    """The answer as it is frozen: a lot renamed, or a duration changed, later does not change what was sent."""
    return {
        str(number): frozen(entry, months) | {"title": lots[number].title, "months": months}
        for number, entry in sorted(entries.items())
    }


def _freeze(
    membership: Membership,
    grouping: Grouping,
    lines: dict[str, dict],
    last: NeedsSubmission | None,
    actor: Actor,
    now: datetime,
    today: date,
) -> NeedsSubmission:
    name = membership.organisation.name
    on_behalf = f", pour {name}" if actor.organisation_id != membership.organisation_id else ""
    submission = NeedsSubmission.objects.create(
        membership=membership,
        number=last.number + 1 if last else 1,
        lines=lines,
        sha256=hashlib.sha256(json.dumps(lines, sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
        is_late=is_past_due(grouping, membership, today),
        submitted_at=now,
        submitted_by=f"{actor.actor_label[: 200 - len(on_behalf)]}{on_behalf}"[:200],
    )
    thread, territory_id, concerns_id = membership.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb="needs.submit",
        sentence=(
            f"Besoins {'saisis pour' if on_behalf else 'transmis par'} {name}, réponse n° {submission.number}"
            f"{', hors délai' if submission.is_late else ''}"
        ),
        after={"submission": submission.pk, "sha256": submission.sha256, "is_late": submission.is_late},
    )
    return submission


def is_past_due(grouping: Grouping, membership: Membership, today: date) -> bool:
    """Whether an answer sent today comes after the deadline; a member let in again has until its own day."""
    reopening = getattr(membership, "needs_reopening", None)
    if reopening is not None and reopening.until >= today:
        return False
    return grouping.needs_due_on is not None and grouping.needs_due_on < today


def _send_receipt(submission: NeedsSubmission, membership: Membership, grouping: Grouping, now: datetime) -> None:
    """The receipt, to the contact of this purchase when there is one. It says the figures: it goes to nobody else."""
    if not membership.contact_email:
        return
    link = getattr(membership, "signed_link", None)
    is_open = link is not None and link.revoked_at is None and link.expires_at > now
    name = membership.organisation.name
    queue(
        key=f"needs-receipt:{submission.pk}:{membership.contact_email}",
        recipient=membership.contact_email,
        subject=f"Reçu n° {submission.number}\u00a0: besoins de {name}, {grouping.title}",
        text=mailing.text(
            "needs_receipt",
            submission=submission,
            lines=receipt_lines(submission),
            membership=membership,
            grouping=grouping,
            address=(
                mailing.absolute("signed_link_receipt", link_token(link))
                if is_open
                else mailing.absolute("needs_receipt", grouping.pk, membership.pk)
            ),
        ),
        territory_id=grouping.territory_id,
        thread=grouping.thread,
        organisation_id=membership.organisation_id,
        now=now,
    )


@dataclass(frozen=True)
class ReceiptLine:
    """One lot of a frozen answer, read back: what was said, and what it counts for (€ excl. tax, None when unknown)."""

    number: int
    title: str
    entry: NeedEntry
    estimated: Decimal | None
    months: int | None

    @property
    def quantity_text(self) -> str:
        """« 1 500,5 rames »; empty when unknown."""
        return self.entry.quantity_told

    @property
    def unit_price_text(self) -> str:
        """« 0,1834 € HT », every decimal that was given and two at least; empty when unknown."""
        price = self.entry.unit_price
        return "" if price is None else f"{format_number(price, 2)}\u00a0€\u00a0HT"


def receipt_lines(submission: NeedsSubmission) -> list[ReceiptLine]:
    """The lots of a frozen answer, in their order."""
    return [
        ReceiptLine(
            number=int(number),
            title=line.get("title", ""),
            entry=entry_of_frozen(line),
            estimated=None if line.get("estimated") is None else Decimal(line["estimated"]),
            months=line.get("months"),
        )
        for number, line in sorted(submission.lines.items(), key=lambda item: int(item[0]))
    ]


def frozen(entry: NeedEntry, months: int) -> dict:
    """The entry as JSON, amounts as texts, with what it counts for over the whole duration (``estimated``)."""
    values = {name: json_value(getattr(entry, name)) for name in NeedEntry.__dataclass_fields__}
    return values | {"estimated": json_value(estimated_amount(entry, months))}
