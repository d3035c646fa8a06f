"""Euros, exact to the cent: one rounding, one splitter, one formatter, one parser.

Every amount of the product is a ``Decimal`` in euros excluding tax. Nothing here ever builds a float.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
NARROW_SPACE = "\u202f"  # between thousands, as the Imprimerie nationale sets figures
NO_BREAK_SPACE = "\u00a0"  # before the euro sign

#: Twelve digits before the comma: beyond any public contract, and exact in a spreadsheet's double.
LARGEST_AMOUNT = Decimal("999999999999.99")

_SPACES = re.compile(r"[ \u00a0\u202f\u2009\t]")
_PLAIN = re.compile(r"-?\d+(?:[.,]\d{1,2})?")
# Grouped thousands name one mark for the groups and another for the cents: 1 234,56 · 1.234,56 · 1,234.56
_GROUPED = (
    re.compile(r"-?\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?"),
    re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d{1,2}"),
    re.compile(r"-?\d{1,3}(?:\.\d{3}){2,}"),
    re.compile(r"-?\d{1,3}(?:,\d{3})+\.\d{1,2}"),
    re.compile(r"-?\d{1,3}(?:,\d{3}){2,}"),
)


def round_half_up(value: Decimal) -> Decimal:
    """Round ``value`` (€) to the cent, halves away from zero: 2.665 gives 2.67, -2.665 gives -2.67.

    The only rounding of the product; django-money's own is half-even.
    Raises TypeError for a float: a float has already lost the cents this function is asked to keep.
    """
    if not isinstance(value, Decimal):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"Decimal attendu, reçu {type(value).__name__}.")
        value = Decimal(value)
    if not value.is_finite():
        raise ValueError("Le montant n’est pas un nombre.")
    return value.quantize(CENT, rounding=ROUND_HALF_UP) + ZERO  # + 0 turns -0.00 into 0.00


def split_exactly(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split ``total`` (€) in proportion to ``weights``, by largest remainder, to the cent.

    Returns one amount per weight, in the same order; their sum is exactly ``total``, negative totals included.
    Cents left over go to the largest remainders, ties to the first. A zero weight receives nothing.
    Raises ValueError when there is no weight, when all are zero, when one is negative, or when ``total``
    holds a fraction of a cent; TypeError for a float.
    """
    cents = _cents(total)
    if any(isinstance(weight, float) for weight in weights):
        raise TypeError("Decimal attendu, reçu float.")
    if not all(Decimal(weight).is_finite() for weight in weights):
        raise ValueError("Une clé de répartition n’est pas un nombre.")
    fractions = [Fraction(weight) for weight in weights]
    if any(weight < 0 for weight in fractions):
        raise ValueError("Une clé de répartition ne peut pas être négative.")
    whole = sum(fractions)
    if whole == 0:
        raise ValueError("La répartition demande au moins une clé supérieure à zéro.")
    sign, cents = (-1, -cents) if cents < 0 else (1, cents)
    exact = [cents * weight / whole for weight in fractions]
    shares = [part.numerator // part.denominator for part in exact]
    # sorted() is stable: among equal remainders the first in the list comes first.
    by_remainder = sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[: cents - sum(shares)]:
        shares[i] += 1
    return [(Decimal(sign * share) * CENT).quantize(CENT) + ZERO for share in shares]


def _cents(total: Decimal) -> int:
    rounded = round_half_up(total)
    if rounded != total:
        raise ValueError("Le montant à répartir doit être exact au centime.")
    return int(rounded.scaleb(2))


def parse_euros(text: str) -> Decimal:
    """Read an amount as a French user types it: ``1 234,56 €``, ``1234,56``, ``1234.56``, ``1.234,56``.

    No-break and narrow spaces are accepted between thousands. Returns a Decimal with two decimals.
    Raises ValueError, with the French sentence to show, for anything ambiguous (``1.234`` and ``12,345`` may be
    thousands or decimals), for more than two decimals, and for what is not an amount.
    """
    if not isinstance(text, str):
        raise ValueError("Saisissez un montant, par exemple 1 234,56.")
    cleaned = _SPACES.sub(" ", text.strip()).replace("\u2212", "-")
    cleaned = re.sub(r" ?(?:€|EUR|euros?)(?: ?HT)?$", "", cleaned, flags=re.IGNORECASE).strip()
    if not cleaned.isascii():
        raise ValueError(f"«\u00a0{text}\u00a0» n’est pas un montant\u00a0: saisissez par exemple 1 234,56.")
    if re.fullmatch(r"-?[1-9]\d{0,2}[.,]\d{3}", cleaned):
        raise ValueError(
            f"«\u00a0{text}\u00a0» est ambigu\u00a0: écrivez {cleaned.replace('.', '').replace(',', '')} "
            "pour des milliers, ou deux décimales au plus pour des centimes."
        )
    if re.fullmatch(r"-?\d+[.,]\d{3,}", cleaned):
        raise ValueError(f"«\u00a0{text}\u00a0» a plus de deux décimales\u00a0: un montant s’arrête au centime.")
    if _PLAIN.fullmatch(cleaned):
        value = Decimal(cleaned.replace(",", "."))
    elif any(pattern.fullmatch(cleaned) for pattern in _GROUPED):
        cents = re.search(r"[.,](\d{1,2})$", cleaned)
        digits = re.sub(r"[ .,]", "", cleaned[: cents.start()] if cents else cleaned)
        value = Decimal(f"{digits}.{cents.group(1)}" if cents else digits)
    else:
        raise ValueError(f"«\u00a0{text}\u00a0» n’est pas un montant\u00a0: saisissez par exemple 1 234,56.")
    if abs(value) > LARGEST_AMOUNT:
        raise ValueError(f"«\u00a0{text}\u00a0» dépasse le plus grand montant possible.")
    return value.quantize(CENT) + ZERO


def format_euros(value: Decimal) -> str:
    """Write an amount for a French reader: ``1 234,56 €``, U+202F between thousands, U+00A0 before €."""
    rounded = round_half_up(value)
    whole, cents = f"{abs(rounded):,f}".split(".")
    sign = "-" if rounded < 0 else ""
    return f"{sign}{whole.replace(',', NARROW_SPACE)},{cents}{NO_BREAK_SPACE}€"


def format_number(value: Decimal, places: int = 0) -> str:
    """Write a quantity or a unit price: ``1 500,5``, every decimal it holds and ``places`` at least, no other zero."""
    decimals = max(places, -value.normalize().as_tuple().exponent)
    return f"{value:,.{decimals}f}".replace(",", NARROW_SPACE).replace(".", ",")
