"""One look and one behaviour for every form: labels, help and errors tied together, French amounts and dates."""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting

from procurement.core.money import NARROW_SPACE, format_euros, parse_euros, round_half_up


class FormRenderer(TemplatesSetting):
    """The project's two templates for every form and field."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


class EuroField(forms.CharField):
    """An amount in euros excluding tax as a French user types it; gives a Decimal with two decimals, or None."""

    def __init__(self, *, min_value: Decimal | None = Decimal(0), **kwargs):
        self.min_value = min_value
        super().__init__(**kwargs)
        # Not as max_length: its validator would ask the length of a Decimal.
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off", "maxlength": "40"})

    def to_python(self, value):
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        try:
            amount = parse_euros(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if self.min_value is not None and amount < self.min_value:
            raise ValidationError("Un montant ne peut pas être négatif.")
        return amount

    def prepare_value(self, value):
        amount = getattr(value, "amount", value)
        if isinstance(amount, Decimal):
            return format_euros(round_half_up(amount)).removesuffix("\u00a0€").replace(NARROW_SPACE, " ")
        return value


class FrenchDateInput(forms.DateInput):
    """The browser's own calendar; the value travels in ISO."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


class DateField(forms.DateField):
    """A date, chosen in the browser's calendar or typed ``22/11/2026``."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", FrenchDateInput())
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d/%m/%Y"])
        super().__init__(**kwargs)


class StyledFormMixin:
    """Bootstrap's classes on every widget, without a dependency. Put it before ``forms.Form`` in the bases."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            style(field)


def style(field: forms.Field) -> forms.Field:
    """Give one field's widget its class; for fields added after the form is made."""
    widget = field.widget
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        css = "form-check-input"
    elif isinstance(widget, forms.Select):
        css = "form-select"
    else:
        css = "form-control"
    if css not in widget.attrs.get("class", ""):
        widget.attrs["class"] = f"{widget.attrs.get('class', '')} {css}".strip()
    return field
