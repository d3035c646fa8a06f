"""The forms of the fees: an expense, the approval of a year, the calls and what becomes of them."""

from django import forms
from djmoney.money import Money

from groupings.choices import FeeNature, FeeRule
from groupings.models import FeeExpense, Grouping
from members.models import validate_one_line
from procurement.core.forms import DateField, EuroField, StyledFormMixin


class FeeExpenseForm(StyledFormMixin, forms.Form):
    """What was spent, when, and what proves it."""

    seen = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    nature = forms.ChoiceField(label="Nature")
    label = forms.CharField(
        label="Libellé", max_length=200, validators=[validate_one_line], help_text="Avis au BOAMP n° …, facture n° …"
    )
    amount_excl_tax = EuroField(label="Montant (€ HT)", min_value=None, help_text="Négatif pour un avoir.")
    spent_on = DateField(
        label="Engagée le", help_text="Cette date décide de l’exercice, et des membres qui la partagent."
    )
    lot = forms.ModelChoiceField(
        label="Lot en cause",
        queryset=None,
        required=False,
        empty_label="Tout le groupement",
        help_text="Pour un contentieux seulement.",
    )
    file = forms.FileField(
        label="Justificatif",
        required=False,
        allow_empty_file=True,
        help_text="PDF, image, Excel ou Word, 10 Mo au plus.",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.xlsx,.docx"}),
    )

    def clean_amount_excl_tax(self):
        amount = self.cleaned_data["amount_excl_tax"]
        if amount == 0:  # the constraint says it too, and names no field
            raise forms.ValidationError("Une dépense n’est pas de zéro euro\u202f; un avoir est négatif.")
        return amount

    def __init__(self, *args, grouping: Grouping, **kwargs):
        super().__init__(*args, **kwargs)
        natures = FeeNature.choices
        if grouping.fee_rule == FeeRule.FREE:
            natures = [(FeeNature.LITIGATION.value, FeeNature.LITIGATION.label)]
        elif not grouping.is_launched:
            natures = [choice for choice in natures if choice[0] != FeeNature.LITIGATION]
        self.fields["nature"].choices = natures
        self.fields["lot"].queryset = grouping.lots.order_by("number")
        if not grouping.is_launched:
            del self.fields["lot"]

    @staticmethod
    def initial_of(expense: FeeExpense) -> dict:
        return {
            "seen": expense.changed_at.isoformat(),
            "nature": expense.nature,
            "label": expense.label,
            "amount_excl_tax": expense.amount_excl_tax,
            "spent_on": expense.spent_on,
            "lot": expense.lot_id,
        }

    def fill(self, expense: FeeExpense) -> FeeExpense:
        """``expense`` with what was typed."""
        typed = self.cleaned_data
        expense.nature, expense.label, expense.spent_on = typed["nature"], typed["label"], typed["spent_on"]
        expense.amount_excl_tax, expense.lot = Money(typed["amount_excl_tax"], "EUR"), typed.get("lot")
        return expense


class ApproveFeesForm(StyledFormMixin, forms.Form):
    """Finance approves what it has read. ``sha256``: the fingerprint of it."""

    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    ceiling_agreement = forms.CharField(
        label="Décision des membres sur le dépassement du plafond",
        max_length=200,
        validators=[validate_one_line],
        error_messages={"required": "Le plafond serait dépassé\u00a0: indiquez l’accord des membres (article 10.2)."},
        help_text="Avenant ou délibérations qui l’acceptent, avec leur date (article 10.2).",
    )
    reason = forms.CharField(
        label="Motif de la correction",
        max_length=500,
        error_messages={"required": "Indiquez le motif\u00a0: il sera inscrit au journal."},
        help_text="Il figure sur les appels de fonds, et au journal.",
    )

    def __init__(self, *args, is_over: bool, is_correction: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not is_over:
            del self.fields["ceiling_agreement"]
        if not is_correction:
            del self.fields["reason"]


class IssueCallsForm(StyledFormMixin, forms.Form):
    """By when the members are asked to pay."""

    due_on = DateField(label="À régler avant le")


class FollowCallForm(StyledFormMixin, forms.Form):
    """The titre de recettes of a call, and its payment."""

    title_reference = forms.CharField(
        label="Titre de recettes n°", max_length=60, required=False, validators=[validate_one_line]
    )
    paid_on = DateField(label="Réglé le", required=False)

    def __init__(self, *args, is_refund: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if is_refund:
            self.fields["title_reference"].label = "Mandat ou réduction de titre n°"
            self.fields["paid_on"].label = "Rendu le"
