"""The demonstration: the bilan of 2016 as it was published, and fictitious groupings around today, five in preparation
and three past the launch.

Totals of 2016 are the bilan's; what is illustrative or fictitious says so in ``source``, shown on screen.
"""

from datetime import date
from pathlib import Path
from random import Random

from django.db import transaction

from groupings.demonstration.calendars import create_sessions
from groupings.demonstration.contracts import create_contracts
from groupings.demonstration.conventions import freeze_convention
from groupings.demonstration.history import make_history
from groupings.demonstration.people import complete_cards, create_accounts, create_representatives
from groupings.demonstration.renewals import create_renewals
from groupings.imports import import_grouping
from groupings.models import Grouping
from members.imports import import_organisations
from members.models import Organisation
from members.roles import Role
from procurement.core.actors import SystemActor

FOLDER = Path(__file__).with_name("bilan_2016")
SEED = 2016


def is_loaded() -> bool:
    """Whether the demonstration, or anybody's data, is already there."""
    return Organisation.objects.exists()


@transaction.atomic
def load(*, today: date) -> None:
    """Load everything, in one transaction, into an empty database. The same seed and day give the same data."""
    actor = SystemActor("Chargement de la démonstration")
    random = Random(SEED)  # noqa: S311 - fictitious data, always the same
    with (FOLDER / "organisations.csv").open("rb") as stream:
        import_organisations(stream, "organisations.csv", actor=actor)
    import_grouping(FOLDER, actor=actor)
    organisations = list(Organisation.objects.order_by("siren"))
    complete_cards(organisations)
    accounts = create_accounts()
    create_representatives(organisations, random)
    create_sessions(organisations, random, today)
    make_history(list(Grouping.objects.order_by("reference")), random)
    people = {"buyer": accounts[Role.BUYER].user, "jurist": accounts[Role.JURIST].user}
    create_renewals(actor=actor, random=random, today=today, **people)
    create_contracts(actor=actor, random=random, today=today, **people)
    for grouping in Grouping.objects.filter(is_declared_only=False).order_by("reference"):
        freeze_convention(grouping, actor=actor, today=today)
