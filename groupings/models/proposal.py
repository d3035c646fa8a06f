"""What a file from outside seems to say of an awaited deliberation: proposed, and confirmed by a person."""

from django.db import models
from django.db.models import Q

from groupings.models.deliberation import Deliberation
from groupings.querysets import OfDeliberationQuerySet


class Proposal(models.Model):
    """A receipt or an open-data row that may belong to a deliberation. Nothing is linked before the answer."""

    class Origin(models.TextChoices):
        RECEIPT = "receipt", "Accusé de réception"
        OPEN_DATA = "open_data", "Données ouvertes (SCDL)"

    class Answer(models.TextChoices):
        WAITING = "waiting", "À confirmer"
        CONFIRMED = "confirmed", "Confirmée"
        DISMISSED = "dismissed", "Écartée"

    deliberation = models.ForeignKey(Deliberation, models.CASCADE, related_name="proposals")
    origin = models.CharField("origine", max_length=9, choices=Origin)
    fingerprint = models.CharField(max_length=64)
    source_name = models.CharField("fichier", max_length=200)
    source_line = models.PositiveIntegerField("ligne", null=True, blank=True)
    values = models.JSONField("valeurs")
    reason = models.CharField("pourquoi", max_length=500)
    answer = models.CharField("réponse", max_length=9, choices=Answer, default=Answer.WAITING)
    answered_by = models.CharField("répondu par", max_length=200, blank=True)
    answered_at = models.DateTimeField("répondu le", null=True, blank=True)
    created_at = models.DateTimeField("proposé le", auto_now_add=True)

    objects = OfDeliberationQuerySet.as_manager()

    class Meta:
        verbose_name = "rapprochement proposé"
        verbose_name_plural = "rapprochements proposés"
        ordering = ["created_at", "pk"]
        constraints = [
            # The same file imported twice proposes once, and what a person dismissed stays dismissed.
            models.UniqueConstraint(fields=["deliberation", "fingerprint"], name="proposal_once"),
            models.CheckConstraint(
                condition=Q(answer="waiting", answered_at__isnull=True, answered_by="")
                | (~Q(answer="waiting") & Q(answered_at__isnull=False) & ~Q(answered_by="")),
                name="proposal_answer_is_signed",
                violation_error_message="Une réponse porte sa date et son auteur.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_origin_display()}, {self.source_name}"
