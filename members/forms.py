"""The forms of the directory and of its people. The actions check again: a form is only a courtesy."""

from django import forms
from django.core.exceptions import ValidationError

from members.actions import IDENTITY_FIELDS, may_change_identity, session_bodies
from members.models import Affiliation, CouncilSession, Organisation, Representative, User, validate_one_line
from members.reference import Commune
from members.roles import Role
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin


class DigitsField(forms.CharField):
    """A number written with or without spaces, as on a letterhead: ``243 400 017`` gives ``243400017``."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "numeric", "autocomplete": "off"})

    def to_python(self, value) -> str:
        return "".join(super().to_python(value).split())

    def widget_attrs(self, widget) -> dict:
        return {}  # a maxlength would cut the number written with its spaces


class OrganisationForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """A body's card. ``affiliation`` bounds the choices to its perimeter, and the fields to what it may change."""

    siren = DigitsField(label="SIREN", max_length=9, help_text="Neuf chiffres.")
    siret = DigitsField(
        label="SIRET du siège",
        max_length=14,
        required=False,
        help_text="Quatorze chiffres\u202f; les neuf premiers sont le SIREN.",
    )

    places = {"organisation_siret_of_siren": "siret"}
    sections = (
        ("Identité", ("kind", "name", "siren", "siret", "insee_code", "parent")),
        ("Population", ("population", "reference_population")),
        ("Coordonnées", ("address", "postcode", "city", "email", "phone", "actes_matter")),
    )

    class Meta:
        model = Organisation
        fields = [
            "kind",
            "name",
            "siren",
            "siret",
            "insee_code",
            "parent",
            "population",
            "reference_population",
            "address",
            "postcode",
            "city",
            "email",
            "phone",
            "actes_matter",
        ]
        widgets = {
            "postcode": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "postal-code"}),
            "phone": forms.TextInput(attrs={"type": "tel"}),
        }
        help_texts = {
            "insee_code": "Pour une commune, par exemple 34172.",
        }

    def __init__(self, *args, affiliation: Affiliation, **kwargs):
        super().__init__(*args, **kwargs)
        if not may_change_identity(affiliation):
            for name in set(self.fields) & {field.removesuffix("_id") for field in IDENTITY_FIELDS}:
                del self.fields[name]
        if "parent" not in self.fields:
            return
        self.fields["kind"].choices = [("", "Choisir…"), *Organisation.Kind.choices]
        if self.instance.pk and self.instance.territory_id is None:
            del self.fields["parent"]  # the head of the territory is attached to nobody
            return
        bodies = Organisation.objects.visible_to(affiliation)
        self.fields["parent"].queryset = bodies.exclude(pk=self.instance.pk) if self.instance.pk else bodies
        self.fields["parent"].required = True
        self.fields["parent"].empty_label = "Choisir…"

    def clean_parent(self) -> Organisation:
        parent = self.cleaned_data["parent"]
        # The chain is walked now, so that the sentence stands by its field whatever else is wrong.
        if self.instance.pk and parent and any(body.pk == self.instance.pk for body in _ancestors(parent)):
            raise ValidationError("Un organisme ne peut pas être rattaché à un organisme qui en dépend.")
        return parent

    def titled_sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in titled groups, for the template."""
        groups = [(title, [self[name] for name in names if name in self.fields]) for title, names in self.sections]
        return [(title, fields) for title, fields in groups if fields]


def _ancestors(organisation: Organisation) -> list[Organisation]:
    chain: list[Organisation] = []
    current: Organisation | None = organisation
    while current is not None and current not in chain:
        chain.append(current)
        current = current.parent
    return chain


def from_commune(commune: Commune, *, head: Organisation) -> dict:
    """The initial values of a card for a commune of the reference data, attached to the head of the territory."""
    return {
        "kind": Organisation.Kind.COMMUNE,
        "name": commune.typographic_name,
        "siren": commune.siren,
        "insee_code": commune.insee_code,
        "population": commune.population,
        "parent": head.pk,
    }


class RepresentativeForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """Who signs, in what capacity, from when to when."""

    places = {"representative_dates_in_order": "end_on"}
    start_on = DateField(label="Depuis le")
    end_on = DateField(label="Jusqu’au", required=False, help_text="Vide tant que le mandat court.")

    class Meta:
        model = Representative
        fields = ["civility", "first_name", "last_name", "capacity", "start_on", "end_on"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        body = self.instance.organisation.body
        self.fields["capacity"].choices = [
            ("head", " ou ".join(dict.fromkeys(body.head))),
            ("deputy", " ou ".join(dict.fromkeys(body.deputy))),
        ]


class _SessionDates(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """The dates every entry of a session asks for."""

    places = {
        "session_once_a_day": "meeting_on",
        "session_agenda_before_meeting": "agenda_closes_on",
        "session_convened_before_meeting": "convened_on",
    }
    meeting_on = DateField(label="Séance du")
    agenda_closes_on = DateField(
        label="Clôture de l’ordre du jour",
        required=False,
        help_text="Le dernier jour où un point peut être inscrit\u00a0: c’est lui qui décide des relances.",
    )


class SessionForm(_SessionDates):
    """One meeting of the assembly."""

    convened_on = DateField(label="Convocation envoyée le", required=False)
    has_explanatory_note = forms.NullBooleanField(
        label="Note de synthèse jointe à la convocation",
        required=False,
        help_text="Les communes de 3\u202f500 habitants et plus la joignent (CGCT, L2121-12).",
    )
    is_first_after_renewal = forms.BooleanField(
        label="Séance d’installation, la première après le renouvellement général", required=False
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = CouncilSession
        fields = [
            "meeting_on",
            "agenda_closes_on",
            "convened_on",
            "has_explanatory_note",
            "is_first_after_renewal",
            "source",
        ]
        help_texts = {"source": "D’où vient cette date\u00a0: site de la commune, courriel, téléphone."}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        answers = [("unknown", "Non précisé"), ("true", "Oui"), ("false", "Non")]
        self.fields["has_explanatory_note"].widget.choices = answers
        if self.instance.pk:
            self.fields["version"].initial = self.instance.version


class SessionEntryForm(_SessionDates):
    """One line of the calendar entered for all: a body, a date. ``affiliation`` bounds the bodies offered."""

    class Meta:
        model = CouncilSession
        fields = ["organisation", "meeting_on", "agenda_closes_on"]

    def __init__(self, *args, affiliation: Affiliation | None, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["organisation"]
        field.label, field.queryset, field.empty_label = "Organisme", session_bodies(affiliation), "Choisir…"


class SessionImportForm(StyledFormMixin, forms.Form):
    """A file of council calendars."""

    file = forms.FileField(
        label="Fichier des séances",
        allow_empty_file=True,  # the import says it better
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )


class NameForm(StyledFormMixin, forms.Form):
    """One's own name."""

    first_name = forms.CharField(label="Prénom", max_length=100, validators=[validate_one_line])
    last_name = forms.CharField(label="Nom", max_length=100, validators=[validate_one_line])

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, initial={"first_name": user.first_name, "last_name": user.last_name}, **kwargs)
        self.fields["first_name"].widget.attrs["autocomplete"] = "given-name"
        self.fields["last_name"].widget.attrs["autocomplete"] = "family-name"


class InvitationForm(StyledFormMixin, forms.Form):
    """Somebody who will act for the administrator's organisation."""

    email = forms.EmailField(label="Adresse électronique", max_length=254)
    first_name = forms.CharField(label="Prénom", max_length=100, required=False, validators=[validate_one_line])
    last_name = forms.CharField(label="Nom", max_length=100, required=False, validators=[validate_one_line])
    role = forms.ChoiceField(label="Rôle", choices=[("", "Choisir…"), *Role.choices])
