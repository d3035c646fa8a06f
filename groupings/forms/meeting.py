"""The form of a meeting held."""

from django import forms

from groupings.models import Meeting
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin


class MeetingForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """When, about what, how many bodies came, what was decided."""

    held_on = DateField(label="Tenue le")
    places = {"meeting_once": "subject"}

    class Meta:
        model = Meeting
        fields = ["held_on", "subject", "attendees", "notes"]
        help_texts = {
            "subject": "Une réunion commune à plusieurs groupements, inscrite à chacun avec la même date et le même "
            "objet, compte pour une dans le bilan de l’année.",
            "notes": "Lu par tous les membres du groupement.",
        }
        widgets = {"notes": forms.Textarea(attrs={"rows": 6})}
