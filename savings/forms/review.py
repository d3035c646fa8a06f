"""The forms of finance: deciding of a line, correcting one, drawing a sample."""

from decimal import Decimal

from django import forms

from groupings.forms.needs import NumberField
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.money import NARROW_SPACE, format_number
from savings.actions.review import DECISIONS
from savings.choices import GainStage
from savings.models import PriceLine
from savings.workflow import LINE_WORKFLOW

_STEPS = [(step, LINE_WORKFLOW.get(step).label) for step in DECISIONS]
LARGEST_SAMPLE = 100


class DecisionForm(StyledFormMixin, forms.Form):
    """Validate, return or reject, with the version of the line that was read."""

    step = forms.ChoiceField(
        label="Votre décision",
        choices=_STEPS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une décision.", "invalid_choice": "Cette décision n’existe pas."},
    )
    reason = forms.CharField(
        label="Motif",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Demandé pour renvoyer ou rejeter\u00a0: l’acheteur le lira.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


class CorrectionForm(StyledFormMixin, forms.Form):
    """What a correction says otherwise; opens filled with the line it corrects."""

    price_obtained = NumberField(
        places=6, example="3,60", label="Prix obtenu (€\u00a0HT)", help_text="Par unité, six décimales au plus."
    )
    quantity = NumberField(places=3, example="1 500", label="Quantité achetée dans l’année")
    starts_on = DateField(label="Effet au", error_messages={"required": "Indiquez la date d’effet."})
    months = forms.IntegerField(
        label="Durée (mois)", min_value=1, max_value=360, error_messages={"required": "Indiquez la durée."}
    )
    comment = forms.CharField(
        label="Commentaire", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    reason = forms.CharField(
        label="Motif de la correction",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Inscrit au journal, avec l’ancienne valeur et la nouvelle.",
        error_messages={"required": "Indiquez pourquoi cette ligne est corrigée."},
    )

    def __init__(self, *args, line: PriceLine, **kwargs):
        names = ("price_obtained", "quantity", "starts_on", "months", "comment")
        kwargs.setdefault("initial", {name: _shown(getattr(line, name)) for name in names})
        super().__init__(*args, **kwargs)
        for name, sentence in (("price_obtained", "Indiquez le prix obtenu."), ("quantity", "Indiquez la quantité.")):
            self.fields[name].required = True
            self.fields[name].error_messages["required"] = sentence
        if line.stage != GainStage.REALISED:
            del self.fields["quantity"]
        else:
            del self.fields["starts_on"], self.fields["months"]

    @property
    def values(self) -> dict:
        """What the action takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "reason"}


def _shown(value: object) -> object:
    """A decimal as it is typed: 3,6 and not 3.600000."""
    return format_number(value).replace(NARROW_SPACE, "") if isinstance(value, Decimal) else value


class SampleForm(StyledFormMixin, forms.Form):
    """What to draw from. The seed is what makes the draw again."""

    annee = forms.IntegerField(
        label="Exercice",
        min_value=2000,
        max_value=2100,
        error_messages={"invalid": "Écrivez l’exercice en quatre chiffres.", "required": "Indiquez l’exercice."},
    )
    stade = forms.ChoiceField(label="Stade", choices=GainStage)
    nombre = forms.IntegerField(
        label="Lignes à tirer",
        min_value=1,
        max_value=LARGEST_SAMPLE,
        error_messages={"invalid": "Écrivez un nombre de lignes.", "required": "Indiquez combien de lignes tirer."},
    )
    graine = forms.CharField(
        label="Graine du tirage", max_length=40, help_text="La même graine redonne les mêmes lignes."
    )
