"""What the members have said of their needs: the line that counts, the answer « no need », the former figures.

The only place that reads them: the form, the workbook and the import all show, or compare, these entries.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from groupings.models import AwardHolder, AwardShare, Grouping, Lot, Membership, NeedLine, NeedsSubmission
from groupings.rules.needs import NeedEntry, whole_amount, yearly_amount

#: (membership, lot number) → what is said of it.
Entries = dict[tuple[int, int], NeedEntry]


def entry_of(line: NeedLine) -> NeedEntry:
    """The line as an entry: what a member would type to say the same. A zero without quantity is « no need »."""
    yearly, total = line.yearly_amount_excl_tax, line.estimated_amount_excl_tax
    if line.quantity is None and total is not None and total.amount == 0:
        return NeedEntry(has_no_need=True)
    return NeedEntry(
        yearly_amount=None if yearly is None else yearly.amount,
        total_amount=total.amount if yearly is None and total is not None else None,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.current_unit_price,
        supplier=line.current_supplier,
        contract_ends_on=line.current_contract_ends_on,
    )


def plain(entry: NeedEntry, months: int) -> NeedEntry:
    """The entry without a total that only repeats its yearly amount, over ``months``: to compare two of them."""
    if entry.yearly_amount is None or entry.total_amount != whole_amount(entry.yearly_amount, months):
        return entry
    return replace(entry, total_amount=None)


def last_submissions(memberships: Iterable[Membership]) -> dict[int, NeedsSubmission]:
    """Membership → its last answer, in one query."""
    of_these = NeedsSubmission.objects.filter(membership__in=[membership.pk for membership in memberships])
    last: dict[int, NeedsSubmission] = {}
    for submission in of_these.order_by("membership_id", "-number"):
        last.setdefault(submission.membership_id, submission)
    return last


def entry_as_sent(submission: NeedsSubmission, lot_number: int) -> NeedEntry | None:
    """What that answer, frozen, said of the lot; None when it said nothing of it."""
    sent = submission.lines.get(str(lot_number))
    return None if sent is None else entry_of_frozen(sent)


def entry_of_frozen(sent: Mapping) -> NeedEntry:
    """One lot of a frozen answer (``groupings.actions.needs.frozen``), read back."""
    amounts = {
        name: None if sent.get(name) is None else Decimal(sent[name])
        for name in ("yearly_amount", "total_amount", "quantity", "unit_price")
    }
    ends_on = sent.get("contract_ends_on")
    return NeedEntry(
        **amounts,
        unit=sent.get("unit", ""),
        supplier=sent.get("supplier", ""),
        contract_ends_on=None if ends_on is None else date.fromisoformat(ends_on),
        has_no_need=bool(sent.get("has_no_need")),
    )


def says_no_need(submission: NeedsSubmission | None, lot_number: int) -> bool:
    """Whether that answer says that nothing of the lot is needed."""
    return submission is not None and bool(submission.lines.get(str(lot_number), {}).get("has_no_need"))


def current_entries(
    memberships: Iterable[Membership], lots: Iterable[Lot], answers: Mapping[int, NeedsSubmission]
) -> Entries:
    """What each member says now, lot by lot; nothing for a lot it has not answered. ``answers``: the last ones."""
    memberships, numbers = list(memberships), {lot.pk: lot.number for lot in lots}
    entries: Entries = {}
    for membership_id, submission in answers.items():
        for number in numbers.values():
            if says_no_need(submission, number):
                entries[membership_id, number] = NeedEntry(has_no_need=True)
    for line in NeedLine.objects.filter(membership__in=[membership.pk for membership in memberships]):
        entries[line.membership_id, numbers[line.lot_id]] = entry_of(line)
    return entries


def former_lines(grouping: Grouping, affiliation=None) -> QuerySet[NeedLine]:
    """The needs of the grouping that this one renews, within the reader's perimeter; all of them for a command."""
    lines = NeedLine.objects.visible_to(affiliation) if affiliation is not None else NeedLine.objects.all()
    return lines.filter(membership__grouping=grouping.renews_id).select_related("membership", "lot__grouping")


def former_shares(grouping: Grouping, affiliation=None) -> QuerySet[AwardShare]:
    """The members' parts of the contracts of the grouping that this one renews, as ``former_lines``."""
    shares = AwardShare.objects.visible_to(affiliation) if affiliation is not None else AwardShare.objects.all()
    return shares.filter(award__lot__grouping=grouping.renews_id).select_related("membership", "award__lot__grouping")


@dataclass(frozen=True)
class Former:
    """What the grouping that this one renews says of one member and lot: a proposal, never an answer.

    ``whole``: € excl. tax over its ``months``, when no yearly amount says the same; it is told and not proposed.
    """

    entry: NeedEntry
    whole: Decimal | None
    months: int


def former_figures(
    grouping: Grouping, memberships: Iterable[Membership], affiliation=None
) -> dict[tuple[int, int], Former]:
    """(membership, lot number) → what the same body needed of that lot, with the supplier and the end of the contract
    that followed, once it is notified; its part of that contract when it had told no need. Two queries, none when
    nothing is renewed."""
    if grouping.renews_id is None:
        return {}
    own = {membership.organisation_id: membership.pk for membership in memberships}
    found: dict[tuple[int, int], Former] = {}
    for line in former_lines(grouping, affiliation).filter(membership__organisation__in=own):
        entry = replace(entry_of(line), has_no_need=False)
        key = own[line.membership.organisation_id], line.lot.number
        found[key] = _proposed(entry, entry.total_amount, line.lot.grouping.total_months)
    lead = AwardHolder.objects.filter(award=OuterRef("award"), is_lead=True).values("name")[:1]
    shares = former_shares(grouping, affiliation).filter(
        membership__organisation__in=own, award__outcome="awarded", award__notified_on__isnull=False
    )
    for share in shares.annotate(holder=Subquery(lead)):
        award = share.award
        key, months = (own[share.membership.organisation_id], award.lot.number), award.lot.grouping.total_months
        known = found.get(key) or _proposed(NeedEntry(), share.amount_excl_tax.amount, award.total_months or months)
        entry = replace(
            known.entry,
            supplier=share.holder or known.entry.supplier,
            contract_ends_on=award.ends_on or known.entry.contract_ends_on,
        )
        found[key] = replace(known, entry=entry)
    return found


def _proposed(entry: NeedEntry, whole: Decimal | None, months: int) -> Former:
    """By year when it says exactly the same as ``whole`` over ``months``."""
    exact = None if whole is None else yearly_amount(whole, months)
    entry = replace(entry, total_amount=None, yearly_amount=entry.yearly_amount if exact is None else exact)
    return Former(entry, whole if exact is None else None, months)
