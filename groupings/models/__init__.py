"""What the bodies do together."""

from groupings.models.access import CalendarFeed, SignedLink
from groupings.models.amendment import Amendment, AmendmentSignature
from groupings.models.award import Award, AwardHolder, AwardShare, MemberContract
from groupings.models.clause import ClauseDraft, ClauseVersion
from groupings.models.consultation import Consultation, Question
from groupings.models.convention import Convention, ConventionComment, ConventionDocument
from groupings.models.deliberation import Deliberation, DeliberationAttempt, LegalOverride
from groupings.models.document import GroupingDocument
from groupings.models.evidence import DeliberationDocument, DraftDocument
from groupings.models.fees import FeeExpense, FeeStatement, FundCall
from groupings.models.grouping import Grouping, Lot
from groupings.models.joining_form import JoiningForm
from groupings.models.meeting import Meeting
from groupings.models.membership import Membership
from groupings.models.needs import NeedLine, NeedsCampaign, NeedsDraft, NeedsReopening, NeedsSubmission
from groupings.models.performance import (
    ConsumptionImport,
    ConsumptionLine,
    ContractContact,
    ExternalContract,
    PriceItem,
)
from groupings.models.proposal import Proposal
from groupings.models.signature import Signature, SigningCopy

__all__ = [
    "Amendment",
    "AmendmentSignature",
    "Award",
    "AwardHolder",
    "AwardShare",
    "CalendarFeed",
    "ClauseDraft",
    "ClauseVersion",
    "Consultation",
    "ConsumptionImport",
    "ConsumptionLine",
    "ContractContact",
    "Convention",
    "ConventionComment",
    "ConventionDocument",
    "Deliberation",
    "DeliberationAttempt",
    "DeliberationDocument",
    "DraftDocument",
    "ExternalContract",
    "FeeExpense",
    "FeeStatement",
    "FundCall",
    "Grouping",
    "GroupingDocument",
    "JoiningForm",
    "LegalOverride",
    "Lot",
    "Meeting",
    "MemberContract",
    "Membership",
    "NeedLine",
    "NeedsCampaign",
    "NeedsDraft",
    "NeedsReopening",
    "NeedsSubmission",
    "PriceItem",
    "Proposal",
    "Question",
    "Signature",
    "SignedLink",
    "SigningCopy",
]
