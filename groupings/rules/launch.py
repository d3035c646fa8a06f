"""The earliest lawful launch of a consultation: what is known, what is assumed, who blocks, what leaving would gain.

The convention must be in force for every member whose needs are in the tender before the procedure starts (CE,
25/04/1994, Région Aquitaine, n° 99926), and a member that joins afterwards cannot benefit from it (réponse
ministérielle, QE n° 100136, 17/05/2011). A member is ready when its act is enforceable and the convention signed. A
date that is not known yet is assumed from the calendar and two margins; without a calendar it stays unknown.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from groupings.rules.clear_days import latest_dispatch_on

#: From the vote to the enforceable act: the list of the deliberations is public within a week (CGCT, L2121-25).
TRANSMISSION_DAYS = 7
#: From the enforceable act to the signed convention: a usage, without a text.
SIGNATURE_DAYS = 15
#: A grouping keeps two members at least (CCP, L2113-6).
_MINIMUM = 2


@dataclass(frozen=True)
class SessionDates:
    """A meeting in a body's calendar, and the day its agenda closes when the body said so."""

    meeting_on: date
    agenda_closes_on: date | None = None


@dataclass(frozen=True)
class MemberState:
    """What is known today of one member's approval.

    ``executory_on``: the day its act became enforceable. ``voted_on``: adopted that day. ``next_session_on``: the
    session it is on the agenda of, else the first that can still take it (``first_usable_session``). ``in_tender``: its
    needs are in the tender, so the launch waits for it. ``needs_vote`` is False when a convention already in force or a
    delegation makes the vote unnecessary. ``can_leave`` is False for the coordinator. ``key`` is the caller's own.
    """

    name: str
    executory_on: date | None = None
    signed_on: date | None = None
    voted_on: date | None = None
    next_session_on: date | None = None
    in_tender: bool = True
    needs_vote: bool = True
    can_leave: bool = True
    key: Hashable = None


@dataclass(frozen=True)
class MemberForecast:
    """When a member will be ready, None when nobody can say; ``is_known``: by facts alone, no margin in it."""

    member: MemberState
    ready_on: date | None
    is_known: bool
    reason: str


@dataclass(frozen=True)
class Exclusion:
    """Launching without some members: the date it gives and the days gained, None where a date is unknown."""

    members: tuple[MemberForecast, ...]
    launch_on: date | None
    days_gained: int | None


@dataclass(frozen=True)
class Forecast:
    """The launch of one grouping.

    ``members``: in the order given. ``launch_on``: never before today; None while one date is unknown, or when nobody's
    needs are in the tender. ``blocking``: the members of unknown date, else those the launch date comes from; empty
    when nobody is waited for. ``exclusions``: one member leaving at a time, only those waited for and free to leave.
    ``without_blocking``: all the blocking members leaving together, None when they cannot.
    """

    today: date
    members: tuple[MemberForecast, ...]
    launch_on: date | None
    blocking: tuple[MemberForecast, ...]
    exclusions: tuple[Exclusion, ...]
    without_blocking: Exclusion | None

    @property
    def sentence(self) -> str:
        """The launch in one French sentence, with what the exclusion of the blocking members would gain."""
        return _sentence(self)


def forecast(
    members: Sequence[MemberState],
    *,
    today: date,
    transmission_days: int = TRANSMISSION_DAYS,
    signature_days: int = SIGNATURE_DAYS,
) -> Forecast:
    """The earliest lawful launch as far as ``today`` knows. Margins are calendar days; ValueError when negative.

    A step that should be over and is not takes its whole margin again from today: the delay shows, nothing is in the
    past. A session gone by without a recorded vote tells nothing of the next one: unknown.
    """
    if transmission_days < 0 or signature_days < 0:
        raise ValueError("Une marge ne peut pas être négative.")
    lines = tuple(_member_forecast(member, today, transmission_days, signature_days) for member in members)
    waited = tuple(line for line in lines if line.member.in_tender)
    launch_on = _launch_on(waited, today)
    blocking = tuple(line for line in waited if line.ready_on == launch_on and not _is_ready(line, today))
    late = [line for line in waited if line.member.can_leave and not _is_ready(line, today)]
    exclusions = (_exclusion((line,), lines, launch_on, today) for line in late)
    return Forecast(
        today,
        lines,
        launch_on,
        blocking,
        tuple(exclusion for exclusion in exclusions if exclusion is not None),
        _exclusion(blocking, lines, launch_on, today) if blocking else None,
    )


