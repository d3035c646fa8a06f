"""What a contract in use asks for: its end, the notice of its next extension, its ceilings. Pure functions of dates
and of euros excluding tax.

Delays: a renewal starts at least twelve months before the end (stages 1 to 8 of a grouping take nine to twelve months),
an extension is told by the notice date of the contract. A framework agreement may not be ordered from beyond its
maximum, which is compulsory since 1 January 2022 (CCP, R2162-4; CJUE, 17/06/2021, C-23/20).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from procurement.core.calendar import add_months
from procurement.core.money import format_euros

RENEWAL_MONTHS = 12
END_MONTHS = 3
NOTICE_DAYS = 60
NOTICE_URGENT_DAYS = 15
#: Percentages of a ceiling.
NEAR, REACHED = 80, 100


class AlertKind(StrEnum):
    RENEWAL = "renewal"
    END = "end"
    NOTICE = "notice"
    CEILING = "ceiling"
    SHARE = "share"


@dataclass(frozen=True)
class Part:
    """What one member has consumed of its own share, € excl. tax; ``share`` is None where none was set."""

    name: str
    share: Decimal | None
    consumed: Decimal


@dataclass(frozen=True)
class ContractState:
    """What the alerts depend on.

    ``ends_on``: with the extensions taken so far, None before the beginning is known; ``last_end_on``: with every
    extension; ``notice_due_on``: for the next extension, None when none is left; ``ceiling``: € excl. tax, None for a
    framework agreement without maximum; ``is_maximum``: whether it is one, or the amount of a contract; ``consumed``:
    in total, None when it is not the reader's to see; ``parts``: only those the reader may see; ``renewed_by``: the
    reference of the grouping that renews it, empty without, None when it is not the reader's to know.
    """

    ends_on: date | None
    last_end_on: date | None
    notice_due_on: date | None
    ceiling: Decimal | None
    consumed: Decimal | None
    is_maximum: bool = True
    parts: Sequence[Part] = ()
    renewed_by: str | None = ""


@dataclass(frozen=True)
class Alert:
    """One thing to do or to know. ``due_on`` is the date that sorts it, None for a ceiling; ``is_urgent``: nothing
    more may be waited for. ``sentence`` is French, with its final stop."""

    kind: AlertKind
    is_urgent: bool
    sentence: str
    due_on: date | None = None


def percent(consumed: Decimal, ceiling: Decimal | None) -> Decimal | None:
    """Consumed over ceiling, in points with two decimals, half up; None without a ceiling, or when it is zero."""
    if not ceiling:
        return None
    return (consumed * 100 / ceiling).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def level(consumed: Decimal, ceiling: Decimal | None) -> int:
    """0 below 80 %, then 80, then 100 once the ceiling is reached. Exact: nothing is rounded before it is compared."""
    if ceiling is None:
        return 0
    if consumed >= ceiling and (ceiling or consumed):
        return REACHED
    return NEAR if ceiling and consumed * 100 >= ceiling * NEAR else 0


def alerts(state: ContractState, today: date) -> list[Alert]:
    """Every alert of one contract on ``today``: dates first, the nearest before; then the total, then each member."""
    dated = sorted([*_end(state, today), *_notice(state, today)], key=lambda alert: alert.due_on)
    return [*dated, *_total(state), *_shares(state)]


def horizon(state: ContractState, today: date) -> date | None:
    """The last day the contract may still run: with every extension while the next one may be told, else its end."""
    may_extend = state.notice_due_on is not None and today <= state.notice_due_on
    return state.last_end_on if may_extend else state.ends_on


def _end(state: ContractState, today: date) -> Iterator[Alert]:
    ends_on, last = state.ends_on, horizon(state, today)
    if ends_on is None or last is None:
        return
    if state.renewed_by is None:
        told = ""
    elif state.renewed_by:
        told = f" Son renouvellement, {state.renewed_by}, est en préparation."
    else:
        told = " Aucun renouvellement n’est en préparation."
    if ends_on < today:
        yield Alert(AlertKind.END, True, f"Le marché est terminé depuis le {ends_on:%d/%m/%Y}.{told}", ends_on)
    elif today >= add_months(ends_on, -END_MONTHS):
        is_urgent = state.renewed_by == ""
        yield Alert(AlertKind.END, is_urgent, f"Le marché se termine le {ends_on:%d/%m/%Y}.{told}", ends_on)
    elif today >= add_months(last, -RENEWAL_MONTHS) and state.renewed_by == "":
        sentence = f"Le marché se termine le {last:%d/%m/%Y}\u00a0: lancez son renouvellement, qui demande un an."
        yield Alert(AlertKind.RENEWAL, False, sentence, last)


def _notice(state: ContractState, today: date) -> Iterator[Alert]:
    due_on = state.notice_due_on
    if due_on is None or state.ends_on is None or today > state.ends_on or today < due_on - timedelta(days=NOTICE_DAYS):
        return
    if today > due_on:
        sentence = (
            f"La date de préavis de la reconduction est passée depuis le {due_on:%d/%m/%Y}\u00a0: enregistrez la "
            "reconduction si elle est prise (sauf clause contraire, elle est tacite\u00a0: CCP, R2112-4)."
        )
    else:
        sentence = (
            f"Reconduction à décider au plus tard le {due_on:%d/%m/%Y}, date de préavis avant la fin du "
            f"{state.ends_on:%d/%m/%Y}."
        )
    yield Alert(AlertKind.NOTICE, today >= due_on - timedelta(days=NOTICE_URGENT_DAYS), sentence, due_on)


def _total(state: ContractState) -> Iterator[Alert]:
    if state.consumed is None or state.ceiling is None:
        return
    reached = level(state.consumed, state.ceiling)
    if not reached:
        return
    told = f"{format_euros(state.consumed)} consommés sur {format_euros(state.ceiling)} HT"
    what = "maximum" if state.is_maximum else "montant du marché"
    if reached == REACHED:
        beyond = "dépassé" if state.consumed > state.ceiling else "atteint"
        stop = " Plus aucune commande n’est possible." if state.is_maximum else ""
        yield Alert(AlertKind.CEILING, True, f"Le {what} est {beyond}\u00a0: {told}.{stop}")
    else:
        yield Alert(AlertKind.CEILING, False, f"80\u00a0% du {what} sont atteints\u00a0: {told}.")


def _shares(state: ContractState) -> Iterator[Alert]:
    for part in state.parts:
        reached = level(part.consumed, part.share)
        if not reached or part.share is None:
            continue
        told = f"{format_euros(part.consumed)} consommés sur {format_euros(part.share)} HT"
        if reached == REACHED:
            beyond = "a dépassé sa part" if part.consumed > part.share else "a atteint sa part"
            yield Alert(AlertKind.SHARE, True, f"{part.name} {beyond}\u00a0: {told}.")
        else:
            yield Alert(AlertKind.SHARE, False, f"{part.name} a consommé 80\u00a0% de sa part\u00a0: {told}.")
