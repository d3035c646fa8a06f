"""The fiche commune: what buying together brings one member, what waits for it, when, and whom to call.

Read with the eyes of the person, in seven queries whatever the number of groupings. Gains are those of the ledger:
validated lines, stage « Notifié », as the reports give them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from groupings.choices import GroupingStatus
from groupings.execution import MemberPart, member_contracts
from groupings.mine import Agenda, agenda_from, memberships_of
from groupings.models import Award, Grouping, Membership
from groupings.todo import Urgency, needs_tasks
from members.models import Affiliation, CouncilSession, Organisation
from procurement.core.money import ZERO
from savings.choices import PROVEN, GainStage
from savings.ledger import Totals, entries, totals_by
from savings.models import Baseline
from savings.rules.rates import rate


@dataclass(frozen=True)
class Gains:
    """Sums of entries, € excl. tax to the cent, with what they are measured against; ``one_off`` is the part of
    ``budget`` that comes once, ``proven`` the part of grade A or B."""

    budget: Decimal
    purchase: Decimal
    baseline_budget: Decimal
    baseline_purchase: Decimal
    one_off: Decimal
    proven: Decimal

    @property
    def budget_rate(self) -> Decimal | None:
        return rate(self.budget, self.baseline_budget)

    @property
    def purchase_rate(self) -> Decimal | None:
        return rate(self.purchase, self.baseline_purchase)


@dataclass(frozen=True)
class Line:
    """One grouping of the member. ``on`` and ``on_label``: the next date of its life; ``gain``: the budget gain of the
    year, None when nothing of it is measured."""

    membership: Membership
    on: date | None
    on_label: str
    gain: Decimal | None

    @property
    def grouping(self) -> Grouping:
        return self.membership.grouping


@dataclass(frozen=True)
class Due:
    """One thing the member must do. ``detail``: why, or what is known of its assembly. ``is_price``: on the page of the
    reference prices to confirm."""

    what: str
    grouping: Grouping
    due_on: date | None
    is_late: bool = False
    detail: str = ""
    is_price: bool = False


@dataclass(frozen=True)
class Contract:
    """One contract the member orders on, with its own share and consumption."""

    award: Award
    part: MemberPart
    is_measured: bool

    @property
    def left(self) -> Decimal | None:
        return None if self.part.share is None else max(self.part.share - self.part.consumed, ZERO)


@dataclass(frozen=True)
class Contact:
    """Who coordinates, and its buyers of these groupings."""

    organisation: Organisation
    buyers: tuple[str, ...]


@dataclass
class MemberSheet:
    """One page about one member on one day. ``this_year`` and ``full_term`` are None when nothing is measured."""

    organisation: Organisation
    on: date
    this_year: Gains | None = None
    full_term: Gains | None = None
    lines: list[Line] = field(default_factory=list)
    ended: int = 0
    dues: list[Due] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    next_council: CouncilSession | None = None
    contacts: list[Contact] = field(default_factory=list)

    @property
    def year(self) -> int:
        return self.on.year

    @property
    def late_count(self) -> int:
        return sum(due.is_late for due in self.dues)

    @property
    def unmeasured(self) -> list[Contract]:
        return [contract for contract in self.contracts if not contract.is_measured]

    @property
    def coverage(self) -> str:
        """How many of the contracts in use the gains speak of, as one sentence; empty without any contract."""
        count = len(self.contracts)
        if not count:
            return ""
        measured = count - len(self.unmeasured)
        missing = ", ".join(f"{c.award.lot.grouping.reference} lot {c.award.lot.number}" for c in self.unmeasured)
        first = f"{measured} lot{_s(measured)} mesuré{_s(measured)} sur {count} en cours"
        return f"{first}\u202f; non mesuré{_s(count - measured)}\u00a0: {missing}" if missing else first


def _s(count: int) -> str:
    return "s" if count > 1 else ""


def member_sheet(organisation: Organisation, affiliation: Affiliation, today: date) -> MemberSheet:
    """The sheet of ``organisation``, as far as ``affiliation`` may see. The caller checked that it may read it."""
    memberships = memberships_of(organisation, affiliation, today)
    agenda = agenda_from(memberships, organisation, affiliation, today)
    rows = totals_by(
        entries(affiliation, stage=GainStage.AWARDED, organisation=organisation),
        "grouping_id",
        "lot_id",
        "year",
        "is_one_off",
        "grade",
    )
    of_year = [row for row in rows if row[0][2] == today.year]
    measured_lots = {key[1] for key, _ in rows}
    by_grouping: dict[int, Decimal] = {}
    for (grouping_id, *_), found in of_year:
        by_grouping[grouping_id] = by_grouping.get(grouping_id, ZERO) + found.budget_gain
    going_on = [membership for membership in memberships if _goes_on(membership, today)]
    contracts = [
        Contract(award, part, award.lot_id in measured_lots)
        for award, part in member_contracts(organisation, affiliation, today)
    ]
    ends: dict[int, date] = {}
    for contract in contracts:
        grouping_id, ends_on = contract.award.lot.grouping_id, contract.award.ends_on
        if ends_on is not None:
            ends[grouping_id] = min(ends_on, ends.get(grouping_id, ends_on))
    return MemberSheet(
        organisation=organisation,
        on=today,
        this_year=_gains(of_year),
        full_term=_gains(rows),
        lines=[
            Line(membership, *_next_date(membership.grouping, ends), by_grouping.get(membership.grouping_id))
            for membership in sorted(going_on, key=lambda membership: membership.grouping.reference)
        ],
        ended=len(memberships) - len(going_on),
        dues=_dues(organisation, agenda, affiliation, today),
        contracts=contracts,
        next_council=_next_council(organisation, memberships, today),
        contacts=_contacts(organisation, going_on),
    )


def _gains(rows: list[tuple[tuple, Totals]]) -> Gains | None:
    """None without any entry: what nobody measured is not zero."""
    if not rows:
        return None

    def added(name: str, among: Iterable[tuple[tuple, Totals]] = rows) -> Decimal:
        return sum((getattr(found, name) for _, found in among), ZERO)

    return Gains(
        budget=added("budget_gain"),
        purchase=added("purchase_gain"),
        baseline_budget=added("baseline_budget"),
        baseline_purchase=added("baseline_purchase"),
        one_off=added("budget_gain", [row for row in rows if row[0][3]]),
        proven=added("budget_gain", [row for row in rows if row[0][4] in PROVEN]),
    )


def _goes_on(membership: Membership, today: date) -> bool:
    grouping = membership.grouping
    is_over = grouping.closed_on is not None and grouping.closed_on < today
    return membership.is_bound and grouping.status != GroupingStatus.CANCELLED and not is_over


#: Stage → (column of its next date, what it is).
_NEXT = {
    GroupingStatus.NEEDS: ("needs_due_on", "besoins attendus"),
    GroupingStatus.CONVENTION: ("deliberations_due_on", "délibérations exécutoires"),
    GroupingStatus.DELIBERATIONS: ("deliberations_due_on", "délibérations exécutoires"),
    GroupingStatus.CONSULTATION: ("award_planned_on", "notification prévue"),
    GroupingStatus.AWARD: ("performance_planned_on", "début d’exécution prévu"),
}


def _next_date(grouping: Grouping, ends: dict[int, date]) -> tuple[date | None, str]:
    """(date, what it is); ``ends``: the nearest end of the contracts in use, by grouping."""
    if grouping.pk in ends:
        return ends[grouping.pk], "fin de marché"
    name, label = _NEXT.get(GroupingStatus(grouping.status), ("closed_on", "clôture"))
    return getattr(grouping, name), label


def _dues(organisation: Organisation, agenda: Agenda, affiliation: Affiliation, today: date) -> list[Due]:
    """What must be done, the oldest deadline first: votes and signatures, answers, references to confirm."""
    dues = [
        Due(card.step, card.grouping, card.due_on, card.is_late, card.why_late or card.council)
        for card in agenda.followed
    ]
    for task in needs_tasks(affiliation, today, organisation_id=organisation.pk):
        late = task.urgency == Urgency.LATE
        what = "Transmettre les besoins" if task.badge else "Indiquer les besoins, lot par lot"
        dues.append(Due(what, task.grouping, task.due_on, late, task.badge.word if task.badge else ""))
    waiting = (
        Baseline.objects.visible_to(affiliation)
        .to_confirm()
        .filter(membership__organisation=organisation)
        .select_related("membership__grouping__coordinator")
    )
    groupings = {baseline.membership.grouping_id: baseline.membership.grouping for baseline in waiting}
    for grouping_id, count in Counter(baseline.membership.grouping_id for baseline in waiting).items():
        dues.append(Due(f"Confirmer {count} prix de référence", groupings[grouping_id], None, is_price=True))
    dues.sort(key=lambda due: (due.due_on or date.max, due.grouping.reference, due.what))
    return dues


def _next_council(organisation: Organisation, memberships: list[Membership], today: date) -> CouncilSession | None:
    coming = memberships[0].organisation.coming if memberships else organisation.sessions.filter(meeting_on__gte=today)
    return min(coming, key=lambda session: session.meeting_on, default=None)


def _contacts(organisation: Organisation, memberships: list[Membership]) -> list[Contact]:
    """The coordinators of what goes on, else the body that keeps the territory."""
    coordinators: dict[int, Organisation] = {}
    buyers: dict[int, dict[str, None]] = {}
    for membership in memberships:
        grouping = membership.grouping
        coordinators[grouping.coordinator_id] = grouping.coordinator
        names = buyers.setdefault(grouping.coordinator_id, {})
        if grouping.buyer is not None:
            names[grouping.buyer.get_full_name()] = None
    if not coordinators:
        head = organisation.territory or organisation
        coordinators[head.pk] = head
    return [Contact(body, tuple(buyers.get(pk, ()))) for pk, body in sorted(coordinators.items())]
