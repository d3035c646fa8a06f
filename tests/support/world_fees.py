"""The fees of one territory, for the tests that walk through every address: an approved year, a call, an expense."""

import hashlib
from datetime import UTC, date, datetime

from django.core.files.base import ContentFile
from djmoney.money import Money

from groupings.actions.fund_calls import printed_values
from groupings.fees import digest, draft_of, lines_of
from groupings.models import FeeExpense, FeeStatement, FundCall, Membership


def make_fees(marker: str, membership: Membership) -> dict:
    """Year 2026 of the grouping: 80.00 € in equal shares, 40.00 € called of the commune; then 10.00 € not counted."""
    grouping = membership.grouping
    grouping.fee_rule = "EQUAL_SHARES"
    grouping.save()
    fields = {"grouping": grouping, "nature": "publication", "entered_label": f"Acheteur {marker}"}
    FeeExpense.objects.create(
        label=f"Annonce légale {marker}", amount_excl_tax=Money("80.00", "EUR"), spent_on=date(2026, 2, 10), **fields
    )
    draft = draft_of(grouping, 2026)
    statement = FeeStatement.objects.create(
        grouping=grouping,
        year=2026,
        number=1,
        status="called",
        rule="EQUAL_SHARES",
        values=draft.values,
        sha256=digest(draft.values),
        total=Money("80.00", "EUR"),
        operating_total=Money("80.00", "EUR"),
        approved_at=datetime(2026, 9, 1, 8, tzinfo=UTC),
        approved_label=f"Finances {marker}",
    )
    grouping.fee_expenses.update(statement=statement)
    lines = lines_of(draft.values, [])
    own = next(line for line in lines if line.membership_id == membership.pk)
    content = f"%PDF appel {marker}".encode()
    call = FundCall(
        statement=statement,
        membership=membership,
        coordinator=grouping.coordinator,
        year=2026,
        number=1,
        amount_excl_tax=Money("40.00", "EUR"),
        issued_on=date(2026, 9, 2),
        due_on=date(2026, 10, 2),
        issued_label=f"Acheteur {marker}",
        values=printed_values(statement, grouping.coordinator, membership.organisation, own, lines),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    call.file.save("appel.pdf", ContentFile(content), save=False)
    call.save()
    expense = FeeExpense.objects.create(
        label=f"Reprographie {marker}", amount_excl_tax=Money("10.00", "EUR"), spent_on=date(2026, 9, 20), **fields
    )
    return {"expense": expense, "call": call}
