"""The form of a line of gain, one per stage."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from groupings.models import Award, PriceItem
from groupings.price_file import decimals
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin
from savings.choices import GainStage
from savings.forms.baseline import FrenchNumberField
from savings.models import PriceLine

#: A list of prices may hold thousands: those that look like the reference are offered, and so many at most.
ITEMS_OFFERED = 100
_WORD = 4


class LineForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """What is paid instead of the reference: the price alone, except where the contract says nothing."""

    price_obtained = FrenchNumberField(
        places=6,
        example="3,60",
        label="Prix obtenu (€ HT)",
        help_text="Vide tant qu’il est inconnu\u00a0: la ligne reste non mesurée, elle ne compte pas pour zéro.",
    )
    price_item = forms.ModelChoiceField(
        PriceItem.objects.none(),
        required=False,
        label="Ou prix du bordereau",
        empty_label="Aucun",
        help_text="Son prix est repris quand la case au-dessus est vide.",
    )
    year = forms.IntegerField(label="Année", min_value=2000, max_value=2100)
    quantity = FrenchNumberField(places=3, example="1\u00a0200", is_required=True, label="Quantité achetée cette année")
    starts_on = DateField(required=False, label="Date d’effet prévue")
    months = forms.IntegerField(required=False, label="Durée prévue (mois)", min_value=1, max_value=360)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    places: ClassVar[dict[str, str]] = {
        "price_line_quantity_positive": "quantity",
        "price_line_prices_not_negative": "price_obtained",
        "price_line_realised_once": "year",
    }

    class Meta:
        model = PriceLine
        fields: ClassVar = ["year", "quantity", "price_obtained", "starts_on", "months", "comment"]
        widgets: ClassVar = {"comment": forms.Textarea(attrs={"rows": 2})}

    field_order: ClassVar = ["year", "quantity", "price_obtained", "price_item", "starts_on", "months", "comment"]

    def __init__(self, *args, award: Award | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.award = award
        self.fields["version"].initial = self.instance.version if self.instance.pk else 0
        stage = self.instance.stage
        if stage != GainStage.REALISED:
            del self.fields["year"], self.fields["quantity"]
        if stage != GainStage.ESTIMATED:
            del self.fields["starts_on"], self.fields["months"]
        items = self._items() if stage == GainStage.AWARDED else PriceItem.objects.none()
        if not items:
            del self.fields["price_item"]
        else:
            field = self.fields["price_item"]
            field.queryset = items
            field.label_from_instance = _item_label

    def _items(self):
        """The contract's list: all of a short one, of a long one the prices that share a word with the reference."""
        if self.award is None:
            return PriceItem.objects.none()
        items = PriceItem.objects.filter(award=self.award)
        if items.count() <= ITEMS_OFFERED:
            return items
        words = [word for word in self.instance.baseline.designation.split() if len(word) >= _WORD]
        alike = Q(pk__in=[])
        for word in words:
            alike |= Q(designation__icontains=word)
        # Not a slice: the field still filters it by the number chosen.
        return items.filter(pk__in=list(items.filter(alike).values_list("pk", flat=True)[:ITEMS_OFFERED]))

    def clean(self) -> dict:
        cleaned = super().clean()
        item, typed = cleaned.get("price_item"), cleaned.get("price_obtained")
        if item is not None and typed is None and "price_obtained" not in self.errors:
            cleaned["price_obtained"] = item.price_excl_tax
        elif item is not None and typed is not None and typed != item.price_excl_tax:
            raise ValidationError(
                {
                    "price_item": f"Le bordereau dit {decimals(item.price_excl_tax)}\u00a0€, vous avez saisi un autre "
                    "prix\u00a0: gardez l’un ou l’autre."
                }
            )
        return cleaned

    def version_read(self) -> int:
        """That of the row the person was reading; 0 for a new one."""
        return self.cleaned_data.get("version") or 0


def _item_label(item: PriceItem) -> str:
    return f"{item.code} – {item.designation[:80]}\u00a0: {decimals(item.price_excl_tax)}\u00a0€"


def proposed(line: PriceLine, award: Award | None, consumed: list, year: str) -> dict[str, Decimal | int | date]:
    """The values a new line's form opens with: the price of the list under the same name, or what was consumed."""
    if line.stage == GainStage.REALISED:
        for one in reversed(consumed):
            if not year or year == str(one.year):
                return {"year": one.year, "quantity": one.quantity, "price_obtained": one.price}
        return {"year": int(year)} if year.isascii() and year.isdigit() and len(year) == len("2026") else {}
    if line.stage == GainStage.AWARDED and award is not None:
        same = PriceItem.objects.filter(award=award, designation__iexact=line.baseline.designation)
        prices = set(same.values_list("price_excl_tax", flat=True)[:2])
        return {"price_obtained": prices.pop()} if len(prices) == 1 else {}
    grouping = line.baseline.membership.grouping
    return {"starts_on": grouping.performance_planned_on, "months": grouping.total_months}
