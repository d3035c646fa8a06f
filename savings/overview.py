"""What a budget year brought, in one object: the figures of the screen, of the report and of the annual sheet.

Everything is of one stage and of validated lines. What is not a gain (coordination cost, buying outside the contract,
« écart à l’estimation », lines still to validate) stands apart, in no total.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import BigIntegerField, CharField, Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Round

from groupings.models import ConsumptionLine
from procurement.core.money import ZERO, round_half_up
from savings.choices import PROVEN, EntryKind, GainStage
from savings.coverage import Coverage, coverage, in_family
from savings.ledger import Totals, add_up, entries, totals_by
from savings.models import CoordinationCost, LedgerEntry, OffContractSpend, PriceLine, YearLock
from savings.models.ledger import euros_of
from savings.rules.amounts import AMOUNTS
from savings.rules.rates import rate


@dataclass(frozen=True)
class Selection:
    """What is asked of the ledger: one year, one stage, and at will one family, one member, one grouping."""

    year: int
    stage: str = GainStage.AWARDED
    family: str = ""
    organisation_id: int | None = None
    grouping_id: int | None = None

    def filters(self) -> dict:
        """As ``ledger.entries`` takes them, the year and the stage left out."""
        asked = {"family": self.family, "organisation": self.organisation_id, "grouping": self.grouping_id}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class Term:
    """One kind of purchase (recurrent, or one-off) over three spans. € excl. tax; the rates are on the budget reading.

    ``of_year``: what counts in the year. ``yearly`` (twelve months) and ``full`` (the whole duration): of the contracts
    that run in the year; None where that has no sense: a one-off has no twelve months, a realised line no future.
    """

    of_year: Totals
    yearly: Totals | None
    full: Totals | None


@dataclass(frozen=True)
class GroupingFigures:
    """One grouping in the year."""

    pk: int
    reference: str
    title: str
    totals: Totals
    proven: Totals
    coverage: Coverage

    @property
    def proven_rate(self) -> Decimal | None:
        """% of its reference that is graded A or B."""
        return rate(self.proven.baseline_budget, self.totals.baseline_budget)


@dataclass(frozen=True)
class EstimateGap:
    """« Écart à l’estimation » of one grouping, € excl. tax over its awarded lots whose both amounts are known."""

    pk: int
    reference: str
    title: str
    estimated: Decimal
    awarded: Decimal
    compared: int
    lots: int

    @property
    def gap(self) -> Decimal:
        return self.estimated - self.awarded


@dataclass(frozen=True)
class OnContract:
    """What was consumed on the contracts in the year, and bought elsewhere, € excl. tax; None: nobody said."""

    consumed: Decimal | None
    elsewhere: Decimal | None

    @property
    def rate(self) -> Decimal | None:
        """% bought on the contracts; None while one of the two is unknown: unknown is not zero."""
        if self.consumed is None or self.elsewhere is None:
            return None
        return rate(self.consumed, self.consumed + self.elsewhere)


@dataclass(frozen=True)
class YearOverview:
    """The year as the reader may know it. ``cost`` and ``net_gain`` are None for a part of the territory: what
    coordinating costs is known per grouping, and told to the coordinator's people alone."""

    selection: Selection
    totals: Totals
    proven: Totals
    recurrent: Term
    one_off: Term
    groupings: list[GroupingFigures]
    coverage: Coverage
    on_contract: OnContract
    cost: Decimal | None
    #: Of the stage REALISED: what buying more or less than forecast changed, never a gain. None at the other stages.
    volume_effect: Decimal | None
    pending: int
    lock: YearLock | None

    @property
    def proven_share(self) -> Decimal | None:
        """Graded A or B, in % of the reference: gains and losses may cancel out, a reference does not."""
        return rate(self.proven.baseline_budget, self.totals.baseline_budget)

    @property
    def unproven_loss(self) -> Decimal:
        """What the lines of grade C or D lose together, € excl. tax, zero when they gain: the part graded A or B can
        then be more than the total, and the page says why."""
        return max(self.proven.budget_gain - self.totals.budget_gain, ZERO)

    @property
    def net_gain(self) -> Decimal | None:
        return None if self.cost is None else self.totals.budget_gain - self.cost

    @property
    def estimate_gaps(self) -> list[EstimateGap]:
        """Per grouping, for those with a lot whose both amounts are known."""
        found: dict[int, EstimateGap] = {}
        for lot in self.coverage.lots:
            former = found.get(lot.grouping_id) or EstimateGap(
                lot.grouping_id, lot.reference, lot.grouping_title, ZERO, ZERO, 0, 0
            )
            is_known = lot.gap is not None
            found[lot.grouping_id] = EstimateGap(
                former.pk,
                former.reference,
                former.title,
                former.estimated + (lot.estimated if is_known else ZERO),
                former.awarded + (lot.awarded if is_known else ZERO),
                former.compared + is_known,
                former.lots + 1,
            )
        return [gap for gap in found.values() if gap.compared]


