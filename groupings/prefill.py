"""What the form of needs shows before anybody types: the draft, else the need that counts, else the previous grouping.

Every text is what a French user would type, and every text that comes from elsewhere says where from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from groupings.models import AwardHolder, AwardShare, Grouping, Lot, Membership, NeedLine, NeedsSubmission
from groupings.rules.needs import yearly_amount
from procurement.core.money import NARROW_SPACE, format_euros

#: Offered beside the units the body has already used.
COMMON_UNITS = (
    "unité", "rame", "carton", "boîte", "litre", "m³", "m²", "kWh", "MWh", "kg", "tonne", "heure", "jour", "mois",
    "repas", "véhicule", "bâtiment", "site",
)  # fmt: skip


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


def number_text(value: Decimal, decimals: int = 0) -> str:
    """``1500,5``, with ``decimals`` places at least."""
    plain = f"{value.normalize():f}"
    whole, _, after = plain.partition(".")
    after = after.ljust(decimals, "0")
    return f"{whole},{after}" if after else whole


def line_texts(line: NeedLine, months: int) -> dict[str, str]:
    """A need that counts, as it would be typed again. Only a whole amount known: yearly when it divides exactly."""
    texts = {"unit": line.unit, "supplier": line.current_supplier}
    if line.quantity is not None:
        texts["quantity"] = number_text(line.quantity)
    if line.current_unit_price is not None:
        texts["unit_price"] = number_text(line.current_unit_price, 2)
    if line.current_contract_ends_on is not None:
        texts["contract_ends_on"] = line.current_contract_ends_on.isoformat()
    money = line.estimated_amount_excl_tax
    whole = None if money is None else money.amount
    if line.yearly_amount_excl_tax is not None:
        texts["yearly_amount"] = money_text(line.yearly_amount_excl_tax.amount)
    elif whole is not None and whole == 0:
        texts |= {"has_no_need": "on"} if line.quantity is None else {}
    elif whole is not None:
        exact = yearly_amount(whole, months)
        texts |= {"total_amount": money_text(whole)} if exact is None else {"yearly_amount": money_text(exact)}
    return {box: text for box, text in texts.items() if text}


def own_lines(membership: Membership, grouping: Grouping) -> tuple[dict[int, NeedLine], dict[int, NeedLine]]:
    """The body's needs by lot number: those of this grouping, those of the one it renews. One query."""
    ids = [grouping.pk, *([grouping.renews_id] if grouping.renews_id else [])]
    found = NeedLine.objects.filter(
        membership__organisation_id=membership.organisation_id, membership__grouping_id__in=ids
    ).select_related("lot")
    current = {line.lot.number: line for line in found if line.lot.grouping_id == grouping.pk}
    return current, {line.lot.number: line for line in found if line.lot.grouping_id != grouping.pk}


def previous_shares(membership: Membership, grouping: Grouping) -> dict[int, AwardShare]:
    """The body's own parts of the contracts of the grouping this one renews, by lot number, once they are notified;
    each with its ``holder``. One query, none when nothing is renewed."""
    if not grouping.renews_id:
        return {}
    lead = AwardHolder.objects.filter(award=OuterRef("award"), is_lead=True).values("name")[:1]
    shares = (
        AwardShare.objects.filter(
            membership__organisation_id=membership.organisation_id,
            award__lot__grouping_id=grouping.renews_id,
            award__outcome="awarded",
            award__notified_on__isnull=False,
        )
        .select_related("award__lot")
        .annotate(holder=Subquery(lead))
    )
    return {share.award.lot.number: share for share in shares}


def units_of(lines: Iterable[NeedLine]) -> list[str]:
    """The units this body has used, then the common ones: never those of its neighbours."""
    return list(dict.fromkeys([*(line.unit for line in lines if line.unit), *COMMON_UNITS]))


def lot_texts(
    lot: Lot,
    *,
    grouping: Grouping,
    draft: dict[str, str] | None,
    line: NeedLine | None,
    last: NeedsSubmission | None,
    previous: NeedLine | None,
    share: AwardShare | None,
) -> LotTexts:
    """What one lot's boxes show. ``draft``: its texts; ``last``: the last answer, the only place that says « no need ».

    A draft hides the rest; a text of it that is still the previous contract's keeps saying so.
    """
    prior = _previous_texts(grouping, previous, share)
    ours = LotTexts(line_texts(line, grouping.total_months), told=prior.told) if line is not None else prior
    if line is not None and last is None:
        ours.sources = dict.fromkeys(ours.texts, f"Connu de {grouping.coordinator.name}\u00a0: à vérifier")
    if line is None and last is not None and last.lines.get(str(lot.number), {}).get("has_no_need"):
        ours = LotTexts({"has_no_need": "on"})
    ours.proposed = ours.texts
    if draft is None:
        return ours
    sources = {box: source for box, source in ours.sources.items() if draft.get(box) == ours.texts[box]}
    return LotTexts(dict(draft), sources, ours.told, ours.proposed)


def _previous_texts(grouping: Grouping, line: NeedLine | None, share: AwardShare | None) -> LotTexts:
    if line is None and share is None:
        return LotTexts()
    former = grouping.renews
    texts = line_texts(line, former.total_months) if line is not None else {}
    texts.pop("has_no_need", None)
    whole = texts.pop("total_amount", None)
    if share is not None:
        texts |= {"supplier": share.holder} if share.holder else {}
        texts |= {"contract_ends_on": _ends_on(share).isoformat()} if _ends_on(share) else {}
        if line is None:
            exact = yearly_amount(share.amount_excl_tax.amount, share.award.total_months or former.total_months)
            texts |= {"yearly_amount": money_text(exact)} if exact is not None else {}
            whole = money_text(share.amount_excl_tax.amount) if exact is None else None
    told = f"{former.reference}\u00a0: {whole}\u00a0€ HT sur {former.total_months} mois." if whole else ""
    return LotTexts(texts, dict.fromkeys(texts, f"Repris de {former.reference}\u00a0: à vérifier"), told)


def _ends_on(share: AwardShare) -> date | None:
    return share.award.ends_on
