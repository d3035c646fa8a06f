"""The tracker: members × groupings, where each vote stands, which ones are late and by how much.

``build`` reads what an affiliation may see in five queries, whatever the number of rows: the states and dates of the
groupings it takes part in are shared, signatures and ACTES numbers are not. Lateness is a rule (``rules.lateness``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.text import Truncator

from groupings.choices import (
    AWAITING_VOTE,
    DELIBERATION_BADGES,
    EXECUTORY_BADGE,
    IN_FORCE,
    IN_PREPARATION,
    LATE_BADGE,
    LAUNCHED,
    ON_A_SESSION,
    WITHOUT_EFFECT,
    Badge,
    DeliberationStatus,
)
from groupings.forecast import launch_states
from groupings.models import Deliberation, Grouping, Membership, Signature
from groupings.rules.lateness import Lateness, lateness, needed_by
from groupings.rules.launch import MemberState, forecast
from groupings.tracker_filters import EXECUTORY, STATES, WIDEST_DETAILED, Display, Filters
from members.models import Organisation

#: Nothing has passed yet, but the date known today will come too late: outlined, not filled.
EXPECTED_LATE_BADGE = Badge("Retard prévu", "late-expected", "hourglass-split")
#: A convention signed by a member whose act is enforceable: nothing more is waited for.
SIGNED_BADGE = Badge("Convention signée", "signed", "pen-fill")
_BADGES = {status.value: badge for status, badge in DELIBERATION_BADGES.items()} | {EXECUTORY: EXECUTORY_BADGE}
#: The label of a date that is the state's own: « Votée le 12/12/2026 ».
_SAME_DAY = "le"
#: Letters of a title in the head of a column, and in a vertical one.
_LONGEST_TITLE, _LONGEST_VERTICAL = 60, 42


@dataclass(frozen=True)
class Cell:
    """Where one member stands for one grouping.

    ``state``: a key of ``STATES``. ``on``: the date that matters in that state, told by ``on_label``; None when there
    is none. ``expected_on``: when it should become enforceable, None when it is or when nobody can say. ``signed_on``:
    None too when the reader may not know. ``is_own``: the reader acts for this member, or for its coordinator; the
    others share their dates alone. ``is_shown``: within the filters.
    """

    membership: Membership
    deliberation: Deliberation | None
    state: str
    on: date | None
    on_label: str
    expected_on: date | None
    lateness: Lateness | None
    signed_on: date | None
    is_own: bool
    is_shown: bool = True

    @property
    def state_badge(self) -> Badge:
        return _BADGES[self.state]

    @property
    def badge(self) -> Badge:
        """What the cell is painted with: its lateness first, else its state."""
        if self.lateness is None:
            return self.state_badge
        return EXPECTED_LATE_BADGE if self.lateness.is_expected else LATE_BADGE

    @property
    def is_signed(self) -> bool:
        """Enforceable and signed."""
        return self.state == EXECUTORY and self.signed_on is not None

    @property
    def dated(self) -> str:
        """« séance du 12/12/2026 », « le 12/12/2026 » when the state itself has that date; empty without a date."""
        return f"{self.on_label} {self.on:%d/%m/%Y}" if self.on else ""

    @property
    def standing(self) -> str:
        """« Inscrite, séance du 12/12/2026 », « Votée le 12/12/2026 », « À inscrire »."""
        if not self.on:
            return self.state_badge.word
        return f"{self.state_badge.word}{'' if self.on_label == _SAME_DAY else ','} {self.dated}"

    @property
    def sentence(self) -> str:
        """The whole cell in words: « Inscrite, séance du 12/12/2026, en retard de 3 jours »."""
        parts = [self.standing, self.lateness.sentence if self.lateness else ""]
        parts.append(f"convention signée le {self.signed_on:%d/%m/%Y}" if self.is_signed else "")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Head:
    """One grouping: how many of its members have an enforceable act, whatever the filters."""

    grouping: Grouping
    executory_count: int
    member_count: int

    @property
    def title(self) -> str:
        """Short enough for the head of a column."""
        return Truncator(self.grouping.title).chars(_LONGEST_TITLE)

    @property
    def vertical_title(self) -> str:
        """Short enough for two lines of a vertical head."""
        return Truncator(self.grouping.title).chars(_LONGEST_VERTICAL)

    @property
    def due_on(self) -> date | None:
        return self.grouping.deliberations_due_on


@dataclass(frozen=True)
class Row:
    """One member. ``cells`` follow the columns; None where it takes no part in the grouping."""

    organisation: Organisation
    cells: tuple[Cell | None, ...]
    is_own: bool

    @property
    def shown(self) -> list[Cell]:
        return [cell for cell in self.cells if cell is not None and cell.is_shown]

    @property
    def late_count(self) -> int:
        return sum(cell.lateness is not None for cell in self.shown)


@dataclass(frozen=True)
class Matrix:
    """The tracker as the filters leave it. ``has_groupings``: whether the reader follows any, filters aside."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    filters: Filters
    has_groupings: bool

    def cells(self) -> Iterator[Cell]:
        """The cells shown, row by row: what is exported."""
        for row in self.rows:
            yield from row.shown

    @property
    def is_compact(self) -> bool:
        if self.filters.display:
            return self.filters.display == Display.COMPACT
        return len(self.heads) > WIDEST_DETAILED

    @property
    def late(self) -> list[Lateness]:
        return [cell.lateness for cell in self.cells() if cell.lateness]

    @property
    def sentence(self) -> str:
        """« 55 membres, 20 groupements : 12 délibérations en retard, 3 retards prévus. »"""
        expected = sum(late.is_expected for late in self.late)
        overdue = len(self.late) - expected
        size = f"{_counted(len(self.rows), 'membre')}, {_counted(len(self.heads), 'groupement')}"
        return (
            f"{size}\u00a0: {_counted(overdue, 'délibération')} en retard, "
            f"{expected} retard{'s' if expected > 1 else ''} prévu{'s' if expected > 1 else ''}."
        )

    @property
    def legend(self) -> list[Badge]:
        """The badges in the cells, in the order of the life cycle, the late ones last."""
        present = {cell.badge for cell in self.cells()}
        badges = [*(_BADGES[state] for state, _ in STATES), LATE_BADGE, EXPECTED_LATE_BADGE]
        return [badge for badge in badges if badge in present]

    @property
    def has_signatures(self) -> bool:
        return any(cell.is_signed for cell in self.cells())


