"""The life cycle of a line of the ledger, one row per step: the buyer submits, finance decides, and never its own."""

from members.roles import Role
from procurement.core.workflow import Transition, Workflow
from savings.choices import EDITABLE, LineStatus

_WRITERS = (Role.BUYER, Role.JURIST, Role.FINANCE)
_FINANCE = (Role.FINANCE,)

LINE_WORKFLOW = Workflow(
    "status",
    dict(LineStatus.choices),
    [
        Transition("submit", "Soumettre aux finances", EDITABLE, LineStatus.SUBMITTED, _WRITERS),
        Transition("take_back", "Reprendre", (LineStatus.SUBMITTED,), LineStatus.DRAFT, _WRITERS),
        Transition("validate", "Valider", (LineStatus.SUBMITTED,), LineStatus.VALIDATED, _FINANCE),
        Transition(
            "return", "Renvoyer à l’acheteur", (LineStatus.SUBMITTED,), LineStatus.RETURNED, _FINANCE, needs_reason=True
        ),
        Transition("reject", "Rejeter", (LineStatus.SUBMITTED,), LineStatus.REJECTED, _FINANCE, needs_reason=True),
    ],
)
