"""What one person's calendar holds: the meetings of the assemblies that matter to it, and the dates not to miss.

The address holds the feed's number and its nonce, signed with the site's key, as for the members' answering links. It
reads with the eyes of its affiliation, and closes with it.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import CharField, OuterRef, Prefetch, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse

from groupings.back_planning import plans_of
from groupings.choices import IN_PREPARATION, ON_A_SESSION, GroupingStatus
from groupings.exchange.ics import Event
from groupings.execution import calendar_awards
from groupings.forecast import notice_of
from groupings.models import CalendarFeed, Deliberation, Grouping, Membership
from groupings.reminders import filing_date
from groupings.rules.back_planning import State
from groupings.stage_events import stage_events
from groupings.todo import without_needs
from members.models import Affiliation, CouncilSession
from members.roles import may
from procurement.core.journal.models import JournalEntry

_SALT = "groupings.calendar_feed"
#: The only shape we ever write, « 12.nonce:signature »: nothing else reaches the key nor the database.
_SHAPE = re.compile(r"[0-9]{1,18}\.[0-9A-Za-z_-]{16,40}:[0-9A-Za-z_-]{43}")
#: Older than this, an event has left the calendar.
HISTORY = timedelta(days=365)
ALARM_DAYS = 7


def feed_token(feed: CalendarFeed) -> str:
    """The end of its address."""
    return Signer(salt=_SALT).sign(f"{feed.pk}.{feed.nonce}")


def feed_url(feed: CalendarFeed) -> str:
    """The full address, to be pasted in a calendar application."""
    return settings.SITE_URL + reverse("calendar_ics", args=[feed_token(feed)])


def find_feed(token: str) -> CalendarFeed | None:
    """The open feed of that address; None when it was never ours, was revoked, or its owner's account is closed."""
    if not _SHAPE.fullmatch(token):
        return None
    try:
        number, _, nonce = Signer(salt=_SALT).unsign(token).partition(".")
    except BadSignature:
        return None
    opened = CalendarFeed.objects.filter(revoked_at__isnull=True, affiliation__user__is_active=True)
    feed = opened.select_related("affiliation__user", "affiliation__organisation").filter(pk=int(number)).first()
    return feed if feed is not None and feed.nonce == nonce else None


def calendar_name(affiliation: Affiliation) -> str:
    return f"Groupements de commandes – {affiliation.organisation.name}"


def events_of(affiliation: Affiliation, today: date) -> list[Event]:
    """The events of ``affiliation``, by date, in twelve queries at most, whatever the number of rows."""
    groupings = _groupings(affiliation)
    events = [
        *_session_events(affiliation, groupings, today),
        *_deadlines(affiliation, groupings, today),
        *_stages(affiliation, groupings, today),
        *_contract_events(affiliation, today),
    ]
    kept = [event for event in events if event.on >= today - HISTORY]
    return sorted(kept, key=lambda event: (event.on, event.uid))


def _groupings(affiliation: Affiliation) -> list[Grouping]:
    """The groupings in preparation the affiliation acts in: all it sees for the coordinator's people; for a member's,
    those its body coordinates or has not left."""
    followed = Grouping.objects.visible_to(affiliation).filter(status__in=IN_PREPARATION, is_declared_only=False)
    if not affiliation.sees_whole_territory:
        own = affiliation.organisation_id
        taking_part = Membership.objects.active().filter(organisation_id=own).values("grouping_id")
        followed = followed.filter(Q(pk__in=taking_part) | Q(coordinator_id=own))
    entries = JournalEntry.objects.filter(thread=Concat(Value("grouping:"), Cast(OuterRef("pk"), CharField())))
    last_entry = Coalesce(Subquery(entries.order_by("-pk").values("pk")[:1]), 0)
    return list(followed.select_related("coordinator").annotate(last_entry=last_entry))


def _session_events(affiliation: Affiliation, groupings: list[Grouping], today: date) -> Iterator[Event]:
    """The meetings of one's own assembly, and of those of the members one coordinates; for each, the day its agenda
    closes to a text: the body's own date, at the latest the last lawful dispatch of the convocation."""
    own, whole = affiliation.organisation_id, affiliation.sees_whole_territory
    coordinated = [grouping.pk for grouping in groupings if whole or grouping.coordinator_id == own]
    members = Membership.objects.active().filter(grouping__in=coordinated)
    on_agenda = (
        Deliberation.objects.about(affiliation)
        .filter(status__in=ON_A_SESSION, membership__withdrawn_on__isnull=True)
        .select_related("membership__grouping")
        .order_by("membership__grouping__reference")
    )
    sessions = (
        CouncilSession.objects.visible_to(affiliation)
        .filter(Q(organisation_id=own) | Q(organisation__in=members.values("organisation_id")))
        .filter(meeting_on__gte=today - HISTORY)
        .select_related("organisation__parent")
        .prefetch_related(Prefetch("deliberations", on_agenda, to_attr="agenda"))
    )
    waiting = _bodies_with_a_text(affiliation, groupings)
    for session in sessions:
        body = session.organisation
        is_own = session.organisation_id == own
        agenda = [f"{d.membership.grouping.reference} – {d.membership.grouping.title}" for d in session.agenda]
        common = {
            "sequence": session.version,
            "description": "\n".join(["À l’ordre du jour\u00a0:", *agenda]) if agenda else "",
            "url": _absolute("organisation_detail", body.pk),
        }
        yield Event(
            uid=_uid(f"seance-{session.pk}"),
            on=session.meeting_on,
            summary=f"{body.name}\u00a0: séance {body.body.of_assembly}",
            is_busy=is_own,
            **common,
        )
        closes_on = filing_date(session, notice_of(body, session.meeting_on))
        yield Event(
            uid=_uid(f"ordre-du-jour-{session.pk}"),
            on=closes_on,
            summary=f"{body.name}\u00a0: clôture de l’ordre du jour de la séance du {session.meeting_on:%d/%m/%Y}",
            alarm_days=ALARM_DAYS if body.pk in waiting and closes_on >= today else None,
            **common,
        )


