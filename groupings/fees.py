"""The fees of one year of a grouping, put together: expenses, keys and shares, then what was approved and called."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from groupings.choices import FeeRule, FeeStatementStatus
from groupings.models import ConsumptionLine, FeeExpense, FeeStatement, FundCall, Grouping, Membership, NeedLine
from groupings.rules import fees as rules
from groupings.rules.fees import Cost, Party, YearShares
from procurement.core.exports import Column
from procurement.core.money import ZERO, round_half_up

SCHEMA = 1
#: What the key of each rule is, as a heading of table.
KEY_LABELS = {
    FeeRule.FREE: "",
    FeeRule.EQUAL_SHARES: "Parts",
    FeeRule.POPULATION: "Habitants",
    FeeRule.ESTIMATED_AMOUNT: "Besoins estimés (€ HT)",
    FeeRule.ACTUAL_SPEND: "Dépenses constatées (€ HT)",
    FeeRule.FLAT_FEE: "Forfaits",
}
PROVISIONAL_KEY_LABEL = "Besoins estimés (€ HT), à défaut de dépenses"


def key_label(rule: str, *, is_provisional: bool) -> str:
    return PROVISIONAL_KEY_LABEL if is_provisional else KEY_LABELS[FeeRule(rule)]


@dataclass(frozen=True)
class Terms:
    """By what a year is shared: the card of the grouping, until its calls are sent. From then on what the statement
    froze: an amendment of the rule, a new coordinator or a new census do not share past years again.

    ``keys``: the frozen key of each member, by membership; empty where it is read afresh.
    """

    rule: str
    flat_fee: Decimal | None
    coordinator: str
    keys: dict[int, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, grouping: Grouping, called: FeeStatement | None) -> "Terms":
        if called is None:
            base = grouping.fee_base
            return cls(grouping.fee_rule, None if base is None else base.amount, grouping.coordinator.siren)
        values = called.values
        is_kept = called.rule in (FeeRule.POPULATION, FeeRule.ESTIMATED_AMOUNT)
        return cls(
            called.rule,
            None if values["flat_fee"] is None else Decimal(values["flat_fee"]),
            values["coordinator"],
            {share["membership"]: Decimal(share["weight"]) for share in values["shares"]} if is_kept else {},
        )


@dataclass(frozen=True)
class Draft:
    """The fees of a year as the expenses say today. ``problem``: the French reason why they cannot be shared, else "".

    ``before``: the operating fees approved for the other years (€ excl. tax), which the ceiling counts too.
    """

    grouping: Grouping
    year: int
    terms: Terms
    expenses: list[FeeExpense]
    memberships: dict[str, Membership]
    parties: dict[str, Party]
    shared: YearShares | None
    before: Decimal
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing is spent, and no flat fee is due."""
        return not self.problem and not self.expenses and (self.shared is None or self.shared.total == 0)

    @property
    def pending(self) -> list[FeeExpense]:
        """Those no statement has counted yet."""
        return [expense for expense in self.expenses if not expense.is_counted]

    @property
    def total(self) -> Decimal:
        """What was spent, € excl. tax."""
        return sum((expense.amount_excl_tax.amount for expense in self.expenses), ZERO)

    @property
    def ceiling(self) -> Decimal | None:
        money = self.grouping.fee_ceiling
        return None if money is None else money.amount

    @property
    def excess(self) -> Decimal:
        """By how much approving it would pass the ceiling of the grouping's whole life (€)."""
        if self.shared is None:
            return ZERO
        return rules.over_ceiling(self.ceiling, before=self.before, added=self.shared.operating_total)

    def needs_agreement(self, current: FeeStatement | None) -> bool:
        """Whether the members must accept to pass the ceiling: not for a correction that adds no operating fee."""
        known = current.operating_total.amount if current else ZERO
        return self.excess > 0 and self.shared is not None and self.shared.operating_total > known

    @property
    def values(self) -> dict[str, Any]:
        """What a statement freezes; amounts are strings with two decimals. Empty when the fees cannot be shared."""
        if self.shared is None:
            return {}
        shared, grouping = self.shared, self.grouping
        flat = self.terms.flat_fee if shared.rule == FeeRule.FLAT_FEE else None
        return {
            "schema": SCHEMA,
            "year": self.year,
            "grouping": {"reference": grouping.reference, "title": grouping.title},
            # Who advanced the fees: it stays the one not called if the coordinator changes.
            "coordinator": self.terms.coordinator,
            "rule": shared.rule,
            "is_provisional": shared.is_provisional,
            "flat_fee": None if flat is None else _text(flat),
            "ceiling": None if self.ceiling is None else _text(self.ceiling),
            "expenses": [
                {
                    "nature": expense.nature,
                    "label": expense.label,
                    "spent_on": expense.spent_on.isoformat(),
                    "amount": _text(expense.amount_excl_tax.amount),
                    "lot": expense.lot.number if expense.lot_id else None,
                }
                for expense in self.expenses
            ],
            "shares": [
                {
                    "membership": self.memberships[share.key].pk,
                    "siren": share.key,
                    "name": self.parties[share.key].name,
                    "weight": _text(share.weight),
                    "operating": _text(share.operating),
                    "litigation": _text(share.litigation),
                    "amount": _text(share.amount),
                }
                for share in shared.shares
                if share.amount or rules.owes_flat_fee(self.parties[share.key], self.year)
            ],
            "operating_total": _text(shared.operating_total),
            "total": _text(shared.total),
        }

    @property
    def sha256(self) -> str:
        """The fingerprint of what is read: what finance approves is what it has seen. Empty with a problem."""
        return digest(self.values) if self.shared is not None else ""

    def differs_from(self, statement: FeeStatement) -> bool:
        """Whether approving again would change an amount, an expense, or a provisional sharing."""
        return self.shared is not None and _told(self.values) != _told(statement.values)


