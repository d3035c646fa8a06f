"""What is proposed before anybody types: the draft, else what was answered, else the figures of the former grouping.

In the boxes of the form, every text is what a French user would type, and says where it comes from when nobody typed it
here; in the workbook, the same figures are « à confirmer ».
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from groupings.exchange.needs_workbook import UNITS, WorkbookRow
from groupings.models import Grouping, Lot, Membership
from groupings.needs_state import Former, current_entries, former_figures, last_submissions
from groupings.rules.needs import NeedEntry
from procurement.core.money import NARROW_SPACE, format_euros, format_number


@dataclass
class LotTexts:
    """The boxes of one lot as they are shown; ``sources``: box → where its text comes from, when nobody typed it here.

    ``told``: what is known of the previous contract and cannot be proposed as it is. ``proposed``: our own texts, that
    a draft may have changed since.
    """

    texts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    told: str = ""
    proposed: dict[str, str] = field(default_factory=dict)


def money_text(amount: Decimal) -> str:
    """``1 234,50``: an amount as it is typed."""
    return format_euros(amount).removesuffix("\u00a0€").replace(NARROW_SPACE, " ")


def number_text(value: Decimal, places: int = 0) -> str:
    """``1500,5``: a number as it is typed."""
    return format_number(value, places).replace(NARROW_SPACE, "")


def entry_texts(entry: NeedEntry) -> dict[str, str]:
    """The entry as it would be typed: box → text, without the empty boxes."""
    texts = {"unit": entry.unit, "supplier": entry.supplier, "has_no_need": "on" if entry.has_no_need else ""}
    for box in ("yearly_amount", "total_amount"):
        amount = getattr(entry, box)
        texts[box] = "" if amount is None else money_text(amount)
    texts["quantity"] = "" if entry.quantity is None else number_text(entry.quantity)
    texts["unit_price"] = "" if entry.unit_price is None else number_text(entry.unit_price, 2)
    texts["contract_ends_on"] = "" if entry.contract_ends_on is None else entry.contract_ends_on.isoformat()
    return {box: text for box, text in texts.items() if text}


def units_of(entries: Iterable[NeedEntry]) -> list[str]:
    """The units these entries use, then the common ones: given those of one body, never its neighbours'."""
    return list(dict.fromkeys([*(entry.unit for entry in entries if entry.unit), *UNITS]))


def lot_texts(
    *,
    grouping: Grouping,
    draft: dict[str, str] | None,
    current: NeedEntry | None,
    is_sent: bool,
    former: Former | None,
) -> LotTexts:
    """What one lot's boxes show. ``draft``: its texts; ``is_sent``: the member itself has answered the survey, else
    ``current`` is only what the coordinator knows.

    A draft hides the rest; a text of it that is still the previous contract's keeps saying so.
    """
    told, texts, source = "", {}, ""
    if former is not None:
        texts, source = entry_texts(former.entry), f"Repris de {grouping.renews.reference}\u00a0: à vérifier"
        if former.whole is not None:
            told = f"{grouping.renews.reference}\u00a0: {format_euros(former.whole)} HT sur {former.months} mois."
    if current is not None:
        texts = entry_texts(current)
        source = "" if is_sent else f"Connu de {grouping.coordinator.name}\u00a0: à vérifier"
    if current is not None and current.has_no_need:
        told = ""
    shown = texts if draft is None else draft
    sources = {box: source for box, text in texts.items() if source and shown.get(box) == text}
    return LotTexts(dict(shown), sources, told, texts)


def workbook_rows(grouping: Grouping, memberships: Sequence[Membership], affiliation) -> Iterator[WorkbookRow]:
    """By member, then by lot: what was answered, else the figures of the former grouping, to be confirmed."""
    lots: list[Lot] = list(grouping.lots.all())
    answers = last_submissions(memberships)
    current = current_entries(memberships, lots, answers)
    former = former_figures(grouping, memberships, affiliation)
    for membership in memberships:
        answer = answers.get(membership.pk)
        for lot in lots:
            key = membership.pk, lot.number
            entry = former[key].entry if key in former else NeedEntry()
            yield WorkbookRow(
                siren=membership.organisation.siren,
                member=membership.organisation.name,
                lot=lot.number,
                title=lot.title,
                entry=current.get(key, entry),
                to_confirm=key not in current and not entry.is_empty,
                answer=0 if answer is None else answer.number,
            )
