"""What follows a decision: the rejections, the standstill, the signature, the notification, the publication."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from groupings.actions.award import CHANGED_MEANWHILE
from groupings.actions.consultation import require_running
from groupings.choices import IntegrationLevel
from groupings.models import Award, Consultation, MemberContract
from groupings.rules.award_dates import AwardFacts, follow_refusals
from groupings.tender import award_facts
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded


@dataclass(frozen=True)
class ContractDates:
    """When one member signed and notified its own contract; both empty when it did neither."""

    signed_on: date | None = None
    notified_on: date | None = None


def each_member_signs(award: Award) -> bool:
    """Where each member signs and notifies its own contract (domain: groupement de coordination)."""
    return award.consultation.grouping.integration_level == IntegrationLevel.COORDINATED


def award_follow(
    *,
    award: Award,
    rejection_sent_on: date | None,
    data_published_on: date | None,
    actor: Actor,
    today: date,
    expected_version: int,
    signed_on: date | None = None,
    notified_on: date | None = None,
    contracts: Mapping[int, ContractDates] | None = None,
) -> Award:
    """Record the dates of an awarded lot; once notified, only its publication and the members still to sign change.

    ``contracts``: membership number → its dates, where each member signs: the award is then notified as soon as the
    first of them is. Raises NotAllowed, BusinessError, ValidationError by field (``signed_<membership>``,
    ``notified_<membership>`` for a member's contract).
    """
    grouping = award.consultation.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        require_running(grouping)
        stored = Award.objects.select_for_update().select_related("lot").get(pk=award.pk)
        stored.consultation = Consultation.objects.select_for_update().get(pk=stored.consultation_id)
        stored.consultation.grouping = grouping
        if stored.version != expected_version:
            raise BusinessError(CHANGED_MEANWHILE)
        if not stored.is_awarded:
            raise BusinessError("Seul un lot attribué se signe et se notifie.")
        facts = award_facts(stored)
        touched = False
        if each_member_signs(stored):
            touched, signed_on, notified_on = _member_contracts(
                stored, contracts or {}, facts, rejection_sent_on, actor, today
            )
        else:
            _refuse_notified_change(stored, "signed_on", signed_on)
            _refuse_notified_change(stored, "notified_on", notified_on)
        _refuse_notified_change(stored, "rejection_sent_on", rejection_sent_on)
        dates = {
            "rejection_sent_on": rejection_sent_on,
            "signed_on": signed_on,
            "notified_on": notified_on,
            "data_published_on": data_published_on,
        }
        if refusals := follow_refusals(facts, **dates, today=today):
            raise ValidationError(refusals)
        before = {name: getattr(stored, name) for name in dates}
        for name, day in dates.items():
            setattr(stored, name, day)
        told = _told(stored, before)
        if save_recorded(stored, actor=actor, verb="award.follow", sentence=told) or touched:
            Award.objects.filter(pk=stored.pk).update(version=stored.version + 1)
            stored.version += 1
    return stored


def _refuse_notified_change(stored: Award, name: str, value: date | None) -> None:
    if stored.notified_on is not None and value != getattr(stored, name):
        raise BusinessError(
            f"Le marché est notifié depuis le {stored.notified_on:%d/%m/%Y}\u00a0: cette date ne change plus.",
            field=name,
        )


def _member_contracts(
    award: Award,
    contracts: Mapping[int, ContractDates],
    facts: AwardFacts,
    rejection_sent_on: date | None,
    actor: Actor,
    today: date,
) -> tuple[bool, date | None, date | None]:
    """Write each member's dates; whether one changed, the first signature and the first notification."""
    members = {m.pk: m for m in award.consultation.grouping.memberships.bound().select_related("organisation")}
    stored = {contract.membership_id: contract for contract in award.member_contracts.select_related("membership")}
    if set(contracts) - set(members) - set(stored):
        raise BusinessError("Seul un membre du groupement signe son marché.")
    refusals: dict[str, str] = {}
    for pk, dates in contracts.items():
        known = stored.get(pk)
        if known is not None and known.notified_on and dates != ContractDates(known.signed_on, known.notified_on):
            refusals[f"notified_{pk}"] = f"Notifié le {known.notified_on:%d/%m/%Y}\u00a0: ces dates ne changent plus."
            continue
        told = follow_refusals(
            facts,
            rejection_sent_on=rejection_sent_on,
            signed_on=dates.signed_on,
            notified_on=dates.notified_on,
            data_published_on=None,
            today=today,
        )
        for name in ("signed_on", "notified_on"):
            if name in told:
                refusals[f"{name.removesuffix('_on')}_{pk}"] = told[name]
    if refusals:
        raise ValidationError(refusals)
    touched = False
    for pk, dates in contracts.items():
        touched |= _write_contract(award, members.get(pk), stored.get(pk), dates, actor)
    signed = list(award.member_contracts.values_list("signed_on", "notified_on"))
    notified = [day for _, day in signed if day is not None]
    return touched, min((day for day, _ in signed), default=None), min(notified, default=None)


def _write_contract(award: Award, membership, known: MemberContract | None, dates: ContractDates, actor: Actor) -> bool:
    if dates.signed_on is None:
        if known is None:
            return False
        told = f"Lot {award.lot.number}, signature effacée\u00a0: {known.membership.organisation.name}"
        delete_recorded(known, actor=actor, verb="contract.remove", sentence=told)
        return True
    contract = known or MemberContract(award=award, membership=membership)
    contract.signed_on, contract.notified_on = dates.signed_on, dates.notified_on
    done = f"notifié le {dates.notified_on:%d/%m/%Y}" if dates.notified_on else f"signé le {dates.signed_on:%d/%m/%Y}"
    told = f"Lot {award.lot.number}, marché de {contract.membership.organisation.name} {done}"
    return save_recorded(contract, actor=actor, verb="contract.record", sentence=told)


def _told(award: Award, before: Mapping[str, date | None]) -> str:
    words = {
        "rejection_sent_on": "lettres de rejet envoyées le",
        "signed_on": "marché signé le",
        "notified_on": "marché notifié le",
        "data_published_on": "données essentielles publiées le",
    }
    done = [
        f"{word} {getattr(award, name):%d/%m/%Y}"
        for name, word in words.items()
        if getattr(award, name) is not None and getattr(award, name) != before[name]
    ]
    return f"Lot {award.lot.number}\u00a0: {', '.join(done) or 'dates effacées'}"
