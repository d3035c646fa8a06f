"""Three groupings past the launch: one in consultation, one being awarded, one whose contract is in use."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from djmoney.money import Money
from stdnum.luhn import calc_check_digit

from groupings.actions.grouping import grouping_save
from groupings.choices import GroupingStatus
from groupings.demonstration.consumption import consume
from groupings.demonstration.history import vote_and_sign
from groupings.demonstration.renewals import copy_members_and_needs
from groupings.models import (
    Award,
    AwardHolder,
    AwardShare,
    Consultation,
    ContractContact,
    Grouping,
    Lot,
    NeedLine,
    PriceItem,
    Question,
)
from groupings.rules.thresholds import procedure
from procurement.core.actors import Actor
from procurement.core.calendar import add_months, next_working_day
from procurement.core.money import round_half_up, split_exactly
from procurement.core.querysets import money_sum

SOURCE = "illustratif\u00a0: marché fictif"


@dataclass(frozen=True)
class Contract:
    """One grouping past the launch. ``launched``: days before today; ``framework``: its lots are accords-cadres;
    ``outcomes``: lot number → what was decided of it."""

    reference: str
    renews: str
    title: str
    status: str
    launched: int
    framework: bool = False
    outcomes: dict[int, str] = field(default_factory=dict)
    notified: int | None = None


CONTRACTS = (
    Contract(
        "GC-2025-01", "GC-2016-07", "Acquisition de matériel informatique", GroupingStatus.PERFORMANCE, 700, True,
        {1: "awarded", 2: "awarded", 3: "awarded"}, 540,
    ),
    Contract(
        "GC-2026-01", "GC-2016-12", "Mobilier scolaire et administratif", GroupingStatus.AWARD, 95, False,
        {1: "awarded", 2: "unsuccessful"},
    ),
    Contract(
        "GC-2026-02", "GC-2016-15", "Signalisation et mobilier urbain", GroupingStatus.CONSULTATION, 21, True,
    ),
)  # fmt: skip

#: Plainly fictitious companies: no establishment has such a SIREN.
_COMPANIES = ("Exemple Informatique", "Fictif Équipements", "Modèle Réseaux", "Spécimen Mobilier")
_PRICES = {
    1: (
        ("PC-01", "Ordinateur portable 14 pouces", "poste", "742.50"),
        ("PC-02", "Poste fixe compact", "poste", "518.90"),
        ("PC-03", "Station d’accueil", "unité", "139.00"),
    ),
    2: (
        ("EC-24", "Écran 24 pouces", "unité", "128.40"),
        ("EC-27", "Écran 27 pouces", "unité", "187.25"),
        ("PE-10", "Clavier et souris sans fil", "lot", "31.995"),
    ),
    3: (
        ("SV-01", "Serveur en baie, deux processeurs", "unité", "4890.00"),
        ("ST-12", "Stockage, 12 To utiles", "unité", "3275.50"),
    ),
}


def create_contracts(*, actor: Actor, buyer, jurist, random: Random, today: date) -> None:
    """The three of them, coherent with the law of their day and with today."""
    for contract in CONTRACTS:
        previous = Grouping.objects.get(reference=contract.renews)
        grouping = _create(contract, previous, actor=actor, buyer=buyer, jurist=jurist, today=today)
        copy_members_and_needs(grouping, previous, actor=actor, random=random)
        vote_and_sign(grouping, grouping.convention_on, random)
        grouping.memberships.update(joined_on=grouping.opened_on)
        launched_on = today - timedelta(days=contract.launched)
        Grouping.objects.filter(pk=grouping.pk).update(status=contract.status, launched_on=launched_on)
        grouping.refresh_from_db()
        if contract.framework:
            _bound(grouping)
        consultation = _consult(contract, grouping, today)
        for lot in grouping.lots.all():
            if lot.number in contract.outcomes:
                _award(contract, consultation, lot, today, random)
        if contract.notified:
            consume(grouping, actor=actor, today=today)


def _create(contract: Contract, previous: Grouping, *, actor, buyer, jurist, today: date) -> Grouping:
    launched_on = today - timedelta(days=contract.launched)
    starts_on = today - timedelta(days=contract.notified - 30) if contract.notified else launched_on + timedelta(150)
    return grouping_save(
        grouping=Grouping(
            reference=contract.reference,
            title=contract.title,
            category=previous.category,
            cpv=previous.cpv,
            coordinator=previous.coordinator,
            duration_months=24,
            extension_count=2,
            extension_months=12,
            opened_on=launched_on - timedelta(days=240),
            convention_on=next_working_day(launched_on - timedelta(days=40)),
            needs_due_on=launched_on - timedelta(days=170),
            deliberations_due_on=launched_on - timedelta(days=30),
            launch_planned_on=launched_on,
            award_planned_on=launched_on + timedelta(days=110),
            performance_planned_on=starts_on,
            buyer=buyer,
            jurist=jurist,
            renews=previous,
            source=SOURCE,
        ),
        actor=actor,
    )


def _needs_of(lot: Lot) -> Decimal:
    return money_sum(NeedLine.objects.active().filter(lot=lot), "estimated_amount_excl_tax")


def _bound(grouping: Grouping) -> None:
    """Every lot an accord-cadre whose maximum leaves a third above the needs, to the thousand."""
    for lot in grouping.lots.all():
        lot.is_framework = True
        lot.maximum_excl_tax = Money((_needs_of(lot) * 4 / 3).quantize(Decimal("1E3")), "EUR")
        lot.full_clean()
        lot.save()


def _consult(contract: Contract, grouping: Grouping, today: date) -> Consultation:
    lots = list(grouping.lots.all())
    value = sum((lot.maximum_excl_tax.amount if lot.is_framework else _needs_of(lot) for lot in lots), Decimal(0))
    try:
        found = procedure(value, grouping.category, grouping.launched_on)
    except LookupError:  # beyond the dated tables: the demonstration still loads, and the page says so
        found = None
    sent_on = next_working_day(grouping.launched_on + timedelta(days=2))
    due_on = next_working_day(sent_on + timedelta(days=35))
    is_closed = contract.status != GroupingStatus.CONSULTATION
    consultation = Consultation(
        grouping=grouping,
        launched_on=grouping.launched_on,
        value_excl_tax=Money(round_half_up(value), "EUR"),
        member_count=grouping.memberships.count(),
        procedure_code=found.code if found else "",
        procedure_sentence=found.sentence if found else "",
        procedure="adapted" if found and found.code != "formal" else "open",
        boamp_reference=f"{sent_on:%y}-{100000 + grouping.pk}",
        ojeu_reference=f"{sent_on.year}/S {100 + grouping.pk}-{400000 + grouping.pk}",
        buyer_profile_url="https://profil-acheteur.example/consultation",
        notice_sent_on=sent_on,
        offers_due_at=datetime.combine(due_on, time(11), tzinfo=UTC),
        opened_on=due_on if is_closed else None,
        committee=Consultation.Committee.TENDER_COMMITTEE if is_closed else "",
        committee_met_on=next_working_day(due_on + timedelta(days=40)) if is_closed else None,
        closed_on=due_on if is_closed else None,
    )
    consultation.full_clean()
    consultation.save()
    consultation.lots.set(lots)
    Question.objects.create(
        consultation=consultation,
        number=1,
        asked_on=sent_on + timedelta(days=6),
        text="Les échantillons sont-ils demandés pour chaque lot\u202f?",
        answered_on=sent_on + timedelta(days=9),
        answer="Non\u00a0: les fiches techniques suffisent, à déposer avec l’offre.",
    )
    return consultation


def _award(contract: Contract, consultation: Consultation, lot: Lot, today: date, random: Random) -> None:
    decided_on = consultation.committee_met_on
    outcome = contract.outcomes[lot.number]
    if outcome != "awarded":
        reason = "Une seule offre, irrégulière\u00a0: elle ne répond pas au cahier des charges."
        Award.objects.create(
            consultation=consultation, lot=lot, outcome=outcome, decided_on=decided_on, reason=reason, offers_received=1
        )
        return
    notified_on = today - timedelta(days=contract.notified) if contract.notified else None
    grouping = consultation.grouping
    value = lot.maximum_excl_tax or Money(round_half_up(_needs_of(lot) * Decimal("0.93")), "EUR")
    award = Award(
        consultation=consultation,
        lot=lot,
        outcome=outcome,
        decided_on=decided_on,
        offers_received=random.randint(3, 6),
        reference=f"{grouping.reference[3:]}-{lot.number}",
        amount_excl_tax=None if lot.is_framework else value,
        maximum_excl_tax=value if lot.is_framework else None,
        price_form="unit",
        price_type="revisable",
        price_index="INSEE, prix à la production, matériels informatiques" if lot.is_framework else "",
        starts_on=grouping.performance_planned_on,
        duration_months=24,
        extension_count=2,
        extension_months=12,
        notice_months=6 if lot.number == 1 else 3,
        rejection_sent_on=decided_on + timedelta(days=4),
        signed_on=notified_on - timedelta(days=2) if notified_on else None,
        notified_on=notified_on,
        data_published_on=add_months(notified_on, 1) if notified_on else None,
        technique="framework" if lot.is_framework else "none",
        modality="purchase_orders" if lot.is_framework else "none",
        ccag="ict" if lot.is_framework else "supplies_services",
        operators_kind="joint" if lot.number == 3 else "none",
        has_advance=False,
        has_subcontracting=False,
        social_considerations=["none"],
        environmental_considerations=["criterion"],
    )
    award.full_clean()
    award.save()
    for rank in range(2 if lot.number == 3 else 1):
        company = (lot.number + rank) % len(_COMPANIES)
        AwardHolder.objects.create(
            award=award, name=f"{_COMPANIES[company]} (fictif)", identifier=_siret(company), is_lead=rank == 0
        )
    needs = list(NeedLine.objects.active().filter(lot=lot).select_related("membership"))
    parts = split_exactly(award.value, [need.estimated_amount_excl_tax.amount for need in needs])
    for need, part in zip(needs, parts, strict=True):
        AwardShare.objects.create(award=award, membership=need.membership, amount_excl_tax=Money(part, "EUR"))
    if notified_on:
        _equip(award)


def _siret(company: int) -> str:
    siren = f"0000000{company + 1}"
    root = f"{siren}{calc_check_digit(siren)}0001"
    return root + calc_check_digit(root)


def _equip(award: Award) -> None:
    """What a member needs to order: prices and whom to call."""
    for position, (code, designation, unit, price) in enumerate(_PRICES[award.lot.number], start=1):
        item = PriceItem(award=award, code=code, designation=designation, unit=unit, price_excl_tax=Decimal(price))
        item.position = position
        item.full_clean()
        item.save()
    ContractContact.objects.create(
        award=award, name="Service des commandes (fictif)", role="Commandes et livraisons", phone="04 00 00 00 00"
    )
