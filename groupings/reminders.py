"""Which mail each member must receive today, by the state of its deliberation and its council's calendar.

``plan`` reads, ``send`` stores: the mail then leaves after the commit. A reminder is known by what it asks, its
deadline and its step, so that it never leaves twice for the same deadline, and a missed night is caught up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from groupings import mailing
from groupings.choices import AWAITING_VOTE, IN_FORCE, GroupingStatus
from groupings.forecast import notice_of
from groupings.links import link_open, link_url
from groupings.models import ConventionDocument, Deliberation, DraftDocument, Grouping
from groupings.rules.clear_days import latest_dispatch_on
from groupings.rules.reminders import BEFORE, step_after, step_before
from groupings.todo import Subject, chosen_session, effect_step, todo_on, vote_step
from members.models import Affiliation, CouncilSession
from members.roles import Role
from procurement.core.actors import Actor
from procurement.core.journal.record import record
from procurement.core.mail.models import OutgoingMessage
from procurement.core.mail.sending import Attachment, queue
from procurement.core.uploads import DOCX_TYPE, PDF_TYPE

#: A first reminder is not sent to who has just received the kit.
QUIET = timedelta(days=10)


@dataclass(frozen=True)
class Reminder:
    """One mail to one member's addresses.

    ``due_on`` is the deadline it tells, None when there is none; ``step``, « J-7 » or « J+9 », is counted from
    ``counted_from``: that deadline, or the session whose sequel is awaited.
    """

    deliberation: Deliberation
    what: str
    due_on: date | None
    is_late: bool
    counted_from: date
    step: str
    why: str
    recipients: tuple[str, ...]
    wants_documents: bool

    @property
    def subject(self) -> str:
        title = self.deliberation.membership.grouping.title
        return mailing.subject(self.what, self.due_on, title, is_late=self.is_late)

    def key(self, recipient: str) -> str:
        """Unique for ever: the same deadline is never told twice at the same step to the same address."""
        slug = "vote" if self.wants_documents else "act"
        return f"reminder:{self.deliberation.pk}:{slug}:{self.counted_from:%Y-%m-%d}:{self.step}:{recipient}"


def plan(today: date) -> list[Reminder]:
    """The reminders that should leave on ``today`` and have not, by organisation. Reads only."""
    found = [reminder for deliberation in _followed(today) if (reminder := _reminder(deliberation, today))]
    known = _known_keys(reminder.key(address) for reminder in found for address in reminder.recipients)
    return [
        reminder
        for reminder in found
        if not reminder.recipients or any(reminder.key(address) not in known for address in reminder.recipients)
    ]


def send(reminder: Reminder, *, actor: Actor, now: datetime) -> int:
    """Store one reminder for each of its addresses, renewing the member's link. Returns how many were new."""
    membership = reminder.deliberation.membership
    grouping = membership.grouping
    if not reminder.recipients:
        return 0
    with transaction.atomic():
        link = link_open(membership=membership, actor=actor, now=now)
        text = mailing.text(
            "reminder", reminder=reminder, membership=membership, grouping=grouping, link=link_url(link)
        )
        attachments = _documents(reminder) if reminder.wants_documents else []
        queued = [
            queue(
                key=reminder.key(address),
                recipient=address,
                subject=reminder.subject,
                text=text,
                territory_id=grouping.territory_id,
                thread=grouping.thread,
                organisation_id=membership.organisation_id,
                attachments=attachments,
                now=now,
            )
            for address in reminder.recipients
        ]
        sent = [message for message in queued if message is not None]
        if sent:
            record(
                actor=actor,
                territory_id=grouping.territory_id,
                thread=grouping.thread,
                concerns_id=membership.organisation_id,
                verb="reminder.send",
                sentence=(
                    f"Relance {reminder.step} envoyée à {membership.organisation.name}\u00a0: {reminder.what} "
                    f"({', '.join(message.recipient for message in sent)})"
                ),
            )
    return len(sent)


