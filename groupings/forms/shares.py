"""The parts of an awarded lot, one box per member: proposed, adjusted, and what is left spread over the others."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django import forms
from django.forms.boundfield import BoundField

from groupings.actions.shares import ShareEntry
from groupings.models import Membership
from procurement.core.forms import EuroField, StyledFormMixin, style
from procurement.core.money import format_euros


class SharesForm(StyledFormMixin, forms.Form):
    """``shown``: membership number → the amount first put in its box (None: nothing). A box whose text is no longer
    the one shown, or whose « fixée » is ticked, was adjusted by hand."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args,
        memberships: Sequence[Membership],
        shown: Mapping[int, Decimal | None],
        adjusted: Mapping[int, bool],
        version: int,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.memberships = memberships
        self.fields["version"].initial = version
        for membership in memberships:
            pk, name = membership.pk, membership.organisation.name
            amount = shown.get(pk)
            part = EuroField(required=False, label=f"Part de {name}", initial=amount)
            fixed = forms.BooleanField(required=False, label=f"Fixée, {name}", initial=adjusted.get(pk, False))
            told = "" if amount is None else format_euros(amount)
            self.fields[f"part_{pk}"] = style(part)
            self.fields[f"fixed_{pk}"] = style(fixed)
            self.fields[f"shown_{pk}"] = forms.CharField(required=False, widget=forms.HiddenInput, initial=told)

    def entries(self) -> dict[int, ShareEntry]:
        """The boxes that hold an amount."""
        typed = self.cleaned_data
        return {
            m.pk: ShareEntry(typed[f"part_{m.pk}"], self._is_adjusted(m.pk))
            for m in self.memberships
            if typed.get(f"part_{m.pk}") is not None
        }

    def _is_adjusted(self, pk: int) -> bool:
        amount = self.cleaned_data[f"part_{pk}"]
        shown = self.cleaned_data.get(f"shown_{pk}", "")
        return bool(self.cleaned_data.get(f"fixed_{pk}")) or format_euros(amount) != shown

    def version_read(self) -> int:
        version = self.cleaned_data.get("version")
        return -1 if version is None else version

    def lines(self) -> list[tuple[Membership, BoundField, BoundField, BoundField]]:
        return [(m, self[f"part_{m.pk}"], self[f"fixed_{m.pk}"], self[f"shown_{m.pk}"]) for m in self.memberships]
