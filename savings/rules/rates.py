"""Rates of gain, and what a change of spend owes to the price and to the volume."""

from decimal import Decimal

from procurement.core.money import round_half_up


def rate(gain: Decimal, base: Decimal) -> Decimal | None:
    """``gain`` over ``base`` (€), in % with two decimals, half up; None on a zero base. The only rate of the product:
    always of sums, never a mean of rates."""
    return None if base == 0 else round_half_up(gain * 100 / base)


def price_and_volume(
    *, price_before: Decimal, forecast: Decimal, price_obtained: Decimal, actual: Decimal
) -> tuple[Decimal, Decimal]:
    """(price effect, volume effect) in € excl. tax, to the cent: what the spend saved by its price on ``actual`` units,
    and what it saved by buying fewer than ``forecast`` (domain.md §6.2, 8). The first is the gain, the second never.

    Both are differences of rounded amounts, so that together they are the change of the spend, to the cent. Prices are
    € excl. tax per unit. Raises TypeError for a float.
    """
    reference = round_half_up(price_before * actual)
    return reference - round_half_up(price_obtained * actual), round_half_up(price_before * forecast) - reference
