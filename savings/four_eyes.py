"""What stands between a submitted line and its validation: who entered it, and whether it holds together."""

from decimal import Decimal

from django.conf import settings

from savings.choices import PROVEN
from savings.models import PriceLine
from savings.rules.plausibility import is_outside
from savings.rules.rates import rate


def own_part(line: PriceLine, user_id: int | None) -> str:
    """What that person did for this line, as a French participle clause; "" when it is somebody else's work.

    Persons are compared, not roles: who enters as a buyer does not validate as finance. The reference price is the
    first half of the gain: whoever entered it does not validate it either.
    """
    if user_id is None:
        return ""
    if line.entered_by_id == user_id:
        return "saisie par vous"
    if line.submitted_by_id == user_id:
        return "soumise par vous"
    if line.baseline.entered_by_id == user_id:
        return "référence saisie par vous"
    return ""


def refusal(line: PriceLine) -> str:
    """Why this line cannot be validated whoever asks, as a French sentence; "" when it can.

    Reads ``line.baseline`` and its evidence: select them with the line.
    """
    baseline = line.baseline
    if baseline.is_replaced:
        return "Sa référence a été remplacée depuis\u00a0: renvoyez la ligne à l’acheteur."
    if not baseline.is_frozen:
        return "Sa référence n’est pas figée."
    if baseline.objection:
        return "Le membre n’est pas d’accord avec sa référence."
    if not baseline.is_confirmed:
        return "Sa référence n’est pas confirmée par le membre."
    if baseline.grade in PROVEN and baseline.evidence_id is None:
        return f"Sa référence de fiabilité {baseline.grade} n’a pas de preuve."
    if not line.is_measured:
        return "Il lui manque un prix."
    if line.starts_on is None or line.months is None:
        return "Il lui manque sa date d’effet ou sa durée."
    if (line.price_before, line.index_factor) != (baseline.price_before, baseline.index_factor):
        return "Son prix de référence ou son coefficient n’est plus celui de la référence."
    if line.year is None and line.quantity != baseline.quantity:
        return "Sa quantité n’est plus celle de la référence."
    return ""


def needs_comment(line: PriceLine) -> bool:
    """Whether a gain of ``line``, in either reading, lies outside settings.SAVINGS_PLAUSIBLE (%, both ends included).

    An unmeasured line has none. The one rule of the submission, of the queue and of the page of a line.
    """
    band = settings.SAVINGS_PLAUSIBLE
    return line.is_measured and (
        is_outside(line.budget_gain, line.baseline_budget, band)
        or is_outside(line.purchase_gain, line.baseline_purchase, band)
    )


def budget_rate(line: PriceLine) -> Decimal | None:
    """% of the reference, Decimal with two decimals; None when not measured."""
    return None if line.budget_gain is None else rate(line.budget_gain, line.baseline_budget)


def purchase_rate(line: PriceLine) -> Decimal | None:
    """% of the indexed reference, Decimal with two decimals; None when not measured."""
    return None if line.purchase_gain is None else rate(line.purchase_gain, line.baseline_purchase)
