"""What the contract in use brought, as its people would have entered it: fictitious prices, real steps.

Every row goes through the actions, on the dates it would have had: references frozen before the offers' deadline,
confirmed by the members, lines validated by finance, one year locked, one line corrected since.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from djmoney.money import Money

from groupings.actions.files import grouping_file_deposit
from groupings.models import Award, Consultation, Grouping, GroupingDocument, Lot, Membership, NeedLine, PriceItem
from members.models import Affiliation
from members.roles import Role
from procurement.core.actors import Actor, SystemActor
from procurement.core.documents import pdf
from procurement.core.money import format_number
from savings.actions.baseline import baseline_confirm, baseline_freeze, baseline_object, baseline_save
from savings.actions.costs import cost_save, off_contract_save
from savings.actions.line import line_save, lines_submit
from savings.actions.locks import year_lock
from savings.actions.review import line_correct, line_decide
from savings.choices import GainStage, LineStatus
from savings.models import Baseline, CoordinationCost, OffContractSpend, PriceLine

_IN_USE, _IN_CONSULTATION = "GC-2025-01", "GC-2026-02"
_INDEX = "INSEE, prix à la production, matériels informatiques (valeurs fictives)"
#: What the biggest member paid already, in % of the new price: it lends its volume, and loses a little.
_BIGGEST_PAID = Decimal("98.5")
_PLACES = Decimal("0.01")


@dataclass(frozen=True)
class People:
    """Who enters, who validates."""

    buyer: Affiliation
    finance: Affiliation


def create_ledger(*, today: date) -> None:
    """The ledger of the demonstration, once the contracts are there."""
    people = People(*(Affiliation.objects.get(role=role, organisation__territory=None) for role in _ROLES))
    grouping = Grouping.objects.get(reference=_IN_USE)
    random = Random(grouping.reference)  # noqa: S311 - fictitious data, always the same
    awards = {
        award.lot.number: award
        for award in Award.objects.awarded().filter(lot__grouping=grouping).select_related("lot", "consultation")
    }
    lines = [line for number in (1, 2) for line in _measure(awards[number], people, random)]
    year = awards[1].starts_on.year
    if year < today.year:
        closing = _at(date(year + 1, 2, 10))
        year_lock(territory=grouping.coordinator, year=year, actor=people.finance, now=closing)
        _correct(lines, people, closing + timedelta(days=60))
    _cost(grouping, people, (year, today.year))
    _refer(Grouping.objects.get(reference=_IN_CONSULTATION), people, random)


_ROLES = (Role.BUYER, Role.FINANCE)


def _agent(reference: Baseline) -> SystemActor:
    """Somebody of the member's body: the one who answers for what it paid."""
    body = reference.membership.organisation
    return SystemActor(f"Agent de {body.name} (démonstration)", organisation_id=body.pk)


def _at(day: date) -> datetime:
    return datetime.combine(day, time(10), tzinfo=UTC)


def _measure(award: Award, people: People, random: Random) -> list[PriceLine]:
    """The references and lines of one lot: all the members of the first, half of those of the second, whose prices are
    not all proven. Most are validated; some wait, one was sent back."""
    deadline = award.consultation.offers_due_at
    shares = award.shares.select_related("membership__organisation").order_by("-amount_excl_tax", "pk")
    members = [share.membership for share in shares]
    kept = members if award.lot.number == 1 else members[::2]
    items = list(award.price_items.all())
    references = []
    for rank, membership in enumerate(kept):
        evidence = _evidence(membership, award.lot, people.buyer) if award.lot.number == 1 or rank % 3 else None
        for item in items if award.lot.number == 1 else items[:2]:
            paid = _BIGGEST_PAID if rank == 0 else Decimal(random.randint(1015, 1240)) / 10
            references.append(_reference(award.lot, membership, item, paid, evidence, people.buyer, deadline))
    baseline_freeze(baselines=references, actor=people.buyer, now=deadline - timedelta(days=6))
    lines = []
    for reference in references:
        reference.refresh_from_db()
        baseline_confirm(baseline=reference, actor=_agent(reference), now=deadline - timedelta(days=3))
        reference.refresh_from_db()
        item = next(item for item in items if item.designation == reference.designation)
        loss = "Ce membre payait déjà moins\u00a0: il apporte son volume au groupement."
        comment = loss if item.price_excl_tax > reference.price_before else ""
        lines.append(_line(reference, item.price_excl_tax, people.buyer, comment=comment))
    told_at = _at(award.notified_on + timedelta(days=20))
    _submit_and_validate(lines[:-4], people, told_at)
    recent = lines[-4:]
    lines_submit(lines=recent[1:], actor=people.buyer, now=told_at + timedelta(days=300))
    line_decide(
        line=PriceLine.objects.get(pk=recent[1].pk),
        step="return",
        actor=people.finance,
        now=told_at + timedelta(days=310),
        reason="La facture jointe porte sur un autre modèle\u00a0: joignez celle de ce matériel.",
    )
    return lines[:-4]


