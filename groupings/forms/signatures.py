"""The forms of the circuit of signature: one signature, its file, several at once, the order."""

from django import forms
from django.core.exceptions import ValidationError

from groupings.circuit import Party
from groupings.forms.membership import CheckboxList
from members.models import Representative, validate_one_line
from procurement.core.forms import DateField, StyledFormMixin

_FILE = {
    "allow_empty_file": True,  # the action says it better
    "widget": forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
}
_SIGNED = "PDF numérisé ou signé électroniquement, 10\u00a0Mo au plus."
#: The choice of somebody the register does not know.
_OTHER = "other"
_REASON = "À remplir seulement si une remarque est affichée\u00a0; il sera inscrit au journal."


class SignatureForm(StyledFormMixin, forms.Form):
    """One signature: the day, who signed (of the register, else typed), the signed copy if it is at hand."""

    signed_on = DateField(label="Signée le")
    representative = forms.ChoiceField(label="Signataire", error_messages={"required": "Indiquez qui a signé."})
    signatory = forms.CharField(
        label="Autre signataire",
        max_length=200,
        required=False,
        validators=[validate_one_line],
        help_text="Par exemple\u00a0: Madame Anne Essai, directrice générale des services.",
    )
    file = forms.FileField(
        label="Exemplaire signé",
        required=False,
        help_text=_SIGNED,
        **_FILE,
    )
    reason = forms.CharField(label="Motif", max_length=500, required=False, help_text=_REASON)

    def __init__(self, *args, party: Party, **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        people = list(party.membership.organisation.representatives.all())
        self.people = {str(person.pk): person for person in people}
        self.fields["representative"].choices = [*((p.pk, _label(p)) for p in people), (_OTHER, "Une autre personne")]
        if party.signatory:
            self.initial.setdefault("representative", party.signatory.pk)
        if not people:
            del self.fields["representative"]
            self.fields["signatory"].label = "Signataire"

    def clean(self) -> dict:
        typed = super().clean()
        person, name = self.people.get(typed.get("representative", "")), typed.get("signatory", "")
        is_told = "representative" in self.errors  # already asked for
        if person is None and not name and not is_told and "signatory" not in self.errors:
            self.add_error("signatory", ValidationError("Indiquez qui a signé."))
        if person is not None and name and name.casefold() not in str(person).casefold():
            both = "Choisissez une personne, ou indiquez-en une autre\u00a0: pas les deux."
            self.add_error("signatory", ValidationError(both))
        return typed

    @property
    def person(self) -> Representative | None:
        """The executive chosen in the register; None when another person was named."""
        return self.people.get(self.cleaned_data.get("representative", ""))

    def who(self) -> str:
        person = self.person
        return str(person) if person else self.cleaned_data["signatory"]


def _label(person: Representative) -> str:
    end = f" au {person.end_on:%d/%m/%Y}" if person.end_on else ""
    return f"{person}, {person.title}, {'du' if end else 'depuis le'} {person.start_on:%d/%m/%Y}{end}"


class SignedFileForm(StyledFormMixin, forms.Form):
    """The signed copy of a signature already recorded."""

    file = forms.FileField(
        label="Exemplaire signé",
        help_text=_SIGNED,
        error_messages={"required": "Choisissez un fichier."},
        **_FILE,
    )


class TogetherForm(StyledFormMixin, forms.Form):
    """Several members at once; the button says what for. The date and the reason are for « marquer » alone."""

    memberships = forms.TypedMultipleChoiceField(
        label="Membres", coerce=int, widget=CheckboxList, error_messages={"required": "Cochez au moins un membre."}
    )
    signed_on = DateField(label="Signée le", required=False)
    reason = forms.CharField(label="Motif", max_length=500, required=False, help_text=_REASON)

    def __init__(self, *args, parties: list[Party], what: str = "", **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.what = what
        self.fields["memberships"].choices = [(p.membership.pk, p.membership.organisation.name) for p in parties]

    def clean(self) -> dict:
        typed = super().clean()
        if self.what == "mark" and not typed.get("signed_on") and "signed_on" not in self.errors:
            self.add_error("signed_on", ValidationError("Indiquez le jour de la signature."))
        return typed

    @property
    def ticked(self) -> set[str]:
        return set(self.data.getlist("memberships")) if self.is_bound else set()
