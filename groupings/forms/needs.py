"""The answer of one member to the survey of needs, lot by lot; and the survey itself, by its coordinator."""

import re
from decimal import Decimal

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from groupings.actions.needs import Read
from groupings.actions.needs_draft import BOXES
from groupings.models import Grouping, Lot, Membership, NeedsCampaign
from groupings.needs_prefill import LotTexts
from groupings.rules.needs import NeedEntry, entry_refusals
from members.models import validate_one_line
from procurement.core.forms import DateField, EuroField, StyledFormMixin, style

#: What a phone offers at once: its camera, its photographs, its files.
ACCEPT = "image/jpeg,image/png,application/pdf,.pdf,.xlsx,.docx"
LABELS = {
    "has_no_need": "Pas de besoin pour ce lot",
    "quantity": "Quantité par an",
    "unit": "Unité",
    "unit_price": "Prix unitaire actuel (€ HT)",
    "supplier": "Fournisseur actuel",
    "contract_ends_on": "Fin du contrat actuel",
    "yearly_amount": "Montant annuel (€ HT)",
    "total_amount": "Montant sur toute la durée (€ HT)",
    "file": "Justificatifs",
}
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]")


class NumberField(forms.CharField):
    """A number as a French user types it, « 1 500,5 », with ``places`` decimals at most; a Decimal, None when unknown.

    Its sign is the rule's business (``groupings.rules.needs``).
    """

    def __init__(self, *, places: int, example: str, **kwargs):
        self.places, self.example = places, example
        super().__init__(required=False, **kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off", "maxlength": "40"})

    def to_python(self, value: object) -> Decimal | None:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        plain = _SPACES.sub("", text).replace("\u2212", "-").replace(",", ".")
        found = re.fullmatch(r"-?(\d{1,10})(?:\.(\d+))?", plain, re.ASCII)
        if found is None:
            raise ValidationError(f"Saisissez un nombre, par exemple {self.example}.")
        if len(found.group(2) or "") > self.places:
            raise ValidationError(f"{self.places} décimales au plus.")
        return Decimal(plain)


class FileInput(forms.FileInput):
    """Several files at once. The view reads them one by one: each is kept, or refused, by itself."""

    allow_multiple_selected = True


class NeedsAnswerForm(forms.Form):
    """All the lots of a grouping, whose fields are « box_<lot number in the database> ».

    ``shown``: lot number → what its boxes hold. A box that did not come says nothing: a page cut in transit, a lot
    added meanwhile. Refuses a box of a lot that is not this grouping's.
    """

    _BOX = re.compile(rf"(?:{'|'.join((*BOXES, 'file'))})_(\d+)")

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    number = forms.IntegerField(widget=forms.HiddenInput, required=False)
    #: Whether what was typed in a refused form is kept as a draft.
    is_kept = False

    def __init__(self, *args, lots: list[Lot], shown: dict[int, LotTexts], months: int, **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.lots, self.months, self.shown = lots, months, shown
        for lot in lots:
            texts = shown[lot.number].texts
            for box, made in _fields().items():
                made.label = f"{LABELS[box]}, lot {lot.number}"
                made.initial = bool(texts.get(box)) if box == "has_no_need" else texts.get(box, "")
                self.fields[f"{box}_{lot.pk}"] = style(made)

    def clean(self) -> dict:
        cleaned = super().clean()
        own = {str(lot.pk) for lot in self.lots}
        boxes = (self._BOX.fullmatch(name) for name in self.data)
        if any(box and box.group(1) not in own for box in boxes):
            raise ValidationError("Un des lots indiqués n’appartient pas à ce groupement.")
        for lot in self.lots:
            if not self._came(lot):
                continue
            for box, sentence in entry_refusals(self._entry(lot), self.months).items():
                if not any(f"{name}_{lot.pk}" in self.errors for name in (box, *_TOGETHER.get(box, ()))):
                    self.add_error(f"{box}_{lot.pk}", sentence)
        return cleaned

    def _came(self, lot: Lot) -> bool:
        return f"yearly_amount_{lot.pk}" in self.data

    def _entry(self, lot: Lot) -> NeedEntry:
        typed = {box: self.cleaned_data.get(f"{box}_{lot.pk}") for box in BOXES}
        for box in ("unit", "supplier"):
            typed[box] = typed[box] or ""
        if typed["has_no_need"]:  # a figure that we proposed, and nobody touched, does not contradict the tick
            for box in ("quantity", "yearly_amount", "total_amount"):
                if self.data.get(f"{box}_{lot.pk}", "").strip() == self.shown[lot.number].proposed.get(box):
                    typed[box] = None
        return NeedEntry(**{**typed, "has_no_need": bool(typed["has_no_need"])})

    def entries(self) -> dict[int, NeedEntry]:
        """Lot number → what was said of it; only once the form is valid."""
        return {lot.number: self._entry(lot) for lot in self.lots if self._came(lot)}

    def typed(self) -> dict[str, dict[str, str]]:
        """Lot number → box → exact text, for the boxes that came: what a draft keeps, right or wrong."""
        found: dict[str, dict[str, str]] = {}
        for lot in self.lots:
            names = {box: f"{box}_{lot.pk}" for box in BOXES}
            texts = {box: self.data[name].strip() for box, name in names.items() if name in self.data}
            if self._came(lot):  # an unticked box does not travel
                texts.setdefault("has_no_need", "")
            if texts:
                found[str(lot.number)] = texts
        return found

    def tell_only_the_files(self) -> None:
        """A draft may be incomplete: of the refusals, keep those about the whole form and about its files."""
        for name in [name for name in self.errors if name != NON_FIELD_ERRORS and not name.startswith("file_")]:
            del self._errors[name]

    @property
    def has_refused_file(self) -> bool:
        return any(f"file_{lot.pk}" in self.errors for lot in self.lots)

    @property
    def read(self) -> Read | None:
        """What the person was reading when it typed; None when the page did not say."""
        version, number = self.data.get("version", ""), self.data.get("number", "")
        if not (re.fullmatch(r"\d{1,9}", version, re.ASCII) and re.fullmatch(r"\d{1,9}", number, re.ASCII)):
            return None
        return Read(int(version), int(number))

    def read_again(self, read: Read) -> None:
        """The next sending of this refused form is made knowingly: from what the page now says."""
        self.data = self.data.copy()
        self.data["version"], self.data["number"] = str(read.draft_version), str(read.submission_number)


#: A refusal about one box says nothing useful while the other one cannot be read.
_TOGETHER = {
    "yearly_amount": ("quantity", "total_amount"),
    "quantity": ("yearly_amount",),
    "unit": ("quantity",),
    "total_amount": ("yearly_amount",),
    "has_no_need": (),
}


def _fields() -> dict[str, forms.Field]:
    return {
        "has_no_need": forms.BooleanField(required=False),
        "quantity": NumberField(places=3, example="1 500 ou 12,5"),
        "unit": forms.CharField(
            max_length=40,
            required=False,
            validators=[validate_one_line],
            widget=forms.TextInput(attrs={"list": "units", "autocomplete": "off", "autocapitalize": "none"}),
        ),
        "unit_price": NumberField(places=6, example="12,50 ou 0,1834"),
        "supplier": forms.CharField(
            max_length=200,
            required=False,
            validators=[validate_one_line],
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        ),
        "contract_ends_on": ContractEndField(required=False),
        "yearly_amount": EuroField(required=False, min_value=None),
        "total_amount": EuroField(required=False, min_value=None),
        "file": forms.FileField(required=False, widget=FileInput(attrs={"multiple": True, "accept": ACCEPT})),
    }


class ContractEndField(DateField):
    """The last day of a contract, past or to come, of a likely year."""

    default_error_messages = {"invalid": "Cette date n’existe pas\u00a0: écrivez par exemple 31/12/2027."}

    def to_python(self, value):
        found = super().to_python(value)
        if found is not None and not 2000 <= found.year <= 2099:
            raise ValidationError(f"L’année {found.year} n’est pas vraisemblable.")
        return found


class CampaignForm(StyledFormMixin, forms.Form):
    """The survey as its coordinator opens it, with the deadline of the grouping."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    opens_on = DateField(label="Ouvert aux membres le")
    due_on = DateField(
        label="Besoins attendus le", help_text="C’est la même date que dans le calendrier du groupement."
    )
    locks_when_due = forms.BooleanField(
        label="Fermer à l’échéance", required=False, help_text=NeedsCampaign._meta.get_field("locks_when_due").help_text
    )
    instructions = forms.CharField(
        label="Consigne aux membres",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=NeedsCampaign._meta.get_field("instructions").help_text,
    )


class ReopenForm(StyledFormMixin, forms.Form):
    """The survey opened again for one member of the grouping."""

    membership = forms.ModelChoiceField(
        Membership.objects.none(), label="Membre", error_messages={"required": "Choisissez un membre."}
    )
    until = DateField(label="Rouvert jusqu’au")
    reason = forms.CharField(label="Motif", max_length=500, help_text="Il sera inscrit au journal.")

    def __init__(self, *args, grouping: Grouping, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["membership"]
        field.queryset = grouping.memberships.active().select_related("organisation")
        field.label_from_instance = lambda membership: membership.organisation.name
