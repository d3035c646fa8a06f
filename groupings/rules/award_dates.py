"""From the decision to the notification: which dates hold, and the French sentence of those that do not.

In a formalised procedure with more than one tender, the rejected are told first and the contract is signed after the
standstill (CCP, L2182-1 and R2182-1); the commission of tenders chooses the holder (CGCT, L1414-2).
"""

from dataclasses import dataclass
from datetime import date

from groupings.rules.standstill import SOURCE, earliest_signature_on, standstill_days


@dataclass(frozen=True)
class AwardFacts:
    """What the dates of one awarded lot depend on. ``offers_received`` unknown counts as several."""

    decided_on: date
    is_formal: bool
    is_electronic: bool
    offers_received: int | None

    @property
    def owes_standstill(self) -> bool:
        return self.is_formal and self.offers_received != 1

    def earliest_signature_on(self, rejection_sent_on: date | None) -> date | None:
        """The first lawful day to sign; None while the rejections that the standstill counts from have not left."""
        if not self.owes_standstill:
            return self.decided_on
        if rejection_sent_on is None:
            return None
        return earliest_signature_on(rejection_sent_on, is_electronic=self.is_electronic)


def committee_refusal(*, is_due: bool, met_on: date | None, decided_on: date) -> str:
    """The commission of tenders chooses the holder of a formalised procedure, before anything else (CGCT, L1414-2)."""
    if not is_due:
        return ""
    if met_on is None:
        return (
            "La commission d’appel d’offres choisit le titulaire en procédure formalisée (CGCT, L1414-2)\u00a0: "
            "indiquez d’abord sa réunion sur la page de la consultation."
        )
    if decided_on < met_on:
        return f"La commission d’appel d’offres s’est réunie le {met_on:%d/%m/%Y}\u00a0: la décision ne la précède pas."
    return ""


def signature_refusal(facts: AwardFacts, *, rejection_sent_on: date | None, signed_on: date) -> str:
    """Why the contract may not be signed that day; empty when it may."""
    if signed_on < facts.decided_on:
        return f"Le marché est attribué le {facts.decided_on:%d/%m/%Y}\u00a0: il ne peut pas être signé avant."
    earliest = facts.earliest_signature_on(rejection_sent_on)
    if earliest is None:
        return (
            "Indiquez d’abord l’envoi des lettres de rejet\u00a0: le délai de suspension de "
            f"{standstill_days(facts.is_electronic)} jours en part ({SOURCE})."
        )
    if signed_on < earliest:
        return (
            f"Pas de signature avant le {earliest:%d/%m/%Y}\u00a0: {standstill_days(facts.is_electronic)} jours après "
            f"l’envoi des lettres de rejet ({SOURCE})."
        )
    return ""


def follow_refusals(
    facts: AwardFacts,
    *,
    rejection_sent_on: date | None,
    signed_on: date | None,
    notified_on: date | None,
    data_published_on: date | None,
    today: date,
) -> dict[str, str]:
    """Name of the date → sentence, for every date that does not hold; empty when all do."""
    refusals: dict[str, str] = {}
    dates = {
        "rejection_sent_on": rejection_sent_on,
        "signed_on": signed_on,
        "notified_on": notified_on,
        "data_published_on": data_published_on,
    }
    for name, day in dates.items():
        if day is not None and day > today:
            refusals[name] = "Cette date est à venir\u00a0: indiquez ce qui est fait."
    if rejection_sent_on is not None and rejection_sent_on < facts.decided_on:
        refusals["rejection_sent_on"] = (
            f"Le lot est attribué le {facts.decided_on:%d/%m/%Y}\u00a0: les lettres de rejet ne partent pas avant."
        )
    if signed_on is not None and (rejection_sent_on is None or rejection_sent_on <= today):
        told = signature_refusal(facts, rejection_sent_on=rejection_sent_on, signed_on=signed_on)
        if told:
            refusals.setdefault("signed_on", told)
    if notified_on is not None and (signed_on is None or notified_on < signed_on):
        refusals.setdefault("notified_on", "Un marché est signé avant d’être notifié.")
    if data_published_on is not None and (notified_on is None or data_published_on < notified_on):
        refusals.setdefault(
            "data_published_on", "Les données essentielles se publient après la notification du marché."
        )
    return refusals
