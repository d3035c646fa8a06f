"""The contracts in use as a person reads them: who holds them, until when, what is consumed of what, what to do.

A contract is read member by member on its own page, in four queries; in one, with its sums only, on the lists. A member
reads its own share and consumption, never those of the others nor the total.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, DecimalField, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from groupings.choices import GroupingStatus
from groupings.contract_choices import Technique
from groupings.models import Award, AwardHolder, AwardShare, ConsumptionLine, Grouping, Membership
from groupings.rules.alerts import Alert, AlertKind, ContractState, Part, alerts, horizon, percent
from members.models import Organisation
from procurement.core.calendar import add_months
from procurement.core.money import ZERO, round_half_up
from procurement.core.querysets import money_subquery

#: The stages at which an award may be a contract in use.
IN_USE = (GroupingStatus.AWARD, GroupingStatus.PERFORMANCE, GroupingStatus.REVIEW)


@dataclass
class MemberPart:
    """One member's part of one contract, € excl. tax. ``share`` is None where none was set."""

    membership: Membership
    share: Decimal | None
    consumed: Decimal = ZERO
    lines: int = 0
    last_on: date | None = None

    @property
    def percent(self) -> Decimal | None:
        return percent(self.consumed, self.share)


class ContractInUse:
    """What a contract says whatever the page: its dates, its ceiling, its alerts."""

    award: Award
    sees_all: bool
    today: date
    #: € excl. tax: of every member for the coordinator's people, its own for a member.
    consumed: Decimal
    share_total: Decimal | None
    #: The parts the reader is alerted about.
    watched_parts: list[Part]

    @property
    def grouping(self) -> Grouping:
        return self.award.lot.grouping

    @property
    def ceiling(self) -> Decimal | None:
        """Beyond which nothing may be ordered: the maximum, else the amount; None for a framework agreement without
        maximum (signed before 2022), whose amount is an estimate."""
        award = self.award
        if award.maximum_excl_tax is not None:
            return award.maximum_excl_tax.amount
        is_framework = award.lot.is_framework or award.technique == Technique.FRAMEWORK
        return None if is_framework or award.amount_excl_tax is None else award.amount_excl_tax.amount

    @property
    def percent(self) -> Decimal | None:
        """Of the maximum or the amount, for who sees all; of its own share, for a member."""
        return percent(self.consumed, self.reference_value)

    @property
    def reference_value(self) -> Decimal | None:
        """What the consumption is held against: the maximum or the amount; for a member, its own share."""
        return self.award.value if self.sees_all else self.share_total

    @property
    def left(self) -> Decimal | None:
        """What may still be ordered, never below zero; None without anything to hold it against."""
        value = self.reference_value
        return None if value is None else max(value - self.consumed, ZERO)

    @property
    def last_end_on(self) -> date | None:
        """With every extension the contract allows."""
        award = self.award
        if award.starts_on is None or award.total_months is None:
            return None
        return add_months(award.starts_on, award.total_months) - timedelta(days=1)

    @property
    def state(self) -> ContractState:
        award = self.award
        return ContractState(
            ends_on=award.ends_on,
            last_end_on=self.last_end_on,
            notice_due_on=award.notice_due_on if self.sees_all else None,
            ceiling=self.ceiling,
            consumed=self.consumed if self.sees_all else None,
            is_maximum=award.maximum_excl_tax is not None,
            parts=self.watched_parts,
            renewed_by=(award.renewed_by or "") if self.sees_all else None,
        )

    @property
    def alerts(self) -> list[Alert]:
        """Of a notified contract only: nothing is consumed, nor ends, before."""
        return alerts(self.state, self.today) if self.award.notified_on is not None else []

    @property
    def own_alerts(self) -> list[Alert]:
        """For who sees all, those of the contract itself, its members' shares left out; for a member all of them."""
        return [alert for alert in self.alerts if alert.kind != AlertKind.SHARE or not self.sees_all]

    @property
    def near_members(self) -> int:
        """How many members are at 80 % of their share or beyond, for who sees them all; 0 for a member."""
        return len(self.alerts) - len(self.own_alerts)

    @property
    def horizon(self) -> date | None:
        """The last day it may still run."""
        return horizon(self.state, self.today)

    @property
    def may_extend(self) -> bool:
        """Whether an extension is left to take, and may still be."""
        award = self.award
        return (
            award.notified_on is not None
            and award.ends_on is not None
            and award.ends_on >= self.today
            and award.extensions_taken < award.extension_count
        )


