"""The forms of a contract in use: its price list, contacts, documents, the consumption file, the renewal."""

import re
from decimal import Decimal

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from groupings.actions.contract import CONTRACT_KINDS
from groupings.models import ContractContact, GroupingDocument
from groupings.models.grouping import REFERENCE
from groupings.price_file import Price
from members.models import validate_one_line
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin


class TableFileForm(StyledFormMixin, forms.Form):
    """One csv or xlsx file."""

    file = forms.FileField(
        label="Fichier CSV ou Excel",
        allow_empty_file=True,  # the import says it better
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={"required": "Choisissez un fichier."},
    )


class PriceListConfirmForm(forms.Form):
    """The list read a moment ago, signed: what was told is what is written, whatever came in between."""

    SALT = "groupings.price_list"
    HOURS = 12

    payload = forms.CharField(widget=forms.HiddenInput)

    @classmethod
    def seal(cls, *, award_pk: int, mark: str, source: str, prices: list[Price]) -> str:
        """``prices`` as the page carries them."""
        lines = [[price.code, price.designation, price.unit, str(price.price)] for price in prices]
        return signing.dumps([award_pk, mark, source, lines], salt=cls.SALT, compress=True)

    def clean_payload(self) -> dict:
        try:
            award_pk, mark, source, lines = signing.loads(
                self.cleaned_data["payload"], salt=self.SALT, max_age=self.HOURS * 3600
            )
        except signing.BadSignature:
            raise ValidationError("La page a expiré\u00a0: déposez de nouveau votre fichier.") from None
        prices = [Price(code, designation, unit, Decimal(price)) for code, designation, unit, price in lines]
        return {"award_pk": award_pk, "mark": mark, "source": source, "prices": prices}


class ContactForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """Whom to call."""

    places = {"contract_contact_reachable": "phone"}

    class Meta:
        model = ContractContact
        fields = ["name", "role", "email", "phone"]
        help_texts = {"role": "Commandes, facturation, urgence, suivi du marché…"}


class ContractDocumentForm(StyledFormMixin, forms.Form):
    """One file of the contract."""

    file = forms.FileField(
        label="Fichier",
        allow_empty_file=True,  # the action says it better
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.xlsx,.docx"}),
        help_text="PDF, image, Excel ou Word, 10\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
    )
    kind = forms.ChoiceField(
        label="Nature", choices=[(kind.value, kind.label) for kind in map(GroupingDocument.Kind, CONTRACT_KINDS)]
    )
    is_shared = forms.BooleanField(
        label="Visible de tous les membres",
        required=False,
        initial=True,
        help_text="Décochez pour une pièce réservée au coordonnateur.",
    )


class UndoForm(StyledFormMixin, forms.Form):
    """Why an import is taken back."""

    reason = forms.CharField(
        label="Motif", max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Il sera inscrit au journal."
    )


class RenewForm(StyledFormMixin, forms.Form):
    """The next grouping: all of it may be changed afterwards on its card."""

    reference = forms.CharField(label="Référence", max_length=30)
    title = forms.CharField(label="Objet", max_length=200, validators=[validate_one_line])
    ends_on = DateField(
        label="Fin du marché actuel",
        help_text="Le nouveau marché commence le lendemain\u00a0: les échéances sont calculées à partir de cette date.",
    )

    def clean_reference(self) -> str:
        value = self.cleaned_data["reference"]
        if not re.fullmatch(REFERENCE.regex, value):
            raise ValidationError(REFERENCE.message)
        return value
