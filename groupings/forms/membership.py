"""Adding members, changing one, and the needs of one member lot by lot."""

import re
from decimal import Decimal
from typing import NamedTuple

from django import forms
from django.core.exceptions import ValidationError

from groupings.models import Grouping, Lot, Membership, NeedLine
from members.models import Organisation, validate_one_line
from procurement.core.forms import EuroField, StyledFormMixin
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


class NeedRow(NamedTuple):
    """The three boxes of one lot."""

    lot: Lot
    amount: forms.BoundField
    quantity: forms.BoundField
    unit: forms.BoundField

    @property
    def boxes(self) -> tuple[forms.BoundField, ...]:
        return self[1:]


class Need(NamedTuple):
    """What was typed for one lot: € excl. tax and quantity, None when unknown."""

    lot: Lot
    amount: Decimal | None
    quantity: Decimal | None
    unit: str


class QuantityField(forms.DecimalField):
    """A quantity with three decimals at most; French spaces and comma accepted. Nothing typed is unknown, not zero."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(
            max_digits=14,
            decimal_places=3,
            min_value=0,
            required=False,
            error_messages={
                "min_value": "Une quantité ne peut pas être négative.",
                "invalid": "Saisissez une quantité, par exemple 1 500 ou 12,5.",
            },
            **kwargs,
        )

    def to_python(self, value: object) -> Decimal | None:
        if isinstance(value, str):
            value = re.sub(r"[\s\u00a0\u202f]", "", value).replace(",", ".")
        return super().to_python(value)


class NeedsForm(forms.Form):
    """The needs of one member, all its lots in one form. A box of a lot that is not this grouping's is refused."""

    _BOX = re.compile(r"(?:amount|quantity|unit)_(\d+)")

    def __init__(self, *args, lots: list[Lot], needs: list[NeedLine], **kwargs):
        super().__init__(*args, **kwargs)
        self.lots = lots
        known = {need.lot_id: need for need in needs}
        for lot in lots:
            need = known.get(lot.pk)
            self.fields[f"amount_{lot.pk}"] = EuroField(
                required=False,
                label=f"Montant estimé, lot {lot.number} (€ HT)",
                initial=need and need.estimated_amount_excl_tax,
            )
            self.fields[f"quantity_{lot.pk}"] = QuantityField(
                label=f"Quantité, lot {lot.number}", initial=need and need.quantity
            )
            self.fields[f"unit_{lot.pk}"] = forms.CharField(
                label=f"Unité, lot {lot.number}",
                max_length=40,
                required=False,
                initial=need.unit if need else "",
                validators=[validate_one_line],
            )
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"

    def rows(self) -> list[NeedRow]:
        return [
            NeedRow(lot, self[f"amount_{lot.pk}"], self[f"quantity_{lot.pk}"], self[f"unit_{lot.pk}"])
            for lot in self.lots
        ]

    def clean(self) -> dict:
        cleaned = super().clean()
        own = {str(lot.pk) for lot in self.lots}
        boxes = (self._BOX.fullmatch(name) for name in self.data)
        if any(box and box.group(1) not in own for box in boxes):
            raise ValidationError("Un des lots indiqués n’appartient pas à ce groupement.")
        for lot in self.lots:
            unit, quantity = cleaned.get(f"unit_{lot.pk}"), cleaned.get(f"quantity_{lot.pk}")
            if unit and quantity is None and f"quantity_{lot.pk}" not in self.errors:
                self.add_error(f"quantity_{lot.pk}", "Indiquez la quantité, ou effacez l’unité.")
        return cleaned

    def needs(self) -> list[Need]:
        """What was typed, one per lot; only once the form is valid. A lot whose box did not come at all (a page cut in
        transit, a lot added meanwhile) is left alone: an empty box says unknown, no box says nothing."""
        return [
            Need(
                lot,
                self.cleaned_data[f"amount_{lot.pk}"],
                self.cleaned_data[f"quantity_{lot.pk}"],
                self.cleaned_data[f"unit_{lot.pk}"],
            )
            for lot in self.lots
            if f"amount_{lot.pk}" in self.data
        ]