def _counted(number: int, noun: str) -> str:
    return f"{number}\u00a0{noun}{'s' if number > 1 else ''}"


def followed_groupings(affiliation) -> list[Grouping]:
    """The groupings whose votes an affiliation may follow, in preparation or launched. One query."""
    return list(
        Grouping.objects.visible_to(affiliation)
        .filter(status__in=(*IN_PREPARATION, *LAUNCHED), is_declared_only=False)
        .select_related("coordinator")
    )


def build(
    affiliation, today: date, filters: Filters | None = None, *, groupings: Sequence[Grouping] | None = None
) -> Matrix:
    """The tracker of ``affiliation`` on ``today``: empty for nobody.

    Rows by name, the reader's own body first; columns by deadline, the oldest first. A filter on members or states
    leaves out the rows and columns it empties. ``groupings``: what ``followed_groupings`` gave, when already read.
    """
    filters = filters or Filters()
    followed = followed_groupings(affiliation) if groupings is None else groupings
    chosen = sorted((g for g in followed if filters.keep_grouping(g)), key=_oldest_deadline_first)
    reader = _Reader(affiliation, today, filters)
    members = reader.cells_of(chosen)
    heads = [_head(grouping, list(members[grouping.pk].values())) for grouping in chosen]
    taking_part = (cell.membership for cells in members.values() for cell in cells.values())
    bodies = {membership.organisation_id: membership.organisation for membership in taking_part}
    own_id = affiliation.organisation_id if affiliation else None
    rows = [
        Row(body, tuple(members[head.grouping.pk].get(body.pk) for head in heads), body.pk == own_id)
        for body in sorted(bodies.values(), key=lambda body: (body.pk != own_id, body.sort_name, body.pk))
    ]
    if filters.narrows_members:
        rows = [row for row in rows if row.shown]
        heads, rows = _without_empty_columns(heads, rows)
    return Matrix(tuple(heads), tuple(rows), filters, bool(followed))


def _oldest_deadline_first(grouping: Grouping) -> tuple:
    return (grouping.deliberations_due_on or date.max, grouping.reference, grouping.pk)


def _head(grouping: Grouping, cells: list[Cell]) -> Head:
    executory = sum(cell.deliberation is not None and cell.deliberation.executory_on is not None for cell in cells)
    return Head(grouping, executory, len(cells))


def _without_empty_columns(heads: list[Head], rows: list[Row]) -> tuple[list[Head], list[Row]]:
    kept = [
        place
        for place in range(len(heads))
        if any(row.cells[place] is not None and row.cells[place].is_shown for row in rows)
    ]
    return [heads[place] for place in kept], [
        replace(row, cells=tuple(row.cells[place] for place in kept)) for row in rows
    ]