def _reference(
    lot: Lot,
    membership: Membership,
    item: PriceItem,
    paid: Decimal,
    evidence: GroupingDocument | None,
    actor: Actor,
    deadline: datetime,
) -> Baseline:
    need = NeedLine.objects.get(membership=membership, lot=lot)
    yearly = need.estimated_amount_excl_tax.amount / 4 / 3
    price = (item.price_excl_tax * paid / 100).quantize(_PLACES)
    return baseline_save(
        baseline=Baseline(
            lot=lot,
            membership=membership,
            designation=item.designation,
            unit=item.unit,
            quantity=max(Decimal(1), (yearly / price).quantize(Decimal(1))),
            price_before=price,
            method="HISTORIC_PRICE_INDEXED" if lot.number == 1 else "PEER_PRICE",
            source="Dernières factures (fictives)" if lot.number == 1 else "Marché d’un autre acheteur (fictif)",
            period_starts_on=date(deadline.year - 1, 1, 1),
            period_ends_on=date(deadline.year - 1, 12, 31),
            index_name=_INDEX if lot.number == 1 else "",
            index_base_month=date(deadline.year - 1, 6, 1) if lot.number == 1 else None,
            index_base_value=Decimal("104.2") if lot.number == 1 else None,
            index_month=date(deadline.year, deadline.month, 1) if lot.number == 1 else None,
            index_value=Decimal("107.3") if lot.number == 1 else None,
            evidence=evidence,
        ),
        actor=actor,
        now=deadline - timedelta(days=12),
    )


def _evidence(membership: Membership, lot: Lot, actor: Actor) -> GroupingDocument:
    """A page that says it is invented: the evidence opens like a real one."""
    content = pdf.render(
        "savings/demonstration_evidence.html",
        {
            "membership": membership,
            "lot": lot,
            "grouping": lot.grouping,
            "title": f"Relevé de prix fictif – {membership.organisation.name}",
            "issued_at": _at(lot.grouping.opened_on),
        },
    )
    return grouping_file_deposit(
        grouping=lot.grouping,
        content=content,
        filename=f"releve-de-prix-lot-{lot.number}.pdf",
        kind=GroupingDocument.Kind.BASELINE_EVIDENCE,
        actor=actor,
        lot=lot,
        membership=membership,
    )


def _line(reference: Baseline, price: Decimal, actor: Actor, **fields) -> PriceLine:
    fields.setdefault("stage", GainStage.AWARDED)
    return line_save(line=PriceLine(baseline=reference, price_obtained=price, **fields), actor=actor)


def _submit_and_validate(lines: list[PriceLine], people: People, at: datetime) -> None:
    lines_submit(lines=lines, actor=people.buyer, now=at)
    for line in PriceLine.objects.filter(pk__in=[line.pk for line in lines], status=LineStatus.SUBMITTED):
        line_decide(line=line, step="validate", actor=people.finance, now=at + timedelta(days=15))


def _correct(lines: list[PriceLine], people: People, at: datetime) -> None:
    """One price was wrong: the correction counts in the first year still open."""
    line = PriceLine.objects.get(pk=lines[3].pk)
    corrected = line_correct(
        line=line,
        values={"price_obtained": line.price_obtained - Decimal("2.50")},
        reason="La remise de lancement n’avait pas été déduite du prix notifié.",
        actor=people.buyer,
    )
    _submit_and_validate([corrected], people, at)


def _cost(grouping: Grouping, people: People, years: tuple[int, int]) -> None:
    for year in sorted(set(years)):
        for label, hours, rate, amount in (
            ("Animation et suivi du groupement", Decimal(60), Decimal(42), None),
            ("Annonces légales", None, None, Decimal(940)),
        ):
            cost_save(
                cost=CoordinationCost(
                    grouping=grouping,
                    year=year,
                    label=label,
                    hours=hours,
                    hourly_rate=None if rate is None else Money(rate, "EUR"),
                    amount_excl_tax=None if amount is None else Money(amount, "EUR"),
                ),
                actor=people.buyer,
            )
    lot = grouping.lots.get(number=1)
    for membership in grouping.memberships.order_by("organisation__sort_name")[:2]:
        off_contract_save(
            spend=OffContractSpend(
                lot=lot, membership=membership, year=max(years), amount_excl_tax=Money("1480.00", "EUR"),
                source="Mandats hors marché (fictifs)",
            ),
            actor=people.buyer,
        )  # fmt: skip


def _refer(grouping: Grouping, people: People, random: Random) -> None:
    """In consultation: some references frozen in time, one contested, others still to freeze before the deadline."""
    consultation = Consultation.objects.filter(grouping=grouping).latest("number")
    lot = grouping.lots.first()
    entered_at = _at(grouping.launched_on)
    references = [
        baseline_save(
            baseline=Baseline(
                lot=lot,
                membership=membership,
                designation="Panneau de police, gamme normale",
                unit="unité",
                quantity=Decimal(random.randint(8, 40)),
                price_before=Decimal(random.randint(6200, 8400)).scaleb(-2),
                method="HISTORIC_PRICE",
                source=f"Dernières commandes, {format_number(Decimal(random.randint(2, 6)))} factures (fictives)",
                evidence=_evidence(membership, lot, people.buyer),
            ),
            actor=people.buyer,
            now=entered_at,
        )
        for membership in grouping.memberships.order_by("organisation__sort_name")[:6]
    ]
    if consultation.offers_due_at > entered_at:
        baseline_freeze(baselines=references[:4], actor=people.buyer, now=entered_at)
        contested = Baseline.objects.get(pk=references[0].pk)
        baseline_object(
            baseline=contested,
            objection="Ce prix comprend la pose, qui ne fait pas partie du marché.",
            actor=_agent(contested),
        )
