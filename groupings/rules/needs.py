"""What one member says of one lot: units and euros, either may be unknown, neither is ever silently zero.

Amounts are € excl. tax. A need is yearly (``yearly_amount``), or over the whole duration (``total_amount``) for a
purchase made once; quantities are yearly.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from procurement.core.money import LARGEST_AMOUNT, format_euros, format_number, round_half_up


@dataclass(frozen=True)
class NeedEntry:
    """One lot of one answer. ``has_no_need``: the member says that it buys nothing of this lot."""

    yearly_amount: Decimal | None = None
    total_amount: Decimal | None = None
    quantity: Decimal | None = None
    unit: str = ""
    unit_price: Decimal | None = None
    supplier: str = ""
    contract_ends_on: date | None = None
    has_no_need: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing was said, not even that there is no need."""
        return self == NeedEntry()

    @property
    def quantity_told(self) -> str:
        """« 1 500,5 rames »; empty when unknown."""
        return "" if self.quantity is None else quantity_told(self.quantity, self.unit)


def quantity_told(quantity: Decimal, unit: str) -> str:
    """« 1 500,5 rames »: no zero that its column added."""
    return f"{format_number(quantity)} {unit}".strip()


def whole_amount(yearly: Decimal, months: int) -> Decimal:
    """€ excl. tax over ``months``, extensions included, from a yearly amount; half up to the cent, once."""
    return round_half_up(yearly * months / 12)


def yearly_amount(whole: Decimal, months: int) -> Decimal | None:
    """€ excl. tax a year that make exactly ``whole`` over ``months``; None when no whole number of cents does, for a
    yearly figure is proposed only if it says the same thing."""
    cents, remainder = divmod(int(whole.scaleb(2)) * 12, months)
    return None if remainder else Decimal(cents).scaleb(-2)


def estimated_amount(entry: NeedEntry, months: int) -> Decimal | None:
    """What the entry counts for over the whole duration; None when its amount is unknown."""
    if entry.total_amount is not None:
        return round_half_up(entry.total_amount)
    return None if entry.yearly_amount is None else whole_amount(entry.yearly_amount, months)


def entry_refusals(entry: NeedEntry, months: int) -> dict[str, str]:
    """What keeps the entry from being submitted: name of the box → French sentence; empty when it is complete."""
    if entry.has_no_need:
        said = (entry.yearly_amount, entry.total_amount, entry.quantity)
        told = {"has_no_need": "Effacez les montants et la quantité, ou décochez «\u00a0Pas de besoin\u00a0»."}
        return told if any(value is not None for value in said) else {}
    refusals: dict[str, str] = {}
    for name in ("yearly_amount", "total_amount", "quantity"):
        value = getattr(entry, name)
        if value is not None and value < 0:
            refusals[name] = "Un besoin ne peut pas être négatif."
        elif value is not None and value == 0:
            refusals[name] = (
                "Zéro n’est pas un besoin\u00a0: cochez «\u00a0Pas de besoin\u00a0», ou laissez vide si c’est inconnu."
            )
        elif name == "yearly_amount" and value is not None and whole_amount(value, months) > LARGEST_AMOUNT:
            refusals[name] = f"Sur {months} mois, il dépasse le plus grand montant possible\u00a0: vérifiez-le."
    if entry.unit_price is not None and entry.unit_price < 0:
        refusals["unit_price"] = "Un prix ne peut pas être négatif."
    if entry.yearly_amount is None and entry.total_amount is None and entry.quantity is None:
        refusals["yearly_amount"] = "Indiquez une quantité ou un montant, ou cochez «\u00a0Pas de besoin\u00a0»."
    if entry.unit and entry.quantity is None and "quantity" not in refusals:
        refusals["quantity"] = "Indiquez la quantité, ou effacez l’unité."
    if entry.quantity is not None and not entry.unit:
        refusals["unit"] = "Indiquez l’unité de cette quantité\u00a0: rame, litre, heure…"
    if entry.yearly_amount is not None and entry.total_amount is not None and not refusals:
        expected = whole_amount(entry.yearly_amount, months)
        if expected != round_half_up(entry.total_amount):
            refusals["total_amount"] = (
                f"Le montant annuel donne {format_euros(expected)} sur {months} mois\u00a0: gardez l’un des deux."
            )
    return refusals
