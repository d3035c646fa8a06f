"""The reports made: which figures, from which lock, and the SHA-256 of the file that says them."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from members.models import Organisation
from procurement.core.jobs.models import Job
from savings.choices import GainStage
from savings.querysets import OfTerritoryQuerySet


def report_path(report: "SavingsReportFile", filename: str) -> str:
    """Where a report lies: one file per job, so that making it again writes the same place."""
    return f"savings/{report.territory_id}/{report.job_key}/{filename}"


class SavingsReportFile(models.Model):
    """One report of a territory's year, as it was made. Never changed: another one is made."""

    class Format(models.TextChoices):
        XLSX = "xlsx", "Excel"
        PDF = "pdf", "PDF"
        CSV = "csv", "CSV"
        JSON = "json", "JSON"

    territory = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    job = models.OneToOneField(Job, models.SET_NULL, null=True, blank=True, related_name="savings_report")
    job_key = models.CharField("tâche", max_length=36, unique=True)
    year = models.PositiveSmallIntegerField("exercice", validators=[MinValueValidator(2000), MaxValueValidator(2100)])
    stage = models.CharField("stade", max_length=9, choices=GainStage)
    by = models.CharField("regroupement", max_length=60)
    format = models.CharField("format", max_length=4, choices=Format)
    lock_sha256 = models.CharField(
        "empreinte du verrou", max_length=64, blank=True, help_text="Vide\u00a0: exercice ouvert."
    )
    line_count = models.PositiveIntegerField("lignes")
    budget_gain = models.DecimalField("gain budgétaire (€ HT)", max_digits=16, decimal_places=2)
    file = models.FileField("fichier", upload_to=report_path, max_length=200)
    filename = models.CharField("nom", max_length=120)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.PositiveBigIntegerField("taille (octets)")
    made_at = models.DateTimeField("chiffres au")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    made_label = models.CharField("demandé par", max_length=200)

    objects = OfTerritoryQuerySet.as_manager()

    class Meta:
        verbose_name = "rapport des gains"
        verbose_name_plural = "rapports des gains"
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(sha256=""),
                name="savings_report_has_hash",
                violation_error_message="Empreinte absente.",
            ),
            models.CheckConstraint(
                condition=Q(line_count__gt=0),
                name="savings_report_has_lines",
                violation_error_message="Un rapport a au moins une ligne.",
            ),
        ]

    def __str__(self) -> str:
        return self.filename