def year_overview(affiliation, selection: Selection) -> YearOverview:
    """Every figure of ``selection`` the affiliation may read, in seven queries: a member's people read their own."""
    found = entries(affiliation, stage=selection.stage, year=selection.year, **selection.filters())
    cut = totals_by(found, "grouping__reference", "grouping_id", "grouping__title", "grade", "is_one_off")
    covered = coverage(
        affiliation,
        year=selection.year,
        stage=selection.stage,
        family=selection.family,
        organisation_id=selection.organisation_id,
        grouping_id=selection.grouping_id,
    )
    terms = _terms(affiliation, selection)
    consumed, elsewhere, cost = _beside(affiliation, selection)
    everything = affiliation.sees_whole_territory
    return YearOverview(
        selection=selection,
        totals=add_up(part for _, part in cut),
        proven=add_up(part for key, part in cut if key[3] in PROVEN),
        recurrent=Term(add_up(part for key, part in cut if not key[4]), *terms[False]),
        one_off=Term(add_up(part for key, part in cut if key[4]), *terms[True]),
        groupings=_groupings(cut, covered),
        coverage=covered,
        on_contract=OnContract(consumed, elsewhere),
        cost=cost,
        volume_effect=_volume_effect(affiliation, selection),
        pending=pending_lines(affiliation, selection).count() if everything else 0,
        lock=YearLock.objects.visible_to(affiliation).filter(year=selection.year).first() if everything else None,
    )


def pending_lines(affiliation, selection: Selection) -> QuerySet[PriceLine]:
    """The lines of the stage that finance has still to decide: a count on the screens, in no total."""
    found = PriceLine.objects.visible_to(affiliation).current().awaiting_finance().filter(stage=selection.stage)
    if selection.stage == GainStage.REALISED:
        found = found.filter(year=selection.year)
    if selection.family:
        found = found.filter(in_family("baseline__lot__", selection.family))
    if selection.organisation_id:
        found = found.filter(baseline__membership__organisation_id=selection.organisation_id)
    if selection.grouping_id:
        found = found.filter(baseline__membership__grouping_id=selection.grouping_id)
    return found


def running(affiliation, selection: Selection) -> QuerySet[LedgerEntry]:
    """The entries about the year of the lines that stand today, one per line, whichever year they were counted in."""
    return entries(
        affiliation,
        stage=selection.stage,
        origin_year=selection.year,
        kind=EntryKind.POSTED,
        line__is_superseded=False,
        **selection.filters(),
    )


def line_cents(name: str) -> Cast:
    """A column of euros of the line, as whole cents: the sum is then exact in every database."""
    hundredfold = Cast(F(f"line__{name}"), DecimalField(max_digits=20, decimal_places=2)) * Value(100)
    return Cast(Round(hundredfold, output_field=DecimalField(max_digits=22, decimal_places=2)), BigIntegerField())


