"""What must I do today? The rule behind the first screen: late, due within fifteen days, to transmit.

``classify`` is the rule, a pure function of dates. ``todo_on`` applies it to what an affiliation must act on: for the
coordinator's people every member of every grouping in preparation, for a member's people their own organisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from groupings.amendment_choices import AmendmentStatus
from groupings.choices import (
    AWAITING_VOTE,
    IN_PREPARATION,
    NEEDS_CHANGED_BADGE,
    NEEDS_DRAFT_BADGE,
    ON_A_SESSION,
    WITHOUT_EFFECT,
    Badge,
    DeliberationStatus,
    GroupingStatus,
)
from groupings.execution import ContractSummary, watched_contracts
from groupings.models import Deliberation, Grouping, Membership
from groupings.tender_todo import TenderTask, watched_tenders

#: A deadline this near is shown today.
SOON = timedelta(days=15)
#: A vote on the agenda of a session this near is shown too, whatever the deadline.
SESSION_SOON = timedelta(days=7)
NBSP = "\u00a0"


class Urgency(StrEnum):
    LATE = "late"
    SOON = "soon"
    LATER = "later"


class Subject(StrEnum):
    NEEDS = "needs"
    VOTE = "vote"
    TRANSMISSION = "transmission"
    SIGNATURE = "signature"


def classify(due_on: date | None, session_on: date | None, today: date) -> Urgency:
    """Where something not done yet stands.

    Late once its deadline has passed (the day itself is not late); soon when the deadline falls within fifteen days,
    or when the session that is to vote falls within seven (or has been held, and its result is unknown).
    """
    if due_on is not None and due_on < today:
        return Urgency.LATE
    if due_on is not None and due_on <= today + SOON:
        return Urgency.SOON
    if session_on is not None and session_on <= today + SESSION_SOON:
        return Urgency.SOON
    return Urgency.LATER


@dataclass(frozen=True)
class Task:
    """One thing one member must do for one grouping.

    ``what`` is the French sentence of the next step, without its final stop; ``due_on`` the deadline that sorts tasks
    (None: no date was planned); ``session_on`` the assembly's meeting it depends on, or its next known one;
    ``session_is_chosen``: the vote stands on that meeting's agenda.
    """

    subject: Subject
    urgency: Urgency
    grouping: Grouping
    membership: Membership
    what: str
    due_on: date | None
    session_on: date | None = None
    session_is_chosen: bool = False
    deliberation: Deliberation | None = None
    #: What must be seen before the rest: an answer begun and not sent.
    badge: Badge | None = None

    @property
    def wants_convention(self) -> bool:
        """Whether the convention's PDF is the document to join."""
        return self.subject != Subject.NEEDS


@dataclass(frozen=True)
class Milestone:
    """A planned date of a grouping: the answer when nothing is to be done today."""

    on: date
    label: str
    grouping: Grouping


@dataclass
class Todo:
    """The tasks of one day, each list with the oldest deadline first; ``contracts``: those in use that ask for
    something; ``tenders``: what the launched ones do."""

    late: list[Task] = field(default_factory=list)
    soon: list[Task] = field(default_factory=list)
    to_transmit: list[Task] = field(default_factory=list)
    later: list[Task] = field(default_factory=list)
    contracts: list[ContractSummary] = field(default_factory=list)
    tenders: list[TenderTask] = field(default_factory=list)
    #: Whether any tender is followed, even one that asks for nothing today.
    has_tenders: bool = False
    next_milestone: Milestone | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.late or self.soon or self.to_transmit or self.contracts or self.tenders)

    @property
    def sentence(self) -> str:
        """The three numbers, as one French sentence."""
        late, soon, sent = len(self.late), len(self.soon), len(self.to_transmit)
        return (
            f"{late} échéance{_s(late)} en retard, {soon} attendue{_s(soon)} sous 15{NBSP}jours, "
            f"{sent} délibération{_s(sent)} à transmettre au contrôle de légalité."
        )


def _s(count: int) -> str:
    return "s" if count > 1 else ""


