"""The bounded share of ``make bench-savings`` that CI runs: 20,000 lines, three ways, the same cents."""

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from django.db import connection

from savings.choices import GainStage, LineStatus
from savings.frames import lines_frame
from savings.ledger import AMOUNTS, totals, totals_by
from savings.models import Baseline, LedgerEntry, PriceLine
from savings.models.ledger import cents_of
from savings.rules.gains import gain_lines, summary
from tests.benchmarks.bench_savings import SQL
from tests.support.factories import make_grouping, make_lot, make_membership, make_metropole, make_organisation
from tests.support.savings import make_baseline, make_line

LINES = 20_000


@pytest.fixture
def drawn(db):
    """One line in fifty waits for its price; the others are validated and posted. Copies of one row of the models."""
    metropole = make_metropole()
    bodies = [metropole, *(make_organisation(parent=metropole) for _ in range(6))]
    members = [make_membership(grouping, body) for grouping in map(make_grouping, [metropole] * 3) for body in bodies]
    lots = {member.grouping_id: make_lot(member.grouping, 1) for member in members[:: len(bodies)]}
    seed = make_line(make_baseline(members[0], lots[members[0].grouping_id], index_factor="1.03"))
    entry = seed.entries.get()
    baselines, lines, entries = [], [], []
    for number in range(1, LINES):
        member, pk = members[number * 7 % len(members)], seed.pk + number
        values = drawn_values(number)
        lot, is_known = lots[member.grouping_id], number % 50 != 0
        baselines.append(
            copy(
                seed.baseline,
                pk=seed.baseline_id + number,
                lot_id=lot.pk,
                membership_id=member.pk,
                designation=str(number),
                **{name: values[name] for name in ("quantity", "price_before", "index_factor")},
            )
        )
        computed = exact(**values)
        validated = computed if is_known else dict.fromkeys(AMOUNTS)
        if not is_known:
            values |= {"price_obtained": None}
        status = LineStatus.VALIDATED if is_known else LineStatus.DRAFT
        lines.append(
            copy(
                seed,
                pk=pk,
                baseline_id=seed.baseline_id + number,
                status=status,
                starts_on=date(2025 + number % 3, 1, 1),
                **values,
                **validated,
            )
        )
        if is_known:
            posted = {f"{name}_cents": cents_of(computed[name]) for name in AMOUNTS}
            keys = {"grouping_id": member.grouping_id, "organisation_id": member.organisation_id}
            years = {"year": 2025 + number % 3, "origin_year": 2025 + number % 3}
            own = {"pk": entry.pk + number, "line_id": pk, "lot_id": lot.pk, "membership_id": member.pk}
            entries.append(copy(entry, **own, **keys, **years, **posted))
    Baseline.objects.bulk_create(baselines)
    PriceLine.objects.bulk_create(lines)
    LedgerEntry.objects.bulk_create(entries)


def drawn_values(number: int) -> dict[str, Decimal]:
    """Quantities to 5,000.000, prices to 900.000000 by the millionth, indexes of 1 to 1.08."""
    return {
        "quantity": Decimal(number * 7919 % 5_000_000 + 1000).scaleb(-3),
        "price_before": Decimal(number * 104_729 % 900_000_000 + 1000).scaleb(-6),
        "index_factor": Decimal(100_000_000 + number * 31 % 8_000_000).scaleb(-8),
        "price_obtained": Decimal(number * 1_299_709 % 900_000_000 + 1000).scaleb(-6),
    }


def copy(row, **changes):
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "id"}
    return type(row)(**fields | changes)


def exact(*, quantity, price_before, index_factor, price_obtained) -> dict[str, Decimal]:
    """The five amounts by Python's decimals alone, with digits to spare."""
    with localcontext(prec=60):
        budget, purchase, obtained = (
            product.quantize(Decimal("0.01"), ROUND_HALF_UP)
            for product in (
                quantity * price_before,
                quantity * price_before * index_factor,
                quantity * price_obtained,
            )
        )
    return dict(zip(AMOUNTS, (budget, purchase, obtained, budget - obtained, purchase - obtained), strict=True))


def by_the_database() -> dict[tuple, tuple]:
    """PostgreSQL adds in its numeric; SQLite has only floats: its rows are added here, one by one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(SQL)
            return {(row[0], row[1], int(row[2])): row[3:] for row in cursor.fetchall()}
    found = defaultdict(lambda: [0, *[Decimal(0)] * len(AMOUNTS)])
    membership = "baseline__membership__"
    inputs = ("quantity", "price_before", "index_factor", "price_obtained")
    rows = PriceLine.objects.validated().values_list(
        f"{membership}grouping_id", f"{membership}organisation_id", "starts_on", *inputs
    )
    for grouping, member, starts_on, *values in rows.order_by():
        amounts = exact(**dict(zip(inputs, values, strict=True)))
        sums = found[grouping, member, starts_on.year]
        sums[:] = [sums[0] + 1, *(sums[place] + amount for place, amount in enumerate(amounts.values(), start=1))]
    return {key: tuple(sums) for key, sums in found.items()}


@pytest.mark.slow
def test_the_ledger_the_engine_and_the_database_say_the_same_cents(drawn):
    """By grouping, member and year, every line, amount and gain; and coverage counts the lines that wait."""
    wanted = by_the_database()
    ledger = {
        key: (row.lines, *(getattr(row, name) for name in AMOUNTS))
        for key, row in totals_by(
            LedgerEntry.objects.filter(stage=GainStage.AWARDED), "grouping", "organisation", "year"
        )
    }
    assert ledger == wanted
    every = gain_lines(lines_frame(PriceLine.objects.order_by(), ["grouping", "member", "year"]))
    by_all = summary(every, ["grouping", "member", "year"])
    engine = {
        tuple(map(int, row[:3])): tuple(row[3:])
        for row in by_all[["grouping", "member", "year", "measured", *AMOUNTS]].itertuples(index=False)
    }
    assert engine == wanted
    (total,), whole = summary(every).to_dict("records"), totals(LedgerEntry.objects.all())
    assert {name: total[name] for name in AMOUNTS} == {name: getattr(whole, name) for name in AMOUNTS}
    assert (total["budget_rate"], total["purchase_rate"]) == (whole.budget_rate, whole.purchase_rate)
    assert (total["lines"], total["measured"]) == (LINES, LINES - (LINES - 1) // 50)
