"""The forms by which a text comes from outside: negotiated, or signed before the tool."""

from django import forms

from groupings.models import Grouping, Membership
from members.models import validate_one_line
from procurement.core.forms import DateField, StyledFormMixin

_REASON = "Demandé dès qu’un membre a délibéré sur la version précédente. Il est inscrit au journal."


class NegotiatedForm(StyledFormMixin, forms.Form):
    """The file that becomes the next version."""

    file = forms.FileField(
        label="Texte négocié",
        allow_empty_file=True,  # the action says it better
        widget=forms.FileInput(attrs={"accept": ".pdf,.docx,application/pdf"}),
        help_text="PDF, ou Word (.docx) sans macros ni mot de passe, 10\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
    )
    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Pourquoi le texte change",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_REASON,
    )


class ResumeForm(StyledFormMixin, forms.Form):
    """Why the text comes back to the tool's own."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Pourquoi revenir au texte produit",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_REASON,
    )


class PriorForm(StyledFormMixin, forms.Form):
    """A convention already signed: its file, its date, and who signed for each member."""

    file = forms.FileField(
        label="Convention signée",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
        help_text="PDF, 10\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
    )
    signed_on = DateField(
        label="Signée le",
        help_text="La date de la dernière signature.",
        error_messages={"required": "Indiquez la date de signature."},
    )

    def __init__(self, *args, grouping: Grouping, **kwargs):
        self.memberships: list[Membership] = list(
            grouping.memberships.active().select_related("organisation").order_by("organisation__sort_name")
        )
        super().__init__(*args, **kwargs)
        for membership in self.memberships:
            field = forms.CharField(
                required=False,
                max_length=200,
                label=f"Signataire pour {membership.organisation.name}",
                validators=[validate_one_line],
            )
            field.widget.attrs["class"] = "form-control"
            self.fields[f"signatory_{membership.pk}"] = field
        self.fields["reason"] = NegotiatedForm.base_fields["reason"]

    def signatories(self) -> dict[int, str]:
        """Membership → who signed, where it was told."""
        told = {m.pk: self.cleaned_data.get(f"signatory_{m.pk}", "") for m in self.memberships}
        return {pk: name for pk, name in told.items() if name}
