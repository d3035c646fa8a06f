"""Forms as a French user meets them: amounts, dates, labels and errors tied together."""

from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django import forms
from djmoney.money import Money

from procurement.core.forms import DateField, EuroField, StyledFormMixin


class Sheet(StyledFormMixin, forms.Form):
    amount = EuroField(label="Montant estimé", help_text="En euros hors taxes")
    signed_on = DateField(label="Signée le", required=False)
    category = forms.ChoiceField(label="Catégorie", choices=[("s", "Services"), ("f", "Fournitures")])
    is_permanent = forms.BooleanField(label="Permanent", required=False)
    way = forms.ChoiceField(label="Voie", widget=forms.RadioSelect, choices=[("a", "A"), ("b", "B")])
    version = forms.IntegerField(widget=forms.HiddenInput)


VALID = {"amount": "1 234,56", "signed_on": "2026-11-22", "category": "s", "way": "a", "version": "3"}


class Tags(HTMLParser):
    """The start tags of a page, as (tag, attributes)."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def named(self, name: str) -> dict:
        return next(attributes for _, attributes in self.found if attributes.get("name") == name)

    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.found if "id" in attributes}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1 234 567,89 €", Decimal("1234567.89")),
        ("1\u202f234\u202f567,89\xa0€", Decimal("1234567.89")),
        ("1234.5", Decimal("1234.50")),
        ("0", Decimal("0.00")),
        ("  12,30 ", Decimal("12.30")),
    ],
)
def test_amounts_as_typed(typed, read):
    value = EuroField().clean(typed)
    assert value == read
    assert value.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("12,345", "ambigu"),
        ("0,345", "deux décimales"),
        ("douze", "n’est pas un montant"),
        ("-5", "ne peut pas être négatif"),
        ("1e3", "n’est pas un montant"),
        ("NaN", "n’est pas un montant"),
        ("9" * 13, "dépasse"),
    ],
)
def test_wrong_amounts_say_why(typed, sentence):
    with pytest.raises(forms.ValidationError) as refusal:
        EuroField().clean(typed)
    assert sentence in refusal.value.messages[0]


def test_an_unknown_amount_is_not_zero():
    assert EuroField(required=False).clean("") is None
    assert EuroField(min_value=None).clean("-5") == Decimal("-5.00")


@pytest.mark.parametrize("stored", [Decimal("1234.56"), Money("1234.56", "EUR")])
def test_a_stored_amount_is_shown_as_it_is_typed(stored):
    form = Sheet(initial={"amount": stored})
    shown = Tags(str(form)).named("amount")["value"]
    assert shown == "1 234,56"
    assert EuroField().clean(shown) == Decimal("1234.56")


def test_zero_is_shown():
    assert Tags(str(Sheet(initial={"amount": Decimal(0)}))).named("amount")["value"] == "0,00"


@pytest.mark.parametrize("typed", ["2026-11-22", "22/11/2026"])
def test_dates_travel_in_iso_or_french(typed):
    assert DateField().clean(typed) == date(2026, 11, 22)


def test_a_date_is_chosen_in_the_browsers_calendar():
    field = Tags(str(Sheet(initial={"signed_on": date(2026, 11, 22)}))).named("signed_on")
    assert (field["type"], field["value"]) == ("date", "2026-11-22")


def test_labels_help_and_errors_are_tied_to_their_field():
    html = str(Sheet(VALID | {"amount": "douze"}))
    tags = Tags(html)
    amount = tags.named("amount")
    assert amount["aria-invalid"] == "true"
    assert amount["inputmode"] == "decimal"
    described = amount["aria-describedby"].split()
    assert set(described) == {"id_amount_helptext", "id_amount_error"}
    assert set(described) <= tags.ids()
    assert ("label", {"class": "form-label", "for": "id_amount"}) in tags.found
    assert ("a", {"href": "#id_amount"}) in tags.found  # the summary leads to the field
    assert "1 point à corriger" in html
    assert amount["value"] == "douze"  # what was typed stays


def test_the_summary_leads_to_a_group_of_buttons_too():
    tags = Tags(str(Sheet({key: value for key, value in VALID.items() if key != "way"})))
    assert ("a", {"href": "#id_way"}) in tags.found
    assert "id_way" in tags.ids()


def test_only_optional_fields_are_marked():
    html = str(Sheet())
    assert html.count("(facultatif)") == 1  # the date; a box may always stay unticked


def test_every_widget_has_its_class():
    tags = Tags(str(Sheet()))
    assert "form-control" in tags.named("amount")["class"]
    assert "form-select" in tags.named("category")["class"]
    assert "form-check-input" in tags.named("is_permanent")["class"]
    assert tags.named("version")["type"] == "hidden"


def test_what_a_user_typed_is_escaped_everywhere():
    html = str(Sheet(VALID | {"amount": "<b>&\"'"}))
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_nothing_inline():
    html = str(Sheet({}))
    assert "style=" not in html
    assert "<script" not in html


class OfALibrary(forms.Form):
    """A form that knows nothing of the product, as the sign-in library's are."""

    email = forms.EmailField(label="L'adresse", widget=forms.EmailInput(attrs={"placeholder": "Adresse e-mail"}))
    code = forms.CharField(label="Code", widget=forms.TextInput(attrs={"placeholder": "Code", "class": "wide"}))


def test_a_form_of_a_library_wears_our_classes_and_our_typography():
    html = str(OfALibrary())
    tags = Tags(html)
    assert tags.named("email")["class"] == "form-control"
    assert tags.named("code")["class"] == "wide form-control"
    assert tags.named("email")["placeholder"] == "Adresse e-mail"
    assert "placeholder" not in tags.named("code")  # it only repeated the label
    assert ">L’adresse</label>" in html
