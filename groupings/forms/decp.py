"""The forms of published contracts: the file to read, the radar's filters."""

from django import forms

from groupings.exchange.decp.reader import MAX_UPLOAD_BYTES
from groupings.radar import division_label
from groupings.rules.radar import HORIZON_MONTHS
from procurement.core.forms import StyledFormMixin

HORIZONS = (6, 12, HORIZON_MONTHS)


class PublishedContractsForm(StyledFormMixin, forms.Form):
    file = forms.FileField(
        label="Fichier de données essentielles",
        allow_empty_file=True,  # the reader says it better
        help_text=f"JSON ou XML, {MAX_UPLOAD_BYTES // 1024**2}\u00a0Mo au plus. Pour un fichier national, utilisez la "
        "commande import_decp, qui lit toute taille.",
        error_messages={"required": "Choisissez un fichier."},
        widget=forms.FileInput(attrs={"accept": ".json,.xml"}),
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                f"Le fichier dépasse {MAX_UPLOAD_BYTES // 1024**2}\u00a0Mo\u00a0: gardez ceux de votre territoire, "
                "ou utilisez la commande import_decp."
            )
        return file


class RadarFilterForm(StyledFormMixin, forms.Form):
    """``divisions``: those that have contracts ending. A value that is not offered counts as none."""

    division = forms.ChoiceField(label="Nature d’achat (division CPV)", required=False)
    horizon = forms.TypedChoiceField(
        label="Fin dans les",
        required=False,
        coerce=int,
        empty_value=HORIZON_MONTHS,
        choices=[(months, f"{months} mois") for months in reversed(HORIZONS)],
    )

    def __init__(self, data, *, divisions: list[str]):
        super().__init__(data, auto_id="id_%s")
        labels = sorted((division_label(division), division) for division in divisions)
        self.fields["division"].choices = [("", "Toutes"), *((code, f"{code} – {label}") for label, code in labels)]
        self.is_valid()

    @property
    def chosen_division(self) -> str:
        return self.cleaned_data.get("division") or ""

    @property
    def chosen_horizon(self) -> int:
        return self.cleaned_data.get("horizon") or HORIZON_MONTHS
