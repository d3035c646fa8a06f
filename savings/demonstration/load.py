"""The annual sheet of 2016 with the bilan's own words, and the meetings it counts, after the groupings are loaded."""

import tomllib
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from groupings.actions.meetings import meeting_save
from groupings.models import Grouping, Meeting
from members.models import Organisation
from procurement.core.actors import SystemActor
from savings.actions.sheet import sheet_freeze, sheet_open, sheet_save
from savings.models import AnnualSheet

BILAN = Path(__file__).with_name("bilan_2016.toml")
_NOTE = "Réunion illustrative\u00a0: le bilan 2016 en compte quatre, sans dire leur date ni leur objet."


@transaction.atomic
def load_bilan(*, now: datetime) -> AnnualSheet:
    """Record the four meetings, then write and freeze the sheet with the figures of 2016, as they are ``now``."""
    actor = SystemActor("Chargement de la démonstration")
    today = timezone.localtime(now).date()
    bilan = tomllib.loads(BILAN.read_text(encoding="utf-8"))
    for told in bilan["meetings"]:
        grouping = Grouping.objects.select_related("coordinator").get(reference=told.pop("grouping"))
        meeting_save(meeting=Meeting(grouping=grouping, notes=_NOTE, **told), actor=actor, today=today)
    territory = Organisation.objects.get(territory=None)
    sheet = sheet_open(territory=territory, year=bilan["year"], actor=actor, today=today)
    sheet = sheet_save(
        sheet=sheet,
        texts=bilan["texts"],
        calendar=bilan["calendar"],
        actor=actor,
        expected_version=sheet.version,
    )
    return sheet_freeze(sheet=sheet, actor=actor, now=now, expected_version=sheet.version)
