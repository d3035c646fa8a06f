"""Four groupings of one coordinator call their members at once, each asked twice. Run as a module: prints what was
told, the numbers given, and how many calls there are."""

from datetime import UTC, date, datetime

from tests.support.race import tell, together

GROUPINGS, ASKED = 4, 8
TODAY = date(2027, 3, 1)


def race() -> dict:
    from djmoney.money import Money

    from groupings.actions.fees import fee_expense_save, fee_statement_approve
    from groupings.actions.fund_calls import fund_calls_issue
    from groupings.fees import draft_of
    from groupings.models import FeeExpense, FundCall
    from members.roles import Role
    from procurement.core.actors import SystemActor
    from tests.support.factories import (
        make_affiliation,
        make_grouping,
        make_membership,
        make_metropole,
        make_organisation,
    )

    metropole = make_metropole()
    buyer, finance = make_affiliation(metropole, Role.BUYER), make_affiliation(metropole, Role.FINANCE)
    communes = [make_organisation(parent=metropole) for _ in range(3)]
    statements = []
    for _ in range(GROUPINGS):
        grouping = make_grouping(metropole, fee_rule="EQUAL_SHARES")
        for body in (metropole, *communes):
            make_membership(grouping, body)
        expense = FeeExpense(
            grouping=grouping,
            nature="publication",
            label="Avis",
            spent_on=TODAY,
            amount_excl_tax=Money("400.00", "EUR"),
        )
        fee_expense_save(expense=expense, actor=buyer, today=TODAY)
        statements.append(
            fee_statement_approve(
                grouping=grouping,
                year=2027,
                actor=finance,
                now=datetime(2027, 3, 1, tzinfo=UTC),
                expected_sha256=draft_of(grouping, 2027).sha256,
            )
        )
    actor = SystemActor("Essai")

    def issue(number: int) -> None:
        fund_calls_issue(
            statement=statements[number % GROUPINGS], actor=actor, today=TODAY, due_on=TODAY, ring_bell=False
        )

    told = together(issue, ASKED)
    return {"told": told, "numbers": sorted(FundCall.objects.values_list("number", flat=True))}


if __name__ == "__main__":
    tell(race)