def todo_on(affiliation, today: date, now: datetime | None = None, followed: Sequence[Grouping] | None = None) -> Todo:
    """The tasks of ``affiliation`` on ``today``; empty for nobody. Eight queries at most, whatever the rows.

    ``followed``: its ``followed_groupings``, when the caller has read them already. ``now``: what the hour the
    offers are due is compared with; without it, the first instant of ``today`` in Paris.
    """
    todo = Todo()
    if affiliation is None:
        return todo
    for task in [*_votes(affiliation, today), *_signatures(affiliation, today), *needs_tasks(affiliation, today)]:
        {Urgency.LATE: todo.late, Urgency.SOON: todo.soon, Urgency.LATER: todo.later}[task.urgency].append(task)
    todo.to_transmit = _transmissions(affiliation, today)
    todo.contracts = watched_contracts(affiliation, today)
    at = now or timezone.make_aware(datetime.combine(today, time.min))
    todo.tenders, todo.has_tenders = watched_tenders(affiliation, at, SOON)
    for tasks in (todo.late, todo.soon, todo.later, todo.to_transmit):
        tasks.sort(key=_oldest_deadline_first)
    if todo.is_empty:
        todo.next_milestone = _own_next(affiliation, todo.later) or next_milestone(affiliation, today, followed)
    return todo


def _own_next(affiliation, later: list[Task]) -> Milestone | None:
    """For a member's people the next date is that of their own next task, not of what others must do."""
    dated = [task for task in later if task.due_on is not None]
    if affiliation.sees_whole_territory or not dated:
        return None
    first = dated[0]
    return Milestone(first.due_on, first.what[0].lower() + first.what[1:], first.grouping)


def _oldest_deadline_first(task: Task) -> tuple:
    organisation = task.membership.organisation
    return (task.due_on or date.max, task.session_on or date.max, task.grouping.reference, organisation.sort_name)


def _is_awaited() -> Q:
    """The votes of the founding text while the grouping is prepared, those of an amendment while it is voted."""
    founding = Q(amendment__isnull=True, membership__grouping__status__in=IN_PREPARATION)
    return founding | Q(amendment__status=AmendmentStatus.VOTES)


def _votes(affiliation, today: date) -> list[Task]:
    waiting = (
        Deliberation.objects.about(affiliation)
        .filter(
            status__in=(*AWAITING_VOTE, *WITHOUT_EFFECT),
            membership__withdrawn_on__isnull=True,
        )
        .filter(_is_awaited())
        .with_next_session(today)
        .select_related("session", "amendment", "membership__organisation", "membership__grouping__coordinator")
    )
    tasks = []
    for deliberation in waiting:
        grouping = deliberation.membership.grouping
        chosen = chosen_session(deliberation)
        urgency = classify(deliberation.due_on, chosen, today)
        # While needs are surveyed there is no text to vote yet: nothing to announce before the deadline is near.
        if urgency == Urgency.LATER and grouping.status == GroupingStatus.NEEDS and not deliberation.amendment_id:
            continue
        tasks.append(
            Task(
                subject=Subject.VOTE,
                urgency=urgency,
                grouping=grouping,
                membership=deliberation.membership,
                what=vote_step(deliberation, today),
                due_on=deliberation.due_on,
                session_on=chosen or deliberation.next_session_on,
                session_is_chosen=chosen is not None,
                deliberation=deliberation,
            )
        )
    return tasks


_UNDONE = {
    DeliberationStatus.REJECTED: "rejetée",
    DeliberationStatus.WITHDRAWN: "retirée",
    DeliberationStatus.ANNULLED: "annulée",
}


def chosen_session(deliberation: Deliberation) -> date | None:
    """The meeting whose agenda holds the vote; a meeting that postponed it, or lacked its quorum, does not any more."""
    on_agenda = deliberation.status in ON_A_SESSION
    return deliberation.session.meeting_on if on_agenda and deliberation.session else None


