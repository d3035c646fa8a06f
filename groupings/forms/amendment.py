"""The forms of an amendment: what changes, who signed."""

from django import forms

from groupings.amendment_choices import AmendmentKind
from groupings.models import Amendment, Membership
from members.models import Organisation
from procurement.core.forms import DateField, StyledFormMixin
from procurement.core.submission import PlacedErrorsMixin

_FIELDS = {
    AmendmentKind.JOIN: ["organisation"],
    AmendmentKind.LEAVE: ["organisation"],
    AmendmentKind.COORDINATOR: ["organisation"],
    AmendmentKind.OBJECT: ["new_title"],
    AmendmentKind.DURATION: ["new_duration_months", "new_extension_count", "new_extension_months"],
}
_WHO = {
    AmendmentKind.JOIN: "Organisme qui rejoint le groupement",
    AmendmentKind.LEAVE: "Membre qui se retire",
    AmendmentKind.COORDINATOR: "Nouveau coordonnateur",
}


class AmendmentForm(PlacedErrorsMixin, StyledFormMixin, forms.ModelForm):
    """What one kind of amendment needs; the instance holds its grouping and its kind."""

    effective_on = DateField(label="Effet au plus tôt le", required=False)
    places = {
        "amendment_body_of_its_kind": "organisation",
        "amendment_title_of_object": "new_title",
        "amendment_months_of_duration": "new_duration_months",
        "amendment_has_reason": "reason",
    }

    class Meta:
        model = Amendment
        fields = [
            "organisation",
            "new_title",
            "new_duration_months",
            "new_extension_count",
            "new_extension_months",
            "reason",
            "effective_on",
        ]
        widgets = {"reason": forms.Textarea(attrs={"rows": 5})}
        help_texts = {"reason": "Imprimé dans l’exposé de l’avenant\u00a0: les assemblées le lisent."}

    def __init__(self, *args, affiliation, **kwargs):
        super().__init__(*args, **kwargs)
        kind, grouping = AmendmentKind(self.instance.kind), self.instance.grouping
        kept = (*_FIELDS[kind], "reason", "effective_on")
        for name in list(self.fields):
            if name not in kept:
                del self.fields[name]
        for name in _FIELDS[kind]:
            self.fields[name].required = True
        self.fields["effective_on"].help_text = (
            "Le préavis du retrait doit être respecté (article 14.1)."
            if kind == AmendmentKind.LEAVE
            else "Vide\u00a0: à la dernière signature."
        )
        if kind not in _WHO:
            return
        field = self.fields["organisation"]
        field.label, field.empty_label = _WHO[kind], "Choisissez"
        here = Membership.objects.active().filter(grouping=grouping).values("organisation")
        seen = Organisation.objects.visible_to(affiliation)
        if kind == AmendmentKind.JOIN:
            known = Membership.objects.filter(grouping=grouping, is_pending=False).values("organisation")
            field.queryset = seen.exclude(pk__in=known)
        else:
            field.queryset = Organisation.objects.filter(pk__in=here).exclude(pk=grouping.coordinator_id)


class AmendmentSignForm(StyledFormMixin, forms.Form):
    """Who signed, when, and the signed copy."""

    membership = forms.ModelChoiceField(Membership.objects.none(), label="Membre", empty_label="Choisissez")
    signed_on = DateField(label="Signé le")
    signatory = forms.CharField(label="Signataire", max_length=200, help_text="Nom et qualité.")
    file = forms.FileField(label="Exemplaire signé (PDF)", required=False)

    def __init__(self, *args, memberships, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["membership"]
        field.queryset = Membership.objects.filter(pk__in=memberships).select_related("organisation")
        field.label_from_instance = lambda membership: membership.organisation.name
        if len(memberships) == 1:  # a member's agent signs for its own body alone
            field.empty_label, field.initial = None, memberships[0]
