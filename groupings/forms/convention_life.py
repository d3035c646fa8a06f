"""What is said of a convention: a remark or a reply, and the coordinator's answer."""

from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from groupings.models import ConventionComment
from groupings.models.convention import COMMENT_MAX
from procurement.core.forms import StyledFormMixin


class _BoxForm(StyledFormMixin, forms.Form):
    """One of many boxes of a page. ``box`` names it: a refused form comes back in its own place."""

    def __init__(self, *args, box: str, **kwargs):
        super().__init__(*args, use_required_attribute=False, auto_id=f"{box}-%s", **kwargs)
        self.box = box

    def as_fields(self) -> SafeString:
        """The boxes alone: what is wrong with them is told once, on top of the page, and by each box."""
        return format_html_join("", "{}", ((field.as_field_group(),) for field in self.visible_fields())) + (
            format_html_join("", "{}", ((field,) for field in self.hidden_fields()))
        )

    @property
    def text(self) -> str:
        """What was typed, to be handed back when the box is no longer on the page."""
        return (self.data.get("body") or self.data.get("answer") or "")[:20000]


class CommentForm(_BoxForm):
    """A remark on the article of ``article``, or a reply to the remark of number ``parent``."""

    article = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)
    parent = forms.IntegerField(required=False, widget=forms.HiddenInput)
    # Its length is checked by the action, which says how long the text is and keeps it whole.
    body = forms.CharField(label="Votre remarque", required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        body = self.fields["body"]
        body.required = True
        body.error_messages["required"] = "Écrivez votre remarque."
        body.help_text = f"Lue par tous les membres, et gardée. {COMMENT_MAX} signes au plus."
        if self["parent"].value():
            body.label = "Votre réponse à cette remarque"


class AnswerForm(_BoxForm):
    """What becomes of a remark, and why."""

    outcome = forms.ChoiceField(
        label="Suite donnée",
        choices=ConventionComment.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez la suite donnée\u00a0: retenue, écartée ou réponse."},
    )
    answer = forms.CharField(
        label="Réponse du coordonnateur",
        help_text="Lue par tous les membres. Elle ne se corrige pas ensuite.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Écrivez votre réponse."},
    )
