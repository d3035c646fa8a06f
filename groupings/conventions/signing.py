"""The frozen version as a member signs it: the same text, with the decisions of the day and who signs.

Nothing but these is read from the database of today: the articles, the needs, the fees, the members are those the
assemblies approved.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from groupings.conventions.values import ConventionValues, MemberValues, from_json
from groupings.models import Convention


@dataclass(frozen=True, slots=True)
class SigningValues(ConventionValues):
    """The values of a copy to sign: a member whose act is enforceable signs its own, whatever others still await. It is
    no project any more: no watermark, no note that forbids to sign.
    """

    is_draft = False


def filled(frozen: ConventionValues, today: Sequence[MemberValues]) -> SigningValues:
    """``frozen`` with the decision and the representative of each member as they stand ``today``; nothing else moves,
    and a member that left since stays as it was."""
    now = {member.siren: member for member in today}
    members = tuple(
        _with_decision(member, now[member.siren]) if member.siren in now else member for member in frozen.members
    )
    return SigningValues(
        **{f.name: members if f.name == "members" else getattr(frozen, f.name) for f in fields(ConventionValues)}
    )


def _with_decision(member: MemberValues, now: MemberValues) -> MemberValues:
    return replace(
        member,
        deliberation=now.deliberation,
        is_deliberation_waived=now.is_deliberation_waived,
        representative=now.representative,
    )


def is_same_text(frozen: ConventionValues, copy: ConventionValues) -> bool:
    """Whether the text of ``copy`` is the one approved, whoever signs it."""
    as_frozen = ConventionValues(**{f.name: getattr(copy, f.name) for f in fields(ConventionValues)})
    return as_frozen.text_sha256 == frozen.text_sha256


def decisions_of(members: Sequence[MemberValues]) -> dict[str, Any]:
    """What a copy is filled with, by SIREN, as JSON."""
    found = {}
    for member in members:
        decision, person = member.deliberation, member.representative
        found[member.siren] = {
            "number": decision.number if decision else "",
            "voted_on": decision.voted_on.isoformat() if decision else "",
            "executory_on": decision.executory_on.isoformat() if decision and decision.executory_on else "",
            "taken_by": decision.taken_by if decision else "",
            "is_waived": member.is_deliberation_waived,
            "representative": [person.civility, person.name, person.title] if person else [],
        }
    return found


def decisions_sha256(decisions: Mapping[str, Any]) -> str:
    text = json.dumps(decisions, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def frozen_values(convention: Convention) -> ConventionValues:
    """The stored values. Raises ValueError when they are not those whose fingerprint was kept."""
    values = from_json(convention.values)
    if values.sha256 != convention.values_sha256:
        raise ValueError("Les valeurs de la convention ne correspondent plus à leur empreinte.")
    return values
