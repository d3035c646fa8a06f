"""The steps of one deliberation, one form each. Every form carries the version the person was reading."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from groupings.actions.deliberation import VoteCounts
from groupings.choices import DeliberationStatus
from groupings.exchange import matters
from groupings.models import Convention, Deliberation, DeliberationDocument
from groupings.models.deliberation import COUNTS
from groupings.rules.remarks import PRESIDENT, makers
from members.models import CouncilSession, validate_one_line
from procurement.core.forms import DateField, StyledFormMixin

_REASON = "Il sera inscrit au journal."
_S = DeliberationStatus


class StepForm(StyledFormMixin, forms.Form):
    """One step. ``deliberation`` is the stored row, ``today`` bounds what is offered."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    #: Sentence of a database constraint → field it is about.
    places = {
        "La transmission ne peut pas précéder le vote.": "transmitted_on",
        "La réception ne peut pas précéder la transmission.": "received_on",
        "La publication ne peut pas précéder le vote.": "published_on",
        "La convocation part avant la séance.": "sent_on",
        "L’ordre du jour se clôt au plus tard le jour de la séance.": "agenda_closes_on",
    }

    def __init__(self, *args, deliberation: Deliberation, today: date, **kwargs):
        kwargs["initial"] = {**self.initial_of(deliberation), **(kwargs.get("initial") or {})}
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.deliberation, self.today = deliberation, today
        self.fields["version"].initial = deliberation.version
        self.prepare()

    def initial_of(self, deliberation: Deliberation) -> dict[str, Any]:
        """What is stored today, by the names of the fields."""
        return {}

    def prepare(self) -> None:
        """Fit the fields to the deliberation."""

    def place_of(self, message: str) -> str | None:
        return name if (name := self.places.get(message)) in self.fields else None

    #: Boxes most people leave alone: the page keeps them folded under ``apart_title``.
    apart: tuple[str, ...] = ()
    apart_title = ""

    def apart_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name in self.apart]

    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.apart]

    @property
    def opens_apart(self) -> bool:
        return self.is_bound and any(self[name].data or self[name].errors for name in self.apart if name in self.fields)

    @property
    def version_read(self) -> int:
        """0, which no deliberation has, when the box was tampered with."""
        typed = self["version"].data or ""
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0

    def read_again(self) -> None:
        """Let the person send the same form knowingly: it now carries the stored version."""
        self.data = self.data.copy()
        self.data["version"] = str(self.deliberation.version)


class _SessionChoice(forms.ModelChoiceField):
    today: date

    def label_from_instance(self, session: CouncilSession) -> str:
        closes = session.agenda_closes_on
        if closes is None:
            return f"{session.meeting_on:%d/%m/%Y}"
        told = "clos depuis le" if closes < self.today else "clôture le"
        return f"{session.meeting_on:%d/%m/%Y} ({told} {closes:%d/%m/%Y})"

    def validate(self, value: CouncilSession | None) -> None:
        """Shown as required, though another date may take its place: the form says so when both are missing."""


class ScheduleForm(StepForm):
    """A session of the calendar, or a date the calendar does not know yet."""

    session = _SessionChoice(CouncilSession.objects.none(), label="Séance", empty_label="Une autre date, ci-dessous")
    meeting_on = DateField(
        label="Autre date de séance",
        required=False,
        help_text="Elle remplace le choix ci-dessus, et sera ajoutée au calendrier.",
    )
    agenda_closes_on = DateField(
        label="Clôture de son ordre du jour",
        required=False,
        help_text="Le dernier jour où un point peut être inscrit.",
    )
    apart = ("meeting_on", "agenda_closes_on")
    apart_title = "Une séance qui n’est pas dans le calendrier"

    @property
    def opens_apart(self) -> bool:
        return not self.coming or super().opens_apart

    def __init__(self, *args, coming: list[CouncilSession], may_add: bool, **kwargs):
        self.coming, self.may_add = coming, may_add
        super().__init__(*args, **kwargs)

    def initial_of(self, deliberation: Deliberation) -> dict[str, Any]:
        return {"session": deliberation.session_id}

    def prepare(self) -> None:
        field = self.fields["session"]
        field.queryset = CouncilSession.objects.filter(pk__in=[session.pk for session in self.coming])
        field.today = self.today
        labels = [(session.pk, field.label_from_instance(session)) for session in self.coming]
        field.choices = [("", field.empty_label if self.may_add else "Choisir…"), *labels]
        if not self.may_add:
            del self.fields["meeting_on"], self.fields["agenda_closes_on"]

    def clean(self) -> dict:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        session, meeting_on = cleaned.get("session"), cleaned.get("meeting_on")
        if session is None and meeting_on is None:
            raise ValidationError({"session": "Choisissez une séance, ou indiquez une autre date."})
        if meeting_on and meeting_on < self.today:
            raise ValidationError({"meeting_on": "Cette date est passée\u00a0: saisissez plutôt le résultat du vote."})
        return cleaned

    def chosen(self) -> CouncilSession:
        """The session of the calendar; a new one, not saved, for a date it does not know. A date typed comes first: the
        list always has something chosen."""
        meeting_on = self.cleaned_data.get("meeting_on")
        if meeting_on is None:
            return self.cleaned_data["session"]
        known = next((session for session in self.coming if session.meeting_on == meeting_on), None)
        return known or CouncilSession(
            organisation=self.deliberation.membership.organisation,
            meeting_on=meeting_on,
            agenda_closes_on=self.cleaned_data["agenda_closes_on"],
        )