@dataclass
class Contract(ContractInUse):
    """One awarded lot with the part of each member the reader may see."""

    award: Award
    sees_all: bool
    today: date
    parts: list[MemberPart] = field(default_factory=list)

    @property
    def holders(self) -> str:
        return ", ".join(holder.name for holder in self.award.holders.all())

    @property
    def consumed(self) -> Decimal:
        return sum((part.consumed for part in self.parts), ZERO)

    @property
    def share_total(self) -> Decimal | None:
        known = [part.share for part in self.parts if part.share is not None]
        return sum(known, ZERO) if known else None

    @property
    def watched_parts(self) -> list[Part]:
        return [Part(part.membership.organisation.name, part.share, part.consumed) for part in self.parts]


@dataclass
class ContractSummary(ContractInUse):
    """One awarded lot for a list, its sums made by the database: one query, whatever the number of contracts.
    ``reader``: the body of who reads."""

    award: Award
    sees_all: bool
    today: date
    reader: Organisation

    @property
    def holders(self) -> str:
        others = self.award.holder_count - 1
        if others < 1:
            return self.award.lead_name or ""
        return f"{self.award.lead_name} et {others} autre{'s' if others > 1 else ''}"

    @property
    def consumed(self) -> Decimal:
        return round_half_up(self.award.consumed_total)

    @property
    def share_total(self) -> Decimal | None:
        return None if self.award.share_sum is None else round_half_up(self.award.share_sum)

    @property
    def watched_parts(self) -> list[Part]:
        return [] if self.sees_all else [Part(self.reader.name, self.share_total, self.consumed)]

    @property
    def near_members(self) -> int:
        return (self.award.near_count or 0) if self.sees_all and self.award.notified_on is not None else 0


def contract_awards(affiliation) -> QuerySet[Award]:
    """The awarded lots the affiliation may read, with their lot, grouping and the reference of their renewal."""
    return _decisions(affiliation).awarded()


def _decisions(affiliation) -> QuerySet[Award]:
    renewal = Grouping.objects.filter(renews=OuterRef("lot__grouping")).exclude(status=GroupingStatus.CANCELLED)
    return (
        Award.objects.visible_to(affiliation)
        .select_related("lot__grouping__coordinator", "consultation")
        .annotate(renewed_by=Subquery(renewal.order_by("-pk").values("reference")[:1]))
        .order_by("lot__grouping__reference", "lot__number")
    )


def _sees_all(award: Award, affiliation) -> bool:
    own = affiliation.organisation_id
    return affiliation.sees_whole_territory or award.lot.grouping.coordinator_id == own


def with_holders(awards: QuerySet[Award]) -> QuerySet[Award]:
    """One query more: who holds each."""
    return awards.prefetch_related(Prefetch("holders", AwardHolder.objects.all()))


def contracts_of(awards: Iterable[Award], affiliation, today: date) -> list[Contract]:
    """Each award of ``contract_awards`` with its shares and consumption, in two queries more; none for no award."""
    contracts = {award.pk: Contract(award, _sees_all(award, affiliation), today) for award in awards}
    if not contracts:
        return []
    parts: dict[tuple[int, int], MemberPart] = {}
    shares = AwardShare.objects.visible_to(affiliation).filter(award__in=contracts)
    for share in shares.select_related("membership__organisation"):
        parts[share.award_id, share.membership_id] = MemberPart(share.membership, share.amount_excl_tax.amount)
    for found in _sums(affiliation, contracts):
        key = (found["award_id"], found["membership_id"])
        part = parts.get(key)
        if part is None:
            part = parts[key] = MemberPart(_member(found), None)
        part.consumed, part.lines, part.last_on = round_half_up(found["total"]), found["lines"], found["last_on"]
    for (award_pk, _), part in parts.items():
        contracts[award_pk].parts.append(part)
    for contract in contracts.values():
        contract.parts.sort(key=lambda part: part.membership.organisation.sort_name)
    return list(contracts.values())


