"""The engine: what each line gained, and what lines add up to. Whole numbers in columns: no float, no database.

Two readings of one line (domain.md §6.2): the budget gain compares with the price paid before, the purchase gain with
that price indexed. A gain is the difference of two amounts already rounded to the cent, and never the rounding of an
exact difference: whoever adds up what is printed finds what is printed.

A quantity has three decimals, a price six and an index eight: each column is read as whole numbers of its last decimal,
multiplied whole, and rounded once per line, half up, to the cent.
"""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from savings.rules.amounts import AMOUNTS
from savings.rules.rates import rate

INPUTS = ("quantity", "price_before", "index_factor", "price_obtained")
#: What each column of the ledger holds after the comma; more is refused, never rounded in silence.
DECIMALS = {"quantity": 3, "price_before": 6, "index_factor": 8, "price_obtained": 6}
#: 99 999 999 999 999.99 €, what an amount of the ledger holds, in cents.
LARGEST_CENTS = 10**16 - 1
_DIGITS = 18  # what a signed whole number of 64 bits always holds
_CENTS = pa.decimal128(_DIGITS, 2)

# Whole numbers of 64 bits go up to 9.22e18. Below these limits no step of a product leaves them; beyond (an amount over
# nine billion euros, an index over ten), Python's own whole numbers do the same, slower.
_LARGEST_PRODUCT = 9 * 10**18
_LARGEST_INDEX = 10**9
_LIMB = 10**9


