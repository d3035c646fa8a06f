"""The closed lists of a grouping: label, and for states the badge that shows them, in one place."""

from dataclasses import dataclass, replace
from datetime import date

from django.db import models


class Category(models.TextChoices):
    SUPPLIES = "supplies", "Fournitures"
    SERVICES = "services", "Services"
    WORKS = "works", "Travaux"
    SOCIAL_SERVICES = "social_services", "Services sociaux et spécifiques"


class GroupingKind(models.TextChoices):
    AD_HOC = "ad_hoc", "Ponctuel"
    PERMANENT = "permanent", "Permanent"


class LegalVehicle(models.TextChoices):
    """Lille left groupings for a central purchasing body: the tool survives a change of vehicle."""

    GROUPING = "grouping", "Groupement de commandes"
    CENTRAL_PURCHASING = "central_purchasing", "Centrale d’achat"
    UGAP = "ugap", "UGAP"


class IntegrationLevel(models.TextChoices):
    COORDINATED = "COORDINATED", "De coordination\u00a0: chaque membre signe son marché"
    PARTIAL = "PARTIAL", "Intégration partielle\u00a0: le coordonnateur signe et notifie"
    FULL = "FULL", "Intégration totale\u00a0: le coordonnateur signe et exécute"


class TenderCommitteeMode(models.TextChoices):
    COORDINATOR = "COORDINATOR", "CAO du coordonnateur"
    SPECIFIC = "SPECIFIC", "CAO propre au groupement"


class FeeRule(models.TextChoices):
    FREE = "FREE", "Gratuité\u00a0: le coordonnateur supporte les frais"
    EQUAL_SHARES = "EQUAL_SHARES", "Parts égales"
    POPULATION = "POPULATION", "Au prorata de la population"
    ESTIMATED_AMOUNT = "ESTIMATED_AMOUNT", "Au prorata des montants estimés"
    ACTUAL_SPEND = "ACTUAL_SPEND", "Au prorata des dépenses réelles"
    FLAT_FEE = "FLAT_FEE", "Forfait par membre"


class FeeNature(models.TextChoices):
    """The expenses article 10 of the convention names; the disputes of 10.3 are shared apart."""

    PUBLICATION = "publication", "Publicité"
    REPRODUCTION = "reproduction", "Reproduction"
    DEMATERIALISATION = "dematerialisation", "Dématérialisation"
    ADVICE = "advice", "Assistance à maîtrise d’ouvrage"
    LITIGATION = "litigation", "Contentieux (article 10.3)"


class FeeStatementStatus(models.TextChoices):
    APPROVED = "approved", "Arrêté"
    CALLED = "called", "Appelé"
    REPLACED = "replaced", "Remplacé"


class GroupingStatus(models.TextChoices):
    NEEDS = "needs", "Recensement des besoins"
    CONVENTION = "convention", "Projet de convention"
    DELIBERATIONS = "deliberations", "Délibérations et signatures"
    CONSULTATION = "consultation", "Consultation"
    AWARD = "award", "Analyse et attribution"
    PERFORMANCE = "performance", "Exécution"
    REVIEW = "review", "Bilan"
    CANCELLED = "cancelled", "Abandonné"


#: Before the tender: what the tracker follows.
IN_PREPARATION = (GroupingStatus.NEEDS, GroupingStatus.CONVENTION, GroupingStatus.DELIBERATIONS)
#: Once the tender has started the composition is frozen (rép. min. n° 100136 du 17/05/2011).
LAUNCHED = (GroupingStatus.CONSULTATION, GroupingStatus.AWARD, GroupingStatus.PERFORMANCE, GroupingStatus.REVIEW)


class ConventionStatus(models.TextChoices):
    """Where one version of a convention stands; each grouping has one version that is not replaced."""

    DRAFT = "draft", "Projet"
    COMMENTS = "comments", "En relecture"
    FINAL = "final", "Arrêtée"
    VOTES = "votes", "En délibération"
    SIGNATURE = "signature", "En signature"
    IN_FORCE = "in_force", "En vigueur"
    ENDED = "ended", "Terminée"
    SUPERSEDED = "superseded", "Remplacée"


