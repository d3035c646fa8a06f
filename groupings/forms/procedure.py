"""The forms of the procedure: who would leave, and the jurist's choice for a small lot."""

from django import forms

from groupings.forms.membership import CheckboxList
from procurement.core.forms import StyledFormMixin


class WithoutForm(StyledFormMixin, forms.Form):
    """Which members would leave; sent by GET, and nothing is written."""

    sans = forms.MultipleChoiceField(label="Membres qui quitteraient", required=False, widget=CheckboxList)

    def __init__(self, *args, members: list[tuple[int, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sans"].choices = members


class SmallLotForm(StyledFormMixin, forms.Form):
    """Take the exception for one lot, or give it up."""

    choice = forms.ChoiceField(
        choices=[("take", "Prendre"), ("give_up", "Abandonner")],
        widget=forms.HiddenInput,
        error_messages={
            "required": "Choisissez de prendre l’exception ou de l’abandonner.",
            "invalid_choice": "Choisissez de prendre l’exception ou de l’abandonner.",
        },
    )
    reason = forms.CharField(
        label="Motif du juriste",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Il sera inscrit au journal.",
        error_messages={"required": "Indiquez le motif\u00a0: il sera inscrit au journal."},
    )
