"""The form of one member's needs, all lots at once."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from groupings.actions.membership import need_set
from groupings.forms.membership import Need, NeedsForm
from groupings.models import Convention, Membership
from groupings.views.common import find_grouping
from groupings.views.memberships import find_membership
from procurement.core.submission import posted, submit


@require_http_methods(["GET", "HEAD", "POST"])
def needs_change(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The needs of one member, all lots at once: all of them are written, or none."""
    grouping = find_grouping(request, pk)
    membership = find_membership(request, grouping, membership_pk)
    lots = list(grouping.lots.all())
    form = NeedsForm(
        posted(request),
        lots=lots,
        needs=list(membership.needs.all()),
        use_required_attribute=False,
    )
    if request.method == "POST" and submit(form, lambda: _write(form, membership, request.affiliation)):
        messages.success(request, f"Les besoins de {membership.organisation.name} sont enregistrés.")
        return redirect(reverse("needs_table", args=[pk]))
    convention: Convention | None = grouping.conventions.defer("values").first()
    context = {"form": form, "grouping": grouping, "membership": membership, "convention": convention}
    return render(request, "groupings/needs_form.html", context, status=422 if form.is_bound else 200)


def _write(form: NeedsForm, membership: Membership, affiliation) -> None:
    with transaction.atomic():
        for need in form.needs():
            _set(need, membership, affiliation)


def _set(need: Need, membership: Membership, affiliation) -> None:
    """Write one lot; a refusal of the action is told by that lot's own boxes."""
    need.lot.grouping = membership.grouping
    try:
        need_set(
            membership=membership,
            lot=need.lot,
            amount=need.amount,
            quantity=need.quantity,
            unit=need.unit,
            actor=affiliation,
        )
    except ValidationError as error:
        boxes = {"estimated_amount_excl_tax": "amount", "quantity": "quantity", "unit": "unit"}
        by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
        raise ValidationError(
            {f"{boxes.get(name, 'amount')}_{need.lot.pk}": problems for name, problems in by_field.items()}
        ) from error
