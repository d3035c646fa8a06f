"""What the pages of the ledger are asked to show: one year, one stage at a time, a family, a member."""

from django import forms
from django.utils.text import Truncator

from groupings.filters import FilterForm
from groupings.radar import division_label
from savings.choices import GainStage
from savings.models import LedgerEntry
from savings.overview import Selection

ALL = ("", "Toutes")


class SelectionForm(FilterForm):
    """The filters of the first page. A value that is not offered is told, and left out: the page shows the rest."""

    annee = forms.TypedChoiceField(label="Exercice", coerce=int, required=False, empty_value=None)
    stade = forms.ChoiceField(label="Stade", choices=GainStage.choices, required=False)
    famille = forms.ChoiceField(label="Famille (division CPV)", required=False)
    membre = forms.TypedChoiceField(label="Membre", coerce=int, required=False, empty_value=None)

    def __init__(self, data, *, affiliation, year: int, with_parts: bool = True):
        """``year``: the one shown when none is asked. ``with_parts``: offer a family, and a member to who sees all."""
        asked = {"annee": str(year), "stade": GainStage.AWARDED}
        super().__init__({**asked, **{name: value for name, value in data.items() if value}})
        self.default_year = year
        #: A member's people read the figures of their own body, even when it coordinates a grouping of several.
        self.own_id = None if affiliation.sees_whole_territory else affiliation.organisation_id
        visible = LedgerEntry.objects.visible_to(affiliation).order_by()
        pairs = list(visible.values_list("year", "family").distinct())
        years = sorted({year, *(counted for counted, _ in pairs)}, reverse=True)
        self.fields["annee"].choices = [(each, str(each)) for each in years]
        self.fields["annee"].error_messages["invalid_choice"] = (
            f"Rien ne compte dans l’exercice demandé\u00a0: voici {year}."
        )
        families = sorted({family for _, family in pairs})
        self.fields["famille"].choices = [ALL, *((family, family_label(family)) for family in families)]
        if not with_parts:
            del self.fields["famille"]
        if with_parts and affiliation.sees_whole_territory:
            bodies = visible.values_list("organisation__sort_name", "organisation_id", "organisation__name").distinct()
            self.fields["membre"].choices = [("", "Tous"), *((pk, name) for _, pk, name in sorted(bodies))]
        else:
            del self.fields["membre"]

    def selection(self, grouping_id: int | None = None) -> Selection:
        """What is asked, refused values left out; of one grouping, with every member the reader may see there."""
        self.is_valid()
        asked = self.cleaned_data
        # A refused value would leave its list on the first choice, beside figures that are not those of that choice.
        shown = {"annee": str(self.default_year), "stade": GainStage.AWARDED.value}
        self.data |= {name: shown.get(name, "") for name in self.errors}
        return Selection(
            year=asked.get("annee") or self.default_year,
            stage=asked.get("stade") or GainStage.AWARDED,
            family=asked.get("famille") or "",
            organisation_id=asked.get("membre") if grouping_id else asked.get("membre") or self.own_id,
            grouping_id=grouping_id,
        )

    @property
    def narrows(self) -> bool:
        """Whether a family or a member was asked, that could be left out."""
        return bool(self.cleaned_data.get("famille") or self.cleaned_data.get("membre"))


def family_label(family: str) -> str:
    """The division; its name is cut, for a list that fits its line."""
    return Truncator(f"{family} – {division_label(family)}").chars(50)