def _told(values: dict[str, Any]) -> tuple:
    shares = {s["membership"]: (s["operating"], s["litigation"]) for s in values["shares"] if Decimal(s["amount"])}
    return values["rule"], values["is_provisional"], values["expenses"], shares


def _text(amount: Decimal) -> str:
    return str(round_half_up(amount))


def digest(values: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of frozen values."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def draft_of(grouping: Grouping, year: int) -> Draft:
    """The fees of ``year`` as they stand. Five queries at most, whatever the members."""
    expenses = list(grouping.fee_expenses.filter(spent_on__range=_days(year)).select_related("lot", "evidence"))
    statements = current_statements(grouping)
    own = statements.pop(year, None)
    terms = Terms.of(grouping, own if own is not None and own.status == FeeStatementStatus.CALLED else None)
    memberships, parties = _parties(grouping, year, terms)
    others = [statements[other] for other in sorted(statements)]
    before = sum((statement.operating_total.amount for statement in others), ZERO)
    shared, problem = None, ""
    try:
        shared = rules.year_shares(
            terms.rule,
            parties=list(parties.values()),
            costs=[
                Cost(
                    expense.amount_excl_tax.amount,
                    expense.spent_on,
                    expense.is_litigation,
                    expense.lot.number if expense.lot_id else None,
                )
                for expense in expenses
            ],
            launched_on=grouping.launched_on,
            flat_fee=terms.flat_fee,
            flat_owed_by=_flat_owed_by(terms, year, memberships, parties, others),
        )
    except ValueError as error:
        problem = str(error)
    return Draft(grouping, year, terms, expenses, memberships, parties, shared, before, problem)


def _days(year: int) -> tuple[date, date]:
    """The first and the last day of a budget year."""
    return date(year, 1, 1), date(year, 12, 31)


def _parties(grouping: Grouping, year: int, terms: Terms) -> tuple[dict[str, Membership], dict[str, Party]]:
    """Every member there ever was, by SIREN, in the order of the convention: the coordinator first."""
    memberships = sorted(
        grouping.memberships.select_related("organisation").order_by("organisation__sort_name", "pk"),
        key=lambda membership: membership.organisation.siren != terms.coordinator,
    )
    needs: dict[int, list[tuple[int, Decimal]]] = {}
    lines = NeedLine.objects.filter(membership__grouping=grouping, estimated_amount_excl_tax__isnull=False)
    for membership_id, lot, amount in lines.values_list("membership_id", "lot__number", "estimated_amount_excl_tax"):
        needs.setdefault(membership_id, []).append((lot, round_half_up(amount)))
    spent: dict[int, Decimal] = {}
    if terms.rule == FeeRule.ACTUAL_SPEND:
        consumed = ConsumptionLine.objects.filter(membership__grouping=grouping, invoiced_on__range=_days(year))
        totals = consumed.order_by().values("membership_id").annotate(total=Sum("amount_excl_tax"))
        spent = {row["membership_id"]: round_half_up(row["total"]) for row in totals}
    parties = {}
    for rank, membership in enumerate(memberships):
        body, own, key = membership.organisation, needs.get(membership.pk, []), terms.keys.get(membership.pk)
        parties[body.siren] = Party(
            key=body.siren,
            name=body.name,
            rank=rank,
            kind=body.kind,
            population=int(key) if key is not None and terms.rule == FeeRule.POPULATION else body.population,
            estimated=(
                key
                if key is not None and terms.rule == FeeRule.ESTIMATED_AMOUNT
                else sum((amount for _, amount in own), ZERO)
            ),
            spent=spent.get(membership.pk, ZERO),
            needs=tuple(own),
            joined_on=membership.joined_on,
            left_on=membership.withdrawn_on,
        )
    return {membership.organisation.siren: membership for membership in memberships}, parties


def _flat_owed_by(
    terms: Terms,
    year: int,
    memberships: dict[str, Membership],
    parties: dict[str, Party],
    others: Iterable[FeeStatement],
) -> list[str]:
    """Who owes the flat fee this year: it is due once (article 10.2), so not whom another year has asked."""
    if terms.rule != FeeRule.FLAT_FEE:
        return []
    asked = {
        share["membership"]
        for statement in others
        if statement.rule == FeeRule.FLAT_FEE
        for share in statement.values["shares"]
        if Decimal(share["operating"])
    }
    return [
        siren
        for siren, party in parties.items()
        if rules.owes_flat_fee(party, year) and memberships[siren].pk not in asked
    ]


@dataclass
class Line:
    """One member's line of a year: its share, what it was called for and what it has paid, € excl. tax."""

    membership_id: int
    siren: str
    name: str
    weight: Decimal
    operating: Decimal
    litigation: Decimal
    is_coordinator: bool
    calls: list[FundCall] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return self.operating + self.litigation

    @property
    def called(self) -> Decimal:
        return sum((call.amount_excl_tax.amount for call in self.calls), ZERO)

    @property
    def paid(self) -> Decimal:
        return sum((call.amount_excl_tax.amount for call in self.calls if call.paid_on), ZERO)

    @property
    def to_call(self) -> Decimal:
        """What is still to be asked, negative to give back. The coordinator advanced the fees: it does not call
        itself."""
        return ZERO if self.is_coordinator else self.amount - self.called


def lines_of(values: dict[str, Any], calls: Iterable[FundCall]) -> list[Line]:
    """The lines of frozen ``values``, with every call of that year. A member called once and no longer in the sharing
    keeps its line, at zero."""
    lines = {
        share["membership"]: Line(
            share["membership"],
            share["siren"],
            share["name"],
            Decimal(share["weight"]),
            Decimal(share["operating"]),
            Decimal(share["litigation"]),
            share["siren"] == values["coordinator"],
        )
        for share in values["shares"]
    }
    for call in calls:
        if call.membership_id not in lines:
            member = call.values["member"]
            lines[call.membership_id] = Line(
                call.membership_id, member["siren"], member["name"], ZERO, ZERO, ZERO, False
            )
        lines[call.membership_id].calls.append(call)
    return list(lines.values())


def calls_of_year(grouping: Grouping, year: int, affiliation=None, *, everybody: bool = False) -> list[FundCall]:
    """The calls of all the statements of that year, oldest first: those ``affiliation`` may read, or everybody's."""
    calls = FundCall.objects.all() if everybody else FundCall.objects.visible_to(affiliation)
    calls = calls.filter(statement__grouping=grouping, statement__year=year)
    return list(calls.select_related("statement").defer("statement__values").order_by("year", "number"))


def current_statements(grouping: Grouping) -> dict[int, FeeStatement]:
    """Year → its statement in force."""
    found = grouping.fee_statements.filter(~Q(status=FeeStatementStatus.REPLACED))
    return {statement.year: statement for statement in found}


YEAR_COLUMNS = (
    Column("Membre", "name", width=34),
    Column("SIREN", "siren", width=11),
    Column("Clé", "weight", "decimal", width=14),
    Column("Frais (€ HT)", "operating", "euros", width=15),
    Column("Contentieux (€ HT)", "litigation", "euros", width=20),
    Column("Total (€ HT)", "amount", "euros", width=15),
    Column("Appelé (€ HT)", "called", "euros", width=16),
    Column("Réglé (€ HT)", "paid", "euros", width=15),
    Column("À appeler (€ HT)", "to_call", "euros", width=18),
    Column("Appels de fonds", lambda line: ", ".join(call.reference for call in line.calls) or None, width=18),
    Column(
        "Titres de recettes",
        lambda line: ", ".join(call.title_reference for call in line.calls if call.title_reference) or None,
        width=18,
    ),
)