_BODY = {
    "organisation_pk": "membership__organisation_id",
    "name": "membership__organisation__name",
    "sort_name": "membership__organisation__sort_name",
    "siren": "membership__organisation__siren",
}


def _sums(affiliation, award_pks: Iterable[int]) -> QuerySet:
    lines = ConsumptionLine.objects.visible_to(affiliation).filter(award__in=award_pks)
    return (
        lines.order_by()
        .values("award_id", "membership_id", *_BODY.values())
        .annotate(total=Sum("amount_excl_tax"), lines=Count("pk"), last_on=Max("invoiced_on"))
    )


def _member(found: dict) -> Membership:
    """The membership of a line whose member has no share, from the columns of the sum: no query more."""
    body = Organisation(
        pk=found[_BODY["organisation_pk"]],
        name=found[_BODY["name"]],
        sort_name=found[_BODY["sort_name"]],
        siren=found[_BODY["siren"]],
    )
    return Membership(pk=found["membership_id"], organisation=body)


def grouping_contracts(grouping: Grouping, affiliation, today: date) -> list[Contract]:
    """The contracts of one grouping member by member, in four queries; none before the award."""
    if grouping.status not in IN_USE:
        return []
    awards = with_holders(contract_awards(affiliation).filter(lot__grouping=grouping))
    return contracts_of(awards, affiliation, today)


def page_awards(grouping: Grouping, affiliation) -> list[Award]:
    """Every decision on a lot of the grouping, as its page tells it, in one query; none before the award. Each with the
    figures of ``ContractSummary`` and ``own_part`` (the reader's body, € excl. tax)."""
    if grouping.status not in IN_USE:
        return []
    own = AwardShare.objects.filter(award=OuterRef("pk"), membership__organisation=affiliation.organisation_id)
    amount = DecimalField(max_digits=14, decimal_places=2)
    part = Subquery(own.values("amount_excl_tax")[:1], output_field=amount)
    found = _decisions(affiliation).filter(lot__grouping=grouping)
    return list(found.annotate(own_part=part, **_figures(affiliation)))


def summaries_of(awards: Iterable[Award], affiliation, today: date) -> list[ContractSummary]:
    """The contracts among ``page_awards``."""
    return [
        ContractSummary(award, _sees_all(award, affiliation), today, affiliation.organisation)
        for award in awards
        if award.is_awarded
    ]


def contract_summaries(grouping: Grouping, affiliation, today: date) -> list[ContractSummary]:
    """The contracts of one grouping, in one query; none before the award."""
    return summaries_of(page_awards(grouping, affiliation), affiliation, today)


def member_contracts(organisation: Organisation, affiliation, today: date) -> list[tuple[Award, MemberPart]]:
    """The notified contracts in use that ``organisation`` buys on, with its own part, in one query: those where it has
    a share, or has consumed, and whose end has not passed. The caller found the body in its perimeter."""
    own = Membership.objects.filter(grouping=OuterRef("lot__grouping"), organisation=organisation)
    shares = AwardShare.objects.visible_to(affiliation).filter(
        award=OuterRef("pk"), membership__organisation=organisation
    )
    lines = ConsumptionLine.objects.visible_to(affiliation).filter(membership__organisation=organisation)
    amount = DecimalField(max_digits=18, decimal_places=2)
    found = (
        contract_awards(affiliation)
        .filter(lot__grouping__status__in=IN_USE, notified_on__isnull=False)
        .annotate(
            own_membership=Subquery(own.values("pk")[:1]),
            own_share=Subquery(shares.order_by().values("amount_excl_tax")[:1], output_field=amount),
            own_used=Subquery(
                lines.order_by()
                .filter(award=OuterRef("pk"))
                .values("award")
                .annotate(total=Sum("amount_excl_tax"))
                .values("total"),
                output_field=amount,
            ),
        )
        .filter(Q(own_share__isnull=False) | Q(own_used__isnull=False), own_membership__isnull=False)
    )
    parts = []
    for award in found:
        if award.ends_on is not None and award.ends_on < today:
            continue
        membership = Membership(pk=award.own_membership, organisation=organisation)
        share = None if award.own_share is None else round_half_up(award.own_share)
        parts.append((award, MemberPart(membership, share, round_half_up(award.own_used or ZERO))))
    return parts


