"""The convention as it reads on any day: the frozen text, with the amendments in force that day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from groupings.amendment_choices import AmendmentStatus
from groupings.conventions import stored
from groupings.conventions.amendment_values import AmendmentValues, amended
from groupings.conventions.amendment_values import from_json as amendment_from_json
from groupings.conventions.reading import Section, shared_sections
from groupings.conventions.values import ConventionValues
from groupings.library import texts_of
from groupings.models import Amendment, Convention

#: Kind of amendment → the parts beside the articles that read otherwise: parties, members, fees.
_ANNEXES = {
    "join": ("parties", "annexe-1", "annexe-3"),
    "leave": ("parties", "annexe-1", "annexe-2", "annexe-3"),
    "coordinator": ("parties", "annexe-1"),
    "duration": ("annexe-6",),
}


@dataclass(frozen=True)
class Marked:
    """One part of the consolidated text, with what changed it: « modifié par l’avenant n° 1 du 12/03/2027 »."""

    section: Section
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Consolidated:
    """``sections`` is empty for a text brought from outside, which only its own file holds."""

    values: ConventionValues
    sections: list[Marked]
    amendments: list[Amendment]


def in_force_on(convention: Convention, day: date) -> list[Amendment]:
    """The amendments that count on that day, in the order they took effect. One query."""
    found = convention.amendments.filter(status=AmendmentStatus.IN_FORCE, in_force_on__lte=day)
    return list(found.select_related("organisation").order_by("in_force_on", "number"))


def values_on(convention: Convention, day: date) -> ConventionValues:
    """The frozen values of ``convention`` and what the amendments in force on ``day`` made of them."""
    return applied(stored.values_of(convention), [_values(amendment) for amendment in in_force_on(convention, day)])


def applied(values: ConventionValues, amendments: Sequence[AmendmentValues]) -> ConventionValues:
    for amendment in amendments:
        values = amended(values, amendment)
    return values


def consolidated(convention: Convention, day: date) -> Consolidated:
    """The whole text on that day, each part with the amendments that changed it."""
    amendments = in_force_on(convention, day)
    marks: dict[str, list[str]] = {}
    values = stored.values_of(convention)
    for amendment in amendments:
        frozen = _values(amendment)
        values = amended(values, frozen)
        parts = [f"article-{change.article}" for change in frozen.changes] + list(_ANNEXES.get(frozen.kind, ()))
        for key in dict.fromkeys(parts):
            mark = f"modifié par l’avenant n°\u00a0{amendment.number} du {amendment.in_force_on:%d/%m/%Y}"
            marks.setdefault(key, []).append(mark)
    sections = shared_sections(values, texts_of(convention)) if convention.is_generated else []
    return Consolidated(values, [Marked(s, tuple(marks.get(s.key, ()))) for s in sections], amendments)


def _values(amendment: Amendment) -> AmendmentValues:
    return amendment_from_json(amendment.values)
