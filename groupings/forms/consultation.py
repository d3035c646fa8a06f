"""The forms of a consultation: its dates, its questions, its files, the lots put out again."""

from datetime import datetime
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError

from groupings.forms.grouping import SectionsMixin
from groupings.forms.membership import CheckboxList
from groupings.models import Consultation, GroupingDocument, Question
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin

_INSTANTS = ("%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M", "%d/%m/%Y %Hh%M", "%d/%m/%Y à %H h %M")


class InstantInput(forms.DateTimeInput):
    """The browser's own calendar and clock."""

    input_type = "datetime-local"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class ConsultationForm(PlacedErrorsMixin, SectionsMixin, StyledFormMixin, forms.ModelForm):
    """What the coordinator records of one consultation."""

    notice_sent_on = DateField(required=False, label="Avis envoyé le")
    offers_due_at = forms.DateTimeField(
        required=False,
        label="Offres à remettre avant le",
        input_formats=_INSTANTS,
        widget=InstantInput,
        help_text="Date et heure de Paris.",
        error_messages={"invalid": "Saisissez la date et l’heure, par exemple 16/03/2027 12:00."},
    )
    buyer_profile_url = forms.URLField(
        required=False,
        max_length=500,
        assume_scheme="https",
        label="Profil d’acheteur",
        help_text="L’adresse de la consultation, montrée à tous les membres.",
    )
    opened_on = DateField(required=False, label="Plis ouverts le")
    committee_met_on = DateField(required=False, label="Commission réunie le")
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    places: ClassVar[dict[str, str]] = {
        "consultation_closed_after_due": "offers_due_at",
        "consultation_notice_after_launch": "notice_sent_on",
        "consultation_committee_named": "committee",
    }
    sections = (
        ("Publicité", ("procedure", "boamp_reference", "ojeu_reference", "buyer_profile_url", "notice_sent_on")),
        ("Offres", ("is_electronic", "offers_due_at", "short_delay_reason", "opened_on")),
        ("Commission", ("committee", "committee_met_on")),
    )

    class Meta:
        model = Consultation
        fields: ClassVar = [
            "procedure",
            "boamp_reference",
            "ojeu_reference",
            "buyer_profile_url",
            "notice_sent_on",
            "is_electronic",
            "offers_due_at",
            "short_delay_reason",
            "opened_on",
            "committee",
            "committee_met_on",
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        self.fields["procedure"].label = "Procédure"
        self.fields["procedure"].choices = [("", "À préciser"), *Consultation.Procedure.choices]
        self.fields["committee"].choices = [("", "À préciser"), *Consultation.Committee.choices]
        reason = self.fields["short_delay_reason"]
        reason.help_text = "Un juriste l’écrit quand les offres sont attendues avant le délai légal."
        reason.widget = forms.Textarea(attrs={"rows": 2, "maxlength": "500", "class": "form-control"})

    def clean_offers_due_at(self) -> datetime | None:
        """A year of four right digits: an instant of year 1 has no hour at Paris."""
        due_at = self.cleaned_data["offers_due_at"]
        if due_at is not None and not 2000 <= due_at.year < 2200:
            raise ValidationError("Vérifiez l’année.")
        return due_at


class QuestionForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """A question, and its answer when it is already known."""

    asked_on = DateField(label="Reçue le")
    answered_on = DateField(required=False, label="Réponse envoyée le")

    class Meta:
        model = Question
        fields: ClassVar = ["asked_on", "text", "answered_on", "answer"]
        widgets: ClassVar = {"text": forms.Textarea(attrs={"rows": 3}), "answer": forms.Textarea(attrs={"rows": 3})}

    places: ClassVar[dict[str, str]] = {"question_answer_has_date": "answered_on"}


class AnswerForm(QuestionForm):
    """The answer to a question already recorded."""

    asked_on = None

    class Meta(QuestionForm.Meta):
        fields: ClassVar = ["answered_on", "answer"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["answered_on"].required = True
        self.fields["answer"].required = True


class TenderFileForm(StyledFormMixin, forms.Form):
    """One file of the consultation. What the commission wrote stays with the coordinator."""

    KINDS = (
        GroupingDocument.Kind.NOTICE,
        GroupingDocument.Kind.COMMITTEE_RECORD,
        GroupingDocument.Kind.CONTRACT,
        GroupingDocument.Kind.OTHER,
    )
    file = forms.FileField(
        label="Fichier",
        allow_empty_file=True,  # the action says it better
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.xlsx,.docx"}),
        help_text="PDF, image, Excel ou Word, 10\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
    )
    kind = forms.ChoiceField(label="Nature", choices=[(kind.value, kind.label) for kind in KINDS])
    lot = forms.ChoiceField(label="Lot", required=False)
    is_shared = forms.BooleanField(
        label="Visible de tous les membres",
        required=False,
        help_text="Jamais un procès-verbal de commission.",
    )

    def __init__(self, *args, lots, **kwargs):
        super().__init__(*args, **kwargs)
        self.lots = {str(lot.pk): lot for lot in lots}
        self.fields["lot"].choices = [("", "Tous les lots"), *((pk, str(lot)) for pk, lot in self.lots.items())]

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("is_shared") and cleaned.get("kind") == GroupingDocument.Kind.COMMITTEE_RECORD:
            self.add_error("is_shared", "Un procès-verbal de commission n’est pas montré aux membres.")
        return cleaned


class RelaunchForm(StyledFormMixin, forms.Form):
    """The lots left without a contract, to put out again."""

    lots = forms.TypedMultipleChoiceField(
        label="Lots à relancer",
        coerce=int,
        widget=CheckboxList,
        error_messages={"required": "Cochez au moins un lot.", "invalid_choice": "Ce lot ne peut pas être relancé."},
    )

    def __init__(self, *args, states, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["lots"].choices = [
            (state.lot.pk, f"{state.lot}\u00a0– {state.award.get_outcome_display().lower()}") for state in states
        ]
