"""What counts: the postings of validated lines by budget year, and the locks that close a year."""

from decimal import Decimal

from django.conf import settings
from django.db import models

from groupings.models import Grouping, Lot, Membership
from members.models import Organisation
from procurement.core.journal.record import Scope
from savings.choices import EntryKind, GainStage, Grade
from savings.models.line import PriceLine
from savings.querysets import LedgerEntryQuerySet, OfTerritoryQuerySet


def whole_cents(verbose_name: str) -> models.BigIntegerField:
    """A column of whole cents: SQLite keeps a decimal as a float, and a sum of floats is no evidence. Integers add up
    exactly in every database."""
    return models.BigIntegerField(verbose_name)


class LedgerEntry(models.Model):
    """The part of one validated line in one budget year. Append-only: a correction reverses it, and posts its own.

    ``year`` is the budget year it counts in; ``origin_year`` the one it is about, earlier when that one was already
    locked. What the reports group by is copied here, so that a year is added up in one pass over one table.
    """

    line = models.ForeignKey(PriceLine, models.PROTECT, related_name="entries")
    kind = models.CharField("nature", max_length=8, choices=EntryKind, default=EntryKind.POSTED)
    territory = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    grouping = models.ForeignKey(Grouping, models.PROTECT, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="+")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    family = models.CharField("famille (division CPV)", max_length=2)
    stage = models.CharField("stade", max_length=9, choices=GainStage)
    grade = models.CharField("fiabilité", max_length=1, choices=Grade)
    is_one_off = models.BooleanField("achat ponctuel")
    year = models.PositiveSmallIntegerField("exercice")
    origin_year = models.PositiveSmallIntegerField("exercice concerné")
    months = models.PositiveSmallIntegerField("mois")
    baseline_budget_cents = whole_cents("référence (centimes)")
    baseline_purchase_cents = whole_cents("référence indexée (centimes)")
    obtained_cents = whole_cents("obtenu (centimes)")
    budget_gain_cents = whole_cents("gain budgétaire (centimes)")
    purchase_gain_cents = whole_cents("gain achat (centimes)")
    posted_at = models.DateTimeField("inscrite le", auto_now_add=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "écriture du registre"
        verbose_name_plural = "écritures du registre"
        ordering = ["year", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["line", "kind", "origin_year"], name="ledger_entry_once"),
            models.CheckConstraint(
                condition=models.Q(
                    budget_gain_cents=models.F("baseline_budget_cents") - models.F("obtained_cents"),
                    purchase_gain_cents=models.F("baseline_purchase_cents") - models.F("obtained_cents"),
                ),
                name="ledger_entry_adds_up",
                violation_error_message="Le gain est la référence moins le prix obtenu.",
            ),
            models.CheckConstraint(
                condition=models.Q(year__gte=models.F("origin_year")),
                name="ledger_entry_not_before_its_year",
                violation_error_message="Une écriture ne compte pas avant l’année qu’elle concerne.",
            ),
        ]
        indexes = [models.Index(fields=["territory", "stage", "year"], name="ledger_territory_stage_year")]

    def __str__(self) -> str:
        return f"{self.line}, {self.year}"

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            raise TypeError("Une écriture du registre ne se modifie pas.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("Une écriture du registre ne se supprime pas.")


class YearLock(models.Model):
    """A budget year closed by finance. ``sha256`` is that of its entries, all stages, in order: whoever doubts computes
    it again. It is never undone; what is corrected later counts in the first year still open."""

    territory = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField("exercice")
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    entry_count = models.PositiveIntegerField("écritures")
    totals = models.JSONField("totaux par stade")
    locked_at = models.DateTimeField("verrouillé le")
    locked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    locked_label = models.CharField("par", max_length=200)

    objects = OfTerritoryQuerySet.as_manager()

    class Meta:
        verbose_name = "verrou d’exercice"
        verbose_name_plural = "verrous d’exercice"
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "year"],
                name="year_lock_once",
                violation_error_message="Cet exercice est déjà verrouillé.",
            )
        ]

    def __str__(self) -> str:
        return f"Exercice {self.year}, verrou {self.sha256[:12]}"

    @property
    def journal_scope(self) -> Scope:
        return Scope(f"savings:{self.territory_id}", self.territory_id, self.territory_id)


def euros_of(cents: int) -> Decimal:
    """€ from the whole cents of the ledger."""
    return Decimal(cents).scaleb(-2)


def cents_of(amount: Decimal) -> int:
    """Whole cents of an amount exact to the cent."""
    return int(amount.scaleb(2))