class ConventionOrigin(models.TextChoices):
    """Where the text of a version comes from."""

    GENERATED = "generated", "Texte produit par l’outil"
    NEGOTIATED = "negotiated", "Texte négocié hors de l’outil"
    PRIOR = "prior", "Convention signée avant l’outil"


class DeliberationStatus(models.TextChoices):
    NOT_REQUIRED = "not_required", "Non requise"
    TO_SCHEDULE = "to_schedule", "À inscrire"
    DRAFT_SENT = "draft_sent", "Modèle envoyé"
    ON_AGENDA = "on_agenda", "Inscrite"
    CONVENED = "convened", "Convoquée"
    ADOPTED = "adopted", "Votée"
    REJECTED = "rejected", "Rejetée"
    POSTPONED = "postponed", "Reportée"
    NO_QUORUM = "no_quorum", "Sans quorum"
    CHALLENGED = "challenged", "Contestée"
    WITHDRAWN = "withdrawn", "Retirée"
    ANNULLED = "annulled", "Annulée"


#: Not voted yet, or voted to no effect: somebody still has something to do.
AWAITING_VOTE = (
    DeliberationStatus.TO_SCHEDULE,
    DeliberationStatus.DRAFT_SENT,
    DeliberationStatus.ON_AGENDA,
    DeliberationStatus.CONVENED,
    DeliberationStatus.POSTPONED,
    DeliberationStatus.NO_QUORUM,
)
#: Adopted and still standing: a challenge suspends nothing (CJA, L4).
IN_FORCE = (DeliberationStatus.ADOPTED, DeliberationStatus.CHALLENGED)
#: Voted to no effect, or undone since: somebody decides whether the assembly votes again.
WITHOUT_EFFECT = (DeliberationStatus.REJECTED, DeliberationStatus.WITHDRAWN, DeliberationStatus.ANNULLED)
#: On the agenda of a known session.
ON_A_SESSION = (DeliberationStatus.ON_AGENDA, DeliberationStatus.CONVENED)


@dataclass(frozen=True)
class Badge:
    """A state on screen: colour, icon and word together, never colour alone."""

    word: str
    tone: str
    icon: str


