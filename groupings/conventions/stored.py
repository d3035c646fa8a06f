"""The text of a version already frozen, in each of its forms: from its own values and texts, never from today's."""

from groupings.conventions import reading, render, word
from groupings.conventions.values import ConventionValues, from_json
from groupings.library import texts_of
from groupings.models import Convention


def values_of(convention: Convention) -> ConventionValues:
    """The values it was made from. Raises ValueError for a schema this version of the product cannot read."""
    return from_json(convention.values)


def common_of(convention: Convention, values: ConventionValues) -> render.Common:
    """The pages every member shares."""
    return render.render_common(values, texts_of(convention))


def pdf_of(convention: Convention, values: ConventionValues, common: render.Common, siren: str) -> bytes:
    """One member's PDF."""
    return render.render_member(values, common, siren)


def word_of(convention: Convention, siren: str) -> bytes:
    """One member's Word file. Raises KeyError for a SIREN outside the grouping."""
    return word.word_member(values_of(convention), texts_of(convention), siren)


def reading_of(convention: Convention, siren: str) -> reading.Reading:
    """One member's convention as read on screen. Raises KeyError for a SIREN outside the grouping."""
    return reading.read_member(values_of(convention), texts_of(convention), siren)


def party_sirens(convention: Convention) -> list[str]:
    """The SIREN of each member it was made for, in the order of its annex; none for a text whose values say nothing."""
    return [member["siren"] for member in convention.values.get("members", ())]


def sections_of(convention: Convention) -> list[reading.Section]:
    """The sections that every member shares, in order."""
    return reading.shared_sections(values_of(convention), texts_of(convention))
