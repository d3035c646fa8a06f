"""Outgoing mail: the row is the truth, written with the act it tells; the message leaves after the commit."""

from datetime import datetime

from django.db import models
from django.db.models import Q

#: Longer subjects are cut: mail readers show less, and some servers fold badly.
SUBJECT_MAX = 180
ERROR_MAX = 300


class OutgoingMessageQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "OutgoingMessageQuerySet":
        """The mail of the affiliation's territory; a member only sees what was sent about its own organisation.

        The text may hold a signed link, which lets whoever reads it answer for the body: hence no neighbour's mail.
        """
        if affiliation is None:
            return self.none()
        messages = self.filter(territory_id=affiliation.territory_id)
        if affiliation.sees_whole_territory:
            return messages
        return messages.filter(organisation_id=affiliation.organisation_id)

    def waiting(self, now: datetime) -> "OutgoingMessageQuerySet":
        """What may be sent at that instant, the longest due first."""
        return self.filter(sent_at__isnull=True, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")

    def of_thread(self, thread: str) -> "OutgoingMessageQuerySet":
        """One page's mail ("grouping:12"), the latest first; what the reader may see of it is ``visible_to``'s."""
        return self.filter(thread=thread).order_by("-created_at", "-pk")


class OutgoingMessage(models.Model):
    """One message to one address. ``key`` names what it is for: the same key is never written, nor sent, twice."""

    class Status(models.TextChoices):
        WAITING = "waiting", "En attente"
        SENT = "sent", "Envoyé"
        FAILED = "failed", "Échec"

    key = models.CharField("clé d’unicité", max_length=400, unique=True)
    recipient = models.CharField("destinataire", max_length=254)
    subject = models.CharField("objet", max_length=SUBJECT_MAX)
    text = models.TextField("texte")
    #: A list of {"name", "path" (in the storage), "content_type", "sha256"}.
    attachments = models.JSONField("pièces jointes", default=list, blank=True)
    organisation = models.ForeignKey(
        "members.Organisation", models.PROTECT, null=True, blank=True, verbose_name="concerne", related_name="+"
    )
    territory = models.ForeignKey("members.Organisation", models.PROTECT, verbose_name="territoire", related_name="+")
    thread = models.CharField("dossier", max_length=60)
    created_at = models.DateTimeField("écrit le", editable=False)
    sent_at = models.DateTimeField("envoyé le", null=True, blank=True)
    attempts = models.PositiveSmallIntegerField("tentatives", default=0)
    #: When it may be tried; while a worker is sending it, the end of that worker's lease. Null once sent or given up.
    next_attempt_at = models.DateTimeField("prochain essai le", null=True, blank=True)
    error = models.CharField("dernière erreur", max_length=ERROR_MAX, blank=True)

    objects = OutgoingMessageQuerySet.as_manager()

    class Meta:
        verbose_name = "courriel"
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["thread", "-created_at"], name="mail_thread"),
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="mail_due"),
        ]
        constraints = [
            models.CheckConstraint(
                name="mail_waits_or_sent_or_failed",
                condition=Q(sent_at__isnull=True, next_attempt_at__isnull=False)
                | Q(sent_at__isnull=False, next_attempt_at__isnull=True, error="")
                | (Q(sent_at__isnull=True, next_attempt_at__isnull=True) & ~Q(error="")),
                violation_error_message="Un courriel attend son prochain essai, porte sa date d’envoi, "
                "ou dit pourquoi il n’est pas parti.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"

    @property
    def status(self) -> Status:
        if self.sent_at is not None:
            return self.Status.SENT
        return self.Status.FAILED if self.next_attempt_at is None else self.Status.WAITING
