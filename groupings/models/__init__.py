"""What the bodies do together."""

from groupings.models.access import CalendarFeed, SignedLink
from groupings.models.convention import Convention, ConventionDocument
from groupings.models.deliberation import Deliberation, DeliberationAttempt, LegalOverride
from groupings.models.evidence import DeliberationDocument, DraftDocument, Signature
from groupings.models.grouping import Grouping, Lot
from groupings.models.membership import Membership
from groupings.models.needs import NeedLine
from groupings.models.proposal import Proposal

__all__ = [
    "CalendarFeed",
    "Convention",
    "ConventionDocument",
    "Deliberation",
    "DeliberationAttempt",
    "DeliberationDocument",
    "DraftDocument",
    "Grouping",
    "LegalOverride",
    "Lot",
    "Membership",
    "NeedLine",
    "Proposal",
    "Signature",
    "SignedLink",
]