def watched_contracts(affiliation, today: date) -> list[ContractSummary]:
    """The contracts that ask for something today, in one query: what is urgent first, then the nearest date. Of a
    grouping in use: once its review is made, a contract at its end has been dealt with."""
    awards = contract_awards(affiliation).filter(
        lot__grouping__status__in=(GroupingStatus.AWARD, GroupingStatus.PERFORMANCE), notified_on__isnull=False
    )
    if not affiliation.sees_whole_territory:
        awards = awards.filter(_acts_in(affiliation))
    found = summaries_of(awards.annotate(**_figures(affiliation)), affiliation, today)
    # A member has nothing to do about a contract that is over: its coordinator has.
    live = [c for c in found if c.sees_all or c.award.ends_on is None or c.award.ends_on >= today]
    asking = [contract for contract in live if contract.own_alerts or contract.near_members]
    return sorted(asking, key=lambda contract: _nearest(contract.own_alerts))


def _figures(affiliation) -> dict:
    """What a summary is made of, each read with the eyes of the affiliation."""
    lines = ConsumptionLine.objects.visible_to(affiliation)
    shares = AwardShare.objects.visible_to(affiliation).order_by()
    of_award = shares.filter(award=OuterRef("pk")).values("award")
    amounts = DecimalField(max_digits=18, decimal_places=2)
    used = (
        lines.order_by()
        .filter(award=OuterRef("award"), membership=OuterRef("membership"))
        .values("award")
        .annotate(total=Sum("amount_excl_tax"))
        .values("total")
    )
    # Amounts are whole cents: five times one and four times the other are five cents apart, or nothing; a thousandth
    # absorbs the binary fractions of SQLite.
    near = (
        shares.filter(award=OuterRef("pk"))
        .annotate(used=Subquery(used, output_field=amounts))
        .filter(used__gt=0)
        .annotate(beyond=F("used") * 5 - F("amount_excl_tax") * 4)
        .filter(beyond__gt=Decimal("-0.001"))
        .values("award")
        .annotate(number=Count("pk"))
        .values("number")
    )
    holders = AwardHolder.objects.visible_to(affiliation).filter(award=OuterRef("pk"))
    counted = holders.order_by().values("award").annotate(number=Count("pk")).values("number")
    return {
        "consumed_total": money_subquery(lines, "amount_excl_tax", outer="award"),
        "share_sum": Subquery(of_award.annotate(total=Sum("amount_excl_tax")).values("total"), output_field=amounts),
        "near_count": Subquery(near),
        "lead_name": Subquery(holders.values("name")[:1]),
        "holder_count": Coalesce(Subquery(counted), 0),
    }


def _acts_in(affiliation) -> Q:
    """Coordinated by the body, or bound by the purchase: who left since the launch still orders."""
    own = affiliation.organisation_id
    present = Membership.objects.bound().filter(organisation_id=own)
    return Q(lot__grouping__coordinator_id=own) | Q(lot__grouping__in=present.values("grouping_id"))


def _nearest(found: list[Alert]) -> tuple[bool, date]:
    return (not any(alert.is_urgent for alert in found), min((a.due_on for a in found if a.due_on), default=date.max))


def calendar_awards(affiliation) -> QuerySet[Award]:
    """The notified contracts whose dates go to the affiliation's calendar."""
    awards = contract_awards(affiliation).filter(
        lot__grouping__status__in=IN_USE, notified_on__isnull=False, starts_on__isnull=False
    )
    return awards if affiliation.sees_whole_territory else awards.filter(_acts_in(affiliation))
