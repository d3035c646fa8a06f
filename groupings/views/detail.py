"""The page of one grouping: where it stands, who takes part, what each needs, its documents, its journal."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.renewal import RENEWABLE
from groupings.choices import AWAITING_VOTE, LATE_BADGE, Badge, GroupingStatus, answer_badge
from groupings.execution import IN_USE, page_awards, summaries_of
from groupings.forecast import launch_states, readiness, unbounded_lots
from groupings.models import (
    Convention,
    ConventionDocument,
    Deliberation,
    Grouping,
    Lot,
    Membership,
    NeedLine,
)
from groupings.procedures import page_card
from groupings.reference import cpv
from groupings.rules.gate import convention_refusal, launch_refusal, votes_refusal
from groupings.rules.launch import MemberState
from groupings.tender import tender_summary
from groupings.views.common import find_grouping, may_change, may_change_needs, sees_all
from groupings.views.launch import launch_card
from groupings.workflow import GROUPING_WORKFLOW
from members.roles import may
from procurement.core.calendar import add_months
from procurement.core.journal.models import JournalEntry
from procurement.core.money import ZERO, round_half_up
from procurement.core.workflow import Transition

JOURNAL_SHOWN = 8


@dataclass
class MemberRow:
    """One member as the page shows it. ``total`` is € excl. tax, None when unknown or not the reader's to see."""

    membership: Membership
    deliberation: Deliberation | None
    badge: Badge | None
    is_own: bool
    may_edit: bool
    total: Decimal | None
    needs_badge: Badge | None


@dataclass
class LotRow:
    """One lot: what the reader may see of its needs (€ excl. tax), how many members expressed one, the frozen total."""

    lot: Lot
    total: Decimal | None
    answers: int
    frozen: Decimal | None


@dataclass
class Step:
    """A step the reader may ask for; ``refusal`` says why it cannot be taken now, empty when it can."""

    transition: Transition
    refusal: str


