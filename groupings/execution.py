"""The contracts in use as a person reads them: who holds them, until when, what is consumed of what, what to do.

One reading for the page of a contract, the page of its grouping, À faire and the calendar, in four queries at most. A
member reads its own share and consumption, never the total of the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum

from groupings.choices import GroupingStatus
from groupings.contract_choices import Technique
from groupings.models import Award, AwardHolder, AwardShare, ConsumptionLine, Grouping, Membership
from groupings.rules.alerts import Alert, AlertKind, ContractState, Part, alerts, horizon, percent
from procurement.core.calendar import add_months
from procurement.core.money import ZERO, round_half_up

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


@dataclass
class Contract:
    """One awarded lot, with what the reader may see of its consumption. ``sees_all``: of every member."""

    award: Award
    sees_all: bool
    today: date
    parts: list[MemberPart] = field(default_factory=list)

    @property
    def grouping(self) -> Grouping:
        return self.award.lot.grouping

    @property
    def holders(self) -> str:
        return ", ".join(holder.name for holder in self.award.holders.all())

    @property
    def consumed(self) -> Decimal:
        """What the reader may see, € excl. tax: everything for the coordinator's people, its own for a member."""
        return sum((part.consumed for part in self.parts), ZERO)

    @property
    def share_total(self) -> Decimal | None:
        known = [part.share for part in self.parts if part.share is not None]
        return sum(known, ZERO) if known else None

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
    def reference_value(self) -> Decimal | None:
        """What the consumption is a percentage of, the maximum or the amount; for a member its own share."""
        return self.award.value if self.sees_all else self.share_total

    @property
    def percent(self) -> Decimal | None:
        return percent(self.consumed, self.reference_value)

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
            parts=[Part(part.membership.organisation.name, part.share, part.consumed) for part in self.parts],
            renewed_by=(award.renewed_by or "") if self.sees_all else None,
        )

    @property
    def alerts(self) -> list[Alert]:
        """Of a notified contract only: nothing is consumed, nor ends, before."""
        return alerts(self.state, self.today) if self.award.notified_on is not None else []

    @property
    def own_alerts(self) -> list[Alert]:
        """Those of the contract itself, members' shares left out."""
        return [alert for alert in self.alerts if alert.kind != AlertKind.SHARE or not self.sees_all]

    @property
    def share_alerts(self) -> list[Alert]:
        """Those of the members' shares, for who sees them all."""
        return [alert for alert in self.alerts if alert.kind == AlertKind.SHARE and self.sees_all]

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


def contract_awards(affiliation) -> QuerySet[Award]:
    """The awarded lots the affiliation may read, with their lot, grouping and the reference of their renewal."""
    renewal = Grouping.objects.filter(renews=OuterRef("lot__grouping")).exclude(status=GroupingStatus.CANCELLED)
    return (
        Award.objects.visible_to(affiliation)
        .awarded()
        .select_related("lot__grouping__coordinator", "consultation")
        .annotate(renewed_by=Subquery(renewal.order_by("-pk").values("reference")[:1]))
        .order_by("lot__grouping__reference", "lot__number")
    )


def with_holders(awards: QuerySet[Award]) -> QuerySet[Award]:
    """One query more: who holds each."""
    return awards.prefetch_related(Prefetch("holders", AwardHolder.objects.all()))


def contracts_of(awards: Iterable[Award], affiliation, today: date) -> list[Contract]:
    """Each award of ``contract_awards`` with its shares and consumption, in two queries more; none for no award."""
    own = affiliation.organisation_id
    contracts = {
        award.pk: Contract(award, affiliation.sees_whole_territory or award.lot.grouping.coordinator_id == own, today)
        for award in awards
    }
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
    from members.models import Organisation

    body = Organisation(
        pk=found[_BODY["organisation_pk"]],
        name=found[_BODY["name"]],
        sort_name=found[_BODY["sort_name"]],
        siren=found[_BODY["siren"]],
    )
    return Membership(pk=found["membership_id"], organisation=body)


def grouping_contracts(grouping: Grouping, affiliation, today: date) -> list[Contract]:
    """The contracts of one grouping, in four queries; none before the award."""
    if grouping.status not in IN_USE:
        return []
    awards = with_holders(contract_awards(affiliation).filter(lot__grouping=grouping))
    return contracts_of(awards, affiliation, today)


def watched_contracts(affiliation, today: date) -> list[Contract]:
    """The contracts that ask for something today, the nearest date first, in three queries: a grouping in use; once its
    review is made, a contract at its end has been dealt with."""
    awards = contract_awards(affiliation).filter(
        lot__grouping__status__in=(GroupingStatus.AWARD, GroupingStatus.PERFORMANCE), notified_on__isnull=False
    )
    if not affiliation.sees_whole_territory:
        awards = awards.filter(_acts_in(affiliation))
    asking = [contract for contract in contracts_of(awards, affiliation, today) if contract.alerts]
    return sorted(asking, key=lambda contract: _nearest(contract.alerts))


def _acts_in(affiliation) -> Q:
    """Coordinated by the body, or a member that has not left."""
    own = affiliation.organisation_id
    present = Membership.objects.active().filter(organisation_id=own)
    return Q(lot__grouping__coordinator_id=own) | Q(lot__grouping__in=present.values("grouping_id"))


def _nearest(found: list[Alert]) -> tuple[bool, date]:
    return (not any(alert.is_urgent for alert in found), min((a.due_on for a in found if a.due_on), default=date.max))


def calendar_awards(affiliation) -> QuerySet[Award]:
    """The notified contracts whose dates go to the affiliation's calendar."""
    awards = contract_awards(affiliation).filter(
        lot__grouping__status__in=IN_USE, notified_on__isnull=False, starts_on__isnull=False
    )
    return awards if affiliation.sees_whole_territory else awards.filter(_acts_in(affiliation))
