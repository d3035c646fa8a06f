"""What the tracker is asked to show: the same values for the page, its exports and its PDF."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django import forms
from django.db import models

from groupings.choices import DELIBERATION_BADGES, EXECUTORY_BADGE, DeliberationStatus
from groupings.filters import FilterForm
from groupings.models import Grouping
from members.models import Organisation, sort_key

#: The state of an adopted act once it is published and received; it is not a status of its own (domain §3.6).
EXECUTORY = "executory"
#: Wider than this, the matrix shows its icons alone unless asked otherwise.
WIDEST_DETAILED = 6


def _states() -> list[tuple[str, str]]:
    states = [(status.value, badge.word) for status, badge in DELIBERATION_BADGES.items()]
    after_vote = [value for value, _ in states].index(DeliberationStatus.ADOPTED) + 1
    return [*states[:after_vote], (EXECUTORY, EXECUTORY_BADGE.word), *states[after_vote:]]


#: (key, word) of every state of a cell, in the order of the life cycle.
STATES = _states()


class Display(models.TextChoices):
    DETAILED = "detaille", "Détaillé"
    COMPACT = "compact", "Compact"


@dataclass(frozen=True)
class Filters:
    """``member``: words of a name or beginning of a SIREN. ``groupings``: their numbers, empty for all those in
    preparation, and with ``with_launched`` for those whose tender has started too. ``state``: a key of ``STATES``.
    ``year``: followed at some moment of it. ``display``: one of ``Display``, empty to let the width decide."""

    member: str = ""
    groupings: frozenset[int] = frozenset()
    state: str = ""
    year: int | None = None
    late_only: bool = False
    with_launched: bool = False
    display: str = ""

    @property
    def narrows_members(self) -> bool:
        """Whether some cells of a grouping may be left out."""
        return bool(self.member or self.state or self.late_only)

    @property
    def is_active(self) -> bool:
        """Whether anything is left out, or added, that the bare page would not."""
        return self.narrows_members or bool(self.groupings or self.year or self.with_launched)

    def keep_grouping(self, grouping: Grouping) -> bool:
        """A grouping chosen by name is shown whatever its stage."""
        if self.year is not None and self.year not in years_of(grouping):
            return False
        if self.groupings:
            return grouping.pk in self.groupings
        return grouping.is_in_preparation or self.with_launched

    def keep_member(self, organisation: Organisation) -> bool:
        """Every word typed must be found in the name, or begin the SIREN; accents and case do not matter."""
        if not self.member.strip():
            return True
        words = sort_key(self.member).split()
        found = (word in organisation.sort_name or organisation.siren.startswith(word) for word in words)
        return bool(words) and all(found)


def years_of(grouping: Grouping) -> range:
    """The civil years during which it is followed; without a closing date, up to the last year there is."""
    last = grouping.closed_on.year if grouping.closed_on else date.max.year
    return range(grouping.opened_on.year, last + 1)


class TrackerFilter(FilterForm):
    """The form of the filters. ``groupings`` are all those the reader may follow; ``today`` ends the list of years."""

    q = forms.CharField(label="Membre", max_length=200, required=False)
    etat = forms.ChoiceField(label="État", choices=[("", "Tous"), *STATES], required=False)
    annee = forms.TypedChoiceField(label="Année", coerce=int, empty_value=None, required=False)
    affichage = forms.ChoiceField(
        label="Affichage",
        choices=[("", "Automatique"), *Display.choices],
        required=False,
    )
    retards = forms.BooleanField(label="Retards seulement", required=False)
    lances = forms.BooleanField(label="Groupements lancés ou en exécution aussi", required=False)
    groupement = forms.TypedMultipleChoiceField(
        label="Groupements", coerce=int, widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, data, *, groupings: Sequence[Grouping], today: date):
        super().__init__(data)
        opened = [grouping.opened_on.year for grouping in groupings]
        years = range(max([today.year, *opened]), min(opened, default=today.year) - 1, -1)
        self.fields["annee"].choices = [("", "Toutes"), *((year, str(year)) for year in years)]
        self.fields["groupement"].choices = _choices(groupings)

    @property
    def filters(self) -> Filters:
        """What was asked; a value that is not offered is left out, and told beside its field."""
        self.errors  # noqa: B018 - validates
        asked = self.cleaned_data
        return Filters(
            member=asked.get("q", ""),
            groupings=frozenset(asked.get("groupement", ())),
            state=asked.get("etat", ""),
            year=asked.get("annee"),
            late_only=asked.get("retards", False),
            with_launched=asked.get("lances", False),
            display=asked.get("affichage", ""),
        )

    @property
    def in_words(self) -> str:
        """What was asked, as one French line for a printed page; empty without a filter."""
        filters, chosen = self.filters, self.fields["groupement"].choices
        references = [label.split(" – ")[0] for _, part in chosen for pk, label in part if pk in filters.groupings]
        said = [
            f"membre «\u00a0{filters.member}\u00a0»" if filters.member else "",
            f"groupements {', '.join(references)}" if references else "",
            f"état «\u00a0{dict(STATES)[filters.state]}\u00a0»" if filters.state else "",
            f"année {filters.year}" if filters.year else "",
            "retards seulement" if filters.late_only else "",
            "groupements lancés aussi" if filters.with_launched else "",
        ]
        return "\u202f; ".join(part for part in said if part)


def _choices(groupings: Sequence[Grouping]) -> list[tuple[str, list[tuple[int, str]]]]:
    by_reference = sorted(groupings, key=lambda grouping: grouping.reference)
    parts = (
        ("En préparation", [g for g in by_reference if g.is_in_preparation]),
        ("Lancés ou en exécution", [g for g in by_reference if not g.is_in_preparation]),
    )
    return [(label, [(g.pk, f"{g.reference} – {g.title}") for g in part]) for label, part in parts if part]