def first_usable_session(sessions: Iterable[SessionDates], *, today: date, notice_days: int) -> date | None:
    """The first meeting whose agenda can still take a text today; None when the calendar holds none.

    The agenda closes on the day the body said, and at the latest on the last lawful dispatch of the convocation.
    """
    usable = (
        session.meeting_on
        for session in sessions
        if today <= min(session.agenda_closes_on or date.max, latest_dispatch_on(session.meeting_on, notice_days))
    )
    return min(usable, default=None)


def _member_forecast(member: MemberState, today: date, transmission_days: int, signature_days: int) -> MemberForecast:
    executory_on, story = _executory(member, today, transmission_days)
    if executory_on is None:
        return MemberForecast(member, None, False, story)
    if member.signed_on is not None:
        is_known = member.executory_on is not None or not member.needs_vote
        reason = f"{story}, convention signée le {_day(member.signed_on)}."
        return MemberForecast(member, max(executory_on, member.signed_on), is_known, reason)
    ready_on = executory_on + timedelta(days=signature_days)
    margin = f"{_days(signature_days)} pour signer"
    if ready_on < today:
        ready_on, margin = today + timedelta(days=signature_days), f"{margin}, comptés d’aujourd’hui"
    return MemberForecast(member, ready_on, False, f"{story}, puis {margin}\u00a0: {_day(ready_on)}.")


def _executory(member: MemberState, today: date, transmission_days: int) -> tuple[date | None, str]:
    """The day the act is or will be enforceable, and the beginning of the sentence that says so."""
    margin = timedelta(days=transmission_days)
    transmission = f"{_days(transmission_days)} pour transmettre et publier"
    if not member.needs_vote:
        return today if member.signed_on is None else member.signed_on, "Aucun vote requis"
    if member.executory_on is not None:
        return member.executory_on, f"Exécutoire le {_day(member.executory_on)}"
    if member.voted_on is not None:
        if member.voted_on + margin >= today:
            return member.voted_on + margin, f"Votée le {_day(member.voted_on)}, puis {transmission}"
        return today + margin, f"Votée le {_day(member.voted_on)}, puis {transmission}, comptés d’aujourd’hui"
    if member.next_session_on is None:
        return None, "Aucune séance connue\u00a0: la date reste inconnue."
    session = _day(member.next_session_on)
    if member.next_session_on < today:
        return None, f"La séance du {session} est passée sans vote enregistré\u00a0: la date reste inconnue."
    return member.next_session_on + margin, f"Séance du {session}, puis {transmission}"


def _launch_on(waited: Sequence[MemberForecast], today: date) -> date | None:
    dates = [line.ready_on for line in waited]
    if not dates or None in dates:
        return None
    return max(today, *dates)


def _is_ready(line: MemberForecast, today: date) -> bool:
    """By facts: an assumption that falls today makes nobody ready."""
    return line.is_known and line.ready_on is not None and line.ready_on <= today


def _exclusion(
    leaving: tuple[MemberForecast, ...], lines: Sequence[MemberForecast], launch_on: date | None, today: date
) -> Exclusion | None:
    """None when somebody cannot leave, or when what remains is no longer a grouping with needs."""
    remaining = [line for line in lines if not any(line is gone for gone in leaving)]
    waited = [line for line in remaining if line.member.in_tender]
    if len(remaining) < _MINIMUM or not waited or not all(line.member.can_leave for line in leaving):
        return None
    without = _launch_on(waited, today)
    gained = (launch_on - without).days if launch_on is not None and without is not None else None
    return Exclusion(leaving, without, gained)


def _sentence(launch: Forecast) -> str:
    if not any(line.member.in_tender for line in launch.members):
        return "Aucun membre n’a de besoin dans la consultation."
    option = launch.without_blocking
    gain = ""
    if option is not None and option.launch_on is not None:
        gain = f"\u202f; sans {_names(option.members)}\u00a0: le {_day(option.launch_on)}"
    if launch.launch_on is None:
        return f"Lancement à une date inconnue, en attente de {_names(launch.blocking)}{gain}."
    if not launch.blocking:
        return "Lancement possible dès aujourd’hui."
    return f"Lancement possible le {_day(launch.launch_on)}{gain}."


def _names(lines: Sequence[MemberForecast]) -> str:
    names = [line.member.name for line in lines]
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} autres"]
    return " et ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _days(number: int) -> str:
    return f"{number} jour{'s' if number > 1 else ''}"
