"""Creating and changing a grouping's card, and moving it to its next step."""

from datetime import date

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.grouping import grouping_advance, grouping_save
from groupings.forms.grouping import DeclaredGroupingForm, GroupingForm
from groupings.models import Grouping
from groupings.views.common import find_grouping, require_change
from groupings.views.detail import render_page
from groupings.workflow import GROUPING_WORKFLOW
from members.roles import require
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, posted_or_back, submit


@require_http_methods(["GET", "HEAD", "POST"])
def grouping_create(request: HttpRequest) -> HttpResponse:
    """The full card."""
    return _create(request, GroupingForm, "Nouveau groupement")


@require_http_methods(["GET", "HEAD", "POST"])
def grouping_create_declared(request: HttpRequest) -> HttpResponse:
    """The light card of a grouping that another department runs."""
    return _create(request, DeclaredGroupingForm, "Déclarer un groupement suivi par une autre direction")


def _create(request: HttpRequest, form_class: type, title: str) -> HttpResponse:
    affiliation = request.affiliation
    require(affiliation, "grouping.create", organisation_id=getattr(affiliation, "organisation_id", None))
    if not affiliation.sees_whole_territory:
        raise NotAllowed("Les groupements se créent au nom du coordonnateur.")
    initial = {"opened_on": timezone.localdate(), "coordinator": affiliation.organisation_id, "buyer": request.user.pk}
    # The radar proposes these three; whoever fills the card changes them.
    initial |= {name: request.GET[name][:200] for name in ("title", "cpv", "category") if name in request.GET}
    form = form_class(
        posted(request), instance=Grouping(), affiliation=affiliation, initial=initial, use_required_attribute=False
    )
    if request.method == "POST" and submit(form, lambda: grouping_save(grouping=form.instance, actor=affiliation)):
        messages.success(request, f"Le groupement {form.instance.reference} est créé.")
        return redirect("grouping_detail", form.instance.pk)
    context = {"form": form, "title": title, "submit": "Créer le groupement", "back": None}
    return render(request, "groupings/card_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def grouping_change(request: HttpRequest, pk: int) -> HttpResponse:
    """The card again; when somebody saved another meanwhile, both values are shown and nothing is written."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    form_class = DeclaredGroupingForm if grouping.is_declared_only else GroupingForm
    form = form_class(posted(request), instance=grouping, affiliation=request.affiliation, use_required_attribute=False)
    conflicts: list[dict] = []
    if request.method == "POST":
        read = _version_read(request.POST)
        saved = submit(
            form, lambda: grouping_save(grouping=form.instance, actor=request.affiliation, expected_version=read)
        )
        if saved:
            messages.success(request, f"Le groupement {grouping.reference} est enregistré.")
            return redirect("grouping_detail", pk)
        conflicts = _conflicts(form, form_class, request, pk, read)
    stored = find_grouping(request, pk) if form.is_bound else grouping
    context = {
        "form": form,
        "title": f"Modifier {stored.reference}",
        "submit": "Enregistrer",
        "back": stored,
        "conflicts": conflicts,
    }
    return render(request, "groupings/card_form.html", context, status=422 if form.is_bound else 200)


def _version_read(data: QueryDict) -> int:
    """The version the person was reading; 0, which no card has, when the box was tampered with."""
    typed = data.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def _conflicts(form, form_class: type, request: HttpRequest, pk: int, read: int) -> list[dict]:
    """When the card was saved by somebody else since ``read``: field by field, what is stored now where it differs.

    The form then carries the new version, so that saving again is a decision taken knowingly.
    """
    stored = find_grouping(request, pk)
    if stored.version == read:
        return []
    now = form_class(instance=stored, affiliation=request.affiliation)
    data = request.POST.copy()
    data["version"] = str(stored.version)
    form.data = data
    return [
        {"label": field.label, "id": form[name].id_for_label, "stored": _shown(now[name])}
        for name, field in now.fields.items()
        if name != "version" and field.has_changed(now[name].initial, form[name].data)
    ]


def _shown(field: BoundField) -> str:
    """A field's stored value as a person reads it."""
    value = field.value()
    if value in (None, ""):
        return "vide"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    choices = getattr(field.field, "choices", None)
    if choices is not None:
        return next((str(label) for key, label in choices if str(key) == str(value)), str(value))
    return str(value)


@posted_or_back("grouping_detail", "pk")
def grouping_advance_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a step of the life cycle; refused, the page is shown again with the reason and what was typed."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    step, reason = request.POST.get("step", ""), request.POST.get("reason", "")[:2000]
    try:
        now = timezone.now()
        advanced = grouping_advance(
            grouping=grouping,
            step=step,
            actor=request.affiliation,
            today=timezone.localtime(now).date(),
            reason=reason,
            now=now,
        )
    except NotAllowed:
        raise
    except BusinessError as error:
        refused = {"refused_step": step, "step_error": error.message, "reason": reason}
        return render_page(request, find_grouping(request, pk), status=422, **refused)
    messages.success(request, f"{grouping.reference}\u00a0: {GROUPING_WORKFLOW.labels[advanced.status]}.")
    return redirect("grouping_detail", pk)
