"""The answers a member gives by its signed link, where they differ from those of the deliberation's page."""

from django import forms
from django.core.exceptions import ValidationError

from groupings.forms.deliberation import EffectForm, ScheduleForm, StepForm, VoteForm
from procurement.core.forms import style

_ACCEPT = {"accept": ".pdf,application/pdf"}
_FORMAT = "Signée ou tamponnée, en PDF, 10\u00a0Mo au plus."


class AnswerForm(StepForm):
    """A step that may come with the file of the act."""

    def ask_for_the_file_again(self) -> None:
        """A browser does not keep the file of a refused form: say so, unless the file itself was refused."""
        if self.files.get("file") and "file" not in self.errors:
            self.add_error("file", "Choisissez de nouveau le fichier\u00a0: le navigateur ne le garde pas.")


class VoteAnswerForm(AnswerForm, VoteForm):
    """The result of the vote, and the act itself when it is at hand."""

    file = forms.FileField(
        label="La délibération",
        required=False,
        allow_empty_file=True,  # the action says it better
        widget=forms.FileInput(attrs=_ACCEPT),
        help_text=f"{_FORMAT} Vous pourrez aussi la déposer plus tard.",
    )


class EffectAnswerForm(AnswerForm, EffectForm):
    """The dates that make the act enforceable. Sent as it was shown, it is a slip, not an answer to thank for."""

    def clean(self) -> dict:
        cleaned = super().clean()
        is_current = self.version_read == self.deliberation.version  # else the action says what changed meanwhile
        if is_current and not self.errors and not set(self.changed_data) - {"version"}:
            raise ValidationError(
                {"transmitted_on": "Indiquez une date\u00a0: transmission, réception ou publication."}
            )
        return cleaned


class PieceAnswerForm(AnswerForm):
    """The act alone, at any time after the vote."""

    file = forms.FileField(
        label="Fichier",
        allow_empty_file=True,
        widget=forms.FileInput(attrs=_ACCEPT),
        help_text=_FORMAT,
        error_messages={"required": "Choisissez un fichier."},
    )


def list_sessions(form: ScheduleForm) -> None:
    """One big button per coming session: a phone cuts the lines of a drop-down list."""
    if form.coming:
        field = form.fields["session"]
        field.widget = forms.RadioSelect(choices=[choice for choice in field.choices if choice[0]])
        style(field)
