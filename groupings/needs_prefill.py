"""The lines of the workbook of needs, for those whom the reader may answer for or see, with their last figures."""

from collections.abc import Iterator, Sequence

from groupings.exchange.needs_workbook import WorkbookRow
from groupings.models import Grouping, Membership
from groupings.needs_state import current_entries, former_entries, last_submissions
from groupings.rules.needs import NeedEntry


def workbook_rows(grouping: Grouping, memberships: Sequence[Membership], affiliation) -> Iterator[WorkbookRow]:
    """By member, then by lot: what was answered, else the figures of the former grouping, to be confirmed."""
    lots = list(grouping.lots.all())
    answers = last_submissions(memberships)
    current = current_entries(memberships, lots, answers)
    former = former_entries(grouping, memberships, affiliation)
    for membership in memberships:
        answer = answers.get(membership.pk)
        for lot in lots:
            key = membership.pk, lot.number
            yield WorkbookRow(
                siren=membership.organisation.siren,
                member=membership.organisation.name,
                lot=lot.number,
                title=lot.title,
                entry=current.get(key, former.get(key, NeedEntry())),
                to_confirm=key not in current and key in former,
                answer=0 if answer is None else answer.number,
            )
