"""The forms of the clause library: writing an article, choosing what to preview and what to compare."""

from django import forms

from groupings.clauses.articles import ClauseText
from groupings.models import ClauseDraft, ClauseVersion, Grouping
from procurement.core.forms import StyledFormMixin

MAX_TYPED = 400_000  # signs; far above what may be published, so that a text too long is told and kept
DRAFT = "projet"


class ClauseForm(StyledFormMixin, forms.Form):
    """The text of the next version of an article, and why it changes. A wrong text is a valid form: it is kept."""

    title = forms.CharField(label="Intitulé", max_length=300)
    body = forms.CharField(
        label="Texte",
        max_length=MAX_TYPED,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 26, "class": "clause-source", "spellcheck": "true", "wrap": "soft"}),
    )
    note = forms.CharField(
        label="Motif de la modification",
        max_length=500,
        required=False,
        help_text="Demandé pour publier\u00a0; il figure dans l’historique.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_body(self) -> str:
        body = self.cleaned_data["body"]
        if not body.strip():
            raise forms.ValidationError("Écrivez le texte de l’article.")
        return body

    @classmethod
    def for_text(cls, text: ClauseText, draft: ClauseDraft | None) -> "ClauseForm":
        """The form as the page is opened: the draft, else the text in force."""
        shown = draft or text
        return cls(initial={"title": shown.title, "body": shown.body, "seen": draft.mark if draft else ""})

    def remember(self, draft: ClauseDraft | None) -> None:
        """The next sending of the same page follows ``draft``."""
        self.data = self.data.copy()
        self.data["seen"] = draft.mark if draft else ""


class PreviewForm(StyledFormMixin, forms.Form):
    """Which grouping's data the article is printed with."""

    groupement = forms.ChoiceField(label="Groupement")

    def __init__(self, *args, groupings: list[Grouping], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["groupement"].choices = [(grouping.pk, str(grouping)) for grouping in groupings]


class CompareForm(StyledFormMixin, forms.Form):
    """Two versions of one article; « projet » is the draft."""

    de = forms.ChoiceField(label="De")
    a = forms.ChoiceField(label="À")

    def __init__(self, *args, versions: list[ClauseVersion], has_draft: bool, **kwargs):
        super().__init__(*args, **kwargs)
        numbers = [version.number for version in versions] or [1]
        choices = [(str(number), f"Version {number}") for number in numbers]
        if has_draft:
            choices.insert(0, (DRAFT, "Projet"))
        for field in self.fields.values():
            field.choices = choices