def _followed(today: date) -> QuerySet:
    """The approvals asked for and not yet enforceable, with what a reminder needs, in a fixed number of queries."""
    coming = CouncilSession.objects.filter(meeting_on__gte=today).order_by("meeting_on")
    return (
        Deliberation.objects.approvals()
        .filter(membership__grouping__status=GroupingStatus.DELIBERATIONS, membership__withdrawn_on__isnull=True)
        .select_related(
            "session",
            "membership__organisation__parent",
            "membership__grouping__coordinator",
            "membership__grouping__buyer",
        )
        .prefetch_related(Prefetch("membership__organisation__sessions", coming, to_attr="coming"))
        .order_by("membership__organisation__sort_name", "membership__grouping__reference")
    )


def plan_now(grouping: Grouping, today: date) -> list[Reminder]:
    """A reminder to every member of ``grouping`` that has something to do, asked for by its buyer, whatever the
    calendar says. At most one a day each."""
    return [
        asked
        for deliberation in _followed(today).filter(membership__grouping=grouping)
        if (asked := _reminder(deliberation, today, step=f"du {today:%d/%m/%Y}"))
    ]


def _reminder(deliberation: Deliberation, today: date, *, step: str = "") -> Reminder | None:
    """The reminder of one deliberation: the one a person asks for with ``step``, else the one the calendar asks for."""
    if deliberation.status in AWAITING_VOTE:
        return _before_vote(deliberation, today, step)
    if deliberation.status in IN_FORCE and not deliberation.is_cleared:
        return _after_vote(deliberation, deliberation.decided_on, effect_step(deliberation), today, step)
    return None


def _before_vote(deliberation: Deliberation, today: date, asked: str) -> Reminder | None:
    chosen = chosen_session(deliberation)
    if chosen is not None:
        what = vote_step(deliberation, today)
        return _after_vote(deliberation, chosen, what, today, asked) if chosen < today else None
    what, due_on, why = _filing(deliberation, today)
    if due_on is None:
        return None
    days = step_before(due_on, today)
    if not asked and (days is None or (days == max(BEFORE) and _was_written(deliberation, today))):
        return None
    is_late = due_on < today  # asked for by the buyer: the calendar asks for nothing once the day has passed
    return _make(deliberation, what, due_on, is_late, due_on, asked or f"J-{days}", why, wants_documents=True)


def _filing(deliberation: Deliberation, today: date) -> tuple[str, date | None, str]:
    """What to do before which day, and why: the next agenda that can take the text, else the grouping's deadline."""
    organisation = deliberation.membership.organisation
    for session in organisation.coming:
        closes_on = filing_date(session, notice_of(organisation, session.meeting_on))
        if closes_on >= today:
            why = f"l’ordre du jour du conseil du {session.meeting_on:%d/%m/%Y} se clôt le {closes_on:%d/%m/%Y}"
            return vote_step(deliberation, today), closes_on, why
    why = "aucune séance de votre assemblée n’est connue"
    return "Indiquer la date de votre prochaine séance", deliberation.membership.grouping.deliberations_due_on, why


def filing_date(session: CouncilSession, notice: int) -> date:
    """The last day a text can reach the agenda: the one the body said, at the latest the last lawful dispatch."""
    latest = latest_dispatch_on(session.meeting_on, notice)
    return min(session.agenda_closes_on, latest) if session.agenda_closes_on else latest


def _after_vote(deliberation: Deliberation, since: date, what: str, today: date, asked: str) -> Reminder | None:
    """A vote held whose result, transmission or publication nobody told: the deadline is the grouping's own, and the
    steps are those of this session, for a text put off to another one awaits it anew."""
    days = step_after(since, today)
    if not asked and days is None:
        return None
    due_on = deliberation.membership.grouping.deliberations_due_on
    is_late = due_on is not None and due_on < today
    why = f"la séance du {since:%d/%m/%Y} est passée"
    return _make(deliberation, what, due_on, is_late, since, asked or f"J+{days}", why, wants_documents=False)