class Page:
    """What one grouping's page shows to one affiliation, read in a fixed number of queries."""

    def __init__(self, grouping: Grouping, affiliation, today: date, *, now: datetime | None = None):
        """``now`` (at Paris time) tells whether offers may still come; without it that is left to the action."""
        self.grouping, self.affiliation, self.today, self.now = grouping, affiliation, today, now
        self.sees_all = sees_all(grouping, affiliation)
        self.may_change = may_change(grouping, affiliation)
        approvals = grouping.memberships.with_approval(self.today, with_sessions=grouping.is_in_preparation)
        self.memberships = list(approvals.with_answer())
        self.lots = list(grouping.lots.all())
        self.needs = list(NeedLine.objects.visible_to(affiliation).filter(membership__grouping=grouping))
        # Counting drops the model's own order: the latest version first.
        versions = grouping.conventions.annotate(document_count=Count("documents")).order_by("-version")
        self.awards = page_awards(grouping, affiliation)
        self.tender = (
            None if grouping.is_declared_only else tender_summary(grouping, lots=self.lots, awards=self.awards)
        )
        # A member learns the amounts of the others from the frozen values; the coordinator's people never need them.
        self.conventions = list(versions.defer("values") if self.sees_all else versions)
        self.frozen = frozen_amounts(self.latest, affiliation, self.sees_all)

    @property
    def latest(self) -> Convention | None:
        return self.conventions[0] if self.conventions else None

    @cached_property
    def launch_states(self) -> list[MemberState]:
        return launch_states(self.grouping, self.memberships, self.today)

    @property
    def earlier(self) -> list[Convention]:
        return self.conventions[1:]

    @property
    def active_ids(self) -> set[int]:
        return {membership.pk for membership in self.memberships if membership.is_active}

    def documents(self) -> list[ConventionDocument]:
        """The files of the latest version that the reader may open."""
        if self.latest is None:
            return []
        found = ConventionDocument.objects.visible_to(self.affiliation).filter(convention=self.latest)
        documents = list(
            found.select_related("membership__organisation").order_by("membership__organisation__sort_name")
        )
        for document in documents:
            document.convention = self.latest
            self.latest.grouping = self.grouping
        return documents

    def member_rows(self) -> list[MemberRow]:
        """By name, the reader's own body first when it is a member like the others; the withdrawn at the end."""
        totals: dict[int, Decimal] = {}
        for need in self.needs:
            if need.estimated_amount_excl_tax is not None:
                totals[need.membership_id] = (
                    totals.get(need.membership_id, ZERO) + need.estimated_amount_excl_tax.amount
                )
        rows = [
            MemberRow(
                membership=membership,
                deliberation=(vote := next(iter(membership.votes), None)),
                badge=self._badge(membership, vote),
                is_own=membership.organisation_id == self.affiliation.organisation_id,
                may_edit=may_change_needs(self.grouping, membership.organisation_id, self.affiliation),
                total=totals.get(membership.pk),
                needs_badge=self._needs_badge(membership),
            )
            for membership in self.memberships
        ]
        rows.sort(key=lambda row: (not row.membership.is_active, not (row.is_own and not self.sees_all)))
        return rows

    def own_answer(self, rows: list[MemberRow]) -> MemberRow | None:
        """The row of a member that may answer the survey; None for the people of the coordinator."""
        if self.sees_all or self.grouping.status != GroupingStatus.NEEDS or self.grouping.is_declared_only:
            return None
        return next((row for row in rows if row.is_own and row.may_edit and row.membership.is_active), None)

    def _badge(self, membership: Membership, vote: Deliberation | None) -> Badge | None:
        if vote is None or not membership.is_active:
            return None
        due = self.grouping.deliberations_due_on
        is_late = vote.status in AWAITING_VOTE and due is not None and due < self.today
        return LATE_BADGE if is_late and self.grouping.is_in_preparation else vote.badge

    def _needs_badge(self, membership: Membership) -> Badge | None:
        """An answer begun and not sent, or sent; told to the member itself and to the coordinator's people."""
        own = membership.organisation_id == self.affiliation.organisation_id
        if not (self.sees_all or own) or not membership.is_active or not self.grouping.is_in_preparation:
            return None
        if not (membership.has_draft or membership.has_submission):
            return None
        return answer_badge(has_draft=membership.has_draft, has_submission=membership.has_submission)

    def lot_rows(self) -> list[LotRow]:
        active = self.active_ids
        rows = []
        for lot in self.lots:
            lines = [need for need in self.needs if need.lot_id == lot.pk and need.membership_id in active]
            known = [n.estimated_amount_excl_tax.amount for n in lines if n.estimated_amount_excl_tax is not None]
            rows.append(
                LotRow(lot, round_half_up(sum(known, ZERO)) if known else None, len(lines), self.frozen.get(lot.number))
            )
        return rows

    def needs_total(self) -> Decimal:
        """€ excl. tax, of the needs the reader may see, members withdrawn left out."""
        active = self.active_ids
        amounts = (n.estimated_amount_excl_tax for n in self.needs if n.membership_id in active)
        return round_half_up(sum((money.amount for money in amounts if money is not None), ZERO))

    def steps(self) -> list[Step]:
        """The next steps of the life cycle, each with the reason why it is refused now; those that go forward first."""
        if not self.may_change:
            return []
        open_steps = GROUPING_WORKFLOW.open_to(self.grouping, self.affiliation.role)
        return [
            Step(transition, self._refusal(transition))
            for transition in sorted(open_steps, key=lambda transition: transition.needs_reason)
        ]

    def _refusal(self, transition: Transition) -> str:
        """The guard's own rule, fed with what the page has already read; the action asks the guard again."""
        active = self.active_ids
        buying = {need.membership_id for need in self.needs} & active
        answered = {membership.pk for membership in self.memberships if membership.has_answer} & active
        if transition.guard is None:
            return ""
        if transition.name == "close_needs":
            return convention_refusal(
                lots=len(self.lots),
                members=len(active),
                members_answered=len(answered),
                members_with_needs=len(buying),
            )
        if transition.name == "start_votes":
            return votes_refusal(has_convention=bool(self.conventions))
        if transition.name == "launch":
            lots = unbounded_lots(self.lots, self.today)
            return launch_refusal(**readiness(self.launch_states), unbounded=lots)
        if transition.name == "start_award":
            return self.tender.closing_refusal() or (self.tender.still_open(self.now) if self.now else "")
        if transition.name == "start_performance":
            return self.tender.notification_refusal()
        return transition.guard(self.grouping)