def vote_step(deliberation: Deliberation, today: date) -> str:
    """The next step towards the vote, by the state of the deliberation and the date of its session."""
    if deliberation.amendment is not None:
        name = deliberation.amendment.name
        return f"{_step_of(deliberation, today)} ({name[0].lower()}{name[1:]})"
    return _step_of(deliberation, today)


def _step_of(deliberation: Deliberation, today: date) -> str:
    if deliberation.status in WITHOUT_EFFECT:
        return (
            f"Délibérer de nouveau, ou quitter le groupement{NBSP}: la délibération est {_UNDONE[deliberation.status]}"
        )
    if deliberation.kind == Deliberation.Kind.PRESIDENT:
        return "Prendre la décision et l’enregistrer"
    chosen = chosen_session(deliberation)
    if chosen is None:
        again = deliberation.status in (DeliberationStatus.POSTPONED, DeliberationStatus.NO_QUORUM)
        return f"Inscrire {'de nouveau ' if again else ''}la délibération à l’ordre du jour d’une séance"
    if chosen < today:
        return f"Saisir le résultat du vote de la séance du {chosen:%d/%m/%Y}"
    if deliberation.status == DeliberationStatus.ON_AGENDA:
        return f"Convoquer la séance du {chosen:%d/%m/%Y}"
    return f"Délibérer à la séance du {chosen:%d/%m/%Y}"


def _transmissions(affiliation, today: date) -> list[Task]:
    adopted = (
        Deliberation.objects.about(affiliation)
        .awaiting_effect()
        .filter(_is_awaited())
        .with_text_voted()
        .select_related("amendment", "membership__organisation", "membership__grouping__coordinator")
    )
    return [
        Task(
            subject=Subject.TRANSMISSION,
            urgency=classify(deliberation.due_on, None, today),
            grouping=deliberation.membership.grouping,
            membership=deliberation.membership,
            what=other_text_step(deliberation) if deliberation.voted_other_text else effect_step(deliberation),
            due_on=deliberation.due_on,
            deliberation=deliberation,
        )
        for deliberation in adopted
    ]


def _signatures(affiliation, today: date) -> list[Task]:
    """The convention is signed once the act is enforceable, and approves its text; the launch waits for it."""
    unsigned = (
        Deliberation.objects.about(affiliation)
        .approvals()
        .cleared()
        .filter(
            membership__grouping__status=GroupingStatus.DELIBERATIONS,
            membership__withdrawn_on__isnull=True,
            membership__signatures__isnull=True,
        )
        .with_text_voted()
        .select_related("membership__organisation", "membership__grouping__coordinator")
    )
    return [_signature_task(deliberation, affiliation, today) for deliberation in unsigned]


def _signature_task(deliberation: Deliberation, affiliation, today: date) -> Task:
    grouping = deliberation.membership.grouping
    what = "Signer la convention" if not affiliation.sees_whole_territory else "Faire signer la convention"
    subject, due_on = Subject.SIGNATURE, grouping.launch_planned_on
    urgency = classify(due_on, None, today)
    if deliberation.voted_other_text:
        what, subject, due_on = other_text_step(deliberation), Subject.VOTE, grouping.deliberations_due_on
        urgency = min(classify(due_on, None, today), Urgency.SOON, key=list(Urgency).index)  # nobody expects it: now
    return Task(
        subject=subject,
        urgency=urgency,
        grouping=grouping,
        membership=deliberation.membership,
        what=what,
        due_on=due_on,
        deliberation=deliberation,
    )


def other_text_step(deliberation: Deliberation) -> str:
    """What a member owes whose act approves a text that is no longer that of the convention (``with_text_voted``)."""
    return (
        f"Délibérer de nouveau{NBSP}: la version {deliberation.voted_version} votée n’est plus le texte de la "
        f"convention, en version {deliberation.current_version}"
    )


def effect_step(deliberation: Deliberation) -> str:
    """What an adopted deliberation still lacks: it is enforceable once published and received (CGCT, L2131-1)."""
    if deliberation.transmitted_on is None:
        return "Transmettre la délibération au contrôle de légalité"
    if deliberation.received_on is None:
        return "Enregistrer l’accusé de réception de la préfecture"
    return "Publier la délibération et saisir la date de publication"


