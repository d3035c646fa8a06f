"""From a validated line to its entries: the only writer of the ledger."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from procurement.core.errors import BusinessError
from savings.choices import EntryKind, GainStage
from savings.models import LedgerEntry, PriceLine, YearLock
from savings.models.ledger import cents_of
from savings.rules.amounts import AMOUNTS
from savings.rules.budget_years import MONTHS_PER_YEAR, full_term, months_by_year, split_by_year

#: What is split over the years; each gain is then a difference, so that every entry adds up by itself.
SPLIT = ("baseline_budget", "baseline_purchase", "obtained")


def compute(line: PriceLine) -> None:
    """Set the five amounts of ``line`` (and its volume effect when realised); None when a price is unknown.

    Raises BusinessError for an amount larger than the ledger holds, or a figure with more digits than its column.
    """
    compute_all([line])


def compute_all(lines: Sequence[PriceLine]) -> None:
    """The same for many lines at once: a table of one line costs as much as a table of a thousand."""
    import pandas as pd  # a second and 95 MB to load: only where lines are computed

    from savings.rules.gains import INPUTS, gain_lines
    from savings.rules.rates import price_and_volume

    if not lines:
        return
    frame = pd.DataFrame({name: pd.Series([getattr(line, name) for line in lines], dtype=object) for name in INPUTS})
    try:
        computed = gain_lines(frame)[list(AMOUNTS)].itertuples(index=False)
    except ValueError as error:
        raise BusinessError(str(error), field="price_obtained") from error
    for line, amounts in zip(lines, computed, strict=True):
        for name, amount in zip(AMOUNTS, amounts, strict=True):
            setattr(line, name, amount if line.is_measured else None)
        line.volume_effect = None
        if line.stage == GainStage.REALISED and line.is_measured:
            _, line.volume_effect = price_and_volume(
                price_before=line.price_before,
                forecast=line.baseline.quantity,
                price_obtained=line.price_obtained,
                actual=line.quantity,
            )


def parts_by_year(line: PriceLine) -> dict[int, tuple[int, dict[str, Decimal]]]:
    """Budget year → (months, amounts in € excl. tax) of a complete line.

    A realised line is of its year, a one-off of the year it takes effect; a recurrent one spreads its twelve months
    over its whole duration. Over the years the parts add up to the full term, to the cent.
    """
    if line.stage == GainStage.REALISED:
        return {line.year: (MONTHS_PER_YEAR, {name: getattr(line, name) for name in SPLIT})}
    if line.is_one_off:
        return {line.starts_on.year: (line.months, {name: getattr(line, name) for name in SPLIT})}
    months = months_by_year(line.starts_on, line.months)
    parts = {
        name: split_by_year(full_term(getattr(line, name), line.months), line.starts_on, line.months) for name in SPLIT
    }
    return {year: (count, {name: parts[name][year] for name in SPLIT}) for year, count in months.items()}


def post(line: PriceLine) -> list[LedgerEntry]:
    """Write the entries of a line just validated; those of the line it corrects are reversed in the same years, or in
    the first one still open. The caller holds the territory's lock and the transaction."""
    locked = locked_years(line.baseline.membership.grouping.territory_id)
    entries = []
    if line.corrects_id is not None:
        for posted in line.corrects.entries.filter(kind=EntryKind.POSTED):
            entries.append(_reversal(posted, locked))
    for origin_year, (months, amounts) in parts_by_year(line).items():
        entries.append(_entry(line, origin_year, months, amounts, locked))
    return LedgerEntry.objects.bulk_create(entries)


def locked_years(territory_id: int) -> set[int]:
    return set(YearLock.objects.filter(territory_id=territory_id).values_list("year", flat=True))


def first_open(year: int, locked: Iterable[int]) -> int:
    """``year``, or the first after it that is not locked."""
    while year in locked:
        year += 1
    return year


def family_of(line: PriceLine) -> str:
    """The CPV division of the lot, else of its grouping: two digits."""
    lot = line.baseline.lot
    return (lot.cpv or lot.grouping.cpv)[:2]


def _entry(
    line: PriceLine, origin_year: int, months: int, amounts: dict[str, Decimal], locked: set[int]
) -> LedgerEntry:
    baseline, membership = line.baseline, line.baseline.membership
    cents = {f"{name}_cents": cents_of(amount) for name, amount in amounts.items()}
    return LedgerEntry(
        line=line,
        kind=EntryKind.POSTED,
        territory_id=membership.grouping.territory_id,
        grouping_id=membership.grouping_id,
        lot_id=baseline.lot_id,
        membership_id=membership.pk,
        organisation_id=membership.organisation_id,
        family=family_of(line),
        stage=line.stage,
        grade=baseline.grade,
        is_one_off=line.is_one_off,
        year=first_open(origin_year, locked),
        origin_year=origin_year,
        months=months,
        **cents,
        budget_gain_cents=cents["baseline_budget_cents"] - cents["obtained_cents"],
        purchase_gain_cents=cents["baseline_purchase_cents"] - cents["obtained_cents"],
    )


def _reversal(posted: LedgerEntry, locked: set[int]) -> LedgerEntry:
    same = {
        field.attname: getattr(posted, field.attname)
        for field in LedgerEntry._meta.concrete_fields
        if field.name not in ("id", "posted_at")
    }
    negative = {name: -value for name, value in same.items() if name.endswith("_cents")}
    return LedgerEntry(**same | negative | {"kind": EntryKind.REVERSED, "year": first_open(posted.year, locked)})