def gain_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of ``frame`` with what each line gained: its other columns, its order and its index are kept.

    ``frame``: columns ``quantity`` (up to 3 decimals), ``price_before`` and ``price_obtained`` (€ excl. tax per unit,
    up to 6 decimals), ``index_factor`` (1 without index, up to 8), as Decimal, int or Arrow decimals; an unknown one is
    None, NaN or NA. Adds ``baseline_budget``, ``baseline_purchase``, ``obtained``, ``budget_gain``, ``purchase_gain``
    (€ excl. tax, Arrow decimals exact to the cent, each product rounded half up): an amount one of whose factors is
    unknown is missing, never zero. A gain is the difference of two rounded amounts.

    Raises KeyError for a missing column, TypeError for a float, ValueError for more decimals than the column holds, for
    a number of more than 18 digits and for an amount beyond 99 999 999 999 999.99 €, each with a French sentence.
    """
    quantity, before, index, obtained = (_whole_numbers(frame, name) for name in INPUTS)
    budget = _times(quantity, before)
    amounts = {
        "baseline_budget": _cents(quantity, before, product=budget),
        "baseline_purchase": _cents(quantity, before, index, product=budget),
        "obtained": _cents(quantity, obtained, product=_times(quantity, obtained)),
    }
    amounts["budget_gain"] = _minus(amounts["baseline_budget"], amounts["obtained"])
    amounts["purchase_gain"] = _minus(amounts["baseline_purchase"], amounts["obtained"])
    return frame.assign(**{name: _column(*amounts[name], frame.index) for name in AMOUNTS})


def summary(frame: pd.DataFrame, by: list[str] | None = None) -> pd.DataFrame:
    """The sums of lines and their weighted rates, one row per group of ``by``, sorted; one row in all without.

    ``frame``: what ``gain_lines`` returns. Columns: those of ``by`` (an unknown key is a group of its own, the last),
    ``lines`` (all of them), ``measured`` (those whose gains are known), the five amounts (Decimal, € excl. tax, over
    measured lines only: a base without its price obtained would weigh on the rate), ``budget_rate`` and
    ``purchase_rate`` (Decimal, %, two decimals, gain over base, never a mean of rates; None on a zero base).
    Raises KeyError for a missing column, TypeError for amounts in float.
    """
    keys = list(by or [])
    columns = {name: _amount(frame, name) for name in AMOUNTS}
    known = np.logical_and.reduce([mask for _, mask in columns.values()])
    table = frame[keys].copy()
    table["lines"], table["measured"] = 1, known.astype("int64")
    for name, (cents, _) in columns.items():
        table[name] = _addable(np.where(known, cents, 0))
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


#: Whole numbers of 64 bits, and where they are known; zero where they are not.
Known = tuple[np.ndarray, np.ndarray]


def _whole_numbers(frame: pd.DataFrame, name: str) -> Known:
    """The column in units of its last decimal: 4.80 € is 4 800 000 millionths."""
    return _read(frame[name], name, DECIMALS[name])


def _amount(frame: pd.DataFrame, name: str) -> Known:
    """Amounts in whole cents."""
    return _read(frame[name], name, 2)


def _read(column: pd.Series, name: str, places: int) -> Known:
    wanted = pa.decimal128(_DIGITS, places)
    try:
        if isinstance(column.dtype, pd.ArrowDtype):
            found = column.dtype.pyarrow_dtype
            if not (pa.types.is_decimal(found) or pa.types.is_integer(found) or pa.types.is_null(found)):
                raise TypeError(f"{name}\u00a0: Decimal attendu, reçu {found}.")
            values = pa.chunked_array(column.array.__arrow_array__())
            if pa.types.is_integer(found):
                values = pc.cast(values, pa.decimal128(20, 0))
            values = pc.cast(values, wanted)
        else:
            values = pa.chunked_array([pa.array(_decimals(column, name), wanted)])
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"{name}\u00a0: {places} décimales et {_DIGITS - places} chiffres avant la virgule au plus."
        ) from error
    return _view(values)


def _decimals(column: pd.Series, name: str) -> list[Decimal | None]:
    if pd.api.types.is_float_dtype(column.dtype) and column.notna().any():
        raise TypeError(f"{name}\u00a0: Decimal attendu, reçu float.")
    return [_decimal(value, name) for value in column]


def _decimal(value: object, name: str) -> Decimal | None:
    if isinstance(value, Decimal):
        if value.is_infinite():
            raise ValueError(f"{name}\u00a0: une valeur n’est pas un nombre.")
        return None if value.is_nan() else value
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return Decimal(int(value))
    raise TypeError(f"{name}\u00a0: Decimal attendu, reçu {type(value).__name__}.")


def _view(values: pa.ChunkedArray) -> Known:
    """The whole numbers behind a decimal of at most 18 digits: of its 128 bits, the lower 64 say everything."""
    numbers, known = np.zeros(len(values), np.int64), np.ones(len(values), bool)
    start = 0
    for chunk in values.chunks:
        end = start + len(chunk)
        if len(chunk):
            words = np.frombuffer(chunk.buffers()[1], np.int64)
            numbers[start:end] = words[2 * chunk.offset : 2 * (chunk.offset + len(chunk)) : 2]
        if chunk.null_count:
            known[start:end] = pc.is_valid(chunk).to_numpy(zero_copy_only=False)
        start = end
    numbers[~known] = 0
    return numbers, known


def _times(left: Known, right: Known) -> np.ndarray:
    """The product where it is surely below the limit, else -1 in its place: a product is taken of absolute values."""
    left_size, right_size = np.abs(left[0]), np.abs(right[0])
    fits = right_size <= _LARGEST_PRODUCT // np.maximum(left_size, 1)
    return np.where(fits, left_size * np.where(fits, right_size, 0), -1)


def _cents(quantity: Known, price: Known, index: Known | None = None, *, product: np.ndarray) -> Known:
    """quantity × price (× index) in whole cents, half up: halves away from zero. ``product``: see ``_times``."""
    known = quantity[1] & price[1]
    sign = np.sign(quantity[0]) * np.sign(price[0])
    places = DECIMALS["quantity"] + DECIMALS["price_before"] - 2
    if index is None:
        is_fast, unit = product >= 0, 10**places
        cents = (product + unit // 2) // unit
    else:
        known &= index[1]
        sign *= np.sign(index[0])
        places += DECIMALS["index_factor"]
        factor = np.abs(index[0])
        is_fast = (product >= 0) & (factor <= _LARGEST_INDEX)
        # product = high × 1e9 + low: what low × factor has below 1e9 is too small to reach the half of a cent, 5e14.
        high, low = np.divmod(np.where(is_fast, product, 0), _LIMB)
        factor = np.where(is_fast, factor, 0)
        unit = 10**places // _LIMB
        cents = (high * factor + low * factor // _LIMB + unit // 2) // unit
    for place in np.flatnonzero(known & ~is_fast):
        whole = abs(int(quantity[0][place]) * int(price[0][place]) * (1 if index is None else int(index[0][place])))
        cents[place] = min((whole + 10**places // 2) // 10**places, LARGEST_CENTS + 1)
    cents[~known] = 0
    if cents.max(initial=0) > LARGEST_CENTS:
        raise ValueError("Un montant dépasse 99\u202f999\u202f999\u202f999\u202f999,99\u00a0€.")
    return cents * sign, known


def _minus(base: Known, obtained: Known) -> Known:
    known = base[1] & obtained[1]
    return np.where(known, base[0] - obtained[0], 0), known


def _column(cents: np.ndarray, known: np.ndarray, index: pd.Index) -> pd.Series:
    """Whole cents as a column of Arrow decimals, without making one object per line."""
    words = np.empty((len(cents), 2), np.int64)
    words[:, 0], words[:, 1] = cents, cents >> 63
    validity = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    values = pa.Array.from_buffers(_CENTS, len(cents), [validity, pa.py_buffer(words)])
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([values])), index=index)


def _addable(cents: np.ndarray) -> np.ndarray:
    """The same, as Python's whole numbers should their sum not surely hold in 64 bits."""
    largest = int(np.abs(cents).max(initial=0))
    return cents if largest * len(cents) < 2**63 else cents.astype(object)


def _euros(cents: int) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)
