"""The decision on a lot: awarded to whom and at what price, unsuccessful, dropped or postponed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from groupings.actions.consultation import due_day, require_running
from groupings.actions.shares import shares_follow_value
from groupings.contract_choices import IdentifierType, OperatorsKind, Technique
from groupings.models import Award, AwardHolder, Consultation
from groupings.rules.award_dates import committee_refusal
from groupings.rules.framework import is_maximum_compulsory
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import changes, record, save_recorded, snapshot

#: What a contract says and a lot left without one does not.
_CONTRACT = (
    *("reference", "amount_excl_tax", "minimum_excl_tax", "maximum_excl_tax", "price_form", "price_type"),
    *("price_index", "starts_on", "duration_months", "extension_count", "extension_months", "notice_months"),
    *("technique", "modality", "ccag", "operators_kind", "has_advance", "advance_rate", "has_subcontracting"),
    *("is_innovative", "social_considerations", "environmental_considerations"),
)
#: What still changes once the contract is notified; the rest is an amendment (CCP, L2194-1).
AFTER_NOTIFICATION = frozenset({"data_published_on", "extensions_taken"})
#: What the essential data ask and the contract already said: typed late, it amends nothing while it replaces nothing.
COMPLETED_LATER = frozenset(
    {
        *("reference", "offers_received", "price_form", "price_type", "price_index", "technique", "modality", "ccag"),
        *("starts_on", "duration_months", "has_advance", "advance_rate", "has_subcontracting"),
        *("social_considerations", "environmental_considerations"),
    }
)
#: Recorded by ``award_follow``, never by the decision.
_FOLLOWED = ("rejection_sent_on", "signed_on", "notified_on", "data_published_on", "extensions_taken")
#: Further than that, the year was mistyped.
_LATEST_START_YEARS = 10
CHANGED_MEANWHILE = (
    "Cette attribution a été modifiée entre-temps par une autre personne\u00a0: vos saisies sont rappelées ci-dessous, "
    "comparez avant d’enregistrer de nouveau."
)


@dataclass(frozen=True)
class HolderEntry:
    """A company as it was typed, in the box ``holder_<row>_…``; the first of them leads a group of companies."""

    row: int
    name: str
    identifier: str
    identifier_type: str = IdentifierType.SIRET


@dataclass(frozen=True)
class Decided:
    """The award as stored, and what became of its shares: « Parts proposées de nouveau… », or nothing."""

    award: Award
    shares_told: str


def award_save(
    *, award: Award, holders: Sequence[HolderEntry], actor: Actor, today: date, expected_version: int
) -> Decided:
    """Record the decision on one lot of a closed consultation, or correct it before the notification.

    ``expected_version``: that of the decision the person was reading, 0 without any. Raises NotAllowed, BusinessError,
    ValidationError by field (``holder_<row>_identifier`` for a company). Nothing is then written.
    """
    grouping = award.consultation.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        require_running(grouping)  # two decisions at once: the second waits, then reads the first
        consultation = Consultation.objects.select_for_update().get(pk=award.consultation_id)
        consultation.grouping = award.consultation.grouping
        award.consultation = consultation
        award.lot.grouping = grouping
        stored = Award.objects.select_for_update().filter(consultation=consultation, lot=award.lot).first()
        if (stored.version if stored else 0) != expected_version:
            raise BusinessError(CHANGED_MEANWHILE)
        _take_place_of(award, stored)
        _check_lot(award, stored)
        if stored is not None and stored.notified_on is not None:
            _refuse_amendment(award, stored, holders)
        _check_decision(award, today)
        companies = _companies(award, holders) if award.is_awarded else []
        before = set(award.holders.values_list("name", "identifier_type", "identifier", "is_lead")) if stored else set()
        changed = save_recorded(award, actor=actor, verb="award.decide", sentence=_told(award, companies))
        kept = {(company.name, company.identifier_type, company.identifier, company.is_lead) for company in companies}
        if before != kept:
            award.holders.all().delete()
            for company in companies:
                company.award = award
                company.save()
            _record_holders(award, before, kept, actor)
        shares_told = shares_follow_value(award, actor) if stored else ""
        if stored and (changed or before != kept):
            Award.objects.filter(pk=award.pk).update(version=stored.version + 1)
            award.version += 1
    return Decided(award, shares_told)


def _take_place_of(award: Award, stored: Award | None) -> None:
    """The row written is the stored one, with its own dates of signature and notification."""
    award.pk = stored.pk if stored else None
    award._state.adding = stored is None
    award.version = stored.version if stored else 1
    if stored is not None:
        for name in _FOLLOWED:
            if name not in AFTER_NOTIFICATION:
                setattr(award, name, getattr(stored, name))
    if not award.is_awarded:
        for name in _CONTRACT:
            field = Award._meta.get_field(name)
            setattr(award, name, field.get_default())


def _check_lot(award: Award, stored: Award | None) -> None:
    consultation, lot = award.consultation, award.lot
    if not consultation.lots.filter(pk=lot.pk).exists():
        raise BusinessError(f"Le lot {lot.number} n’est pas dans la consultation n° {consultation.number}.")
    if consultation.closed_on is None:
        raise BusinessError(
            f"La consultation n° {consultation.number} n’est pas close\u00a0: un lot s’attribue après sa clôture."
        )
    other = Award.objects.awarded().filter(lot=lot).exclude(pk=award.pk).prefetch_related("holders").first()
    if other is not None:
        holder = next(iter(other.holders.all()), None)
        to = f" à {holder.name}" if holder else ""
        raise BusinessError(f"Ce lot est déjà attribué{to}, par décision du {other.decided_on:%d/%m/%Y}.")
    later = lot.consultations.filter(number__gt=consultation.number).first()
    if later is not None:
        raise BusinessError(
            f"Le lot {lot.number} a été relancé\u00a0: c’est la consultation n° {later.number} qui en décide."
        )
    if stored is not None and stored.signed_on is not None and not award.is_awarded:
        raise BusinessError(
            f"Le marché est signé depuis le {stored.signed_on:%d/%m/%Y}\u00a0: ce lot reste attribué.", field="outcome"
        )


def _refuse_amendment(award: Award, stored: Award, holders: Sequence[HolderEntry]) -> None:
    changed, _ = changes(snapshot(stored), snapshot(award))
    companies = [(holder.identifier_type, "".join(holder.identifier.split())) for holder in holders]
    same = companies == list(stored.holders.values_list("identifier_type", "identifier"))
    touched = [
        name
        for name in changed
        if name not in AFTER_NOTIFICATION
        and not (name in COMPLETED_LATER and getattr(stored, name) in Award._meta.get_field(name).empty_values)
    ]
    if not touched and same:
        return
    name = touched[0].removesuffix("_currency") if touched else None
    raise BusinessError(
        f"Le marché est notifié depuis le {stored.notified_on:%d/%m/%Y}\u00a0: ce qu’il dit ne change plus que par un "
        "avenant. Seul ce qui manquait aux données essentielles se complète encore.",
        field=name,
    )


def _check_decision(award: Award, today: date) -> None:
    consultation, refusals = award.consultation, {}
    if award.decided_on is not None:
        if award.decided_on > today:
            refusals["decided_on"] = "Cette date est à venir\u00a0: indiquez une décision prise."
        elif told := _too_early(consultation, award.decided_on):
            refusals["decided_on"] = told
        elif award.is_awarded:
            met_on = (
                consultation.committee_met_on
                if consultation.committee == Consultation.Committee.TENDER_COMMITTEE
                else None
            )
            is_due = award.is_formal and consultation.needs_tender_committee
            if told := committee_refusal(is_due=is_due, met_on=met_on, decided_on=award.decided_on):
                refusals["decided_on"] = told
    if award.is_awarded:
        if award.starts_on is not None and award.decided_on is not None:
            if award.starts_on < award.decided_on:
                refusals["starts_on"] = "Un marché ne commence pas avant d’être attribué."
            elif award.starts_on.year > award.decided_on.year + _LATEST_START_YEARS:
                refusals["starts_on"] = "Cette date est trop lointaine\u00a0: vérifiez l’année."
        if award.offers_received == 0:
            refusals["offers_received"] = "Un lot sans offre ne s’attribue pas."
        is_framework = award.lot.is_framework or award.technique == Technique.FRAMEWORK
        if is_framework and award.maximum_excl_tax is None and is_maximum_compulsory(consultation.launched_on):
            refusals["maximum_excl_tax"] = "Un accord-cadre a un maximum (CCP, R2162-4)."
        if award.value is not None and award.value == 0:
            refusals["amount_excl_tax"] = "Un marché de 0\u00a0€ ne se répartit pas\u00a0: indiquez sa valeur."
        if award.has_advance is False and award.advance_rate:
            refusals["advance_rate"] = "Sans avance, il n’y a pas de taux."
    elif not award.reason.strip():
        refusals["reason"] = "Indiquez pourquoi ce lot n’est pas attribué."
    if refusals:
        raise ValidationError(refusals)


def _too_early(consultation: Consultation, decided_on: date) -> str:
    """A decision follows the offers and their opening. The closing itself may be recorded here after the commission has
    met: what its record says is not put off by it."""
    due_on, opened_on = due_day(consultation), consultation.opened_on
    if opened_on is not None and decided_on < opened_on:
        return f"L’ouverture des plis est du {opened_on:%d/%m/%Y}\u00a0: la décision la suit."
    if due_on is not None and decided_on < due_on:
        return f"La remise des offres s’est achevée le {due_on:%d/%m/%Y}\u00a0: la décision la suit."
    return ""


def _companies(award: Award, holders: Sequence[HolderEntry]) -> list[AwardHolder]:
    """The companies checked one by one; every wrong box is told, not only the first."""
    if not holders:
        raise ValidationError({"holder_1_name": "Indiquez l’entreprise titulaire."})
    companies, refusals, seen = [], {}, set()
    for place, entry in enumerate(holders):
        company = AwardHolder(
            name=entry.name,
            identifier_type=entry.identifier_type,
            identifier=entry.identifier,
            is_lead=place == 0,
        )
        try:
            company.clean_fields(exclude=["award"])
            company.clean()
        except ValidationError as error:
            refusals |= {f"holder_{entry.row}_{name}": problems for name, problems in error.error_dict.items()}
        if company.identifier in seen:
            refusals[f"holder_{entry.row}_identifier"] = "Cette entreprise est déjà titulaire de ce lot."
        seen.add(company.identifier)
        companies.append(company)
    grouped = award.operators_kind != OperatorsKind.NONE
    if len(companies) > 1 and not grouped:
        refusals["operators_kind"] = "Plusieurs entreprises\u00a0: dites si leur groupement est conjoint ou solidaire."
    if len(companies) == 1 and grouped:
        refusals["operators_kind"] = "Une seule entreprise n’est pas un groupement\u00a0: ajoutez les autres."
    if refusals:
        raise ValidationError(refusals)
    return companies


def _told(award: Award, companies: Sequence[AwardHolder]) -> str:
    to = f" à {companies[0].name}" if companies else ""
    others = f" et {len(companies) - 1} autres" if len(companies) > 1 else ""
    decision = award.get_outcome_display().lower()
    return f"Lot {award.lot.number} {decision}{to}{others}, décision du {award.decided_on:%d/%m/%Y}"


def _record_holders(award: Award, before: set, after: set, actor: Actor) -> None:
    thread, territory_id, concerns_id = award.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb="award.holders",
        sentence=f"Lot {award.lot.number}, titulaires\u00a0: {', '.join(sorted(row[0] for row in after)) or 'aucun'}",
        before={"holders": [list(row) for row in sorted(before)]},
        after={"holders": [list(row) for row in sorted(after)]},
    )
