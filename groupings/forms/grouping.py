"""The cards: a grouping, a grouping only declared, a lot, a step of the life cycle."""

from itertools import pairwise
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from groupings.choices import Category
from groupings.models import Grouping, Lot
from groupings.reference import cpv
from members.models import Organisation, User
from members.roles import Role
from procurement.core.forms import EuroField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin


class CpvField(forms.CharField):
    """A CPV code: eight digits, with or without the key; words are answered by the codes they may mean."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", "Code CPV")
        kwargs.setdefault(
            "help_text",
            "Huit chiffres. Saisissez des mots, par exemple «\u00a0papier\u00a0», pour voir les codes possibles.",
        )
        super().__init__(max_length=100, **kwargs)

    def clean(self, value: str) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return cpv.parse(text)
        except ValueError as error:
            raise ValidationError(f"{error}{_suggestions(text)}") from None


def _suggestions(text: str) -> str:
    found = cpv.search(text, limit=5) if any(character.isalpha() for character in text) else []
    if not found:
        return ""
    return " Codes possibles\u00a0: " + "\u202f; ".join(f"{code.code} ({code.label})" for code in found) + "."


class SectionsMixin:
    """Gives the template the fields in titled groups, in the order of ``sections``."""

    sections: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()

    def titled_sections(self) -> list[tuple[str, list[BoundField]]]:
        return [
            (title, [self[name] for name in names if name in self.fields])
            for title, names in self.sections
            if any(name in self.fields for name in names)
        ]


class GroupingCard(PlacedErrorsMixin, SectionsMixin, StyledFormMixin, forms.ModelForm):
    """What the full card and the declared one share. ``affiliation`` bounds the choices to its perimeter."""

    cpv = CpvField()
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    places = {
        "grouping_reference_once": "reference",
        "grouping_coordinator_without_need": "statutes_clause_ref",
        "grouping_extension_has_length": "extension_months",
        "grouping_dates_in_order": "closed_on",
        "grouping_fee_base_not_negative": "fee_base",
        "grouping_fee_ceiling_not_negative": "fee_ceiling",
        "grouping_declared_not_negative": "declared_amount_excl_tax",
    }

    def __init__(self, *args, affiliation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["coordinator"].queryset = Organisation.objects.visible_to(affiliation)
        self.fields["coordinator"].empty_label = None if self.instance.pk else "Choisir…"
        self.fields["category"].choices = [("", "Choisir…"), *Category.choices]
        if self.instance.pk:
            self.fields["version"].initial = self.instance.version


class GroupingForm(GroupingCard):
    """The full card."""

    fee_base = EuroField(
        required=False,
        label="Frais prévisionnels (€ HT)",
        help_text="Total à répartir\u202f; pour un forfait, montant dû par chaque membre.",
    )
    fee_ceiling = EuroField(required=False, label="Plafond des frais (€ HT)")

    sections = (
        ("Objet", ("reference", "title", "category", "cpv", "renews")),
        ("Coordination", ("coordinator", "coordinator_has_own_need", "statutes_clause_ref", "buyer", "jurist")),
        ("Montage juridique", ("kind", "integration_level", "legal_vehicle", "tender_committee_mode", "convention_on")),
        ("Frais de fonctionnement", ("fee_rule", "fee_base", "fee_ceiling")),
        ("Durée du marché", ("duration_months", "extension_count", "extension_months")),
        (
            "Calendrier",
            (
                "opened_on",
                "needs_due_on",
                "deliberations_due_on",
                "launch_planned_on",
                "award_planned_on",
                "performance_planned_on",
                "closed_on",
            ),
        ),
    )
    #: In the order of time.
    calendar = (
        "opened_on",
        "needs_due_on",
        "deliberations_due_on",
        "launch_planned_on",
        "award_planned_on",
        "performance_planned_on",
    )

    class Meta:
        model = Grouping
        fields = [
            "reference",
            "title",
            "category",
            "cpv",
            "coordinator",
            "coordinator_has_own_need",
            "statutes_clause_ref",
            "kind",
            "integration_level",
            "legal_vehicle",
            "tender_committee_mode",
            "fee_rule",
            "fee_base",
            "fee_ceiling",
            "duration_months",
            "extension_count",
            "extension_months",
            "opened_on",
            "convention_on",
            "needs_due_on",
            "deliberations_due_on",
            "launch_planned_on",
            "award_planned_on",
            "performance_planned_on",
            "closed_on",
            "buyer",
            "jurist",
            "renews",
        ]

    def __init__(self, *args, affiliation, **kwargs):
        super().__init__(*args, affiliation=affiliation, **kwargs)
        bodies = Organisation.objects.visible_to(affiliation)
        for name, role in (("buyer", Role.BUYER), ("jurist", Role.JURIST)):
            self.fields[name].queryset = (
                User.objects.filter(affiliations__role=role, affiliations__organisation__in=bodies)
                .distinct()
                .order_by("last_name", "first_name", "pk")
            )
            self.fields[name].empty_label = "Personne pour l’instant"
        self.fields["renews"].queryset = (
            Grouping.objects.visible_to(affiliation).exclude(pk=self.instance.pk).order_by("reference")
        )
        self.fields["renews"].empty_label = "Aucun"
        self.fields["fee_rule"].label = "Règle de répartition"
        if not self.instance.pk:
            del self.fields["closed_on"]

    def clean(self) -> dict:
        cleaned = super().clean()
        known = [(name, cleaned[name]) for name in self.calendar if cleaned.get(name)]
        for (before, first), (after, second) in pairwise(known):
            if second < first:
                label = self.fields[before].label
                self.add_error(after, f"Cette date précède «\u00a0{label}\u00a0» ({first:%d/%m/%Y}).")
        return cleaned


class DeclaredGroupingForm(GroupingCard):
    """The light card of a grouping another department runs: enough to count it, nothing to follow."""

    declared_amount_excl_tax = EuroField(required=False, label="Montant déclaré (€ HT)")

    sections = (
        ("Objet", ("reference", "title", "category", "cpv")),
        ("Qui le suit", ("coordinator", "declaring_department")),
        (
            "Ce qui est déclaré",
            (
                "status",
                "declared_participants",
                "declared_amount_excl_tax",
                "opened_on",
                "closed_on",
                "duration_months",
            ),
        ),
    )

    class Meta:
        model = Grouping
        fields = [
            "reference",
            "title",
            "category",
            "cpv",
            "coordinator",
            "declaring_department",
            "status",
            "declared_participants",
            "declared_amount_excl_tax",
            "opened_on",
            "closed_on",
            "duration_months",
        ]

    def __init__(self, *args, affiliation, **kwargs):
        super().__init__(*args, affiliation=affiliation, **kwargs)
        self.instance.is_declared_only = True
        self.fields["declaring_department"].required = True
        self.fields["status"].label = "Étape déclarée"


class LotForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """One lot. Its grouping is set by the view, so that the number's uniqueness is checked here."""

    cpv = CpvField(required=False)
    minimum_excl_tax = EuroField(
        required=False,
        label="Minimum (€ HT)",
        help_text="Sur toute la durée, reconductions comprises. Vide\u00a0: sans minimum.",
    )
    maximum_excl_tax = EuroField(
        required=False,
        label="Maximum (€ HT)",
        help_text=(
            "Sur toute la durée, reconductions comprises. Obligatoire depuis le 1er janvier 2022 (CCP, R2162-4)."
        ),
    )
    places = {
        "lot_number_once": "number",
        "lot_bounds_of_framework": "is_framework",
        "lot_bounds_in_order": "maximum_excl_tax",
    }

    class Meta:
        model = Lot
        fields = ["number", "title", "cpv", "is_framework", "minimum_excl_tax", "maximum_excl_tax"]

    def _get_validation_exclusions(self) -> set[str]:
        # The grouping is not a field of the form, yet "one number once per grouping" must be checked with it.
        return super()._get_validation_exclusions() - {"grouping"}


class BoundsForm(forms.Form):
    """The suggestion of the screen, as it was read there."""

    minimum = EuroField(required=False, label="Minimum (€ HT)")
    maximum = EuroField(required=False, label="Maximum (€ HT)")
