"""What the ledger has to tell on the first screen."""

from datetime import date

from groupings.notices import Notice
from members.models import Affiliation


def savings_notices(affiliation: Affiliation, today: date) -> list[Notice]:
    """What waits for ``affiliation`` in the ledger, one query per kind of thing."""
    return []
