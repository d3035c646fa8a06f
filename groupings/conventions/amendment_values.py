"""What an amendment says, frozen: plain values, and what they make of the convention they change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from groupings.clauses.articles import Texts
from groupings.conventions.articles import printed_articles
from groupings.conventions.values import (
    ConventionValues,
    FeesValues,
    MemberValues,
    plain,
    share_fees,
    typed,
)
from procurement.core.calendar import add_months

SCHEMA = 1
Kind = Literal["join", "leave", "coordinator", "object", "duration"]


@dataclass(frozen=True, slots=True)
class Change:
    """One paragraph of the convention that changes. ``paragraph`` is « 2.1 »; ``after`` is empty when it goes."""

    article: int
    title: str
    paragraph: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AmendmentValues:
    """Everything an amendment prints. ``body``: who joins, leaves, or coordinates next; ``months``: the new firm
    duration, number of extensions and months of one. ``signatories`` sign it, ``voters`` (SIREN) vote it first."""

    reference: str
    title: str
    number: int
    kind: Kind
    is_permanent: bool
    convention_version: int
    convention_on: date
    as_of: date
    effective_on: date | None
    reason: str
    coordinator_siren: str
    coordinator: MemberValues
    signatories: tuple[MemberValues, ...]
    voters: tuple[str, ...]
    body: MemberValues | None = None
    new_title: str = ""
    new_duration_months: int | None = None
    new_extension_count: int | None = None
    new_extension_months: int | None = None
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA


def to_json(values: AmendmentValues) -> dict[str, Any]:
    return plain(values)


def from_json(data: Mapping[str, Any]) -> AmendmentValues:
    """The reverse of ``to_json``. Raises ValueError for another schema."""
    if data.get("schema") != SCHEMA:
        raise ValueError(f"Schéma d’avenant inconnu\u00a0: {data.get('schema')!r}.")
    return typed(AmendmentValues, data)


def amended(convention: ConventionValues, amendment: AmendmentValues) -> ConventionValues:
    """The convention once the amendment is in force. The same amendment twice changes nothing more."""
    body = amendment.body
    if amendment.kind == "join" and body is not None:
        if any(member.siren == body.siren for member in convention.members):
            return convention
        return _with_members(convention, (*convention.members, body))
    if amendment.kind == "leave" and body is not None:
        return _with_members(convention, tuple(m for m in convention.members if m.siren != body.siren))
    if amendment.kind == "coordinator" and body is not None:
        first = [member for member in convention.members if member.siren == body.siren]
        others = [member for member in convention.members if member.siren != body.siren]
        return replace(convention, coordinator_siren=body.siren, members=(*first, *others))
    if amendment.kind == "object":
        return replace(convention, title=amendment.new_title)
    changed = replace(
        convention,
        duration_months=amendment.new_duration_months,
        extension_count=amendment.new_extension_count,
        extension_months=amendment.new_extension_months,
    )
    return replace(changed, calendar=_calendar(changed))


def _with_members(convention: ConventionValues, members: tuple[MemberValues, ...]) -> ConventionValues:
    sirens = {member.siren for member in members}
    needs = tuple(need for need in convention.needs if need.siren in sirens)
    committee = tuple(seat for seat in convention.committee if seat.siren in sirens)
    changed = replace(convention, members=members, needs=needs, committee=committee)
    return replace(changed, fees=_fees(changed))


def _fees(convention: ConventionValues) -> FeesValues:
    """The same rule over the members of that day; shares unknown when no key can be made of them."""
    fees = convention.fees
    base = fees.total
    if fees.rule == "FLAT_FEE" and fees.shares:
        base = fees.shares[0].amount
    try:
        return share_fees(
            fees.rule, base=base, ceiling=fees.ceiling, members=convention.members, needs=convention.needs
        )
    except ValueError:
        return FeesValues(fees.rule, ceiling=fees.ceiling)


def _calendar(convention: ConventionValues):
    planned = {milestone.key: milestone.planned_on for milestone in convention.calendar}
    starts_on = planned.get("performance")
    if starts_on is None:
        return convention.calendar
    months = convention.duration_months + convention.extension_count * convention.extension_months
    ends_on = add_months(starts_on, months) - timedelta(days=1)
    return tuple(replace(m, planned_on=ends_on) if m.key == "end" else m for m in convention.calendar)


def changes_between(before: ConventionValues, after: ConventionValues, texts: Texts) -> tuple[Change, ...]:
    """Every paragraph that reads otherwise, found by comparing the two texts: none can be forgotten."""
    old = {article.number: article for article in printed_articles(before, texts)}
    found = []
    for article in printed_articles(after, texts):
        was, now = old[article.number].paragraphs, article.paragraphs
        for paragraph in dict.fromkeys((*was, *now)):
            former, latter = was.get(paragraph, ""), now.get(paragraph, "")
            if former != latter:
                found.append(Change(article.number, article.title, paragraph, former, latter))
    return tuple(found)