class ConveneForm(StepForm):
    """The dispatch of the convocation; ``document``: what the law wants with it, empty when nothing."""

    sent_on = DateField(label="Convocation envoyée le")
    has_note = forms.NullBooleanField(required=False)

    def __init__(self, *args, document: str, **kwargs):
        self.document = document
        super().__init__(*args, **kwargs)

    def initial_of(self, deliberation: Deliberation) -> dict[str, Any]:
        session = deliberation.session
        return {"sent_on": session.convened_on, "has_note": session.has_explanatory_note} if session else {}

    def prepare(self) -> None:
        if not self.document:
            del self.fields["has_note"]
            return
        field = self.fields["has_note"]
        field.label = f"{self.document.capitalize()} {'jointe' if self.document.startswith('note') else 'joint'}"
        field.widget.choices = [("unknown", "Non précisé"), ("true", "Oui"), ("false", "Non")]


def _count(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=9999, required=False)


class VoteForm(StepForm):
    """What the meeting decided, with its numbers when they are known: all of them, or none."""

    outcome = forms.ChoiceField(
        label="Résultat",
        widget=forms.RadioSelect,
        choices=[
            (_S.ADOPTED.value, "Adoptée"),
            (_S.REJECTED.value, "Rejetée"),
            (_S.POSTPONED.value, "Reportée à une autre séance"),
            (_S.NO_QUORUM.value, "Quorum non atteint"),
        ],
        error_messages={"required": "Choisissez le résultat."},
    )
    meeting_on = DateField(label="Séance du")
    number = forms.CharField(label="Numéro de l’acte", max_length=40, required=False, validators=[validate_one_line])
    in_office = _count("Membres en exercice")
    present = _count("Présents")
    proxies = _count("Pouvoirs")
    votes_for = _count("Pour")
    votes_against = _count("Contre")
    abstained = _count("Abstentions")
    president_vote = forms.ChoiceField(
        label="Vote du président de séance",
        choices=[("", "Non précisé"), *Deliberation.PresidentVote.choices],
        required=False,
        help_text="À égalité de voix, il l’emporte.",
    )
    is_secret = forms.BooleanField(label="Scrutin secret", required=False)
    reason = forms.CharField(
        label="Motif",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Pour une délibération rejetée ou reportée.",
    )
    apart = (*COUNTS, "president_vote", "is_secret")
    apart_title = "Nombres du vote (facultatif\u00a0: tous, ou aucun)"

    def initial_of(self, deliberation: Deliberation) -> dict[str, Any]:
        stored = {name: getattr(deliberation, name) for name in (*COUNTS, "president_vote", "is_secret", "number")}
        on = deliberation.decided_on or (deliberation.session and deliberation.session.meeting_on)
        return {"outcome": deliberation.status, "meeting_on": on, **stored}

    def prepare(self) -> None:
        if self.deliberation.kind == PRESIDENT:
            self.fields["outcome"].choices = [(_S.ADOPTED.value, "Décision prise")]
            self.fields["meeting_on"].label = "Décision du"
            for name in (*COUNTS, "president_vote", "is_secret", "reason"):
                del self.fields[name]

    def clean(self) -> dict:
        cleaned = super().clean()
        typed = [name for name in COUNTS if cleaned.get(name) is not None]
        missing = [name for name in COUNTS if name in self.fields and name not in typed and name not in self.errors]
        if typed and missing:
            raise ValidationError({missing[0]: "Indiquez tous les nombres du vote, ou aucun."})
        return cleaned

    def counts(self) -> VoteCounts | None:
        """The numbers typed; None when there is none."""
        if self.cleaned_data.get("in_office") is None:
            return None
        names = (*COUNTS, "is_secret", "president_vote")
        return VoteCounts(**{name: self.cleaned_data[name] for name in names})


