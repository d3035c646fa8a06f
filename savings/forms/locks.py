"""The form that closes a budget year."""

from django import forms


class LockForm(forms.Form):
    """The year, as the confirmation page carries it."""

    year = forms.IntegerField(
        label="Exercice",
        widget=forms.HiddenInput,
        min_value=2000,
        max_value=2100,
        error_messages={"required": "Choisissez un exercice.", "invalid": "Choisissez un exercice."},
    )
