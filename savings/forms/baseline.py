"""The forms of a reference price: written, replaced, frozen, priced after the opening, contested."""

from decimal import Decimal
from typing import ClassVar

from django import forms

from groupings.forms.needs import ACCEPT, NumberField
from groupings.models import GroupingDocument, Membership
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.money import NARROW_SPACE, format_number
from procurement.core.submission import PlacedErrorsMixin
from savings.actions.baseline import EVIDENCE_KINDS
from savings.models import Baseline


class FrenchNumberField(NumberField):
    """A number shown as it is typed: « 1 234,5 », without useless zeros."""

    def __init__(self, *, places: int, example: str, is_required: bool = False, **kwargs):
        super().__init__(places=places, example=example, **kwargs)
        self.required = is_required

    def prepare_value(self, value):
        return format_number(value).replace(NARROW_SPACE, " ") if isinstance(value, Decimal) else value


class BaselineForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """One reference of one member on one lot."""

    quantity = FrenchNumberField(
        places=3,
        example="1\u00a0200",
        label="Quantité prévue par an",
        help_text="1 pour un forfait.",
        error_messages={"required": "Indiquez la quantité prévue par an."},
    )
    price_before = FrenchNumberField(
        places=6,
        example="4,80",
        label="Prix de référence (€ HT)",
        help_text="Par unité\u202f; pour un forfait, le montant d’un an. Vide tant qu’il est inconnu.",
    )
    period_starts_on = DateField(required=False, label="Période du", help_text="Quand ce prix a été payé ou relevé.")
    period_ends_on = DateField(required=False, label="Période au")
    evidence_file = forms.FileField(
        required=False,
        label="Déposer une preuve",
        allow_empty_file=True,  # the action says it better
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        help_text="Facture, marché, devis\u00a0: PDF, image, Excel ou Word, 10\u00a0Mo au plus. Lue par ce membre et "
        "par le coordonnateur, par personne d’autre.",
    )
    index_base_month = DateField(required=False, label="Mois de référence de l’indice")
    index_base_value = FrenchNumberField(places=4, example="104,2", label="Valeur de référence")
    index_month = DateField(required=False, label="Mois de l’indice utilisé")
    index_value = FrenchNumberField(places=4, example="112,536", label="Valeur utilisée")
    index_fixed_part = FrenchNumberField(
        places=3, example="0,15", label="Part fixe", help_text="0 quand tout le prix suit l’indice."
    )
    index_factor = FrenchNumberField(
        places=8,
        example="1,08",
        label="Coefficient d’indexation",
        help_text="Calculé quand les deux valeurs de l’indice sont données. 1 sans indexation.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    places: ClassVar[dict[str, str]] = {
        "baseline_once": "designation",
        "baseline_quantity_positive": "quantity",
        "baseline_price_positive": "price_before",
        "baseline_index_positive": "index_factor",
        "baseline_fixed_part": "index_fixed_part",
        "baseline_index_named": "index_name",
        "baseline_lump_sum_is_one": "quantity",
        "baseline_period_in_order": "period_ends_on",
    }
    _SECTIONS: ClassVar = (
        ("Ce qui est acheté", ("designation", "is_lump_sum", "is_one_off", "quantity", "unit", "price_before")),
        (
            "D’où vient ce prix",
            ("method", "source", "period_starts_on", "period_ends_on", "evidence", "evidence_file", "perimeter_note"),
        ),
    )
    _INDEX: ClassVar = (
        *("index_name", "index_base_month", "index_base_value", "index_month", "index_value"),
        *("index_fixed_part", "index_factor"),
    )

    class Meta:
        model = Baseline
        fields: ClassVar = [
            *("designation", "is_lump_sum", "is_one_off", "quantity", "unit", "price_before"),
            *("method", "source", "period_starts_on", "period_ends_on", "evidence", "perimeter_note"),
            *("index_name", "index_base_month", "index_base_value", "index_month", "index_value"),
            *("index_fixed_part", "index_factor"),
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        membership: Membership = self.instance.membership
        self.fields["version"].initial = self.instance.version if self.instance.pk else 0
        # A lump sum is one: nothing to type.
        self.fields["quantity"].required = not self.data.get(self.add_prefix("is_lump_sum"))
        self.fields["method"].choices = [("", "Choisir…"), *(c for c in self.fields["method"].choices if c[0])]
        evidence = self.fields["evidence"]
        evidence.queryset = GroupingDocument.objects.filter(membership=membership, kind__in=EVIDENCE_KINDS)
        evidence.empty_label = "Aucune"
        evidence.label = "Preuve déjà déposée"
        evidence.help_text = "Sans preuve, la fiabilité est C au mieux."

    def sections(self) -> list[tuple[str, list]]:
        """(title, boxes) of the parts always shown."""
        return [(title, [self[name] for name in names]) for title, names in self._SECTIONS]

    def index_fields(self) -> list:
        return [self[name] for name in self._INDEX]

    def is_indexed(self) -> bool:
        """Whether the part of the index opens unfolded: it holds something, or something to correct."""
        kept = self.instance.index_name or self.instance.method == "HISTORIC_PRICE_INDEXED"
        typed = any(self.data.get(name) for name in ("index_name", "index_value", "index_base_value"))
        return bool(kept or typed or self.errors.keys() & set(self._INDEX))

    def clean_quantity(self) -> Decimal:
        if self.data.get(self.add_prefix("is_lump_sum")):
            return Decimal(1)
        return self.cleaned_data["quantity"]

    def clean_index_fixed_part(self) -> Decimal:
        return self.cleaned_data["index_fixed_part"] or Decimal(0)

    def clean_index_factor(self) -> Decimal:
        factor = self.cleaned_data["index_factor"]
        return Decimal(1) if factor is None else factor

    def version_read(self) -> int:
        """That of the row the person was reading; 0 for a new one."""
        return self.cleaned_data.get("version") or 0


class ReplacementForm(BaselineForm):
    """Another reference in place of a frozen one, and why."""

    reason = forms.CharField(
        label="Motif du remplacement",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Il sera inscrit au journal\u202f; après la date limite des offres, il motive aussi le retard.",
    )

    def sections(self) -> list[tuple[str, list]]:
        return [("Pourquoi", [self["reason"]]), *super().sections()]


class FreezeForm(StyledFormMixin, forms.Form):
    """Why the references are frozen after the deadline; nothing to say before."""

    late_reason = forms.CharField(
        label="Motif du retard", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class MeanPriceForm(StyledFormMixin, forms.Form):
    """The mean of the compliant offers, once they are known."""

    price_before = FrenchNumberField(
        places=6,
        example="4,10",
        is_required=True,
        label="Moyenne des offres conformes (€ HT par unité)",
        help_text="Sans les offres irrégulières ni anormalement basses. Elle s’écrit une fois.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ObjectionForm(StyledFormMixin, forms.Form):
    """What is wrong with a price, in the member's words."""

    objection = forms.CharField(
        label="Ce qui ne va pas",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Par exemple\u00a0: nous payions 4,20\u00a0€ la ramette en 2025, facture jointe aux besoins.",
    )