class EffectForm(StepForm):
    """What makes the act enforceable. An emptied box erases its date."""

    transmitted_on = DateField(label="Transmise au contrôle de légalité le", required=False)
    received_on = DateField(label="Reçue en préfecture le", required=False)
    published_on = DateField(label="Publiée le", required=False)
    actes_id = forms.CharField(
        label="Identifiant ACTES",
        max_length=80,
        required=False,
        help_text="Il figure sur l’accusé de réception, par exemple 034-213401722-20160526-D2016_123-DE.",
    )
    number = forms.CharField(label="Numéro de l’acte", max_length=40, required=False, validators=[validate_one_line])

    def initial_of(self, deliberation: Deliberation) -> dict[str, Any]:
        names = ("transmitted_on", "received_on", "published_on", "actes_id", "number")
        return {name: getattr(deliberation, name) for name in names}


class DescribeForm(StepForm):
    """Who decides, and the subject under which the act is sent."""

    kind = forms.ChoiceField(label="Qui décide")
    matter_code = forms.ChoiceField(label="Matière ACTES", required=False)

    def initial_of(self, deliberation: Deliberation) -> dict[str, Any]:
        return {"kind": deliberation.kind, "matter_code": deliberation.matter_code}

    def prepare(self) -> None:
        organisation = self.deliberation.membership.organisation
        allowed = makers(organisation.kind)
        self.fields["kind"].choices = [choice for choice in Deliberation.Kind.choices if choice[0] in allowed]
        own = f"Celle de l’organisme ({organisation.matter_code})"
        self.fields["matter_code"].choices = [("", own), *matters.choices()]


class ReasonForm(StepForm):
    """A step that goes back, contests or dispenses."""

    reason = forms.CharField(label="Motif", max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text=_REASON)


class PlainForm(StepForm):
    """A step that asks for nothing."""


class SignForm(StepForm):
    """The signature of the convention: of a version kept here, or of a text kept outside this tool."""

    signed_on = DateField(label="Signée le")
    signatory = forms.CharField(
        label="Signataire",
        max_length=200,
        validators=[validate_one_line],
        help_text="Par exemple\u00a0: Madame Anne Essai, maire.",
    )
    convention = forms.ModelChoiceField(
        Convention.objects.none(), label="Texte signé", required=False, empty_label="Un texte tenu hors de cet outil"
    )
    reason = forms.CharField(
        label="Motif, si une remarque est à écarter",
        max_length=500,
        required=False,
        help_text="Mandat terminé, signataire sans mandat connu, autre texte voté\u00a0: il sera inscrit au journal.",
    )
    apart = ("reason",)
    apart_title = "Écarter une remarque"

    def __init__(self, *args, conventions: list[Convention], **kwargs):
        self.conventions = conventions
        super().__init__(*args, **kwargs)

    def prepare(self) -> None:
        field = self.fields["convention"]
        field.queryset = Convention.objects.filter(pk__in=[convention.pk for convention in self.conventions])
        versions = [
            (c.pk, f"Convention version {c.version}, figée le {c.frozen_at:%d/%m/%Y}") for c in self.conventions
        ]
        field.choices = [("", field.empty_label), *versions]
        field.initial = self.conventions[0].pk if self.conventions else None


class DepositForm(StyledFormMixin, forms.Form):
    """One file of evidence."""

    file = forms.FileField(
        label="Fichier",
        allow_empty_file=True,  # the action says it better
        widget=forms.FileInput(attrs={"accept": ".pdf,.xml,application/pdf"}),
        help_text="L’acte signé ou tamponné en PDF, ou l’accusé de réception (PDF ou XML), 10\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
    )
    kind = forms.ChoiceField(label="Nature", choices=DeliberationDocument.Kind.choices)


class OverrideForm(StyledFormMixin, forms.Form):
    """Why a jurist goes past one legal remark."""

    reason = forms.CharField(
        label="Motif",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_REASON,
        error_messages={"required": "Indiquez le motif\u00a0: il sera inscrit au journal."},
    )

    def __init__(self, *args, code: str, **kwargs):
        super().__init__(*args, use_required_attribute=False, auto_id=f"remarque-{code}-%s", **kwargs)
        self.code = code


def shown(field: forms.BoundField) -> str:
    """The value of a box as a person reads it."""
    value = field.value()
    choices = getattr(field.field, "choices", None) or getattr(field.field.widget, "choices", None)
    if choices is not None:
        flat = [pair for choice in choices for pair in (choice[1] if isinstance(choice[1], list) else [choice])]
        written = {True: "true", False: "false"}.get(value, str("" if value is None else value))
        return next((str(label) for key, label in flat if str(key) == written), written or "vide")
    if isinstance(value, bool):
        return "oui" if value else "non"
    if value in (None, ""):
        return "vide"
    if isinstance(field.field, forms.DateField):
        try:
            value = field.field.to_python(value)
        except ValidationError:
            return str(value)
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)
