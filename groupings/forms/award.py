"""The forms of a lot's decision: what the contract says, its dates, the parts of the members."""

import re
from collections.abc import Sequence
from typing import ClassVar

from django import forms

from groupings.actions.award import HolderEntry
from groupings.actions.award_dates import ContractDates
from groupings.contract_choices import (
    Ccag,
    EnvironmentalConsideration,
    IdentifierType,
    Modality,
    Outcome,
    PriceForm,
    SocialConsideration,
    Technique,
)
from groupings.forms.grouping import SectionsMixin
from groupings.forms.membership import CheckboxList
from groupings.models import Award, Consultation, Grouping, Lot, Membership
from procurement.core.forms import DateField, EuroField, StyledFormMixin, style
from procurement.core.submission import PlacedErrorsMixin

#: A group of companies rarely counts more; two empty lines stay after those already there.
_LINES, _MOST_LINES = 3, 20


class AwardForm(PlacedErrorsMixin, SectionsMixin, StyledFormMixin, forms.ModelForm):
    """The decision on one lot. The companies are lines of three boxes, the first one leading a group of companies."""

    decided_on = DateField(label="Décidée le")
    amount_excl_tax = EuroField(
        required=False, label="Montant (€ HT)", help_text="Sur toute la durée, reconductions comprises."
    )
    minimum_excl_tax = EuroField(required=False, label="Minimum (€ HT)")
    maximum_excl_tax = EuroField(
        required=False, label="Maximum (€ HT)", help_text="Sur toute la durée, reconductions comprises."
    )
    starts_on = DateField(required=False, label="Début")
    social_considerations = forms.MultipleChoiceField(
        required=False, label="Considérations sociales", choices=SocialConsideration.choices, widget=CheckboxList
    )
    environmental_considerations = forms.MultipleChoiceField(
        required=False,
        label="Considérations environnementales",
        choices=EnvironmentalConsideration.choices,
        widget=CheckboxList,
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    places: ClassVar[dict[str, str]] = {
        "award_has_value": "amount_excl_tax",
        "award_not_awarded_has_reason": "reason",
        "award_bounds_in_order": "maximum_excl_tax",
        "award_extension_has_length": "extension_months",
        "award_extensions_within_count": "extension_count",
        "award_signed_after_decision": "decided_on",
        "award_lot_once": "outcome",
    }
    sections = (
        ("Décision", ("outcome", "decided_on", "offers_received", "reason")),
        (
            "Prix",
            ("amount_excl_tax", "minimum_excl_tax", "maximum_excl_tax", "price_form", "price_type", "price_index"),
        ),
        (
            "Durée",
            ("reference", "starts_on", "duration_months", "extension_count", "extension_months", "notice_months"),
        ),
    )
    #: Published under the arrêté of 22/12/2022; filled beforehand from the lot where the lot says it.
    essential = (
        *("technique", "modality", "ccag", "has_advance", "advance_rate", "has_subcontracting", "is_innovative"),
        *("social_considerations", "environmental_considerations"),
    )

    class Meta:
        model = Award
        fields: ClassVar = [
            *("outcome", "decided_on", "offers_received", "reason", "reference", "amount_excl_tax"),
            *("minimum_excl_tax", "maximum_excl_tax", "price_form", "price_type", "price_index", "starts_on"),
            *("duration_months", "extension_count", "extension_months", "notice_months", "operators_kind"),
            *("technique", "modality", "ccag", "has_advance", "advance_rate", "has_subcontracting", "is_innovative"),
            *("social_considerations", "environmental_considerations"),
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version if self.instance.pk else 0
        self.fields["outcome"].choices = [("", "Choisir…"), *Outcome.choices]
        for name in ("price_form", "price_type", "technique", "modality", "ccag"):
            field = self.fields[name]
            field.choices = [("", "À préciser"), *(choice for choice in field.choices if choice[0])]
        for name in ("extension_count", "extension_months", "notice_months"):
            self.fields[name].required = False
        for name in ("has_advance", "has_subcontracting"):
            self.fields[name].required = False
            self.fields[name].widget.choices = _UNKNOWN_YES_NO
        held = list(self.instance.holders.all()) if self.instance.pk else []
        self.line_count = self._line_count(len(held))
        for row in range(1, self.line_count + 1):
            holder = held[row - 1] if row <= len(held) else None
            self.fields[f"holder_{row}_name"] = style(
                forms.CharField(label=f"Entreprise {row}", max_length=200, required=False)
            )
            self.fields[f"holder_{row}_identifier_type"] = style(
                forms.ChoiceField(label=f"Type {row}", choices=IdentifierType.choices, required=False)
            )
            self.fields[f"holder_{row}_identifier"] = style(
                forms.CharField(label=f"Identifiant {row}", max_length=40, required=False)
            )
            if holder is not None:
                for name in ("name", "identifier_type", "identifier"):
                    self.initial.setdefault(f"holder_{row}_{name}", getattr(holder, name))

    def _line_count(self, held: int) -> int:
        sent = [int(m[1]) for name in self.data if (m := re.fullmatch(r"holder_(\d{1,2})_name", name))]
        return min(_MOST_LINES, max(_LINES, held + 2, *sent, 0))

    def _post_clean(self) -> None:
        """The values go to the instance; the action completes and checks it, in the light of the stored decision."""
        for name in ("extension_count", "extension_months", "notice_months"):
            if self.cleaned_data.get(name) is None and name not in self.errors:
                self.cleaned_data[name] = Award._meta.get_field(name).default
        self.instance = forms.models.construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)

    def clean(self) -> dict:
        cleaned = super().clean()
        for row in range(1, self.line_count + 1):
            if bool(cleaned.get(f"holder_{row}_name")) != bool(cleaned.get(f"holder_{row}_identifier")):
                missing = "identifier" if cleaned.get(f"holder_{row}_name") else "name"
                if f"holder_{row}_{missing}" not in self.errors:
                    word = "Indiquez son identifiant." if missing == "identifier" else "Indiquez l’entreprise."
                    self.add_error(f"holder_{row}_{missing}", word)
        return cleaned

    def holders(self) -> list[HolderEntry]:
        """The companies typed, in their order."""
        return [
            HolderEntry(
                row,
                self.cleaned_data[f"holder_{row}_name"],
                re.sub(r"[\s\u00a0\u202f]", "", self.cleaned_data[f"holder_{row}_identifier"]),
                self.cleaned_data[f"holder_{row}_identifier_type"] or IdentifierType.SIRET,
            )
            for row in range(1, self.line_count + 1)
            if self.cleaned_data.get(f"holder_{row}_name")
        ]

    def version_read(self) -> int:
        """That of the decision the person was reading, 0 without any, -1 when the box was tampered with."""
        version = self.cleaned_data.get("version")
        return -1 if version is None else version

    def holder_lines(self) -> list[list[forms.BoundField]]:
        names = ("name", "identifier_type", "identifier")
        return [[self[f"holder_{row}_{name}"] for name in names] for row in range(1, self.line_count + 1)]

    def essential_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.essential]

    @property
    def essential_has_errors(self) -> bool:
        return any(name in self.errors for name in self.essential)


