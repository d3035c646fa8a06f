"""What the ledger has to tell on the first screen."""

from datetime import date

from django.db.models import Q
from django.urls import reverse

from groupings.notices import Notice
from members.models import Affiliation
from members.roles import may
from savings.models import PriceLine


def savings_notices(affiliation: Affiliation, today: date) -> list[Notice]:
    """What waits for ``affiliation`` in the ledger, one query per kind of thing."""
    return [*_to_validate(affiliation)]


def _to_validate(affiliation: Affiliation) -> list[Notice]:
    """To finance: the lines somebody else has to decide of are counted, its own are not."""
    if not may(affiliation, "savings.validate", organisation_id=affiliation.organisation_id):
        return []
    own = Q(entered_by=affiliation.user_id) | Q(submitted_by=affiliation.user_id)
    own |= Q(baseline__entered_by=affiliation.user_id)
    waiting = PriceLine.objects.visible_to(affiliation).awaiting_finance()
    count = waiting.exclude(pk__in=waiting.filter(own).values("pk")).count()
    if not count:
        return []
    s = "s" if count > 1 else ""
    return [Notice(f"{count} ligne{s} de gain à valider.", reverse("review_queue"), "Valider", "check-circle-fill")]
