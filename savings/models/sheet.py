"""The bilan's sheet « Groupements d’achats » of one year: its texts, its figures once frozen."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from members.models import Organisation
from procurement.core.journal.record import Scope
from savings.querysets import OfTerritoryQuerySet


class AnnualSheet(models.Model):
    """One year of one territory, with the headings of the bilan 2016 (« action existante 5 »).

    ``texts``: heading → text, begun from last year's. ``calendar``: quarter (« 2016-T4 ») → phase 1 to 4.
    ``figures``: what the ledger and the groupings said on the day it was frozen, exact texts; empty before.
    """

    territory = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField("année", validators=[MinValueValidator(2000), MaxValueValidator(2100)])
    texts = models.JSONField("textes", default=dict)
    calendar = models.JSONField("calendrier", default=dict, blank=True)
    figures = models.JSONField("chiffres", default=dict, blank=True)
    figures_on = models.DateField("chiffres arrêtés au", null=True, blank=True)
    frozen_at = models.DateTimeField("figée le", null=True, blank=True)
    frozen_label = models.CharField("figée par", max_length=200, blank=True)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OfTerritoryQuerySet.as_manager()

    class Meta:
        verbose_name = "fiche annuelle"
        verbose_name_plural = "fiches annuelles"
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "year"],
                name="annual_sheet_once",
                violation_error_message="La fiche de cette année existe déjà.",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True, figures_on__isnull=True, sha256="")
                | Q(frozen_at__isnull=False, figures_on__isnull=False) & ~Q(frozen_label="") & ~Q(sha256=""),
                name="annual_sheet_frozen_whole",
                violation_error_message="Une fiche figée a sa date, son auteur et son empreinte.",
            ),
        ]

    def __str__(self) -> str:
        return f"Fiche «\u00a0Groupements d’achats\u00a0» {self.year}"

    @classmethod
    def from_db(cls, db, field_names, values) -> "AnnualSheet":
        loaded = super().from_db(db, field_names, values)
        loaded._was_frozen = "frozen_at" in field_names and loaded.frozen_at is not None
        return loaded

    def save(self, *args, **kwargs) -> None:
        self._refuse_once_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        self._refuse_once_frozen()
        return super().delete(*args, **kwargs)

    def _refuse_once_frozen(self) -> None:
        if getattr(self, "_was_frozen", False):
            raise TypeError("Une fiche figée ne change plus.")

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    @property
    def journal_scope(self) -> Scope:
        return Scope(f"savings:{self.territory_id}", self.territory_id, self.territory_id)
