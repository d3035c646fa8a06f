"""What holds of any table: the engine says what Python's fractions say, and any partition adds back to the total."""

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from savings.rules.gains import AMOUNTS, DECIMALS, INPUTS, gain_lines, summary

KEYS = ("member", "lot", "year")


def decimals(places: int, largest: int, smallest: int = 0) -> st.SearchStrategy[Decimal]:
    return st.integers(smallest * 10**places, largest * 10**places).map(lambda whole: Decimal(whole).scaleb(-places))


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(values, values, values, st.none())


#: Ordinary lines, and at times a lump sum of billions or an index of hundreds: every path of the engine.
QUANTITIES = st.one_of(decimals(3, 10_000), decimals(3, 90_000_000), st.just(Decimal(1)))
PRICES = st.one_of(decimals(6, 1000), decimals(6, 999_999), decimals(2, 50), decimals(6, 10, -10))
INDEXES = st.one_of(st.just(Decimal(1)), decimals(8, 2), decimals(8, 900))
ROWS = st.tuples(
    st.sampled_from(["Ville A", "Ville B", "CCAS", None]),
    st.integers(1, 3),
    st.integers(2025, 2028),
    maybe(QUANTITIES),
    maybe(PRICES),
    maybe(INDEXES),
    maybe(PRICES),
)
TABLES = st.lists(ROWS, max_size=12)


def frame_of(rows, *, as_arrow: bool = False) -> pd.DataFrame:
    columns = dict(zip((*KEYS, *INPUTS), zip(*rows, strict=True) if rows else [()] * 7, strict=True))
    frame = pd.DataFrame({name: pd.Series(list(columns[name]), dtype=object) for name in columns})
    if as_arrow:
        for name in INPUTS:
            values = pa.array(list(columns[name]), pa.decimal128(20, DECIMALS[name]))
            frame[name] = pd.arrays.ArrowExtensionArray(pa.chunked_array([values]))
    return frame


def half_up(value: Fraction) -> int:
    """Whole cents, halves away from zero."""
    doubled = abs(value) * 200 + 1
    cents = doubled.numerator // (2 * doubled.denominator)
    return -cents if value < 0 else cents


def by_hand(row) -> list[int | None]:
    """The five amounts in cents, without the engine, without Decimal's context: fractions, one line at a time."""
    quantity, before, index, obtained = (None if value is None else Fraction(value) for value in row[3:])

    def product(*factors):
        if None in factors:
            return None
        result = Fraction(1)
        for factor in factors:
            result *= factor
        return half_up(result)

    budget, purchase, paid = product(quantity, before), product(quantity, before, index), product(quantity, obtained)
    gains = [None if None in (base, paid) else base - paid for base in (budget, purchase)]
    return [budget, purchase, paid, *gains]


def sums_by_hand(rows) -> list[int]:
    measured = [amounts for amounts in map(by_hand, rows) if None not in amounts]
    return [sum(amounts[place] for amounts in measured) for place in range(len(AMOUNTS))]


def in_cents(values) -> list[int | None]:
    return [None if pd.isna(value) else int(value.scaleb(2)) for value in values]


@given(TABLES, st.booleans())
@example([("CCAS", 1, 2026, Decimal("90000000"), Decimal("999999"), Decimal("1.1"), Decimal(-10))], True)
@example([("CCAS", 1, 2026, Decimal("0.001"), Decimal("5"), Decimal("1"), Decimal("4.999999"))], False)
@settings(max_examples=300, deadline=None)
def test_the_engine_says_what_fractions_say(rows, as_arrow):
    wanted = [by_hand(row) for row in rows]
    if any(amount is not None and abs(amount) > 10**16 - 1 for amounts in wanted for amount in amounts[:3]):
        with pytest.raises(ValueError, match="Un montant dépasse"):
            gain_lines(frame_of(rows, as_arrow=as_arrow))
        return
    lines = gain_lines(frame_of(rows, as_arrow=as_arrow))
    assert [in_cents(row) for row in lines[list(AMOUNTS)].itertuples(index=False)] == wanted


ORDINARY = st.lists(
    st.tuples(
        st.sampled_from(["Ville A", "Ville B", "CCAS", None]),
        st.integers(1, 3),
        st.integers(2025, 2028),
        maybe(decimals(3, 10_000)),
        maybe(decimals(6, 1000)),
        decimals(8, 2),
        maybe(decimals(6, 1000)),
    ),
    min_size=1,
    max_size=15,
)


@given(ORDINARY, st.permutations(KEYS), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_any_partition_adds_back_to_the_total(rows, keys, count):
    """By one, two or three of member, lot and year, in any order: the same total, and the same number of lines."""
    lines = gain_lines(frame_of(rows))
    parts, (total,) = summary(lines, list(keys[:count])), summary(lines).to_dict("records")
    assert in_cents(total[name] for name in AMOUNTS) == sums_by_hand(rows)
    for name in ("lines", "measured", *AMOUNTS):
        assert sum(parts[name], Decimal(0)) == total[name]
    assert total["lines"] == len(rows)


@given(ORDINARY, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_lines_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    for by in (None, ["member"], ["lot", "year"]):
        pd.testing.assert_frame_equal(
            summary(gain_lines(frame_of(shuffled)), by), summary(gain_lines(frame_of(rows)), by)
        )


@given(ORDINARY)
@settings(max_examples=100, deadline=None)
def test_each_rate_is_that_of_its_own_sums(rows):
    """Weighted: 100 × gain over base, half up, of the sums of the row; nothing on a zero base."""
    for by in (None, ["member"]):
        for row in summary(gain_lines(frame_of(rows)), by).to_dict("records"):
            for reading in ("budget", "purchase"):
                gain, base = row[f"{reading}_gain"], row[f"baseline_{reading}"]
                wanted = None if base == 0 else half_up(Fraction(gain) * 100 / Fraction(base))
                assert in_cents([row[f"{reading}_rate"]]) == [wanted]
