"""Long work: the Job row is the truth, the broker's message only a bell."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class JobQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "JobQuerySet":
        """The jobs asked for on behalf of the affiliation's organisation."""
        if affiliation is None:
            return self.none()
        return self.filter(organisation_id=affiliation.organisation_id)

    def unfinished(self) -> "JobQuerySet":
        return self.filter(status__in=(Job.Status.QUEUED, Job.Status.RUNNING))


class Job(models.Model):
    """One long task. Progress is read here, never from a result backend."""

    class Status(models.TextChoices):
        QUEUED = "queued", "En attente"
        RUNNING = "running", "En cours"
        DONE = "done", "Terminé"
        FAILED = "failed", "Échec"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("nature", max_length=60)
    label = models.CharField("intitulé", max_length=300)
    parameters = models.JSONField("paramètres", default=dict)
    #: Two requests for the same thing while one is unfinished are one job. Null once finished.
    dedupe_key = models.CharField("clé d’unicité", max_length=200, null=True, blank=True, unique=True)
    organisation = models.ForeignKey(
        "members.Organisation", models.CASCADE, verbose_name="pour le compte de", related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name="demandé par", related_name="+"
    )
    status = models.CharField("état", max_length=10, choices=Status, default=Status.QUEUED)
    done = models.PositiveIntegerField("fait", default=0)
    total = models.PositiveIntegerField("à faire", default=0)
    message = models.CharField("message", max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField("tentatives", default=0)
    claimed_by = models.CharField("exécuté par", max_length=100, blank=True)
    lease_until = models.DateTimeField("bail jusqu’à", null=True, blank=True)
    sent_at = models.DateTimeField("envoyé le", null=True, blank=True)
    created_at = models.DateTimeField("créé le", default=timezone.now, editable=False)
    finished_at = models.DateTimeField("fini le", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "tâche"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "sent_at"], name="job_status_sent")]
        constraints = [
            models.CheckConstraint(
                name="job_finished_has_date",
                condition=models.Q(status__in=("queued", "running"), finished_at__isnull=True)
                | models.Q(status__in=("done", "failed"), finished_at__isnull=False),
                violation_error_message="Une tâche finie porte sa date de fin.",
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_finished(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED)


class JobItem(models.Model):
    """One finished item of a job. The unique key makes doing it twice the same as doing it once."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="items")
    key = models.CharField("élément", max_length=100)
    done_at = models.DateTimeField("fait le", default=timezone.now)

    class Meta:
        verbose_name = "élément de tâche"
        verbose_name_plural = "éléments de tâche"
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="job_item_once")]

    def __str__(self) -> str:
        return self.key