def _surveyed(affiliation):
    """The memberships whose needs the affiliation acts for, whatever they have answered."""
    surveyed = (
        Membership.objects.visible_to(affiliation)
        .active()
        .filter(grouping__is_declared_only=False)
        .exclude(grouping__coordinator_has_own_need=False, organisation_id=F("grouping__coordinator_id"))
    )
    if not affiliation.sees_whole_territory:
        own = affiliation.organisation_id
        surveyed = surveyed.filter(Q(organisation_id=own) | Q(grouping__coordinator_id=own))
    return surveyed


def without_needs(affiliation):
    """Memberships, among those the affiliation acts for, that must still say their needs (no answer: unknown)."""
    return _surveyed(affiliation).filter(grouping__status=GroupingStatus.NEEDS).silent()


def needs_tasks(affiliation, today: date, *, organisation_id: int | None = None) -> list[Task]:
    """Who has not answered, and who has begun to write without sending it; a member let in again after the closing
    has until its own day. One query; of one body only, with ``organisation_id``."""
    reopened = Q(needs_reopening__until__gte=today, grouping__status__in=IN_PREPARATION)
    opened = Q(grouping__status=GroupingStatus.NEEDS) & ~Q(grouping__needs_campaign__opens_on__gt=today)
    waiting = (
        _surveyed(affiliation)
        .filter(opened | reopened)
        .with_answer()
        .filter(Q(has_answer=False) | Q(has_draft=True))
        .select_related("organisation", "grouping__coordinator", "needs_reopening")
    )
    if organisation_id is not None:
        waiting = waiting.filter(organisation_id=organisation_id)
    return [_needs_task(membership, affiliation, today) for membership in waiting]


def _needs_task(membership: Membership, affiliation, today: date) -> Task:
    reopening = getattr(membership, "needs_reopening", None)
    is_reopened = reopening is not None and reopening.until >= today
    due_on = reopening.until if is_reopened else membership.grouping.needs_due_on
    own = membership.organisation_id == affiliation.organisation_id
    what = "Indiquer vos besoins, lot par lot" if own else "Indiquer les besoins, lot par lot"
    badge = None
    if membership.has_draft:
        badge = NEEDS_CHANGED_BADGE if membership.has_answer else NEEDS_DRAFT_BADGE
        what = "Transmettre vos besoins" if own else "Transmettre les besoins"
    return Task(
        subject=Subject.NEEDS,
        urgency=classify(due_on, None, today),
        grouping=membership.grouping,
        membership=membership,
        what=what,
        due_on=due_on,
        badge=badge,
    )


_MILESTONES = (
    ("needs_due_on", "fin du recensement des besoins", (GroupingStatus.NEEDS,)),
    ("deliberations_due_on", "délibérations exécutoires", IN_PREPARATION),
    ("launch_planned_on", "lancement de la consultation", IN_PREPARATION),
    ("award_planned_on", "notification du marché", None),
)


def followed_groupings(affiliation) -> QuerySet[Grouping]:
    """The visible groupings whose planned dates are still to come: neither closed nor in use."""
    return (
        Grouping.objects.visible_to(affiliation)
        .filter(is_declared_only=False, closed_on__isnull=True)
        .exclude(status__in=(GroupingStatus.CANCELLED, GroupingStatus.PERFORMANCE, GroupingStatus.REVIEW))
    )


def next_milestone(affiliation, today: date, followed: Sequence[Grouping] | None = None) -> Milestone | None:
    """The nearest planned date of a visible grouping, today included; None when nothing is planned."""
    if followed is None:
        followed = list(followed_groupings(affiliation))
    found = [
        Milestone(planned, label, grouping)
        for grouping in followed
        for name, label, stages in _MILESTONES
        if (planned := getattr(grouping, name)) and planned >= today and (stages is None or grouping.status in stages)
    ]
    return min(found, key=lambda milestone: (milestone.on, milestone.grouping.pk), default=None)
