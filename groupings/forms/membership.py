"""Adding members, and changing one."""

from django import forms

from groupings.models import Grouping, Membership
from members.models import Organisation
from procurement.core.forms import StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin


class CheckboxList(forms.CheckboxSelectMultiple):
    """Boxes whose group has an id, so that the error summary can lead to it."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return id_ if index is None else super().id_for_label(id_, index)


class MembershipsAddForm(StyledFormMixin, forms.Form):
    """Several bodies at once, joining the same day."""

    organisations = forms.ModelMultipleChoiceField(
        Organisation.objects.none(),
        label="Organismes à ajouter",
        widget=CheckboxList,
        error_messages={"required": "Cochez au moins un organisme."},
    )
    joined_on = forms.DateField(label="Adhésion le")

    def __init__(self, *args, grouping: Grouping, affiliation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organisations"].queryset = Organisation.objects.visible_to(affiliation).exclude(
            memberships__grouping=grouping
        )


class MembershipForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """A member's contact; its dates too, for the coordinator's people only (``with_dates``)."""

    places = {"membership_withdrawn_after_joining": "withdrawn_on"}

    class Meta:
        model = Membership
        fields = ["contact_name", "contact_email", "contact_phone", "joined_on", "withdrawn_on"]
        help_texts = {"withdrawn_on": "À ne remplir que si le membre se retire du groupement."}

    def __init__(self, *args, with_dates: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not with_dates:
            del self.fields["joined_on"], self.fields["withdrawn_on"]
