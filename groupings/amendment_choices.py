"""The closed lists of what changes a convention: its amendments and its bulletins d'adhésion."""

from django.db import models

from groupings.choices import Badge


class AmendmentKind(models.TextChoices):
    JOIN = "join", "Adhésion d’un membre"
    LEAVE = "leave", "Retrait d’un membre"
    COORDINATOR = "coordinator", "Changement de coordonnateur"
    OBJECT = "object", "Changement d’objet"
    DURATION = "duration", "Changement de durée"


class AmendmentStatus(models.TextChoices):
    DRAFT = "draft", "Projet"
    FINAL = "final", "Arrêté"
    VOTES = "votes", "En délibération"
    SIGNATURE = "signature", "En signature"
    IN_FORCE = "in_force", "En vigueur"
    ABANDONED = "abandoned", "Abandonné"


#: Its text is frozen and numbered, and it still goes somewhere.
ON_THE_WAY = (AmendmentStatus.FINAL, AmendmentStatus.VOTES, AmendmentStatus.SIGNATURE)
#: Neither applied nor given up.
OPEN = (AmendmentStatus.DRAFT, *ON_THE_WAY)

AMENDMENT_BADGES = {
    AmendmentStatus.DRAFT: Badge("Projet", "neutral", "pencil"),
    AmendmentStatus.FINAL: Badge("Arrêté", "blue", "file-earmark-text"),
    AmendmentStatus.VOTES: Badge("En délibération", "amber", "calendar-event"),
    AmendmentStatus.SIGNATURE: Badge("En signature", "amber", "pencil"),
    AmendmentStatus.IN_FORCE: Badge("En vigueur", "green", "check-circle-fill"),
    AmendmentStatus.ABANDONED: Badge("Abandonné", "muted", "x-circle"),
}


class JoiningStatus(models.TextChoices):
    DRAFT = "draft", "À signer"
    SIGNED = "signed", "Signé, à accepter"
    ACCEPTED = "accepted", "Accepté"
    REFUSED = "refused", "Renvoyé"


JOINING_BADGES = {
    JoiningStatus.DRAFT: Badge("À signer", "neutral", "pencil"),
    JoiningStatus.SIGNED: Badge("Signé, à accepter", "amber", "envelope"),
    JoiningStatus.ACCEPTED: Badge("Accepté", "green", "check-circle-fill"),
    JoiningStatus.REFUSED: Badge("Renvoyé", "muted", "arrow-repeat"),
}
