"""The forms of what stands beside the gains."""

from django import forms
from djmoney.money import Money

from groupings.models import Grouping
from procurement.core.forms import EuroField, StyledFormMixin
from savings.models import CoordinationCost, OffContractSpend


class _AmountForm(StyledFormMixin, forms.Form):
    """A year, and the moment the person's copy was written: who comes second is told."""

    seen = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    year = forms.IntegerField(
        label="Exercice",
        min_value=2000,
        max_value=2100,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "invalid": "Saisissez une année, par exemple 2026.",
            "min_value": "Saisissez une année à partir de 2000.",
            "max_value": "Saisissez une année jusqu’à 2100.",
        },
    )


class CoordinationCostForm(_AmountForm):
    """Hours at their rate, or an amount."""

    label = forms.CharField(
        label="Nature", max_length=200, help_text="Temps de l’acheteur, annonces légales, conseil, plateforme…"
    )
    hours = forms.DecimalField(
        label="Heures",
        min_value=0,
        max_digits=8,
        decimal_places=2,
        localize=True,
        required=False,
        error_messages={"min_value": "Un nombre d’heures ne peut pas être négatif."},
    )
    hourly_rate = EuroField(label="Coût d’une heure (€)", required=False)
    amount_excl_tax = EuroField(
        label="Montant (€ HT)", required=False, help_text="Laissez vide si vous indiquez les heures et leur coût."
    )

    @staticmethod
    def initial_of(cost: CoordinationCost) -> dict:
        by_hours = cost.hours is not None
        return {
            "seen": cost.entered_at.isoformat(),
            "year": cost.year,
            "label": cost.label,
            "hours": cost.hours,
            "hourly_rate": cost.hourly_rate,
            "amount_excl_tax": None if by_hours else cost.amount_excl_tax,
        }

    def fill(self, cost: CoordinationCost) -> CoordinationCost:
        """``cost`` with what was typed."""
        typed = self.cleaned_data
        cost.year, cost.label, cost.hours = typed["year"], typed["label"], typed["hours"]
        cost.hourly_rate, cost.amount_excl_tax = _money(typed["hourly_rate"]), _money(typed["amount_excl_tax"])
        return cost


class OffContractForm(_AmountForm):
    """What one member bought elsewhere."""

    lot = forms.ModelChoiceField(label="Lot", queryset=None, empty_label="Choisissez")
    membership = forms.ModelChoiceField(label="Membre", queryset=None, empty_label="Choisissez")
    amount_excl_tax = EuroField(
        label="Montant acheté hors marché (€ HT)",
        help_text="Zéro dit qu’il n’y a rien eu\u202f; sans saisie, on ne sait pas.",
    )
    source = forms.CharField(label="Source", max_length=200, help_text="Mandats, extraction du logiciel financier…")

    field_order = ["seen", "lot", "membership", "year", "amount_excl_tax", "source"]

    def __init__(self, *args, grouping: Grouping, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["lot"].queryset = grouping.lots.order_by("number")
        self.fields["membership"].queryset = grouping.memberships.select_related("organisation").order_by(
            "organisation__sort_name"
        )
        self.fields["membership"].label_from_instance = lambda membership: membership.organisation.name

    @staticmethod
    def initial_of(spend: OffContractSpend) -> dict:
        return {
            "seen": spend.entered_at.isoformat(),
            "lot": spend.lot_id,
            "membership": spend.membership_id,
            "year": spend.year,
            "amount_excl_tax": spend.amount_excl_tax,
            "source": spend.source,
        }

    def fill(self, spend: OffContractSpend) -> OffContractSpend:
        """``spend`` with what was typed."""
        typed = self.cleaned_data
        spend.lot, spend.membership = typed["lot"], typed["membership"]
        spend.year, spend.source = typed["year"], typed["source"]
        spend.amount_excl_tax = _money(typed["amount_excl_tax"])
        return spend


def _money(amount) -> Money | None:
    return None if amount is None else Money(amount, "EUR")
