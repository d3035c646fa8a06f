"""The parts of the members in an awarded lot: proposed, adjusted by hand, always the lot to the cent."""

from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from groupings.actions.shares import needs_of, shares_save, weights_of
from groupings.forms.shares import SharesForm
from groupings.models import Award
from groupings.rules.shares import Proposal, gap_sentence, propose, spread_rest
from groupings.views.awards import find_award
from groupings.views.common import find_grouping, require_change
from procurement.core.money import ZERO
from procurement.core.submission import submit


@require_http_methods(["GET", "HEAD", "POST"])
def award_shares(request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
    """One box per member. « Recalculer le reste » fills the boxes again and writes nothing."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    award = find_award(request, grouping, lot_pk)
    boxes = Boxes(award)
    error, status = "", 200
    if request.method == "POST" and "recalculate" in request.POST:
        form, error = boxes.recalculated(boxes.form(request.POST))
        status = 422 if error or form.errors else 200
    elif request.method == "POST":
        form = boxes.form(request.POST)
        if submit(form, lambda: _write(award, form, request.affiliation)):
            messages.success(request, f"Lot {award.lot.number}\u00a0: parts enregistrées, leur somme est le lot.")
            return redirect(f"{reverse('consultation', args=[pk])}#lots")
        data = form.data.copy()
        data["version"] = str(Award.objects.values_list("version", flat=True).get(pk=award.pk))
        form.data, status = data, 422
    else:
        form = boxes.form()
    context = {
        "form": form,
        "grouping": grouping,
        "award": award,
        "proposal": boxes.proposal,
        "rows": [(boxes.needs_by_member.get(line[0].pk), *line) for line in form.lines()],
        "gone": [share for share in boxes.stored.values() if not share.membership.is_bound],
        "is_stored": bool(boxes.stored) and request.method != "POST",
        "error": error,
        "gap": boxes.gap(form),
    }
    return render(request, "groupings/award_shares.html", context, status=status)


def _write(award: Award, form: SharesForm, affiliation) -> None:
    shares_save(award=award, parts=form.entries(), actor=affiliation, expected_version=form.version_read())


class Boxes:
    """What the boxes of one lot hold: the parts stored, else those proposed."""

    def __init__(self, award: Award):
        self.award = award
        self.memberships = list(award.consultation.grouping.memberships.bound().select_related("organisation"))
        self.needs = needs_of(award)
        self.needs_by_member = {need.key: need for need in self.needs}
        self.proposal: Proposal = propose(award.value, self.needs)
        stored = award.shares.select_related("membership__organisation", "membership__grouping")
        self.stored = {share.membership_id: share for share in stored}

    def form(self, data=None) -> SharesForm:
        if self.stored:
            shown = {pk: share.amount_excl_tax.amount for pk, share in self.stored.items()}
            adjusted = {pk: share.is_adjusted for pk, share in self.stored.items()}
        else:
            shown, adjusted = dict(self.proposal.parts), {}
        return self._form(data, shown, adjusted)

    def _form(self, data, shown, adjusted) -> SharesForm:
        return SharesForm(
            data,
            memberships=self.memberships,
            shown=shown,
            adjusted=adjusted,
            version=self.award.version,
            use_required_attribute=False,
        )

    def recalculated(self, form: SharesForm) -> tuple[SharesForm, str]:
        """The boxes with what the adjusted ones leave, spread over the others; or the same, and why not."""
        if not form.is_valid():
            return form, ""
        fixed = {pk: entry.amount for pk, entry in form.entries().items() if entry.is_adjusted}
        weights = {
            key: weight for key, weight in weights_of(self.needs, self.proposal.basis).items() if key not in fixed
        }
        unknown = [self.needs_by_member[key].name for key, weight in weights.items() if weight is None]
        if unknown:
            return form, f"Saisissez d’abord la part de {', '.join(unknown[:5])}\u00a0: son besoin est inconnu."
        try:
            rest = spread_rest(self.award.value, fixed, weights)
        except ValueError as refusal:
            return form, str(refusal)
        shown: dict[int, Decimal | None] = fixed | rest
        return self._form(None, shown, dict.fromkeys(fixed, True)), ""

    def gap(self, form: SharesForm) -> str:
        """The difference between the boxes as shown and the lot, when every one of them can be read."""
        amounts = []
        for membership in self.memberships:
            value = form[f"part_{membership.pk}"].value()
            try:
                amount = form.fields[f"part_{membership.pk}"].to_python(value) if isinstance(value, str) else value
            except ValidationError:
                return ""
            amounts.append(amount if amount is not None else ZERO)
        return gap_sentence(self.award.value, amounts)
