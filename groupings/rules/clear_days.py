"""When the convocation of an assembly must leave: clear days, their number by kind of body, and the renewals.

A clear day is a whole day between the dispatch and the meeting: neither end counts; Saturdays, Sundays and public
holidays count like any other day and lengthen nothing. The dispatch counts, not the reception. The numbers of days are
rows of ``tables/notice_periods.toml`` and the renewals rows of ``tables/mandates.toml``, dated and sourced.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

_TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class NoticeRule:
    """What the law asks of a convocation.

    ``days`` and ``urgent_days`` are clear days; ``urgent_days`` is None when the text knows no emergency. ``document``
    names what must go with the agenda (« note explicative de synthèse »), empty when nothing must.
    """

    days: int
    urgent_days: int | None
    document: str
    source: str


@dataclass(frozen=True)
class Renewal:
    """A general renewal of the municipal councils; ``first_sessions`` are (first day, last day), both included."""

    first_round_on: date
    second_round_on: date
    first_sessions: tuple[tuple[date, date], ...]
    source: str


def latest_dispatch_on(meeting_on: date, notice_days: int) -> date:
    """The last day the convocation of a meeting may leave.

    ``notice_days``: whole days that must separate the two. Raises ValueError when it is negative.
    """
    _refuse_negative(notice_days)
    return meeting_on - timedelta(days=notice_days + 1)


def is_notice_valid(sent_on: date, meeting_on: date, notice_days: int) -> bool:
    """Whether a convocation sent that day respects ``notice_days`` clear days. Raises ValueError when negative."""
    _refuse_negative(notice_days)
    return (meeting_on - sent_on).days >= notice_days + 1


def notice_days(kind: str, reference_population: int, on: date) -> int:
    """The clear days a body owes its members for an ordinary meeting held ``on`` that day.

    ``kind``: commune, metropole, epci, ccas or syndicat. ``reference_population``: the population municipale used at
    the last general renewal, not today's (CGCT, R2151-4); the commune's for a CCAS; for an EPCI or a syndicat meeting
    before 01/03/2020, that of its most populous member commune, and ignored afterwards.
    Raises LookupError, with a French sentence, for a kind or a date the table does not hold; ValueError for a negative
    population. The first session after a renewal is the business of ``first_session_notice_days``.
    """
    return notice_rule(kind, reference_population, on).days


def notice_rule(kind: str, reference_population: int, on: date) -> NoticeRule:
    """The whole rule behind ``notice_days``: emergency, document to send, source. Same arguments, same errors."""
    if reference_population < 0:
        raise ValueError("La population de référence ne peut pas être négative.")
    for row in _rows("notice_periods")["notice"]:
        below = row.get("population_below")
        in_bracket = row["population_from"] <= reference_population and (below is None or reference_population < below)
        if row["kind"] == kind and in_bracket and _covers(row, on):
            return NoticeRule(row["days"], row.get("urgent_days"), row.get("document", ""), row["source"])
    raise LookupError(_nothing_recorded(kind, on))


def first_session_notice_days(kind: str, reference_population: int, on: date) -> int:
    """The clear days owed for the first session after a general renewal.

    Three for every commune, whatever its population (CGCT, L2121-7); the exception stops there: an EPCI keeps its
    ordinary notice (CE, 22/07/2015, n° 383072), and so do the other bodies. Same arguments and errors as
    ``notice_days``.
    """
    ordinary = notice_days(kind, reference_population, on)
    for row in _rows("notice_periods")["first_session"]:
        if row["kind"] == kind and _covers(row, on):
            return row["days"]
    return ordinary


def can_be_first_session(meeting_on: date) -> bool:
    """Whether a council may hold its first session after a general renewal on that day (CGCT, L2121-7).

    « May »: a council elected on the first round can meet again, under ordinary notice, on the days the law gives to
    those of the second round. Somebody who knows says which of the two it is.
    """
    return any(start <= meeting_on <= end for renewal in renewals() for start, end in renewal.first_sessions)


def last_renewal_on(day: date) -> Renewal:
    """The general renewal in force on ``day``, counted from its first round.

    Raises LookupError, with a French sentence, for a day before the oldest row.
    """
    past = [renewal for renewal in renewals() if renewal.first_round_on <= day]
    if not past:
        raise LookupError(f"Aucun renouvellement général des conseils n’est enregistré avant le {day:%d/%m/%Y}.")
    return past[-1]


@lru_cache(maxsize=1)
def renewals() -> tuple[Renewal, ...]:
    """The general renewals known, oldest first. The next one appears once its decree is published."""
    return tuple(
        Renewal(
            row["first_round_on"],
            row["second_round_on"],
            tuple((window["from"], window["to"]) for window in row["first_sessions"]),
            row["source"],
        )
        for row in _rows("mandates")["renewal"]
    )


def _refuse_negative(days: int) -> None:
    if days < 0:
        raise ValueError("Un délai de convocation ne peut pas être négatif.")


def _covers(row: dict, day: date) -> bool:
    return row["valid_from"] <= day <= row.get("valid_to", date.max)


def _nothing_recorded(kind: str, on: date) -> str:
    if all(row["kind"] != kind for row in _rows("notice_periods")["notice"]):
        return (
            f"Aucun délai de convocation n’est enregistré pour un organisme de nature «\u00a0{kind}\u00a0»\u00a0: "
            "consultez ses statuts."
        )
    return f"Aucun délai de convocation n’est enregistré pour une séance du {on:%d/%m/%Y}."


@lru_cache(maxsize=2)
def _rows(table: str) -> dict[str, list[dict]]:
    with (_TABLES / f"{table}.toml").open("rb") as file:
        return tomllib.load(file)
