"""The forms of a bulletin d'adhésion: what the member says, its signature."""

from django import forms

from groupings.models import JoiningForm, Membership
from groupings.reference import cpv
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin


class JoiningFormForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """What a member says when it takes part in a family of purchases or a consultation."""

    leaves_contract_on = DateField(label="Fin du marché en cours", required=False)
    places = {"joining_form_once": "subject"}

    class Meta:
        model = JoiningForm
        fields = [
            "membership",
            "subject",
            "family",
            "needs_statement",
            "leaves_contract_on",
            "contact_name",
            "contact_email",
            "contact_phone",
        ]
        widgets = {"needs_statement": forms.Textarea(attrs={"rows": 6})}

    def __init__(self, *args, memberships, is_new: bool, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["membership"]
        if not is_new:
            del self.fields["membership"]
            return
        field.label, field.empty_label = "Membre", "Choisissez"
        field.queryset = Membership.objects.filter(pk__in=[m.pk for m in memberships]).select_related("organisation")
        field.label_from_instance = lambda membership: membership.organisation.name
        if len(memberships) == 1:
            field.initial = memberships[0].pk

    def clean_family(self) -> str:
        text = self.cleaned_data["family"].strip()
        try:
            return cpv.parse(text) if text else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class JoiningSignForm(StyledFormMixin, forms.Form):
    """Who signed the bulletin, when, and the signed copy."""

    signed_on = DateField(label="Signé le")
    signatory = forms.CharField(label="Signataire", max_length=200, help_text="Nom et qualité.")
    file = forms.FileField(label="Bulletin signé (PDF)", required=False)