def _terms(affiliation, selection: Selection) -> dict[bool, tuple[Totals | None, Totals | None]]:
    """Is it a one-off → (twelve months, full term)."""
    if selection.stage == GainStage.REALISED:
        return {False: (None, None), True: (None, None)}
    whole = LedgerEntry.objects.filter(kind=EntryKind.POSTED, line__in=running(affiliation, selection).values("line"))
    of_year = Q(origin_year=selection.year)
    sums = {f"full_{name}": Sum(f"{name}_cents", default=0) for name in AMOUNTS}
    sums |= {f"year_{name}": Sum(line_cents(name), filter=of_year, default=0) for name in AMOUNTS}
    rows = {
        row["is_one_off"]: row
        for row in whole.order_by("is_one_off").values("is_one_off").annotate(n=Count("line", distinct=True), **sums)
    }

    def read(is_one_off: bool, span: str) -> Totals:
        row = rows.get(is_one_off, {})
        return Totals(row.get("n", 0), **{name: euros_of(row.get(f"{span}_{name}", 0)) for name in AMOUNTS})

    return {False: (read(False, "year"), read(False, "full")), True: (None, read(True, "full"))}


def _volume_effect(affiliation, selection: Selection) -> Decimal | None:
    if selection.stage != GainStage.REALISED:
        return None
    found = running(affiliation, selection).aggregate(total=Sum(line_cents("volume_effect"), default=0))
    return euros_of(found["total"])


def _groupings(cut: list[tuple[tuple, Totals]], covered: Coverage) -> list[GroupingFigures]:
    """The greatest gain first, losses last."""
    parts: dict[tuple[int, str, str], list[tuple[str, Totals]]] = {}
    for (reference, pk, title, grade, _), part in cut:
        parts.setdefault((pk, reference, title), []).append((grade, part))
    rows = [
        GroupingFigures(
            pk=pk,
            reference=reference,
            title=title,
            totals=add_up(part for _, part in graded),
            proven=add_up(part for grade, part in graded if grade in PROVEN),
            coverage=covered.of(pk),
        )
        for (pk, reference, title), graded in parts.items()
    ]
    return sorted(rows, key=lambda row: (-row.totals.budget_gain, row.reference, row.pk))


def _beside(affiliation, selection: Selection) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """(consumed on the contracts, bought elsewhere, cost of coordination) in one query, € excl. tax to the cent.

    The first two are None without any row; the third for a part of the territory, since it is known per grouping, and
    for a member, to whom it is not told: with every row of theirs unknown is still not zero.
    """
    of_whom = {}
    if selection.organisation_id:
        of_whom["membership__organisation_id"] = selection.organisation_id
    if selection.grouping_id:
        of_whom["membership__grouping_id"] = selection.grouping_id
    consumed = ConsumptionLine.objects.visible_to(affiliation).filter(
        in_family("award__lot__", selection.family), invoiced_on__year=selection.year, **of_whom
    )
    elsewhere = OffContractSpend.objects.visible_to(affiliation).filter(
        in_family("lot__", selection.family), year=selection.year, **of_whom
    )
    sums = [_sum_named("consumed", consumed), _sum_named("elsewhere", elsewhere)]
    tells_cost = affiliation.sees_whole_territory and not (selection.family or selection.organisation_id)
    if tells_cost:
        costs = CoordinationCost.objects.visible_to(affiliation).filter(year=selection.year)
        if selection.grouping_id:
            costs = costs.filter(grouping_id=selection.grouping_id)
        sums.append(_sum_named("cost", costs))
    found = {name: None if total is None else round_half_up(Decimal(total)) for name, total in sums[0].union(*sums[1:])}
    cost = found.get("cost") or ZERO
    return found.get("consumed"), found.get("elsewhere"), cost if tells_cost else None


def _sum_named(name: str, rows: QuerySet) -> QuerySet:
    """One row, (``name``, the sum of the amounts or null), to be put beside others in one query."""
    amount = DecimalField(max_digits=18, decimal_places=2)
    return (
        rows.order_by()
        .values(kind=Value(name, output_field=CharField()))
        .annotate(total=Sum("amount_excl_tax", output_field=amount))
        .values_list("kind", "total")
    )