class _Reader:
    """Reads the memberships of some groupings and says where each stands."""

    def __init__(self, affiliation, today: date, filters: Filters):
        self.affiliation, self.today, self.filters = affiliation, today, filters
        self.signed: dict[int, date] = {}

    def cells_of(self, groupings: Sequence[Grouping]) -> dict[int, dict[int, Cell]]:
        """Grouping → body → its cell, by their numbers; the members withdrawn left out."""
        numbers = [grouping.pk for grouping in groupings]
        memberships: dict[int, list[Membership]] = {number: [] for number in numbers}
        found = Membership.objects.visible_to(self.affiliation).active().filter(grouping__in=numbers)
        for membership in found.with_approval(self.today).order_by("pk"):
            memberships[membership.grouping_id].append(membership)
        # ``with_approval`` knows every signature, for the launch; those of others are not a member's to read.
        visible = Signature.objects.visible_to(self.affiliation).filter(membership__grouping__in=numbers)
        latest_wins = visible.order_by("signed_on")  # a member may have signed several versions
        self.signed = dict(latest_wins.values_list("membership_id", "signed_on"))
        return {grouping.pk: self._cells(grouping, memberships[grouping.pk]) for grouping in groupings}

    def _cells(self, grouping: Grouping, memberships: list[Membership]) -> dict[int, Cell]:
        states = {state.key: state for state in launch_states(grouping, memberships, self.today)}
        cells = {}
        for membership in memberships:
            membership.grouping = grouping
            cells[membership.organisation_id] = self._cell(membership, states[membership.pk])
        return cells

    def _cell(self, membership: Membership, member: MemberState) -> Cell:
        deliberation = membership.votes[0] if membership.votes else None
        state = _state(deliberation)
        on, on_label = _date_that_matters(deliberation, member)
        expected_on = expected_executory_on(deliberation, member, self.today)
        cell = Cell(
            membership=membership,
            deliberation=deliberation,
            state=state,
            on=on,
            on_label=on_label,
            expected_on=expected_on,
            lateness=self._lateness(membership.grouping, deliberation, expected_on),
            signed_on=self.signed.get(membership.pk),
            is_own=self._is_own(membership),
        )
        return replace(cell, is_shown=self._is_shown(cell))

    def _is_own(self, membership: Membership) -> bool:
        own = (membership.organisation_id, membership.grouping.coordinator_id)
        return self.affiliation.sees_whole_territory or self.affiliation.organisation_id in own

    def _lateness(
        self, grouping: Grouping, deliberation: Deliberation | None, expected_on: date | None
    ) -> Lateness | None:
        if not grouping.is_in_preparation or not _is_pending(deliberation):
            return None
        return lateness(
            is_voted=deliberation is not None and deliberation.status in IN_FORCE,
            due_on=grouping.deliberations_due_on,
            needed_on=needed_by(grouping.launch_planned_on, grouping.deliberations_due_on),
            expected_on=expected_on,
            today=self.today,
        )

    def _is_shown(self, cell: Cell) -> bool:
        filters = self.filters
        return (
            filters.keep_member(cell.membership.organisation)
            and filters.state in ("", cell.state)
            and (not filters.late_only or cell.lateness is not None)
        )


def _state(deliberation: Deliberation | None) -> str:
    if deliberation is None:
        return DeliberationStatus.TO_SCHEDULE.value
    if deliberation.badge == EXECUTORY_BADGE:
        return EXECUTORY
    return deliberation.status


def _is_pending(deliberation: Deliberation | None) -> bool:
    """Somebody still has something to do: a refused, withdrawn or annulled vote is first to be decided again."""
    if deliberation is None:
        return True
    if deliberation.status in IN_FORCE:
        return deliberation.executory_on is None
    return deliberation.status in AWAITING_VOTE


def _date_that_matters(deliberation: Deliberation | None, member: MemberState) -> tuple[date | None, str]:
    """The act's own date once there is one, else that of the session that votes or could."""
    if deliberation is not None and deliberation.status in ON_A_SESSION:
        return deliberation.session.meeting_on, "séance du"
    if deliberation is not None and deliberation.status in (*IN_FORCE, *WITHOUT_EFFECT):
        is_plain = deliberation.status in (DeliberationStatus.ADOPTED, DeliberationStatus.REJECTED)
        if deliberation.executory_on is not None:
            return deliberation.executory_on, _SAME_DAY if is_plain else "exécutoire le"
        return deliberation.decided_on, _SAME_DAY if is_plain else "votée le"
    if _is_pending(deliberation):
        return member.next_session_on, "prochaine séance le"
    return None, ""


def expected_executory_on(deliberation: Deliberation | None, member: MemberState, today: date) -> date | None:
    """When a pending act should become enforceable, by the rule of the launch; None when nobody can say."""
    if not _is_pending(deliberation):
        return None
    # The launch also waits for the signature; asked without it and without its margin, it tells the act's date alone.
    alone = replace(member, signed_on=None)
    return forecast([alone], today=today, signature_days=0).members[0].ready_on
