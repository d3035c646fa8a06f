"""The forms of the annual sheet: its texts and quarters, the year to begin, the freezing."""

from django import forms

from groupings.forms.grouping import SectionsMixin
from procurement.core.forms import StyledFormMixin
from savings.models import AnnualSheet
from savings.sheet import (
    LONGEST,
    PHASES,
    PROGRESS,
    PROJECT,
    PROSPECTS,
    TEXTS,
    THEME_HEADING,
    THEMES,
    TITLE_HEADING,
    WORK,
    quarters,
)

_OTHERS = "Autres groupements, non recensés dans ce bilan"
_LABELS = dict([*PROJECT[1], *PROGRESS[1], *PROSPECTS[1], ("others", _OTHERS)])
_HELP = {"strengths": "Les gains validés s’ajoutent d’eux-mêmes à la fiche, avec leur base et leur couverture."}


class SheetForm(SectionsMixin, StyledFormMixin, forms.Form):
    """Every heading of the sheet of one year, and one list per quarter."""

    title = forms.CharField(label=TITLE_HEADING, max_length=200)
    themes = forms.MultipleChoiceField(
        label=THEME_HEADING, required=False, choices=list(THEMES.items()), widget=forms.CheckboxSelectMultiple
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, sheet: AnnualSheet, **kwargs):
        initial = {**sheet.texts, "version": sheet.version}
        initial |= {f"quarter_{key}": phase for key, phase in sheet.calendar.items()}
        super().__init__(*args, initial=initial, **kwargs)
        for name, label in _LABELS.items():
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=LONGEST,
                help_text=_HELP.get(name, ""),
                widget=forms.Textarea(attrs={"rows": 8, "class": "form-control"}),
            )
        self.quarters = quarters(sheet.year)
        phases = [("", "—"), *((phase, f"{phase} – {label}") for phase, label in PHASES.items())]
        for key, label in self.quarters:
            self.fields[f"quarter_{key}"] = forms.TypedChoiceField(
                label=label,
                required=False,
                choices=phases,
                coerce=int,
                empty_value=None,
                widget=forms.Select(attrs={"class": "form-select"}),
            )
        self.sections = (
            (PROJECT[0], ("title", "themes", *(name for name, _ in PROJECT[1]))),
            (WORK, tuple(f"quarter_{key}" for key, _ in self.quarters)),
            (PROGRESS[0], ("others", *(name for name, _ in PROGRESS[1]))),
            (PROSPECTS[0], tuple(name for name, _ in PROSPECTS[1])),
        )

    @property
    def texts(self) -> dict:
        return {name: self.cleaned_data[name] for name in (*TEXTS, "themes")}

    @property
    def calendar(self) -> dict[str, int]:
        found = {key: self.cleaned_data[f"quarter_{key}"] for key, _ in self.quarters}
        return {key: phase for key, phase in found.items() if phase is not None}

    @property
    def expected_version(self) -> int:
        return self.cleaned_data["version"] or 0


class YearForm(StyledFormMixin, forms.Form):
    """The year of the sheet to begin."""

    year = forms.IntegerField(
        label="Année",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": "4", "autocomplete": "off"}),
        error_messages={"invalid": "Saisissez une année sur quatre chiffres, par exemple 2026."},
    )


class FreezeForm(forms.Form):
    """The version the person read; 0, which no sheet has, when it is missing."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    @property
    def expected_version(self) -> int:
        return self.cleaned_data["version"] or 0