_UNKNOWN_YES_NO = [("unknown", "À préciser"), ("true", "Oui"), ("false", "Non")]


def award_initial(lot: Lot, grouping: Grouping, consultation: Consultation) -> dict:
    """What the lot, the grouping and the commission already say of a decision to come."""
    framework = lot.is_framework
    reference = f"{grouping.reference}-L{lot.number}"
    ccag = {"supplies": Ccag.SUPPLIES_SERVICES, "services": Ccag.SUPPLIES_SERVICES, "works": Ccag.WORKS}
    return {
        "decided_on": consultation.committee_met_on,
        "reference": reference if len(reference) <= 16 else "",
        "minimum_excl_tax": lot.minimum_excl_tax,
        "maximum_excl_tax": lot.maximum_excl_tax,
        "price_form": PriceForm.UNIT if framework else "",
        "starts_on": grouping.performance_planned_on,
        "duration_months": grouping.duration_months,
        "extension_count": grouping.extension_count,
        "extension_months": grouping.extension_months,
        "technique": Technique.FRAMEWORK if framework else Technique.NONE,
        "modality": Modality.PURCHASE_ORDERS if framework else Modality.NONE,
        "ccag": ccag.get(grouping.category, ""),
    }


class FollowForm(StyledFormMixin, forms.Form):
    """The dates after the decision; where each member signs, two boxes per member."""

    rejection_sent_on = DateField(required=False, label="Lettres de rejet envoyées le")
    signed_on = DateField(required=False, label="Marché signé le")
    notified_on = DateField(required=False, label="Marché notifié le")
    data_published_on = DateField(
        required=False,
        label="Données essentielles publiées le",
        help_text="Dans les deux mois de la notification, à partir de 40\u00a0000\u00a0€ HT.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, award: Award, memberships: Sequence[Membership] | None, contracts: dict, **kwargs):
        super().__init__(*args, **kwargs)
        self.memberships = memberships
        names = ("rejection_sent_on", "signed_on", "notified_on", "data_published_on", "version")
        for name in names:
            self.fields[name].initial = getattr(award, name)
        if memberships is None:
            return
        del self.fields["signed_on"], self.fields["notified_on"]
        for membership in memberships:
            known = contracts.get(membership.pk)
            for name, word in (("signed", "signé le"), ("notified", "notifié le")):
                label = f"{membership.organisation.name}, {word}"
                field = DateField(required=False, label=label, initial=known and getattr(known, f"{name}_on"))
                self.fields[f"{name}_{membership.pk}"] = style(field)

    def contracts(self) -> dict[int, ContractDates] | None:
        """Membership number → its dates; None where the coordinator signs for all."""
        if self.memberships is None:
            return None
        typed = self.cleaned_data
        return {m.pk: ContractDates(typed[f"signed_{m.pk}"], typed[f"notified_{m.pk}"]) for m in self.memberships}

    def common_fields(self) -> list[forms.BoundField]:
        names = ("rejection_sent_on", "signed_on", "notified_on", "data_published_on")
        return [self[name] for name in names if name in self.fields]

    def member_lines(self) -> list[tuple[Membership, forms.BoundField, forms.BoundField]]:
        return [(m, self[f"signed_{m.pk}"], self[f"notified_{m.pk}"]) for m in self.memberships or ()]
