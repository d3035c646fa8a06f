"""What the bodies do together."""

from groupings.models.convention import Convention, ConventionDocument
from groupings.models.deliberation import Deliberation
from groupings.models.grouping import Grouping, Lot
from groupings.models.membership import Membership
from groupings.models.needs import NeedLine

__all__ = ["Convention", "ConventionDocument", "Deliberation", "Grouping", "Lot", "Membership", "NeedLine"]