def frozen_amounts(convention: Convention | None, affiliation, everything: bool) -> dict[int, Decimal]:
    """Lot number → total (€ excl. tax) printed in the convention's annex, for a reader whose body is party to it.

    A member learns the amounts of the others only from the frozen document it was handed. Empty for the coordinator's
    people, who see the needs themselves.
    """
    if convention is None or everything:
        return {}
    values = convention.values
    if affiliation.organisation.siren not in {member["siren"] for member in values["members"]}:
        return {}
    totals = {lot["number"]: ZERO for lot in values["lots"]}
    for need in values["needs"]:
        totals[need["lot"]] += Decimal(need["estimated_amount_excl_tax"])
    return totals


PLANNED = (
    ("opened_on", "Ouverture du recensement"),
    ("needs_due_on", "Besoins attendus"),
    ("deliberations_due_on", "Délibérations exécutoires attendues"),
    ("launch_planned_on", "Lancement de la consultation"),
    ("award_planned_on", "Notification du marché"),
    ("performance_planned_on", "Début d’exécution"),
)


def planned_dates(grouping: Grouping, today: date) -> list[dict]:
    """The milestones that have a date, in their order, with the end of the contract when its beginning is planned."""
    dates = [(label, getattr(grouping, name)) for name, label in PLANNED]
    if grouping.performance_planned_on:
        dates.append(("Fin du marché, reconductions comprises", _end(grouping)))
    return [{"label": label, "on": on, "is_past": on < today} for label, on in dates if on]


def _end(grouping: Grouping) -> date:
    """The last day: a market of 12 months that begins on 1 January ends on 31 December."""
    after = add_months(grouping.performance_planned_on, grouping.total_months)
    return date.fromordinal(after.toordinal() - 1)


@require_safe
def grouping_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One grouping; 404 outside the perimeter."""
    return render_page(request, find_grouping(request, pk))


def render_page(request: HttpRequest, grouping: Grouping, *, status: int = 200, **extra) -> HttpResponse:
    """The page, also used to show why a step was refused."""
    today = timezone.localdate()
    page = Page(grouping, request.affiliation, today, now=timezone.localtime())
    whole_journal = request.GET.get("journal") == "tout"
    entries = JournalEntry.objects.of_thread(grouping.thread, request.affiliation).defer("before", "after")
    journal = list(entries if whole_journal else entries[: JOURNAL_SHOWN + 1])
    rows = page.member_rows()
    steps = page.steps()
    active = [row for row in rows if row.membership.is_active]
    context = {
        "grouping": grouping,
        "page": page,
        "today": today,
        "rows": rows,
        "member_count": len(active),
        "executory_count": sum(1 for row in active if row.deliberation and row.deliberation.executory_on),
        "lots": page.lot_rows(),
        "tender": page.tender,
        "needs_total": page.needs_total(),
        "frozen_total": sum(page.frozen.values(), ZERO),
        "steps": steps,
        # The button stands in the step that waits for it, once on the page.
        "asks_convention": any(step.transition.name == "start_votes" and step.refusal for step in steps),
        "own_needs": page.own_answer(rows),
        "launch": launch_card(grouping, page.launch_states, today)
        if grouping.is_in_preparation and not grouping.is_declared_only
        else None,
        "planned": planned_dates(grouping, today),
        "procedure": page_card(grouping, page, today),
        "cpv_label": cpv.label(grouping.cpv) if cpv.is_known(grouping.cpv) else "",
        "documents": page.documents(),
        "contracts": summaries_of(page.awards, request.affiliation, today),
        "is_in_use": grouping.status in IN_USE,
        "may_renew": page.may_change and grouping.status in RENEWABLE and not grouping.is_declared_only,
        "may_generate": page.may_change
        and may(request.affiliation, "convention.generate", organisation_id=grouping.coordinator_id)
        and not grouping.is_declared_only,
        "journal": journal if whole_journal else journal[:JOURNAL_SHOWN],
        "journal_goes_on": len(journal) > JOURNAL_SHOWN and not whole_journal,
        **extra,
    }
    return render(request, "groupings/detail.html", context, status=status)