def _make(
    deliberation: Deliberation,
    what: str,
    due_on: date | None,
    is_late: bool,
    counted_from: date,
    step: str,
    why: str,
    *,
    wants_documents: bool,
) -> Reminder:
    addresses = tuple(mailing.recipients(deliberation.membership))
    return Reminder(deliberation, what, due_on, is_late, counted_from, step, why, addresses, wants_documents)


def _was_written(deliberation: Deliberation, today: date) -> bool:
    """Whether this member received a mail of this grouping in the last days (its kit, most often). Those about its
    needs ask something else."""
    membership = deliberation.membership
    recent = OutgoingMessage.objects.of_thread(membership.grouping.thread).filter(
        organisation_id=membership.organisation_id, created_at__date__gt=today - QUIET
    )
    return recent.exclude(key__startswith="needs").exists()


def _known_keys(keys: Iterable[str]) -> set[str]:
    return set(OutgoingMessage.objects.filter(key__in=list(keys)).values_list("key", flat=True))


def _documents(reminder: Reminder) -> list[Attachment]:
    """The member's kit of the latest convention, when it was produced."""
    membership = reminder.deliberation.membership
    latest = membership.grouping.conventions.defer("values").first()
    if latest is None:
        return []
    convention = ConventionDocument.objects.filter(convention=latest, membership=membership).select_related(
        "convention__grouping", "membership__organisation"
    )
    drafts = DraftDocument.objects.filter(convention=latest, membership=membership).select_related(
        "membership__grouping", "membership__organisation"
    )
    return [
        Attachment(
            name=file.filename,
            path=file.file.name,
            content_type=DOCX_TYPE if file.filename.endswith(".docx") else PDF_TYPE,
            sha256=file.sha256,
        )
        for file in (*convention, *drafts)
    ]


def digests(today: date) -> list[tuple[Affiliation, str, str]]:
    """The weekly digest of each buyer of a coordinating body: (affiliation, key, text). A missed Monday is caught up,
    since the key is that of the week. Nobody with nothing to do receives one."""
    year, week, _ = today.isocalendar()
    buyers = (
        Affiliation.objects.filter(
            role=Role.BUYER,
            user__is_active=True,
            organisation__in=Grouping.objects.filter(
                status__in=(
                    GroupingStatus.DELIBERATIONS,
                    GroupingStatus.CONSULTATION,
                    GroupingStatus.AWARD,
                    GroupingStatus.PERFORMANCE,
                )
            ).values("coordinator"),
        )
        .select_related("user", "organisation")
        .order_by("pk")
    )
    keys = {buyer.pk: f"digest:{year}-{week:02}:{buyer.pk}" for buyer in buyers}
    known = _known_keys(keys.values())
    unsent = [buyer for buyer in buyers if keys[buyer.pk] not in known]
    return [(buyer, keys[buyer.pk], text) for buyer in unsent if (text := _digest(buyer, today))]


def _digest(buyer: Affiliation, today: date) -> str:
    todo = todo_on(buyer, today)
    if todo.is_empty:
        return ""
    votes = [task for task in (*todo.late, *todo.soon) if task.subject == Subject.VOTE]
    return mailing.text("digest", todo=todo, votes=votes, today=today, address=mailing.absolute("home"))


def send_digest(buyer: Affiliation, key: str, text: str, *, today: date, now: datetime) -> bool:
    """Store one digest; False when it was already there."""
    monday = today - timedelta(days=today.weekday())
    return bool(
        queue(
            key=key,
            recipient=buyer.user.email,
            subject=f"Semaine du {monday:%d/%m/%Y}\u00a0: où en sont les groupements",
            text=text,
            territory_id=buyer.territory_id,
            thread=f"organisation:{buyer.organisation_id}",
            now=now,
        )
    )
