"""What is asked of a report on screen: the same words as the command."""

from django import forms

from procurement.core.errors import BusinessError
from procurement.core.forms import StyledFormMixin
from savings.choices import GainStage
from savings.reports.asked import CUTS, FIRST_YEAR, LAST_YEAR, Asked, read_by
from savings.reports.render import FORMATS

#: The cuts offered; the command takes any order of any of them.
OFFERED_CUTS = (
    "grouping",
    "member",
    "family",
    "lot",
    "grouping,member",
    "grouping,lot",
    "grouping,lot,member",
    "member,grouping",
    "member,family",
    "family,grouping",
    "grouping,member,lot,family",
)


def cut_label(by: str) -> str:
    """« Groupement, puis membre »."""
    return ", puis ".join(CUTS[name].lower() for name in by.split(",")).capitalize()


class ReportForm(StyledFormMixin, forms.Form):
    year = forms.IntegerField(
        label="Exercice",
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        error_messages={
            "required": "Indiquez l’exercice.",
            "invalid": "Un exercice est une année, par exemple 2026.",
            "min_value": f"Un exercice va de {FIRST_YEAR} à {LAST_YEAR}.",
            "max_value": f"Un exercice va de {FIRST_YEAR} à {LAST_YEAR}.",
        },
    )
    stage = forms.ChoiceField(
        label="Stade",
        choices=GainStage.choices,
        help_text="Un rapport est d’un seul stade\u00a0: ils ne s’additionnent pas.",
        error_messages={"required": "Choisissez un stade.", "invalid_choice": "Choisissez un des stades proposés."},
    )
    by = forms.ChoiceField(
        label="Regroupement",
        choices=[(by, cut_label(by)) for by in OFFERED_CUTS],
        error_messages={
            "required": "Choisissez un regroupement.",
            "invalid_choice": "Choisissez un des regroupements proposés.",
        },
    )
    format = forms.ChoiceField(
        label="Format",
        choices=[(name, form.label) for name, form in FORMATS.items()],
        error_messages={"required": "Choisissez un format.", "invalid_choice": "Choisissez un des formats proposés."},
    )

    def asked(self) -> Asked:
        """What a valid form asks for."""
        values = self.cleaned_data
        return Asked(values["year"], values["stage"], values["by"])

    def clean_by(self) -> tuple[str, ...]:
        try:
            return read_by(self.cleaned_data["by"])
        except BusinessError as error:
            raise forms.ValidationError(error.message) from None


class OwnLinesForm(ReportForm):
    """What a member asks of its own lines: they are listed as the whole territory's are, and nothing else is."""

    by = None
    format = forms.ChoiceField(
        label="Format",
        choices=[("xlsx", "Classeur Excel, formules vivantes"), ("csv", "CSV")],
        error_messages={"required": "Choisissez un format.", "invalid_choice": "Choisissez un des formats proposés."},
    )

    def asked(self) -> Asked:
        return Asked(self.cleaned_data["year"], self.cleaned_data["stage"])
