"""The stages of a back-planning as events of a calendar: one per stage, on the day it ends."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from groupings.exchange.ics import Event
from groupings.models import Grouping
from groupings.rules.back_planning import BackPlanning, Stage, State

ALARM_DAYS = 7


def stage_events(grouping: Grouping, plan: BackPlanning, *, sequence: int) -> Iterator[Event]:
    """An alarm only rings for a stage that is not done and whose day is to come. A stage done on an unknown day has no
    event. ``sequence`` rises with each change of the grouping."""
    host = urlsplit(settings.SITE_URL).hostname
    for stage in plan.stages:
        is_done = stage.state == State.DONE
        on = stage.done_on if is_done else stage.ends_on
        if on is None:
            continue
        yield Event(
            uid=f"etape-{grouping.pk}-{stage.code}@{host}",
            sequence=sequence,
            on=on,
            summary=f"{grouping.title}\u00a0: {stage.label[:1].lower()}{stage.label[1:]}",
            description=_description(grouping, stage, is_done),
            url=settings.SITE_URL + reverse("back_planning", args=[grouping.pk]),
            alarm_days=ALARM_DAYS if not is_done and on >= plan.today else None,
        )


def _description(grouping: Grouping, stage: Stage, is_done: bool) -> str:
    if is_done:
        return f"{grouping.reference}\u00a0: étape terminée."
    return "\n".join(
        [
            f"{grouping.reference}\u00a0: du {stage.starts_on:%d/%m/%Y} au {stage.ends_on:%d/%m/%Y}, au plus tard le "
            f"{stage.latest_end_on:%d/%m/%Y}.",
            f"Qui\u00a0: {stage.who}. Durée minimale\u00a0: {stage.minimum_days} jours ({stage.source}).",
        ]
    )
