"""What the members have said of their needs: the line that counts, the answer « no need », the former figures."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from groupings.models import Grouping, Lot, Membership, NeedLine, NeedsSubmission
from groupings.rules.needs import NeedEntry, whole_amount

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
    return NeedEntry(**{**vars(entry), "total_amount": None})


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
    if sent is None:
        return None
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


def former_entries(grouping: Grouping, memberships: Iterable[Membership], affiliation=None) -> Entries:
    """The same figures as former needs told, for the same body and lot number: a proposal, never an answer.

    The end of the former contract and the yearly amounts are kept; a total over another duration is told by year.
    """
    if grouping.renews_id is None:
        return {}
    own = {membership.organisation_id: membership.pk for membership in memberships}
    entries: Entries = {}
    for line in former_lines(grouping, affiliation):
        if line.membership.organisation_id in own:
            key = own[line.membership.organisation_id], line.lot.number
            entries[key] = _yearly(entry_of(line), line.lot.grouping.total_months)
    return entries


def _yearly(entry: NeedEntry, months: int) -> NeedEntry:
    if entry.total_amount is None:
        return entry
    by_year = whole_amount(entry.total_amount * 12 / months, 12)
    return NeedEntry(**{**vars(entry), "yearly_amount": by_year, "total_amount": None})
