"""The engine: what each line gained, and what lines add up to. Exact decimals in columns, no float, no database.

Two readings of one line (domain.md §6.2): the budget gain compares with the price paid before, the purchase gain with
that price indexed. A unit price has up to six decimals, an index eight, a quantity three: products are computed whole
and rounded once per line, half up, to the cent.
"""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from savings.rules.rates import rate

INPUTS = ("quantity", "price_before", "index_factor", "price_obtained")
AMOUNTS = ("baseline_budget", "baseline_purchase", "obtained", "budget_gain", "purchase_gain")
#: Sixteen digits, eight of them decimals: a product of three holds in the 76 digits of a decimal256, and stays exact.
_FACTOR = pa.decimal256(24, 8)
_CENTS = pa.decimal128(28, 2)
_CENTS_DTYPE = pd.ArrowDtype(_CENTS)


def gain_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of ``frame`` with what each line gained.

    ``frame``: columns ``quantity``, ``price_before`` and ``price_obtained`` (€ excl. tax per unit), ``index_factor``
    (1 without index), as Decimal or Arrow decimals; an unknown one is None. Adds ``baseline_budget``,
    ``baseline_purchase``, ``obtained``, ``budget_gain``, ``purchase_gain`` (€ excl. tax, exact to the cent, each line
    rounded half up): an amount whose price is unknown is missing, never zero. A gain is the difference of two rounded
    amounts, so that what is printed adds up. Raises KeyError for a missing column, TypeError for a float.
    """
    quantity, before, index, obtained = (_factors(frame, name) for name in INPUTS)
    baseline = pc.multiply(quantity, before)
    amounts = {
        "baseline_budget": _to_cents(baseline),
        "baseline_purchase": _to_cents(pc.multiply(baseline, index)),
        "obtained": _to_cents(pc.multiply(quantity, obtained)),
    }
    amounts["budget_gain"] = _minus(amounts["baseline_budget"], amounts["obtained"])
    amounts["purchase_gain"] = _minus(amounts["baseline_purchase"], amounts["obtained"])
    return frame.assign(**{name: _column(amounts[name], frame.index) for name in AMOUNTS})


def summary(frame: pd.DataFrame, by: list[str] | None = None) -> pd.DataFrame:
    """The sums of lines and their weighted rates, one row per group of ``by``; one row in all without.

    ``frame``: what ``gain_lines`` returns. Columns: those of ``by``, ``lines`` (all of them), ``measured`` (those whose
    gain is known), the five amounts (€ excl. tax, over measured lines only: a base without its price obtained would
    weigh on the rate), ``budget_rate`` and ``purchase_rate`` (%, two decimals, gain over base; None on a zero base).
    """
    keys = list(by or [])
    known = _is_known(frame)
    table = frame[keys].copy()
    table["lines"], table["measured"] = 1, known.astype("int64")
    for name in AMOUNTS:
        table[name] = _cents_where(frame[name], known)
    sums = ["lines", "measured", *AMOUNTS]
    if keys:
        totals = table.groupby(keys, sort=True, dropna=False, observed=True)[sums].sum().reset_index()
    else:
        totals = pd.DataFrame({name: [table[name].sum()] for name in sums})
    for name in AMOUNTS:
        totals[name] = pd.Series([_euros(cents) for cents in totals[name]], index=totals.index, dtype=object)
    for reading in ("budget", "purchase"):
        pairs = zip(totals[f"{reading}_gain"], totals[f"baseline_{reading}"], strict=True)
        totals[f"{reading}_rate"] = pd.Series([rate(*pair) for pair in pairs], index=totals.index, dtype=object)
    return totals


def _factors(frame: pd.DataFrame, name: str) -> pa.Array:
    column = frame[name]
    if isinstance(column.dtype, pd.ArrowDtype):
        return pc.cast(pa.chunked_array(column.array.__arrow_array__()), _FACTOR)
    if pd.api.types.is_float_dtype(column.dtype) and column.notna().any():
        raise TypeError(f"{name}\u00a0: Decimal attendu, reçu float.")
    return pa.chunked_array([pa.array(_decimals(column, name), _FACTOR)])


def _decimals(column: Iterable, name: str) -> list[Decimal | None]:
    values = []
    for value in column:
        if isinstance(value, Decimal) and value.is_finite():
            values.append(value)
        elif isinstance(value, Decimal) or pd.isna(value):
            values.append(None)
        elif isinstance(value, int) and not isinstance(value, bool):
            values.append(Decimal(value))
        else:
            raise TypeError(f"{name}\u00a0: Decimal attendu, reçu {type(value).__name__}.")
    return values


def _to_cents(product: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.round(product, 2, "half_towards_infinity"), _CENTS)


def _minus(base: pa.ChunkedArray, obtained: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.subtract(base, obtained), _CENTS)


def _column(values: pa.ChunkedArray, index: pd.Index) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(values), index=index)


def _is_known(frame: pd.DataFrame) -> pd.Series:
    return frame["baseline_budget"].notna() & frame["obtained"].notna()


def _cents_where(amounts: pd.Series, known: pd.Series) -> np.ndarray:
    """Whole cents as int64, zero where the line is not measured: sums of integers are exact, and fast."""
    column = amounts if isinstance(amounts.dtype, pd.ArrowDtype) else amounts.astype(_CENTS_DTYPE)
    values = pc.cast(pa.chunked_array(column.array.__arrow_array__()), pa.decimal128(18, 2))
    cents = pc.cast(pc.multiply(values, pa.scalar(Decimal(100), pa.decimal128(3, 0))), pa.int64())
    return pc.if_else(pa.array(known), pc.fill_null(cents, 0), 0).to_numpy()


def _euros(cents: int) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)
