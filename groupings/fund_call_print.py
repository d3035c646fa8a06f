"""The PDF of one call for funds, from its frozen values alone: the same call gives the same bytes."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from groupings.choices import FeeNature, FeeRule
from groupings.fees import key_label
from groupings.models import FundCall
from procurement.core.documents import pdf
from procurement.core.money import ZERO


def render_call(call: FundCall) -> bytes:
    """A4 portrait. Raises PdfError when a text cannot be drawn faithfully."""
    values = call.values
    title = "Restitution" if call.is_refund else "Appel de fonds"
    return pdf.render(
        "groupings/fund_call_pdf.html",
        {
            **_context(call),
            "title": f"{title} {call.reference} – {values['member']['name']}",
            "author": values["coordinator"]["name"],
            "issued_at": datetime.combine(call.issued_on, time(12), UTC),
        },
    )


def _context(call: FundCall) -> dict[str, Any]:
    values = call.values
    rule = FeeRule(values["rule"])
    weight_total = Decimal(values["weight_total"])
    return {
        "call": call,
        "heading": "Restitution de frais" if call.is_refund else "Appel de fonds",
        "v": values,
        "amount": abs(call.amount_excl_tax.amount),
        "rule_label": rule.label,
        "key_label": key_label(rule, is_provisional=values["is_provisional"]),
        "has_key": rule not in (FeeRule.FREE, FeeRule.FLAT_FEE) and weight_total > 0,
        "weight": Decimal(values["weight"]),
        "weight_total": weight_total,
        "expenses": [
            {
                **expense,
                "nature": FeeNature(expense["nature"]).label,
                "spent_on": date.fromisoformat(expense["spent_on"]),
                "amount": Decimal(expense["amount"]),
            }
            for expense in values["expenses"]
        ],
        "expenses_total": sum((Decimal(expense["amount"]) for expense in values["expenses"]), ZERO),
        "operating": Decimal(values["operating"]),
        "litigation": Decimal(values["litigation"]),
        "share": Decimal(values["share"]),
        "former": [{**one, "amount": Decimal(one["amount"])} for one in values["former"]],
        "approved_on": date.fromisoformat(values["statement"]["approved_on"]),
    }
