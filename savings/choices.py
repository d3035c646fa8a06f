"""The closed lists of the ledger: label, and for states the badge that shows them, in one place."""

from django.db import models

from groupings.choices import Badge


class BaselineMethod(models.TextChoices):
    """How the reference price is known, from the most to the least reliable (domain.md §6.2, DAE)."""

    HISTORIC_PRICE = "HISTORIC_PRICE", "Prix payé auparavant"
    HISTORIC_PRICE_INDEXED = "HISTORIC_PRICE_INDEXED", "Prix payé auparavant, indexé"
    PEER_PRICE = "PEER_PRICE", "Prix d’un autre acheteur"
    MARKET_STUDY = "MARKET_STUDY", "Étude de marché ou devis"
    MEAN_OF_OFFERS = "MEAN_OF_OFFERS", "Moyenne des offres conformes"
    BUDGET_ESTIMATE = "BUDGET_ESTIMATE", "Budget"


class Grade(models.TextChoices):
    """How far a reference price can be trusted: A, paid and proven; D, a budget, or a price written too late."""

    A = "A", "A – prix payé, prouvé"
    B = "B", "B – prix de comparaison prouvé"
    C = "C", "C – moyenne des offres, ou sans preuve"
    D = "D", "D – budget, ou référence tardive"


#: The grades a file proves: their part of a gain is told apart.
PROVEN = (Grade.A.value, Grade.B.value)


class GainStage(models.TextChoices):
    """The three moments of a gain, never added together (IGF/IGA 2016)."""

    ESTIMATED = "ESTIMATED", "Potentiel"
    AWARDED = "AWARDED", "Notifié"
    REALISED = "REALISED", "Réalisé"


class Reading(models.TextChoices):
    """The two readings of one gain, never mixed: without and with the index."""

    BUDGET = "budget", "Gain budgétaire"
    PURCHASE = "purchase", "Gain achat"


class LineStatus(models.TextChoices):
    DRAFT = "DRAFT", "Brouillon"
    SUBMITTED = "SUBMITTED", "Soumise"
    VALIDATED = "VALIDATED", "Validée"
    RETURNED = "RETURNED", "Renvoyée"
    REJECTED = "REJECTED", "Rejetée"


LINE_BADGES = {
    LineStatus.DRAFT: Badge("Brouillon", "neutral", "pencil"),
    LineStatus.SUBMITTED: Badge("Soumise", "amber", "send"),
    LineStatus.VALIDATED: Badge("Validée", "green", "check-circle-fill"),
    LineStatus.RETURNED: Badge("Renvoyée", "amber", "arrow-repeat"),
    LineStatus.REJECTED: Badge("Rejetée", "late", "x-circle"),
}
#: What the buyer may still change.
EDITABLE = (LineStatus.DRAFT, LineStatus.RETURNED)


class EntryKind(models.TextChoices):
    """A posted entry is never changed: a correction reverses it, and posts its own."""

    POSTED = "posted", "Inscription"
    REVERSED = "reversed", "Contre-passation"