GROUPING_BADGES = {
    GroupingStatus.NEEDS: Badge("Recensement", "neutral", "list-check"),
    GroupingStatus.CONVENTION: Badge("Convention", "amber", "file-earmark-text"),
    GroupingStatus.DELIBERATIONS: Badge("Délibérations", "amber", "calendar-event"),
    GroupingStatus.CONSULTATION: Badge("Consultation", "blue", "send"),
    GroupingStatus.AWARD: Badge("Attribution", "blue", "search"),
    GroupingStatus.PERFORMANCE: Badge("Exécution", "green", "check-circle-fill"),
    GroupingStatus.REVIEW: Badge("Bilan", "green", "bar-chart"),
    GroupingStatus.CANCELLED: Badge("Abandonné", "muted", "x-circle"),
}
DELIBERATION_BADGES = {
    DeliberationStatus.NOT_REQUIRED: Badge("Non requise", "muted", "dash-circle"),
    DeliberationStatus.TO_SCHEDULE: Badge("À inscrire", "neutral", "circle"),
    DeliberationStatus.DRAFT_SENT: Badge("Modèle envoyé", "neutral", "envelope"),
    DeliberationStatus.ON_AGENDA: Badge("Inscrite", "amber", "calendar-event"),
    DeliberationStatus.CONVENED: Badge("Convoquée", "amber", "calendar-check"),
    DeliberationStatus.ADOPTED: Badge("Votée", "blue", "send"),
    DeliberationStatus.REJECTED: Badge("Rejetée", "muted", "x-circle"),
    DeliberationStatus.POSTPONED: Badge("Reportée", "neutral", "arrow-repeat"),
    DeliberationStatus.NO_QUORUM: Badge("Sans quorum", "neutral", "people"),
    DeliberationStatus.CHALLENGED: Badge("Contestée", "amber", "exclamation-triangle-fill"),
    DeliberationStatus.WITHDRAWN: Badge("Retirée", "muted", "x-circle"),
    DeliberationStatus.ANNULLED: Badge("Annulée", "muted", "x-circle"),
}
CONVENTION_BADGES = {
    ConventionStatus.DRAFT: Badge("Projet", "neutral", "pencil"),
    ConventionStatus.COMMENTS: Badge("En relecture", "amber", "envelope"),
    ConventionStatus.FINAL: Badge("Arrêtée", "blue", "file-earmark-text"),
    ConventionStatus.VOTES: Badge("En délibération", "amber", "calendar-event"),
    ConventionStatus.SIGNATURE: Badge("En signature", "amber", "pencil"),
    ConventionStatus.IN_FORCE: Badge("En vigueur", "green", "check-circle-fill"),
    ConventionStatus.ENDED: Badge("Terminée", "muted", "dash-circle"),
    ConventionStatus.SUPERSEDED: Badge("Remplacée", "muted", "x-circle"),
}
#: What the coordinator made of a remark on a convention.
COMMENT_BADGES = {
    "kept": Badge("Retenue", "green", "check-circle-fill"),
    "dismissed": Badge("Écartée", "muted", "x-circle"),
    "answered": Badge("Réponse", "blue", "info-circle"),
}
FEE_STATEMENT_BADGES = {
    FeeStatementStatus.APPROVED: Badge("Arrêté", "blue", "file-earmark-text"),
    FeeStatementStatus.CALLED: Badge("Appelé", "green", "send"),
    FeeStatementStatus.REPLACED: Badge("Remplacé", "muted", "x-circle"),
}
#: Where one member stands in the circuit of signature.
SIGNATURE_BADGES = {
    "signed": Badge("Signée", "green", "check-circle-fill"),
    "to_sign": Badge("À signer", "amber", "pencil"),
    "awaits_act": Badge("Acte attendu", "neutral", "hourglass-split"),
    "awaits_others": Badge("Après les autres", "neutral", "clock"),
}
EXECUTORY_BADGE = Badge("Exécutoire", "green", "check-circle-fill")
LATE_BADGE = Badge("En retard", "late", "exclamation-triangle-fill")
#: Where the answer of a member to the survey of needs stands.
NEEDS_DRAFT_BADGE = Badge("Brouillon, non transmis", "late", "exclamation-triangle-fill")
NEEDS_CHANGED_BADGE = Badge("Modifications non transmises", "late", "exclamation-triangle-fill")
NEEDS_SENT_BADGE = Badge("Besoins transmis", "green", "check-circle-fill")
NEEDS_KNOWN_BADGE = Badge("Saisi par le coordonnateur", "blue", "pencil")
NEEDS_AWAITED_BADGE = Badge("Pas commencé", "neutral", "circle")


def answer_badge(*, has_draft: bool, has_submission: bool) -> Badge:
    """Where its own answer to the survey stands, for the member: never sent, changed since it was, or sent."""
    if has_submission:
        return NEEDS_CHANGED_BADGE if has_draft else NEEDS_SENT_BADGE
    return NEEDS_DRAFT_BADGE


def survey_badge(*, sent_on: date | None, is_known: bool, has_draft: bool) -> Badge:
    """Where one member stands, for the coordinator: it sent its figures, or the coordinator holds some (``is_known``),
    or it has only begun."""
    if sent_on is not None:
        return replace(NEEDS_SENT_BADGE, word=f"Transmis le {sent_on:%d/%m/%Y}")
    if is_known:
        return NEEDS_KNOWN_BADGE
    return NEEDS_DRAFT_BADGE if has_draft else NEEDS_AWAITED_BADGE
