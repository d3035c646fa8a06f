"""The first screen: what must I do today."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.choices import IN_PREPARATION
from groupings.execution import watched_contracts
from groupings.figures import annual_figures
from groupings.filters import years_of
from groupings.models import ConventionDocument, Grouping
from groupings.notices import notices
from groupings.review import review_notices, with_review
from groupings.tables import grouping_rows
from groupings.todo import Subject, Task, followed_groupings, todo_on
from groupings.views.common import may_change_needs
from members.roles import Role, may

#: Longer lists are cut, with a link to the whole.
SHOWN = 20


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """À faire; for finance, the groupings and totals of a year."""
    affiliation = request.affiliation
    today = timezone.localdate()
    if affiliation is None:
        return render(request, "groupings/home_nobody.html", {"today": today})
    if affiliation.role == Role.FINANCE and affiliation.sees_whole_territory:
        return _finance(request, today)
    followed = list(with_review(followed_groupings(affiliation).with_figures(), affiliation))
    todo = todo_on(affiliation, today, timezone.now(), followed)
    everything = request.GET.get("tout") == "1"
    sections = [
        _section(key, title, icon, tasks, affiliation, everything)
        for key, title, icon, tasks in (
            ("late", "En retard", "exclamation-triangle-fill", todo.late),
            ("soon", "Attendues sous 15\u00a0jours", "calendar-event", todo.soon),
            ("transmit", "À transmettre", "send", todo.to_transmit),
            ("later", "Ensuite", "list-check", [] if affiliation.sees_whole_territory else todo.later),
        )
        if tasks
    ]
    preparing = sorted(
        (grouping for grouping in followed if grouping.status in IN_PREPARATION),
        key=lambda grouping: (grouping.deliberations_due_on or date.max, grouping.reference),
    )
    context = {
        "today": today,
        "todo": todo,
        "notices": [*review_notices(affiliation, followed), *notices(affiliation, today)],
        "sections": sections,
        "preparing": preparing,
        "documents": _own_documents(affiliation) if preparing and not affiliation.sees_whole_territory else {},
        "may_create": affiliation.sees_whole_territory and may(affiliation, "grouping.create"),
        "has_groupings": bool(followed)
        or not todo.is_empty
        or todo.has_tenders
        or Grouping.objects.visible_to(affiliation).exists(),
    }
    return render(request, "groupings/home.html", context)


def _section(key: str, title: str, icon: str, tasks: list[Task], affiliation, everything: bool) -> dict:
    shown = tasks if everything else tasks[:SHOWN]
    return {
        "key": key,
        "title": title,
        "icon": icon,
        "count": len(tasks),
        "hidden": len(tasks) - len(shown),
        "rows": [{"task": task, **_button(task, affiliation)} for task in shown],
    }


def _button(task: Task, affiliation) -> dict[str, str]:
    """The one button of a task: the needs' form, or the page of the deliberation it is about."""
    grouping, membership = task.grouping, task.membership
    if task.subject == Subject.NEEDS and may_change_needs(grouping, membership.organisation_id, affiliation):
        return {"label": "Saisir les besoins", "url": reverse("needs_change", args=[grouping.pk, membership.pk])}
    if task.deliberation is not None:
        label = "Mettre à jour" if may_change_needs(grouping, membership.organisation_id, affiliation) else "Ouvrir"
        return {"label": label, "url": reverse("deliberation_detail", args=[task.deliberation.pk])}
    return {
        "label": "Ouvrir le dossier",
        "url": f"{reverse('grouping_detail', args=[grouping.pk])}#membre-{membership.pk}",
    }


def _own_documents(affiliation) -> dict[int, ConventionDocument]:
    """The latest convention of each grouping in preparation, for the body that must vote it."""
    documents = (
        ConventionDocument.objects.visible_to(affiliation)
        .of_latest()
        .filter(
            membership__organisation_id=affiliation.organisation_id,
            convention__grouping__status__in=IN_PREPARATION,
        )
        .select_related("convention", "membership__organisation")
        .defer("convention__values")
    )
    return {document.convention.grouping_id: document for document in documents}


def _finance(request: HttpRequest, today: date) -> HttpResponse:
    """The groupings and totals of one year, this one unless ``?annee=`` says another."""
    visible = Grouping.objects.visible_to(request.affiliation)
    years = years_of(visible, today)
    asked = request.GET.get("annee", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in years else today.year
    rows = grouping_rows(request.affiliation).open_in(year).order_by("-opened_on", "reference")
    context = {
        "today": today,
        "year": year,
        "years": years,
        "figures": annual_figures(visible, year),
        "rows": list(rows),
        "has_groupings": bool(years),
        "notices": notices(request.affiliation, today),
        "todo": {"contracts": watched_contracts(request.affiliation, today)},
    }
    return render(request, "groupings/home_finance.html", context)
