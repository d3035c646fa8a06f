"""What a line needs from the grouping at each stage: the offers' deadline, the contract, the year's consumption."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, Sum

from groupings.choices import GroupingStatus
from groupings.models import Award, Consultation, ConsumptionLine, Grouping
from savings.choices import GainStage
from savings.models import Baseline, PriceLine
from savings.rules.budget_years import MONTHS_PER_YEAR

_PRICE = Decimal("0.000001")


def deadlines(lot_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Lot → when the offers of its latest consultation are due; a lot never put out is absent. One query."""
    asked = Consultation.objects.filter(lots__in=set(lot_ids)).order_by("number")
    return dict(asked.values_list("lots", "offers_due_at"))  # the latest number comes last, and stays


def notified_awards(lot_ids: Iterable[int]) -> dict[int, Award]:
    """Lot → its contract, once notified. One query."""
    found = Award.objects.awarded().filter(lot__in=set(lot_ids), notified_on__isnull=False)
    return {award.lot_id: award for award in found}


def stage_refusal(stage: str, grouping: Grouping, award: Award | None, year: int | None = None) -> str:
    """Why no line of that stage may be written now, or an empty string. ``award``: the lot's, once notified."""
    if grouping.status == GroupingStatus.CANCELLED or grouping.is_declared_only:
        return "Ce groupement est abandonné ou seulement déclaré\u00a0: ses gains ne se comptent pas."
    if stage == GainStage.ESTIMATED:
        if grouping.status == GroupingStatus.NEEDS:
            return "Le gain potentiel se calcule une fois le recensement des besoins clos."
        return ""
    if award is None:
        return "Le marché de ce lot n’est pas notifié\u00a0: seul un gain potentiel peut être saisi."
    if stage == GainStage.REALISED:
        starts_on = award.starts_on or award.notified_on
        if year is None:
            return "Indiquez l’année dont vous saisissez la consommation."
        if year < starts_on.year:
            return f"Le marché commence le {starts_on:%d/%m/%Y}\u00a0: rien n’a été consommé en {year}."
    return ""


def copy_reference(line: PriceLine, award: Award | None) -> None:
    """Set on ``line`` what it takes from its reference and from the contract: the reference price, the index, the
    quantity (except what was really bought), when it takes effect and for how long.

    A correction says by itself when it takes effect: only what its reference says is copied.
    """
    baseline = line.baseline
    line.price_before, line.index_factor = baseline.price_before, baseline.index_factor
    line.is_one_off = baseline.is_one_off
    if line.stage == GainStage.REALISED:
        if line.year:
            line.starts_on, line.months = date(line.year, 1, 1), MONTHS_PER_YEAR
        if baseline.is_lump_sum:
            line.quantity = baseline.quantity
        return
    line.quantity, line.year = baseline.quantity, None
    if line.corrects_id is not None:
        return
    grouping = baseline.membership.grouping
    if line.stage == GainStage.AWARDED and award is not None:
        line.starts_on = award.starts_on or award.notified_on
        line.months = award.total_months or grouping.total_months
    else:
        line.starts_on = line.starts_on or grouping.performance_planned_on
        line.months = line.months or grouping.total_months


@dataclass(frozen=True)
class Consumed:
    """What a member bought of a lot in one year, from its invoices: units, and € excl. tax per unit, six decimals."""

    year: int
    quantity: Decimal
    price: Decimal


def consumed_by_year(baseline: Baseline) -> list[Consumed]:
    """What to propose for the realised lines of ``baseline``, year by year; empty when it cannot be told: the member
    has several references on the lot, or an invoice without quantity.

    A lump sum has the quantity 1 and the year's amount for price. Two queries.
    """
    siblings = Baseline.objects.current().filter(lot_id=baseline.lot_id, membership_id=baseline.membership_id)
    if siblings.count() != 1:
        return []
    invoices = ConsumptionLine.objects.filter(award__lot_id=baseline.lot_id, membership_id=baseline.membership_id)
    by_year = (
        invoices.order_by("invoiced_on__year")
        .values("invoiced_on__year")
        .annotate(lines=Count("pk"), counted=Count("quantity"), units=Sum("quantity"), spent=Sum("amount_excl_tax"))
    )
    found = []
    for row in by_year:
        spent = Decimal(str(getattr(row["spent"], "amount", row["spent"]))).quantize(Decimal("0.01"))
        if baseline.is_lump_sum:
            units = Decimal(1)
        elif row["counted"] == row["lines"]:
            units = Decimal(str(row["units"])).quantize(Decimal("0.001"))
        else:
            continue
        if units > 0 and spent >= 0:
            price = (spent / units).quantize(_PRICE, rounding=ROUND_HALF_UP)
            found.append(Consumed(row["invoiced_on__year"], units, price))
    return found