def _bodies_with_a_text(affiliation: Affiliation, groupings: list[Grouping]) -> set[int]:
    """The bodies that still have a deliberation to put on some agenda: for the others the closing date is only told."""
    asked = [grouping.pk for grouping in groupings if grouping.status != GroupingStatus.NEEDS]
    needs_no_agenda = Q(status__in=ON_A_SESSION) | Q(kind=Deliberation.Kind.PRESIDENT)
    waiting = Deliberation.objects.about(affiliation).awaiting_vote().exclude(needs_no_agenda)
    return set(
        waiting.filter(membership__grouping__in=asked).values_list("membership__organisation_id", flat=True).distinct()
    )


#: Field of the grouping → (name in the UID, what it is, the stages that still wait for it).
_DEADLINES = {
    "needs_due_on": ("besoins", "besoins à indiquer", (GroupingStatus.NEEDS,)),
    "deliberations_due_on": ("deliberations", "délibérations exécutoires attendues", IN_PREPARATION),
    "launch_planned_on": ("lancement", "lancement prévu de la consultation", IN_PREPARATION),
}


def _deadlines(affiliation: Affiliation, groupings: list[Grouping], today: date) -> Iterator[Event]:
    """The planned dates. An alarm only rings for who still has something to do: not for a vote that is enforceable,
    nor for a day gone by (Outlook tells the missed alarms of a new calendar all at once)."""
    done = _done(affiliation, groupings)
    for grouping in groupings:
        for field, (name, what, stages) in _DEADLINES.items():
            on = getattr(grouping, field)
            if on is None or (on >= today and grouping.status not in stages):
                continue
            yield Event(
                uid=_uid(f"echeance-{grouping.pk}-{name}"),
                sequence=grouping.version,
                on=on,
                summary=f"{grouping.title}\u00a0: {what}",
                description=f"{grouping.reference}, coordonné par {grouping.coordinator.name}",
                url=_absolute("grouping_detail", grouping.pk),
                alarm_days=ALARM_DAYS if on >= today and (grouping.pk, field) not in done else None,
            )


#: Stages whose day the calendar of the grouping tells already, once it holds one: field → stage.
_TOLD = {"needs_due_on": "needs", "deliberations_due_on": "deliberations"}


def _stages(affiliation: Affiliation, groupings: list[Grouping], today: date) -> Iterator[Event]:
    """What is left of the back-plannings of those who may change them: the buyers and jurists of the coordinator."""
    own, whole = affiliation.organisation_id, affiliation.sees_whole_territory
    mine = [
        grouping
        for grouping in groupings
        if (whole or grouping.coordinator_id == own)
        and may(affiliation, "grouping.change", organisation_id=grouping.coordinator_id)
    ]
    for grouping, plan in plans_of(mine, today):
        told = {stage for field, stage in _TOLD.items() if getattr(grouping, field) is not None}
        left = tuple(stage for stage in plan.stages if stage.state != State.DONE and stage.code not in told)
        # The journal's last entry: it rises with every change of the grouping, of its needs and of its acts.
        yield from stage_events(grouping, replace(plan, stages=left), sequence=grouping.last_entry)


def _contract_events(affiliation: Affiliation, today: date) -> Iterator[Event]:
    """The end of each contract in use and, for its coordinator's people, the notice of its next extension."""
    for award in calendar_awards(affiliation):
        grouping = award.lot.grouping
        coordinates = affiliation.sees_whole_territory or grouping.coordinator_id == affiliation.organisation_id
        dates = [(award.ends_on, "fin", "fin du marché")]
        if coordinates:
            dates.append((award.notice_due_on, "preavis", "préavis de reconduction"))
        for on, name, what in dates:
            if on is None:
                continue
            yield Event(
                uid=_uid(f"marche-{award.pk}-{name}"),
                sequence=award.version,
                on=on,
                summary=f"{grouping.title}, lot {award.lot.number}\u00a0: {what}",
                description=f"{grouping.reference}, {award.lot.title}",
                url=settings.SITE_URL + reverse("contract", args=[grouping.pk, award.pk]),
                alarm_days=ALARM_DAYS if coordinates and on >= today else None,
            )


def _done(affiliation: Affiliation, groupings: list[Grouping]) -> set[tuple[int, str]]:
    """(grouping, field) of what the member itself has nothing left to do for; empty for the coordinator's people."""
    own = affiliation.organisation_id
    pks = [g.pk for g in groupings if not affiliation.sees_whole_territory and g.coordinator_id != own]
    if not pks:
        return set()
    cleared = Deliberation.objects.visible_to(affiliation).approvals().cleared()
    voted = cleared.filter(membership__organisation_id=own, membership__grouping__in=pks)
    silent = set(without_needs(affiliation).filter(organisation_id=own).values_list("grouping_id", flat=True))
    return {(pk, "deliberations_due_on") for pk in voted.values_list("membership__grouping_id", flat=True)} | {
        (pk, "needs_due_on") for pk in pks if pk not in silent
    }


def _uid(name: str) -> str:
    """The same for ever, whoever reads it: a calendar application recognises by it an event that moved."""
    return f"{name}@{urlsplit(settings.SITE_URL).hostname}"


def _absolute(name: str, pk: int) -> str:
    return settings.SITE_URL + reverse(name, args=[pk])
